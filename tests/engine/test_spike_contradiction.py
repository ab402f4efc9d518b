"""Objects that cross more than their own size within an exposure, and scenes in which nothing does."""

import numpy as np
import pytest

from engine.geometry import Span
from engine.restoration.exposure import Exposure
from engine.restoration.spike_ratio import estimate_frame

HEIGHT, WIDTH = 96, 128


def waves(seed):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    random = np.random.default_rng(seed)
    light = np.zeros((HEIGHT, WIDTH))
    for _ in range(12):
        y, x, phase = random.uniform((-0.25, -0.25, 0), (0.25, 0.25, 6))
        light += np.sin(rows * y + columns * x + phase)
    return (0.7 + 0.25 * light / np.abs(light).max()).astype(np.float32)


def exposed(light, *, density, seed=0, noise=0.1):
    """Return the mean of (planes, H, W) light as a frame, and what integrate-and-fire pixels of it fire."""
    random = np.random.default_rng(seed)
    threshold = light.mean() / density
    charge = random.random(light.shape[1:]) * threshold
    fired = np.zeros(light.shape, np.uint8)
    for plane, arriving in enumerate(light):
        charge += arriving + noise * np.sqrt(arriving * threshold) * random.normal(size=arriving.shape)
        fired[plane] = charge >= threshold
        charge -= fired[plane] * threshold
    frame = np.repeat(np.round(light.mean(axis=0) * 255)[:, :, None] / 255, 3, axis=2)
    return frame.astype(np.float32), fired


def exposure_of(fired):
    planes = len(fired)
    return Exposure(
        lambda start, stop: fired[start:stop].sum(axis=0, dtype=np.float32),
        Span(0, planes),
        planes / 2,
        planes,
        fired.sum(axis=(1, 2)),
    )


def disc_passing(planes, radius_px, travel_px, seed=0):
    """Return a dark disc before waves of light, plane by plane, and how the scene looks in the middle."""
    ground = waves(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]

    def at(time):
        away = np.hypot(rows - HEIGHT / 2, columns - WIDTH / 2 - travel_px * time)
        cover = np.clip(radius_px - away + 0.5, 0, 1)
        return ground * (1 - cover) + 0.05 * cover

    light = np.stack([at((plane + 0.5) / planes - 0.5) for plane in range(planes)])
    return light.astype(np.float32), at(0.0)


def psnr(picture, truth, where):
    return -10 * np.log10(np.square(picture[:, :, 1] - truth)[where].mean())


@pytest.mark.parametrize("planes", [64, 400])
@pytest.mark.parametrize("radius_px", [14, 20])
def test_a_disc_that_crosses_thrice_its_size_is_no_blur(planes, radius_px):
    light, truth = disc_passing(planes, radius_px, 6 * radius_px)
    frame, fired = exposed(light, density=0.3)
    estimate = estimate_frame(frame, exposure_of(fired), 1.0)
    crossed = np.abs(frame[:, :, 1] - truth) > 0.03
    assert psnr(estimate.picture, truth, crossed) > psnr(frame, truth, crossed) + 6
    assert psnr(estimate.picture, truth, ~crossed) > 30
    assert estimate.unchanged == ""


@pytest.mark.parametrize("density", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_contradicted_where_nothing_moves(density, seed):
    light = np.repeat(waves(seed)[None], 64, axis=0)
    frame, fired = exposed(light, density=density, seed=seed, noise=0.3)
    estimate = estimate_frame(frame, exposure_of(fired), 1.0)
    assert estimate.believed is None or not estimate.believed.any()
    np.testing.assert_array_equal(estimate.picture, frame)


@pytest.mark.parametrize("seed", range(3))
def test_spikes_of_another_scene_are_not_believed(seed):
    frame, _ = exposed(np.repeat(waves(seed)[None], 64, axis=0), density=0.3)
    light, _ = disc_passing(64, 20, 120, seed=seed + 50)
    _, fired = exposed(light[:, ::-1, ::-1], density=0.3)
    estimate = estimate_frame(frame, exposure_of(fired), 1.0)
    assert np.abs(estimate.picture - frame).mean() < 0.01
