"""Time to open a video of 2000 frames of 720p, to read it in order, and to read frames in no order.

    python tests/benchmarks/open_video.py [--frames 2000] [--codec libx264]

The baseline is OpenCV in the same run: its pass over all frames, as they were counted before, and its reading
in order. Every measurement is the best of three.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from engine.video import VideoFrames

HEIGHT, WIDTH = 720, 1280
READ_IN_ORDER = 200
READ_IN_NO_ORDER = 30
RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--codec", default="libx264", help="libx264, mpeg4, prores_ks, ffv1, mjpeg, …")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("video.mkv" if arguments.codec == "ffv1" else "video.mov")
        write(path, arguments.frames, arguments.codec)
        print(f"{arguments.frames} frames of {WIDTH} × {HEIGHT}, {path.stat().st_size / 1e6:.0f} MB\n")
        baseline = best(lambda: count_with_opencv(path))
        opened = best(lambda: VideoFrames(path).close())
        print(f"open          {opened:8.3f} s    OpenCV, counting {baseline:8.3f} s")
        count = min(READ_IN_ORDER, arguments.frames)
        ours = best(lambda: read_in_order(path, count)) / count * 1e3
        theirs = best(lambda: read_with_opencv(path, count)) / count * 1e3
        print(f"read in order {ours:8.2f} ms   OpenCV           {theirs:8.2f} ms a frame")
        scattered = best(lambda: read_in_no_order(path)) / READ_IN_NO_ORDER
        print(f"in no order   {scattered * 1e3:8.2f} ms a frame")


def best(measured: Callable[[], object]) -> float:
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        measured()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def pictures(count: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8 + 256, 3)).astype(np.uint8)
    wide = cv2.resize(coarse, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    for number in range(count):
        begin = 2 * number % (wide.shape[1] - WIDTH)
        yield wide[:, begin : begin + WIDTH]


def write(path: Path, count: int, codec: str) -> None:
    options = {"libx264": {"preset": "ultrafast", "bf": "2", "g": "50"}, "mpeg4": {"g": "50", "q:v": "4"}}
    formats = {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p"}
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, formats.get(codec, "yuv420p")
        for number, picture in enumerate(pictures(count)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def count_with_opencv(path: Path) -> int:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = 0
    while capture.grab():
        frames += 1
    capture.release()
    return frames


def read_with_opencv(path: Path, count: int) -> None:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    for _ in range(count):
        done, frame = capture.read()
        assert done
        np.ascontiguousarray(frame[:, :, ::-1])
    capture.release()


def read_in_order(path: Path, count: int) -> None:
    frames = VideoFrames(path)
    for index in range(count):
        frames.read(index)
    frames.close()


def read_in_no_order(path: Path) -> None:
    frames = VideoFrames(path)
    for index in np.random.default_rng(1).integers(0, len(frames), READ_IN_NO_ORDER):
        frames.read(int(index))
    frames.close()


if __name__ == "__main__":
    main()
