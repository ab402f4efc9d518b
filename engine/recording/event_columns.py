"""Find the columns of an event list.

Columns come as keys of a `.npz`, as fields of a structured array, or as an (N, 3) or (N, 4) array of
t, x, y[, p]. The name of a time may say its unit, as `t_us` does. They stay in their file.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.findings import Finding
from engine.recording.arrays import StoredArray
from engine.recording.event_clock import exact_times, run_over
from engine.recording.event_facts import ColumnFacts, facts_of, may_run_over
from engine.recording.event_store import EVENTS_AT_A_TIME, Events, EventStore, columns_of, rows_of
from engine.time_units import TimeUnit, split_unit

NAMES = {
    "t": ("t", "ts", "time", "times", "timestamp", "timestamps"),
    "x": ("x", "xs", "col", "cols", "column", "columns"),
    "y": ("y", "ys", "row", "rows"),
    "p": ("p", "ps", "pol", "polarity", "polarities"),
}
SCALARS = {
    "height": ("height", "spike_h"),
    "width": ("width", "spike_w"),
    "rate_hz": ("rate_hz", "spike_rate_hz"),
}
LATEST_TIME = 2.0**100
"""Beyond any clock; times below it can be subtracted and multiplied without overflow."""


@dataclass(frozen=True)
class Columns:
    """One event list as it is stored, times in its own unit."""

    store: EventStore
    t: ColumnFacts
    x: ColumnFacts
    y: ColumnFacts
    unit: TimeUnit | None = None
    """What the name of the times says that they count."""
    polarities: tuple[float, ...] = ()
    """Values of p; empty where there is none, or it is not one of a few numbers."""
    warnings: tuple[Finding, ...] = ()

    @property
    def resolution(self) -> float:
        """Step between numbers of the stored type at the time farthest from 0; 0 for whole types."""
        dtype = self.store.dtype("t")
        return float(np.spacing(max(-self.t.lowest, self.t.highest))) if dtype.kind == "f" else 0.0


def has_events(arrays: list[StoredArray]) -> bool:
    """Return whether the arrays of a file look like an event list."""
    return _by_keys(arrays) is not None or _table(arrays) is not None


def read_scalars(arrays: list[StoredArray]) -> dict[str, float]:
    """Return height, width and rate_hz where the file states them beside its events."""
    found: dict[str, float] = {}
    for name, keys in SCALARS.items():
        for array in arrays:
            if array.key in keys and array.shape in ((), (1,)) and array.dtype.kind in "iuf":
                found[name] = float(np.asarray(array.load()).reshape(-1)[0])
    return found


def read_columns(path: Path, arrays: list[StoredArray]) -> Columns:
    """Find the event list of a file. Raises RecordingError where its columns make no sense."""
    warnings: tuple[Finding, ...] = ()
    unit: TimeUnit | None = None
    keyed = _by_keys(arrays)
    if keyed is not None:
        unit = split_unit(keyed["t"].key)[1]
        count = _common_length(path, {name: math.prod(array.shape) for name, array in keyed.items()})
        store = columns_of(keyed, count, path)
    else:
        table = _table(arrays)
        assert table is not None, "has_events was not asked"
        if table.shape[0] == 0:
            raise _empty(path)
        fields = _named(table.dtype.names or ())
        if fields:
            unit = split_unit(fields["t"])[1]
            store = rows_of(table, fields)
        else:
            store, warnings = _split(table)
    return _checked(path, store, unit, warnings)


def _common_length(path: Path, lengths: dict[str, int]) -> int:
    if len(set(lengths.values())) > 1:
        raise RecordingError(
            "the columns of the event list differ in length",
            path=path,
            found=", ".join(f"{lengths[name]} {name}" for name in "txyp" if name in lengths),
        )
    if lengths["t"] == 0:
        raise _empty(path)
    return lengths["t"]


def _empty(path: Path) -> RecordingError:
    return RecordingError("the event list is empty", path=path, found="0 events")


def _checked(path: Path, store: EventStore, unit: TimeUnit | None, warnings: tuple[Finding, ...]) -> Columns:
    """Look at all events once, twice where the last of them were never written."""
    facts = facts_of(store)
    t = facts["t"]
    if not t.is_number or t.not_finite:
        raise RecordingError(
            "times of the event list are not numbers",
            path=path,
            found=f"{t.not_finite} NaN or infinite of {store.count}"
            if t.dtype.kind == "f"
            else f"times of {t.dtype}",
        )
    if max(-float(t.lowest), float(t.highest)) > LATEST_TIME:
        raise RecordingError(
            "times of the event list are beyond any clock",
            path=path,
            found=f"{t.lowest} to {t.highest}",
            advice="Copy or save the list again, it may be damaged",
        )
    unwritten = _unwritten_rows(store)
    if unwritten:
        store = store.first(store.count - unwritten)
        facts = facts_of(store)
        warnings += (
            Finding(
                f"the last {unwritten} events are all zeros, as rows that were never written are: "
                "they do not count",
                "Save only the rows that were recorded",
            ),
        )
    if "p" in facts and len(facts["p"].values) > 1:
        warnings += (
            Finding(
                "events of both polarities are there; every one counts as a spike",
                "Keep those of one polarity where the other are no spikes",
            ),
        )
    for name in "xy":
        _check_pixels(path, name, facts[name])
    polarities = facts["p"].few_values if "p" in facts else ()
    return Columns(store, facts["t"], facts["x"], facts["y"], unit, polarities, warnings)


def _unwritten_rows(store: EventStore) -> int:
    """Count the rows of zeros at the end of a list whose times had gone on from 0."""
    names = frozenset("txy")

    def written(rows: Events) -> NDArray[np.intp]:
        return np.flatnonzero((rows["t"] != 0) | (rows["x"] != 0) | (rows["y"] != 0))

    last = store.count - 1
    if len(written(store.read(last, last + 1, names))):
        return 0
    for stop in range(store.count, 0, -EVENTS_AT_A_TIME):
        start = max(0, stop - EVENTS_AT_A_TIME)
        block = store.read(start, stop, names)
        found = written(block)
        if len(found):
            if block["t"][found[-1]] <= 0:
                return 0
            rows = last - start - int(found[-1])
            # One may be a spike; no pixel fires twice at the same time.
            return rows if rows > 1 else 0
    return 0


def _named(names: tuple[str, ...]) -> dict[str, str]:
    """Return the names of the columns by what they hold; those of a time may end in its unit."""
    found = {column: name for column, usual in NAMES.items() for name in names if name.lower() in usual}
    if "t" not in found:
        times = [name for name in names if split_unit(name.lower())[0] in NAMES["t"]]
        found |= {"t": times[0]} if times else {}
    return found


def _by_keys(arrays: list[StoredArray]) -> dict[str, StoredArray] | None:
    by_key = {array.key: array for array in arrays}
    found = {column: by_key[key] for column, key in _named(tuple(by_key)).items()}
    flat = all(
        array.dtype.names is None and np.prod(array.shape) == max(array.shape, default=0)
        for array in found.values()
    )
    return found if {"t", "x", "y"} <= set(found) and flat else None


def _table(arrays: list[StoredArray]) -> StoredArray | None:
    for array in arrays:
        if array.dtype.names:
            if len(array.shape) == 1 and {"t", "x", "y"} <= set(_named(array.dtype.names)):
                return array
        elif len(array.shape) == 2 and array.shape[1] in (3, 4) and array.dtype.kind in "iuf":
            return array
    return None


def _split(table: StoredArray) -> tuple[EventStore, tuple[Finding, ...]]:
    """Take the columns of a table apart: t, x, y[, p], or x, y, t[, p] where only that can be."""
    last: dict[str, str | int] = {"p": 3} if table.shape[1] == 4 else {}
    store = rows_of(table, {"t": 0, "x": 1, "y": 2} | last)
    facts = facts_of(store)
    is_clock = [_is_clock(store, name, facts[name]) for name in "txy"]
    if is_clock == [False, False, True] and _may_be_pixels(facts["t"]):
        warnings = (
            Finding(
                "columns are taken for x, y, t, because only the third one grows steadily",
                "Save them as t, x, y where they are something else",
            ),
        )
        return store.renamed({"t": "x", "x": "y", "y": "t", "p": "p"}), warnings
    return store, ()


def _is_clock(store: EventStore, name: str, facts: ColumnFacts) -> bool:
    """Whether values grow steadily, counters that ran over counted on."""
    if facts.not_finite:
        return False
    if facts.ascends:
        return True
    if not may_run_over(facts):
        return False
    values = exact_times(store.column(name))
    if np.all(values[1:] >= values[:-1]):
        return True
    counter = run_over(values)
    return counter is not None and bool(np.all(counter.times[1:] >= counter.times[:-1]))


def _may_be_pixels(facts: ColumnFacts) -> bool:
    return not facts.not_finite and facts.lowest >= 0 and facts.highest < 1 << 16 and facts.is_whole


def _check_pixels(path: Path, name: str, facts: ColumnFacts) -> None:
    if not facts.is_number or facts.not_finite:
        raise RecordingError(f"{name} of the event list are not numbers", path=path, found=str(facts.dtype))
    if facts.lowest < 0 or facts.highest >= 1 << 16 or not facts.is_whole:
        raise RecordingError(
            f"{name} of the event list are not pixels",
            path=path,
            found=f"values from {facts.lowest} to {facts.highest}",
            expected="whole numbers from 0",
            advice="Columns are expected as t, x, y and perhaps p.",
        )
