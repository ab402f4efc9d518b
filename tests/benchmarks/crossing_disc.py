"""A dark disc that crosses brighter ground within one exposure: the scene that no single motion explains.

    python tests/benchmarks/crossing_disc.py [--seeds 3]

The disc travels so many times its diameter while the ground pans. PSNR in dB of the blurry frame (baseline),
of the spike ratio and of the network's first estimate: where the disc passed, and everywhere else.
"""

import argparse
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size, Span
from engine.light.spike_signal import LUMINANCE
from engine.restoration.exposure import Exposure
from engine.restoration.first_estimate import first_estimate
from engine.restoration.spike_ratio import restore_frame
from training.textures import dead_leaves

SIZE = Size(192, 256)
PAN_PX = 10.0
DIAMETERS = (0.5, 1.0, 1.5)
CAMERAS = ((64, 0.28, 1.0), (64, 0.07, 1.0), (400, 0.3, 2.2))
DARK = np.array([0.08, 0.09, 0.07])
MOMENTS_A_PLANE = 2

Picture = NDArray[np.float32]


def scene(seed: int, radius: float, travel: float) -> Callable[[float], Picture]:
    """Return the picture at a time in exposures from the centre."""
    generator = np.random.default_rng(seed)
    margin = 32
    ground = 0.45 + 0.55 * dead_leaves(generator, Size(SIZE.height + 2 * margin, SIZE.width + 2 * margin))
    angle, pan = generator.uniform(0, 2 * np.pi, 2)
    rows, columns = np.mgrid[: SIZE.height, : SIZE.width].astype(np.float32)

    def at(time: float) -> Picture:
        x, y = PAN_PX * time * np.cos(pan), PAN_PX * time * np.sin(pan)
        picture = cv2.remap(
            ground.astype(np.float32),
            columns + np.float32(margin - x),
            rows + np.float32(margin - y),
            cv2.INTER_LINEAR,
        )
        x = SIZE.width / 2 + travel * time * np.cos(angle)
        y = SIZE.height / 2 + travel * time * np.sin(angle)
        cover = np.clip(radius - np.hypot(columns - x, rows - y) + 0.5, 0, 1)[..., None]
        return (picture * (1 - cover) + DARK * cover).astype(np.float32)

    return at


def expose(
    at: Callable[[float], Picture], planes: int, density: float, gamma: float, seed: int
) -> tuple[Picture, NDArray[np.uint8]]:
    """Return the blurry frame and the planes of a spike camera of half its size."""
    generator = np.random.default_rng(seed)
    light, total = [], np.zeros((SIZE.height, SIZE.width, 3))
    for plane in range(planes):
        times = (plane + (np.arange(MOMENTS_A_PLANE) + 0.5) / MOMENTS_A_PLANE) / planes - 0.5
        signal = np.mean([at(float(time)) ** gamma for time in times], axis=0)
        total += signal
        half = (SIZE.width // 2, SIZE.height // 2)
        light.append(cv2.resize((signal @ LUMINANCE).astype(np.float32), half, interpolation=cv2.INTER_AREA))
    threshold = float(np.mean(light)) / density
    charge = generator.random(light[0].shape) * threshold
    spikes = np.zeros((planes, *light[0].shape), np.uint8)
    for plane, seen in enumerate(light):
        charge += seen + generator.normal(size=seen.shape) * np.sqrt(seen * threshold) * 0.3
        fired = charge >= threshold
        spikes[plane], charge = fired, charge - fired * threshold
    blurry = np.clip(total / planes, 0, 1) ** (1 / gamma)
    return (np.floor(blurry * 255 + 0.5) / 255).astype(np.float32), spikes


def psnr(picture: Picture, truth: Picture, where: NDArray[np.bool_]) -> float:
    return float(-10 * np.log10(np.square(picture - truth)[where].mean() + 1e-12))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'camera':28s} {'way':>5s}   blurry: disc  ground   ratio: disc  ground   first: disc  ground")
    for planes, density, gamma in CAMERAS:
        for diameters in DIAMETERS:
            rows = []
            for seed in range(options.seeds):
                at = scene(seed, 25.0, 50.0 * diameters)
                blurry, spikes = expose(at, planes, density, gamma, seed)
                truth = at(0.0)
                counts = spikes.reshape(planes, -1).sum(axis=1, dtype=np.int64)

                def count(start: int, stop: int, spikes: NDArray[np.uint8] = spikes) -> Picture:
                    return spikes[start:stop].sum(axis=0, dtype=np.float32)

                exposure = Exposure(count, Span(0, planes), planes / 2, planes, counts)
                covered = [
                    np.abs(at(time) - DARK).max(axis=2) < 0.02 for time in np.linspace(-0.5, 0.5, 17).tolist()
                ]
                passed = cv2.dilate(np.any(covered, axis=0).astype(np.uint8), np.ones((7, 7))) > 0
                ratio = restore_frame(blurry, exposure, gamma)
                first = first_estimate(blurry, exposure, Size(*spikes.shape[1:]), gamma).picture
                rows.append(
                    [psnr(one, truth, where) for one in (blurry, ratio, first) for where in (passed, ~passed)]
                )
            values = "  ".join(
                f"{value:12.2f}" if n % 2 == 0 else f"{value:6.2f}"
                for n, value in enumerate(np.mean(rows, axis=0))
            )
            print(f"{planes} planes of {density}, gamma {gamma:<4} {diameters:5.1f}   {values}", flush=True)


if __name__ == "__main__":
    main()
