"""Statistics of simulated spikes against those that theory and a real Vidar have."""

from pathlib import Path

import numpy as np
import pytest

from engine.geometry import Size
from engine.recording import open_recording
from training.rig import Rig, draw_faults
from training.scene import Layer, Scene
from training.simulate import Exposures, FrameCamera, simulate_clip, threshold_for_density
from training.spike_camera import SpikeCamera

REAL_VARIATION = 0.101
REAL_SPREAD = 0.037
REAL_DENSITY = 0.366


def planes_of(light: np.ndarray, camera: SpikeCamera, planes: int, rig: Rig | None = None, seed: int = 0):  # type: ignore[no-untyped-def]
    size = Size(*light.shape)
    scene = Scene(size, (Layer(np.repeat(light[..., None], 3, axis=2).astype(np.float32)),))
    faults = draw_faults(rig or Rig(), camera, size, size, planes, np.random.SeedSequence(seed))
    return simulate_clip(
        scene,
        Exposures(1, planes, planes),
        FrameCamera(),
        camera,
        spike_scale=1,
        seed=seed,
        faults=faults,
    ).planes


def variation(planes: np.ndarray) -> tuple[float, float]:
    """Return the median variation of intervals at 0.2 to 0.25 spikes a plane, measured and ideal.

    A clocked integrate-and-fire pixel of rate r has intervals of the two whole numbers around 1/r.
    """
    measured, ideal = [], []
    rates = planes.mean(axis=0)
    for y, x in np.argwhere((rates >= 0.2) & (rates < 0.25)).tolist():
        intervals = np.diff(np.flatnonzero(planes[:, y, x]))
        measured.append(intervals.std() / intervals.mean())
        fraction = intervals.mean() % 1
        ideal.append(np.sqrt(fraction * (1 - fraction)) / intervals.mean())
    return float(np.median(measured)), float(np.median(ideal))


def test_intervals_vary_as_those_of_an_ideal_clocked_sensor_and_of_a_real_one() -> None:
    light = np.tile(np.linspace(0.4, 0.5, 48), (12, 1))

    measured, ideal = variation(planes_of(light, SpikeCamera(2.0), 300))

    # Of rates spread evenly between 0.2 and 0.25, by the formula.
    rates = np.linspace(0.2, 0.25, 1001)
    fraction = (1 / rates) % 1
    assert np.median(rates * np.sqrt(fraction * (1 - fraction))) == pytest.approx(0.097, abs=5e-4)
    assert ideal == pytest.approx(0.097, abs=0.004)
    assert measured == pytest.approx(ideal, abs=1e-3)
    assert measured == pytest.approx(REAL_VARIATION, abs=0.008)


def test_shot_noise_adds_the_variance_of_an_intervals_electrons() -> None:
    noise = 0.1
    light = np.full((16, 32), 0.4)

    planes = planes_of(light, SpikeCamera(2.0, shot_noise=noise), 600)

    # 0.4 of a white plane's charge a plane and 2 to fire: intervals of 5. What an interval collects varies by
    # noise √(0.4 · 5), which takes 0.4 a plane to make up; reading at the clock adds 1/√6 planes at most.
    intervals = np.concatenate([np.diff(np.flatnonzero(column)) for column in planes.reshape(600, -1).T])
    collected = noise * np.sqrt(0.4 * 5) / 0.4
    assert collected <= intervals.std() <= np.hypot(collected, 1 / np.sqrt(6)) * 1.05
    assert intervals.mean() == pytest.approx(5, rel=0.01)


def test_a_flat_field_spreads_as_the_response_and_is_the_sensors_own() -> None:
    camera = SpikeCamera(2.0, response_spread=REAL_SPREAD)
    light = np.full((40, 50), 0.5)

    first, again, other = (
        planes_of(light, camera, 800, Rig(sensor_seed=sensor), seed).mean(axis=0)
        for sensor, seed in ((1, 1), (1, 2), (2, 1))
    )

    # A count of 200 spikes is good to one.
    assert first.std() / first.mean() == pytest.approx(REAL_SPREAD, abs=0.003)
    assert np.corrcoef(first.ravel(), again.ravel())[0, 1] > 0.99
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.1


def test_defects_show_as_rates_of_none_and_all() -> None:
    rates = planes_of(np.full((50, 60), 0.5), SpikeCamera(2.0), 100, Rig(defects=0.002)).mean(axis=0)

    assert (rates == 0).sum() == 3
    assert (rates == 1).sum() == 3
    np.testing.assert_allclose(rates[(rates > 0) & (rates < 1)], 0.25, atol=0.011)


def test_the_density_of_a_real_recording_can_be_asked_for() -> None:
    light = np.random.default_rng(1).uniform(0.05, 0.9, (30, 40)).astype(np.float32)
    exposures = Exposures(1, 300, 300)
    scene = Scene(Size(30, 40), (Layer(np.repeat(light[..., None], 3, axis=2)),))
    threshold = threshold_for_density(REAL_DENSITY, scene, exposures, 1.0, 1.0, 0.0)

    assert planes_of(light, SpikeCamera(threshold), 300).mean() == pytest.approx(REAL_DENSITY, rel=0.01)


def test_a_real_recording_has_these_statistics(shared_data: Path) -> None:
    path = shared_data / "real/car.dat"
    if not path.exists():
        pytest.skip("the real recordings are not here")
    with open_recording(path, height=250, width=400) as recording:
        planes = recording.read(0, 200)

    measured, _ = variation(planes)

    assert measured == pytest.approx(REAL_VARIATION, abs=1e-3)
    assert planes.mean() == pytest.approx(REAL_DENSITY, abs=1e-3)
