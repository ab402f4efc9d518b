"""What every recording of planes offers, made of its packed planes."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.bitplanes import Packed, PlaneCounter, count_region, count_spans
from engine.errors import RecordingError
from engine.geometry import Region, Span
from engine.recording.planes import check_span, pack_planes, unpack_planes
from engine.recording.recording import ClosesOnExit, Recording, RecordingInfo, Spikes, SpikeSource

RATE_CHUNK_BYTES = 2 << 20
LISTED_BYTES = 1 << 20
"""Packed planes that single spikes are looked for in at once."""


class PlaneSource(ClosesOnExit):
    """A recording of planes; a format says how they are `packed`."""

    def __init__(self, info: RecordingInfo) -> None:
        self._info = info
        self._counters: list[PlaneCounter] = []
        """Whose scratch memory is free."""

    @property
    def info(self) -> RecordingInfo:
        return self._info

    @property
    def part_paths(self) -> tuple[Path, ...]:
        """The files, in the order of their planes."""
        return (self._info.path,)

    def parts(self) -> tuple[int, ...]:
        """Return (0,): one continuous part."""
        return (0,)

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes) of bits, least significant bit first."""
        raise NotImplementedError

    def as_packed(self) -> Recording:
        return self

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first."""
        return unpack_planes(self.packed(start, stop), self._info.size, self._info.flip)

    def counts(
        self,
        window: AlignmentWindow,
        bins: int = 1,
        region: Region | None = None,
        *,
        within: Span | None = None,
        polarity: float | None = None,
    ) -> NDArray[np.float32]:
        """Count the spikes of a window in equal bins: float32 (bins, h, w). See `SpikeSource`.

        Of a region, of packed files only its bytes are read.
        """
        refuse_polarity(self._info, polarity)
        info = self._info
        region = region or Region.whole(info.size)
        counts = np.empty((bins, region.size.height, region.size.width), np.float32)
        planes = window.planes_of(recorded(info, within))
        position = (np.arange(planes.start, planes.stop) - window.start) / window.length_planes * bins
        edges = planes.start + bin_edges(position, bins)
        spans = [Span(int(first), int(last)) for first, last in pairwise(edges)]
        if region.size == info.size:
            count_spans(self.packed, spans, info.size, info.flip, counts)
        else:
            count_region(self.packed, spans, info.size, info.flip, region, counts)
        return counts

    def rates(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the number of spikes of each of the planes [start, stop): int64 (planes,)."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        step = max(1, RATE_CHUNK_BYTES // self._info.plane_bytes)
        rate = np.empty(stop - start, np.int64)
        try:  # rather than a look first, which another thread may come after
            counter = self._counters.pop()
        except IndexError:
            counter = PlaneCounter(self._info.size, step)
        for first in range(start, stop, step):
            last = min(stop, first + step)
            rate[first - start : last - start] = counter.count(self.packed(first, last))
        self._counters.append(counter)
        return rate

    def spikes(
        self, start: float, stop: float, region: Region | None = None, *, polarity: float | None = None
    ) -> Spikes:
        """Return the spikes of the planes start <= p < stop, of a region of pixels where one is given."""
        refuse_polarity(self._info, polarity)
        info, whole = self._info, Region.whole(self._info.size)
        top, left, bottom, right = (whole if region is None else checked_region(region, info)).edges
        planes = Span(0, 0) if not start < stop else AlignmentWindow(start, stop).planes(info.planes)
        lines = range(info.height - bottom, info.height - top) if info.flip else range(top, bottom)
        first_byte, last_byte = lines[0] * info.width // 8, (lines[-1] * info.width + right + 7) // 8
        step = max(1, LISTED_BYTES // (last_byte - first_byte))
        found: list[tuple[NDArray[np.intp], ...]] = []
        for first in range(planes.start, planes.stop, step):
            packed = self.packed(first, min(planes.stop, first + step))[:, first_byte:last_byte]
            at, bit = np.nonzero(np.unpackbits(packed, axis=1, bitorder="little"))
            row, column = np.divmod(bit + 8 * first_byte, info.width)
            inside = (row >= lines[0]) & (row <= lines[-1]) & (column >= left) & (column < right)
            found.append((first + at[inside], row[inside], column[inside]))
        times, rows, columns = (
            np.concatenate([each[axis] for each in found]) if found else np.zeros(0, np.intp)
            for axis in range(3)
        )
        rows = info.height - 1 - rows if info.flip else rows
        return Spikes(times.astype(np.float64), rows.astype(np.int32), columns.astype(np.int32))

    def at_pixel(
        self, row: int, column: int, start: float, stop: float, *, polarity: float | None = None
    ) -> NDArray[np.float64]:
        """Return the planes start <= p < stop in which a pixel fired, ascending."""
        return self.spikes(start, stop, Region(row, column, row + 1, column + 1), polarity=polarity).times

    def forget(self, start: int, stop: int) -> None:
        """Nothing is held that could be let go."""


def bit_planes(source: SpikeSource) -> Packed:
    """Return how packed planes of a source are read, made of its planes where it has none packed."""
    packed = source.as_packed()
    if packed is not None:
        return packed.packed
    return lambda start, stop: pack_planes(source.read(start, stop), source.info.flip)


def count_planes(source: SpikeSource, planes: Span) -> NDArray[np.uint32]:
    """Count the spikes of some planes of a source, (H, W): the planes with one, where they are packed."""
    info = source.info
    packed = source.as_packed()
    if packed is None:
        if len(planes) == 0:
            return np.zeros((info.height, info.width), np.uint32)
        return source.counts(AlignmentWindow(planes.start, planes.stop))[0].astype(np.uint32)
    counts = np.empty((1, info.height, info.width), np.uint32)
    count_spans(packed.packed, [planes], info.size, info.flip, counts)
    return counts[0]


def recorded(info: RecordingInfo, within: Span | None) -> Span:
    """Return the planes of a recording, those `within` a span where one is given."""
    return Span(0, info.planes) if within is None else within.intersect(Span(0, info.planes))


def bin_edges(position: NDArray[np.floating], bins: int) -> NDArray[np.intp]:
    """Return where bins begin and end, (bins + 1,), in ascending positions that bins are 1 apart in."""
    return np.searchsorted(np.minimum(bins - 1, np.floor(position)), np.arange(bins + 1))


def checked_region(region: Region, info: RecordingInfo) -> Region:
    """Return a region of a recording's pixels. Raises ValueError where it reaches outside."""
    if region.intersect(Region.whole(info.size)) != region:
        raise ValueError(f"{region} reaches outside planes of {info.size}")
    return region


def refuse_polarity(info: RecordingInfo, polarity: float | None) -> None:
    """Raise RecordingError where a polarity is asked for of a recording without any."""
    if polarity is not None:
        raise RecordingError(
            "the spikes of this recording have no polarity",
            path=info.path,
            found=f"a {info.format} recording",
            expected="an event list with p beside t, x, y",
            advice="Ask for no polarity",
        )
