"""Whose word counts about the axes of an array of planes.

What the caller gives is obeyed where the array's shape allows it; then the first of a sidecar's and a
layout's sizes that the shape has; then its values, which tell time but not rows from columns. Where nothing
tells, time comes first, then rows. Axes other than these are said in a finding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import GeometryError
from engine.findings import Finding, option
from engine.geometry import Size
from engine.recording.axes import ORDERS, Sample, axes_of, time_axis, transposed
from engine.recording.claims import Claim, check_side
from engine.recording.inference import KNOWN_SIZES
from engine.recording.recording import AxisOrder, Source

OVERRULE = (
    f"Give {option('height', 'width')} where that is wrong, or save the array as (planes, height, width)"
)
LARGEST_USUAL_ASPECT = 3.2


@dataclass(frozen=True)
class SettledAxes:
    """How an array of planes is read."""

    order: AxisOrder
    source: Source
    """Who tells its axes; rows might be columns where that is "bytes" or "unknown"."""
    warnings: tuple[Finding, ...] = ()

    def size(self, shape: tuple[int, int, int]) -> Size:
        _, rows, columns = axes_of(self.order)
        return Size(shape[rows], shape[columns])

    def planes(self, shape: tuple[int, int, int]) -> int:
        return shape[axes_of(self.order)[0]]

    def lying(self, shape: tuple[int, int, int]) -> "SettledAxes":
        """Return the axes with rows for columns, as the frames have them."""
        order = transposed(self.order)
        finding = _said(order, shape, "its picture agrees with the frames so and not the other way")
        return replace(self, order=order, source="bytes", warnings=(finding,))


def settle_axes(
    path: Path,
    shape: tuple[int, int, int],
    height: int | None,
    width: int | None,
    claims: Sequence[Claim],
    sample: Sample,
) -> SettledAxes:
    """Decide which axis of an array is time, which are rows and columns.

    Raises GeometryError where the given height or width is that of no axis.
    """
    height, width = check_side(height, "height", path), check_side(width, "width", path)
    if height is not None or width is not None:
        possible = [order for order in ORDERS if _has(order, shape, height, width)]
        if not possible:
            raise _no_such_side(path, shape, height, width)
        said = " and ".join(
            f"{name} {value}" for name, value in (("height", height), ("width", width)) if value is not None
        )
        return _chosen(shape, possible, "given", f"{said} was given", sample)
    for claim in claims:
        possible = [order for order in ORDERS if _has(order, shape, claim.size.height, claim.size.width)]
        if possible:
            return _chosen(shape, possible, claim.source, f"{claim.by} says {claim.size}", sample)
    time = time_axis(shape, sample)
    if time is None:
        settled = SettledAxes("THW", "unknown")
        return replace(settled, warnings=_doubts(shape))
    order = next(order for order in ORDERS if order.index("T") == time)
    settled = SettledAxes(order, "bytes")
    warnings = _lying(settled.size(shape))
    if order != "THW":
        why = f"pixels fire at the pace of time along axis {time} alone"
        warnings = (_said(order, shape, why), *warnings)
    return replace(settled, warnings=warnings)


def _has(order: AxisOrder, shape: tuple[int, int, int], height: int | None, width: int | None) -> bool:
    _, rows, columns = axes_of(order)
    return height in (None, shape[rows]) and width in (None, shape[columns])


def _chosen(
    shape: tuple[int, int, int], possible: list[AxisOrder], source: Source, why: str, sample: Sample
) -> SettledAxes:
    """Choose among orders that all have the size that was said: by values where time may be either axis."""
    order = possible[0]
    times = sorted({order.index("T") for order in possible})
    if len(times) > 1:
        time = time_axis(shape, sample, times)
        order = next((order for order in possible if order.index("T") == time), order)
    return SettledAxes(order, source, () if order == "THW" else (_said(order, shape, why),))


def _said(order: AxisOrder, shape: tuple[int, int, int], why: str) -> Finding:
    time, rows, columns = axes_of(order)
    return Finding(
        f"the array {shape} is read as ({', '.join(order)}), {shape[time]} planes of "
        f"{Size(shape[rows], shape[columns])}: {why}",
        OVERRULE,
    )


def _doubts(shape: tuple[int, int, int]) -> tuple[Finding, ...]:
    """Say that time may be the last axis where a strip would be the picture otherwise."""
    first, last = Size(shape[1], shape[2]), Size(shape[0], shape[1])
    likelier = last in KNOWN_SIZES and first not in KNOWN_SIZES
    if likelier or (_aspect(first) > LARGEST_USUAL_ASPECT >= _aspect(last)):
        return (
            Finding(
                f"the array {shape} is read as {shape[0]} planes of {first}, although it may be "
                f"{shape[2]} planes of {last}: its values do not tell which axis is time",
                OVERRULE,
            ),
        )
    return _lying(first)


def _lying(size: Size) -> tuple[Finding, ...]:
    other = Size(size.width, size.height)
    if size in KNOWN_SIZES or other not in KNOWN_SIZES:
        return ()
    return (
        Finding(
            f"planes of {size} are those of a camera of {other} lying on its side: rows may be columns",
            f"Give {option('height', 'width', words=f'height {other.height} and width {other.width}')} "
            "where the picture lies on its side",
        ),
    )


def _aspect(size: Size) -> float:
    return max(size.height, size.width) / min(size.height, size.width)


def _no_such_side(
    path: Path, shape: tuple[int, int, int], height: int | None, width: int | None
) -> GeometryError:
    name, value, found = ("height", height, shape[1])
    if height in (None, shape[1]) and width != shape[2]:
        name, value, found = ("width", width, shape[2])
    return GeometryError(
        f"the array has another {name} than was given",
        path=path,
        found=f"{name} {found}, shape {shape}",
        expected=f"{name} {value}",
        advice=f"Leave {option('height', 'width')} out: the file states them.",
    )
