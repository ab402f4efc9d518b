"""The life of a job as a table, and the rules of its slots. Standard library only, no I/O.

Both ends keep a `JobRecord` of every job and show it each message, the worker before sending and the
client after receiving, so that neither can leave the order that `messages` promises:

    requested ── Accepted ──→ running ── TileDone, FrameDone, FrameFailed ──→ running
    requested ── Cancelled | Failed ──→ over
    running   ── Finished | Cancelled | Failed ──→ over
"""

from collections.abc import Iterable
from enum import Enum

from engine.errors import WorkerError
from engine.moment import Moment
from engine.worker.messages import (
    NO_SLOT,
    Accepted,
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    FrameFailed,
    RestoreRequest,
    TileDone,
    WorkerMessage,
)


class JobState(Enum):
    REQUESTED = "requested"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in (JobState.FINISHED, JobState.CANCELLED, JobState.FAILED)


NEXT_STATE: dict[tuple[JobState, type[WorkerMessage]], JobState] = {
    (JobState.REQUESTED, Accepted): JobState.RUNNING,
    (JobState.REQUESTED, Cancelled): JobState.CANCELLED,
    (JobState.REQUESTED, Failed): JobState.FAILED,
    (JobState.RUNNING, TileDone): JobState.RUNNING,
    (JobState.RUNNING, FrameDone): JobState.RUNNING,
    (JobState.RUNNING, FrameFailed): JobState.RUNNING,
    (JobState.RUNNING, Finished): JobState.FINISHED,
    (JobState.RUNNING, Cancelled): JobState.CANCELLED,
    (JobState.RUNNING, Failed): JobState.FAILED,
}
"""Every pair that is not here is illegal."""


class JobRecord:
    """What one job has said so far."""

    def __init__(self, request: RestoreRequest) -> None:
        self.request = request
        self.state = JobState.REQUESTED
        self.tiles = 0
        self.tiles_done = 0
        self.done: set[Moment] = set()
        self._wanted = frozenset(request.wanted)
        self.frames_failed: set[int] = set()
        self.slots = SlotPool(request.frames.slots)

    @property
    def is_over(self) -> bool:
        return self.state.is_over

    def observe(self, message: WorkerMessage) -> None:
        """Take the job one step further.

        Raises WorkerError where the message does not belong here; the record is then unchanged.
        """
        if message.job != self.request.job:
            raise WorkerError(f"a message of job {message.job} reached the record of job {self.request.job}")
        state = NEXT_STATE.get((self.state, type(message)))
        if state is None:
            raise self._illegal(f"{type(message).__name__} while {self.state.value}")
        if isinstance(message, TileDone):
            self._observe_tile(message)
        elif isinstance(message, FrameDone):
            self._observe_frame(message)
        elif isinstance(message, FrameFailed):
            self._observe_failure(message)
        elif isinstance(message, Accepted):
            self.tiles = message.tiles
        elif isinstance(message, Finished):
            left = [moment for moment in self._left() if moment.frame not in self.frames_failed]
            if left:
                raise self._illegal(f"Finished without {min(left)} and {len(left) - 1} more")
        self.state = state

    def _observe_tile(self, message: TileDone) -> None:
        self._check(message.moment)
        if not self.tiles_done <= message.tiles_done <= self.tiles:
            raise self._illegal(f"tile {message.tiles_done} of {self.tiles} after tile {self.tiles_done}")
        if message.slot != NO_SLOT:
            self.slots.hold(message.slot, message.moment)
        self.tiles_done = message.tiles_done

    def _observe_frame(self, message: FrameDone) -> None:
        self._check(message.moment)
        self.slots.hold(message.slot, message.moment)
        self.done.add(message.moment)

    def _observe_failure(self, message: FrameFailed) -> None:
        left = [moment for moment in self._left() if moment.frame == message.frame]
        if not left or message.frame in self.frames_failed:
            raise self._illegal(f"FrameFailed of frame {message.frame}, of which nothing is left")
        if not 0 <= message.tiles_done <= message.tiles:
            raise self._illegal(f"tile {message.tiles_done} of {message.tiles}")
        for moment in left:  # unfinished pictures that nobody will finish
            slot = self.slots.slot_of(moment)
            if slot is not None:
                self.slots.release(slot)
        self.frames_failed.add(message.frame)
        self.tiles_done, self.tiles = message.tiles_done, message.tiles

    def _left(self) -> frozenset[Moment]:
        return self._wanted - self.done

    def _check(self, moment: Moment) -> None:
        if moment not in self._wanted:
            raise self._illegal(f"{moment}, which nobody asked for")
        if moment in self.done:
            raise self._illegal(f"{moment} again after its FrameDone")
        if moment.frame in self.frames_failed:
            raise self._illegal(f"{moment} again after its FrameFailed")

    def _illegal(self, what: str) -> WorkerError:
        return WorkerError(f"the worker broke its protocol: job {self.request.job} sent {what}")


class SlotPool:
    """Which moment holds which slot of a job's shared memory."""

    def __init__(self, slots: int) -> None:
        self._holders: list[Moment | None] = [None] * slots

    def held_by(self, slot: int) -> Moment | None:
        return self._holders[slot]

    def slot_of(self, moment: Moment) -> int | None:
        return self._holders.index(moment) if moment in self._holders else None

    def take(self, moment: Moment, *, finished: bool) -> int | None:
        """Return the slot of `moment`, a free one where it has none yet, None where it has to wait.

        An unfinished moment never takes the last free slot: a clip works on many at once, and if
        they all held slots while another one is finished, nobody could go on.
        """
        held = self.slot_of(moment)
        if held is not None:
            return held
        free = [slot for slot, holder in enumerate(self._holders) if holder is None]
        if len(free) < (1 if finished else 2):
            return None
        self._holders[free[0]] = moment
        return free[0]

    def hold(self, slot: int, moment: Moment) -> None:
        """Record that `moment` is in `slot`. Raises WorkerError where another still is."""
        if not 0 <= slot < len(self._holders):
            raise WorkerError(f"the worker used slot {slot} of {len(self._holders)}")
        if self._holders[slot] not in (None, moment):
            holder = self._holders[slot]
            raise WorkerError(f"the worker put {moment} into slot {slot}, which {holder} holds")
        self._holders[slot] = moment

    def release(self, slot: int) -> None:
        """Free a slot; one that is free already stays so."""
        if not 0 <= slot < len(self._holders):
            raise WorkerError(f"slot {slot} was released, but there are {len(self._holders)}")
        self._holders[slot] = None

    def holds_any(self, moments: Iterable[Moment]) -> bool:
        return not set(moments).isdisjoint(holder for holder in self._holders if holder is not None)
