"""Decode any frame of a video, exactly, and know which ones are damaged.

Strategy: every packet goes to the decoder under its own number instead of its time stamp, so that a
decoded frame says which packet it is. Reading starts at the key packet before a frame and goes on from
there. Decoding with several threads cannot say which packet an error is about: at the first sign of damage
the file is read again with one thread, packet by packet, and what depends on a damaged packet counts as
damaged too.
"""

import contextlib
import os
import re
import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import av
import av.logging
from av.packet import Packet
from av.video.frame import VideoFrame

from engine.decoders import DECODER_ERRORS, MAX_PIXELS
from engine.pictures import jpeg
from engine.video.coded_pictures import is_left_out_of_prediction
from engine.video.container import OpenedVideo, open_video, packets_of
from engine.video.index import PacketIndex

MOST_THREADS = 8
"""Every thread holds a frame or two."""
THREADED = frozenset(
    {"h264", "hevc", "vp9", "av1", "ffv1", "prores", "dnxhd", "huffyuv", "ffvhuff", "utvideo"}
)
"""Codecs that say in a frame's flags, or as an error, when a part of it was made up."""
WALK_FRAMES = 32
"""Frames worth decoding on the way rather than seeking."""
ANCHOR_PACKETS = 64
"""So many packets after a seek are looked at for one that is known."""
_DAMAGE = re.compile(
    r"conceal|corrupt|damag|truncat|overread|lost|missing|mismatch|incomplete|error|premature|invalid", re.I
)
_NO_DAMAGE = re.compile(
    r"mmco|packed b-?frames|non-standard|unable to decode app|first frame is no keyframe|reorder buffer|"
    r"unknown|deprecated|sei type|side data|reinit",
    re.I,
)


class DamageFoundError(Exception):
    """Decoding with threads met damage: only careful decoding tells where."""


