"""Which planes each frame was exposed in, and the log that says so.

The log is CSV with the header `frame_idx,t0,t1,event_count,seq`, times in seconds. `engine.alignment_log`
reads the table, `engine.alignment_units` finds out what its times count where they are not seconds.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.alignment_log import LOG_COLUMNS, LoggedExposure, read_table
from engine.alignment_units import LOG_DECIMALS, RATE_ADVICE, Reading, RecordedSpan, choose_reading
from engine.alignment_window import AlignmentWindow
from engine.errors import AlignmentError
from engine.file_names import same_name
from engine.findings import Finding
from engine.time_units import TimeUnit

__all__ = [
    "LOG_COLUMNS",
    "RATE_ADVICE",
    "AlignmentLog",
    "AlignmentRow",
    "AlignmentWindow",
    "RecordedSpan",
    "even_windows",
    "load_alignment_log",
    "read_alignment_log",
    "rows_of",
    "windows_for_frames",
    "write_alignment_log",
]


@dataclass(frozen=True)
class AlignmentRow:
    """One row of a log."""

    frame_idx: int
    window: AlignmentWindow
    event_count: int | None = None
    seq: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    """Columns that we do not know, by their header."""


@dataclass(frozen=True)
class AlignmentLog:
    """A log as read, the unit of its times, and what is odd about it."""

    rows: tuple[AlignmentRow, ...]
    time_unit: TimeUnit
    findings: tuple[Finding, ...] = ()


def load_alignment_log(
    path: str | Path,
    recorded: RecordedSpan,
    *,
    time_unit: TimeUnit | None = None,
    name: str = "",
    gives_way: bool = False,
) -> AlignmentLog:
    """Read a log; columns in any order, unknown ones kept, comma, semicolon or tab between them.

    Times are seconds, or what `time_unit` or the header say, or what the recording's planes show them to be;
    the rules are those of `engine.alignment_units`. Times that lie within the rounding of their own decimals
    of a whole plane are put on it. `name` is the sequence's; `gives_way` says that the unit was given for an
    event list too.

    Raises AlignmentError when the rate is unknown, for a line that is not a window, with its number, and
    where no unit of time makes sense, with what each would give.
    """
    path = Path(path)
    rate_hz = recorded.rate_hz
    if rate_hz is not None and not (math.isfinite(rate_hz) and rate_hz > 0):
        raise AlignmentError("planes per second must be positive", path=path, found=str(rate_hz))
    table = read_table(path)
    reading, findings = choose_reading(path, table, recorded, time_unit, name=name, gives_way=gives_way)
    rows = tuple(_row_in_planes(path, at, row, reading) for at, row in enumerate(table.rows))
    return AlignmentLog(rows, reading.unit, findings)


def read_alignment_log(
    path: str | Path,
    rate_hz: float | None,
    *,
    time_unit: TimeUnit | None = None,
    planes: int | None = None,
    clock_start: float = 0.0,
) -> tuple[AlignmentRow, ...]:
    """Return the rows of a log as `load_alignment_log` reads it; in seconds where `planes` is unknown too."""
    recorded = RecordedSpan(rate_hz, planes, clock_start)
    return load_alignment_log(path, recorded, time_unit=time_unit).rows


def _row_in_planes(path: Path, at: int, row: LoggedExposure, reading: Reading) -> AlignmentRow:
    try:
        window = AlignmentWindow(reading.plane(row.t0), reading.plane(row.t1))
    except (ValueError, OverflowError) as error:
        raise AlignmentError(
            f"row {at + 1} is not a window: its times in {reading.unit} are the same instant",
            path=path,
            found=f"{row.t0}, {row.t1}",
            advice="Say the unit with --time-unit where it is another",
        ) from error
    return AlignmentRow(row.frame_idx, window, row.event_count, row.seq, row.others)


def windows_for_frames(
    rows: Sequence[AlignmentRow], numbers: Sequence[int | None], *, path: Path, name: str
) -> tuple[tuple[AlignmentWindow, ...], tuple[Finding, ...]]:
    """Return one window a frame, and what was odd about the log.

    `numbers` are the frames' own numbers (trailing digits of their names). `frame_idx` may count from
    zero in the order of the frames, or be the frame's own number, or that number less one; a log that
    covers several sequences is narrowed to the rows whose `seq` is `name`.

    Raises AlignmentError when a frame has no row, or when several sequences claim it and none is `name`.
    """
    findings: list[Finding] = []
    rows = rows_of(rows, name, path)
    by_index: dict[int, AlignmentRow] = {}
    for row in rows:
        by_index.setdefault(row.frame_idx, row)
    if len(by_index) < len(rows):
        findings.append(
            Finding(
                f"{path.name}: {len(rows) - len(by_index)} rows repeat a frame_idx; the first counts",
                "Remove those that are wrong",
            )
        )
    keys = _keys(by_index, numbers)
    if keys is None:
        missing = [at for at in range(len(numbers)) if at not in by_index]
        raise AlignmentError(
            "the alignment log does not cover every frame",
            path=path,
            found=f"{len(by_index)} rows, none for frame {missing[0] if missing else 0}",
            expected=f"{len(numbers)} frames",
            advice="Complete the log, or move it away to let the windows be guessed",
        )
    if len(by_index) > len(keys):
        findings.append(
            Finding(
                f"{path.name} has {len(by_index) - len(keys)} more rows than there are frames",
                "Copy the missing frames, where they exist",
            )
        )
    return tuple(by_index[key].window for key in keys), tuple(findings)


def rows_of(rows: Sequence[AlignmentRow], name: str, path: Path) -> Sequence[AlignmentRow]:
    """Narrow a log of several sequences to the rows whose `seq` is `name`.

    Raises AlignmentError when it tells of several others under the same numbers.
    """
    named = sorted({row.seq for row in rows})
    if len(named) < 2:
        return rows
    own = [row for row in rows if row.seq == "" or same_name(row.seq, name)]
    if own or len({row.frame_idx for row in rows}) == len(rows):
        return own or rows
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    raise AlignmentError(
        "the alignment log is of several sequences, none of them this one",
        path=path,
        found=", ".join(repr(seq) for seq in named[:5]) + more,
        expected=f"rows whose seq is {name!r}",
        advice="Rename the sequence as in the log, or give a log of its own",
    )


def _keys(by_index: Mapping[int, AlignmentRow], numbers: Sequence[int | None]) -> list[int] | None:
    """frame_idx of every frame, or None where no reading covers them all."""
    in_order = list(range(len(numbers)))
    if sorted(by_index) == in_order:
        return in_order
    readings: list[list[int]] = []
    own = [number for number in numbers if number is not None]
    if len(own) == len(numbers):
        # A log longer than the folder means that frames are missing: the numbers say which. A log from
        # zero beside frames from one is off by one.
        off_by_one = min(by_index) == 0 and min(own, default=0) > 0
        for offset in (1, 0) if off_by_one else (0, 1):
            readings.append([number - offset for number in own])
    readings.append(in_order)
    if len(by_index) == len(numbers):
        readings.append(sorted(by_index))
    return next((keys for keys in readings if all(key in by_index for key in keys)), None)


def write_alignment_log(
    path: str | Path,
    windows: Sequence[AlignmentWindow],
    *,
    rate_hz: float,
    event_counts: Sequence[int] | None = None,
    name: str = "",
) -> None:
    """Write a log whole or not at all: one row a frame, `frame_idx` from 0, seconds with six decimals.

    `event_counts` are the spikes inside each window; unknown ones stay empty. Raises ExportError.
    """
    from engine.export import write_text_atomically

    if event_counts is not None and len(event_counts) != len(windows):
        raise ValueError(f"{len(event_counts)} event counts for {len(windows)} windows")
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(LOG_COLUMNS)
    for index, window in enumerate(windows):
        seconds = (f"{plane / rate_hz:.{LOG_DECIMALS}f}" for plane in (window.start, window.stop))
        table.writerow([index, *seconds, "" if event_counts is None else event_counts[index], name])
    write_text_atomically(Path(path), text.getvalue())


def even_windows(frames: int, planes: int, exposure_planes: float | None) -> tuple[AlignmentWindow, ...]:
    """Spread `frames` exposures evenly over a recording: a guess for want of anything better."""
    slots = [AlignmentWindow(i * planes / frames, (i + 1) * planes / frames) for i in range(frames)]
    return tuple(slot if exposure_planes is None else slot.central(exposure_planes) for slot in slots)
