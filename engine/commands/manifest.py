"""What a restoration was made from, and which of its frames are done: enough to go on after a power cut.

`restore.json` says what went in before the first frame. `restore.jsonl` gets a line for every frame that is
finished or has failed, after its picture is safely on the disk; it is gone when all are. A run that goes on
trusts a line only while the picture is there.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.commands.outcome import to_json
from engine.errors import ExportError

HASH_CHUNK_BYTES = 2**20
SHOWN_DIFFERENCES = 3
UNFINISHED_NAME = re.compile(r"\.[0-9a-f]{16}\.part")
"""Of files that `engine.export` has not renamed yet."""


def describe_inputs(paths: Iterable[Path]) -> list[list[Any]]:
    """Return [path, bytes, time of change in ns] of every file, sorted by path."""
    rows = []
    for path in sorted({path.absolute() for path in paths}):
        with contextlib.suppress(OSError):
            found = path.stat()
            rows.append([str(path), found.st_size, found.st_mtime_ns])
    return rows


def hash_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's content. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_same(written: Mapping[str, Any], now: Mapping[str, Any], report: Path) -> None:
    """Raise ExportError that names what differs between what a report was `written` for and `now`."""
    now = json.loads(to_json(dict(now)))
    differences = [name for name in now if name != "inputs" and written.get(name) != now[name]]
    shown = [f"{name} was {_short(written.get(name))}, is {_short(now[name])}" for name in differences]
    before = {row[0]: row[1:] for row in written.get("inputs", [])}
    files = {row[0]: row[1:] for row in now["inputs"]}
    shown += [f"{path} has changed" for path in files if path in before and files[path] != before[path]]
    shown += [f"{path} is new" for path in files if path not in before]
    shown += [f"{path} is gone" for path in before if path not in files]
    if shown:
        rest = len(shown) - SHOWN_DIFFERENCES
        raise ExportError(
            "the results there were made from something else",
            path=report,
            found="; ".join(shown[:SHOWN_DIFFERENCES]) + (f"; and {rest} more" if rest > 0 else ""),
            advice="Choose another folder with --out, or begin anew with --overwrite",
        )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"


def discard_remains(folder: Path, report: Path) -> None:
    """Remove what a killed process leaves half-made: unfinished files, and a report it only claimed."""
    with contextlib.suppress(OSError):
        if report.is_file() and report.stat().st_size == 0:
            report.unlink()
        for path in folder.iterdir():
            if UNFINISHED_NAME.fullmatch(path.name):
                path.unlink()


def read_report(path: Path) -> dict[str, Any] | None:
    """Return what `restore.json` says, None where there is none. Raises ExportError where it is damaged."""
    found = "no 'made_from' in it"
    try:
        report = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        report, found = None, str(error)
    if not isinstance(report, dict) or not isinstance(report.get("made_from"), dict):
        raise ExportError(
            "this is not the report of a restoration that can go on",
            path=path,
            found=found,
            advice="Begin anew with --overwrite, or choose another folder with --out",
        )
    return report


class DoneLog:
    """`restore.jsonl`: a line for every frame that is done, flushed to the disk one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Mapping[str, Any]) -> None:
        """Add a line. Raises ExportError when it cannot be written."""
        line = " ".join(to_json(dict(event)).split("\n")) + "\n"
        try:
            with self.path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ExportError(
                "cannot be written", path=self.path, found=error.strerror, advice="Free some space"
            ) from error

    def read(self) -> list[dict[str, Any]]:
        """Return the lines so far; one that a crash cut short ends them."""
        events = []
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError:
            return []
        for line in lines[:-1]:
            try:
                event = json.loads(line)
            except ValueError:
                break
            if isinstance(event, dict):
                events.append(event)
        return events

    def repair(self) -> None:
        """Cut off a line that was not finished, so that the next one does not join it."""
        with contextlib.suppress(OSError), self.path.open("r+b") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink()
