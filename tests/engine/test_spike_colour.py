"""Colours solved for along a known motion."""

import numpy as np
import pytest

from engine.geometry import Size
from engine.light.filters import resized_by_area
from engine.light.spike_signal import LUMINANCE
from engine.light.trajectories import Trajectories
from engine.restoration.spike_colour import solve_colours

SIZE = Size(96, 128)
TRAVEL_PX = 16
EVERYWHERE = np.ones((SIZE.height, SIZE.width), np.float32)


def moving(size=SIZE, x=float(TRAVEL_PX), y=0.0):
    velocity = np.empty((size.height, size.width, 2), np.float32)
    velocity[:] = (x, y)
    return Trajectories.steady(velocity)


def patches(seed=0, width=SIZE.width + 2 * TRAVEL_PX):
    """Coloured patches (H, width, 3) of 16 pixels: an exposure smears each over two."""
    coarse = np.random.default_rng(seed).uniform(0.15, 0.85, (SIZE.height // 16, width // 16, 3))
    return np.kron(coarse, np.ones((16, 16, 1)))


def exposed(scene, gamma=1.0):
    """Return the centre and the mean of an exposure in which `scene` moves to the right by TRAVEL_PX."""
    light = scene**gamma
    steps = range(-TRAVEL_PX // 2, TRAVEL_PX // 2 + 1)
    views = [light[:, TRAVEL_PX - step : TRAVEL_PX - step + SIZE.width] for step in steps]
    sharp, blurry = views[len(views) // 2], np.mean(views, axis=0)
    return tuple((picture ** (1 / gamma)).astype(np.float32) for picture in (sharp, blurry))


def with_the_hues_of(blurry, sharp, gamma=1.0):
    """Return what a perfect spike ratio makes: the sharp luminance, the blurry hues."""
    ratio = (sharp**gamma @ LUMINANCE) / (blurry**gamma @ LUMINANCE)
    return (np.clip(blurry**gamma * ratio[:, :, None], 0, 1) ** (1 / gamma)).astype(np.float32)


def chroma_error(picture, sharp):
    inner = np.s_[TRAVEL_PX:-TRAVEL_PX, TRAVEL_PX:-TRAVEL_PX]
    of_both = [each[inner] - (each[inner] @ LUMINANCE)[:, :, None] for each in (picture, sharp)]
    return float(np.sqrt(np.mean((of_both[0] - of_both[1]) ** 2)))


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_colours_come_nearer_to_the_scene(gamma):
    sharp, blurry = exposed(patches(), gamma)
    estimate = with_the_hues_of(blurry, sharp, gamma)

    solved = solve_colours(blurry, estimate, moving(), EVERYWHERE, gamma)

    assert chroma_error(solved, sharp) < 0.8 * chroma_error(estimate, sharp)


def test_the_wrong_direction_makes_them_no_better():
    sharp, blurry = exposed(patches())
    estimate = with_the_hues_of(blurry, sharp)

    along, across = (
        solve_colours(blurry, estimate, motion, EVERYWHERE, 1.0)
        for motion in (moving(), moving(x=0.0, y=float(TRAVEL_PX)))
    )

    assert chroma_error(along, sharp) < 0.7 * chroma_error(across, sharp)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_the_luminance_stays(gamma):
    sharp, blurry = exposed(patches(), gamma)
    sharp, blurry = (0.3 + 0.3 * picture for picture in (sharp, blurry))
    estimate = with_the_hues_of(blurry, sharp, gamma)

    solved = solve_colours(blurry, estimate, moving(), EVERYWHERE, gamma)

    unclipped = ((solved > 0.01) & (solved < 0.99)).all(axis=2)
    assert unclipped.mean() > 0.95
    difference = solved**gamma @ LUMINANCE - estimate**gamma @ LUMINANCE
    np.testing.assert_allclose(difference[unclipped], 0, atol=1e-5)


@pytest.mark.parametrize(("motion", "trust"), [(moving(x=0.9), EVERYWHERE), (moving(), 0 * EVERYWHERE)])
def test_without_blur_or_trust_nothing_changes(motion, trust):
    sharp, blurry = exposed(patches())
    estimate = with_the_hues_of(blurry, sharp)

    np.testing.assert_array_equal(solve_colours(blurry, estimate, motion, trust, 2.2), estimate)


def test_only_the_trusted_half_changes():
    sharp, blurry = exposed(patches())
    estimate = with_the_hues_of(blurry, sharp)
    trust = EVERYWHERE.copy()
    trust[:, : SIZE.width // 2] = 0

    solved = solve_colours(blurry, estimate, moving(), trust, 1.0)

    np.testing.assert_array_equal(solved[:, : SIZE.width // 2], estimate[:, : SIZE.width // 2])
    assert not np.array_equal(solved, estimate)


def test_grey_stays_grey():
    grey = patches()[:, :, :1].repeat(3, axis=2)
    sharp, blurry = exposed(grey)

    solved = solve_colours(blurry, sharp, moving(), EVERYWHERE, 1.0)

    np.testing.assert_allclose(solved, sharp, atol=1e-4)


def test_the_motion_may_lie_on_a_coarser_grid():
    sharp, blurry = exposed(patches())
    estimate = with_the_hues_of(blurry, sharp)
    small = Size(SIZE.height // 4, SIZE.width // 4)

    solved = solve_colours(blurry, estimate, moving(small), resized_by_area(EVERYWHERE, small), 1.0)

    np.testing.assert_allclose(solved, solve_colours(blurry, estimate, moving(), EVERYWHERE, 1.0), atol=1e-5)


@pytest.mark.parametrize("size", [Size(1, 1), Size(1, 9), Size(2, 3), Size(5, 1)])
def test_tiny_frames(size):
    blurry = np.random.default_rng(0).random((size.height, size.width, 3), np.float32)
    trust = np.ones((size.height, size.width), np.float32)

    solved = solve_colours(blurry, blurry, moving(size), trust, 2.2)

    assert solved.shape == blurry.shape
    assert solved.dtype == np.float32
    assert np.isfinite(solved).all()
    assert solved.min() >= 0
    assert solved.max() <= 1
