"""Which sequence is open, and opening another one without losing it when that fails."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.environment import load_opencv
from app.state.opening.remembered import RememberedReading, open_remembering
from app.state.reading.lane import Lane, Ticket
from app.state.reading.lease import Lease
from engine.errors import GeometryError, OperationCancelled, SequenceError
from engine.recording.recording import GeometryCandidate
from engine.source import SequenceSource

if TYPE_CHECKING:
    from engine.sequence import Sequence

log = logging.getLogger(__name__)


def open_with_engine(source: SequenceSource) -> "Sequence":
    """Open a sequence; called in a thread, where the engine's modules also load the first time."""
    load_opencv()
    from engine.sequence import open_source

    sequence = open_source(source)
    _ = sequence.findings  # looks for dead and hot pixels the first time, which the window must not wait for
    return sequence


@dataclass(frozen=True)
class GeometryQuestion:
    """A recording cannot be opened before somebody says its height and width."""

    source: SequenceSource
    error: GeometryError
    candidates: tuple[GeometryCandidate, ...]
    """Readings of the bytes, best first."""


class Session(QObject):
    """The open sequence. The one before stays open until its successor has been read."""

    busy_changed = Signal(bool)
    opened = Signal()
    closed = Signal()
    failed = Signal(object)
    """The exception."""
    geometry_needed = Signal(object)
    """A GeometryQuestion."""
    several_found = Signal(object, object)
    """The source, and the paths of the sequences in its folder, which is none itself."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        parent: QObject | None = None,
        *,
        opener: "Callable[[SequenceSource], Sequence]" = open_with_engine,
        recall: Callable[[SequenceSource], RememberedReading | None] = lambda _: None,
        prepare: Callable[[SequenceSource], SequenceSource] = lambda source: source,
    ) -> None:
        """`prepare` mends a source that says what cannot be done any more."""
        super().__init__(parent)
        self._opener = opener
        self._recall = recall
        self._prepare = prepare
        self.source: SequenceSource | None = None
        self.lease: Lease | None = None
        self.refused: SequenceSource | None = None
        """What could not be opened last; saying more about its files may help."""
        self.opening: SequenceSource | None = None
        """What is being opened right now."""
        self.added_flat: str | None = None
        """What the sensor's pattern is known by, where the studio and not the user has said so."""
        self._adding: str | None = None
        self.postponed: SequenceSource | None = None
        """What is opened once somebody wants to see it."""
        self._lane = Lane(pool, self)
        self._lane.answered.connect(self._on_answer)
        self._lane.failed.connect(self._on_failure)
        self._lane.busy_changed.connect(self.busy_changed)

    @property
    def sequence(self) -> "Sequence | None":
        return None if self.lease is None else self.lease.sequence

    @property
    def said(self) -> SequenceSource | None:
        """What is open, as the user has said it: without what the studio has added."""
        if self.source is None or self.added_flat is None:
            return self.source
        return replace(self.source, flat=None)

    @property
    def busy(self) -> bool:
        return self._lane.busy

    def open(self, source: SequenceSource) -> None:
        """Open what `source` says, in a thread; `opened`, `failed` or `geometry_needed` follows."""
        self._open_with(self._prepare(source), None)

    def _open_with(self, source: SequenceSource, added_flat: str | None) -> None:
        log.info("Opening %s", source)
        self._adding = added_flat
        self.opening, self.postponed, self.refused = source, None, None
        remembered = self._recall(source)
        self._lane.request(source, lambda ticket: self._read(source, remembered, ticket))

    def postpone(self, source: SequenceSource) -> None:
        """Remember what to open when `wake` is called."""
        self.postponed = source

    def wake(self) -> None:
        """Open what was postponed, if anything was."""
        if self.postponed is not None:
            self.open(self.postponed)

    def reopen(self, **changes: object) -> None:
        """Open the same files again, some of what was said about them changed."""
        source, added = self.source, self.added_flat
        if "spikes" in changes:  # of another sensor, perhaps
            source, added = self.said, None
        if source is not None:
            self._open_with(self._prepare(replace(source, **changes)), added)  # type: ignore[arg-type]

    def add_flat(self, file: str) -> None:
        """Open the same files again, corrected by a pattern that the user has not named."""
        if self.source is not None:
            self._open_with(replace(self.source, flat=file), file)

    def show_as(self, sequence: "Sequence") -> None:
        """Let the open sequence be another state of itself; who reads the one before is not disturbed."""
        if self.lease is not None:
            self.lease = self.lease.of(sequence)

    def close(self) -> None:
        """Close the sequence and give up opening another."""
        self._lane.clear()
        self.opening = self.postponed = self.refused = None
        self._retire()
        self.closed.emit()

    def _retire(self) -> None:
        lease, self.lease, self.source, self.added_flat = self.lease, None, None, None
        if lease is not None:
            lease.retire()

    def _on_answer(self, source: SequenceSource, lease: Lease) -> None:
        if source is not self.opening:
            lease.retire()
            return
        self.opening = None
        self._retire()
        self.lease, self.source = lease, lease.sequence.source  # with what was remembered about it
        self.added_flat = self._adding if self.source.flat == self._adding else None
        self.opened.emit()

    def _on_failure(self, source: SequenceSource, error: Exception) -> None:
        if source is not self.opening:
            return
        self.opening = None
        log.info("Opening %s failed: %s", source.path, error)
        if isinstance(error, GeometryError):
            candidates = tuple(getattr(error, "candidates", ()))
            self.geometry_needed.emit(GeometryQuestion(source, error, candidates))
        elif isinstance(error, SequenceError) and error.sequences:
            self.several_found.emit(source, error.sequences)
        else:
            self.refused = source
            self.failed.emit(error)

    def _read(self, source: SequenceSource, remembered: RememberedReading | None, ticket: Ticket) -> Lease:
        lease = Lease(open_remembering(self._opener, source, remembered))
        if ticket.superseded():
            lease.retire()
            raise OperationCancelled("another sequence is being opened")
        return lease
