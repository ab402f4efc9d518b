"""PSNR and SSIM of the frame on screen, where the sequence has a reference."""

import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.state.lease import Lease
from app.state.pictures import FrameView
from app.state.reading import Lane
from app.state.results import Restored

if TYPE_CHECKING:
    from engine.metrics import Scores


@dataclass(frozen=True)
class FrameScores:
    """What the two pictures of one frame scored; None where there is nothing to score."""

    index: int
    blurry: "Scores | None"
    restored: "Scores | None"


class FrameMetrics(QObject):
    """Scores frames in a thread and remembers what it measured."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scores: FrameScores | None = None
        self._blurry: dict[int, Scores] = {}
        self._restored: weakref.WeakKeyDictionary[Restored, Scores] = weakref.WeakKeyDictionary()
        self._lane = Lane(pool, self)
        self._lane.answered.connect(self._on_answer)
        self._lane.failed.connect(lambda _, error: self.failed.emit(error))

    def measure(self, lease: Lease, view: FrameView) -> None:
        """Score what the panes show; known scores are shown at once."""
        if not lease.sequence.has_reference:
            return
        blurry = self._blurry.get(view.index)
        restored = None if view.result is None else self._restored.get(view.result)
        if blurry is not None and (view.result is None or restored is not None):
            self._show(FrameScores(view.index, blurry, restored))
            return
        self._lane.request(view, lambda _: _measure(lease, view, blurry, restored))

    def clear(self) -> None:
        self._lane.clear()
        self._blurry.clear()
        self._restored.clear()
        self._show(None)

    def _show(self, scores: FrameScores | None) -> None:
        self.scores = scores
        self.changed.emit()

    def _on_answer(self, view: FrameView, scores: FrameScores | None) -> None:
        if scores is None:
            self._show(None)
            return
        if scores.blurry is not None:
            self._blurry[view.index] = scores.blurry
        if scores.restored is not None and view.result is not None:
            self._restored[view.result] = scores.restored
        self._show(scores)


def _measure(
    lease: Lease, view: FrameView, blurry: "Scores | None", restored: "Scores | None"
) -> FrameScores | None:
    from engine.metrics import compare

    with lease.reading() as sequence:
        if sequence.reference(view.index) is None:
            return None
        blurry = blurry or compare(sequence, view.index, view.blurry_values)
        if view.result is not None:
            restored = restored or compare(sequence, view.index, view.result.picture)
    return FrameScores(view.index, blurry, restored)
