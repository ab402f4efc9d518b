"""The events of a list by their times in planes: which lie in a span, and what they are, some at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.recording.event_clock import Times
from engine.recording.event_store import EVENTS_AT_A_TIME, Events, EventStore
from engine.recording.event_times import PlaneScale

INDEXED_EVENTS = 4096
"""A whole part of `EVENTS_AT_A_TIME`."""
_TIME = frozenset("t")

Exact = Callable[[NDArray[Any]], Times]
"""From times as they are stored to numbers that can be subtracted."""


@dataclass(frozen=True, eq=False)
class TimeIndex:
    """When every so many-th event happened, so that a time is found without reading them all."""

    every: NDArray[np.float64]
    """Planes of events 0, 4096, 8192, …"""
    last: float
    """Plane of the last event."""


class TimedEvents:
    """Events in ascending order of time. Safe to read from several threads."""

    def __init__(self, store: EventStore, exact: Exact, scale: PlaneScale, index: TimeIndex) -> None:
        self._store = store
        self._exact = exact
        self._scale = scale
        self._index = index

    def blocks(
        self, start: float, stop: float, names: frozenset[str] | None = None
    ) -> Iterator[tuple[NDArray[np.float64], Events]]:
        """Yield the events with start <= t < stop by time, some at a time: times in planes, and columns."""
        first, last = self._place(start), self._place(stop)
        for begin in range(first, last, EVENTS_AT_A_TIME):
            events = self._store.read(begin, min(last, begin + EVENTS_AT_A_TIME), names)
            yield self._planes(events), events

    def close(self) -> None:
        self._store.close()

    def _place(self, time: float) -> int:
        """Return the number of events before a time."""
        block = int(np.searchsorted(self._index.every, time))
        if block == 0:
            return 0
        first = (block - 1) * INDEXED_EVENTS
        last = min(self._store.count, first + INDEXED_EVENTS)
        times = self._planes(self._store.read(first, last, _TIME))
        return first + int(np.searchsorted(times, time))

    def _planes(self, events: Events) -> NDArray[np.float64]:
        return self._scale.planes(self._exact(events["t"]))
