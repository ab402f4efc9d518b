"""Videos made for tests, by PyAV, out of pictures that are known."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size

SIZE = Size(48, 128)


def numbered(number: int) -> NDArray[np.uint8]:
    """A picture that shows its number as eight black or white bars, over a lower half in blue."""
    picture = np.zeros((SIZE.height, SIZE.width, 3), np.uint8)
    for bit in range(8):
        picture[:24, bit * 16 : bit * 16 + 16] = 255 * (number >> bit & 1)
    picture[24:, :, 2] = 255
    return picture


def number_in(picture: NDArray[np.generic]) -> int:
    white = 255 if picture.dtype == np.uint8 else 1
    return sum(1 << bit for bit in range(8) if picture[4:20, bit * 16 + 4 : bit * 16 + 12].mean() > white / 2)


def textured(number: int, size: Size = SIZE) -> NDArray[np.uint8]:
    """A picture of smooth noise that moves by a pixel a frame, with its number in it."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (size.height // 4 + 2, size.width // 4 + 200, 3)).astype(float)
    wide = np.repeat(np.repeat(coarse, 4, 0), 4, 1)
    picture = wide[: size.height, number : number + size.width].astype(np.uint8)
    picture[:24] = numbered(number)[:24]
    return picture


HZ = 48_000


def chirp(seconds: float, rate: int = HZ) -> NDArray[np.float32]:
    """A rising tone: every stretch of it sounds like no other."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (300 + 400 * time) * time)).astype(np.float32)


def film(
    path: Path,
    *,
    rate: Fraction = Fraction(25),
    frames: int = 60,
    sounds: Sequence[str] = ("aac",),
    layout: str = "mono",
    times: Sequence[int] | None = None,
    tick: Fraction | None = None,
    sound_from: float = 0.0,
    seconds: float | None = None,
) -> Path:
    """Write numbered frames and a chirp that begins `sound_from` seconds after the first of them."""
    kind = {".mp4": "mp4", ".mkv": "matroska", ".ts": "mpegts"}.get(path.suffix, path.suffix[1:])
    tick = tick or 1 / rate
    length = (frames if times is None else times[-1] + 1) * tick if seconds is None else seconds
    with av.open(str(path), "w", format=kind) as output:
        stream = output.add_stream("libx264", rate=rate, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 128, 48, "yuv420p"
        stream.codec_context.time_base = tick
        tracks = [output.add_stream(codec, rate=HZ, layout=layout) for codec in sounds]
        for place, track in enumerate(tracks):
            assert isinstance(track, av.AudioStream)
            samples = np.tile(chirp(float(length)) * (1 - 0.3 * place), (track.layout.nb_channels, 1))
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = HZ, 0, Fraction(1, HZ)
            shift = round(sound_from * HZ)
            resampler = av.AudioResampler(format=track.format, layout=layout, rate=HZ)
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                part.pts = (part.pts or 0) + shift
                output.mux(track.encode(part))
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(textured(number), format="rgb24").reformat(format="yuv420p")
            picture.pts = number if times is None else times[number]
            picture.time_base = tick
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
        for track in tracks:
            output.mux(track.encode(None))
    return path


def encode(
    path: Path,
    pictures: Sequence[NDArray[np.generic]],
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    *,
    options: dict[str, str] | None = None,
    rate: int = 25,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    container: str | None = None,
    change: Callable[[av.VideoFrame], None] | None = None,
    setup: Callable[[av.VideoStream], None] | None = None,
) -> Path:
    """Write pictures, RGB or already in `pixel_format`; `times` are in units of `time_base`."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        stream.pix_fmt = pixel_format
        first = pictures[0]
        as_rgb = first.ndim == 3 and first.shape[2] == 3
        stream.height, stream.width = first.shape[:2] if as_rgb else _size_of(first, pixel_format)
        if time_base is not None:
            stream.codec_context.time_base = time_base
        if setup is not None:
            setup(stream)
        for at, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24" if as_rgb else pixel_format)
            frame = frame.reformat(format=pixel_format)
            frame.pts = at if times is None else times[at]
            frame.time_base = time_base or Fraction(1, rate)
            if change is not None:
                change(frame)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def _size_of(planes: NDArray[np.generic], pixel_format: str) -> tuple[int, int]:
    height, width = planes.shape[:2]
    return (height * 2 // 3, width) if pixel_format.startswith("yuv420") else (height, width)


def decoded_in_order(path: Path) -> list[NDArray[np.uint8]]:
    """The luma (or green) of every frame by a plain pass of PyAV, one thread, no seeking."""
    frames = []
    with av.open(str(path)) as video:
        video.streams.video[0].codec_context.thread_count = 1
        for frame in video.decode(video=0):
            frames.append(np.asarray(frame.to_ndarray(format="gray"), np.uint8))
    return frames
