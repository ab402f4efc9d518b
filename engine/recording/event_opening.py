"""Open an event list: its size, its orientation, and its times in planes."""

import math
from pathlib import Path

import numpy as np

from engine.errors import GeometryError
from engine.findings import Finding, option
from engine.geometry import Size
from engine.recording.arrays import StoredArray
from engine.recording.claims import check_side
from engine.recording.event_columns import read_columns, read_scalars
from engine.recording.event_order import in_order
from engine.recording.event_origin import KnownSide, Origin, find_origin
from engine.recording.event_repeats import about_repeats
from engine.recording.event_store import EventStore
from engine.recording.event_times import time_in_planes
from engine.recording.events import EventRecording
from engine.recording.opening import Given, doubt_rate, first_answer
from engine.recording.recording import RecordingInfo, Source
from engine.recording.sidecar import Sidecar
from engine.recording.timed_events import TimedEvents

MOST_PIXELS = 1 << 24


def open_events(path: Path, arrays: list[StoredArray], given: Given, sidecar: Sidecar) -> EventRecording:
    """Open the event list among the arrays of a file. Errors as in `engine.recording.open_recording`."""
    columns = read_columns(path, arrays)
    stated = read_scalars(arrays)
    listed = in_order(columns, path)
    rate_hz, rate_source = first_answer(
        (given.rate_hz, "given"), (stated.get("rate_hz"), "file"), (sidecar.rate_hz, "sidecar")
    )
    timing = time_in_planes(
        listed.beginning, columns.resolution, given.time_unit, columns.unit, rate_hz, rate_source, path
    )
    heights, widths = (_known_sides(name, given, stated, sidecar, path) for name in ("height", "width"))
    least = int(columns.y.lowest), int(columns.x.lowest)
    most = int(columns.y.highest), int(columns.x.highest)
    origin = given.event_origin or find_origin(least, most, heights, widths, given.frame_size)
    last_row, last_column = most[0] - origin.row, most[1] - origin.column
    if origin.is_size_from_one:
        heights, widths = ([(value - 1, source) for value, source in known] for known in (heights, widths))
    if origin.size is not None:
        heights.append((origin.size.height, "frames"))
        widths.append((origin.size.width, "frames"))
    height, height_source = _side("height", heights, last_row + 1, path)
    width, width_source = _side("width", widths, last_column + 1, path)
    warnings = sidecar.warnings + columns.warnings + listed.warnings + timing.warnings + _about_origin(origin)
    warnings += doubt_rate(timing.rate_hz, timing.rate_source) + about_repeats(listed.store)
    if "bytes" in (height_source, width_source):
        _check_extent(Size(last_row + 1, last_column + 1), listed.store, origin, path)
        warnings += (_about_size(Size(height, width), heights, widths, listed.store, origin),)
    flip, flip_source = array_orientation(given, sidecar)
    scale, index = listed.indexed(timing)
    info = RecordingInfo(
        path=path,
        format="events",
        height=height,
        width=width,
        planes=math.floor(index.last) + 1,
        bytes=path.stat().st_size,
        rate_hz=timing.rate_hz,
        clock_start=timing.clock_start,
        flip=flip,
        known_by={
            "height": height_source,
            "width": width_source,
            "planes": "file",
            "rate_hz": timing.rate_source,
            "flip": flip_source,
        },
        warnings=warnings,
        most_a_plane=None,
        polarities=columns.polarities,
        origin_is_open=origin.is_open,
    )
    return EventRecording(
        info, TimedEvents(listed.store, listed.exact, scale, index), origin.row, origin.column
    )


