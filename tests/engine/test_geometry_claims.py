"""Who is believed about the size, rate and orientation of a recording."""

import numpy as np
import pytest

from engine.errors import GeometryError
from engine.geometry import Size
from engine.recording import guess_flip, open_recording, write_packed

SIZE = Size(120, 176)
PLANES = 40


def light(size, seed=0):
    """A smooth picture without symmetry, between 0 and 1."""
    y, x = np.mgrid[: size.height, : size.width]
    random = np.random.default_rng(seed)
    waves = sum(
        np.cos(y * random.uniform(0, 0.2) + x * random.uniform(0, 0.2) + random.uniform(0, 6))
        for _ in range(12)
    )
    return 0.05 + 0.9 * (waves - waves.min()) / np.ptp(waves)


def spikes(size=SIZE, planes=PLANES, density=0.25, seed=0):
    """Integrate a still picture and fire: (planes, H, W)."""
    charge = np.random.default_rng(seed).random((size.height, size.width))
    picture = light(size, seed)
    fired = np.zeros((planes, size.height, size.width), np.uint8)
    for plane in fired:
        charge += picture * density / picture.mean()
        plane[:] = charge >= 1
        charge -= plane
    return fired


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "set" / "train" / "clip 1" / "spike"
    folder.mkdir(parents=True)
    write_packed(folder / "0001.dat", spikes())
    return folder / "0001.dat"


@pytest.fixture
def dark(path):
    """As many bytes, which say nothing."""
    path.write_bytes(bytes(path.stat().st_size))
    return path


def sidecar_beside(path, text, levels=0):
    target = path.parents[levels] / "config.yaml"
    target.write_text(text, encoding="utf-8")
    return target


def known(recording):
    return recording.info.known_by["height"], recording.info.known_by["width"]


# ------------------------------------------------------------------ the bits


def test_the_bits_alone_are_enough(path):
    with open_recording(path) as recording:
        assert (recording.info.size, recording.info.planes) == (SIZE, PLANES)
        assert known(recording) == ("bytes", "bytes")
        assert recording.info.candidates[0].size == SIZE
        assert recording.info.warnings == ()


def test_one_given_side_is_obeyed_and_the_other_found(path):
    with open_recording(path, width=176) as recording:
        assert recording.info.size == SIZE
        assert known(recording) == ("bytes", "given")


def test_both_given_sides_are_obeyed_against_the_bits_with_a_warning(path):
    with open_recording(path, height=176, width=120) as recording:
        assert recording.info.size == Size(176, 120)
        assert known(recording) == ("given", "given")
        assert any("176 × 120" in w and "120 × 176" in w for w in recording.info.warnings)


def test_both_given_sides_that_agree_with_the_bits_need_no_warning(path):
    assert open_recording(path, height=120, width=176).info.warnings == ()


# ------------------------------------------------------------------ sidecars


@pytest.mark.parametrize("levels", [0, 1, 3])
def test_a_sidecar_beside_or_above_that_is_right_is_named_as_the_source(path, levels):
    sidecar_beside(path, "spike_h: 120\nspike_w: 176\nspike_rate_hz: 1920\nspike_flip: false\n", levels)
    with open_recording(path) as recording:
        assert recording.info.size == SIZE
        assert known(recording) == ("sidecar", "sidecar")
        assert (recording.info.rate_hz, recording.info.flip) == (1920, False)
        assert recording.info.known_by["rate_hz"] == recording.info.known_by["flip"] == "sidecar"
        assert recording.info.warnings == ()


@pytest.mark.parametrize("claim", [(250, 400), (60, 352), (176, 120)])
def test_a_sidecar_that_is_wrong_is_overruled_and_both_answers_told(path, claim):
    sidecar = sidecar_beside(path, f"spike_h: {claim[0]}\nspike_w: {claim[1]}\n", 3)
    with open_recording(path) as recording:
        assert recording.info.size == SIZE
        assert known(recording) == ("bytes", "bytes")
        (warning,) = recording.info.warnings
        assert f"{sidecar} says {claim[0]} × {claim[1]}, but the bits show 120 × 176" in warning


