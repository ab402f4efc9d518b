"""Which frame the user is at, and the range between the in and out points."""

from PySide6.QtCore import QObject, Signal

from engine.geometry import Span


class Position(QObject):
    """A frame number in [0, count), and a range of frames. Values outside are clamped, never refused."""

    changed = Signal(int)
    count_changed = Signal(int)
    range_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._count = 0
        self._index = 0
        self._in: int | None = None
        self._out: int | None = None

    @property
    def count(self) -> int:
        return self._count

    @property
    def index(self) -> int:
        return self._index

    @property
    def range(self) -> Span:
        """Frames from the in point to the out point, both included; everything where none is set."""
        start = 0 if self._in is None else self._in
        last = self._count - 1 if self._out is None else self._out
        return Span(start, max(start, last + 1))

    @property
    def has_range(self) -> bool:
        return self._in is not None or self._out is not None

    def reset(self, count: int, index: int = 0) -> None:
        """Start over with a sequence of `count` frames."""
        self._count, self._in, self._out = count, None, None
        self._index = self._clamp(index)
        self.count_changed.emit(count)
        self.range_changed.emit()
        self.changed.emit(self._index)

    def go(self, index: int) -> None:
        index = self._clamp(index)
        if index != self._index:
            self._index = index
            self.changed.emit(index)

    def step(self, frames: int) -> None:
        self.go(self._index + frames)

    def set_in(self, index: int) -> None:
        """Begin the range here; an out point before it moves away."""
        self._in = self._clamp(index)
        if self._out is not None and self._out < self._in:
            self._out = None
        self.range_changed.emit()

    def set_out(self, index: int) -> None:
        """End the range with this frame; an in point after it moves away."""
        self._out = self._clamp(index)
        if self._in is not None and self._in > self._out:
            self._in = None
        self.range_changed.emit()

    def clear_range(self) -> None:
        self._in = self._out = None
        self.range_changed.emit()

    def _clamp(self, index: int) -> int:
        return max(0, min(index, self._count - 1))
