"""What the user changes of a sequence's alignment windows, step by step, and the way back.

Strategy: a step holds all windows before and after it, so that undoing needs no arithmetic. The steps of one
drag, and the same key pressed again and again, are one step.
"""

from collections.abc import Hashable, Iterable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.state.alignment import windows as change
from app.state.alignment.windows import Edge, Windows
from engine.alignment_window import AlignmentWindow

MOST_STEPS = 500


class WindowEdits(QObject):
    """The alignment windows of one sequence, editable."""

    changed = Signal()
    """The windows are others than before."""
    stepped = Signal()
    """There is more, or less, to undo."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(MOST_STEPS)
        self.stack.indexChanged.connect(self._on_step)
        self.base: Windows = ()
        """As the files say, before anybody changed them."""
        self._windows: Windows = ()
        self._edited: frozenset[int] | None = None

    @property
    def windows(self) -> Windows:
        return self._windows

    @property
    def is_edited(self) -> bool:
        return self._windows != self.base

    @property
    def edited_frames(self) -> frozenset[int]:
        if self._edited is None:
            self._edited = change.changed_frames(self.base, self._windows)
        return self._edited

    def begin(self, base: Iterable[AlignmentWindow]) -> None:
        """Start with the windows of another sequence; nothing of the one before can be undone."""
        self._edited = None
        self.base = self._windows = tuple(base)
        self.stack.clear()
        self.stepped.emit()

    # ------------------------------------------------------------------ one window

    def set_window(
        self, index: int, window: AlignmentWindow, text: str = "", gesture: Hashable | None = None
    ) -> None:
        """Give a frame another window. Steps of the same `gesture`, one after the other, are one."""
        windows = list(self._windows)
        windows[index] = change.with_edge(window, "stop", window.stop)
        self._do(tuple(windows), text or self.tr("Window of frame {frame}").format(frame=index + 1), gesture)

    def set_window_by_drag(self, index: int, window: AlignmentWindow, drag: str) -> None:
        """Give a frame the window that a drag has led to so far."""
        self.set_window(index, window, self.tr("Drag window {frame}").format(frame=index + 1), drag)

    def move_edge(self, index: int, edge: Edge, plane: float, gesture: Hashable | None = None) -> None:
        window = change.with_edge(self._windows[index], edge, plane)
        text = self.tr("Start of frame {frame}") if edge == "start" else self.tr("Stop of frame {frame}")
        self.set_window(index, window, text.format(frame=index + 1), gesture)

    def nudge(self, index: int, planes: float, edge: Edge | None = None) -> None:
        """Move a window, or one edge of it, by planes; repeated ones are one step."""
        window = self._windows[index]
        gesture = ("nudge", index, edge)
        if edge is None:
            text = self.tr("Move window {frame}").format(frame=index + 1)
            self.set_window(index, window.shifted(planes), text, gesture)
        else:
            at = window.start if edge == "start" else window.stop
            self.move_edge(index, edge, at + planes, gesture)

    def set_length(self, index: int, planes: float, gesture: Hashable | None = None) -> None:
        """Make a window longer or shorter around its middle."""
        window = self._windows[index].central(max(planes, change.SHORTEST_PLANES))
        text = self.tr("Length of frame {frame}").format(frame=index + 1)
        self.set_window(index, window, text, gesture)

    # ------------------------------------------------------------------ all windows

    def shift_all(self, planes: float) -> None:
        text = self.tr("Shift all by {planes} planes").format(planes=f"{planes:+g}")
        self._do(change.shifted(self._windows, planes), text)

    def scale_all(self, factor: float) -> None:
        text = self.tr("Scale all to {factor}").format(factor=f"{factor:.4g}")
        self._do(change.scaled(self._windows, factor), text)

    def drift(self, planes_a_frame: float) -> None:
        text = self.tr("Drift {planes} planes a frame").format(planes=f"{planes_a_frame:+g}")
        self._do(change.drifted(self._windows, planes_a_frame), text)

    def reset(self) -> None:
        """Return to what the files say, as a step of its own."""
        self._do(self.base, self.tr("Windows as in the files"))

    def take(self, windows: Iterable[AlignmentWindow], text: str) -> None:
        """Use other windows, one a frame."""
        self._do(tuple(windows), text)

    # ------------------------------------------------------------------ steps

    def _do(self, windows: Windows, text: str, gesture: Hashable | None = None) -> None:
        if len(windows) != len(self._windows):
            raise ValueError(f"{len(windows)} windows for {len(self._windows)} frames")
        if windows != self._windows:
            self.stack.push(_Step(self, self._windows, windows, text, gesture))

    def _on_step(self, _: int) -> None:
        self.stepped.emit()

    def apply(self, windows: Windows) -> None:
        """For steps only: these are the windows now."""
        self._windows, self._edited = windows, None
        self.changed.emit()


class _Step(QUndoCommand):
    def __init__(
        self, edits: WindowEdits, before: Windows, after: Windows, text: str, gesture: Hashable | None
    ) -> None:
        super().__init__(text)
        self._edits = edits
        self._before = before
        self._after = after
        self._gesture = gesture

    def redo(self) -> None:
        self._edits.apply(self._after)

    def undo(self) -> None:
        self._edits.apply(self._before)

    def id(self) -> int:
        return -1 if self._gesture is None else 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Step) or other._gesture != self._gesture:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True
