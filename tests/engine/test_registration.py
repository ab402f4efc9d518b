"""Points, regions and pictures between frames and spikes, and what no registration can be."""

import json
import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.errors import RegistrationError
from engine.geometry import Region, Size
from engine.registration import Homography, Registration, homography_of

FRAME, SPIKES = Size(160, 224), Size(80, 112)
SHIFTED: Homography = ((0.5, 0.0, 3.75), (0.0, 0.5, -5.25), (0.0, 0.0, 1.0))
"""The scale, then 4 spike pixels to the right and 5 up."""


@st.composite
def homographies(draw: st.DrawFn) -> Homography:
    """A camera beside another one: turned, zoomed, shifted, in a little perspective."""
    angle, zoom = draw(st.floats(-3.1, 3.1)), draw(st.floats(0.25, 1.5))
    right, down = draw(st.floats(-20, 20)), draw(st.floats(-20, 20))
    tilt = [draw(st.floats(-3e-4, 3e-4)) for _ in range(2)]
    mirror = draw(st.sampled_from((1.0, -1.0)))
    c, s = zoom * np.cos(angle), zoom * np.sin(angle)
    to_middle = np.array([[1, 0, -111.5], [0, 1, -79.5], [0, 0, 1]])
    turn = np.array([[mirror * c, -s, 0], [mirror * s, c, 0], [*tilt, 1]])
    back = np.array([[1, 0, 55.5 + right], [0, 1, 39.5 + down], [0, 0, 1]])
    return homography_of(back @ turn @ to_middle)


def by_hand(homography: Homography, x: float, y: float) -> tuple[float, float]:
    across, down, depth = (row[0] * x + row[1] * y + row[2] for row in homography)
    return across / depth, down / depth


# ------------------------------------------------------------------ points


@pytest.mark.parametrize(
    ("frame", "spikes"), [((160, 224), (80, 112)), ((720, 1280), (250, 400)), ((9, 7), (30, 13))]
)
def test_without_a_homography_outer_edges_lie_on_each_other(
    frame: tuple[int, int], spikes: tuple[int, int]
) -> None:
    registration = Registration(Size(*frame), Size(*spikes))
    outer = np.array([[-0.5, -0.5], [frame[1] - 0.5, frame[0] - 0.5]])
    np.testing.assert_allclose(
        registration.points_to_spikes(outer), [[-0.5, -0.5], [spikes[1] - 0.5, spikes[0] - 0.5]], atol=1e-9
    )
    places = np.random.default_rng(1).uniform(-3, 300, (50, 2))
    expected = (places + 0.5) * (spikes[1] / frame[1], spikes[0] / frame[0]) - 0.5
    np.testing.assert_allclose(registration.points_to_spikes(places), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("frame", "spikes"), [((160, 224), (80, 112)), ((719, 1279), (250, 400)), ((9, 7), (30, 13))]
)
def test_a_pixel_lies_in_the_spike_pixel_that_a_scale_by_hand_says(
    frame: tuple[int, int], spikes: tuple[int, int]
) -> None:
    registration = Registration(Size(*frame), Size(*spikes))
    for x in range(frame[1]):
        for y in (0, 3, frame[0] - 1):
            across = min(spikes[1] - 1, int((x + 0.5) * spikes[1] / frame[1]))
            down = min(spikes[0] - 1, int((y + 0.5) * spikes[0] / frame[0]))
            assert registration.spike_pixel((x, y)) == (across, down)


@given(homographies(), st.floats(-0.5, 223.5), st.floats(-0.5, 159.5))
def test_points_go_where_the_homography_takes_them_and_back(
    homography: Homography, x: float, y: float
) -> None:
    registration = Registration(FRAME, SPIKES, homography)
    there = registration.points_to_spikes(np.array([[x, y]]))
    np.testing.assert_allclose(there[0], by_hand(homography, x, y), atol=1e-7)
    np.testing.assert_allclose(registration.points_to_frame(there), [[x, y]], atol=1e-6)


