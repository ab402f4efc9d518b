"""One track of sound on its way from a video into another: copied, or coded anew."""

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from types import MappingProxyType

import numpy as np
from av import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from engine.decoders import DECODER_ERRORS

MP4_TAKES = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Codecs that MP4 takes in a way that players know; libav would write others, too."""
_NEEDED_BEFORE = MappingProxyType(
    {"aac": 2, "mp3": 10, "mp2": 1, "ac3": 2, "eac3": 2, "opus": 6, "vorbis": 2}
)
"""Packets without which the next one does not decode to the samples that it has in the whole file: windows
overlap, MP3 keeps bits in earlier frames, and Opus converges within 80 ms (RFC 7845, 4.6)."""
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_MOST_CHANNELS = {"aac": 2, "flac": 8}
_USUAL_LAYOUTS = MappingProxyType({1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"})
_BITS_PER_CHANNEL = 128_000


class Track(ABC):
    """A track of sound; times are counted from the first frame of the video that is written."""

    def __init__(self, source: AudioStream, stretch: tuple[Fraction, Fraction]) -> None:
        self.source = source
        self._start, self._stop = stretch
        assert source.time_base is not None
        self._time_base = source.time_base
        self.position: Fraction | None = None
        """Until when there is sound, in seconds; None where there is none yet."""
        self.is_over = False
        """All of the stretch is there."""
        self.left_out = 0
        """Packets that are damaged, or have no time or one that goes back."""
        self.begins_anew = False

    @abstractmethod
    def take(self, packet: Packet) -> Iterator[Packet]:
        """Yield what follows for the output from a packet of the source."""

    def finish(self) -> Iterator[Packet]:
        """Yield what is still on its way."""
        return iter(())

    def _time_of(self, packet: Packet) -> Fraction | None:
        tick = packet.pts if packet.pts is not None else packet.dts
        if tick is None or packet.is_corrupt:
            self.left_out += 1
            return None
        return tick * self._time_base - self._start


class CopiedTrack(Track):
    """Packets as they are, under times of their own."""

    def __init__(
        self,
        source: AudioStream,
        output: OutputContainer,
        stretch: tuple[Fraction, Fraction],
        *,
        may_begin_early: bool,
    ) -> None:
        """Add a stream to `output`; `may_begin_early` says that it leaves out what has a time below 0."""
        super().__init__(source, stretch)
        self._stream = output.add_stream_from_template(source)
        _tell_about(source, self._stream)
        context = source.codec_context
        self._rate = context.sample_rate
        self._samples = context.frame_size
        needed = _NEEDED_BEFORE.get(context.codec.canonical_name, 0)
        self._early: deque[tuple[Packet, Fraction]] | None = (
            deque(maxlen=needed + 1) if may_begin_early else None
        )
        self.begins_anew = bool(needed) and not may_begin_early
        """Decoding lacks what is before the first packet: its first samples are not the source's."""
        self._sample_bytes = _bytes_of_sample(context.name) * context.layout.nb_channels
        self._begun = False
        self._next: int | None = None
        """Where the packet before ends, in samples."""

    def take(self, packet: Packet) -> Iterator[Packet]:
        at = self._time_of(packet)
        if at is None:
            return
        if at >= self._stop - self._start:
            self.is_over = True
            return
        if packet.is_discard and at >= 0:
            return
        if self._sample_bytes:
            yield from self._cut(packet, at)
            return
        if at < -self._time_base:
            if self._early is not None and not self._begun:
                self._early.append((packet, at))
            return
        if not self._begun:
            self._begun = True
            for earlier, its_time in self._starting(at):
                yield from self._moved(earlier, its_time)
        yield from self._moved(packet, at)

    def finish(self) -> Iterator[Packet]:
        """Yield a packet that lasts longer than the stretch: it began before, and none followed."""
        if self._begun or not self._early:
            return
        packet, at = self._early[-1]
        if at + self._length(packet) > 0:
            self._begun = True
            for earlier, its_time in list(self._early):
                yield from self._moved(earlier, its_time)

    def _cut(self, packet: Packet, at: Fraction) -> Iterator[Packet]:
        """Yield what of a packet of plain samples lies within the stretch, to the sample."""
        first = max(0, -round(at * self._rate))
        last = round((self._stop - self._start - at) * self._rate)
        whole = packet.size // self._sample_bytes
        if first >= min(last, whole):
            return
        if first or last < whole:
            kept = bytes(packet)[first * self._sample_bytes : last * self._sample_bytes]
            packet, at = Packet(kept), at + Fraction(first, self._rate)
        yield from self._moved(packet, at)

    def _starting(self, first: Fraction) -> list[tuple[Packet, Fraction]]:
        """Return the packets before the first one; none where it begins with the stretch and needs none."""
        early = [] if self._early is None else list(self._early)
        needed = (self._early.maxlen or 1) - 1 if self._early is not None else 0
        whole = first <= self._time_base
        return early[-needed:] if whole and needed else ([] if whole else early)

    def _length(self, packet: Packet) -> Fraction:
        if packet.duration:
            return packet.duration * self._time_base
        return Fraction(self._samples, self._rate)

    def _moved(self, packet: Packet, at: Fraction) -> Iterator[Packet]:
        place = round(at * self._rate)
        if self._next is not None and abs(place - self._next) <= max(
            Fraction(1), self._time_base * self._rate
        ):
            place = self._next  # the source's clock is coarser than its samples
        if self._next is not None and place < self._next - self._rate // 100:
            self.left_out += 1
            return
        place = place if self._next is None else max(place, self._next)
        length = self._samples or round((packet.duration or 0) * self._time_base * self._rate)
        if self._sample_bytes:
            length = packet.size // self._sample_bytes
        packet.pts = packet.dts = place
        packet.duration = length
        packet.time_base = Fraction(1, self._rate)
        packet.stream = self._stream
        self._next = place + max(1, length)
        self.position = Fraction(self._next, self._rate)
        yield packet


