"""Bring an event list into the order of time, and find when its events happened.

Strategy: a list that is in order stays where it is. Another is put in order once, in memory, and written to a
scratch file; from then on it is read from there, some events at a time.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from engine.findings import Finding
from engine.recording.event_clock import Clock, exact_times, put_in_order
from engine.recording.event_columns import Columns
from engine.recording.event_store import EVENTS_AT_A_TIME, Events, EventStore, scratch_store
from engine.recording.event_times import SAMPLED, Beginning, PlaneScale, Timing, tick_tolerance
from engine.recording.timed_events import INDEXED_EVENTS, Exact, TimeIndex

_TIME = frozenset("t")


@dataclass(frozen=True)
class OrderedEvents:
    """Events in ascending order of time."""

    store: EventStore
    exact: Exact
    """From times as they are stored to numbers that can be subtracted."""
    has_run_over: bool = False
    warnings: tuple[Finding, ...] = ()

    @property
    def beginning(self) -> Beginning:
        """What tells what the times count."""
        count = self.store.count
        first = self.store.read(0, min(count, SAMPLED), _TIME)
        last = self.store.read(count - 1, count, _TIME)
        return Beginning(self.exact(first["t"]), self.exact(last["t"])[0], count, self.has_run_over)

    def indexed(self, timing: Timing) -> tuple[PlaneScale, TimeIndex]:
        """Look at all times; return how they become planes, rounded ones put on ticks, and their index."""
        scale, farthest = timing.scale, 0.0
        every: list[np.ndarray] = []
        planes = np.zeros(0)
        for events in self.store.blocks(names=_TIME):
            planes = scale.exact_planes(self.exact(events["t"]))
            every.append(planes[::INDEXED_EVENTS].copy())  # a view would keep them all
            if timing.may_miss_ticks:
                farthest = max(farthest, float(np.abs(planes - np.rint(planes)).max()))
        if timing.may_miss_ticks:
            scale = dataclasses.replace(scale, on_ticks_within=tick_tolerance(farthest))
        on_ticks = scale.put_on_ticks(np.concatenate([*every, planes[-1:]]))
        return scale, TimeIndex(on_ticks[:-1], float(on_ticks[-1]))


def in_order(columns: Columns, path: Path) -> OrderedEvents:
    """Return the events of a list by time. Raises RecordingError where its clock was set back."""
    store, t = columns.store, columns.t
    if t.ascends:
        return OrderedEvents(store, partial(exact_times, lowest=t.lowest, highest=t.highest))
    y, x = (store.column(name).astype(np.int32) for name in "yx")
    clock = put_in_order(store.column("t"), y, x, path)
    del y, x
    ordered = scratch_store(_reordered(store, clock), store.count, path)
    store.close()
    return OrderedEvents(ordered, _as_they_are, clock.has_run_over, clock.warnings)


def _reordered(store: EventStore, clock: Clock) -> Iterator[Events]:
    others = {name: store.column(name) for name in sorted(store.names - _TIME)}
    for start in range(0, store.count, EVENTS_AT_A_TIME):
        chosen = slice(start, min(store.count, start + EVENTS_AT_A_TIME))
        order = chosen if clock.order is None else clock.order[chosen]
        yield {"t": clock.times[chosen]} | {name: column[order] for name, column in others.items()}


def _as_they_are(times: np.ndarray) -> np.ndarray:
    return times
