"""Light is gathered along the motion, and only what two independent halves share is kept."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.geometry import Size, Span
from engine.restore.exposure import Exposure, Segment
from engine.restore.spike_light import Light, agreed_change, gather, join
from engine.restore.spike_motion import Trajectories

SIZE = Size(64, 80)


def noise(seed: int, strength: float) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).normal(0, strength, (SIZE.height, SIZE.width))).astype(np.float32)


def pattern(seed: int) -> NDArray[np.float32]:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).random((SIZE.height, SIZE.width)), 1.5)
    return ((smooth - smooth.mean()) / smooth.std()).astype(np.float32)


def test_segments_of_a_moving_picture_add_up_to_the_picture_at_the_centre() -> None:
    centre = pattern(1) + 5
    times = (np.arange(8) + 0.5) / 8 - 0.5
    # 16 pixels to the right an exposure: by whole pixels at these times.
    parts = [
        Segment(3 * np.roll(centre, round(16 * time), axis=1), 3, float(time)) for time in times.tolist()
    ]
    velocity = np.full((SIZE.height, SIZE.width, 2), (16.0, 0.0), np.float32)
    near, far = gather(parts, Trajectories(velocity, np.zeros_like(velocity)), SIZE)
    assert far is not None
    for light in (near.before, near.after, far.before, far.after):
        np.testing.assert_allclose(light[:, 12:-12], centre[:, 12:-12], atol=1e-4)


def test_segments_on_one_side_of_the_near_window_are_joined_with_the_far() -> None:
    ones = np.ones((SIZE.height, SIZE.width), np.float32)
    parts = [Segment(2 * ones, 2, time) for time in (-0.4, -0.1, 0.3)]
    rest = Trajectories.at_rest(SIZE)
    near, far = gather(parts, rest, SIZE)
    assert far is None
    np.testing.assert_allclose(near.mean, 1.0)


def test_a_far_window_that_agrees_is_added_and_a_strange_one_is_not() -> None:
    truth = pattern(2)
    near = Light(truth + noise(1, 0.3), truth + noise(2, 0.3))
    kin = Light(truth + noise(3, 0.1), truth + noise(4, 0.1))
    strange = Light(pattern(9) + noise(3, 0.1), pattern(9) + noise(4, 0.1))
    error_near = np.square(near.mean - truth).mean()
    assert np.square(join(near, kin).mean - truth).mean() < 0.3 * error_near
    assert np.square(join(near, strange).mean - truth).mean() < 1.3 * error_near


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
