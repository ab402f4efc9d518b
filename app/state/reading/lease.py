"""A sequence as it was when somebody asked for it, and the open files behind it.

Closing a memory-mapped file under a reader would take the pages away from under its feet, and a sequence that
got other windows under a reader would give one reading two of them. So a lease never changes: whoever moves
windows makes another one, of the same files, which stay open until the last reader of any of them is done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from engine.errors import OperationCancelled

if TYPE_CHECKING:
    from engine.sequence import Sequence


class OpenFiles:
    """Files that several threads read; lets readers in until `retire`, and closes after the last of them."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._lock = Lock()
        self._readers = 0
        self._retired = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the files open inside the block. Raises OperationCancelled once they are retired."""
        with self._lock:
            if self._retired:
                raise OperationCancelled("the sequence was closed")
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                last = self._retired and self._readers == 0
            if last:
                self._close()

    def retire(self) -> None:
        """Let nobody in any more, and close at once when nobody is inside."""
        with self._lock:
            was_retired, self._retired = self._retired, True
            idle = self._readers == 0
        if idle and not was_retired:
            self._close()


class Lease:
    """One state of a sequence, for reading. Immutable; safe to hand to any thread."""

    def __init__(self, sequence: "Sequence", files: OpenFiles | None = None) -> None:
        """Take a sequence that has just been opened, or another state of one whose `files` are open."""
        self._sequence = sequence
        self._files = OpenFiles(lambda: sequence.close()) if files is None else files

    @property
    def sequence(self) -> "Sequence":
        return self._sequence

    @property
    def files(self) -> OpenFiles:
        """What tells sequences apart whatever their windows are: part of the keys of what is kept."""
        return self._files

    def of(self, sequence: "Sequence") -> "Lease":
        """Return the lease of another state of the same sequence."""
        return Lease(sequence, self._files)

    @contextmanager
    def reading(self) -> "Iterator[Sequence]":
        """Keep the files open inside the block. Raises OperationCancelled once they are retired."""
        with self._files.reading():
            yield self._sequence

    def retire(self) -> None:
        """Let nobody in any more, through whichever lease of the files; close them after the last reader."""
        self._files.retire()
