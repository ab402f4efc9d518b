"""The restorations of one open sequence, as its window sees them: those of its jobs in the common queue."""

from PySide6.QtCore import QObject, Signal

from app.state.compare.results import Restored, spikes_of
from app.state.jobs.job import JobRequest, JobState, JobStatus, PartialFrame
from app.state.jobs.queue import JobQueue
from engine.geometry import Region
from engine.moment import Moment

__all__ = ["JobRequest", "JobState", "JobStatus", "Jobs", "PartialFrame"]


class Jobs(QObject):
    """Puts jobs into the queue and hears of them what concerns this sequence."""

    changed = Signal()
    """Progress."""
    state_changed = Signal()
    """A job came, moved on to another `JobState`, or is forgotten."""
    frame_restored = Signal(object, object)
    """`Moment`, `Restored`."""
    region_restored = Signal(object, object, object)
    """`Moment`, region, picture (H, W, 3) of which only the region is restored."""
    partial_changed = Signal(object)
    """More of this `Moment` is done; ask `partial` for it."""
    ended = Signal(object)
    """The last `JobStatus` of a job."""

    def __init__(self, queue: JobQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.queue = queue
        self._last: int | None = None
        """The job to speak of where none runs or waits."""
        queue.changed.connect(self._on_change)
        queue.list_changed.connect(self.state_changed)
        queue.frame_done.connect(self._on_frame)
        queue.partial_changed.connect(self._on_partial)
        queue.ended.connect(self._on_end)

    @property
    def status(self) -> JobStatus | None:
        """The job that runs, else the next one, else the last one; None once that is forgotten."""
        own = self.queue.owned_by(self)
        active = self.queue.active
        if active is not None and active in own:
            return active
        waiting = next((status for status in own if not status.state.is_over), None)
        return waiting or next((status for status in own if status.number == self._last), None)

    @property
    def is_running(self) -> bool:
        """Whether a job of this sequence runs or waits."""
        return any(not status.state.is_over for status in self.queue.owned_by(self))

    def waits_for(self, moment: Moment) -> bool:
        """Whether a job that runs or waits will restore this moment."""
        return any(
            moment in status.wanted and not status.state.is_over for status in self.queue.owned_by(self)
        )

    def start(self, request: JobRequest, *, first: bool = False) -> None:
        """Restore what is asked for: after all other jobs, or before them. The same twice is once."""
        if not request.wanted:
            return
        for status in self.queue.owned_by(self):
            if not status.state.is_over and self.queue.request(status.number) == request:
                return
        self._last = self.queue.add(self, request, first=first)

    def cancel(self) -> None:
        """Stop what runs, within a tile or by force; where nothing runs, the next job."""
        status = self.status
        if status is not None:
            self.queue.cancel(status.number)

    def look_at(self, frame: int, region: Region | None, cursor: tuple[float, float] | None) -> None:
        """Say what the user sees: a running job does that first."""
        self.queue.look_at(self, frame, region, cursor)

    def abandon(self) -> None:
        """Cancel everything, and let nothing be heard but the ends: the sequence is gone."""
        self.queue.abandon(self)

    def forget(self) -> None:
        """Show no job any more; those that still run or wait are abandoned and vanish when they end."""
        self._last = None
        self.abandon()
        for status in self.queue.owned_by(self):
            self.queue.remove(status.number)
        self.changed.emit()
        self.state_changed.emit()

    def partial(self, moment: Moment) -> PartialFrame | None:
        """Return a copy of an unfinished moment of the running job, None where there is nothing of it."""
        status = self.queue.active
        if status is None or not self._is_own(status.number):
            return None
        return self.queue.partial(status.number, moment)

    def _is_own(self, number: int) -> bool:
        return self.queue.owner(number) is self

    def _on_change(self, number: int) -> None:
        if self._is_own(number):
            self.changed.emit()

    def _on_partial(self, number: int, moment: Moment) -> None:
        if self._is_own(number):
            self.partial_changed.emit(moment)

    def _on_frame(self, number: int, moment: Moment, picture: object, seconds: float) -> None:
        request = self.queue.request(number)
        if request is not None and request.region is not None and self._is_own(number):
            self.region_restored.emit(moment, request.region, picture)
        elif request is not None and self._is_own(number):
            restored = Restored(
                picture,  # type: ignore[arg-type]
                request.method,
                request.gamma,
                seconds,
                request.in_force or request.windows,
                request.model,
                spikes_of(request.source),
                self.queue.why_unchanged(number, moment),
                self.queue.looked_at(number, moment),
            )
            self.frame_restored.emit(moment, restored)

    def _on_end(self, status: JobStatus) -> None:
        if self._is_own(status.number):
            self._last = status.number
            self.ended.emit(status)
