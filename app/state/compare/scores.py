"""PSNR and SSIM of the pictures on screen, where the sequence has a reference."""

import weakref
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.display import FloatPicture
from app.state.compare.comparing import BLURRY, RATIO, RESTORED, maker_of
from app.state.compare.pictures import FrameView
from app.state.compare.results import Restored
from app.state.reading.lane import Lane
from app.state.reading.lease import Lease
from engine.geometry import Region

if TYPE_CHECKING:
    from engine.metrics import Scores

PATIENCE_MS = 120
"""How long a frame stays before it is measured: nobody reads scores while scrubbing."""
_Measured = dict[tuple[str, Region | None], tuple[FloatPicture, "Scores"]]


@dataclass(frozen=True)
class FrameScores:
    """What the pictures of one frame scored, whole or inside a region."""

    index: int
    by_source: "Mapping[str, Scores]" = field(default_factory=dict)
    region: Region | None = None

    @property
    def blurry(self) -> "Scores | None":
        return self.by_source.get(BLURRY)

    @property
    def restored(self) -> "Scores | None":
        return self.by_source.get(RESTORED)


class FrameMetrics(QObject):
    """Scores frames in a thread and remembers what it measured."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scores: FrameScores | None = None
        self._blurry: dict[Hashable, Scores] = {}
        self._is_virtual = False
        self._restored: weakref.WeakKeyDictionary[Restored, dict[Region | None, Scores]] = (
            weakref.WeakKeyDictionary()
        )
        self._others: tuple[int, _Measured] = (-1, {})
        """Of the frame measured last: by source and region, the picture and its scores."""
        self._pending: Callable[[], None] = _nothing
        self._newest: tuple[FrameView, Region | None] | None = None
        """What is to be shown; answers about anything else are only remembered."""
        self._patience = QTimer(self, interval=PATIENCE_MS, singleShot=True)
        self._patience.timeout.connect(lambda: self._pending())
        self._lane = Lane(pool, self)
        self._lane.answered.connect(self._on_answer)
        self._lane.failed.connect(lambda _, error: self.failed.emit(error))

    def measure(self, lease: Lease, view: FrameView, region: Region | None = None) -> None:
        """Score what the panes show; known scores are shown at once."""
        if not lease.sequence.has_reference:
            return
        self._is_virtual = lease.sequence.is_virtual
        self._newest = (view, region)
        pictures = _measurable(view)
        known = self._known(view, pictures, region)
        if known.keys() == pictures.keys():
            self._patience.stop()
            self._show(FrameScores(view.index, known, region))
            return
        todo = {source: pictures[source] for source in pictures.keys() - known.keys()}
        self._pending = lambda: self._lane.request(
            (view, region, known, todo), lambda _: _measure(lease, view.index, todo, region)
        )
        self._patience.start()

    def clear(self) -> None:
        self._patience.stop()
        self._pending, self._newest = _nothing, None
        self._lane.clear()
        self._blurry.clear()
        self._restored.clear()
        self._others = (-1, {})
        self._show(None)

    def _known(
        self, view: FrameView, pictures: Mapping[str, FloatPicture], region: Region | None
    ) -> "dict[str, Scores]":
        known: dict[str, Scores] = {}
        if (of_blurry := self._blurry_key(view, region)) in self._blurry:
            known[BLURRY] = self._blurry[of_blurry]
        if view.result is not None and region in self._restored.get(view.result, {}):
            known[RESTORED] = self._restored[view.result][region]
        index, measured = self._others
        for source, picture in pictures.items():
            before = measured.get((source, region)) if index == view.index else None
            if before is not None and before[0] is picture:
                known[source] = before[1]
        return known

    def _blurry_key(self, view: FrameView, region: Region | None) -> Hashable:
        """Return what the scores of a blurry picture depend on: virtual frames are made of their windows."""
        return view.index, region, view.made_from if self._is_virtual else None

    def _show(self, scores: FrameScores | None) -> None:
        self.scores = scores
        self.changed.emit()

    def _on_answer(
        self,
        key: "tuple[FrameView, Region | None, dict[str, Scores], dict[str, FloatPicture]]",
        measured: "dict[str, Scores] | None",
    ) -> None:
        view, region, known, pictures = key
        shown = self._newest is not None and self._newest[0] is view and self._newest[1] == region
        if measured is None:
            if shown:
                self._show(None)
            return
        if self._others[0] != view.index:
            self._others = (view.index, {})
        for source, scores in measured.items():
            if source == BLURRY:
                self._blurry[self._blurry_key(view, region)] = scores
            elif source == RESTORED and view.result is not None:
                self._restored.setdefault(view.result, {})[region] = scores
            else:
                self._others[1][source, region] = (pictures[source], scores)
        if shown:
            self._show(FrameScores(view.index, {**known, **measured}, region))


def _nothing() -> None:
    """Nothing waits to be measured."""


def _measurable(view: FrameView) -> dict[str, FloatPicture]:
    """Return the pictures that a score means something for: those that claim to be the frame."""
    sources = [BLURRY, RESTORED]
    sources += [source for source in view.others if source == RATIO or maker_of(source) is not None]
    return {source: values for source in sources if (values := view.values(source)) is not None}


def _measure(
    lease: Lease, index: int, pictures: Mapping[str, FloatPicture], region: Region | None
) -> "dict[str, Scores] | None":
    from engine.metrics import compare

    with lease.reading() as sequence:
        if sequence.reference(index) is None:
            return None
        return {source: compare(sequence, index, picture, region) for source, picture in pictures.items()}
