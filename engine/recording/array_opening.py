"""Open `.npy` and `.npz` files: unpacked planes, or an event list."""

import math
from pathlib import Path

from engine.errors import GeometryError, RecordingError
from engine.findings import Finding
from engine.geometry import Size
from engine.recording.arrays import StoredArray, list_arrays
from engine.recording.claims import check_side
from engine.recording.event_columns import has_events, read_columns, read_scalars, time_in_planes
from engine.recording.events import EventRecording
from engine.recording.opening import Given, first_answer
from engine.recording.plane_opening import open_planes, plane_array
from engine.recording.recording import Recording, RecordingInfo, Source
from engine.recording.sidecar import Sidecar, find_sidecar


def open_array(path: Path, head: bytes, given: Given) -> Recording:
    """Open one `.npy` or `.npz` file whose first bytes are `head`."""
    arrays = list_arrays(path, head)
    sidecar = find_sidecar(path)
    planes = plane_array(arrays)
    if planes is not None:
        return open_planes(planes, given, sidecar)
    if has_events(arrays):
        return _open_events(path, arrays, given, sidecar)
    raise RecordingError(
        "neither planes nor events are in this file",
        path=path,
        found=", ".join(f"{array.key or 'array'} {array.shape} {array.dtype}" for array in arrays[:6]),
        expected="an array (planes, H, W), under the key spk where there are several, or events t, x, y[, p]",
    )


def _orientation(given: Given, sidecar: Sidecar) -> tuple[bool, Source]:
    """Arrays usually have their top row first, unlike `.dat` files."""
    flip, source = first_answer((given.flip, given.flip_source), (sidecar.flip, "sidecar"))
    return bool(flip), source


def _open_events(path: Path, arrays: list[StoredArray], given: Given, sidecar: Sidecar) -> EventRecording:
    columns = read_columns(path, arrays)
    stated = read_scalars(arrays)
    rate_hz, rate_source = first_answer(
        (given.rate_hz, "given"), (stated.get("rate_hz"), "file"), (sidecar.rate_hz, "sidecar")
    )
    timing = time_in_planes(columns.t, given.time_unit, rate_hz, rate_source)
    order = slice(None) if timing.order is None else timing.order
    y, x = columns.y[order], columns.x[order]
    least = Size(int(y.max()) + 1, int(x.max()) + 1)
    height, height_source = _side(
        "height", given.height, stated, sidecar.size, given.layout_size, least, path
    )
    width, width_source = _side("width", given.width, stated, sidecar.size, given.layout_size, least, path)
    warnings = sidecar.warnings + columns.warnings + timing.warnings
    if "bytes" in (height_source, width_source):
        warnings += (
            Finding(
                f"nothing says height and width: {Size(height, width)} just holds all events; "
                "rows and columns without any at the far edges are unknown",
                "Give height and width",
            ),
        )
    flip, flip_source = _orientation(given, sidecar)
    info = RecordingInfo(
        path=path,
        format="events",
        height=height,
        width=width,
        planes=math.floor(timing.t_planes[-1]) + 1,
        bytes=path.stat().st_size,
        rate_hz=timing.rate_hz,
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
    return EventRecording(info, timing.t_planes, y, x)


def _side(
    name: str,
    given: int | None,
    stated: dict[str, float],
    sidecar: Size | None,
    layout: Size | None,
    least: Size,
    path: Path,
) -> tuple[int, Source]:
    """Decide the height or width of an event list: what is said, as long as all events are inside."""
    needed: int = getattr(least, name)
    given = check_side(given, name, path)
    if given is not None and given < needed:
        raise GeometryError(
            f"events lie outside the given {name}",
            path=path,
            found=f"events up to {needed - 1}",
            expected=f"below {given}",
            advice=f"Give a {name} of at least {needed}.",
        )
    said: list[tuple[int | None, Source]] = [
        (given, "given"),
        (int(stated[name]) if name in stated else None, "file"),
        (None if sidecar is None else getattr(sidecar, name), "sidecar"),
        (None if layout is None else getattr(layout, name), "layout"),
    ]
    for value, source in said:
        if value is not None and value >= needed:
            return value, source
    return needed, "bytes"
