"""Restored frames in memory, bounded in bytes; the ones not looked at for longest go first."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.state.alignment.windows import Windows
from engine.geometry import Span
from engine.moment import Moment
from engine.source import SequenceSource


@dataclass(frozen=True, eq=False)
class Restored:
    """One restored frame and what made it."""

    picture: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    method: str
    gamma: float
    seconds: float
    windows: Windows | None = None
    """Of every frame of the sequence when it was made; None for those of the files."""
    model: str | None = None
    """File of the network; None for the bundled one and for methods without."""
    spikes: tuple[object, ...] | None = None
    """Which recording it was made from and how that was read, as `spikes_of` says it; None if not known."""
    unchanged: str = ""
    """Why it is the blurry frame (see `engine.restoration.evidence`); empty where it is restored."""
    looked_at: tuple[Span, ...] | None = None
    """The frames whose windows it depends on, as the worker has told; None where it has not: then on all."""

    @property
    def made_by(self) -> str:
        """What made it: results of the same maker replace each other."""
        if self.model is None:
            return self.method
        file = Path(self.model)
        return f"{self.method} {file.stem} ({file.parent.name})"


def spikes_of(source: SequenceSource) -> tuple[object, ...]:
    """Return which recording a source takes, how it reads it, and what it corrects it by."""
    reading = (source.height, source.width, source.flip, source.msb_first, source.time_unit)
    return (source.spikes, *reading, source.flat, source.registration)


def was_made_from(restored: Restored, gamma: float, base: Windows, windows: Windows) -> bool:
    """Whether gamma and windows are still what a frame was made from; `base` are the windows of the files."""
    before = restored.windows or base
    seen = (Span(0, max(len(before), len(windows))),) if restored.looked_at is None else restored.looked_at
    return restored.gamma == gamma and all(
        before[span.start : span.stop] == windows[span.start : span.stop] for span in seen
    )


class RestoredFrames(QObject):
    """Restored moments; of each the newest result of every maker, the newest of all first."""

    changed = Signal()
    evicted = Signal(object)
    """A `Moment` was forgotten because of the bound."""

    def __init__(self, limit_bytes: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._limit_bytes = limit_bytes
        self._frames: OrderedDict[tuple[Moment, str], Restored] = OrderedDict()
        """By moment and maker, the one not looked at for longest first."""
        self._newest: dict[Moment, list[str]] = {}
        """Of every moment its makers, the newest last."""
        self._bytes = 0

    def __contains__(self, moment: Moment) -> bool:
        return moment in self._newest

    def __len__(self) -> int:
        return len(self._newest)

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def limit_bytes(self) -> int:
        return self._limit_bytes

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(sorted(self._newest))

    def get(self, moment: Moment) -> Restored | None:
        """Return a restored moment and count it as used."""
        restored = self.peek(moment)
        if restored is not None:
            self._frames.move_to_end((moment, restored.made_by))
        return restored

    def peek(self, moment: Moment) -> Restored | None:
        """Return a restored moment without counting it as used."""
        makers = self._newest.get(moment)
        return self._frames[moment, makers[-1]] if makers else None

    def of(self, moment: Moment) -> tuple[Restored, ...]:
        """Return all results of a moment, the newest first."""
        return tuple(self._frames[moment, maker] for maker in reversed(self._newest.get(moment, ())))

    @property
    def makers(self) -> tuple[str, ...]:
        """Return what made the results there are, by name."""
        return tuple(sorted({maker for _, maker in self._frames}))

    def put(self, moment: Moment, restored: Restored) -> None:
        """Keep a moment, in place of an older result of the same maker; the newest always fits."""
        maker = restored.made_by
        if (moment, maker) in self._frames:
            self._drop(moment, maker)
        self._frames[moment, maker] = restored
        self._newest.setdefault(moment, []).append(maker)
        self._bytes += restored.picture.nbytes
        forgotten = []
        while self._bytes > self._limit_bytes and len(self._frames) > 1:
            least_recent = next(iter(self._frames))
            self._drop(*least_recent)
            forgotten.append(least_recent[0])
        self.changed.emit()
        for one in forgotten:
            self.evicted.emit(one)

    def clear(self) -> None:
        self._frames.clear()
        self._newest.clear()
        self._bytes = 0
        self.changed.emit()

    def _drop(self, moment: Moment, maker: str) -> None:
        self._bytes -= self._frames.pop((moment, maker)).picture.nbytes
        self._newest[moment].remove(maker)
        if not self._newest[moment]:
            del self._newest[moment]
