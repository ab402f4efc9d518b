"""Videos that are written come back as the pictures they were made of."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from engine.errors import ExportError
from engine.video import VideoFrames
from engine.video.labels import LEAST_SIDE_PX, can_draw, with_label
from engine.video.writing import QUALITIES, suffix_of, write_video
from tests.engine.videos import textured


def noise(height: int, width: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(height * width)
    return [rng.integers(0, 256, (height, width, 3)).astype(np.uint8) for _ in range(count)]


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def smooth(number: int) -> np.ndarray:
    rows, columns = np.mgrid[:90, :120]
    waves = [np.sin((rows + columns * share + 3 * number) / 14) for share in (0.5, 1, 2)]
    return np.round(127.5 + 100 * np.stack(waves, -1)).astype(np.uint8)


@pytest.mark.parametrize("size", [(48, 64), (33, 47), (17, 33), (3, 2), (1, 1)])
def test_ffv1_gives_back_every_byte(size: tuple[int, int], tmp_path: Path) -> None:
    pictures = noise(*size, 4)
    assert write_video(tmp_path / "v.mkv", pictures, 7.5, "lossless") == 4
    frames = VideoFrames(tmp_path / "v.mkv")
    assert (len(frames), frames.fps, frames.bit_depth, frames.findings) == (4, 7.5, 8, ())
    for index, picture in enumerate(pictures):
        np.testing.assert_array_equal(frames.read(index), picture)
    frames.close()


def test_ffv1_keeps_sixteen_bits_of_values(tmp_path: Path) -> None:
    pictures = [picture.astype(np.float32) / 255 for picture in noise(20, 30, 2)]
    pictures[1][0, 0] = (1.5, -0.5, 0.5)
    write_video(tmp_path / "v.mkv", pictures, 25, "lossless")
    frames = VideoFrames(tmp_path / "v.mkv")
    assert frames.bit_depth == 16
    np.testing.assert_allclose(frames.read(1), pictures[1].clip(0, 1), atol=0.51 / 65535)
    frames.close()


def test_the_best_h264_is_over_40_db_and_better_is_larger(tmp_path: Path) -> None:
    pictures = [smooth(number) for number in range(12)]
    sizes = {}
    for quality in ("small", "good", "best"):
        path = tmp_path / f"{quality}.mp4"
        assert write_video(path, pictures, 29.97, quality) == 12
        sizes[quality] = path.stat().st_size
    assert sizes["small"] < sizes["good"] < sizes["best"]
    frames = VideoFrames(tmp_path / "best.mp4")
    assert frames.findings == ()
    assert frames.fps == pytest.approx(29.97)
    assert min(psnr(frames.read(index), pictures[index]) for index in range(12)) > 40
    frames.close()


def test_flat_colours_come_back_within_two_levels(tmp_path: Path) -> None:
    levels = (0, 90, 255)
    colours = np.array([[r, g, b] for r in levels for g in levels for b in levels], np.uint8)
    picture = np.repeat(np.repeat(colours[None], 32, 0), 16, 1)
    write_video(tmp_path / "v.mp4", [picture] * 3, 10, "best")
    frames = VideoFrames(tmp_path / "v.mp4")
    read = frames.read(1).reshape(32, 27, 16, 3)[8:24, :, 6:10].astype(int)
    frames.close()
    assert np.abs(read - colours[:, None].astype(int)).max() <= 2


def test_tags_say_which_colours_these_are(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", [smooth(0)] * 2, 10, "good")
    with av.open(str(tmp_path / "v.mp4")) as video:
        context = video.streams.video[0].codec_context
        tags = (context.colorspace, context.color_range, context.color_primaries, context.color_trc)
        assert tags == (1, 1, 1, 1)
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_an_odd_side_is_made_even_by_its_last_row(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", [smooth(0)[:61, :83]] * 2, 10, "best")
    frames = VideoFrames(tmp_path / "v.mp4")
    picture = frames.read(0)
    frames.close()
    assert picture.shape == (62, 84, 3)
    np.testing.assert_allclose(picture[:61, :83], smooth(0)[:61, :83], atol=10)
    np.testing.assert_allclose(picture[61], picture[60], atol=6)


@pytest.mark.parametrize("fps", [0.5, 10, 23.976, 60, 120])
@pytest.mark.parametrize("quality", ["good", "lossless"])
def test_the_pace_is_the_one_asked_for(fps: float, quality: str, tmp_path: Path) -> None:
    path = tmp_path / f"v{suffix_of(quality)}"  # type: ignore[arg-type]
    write_video(path, [smooth(number) for number in range(6)], fps, quality)  # type: ignore[arg-type]
    frames = VideoFrames(path)
    assert frames.times_seconds is not None
    np.testing.assert_allclose(frames.times_seconds, np.arange(6) / fps, atol=1e-4)
    frames.close()


def test_what_cannot_be_a_video_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    good = smooth(0)
    with pytest.raises(ExportError, match="no picture"):
        write_video(tmp_path / "v.mp4", [], 10)
    with pytest.raises(ExportError, match=r"suffix '\.avi'.*\.mp4"):
        write_video(tmp_path / "v.avi", [good], 10)
    with pytest.raises(ExportError, match="quality"):
        write_video(tmp_path / "v.mp4", [good], 10, "perfect")  # type: ignore[arg-type]
    with pytest.raises(ExportError, match="frame rate"):
        write_video(tmp_path / "v.mp4", [good], 0)
    with pytest.raises(ExportError, match="one size"):
        write_video(tmp_path / "v.mp4", [good, good[:40]], 10)
    assert list(tmp_path.iterdir()) == []


def test_pictures_that_fail_midway_leave_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"old")

    def pictures() -> Iterator[np.ndarray]:
        yield from [smooth(0)] * 5
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_video(tmp_path / "v.mp4", pictures(), 10)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("v.mp4", b"old")]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are of POSIX")
@pytest.mark.parametrize("quality", QUALITIES)
def test_a_full_disk_is_said_in_one_line(quality: str, tmp_path: Path) -> None:
    """A limit of the size of files stands for a disk that is full."""
    script = f"""
