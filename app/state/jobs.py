"""The running restoration: its state, its progress, its pictures, and its one end.

STARTING ── Accepted ──→ RUNNING ── cancel() ──→ CANCELLING
any of them ──→ FINISHED | CANCELLED | FAILED
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from app.bridge import WorkerBridge
from app.state.results import Restored
from engine.errors import EngineError
from engine.geometry import Region, Size, Span
from engine.source import SequenceSource
from engine.worker.messages import (
    NO_SLOT,
    Accepted,
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    TileDone,
    WorkerMessage,
)

log = logging.getLogger(__name__)

CANCEL_PATIENCE_MS = 2000
"""A worker that does not stop within this is killed; the next job starts a new one."""


class JobState(Enum):
    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in (JobState.FINISHED, JobState.CANCELLED, JobState.FAILED)


@dataclass(frozen=True)
class JobStatus:
    """A snapshot of a job."""

    number: int
    frames: Span
    method: str
    gamma: float
    state: JobState = JobState.STARTING
    tiles_done: int = 0
    tiles_total: int = 0
    frames_done: int = 0
    elapsed_seconds: float = 0.0
    problem: str = ""

    @property
    def seconds_left(self) -> float | None:
        """Time left by the pace so far; None before anything is known."""
        if self.state is not JobState.RUNNING or self.tiles_done == 0 or self.tiles_total == 0:
            return None
        return self.elapsed_seconds * (self.tiles_total - self.tiles_done) / self.tiles_done

    @property
    def fraction(self) -> float:
        return self.tiles_done / self.tiles_total if self.tiles_total else 0.0


@dataclass(frozen=True, eq=False)
class PartialFrame:
    """A frame of the running job as far as it is done."""

    index: int
    picture: NDArray[np.float32]
    finished: tuple[Region, ...]


class Jobs(QObject):
    """Runs one restoration at a time."""

    changed = Signal()
    """Progress."""
    state_changed = Signal()
    """A job began, moved on to another `JobState`, or is forgotten."""
    frame_restored = Signal(int, object)
    """Frame number, `Restored`."""
    partial_changed = Signal(int)
    """More of this frame is done; ask `partial` for it."""
    ended = Signal(object)
    """The last `JobStatus` of a job."""
    failed = Signal(object)
    """An exception."""

    def __init__(
        self,
        bridge: WorkerBridge,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self.status: JobStatus | None = None
        self._bridge = bridge
        self._clock = clock
        self._accepted_at = 0.0
        self._is_abandoned = False
        self._slots: dict[int, int] = {}
        self._regions: dict[int, list[Region]] = {}
        self._patience = QTimer(self, interval=CANCEL_PATIENCE_MS, singleShot=True)
        self._patience.timeout.connect(bridge.kill)
        bridge.message.connect(self._on_message)

    @property
    def is_running(self) -> bool:
        return self.status is not None and not self.status.state.is_over

    def start(
        self, source: SequenceSource, frames: Span, method: str, frame_size: Size, gamma: float
    ) -> None:
        """Restore `frames`; refused while another job runs. A worker that cannot start ends in `failed`."""
        if self.is_running or len(frames) == 0:
            return
        try:
            number = self._bridge.submit(source, frames.start, frames.stop, method, frame_size)
        except EngineError as error:
            self.failed.emit(error)
            return
        log.info("Job %d: %s of frames %s", number, method, frames)
        self._slots.clear()
        self._regions.clear()
        self._is_abandoned = False
        self._accepted_at = self._clock()
        self.status = JobStatus(number, frames, method, gamma)
        self.changed.emit()
        self.state_changed.emit()

    def cancel(self) -> None:
        """Stop within a tile, or by force when the worker takes longer than that."""
        if self.status is None or not self.is_running or self.status.state is JobState.CANCELLING:
            return
        self._bridge.cancel(self.status.number)
        self._patience.start()
        self._update(state=JobState.CANCELLING)

    def abandon(self) -> None:
        """Cancel, and let nothing of the job be heard but its end: its sequence is gone."""
        self._is_abandoned = self.is_running
        self.cancel()

    def forget(self) -> None:
        """Show no job any more; one that still runs is abandoned and forgotten when it ends."""
        self.abandon()
        if not self.is_running:
            self.status = None
            self.changed.emit()
            self.state_changed.emit()

    def partial(self, index: int) -> PartialFrame | None:
        """Return a copy of an unfinished frame of the running job, None where there is nothing of it."""
        if self.status is None or not self.is_running or self._is_abandoned or index not in self._slots:
            return None
        try:
            picture = self._bridge.picture(self.status.number, self._slots[index])
        except EngineError:
            return None
        return PartialFrame(index, picture, tuple(self._regions[index]))

    def _update(self, **changes: object) -> None:
        assert self.status is not None
        before = self.status.state
        elapsed = self._clock() - self._accepted_at
        self.status = replace(self.status, elapsed_seconds=elapsed, **changes)  # type: ignore[arg-type]
        self.changed.emit()
        if self.status.state is not before:
            self.state_changed.emit()

    def _on_message(self, message: WorkerMessage) -> None:
        status = self.status
        if status is None or message.job != status.number or status.state.is_over:
            if isinstance(message, FrameDone):
                self._bridge.release(message.job, message.slot)
            return
        match message:
            case Accepted():
                self._accepted_at = self._clock()
                state = JobState.RUNNING if status.state is JobState.STARTING else status.state
                self._update(state=state, tiles_total=message.tiles)
            case TileDone():
                self._on_tile(message)
            case FrameDone():
                self._on_frame(message, status)
            case Finished():
                self._end(JobState.FINISHED)
            case Cancelled():
                self._end(JobState.CANCELLED)
            case Failed():
                log.error("Job %d failed: %s\n%s", message.job, message.message, message.details)
                self._end(JobState.FAILED, message.message)

    def _on_tile(self, message: TileDone) -> None:
        region = Region(message.top, message.left, message.bottom, message.right)
        self._regions.setdefault(message.frame, []).append(region)
        self._update(tiles_done=message.tiles_done)
        if message.slot != NO_SLOT and not self._is_abandoned:
            self._slots[message.frame] = message.slot
            self.partial_changed.emit(message.frame)

    def _on_frame(self, message: FrameDone, status: JobStatus) -> None:
        if self._is_abandoned:
            self._bridge.release(message.job, message.slot)
            return
        try:
            picture = self._bridge.picture(message.job, message.slot)
        finally:
            self._bridge.release(message.job, message.slot)
        self._slots.pop(message.frame, None)
        self._regions.pop(message.frame, None)
        self._update(frames_done=status.frames_done + 1)
        self.frame_restored.emit(
            message.frame, Restored(picture, status.method, status.gamma, message.seconds)
        )

    def _end(self, state: JobState, problem: str = "") -> None:
        self._patience.stop()
        self._slots.clear()
        self._regions.clear()
        self._update(state=state, problem=problem)
        self.ended.emit(self.status)
        if self._is_abandoned:
            self.forget()
