"""Video frames are counted, and any of them is found in any order."""

import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.errors import FrameError
from engine.geometry import Size
from engine.video import VideoFrames
from tests.engine.videos import SIZE, decoded_in_order, encode, number_in, numbered, textured

FRAMES = 90
B_FRAMES = {"bf": "3", "g": "25", "crf": "12", "preset": "veryfast"}
PACKED = b"\0\0\1\xb2DivX503b1393p"


def series(count: int = FRAMES) -> list[np.ndarray]:
    return [textured(number) for number in range(count)]


def written(tmp_path: Path, name: str, *args: object, **kwargs: object) -> Path:
    return encode(tmp_path / name, series(), *args, **kwargs)  # type: ignore[arg-type]


def packed_b_frames(tmp_path: Path) -> Path:
    """An AVI as DivX wrote it: a P and a B picture in one packet, then a packet that holds none."""
    plain = encode(tmp_path / "plain.avi", series(), "mpeg4", options={"bf": "1", "g": "12", "q:v": "3"})
    path = tmp_path / "packed.avi"
    with av.open(str(plain)) as source, av.open(str(path), "w") as output:
        template = source.streams.video[0]
        data = [bytes(packet) for packet in source.demux(template) if packet.size]
        kinds = [packet[packet.index(b"\0\0\1\xb6") + 4] >> 6 for packet in data]
        assert 2 in kinds
        stream = output.add_stream_from_template(template)
        extradata = template.codec_context.extradata or b""
        stream.codec_context.extradata = extradata[: extradata.index(b"\0\0\1\xb2")] + PACKED
        packets: list[tuple[bytes, bool]] = []
        for at, packet in enumerate(data):
            content = packet
            if b"\0\0\1\xb2" in content:
                begin = content.index(b"\0\0\1\xb2")
                content = content[:begin] + PACKED + content[content.index(b"\0\0\1", begin + 4) :]
            if kinds[at] == 2:
                packets[-1] = (packets[-1][0] + content, packets[-1][1])
                packets.append((b"\0\0\1\xb6\x50\x81\x01\xff", False))
            else:
                packets.append((content, kinds[at] == 0))
        for at, (content, is_key) in enumerate(packets):
            out = av.Packet(content)
            out.pts = out.dts = at
            out.time_base = Fraction(1, 25)
            out.stream = stream
            out.is_keyframe = is_key
            output.mux(out)
    return path


KINDS: dict[str, Callable[[Path], Path]] = {
    "H.264 with B-frames, MP4": lambda folder: written(folder, "b.mp4", options=B_FRAMES),
    "H.264 in fragments, MP4": lambda folder: encode_fragments(folder / "frag.mp4"),
    "H.264 with open groups, MPEG-TS": lambda folder: written(
        folder, "o.ts", options={**B_FRAMES, "x264-params": "open-gop=1"}
    ),
    "H.264 in AVI": lambda folder: written(folder, "b.avi", options=B_FRAMES),
    "H.264 refreshed a part at a time": lambda folder: written(
        folder, "r.ts", options={"intra-refresh": "1", "g": "30", "bf": "0", "crf": "12"}
    ),
    "H.264 interlaced": lambda folder: written(
        folder, "i.mp4", options={"flags": "+ildct+ilme", "x264-params": "tff=1", "g": "25"}
    ),
    "HEVC": lambda folder: written(
        folder, "h.mp4", "libx265", options={"x265-params": "log-level=none:keyint=25:open-gop=1"}
    ),
    "MPEG-4 with B-frames, AVI": lambda folder: written(
        folder, "m.avi", "mpeg4", options={"bf": "2", "g": "20", "q:v": "3"}
    ),
    "MPEG-4 with packed B-frames": packed_b_frames,
    "MPEG-2, MPEG-TS": lambda folder: written(
        folder, "m.ts", "mpeg2video", options={"bf": "2", "g": "15", "q:v": "2"}
    ),
    "MPEG-1, MPEG": lambda folder: written(
        folder, "m.mpg", "mpeg1video", options={"bf": "2", "g": "15", "q:v": "2"}
    ),
    "variable rate, MKV": lambda folder: written(
        folder,
        "v.mkv",
        options=B_FRAMES,
        times=uneven_times(FRAMES).tolist(),
        time_base=Fraction(1, 1000),
    ),
    "ProRes": lambda folder: written(folder, "p.mov", "prores_ks", "yuv422p10le"),
    "FFV1, MKV": lambda folder: written(folder, "f.mkv", "ffv1"),
    "FFV1, AVI": lambda folder: written(folder, "f.avi", "ffv1"),
    "MJPEG, AVI": lambda folder: written(folder, "j.avi", "mjpeg", "yuvj420p", options={"q:v": "2"}),
    "MJPEG, MOV": lambda folder: written(folder, "j.mov", "mjpeg", "yuvj420p", options={"q:v": "2"}),
    "raw, AVI": lambda folder: written(folder, "r.avi", "rawvideo", "yuv420p"),
    "raw RGB, MOV": lambda folder: written(folder, "r.mov", "rawvideo", "rgb24"),
    "VP9 with hidden frames": lambda folder: written(
        folder,
        "v.webm",
        "libvpx-vp9",
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8", "b": "400k", "g": "30"},
    ),
    "VP8 with hidden frames": lambda folder: written(
        folder,
        "8.webm",
        "libvpx",
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8", "b": "400k", "g": "30"},
    ),
}


