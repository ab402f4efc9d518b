"""The sound of a video during a stretch of its frames, for a video that is written of these.

Strategy: packets are copied wherever the new container takes their codec, moved so that 0 is the moment of
the first frame. MP4 can begin within a packet: those that decoding needs before come along under times below
0, which its edit list leaves out. Matroska cannot, and begins with the first whole packet. What a container
does not take is decoded, cut to the sample and coded anew. Sound that cannot be had costs the sound, said in
a finding, and never the pictures.
"""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from io import FileIO
from pathlib import Path
from typing import Literal

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard

from engine.decoders import DECODER_ERRORS
from engine.errors import FrameError
from engine.findings import Finding
from engine.video.container import open_container
from engine.video.sound_tracks import MP4_TAKES, CopiedTrack, RecodedTrack, Track

SoundContainer = Literal["mp4", "matroska"]
Stamp = tuple[int, int] | None
_SEEK_MARGIN_S = 2
_SHORT_S = Fraction(1, 4)
"""Sound that ends so much earlier than its file says has been cut off."""
_CHECK = "Check the sound in the video itself, or export without it"


def stamp_of(path: Path) -> Stamp:
    """Return size and time of change of a file, None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


class Sound:
    """All tracks of a file's sound during a stretch; read once, while a video is written."""

    def __init__(self, path: Path, stretch: tuple[Fraction, Fraction] | None, stamp: Stamp) -> None:
        """Take the sound of `path` from one moment to another, in seconds on the clock of the file.

        Without a stretch it is left out, since the video does not say when its frames are shown. `stamp` is
        what the file was when its frames were looked at.
        """
        self._path = path
        self._stretch = stretch
        self._stamp = stamp
        self._tracks: dict[int, Track] = {}
        self._opened: tuple[InputContainer, FileIO] | None = None
        self._packets: Iterator[Packet] = iter(())
        self._reached = Fraction(0)
        self._broke = False
        self.findings: list[Finding] = []
        """What is left out or coded anew, known when all is written."""

    @property
    def length(self) -> Fraction:
        """Seconds of the stretch."""
        return Fraction(0) if self._stretch is None else self._stretch[1] - self._stretch[0]

    def begin(self, output: OutputContainer, kind: SoundContainer) -> None:
        """Open the file and add a stream to `output` for every track of sound that can be had."""
        if self._stretch is None:
            self._leave_out("the video does not say when its frames are shown")
            return
        if stamp_of(self._path) != self._stamp:
            there = self._path.is_file()
            self._leave_out("it has changed since it was opened" if there else "it is no longer there")
            return
        try:
            self._opened = open_container(self._path)
        except FrameError as error:
            self._leave_out(error.problem)
            return
        container = self._opened[0]
        for stream in container.streams:
            track = self._track(stream, output, kind) if isinstance(stream, AudioStream) else None
            if track is None:
                stream.discard = Discard.all
            else:
                self._tracks[stream.index] = track
        self._packets = self._read(container)

    def until(self, seconds: Fraction) -> Iterator[Packet]:
        """Yield packets for the output, up to about a moment after its first frame."""
        while self._tracks and self._reached < seconds:
            packet = next(self._packets, None)
            if packet is None:
                self._reached = max(seconds, self.length)
                return
            track = self._tracks.get(packet.stream_index)
            if track is None or packet.size == 0:
                continue
            yield from track.take(packet)
            if all(one.is_over for one in self._tracks.values()):
                self._packets = iter(())
            elif track.position is not None:
                self._reached = max(self._reached, track.position)

    def rest(self) -> Iterator[Packet]:
        """Yield what is left, and then know the findings."""
        yield from self.until(self.length + 1)
        for track in self._tracks.values():
            yield from track.finish()
        self._tell()

    def drop(self, why: str) -> None:
        """Leave all of it out."""
        self.close()
        self.findings.clear()
        self._leave_out(why)

    def close(self) -> None:
        """Close the file."""
        self._tracks, self._packets = {}, iter(())
        if self._opened is not None:
            container, file = self._opened
            self._opened = None
            with contextlib.suppress(*DECODER_ERRORS):
                container.close()
            file.close()

    # -------------------------------------------------------------- inside

    def _track(self, stream: AudioStream, output: OutputContainer, kind: SoundContainer) -> Track | None:
        assert self._stretch is not None
        context = stream.codec_context
        if context is None or stream.time_base is None or not context.sample_rate:
            self._leave_out("it is coded in a way that is not known", stream)
            return None
        codec = context.codec.canonical_name
        taken = _goes_as_it_is(codec, output, kind)
        try:
            if taken:
                return CopiedTrack(stream, output, self._stretch, may_begin_early=kind == "mp4")
            track = RecodedTrack(stream, output, self._stretch, "aac" if kind == "mp4" else "flac")
        except DECODER_ERRORS as error:
            self._leave_out(f"it cannot be coded anew ({' '.join(str(error).split())[:80]})", stream)
            return None
        container, name = "MP4" if kind == "mp4" else "Matroska", track.codec.upper()
        self.findings.append(
            Finding(
                f"the sound of {self._path.name}{self._which(stream)} is coded anew as {name}: "
                f"{container} does not take {codec}",
                "Export without loss (.mkv) to keep it as it is"
                if kind == "mp4"
                else "Nothing is to be done: FLAC keeps every sample",
            )
        )
        return track

    def _read(self, container: InputContainer) -> Iterator[Packet]:
        assert self._stretch is not None
        streams = [stream for stream in container.streams.audio if stream.index in self._tracks]
        if not streams:
            return
        begin = self._stretch[0] - _SEEK_MARGIN_S
        first = None
        if begin > 0:
            with contextlib.suppress(*DECODER_ERRORS):
                container.seek(int(begin * 1_000_000))
                first = next(container.demux(streams), None)
            late = first is None or first.pts is None or first.time_base is None
            if late or first.pts * first.time_base > self._stretch[0] - 1:  # type: ignore[union-attr,operator]
                first = None
                with contextlib.suppress(*DECODER_ERRORS):
                    container.seek(0)
        if first is not None:
            yield first
        packets = container.demux(streams)
        while True:
            try:
                packet = next(packets, None)
            except DECODER_ERRORS:
                self._broke = True
                return
            if packet is None:
                return
            yield packet

    def _tell(self) -> None:
        """Say what was not all right with each track."""
        assert self._stretch is not None or not self._tracks
        for index, track in self._tracks.items():
            assert self._stretch is not None
            name = f"the sound of {self._path.name}{self._which(track.source)}"
            if track.left_out:
                self.findings.append(
                    Finding(
                        f"{track.left_out} packets of {name} are damaged or without a time, and left out",
                        _CHECK,
                    )
                )
            end = track.position
            if end is not None and track.begins_anew:
                self.findings.append(
                    Finding(
                        f"the first packet of {name} may be faint: Matroska cannot keep what decoding needs "
                        "from before the first frame",
                        "Export as .mp4 where the first hundredths of a second matter",
                    )
                )
            if end is None:
                self.findings.append(
                    Finding(
                        f"{name} has nothing between {float(self._stretch[0]):.3f} and "
                        f"{float(self._stretch[1]):.3f} s: these frames are silent",
                        _CHECK,
                    )
                )
            elif not track.is_over and end < self._claimed(index) - _SHORT_S:
                self.findings.append(
                    Finding(
                        f"{name} breaks off {float(self.length - end):.3f} s before the last frame ends",
                        _CHECK,
                    )
                )

    def _claimed(self, index: int) -> Fraction:
        """Until when a track should have sound, in seconds after the first frame."""
        assert self._stretch is not None
        stream = self._tracks[index].source
        if self._broke:
            return self.length + 1
        if stream.duration is None or stream.time_base is None:
            return Fraction(0)
        ends_at = (stream.start_time or 0) * stream.time_base + stream.duration * stream.time_base
        return min(self.length, ends_at - self._stretch[0])

    def _which(self, stream: AudioStream) -> str:
        """Name a track where there are several."""
        container = stream.container
        several = len(container.streams.audio) > 1
        return f" (track {stream.index})" if several else ""

    def _leave_out(self, why: str, stream: AudioStream | None = None) -> None:
        which = "" if stream is None else self._which(stream)
        self.findings.append(
            Finding(
                f"the sound of {self._path.name}{which} is left out: {why}", "Add it with another program"
            )
        )


def _goes_as_it_is(codec: str, output: OutputContainer, kind: SoundContainer) -> bool:
    return codec in MP4_TAKES if kind == "mp4" else codec in output.supported_codecs