@pytest.fixture
def every_other_row_dead(path):
    """Bits that look like half as many rows of twice the width: two rows make one of them."""
    fired = spikes()
    fired[:, ::2] = 0
    write_packed(path, fired)
    with open_recording(path) as recording:
        assert recording.info.size == Size(SIZE.height // 2, 2 * SIZE.width)
    return path


@pytest.mark.parametrize("times", [1, 2, 1.5])
def test_a_sidecar_of_the_frames_shape_counts_more_than_bits_of_another(every_other_row_dead, times):
    sidecar_beside(every_other_row_dead, f"spike_h: {SIZE.height}\nspike_w: {SIZE.width}\n")
    frames = Size(int(times * SIZE.height), int(times * SIZE.width))
    with open_recording(every_other_row_dead, frame_size=frames) as recording:
        assert (recording.info.size, recording.info.planes) == (SIZE, PLANES)
        assert known(recording) == ("sidecar", "sidecar")
        (warning,) = recording.info.warnings
        assert "the bits look like 60 × 352" in warning
        assert "120 × 176, which is of the shape of the frames" in warning


@pytest.mark.parametrize("frames", [None, Size(60, 352), Size(120, 120)])
def test_a_sidecar_that_no_frame_confirms_is_overruled(every_other_row_dead, frames):
    sidecar_beside(every_other_row_dead, f"spike_h: {SIZE.height}\nspike_w: {SIZE.width}\n")
    with open_recording(every_other_row_dead, frame_size=frames) as recording:
        assert recording.info.size == Size(SIZE.height // 2, 2 * SIZE.width)


def test_bits_of_the_frames_shape_are_believed_against_a_sidecar_of_that_shape(path):
    """As where it holds the size of the frames, which are twice as large."""
    sidecar_beside(path, f"spike_h: {SIZE.height // 2}\nspike_w: {SIZE.width // 2}\n")
    with open_recording(path, frame_size=Size(2 * SIZE.height, 2 * SIZE.width)) as recording:
        assert recording.info.size == SIZE


def test_the_nearest_sidecar_that_speaks_of_spikes_counts(path):
    sidecar_beside(path, "spike_h: 120\nspike_w: 176\n", 2)
    sidecar_beside(path, "learning_rate: 0.1\n", 0)
    assert known(open_recording(path)) == ("sidecar", "sidecar")


def test_where_the_bits_say_nothing_a_sidecar_that_fits_is_believed(dark):
    sidecar_beside(dark, "spike_h: 120\nspike_w: 176\n")
    with open_recording(dark) as recording:
        assert recording.info.size == SIZE
        assert known(recording) == ("sidecar", "sidecar")


def test_where_the_bits_say_nothing_a_truncated_recording_is_read_as_claimed(dark):
    dark.write_bytes(bytes(dark.stat().st_size - 100))
    sidecar_beside(dark, "spike_h: 120\nspike_w: 176\n")
    with open_recording(dark) as recording:
        assert (recording.info.planes, recording.info.remainder_bytes) == (39, 2540)
        assert any("truncated" in warning for warning in recording.info.warnings)


def test_claims_that_do_not_fit_a_file_that_says_nothing_are_told(dark):
    sidecar = sidecar_beside(dark, "spike_h: 12000\nspike_w: 17600\n")
    with pytest.raises(GeometryError, match=r"12000 × 17600 \(.*config\.yaml\).*--height and --width"):
        open_recording(dark)
    assert sidecar.exists()


def test_given_values_come_before_a_sidecar_s(path):
    sidecar_beside(path, "spike_h: 250\nspike_w: 400\nrate_hz: 1000\nspike_flip: false\n")
    with open_recording(path, height=120, width=176, rate_hz=500, flip=True) as recording:
        assert (recording.info.rate_hz, recording.info.flip) == (500, True)
        assert recording.info.known_by["rate_hz"] == recording.info.known_by["flip"] == "given"


@pytest.mark.parametrize(
    "text",
    [
        "spike_h: [1, 2\n",
        "spike_h: tall\nspike_w: -3\nrate_hz: .nan\nspike_flip: maybe\n",
        "spike_h: true\n",
        "- a list\n",
        "just words",
        "",
        "!!python/object/apply:os.system ['true']\n",
        "spike_h: 120\n",
    ],
)
def test_a_sidecar_that_makes_no_sense_never_stops_a_recording(path, text):
    sidecar_beside(path, text)
    with open_recording(path) as recording:
        assert recording.info.size == SIZE
        assert recording.info.rate_hz is None


def test_values_of_a_sidecar_that_cannot_be_are_told(path):
    sidecar_beside(path, "spike_h: tall\nspike_w: 176\nrate_hz: 0\n")
    warnings = " ".join(open_recording(path).info.warnings)
    assert "spike_h: 'tall'" in warnings
    assert "rate_hz: 0" in warnings


# ------------------------------------------------------------------ layouts


def test_a_layout_that_is_right_is_named_as_the_source(path):
    with open_recording(path, layout_size=SIZE, layout_planes=PLANES) as recording:
        assert known(recording) == ("layout", "layout")
        assert recording.info.warnings == ()


def test_a_layout_that_is_wrong_is_overruled_and_told(path):
    with open_recording(path, layout_size=Size(384, 384), layout_planes=33) as recording:
        assert recording.info.size == SIZE
        warnings = " ".join(recording.info.warnings)
        assert "layout says 384 × 384, but the bits show 120 × 176" in warnings
        assert "layout says 33 planes, but there are 40" in warnings


def test_where_the_bits_say_nothing_the_claim_that_fits_is_believed(dark):
    sidecar_beside(dark, "spike_h: 250\nspike_w: 400\n")
    with open_recording(dark, layout_size=SIZE) as recording:
        assert recording.info.size == SIZE
        assert known(recording) == ("layout", "layout")
        assert any("250 × 400" in w and "120 × 176" in w for w in recording.info.warnings)


# ------------------------------------------------------------------ folders


def test_a_folder_is_understood_by_a_part_that_shows_something(path):
    for name in ("0000.dat", "0002.dat"):
        (path.parent / name).write_bytes(bytes(path.stat().st_size))
    sidecar_beside(path, "spike_h: 250\nspike_w: 400\n", 2)
    with open_recording(path.parent) as recording:
        assert recording.info.size == SIZE
        assert recording.parts() == (0, 40, 80)
        assert any("250 × 400" in warning for warning in recording.info.warnings)


def test_a_folder_of_mixed_geometry_is_refused(path):
    for name in ("0002.dat", "0003.dat"):
        write_packed(path.with_name(name), spikes(seed=2))
    write_packed(path.with_name("0004.dat"), spikes(Size(96, 160)))
    with pytest.raises(GeometryError, match=r"0004\.dat.*not of one geometry.*look like 96 × 160.*120 × 176"):
        open_recording(path.parent)


# ------------------------------------------------------------------ which way up


@pytest.mark.parametrize("stored_flip", [True, False])
@pytest.mark.parametrize("read_flip", [True, False])
def test_the_flip_is_told_by_a_picture_of_the_scene(tmp_path, stored_flip, read_flip):
    write_packed(tmp_path / "a.dat", spikes(), flip=stored_flip)
    picture = light(SIZE).repeat(2, axis=0).repeat(2, axis=1) ** (1 / 2.2)
    with open_recording(tmp_path / "a.dat", flip=read_flip) as recording:
        for frame in (picture, np.stack([picture] * 3, axis=2)):
            guess = guess_flip(recording, frame, (5.5, 30))
            assert guess.flip is stored_flip
            assert guess.score > 0.1


def test_a_picture_of_something_else_tells_nothing(path):
    with open_recording(path) as recording:
        noise = np.random.default_rng(0).random((120, 176))
        assert guess_flip(recording, noise).flip is None
        assert guess_flip(recording, np.ones((120, 176))).flip is None
        assert guess_flip(recording, light(SIZE), (50, 60)).flip is None


@pytest.mark.parametrize("stored_flip", [True, False])
def test_a_frame_given_when_opening_decides_the_flip(tmp_path, stored_flip):
    write_packed(tmp_path / "a.dat", spikes(), flip=stored_flip)
    with open_recording(tmp_path / "a.dat", frame=light(SIZE)) as recording:
        assert recording.info.flip is stored_flip
        assert recording.info.known_by["flip"] == "bytes"
        np.testing.assert_array_equal(recording.read(0, PLANES), spikes())
    with open_recording(tmp_path / "a.dat", frame=light(SIZE), flip=not stored_flip) as recording:
        assert recording.info.flip is not stored_flip
