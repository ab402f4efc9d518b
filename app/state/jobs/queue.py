"""All jobs of a window: one is worked on, the others wait for it; every job ends exactly once.

Strategy: the worker is given one job at a time, so that the order of the others stays ours to change. A job
that has to make room is cancelled there and keeps what it has finished: later it is submitted again for the
frames that are left. Pausing is the same, only that it waits for somebody to resume it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from app.bridge import WorkerBridge
from app.state.jobs.job import JobRequest, JobState, JobStatus, PartialFrame
from app.state.notices import describe
from engine.errors import EngineError
from engine.geometry import Region, Span
from engine.moment import Moment
from engine.worker.messages import (
    NO_SLOT,
    Accepted,
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    FrameFailed,
    TileDone,
    WorkerMessage,
)

log = logging.getLogger(__name__)

CANCEL_PATIENCE_MS = 2000
"""A worker that does not stop within this is killed; the next job starts a new one."""
KEPT_JOBS = 30
"""Jobs that are over and still listed."""


class _Job:
    def __init__(self, number: int, owner: object, request: JobRequest) -> None:
        self.owner = owner
        self.request = request
        self.status = JobStatus(
            number,
            request.wanted,
            request.method,
            request.gamma,
            JobState.QUEUED,
            name=request.name,
            is_region=request.region is not None,
        )
        self.done: set[Moment] = set()
        self.unchanged: dict[Moment, str] = {}
        """Why moments came back as they were."""
        self.looked_at: dict[Moment, tuple[Span, ...]] = {}
        """On which frames results depend, where the worker says it."""
        self.failed: dict[int, str] = {}
        """Why frames could not be restored."""
        self.slots: dict[Moment, int] = {}
        self.regions: dict[Moment, list[Region]] = {}
        self.goes_on_as: JobState | None = None
        """What it becomes once the worker has let go of it; None where it ends then."""
        self.is_silent = False
        """Nobody wants its pictures any more."""
        self.is_unwanted = False
        """It is to vanish from the list when it is over."""

    @property
    def left(self) -> tuple[Moment, ...]:
        """What is still to do."""
        wanted = self.request.wanted
        return tuple(one for one in wanted if one not in self.done and one.frame not in self.failed)


class JobQueue(QObject):
    """Runs jobs one after the other; anybody may own some."""

    changed = Signal(int)
    """Something about this job, progress included."""
    list_changed = Signal()
    """A job came, went, moved, or is in another `JobState`."""
    accepted = Signal(int)
    """The worker has begun with this job."""
    frame_done = Signal(int, object, object, float)
    """Job, moment, picture (H, W, 3), seconds."""
    partial_changed = Signal(int, object)
    """Job, moment: more of it is done; ask `partial` for it."""
    described = Signal(str, object, object)
    """Method, file of the model or None, what it turned out to be (`ModelDescription`)."""
    ended = Signal(object)
    """The last `JobStatus` of a job."""

    def __init__(
        self,
        bridge: WorkerBridge,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._clock = clock
        self._jobs: list[_Job] = []
        self._last_number = 0
        self._active: _Job | None = None
        self._active_in_worker = 0
        self._working_since = 0.0
        self._patience = QTimer(self, interval=CANCEL_PATIENCE_MS, singleShot=True)
        self._patience.timeout.connect(bridge.kill)
        bridge.message.connect(self._on_message)

    # ------------------------------------------------------------------ what can be asked

    @property
    def statuses(self) -> tuple[JobStatus, ...]:
        """All jobs in the order of their turns; those that are over stay where they were."""
        return tuple(job.status for job in self._jobs)

    @property
    def active(self) -> JobStatus | None:
        """The job that has the worker."""
        return None if self._active is None else self._active.status

    @property
    def open_jobs(self) -> int:
        """Jobs that are not over."""
        return sum(not job.status.state.is_over for job in self._jobs)

    def owned_by(self, owner: object) -> tuple[JobStatus, ...]:
        return tuple(job.status for job in self._jobs if job.owner is owner)

    def owner(self, number: int) -> object:
        job = self._find(number)
        return None if job is None else job.owner

    def request(self, number: int) -> JobRequest | None:
        job = self._find(number)
        return None if job is None else job.request

    def why_unchanged(self, number: int, moment: Moment) -> str:
        """Return why a finished moment came back as it was; empty where it is restored."""
        job = self._find(number)
        return "" if job is None else job.unchanged.get(moment, "")

    def looked_at(self, number: int, moment: Moment) -> tuple[Span, ...] | None:
        """Return on which frames a finished moment depends, None where that is not known."""
        job = self._find(number)
        return None if job is None else job.looked_at.get(moment)

    def partial(self, number: int, moment: Moment) -> PartialFrame | None:
        """Return a copy of an unfinished moment, None where there is nothing of it. Any thread may ask."""
        job, in_worker = self._active, self._active_in_worker
        if job is None or job.status.number != number or job.is_silent:
            return None
        slot, finished = job.slots.get(moment), tuple(job.regions.get(moment, ()))
        if slot is None:
            return None
        try:
            picture = self._bridge.picture(in_worker, slot)
        except EngineError:
            return None
        if job.slots.get(moment) != slot:  # finished meanwhile: another may be in its slot by now
            return None
        return PartialFrame(moment, picture, finished)

    # ------------------------------------------------------------------ what can be done

    def add(self, owner: object, request: JobRequest, *, first: bool = False) -> int:
        """Put a job at the end, or before all others: then the running one makes room. Return its number."""
        self._last_number += 1
        job = _Job(self._last_number, owner, request)
        log.info("Job %d: %s of frames %s of %s", job.status.number, request.method, request.frames, request)
        if first:
            waiting = (row for row, other in enumerate(self._jobs) if not other.status.state.is_over)
            self._jobs.insert(next(waiting, len(self._jobs)), job)
            self._make_room()
        else:
            self._jobs.append(job)
        self._forget_old()
        self.list_changed.emit()
        self._advance()
        return job.status.number

    def cancel(self, number: int) -> None:
        """End a job: at once where it waits, within a tile or by force where it runs."""
        job = self._find(number)
        if job is None or job.status.state.is_over or job.status.state is JobState.CANCELLING:
            return
        if job is not self._active:
            self._end(job, JobState.CANCELLED)
            return
        job.goes_on_as = None
        self._bridge.cancel(self._active_in_worker)
        self._patience.start()
        self._update(job, state=JobState.CANCELLING)

    def pause(self, number: int) -> None:
        """Let a job wait until it is resumed; what it has finished stays."""
        job = self._find(number)
        if job is None or job.status.state not in (JobState.QUEUED, JobState.STARTING, JobState.RUNNING):
            return
        if job is self._active:
            self._take_off(job, JobState.PAUSED)
        self._update(job, state=JobState.PAUSED)

    def resume(self, number: int) -> None:
        job = self._find(number)
        if job is None or job.status.state is not JobState.PAUSED:
            return
        if job is self._active:
            job.goes_on_as = JobState.QUEUED
        self._update(job, state=JobState.QUEUED)
        self._advance()

    def retry(self, number: int) -> None:
        """Put a job that failed or was cancelled back into the queue, for the frames it lacks."""
        job = self._find(number)
        if job is None or job.is_silent or job.status.state not in (JobState.FAILED, JobState.CANCELLED):
            return
        self._jobs.remove(job)
        self._jobs.append(job)
        job.failed.clear()
        self._update(job, state=JobState.QUEUED, problem="", failures=())
        self._advance()

    def move(self, number: int, rows: int) -> None:
        """Move a waiting job towards the front (negative) or the end of the queue, among those not over."""
        job = self._find(number)
        if job is None or job.status.state.is_over:
            return
        open_jobs = [other for other in self._jobs if not other.status.state.is_over]
        places = [row for row, other in enumerate(self._jobs) if not other.status.state.is_over]
        at = open_jobs.index(job)
        to = max(0, min(len(open_jobs) - 1, at + rows))
        if to == at:
            return
        open_jobs.insert(to, open_jobs.pop(at))
        for place, other in zip(places, open_jobs, strict=True):
            self._jobs[place] = other
        self.list_changed.emit()

    def look_at(
        self, owner: object, frame: int, region: Region | None, cursor: tuple[float, float] | None
    ) -> None:
        """Say what is seen of the owner's sequence: the running job, if it is theirs, does that first."""
        job = self._active
        if job is not None and job.owner is owner:
            self._bridge.prioritise(self._active_in_worker, frame, region, cursor)

    def remove(self, number: int) -> None:
        """Take a job off the list; one that is not over is cancelled first."""
        job = self._find(number)
        if job is None:
            return
        job.is_unwanted = True
        self.cancel(number)
        if job.status.state.is_over and job in self._jobs:
            self._jobs.remove(job)
            self.list_changed.emit()

    def clear_ended(self) -> None:
        self._jobs = [job for job in self._jobs if not job.status.state.is_over]
        self.list_changed.emit()

    def abandon(self, owner: object) -> None:
        """Cancel all jobs of an owner that is gone, and let nothing of them be heard but their ends."""
        for job in [job for job in self._jobs if job.owner is owner and not job.status.state.is_over]:
            job.is_silent = True
            self.cancel(job.status.number)

    # ------------------------------------------------------------------ one after the other

    def _find(self, number: int) -> _Job | None:
        return next((job for job in self._jobs if job.status.number == number), None)

    def _forget_old(self) -> None:
        over = [job for job in self._jobs if job.status.state.is_over]
        for job in over[:-KEPT_JOBS]:
            self._jobs.remove(job)

    def _make_room(self) -> None:
        """Take the running job off the worker for the sake of one before it."""
        job = self._active
        if job is not None and job.status.state in (JobState.STARTING, JobState.RUNNING):
            self._take_off(job, JobState.QUEUED)
            self._update(job, state=JobState.QUEUED)

    def _take_off(self, job: _Job, goes_on_as: JobState) -> None:
        if job.goes_on_as is None:
            self._bridge.cancel(self._active_in_worker)
        job.goes_on_as = goes_on_as

    def _advance(self) -> None:
        """Give the worker its next job, if it has none."""
        while self._active is None:
            job = next((job for job in self._jobs if job.status.state is JobState.QUEUED), None)
            if job is None:
                return
            request, left = job.request, job.left
            if not left:
                self._end(job, JobState.FINISHED)
                continue
            try:
                self._active_in_worker = self._bridge.submit(request, left)
            except EngineError as error:
                self._end(job, JobState.FAILED, describe(error).line)
                continue
            self._active = job
            self._working_since = self._clock()
            job.status = replace(
                job.status,
                tiles_done=0,
                tiles_total=0,
                frames_before=len(job.done),
                seconds_before=job.status.elapsed_seconds,
            )
            self._update(job, state=JobState.STARTING)

    def _update(self, job: _Job, **changes: object) -> None:
        before = job.status.state
        if job is self._active:
            elapsed = job.status.seconds_before + self._clock() - self._working_since
            changes = {"elapsed_seconds": elapsed, **changes}
        job.status = replace(job.status, **changes)  # type: ignore[arg-type]
        self.changed.emit(job.status.number)
        if job.status.state is not before:
            self.list_changed.emit()

    # ------------------------------------------------------------------ what the worker says

    def _on_message(self, message: WorkerMessage) -> None:
        job = self._active
        if job is None or message.job != self._active_in_worker:
            if isinstance(message, FrameDone):
                self._bridge.release(message.job, message.slot)
            return
        match message:
            case Accepted():
                self._working_since = self._clock()
                state = JobState.RUNNING if job.status.state is JobState.STARTING else job.status.state
                self._update(job, state=state, tiles_total=message.tiles, layout=message.layout)
                self.accepted.emit(job.status.number)
                if message.description is not None:
                    self.described.emit(job.request.method, job.request.model, message.description)
            case TileDone():
                self._on_tile(job, message)
            case FrameDone():
                self._on_frame(job, message)
            case FrameFailed():
                self._on_frame_failed(job, message)
            case Finished():
                self._update(job, remarks=message.remarks)
                self._let_go(job, JobState.FINISHED)
            case Cancelled():
                self._let_go(job, job.goes_on_as or JobState.CANCELLED)
            case Failed():
                log.error("Job %d failed: %s\n%s", job.status.number, message.message, message.details)
                self._let_go(job, JobState.FAILED, message.message)

    def _on_tile(self, job: _Job, message: TileDone) -> None:
        region = Region(message.top, message.left, message.bottom, message.right)
        job.regions.setdefault(message.moment, []).append(region)
        self._update(job, tiles_done=message.tiles_done)
        if message.slot != NO_SLOT and not job.is_silent:
            job.slots[message.moment] = message.slot
            self.partial_changed.emit(job.status.number, message.moment)

    def _on_frame(self, job: _Job, message: FrameDone) -> None:
        if job.is_silent:
            self._bridge.release(message.job, message.slot)
            return
        try:
            picture = self._bridge.finished_picture(message.job, message.slot)
        finally:
            self._bridge.release(message.job, message.slot)
        job.slots.pop(message.moment, None)
        job.regions.pop(message.moment, None)
        job.done.add(message.moment)
        if message.unchanged:
            job.unchanged[message.moment] = message.unchanged
        if message.looked_at is not None:
            job.looked_at[message.moment] = tuple(Span(*seen) for seen in message.looked_at)
        self._update(job, frames_done=len(job.done), unchanged=tuple(sorted(job.unchanged.items())))
        self.frame_done.emit(job.status.number, message.moment, picture, message.seconds)

    def _on_frame_failed(self, job: _Job, message: FrameFailed) -> None:
        log.warning("Job %d, frame %d failed: %s", job.status.number, message.frame + 1, message.message)
        job.slots = {one: slot for one, slot in job.slots.items() if one.frame != message.frame}
        job.regions.clear()  # the others are begun anew without it
        job.failed[message.frame] = message.message
        self._update(
            job,
            tiles_done=message.tiles_done,
            tiles_total=message.tiles,
            failures=tuple(sorted(job.failed.items())),
        )

    def _let_go(self, job: _Job, state: JobState, problem: str = "") -> None:
        """The worker is done with a job: it ends, or goes on later."""
        self._patience.stop()
        self._update(job)
        self._active = None
        job.goes_on_as = None
        job.slots.clear()
        job.regions.clear()
        if state.is_over:
            self._end(job, state, problem)
        else:
            self._update(job, state=state)
        self._advance()

    def _end(self, job: _Job, state: JobState, problem: str = "") -> None:
        if state is JobState.FINISHED and job.failed:
            state, problem = JobState.FAILED, _describe_failures(job.status)
        self._update(job, state=state, problem=problem)
        self.ended.emit(job.status)
        if job.is_unwanted and job in self._jobs:
            self._jobs.remove(job)
            self.list_changed.emit()


def _describe_failures(status: JobStatus) -> str:
    """Return one line on the frames that failed while others were restored."""
    frame, why = status.failures[0]
    counts = {"failed": len(status.failures), "count": len(status.wanted), "frame": frame + 1, "why": why}
    text = QCoreApplication.translate(
        "Queue", "{failed} of {count} frames failed, first frame {frame}: {why}"
    )
    return text.format(**counts)
