"""The spike camera against theory and against a pixel at a time in plain Python."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from engine.geometry import Size
from training.spike_camera import SpikeCamera, SpikeSensor, poisson_counts

SIZE = Size(12, 10)


def constant(light: float, size: Size = SIZE) -> np.ndarray:
    return np.full((size.height, size.width), light, np.float32)


def sensor(camera: SpikeCamera, size: Size = SIZE, seed: int = 3) -> SpikeSensor:
    return SpikeSensor(camera, size, np.random.default_rng(seed))


@pytest.mark.parametrize("threshold", [0.7, 1.3, 2.0, 5.0])
@pytest.mark.parametrize("light", [0.05, 0.4, 0.65])
def test_rate_is_gain_times_light_over_threshold(threshold: float, light: float) -> None:
    camera = SpikeCamera(threshold, gain=0.9, dark_current=0.02, response_spread=0.05, shot_noise=0.1)
    pixels = Size(40, 50)
    running = sensor(camera, pixels)
    planes = 300
    fired = sum(int(running.expose(constant(light, pixels)).sum()) for _ in range(planes))
    expected = 0.9 * (light + 0.02) / threshold
    # The random start makes counts differ by under a spike a pixel; spread and shot noise average out.
    spread = 4 * (0.05 + 0.1) * expected / math.sqrt(pixels.pixels) + 4 / (planes * math.sqrt(pixels.pixels))
    assert fired / planes / pixels.pixels == pytest.approx(expected, abs=spread)
    assert camera.rate(light) == pytest.approx(expected)


def test_without_noise_a_pixel_has_fired_as_often_as_its_charge_holds_the_threshold() -> None:
    # All of these are exact in binary, so that the closed form has no rounding to argue about.
    threshold, light, gain = 1.25, 0.375, 1.5
    running = sensor(SpikeCamera(threshold, gain, random_phase=False))
    total = np.zeros((12, 10), int)
    for plane in range(1, 200):
        total += running.expose(constant(light))
        assert (total == math.floor(plane * gain * light / threshold)).all()
        assert (running.charge == plane * gain * light - total * threshold).all()


def test_charge_is_spikes_times_threshold_plus_residue_as_in_a_naive_loop() -> None:
    camera = SpikeCamera(1.1, 1.3, dark_current=0.03, dark_spread=0.4, response_spread=0.058, shot_noise=0.2)
    running = sensor(camera)
    start = running.charge.copy()
    lights = np.random.default_rng(0).random((150, 12, 10)).astype(np.float32) ** 2
    naive = start.tolist()
    collected = np.zeros((12, 10))
    spikes = np.zeros((12, 10))
    lost = 0
    for light in lights:
        charge = running.collect(light)
        plane = running.fire(charge)
        collected += charge
        spikes += plane
        for y in range(12):
            for x in range(10):
                naive[y][x] += float(charge[y, x])
                fires = naive[y][x] >= 1.1
                assert plane[y, x] == fires
                if fires:
                    naive[y][x] -= 1.1
                while naive[y][x] >= 1.1:
                    naive[y][x] -= 1.1
                    lost += 1
    np.testing.assert_allclose(running.charge, naive, atol=1e-9)
    assert running.lost_spikes == lost
    assert (running.charge >= 0).all()
    assert (running.charge < 1.1).all()
    assert (start + collected).sum() == pytest.approx((spikes.sum() + lost) * 1.1 + running.charge.sum())


def test_a_saturated_pixel_fires_once_a_plane_and_stops_when_the_light_does() -> None:
    running = sensor(SpikeCamera(threshold=0.25, random_phase=False))
    for _ in range(5):
        assert (running.expose(constant(0.875)) == 1).all()
    # 5 · 0.875 / 0.25 = 17.5 fillings, of which 5 were read out.
    assert running.lost_spikes == 12 * SIZE.pixels
    assert (running.expose(constant(0.0)) == 0).all()


def test_planes_are_binary_bytes() -> None:
    plane = sensor(SpikeCamera(threshold=0.5)).expose(constant(0.3))
    assert plane.dtype == np.uint8
    assert set(np.unique(plane)) <= {0, 1}


def test_the_start_phase_is_uniform_over_the_threshold() -> None:
    charge = sensor(SpikeCamera(threshold=3.0), Size(100, 100)).charge
    assert stats.kstest(charge.ravel() / 3.0, "uniform").pvalue > 0.001


def test_two_sensors_of_one_seed_agree_and_of_two_seeds_do_not() -> None:
    camera = SpikeCamera(1.5, dark_current=0.01, response_spread=0.05, shot_noise=0.1)
    first, same, other = (sensor(camera, seed=seed) for seed in (1, 1, 2))
    planes = [[running.expose(constant(0.4)) for _ in range(20)] for running in (first, same, other)]
    assert np.array_equal(planes[0], planes[1])
    assert not np.array_equal(planes[0], planes[2])


def test_switching_shot_noise_off_leaves_pixels_as_they_were() -> None:
    noisy, clean = (sensor(SpikeCamera(1.5, response_spread=0.05, shot_noise=noise)) for noise in (0.1, 0.0))
    assert np.array_equal(noisy.charge, clean.charge)
    many = np.mean([noisy.collect(constant(0.5)) for _ in range(2000)], axis=0)
    np.testing.assert_allclose(many, clean.collect(constant(0.5)), rtol=0.02)


def test_response_spread_is_the_relative_deviation_between_pixels() -> None:
    charge = sensor(SpikeCamera(2.0, response_spread=0.058), Size(200, 200)).collect(
        constant(0.5, Size(200, 200))
    )
    assert charge.mean() == pytest.approx(0.5, rel=0.002)
    assert charge.std() / charge.mean() == pytest.approx(0.058, rel=0.03)


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 15.5, 17.0, 60.0, 400.0])
def test_shot_noise_counts_are_poisson(mean: float) -> None:
    counts = poisson_counts(np.full((200, 200), mean, np.float32), np.random.default_rng(5))
    assert (counts >= 0).all()
    assert (counts == np.rint(counts)).all()
    if mean == 0:
        assert not counts.any()
        return
    assert counts.mean() == pytest.approx(mean, abs=4 * math.sqrt(mean / counts.size))
    assert counts.var() == pytest.approx(mean, rel=0.04)
    levels = np.arange(int(counts.max()) + 2)
    share = np.searchsorted(np.sort(counts.ravel()), levels, side="right") / counts.size
    assert np.abs(share - stats.poisson(mean).cdf(levels)).max() < 0.012


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.0),
        ("threshold", math.nan),
        ("gain", -1.0),
        ("dark_current", -0.1),
        ("dark_spread", 2.0),
        ("response_spread", 0.9),
        ("shot_noise", math.inf),
    ],
)
def test_impossible_cameras_are_refused_with_name_and_value(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must lie between .* got {value:g}"):
        replace(SpikeCamera(), **{name: value})  # type: ignore[arg-type]
