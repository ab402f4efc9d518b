"""Which packets of a video are its frames, in which order, and when each is shown.

Strategy: a packet is a frame unless something says otherwise, and its presentation time stamp gives its
place; so packets are read, not decoded. A table of the container replaces even that where frames are stored
in the order in which they are shown. Where packets do not tell (no time stamps with reordered frames, fields
that come one to a packet, time stamps that begin again), one pass decodes and its order is taken.
"""

import itertools
from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import av.logging
import numpy as np

from engine.video.coded_pictures import HIDES_FRAMES, examine_with
from engine.video.container import OpenedVideo, packets_of, tells_early_end

Stamp = tuple[int | None, int]
"""What a packet is known by again: its time stamp and its size in bytes."""
TABLES = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")
"""Containers whose table lists every packet."""
PACKED = ("yuv4mpegpipe", "dv")
"""Containers in which one packet follows another to the end of the file."""


@dataclass
class PacketIndex:
    """The packets of a video in the order of the file. Packets are counted from 0."""

    knows_presentation: bool = True
    """False for AVI: it has no time stamps of presentation, and libav's guess is wrong with B-frames."""
    stamps: list[Stamp] = field(default_factory=list)
    decoding_times: list[int | None] = field(default_factory=list)
    presentation_times: list[int | None] = field(default_factory=list)
    is_key: list[bool] = field(default_factory=list)
    not_shown: set[int] = field(default_factory=set)
    """Packets that give no frame of their own."""
    shown: list[int] = field(default_factory=list)
    """The packet of every frame, in the order in which frames are shown."""
    restarts: bool = False
    """Time stamps go backwards: the file was put together of several."""
    partial_last: bool = False
    """The file ends within a packet, which is left out."""
    ends_early: bool = False
    """The container says that more should follow."""

    def __len__(self) -> int:
        return len(self.stamps)

    def add(self, presentation: int | None, decoding: int | None, size: int, is_key: bool) -> None:
        self.stamps.append(self.stamp(presentation, decoding, size))
        self.presentation_times.append(presentation if self.knows_presentation else None)
        self.decoding_times.append(decoding)
        self.is_key.append(is_key)

    def stamp(self, presentation: int | None, decoding: int | None, size: int) -> Stamp:
        known = presentation is not None and self.knows_presentation
        return (presentation if known else decoding), size

    @cached_property
    def rank_of(self) -> list[int]:
        """The frame that each packet gives; of one that gives none, the next that does."""
        ranks = [len(self.shown)] * (len(self.stamps) + 1)
        for rank, packet in enumerate(self.shown):
            ranks[packet] = rank
        shown = set(self.shown)
        for packet in reversed(range(len(self.stamps))):
            if packet not in shown:
                ranks[packet] = ranks[packet + 1]
        return ranks

    @cached_property
    def by_stamp(self) -> dict[Stamp, int]:
        """Packets whose stamp no other one has."""
        seen: dict[Stamp, int] = {}
        twice = set()
        for packet, stamp in enumerate(self.stamps):
            if seen.setdefault(stamp, packet) != packet:
                twice.add(stamp)
        return {stamp: packet for stamp, packet in seen.items() if stamp not in twice}

    @property
    def loses_times(self) -> bool:
        """Frames are reordered and not even, and only the times of decoding are known: not who waits when."""
        if self.knows_presentation or self.shown == sorted(self.shown):
            return False
        ticks = [tick for packet in self.shown if (tick := self.decoding_times[packet]) is not None]
        return len({b - a for a, b in itertools.pairwise(sorted(ticks))}) > 1

    @property
    def ticks(self) -> int:
        """How many ticks of the clock lie between the first packet and the end of the last."""
        known = [tick for tick in self.decoding_times if tick is not None]
        return max(known) - min(known) + 1 if known else 0

    @cached_property
    def _keys(self) -> tuple[list[int], list[int]]:
        keys = [packet for packet, is_key in enumerate(self.is_key) if is_key]
        keys.sort(key=lambda packet: (self.rank_of[packet], packet))
        return [self.rank_of[packet] for packet in keys], keys

    def key_before(self, rank: int) -> int:
        """Return the key packet from which frame `rank` can be decoded; 0 where none is known."""
        ranks, keys = self._keys
        at = bisect_right(ranks, rank) - 1
        return keys[at] if at >= 0 else 0

    def key_before_key(self, key: int) -> int:
        """Return the key packet before another one; 0 where there is none."""
        earlier = [packet for packet in range(key - 1, -1, -1) if self.is_key[packet]][:1]
        return earlier[0] if earlier else 0

    def leave_out_last(self) -> None:
        """Take the last packet out: the file ends within it."""
        self.partial_last = True
        for column in (self.stamps, self.presentation_times, self.decoding_times, self.is_key):
            column.pop()
        self.not_shown.discard(len(self))

    def show(self, packets: list[int]) -> None:
        """Take these packets for the frames, in the order in which they are shown."""
        shown = set(packets)
        self.shown = packets
        self.not_shown = {packet for packet in range(len(self)) if packet not in shown}

    def leave_out_first(self, count: int) -> None:
        """Take the first frames out: they need data from before the file begins."""
        self.not_shown.update(self.shown[:count])
        del self.shown[:count]
        for name in ("rank_of", "_keys"):
            self.__dict__.pop(name, None)

    def times(
        self, time_base: Fraction, rates: tuple[Fraction, ...]
    ) -> tuple[tuple[int, ...], Fraction, Fraction] | None:
        """Return when frames are shown: ticks from 0, a tick in seconds, and when the first is, in seconds on
        the clock of the file; None where the file does not say.

        Times are rounded to the container's clock; where one of `rates` explains all of them within that,
        they are what it says.
        """
        ticks = [self.presentation_times[packet] for packet in self.shown]
        if None in ticks:
            if self.loses_times:
                return None
            # Without reordering both are the same but for a delay, and with it the order of decoding is even.
            ticks = sorted(
                (self.decoding_times[packet] for packet in self.shown),
                key=lambda tick: (tick is None, tick or 0),
            )
        if self.restarts or not ticks or None in ticks:
            return None
        stamps = np.array(ticks, np.int64)
        if not np.all(np.diff(stamps) > 0):
            return None
        begins_at = int(stamps[0]) * time_base
        times = (stamps - stamps[0]).astype(np.float64) * float(time_base)
        explained = None
        for rate in rates:
            steps = np.round(times * float(rate))
            even = steps / float(rate)
            if np.all(np.diff(steps) > 0) and np.all(np.abs(even - times) < 1.01 * float(time_base)):
                found = tuple(int(step) for step in steps), 1 / rate, begins_at
                if np.all(np.diff(steps) == 1):
                    return found
                explained = explained or found
        return explained or (tuple(int(stamp - stamps[0]) for stamp in stamps), time_base, begins_at)


