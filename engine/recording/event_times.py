"""Times of an event list in planes: their unit, the rate, and where plane 0 lies.

Strategy: nothing but a name (`t_us`) states a unit, so evidence decides, in this order: the caller; the
name; the ticks that times fall on, which give a camera's rate in one unit only, since units are a thousand
apart; the size of times since 1970; fractions. Whatever was not stated is a finding.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.findings import Finding, option
from engine.recording.event_clock import Times
from engine.recording.recording import SLOWEST_RATE_HZ, Source
from engine.time_units import EPOCH_S, SECONDS_IN, TimeUnit

NOMINAL_RATE_HZ = 20_000.0
"""Rate of common spike cameras; the length of a plane where times are continuous and nobody says."""
FASTEST_RATE_HZ = 100_000.0
MANY_MOMENTS = 10
LEAST_TICKS_SHARE = 0.1
"""Of the steps from one moment to the next; the others are tenths of a tick and less."""
LATEST_FIRST_PLANE = 10_000_000
LONG_LEAD_PLANES = 1000
"""A clock that starts later than this, and later than its events last, was running before the recording."""
MOST_SPARSE_PLANES = 10_000_000
"""More planes than this need at least one event a plane on average."""
COARSE_TIME_PLANES = 1 / 256
SAMPLED = 1 << 20
ROUNDED_PLANES = 0.05
"""By which times miss whole planes, at most, where all of them are rounded ticks."""
NEARLY_WHOLE_PLANES = 1e-6
LONGEST_STATED_S = 1e4
SAY_UNIT = f"Say {option('time_unit')} if they are not"


@dataclass(frozen=True)
class PlaneScale:
    """How times of a list become planes, one by one."""

    origin: np.generic
    """Time of the first event, taken away before anything is rounded: ns since 1970 have 19 digits."""
    shift: float
    """What is added then."""
    planes_a_unit: float
    on_ticks_within: float = 0.0
    """Planes by which times may miss a whole plane, rounded ones as they are."""

    def planes(self, times: Times) -> NDArray[np.float64]:
        """Return times in planes."""
        return self.put_on_ticks(self.exact_planes(times))

    def put_on_ticks(self, t_planes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return times in planes, those that nearly are whole ones as such.

        p / rate_hz × rate_hz, rounded to a file's digits, may fall short of p, into the plane before.
        """
        if self.on_ticks_within == 0:
            return t_planes
        nearest = np.rint(t_planes)
        return np.where(np.abs(t_planes - nearest) <= self.on_ticks_within, nearest, t_planes)

    def exact_planes(self, times: Times) -> NDArray[np.float64]:
        """Return times in planes wherever they fall."""
        planes: NDArray[np.float64] = (
            (times - self.origin).astype(np.float64) + self.shift
        ) * self.planes_a_unit
        return planes


@dataclass(frozen=True)
class Timing:
    """How times become planes, and how that was found."""

    scale: PlaneScale
    may_miss_ticks: bool
    """Times are no planes themselves: all or some may be rounded from ticks."""
    clock_start: float
    """Plane of the file's own clock that is counted as plane 0."""
    rate_hz: float | None
    rate_source: Source
    warnings: tuple[Finding, ...]


@dataclass(frozen=True)
class Beginning:
    """What is looked at of the times of a list, in ascending order, to find out what they count."""

    times: Times
    """The first of them, up to a million."""
    last: np.generic
    count: int
    has_run_over: bool
    """The clock is a counter whose zero means nothing."""


