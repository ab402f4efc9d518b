"""Find the columns of an event list.

Columns come as keys of a `.npz`, as fields of a structured array, or as an (N, 3) or (N, 4) array of
t, x, y[, p]. The name of a time may say its unit, as `t_us` does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.findings import Finding
from engine.recording.arrays import StoredArray
from engine.recording.event_clock import exact_times, run_over
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

    t: NDArray[np.generic]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    unit: TimeUnit | None = None
    """What the name of the times says that they count."""
    warnings: tuple[Finding, ...] = ()

    @property
    def resolution(self) -> float:
        """Step between numbers of the stored type at the time farthest from 0; 0 for whole types."""
        return float(np.spacing(max(-self.t.min(), self.t.max()))) if self.t.dtype.kind == "f" else 0.0


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
    """Read the event list of a file. Raises RecordingError where its columns make no sense."""
    warnings: tuple[Finding, ...] = ()
    unit: TimeUnit | None = None
    keyed = _by_keys(arrays)
    if keyed is not None:
        unit = split_unit(keyed["t"].key)[1]
        t, x, y = (keyed[name].load().reshape(-1) for name in "txy")
        p = keyed["p"].load().reshape(-1) if "p" in keyed else None
    else:
        table = _table(arrays)
        assert table is not None, "has_events was not asked"
        rows: NDArray[Any] = table.load()
        if rows.dtype.names:
            fields = _named(rows.dtype.names)
            unit = split_unit(fields["t"])[1]
            t, x, y = (rows[fields[name]] for name in "txy")
            p = rows[fields["p"]] if "p" in fields else None
        else:
            t, x, y, p, warnings = _split(rows)
    lengths = {len(t), len(x), len(y)}
    if len(lengths) > 1:
        raise RecordingError(
            "the columns of the event list differ in length",
            path=path,
            found=f"{len(t)} t, {len(x)} x, {len(y)} y",
        )
    if len(t) == 0:
        raise RecordingError("the event list is empty", path=path, found="0 events")
    if t.dtype.kind not in "iuf" or not np.isfinite(t).all():
        raise RecordingError(
            "times of the event list are not numbers",
            path=path,
            found=f"{int(np.count_nonzero(~np.isfinite(t)))} NaN or infinite of {len(t)}"
            if t.dtype.kind == "f"
            else f"times of {t.dtype}",
        )
    if max(-float(t.min()), float(t.max())) > LATEST_TIME:
        raise RecordingError(
            "times of the event list are beyond any clock",
            path=path,
            found=f"{t.min()} to {t.max()}",
            advice="Copy or save the list again, it may be damaged",
        )
    unwritten = _unwritten_rows(t, x, y)
    if unwritten:
        written = len(t) - unwritten
        t, x, y, p = t[:written], x[:written], y[:written], None if p is None else p[:written]
        warnings += (
            Finding(
                f"the last {unwritten} events are all zeros, as rows that were never written are: "
                "they do not count",
                "Save only the rows that were recorded",
            ),
        )
    if p is not None and len(np.unique(p)) > 1:
        warnings += (
            Finding(
                "events of both polarities are there; every one counts as a spike",
                "Keep those of one polarity where the other are no spikes",
            ),
        )
    return Columns(t, _pixels(path, "x", x), _pixels(path, "y", y), unit, warnings)


def _unwritten_rows(t: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> int:
    """Count the rows of zeros at the end of a list whose times had gone on from 0."""
    if t[-1] != 0 or x[-1] != 0 or y[-1] != 0:
        return 0
    (written,) = np.nonzero((t != 0) | (x != 0) | (y != 0))
    if len(written) == 0 or t[written[-1]] <= 0:
        return 0
    rows = len(t) - 1 - int(written[-1])
    # One may be a spike; no pixel fires twice at the same time.
    return rows if rows > 1 else 0


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


def _split(
    rows: NDArray[np.generic],
) -> tuple[
    NDArray[np.generic],
    NDArray[np.generic],
    NDArray[np.generic],
    NDArray[np.generic] | None,
    tuple[Finding, ...],
]:
    """Take the columns of a table apart: t, x, y[, p], or x, y, t[, p] where only that can be."""
    last = rows[:, 3] if rows.shape[1] == 4 else None
    is_clock = [_is_clock(rows[:, at]) for at in range(3)]
    if is_clock == [False, False, True] and _may_be_pixels(rows[:, 0]):
        warnings = (
            Finding(
                "columns are taken for x, y, t, because only the third one grows steadily",
                "Save them as t, x, y where they are something else",
            ),
        )
        return rows[:, 2], rows[:, 0], rows[:, 1], last, warnings
    return rows[:, 0], rows[:, 1], rows[:, 2], last, ()


def _is_clock(column: NDArray[np.generic]) -> bool:
    """Whether values grow steadily, counters that ran over counted on."""
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        return False
    values = exact_times(column)
    if np.all(values[1:] >= values[:-1]):
        return True
    counter = run_over(values)
    return counter is not None and bool(np.all(counter.times[1:] >= counter.times[:-1]))


def _may_be_pixels(column: NDArray[Any]) -> bool:
    return bool(column.min() >= 0 and column.max() < 1 << 16 and np.all(column == np.floor(column)))


def _pixels(path: Path, name: str, values: NDArray[np.generic]) -> NDArray[np.int32]:
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise RecordingError(f"{name} of the event list are not numbers", path=path, found=str(values.dtype))
    lowest, highest = values.min(), values.max()
    if lowest < 0 or highest >= 1 << 16 or (values.dtype.kind == "f" and np.any(values != np.floor(values))):
        raise RecordingError(
            f"{name} of the event list are not pixels",
            path=path,
            found=f"values from {lowest} to {highest}",
            expected="whole numbers from 0",
            advice="Columns are expected as t, x, y and perhaps p.",
        )
    return values.astype(np.int32)
