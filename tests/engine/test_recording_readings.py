"""What is offered to somebody who is asked how a recording is to be read."""

import numpy as np
import pytest
from PIL import Image

from engine.errors import RecordingError
from engine.geometry import Size
from engine.recording import open_recording, write_packed
from engine.recording.bit_order import guess_msb_first, reverse_bits
from engine.recording.readings import look_at, picture_of
from engine.sequence import open_source
from engine.source import SequenceSource
from engine.voxels import voxelize

SIZE = Size(250, 400)
BYTES = SIZE.pixels // 8


def scene(size=SIZE):
    rows, columns = np.mgrid[: size.height, : size.width]
    bumps = np.sin(rows / 17) + np.cos(columns / 23) + np.sin((rows + 2 * columns) / 41)
    picture = 0.5 + bumps / 8
    picture[40:90, 60:140] *= 0.3
    return picture


@pytest.fixture(scope="module")
def planes():
    """Pixels that charge up with the light and fire when they are full."""
    random = np.random.default_rng(3)
    charge = random.random((SIZE.height, SIZE.width))
    result = np.zeros((120, SIZE.height, SIZE.width), np.uint8)
    for plane in result:
        charge += 0.3 * scene()
        plane[:] = charge >= 1
        charge -= plane
    return result


@pytest.fixture
def recording(planes, tmp_path):
    path = tmp_path / "雪 a.dat"
    write_packed(path, planes)
    return path


@pytest.fixture
def msb_first(recording):
    """The same recording, most significant bit first."""
    path = recording.with_name("other.dat")
    path.write_bytes(reverse_bits(np.fromfile(recording, np.uint8)).tobytes())
    return path


def test_the_bits_of_every_byte_are_turned_round():
    assert reverse_bits(np.array([0b0000_0001, 0b1100_1010, 255], np.uint8)).tolist() == [
        128,
        0b0101_0011,
        255,
    ]


def test_planes_read_alike_in_either_order_of_bits(planes, recording, msb_first):
    with open_recording(msb_first, height=250, width=400, msb_first=True) as other:
        assert other.info.msb_first
        np.testing.assert_array_equal(other.read(3, 9), planes[3:9])
        with open_recording(recording, height=250, width=400) as usual:
            np.testing.assert_array_equal(other.packed(0, 5), usual.packed(0, 5))
            np.testing.assert_array_equal(voxelize(other, 2.5, 90.0, 8), voxelize(usual, 2.5, 90.0, 8))


def test_a_folder_and_a_sequence_take_the_order_of_bits_too(planes, msb_first, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("1.dat", "2.dat"):
        (folder / name).write_bytes(msb_first.read_bytes())
    with open_recording(folder, msb_first=True) as parts:
        np.testing.assert_array_equal(parts.read(119, 122), planes[[119, 0, 1]])
    with open_source(SequenceSource(str(msb_first), msb_first=True)) as sequence:
        np.testing.assert_array_equal(sequence.recording.read(0, 2), planes[:2])


def test_the_order_of_bits_is_told_by_the_bits(recording, msb_first):
    assert guess_msb_first(np.fromfile(recording, np.uint8), BYTES) is False
    assert guess_msb_first(np.fromfile(msb_first, np.uint8), BYTES) is True


def test_noise_tells_no_order_of_bits():
    noise = np.random.default_rng(1).integers(0, 256, 40 * BYTES).astype(np.uint8)
    assert guess_msb_first(noise, BYTES) is None
    assert guess_msb_first(np.zeros(40 * BYTES, np.uint8), BYTES) is None
    assert guess_msb_first(noise[:10], BYTES) is None


@pytest.mark.parametrize("name", ["recording", "msb_first"])
def test_the_right_reading_comes_first_and_others_are_offered(request, name):
    look = look_at(request.getfixturevalue(name))
    assert look.readings[0].geometry.size == SIZE
    assert look.readings[0].reason == "bits"
    assert look.msb_first is (name == "msb_first")
    assert look.info.planes == 120
    assert Size(1000, 1000) in [reading.geometry.size for reading in look.readings]
    assert len({reading.geometry.size for reading in look.readings}) == len(look.readings)


def test_a_truncated_recording_says_what_is_left_over(recording):
    with recording.open("r+b") as file:
        file.truncate(60 * BYTES + 77)
    look = look_at(recording)
    assert look.readings[0].geometry.size == SIZE
    assert (look.readings[0].geometry.planes, look.readings[0].geometry.remainder_bytes) == (60, 77)


def test_bits_that_show_nothing_leave_the_usual_sizes(tmp_path):
    path = tmp_path / "dark.dat"
    path.write_bytes(bytes(6 * 32 * 1024))
    look = look_at(path)
    assert look.info is None
    assert look.problem is not None
    reasons = {reading.geometry.size: reading.reason for reading in look.readings}
    assert reasons[Size(256, 256)] == "usual"
    assert reasons[SIZE] == "usual-cut"
    assert next(iter(reasons.values())) == "usual"


def test_the_picture_is_the_scene_in_the_right_size_and_sheared_in_another(recording):
    right = picture_of(recording, SIZE).picture
    assert right.shape == (250, 400)
    assert (right.min(), right.max()) >= (0.0, 0.99)
    assert np.corrcoef(right.ravel(), scene().ravel())[0, 1] > 0.95
    sheared = picture_of(recording, Size(250, 392)).picture
    assert abs(np.corrcoef(sheared.ravel(), scene()[:, :392].ravel())[0, 1]) < 0.5


def test_a_file_that_states_its_size_has_one_reading(tmp_path):
    path = tmp_path / "planes.npy"
    np.save(path, np.eye(20, 30, dtype=np.uint8)[None].repeat(5, axis=0))
    look = look_at(path)
    assert not look.is_packed
    assert [reading.reason for reading in look.readings] == ["file"]
    assert look.readings[0].geometry.size == Size(20, 30)
    assert picture_of(path, None).picture.shape == (20, 30)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(1000), None])
def test_what_is_no_recording_is_refused(tmp_path, content):
    path = tmp_path / "x.dat"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingError):
        look_at(path)


def test_a_file_shorter_than_any_plane_has_no_reading(tmp_path):
    path = tmp_path / "short.dat"
    path.write_bytes(b"\x01\x02\x03")
    look = look_at(path)
    assert look.readings == ()
    assert look.info is None


def test_a_real_recording_is_told_whole(shared_data):
    path = shared_data / "spikezoo" / "203_part2_key_id151.dat"
    look = look_at(path)
    assert look.readings[0].geometry.size == SIZE
    assert look.msb_first is False
    with Image.open(path.with_suffix(".png")) as reference:
        sharp = np.asarray(reference.convert("L").resize((400, 250)), np.float32)
    picture = picture_of(path, SIZE).picture
    assert np.corrcoef(picture.ravel(), sharp.ravel())[0, 1] > 0.5