def encode_fragments(path: Path) -> Path:
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as output:
        stream = output.add_stream("libx264", rate=25, options=B_FRAMES)
        stream.height, stream.width = SIZE.height, SIZE.width
        for at, picture in enumerate(series()):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts = at
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def uneven_times(count: int) -> np.ndarray:
    """Milliseconds at 25 a second, of which the recorder dropped some."""
    kept = [number for number in range(2 * count) if number % 7 not in (3, 4)]
    return np.array(kept[:count]) * 40


@pytest.fixture(params=["mjpeg yuvj420p avi", "mpeg4 yuv420p mp4", "ffv1 bgr0 mkv"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    codec, pixel_format, suffix = request.param.split()
    pictures = [numbered(number) for number in range(120)]
    return encode(tmp_path / f"片段 one.{suffix}", pictures, codec, pixel_format)


def test_frames_in_order_and_in_no_order(video: Path) -> None:
    frames = VideoFrames(video)
    assert len(frames) == 120
    assert frames.size == SIZE
    assert frames.bit_depth == 8
    assert [number_in(frames.read(index)) for index in range(120)] == list(range(120))
    order = np.random.default_rng(3).permutation(120)
    assert [number_in(frames.read(int(index))) for index in order] == order.tolist()
    frames.close()


@pytest.mark.parametrize("kind", KINDS)
def test_reading_in_no_order_gives_what_reading_in_order_gives(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path)
    in_order = VideoFrames(path)
    assert len(in_order) == len(decoded_in_order(path)) == FRAMES
    assert not [finding for finding in in_order.findings if "claims" in finding]
    sequential = [in_order.read(index) for index in range(FRAMES)]
    in_order.close()
    assert [number_in(picture) for picture in sequential] == list(range(FRAMES))
    frames = VideoFrames(path)
    for index in np.random.default_rng(5).integers(0, FRAMES, 30):
        np.testing.assert_array_equal(frames.read(int(index)), sequential[index])
    frames.close()


def test_times_are_those_that_the_frames_were_shown_at(tmp_path: Path) -> None:
    times = uneven_times(30)
    path = encode(
        tmp_path / "v.mkv", series(30), options=B_FRAMES, times=times.tolist(), time_base=Fraction(1, 1000)
    )
    frames = VideoFrames(path)
    assert frames.times_seconds is not None
    np.testing.assert_allclose(frames.times_seconds, (times - times[0]) / 1000, atol=1e-9)
    assert frames.fps == pytest.approx(29 / (times[-1] / 1000))
    frames.close()


def test_times_do_not_tremble_with_a_coarse_clock(tmp_path: Path) -> None:
    """Matroska rounds to milliseconds: 30 frames a second would be 33, 33 and 34 ms apart."""
    frames = VideoFrames(encode(tmp_path / "v.mkv", series(40), options=B_FRAMES, rate=30))
    np.testing.assert_allclose(frames.times_seconds, np.arange(40) / 30, atol=1e-9)  # type: ignore[arg-type]
    assert frames.fps == 30
    frames.close()


def test_frames_of_an_avi_have_times(tmp_path: Path) -> None:
    frames = VideoFrames(encode(tmp_path / "v.avi", series(20), "mpeg4", options={"bf": "2"}))
    np.testing.assert_allclose(frames.times_seconds, np.arange(20) / 25, atol=1e-9)  # type: ignore[arg-type]
    frames.close()


def test_frames_left_out_of_an_avi_are_no_damage(tmp_path: Path) -> None:
    times = [0, 1, 2, 6, 7, 8, 11]
    pictures = [numbered(n) for n in times]
    path = encode(tmp_path / "v.avi", pictures, "mjpeg", "yuvj420p", times=times, time_base=Fraction(1, 25))
    frames = VideoFrames(path)
    assert frames.findings == ()
    assert [number_in(frames.read(n)) for n in range(len(frames))] == times
    assert frames.times_seconds is not None
    np.testing.assert_allclose(frames.times_seconds * 25, times, atol=1e-9)


def test_an_avi_does_not_say_when_reordered_frames_with_gaps_were_shown(tmp_path: Path) -> None:
    times = [n for n in range(30) if n not in (3, 4, 5, 11, 12)]
    pictures = [textured(n) for n in times]
    path = encode(
        tmp_path / "v.avi",
        pictures,
        times=times,
        time_base=Fraction(1, 25),
        options={"bf": "3", "x264-params": "b-adapt=0"},
    )
    frames = VideoFrames(path)
    assert [number_in(frames.read(n)) for n in range(len(frames))] == times
    assert frames.times_seconds is None
    assert [finding for finding in frames.findings if "times are not used" in finding]


def test_parts_put_together_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Their time stamps begin again, and say nothing."""
    parts = [
        encode(tmp_path / f"{part}.ts", [numbered(10 * part + at) for at in range(10)], options=B_FRAMES)
        for part in range(2)
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = VideoFrames(path)
    assert [number_in(frames.read(index)) for index in range(20)] == list(range(20))
    assert number_in(frames.read(3)) == 3
    assert frames.times_seconds is None
    assert any("go backwards" in finding for finding in frames.findings)
    frames.close()


def test_a_part_of_a_stream_begins_where_it_can_be_decoded(tmp_path: Path) -> None:
    whole = encode(tmp_path / "o.ts", series(), options={**B_FRAMES, "x264-params": "open-gop=1"})
    content = whole.read_bytes()
    path = tmp_path / "part.ts"
    path.write_bytes(content[len(content) // 188 // 2 * 188 :])
    frames = VideoFrames(path)
    expected = decoded_in_order(path)
    assert len(frames) == len(expected) < FRAMES
    assert any("need data from before its beginning" in finding for finding in frames.findings)
    read = [number_in(frames.read(index)) for index in range(len(frames))]
    assert read == list(range(FRAMES - len(frames), FRAMES))
    frames.close()


def test_what_an_edit_list_hides_is_no_frame(tmp_path: Path) -> None:
    """Cutting without encoding leaves frames in the file that are only there to be predicted from."""
    whole = encode(tmp_path / "b.mp4", series(60), options={**B_FRAMES, "bf": "0", "g": "60"})
    path = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(path), "w") as output:
        template = source.streams.video[0]
        stream = output.add_stream_from_template(template)
        for packet in source.demux(template):
            if packet.dts is None:
                continue
            packet.pts -= 10 * 512
            packet.dts -= 10 * 512
            packet.stream = stream
            output.mux(packet)
    expected = decoded_in_order(path)
    frames = VideoFrames(path)
    assert len(frames) == len(expected) == 50
    first = 10
    assert [number_in(frames.read(index)) for index in (0, 30, 7)] == [first, first + 30, first + 7]
    frames.close()


def test_frames_are_rgb_bytes(video: Path) -> None:
    frames = VideoFrames(video)
    picture = frames.read(5)
    frames.close()
    assert picture.dtype == np.uint8
    assert picture.shape == (48, 128, 3)
    np.testing.assert_allclose(picture[32:44, 8:-8].mean((0, 1)) / 255, [0, 0, 1], atol=0.05)


def test_names_count_from_one(tmp_path: Path) -> None:
    frames = VideoFrames(encode(tmp_path / "clip.avi", series(3), "mjpeg", "yuvj420p"))
    assert frames.names == ("clip_0001", "clip_0002", "clip_0003")
    with pytest.raises(FrameError, match="does not exist"):
        frames.read(3)
    frames.close()


def test_a_cut_file_is_counted_not_believed(tmp_path: Path) -> None:
    path = encode(tmp_path / "cut.avi", [numbered(n) for n in range(100)], "mjpeg", "yuvj420p")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    frames = VideoFrames(path)
    assert 30 < len(frames) < 60
    assert [number_in(frames.read(index)) for index in (len(frames) - 1, 0, 17)] == [len(frames) - 1, 0, 17]
    assert "claims 100 frames" in frames.findings[0]
    frames.close()


def test_several_threads_read_at_once(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", series(60), options=B_FRAMES)
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


def test_closing_while_others_read_is_an_error_that_says_so(tmp_path: Path) -> None:
    frames = VideoFrames(encode(tmp_path / "clip.mp4", series(60), options=B_FRAMES))
    told: list[str] = []
    begun = threading.Barrier(4)

    def read() -> None:
        begun.wait()
        try:
            for index in range(10_000):
                frames.read(index * 7 % 60)
        except FrameError as error:
            told.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    begun.wait()
    frames.close()
    for thread in threads:
        thread.join()
    assert len(told) == 3
    assert all("closed" in text for text in told)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no video at all",
        b"\0\0\0\x18ftypmp42" + b"\0" * 100,
        b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
        b"#EXTM3U\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile 'other.ts'\n",
        b"[playlist]\nFile1=http://127.0.0.1:9/x.mp4\n",
    ],
)
def test_what_is_no_video_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    encode(tmp_path / "other.ts", series(3))
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(FrameError, match=r"broken\.mp4"):
        VideoFrames(path)


def test_sound_alone_and_sound_with_a_cover_are_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", rate=8000)
        for at in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 8000, 1024 * at
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    with pytest.raises(FrameError, match="no video in it"):
        VideoFrames(path)


def test_decoders_print_nothing(tmp_path: Path) -> None:
    path = encode(tmp_path / "broken.mp4", series(30), options=B_FRAMES)
    content = bytearray(path.read_bytes())
    content[2000:4000] = b"\xff" * 2000
    path.write_bytes(content)
    script = (
        "from engine.video import VideoFrames\n"
        f"frames = VideoFrames({str(path)!r})\n"
        "for index in range(len(frames)):\n"
        "    try: frames.read(index)\n"
        "    except Exception: pass"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_missing_video_and_a_closed_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="not there"):
        VideoFrames(tmp_path / "missing.mp4")
    frames = VideoFrames(encode(tmp_path / "clip.avi", series(3), "mjpeg", "yuvj420p"))
    frames.close()
    frames.close()
    with pytest.raises(FrameError, match="closed"):
        frames.read(0)


def test_what_looks_like_a_pattern_or_an_address_is_a_name(tmp_path: Path) -> None:
    for name in ("take %03d.avi", "http:x.avi", "concat:a.avi"):
        frames = VideoFrames(
            encode(tmp_path / "take.avi", series(5), "mjpeg", "yuvj420p").rename(tmp_path / name)
        )
        assert len(frames) == 5
        frames.close()


def test_a_stub_of_a_video_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = encode(tmp_path / "stub.avi", series(5), "mjpeg", "yuvj420p")
    path.write_bytes(path.read_bytes()[:66])
    with pytest.raises(FrameError, match="cannot be decoded"):
        VideoFrames(path)
    assert capfd.readouterr().err == ""


def test_a_container_that_claims_no_count_is_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "picture.avi"
    Image.fromarray(np.zeros((SIZE.height, SIZE.width, 3), np.uint8)).save(path, "PNG")
    frames = VideoFrames(path)
    assert (len(frames), frames.findings) == (1, ())
    frames.close()


def test_the_larger_of_two_videos_is_read(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as output:
        sizes = (Size(24, 32), Size(48, 64))
        streams = []
        for size in sizes:
            stream = output.add_stream("ffv1", rate=25)
            stream.height, stream.width, stream.pix_fmt = size.height, size.width, "bgr0"
            streams.append(stream)
        for at in range(3):
            for stream, size in zip(streams, sizes, strict=True):
                grey = np.full((size.height, size.width, 3), 50 * at, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="bgr0")
                frame.pts = at
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
    frames = VideoFrames(path)
    assert frames.size == Size(48, 64)
    assert frames.findings[0].startswith("the file holds 2 videos; the largest is read, stream 1")
    frames.close()
