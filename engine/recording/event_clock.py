"""The clock of an event list: what it means where times go back.

Strategy: times that go back are one of four things, told apart by how far and how often they go back, and
by whether the events of one pixel do so too.
- Events in another order than time's (pixel by pixel, polarity by polarity, as rows are read out, packets
  that overlap a little): no pixel's own times go back, or none goes far, and sorting is right.
- A counter that ran over: the step back is as long as the counter's range, less the time between two events.
- No order at all: steps back of all lengths all over the file, and sorting is right.
- A clock that was set back, or recordings one after the other: nobody knows when the later events were.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.findings import Finding

COUNTER_BITS = (16, 20, 24, 28, 30, 31, 32, 40, 48)
COUNTER_SCALES = (1.0, 1e-3, 1e-6, 1e-9)
"""What programs multiply a counter of µs or ns with before they store it as real numbers."""
PAUSE_STEPS = 4
"""A counter runs over between two events: within this many times the longest step forward elsewhere."""
LONGEST_PAUSE = 1 / 1024
"""Of its range, for counters of 31 bits and more: hardly anything else steps back that far."""
ENDS_OF_COUNTER = 1 / 16
"""All times lie within this share of a counter's range, on both sides of its end."""
FEW_TICKS = 16
FAR_BACK = 1 / 20
"""Of the list's span: a step that packets and read-out do not make."""
NO_ORDER = 1 / 20
"""Share of steps that go far back where the order of events means nothing; and more than two of them."""
COMMON = 1 / 100
"""Share of steps that go back where events are unordered all over the file and not at a few places."""

Times = NDArray[Any]
"""int64 or float64 (events,)."""


@dataclass(frozen=True)
class Clock:
    """Times in ascending order."""

    times: Times
    order: NDArray[np.intp] | None
    """What put them in order, None where they were."""
    has_run_over: bool = False
    """The clock is a counter whose zero means nothing."""
    warnings: tuple[Finding, ...] = ()


def exact_times(t: NDArray[Any], lowest: Any = None, highest: Any = None) -> Times:
    """Return times of a whole type as int64, so that none is rounded, and others as float64.

    lowest, highest: those of the whole list, where `t` is a part of it.
    """
    if t.dtype.kind == "f":
        return t.astype(np.float64)
    lowest = t.min() if lowest is None else lowest
    highest = t.max() if highest is None else highest
    if int(highest) - int(lowest) >= 1 << 62:
        return t.astype(np.float64)
    if int(highest) >= 1 << 63:
        return (t - lowest).astype(np.int64)
    return t.astype(np.int64)


def put_in_order(t: NDArray[np.generic], y: NDArray[np.int32], x: NDArray[np.int32], path: Path) -> Clock:
    """Bring the times of an event list into ascending order, counters that ran over counted on.

    Raises RecordingError where the clock was set back.
    """
    times = exact_times(t)
    if not _goes_back(times):
        return Clock(times, None)
    if _pixels_keep_order(times, y, x):
        return _sorted(times, _about_other_order(times))
    counter = run_over(times)
    if counter is None:
        return _sorted(times, _about_unordered(times, path))
    unwrapped, about = counter.times, counter.finding
    if not _goes_back(unwrapped):
        return Clock(unwrapped, None, True, (about,))
    rest = (
        _about_other_order(unwrapped)
        if _pixels_keep_order(unwrapped, y, x)
        else _about_unordered(unwrapped, path)
    )
    clock = _sorted(unwrapped, rest)
    return Clock(clock.times, clock.order, True, (about, *clock.warnings))


@dataclass(frozen=True)
class RunOver:
    """A counter that ran over, counted on."""

    times: Times
    finding: Finding


def run_over(times: Times) -> RunOver | None:
    """Count a clock on where its counter ran over; None where it never did, or none of its size would."""
    lowest, highest = times.min(), times.max()
    scales = COUNTER_SCALES if times.dtype.kind == "f" else (1.0,)
    steps = np.diff(times)
    if len(steps) == 0 or not np.any(steps < 0):
        return None
    for bits in COUNTER_BITS:
        for scale in scales:
            length = 2**bits if scale == 1 else 2**bits * scale
            unsigned = lowest >= 0 and highest <= length
            signed = lowest >= -length / 2 and highest <= length / 2
            # A counter that never went beyond half of its range has not run over.
            if not (unsigned or signed) or steps.min() > -length / 2:
                continue
            unwrapped = _count_on(times, steps, length)
            if unwrapped is not None and _is_counter(unwrapped, steps, length, bits, scale == 1):
                at = int(np.argmax(steps < -length / 2))
                count = int(np.count_nonzero(steps < -length / 2) - np.count_nonzero(steps > length / 2))
                name = f"a counter of {bits} bits" + ("" if scale == 1 else f" in steps of {scale:g}")
                often = "once" if count == 1 else f"{count} times"
                finding = Finding(
                    f"times go back {often} by the range of {name}, first at event {at + 1} "
                    f"({_said(times[at])}, then {_said(times[at + 1])}): it ran over and is counted on",
                    "Cut the file there into recordings of their own where the clock was set back instead",
                )
                return RunOver(unwrapped, finding)
    return None