class FrameReader:
    """A video opened for reading, its frames found by their place. For one thread at a time."""

    def __init__(self, path: Path, index: PacketIndex, *, careful: bool = False) -> None:
        self._path = path
        self._index = index
        self._opened: OpenedVideo | None = None
        self._careful = careful
        self._damaged: set[int] = set()
        self._packets: Iterator[tuple[int, Packet]]
        self._reset()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def frame(self, rank: int) -> VideoFrame | None:
        """Return the decoded frame, None where it is damaged or does not come."""
        if not self._careful:
            try:
                return self._frame(rank)
            except DamageFoundError:
                self.close()
                self._careful = True
                self._reset()
        return self._frame(rank)

    def first_frame(self) -> tuple[int, VideoFrame] | None:
        """Return the first frame that can be decoded, and its place; None where there is none."""
        if not self._careful:
            try:
                return self._first_frame()
            except DamageFoundError:
                self.close()
                self._careful = True
        return self._first_frame()

    def order(self) -> list[int]:
        """Decode everything, and return the packet of each frame as they come. Damage is passed over."""
        self.close()
        self._reset()
        self._opened = self._open(tolerant=True)
        self._packets = self._numbered(0)
        packets = []
        while not self._drained:
            packets += [frame.pts for frame in self._decoded()[0] if frame.pts is not None]
        self.close()
        self._reset()
        return packets

    def begin_anew(self) -> None:
        """Forget where reading stands: the index has changed."""
        self._begun = False

    # ------------------------------------------------------------------ finding frames

    def _reset(self) -> None:
        self._packets = iter(())
        self._came: deque[tuple[int, VideoFrame]] = deque()
        self._next_rank = 0
        self._fed = -1
        """The last packet that was given to the decoder; -1 before the first, -2 where nothing is begun."""
        self._begun = False
        self._drained = False
        self._started_at = 0
        self._counts_from = 0
        """Messages about earlier packets come from starting between two key packets."""
        self._tainted = False
        self._tainted_before_rank = -1
        self._errors = _errors_so_far()

    def _frame(self, rank: int) -> VideoFrame | None:
        key = self._index.key_before(rank)
        ahead = rank - self._next_rank
        walk = self._begun and ahead >= 0 and (ahead <= WALK_FRAMES or key <= self._fed)
        if not walk:
            self._start(key)
        frame = self._pull(rank)
        if frame is None and self._started_at > 0 and self._index.shown[rank] not in self._damaged:
            # A key packet that did not suffice, as where pictures are refreshed a part at a time.
            self._start(self._index.key_before_key(self._started_at))
            frame = self._pull(rank)
        if frame is None and not self._careful:
            raise DamageFoundError
        return None if self._index.shown[rank] in self._damaged else frame

    def _first_frame(self) -> tuple[int, VideoFrame] | None:
        self._start(0)
        while True:
            while not self._came and not self._drained:
                self._feed()
            if not self._came:
                return None
            number, frame = self._came[0]
            if number not in self._damaged:
                return self._index.rank_of[number], frame
            self._came.popleft()

    def _pull(self, rank: int) -> VideoFrame | None:
        while True:
            while self._came:
                number, frame = self._came[0]
                came = self._index.rank_of[number]
                if came > rank:
                    return None
                self._came.popleft()
                self._next_rank = max(self._next_rank, came + 1)
                if came == rank and self._index.shown[rank] == number:
                    return frame
            if self._drained:
                return None
            self._feed()

    def _feed(self) -> None:
        """Give the decoder one more packet, or tell it that there is none, and keep the frames that come."""
        frames, damaged = self._decoded()
        if damaged and not self._careful:
            raise DamageFoundError
        self._came.extend((frame.pts, frame) for frame in frames if frame.pts is not None)

    def _decoded(self) -> tuple[list[VideoFrame], bool]:
        """Decode one more packet; also say whether something is damaged."""
        opened = self._opened
        assert opened is not None
        number, packet = next(self._packets, (len(self._index), None))
        context = opened.stream.codec_context
        self._fed = number
        self._drained = packet is None
        damaged, stays = False, False
        if packet is not None:
            # Where parts were joined, the counters of transport packets jump though nothing is lost.
            damaged = packet.is_corrupt and not any(self._index.is_key[number + 1 : number + 3])
            stays = context.codec.intra_only or is_left_out_of_prediction(
                context.codec.canonical_name, context.extradata, packet
            )
            damaged |= context.codec.canonical_name == "mjpeg" and _has_zeroed_scan(bytes(packet))
            # The packet's number travels through the decoder in place of its time.
            packet.pts, packet.dts = number, None
        with av.logging.Capture() as messages:
            try:
                frames = context.decode(packet)
            except av.error.EOFError:
                frames = []
            except DECODER_ERRORS:
                frames, damaged = [], True
        broken = {frame.pts for frame in frames if frame.is_corrupt and frame.pts is not None}
        self._damaged.update(broken)
        if self._careful:
            damaged |= any(_tells_damage(context.codec.name, *message) for message in messages)
            if packet is not None:
                self._note(number, damaged, stays)
        return frames, damaged or bool(broken) or _errors_so_far() != self._errors

    def _note(self, number: int, damaged: bool, stays: bool) -> None:
        """Keep which packets are damaged, or are predicted from such."""
        index = self._index
        if number < self._counts_from:
            return
        rank = index.rank_of[number]
        if index.is_key[number]:
            if self._tainted:
                # What is shown before this key packet may still be predicted from before it.
                self._tainted_before_rank = rank
            self._tainted = False
        if damaged or self._tainted or rank < self._tainted_before_rank:
            # A second field spoils the frame of the field before it.
            self._damaged.update({number, number - 1} if number in index.not_shown else {number})
        if damaged and not stays:
            self._tainted = True

    # ------------------------------------------------------------------ finding packets

    def _start(self, key: int) -> None:
        """Put the decoder at a key packet, or before it."""
        begin = self._index.key_before_key(key) if self._careful else key
        opened, self._opened = self._opened, None
        self._reset()
        self._opened = opened
        packets = None if opened is None or begin == 0 else self._seek(opened, begin)
        if packets is None:
            if opened is not None:
                opened.close()
            self._opened = self._open()
            packets = self._numbered(begin)
        self._packets = packets
        self._begun = True
        self._started_at = begin
        self._next_rank = 0 if begin == 0 else self._index.rank_of[begin]
        self._fed = begin - 1
        self._counts_from = key
        self._errors = _errors_so_far()

    def _open(self, *, tolerant: bool = False) -> OpenedVideo:
        opened = open_video(self._path)
        context = opened.stream.codec_context
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        if self._careful or context.codec.canonical_name not in THREADED or threads < 2:
            context.thread_type, context.thread_count = "SLICE", 1
        else:
            context.thread_type, context.thread_count = "FRAME", threads
        if not self._careful and not tolerant and context.codec.canonical_name not in THREADED:
            self._careful = True
        options = {"max_pixels": str(MAX_PIXELS)}
        if not tolerant:
            options["err_detect"] = "crccheck+bitstream+buffer+explode"
        context.options = options
        return opened

    def _numbered(self, begin: int) -> Iterator[tuple[int, Packet]]:
        """Packets from `begin` on, read from the beginning of a file just opened."""
        assert self._opened is not None
        numbers = range(len(self._index))
        for number, packet in zip(numbers, packets_of(self._opened), strict=False):
            if number >= begin:
                yield number, packet

    def _seek(self, opened: OpenedVideo, begin: int) -> Iterator[tuple[int, Packet]] | None:
        """Packets from `begin` on after a seek; None where no seek leads to it or before it."""
        index = self._index
        second = round(1 / opened.stream.time_base) if opened.stream.time_base else 1
        times = [
            tick
            for tick in (index.presentation_times[begin], index.decoding_times[begin])
            if tick is not None
        ]
        if not times or index.restarts:
            return None
        earliest = min(times)
        tried: set[int] = set()
        for tick in (*times, earliest - second, earliest - 8 * second):
            if tick in tried:
                continue
            tried.add(tick)
            try:
                opened.container.seek(tick, stream=opened.stream)
                packets = self._anchored(packets_of(opened), begin)
            except DECODER_ERRORS:
                return None
            if packets is not None:
                return packets
        return None

    def _anchored(self, packets: Iterator[Packet], begin: int) -> Iterator[tuple[int, Packet]] | None:
        """Number the packets after a seek, by one that is known again."""
        index = self._index
        for _ in range(ANCHOR_PACKETS):
            packet = next(packets, None)
            if packet is None:
                return None
            number = index.by_stamp.get(index.stamp(packet.pts, packet.dts, packet.size))
            if number is None:
                continue
            if number > begin:
                return None
            while number < begin:
                packet = next(packets, None)
                number += 1
                if packet is None or not self._is(packet, number):
                    return None
            return self._checked(packet, number, packets)
        return None

    def _checked(
        self, packet: Packet | None, number: int, packets: Iterator[Packet]
    ) -> Iterator[tuple[int, Packet]]:
        while packet is not None and number < len(self._index):
            if not self._is(packet, number):
                return  # what follows is not what the index says: its frames do not come
            yield number, packet
            packet = next(packets, None)
            number += 1

    def _is(self, packet: Packet, number: int) -> bool:
        stamp = self._index.stamp(packet.pts, packet.dts, packet.size)
        return stamp == self._index.stamps[number]


def _has_zeroed_scan(packet: bytes) -> bool:
    """Whether a JPEG has lost a sector, of which its decoder says nothing."""
    with contextlib.suppress(struct.error, IndexError):  # a picture whose markers lead nowhere
        try:
            jpeg.check_scans(packet)
        except ValueError:
            return True
    return False


def _errors_so_far() -> int:
    return av.logging.get_last_error()[0]


def _tells_damage(codec: str, level: int, name: str, message: str) -> bool:
    """Whether what a decoder says means that a picture is not what was stored."""
    if name != codec or _NO_DAMAGE.search(message):
        return False
    if level <= av.logging.ERROR or "conceal" in message:
        return True
    return level <= av.logging.WARNING and _DAMAGE.search(message) is not None
