"""When frames were taken, relative to each other, by what they are called or by the time stamps of a video.

Strategy: a camera takes a frame every so often, so the numbers (or times) of neighbours differ by whole
multiples of one step, and a frame fills the slot of one step. Where they do up to rounding, frames lie on the
grid of the steps; where they do but for jitter, or do not, each lies where its own number says. Numbers that
cannot be times, as they leap by far, are not followed.
"""

import itertools
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.file_names import composed, series_numbers
from engine.findings import NAMES_IN_A_FINDING, counted

WIDEST_GAP_STEPS = 1000
"""Neighbours further apart than this many steps are no neighbours in time."""
JITTER = 0.1
"""Of a step: how far distances may be from whole multiples of it, beside what rounding explains."""
TIME_STAMP_ROUNDING_S = 0.001
"""Matroska and others keep whole milliseconds."""


@dataclass(frozen=True)
class Slots:
    """The slot of each frame, in steps from the start of the first slot."""

    starts: tuple[float, ...]
    lengths: tuple[float, ...]
    steps: float
    """From the start of the first slot to the end of the last, which may be that of a frame not there."""
    how: str
    """How the slots lie and why, as part of a sentence."""

    @property
    def is_even(self) -> bool:
        """One slot follows the other."""
        return self.steps == len(self.starts)


@dataclass(frozen=True)
class _Grid:
    """Values as starts of slots, in steps from the first."""

    starts: tuple[float, ...]
    step: float
    is_regular: bool
    """The starts are whole numbers."""

    @property
    def steps(self) -> float:
        return self.starts[-1] + 1.0

    def slots(self, chosen: Sequence[int], how: str) -> Slots:
        afters = (*self.starts[1:], self.steps)
        lengths = [min(1.0, after - start) for start, after in zip(self.starts, afters, strict=True)]
        return Slots(
            tuple(self.starts[at] for at in chosen), tuple(lengths[at] for at in chosen), self.steps, how
        )


def even_slots(frames: int, but: str = "") -> Slots:
    """Return slots one after another; `but` says what speaks for others."""
    return Slots(tuple(map(float, range(frames))), (1.0,) * frames, frames, f"an even spread, a guess{but}")


def slots_of_times(times_seconds: NDArray[np.float64]) -> Slots:
    """Return the slots of a video's frames by its time stamps, ascending from any zero."""
    frames = len(times_seconds)
    times = [float(time) for time in times_seconds]
    grid = _grid(times, TIME_STAMP_ROUNDING_S)
    if grid is None:
        return even_slots(frames, _not_followed("its time stamps", times))
    if not grid.is_regular:
        return grid.slots(range(frames), "spread by the video's time stamps, which are not even, a guess")
    left_out = round(grid.steps) - frames
    if not left_out:
        return even_slots(frames)
    what = f"{1 / grid.step:.4g} frames a second, {left_out} of them left out"
    return grid.slots(range(frames), f"spread by the video's time stamps ({what}), a guess")


def slots_of_names(names: Sequence[str], others: Sequence[str] = ()) -> Slots:
    """Return the slots of frames by the numbers in their names.

    `others` are the names of frames that were taken too and are not there.
    """
    own = series_numbers(names)
    if own is None or own != sorted(set(own)):
        return even_slots(len(names))
    # Only those that belong to the series tell of it.
    beside = (series_numbers([names[0], name]) for name in others)
    numbers = sorted({*own, *(pair[1] for pair in beside if pair is not None)})
    grid = _grid([float(number - numbers[0]) for number in numbers], 1.0)
    if grid is None:
        return even_slots(len(names), _not_followed("frame numbers", numbers))
    place_of = {number: place for place, number in enumerate(numbers)}
    chosen = [place_of[number] for number in own]
    span = f"{numbers[0]} to {numbers[-1]}"
    if not grid.is_regular:
        return grid.slots(chosen, f"spread by the frames' numbers, {span}, a guess")
    absent = round(grid.steps) - len(own)
    if not absent:
        return even_slots(len(names))
    there = {round(grid.starts[place]) for place in chosen}
    every = (place for place in itertools.count() if place not in there)
    first = list(itertools.islice(every, min(absent, NAMES_IN_A_FINDING)))
    listed = counted([str(numbers[0] + round(place * grid.step)) for place in first], absent)
    return grid.slots(chosen, f"an even spread over frame numbers {span} ({listed} missing), a guess")


def names_beside(names: Sequence[str], references: Sequence[str]) -> tuple[str, ...]:
    """Return the names of references that tell of frames which are not there.

    That is so where every frame has its reference and both are numbered by the same step.
    """
    there = {composed(name) for name in names}
    own, all_numbers = series_numbers(names), series_numbers(references)
    if own is None or all_numbers is None or not there <= {composed(name) for name in references}:
        return ()
    one, other = _step(sorted(set(own))), _step(sorted(set(all_numbers)))
    return tuple(name for name in references if composed(name) not in there) if one == other else ()


def _step(numbers: Sequence[int]) -> float | None:
    grid = _grid([float(number) for number in numbers], 1.0)
    return None if grid is None or not grid.is_regular else grid.step


def _grid(values: Sequence[float], rounding: float) -> _Grid | None:
    """Lay ascending values on a grid; None where they are fewer than two, or cannot be times."""
    apart = [b - a for a, b in itertools.pairwise(values)]
    if not apart or min(apart) <= 0:
        return None
    usual = statistics.median_low(apart)
    if max(apart) > WIDEST_GAP_STEPS * usual:
        return None
    counts = Counter(round(distance / rounding) for distance in apart)
    most = min(counts, key=lambda distance: (-counts[distance], distance)) * rounding
    for step in (most, usual, min(apart)):
        if step <= 0:
            continue
        whole = [round(distance / step) for distance in apart]
        off_step = max(abs(d - count * step) for d, count in zip(apart, whole, strict=True))
        if min(whole) < 1 or off_step > JITTER * step + rounding:
            continue
        steps = list(itertools.accumulate(whole, initial=0))
        mean = (values[-1] - values[0]) / steps[-1]
        off = max(abs(value - values[0] - count * mean) for value, count in zip(values, steps, strict=True))
        if off <= rounding:
            return _Grid(tuple(map(float, steps)), mean, is_regular=True)
        usual = mean
        break
    starts = tuple((value - values[0]) / usual for value in values)
    return _Grid(starts, usual, is_regular=False)


def _not_followed(what: str, values: Sequence[float]) -> str:
    apart = [b - a for a, b in itertools.pairwise(values)]
    if not apart:
        return ""
    return f": {what} leap by {min(apart):g} to {max(apart):g} and are not followed"
