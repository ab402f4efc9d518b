"""Compare simulated spikes with theory and a real sensor: python tests/benchmarks/sensor_statistics.py [DATA]

DATA is the folder of shared data; what needs it is left out where it is absent.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.recording import open_recording
from training.motion import STILL
from training.rig import Rig, draw_faults
from training.scene import Layer, Scene
from training.simulate import Exposures, FrameCamera, simulate_clip, threshold_for_density
from training.spike_camera import SpikeCamera

RATES = (0.2, 0.25)
"""Spikes a plane of the pixels whose intervals are compared."""
REAL_VARIATION = 0.101
REAL_SPREAD = 0.037
REAL_DENSITY = 0.366
CAR = "real/car.dat"
CAR_SIZE = Size(250, 400)
SIZE = Size(96, 128)

Planes = NDArray[np.uint8]


def variation(planes: Planes) -> float:
    """Return the median, over pixels that fire at RATES, of the intervals' deviation against their mean."""
    rates = planes.mean(axis=0)
    values = []
    for y, x in np.argwhere((rates >= RATES[0]) & (rates < RATES[1])).tolist():
        intervals = np.diff(np.flatnonzero(planes[:, y, x]))
        values.append(intervals.std() / intervals.mean())
    return float(np.median(values))


def ideal_variation() -> float:
    """Return the same for a clocked integrate-and-fire pixel without noise.

    At a rate r its intervals are the whole numbers around 1/r, so that they deviate by r √(f (1 - f)), where
    f is the fraction of 1/r.
    """
    rates = np.linspace(*RATES, 10001)
    fraction = (1 / rates) % 1
    return float(np.median(rates * np.sqrt(fraction * (1 - fraction))))


def still(light: NDArray[np.float32]) -> Scene:
    return Scene(Size(*light.shape), (Layer(np.repeat(light[..., None], 3, axis=2), motion=STILL),))


def flat_rates(camera: SpikeCamera, rig: Rig, seed: int, planes: int) -> NDArray[np.float64]:
    """Return the rates of every pixel before an even grey."""
    scene = still(np.full((SIZE.height, SIZE.width), 0.4, np.float32))
    faults = draw_faults(rig, camera, SIZE, SIZE, planes, np.random.SeedSequence(seed))
    clip = simulate_clip(
        scene,
        Exposures(1, planes, planes),
        FrameCamera(),
        camera,
        spike_scale=1,
        seed=seed,
        faults=faults,
    )
    return clip.planes.mean(axis=0)


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    car = None
    if (data / CAR).exists():
        with open_recording(data / CAR, height=CAR_SIZE.height, width=CAR_SIZE.width) as recording:
            car = recording.read(0, recording.info.planes)
    print(f"{'':44} simulated    theory      real")
    ramp = np.linspace(0.4, 0.5, SIZE.width, dtype=np.float32) * np.ones((SIZE.height, 1), np.float32)
    for shot_noise in (0.0, 0.05, 0.1):
        camera = SpikeCamera(2.0, shot_noise=shot_noise)
        clip = simulate_clip(still(ramp), Exposures(1, 200, 200), FrameCamera(), camera, spike_scale=1)
        real = f"{REAL_VARIATION if car is None else variation(car):9.3f}"
        print(
            f"{f'variation of intervals, shot noise {shot_noise:g}':44} {variation(clip.planes):9.3f}"
            f" {ideal_variation():9.3f} {real}"
        )
    camera = SpikeCamera(2.0, response_spread=REAL_SPREAD)
    rig = Rig(sensor_seed=1, defects=0.002)
    first, second = (flat_rates(camera, rig, seed, 2000) for seed in (1, 2))
    sound = (first > 0) & (first < 1)
    spread = float((first[sound] / first[sound].mean()).std())
    print(f"{'spread of the response':44} {spread:9.4f} {REAL_SPREAD:9.4f} {REAL_SPREAD:9.4f}")
    alike = float(np.corrcoef(first[sound], second[sound])[0, 1])
    print(f"{'correlation of two recordings of a sensor':44} {alike:9.3f} {1.0:9.3f}    stable")
    other = flat_rates(camera, Rig(sensor_seed=2, defects=0.002), 1, 2000)
    both = sound & (other > 0) & (other < 1)
    unlike = float(np.corrcoef(first[both], other[both])[0, 1])
    print(f"{'correlation of two sensors':44} {unlike:9.3f} {0.0:9.3f}")
    for name, rate in (("dead", 0.0), ("hot", 1.0)):
        real = "" if car is None else f"{float((car.mean(axis=0) == rate).mean()):9.4f}"
        print(f"{f'share of {name} pixels':44} {float((first == rate).mean()):9.4f} {0.001:9.4f} {real}")
    if car is not None:
        print("(pixels of the real recording that fire at every plane may be saturated by light)")
    rng = np.random.default_rng(1)
    light = rng.uniform(0.05, 0.9, (SIZE.height, SIZE.width)).astype(np.float32)
    exposures = Exposures(1, 400, 400)
    threshold = threshold_for_density(REAL_DENSITY, still(light), exposures, 1.0, 1.0, 0.0)
    clip = simulate_clip(still(light), exposures, FrameCamera(), SpikeCamera(threshold), spike_scale=1)
    real = REAL_DENSITY if car is None else float(car.mean())
    print(f"{'spikes a pixel and plane':44} {clip.planes.mean():9.4f} {REAL_DENSITY:9.4f} {real:9.4f}")


if __name__ == "__main__":
    main()
