"""The pictures of the current frame that the panes show, read and made ready for the screen in threads."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.display import (
    NEUTRAL,
    DisplayPicture,
    FloatPicture,
    Look,
    display_difference,
    display_partial,
    display_picture,
    display_samples,
)
from app.state.compare.comparing import (
    BLURRY,
    PATTERN,
    RATIO,
    REFERENCE,
    RESTORED,
    SPIKE_SOURCES,
    VOXEL,
    Choice,
    Wanted,
)
from app.state.compare.pane_sources import (
    MadeFrom,
    at_size,
    made_from,
    pattern_on_frame,
    read_source,
    read_voxel_bin,
    why_missing,
)
from app.state.compare.results import Restored
from app.state.jobs.jobs import PartialFrame
from app.state.notices import describe
from app.state.pattern.pattern_picture import PatternPicture
from app.state.pattern.sensor_pattern import COMPUTING
from app.state.reading.lane import Lane, Ticket
from app.state.reading.lease import Lease
from app.state.reading.read_ahead import ReadAhead
from app.state.spikes.voxel_look import USUAL, VoxelLook
from engine.errors import EngineError, OperationCancelled
from engine.geometry import Size
from engine.samples import as_values

SLOW_SOURCES = (RATIO,)
"""Those that take too long to wait for before the frame is shown."""
SLOW_KEPT = 8
VOXEL_VALUES = "voxel values"
"""Beside the picture of a voxel bin: what its colours stand for, (h, w, 1)."""
PATTERN_GAIN = "pattern gain"
"""Beside the picture of the sensor's pattern: the gain, (h, w, 1), NaN where it is not known."""


@dataclass(frozen=True, eq=False)
class FrameView:
    """What the panes show: pictures that are always of the same frame."""

    index: int
    name: str
    blurry: DisplayPicture
    blurry_values: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    restored: DisplayPicture | None = None
    result: Restored | None = None
    """What `restored` shows; None for nothing and for a partial picture."""
    look: Look = NEUTRAL
    gain: float = 1.0
    made_from: MadeFrom = (None, 1.0, None)
    others: Mapping[str, FloatPicture] = field(default_factory=dict)
    """Values of the further sources that are wanted, (h, w, 3) each."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why a source that is wanted is not there: "reference", "spikes", "computing", or a sentence."""
    pictures: Mapping[Choice, DisplayPicture] = field(default_factory=dict)
    """Of the choices beyond the blurry and the restored picture."""
    bin: int = 0
    """The voxel bin that one of them may show."""
    voxel_look: VoxelLook = USUAL

    @property
    def is_partial(self) -> bool:
        return self.restored is not None and self.result is None

    @property
    def size(self) -> Size:
        return self.blurry.size

    def picture(self, choice: Choice) -> DisplayPicture | None:
        """Return what a pane with this choice shows."""
        if choice == Choice(BLURRY):
            return self.blurry
        if choice == Choice(RESTORED):
            return self.restored
        return self.pictures.get(choice)

    def values(self, source: str) -> FloatPicture | None:
        """Return the values (h, w, 3) of a source in [0, 1], None where it is not there or unfinished."""
        if source == BLURRY:
            return self.blurry_values
        if source == RESTORED:
            return None if self.result is None else self.result.picture
        return self.others.get(source)