def read_index(video: OpenedVideo) -> PacketIndex:
    """Read the packets of a video just opened. Where only decoding tells frames, `shown` is empty."""
    return _from_table(video) or _from_packets(video)


def _from_table(video: OpenedVideo) -> PacketIndex | None:
    codec = video.stream.codec_context.codec
    entries = video.stream.index_entries
    if (
        video.container.format.name not in TABLES
        or codec.reorder
        or codec.canonical_name in HIDES_FRAMES
        or not 0 < len(entries) == video.stream.frames
    ):
        return None
    index = PacketIndex(knows_presentation=False)
    end = video.container.size
    for entry in entries:
        if not entry.size:
            return None
        if entry.pos + entry.size > end:
            index.partial_last = True
            break
        index.add(None, entry.timestamp, entry.size, entry.is_keyframe)
        if entry.is_discard:
            index.not_shown.add(len(index) - 1)
    if not index.is_key or not index.is_key[0]:
        return None
    index.shown = [packet for packet in range(len(index)) if packet not in index.not_shown]
    return index


def _from_packets(video: OpenedVideo) -> PacketIndex:
    context = video.stream.codec_context
    examine = examine_with(context.codec.canonical_name, context.extradata)
    index = PacketIndex(knows_presentation=video.container.format.name != "avi")
    sure, corrupt, end = True, False, None

    def at_break() -> None:
        index.ends_early = True

    with av.logging.Capture() as messages:
        for packet in packets_of(video, at_break):
            index.add(packet.pts, packet.dts, packet.size, packet.is_keyframe)
            corrupt = packet.is_corrupt
            end = packet.pos + packet.size if packet.pos is not None else None
            kind = examine(packet)
            sure = sure and kind != "unknown"
            if kind in ("second field", "hidden") or packet.is_discard:
                index.not_shown.add(len(index) - 1)
    index.ends_early |= video.ends_early or tells_early_end(video.container, messages)
    if video.container.format.name in PACKED and end is not None:
        # One of the two fills up a packet that is cut off, the other drops it.
        corrupt |= end > video.container.size
        index.partial_last = end < video.container.size
    if corrupt and len(index) > 1:
        index.leave_out_last()
    index.shown = _order(index, sure, reorders=context.codec.reorder)
    return index


def _order(index: PacketIndex, sure: bool, *, reorders: bool) -> list[int]:
    """Find the packets of frames as they are shown; none where packets do not tell that."""
    frames = [packet for packet in range(len(index)) if packet not in index.not_shown]
    decoding = [tick for tick in index.decoding_times if tick is not None]
    times = [tick for packet in frames if (tick := index.presentation_times[packet]) is not None]
    index.restarts = any(b < a for a, b in itertools.pairwise(decoding))
    if not reorders:
        index.restarts |= any(b <= a for a, b in itertools.pairwise(times))
        return frames
    if not sure or index.restarts or len(times) < len(frames) or len(set(times)) < len(times):
        return []
    return [packet for _, packet in sorted(zip(times, frames, strict=True))]
