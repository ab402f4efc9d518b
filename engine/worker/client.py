"""The client's end of the worker: start it, give it jobs, collect its messages, survive its death.

Knows no Qt: whoever uses it asks `poll()` now and then, always from the same thread. Nothing here waits
for the worker: it starts in the background, and messages to it are sent by a thread of their own.
"""

import multiprocessing
import queue
import signal
import threading
import weakref
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.errors import WorkerError
from engine.geometry import Size
from engine.moment import Moment
from engine.restoration.options import ComputeOptions
from engine.source import SequenceSource
from engine.worker.blocks import FrameBlock
from engine.worker.messages import (
    Cancelled,
    CancelRequest,
    ClientMessage,
    Failed,
    JobEnd,
    PauseRequest,
    Prioritise,
    Rectangle,
    RestoreRequest,
    ResumeRequest,
    ShutdownRequest,
    SlotReleased,
    WorkerMessage,
)
from engine.worker.process import run_worker
from engine.worker.protocol import JobRecord

RESTORER = "engine.worker.restorer:SequenceRestorer"
CLOSE_SECONDS = 0.5
"""How long a closing client waits for the worker to leave by itself."""


class _Job:
    """A job the client still has to do with."""

    def __init__(self, request: RestoreRequest, block: FrameBlock) -> None:
        self.record = JobRecord(request)
        self.block = block
        self.is_cancelling = False

    @property
    def is_read(self) -> bool:
        """The job is over and every finished picture of it has been released."""
        return self.record.is_over and not self.record.slots.holds_any(self.record.done)


class _Worker:
    """One child process with its connection, and the thread that sends to it."""

    def __init__(self, restorer: str, *, yields: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=run_worker, args=(theirs, restorer, yields), name="spike-deblur-worker", daemon=True
        )
        try:
            _start_deaf_to_interrupts(self.process)
        finally:
            theirs.close()  # or the end of the child would never show as the end of the connection
        self._outbox: queue.SimpleQueue[ClientMessage | None] = queue.SimpleQueue()
        self._sender = threading.Thread(
            target=_send_all, args=(self._outbox, self.connection), name="worker-outbox", daemon=True
        )
        self._sender.start()

    def send(self, message: ClientMessage) -> None:
        self._outbox.put(message)

    def end(self, wait_seconds: float = 0.0) -> int | None:
        """Wait a little, kill, clean up; return the exit code (negative: the signal that ended it)."""
        self.process.join(wait_seconds)
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        self._outbox.put(None)
        self._sender.join()
        self.connection.close()
        return code