def _count_on(times: Times, steps: Times, length: float) -> Times | None:
    half = length / 2
    rounds = np.zeros(len(times), np.int64)
    np.cumsum((steps < -half).astype(np.int64) - (steps > half), out=rounds[1:])
    if rounds.max() == 0 and rounds.min() == 0:
        return None
    return times + rounds * length


def _is_counter(unwrapped: Times, steps: Times, length: float, bits: int, is_whole: bool) -> bool:
    """Whether a clock counted on is one that only ran over, and was not set back."""
    span = float(unwrapped.max() - unwrapped.min())
    if bits >= 24 and span <= length * ENDS_OF_COUNTER:
        return True
    is_long = bits >= 31 and is_whole
    across = np.abs(steps) > length / 2
    others = steps[~across]
    longest = float(others.max()) if len(others) else 0.0
    pause = min(max(PAUSE_STEPS * longest, length * LONGEST_PAUSE * is_long), length / 8)
    gaps = np.abs(np.abs(steps[across].astype(np.float64)) - length)
    return bool(gaps.max() <= pause) and _lateness(unwrapped) <= max(pause, length / 64)


def _goes_back(times: Times) -> bool:
    return bool(np.any(times[1:] < times[:-1]))


def _pixels_keep_order(times: Times, y: NDArray[np.int32], x: NDArray[np.int32]) -> bool:
    """Whether the times of each pixel ascend, and enough pixels fire again for that to be no chance."""
    pixel = y.astype(np.int64) * (int(x.max()) + 1) + x
    order = np.argsort(pixel, kind="stable")
    again = np.diff(pixel[order]) == 0
    if np.count_nonzero(again) < max(8, len(times) / 4):
        return False
    return not np.any(np.diff(times[order])[again] < 0)


def _lateness(times: Times) -> float:
    """The farthest that a time lies before one that is earlier in the file."""
    return float((np.maximum.accumulate(times) - times).max())


def _sorted(times: Times, about: Finding) -> Clock:
    order = np.argsort(times, kind="stable")
    return Clock(times[order], order, warnings=(about,))


def _about_other_order(times: Times) -> Finding:
    late = _lateness(times)
    if late <= FAR_BACK * float(times.max() - times.min()):
        return _about_late(times, late)
    return Finding(
        "events are in another order than time's, though those of each pixel are in time's: "
        "they were sorted by time",
        "Save them by time to open them sooner",
    )


def _about_late(times: Times, late: float) -> Finding:
    back = int(np.count_nonzero(times[1:] < times[:-1]))
    return Finding(
        f"times go back a little, {back} times by at most {_said(late)}: events were sorted by time",
        "Cut the file there into recordings of their own where the clock was set back instead",
    )


def _about_unordered(times: Times, path: Path) -> Finding:
    """Say that events were unordered a little, or have no order.

    Raises RecordingError for a clock that was set back.
    """
    steps = np.diff(times)
    span = float(times.max() - times.min())
    late = _lateness(times)
    is_common = np.count_nonzero(steps < 0) > COMMON * len(steps)
    if late <= (FAR_BACK * span if is_common else FEW_TICKS * _tick(times)):
        return _about_late(times, late)
    if np.count_nonzero(steps < -FAR_BACK * span) > max(2, NO_ORDER * len(steps)):
        return Finding(
            f"events are in no order, their times all between {_said(times.min())} and "
            f"{_said(times.max())}: they were sorted by time",
            "Save them by time, since a counter that ran over cannot be seen in such a list",
        )
    at = int(np.argmin(steps))
    raise RecordingError(
        "times of the event list go back, and not as those of a counter that runs over",
        path=path,
        found=f"event {at + 1} at {_said(times[at + 1])} after {_said(times[at])}",
        expected="times that ascend",
        advice="Cut the file there into recordings of their own if the clock was set back, "
        "or sort the events by time if their order means nothing",
    )


def _tick(times: Times) -> float:
    """The usual distance between neighbouring moments."""
    steps = np.diff(np.unique(times[: 1 << 20]))
    return float(np.median(steps)) if len(steps) else 0.0


def _said(time: Any) -> str:
    return f"{time}" if isinstance(time, np.integer | int) else f"{float(time):.12g}"