@given(homographies(), st.integers(0, 223), st.integers(0, 159))
def test_a_pixel_lies_in_the_spike_pixel_whose_centre_is_nearest(
    homography: Homography, x: int, y: int
) -> None:
    across, down = by_hand(homography, x, y)
    found = Registration(FRAME, SPIKES, homography).spike_pixel((x, y))
    if found is None:
        assert not (-0.5 < across < 111.5 and -0.5 < down < 79.5)
    else:
        assert max(abs(found[0] - across), abs(found[1] - down)) <= 0.5 + 1e-6


# ------------------------------------------------------------------ regions


@st.composite
def regions(draw: st.DrawFn) -> Region:
    top, left = draw(st.integers(0, 150)), draw(st.integers(0, 210))
    return Region(
        top, left, draw(st.integers(top + 1, FRAME.height)), draw(st.integers(left + 1, FRAME.width))
    )


@given(homographies(), regions())
def test_a_region_covers_every_spike_pixel_of_its_pixels(homography: Homography, region: Region) -> None:
    registration = Registration(FRAME, SPIKES, homography)
    found = registration.region_to_spikes(region)
    rows, columns = np.mgrid[region.top : region.bottom : 3, region.left : region.right : 3]
    for x, y in zip(columns.ravel().tolist(), rows.ravel().tolist(), strict=True):
        pixel = registration.spike_pixel((x, y))
        if pixel is not None:
            assert found is not None
            assert found.left <= pixel[0] < found.right
            assert found.top <= pixel[1] < found.bottom


@given(homographies(), regions())
def test_a_region_there_and_back_covers_what_is_seen_of_it(homography: Homography, region: Region) -> None:
    registration = Registration(FRAME, SPIKES, homography)
    there = registration.region_to_spikes(region)
    if there is None:
        return
    back = registration.region_to_frame(there)
    assert back is not None
    seen = registration.covered_frame()[region.slices]
    rows, columns = np.nonzero(seen)
    if len(rows):
        assert back.top <= region.top + rows.min()
        assert region.top + rows.max() < back.bottom
        assert back.left <= region.left + columns.min()
        assert region.left + columns.max() < back.right


def test_a_region_of_a_scale_is_the_smallest_that_covers_it() -> None:
    registration = Registration(FRAME, SPIKES)
    assert registration.region_to_spikes(Region(10, 20, 30, 41)) == Region(5, 10, 15, 21)
    assert registration.region_to_spikes(Region(10, 20, 30, 41), 3) == Region(2, 7, 18, 24)
    assert registration.region_to_frame(Region(5, 10, 15, 21)) == Region(10, 20, 30, 42)
    assert Registration(FRAME, SPIKES, SHIFTED).region_to_spikes(Region(0, 0, 10, 223)) is None


# ------------------------------------------------------------------ pictures


