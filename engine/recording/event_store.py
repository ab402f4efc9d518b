"""The events of a list as they are stored, read some at a time: memory never holds the list.

Strategy: an array that lies in its file as it is (a `.npy`, a member of a `.npz` that is not compressed) is
read from there. What is compressed, and lists that had to be put in order, are written to a scratch file in
the system's temporary folder first, which has no name and goes with the recording.
"""

import dataclasses
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.recording.arrays import StoredArray

EVENTS_AT_A_TIME = 1 << 18
_COPIED_BYTES = 1 << 20

Events = Mapping[str, NDArray[Any]]
"""Columns by name: t, y, x and perhaps p."""


@dataclass(frozen=True)
class Strip:
    """Rows that follow each other in a file."""

    offset: int
    """Bytes before the first."""
    row: np.dtype[Any]
    columns: Mapping[str, str | None]
    """Names of columns, and what they are called within a row; None where they are all of it."""


class OpenFile:
    """A file that is read at any place by any thread, and closed with the last of those who have it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.close = weakref.finalize(self, file.close)

    def read_at(self, offset: int, wanted: int) -> bytes:
        """Return so many bytes, fewer at the file's end. Raises OSError, ValueError once it is closed."""
        if sys.platform == "win32":
            with self._lock:
                self._file.seek(offset)
                return self._file.read(wanted)
        pieces = []
        descriptor = self._file.fileno()
        while wanted > 0 and (piece := os.pread(descriptor, wanted, offset)):  # 2 GB at a time at most
            pieces.append(piece)
            offset, wanted = offset + len(piece), wanted - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class EventStore:
    """Columns of equal length in one file. Safe to read from several threads and forked processes."""

    def __init__(self, file: OpenFile, strips: tuple[Strip, ...], count: int, path: Path) -> None:
        self._file = file
        self.strips = strips
        self.count = count
        self.path = path

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return what a column is stored as."""
        strip = next(strip for strip in self.strips if name in strip.columns)
        field = strip.columns[name]
        return strip.row if field is None else strip.row[field]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for strip in self.strips for name in strip.columns)

    def read(self, start: int, stop: int, names: frozenset[str] | None = None) -> Events:
        """Return events [start, stop), all columns where no names are given."""
        found = {}
        for strip in self.strips:
            wanted = {name: field for name, field in strip.columns.items() if names is None or name in names}
            if not wanted:
                continue
            rows = np.frombuffer(self._bytes(strip, start, stop), strip.row)
            for name, field in wanted.items():
                found[name] = rows if field is None else np.ascontiguousarray(rows[field])
        return found

    def column(self, name: str) -> NDArray[Any]:
        """Return all of a column."""
        whole = np.empty(self.count, self.dtype(name))
        start = 0
        for block in self.blocks(names=frozenset((name,))):
            whole[start : start + len(block[name])] = block[name]
            start += len(block[name])
        return whole

    def blocks(
        self, start: int = 0, stop: int | None = None, names: frozenset[str] | None = None
    ) -> Iterator[Events]:
        """Yield events [start, stop) some at a time."""
        last = self.count if stop is None else stop
        for first in range(start, last, EVENTS_AT_A_TIME):
            yield self.read(first, min(last, first + EVENTS_AT_A_TIME), names)

    def first(self, count: int) -> "EventStore":
        """Return the first events, in the same file."""
        return EventStore(self._file, self.strips, count, self.path)

    def renamed(self, names: Mapping[str, str]) -> "EventStore":
        """Return the same columns under other names, each given by its name so far."""
        strips = tuple(
            dataclasses.replace(strip, columns={names[name]: field for name, field in strip.columns.items()})
            for strip in self.strips
        )
        return EventStore(self._file, strips, self.count, self.path)

    def close(self) -> None:
        """Close the file, for all stores that have it."""
        self._file.close()

    def _bytes(self, strip: Strip, start: int, stop: int) -> bytes:
        offset, wanted = strip.offset + start * strip.row.itemsize, (stop - start) * strip.row.itemsize
        try:
            content = self._file.read_at(offset, wanted)
        except ValueError as error:  # the file is closed
            raise RecordingError("the recording is closed", path=self.path) from error
        except OSError as error:
            raise RecordingError(
                f"the events cannot be read ({error.strerror or error})", path=self.path
            ) from error
        if len(content) < wanted:
            raise RecordingError(
                "the recording was cut short while it was open",
                path=self.path,
                found=f"{len(content)} bytes of events {start} to {stop}",
                expected=f"{wanted} bytes",
                advice="Open it again.",
            )
        return content


def columns_of(arrays: Mapping[str, StoredArray], count: int, path: Path) -> EventStore:
    """Return the columns of a list that are arrays of their own, by name."""
    places = {name: array.place() for name, array in arrays.items()}
    if None not in places.values():
        file = OpenFile(path.open("rb"))
        offsets = {name: place for name, place in places.items() if place is not None}
    else:
        file, offsets = _copied(arrays, path)
    strips = tuple(Strip(offsets[name], array.dtype, {name: None}) for name, array in arrays.items())
    return EventStore(file, strips, count, path)


def rows_of(table: StoredArray, columns: Mapping[str, str | int]) -> EventStore:
    """Return the columns of a table by name, out of the fields or the numbers of its columns."""
    count = table.shape[0]
    place = table.place()
    if place is None:
        file, offsets = _copied({"": table}, table.path)
        place = offsets[""]
    else:
        file = OpenFile(table.path.open("rb"))
    if table.dtype.names is None and table.fortran_order:
        strips = tuple(
            Strip(place + int(at) * count * table.dtype.itemsize, table.dtype, {name: None})
            for name, at in columns.items()
        )
        return EventStore(file, strips, count, table.path)
    row = table.dtype
    if row.names is None:
        row = np.dtype([(str(at), table.dtype) for at in range(table.shape[1])])
    return EventStore(
        file, (Strip(place, row, {name: str(field) for name, field in columns.items()}),), count, table.path
    )


def scratch_store(blocks: Iterator[Events], count: int, path: Path) -> EventStore:
    """Write events to a scratch file, as they come. Raises RecordingError where it has no room."""
    file = _scratch()
    row: np.dtype[Any] | None = None
    for block in blocks:
        if row is None:
            row = np.dtype([(name, column.dtype) for name, column in block.items()])
        rows = np.empty(len(block["t"]), row)
        for name, column in block.items():
            rows[name] = column
        _write(file, rows.tobytes(), path)
    assert row is not None
    file.flush()
    return EventStore(OpenFile(file), (Strip(0, row, {name: name for name in row.names or ()}),), count, path)


def _copied(arrays: Mapping[str, StoredArray], path: Path) -> tuple[OpenFile, dict[str, int]]:
    """Copy the contents of arrays to a scratch file; return it and where each begins."""
    file = _scratch()
    offsets = {}
    for name, array in arrays.items():
        offsets[name] = file.tell()
        for content in array.contents(_COPIED_BYTES):
            _write(file, content, path)
    file.flush()
    return OpenFile(file), offsets


def _scratch() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="spike-deblur-")


def _write(file: IO[bytes], content: bytes, path: Path) -> None:
    try:
        file.write(content)
    except OSError as error:
        raise RecordingError(
            f"events cannot be unpacked into {tempfile.gettempdir()} ({error.strerror or error})",
            path=path,
            advice="Make room there, or name another folder in the environment variable TMPDIR",
        ) from error
