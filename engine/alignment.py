"""Which planes each frame was exposed in, and the log that says so.

The log is CSV with the header `frame_idx,t0,t1,event_count,seq`, times in seconds.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import AlignmentError
from engine.file_names import same_name
from engine.findings import Finding
from engine.geometry import Span

LOG_COLUMNS = ("frame_idx", "t0", "t1", "event_count", "seq")
LOG_DECIMALS = 6
MAX_LOG_BYTES = 256 * 2**20
RATE_ADVICE = "Give rate_hz (--rate), or write spike_rate_hz into config.yaml"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LOG_ADVICE = "Point at another log, or move it away to let the windows be guessed"


@dataclass(frozen=True, order=True)
class AlignmentWindow:
    """Half-open span of planes [start, stop) during which a frame was exposed; both ends are real numbers."""

    start: float
    stop: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.stop) and self.start < self.stop):
            raise ValueError(f"an alignment window needs start < stop, got [{self.start}, {self.stop})")

    @property
    def centre(self) -> float:
        return (self.start + self.stop) / 2

    @property
    def length_planes(self) -> float:
        return self.stop - self.start

    def planes(self, recording_planes: int | None = None) -> Span:
        """Return the whole planes p with start <= p < stop, inside [0, recording_planes) where given."""
        span = Span(math.ceil(self.start), math.ceil(self.stop))
        return span if recording_planes is None else span.intersect(Span(0, recording_planes))

    def shifted(self, planes: float) -> "AlignmentWindow":
        return AlignmentWindow(self.start + planes, self.stop + planes)

    def central(self, length_planes: float) -> "AlignmentWindow":
        """Return the window of this length with the same centre."""
        return AlignmentWindow(self.centre - length_planes / 2, self.centre + length_planes / 2)


@dataclass(frozen=True)
class AlignmentRow:
    """One row of a log."""

    frame_idx: int
    window: AlignmentWindow
    event_count: int | None = None
    seq: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    """Columns that we do not know, by their header."""


def read_alignment_log(path: str | Path, rate_hz: float | None) -> tuple[AlignmentRow, ...]:
    """Read a log; columns in any order, unknown ones kept, comma, semicolon or tab between them.

    Times that lie within the rounding of their own decimals of a whole plane are put on it, because a
    plane counts at its start: 1 / 1920 s written as 0.000521 must not lose plane 1.

    Raises AlignmentError when the rate is unknown, or for a line that is not a window, with its number.
    """
    path = Path(path)
    if rate_hz is None:
        raise AlignmentError(
            "the log's times are in seconds and the recording's planes per second are unknown",
            path=path,
            advice=RATE_ADVICE,
        )
    if not (math.isfinite(rate_hz) and rate_hz > 0):
        raise AlignmentError("planes per second must be positive", path=path, found=str(rate_hz))
    lines = [line for line in _text(path).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise AlignmentError(
            "the alignment log is empty", path=path, expected=",".join(LOG_COLUMNS), advice=_LOG_ADVICE
        )
    separator = max(",;\t", key=lines[0].count)
    table = csv.DictReader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True)
    header = [name.strip() for name in table.fieldnames or ()]
    table.fieldnames = [name.lower() if name.lower() in LOG_COLUMNS else name for name in header]
    if not {"t0", "t1"} <= set(table.fieldnames):
        raise AlignmentError(
            "this is not an alignment log: its header lacks t0 or t1",
            path=path,
            found=lines[0][:120],
            expected=",".join(LOG_COLUMNS),
            advice=_LOG_ADVICE,
        )
    try:
        rows = tuple(_row(path, at, fields, rate_hz) for at, fields in enumerate(table))
    except csv.Error as error:
        raise AlignmentError(f"the alignment log is not CSV ({error})", path=path) from error
    if not rows:
        raise AlignmentError("the alignment log holds no frames", path=path, advice=_LOG_ADVICE)
    return rows


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


def _row(path: Path, at: int, fields: dict[str, str], rate_hz: float) -> AlignmentRow:
    def column(name: str) -> str:
        return (fields.get(name) or "").strip()

    try:
        window = AlignmentWindow(_plane(column("t0"), rate_hz), _plane(column("t1"), rate_hz))
        index = _whole(column("frame_idx")) if column("frame_idx") else at
    except (ValueError, OverflowError) as error:
        raise AlignmentError(
            f"row {at + 1} is not a window",
            path=path,
            found=", ".join(str(value) for value in fields.values() if value is not None)[:120],
            expected="frame_idx a whole number and seconds t0 < t1",
            advice="Repair the row, or move the log away to let the windows be guessed",
        ) from error
    known = {*LOG_COLUMNS, None}
    others = {name: value or "" for name, value in fields.items() if name not in known}
    return AlignmentRow(index, window, _count(column("event_count")), column("seq"), others)


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


def _plane(seconds: str, rate_hz: float) -> float:
    """Plane position of a time as written, on a whole plane where the written decimals allow it."""
    # A comma inside a field is a decimal comma: no other one survives the separator.
    seconds = seconds.replace(",", ".")
    plane = float(seconds) * rate_hz
    mantissa, _, exponent = seconds.lower().partition("e")
    # Fewer decimals than six may be dropped zeros, so they grant no more room than six do.
    decimals = max(LOG_DECIMALS, len(mantissa.partition(".")[2]) - int(exponent or 0))
    rounding_planes = 0.5 * 10.0**-decimals * rate_hz
    nearest = round(plane)
    return float(nearest) if abs(plane - nearest) <= max(rounding_planes * 1.001, 1e-6) else plane


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