def time_in_planes(
    clock: Beginning,
    resolution: float,
    unit: TimeUnit | None,
    named_unit: TimeUnit | None,
    rate_hz: float | None,
    rate_source: Source,
    path: Path,
) -> Timing:
    """Find how times become planes, plane 0 at time 0 unless the clock ran long before, or is negative.

    `resolution` is the step of the stored number type at the latest time, `named_unit` what a name says.
    Raises RecordingError where the planes are over 10 million and more than the events.
    """
    origin = clock.times[0]
    since = (clock.times - origin).astype(np.float64)
    span = float((clock.last - origin).astype(np.float64))
    warnings: tuple[Finding, ...] = ()
    is_guessed = unit is None and named_unit is None
    if unit is None:
        unit, reason = (
            (named_unit, "their name says so")
            if named_unit is not None
            else _plausible_unit(since, span, origin, resolution, rate_hz)
        )
        warnings += (Finding(f"times are taken for {unit}, because {reason}", SAY_UNIT),)
    scale = 1.0
    if unit != "planes":
        seconds = SECONDS_IN[unit]
        if rate_hz is None:
            rate_hz, rate_source = _rate_of_ticks(since * seconds), "bytes"
        if rate_hz is None:
            rate_hz, rate_source = NOMINAL_RATE_HZ, "unknown"
            warnings += (
                Finding(
                    f"nothing says the rate, and times do not fall on ticks: "
                    f"a plane is taken for 1/{NOMINAL_RATE_HZ:.0f} s",
                    f"Give {option('rate_hz')}",
                ),
            )
        scale = seconds * rate_hz
    first_plane, lasting = float(origin) * scale, span * scale
    is_late = first_plane > LATEST_FIRST_PLANE or first_plane > max(LONG_LEAD_PLANES, lasting)
    starts_anew = clock.has_run_over or first_plane < 0 or is_late
    if lasting + (0.0 if starts_anew else first_plane) > max(MOST_SPARSE_PLANES, clock.count):
        raise _too_sparse(span, clock.count, scale, unit, rate_hz, is_guessed, path)
    if starts_anew and not clock.has_run_over:
        warnings += (
            Finding(
                f"times start at plane {first_plane:.0f} of their clock; that one is counted as plane 0",
                "Subtract the start from the times where another plane is meant",
            ),
        )
    clock_start = first_plane if starts_anew else 0.0
    warnings += _about_resolution(resolution, scale, unit)
    return Timing(
        PlaneScale(origin, 0.0 if starts_anew else float(origin), scale),
        unit != "planes",
        clock_start,
        rate_hz,
        rate_source if rate_hz is not None else "unknown",
        warnings,
    )


def tick_tolerance(farthest: float) -> float:
    """Return within how much times are put on whole planes, which they miss by up to `farthest`."""
    return ROUNDED_PLANES if farthest <= ROUNDED_PLANES else NEARLY_WHOLE_PLANES


def _rate_of_ticks(seconds: NDArray[np.float64]) -> float | None:
    """The rate of a camera whose ticks times fall on: a slow one only where many moments do."""
    rate_hz = tick_rate_hz(seconds)
    if rate_hz is None or rate_hz >= SLOWEST_RATE_HZ:
        return rate_hz
    return rate_hz if len(np.unique(seconds[:SAMPLED])) >= MANY_MOMENTS and rate_hz >= 1 else None


def _about_resolution(resolution: float, scale: float, unit: TimeUnit) -> tuple[Finding, ...]:
    coarse = resolution * scale
    if coarse < COARSE_TIME_PLANES:
        return ()
    return (
        Finding(
            f"times are stored in steps of {resolution:.2g} {unit}, which are {coarse:.2g} planes",
            "Subtract the start before saving, or save whole ns or µs as int64, to keep times finer",
        ),
    )


def _too_sparse(
    span: float,
    events: int,
    scale: float,
    unit: TimeUnit,
    rate_hz: float | None,
    is_guessed: bool,
    path: Path,
) -> RecordingError:
    """The error of a list whose span needs over 10 million planes, and more than there are events."""
    pace = "" if rate_hz is None else f" at {rate_hz:g} Hz"
    found = f"{events} events over {span:.6g} {unit}{pace}, which are {span * scale:.4g} planes"
    if is_guessed and rate_hz is not None:
        others = [
            f"{span * SECONDS_IN[other] * rate_hz:.3g} as {other}" for other in SECONDS_IN if other != unit
        ]
        found += f" ({', '.join(others)})"
    return RecordingError(
        "the events span far more planes than there are events",
        path=path,
        found=found,
        expected=f"at most {MOST_SPARSE_PLANES} planes, or an event a plane",
        advice=f"Say {option('time_unit')} or {option('rate_hz')}, "
        "or cut the file where the clock jumps or ran over",
    )


