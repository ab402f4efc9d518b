"""Damaged videos: whole frames are right, the others fail by their names, and nothing is made up."""

import contextlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import engine.video.decoding
import engine.video.frames
from engine.errors import FrameError
from engine.video import VideoFrames
from tests.engine.videos import decoded_in_order, encode, textured

FRAMES = 60
KEY_EVERY = 20
PREDICTED = {"g": str(KEY_EVERY), "keyint_min": str(KEY_EVERY), "sc_threshold": "0"}
CODECS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "H.264": ("v.mp4", "libx264", "yuv420p", {**PREDICTED, "bf": "2", "crf": "15"}),
    "H.264, MPEG-TS": ("v.ts", "libx264", "yuv420p", {**PREDICTED, "bf": "2", "crf": "15"}),
    "MPEG-4": ("v.avi", "mpeg4", "yuv420p", {"g": str(KEY_EVERY), "q:v": "3"}),
    "MPEG-2": ("v.ts", "mpeg2video", "yuv420p", {"g": str(KEY_EVERY), "bf": "2", "q:v": "2"}),
    "FFV1": ("v.mkv", "ffv1", "yuv420p", {"level": "3", "slicecrc": "1"}),
    "MJPEG": ("v.avi", "mjpeg", "yuvj420p", {"q:v": "3"}),
}


def pictures_of(path: Path) -> list[np.ndarray | None]:
    """Every frame, None where it fails; each failure names its frame."""
    frames = VideoFrames(path)
    pictures: list[np.ndarray | None] = []
    told: list[tuple[str, str]] = []
    for index in range(len(frames)):
        try:
            pictures.append(frames.read(index))
        except FrameError as error:
            told.append((frames.names[index], str(error)))
            pictures.append(None)
    frames.close()
    assert all(name in text and "\n" not in text for name, text in told)
    return pictures