import resource, signal, sys
import numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
from engine.errors import ExportError
from engine.video.writing import suffix_of, write_video
rng = np.random.default_rng(0)
pictures = [rng.integers(0, 256, (120, 160, 3)).astype(np.uint8) for _ in range(60)]
try:
    write_video({str(tmp_path)!r} + "/v" + suffix_of({quality!r}), pictures, 10, {quality!r})
except ExportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert "cannot be written" in done.stdout
    assert "File too large" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_label_is_drawn_where_there_is_room_for_it() -> None:
    picture = np.full((200, 300, 3), 128, np.uint8)
    left, right = with_label(picture, "Blurry"), with_label(picture, "Blurry", "right")
    assert (picture == 128).all()
    changed = (left != 128).any(2)
    assert changed[:40, :120].any()
    assert not changed[:, 150:].any()
    assert not changed[60:].any()
    assert (right != 128).any(2)[:40, 180:].any()
    assert not (right != 128).any(2)[:, :150].any()
    small = picture[: LEAST_SIDE_PX - 1]
    np.testing.assert_array_equal(with_label(small, "Blurry"), small)
    assert can_draw("Blurry 12")
    assert not can_draw("\U0010ffff")


def test_a_video_of_moving_texture_is_read_in_any_order(tmp_path: Path) -> None:
    pictures = [textured(number) for number in range(30)]
    write_video(tmp_path / "v.mkv", pictures, 25, "lossless")
    frames = VideoFrames(tmp_path / "v.mkv")
    for index in (29, 0, 17, 3):
        np.testing.assert_array_equal(frames.read(index), pictures[index])
    frames.close()
