"""Motion found in spikes is the motion that was there, and none where nothing moved."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from engine.geometry import Size
from engine.restore.exposure import Segment
from engine.restore.spike_motion import Segments, Trajectories, estimate_motion

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
    error = inner(motion.velocity) - np.array(velocity)
    assert np.abs(np.median(error, axis=(0, 1))).max() < (0.8 if noisy else 0.3)
    assert np.median(np.hypot(error[..., 0], error[..., 1])) < (1.5 if noisy else 0.5)
    assert inner(trust).mean() > 0.9


def test_acceleration_is_found() -> None:
    motion, _ = estimate_motion(segments_of(2, (6.0, 0.0), (0.0, 12.0), noisy=False))
    assert np.median(inner(motion.velocity)[..., 0]) == pytest.approx(6.0, abs=0.5)
    assert np.median(inner(motion.acceleration)[..., 1]) == pytest.approx(12.0, abs=3.0)


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
    assert motion.velocity.shape == (*size, 2)
    assert np.isfinite(motion.velocity).all()
    assert trust.shape == size


def test_large_pictures_are_halved_and_displacements_stay_in_their_pixels() -> None:
    big = segments_of(1, (9.0, 0.0), noisy=False)
    tiled = np.tile(big.counts, (1, 6, 6))
    motion, _ = estimate_motion(Segments(tiled, big.planes, big.times))
    assert motion.velocity.shape[:2] == (288, 384)
    assert np.median(motion.velocity[..., 0]) == pytest.approx(9.0, abs=0.7)


def test_places_follow_velocity_and_acceleration() -> None:
    size = Size(2, 3)
    motion = Trajectories(
        np.full((2, 3, 2), (4.0, -2.0), np.float32), np.full((2, 3, 2), (8.0, 0.0), np.float32)
    )
    grid = np.zeros((size.height, size.width, 2), np.float32)
    np.testing.assert_allclose(motion.places(0.5, grid)[1, 2], (4 * 0.5 + 8 * 0.25, -1.0))
    np.testing.assert_allclose(motion.places(-0.5, grid)[0, 0], (-2 + 2, 1.0))
    assert not grid.any()
