"""A video as a source of frames."""

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from engine.decoders import DECODER_ERRORS, failing_as
from engine.errors import FrameError
from engine.findings import Finding
from engine.frame_times import FrameTimes
from engine.geometry import Size, Span
from engine.samples import Samples
from engine.video.clock import clock_of
from engine.video.container import open_video, unreadable
from engine.video.decoding import FrameReader
from engine.video.index import PacketIndex, read_index
from engine.video.oddities import about_count, about_frame, about_rate, about_streams
from engine.video.samples import Conversion, UnknownColoursError, colours_of
from engine.video.sound import Sound, stamp_of

_SAME_RATE = 1e-6


class VideoFrames:
    """Frames of a video as RGB, bytes or with more than 8 bits float32, in any order.

    Safe to read and to close from several threads. Raises FrameError when the file is no video or no frame
    of it can be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._stamp = stamp_of(self._path)
        self._lock = threading.Lock()
        self._conversion = Conversion()
        opened = open_video(self._path)
        try:
            with failing_as(self._unreadable):
                index = read_index(opened)
                time_base, rates = clock_of(opened)
                claimed = opened.stream.frames
                self.sound_tracks: int = len(opened.container.streams.audio)
                """How many tracks of sound the file has."""
                findings = about_streams(opened)
                codec = opened.stream.codec_context.codec.canonical_name
        finally:
            opened.close()
        if not len(index):
            raise unreadable(self._path)
        self._reader: FrameReader | None = FrameReader(self._path, index)
        self._index = index
        try:
            with failing_as(self._unreadable):
                leading, first = self._find_first(self._reader, index)
                self.size = Size(first.height, first.width)
                self._colours = colours_of(first)
                about_first = about_frame(first, self._colours, codec)
        except BaseException:
            self._reader.close()
            raise
        self.bit_depth: int = 16 if self._colours.bits > 8 else 8
        count = len(index.shown)
        told = None if time_base is None else index.times(time_base, rates)
        rate = _average_rate(told, rates)
        about_pace = about_rate(self._path.name, rate)
        if about_pace:
            told = rate = None
        self.frame_rate: Fraction | None = rate
        """Frames a second, exactly; on average where they are not even."""
        self.frame_times: FrameTimes | None = (
            None if told is None or self.frame_rate is None else FrameTimes(*told, self.frame_rate)
        )
        self.times_seconds: NDArray[np.float64] | None = (
            None if told is None else np.array(told[0], np.float64) / float(1 / told[1])
        )
        self.fps: float | None = None if self.frame_rate is None else float(self.frame_rate)
        digits = max(4, len(str(count)))
        self.names = tuple(f"{self._path.stem}_{number:0{digits}d}" for number in range(1, count + 1))
        self.findings: tuple[Finding, ...] = (
            *about_count(self._path.name, claimed - (leading if claimed else 0), count, index, leading),
            *findings,
            *about_pace,
            *about_first,
        )

    def __len__(self) -> int:
        return len(self.names)

    def __del__(self) -> None:
        if getattr(self, "_reader", None) is not None:
            self.close()

    def sound_of(self, frames: Span) -> Sound | None:
        """Return the file's sound from the first of `frames` to the end of the last.

        None where the file has none. Where it cannot be had for these frames, it says so itself.
        """
        if not self.sound_tracks:
            return None
        if self.frame_times is None:
            return Sound(self._path, None, self._stamp)
        return Sound(self._path, self.frame_times.stretch(frames), self._stamp)

    def read(self, index: int) -> Samples:
        """Return frame `index` (H, W, 3) RGB, as it is stored. Raises FrameError."""
        if not 0 <= index < len(self):
            raise FrameError(f"frame {index} of the video does not exist", path=self._path)
        with self._lock:
            if self._reader is None:
                raise FrameError("the video is closed", path=self._path)
            try:
                frame = self._reader.frame(index)
                if frame is None:
                    raise self._damaged(index)
                size = Size(frame.height, frame.width)
                if size != self.size:
                    raise FrameError(
                        f"frame {self.names[index]} of the video has another size than the first",
                        path=self._path,
                        found=str(size),
                        expected=str(self.size),
                        advice="Cut the video where its size changes",
                    )
                samples = self._conversion.samples(frame)
            except FrameError:
                raise
            except DECODER_ERRORS as error:
                # It may have come between a packet and the frames that are predicted from it.
                self._reader.begin_anew()
                if isinstance(error, UnknownColoursError):
                    raise self._unknown_colours(error) from error
                raise self._damaged(index) from error
        if self.bit_depth == 16 and samples.dtype == np.uint8:
            return np.divide(samples, np.float32(255), dtype=np.float32)
        return samples

    def close(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def _find_first(self, reader: FrameReader, index: PacketIndex) -> tuple[int, VideoFrame]:
        """The first frame that can be decoded; those before it that never can be are left out."""
        if not index.shown:
            index.show(reader.order())
            if not index.shown:
                raise unreadable(self._path)
        found = reader.first_frame()
        if found is None:
            raise unreadable(self._path)
        rank, frame = found
        leading = index.rank_of[index.is_key.index(True)] if any(index.is_key) else 0
        if 0 < leading <= rank:
            index.leave_out_first(leading)
            reader.begin_anew()
        else:
            leading = 0
        return leading, frame

    def _damaged(self, index: int) -> FrameError:
        return FrameError(
            f"frame {self.names[index]} of the video is damaged",
            path=self._path,
            advice="Copy the video again, or leave this frame out",
        )

    def _unreadable(self, error: Exception) -> FrameError:
        return (
            self._unknown_colours(error) if isinstance(error, UnknownColoursError) else unreadable(self._path)
        )

    def _unknown_colours(self, error: UnknownColoursError) -> FrameError:
        return FrameError(
            "the video has colours that cannot be turned into RGB",
            path=self._path,
            found=str(error),
            expected="BT.601, BT.709 or BT.2020",
            advice="Convert it to one of these",
        )


def _average_rate(
    times: tuple[tuple[int, ...], Fraction, Fraction] | None, rates: tuple[Fraction, ...]
) -> Fraction | None:
    if times is not None and len(times[0]) > 1 and rates:
        ticks, tick, _ = times
        rate = (len(ticks) - 1) / (ticks[-1] * tick)
        return next((stated for stated in rates if abs(stated / rate - 1) < _SAME_RATE), rate)
    return rates[0] if rates else None