@dataclass(frozen=True, eq=False)
class _Request:
    """A frame to read, and what is known of it already."""

    lease: Lease
    index: int
    results: tuple[Restored, ...]
    """The newest first."""
    patch: PartialFrame | None
    wanted: Wanted
    known: FrameView | None
    slow: Mapping[tuple[int, str, MadeFrom], FloatPicture]
    pattern: PatternPicture | None
    no_pattern: str
    """Why there is none."""


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
        self.failed_index: int | None = None
        """The frame that `problem` is about."""
        self.wanted = Wanted()
        self._pattern: PatternPicture | None = None
        self._no_pattern = COMPUTING
        self._last: _Request | None = None
        self._slow_values: OrderedDict[tuple[int, str, MadeFrom], FloatPicture] = OrderedDict()
        self._frames = Lane(pool, self)
        self._frames.answered.connect(self._on_frame)
        self._frames.failed.connect(self._on_failure)
        self._frames.busy_changed.connect(self.busy_changed)
        self._partials = Lane(pool, self)
        self._partials.answered.connect(self._on_partial)
        self._partials.busy_changed.connect(self._on_partials_busy)
        self._unfinished: tuple[int, Callable[[], PartialFrame | None]] | None = None
        """What is to be shown next of an unfinished frame."""
        self._partials.failed.connect(lambda _, error: self.failed.emit(error))
        self._ahead = ReadAhead(pool, self._read_ahead, self)
        self._slow = Lane(pool, self)
        self._slow.answered.connect(self._on_slow)
        self._slow.failed.connect(self._on_slow_failure)

    @property
    def busy(self) -> bool:
        return self._frames.busy

    def show(
        self, lease: Lease, index: int, results: tuple[Restored, ...] = (), patch: PartialFrame | None = None
    ) -> None:
        """Read frame `index` and what is `wanted` beside it: its results, else a `patch` of one.

        The newest call wins.
        """
        request = _Request(
            lease,
            index,
            results,
            patch,
            self.wanted,
            self.view,
            dict(self._slow_values),
            self._pattern,
            self._no_pattern,
        )
        self._last = request
        self._frames.request(index, lambda _: _read(request))

    def take_pattern(self, pattern: PatternPicture | None, why_missing: str) -> None:
        """Show another picture of the sensor's pattern from now on, or why there is none."""
        why = why_missing or COMPUTING
        if (pattern, why) != (self._pattern, self._no_pattern):
            self._pattern, self._no_pattern = pattern, why
            if PATTERN in self.wanted.sources:
                self._show_again()

    def show_partial(self, index: int, newest: Callable[[], PartialFrame | None]) -> None:
        """Show an unfinished frame, if it is the one on screen and has no result yet.

        `newest` is asked for it, in a thread, when the one before has been shown: it costs a copy, and tiles
        may come faster than pictures can be drawn.
        """
        self._unfinished = (index, newest)
        if not self._partials.busy:
            self._show_unfinished()

    def _show_unfinished(self) -> None:
        view, unfinished = self.view, self._unfinished
        self._unfinished = None
        if view is None or unfinished is None or view.index != unfinished[0] or view.result is not None:
            return
        newest, blurry, look = unfinished[1], view.blurry, view.look

        def draw(_: Ticket) -> DisplayPicture | None:
            partial = newest()
            if partial is None:
                return None
            return display_partial(partial.picture, blurry, partial.finished, look)

        self._partials.request(unfinished[0], draw)

    def forget_partial(self) -> None:
        """Stop showing an unfinished frame: its job is over."""
        self._unfinished = None
        self._partials.clear()
        if self.view is not None and self.view.is_partial:
            self.view = replace(self.view, restored=None)
            self.changed.emit()

    def clear(self) -> None:
        for lane in (self._frames, self._partials, self._slow):
            lane.clear()
        self._ahead.clear()
        self._slow_values.clear()
        self.view, self.problem, self._last = None, "", None
        self.changed.emit()

    def _on_failure(self, index: int, error: Exception) -> None:
        if isinstance(error, OperationCancelled):
            return
        self.failed_index = index
        self.view, self.problem = None, describe(error, self.tr("read the frame")).line
        self.changed.emit()
        self.failed.emit(error)

    def _on_frame(self, _: object, view: FrameView) -> None:
        old = self.view
        same = old is not None and old.index == view.index and old.is_partial
        if view.restored is None and same and old is not None:
            view = replace(view, restored=old.restored)
        self.view, self.problem = view, ""
        self.changed.emit()
        self._compute_slow(view)
        if self._last is not None and not self._frames.busy:
            self._ahead.shown(self._last.lease, view.index)

    def _read_ahead(self, lease: Lease, index: int) -> None:
        """Have the sequence keep what the next frame needs of files."""
        with lease.reading() as sequence:
            sequence.frame_samples(index)
            if REFERENCE in self.wanted.sources:
                sequence.reference(index)

    def _on_partial(self, index: int, picture: DisplayPicture | None) -> None:
        view = self.view
        if picture is not None and view is not None and view.index == index and view.result is None:
            self.view = replace(view, restored=picture)
            self.changed.emit()

    def _on_partials_busy(self, busy: bool) -> None:
        if not busy:
            self._show_unfinished()

    def _compute_slow(self, view: FrameView) -> None:
        """Begin with what was left out because it takes long, once the frame stands still."""
        last = self._last
        waiting = [one for one, why in view.missing.items() if why == COMPUTING and one in SLOW_SOURCES]
        if not waiting or last is None or last.index != view.index or self._frames.busy:
            return
        self._slow.request((view.index, waiting[0]), lambda _: _read_slow(last, waiting[0]))

    def _on_slow(self, key: tuple[int, str], made: tuple[MadeFrom, FloatPicture | None]) -> None:
        origin, values = made
        if values is None:
            return
        self._slow_values[*key, origin] = values
        while len(self._slow_values) > SLOW_KEPT:
            self._slow_values.popitem(last=False)
        self._show_again()

    def _on_slow_failure(self, key: tuple[int, str], error: Exception) -> None:
        view = self.view
        if not isinstance(error, OperationCancelled) and view is not None and view.index == key[0]:
            self.view = replace(view, missing={**view.missing, key[1]: _sentence(error)})
            self.changed.emit()
        if not isinstance(error, OperationCancelled | EngineError):
            self.failed.emit(error)

    def _show_again(self) -> None:
        last = self._last
        if last is not None:
            self.show(last.lease, last.index, last.results, last.patch)