class WorkerClient:
    """Restore frames in a child process.

    `restorer` is the import path of what restores there (see `engine.worker.process.Restorer`). Making a
    client costs nothing; `start` may be called early so that the first job finds the worker awake, and
    `submit` starts it where that was not done or where it has died. One that `yields` computes only when
    the processor has nothing more urgent to do, such as drawing a window.
    """

    def __init__(self, *, restorer: str = RESTORER, yields: bool = False) -> None:
        self._restorer = restorer
        self._yields = yields
        self._worker: _Worker | None = None
        self._jobs: dict[int, _Job] = {}
        self._undelivered: list[WorkerMessage] = []
        self._last_job = 0
        self._is_closed = False
        self._at_exit = weakref.finalize(self, _close_blocks, self._jobs)

    @property
    def open_jobs(self) -> tuple[int, ...]:
        """Jobs that have not ended yet, oldest first."""
        return tuple(number for number, job in self._jobs.items() if not job.record.is_over)

    @property
    def worker_pid(self) -> int | None:
        return None if self._worker is None else self._worker.process.pid

    def start(self) -> None:
        """Start the worker if it is not running; return without waiting for it to be ready.

        Raises WorkerError where the system refuses, or after `close`.
        """
        if self._is_closed:
            raise WorkerError("the worker client is closed")
        self._receive(0.0)  # buries a worker that has died since
        if self._worker is None:
            try:
                self._worker = _Worker(self._restorer, yields=self._yields)
            except OSError as error:
                raise WorkerError(f"the worker process cannot be started: {error}") from error

    def submit(
        self,
        source: SequenceSource,
        wanted: Sequence[Moment],
        method: str,
        frame_size: Size,
        windows: Sequence[AlignmentWindow] | None = None,
        model: str | None = None,
        region: Rectangle | None = None,
        options: ComputeOptions = ComputeOptions(),  # noqa: B008 (frozen)
    ) -> int:
        """Ask for moments of `source` and return the job's number.

        Jobs run one after the other. `frame_size` is the size of the frames; `windows` are those of every
        frame of the sequence, in planes, where they differ from what the source says. With a `region`
        only that part is restored, and the rest of the pictures comes as it was recorded. Raises WorkerError
        where shared memory or the process are refused; whatever else goes wrong arrives as `Failed`.
        """
        if not wanted:
            raise WorkerError("a job needs at least one moment")
        self.start()
        assert self._worker is not None
        block = FrameBlock.create(len(wanted), frame_size)
        self._last_job += 1
        request = RestoreRequest(
            job=self._last_job,
            source=source,
            wanted=tuple(sorted(set(wanted))),
            method=method,
            frames=block.shared,
            windows=None if windows is None else tuple(windows),
            region=region,
            options=options,
            model=model,
        )
        self._jobs[request.job] = _Job(request, block)
        self._worker.send(request)
        return request.job

    def poll(self, timeout_seconds: float = 0.0) -> list[WorkerMessage]:
        """Return what the worker has said since the last call, waiting at most `timeout_seconds` for it.

        Every submitted job ends here in exactly one of Finished, Cancelled and Failed, also when its
        worker dies: then in Failed with cause "worker-died".
        """
        for number in [number for number, job in self._jobs.items() if job.is_read]:
            self._jobs.pop(number).block.close()
        if not self._undelivered:
            self._receive(timeout_seconds)
        messages, self._undelivered = self._undelivered, []
        return messages

    def picture(self, job: int, slot: int) -> NDArray[np.float32]:
        """Return a copy of the picture in a slot, (H, W, 3) RGB in [0, 1].

        Pictures of a job that has ended stay readable until the next `poll()`, and as long as a finished
        one is not released. Raises WorkerError afterwards. Any thread may ask.
        """
        of_job = self._jobs.get(job)
        if of_job is None:
            raise WorkerError(f"the pictures of job {job} have been given back")
        return of_job.block.read(slot)

    def release(self, job: int, slot: int) -> None:
        """Let the worker reuse the slot of a finished frame.

        Of no effect for jobs that are gone and for frames that are not finished, which keep their slot.
        """
        if job not in self._jobs:
            return
        record = self._jobs[job].record
        if record.slots.held_by(slot) not in record.done:
            return
        record.slots.release(slot)
        if not record.is_over and self._worker is not None:
            self._worker.send(SlotReleased(job, slot))

    def cancel(self, job: int) -> None:
        """Ask the worker to stop a job; it ends in Cancelled within a tile, or Finished if it was quicker."""
        if job in self.open_jobs and self._worker is not None:
            self._jobs[job].is_cancelling = True
            self._worker.send(CancelRequest(job))

    def pause(self, job: int) -> None:
        """Hold a job before its next tile; `resume` lets it go on there, `cancel` ends it all the same."""
        if job in self.open_jobs and self._worker is not None:
            self._worker.send(PauseRequest(job))

    def resume(self, job: int) -> None:
        if job in self.open_jobs and self._worker is not None:
            self._worker.send(ResumeRequest(job))

    def prioritise(
        self,
        job: int,
        frame: int,
        region: Rectangle | None = None,
        cursor: tuple[float, float] | None = None,
    ) -> None:
        """Say what the user looks at: that frame, its visible `region`, and the row and column pointed at.

        From its next tile on a job does what is visible first, nearest to the cursor.
        """
        if job in self.open_jobs and self._worker is not None:
            self._worker.send(Prioritise(job, frame, region, cursor))

    def kill(self) -> None:
        """End the worker at once, whatever it does.

        The next `poll` tells how the open jobs ended: Cancelled where `cancel` had been asked for,
        otherwise Failed with cause "worker-died". The next `submit` starts a new worker.
        """
        if self._worker is not None:
            self._worker.process.kill()
            self._receive(0.0)
            self._bury("it was stopped")

    def close(self) -> None:
        """End the worker and give all shared memory back. Nothing is delivered afterwards."""
        if self._worker is not None:
            self._worker.send(ShutdownRequest())
            self._worker.end(CLOSE_SECONDS)
            self._worker = None
        self._is_closed = True
        self._undelivered.clear()
        self._at_exit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _receive(self, timeout_seconds: float) -> None:
        """Take in all messages that have arrived; notice the worker's death and misbehaviour."""
        while self._worker is not None:
            try:
                if not self._worker.connection.poll(timeout_seconds):
                    return
                message = self._worker.connection.recv()
            except (EOFError, OSError):
                self._bury(None)
                return
            timeout_seconds = 0.0
            try:
                self._take(message)
            except WorkerError as error:
                self._worker.process.kill()
                self._bury(str(error))

    def _take(self, message: WorkerMessage) -> None:
        job = self._jobs.get(message.job)
        if job is None:
            raise WorkerError(f"the worker broke its protocol: it spoke of job {message.job}, which is over")
        job.record.observe(message)
        self._undelivered.append(message)

    def _bury(self, reason: str | None) -> None:
        """Clean up after a worker that has ended and end its jobs; `reason` None reads its exit code."""
        if self._worker is None:
            return
        code = self._worker.end(CLOSE_SECONDS if reason is None else 0.0)
        self._worker = None
        text = f"The worker process died: {reason or _describe_exit(code)}. The next job starts a new one"
        for number in self.open_jobs:
            job = self._jobs[number]
            end: JobEnd = (
                Cancelled(number) if job.is_cancelling else Failed(number, text, cause="worker-died")
            )
            job.record.observe(end)
            self._undelivered.append(end)


def _start_deaf_to_interrupts(process: SpawnProcess) -> None:
    """Start a process that Ctrl-C in the terminal does not reach.

    The child ignores it too, but only once it runs our code: the blocked mask, which it inherits, covers
    the time until then. An interrupt that comes meanwhile is delivered to this process afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        process.start()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send_all(outbox: "queue.SimpleQueue[ClientMessage | None]", connection: Connection) -> None:
    while (message := outbox.get()) is not None:
        try:
            connection.send(message)
        except OSError:  # the worker is gone, which `poll` reports
            return


def _close_blocks(jobs: dict[int, _Job]) -> None:
    for job in jobs.values():
        job.block.close()
    jobs.clear()


def _describe_exit(code: int | None) -> str:
    if code is None or code >= 0:
        return f"it left with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    usual_cause = {"SIGKILL": ", often because memory ran out", "SIGBUS": ", shared memory ran out"}
    return f"{name} ended it{usual_cause.get(name, '')}"
