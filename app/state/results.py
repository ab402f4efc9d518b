"""Restored frames in memory, bounded in bytes; the ones not looked at for longest go first."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.state.windows import Windows

REACH = {"network": 4}
"""How many frames on either side a method looks at."""


@dataclass(frozen=True, eq=False)
class Restored:
    """One restored frame and what made it."""

    picture: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    method: str
    gamma: float
    seconds: float
    windows: Windows | None = None
    """Of every frame of the sequence when it was made; None where they were as in the files."""


def was_made_from(restored: Restored, index: int, gamma: float, base: Windows, windows: Windows) -> bool:
    """Whether gamma and windows are still what a frame was made from; `base` are the windows of the files."""
    reach = REACH.get(restored.method, 0)
    near = slice(max(0, index - reach), index + reach + 1)
    return restored.gamma == gamma and (restored.windows or base)[near] == windows[near]


class RestoredFrames(QObject):
    """Restored frames by frame number."""

    changed = Signal()
    evicted = Signal(int)
    """A frame was forgotten because of the bound."""

    def __init__(self, limit_bytes: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._limit_bytes = limit_bytes
        self._frames: OrderedDict[int, Restored] = OrderedDict()
        self._bytes = 0

    def __contains__(self, index: int) -> bool:
        return index in self._frames

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def limit_bytes(self) -> int:
        return self._limit_bytes

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(sorted(self._frames))

    def get(self, index: int) -> Restored | None:
        """Return a restored frame and count it as used."""
        restored = self._frames.get(index)
        if restored is not None:
            self._frames.move_to_end(index)
        return restored

    def peek(self, index: int) -> Restored | None:
        """Return a restored frame without counting it as used."""
        return self._frames.get(index)

    def put(self, index: int, restored: Restored) -> None:
        """Keep a frame, in place of an older result; the newest always fits."""
        old = self._frames.pop(index, None)
        if old is not None:
            self._bytes -= old.picture.nbytes
        self._frames[index] = restored
        self._bytes += restored.picture.nbytes
        forgotten = []
        while self._bytes > self._limit_bytes and len(self._frames) > 1:
            least_recent, frame = self._frames.popitem(last=False)
            self._bytes -= frame.picture.nbytes
            forgotten.append(least_recent)
        self.changed.emit()
        for one in forgotten:
            self.evicted.emit(one)

    def clear(self) -> None:
        self._frames.clear()
        self._bytes = 0
        self.changed.emit()
