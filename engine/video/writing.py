"""Write pictures as a video, whole or not at all.

Strategy: H.264 at three qualities for every player, or FFV1 without loss. H.264 gets BT.709 in limited range,
and says so; chroma is sampled beside each second pixel of a row, as decoders assume. libav writes into a
temporary file that takes its name when everything is in it.
"""

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import av
import cv2
import numpy as np
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from engine.decoders import DECODER_ERRORS, failing_as
from engine.errors import ExportError
from engine.export import make_folder, written_whole
from engine.findings import shorten
from engine.samples import Samples, as_values
from engine.video.container import keep_messages_off_stderr
from engine.video.sound import Sound, SoundContainer

Quality = Literal["small", "good", "best", "lossless"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
_CRF = {"small": 30, "good": 21, "best": 8}
"""Constant rate factors of x264: lower is better."""
_FINEST_TICKS = 1_000_000
"""A second of time stamps that have no common clock."""
_BT709 = 1
_RGB = 0
_TO_BT709_LIMITED = np.array(
    [
        [0.2126 * 219 / 255, 0.7152 * 219 / 255, 0.0722 * 219 / 255, 16],
        [-0.2126 / 1.8556 * 224 / 255, -0.7152 / 1.8556 * 224 / 255, 0.5 * 224 / 255, 128],
        [0.5 * 224 / 255, -0.7152 / 1.5748 * 224 / 255, -0.0722 / 1.5748 * 224 / 255, 128],
    ]
)
"""ITU-R BT.709-6, 3.2 to 3.4 and 4.1 to 4.5, for 8 bits."""
_BESIDE_EACH_SECOND = np.array([[0.25, 0.5, 0.25]], np.float32)


def suffix_of(quality: Quality) -> str:
    """Return the suffix of a video of this quality: `.mp4` (H.264), `.mkv` (FFV1)."""
    return ".mkv" if quality == "lossless" else ".mp4"


def write_video(
    path: str | Path,
    pictures: Iterable[Samples],
    fps: float | Fraction,
    quality: Quality = "good",
    *,
    times: SequenceOf[Fraction] | None = None,
    sound: Sound | None = None,
) -> int:
    """Write pictures (H, W, 3) RGB, bytes or float32 in [0, 1], and return how many there were.

    Without loss bytes stay what they are, and float32 has 16 bits. Other qualities have 8 bits and even
    sides: an odd one is made even by repeating its last row or column. What `pictures` raises ends it
    without a file.

    Every picture is shown for 1 / `fps` seconds; a Fraction is kept exactly. With `times`, ascending seconds
    from 0, one for each picture, and for the end of the last, each is shown from its own to the next: to the
    tick in MP4, to the millisecond in Matroska. `sound` begins with the first picture; its findings say what
    became of it.
    Raises ExportError when the video cannot be written whole, pictures differ in size, or there are none.
    """
    path = Path(path)
    if quality not in QUALITIES:
        raise ExportError("unknown quality", path=path, found=str(quality), expected=", ".join(QUALITIES))
    if path.suffix.lower() != suffix_of(quality):
        raise ExportError(
            "the name does not fit the format",
            path=path,
            found=f"suffix '{path.suffix}'",
            expected=suffix_of(quality),
        )
    if not 0.01 <= fps <= 100_000:
        raise ExportError(
            "no possible frame rate",
            path=path,
            found=f"{float(fps):g}",
            expected="0.01 to 100000",
            advice="Choose another number of frames a second",
        )
    rate = fps if isinstance(fps, Fraction) else Fraction(fps).limit_denominator(60_000)
    clock = _Clock.of(rate, times)
    remaining = iter(pictures)
    first = next(remaining, None)
    if first is None:
        raise ExportError("there is no picture to make a video of", path=path)
    keep_messages_off_stderr()
    make_folder(path.parent)
    with written_whole(path) as file:
        return _write(path, file, first, itertools.chain([first], remaining), clock, quality, sound)


@dataclass(frozen=True)
class _Clock:
    """When pictures are shown: number `n` from `ticks[n]` on, or from n on where there are none."""

    rate: Fraction
    tick: Fraction
    """Seconds."""
    ticks: tuple[int, ...] | None = None

    @classmethod
    def of(cls, rate: Fraction, times: SequenceOf[Fraction] | None) -> "_Clock":
        if times is None:
            return cls(rate, 1 / rate)
        if len(times) < 2 or times[0] != 0 or any(b <= a for a, b in itertools.pairwise(times)):
            raise ExportError("times of pictures must ascend from 0", found=shorten([str(t) for t in times]))
        steps = [time * rate for time in times]
        if all(step.denominator == 1 for step in steps):
            return cls(rate, 1 / rate, tuple(int(step) for step in steps))
        finest = math.lcm(*(time.denominator for time in times))
        tick = Fraction(1, finest if finest <= _FINEST_TICKS else _FINEST_TICKS)
        return cls(rate, tick, tuple(round(time / tick) for time in times))

    def start(self, picture: int) -> int:
        if self.ticks is None:
            return picture
        if picture >= len(self.ticks):
            raise ExportError(
                "there are more pictures than times", found=str(picture), expected=str(len(self.ticks) - 1)
            )
        return self.ticks[picture]


def _write(
    path: Path,
    file: BinaryIO,
    first: Samples,
    pictures: Iterator[Samples],
    clock: _Clock,
    quality: Quality,
    sound: Sound | None,
) -> int:
    count = 0
    sink = _Sink(file)
    with contextlib.ExitStack() as opened:
        if sound is not None:
            opened.callback(sound.close)
        container, stream = _begin(path, sink, first, clock, quality, sound)
        opened.callback(_close_quietly, container)
        for picture in pictures:
            if picture.shape != first.shape:
                raise ExportError(
                    "pictures of a video must be of one size",
                    path=path,
                    found=f"{picture.shape[:2]} after {first.shape[:2]}",
                )
            with _failures_named(path):
                frame = _frame(picture, quality, str(stream.pix_fmt))
                frame.pts, ends = clock.start(count), clock.start(count + 1)
                frame.duration = ends - frame.pts
                frame.time_base = clock.tick
                container.mux(stream.encode(frame))
                if sound is not None:
                    for packet in sound.until(ends * clock.tick):
                        container.mux(packet)
            sink.check()
            count += 1
        with _failures_named(path):
            if sound is not None:
                for packet in sound.rest():
                    container.mux(packet)
            container.mux(stream.encode(None))
            container.close()
        sink.check()
    return count


def _begin(
    path: Path, sink: "_Sink", first: Samples, clock: _Clock, quality: Quality, sound: Sound | None
) -> tuple[OutputContainer, VideoStream]:
    """Open the container with all its streams; where the sound is what it does not take, without that."""
    kind: SoundContainer = "matroska" if quality == "lossless" else "mp4"
    with _failures_named(path):
        container = av.open(sink, "w", format=kind)
    try:
        with _failures_named(path):
            stream = _add_stream(path, container, first, clock, quality)
            if sound is not None:
                sound.begin(container, kind)
            container.start_encoding()
        return container, stream
    except ExportError as error:
        with_sound = len(container.streams) > 1
        _close_quietly(container)
        if sound is None or sink.error is not None or not with_sound:
            raise
        sound.drop(f"its codec does not go into this file ({error.found or error.problem})")
        sink.begin_anew()
        return _begin(path, sink, first, clock, quality, None)
    except BaseException:
        _close_quietly(container)
        raise


def _close_quietly(container: OutputContainer) -> None:
    with contextlib.suppress(*DECODER_ERRORS):
        container.close()


class _Sink:
    """A file for libav that keeps what goes wrong first: libav goes on, and Python would print the rest."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.error = error
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.error = self.error or error
            return -1

    def tell(self) -> int:
        return self._file.tell()

    def begin_anew(self) -> None:
        """Forget what is written."""
        self._file.seek(0)
        self._file.truncate()

    def check(self) -> None:
        """Raise what went wrong."""
        if self.error is not None:
            raise self.error


def _failures_named(path: Path) -> contextlib.AbstractContextManager[None]:
    """Name what the encoder says."""
    return failing_as(lambda error: ExportError("the video cannot be encoded", path=path, found=str(error)))


def _add_stream(
    path: Path, container: OutputContainer, first: Samples, clock: _Clock, quality: Quality
) -> VideoStream:
    name = "ffv1" if quality == "lossless" else "libx264"
    try:
        Codec(name, "w")
    except UnknownCodecError as error:
        raise ExportError(
            f"this installation of PyAV has no encoder {name}",
            path=path,
            advice="Choose another format, or install PyAV from PyPI",
        ) from error
    if quality == "lossless":
        slices = "4" if min(first.shape[:2]) >= 32 else "1"
        options = {"level": "3", "slicecrc": "1", "g": "1", "slices": slices}
    else:
        options = {"crf": str(_CRF[quality]), "preset": "medium"}
    height, width = first.shape[:2]
    with _failures_named(path):
        stream = container.add_stream(name, rate=clock.rate, options=options)
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    if quality == "lossless":
        stream.width, stream.height = width, height
        stream.pix_fmt = "bgr0" if first.dtype == np.uint8 else "gbrp16le"
        context.colorspace, context.color_range = _RGB, ColorRange.JPEG
    else:
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context.colorspace, context.color_range = _BT709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    context.time_base = clock.tick
    return stream


def _frame(picture: Samples, quality: Quality, pixel_format: str) -> VideoFrame:
    if pixel_format == "bgr0":
        frame = VideoFrame(picture.shape[1], picture.shape[0], pixel_format)
        rows = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(frame.height, -1)
        pixels = rows[:, : 4 * frame.width].reshape(frame.height, frame.width, 4)
        pixels[:, :, :3] = _bytes(picture)[:, :, ::-1]
        pixels[:, :, 3] = 0
    elif pixel_format == "gbrp16le":
        levels = np.round(as_values(picture).clip(0, 1) * np.float32(65535))
        frame = VideoFrame.from_ndarray(levels.astype(np.uint16), format="gbrp16le")
    else:
        frame = VideoFrame.from_ndarray(_as_i420(_bytes(picture)), format="yuv420p")
    lossless = quality == "lossless"
    frame.colorspace = _RGB if lossless else _BT709
    frame.color_range = ColorRange.JPEG if lossless else ColorRange.MPEG
    return frame


def _bytes(picture: Samples) -> NDArray[np.uint8]:
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    return np.floor(as_values(picture).clip(0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _as_i420(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn RGB into planes of luma and of chroma at half the sides, one below the other."""
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        height, width = picture.shape[:2]
    whole = cv2.transform(np.ascontiguousarray(picture), _TO_BT709_LIMITED)
    half = cv2.resize(whole[:, :, 1:].copy(), (width, height // 2), interpolation=cv2.INTER_AREA)
    smooth = cv2.filter2D(half, -1, _BESIDE_EACH_SECOND, borderType=cv2.BORDER_REPLICATE)
    chroma = smooth[:, ::2]
    planes = (whole[:, :, 0], chroma[:, :, 0], chroma[:, :, 1])
    return np.concatenate([np.ascontiguousarray(plane).reshape(-1) for plane in planes]).reshape(-1, width)
