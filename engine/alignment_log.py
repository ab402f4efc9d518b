"""Read the table of an alignment log, its times as they are written."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from engine.errors import AlignmentError
from engine.time_units import TimeUnit, split_unit

LOG_COLUMNS = ("frame_idx", "t0", "t1", "event_count", "seq")
MAX_LOG_BYTES = 256 * 2**20
GUESS_ADVICE = "Point at another log, or move it away to let the windows be guessed"
_MOST_DIGITS = 30
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class LoggedExposure:
    """One row of a log, t0 < t1 in the log's own unit."""

    frame_idx: int
    t0: Decimal
    t1: Decimal
    event_count: int | None
    seq: str
    others: Mapping[str, str]
    """Columns that we do not know, by their header."""


@dataclass(frozen=True)
class LogTable:
    """The rows of a log, at least one, and the unit that its header states."""

    rows: tuple[LoggedExposure, ...]
    stated_unit: TimeUnit | None


def read_table(path: Path) -> LogTable:
    """Read a log; columns in any order, unknown ones kept, comma, semicolon or tab between them.

    Raises AlignmentError for what is no log, and for a line that is not a window, with its number.
    """
    lines = [line for line in _text(path).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise AlignmentError(
            "the alignment log is empty", path=path, expected=",".join(LOG_COLUMNS), advice=GUESS_ADVICE
        )
    separator = max(",;\t", key=lines[0].count)
    table = csv.DictReader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True)
    header = [_column(name) for name in table.fieldnames or ()]
    table.fieldnames = [name for name, _ in header]
    if not {"t0", "t1"} <= set(table.fieldnames):
        raise AlignmentError(
            "this is not an alignment log: its header lacks t0 or t1",
            path=path,
            found=lines[0][:120],
            expected=",".join(LOG_COLUMNS),
            advice=GUESS_ADVICE,
        )
    units = {unit for name, unit in header if name in ("t0", "t1") and unit is not None}
    if len(units) > 1:
        raise AlignmentError(
            "the alignment log counts t0 and t1 in different units",
            path=path,
            found=lines[0][:120],
            advice="Write both in one unit",
        )
    try:
        rows = tuple(_row(path, at, fields) for at, fields in enumerate(table))
    except csv.Error as error:
        raise AlignmentError(f"the alignment log is not CSV ({error})", path=path) from error
    if not rows:
        raise AlignmentError("the alignment log holds no frames", path=path, advice=GUESS_ADVICE)
    return LogTable(rows, next(iter(units), None))


def _column(header: str) -> tuple[str, TimeUnit | None]:
    """Name of a column, one that we know as we write it, and the unit in it."""
    name = header.strip()
    bare, unit = split_unit(name)
    if bare.lower() in ("t0", "t1"):
        return bare.lower(), unit
    return (name.lower() if name.lower() in LOG_COLUMNS else name), None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_LOG_BYTES:
            raise AlignmentError("too large for an alignment log", path=path, expected="CSV text")
        content = path.read_bytes()
        # Spreadsheets save their "Unicode text" with two bytes a letter.
        return content.decode("utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig")
    except OSError as error:
        raise AlignmentError(f"the alignment log cannot be read ({error.strerror})", path=path) from error
    except UnicodeDecodeError as error:
        raise AlignmentError(
            "the alignment log is not text",
            path=path,
            expected="CSV in UTF-8",
            advice="Save it as CSV in UTF-8, or point at another log",
        ) from error


def _row(path: Path, at: int, fields: dict[str, str]) -> LoggedExposure:
    def column(name: str) -> str:
        return (fields.get(name) or "").strip()

    try:
        t0, t1 = _time(column("t0")), _time(column("t1"))
        if t0 >= t1:
            raise ValueError(f"{t0} is not before {t1}")
        index = _whole(column("frame_idx")) if column("frame_idx") else at
    except (ValueError, ArithmeticError) as error:
        raise AlignmentError(
            f"row {at + 1} is not a window",
            path=path,
            found=", ".join(str(value) for value in fields.values() if value is not None)[:120],
            expected="frame_idx a whole number and times t0 < t1",
            advice="Repair the row, or move the log away to let the windows be guessed",
        ) from error
    known = {*LOG_COLUMNS, None}
    others = {name: value or "" for name, value in fields.items() if name not in known}
    return LoggedExposure(index, t0, t1, _count(column("event_count")), column("seq"), others)


def _time(text: str) -> Decimal:
    """Read a time with all its digits: those since 1970 in ns have more than a float."""
    # A comma inside a field is a decimal comma: no other one survives the separator.
    time = Decimal(text.replace(",", "."))
    if not time.is_finite() or time.adjusted() > _MOST_DIGITS:
        raise ValueError(f"{text} is no time")
    return time


def _whole(text: str) -> int:
    """Read a whole number, also one that a spreadsheet wrote as 3.0. Raises ValueError."""
    number = float(text)
    if number != int(number):
        raise ValueError(f"{text} is not a whole number")
    return int(number)


def _count(text: str) -> int | None:
    """Read a number of events; it decides nothing, so whatever stands for an unknown one is let pass."""
    try:
        return _whole(text)
    except (ValueError, OverflowError):
        return None
