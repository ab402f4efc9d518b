"""Keep the pictures that were read last, within a number of bytes."""

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from cachetools import LRUCache

from engine.errors import SequenceError
from engine.samples import Samples

T = TypeVar("T")


class PictureCache:
    """The pictures read last as they are stored, up to a number of bytes. Threads may share it."""

    def __init__(self, size_bytes: int) -> None:
        self._lock = threading.Lock()
        self._pictures: LRUCache[Hashable, Samples] = LRUCache(
            size_bytes, getsizeof=lambda picture: picture.nbytes
        )
        self._being_read: dict[Hashable, threading.Event] = {}
        self._measured: dict[Hashable, object] = {}
        self._measuring = threading.RLock()
        self._closed = False

    def picture(self, key: Hashable, read: Callable[[], Samples]) -> Samples:
        """Return a picture, reading it where it is not kept; a picture larger than the cache is not kept.

        Where another thread is reading it already, its answer is waited for.
        """
        while True:
            with self._lock:
                if self._closed:
                    raise SequenceError("the sequence is closed")
                if key in self._pictures:
                    return self._pictures[key]
                by_other = self._being_read.get(key)
                if by_other is None:
                    self._being_read[key] = read_by_this = threading.Event()
                    break
            by_other.wait()
        try:
            picture = read()
            picture.flags.writeable = False
            with self._lock:
                if not self._closed and picture.nbytes <= self._pictures.maxsize:
                    self._pictures[key] = picture
        finally:
            with self._lock:
                del self._being_read[key]
            read_by_this.set()
        return picture

    def measured(self, key: Hashable, measure: Callable[[], T]) -> T:
        """Return what is measured once of the whole sequence; `measure` may ask for something else."""
        if key in self._measured:  # what is known need not wait while something else is measured
            return cast(T, self._measured[key])
        with self._measuring:
            if key not in self._measured:
                self._measured[key] = measure()
            return cast(T, self._measured[key])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._pictures.clear()
