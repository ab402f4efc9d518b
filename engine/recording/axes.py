"""Which axis of an array of spikes is time, from its values.

Strategy: look along every axis as if it were time.

1. A pixel that has just fired must charge up again, so along time neighbours fire both (where most fire:
   pause both) far less often than along rows and columns, whose pixels know nothing of each other.
2. Spikes of a pixel come at an even pace: counts of two stretches of time, one after the other, differ less
   than chance would have it, or as much where spikes have no memory. Counts of two rows or columns differ
   by chance and by what the picture shows as well.

Whether rows are columns cannot be told so: a picture turned over its diagonal is as smooth as before.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from engine.recording.recording import AxisOrder

ORDERS: tuple[AxisOrder, ...] = get_args(AxisOrder)

Sample = Callable[[tuple[slice, slice, slice]], NDArray[np.bool_]]
"""Spikes in a box of an array, (a, b, c), its axes in the array's own order."""

_BOX_VALUES = (1 << 19, 1 << 21)
"""A first look, and a second one where the first does not decide."""
_BOX_PLACES = ((0.5, 0.15, 0.85), (0.5, 0.05, 0.95, 0.3, 0.7))
_NOTCH_SHARE = 0.7
_NOTCH_ERRORS = 8.0
_SAME_SHARE = 0.9
"""Where so many neighbours do the same, the array repeats itself: bars, or one picture again and again."""
_ENOUGH_SPIKES = 3.0
_SHORTEST_STRETCH = 4
_EVEN = 0.85
"""Less uneven than this is even, and not chance."""
_EVEN_RATIO = 0.75
_CHANCE_RATIO = 0.4
_LEAST_LEAD = 0.03
_LEAD_ERRORS = 4.5


def axes_of(order: AxisOrder) -> tuple[int, int, int]:
    """Return which axes of an array are time, rows and columns: what to transpose it by."""
    return order.index("T"), order.index("H"), order.index("W")


def transposed(order: AxisOrder) -> AxisOrder:
    """Return the order in which rows are columns."""
    return cast(AxisOrder, order.translate(str.maketrans("HW", "WH")))


@dataclass(frozen=True)
class _AlongAxis:
    """How spikes (pauses, where most pixels fire) follow one another along an axis."""

    pairs_by_chance: float
    """Neighbours that would both fire if they knew nothing of each other."""
    coincidence: float
    """Those that do, 1 being as many."""
    same_share: float
    """Of the spikes that have a neighbour, those whose neighbour fires too."""
    unevenness: float
    """How far counts of neighbouring stretches differ, 1 being as far as chance has it; NaN if too short."""
    error: float
    """One deviation of the unevenness."""


def time_axis(shape: tuple[int, int, int], sample: Sample, axes: Sequence[int] = (0, 1, 2)) -> int | None:
    """Return which of `axes` of an array is time, None where its values do not tell.

    Only some boxes of the array are looked at.
    """
    for most_values, places in zip(_BOX_VALUES, _BOX_PLACES, strict=True):
        boxes = [sample(box) for box in _boxes(shape, most_values, places)]
        found = _decide([_along(boxes, axis) for axis in range(3)], axes)
        if found is not None or math.prod(shape) <= most_values:
            return found
    return None


def _boxes(
    shape: tuple[int, int, int], most_values: int, places: tuple[float, ...]
) -> list[tuple[slice, slice, slice]]:
    """Return boxes about as long one way as another, longer where others are at their end."""
    if math.prod(shape) <= most_values:
        return [(slice(None), slice(None), slice(None))]
    lengths = [1, 1, 1]
    for done, axis in enumerate(sorted(range(3), key=lambda axis: shape[axis])):
        left = most_values / math.prod(lengths)
        lengths[axis] = min(shape[axis], max(2, round(left ** (1 / (3 - done)))))
    boxes = []
    for at in places:
        starts = [round(at * (whole - length)) for whole, length in zip(shape, lengths, strict=True)]
        first, second, third = (
            slice(start, start + length) for start, length in zip(starts, lengths, strict=True)
        )
        boxes.append((first, second, third))
    return boxes


def _along(boxes: list[NDArray[np.bool_]], axis: int) -> _AlongAxis:
    fired = sum(int(np.count_nonzero(box)) for box in boxes)
    values = sum(box.size for box in boxes)
    density = fired / max(1, values)
    rare = density if density <= 0.5 else 1 - density
    both = pairs = 0
    apart = chance = 0.0
    stretches = 0
    length = math.ceil(_ENOUGH_SPIKES / max(rare * (1 - rare), 1e-6))
    for box in boxes:
        lines = np.moveaxis(box, axis, 0)
        if density > 0.5:
            lines = ~lines
        both += int(np.count_nonzero(lines[1:] & lines[:-1]))
        pairs += lines[1:].size
        stretch = min(length, len(lines) // 2)
        if stretch < _SHORTEST_STRETCH:
            continue
        count = len(lines) // stretch
        sums = lines[: count * stretch].reshape(count, stretch, -1).sum(axis=1, dtype=np.float32)
        mean = (sums[1:] + sums[:-1]) / (2 * stretch)
        apart += float(np.square(np.diff(sums, axis=0)).sum(dtype=np.float64))
        chance += float((2 * stretch * mean * (1 - mean)).sum(dtype=np.float64))
        stretches += mean.size
    by_chance = pairs * rare**2
    told = stretches > 0 and chance >= 1
    return _AlongAxis(
        pairs_by_chance=by_chance,
        coincidence=both / by_chance if by_chance > 0 else 1.0,
        same_share=both / max(1.0, pairs * rare),
        unevenness=apart / chance if told else math.nan,
        # Neighbouring pairs share a stretch, and counts of few spikes spread wider.
        error=math.sqrt(2 * (2 + stretches / chance) / stretches) if told else math.inf,
    )


def _decide(along: list[_AlongAxis], axes: Sequence[int]) -> int | None:
    if any(each.same_share >= _SAME_SHARE for each in along):
        return None
    lowest = min(axes, key=lambda axis: along[axis].coincidence)
    usual = min(each.coincidence for axis, each in enumerate(along) if axis != lowest)
    expected = usual * along[lowest].pairs_by_chance
    missing = expected - along[lowest].coincidence * along[lowest].pairs_by_chance
    if along[lowest].coincidence < _NOTCH_SHARE * usual and missing > _NOTCH_ERRORS * math.sqrt(expected):
        return lowest
    told = [axis for axis in axes if not math.isnan(along[axis].unevenness)]
    if len(told) < 2:
        return None
    first, second = sorted(told, key=lambda axis: along[axis].unevenness)[:2]
    least, next_least = along[first].unevenness, along[second].unevenness
    if next_least - least < _LEAST_LEAD + _LEAD_ERRORS * math.hypot(along[first].error, along[second].error):
        return None
    if least < _EVEN:
        return first if least < _EVEN_RATIO * next_least else None
    if len(told) < len(axes):
        return None  # The axis that is too short to tell may be time as well.
    return first if least - 1 < _CHANCE_RATIO * (next_least - 1) else None