def _check_extent(size: Size, store: EventStore, origin: Origin, path: Path) -> None:
    """Raise GeometryError where the size that just holds all events is that of no sensor."""
    if size.pixels > MOST_PIXELS:
        row, column = _median(store, "y") - origin.row, _median(store, "x") - origin.column
        raise GeometryError(
            "events lie farther apart than the pixels of any sensor",
            path=path,
            found=f"row {size.height - 1} and column {size.width - 1}, half of the {store.count} events up "
            f"to row {int(row)} and column {int(column)}",
            expected=f"at most {MOST_PIXELS} pixels where nobody gives height and width",
            advice="Remove the events whose coordinates are damaged, or give height and width",
        )


def _about_size(
    size: Size,
    heights: list[KnownSide],
    widths: list[KnownSide],
    store: EventStore,
    origin: Origin,
) -> Finding:
    """Say that a size is only what holds all events, or that events lie outside the one that is said."""
    if heights and widths:
        (height, source), (width, _) = heights[0], widths[0]
        outside = sum(
            int(np.count_nonzero((rows["y"] >= height + origin.row) | (rows["x"] >= width + origin.column)))
            for rows in store.blocks(names=frozenset("xy"))
        )
        return Finding(
            f"{outside} of {store.count} events lie outside the size of {Size(height, width)} ({source}): "
            f"{size} is taken, which holds them all",
            "Remove them where their coordinates are damaged, or give height and width",
        )
    may_count_from_1 = ", and none is in row 0 and column 0: they may be counted from 1"
    return Finding(
        f"nothing says height and width: {size} just holds all events; rows and columns without any at the "
        f"far edges are unknown{may_count_from_1 if origin.is_open else ''}",
        f"Give {option('height', 'width')}",
    )


def _median(store: EventStore, name: str) -> float:
    """Return the median of the rows or columns of all events, by how many there are of each."""
    counts = np.zeros(1 << 16, np.int64)
    for rows in store.blocks(names=frozenset(name)):
        counts += np.bincount(rows[name].astype(np.int64), minlength=len(counts))
    upto = np.cumsum(counts)
    low, high = (
        int(np.searchsorted(upto, place, side="right"))
        for place in ((store.count - 1) // 2, store.count // 2)
    )
    return (low + high) / 2


def _about_origin(origin: Origin) -> tuple[Finding, ...]:
    if not (origin.row or origin.column):
        return ()
    places = [name for name, first in (("row", origin.row), ("column", origin.column)) if first]
    return (
        Finding(
            f"{' and '.join(f'{name}s' for name in places)} of the events are counted from 1: none is in "
            f"{' or '.join(f'{name} 0' for name in places)}, and {origin.reason}",
            "Save them counted from 0, with height and width beside them, where they begin otherwise",
        ),
    )


def _known_sides(
    name: str, given: Given, stated: dict[str, float], sidecar: Sidecar, path: Path
) -> list[KnownSide]:
    """Heights or widths that are said, with who says so, whose word counts most first."""
    said: list[tuple[int | None, Source]] = [
        (check_side(getattr(given, name), name, path), "given"),
        (int(stated[name]) if name in stated else None, "file"),
        (None if sidecar.size is None else getattr(sidecar.size, name), "sidecar"),
        (None if given.layout_size is None else getattr(given.layout_size, name), "layout"),
    ]
    return [(value, source) for value, source in said if value is not None]


def _side(name: str, known: list[KnownSide], needed: int, path: Path) -> tuple[int, Source]:
    """Decide the height or width of an event list: what is said, as long as all events are inside."""
    if known and known[0][1] == "given" and known[0][0] < needed:
        raise GeometryError(
            f"events lie outside the given {name}",
            path=path,
            found=f"events up to {needed - 1}",
            expected=f"below {known[0][0]}",
            advice=f"Give {option(name, words=f'a {name} of at least {needed}')}.",
        )
    return next(((value, source) for value, source in known if value >= needed), (needed, "bytes"))


def array_orientation(given: Given, sidecar: Sidecar) -> tuple[bool, Source]:
    """Arrays usually have their top row first, unlike `.dat` files."""
    flip, source = first_answer((given.flip, given.flip_source), (sidecar.flip, "sidecar"))
    return bool(flip), source
