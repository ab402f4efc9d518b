"""Event lists: one row a spike, (t, x, y[, p]), with times finer than planes where the file has them."""

import math

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.recording.planes import check_span, pack_planes
from engine.recording.recording import ClosesOnExit, RecordingInfo


class EventRecording(ClosesOnExit):
    """Spikes by time. Safe to read from several threads.

    t_planes: float64 (events,), ascending, in planes; y, x: int32 (events,), row 0 is the first in the
    file. Two spikes of one pixel in one plane are one bit in `packed` and `read`, and two in `events`.
    """

    def __init__(
        self,
        info: RecordingInfo,
        t_planes: NDArray[np.float64],
        y: NDArray[np.int32],
        x: NDArray[np.int32],
        *,
        origin_is_open: bool = False,
    ) -> None:
        self._info = info
        self.origin_is_open = origin_is_open
        """Nothing is in row 0 and column 0, so that both may be counted from 1."""
        self._events: tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]] | None = (
            t_planes,
            info.height - 1 - y if info.flip else y,
            x,
        )

    @property
    def info(self) -> RecordingInfo:
        return self._info

    def events(
        self, start: float, stop: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
        """Return the spikes with start <= t < stop by time: times in planes, rows (top first), columns."""
        if self._events is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        if math.isnan(start) or math.isnan(stop):
            raise ValueError(f"events need a span of times, got [{start}, {stop})")
        t_planes, y, x = self._events
        first, last = np.searchsorted(t_planes, (start, stop))
        chosen = slice(int(first), max(int(first), int(last)))
        return t_planes[chosen], y[chosen], x[chosen]

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        t_planes, y, x = self.events(start, stop)
        planes = np.zeros((stop - start, self._info.height, self._info.width), np.uint8)
        planes[np.floor(t_planes).astype(np.int64) - start, y, x] = 1
        return planes

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) packed, (planes, plane_bytes): made anew at every call."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        packed = np.empty((stop - start, self._info.plane_bytes), np.uint8)
        step = max(1, (16 << 20) // (8 * self._info.plane_bytes))
        for first in range(start, stop, step):
            last = min(stop, first + step)
            packed[first - start : last - start] = pack_planes(self.read(first, last), self._info.flip)
        return packed

    def parts(self) -> tuple[int, ...]:
        """Return (0,): one continuous part."""
        return (0,)

    def close(self) -> None:
        self._events = None
