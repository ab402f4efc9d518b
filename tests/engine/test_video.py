"""Video frames are counted, and any of them is found in any order."""

import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import FrameError
from engine.geometry import Size
from engine.video import VideoFrames

SIZE = Size(48, 128)


def write_video(path: Path, frames: int, codec: str = "MJPG") -> None:
    """Every frame shows its own number as eight black or white bars, over a blue lower half."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, (SIZE.width, SIZE.height))
    assert writer.isOpened()
    for number in range(frames):
        picture = np.zeros((SIZE.height, SIZE.width, 3), np.uint8)
        for bit in range(8):
            picture[:24, bit * 16 : bit * 16 + 16] = 255 * (number >> bit & 1)
        picture[24:, :, 0] = 255
        writer.write(picture)
    writer.release()


def number_in(picture: np.ndarray) -> int:
    return sum(1 << bit for bit in range(8) if picture[4:20, bit * 16 + 4 : bit * 16 + 12].mean() > 127)


@pytest.fixture(params=["MJPG avi", "mp4v mp4", "FFV1 mkv"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    codec, suffix = request.param.split()
    path = tmp_path / f"片段 one.{suffix}"
    write_video(path, 120, codec)
    return path


def test_frames_in_order_and_in_no_order(video: Path) -> None:
    frames = VideoFrames(video)
    assert len(frames) == 120
    assert frames.size == SIZE
    assert frames.bit_depth == 8
    assert [number_in(frames.read(index)) for index in range(120)] == list(range(120))
    order = np.random.default_rng(3).permutation(120)
    assert [number_in(frames.read(int(index))) for index in order] == order.tolist()
    frames.close()


def test_frames_are_rgb_bytes(video: Path) -> None:
    frames = VideoFrames(video)
    picture = frames.read(5)
    frames.close()
    assert picture.dtype == np.uint8
    assert picture.shape == (48, 128, 3)
    np.testing.assert_allclose(picture[32:44, 8:-8].mean((0, 1)) / 255, [0, 0, 1], atol=0.05)


def test_names_count_from_one(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 3)
    frames = VideoFrames(tmp_path / "clip.avi")
    assert frames.names == ("clip_0001", "clip_0002", "clip_0003")
    frames.close()


def test_a_cut_file_is_counted_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "cut.avi"
    write_video(path, 100)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    frames = VideoFrames(path)
    assert 30 < len(frames) < 60
    assert [number_in(frames.read(index)) for index in (len(frames) - 1, 0, 17)] == [len(frames) - 1, 0, 17]
    assert "claims 100 frames" in frames.findings[0]
    frames.close()


def test_several_threads_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_video(path, 60)
    frames = VideoFrames(path)
    wrong: list[int] = []

    def read(seed: int) -> None:
        for index in np.random.default_rng(seed).integers(0, 60, 25):
            if number_in(frames.read(int(index))) != index:
                wrong.append(int(index))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frames.close()
    assert wrong == []


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0\0\0\x18ftypmp42" + b"\0" * 100])
def test_what_is_no_video_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(FrameError, match=r"broken\.mp4"):
        VideoFrames(path)


def test_decoders_print_nothing(tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 100)
    script = f"from engine.video import VideoFrames\ntry: VideoFrames({str(path)!r})\nexcept Exception: pass"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_missing_video_and_a_closed_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="not there"):
        VideoFrames(tmp_path / "missing.mp4")
    write_video(tmp_path / "clip.avi", 3)
    frames = VideoFrames(tmp_path / "clip.avi")
    frames.close()
    frames.close()
    with pytest.raises(FrameError, match="closed"):
        frames.read(0)


def test_what_looks_like_a_pattern_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "take %03d.avi"
    write_video(path, 5)
    frames = VideoFrames(path)
    assert len(frames) == 5
    frames.close()


def test_a_stub_of_a_video_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stub.avi"
    write_video(path, 5)
    path.write_bytes(path.read_bytes()[:66])
    with pytest.raises(FrameError, match="cannot be decoded"):
        VideoFrames(path)
    assert capfd.readouterr().err == ""


def test_a_container_that_claims_no_count_is_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "picture.avi"
    done, png = cv2.imencode(".png", np.zeros((SIZE.height, SIZE.width, 3), np.uint8))
    assert done
    path.write_bytes(png.tobytes())
    frames = VideoFrames(path)
    assert (len(frames), frames.findings) == (1, ())
    frames.close()