def middle_of_packet(path: Path, number: int) -> tuple[int, int]:
    """Where the middle of a packet's bytes lies in the file, and how many it has."""
    with av.open(str(path)) as video:
        packets = [packet for packet in video.demux(video=0) if packet.size]
        packet = packets[number]
        content = path.read_bytes()
        data = bytes(packet)
        # Of a transport stream only a piece that lies within one of its packets is found.
        for middle in range(len(data) // 2, len(data) - 24):
            at = content.find(data[middle : middle + 24], packet.pos or 0)
            if at >= 0:
                return at, len(data)
    raise AssertionError("the packet's bytes are not in the file")


def packets_before(path: Path, cut: int) -> int:
    """How many packets end before a byte of the file."""
    with av.open(str(path)) as video:
        return sum((packet.pos or 0) + packet.size <= cut for packet in video.demux(video=0) if packet.size)


def numbers_of(path: Path) -> list[int]:
    """The number of each frame, from its time: where one is gone, times leave a gap."""
    frames = VideoFrames(path)
    assert frames.times_seconds is not None
    numbers = np.round((frames.times_seconds - frames.times_seconds[0]) * 25).astype(int)
    frames.close()
    return [int(number) for number in numbers]


@pytest.mark.parametrize("kind", CODECS)
def test_damage_stays_where_it_is(kind: str, tmp_path: Path) -> None:
    name, codec, pixel_format, options = CODECS[kind]
    path = encode(tmp_path / name, [textured(n) for n in range(FRAMES)], codec, pixel_format, options=options)
    whole = pictures_of(path)
    content = bytearray(path.read_bytes())
    at, _ = middle_of_packet(path, 24)
    content[at : at + 24] = b"\xff\xd8" * 12
    path.write_bytes(content)
    hurt = pictures_of(path)
    assert len(hurt) == FRAMES
    failed = [index for index, picture in enumerate(hurt) if picture is None]
    assert failed
    # Only what is predicted from the damaged packet may fail: nothing beyond the group it lies in.
    assert min(failed) >= KEY_EVERY
    assert max(failed) < 2 * KEY_EVERY + 3
    assert len(failed) <= (1 if codec == "mjpeg" else KEY_EVERY)
    for picture, expected in zip(hurt, whole, strict=True):
        if picture is not None:
            np.testing.assert_array_equal(picture, expected)


def test_a_damaged_frame_fails_however_it_is_come_to(tmp_path: Path) -> None:
    name, codec, pixel_format, options = CODECS["H.264"]
    path = encode(tmp_path / name, [textured(n) for n in range(FRAMES)], codec, pixel_format, options=options)
    content = bytearray(path.read_bytes())
    at, _ = middle_of_packet(path, 24)
    content[at : at + 24] = bytes(24)
    path.write_bytes(content)
    in_order = [picture is None for picture in pictures_of(path)]
    frames = VideoFrames(path)
    for index in np.random.default_rng(2).permutation(FRAMES):
        if in_order[index]:
            with pytest.raises(FrameError, match="damaged"):
                frames.read(int(index))
        else:
            frames.read(int(index))
    frames.close()


def test_a_picture_that_no_other_needs_fails_alone(tmp_path: Path) -> None:
    options = {**PREDICTED, "bf": "2", "crf": "15", "x264-params": "b-pyramid=none:b-adapt=0"}
    path = encode(tmp_path / "v.mp4", [textured(n) for n in range(FRAMES)], options=options)
    whole = pictures_of(path)
    with av.open(str(path)) as video:
        packets = [packet for packet in video.demux(video=0) if packet.size]
        times = sorted(packet.pts for packet in packets)
        number = next(n for n in range(24, 40) if packets[n].pts < packets[n - 1].pts)
        frame = times.index(packets[number].pts)
    at, _ = middle_of_packet(path, number)
    content = bytearray(path.read_bytes())
    content[at : at + 16] = b"\xff" * 16
    path.write_bytes(content)
    hurt = pictures_of(path)
    assert [index for index, picture in enumerate(hurt) if picture is None] == [frame]
    np.testing.assert_array_equal(hurt[frame + 1], whole[frame + 1])  # type: ignore[arg-type]


def test_transport_packets_that_are_lost_fail_their_frames(tmp_path: Path) -> None:
    name, codec, pixel_format, options = CODECS["H.264, MPEG-TS"]
    path = encode(tmp_path / name, [textured(n) for n in range(FRAMES)], codec, pixel_format, options=options)
    whole = pictures_of(path)
    at, _ = middle_of_packet(path, 24)
    content = bytearray(path.read_bytes())
    del content[at // 188 * 188 : at // 188 * 188 + 188]
    path.write_bytes(content)
    hurt = pictures_of(path)
    # A transport packet holds a part of one frame: that one may be gone, and those that need it fail.
    assert FRAMES - 1 <= len(hurt) <= FRAMES
    assert 0 < sum(picture is None for picture in hurt) <= KEY_EVERY
    for picture, number in zip(hurt, numbers_of(path), strict=True):
        assert picture is None or np.array_equal(picture, whole[number])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mkv", "libx264"), ("v.ts", "libx264"), ("v.avi", "mjpeg"), ("v.mkv", "ffv1")]
)
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_truncated_file_has_the_frames_that_it_has(
    name: str, codec: str, share: float, tmp_path: Path
) -> None:
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = encode(tmp_path / name, [textured(n) for n in range(FRAMES)], codec, pixel_format)
    whole = pictures_of(path)
    content = path.read_bytes()
    cut = int(len(content) * share)
    kept = packets_before(path, cut)
    path.write_bytes(content[:cut])
    hurt = pictures_of(path)
    right = [picture for picture in hurt if picture is not None]
    # Of the frames whose packets are whole, the last two may be predicted from one behind the cut.
    assert max(1, kept - 2) <= len(right) <= len(decoded_in_order(path))
    # The cut may have taken pictures that come before the last ones: their times leave a gap.
    for picture, number in zip(hurt, numbers_of(path), strict=True):
        assert picture is None or np.array_equal(picture, whole[number])  # type: ignore[arg-type]


class OfItsOwnError(Exception):
    """As decoders have them: a child of Exception alone."""


ANY_ERROR = [
    ImportError("codec"),
    cv2.error("resize"),
    struct.error("unpack"),
    zlib.error("-3"),
    OfItsOwnError("?"),
]


def raising(error: Exception) -> Callable[..., None]:
    def raises(*_: object) -> None:
        raise error

    return raises


@pytest.mark.parametrize("error", ANY_ERROR, ids=lambda error: type(error).__name__)
def test_any_exception_of_a_decoder_fails_its_frame_only(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = VideoFrames(encode(tmp_path / "v.mkv", [textured(n) for n in range(3)], "ffv1"))
    conversion = frames._conversion
    monkeypatch.setattr(type(conversion), "samples", raising(error))
    with pytest.raises(FrameError, match="v_0002"):
        frames.read(1)
    monkeypatch.undo()
    assert frames.read(1).shape == (48, 128, 3)
    frames.close()


@pytest.mark.parametrize("error", ANY_ERROR, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", ["read_index", "about_streams", "colours_of", "about_frame"])
def test_any_exception_while_a_video_is_opened_names_the_video(
    error: Exception, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(tmp_path / "v.mkv", [textured(n) for n in range(3)], "ffv1")
    monkeypatch.setattr(engine.video.frames, place, raising(error))
    with pytest.raises(FrameError, match=r"v\.mkv: the video cannot be decoded"):
        VideoFrames(path)


@pytest.mark.parametrize("error", ANY_ERROR, ids=lambda error: type(error).__name__)
def test_frames_after_an_exception_are_predicted_from_whole_ones(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, codec, pixel_format, options = CODECS["MPEG-4"]
    path = encode(tmp_path / name, [textured(n) for n in range(12)], codec, pixel_format, options=options)
    whole = pictures_of(path)
    frames = VideoFrames(path)
    frames.read(0)
    with monkeypatch.context() as patch:
        patch.setattr(engine.video.decoding, "is_left_out_of_prediction", raising(error))
        with pytest.raises(FrameError, match="v_0004"):
            frames.read(3)
    for index in range(4, 12):
        np.testing.assert_array_equal(frames.read(index), whole[index])  # type: ignore[arg-type]
    frames.close()


def test_places_that_cannot_be_print_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = encode(tmp_path / "v.mp4", [textured(n) for n in range(5)])
    content = path.read_bytes()
    for at in range(0, len(content) - 4, 97):
        path.write_bytes(content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :])
        with contextlib.suppress(FrameError):
            frames = VideoFrames(path)
            frames.read(0)
    assert capfd.readouterr() == ("", "")


def test_closing_in_the_middle_of_damage_never_waits_for_itself(tmp_path: Path) -> None:
    """Threads of the decoder have something to say at the moment when it is freed."""
    path = encode(
        tmp_path / "v.ts",
        [textured(n) for n in range(FRAMES)],
        "libx265",
        options={"x265-params": "log-level=none:keyint=10"},
    )
    content = path.read_bytes()
    for seed in range(25):
        rng = np.random.default_rng(seed)
        hurt = np.frombuffer(content, np.uint8).copy()
        at = rng.integers(2000, len(hurt), 60)
        hurt[at] = rng.integers(0, 256, 60)
        path.write_bytes(hurt.tobytes())
        frames = VideoFrames(path)
        for index in (0, len(frames) - 1, len(frames) // 2):
            with contextlib.suppress(FrameError):
                frames.read(index)
        frames.close()


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("v.mkv", "libx264", "yuv420p"),
        ("v.webm", "libvpx-vp9", "yuv420p"),
        ("v.mxf", "mpeg2video", "yuv420p"),
        ("v.y4m", "rawvideo", "yuv444p"),
        ("v.dv", "dvvideo", "yuv420p"),
    ],
)
def test_a_file_that_is_cut_off_says_so(name: str, codec: str, pixel_format: str, tmp_path: Path) -> None:
    pictures = [textured(n) for n in range(12)]
    if codec == "dvvideo":  # whose size is fixed
        pictures = [np.resize(picture, (576, 720, 3)) for picture in pictures]
    path = encode(tmp_path / name, pictures, codec, pixel_format, options={"strict": "-2"})
    whole = VideoFrames(path)
    assert len(whole) == 12
    assert not [finding for finding in whole.findings if "cut off" in finding or "within" in finding]
    expected = [whole.read(n) for n in range(12)]
    whole.close()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.71)])
    hurt = VideoFrames(path)
    assert [finding for finding in hurt.findings if "cut off" in finding or "within a frame" in finding]
    assert 0 < len(hurt) < 12
    assert hurt.times_seconds is not None
    for n, number in enumerate(np.round(hurt.times_seconds * 25).astype(int)):
        assert np.array_equal(hurt.read(n), expected[number])
    hurt.close()


def test_a_zeroed_sector_in_motion_jpeg_fails_its_frame(tmp_path: Path) -> None:
    pictures = [textured(n) for n in range(6)]
    path = encode(tmp_path / "v.avi", pictures, "mjpeg", "yuvj420p", options={"huffman": "default"})
    whole = pictures_of(path)
    assert all(picture is not None for picture in whole)
    with av.open(str(path)) as video:
        packet = [packet for packet in video.demux(video=0) if packet.size][3]
        data = bytes(packet)
    content = path.read_bytes()
    at = content.index(data) + len(data) - 200
    path.write_bytes(content[:at] + bytes(100) + content[at + 100 :])
    hurt = pictures_of(path)
    assert [n for n, picture in enumerate(hurt) if picture is None] == [3]
    for n in (0, 1, 2, 4, 5):
        assert np.array_equal(hurt[n], whole[n])  # type: ignore[arg-type]