def noise(size: Size, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((size.height, size.width)).astype(np.float32)


@pytest.mark.parametrize("spikes", [Size(80, 112), Size(77, 101), Size(320, 448)])
def test_pictures_of_a_scale_are_those_of_opencv(spikes: Size) -> None:
    registration = Registration(FRAME, spikes)
    frame, seen = noise(FRAME), noise(spikes)
    by_area = cv2.resize(frame, (spikes.width, spikes.height), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(registration.picture_to_spikes(frame), by_area)
    between = cv2.resize(seen, (FRAME.width, FRAME.height), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(registration.picture_to_frame(seen), between)
    assert registration.on_grid(seen) is seen
    assert registration.grid_size == spikes


def test_spike_pixels_see_the_mean_of_the_four_pixels_they_cover() -> None:
    """Shifted by whole spike pixels, and the left 4 columns and lower 5 rows of the sensor see nothing."""
    frame = noise(FRAME)
    means = frame.reshape(80, 2, 112, 2).mean(axis=(1, 3))
    seen = Registration(FRAME, SPIKES, SHIFTED).picture_to_spikes(frame, beyond="nothing")
    np.testing.assert_allclose(seen[:75, 4:], means[5:, :-4], atol=1e-6)
    assert not seen[:, :4].any()
    assert not seen[75:].any()


def test_spikes_lie_on_the_frame_where_the_homography_takes_them() -> None:
    spikes = noise(SPIKES)
    registration = Registration(FRAME, SPIKES, SHIFTED)
    assert registration.grid_size == SPIKES
    np.testing.assert_allclose(registration.on_grid(spikes)[5:, :-4], spikes[:75, 4:], atol=1e-6)
    assert not registration.on_grid(spikes)[:5].any()
    colours = np.stack([spikes, 2 * spikes, 3 * spikes], axis=2)
    np.testing.assert_allclose(registration.on_grid(colours)[5:, :-4], colours[:75, 4:], atol=1e-6)


def test_a_part_of_the_grid_is_drawn_from_what_was_cut_for_it() -> None:
    turned = homography_of([*cv2.getRotationMatrix2D((40, 60), 20, 0.45).tolist(), [0, 0, 1]])
    registration = Registration(FRAME, SPIKES, turned)
    spikes = noise(SPIKES)
    for between in ("linear", "cubic"):
        whole = registration.on_grid(spikes, between=between, beyond="mirrored")  # type: ignore[arg-type]
        for region in (Region(10, 12, 30, 40), Region(0, 0, 9, 70), Region(50, 60, 72, 101)):
            cut = registration.cut_of_grid(region)
            part = registration.on_grid(
                spikes[cut.slices],
                between=between,  # type: ignore[arg-type]
                beyond="mirrored",
                region=region,
                cut=cut,
            )
            # OpenCV takes places to 1/32 of a pixel, counted from the corner of what it is given.
            np.testing.assert_allclose(part, whole[region.slices], atol=0.05)


def test_a_warped_ramp_shows_where_its_pixels_came_from() -> None:
    homography = homography_of([[0.46, 0.06, 1.5], [-0.05, 0.47, 2.5], [1e-4, -5e-5, 1.0]])
    registration = Registration(FRAME, SPIKES, homography)
    across = np.tile(np.arange(112, dtype=np.float32), (80, 1))
    covered = registration.covered_frame()
    drawn = registration.picture_to_frame(across)
    for y, x in np.argwhere(covered)[::997].tolist():
        expected = by_hand(homography, x, y)[0]
        if 1 < expected < 110 and 1 < by_hand(homography, x, y)[1] < 78:
            assert drawn[y, x] == pytest.approx(expected, abs=0.05)


# ------------------------------------------------------------------ what is covered


def test_masks_tell_pixel_by_pixel_what_the_other_camera_sees() -> None:
    homography = homography_of([[0.46, 0.16, -3.5], [-0.15, 0.47, 8.5], [1e-4, -5e-5, 1.0]])
    registration = Registration(FRAME, SPIKES, homography)
    frame, spikes = registration.covered_frame(), registration.covered_spikes()
    back = homography_of(np.linalg.inv(np.array(homography)))
    for y, x in [(0, 0), (80, 100), (159, 223), (159, 0), (0, 223), (30, 10), (120, 200)]:
        across, down = by_hand(homography, x, y)
        assert frame[y, x] == (-0.5 <= across <= 111.5 and -0.5 <= down <= 79.5)
    for y, x in [(0, 0), (40, 50), (79, 111), (79, 0), (0, 111)]:
        across, down = by_hand(back, x, y)
        assert spikes[y, x] == (-0.5 <= across <= 223.5 and -0.5 <= down <= 159.5)
    assert not registration.covers_frame
    assert Registration(FRAME, SPIKES).covered_frame().all()
    assert Registration(FRAME, SPIKES).covered_spikes().all()


def test_the_share_of_spikes_is_nothing_outside_and_rises_inwards() -> None:
    share = Registration(FRAME, SPIKES, SHIFTED).share_of_spikes()
    assert share is not None
    assert not share[:, 216:].any()  # pixel 216 lies at 111.75 of the spikes
    assert not share[:10].any()
    assert (share[18:, :208] == 1).all()
    assert (np.diff(share[80, 200:]) <= 0).all()
    assert Registration(FRAME, SPIKES).share_of_spikes() is None


# ------------------------------------------------------------------ values


def test_a_homography_that_is_the_scale_is_the_scale() -> None:
    said = Registration(FRAME, SPIKES, ((1.0, 0.0, -0.5), (0.0, 1.0, -0.5), (0.0, 0.0, 2.0)))
    assert said.is_scale
    assert said == Registration(FRAME, SPIKES)
    assert hash(said) == hash(Registration(FRAME, SPIKES))
    assert not Registration(FRAME, SPIKES, SHIFTED).is_scale


@given(homographies())
def test_a_registration_comes_back_from_json_and_from_another_process(homography: Homography) -> None:
    registration = Registration(FRAME, SPIKES, homography)
    assert Registration.from_json(json.loads(json.dumps(registration.to_json()))) == registration
    assert pickle.loads(pickle.dumps(registration)) == registration


@pytest.mark.parametrize(
    "change",
    [
        {"frame_size": [160]},
        {"spike_size": [80, 0]},
        {"spike_size": [80, True]},
        {"frame_size": "160 x 224"},
        {"homography": [[1, 0, 0], [0, 1, 0]]},
        {"kind": "shift"},
    ],
)
def test_json_that_is_no_registration_is_refused(change: dict[str, object]) -> None:
    value = Registration(FRAME, SPIKES).to_json() | change
    with pytest.raises(RegistrationError):
        Registration.from_json(value)
    for other in (None, [], "scale", {"homography": None}):
        with pytest.raises(RegistrationError):
            Registration.from_json(other)


@pytest.mark.parametrize(
    ("homography", "said"),
    [
        ([[0.5, 0, 0], [0, 0.5, 0]], "3 rows of 3 numbers"),
        ([[0.5, 0, 0, 0], [0, 0.5, 0], [0, 0, 1]], "3 rows of 3 numbers"),
        ([0.5, 0, 0, 0, 0.5, 0, 0, 0, 1], "3 rows of 3 numbers"),
        (np.eye(4), "3 rows of 3 numbers"),
        (np.float64(2), "3 rows of 3 numbers"),
        ("identity", "3 rows of 3 numbers"),
        ([[0.5, 0, float("nan")], [0, 0.5, 0], [0, 0, 1]], "not finite"),
        ([[0.5, 0, float("inf")], [0, 0.5, 0], [0, 0, 1]], "not finite"),
        ([[0.5, 0, "0"], [0, 0.5, 0], [0, 0, 1]], "no number"),
        ([[0.5, 0, None], [0, 0.5, 0], [0, 0, 1]], "no number"),
        ([[0.5, 0, True], [0, 0.5, 0], [0, 0, 1]], "no number"),
        ([[0.5, 0, 1j], [0, 0.5, 0], [0, 0, 1]], "no number"),
        (np.zeros((3, 3)), "singular"),
        ([[0.5, 0, 0], [1, 0, 0], [0, 0, 1]], "singular"),
        ([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]], "singular"),
        ([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0]], "singular"),
        ([[0.5, 0, 0], [0, 0.5, 0], [0.01, 0, -1]], "horizon"),
        ([[0.5, 0, 500], [0, 0.5, 0], [0, 0, 1]], "no pixel of the frame"),
        ([[1e-4, 0, 5], [0, 1e-4, 5], [0, 0, 1]], "hundreds of the other"),
        ([[1e308, 0, 0], [0, -1e308, -1e308], [0, 0, 1e308]], "no pixel of the frame"),
        ([[1e-320, 0, 0], [0, -1e-320, -1e-320], [0, 0, 1e-320]], "no pixel of the frame"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(homography: object, said: str) -> None:
    with pytest.raises(RegistrationError, match=said) as refused:
        Registration(FRAME, SPIKES, homography)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
    assert refused.value.found
    assert refused.value.advice
