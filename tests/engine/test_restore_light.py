"""Light is gathered along the motion, and only what two independent halves share is kept."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.geometry import Size, Span
from engine.light.segments import Segment
from engine.light.trajectories import Trajectories
from engine.restoration.exposure import Exposure
from engine.restoration.spike_light import Light, agreed_change, gather

SIZE = Size(64, 80)


def noise(seed: int, strength: float) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).normal(0, strength, (SIZE.height, SIZE.width))).astype(np.float32)


def pattern(seed: int) -> NDArray[np.float32]:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).random((SIZE.height, SIZE.width)), 1.5)
    return ((smooth - smooth.mean()) / smooth.std()).astype(np.float32)


def at_rest() -> Trajectories:
    return Trajectories.steady(np.zeros((SIZE.height, SIZE.width, 2), np.float32))


def counted(light: NDArray[np.float32], planes: float, time: float, seed: int) -> Segment:
    """Spikes of so many planes under a light of mean 5, which vary by their own number."""
    random = np.random.default_rng(seed)
    return Segment(random.poisson(np.maximum(light, 0) * planes).astype(np.float32), planes, time)


def test_segments_of_a_moving_picture_add_up_to_the_picture_at_the_centre() -> None:
    centre = pattern(1) + 5
    times = (np.arange(8) + 0.5) / 8 - 0.5
    # 16 pixels to the right an exposure: by whole pixels at these times.
    parts = [
        Segment(3 * np.roll(centre, round(16 * time), axis=1), 3, float(time)) for time in times.tolist()
    ]
    velocity = np.full((SIZE.height, SIZE.width, 2), (16.0, 0.0), np.float32)
    light = gather(parts, Trajectories.steady(velocity), SIZE)
    for half in (light.before, light.after):
        np.testing.assert_allclose(half[:, 12:-12], centre[:, 12:-12], atol=1e-4)


def test_all_segments_are_added_up_where_they_show_the_same() -> None:
    ones = np.ones((SIZE.height, SIZE.width), np.float32)
    parts = [Segment(2 * ones, 2, time) for time in (-0.4, -0.1, 0.3)]
    light = gather(parts, at_rest(), SIZE)
    np.testing.assert_allclose(light.before, 1.0, rtol=1e-6)
    np.testing.assert_allclose(light.after, 1.0, rtol=1e-6)


def test_what_is_further_from_the_centre_and_agrees_makes_the_light_less_noisy() -> None:
    truth = pattern(2) * 0.5 + 5
    near = [counted(truth, 1, time, seed) for seed, time in enumerate((-0.05, 0.05))]
    far = [counted(truth, 7, time, 10 + seed) for seed, time in enumerate((-0.3, 0.3))]
    alone = np.square(gather(near, at_rest(), SIZE).mean - truth).mean()
    assert np.square(gather(near + far, at_rest(), SIZE).mean - truth).mean() < 0.2 * alone


def test_what_is_further_and_shows_another_scene_is_left_out_on_its_side_only() -> None:
    truth, strange = pattern(2) + 5, pattern(9) + 5
    near = [counted(truth, 4, time, seed) for seed, time in enumerate((-0.05, 0.05))]
    far = [counted(strange, 28, -0.3, 10), counted(truth, 28, 0.3, 11)]
    alone, both = gather(near, at_rest(), SIZE), gather(near + far, at_rest(), SIZE)

    def error(half: NDArray[np.float32]) -> float:
        return float(np.square(half - truth).mean())

    assert error(both.before) < 1.3 * error(alone.before)
    assert error(both.after) < 0.3 * error(alone.after)


def test_noise_that_the_halves_do_not_share_is_no_change() -> None:
    prior = pattern(3)
    change, _ = agreed_change(Light(prior + noise(1, 1.0), prior + noise(2, 1.0)), prior)
    assert np.square(change).mean() < 0.03 * 0.5  # of the energy of the mean of two unit noises


def test_what_the_halves_share_is_kept() -> None:
    prior, truth = pattern(3), pattern(4)
    change, _ = agreed_change(Light(truth + noise(1, 0.05), truth + noise(2, 0.05)), prior)
    assert np.square(prior + change - truth).mean() < 0.01 * np.square(truth - prior).mean()


def exposure(planes: int, *, lost: Span | None = None, centre: float | None = None) -> Exposure:
    stack = np.ones((planes, 4, 6), np.float32)
    if lost is not None:
        stack[lost.start : lost.stop] = 0
    return Exposure(
        lambda start, stop: stack[start:stop].sum(axis=0),
        Span(0, planes),
        planes / 2 if centre is None else centre,
        planes,
        stack.sum(axis=(1, 2)).astype(int),
    )


def test_segments_cover_every_plane_once_and_their_times_are_centred() -> None:
    for planes in (4, 5, 7, 64, 301):
        segments = exposure(planes).cut(16, Size(100, 100))
        assert sum(segment.planes for segment in segments) == planes
        assert sum(segment.count[0, 0] for segment in segments) == planes
        assert len(segments) % 2 == 0
        weighted = sum(segment.planes * segment.time for segment in segments)
        assert abs(weighted) < 1e-9


def test_lost_planes_do_not_count_as_darkness() -> None:
    cut = exposure(64, lost=Span(30, 41)).cut(16, Size(100, 100))
    assert sum(segment.planes for segment in cut) == 53
    assert all((segment.count == segment.planes).all() for segment in cut)


def test_spikes_larger_than_the_frame_are_brought_to_its_size() -> None:
    segments = exposure(8).cut(4, Size(2, 3))
    assert segments[0].count.shape == (2, 3)
    np.testing.assert_allclose(segments[0].count, 2.0)


def test_an_exposure_knows_whether_its_centre_was_recorded() -> None:
    assert exposure(16).reaches(0.25)
    assert not exposure(16, centre=1.0).reaches(0.25)
    assert not exposure(16, centre=30.0).reaches(0.25)
