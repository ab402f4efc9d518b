"""The two pictures of the current frame, read and made ready for the screen in threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.display import DisplayPicture, display_partial, display_picture
from app.state.jobs import PartialFrame
from app.state.lease import Lease
from app.state.reading import Lane, Ticket
from app.state.results import Restored
from engine.errors import OperationCancelled


@dataclass(frozen=True, eq=False)
class FrameView:
    """What the panes show: one frame, blurry and restored, always of the same number."""

    index: int
    name: str
    blurry: DisplayPicture
    blurry_values: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    restored: DisplayPicture | None = None
    result: Restored | None = None
    """What `restored` shows; None for nothing and for a partial picture."""

    @property
    def is_partial(self) -> bool:
        return self.restored is not None and self.result is None


class Pictures(QObject):
    """Holds the newest `FrameView`. The view changes as a whole, so the panes never disagree."""

    changed = Signal()
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view: FrameView | None = None
        self.problem = ""
        """Why there is no view, in one line."""
        self._frames = Lane(pool, self)
        self._frames.answered.connect(self._on_frame)
        self._frames.failed.connect(self._on_failure)
        self._frames.busy_changed.connect(self.busy_changed)
        self._partials = Lane(pool, self)
        self._partials.answered.connect(self._on_partial)
        self._partials.failed.connect(lambda _, error: self.failed.emit(error))

    @property
    def busy(self) -> bool:
        return self._frames.busy

    def show(
        self, lease: Lease, index: int, result: Restored | None, patch: PartialFrame | None = None
    ) -> None:
        """Read frame `index` and show it beside `result`, or where there is none beside a `patch` of it.

        The newest call wins.
        """
        known = self.view
        self._frames.request(index, lambda ticket: _read(lease, index, result, patch, known, ticket))

    def show_partial(self, partial: PartialFrame) -> None:
        """Show an unfinished frame, if it is the one on screen and has no result yet."""
        view = self.view
        if view is None or view.index != partial.index:
            return
        blurry = view.blurry
        self._partials.request(
            partial.index, lambda _: display_partial(partial.picture, blurry, partial.finished)
        )

    def forget_partial(self) -> None:
        """Stop showing an unfinished frame: its job is over."""
        self._partials.clear()
        if self.view is not None and self.view.is_partial:
            self.view = replace(self.view, restored=None)
            self.changed.emit()

    def clear(self) -> None:
        self._frames.clear()
        self._partials.clear()
        self.view, self.problem = None, ""
        self.changed.emit()

    def _on_failure(self, _: object, error: Exception) -> None:
        if isinstance(error, OperationCancelled):
            return
        self.view, self.problem = None, str(error)
        self.changed.emit()
        self.failed.emit(error)

    def _on_frame(self, _: object, view: FrameView) -> None:
        old = self.view
        same = old is not None and old.index == view.index and old.is_partial
        if view.restored is None and same and old is not None:
            view = replace(view, restored=old.restored)
        self.view, self.problem = view, ""
        self.changed.emit()

    def _on_partial(self, index: int, picture: DisplayPicture) -> None:
        view = self.view
        if view is not None and view.index == index and view.result is None:
            self.view = replace(view, restored=picture)
            self.changed.emit()


def _read(
    lease: Lease,
    index: int,
    result: Restored | None,
    patch: PartialFrame | None,
    known: FrameView | None,
    _: Ticket,
) -> FrameView:
    with lease.reading() as sequence:
        name = sequence.frame_name(index)
        if known is not None and known.index == index:
            blurry, values = known.blurry, known.blurry_values
        else:
            values = sequence.frame(index)
            blurry = display_picture(values)
    restored = None
    if result is not None:
        reuse = known is not None and known.result is result
        restored = known.restored if reuse and known is not None else display_picture(result.picture)
    elif patch is not None:
        restored = display_partial(patch.picture, blurry, patch.finished)
    return FrameView(index, name, blurry, values, restored, result)
