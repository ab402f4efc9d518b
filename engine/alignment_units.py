"""What the times of an alignment log count, and from where.

Strategy: a log is in seconds from the start of the recording's clock, but files of other programs are not.
Every unit is tried on the recording. A unit fits where its windows hold a plane or more (half of them at
least), most of them lie in the recording and those reach over more than half of it. Units are a thousand
apart, so one fits at most, but for planes and ms, or µs, at rates near 1000 Hz, or 1 MHz; planes are whole
numbers then.
- The unit that the caller gives is obeyed; else the one in the header, unless no window lies in the
  recording with it and another one fits.
- Without either, the one unit that fits is taken, seconds where several do and they are among them.
- Where none fits, seconds stay where windows of a plane or more lie in the recording, and either no other
  unit puts more of them there (a short log of a long recording) or they reach over most of it (a recording
  that was cut short).
- Else nobody knows: the error shows what each unit would give.

Times since 1970 count from the first one where they do not meet the recording's own clock.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine.alignment_log import LoggedExposure, LogTable
from engine.errors import AlignmentError
from engine.findings import Finding, option
from engine.time_units import EPOCH_S, SECONDS_IN, TimeUnit

LOG_DECIMALS = 6
COVERED_SHARE = 0.5
LEAST_SHARE_INSIDE = 0.05
SAY_UNIT = f"Say {option('time_unit')} where it is another"
RATE_ADVICE = f"Give {option('rate_hz')}, or write spike_rate_hz into config.yaml"
_DIGITS_BEFORE_SECONDS: dict[TimeUnit, int] = {"s": 0, "ms": 3, "us": 6, "ns": 9, "planes": 0}

Zero = Literal["start", "clock", "first"]
"""What time 0 of a log is: the start of the recording, or of its clock, or the first window's start."""


@dataclass(frozen=True)
class RecordedSpan:
    """What the recording says about its time."""

    rate_hz: float | None = None
    planes: int | None = None
    """None where no recording is there to compare with."""
    clock_start: float = 0.0
    """Where the recording's own clock was at the start of plane 0, in planes."""


@dataclass(frozen=True)
class Reading:
    """A log read in one unit."""

    unit: TimeUnit
    planes_per_unit: float
    zero: Zero
    origin: Decimal
    """Time that is subtracted before anything is rounded."""
    start_plane: float
    """Plane of the origin."""
    rounding_planes: float = 0.0
    """How exactly that is known."""
    length_planes: float = 0.0
    """The median window's."""
    inside: int = 0
    """Windows of which half or more lies in the recording."""
    covered: float = 0.0
    """Share of the recording between the first and the last of those."""

    def plane(self, time: Decimal) -> float:
        """Plane position of a time as written, on a whole plane where the written decimals allow it.

        A plane counts at its start: 1 / 1920 s written as 0.000521 must not lose plane 1.
        """
        plane = float(time - self.origin) * self.planes_per_unit + self.start_plane
        exponent = time.as_tuple().exponent
        written = -exponent if isinstance(exponent, int) else 0
        # Fewer decimals than six of a second may be dropped zeros, so they grant no more room than six do.
        decimals = max(LOG_DECIMALS - _DIGITS_BEFORE_SECONDS[self.unit], written)
        room = max(0.5005 * 10.0**-decimals * self.planes_per_unit, 1e-6) + self.rounding_planes
        nearest = round(plane)
        return float(nearest) if abs(plane - nearest) <= room else plane

    def is_sensible(self) -> bool:
        """Whether windows hold planes that were recorded."""
        return self.length_planes >= 1 and self.inside > 0

    def fits(self, rows: int) -> bool:
        """Whether this is what a log of so many rows means, as far as the recording shows."""
        return self.length_planes >= 1 and self.covered > COVERED_SHARE and 2 * self.inside > rows

    def fits_part(self, rows: int) -> bool:
        """Whether this may be the log of a longer recording, of which the first planes are there."""
        few = max(2, LEAST_SHARE_INSIDE * rows)
        return self.length_planes >= 1 and self.covered > COVERED_SHARE and self.inside >= few