def _read(request: _Request) -> FrameView:
    index, wanted, known = request.index, request.wanted, request.known
    if known is not None and known.index != index:
        known = None
    others: dict[str, FloatPicture] = {}
    missing: dict[str, str] = {}
    with request.lease.reading() as sequence:
        name = sequence.frame_name(index)
        origin = made_from(sequence, index)
        if known is not None and sequence.is_virtual and known.made_from != origin:
            known = None
        same_look = known is not None and known.look == wanted.look
        samples = sequence.frame_samples(index) if known is None else known.blurry_values
        values = as_values(samples)
        pattern = None if request.pattern is None else pattern_on_frame(sequence, request.pattern)
        if PATTERN in wanted.sources:
            if pattern is None:
                missing[PATTERN] = request.no_pattern
            else:
                others[PATTERN], others[PATTERN_GAIN] = pattern.values, pattern.gain
        for source in wanted.sources - {BLURRY, RESTORED, PATTERN}:
            why = why_missing(sequence, source)
            picture = None if why else _known(source, request, known, origin)
            if picture is None and not why and source in SLOW_SOURCES:
                why = COMPUTING
            elif picture is None and not why:
                try:
                    if source == VOXEL:
                        picture, others[VOXEL_VALUES] = read_voxel_bin(
                            sequence, index, wanted.bin, wanted.voxel_look
                        )
                    else:
                        picture = read_source(sequence, index, source, request.results)
                except EngineError as error:
                    why = _sentence(error)
            elif source == VOXEL and picture is not None and known is not None:
                others[VOXEL_VALUES] = known.others[VOXEL_VALUES]
            if picture is not None:
                others[source] = picture
            elif why:
                missing[source] = why
    blurry = known.blurry if known is not None and same_look else display_samples(samples, wanted.look)
    restored, result = None, request.results[0] if request.results else None
    if request.patch is not None:  # a frame that was restored since would have taken its place
        restored, result = (
            display_partial(request.patch.picture, blurry, request.patch.finished, wanted.look),
            None,
        )
    elif result is not None:
        reuse = known is not None and known.result is result and same_look
        restored = (
            known.restored if reuse and known is not None else display_picture(result.picture, wanted.look)
        )
    view = FrameView(
        index, name, blurry, values, restored, result, wanted.look, wanted.gain, origin, others, missing
    )
    pictures = {
        choice: drawn
        for choice in wanted.choices
        if choice not in (Choice(BLURRY), Choice(RESTORED), Choice(PATTERN))
        and (drawn := _drawn(choice, view, known)) is not None
    }
    if pattern is not None and Choice(PATTERN) in wanted.choices:
        pictures[Choice(PATTERN)] = pattern.display  # whatever the contrast of the others
    return replace(view, pictures=pictures, bin=wanted.bin, voxel_look=wanted.voxel_look)


def _known(source: str, request: _Request, known: FrameView | None, origin: MadeFrom) -> FloatPicture | None:
    """Return the values of a source that need not be read again."""
    if source in SLOW_SOURCES:
        return request.slow.get((request.index, source, origin))
    shown = (request.wanted.bin, request.wanted.voxel_look)
    same_bin = known is not None and (source != VOXEL or (known.bin, known.voxel_look) == shown)
    if known is not None and source == REFERENCE:
        return known.others.get(source)
    if known is not None and source in SPIKE_SOURCES and known.made_from == origin and same_bin:
        return known.others.get(source)
    return None


def _drawn(choice: Choice, view: FrameView, known: FrameView | None) -> DisplayPicture | None:
    """Return a choice's picture: as it was where nothing of it has changed."""
    values = [view.values(source) for source in choice.sources]
    first = values[0]
    if first is None or any(one is None for one in values):
        return None
    same_look = known is not None and (known.look, known.gain) == (view.look, view.gain)
    if known is not None and same_look and choice in known.pictures:
        before = [known.values(source) for source in choice.sources]
        if all(one is other for one, other in zip(values, before, strict=True)):
            return known.pictures[choice]
    if not choice.minus:
        return display_picture(first, view.look)
    second = values[1]
    assert second is not None
    return display_difference(at_size(first, view.size), at_size(second, view.size), view.gain)


def _read_slow(request: _Request, source: str) -> tuple[MadeFrom, FloatPicture | None]:
    """Return the values of a source, and what they were made from, which is part of their key."""
    with request.lease.reading() as sequence:
        values = read_source(sequence, request.index, source, request.results)
        return made_from(sequence, request.index), values


def _sentence(error: Exception) -> str:
    return describe(error).line
