"""Keep the pictures that were read last, within a number of bytes."""

import threading
from collections.abc import Callable, Hashable

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from engine.errors import SequenceError


class PictureCache:
    """The pictures read last, up to a number of bytes. Safe to use from several threads."""

    def __init__(self, size_bytes: int) -> None:
        self._lock = threading.Lock()
        self._pictures: LRUCache[Hashable, NDArray[np.float32]] = LRUCache(
            size_bytes, getsizeof=lambda picture: picture.nbytes
        )
        self._white: float | None = None
        self._closed = False

    def picture(self, key: Hashable, read: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return a picture, reading it where it is not kept; a picture larger than the cache is not kept."""
        with self._lock:
            if self._closed:
                raise SequenceError("the sequence is closed")
            if key in self._pictures:
                return self._pictures[key]
        picture = read()
        picture.flags.writeable = False
        with self._lock:
            if not self._closed and picture.nbytes <= self._pictures.maxsize:
                self._pictures[key] = picture
        return picture

    def white(self, measure: Callable[[], float]) -> float:
        """Return the white level of virtual frames, measured once."""
        if self._white is None:
            self._white = measure()
        return self._white

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._pictures.clear()