def choose_reading(
    path: Path,
    table: LogTable,
    recorded: RecordedSpan,
    given: TimeUnit | None,
    *,
    name: str = "",
    gives_way: bool = False,
) -> tuple[Reading, tuple[Finding, ...]]:
    """Decide what the times of a log count, by the rules of this module, and say what was not stated.

    `name` is the sequence's, whose rows count as evidence where the log covers several. `gives_way` says that
    the given unit was said of an event list too and need not be the log's.

    Raises AlignmentError where the rate is needed and unknown, and where no one unit makes sense.
    """
    rows = [row for row in table.rows if row.seq in ("", name)] or list(table.rows)
    stated = given or table.stated_unit
    if recorded.rate_hz is None and stated != "planes":
        return _without_rate(path, rows, recorded, stated)
    readings = {unit: _best_reading(rows, unit, recorded) for unit in _units(recorded)}
    reading, why = _decide(path, readings, rows, table.stated_unit, recorded, given, gives_way)
    return reading, (*why, *_about(path, reading, rows, recorded))


def _units(recorded: RecordedSpan) -> tuple[TimeUnit, ...]:
    return ("planes",) if recorded.rate_hz is None else get_args(TimeUnit)


def _decide(
    path: Path,
    readings: dict[TimeUnit, Reading],
    rows: list[LoggedExposure],
    in_header: TimeUnit | None,
    recorded: RecordedSpan,
    given: TimeUnit | None,
    gives_way: bool,
) -> tuple[Reading, tuple[Finding, ...]]:
    is_obeyed = not gives_way or recorded.rate_hz is None
    if given is not None and (is_obeyed or readings[given].is_sensible()):
        return readings[given], ()
    fitting = _fitting(readings.values(), rows)
    only = fitting[0] if len(fitting) == 1 else None
    if in_header is not None:
        reading = readings[in_header]
        if only is None or only is reading or reading.is_sensible():
            about = Finding(f"{path.name}: times are in {in_header}, as its header says", SAY_UNIT)
            return reading, () if in_header == "s" else (about,)
    seconds = readings["s"]
    in_seconds: tuple[Finding, ...] = ()
    if given is not None:
        in_seconds = (
            Finding(
                f"{path.name}: times are taken for s, though {given} was given for the events: "
                f"as {given} {_described(readings[given], rows)}",
                SAY_UNIT,
            ),
        )
    if not recorded.planes or seconds in fitting:
        return seconds, in_seconds
    if only is not None:
        finding = Finding(
            f"{path.name}: times are taken for {only.unit}, because {_described(only, rows)}; "
            f"as {in_header or 's'} {_described(readings[in_header or 's'], rows)}",
            SAY_UNIT,
        )
        return only, (finding,)
    if not fitting and seconds.is_sensible():
        others = [other.inside for other in readings.values() if other.length_planes >= 1]
        if seconds.inside >= max(others) or seconds.fits_part(len(rows)):
            return seconds, in_seconds
    raise AlignmentError(
        "several units of time make the windows of the alignment log fit the recording"
        if fitting
        else "no unit of time makes the windows of the alignment log fit the recording",
        path=path,
        found="; ".join(f"as {reading.unit} {_described(reading, rows)}" for reading in readings.values()),
        expected=f"one unit with windows of a plane or more over half of the {recorded.planes} planes "
        f"at {recorded.rate_hz:g} Hz",
        advice="Say the unit with --time-unit, or check the rate (--rate), or subtract the recording's start "
        "from the times, or move the log away to let the windows be guessed",
    )


def _fitting(readings: Iterable[Reading], rows: list[LoggedExposure]) -> list[Reading]:
    """Readings that fit; those that give the same windows once, since ms at 1000 Hz are planes."""
    fitting = [reading for reading in readings if reading.fits(len(rows))]
    different: list[Reading] = []
    for reading in fitting:
        if not any(abs(other.planes_per_unit / reading.planes_per_unit - 1) < 1e-9 for other in different):
            different.append(reading)
    if len(different) > 1 and not _is_whole(rows):
        different = [reading for reading in different if reading.unit != "planes"]
    return different


def _is_whole(rows: list[LoggedExposure]) -> bool:
    return all(time == time.to_integral_value() for row in rows for time in (row.t0, row.t1))