class RecodedTrack(Track):
    """Sound that is decoded, cut to the sample, and coded anew."""

    def __init__(
        self, source: AudioStream, output: OutputContainer, stretch: tuple[Fraction, Fraction], codec: str
    ) -> None:
        """Add a stream of `codec`, "aac" or "flac", to `output`."""
        super().__init__(source, stretch)
        context = source.codec_context
        self.codec = codec
        rate, layout = context.sample_rate, context.layout.name
        if layout.endswith("channels"):  # AVI and others count them, and do not say where they belong
            layout = _USUAL_LAYOUTS.get(context.layout.nb_channels, "stereo")
        if codec == "aac":
            rate = next((one for one in _AAC_RATES if one >= context.sample_rate), 48_000)
        if context.layout.nb_channels > _MOST_CHANNELS[codec]:
            layout = "stereo"
        if codec == "aac":
            form = "fltp"
        else:
            form = "s16" if context.format.name.rstrip("p") in ("u8", "s16") else "s32"
        self._stream = output.add_stream(codec, rate=rate, layout=layout, format=form)
        assert isinstance(self._stream, AudioStream)
        if codec == "aac":
            self._stream.codec_context.bit_rate = (
                _BITS_PER_CHANNEL * self._stream.codec_context.layout.nb_channels
            )
        _tell_about(source, self._stream)
        self._rate = rate
        self._planar = codec == "aac"
        self._channels = self._stream.codec_context.layout.nb_channels
        self._form, self._layout = form, layout
        self._resampler = AudioResampler(format=form, layout=layout, rate=rate)
        self._wanted = round((self._stop - self._start) * rate)
        self._written = 0
        self._incoming: int | None = None
        """Where the next decoded sample belongs."""

    def take(self, packet: Packet) -> Iterator[Packet]:
        at = self._time_of(packet)
        if at is None or self.is_over:
            return
        if at >= self._stop - self._start:
            self.is_over = True
            return
        try:
            frames = packet.decode()
        except DECODER_ERRORS:
            self.left_out += 1
            return
        for frame in frames:
            if not isinstance(frame, AudioFrame):
                continue
            yield from self._code(frame)

    def finish(self) -> Iterator[Packet]:
        if self.position is not None:
            yield from self._resampled(None)
            yield from self._encode(None)

    def _code(self, frame: AudioFrame) -> Iterator[Packet]:
        if frame.pts is not None and frame.time_base is not None:
            place = round((frame.pts * frame.time_base - self._start) * self._rate)
            drift = None if self._incoming is None else abs(place - self._incoming)
            if drift is None or drift > self._rate // 50:  # else the clock is coarser than the samples
                self._incoming = place
        yield from self._resampled(frame)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Packet]:
        if frame is not None:
            frame.pts = None
        for piece in self._resampler.resample(frame):
            values = piece.to_ndarray() if self._planar else piece.to_ndarray().reshape(-1, self._channels).T
            place = self._incoming or 0
            self._incoming = place + values.shape[1]
            skipped = max(0, self._written - place)
            values = values[:, skipped : max(0, self._wanted - place)]
            if not values.shape[1]:
                continue
            gap = place + skipped - self._written
            if gap > 0:
                values = np.concatenate([np.zeros((len(values), gap), values.dtype), values], axis=1)
            yield from self._encode(values)

    def _encode(self, values: "np.ndarray | None") -> Iterator[Packet]:
        assert isinstance(self._stream, AudioStream)
        if values is None:
            yield from self._stream.encode(None)
            return
        laid = values if self._planar else values.T.reshape(1, -1)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(laid), format=self._form, layout=self._layout)
        frame.sample_rate = self._rate
        frame.pts, frame.time_base = self._written, Fraction(1, self._rate)
        self._written += values.shape[1]
        self.position = Fraction(self._written, self._rate)
        yield from self._stream.encode(frame)


def _bytes_of_sample(codec: str) -> int:
    """Return how many bytes a sample of plain PCM takes; 0 for what cannot be cut anywhere."""
    if codec in ("pcm_alaw", "pcm_mulaw"):
        return 1
    plain = re.fullmatch(r"pcm_[suf](8|16|24|32|64)(le|be)?", codec)
    return int(plain[1]) // 8 if plain else 0


def _tell_about(source: AudioStream, stream: object) -> None:
    """Keep a track's language and title."""
    assert isinstance(stream, AudioStream)
    for key in ("language", "title"):
        if key in source.metadata:
            stream.metadata[key] = source.metadata[key]
