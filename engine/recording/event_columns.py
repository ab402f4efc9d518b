"""Find the columns of an event list and the unit of its times.

Columns come as keys of a `.npz`, as fields of a structured array, or as an (N, 3) or (N, 4) array of
t, x, y[, p]. Nothing in a file says its unit of time; what is plausible is taken and stated.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.findings import Finding
from engine.recording.arrays import StoredArray
from engine.recording.recording import Source
from engine.time_units import SECONDS_IN, TimeUnit

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
NOMINAL_RATE_HZ = 20_000.0
"""Rate of common spike cameras; the length of a plane where times are continuous and nobody says."""
FASTEST_RATE_HZ = 100_000.0
LATEST_FIRST_PLANE = 10_000_000


@dataclass(frozen=True)
class Columns:
    """One event list as it is stored, times in its own unit."""

    t: NDArray[np.generic]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Timing:
    """Times in planes, ascending with `order`, and how that was found."""

    t_planes: NDArray[np.float64]
    order: NDArray[np.intp] | None
    """What sorted them, None where they were sorted."""
    rate_hz: float | None
    rate_source: Source
    warnings: tuple[Finding, ...]


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
    keyed = _by_keys(arrays)
    if keyed is not None:
        t, x, y = (keyed[name].load().reshape(-1) for name in "txy")
        p = keyed["p"].load().reshape(-1) if "p" in keyed else None
    else:
        table = _table(arrays)
        assert table is not None, "has_events was not asked"
        rows: NDArray[Any] = table.load()
        if rows.dtype.names:
            fields = _named(rows.dtype.names)
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
    if p is not None and len(np.unique(p)) > 1:
        warnings += (
            Finding(
                "events of both polarities are there; every one counts as a spike",
                "Keep those of one polarity where the other are no spikes",
            ),
        )
    return Columns(t, _pixels(path, "x", x), _pixels(path, "y", y), warnings)


def time_in_planes(
    t: NDArray[np.generic], unit: TimeUnit | None, rate_hz: float | None, rate_source: Source
) -> Timing:
    """Express times in planes, sorted, plane 0 at time 0 unless that is absurdly far or negative."""
    times = t.astype(np.float64)
    order: NDArray[np.intp] | None = None
    if np.any(times[1:] < times[:-1]):
        order = np.argsort(times, kind="stable")
        times = times[order]
    warnings: tuple[Finding, ...] = ()
    if unit is None:
        unit, reason = _plausible_unit(times)
        warnings += (
            Finding(f"times are taken for {unit}, because {reason}", "Say time_unit if they are not"),
        )
    if unit != "planes":
        times *= SECONDS_IN[unit]
        if rate_hz is None:
            rate_hz = _tick_rate_hz(times)
            rate_source = "bytes"
        if rate_hz is None:
            rate_hz, rate_source = NOMINAL_RATE_HZ, "unknown"
            warnings += (
                Finding(
                    f"nothing says the rate, and times do not fall on ticks: "
                    f"a plane is taken for 1/{NOMINAL_RATE_HZ:.0f} s",
                    "Give rate_hz",
                ),
            )
        times *= rate_hz
        # p / rate_hz × rate_hz, rounded to a file's digits, may fall short of p, into the plane before.
        nearest = np.rint(times)
        off = np.abs(times - nearest)
        on_tick = off <= (0.05 if off.max() <= 0.05 else 1e-6)
        times[on_tick] = nearest[on_tick]
    first_plane = float(np.floor(times[0]))
    if first_plane < 0 or first_plane > LATEST_FIRST_PLANE:
        times -= first_plane
        warnings += (
            Finding(
                f"times start at plane {first_plane:.0f} of their clock; that one is counted as plane 0",
                "Subtract the start from the times where another plane is meant",
            ),
        )
    return Timing(times, order, rate_hz, rate_source if rate_hz is not None else "unknown", warnings)


def _named(names: tuple[str, ...]) -> dict[str, str]:
    return {column: name for column, usual in NAMES.items() for name in names if name.lower() in usual}


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
    if not _is_clock(rows[:, 0]) and _is_clock(rows[:, 2]) and not _is_clock(rows[:, 1]):
        warnings = (
            Finding(
                "columns are taken for x, y, t, because only the third one grows steadily",
                "Save them as t, x, y where they are something else",
            ),
        )
        return rows[:, 2], rows[:, 0], rows[:, 1], last, warnings
    return rows[:, 0], rows[:, 1], rows[:, 2], last, ()


def _is_clock(column: NDArray[np.generic]) -> bool:
    values = column.astype(np.float64)
    return bool(np.all(values[1:] >= values[:-1]))


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


def _plausible_unit(times: NDArray[np.float64]) -> tuple[TimeUnit, str]:
    """Guess the unit of ascending times."""
    span = float(times[-1] - times[0])
    sample = times[: 1 << 20]
    if np.any(sample != np.floor(sample)):
        if span < 1000:
            return "s", f"they have fractions and span {span:g}"
        return "us", f"they have fractions and span {span:g}"
    moments = np.unique(sample)
    covered = float(moments[-1] - moments[0]) + 1
    if len(moments) > 0.1 * covered:
        return "planes", f"{len(moments)} of {covered:.0f} whole numbers are in use"
    return "us", f"only {len(moments)} of {covered:.0f} whole numbers are in use"


def _tick_rate_hz(times: NDArray[np.float64]) -> float | None:
    """Return the rate of the ticks that times in seconds fall on, None where they fall on none."""
    moments = np.unique(times[: 1 << 20])
    steps = np.diff(moments)
    if len(steps) == 0:
        return None
    # Rounding splits a tick into moments closer than any camera's planes.
    steps = steps[steps > 0.1 / FASTEST_RATE_HZ]
    if len(steps) == 0:
        return None
    tick = float(np.median(steps[steps < 1.5 * steps.min()]))
    ticks = steps / tick
    if tick < 1 / FASTEST_RATE_HZ or np.any(
        np.abs(ticks - np.rint(ticks)) > 0.05 * np.maximum(1, ticks / 100)
    ):
        return None
    tick = float(steps.sum() / np.rint(ticks).sum())
    return float(f"{1 / tick:.6g}")
