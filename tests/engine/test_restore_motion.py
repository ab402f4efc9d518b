"""Motion found in spikes is the motion that was there, and none where nothing moved."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from engine.geometry import Size
from engine.light.segments import Segment, Segments
from engine.light.spike_motion import estimate_motion
from engine.light.trajectories import Trajectories

SIZE = Size(96, 128)
SEGMENTS = 8
PLANES = 8


def texture(seed: int, margin: int = 24) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).random((SIZE.height + 2 * margin, SIZE.width + 2 * margin))
    smooth = ndimage.gaussian_filter(noise, 2.0)
    return np.interp(smooth, (smooth.min(), smooth.max()), (0.05, 0.9))


def segments_of(seed: int, velocity: tuple[float, float], acceleration: tuple[float, float] = (0, 0), *,
                spikes_a_plane: float = 0.4, noisy: bool = True) -> Segments:  # fmt: skip
    """Counts of a texture that moves by velocity · t + acceleration · t², in x and y."""
    scene = texture(seed)
    random = np.random.default_rng(seed + 1)
    parts = []
    for index in range(SEGMENTS):
        time = (index + 0.5) / SEGMENTS - 0.5
        dx, dy = (v * time + a * time * time for v, a in zip(velocity, acceleration, strict=True))
        rows, columns = np.mgrid[: SIZE.height, : SIZE.width].astype(float)
        light = ndimage.map_coordinates(scene, (rows + 24 - dy, columns + 24 - dx), order=1)
        expected = light * spikes_a_plane * PLANES
        counts = random.poisson(expected) if noisy else expected
        parts.append(Segment(counts.astype(np.float32), PLANES, time))
    return Segments.of(parts)


def inner(field: NDArray[np.float32]) -> NDArray[np.float32]:
    return field[20:-20, 20:-20]


@pytest.mark.parametrize("velocity", [(9.0, 0.0), (-4.0, 6.0), (0.0, -12.0)])
@pytest.mark.parametrize("noisy", [False, True])
def test_a_shift_is_found_to_a_fraction_of_a_pixel(velocity: tuple[float, float], noisy: bool) -> None:
    motion, trust = estimate_motion(segments_of(1, velocity, noisy=noisy))
    error = inner(motion.mean_velocity) - np.array(velocity)
    assert np.abs(np.median(error, axis=(0, 1))).max() < (0.8 if noisy else 0.3)
    assert np.median(np.hypot(error[..., 0], error[..., 1])) < (1.5 if noisy else 0.5)
    assert inner(trust).mean() > 0.9


def test_acceleration_is_followed() -> None:
    motion, _ = estimate_motion(segments_of(2, (6.0, 0.0), (0.0, 12.0), noisy=False))
    assert np.median(inner(motion.mean_velocity)[..., 0]) == pytest.approx(6.0, abs=0.5)
    nowhere = np.zeros((SIZE.height, SIZE.width, 2), np.float32)
    for time in (-0.4, -0.2, 0.2, 0.4):
        way = np.median(inner(motion.places(time, nowhere)), axis=(0, 1))
        assert way == pytest.approx((6.0 * time, 12.0 * time * time), abs=0.3)


def test_motion_that_follows_no_simple_law_is_followed() -> None:
    """A hand shakes: back and forth once and a half in an exposure, which no parabola is."""
    scene, parts = texture(7), []
    times = (np.arange(SEGMENTS) + 0.5) / SEGMENTS - 0.5
    ways = 4 * np.sin(3 * np.pi * times)
    rows, columns = np.mgrid[: SIZE.height, : SIZE.width].astype(float)
    for time, way in zip(times.tolist(), ways.tolist(), strict=True):
        light = ndimage.map_coordinates(scene, (rows + 24, columns + 24 - way), order=1)
        parts.append(Segment((light * 0.4 * PLANES).astype(np.float32), PLANES, time))
    motion, trust = estimate_motion(Segments.of(parts))
    nowhere = np.zeros((SIZE.height, SIZE.width, 2), np.float32)
    found = [np.median(inner(motion.places(time, nowhere))[..., 0]) for time in times.tolist()]
    assert np.abs(np.array(found) - ways).max() < 0.8
    assert inner(trust).mean() > 0.5


@pytest.mark.parametrize("spikes_a_plane", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_scene_at_rest_is_not_believed_to_move_whatever_its_noise(seed: int, spikes_a_plane: float) -> None:
    _, trust = estimate_motion(segments_of(seed, (0.0, 0.0), spikes_a_plane=spikes_a_plane))
    assert not trust.any()


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (200, 5), (31, 33), (12, 200), (16, 640)])
def test_pictures_of_any_shape_are_taken(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    parts = [
        Segment(random.poisson(2.0, size).astype(np.float32), 8, (index + 0.5) / 8 - 0.5)
        for index in range(8)
    ]
    motion, trust = estimate_motion(Segments.of(parts))
    assert motion.mean_velocity.shape == (*size, 2)
    assert np.isfinite(motion.mean_velocity).all()
    assert trust.shape == size


def test_large_pictures_are_halved_and_displacements_stay_in_their_pixels() -> None:
    big = segments_of(1, (9.0, 0.0), noisy=False)
    tiled = np.tile(big.counts, (1, 6, 6))
    motion, _ = estimate_motion(Segments(tiled, big.planes, big.times))
    assert motion.mean_velocity.shape[:2] == (288, 384)
    assert np.median(motion.mean_velocity[..., 0]) == pytest.approx(9.0, abs=0.7)


def test_points_move_straight_on_between_known_places_and_beyond_them() -> None:
    def way(x: float, y: float) -> NDArray[np.float32]:
        return np.full((2, 3, 2), (x, y), np.float32)

    motion = Trajectories.of({-0.25: way(-2, 1), 0.125: way(1, 0), 0.0: way(9, 9), 0.375: way(5, 2)})
    grid = np.full((2, 3, 2), (10.0, 20.0), np.float32)
    expected = {
        -0.5: (6, 22),
        -0.125: (9, 20.5),
        0.0: (10, 20),
        0.0625: (10.5, 20),
        0.25: (13, 21),
        0.5: (17, 23),
    }
    for time, place in expected.items():
        np.testing.assert_allclose(motion.places(time, grid)[1, 2], place, rtol=1e-6)
        np.testing.assert_allclose(
            motion.reversed().places(time, grid)[0, 0], 2 * grid[0, 0] - place, rtol=1e-6
        )
    assert (grid == (10, 20)).all()
    np.testing.assert_allclose(motion.mean_velocity[0, 0], (11.2, 1.6), rtol=1e-6)
    np.testing.assert_allclose(motion.scaled(2, 3).places(0.25, grid)[0, 0], (16, 23), rtol=1e-6)
    np.testing.assert_allclose(motion.resized(Size(4, 6)).ways[0], np.full((4, 6, 2), (-2, 1)), rtol=1e-6)
