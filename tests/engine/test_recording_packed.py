"""Packed recordings against a reader and a writer that go bit by bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import GeometryError, RecordingError
from engine.geometry import Size
from engine.recording import open_recording, write_packed


def bits_of(planes, flip):
    """Write planes as FORMATS says, one bit at a time."""
    content = bytearray()
    for plane in planes:
        rows = plane[::-1] if flip else plane
        packed = bytearray((rows.size + 7) // 8)
        for index, bit in enumerate(rows.reshape(-1)):
            packed[index // 8] |= int(bit) << (index % 8)
        content += packed
    return bytes(content)


def some_planes(shape, density=0.3, seed=0):
    return (np.random.default_rng(seed).random(shape) < density).astype(np.uint8)


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 21)),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_any_size_is_written_and_read_bit_by_bit(tmp_path_factory, shape, flip, seed):
    path = tmp_path_factory.mktemp("any") / "a.dat"
    planes = some_planes(shape, seed=seed)
    write_packed(path, planes, flip=flip)
    assert path.read_bytes() == bits_of(planes, flip)
    with open_recording(path, height=shape[1], width=shape[2], flip=flip) as recording:
        assert recording.info.planes == shape[0]
        np.testing.assert_array_equal(recording.read(0, shape[0]), planes)


@pytest.fixture
def planes():
    return some_planes((20, 13, 18))


@pytest.fixture
def path(tmp_path, planes):
    path = tmp_path / "脉冲 recording 1.dat"
    path.write_bytes(bits_of(planes, flip=True))
    return path


def test_info_says_what_is_there_and_how_it_is_known(path):
    with open_recording(path, height=13, width=18, rate_hz=20_000) as recording:
        info = recording.info
    assert (info.path, info.format, info.size) == (path, "packed", Size(13, 18))
    assert (info.planes, info.plane_bytes, info.bytes, info.remainder_bytes) == (20, 30, 600, 0)
    assert (info.rate_hz, info.flip, info.warnings) == (20_000, True, ())
    assert info.known_by == {
        "height": "given",
        "width": "given",
        "planes": "file",
        "rate_hz": "given",
        "flip": "unknown",
    }


def test_planes_are_read_top_row_first_as_zeros_and_ones(path, planes):
    with open_recording(path, height=13, width=18) as recording:
        read = recording.read(3, 8)
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous
    np.testing.assert_array_equal(read, planes[3:8])


def test_packed_planes_are_a_view_of_the_file(path):
    with open_recording(path, height=13, width=18) as recording:
        packed = recording.packed(2, 5)
        assert packed.tobytes() == path.read_bytes()[60:150]
        assert np.shares_memory(packed, recording.packed(4, 9))
        assert not packed.flags.writeable
        assert recording.parts() == (0,)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 21), (5, 4), (21, 21)])
@pytest.mark.parametrize("method", ["read", "packed"])
def test_planes_that_are_not_there_are_refused(path, start, stop, method):
    with (
        open_recording(path, height=13, width=18) as recording,
        pytest.raises(RecordingError, match=rf"\[{start}, {stop}\).*\[0, 20\)"),
    ):
        getattr(recording, method)(start, stop)


def test_an_empty_span_is_no_planes(path):
    with open_recording(path, height=13, width=18) as recording:
        assert recording.read(20, 20).shape == (0, 13, 18)
        assert recording.packed(3, 3).shape == (0, 30)


def test_a_closed_recording_refuses_to_be_read_and_leaves_views_alone(path, planes):
    recording = open_recording(path, height=13, width=18)
    view = recording.packed(0, 20)
    recording.close()
    recording.close()
    assert view.tobytes() == bits_of(planes, flip=True)
    with pytest.raises(RecordingError, match="closed"):
        recording.read(0, 1)


def test_a_recording_cut_short_while_open_is_an_error_not_a_crash(path):
    with open_recording(path, height=13, width=18) as recording:
        with path.open("r+b") as file:
            file.truncate(100)
        with pytest.raises(RecordingError, match=r"cut short.*found 100 bytes, expected 600 bytes"):
            recording.read(0, 1)


# ------------------------------------------------------------------ sizes that do not fit


def test_a_remainder_is_reported_with_both_numbers_and_the_rest_is_read(path, planes):
    path.write_bytes(path.read_bytes()[:-7])
    with open_recording(path, height=13, width=18) as recording:
        assert (recording.info.planes, recording.info.remainder_bytes) == (19, 23)
        assert "593 bytes are 19 planes of 30 bytes (13 × 18) and 23 bytes more" in recording.info.warnings[0]
        np.testing.assert_array_equal(recording.read(0, 19), planes[:19])


def test_less_than_one_plane_is_refused_with_both_numbers(path):
    with pytest.raises(
        GeometryError, match=r"shorter than one plane \(found 600 bytes, expected at least 1250 bytes"
    ):
        open_recording(path, height=100, width=100)


@pytest.mark.parametrize(
    "size", [{"height": 0, "width": 5}, {"height": 5, "width": -1}, {"height": 10**7, "width": 1}]
)
def test_impossible_geometry_is_refused(path, size):
    with pytest.raises(GeometryError, match="no plane has this"):
        open_recording(path, **size)


@pytest.mark.parametrize("rate_hz", [0, -5, float("nan"), float("inf")])
def test_impossible_rates_are_refused(path, rate_hz):
    with pytest.raises(RecordingError, match="no recording has this rate"):
        open_recording(path, height=13, width=18, rate_hz=rate_hz)


@pytest.mark.parametrize(("height", "width", "head"), [(250, 400, 16), (1000, 1000, 24)])
def test_raw_camera_lines_are_read_without_their_heads(tmp_path, height, width, head):
    lines = some_planes((4, height, width + head))
    write_packed(tmp_path / "raw.dat", lines)
    with open_recording(tmp_path / "raw.dat", height=height, width=width) as recording:
        info = recording.info
        assert (info.size, info.head_columns, info.planes) == (Size(height, width), head, 4)
        assert "not picture" in info.warnings[0]
        np.testing.assert_array_equal(recording.read(0, 4), lines[:, :, :width])
        assert recording.packed(1, 3).tobytes() == bits_of(lines[1:3, :, :width], flip=True)


# ------------------------------------------------------------------ files that are no recordings


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "a PNG picture.*89 50 4e 47"),
        (b"\xff\xd8\xff\xe0" + bytes(99), "a JPEG picture"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(99), "video"),
        (b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(99), "AVI"),
        (b"\x1f\x8b\x08" + bytes(99), "gzip"),
        (b"frame_idx,t0,t1\n0,0.0,0.1\n" * 9, "text"),
        ("尖峰相机的说明文件，不是数据。\n".encode() * 20, "text"),
    ],
)
def test_a_file_that_is_something_else_is_named_with_its_first_bytes(tmp_path, content, what):
    path = tmp_path / "spike.dat"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=f"this is .*{what}"):
        open_recording(path, height=2, width=8)


def test_a_bitmap_is_told_from_spikes_that_begin_like_one(tmp_path):
    path = tmp_path / "spike.dat"
    path.write_bytes(b"BM" + (80).to_bytes(4, "little") + bytes(74))
    with pytest.raises(RecordingError, match="BMP"):
        open_recording(path, height=4, width=8)
    path.write_bytes(b"BM" + bytes(78))
    assert open_recording(path, height=4, width=8).info.planes == 20


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.dat").touch()
    with pytest.raises(RecordingError, match=r"a\.dat: the recording is empty \(found 0 bytes\)"):
        open_recording(tmp_path / "a.dat", height=2, width=8)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="there is no such recording"):
        open_recording(tmp_path / "不在.dat", height=2, width=8)


def test_a_file_that_may_not_be_read_is_refused(path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(RecordingError, match=r"cannot be read \(Permission denied\)"):
        open_recording(path, height=13, width=18)


# ------------------------------------------------------------------ writing


@pytest.mark.parametrize(
    ("planes", "what"),
    [
        (np.zeros((2, 3)), "shape"),
        (np.zeros((0, 3, 3)), "shape"),
        (np.full((1, 2, 2), 2), "not binary"),
        (np.full((1, 2, 2), -1), "not binary"),
        (np.full((1, 2, 2), np.nan), "not binary"),
    ],
)
def test_what_is_not_binary_planes_is_not_written(tmp_path, planes, what):
    with pytest.raises(RecordingError, match=what):
        write_packed(tmp_path / "a.dat", planes)
    assert not list(tmp_path.iterdir())


def test_a_recording_is_written_whole_or_not_at_all(tmp_path, path, planes, monkeypatch):
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(RecordingError, match="No space left on device"):
        write_packed(path, planes * 0)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_writing_into_a_folder_that_is_not_there_is_an_error(tmp_path, planes):
    with pytest.raises(RecordingError, match="cannot be written"):
        write_packed(tmp_path / "no" / "a.dat", planes)
