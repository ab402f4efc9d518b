"""A sequence that several threads read, closed when the last of them is done.

Closing a memory-mapped file under a reader would take the pages away from under its feet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from engine.errors import OperationCancelled

if TYPE_CHECKING:
    from engine.sequence import Sequence


class Lease:
    """Hands out a sequence to readers until `retire`; closes it after the last of them."""

    def __init__(self, sequence: "Sequence") -> None:
        self.sequence = sequence
        self._lock = Lock()
        self._readers = 0
        self._retired = False

    @contextmanager
    def reading(self) -> "Iterator[Sequence]":
        """Keep the sequence open inside the block. Raises OperationCancelled once it is retired."""
        with self._lock:
            if self._retired:
                raise OperationCancelled("the sequence was closed")
            self._readers += 1
        try:
            yield self.sequence
        finally:
            with self._lock:
                self._readers -= 1
                last = self._retired and self._readers == 0
            if last:
                self.sequence.close()

    def retire(self) -> None:
        """Let nobody in any more, and close at once when nobody is inside."""
        with self._lock:
            was_retired, self._retired = self._retired, True
            idle = self._readers == 0
        if idle and not was_retired:
            self.sequence.close()
