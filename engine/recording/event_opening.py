"""Open an event list: its size, its orientation, and its times in planes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import GeometryError
from engine.findings import Finding, option
from engine.geometry import Size
from engine.recording.arrays import StoredArray
from engine.recording.claims import check_side
from engine.recording.event_clock import put_in_order
from engine.recording.event_columns import read_columns, read_scalars
from engine.recording.event_origin import KnownSide, Origin, find_origin
from engine.recording.event_times import time_in_planes
from engine.recording.events import EventRecording
from engine.recording.opening import Given, doubt_rate, first_answer
from engine.recording.recording import RecordingInfo, Source
from engine.recording.sidecar import Sidecar

MOST_PIXELS = 1 << 24


def open_events(path: Path, arrays: list[StoredArray], given: Given, sidecar: Sidecar) -> EventRecording:
    """Open the event list among the arrays of a file. Errors as in `engine.recording.open_recording`."""
    columns = read_columns(path, arrays)
    stated = read_scalars(arrays)
    rate_hz, rate_source = first_answer(
        (given.rate_hz, "given"), (stated.get("rate_hz"), "file"), (sidecar.rate_hz, "sidecar")
    )
    clock = put_in_order(columns.t, columns.y, columns.x, path)
    timing = time_in_planes(
        clock, columns.resolution, given.time_unit, columns.unit, rate_hz, rate_source, path
    )
    order = slice(None) if clock.order is None else clock.order
    y, x = columns.y[order], columns.x[order]
    heights, widths = (_known_sides(name, given, stated, sidecar, path) for name in ("height", "width"))
    origin = given.event_origin or find_origin(y, x, heights, widths, given.frame_size)
    y, x = y - origin.row, x - origin.column
    if origin.is_size_from_one:
        heights, widths = ([(value - 1, source) for value, source in known] for known in (heights, widths))
    if origin.size is not None:
        heights.append((origin.size.height, "frames"))
        widths.append((origin.size.width, "frames"))
    height, height_source = _side("height", heights, int(y.max()) + 1, path)
    width, width_source = _side("width", widths, int(x.max()) + 1, path)
    warnings = sidecar.warnings + columns.warnings + clock.warnings + timing.warnings + _about_origin(origin)
    warnings += doubt_rate(timing.rate_hz, timing.rate_source)
    if "bytes" in (height_source, width_source):
        _check_extent(y, x, path)
        warnings += (_about_size(Size(height, width), heights, widths, y, x, origin),)
    flip, flip_source = array_orientation(given, sidecar)
    info = RecordingInfo(
        path=path,
        format="events",
        height=height,
        width=width,
        planes=timing.planes,
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
    )
    return EventRecording(info, timing.t_planes, y, x, origin_is_open=origin.is_open)


def _check_extent(y: NDArray[np.int32], x: NDArray[np.int32], path: Path) -> None:
    """Raise GeometryError where the size that just holds all events is that of no sensor."""
    size = Size(int(y.max()) + 1, int(x.max()) + 1)
    if size.pixels > MOST_PIXELS:
        raise GeometryError(
            "events lie farther apart than the pixels of any sensor",
            path=path,
            found=f"row {size.height - 1} and column {size.width - 1}, half of the {len(y)} events up to row "
            f"{int(np.median(y))} and column {int(np.median(x))}",
            expected=f"at most {MOST_PIXELS} pixels where nobody gives height and width",
            advice="Remove the events whose coordinates are damaged, or give height and width",
        )


def _about_size(
    size: Size,
    heights: list[KnownSide],
    widths: list[KnownSide],
    y: NDArray[np.int32],
    x: NDArray[np.int32],
    origin: Origin,
) -> Finding:
    """Say that a size is only what holds all events, or that events lie outside the one that is said."""
    if heights and widths:
        (height, source), (width, _) = heights[0], widths[0]
        outside = int(np.count_nonzero((y >= height) | (x >= width)))
        return Finding(
            f"{outside} of {len(y)} events lie outside the size of {Size(height, width)} ({source}): "
            f"{size} is taken, which holds them all",
            "Remove them where their coordinates are damaged, or give height and width",
        )
    may_count_from_1 = ", and none is in row 0 and column 0: they may be counted from 1"
    return Finding(
        f"nothing says height and width: {size} just holds all events; rows and columns without any at the "
        f"far edges are unknown{may_count_from_1 if origin.is_open else ''}",
        f"Give {option('height', 'width')}",
    )


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