def _plausible_unit(
    since: NDArray[np.float64], span: float, origin: np.generic, resolution: float, rate_hz: float | None
) -> tuple[TimeUnit, str]:
    """Guess the unit of ascending times, counted from the first one; `since` holds those at the beginning."""
    sample = since[:SAMPLED]
    is_whole = float(origin) == math.floor(origin) and not np.any(sample != np.floor(sample))
    moments = np.unique(sample)
    covered = float(moments[-1] - moments[0]) + 1
    if is_whole and len(moments) > 0.1 * covered:
        return "planes", f"{len(moments)} of {covered:.0f} whole numbers are in use"
    ticks = _unit_of_ticks(moments, resolution, rate_hz)
    if ticks is not None:
        return ticks
    since_1970 = _unit_since_1970(float(origin), span, is_whole)
    if since_1970 is not None:
        return since_1970, f"they start at {float(origin):.10g}, which is a date in {since_1970}"
    if not is_whole:
        return ("s" if span < 1000 else "us"), f"they have fractions and span {span:g}"
    if len(moments) > 2 and not np.any(np.mod(moments, 1000)):
        return "ns", "all are whole thousands"
    return "us", f"only {len(moments)} of {covered:.0f} whole numbers are in use"


def _unit_of_ticks(
    moments: NDArray[np.float64], resolution: float, rate_hz: float | None
) -> tuple[TimeUnit, str] | None:
    """The one unit in which times fall on the ticks of a camera, of the known rate where there is one."""
    found: list[tuple[int, TimeUnit, float]] = []
    for unit, seconds in SECONDS_IN.items():
        rate = tick_rate_hz(moments * seconds)
        if rate is None or rate < SLOWEST_RATE_HZ:
            continue
        tick = 1 / (rate * seconds)
        digits = math.log10(tick)
        is_used = len(moments) > 0.1 * (moments[-1] - moments[0]) / tick
        # Times fall on the digits they are written with, too, which are no ticks of a camera.
        if tick < 4 * resolution or (abs(digits - round(digits)) < 1e-4 and not is_used):
            continue
        # Where few events are there, neighbouring ones may lie several planes apart.
        planes_apart = 1 if rate_hz is None else round(rate_hz / rate)
        if planes_apart >= 1 and (rate_hz is None or abs(rate_hz / rate - planes_apart) < 0.02):
            found.append((planes_apart, unit, rate))
    if not found:
        return None
    _, unit, rate = min(found)
    known = "" if rate_hz is None else f", and the rate is {rate_hz:g}"
    return unit, f"they fall on ticks of {rate:g} Hz{known}"


def _unit_since_1970(origin: float, span: float, is_whole: bool) -> TimeUnit | None:
    for unit, seconds in SECONDS_IN.items():
        if not EPOCH_S[0] <= origin * seconds <= EPOCH_S[1] or span * seconds > LONGEST_STATED_S:
            continue
        # A whole number of this size may also be a 32-bit counter of µs, or the ns since a start.
        if not is_whole or unit in ("us", "ns"):
            return unit
    return None


def tick_rate_hz(times: NDArray[np.float64]) -> float | None:
    """Return the rate of the ticks that times in seconds fall on, None where they fall on none."""
    moments = np.unique(times[:SAMPLED])
    steps = np.diff(moments)
    if len(steps) == 0:
        return None
    # Rounding splits a tick into a few moments closer than any camera's planes. Where nearly all are so
    # close, the steps that are left are pauses of the light, in a unit that is a thousand times too small.
    is_tick = steps > 0.1 / FASTEST_RATE_HZ
    if np.count_nonzero(is_tick) <= LEAST_TICKS_SHARE * len(steps):
        return None
    steps = steps[is_tick]
    tick = float(np.median(steps[steps < 1.5 * steps.min()]))
    ticks = steps / tick
    if tick < 1 / FASTEST_RATE_HZ or np.any(
        np.abs(ticks - np.rint(ticks)) > 0.05 * np.maximum(1, ticks / 100)
    ):
        return None
    tick = float(steps.sum() / np.rint(ticks).sum())
    return float(f"{1 / tick:.6g}")
