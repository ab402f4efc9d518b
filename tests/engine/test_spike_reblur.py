"""An estimate brought nearer to a picture that explains the blurry frame."""

import numpy as np
import pytest

from engine.geometry import Size
from engine.light.filters import blurred, resized_by_area
from engine.light.trajectories import Trajectories
from engine.metrics import psnr
from engine.restoration.motion_blur import Blur, share_of_blur
from engine.restoration.spike_reblur import explain_blur

SIZE = Size(96, 128)
TRAVEL_PX = 8
INNER = np.s_[TRAVEL_PX:-TRAVEL_PX, TRAVEL_PX:-TRAVEL_PX]


def moving(size=SIZE, x=float(TRAVEL_PX), y=0.0):
    velocity = np.empty((size.height, size.width, 2), np.float32)
    velocity[:] = (x, y)
    return Trajectories.steady(velocity)


def texture(seed=0):
    """A random picture (H, W + 2 · TRAVEL_PX, 3), as fine as pixels allow, in mid-greys."""
    noise = np.random.default_rng(seed).normal(size=(SIZE.height, SIZE.width + 2 * TRAVEL_PX, 3))
    return np.clip(0.5 + 0.3 * blurred(noise.astype(np.float32), 0.8), 0.05, 0.95)


def exposed(gamma=1.0, seed=0):
    """Return the centre and the mean of an exposure in which a texture moves right, from shifted copies."""
    light = texture(seed) ** gamma
    steps = range(-TRAVEL_PX // 2, TRAVEL_PX // 2 + 1)
    views = [light[:, TRAVEL_PX - step : TRAVEL_PX - step + SIZE.width] for step in steps]
    sharp, blurry = views[len(views) // 2], np.mean(views, axis=0)
    return tuple((picture ** (1 / gamma)).astype(np.float32) for picture in (sharp, blurry))


def as_spikes_see(sharp):
    """An estimate without the detail that large pixels miss: blurred both ways."""
    return np.stack([blurred(sharp[:, :, channel], 1.5) for channel in range(3)], axis=2)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_detail_along_the_motion_comes_back(gamma):
    sharp, blurry = exposed(gamma)
    estimate = as_spikes_see(sharp)

    found = explain_blur(blurry, estimate, moving(), gamma)

    assert psnr(found[INNER], sharp[INNER]) > psnr(estimate[INNER], sharp[INNER]) + 0.8


def test_the_wrong_direction_brings_less():
    sharp, blurry = exposed()
    estimate = as_spikes_see(sharp)

    right, wrong = (
        psnr(explain_blur(blurry, estimate, motion, 1.0)[INNER], sharp[INNER])
        for motion in (moving(), moving(x=0.0, y=float(TRAVEL_PX)))
    )

    assert wrong < right - 0.5


def test_a_picture_that_explains_the_blur_stays():
    sharp, blurry = exposed()

    found = explain_blur(blurry, sharp, moving(), 1.0)

    np.testing.assert_allclose(found[INNER], sharp[INNER], atol=0.02)


def test_what_rests_stays_as_it_is():
    blurry = np.random.default_rng(1).random((SIZE.height, SIZE.width, 3), np.float32)
    estimate = np.random.default_rng(2).random((SIZE.height, SIZE.width, 3), np.float32)

    found = explain_blur(blurry, estimate, moving(x=0.5), 2.2)

    np.testing.assert_array_equal(found, estimate)


def test_a_coarse_grid_of_motion_does_as_well():
    sharp, blurry = exposed()
    estimate = as_spikes_see(sharp)
    coarse = moving(Size(SIZE.height // 4, SIZE.width // 4))  # displacements stay in pixels of the frame

    found = explain_blur(blurry, estimate, coarse, 1.0)

    np.testing.assert_allclose(found, explain_blur(blurry, estimate, moving(), 1.0), atol=1e-5)


def test_values_stay_in_range_and_are_numbers():
    generator = np.random.default_rng(3)
    blurry, estimate = (
        generator.integers(0, 2, (SIZE.height, SIZE.width, 3)).astype(np.float32) for _ in "ab"
    )

    found = explain_blur(blurry, estimate, moving(x=30.0, y=-12.0), 2.2)

    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


# ------------------------------------------------------------------ the blur itself


def test_blurring_along_the_motion_is_the_mean_of_shifted_pictures():
    sharp, blurry = exposed()

    found = Blur.along(moving()).blurry(sharp)

    # our exposure ends half a step earlier at each side than the nine whole steps here do
    np.testing.assert_allclose(found[INNER], blurry[INNER], atol=0.05)
    assert psnr(found[INNER], blurry[INNER]) > 35


def test_spreading_back_is_the_transpose_of_blurring():
    generator = np.random.default_rng(4)
    inside = np.zeros((SIZE.height, SIZE.width, 1), np.float32)
    inside[2 * TRAVEL_PX : -2 * TRAVEL_PX, 2 * TRAVEL_PX : -2 * TRAVEL_PX] = 1
    one, other = (generator.random((SIZE.height, SIZE.width, 2), np.float32) * inside for _ in "ab")
    blur = Blur.along(moving(x=7.0, y=3.0))

    forth, back = (np.sum(blur.blurry(one) * other), np.sum(one * blur.spread_back(other)))

    assert forth == pytest.approx(back, rel=1e-4)


@pytest.mark.parametrize(("px", "share"), [(0.0, 0.0), (1.0, 0.0), (3.0, 0.5), (5.0, 1.0), (50.0, 1.0)])
def test_blur_begins_with_motion_of_a_pixel(px, share):
    motion = moving(x=0.6 * px, y=-0.8 * px)

    np.testing.assert_allclose(motion.travel_px, px, rtol=1e-5)
    np.testing.assert_allclose(share_of_blur(motion), share, atol=1e-5)
    assert resized_by_area(share_of_blur(motion), Size(4, 4)).shape == (4, 4)