def _without_rate(
    path: Path, rows: list[LoggedExposure], recorded: RecordedSpan, stated: TimeUnit | None
) -> tuple[Reading, tuple[Finding, ...]]:
    """Read whole numbers as planes where they fit the recording so. Raises AlignmentError where not."""
    reading = _best_reading(rows, "planes", recorded)
    if stated is None and _is_whole(rows) and reading.fits(len(rows)):
        finding = Finding(
            f"{path.name}: times are taken for planes, because {_described(reading, rows)} "
            "and nothing says the rate",
            SAY_UNIT,
        )
        return reading, (finding, *_about(path, reading, rows, recorded))
    raise AlignmentError(
        f"the log's times are in {'seconds' if stated in (None, 's') else stated} "
        "and the recording's planes per second are unknown",
        path=path,
        advice=RATE_ADVICE,
    )


def _best_reading(rows: list[LoggedExposure], unit: TimeUnit, recorded: RecordedSpan) -> Reading:
    """Read a log in a unit, from the zero that puts most windows into the recording."""
    scale = 1.0 if unit == "planes" else SECONDS_IN[unit] * (recorded.rate_hz or 0.0)
    first = min(row.t0 for row in rows)
    # Counted from the first, so that floats have digits left for what comes after it.
    t0, t1 = (
        np.array([float(time - first) for time in times]) * scale
        for times in ([row.t0 for row in rows], [row.t1 for row in rows])
    )
    at_first = float(first) * scale
    readings = [_measure(t0, t1, Reading(unit, scale, "start", Decimal(0), 0.0), at_first, recorded)]
    if recorded.clock_start:
        at_start = at_first - recorded.clock_start
        rounding = 4 * float(np.spacing(abs(recorded.clock_start)))
        on_clock = Reading(unit, scale, "clock", first, at_start, rounding)
        readings.append(_measure(t0, t1, on_clock, at_start, recorded))
    is_date = unit != "planes" and EPOCH_S[0] <= float(first) * SECONDS_IN[unit] <= EPOCH_S[1]
    if is_date and not any(reading.inside for reading in readings):
        readings.append(_measure(t0, t1, Reading(unit, scale, "first", first, 0.0), 0.0, recorded))
    return max(readings, key=lambda reading: reading.inside)


def _measure(
    t0: NDArray[np.float64],
    t1: NDArray[np.float64],
    reading: Reading,
    at_first: float,
    recorded: RecordedSpan,
) -> Reading:
    """Add to a reading how its windows lie in the recording; t0 and t1 are planes after the first one."""
    start, stop = t0 + at_first, t1 + at_first
    lengths = t1 - t0
    planes = recorded.planes or 0
    overlap = np.minimum(stop, planes) - np.maximum(start, 0)
    inside = overlap >= lengths / 2
    covered = 0.0
    if planes and inside.any():
        covered = (min(float(stop[inside].max()), planes) - max(float(start[inside].min()), 0.0)) / planes
    return dataclasses.replace(
        reading,
        length_planes=float(np.median(lengths)),
        inside=int(np.count_nonzero(inside)),
        covered=covered,
    )


def _described(reading: Reading, rows: list[LoggedExposure]) -> str:
    return (
        f"windows have {reading.length_planes:.3g} planes, {reading.inside} of {len(rows)} lie in the "
        f"recording and cover {100 * reading.covered:.0f} % of it"
    )


def _about(
    path: Path, reading: Reading, rows: list[LoggedExposure], recorded: RecordedSpan
) -> tuple[Finding, ...]:
    """What is odd about the chosen reading."""
    findings: tuple[Finding, ...] = ()
    if reading.zero == "first":
        findings += (
            Finding(
                f"{path.name}: times are dates, the first {reading.origin} {reading.unit} since 1970: "
                "its window is taken to start with the recording",
                "Subtract the recording's start from the times, or shift the windows, where it does not",
            ),
        )
    lengths = [float(row.t1 - row.t0) * reading.planes_per_unit for row in rows]
    # Six decimals may round a window of one plane down.
    short = [length for length in lengths if length < 0.95]
    if short:
        pace = "" if recorded.rate_hz is None else f" at {recorded.rate_hz:g} Hz"
        findings += (
            Finding(
                f"{len(short)} of {len(lengths)} windows of {path.name} are shorter than one plane, "
                f"the shortest has {min(short):.3g} planes (times in {reading.unit}{pace})",
                "Check the unit of the times (--time-unit) and the rate (--rate)",
            ),
        )
    return findings
