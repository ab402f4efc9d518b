"""Event lists: one row a spike, (t, x, y[, p]), with times finer than planes where the file has them."""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.errors import RecordingError
from engine.geometry import Region, Span
from engine.recording.plane_source import bin_edges, checked_region, recorded, refuse_polarity
from engine.recording.planes import check_span, pack_planes
from engine.recording.recording import ClosesOnExit, Recording, RecordingInfo, Spikes
from engine.recording.timed_events import TimedEvents

_PACKED_BYTES = 16 << 20


class EventRecording(ClosesOnExit):
    """Spikes by time, read from the disk where they are asked for. Safe to read from several threads.

    Two spikes of one pixel in one plane are one bit in `packed` and `read`, and two everywhere else.
    """

    def __init__(self, info: RecordingInfo, events: TimedEvents, first_row: int, first_column: int) -> None:
        """Read `events`, whose file counts rows, as it has them, and columns from 0 or 1."""
        self._info = info
        self._first_row, self._first_column = first_row, first_column
        self._events: TimedEvents | None = events

    @property
    def info(self) -> RecordingInfo:
        return self._info

    @property
    def part_paths(self) -> tuple[Path, ...]:
        """The one file."""
        return (self._info.path,)

    def parts(self) -> tuple[int, ...]:
        """Return (0,): one continuous part."""
        return (0,)

    def counts(
        self,
        window: AlignmentWindow,
        bins: int = 1,
        region: Region | None = None,
        *,
        within: Span | None = None,
        polarity: float | None = None,
    ) -> NDArray[np.float32]:
        """Count the spikes of a window by their own times: float32 (bins, h, w). See `SpikeSource`."""
        region = region or Region.whole(self._info.size)
        height, width = region.size.height, region.size.width
        counts = np.zeros((bins, height * width), np.float32)
        limits = recorded(self._info, within)
        start, stop = max(window.start, limits.start), min(window.stop, limits.stop)
        for spikes in self._blocks(start, stop, region, polarity):
            position = (spikes.times - window.start) / window.length_planes * bins
            pixels = (spikes.rows - region.top).astype(np.int64) * width + (spikes.columns - region.left)
            for index, (first, last) in enumerate(pairwise(bin_edges(position, bins))):
                if first < last:
                    counts[index] += np.bincount(pixels[first:last], minlength=height * width)
        return counts.reshape(bins, height, width)

    def rates(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the number of spikes of each of the planes [start, stop): int64 (planes,)."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        rate = np.zeros(stop - start, np.int64)
        for times, _ in self._opened().blocks(start, stop, frozenset("t")):
            planes = np.floor(times).astype(np.int64) - start
            first = int(planes[0])
            counted = np.bincount(planes - first)
            rate[first : first + len(counted)] += counted
        return rate

    def spikes(
        self, start: float, stop: float, region: Region | None = None, *, polarity: float | None = None
    ) -> Spikes:
        """Return the spikes with start <= t < stop by time, of a region of pixels where one is given."""
        if math.isnan(start) or math.isnan(stop):
            raise ValueError(f"spikes need a span of times, got [{start}, {stop})")
        return Spikes.joined(list(self._blocks(start, stop, region, polarity)))

    def at_pixel(
        self, row: int, column: int, start: float, stop: float, *, polarity: float | None = None
    ) -> NDArray[np.float64]:
        """Return when a pixel fired in start <= t < stop, in planes, ascending."""
        return self.spikes(start, stop, Region(row, column, row + 1, column + 1), polarity=polarity).times

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        planes = np.zeros((stop - start, self._info.height, self._info.width), np.uint8)
        for spikes in self._blocks(start, stop, None, None):
            planes[np.floor(spikes.times).astype(np.int64) - start, spikes.rows, spikes.columns] = 1
        return planes

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) packed, (planes, plane_bytes): made anew at every call."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        self._opened()
        packed = np.empty((stop - start, self._info.plane_bytes), np.uint8)
        step = max(1, _PACKED_BYTES // (8 * self._info.plane_bytes))
        for first in range(start, stop, step):
            last = min(stop, first + step)
            packed[first - start : last - start] = pack_planes(self.read(first, last), self._info.flip)
        return packed

    def as_packed(self) -> Recording:
        return self

    def forget(self, start: int, stop: int) -> None:
        """Nothing is held that could be let go."""

    def close(self) -> None:
        events, self._events = self._events, None
        if events is not None:
            events.close()

    def _opened(self) -> TimedEvents:
        if self._events is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        return self._events

    def _blocks(
        self, start: float, stop: float, region: Region | None, polarity: float | None
    ) -> Iterator[Spikes]:
        """Yield the spikes with start <= t < stop by time, some at a time; none of a block may be left."""
        events = self._opened()
        info = self._info
        if polarity is not None and not info.polarities:
            refuse_polarity(info, polarity)
        for times, columns in events.blocks(start, stop):
            rows = columns["y"].astype(np.int32) - self._first_row
            rows = info.height - 1 - rows if info.flip else rows
            spikes = Spikes(times, rows, columns["x"].astype(np.int32) - self._first_column, columns.get("p"))
            if region is not None and region.size != info.size:
                top, left, bottom, right = checked_region(region, info).edges
                spikes = spikes.chosen(
                    (spikes.rows >= top)
                    & (spikes.rows < bottom)
                    & (spikes.columns >= left)
                    & (spikes.columns < right)
                )
            if polarity is not None and spikes.polarity is not None:
                spikes = spikes.chosen(spikes.polarity == polarity)
            yield spikes
