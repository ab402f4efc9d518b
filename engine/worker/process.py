"""The worker: a child process that restores frames and talks to its client through one connection.

Strategy: the main thread restores, one job after the other. A second thread only listens, so that a
cancel, a released slot or the end of the client is noticed while a tile is being computed or while the
main thread waits for a slot. When the connection ends, its client has closed it or died, even by
SIGKILL: nothing is left to do and the process leaves at once.

What restores is a `Restorer`, made once per process from an import path, so that this module imports
neither OpenCV nor torch and can be driven by a scripted one.
"""

import contextlib
import importlib
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError, OperationCancelled, WorkerError
from engine.geometry import Region, Span
from engine.moment import Moment
from engine.processor import let_waiting_threads_sleep
from engine.worker.blocks import FrameBlock
from engine.worker.messages import (
    NO_SLOT,
    Accepted,
    Cancelled,
    CancelRequest,
    ClientMessage,
    Failed,
    Finished,
    FrameDone,
    FrameFailed,
    JobEnd,
    PauseRequest,
    Prioritise,
    RestoreRequest,
    ResumeRequest,
    ShutdownRequest,
    SlotReleased,
    TileDone,
    WorkerMessage,
)
from engine.worker.protocol import JobRecord

if TYPE_CHECKING:
    from engine.model_description import ModelDescription

NICENESS = 19
"""Of a worker that yields: next to nothing while a window wants the processor, all of it otherwise."""


class Inbox:
    """Client messages, sorted as they arrive. Filled by the listening thread, asked by the main one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: deque[RestoreRequest] = deque()
        self._cancelled: set[int] = set()
        self._paused: set[int] = set()
        self._views: dict[int, Prioritise] = {}
        self._released: dict[int, list[int]] = {}

    def put(self, message: ClientMessage) -> None:
        with self._changed:
            match message:
                case RestoreRequest():
                    self._requests.append(message)
                case CancelRequest(job):
                    self._cancelled.add(job)
                case PauseRequest(job):
                    self._paused.add(job)
                case ResumeRequest(job):
                    self._paused.discard(job)
                case Prioritise(job):
                    self._views[job] = message
                case SlotReleased(job, slot):
                    self._released.setdefault(job, []).append(slot)
                case ShutdownRequest():
                    raise ValueError("a shutdown ends the process, it is not kept")
            self._changed.notify_all()

    def next_request(self) -> RestoreRequest:
        """Wait for the next job."""
        with self._changed:
            self._changed.wait_for(lambda: self._requests)
            return self._requests.popleft()

    def is_cancelled(self, job: int) -> bool:
        """Return whether a job is to stop; while it is paused, wait for that to end."""
        with self._changed:
            self._changed.wait_for(lambda: job not in self._paused or job in self._cancelled)
            return job in self._cancelled

    def view(self, job: int) -> Prioritise | None:
        """Return what the user looks at, as far as anybody has said."""
        with self._changed:
            return self._views.get(job)

    def take_released(self, job: int) -> list[int]:
        """Return the slots of `job` released since the last call."""
        with self._changed:
            return self._released.pop(job, [])

    def wait_for_release(self, job: int) -> None:
        """Wait until a slot of `job` is released or the job is cancelled."""
        with self._changed:
            self._changed.wait_for(lambda: job in self._released or job in self._cancelled)

    def forget(self, job: int) -> None:
        """Drop what is left of a job that has ended."""
        with self._changed:
            self._cancelled.discard(job)
            self._paused.discard(job)
            self._views.pop(job, None)
            self._released.pop(job, None)


class JobReporter:
    """What a restorer tells about one job, as messages that keep the protocol.

    Every method raises OperationCancelled once the client has cancelled.
    """

    def __init__(
        self, record: JobRecord, block: FrameBlock, inbox: Inbox, send: Callable[[WorkerMessage], None]
    ) -> None:
        self._record = record
        self._block = block
        self._inbox = inbox
        self._send = send
        self._job = record.request.job
        self.remarks: list[str] = []
        """To go with the end of the job."""

    def is_cancelled(self) -> bool:
        """Ask before every tile: this is also where a paused job waits."""
        return self._inbox.is_cancelled(self._job)

    def view(self) -> Prioritise | None:
        """Return what the user looks at now, None where nobody has said."""
        return self._inbox.view(self._job)

    def planned(
        self, tiles: int, frames: int, layout: str = "", description: "ModelDescription | None" = None
    ) -> None:
        """Say how much there is to do, how it is cut and by what, before doing any of it."""
        self._tell(Accepted(self._job, tiles, frames, layout, description))

    def tile(self, moment: Moment, region: Region, picture: NDArray[np.float32], tiles_done: int) -> None:
        """Show `region` of the half-finished `picture` (H, W, 3) of `moment`, if a slot is free for it.

        Of `tiles_done` the most counts: behind a frame that failed some tiles are computed again.
        """
        self._collect_released()
        tiles_done = min(max(tiles_done, self._record.tiles_done), self._record.tiles)
        pool = self._record.slots
        is_new = pool.slot_of(moment) is None
        slot = pool.take(moment, finished=False)
        if slot is not None:
            self._block.write(slot, picture, None if is_new else region)
        self._tell(
            TileDone(
                self._job,
                moment,
                NO_SLOT if slot is None else slot,
                region.top,
                region.left,
                region.bottom,
                region.right,
                tiles_done,
            )
        )

    def frame(
        self,
        moment: Moment,
        picture: NDArray[np.float32],
        seconds: float,
        unchanged: str = "",
        looked_at: Sequence[Span] | None = None,
    ) -> None:
        """Hand over the finished `picture` (H, W, 3) of `moment`, waiting for a slot where none is free.

        `unchanged` says why it is the frame as it was, where it is; `looked_at` on which frames it depends.
        """
        self._collect_released()
        while (slot := self._record.slots.take(moment, finished=True)) is None:
            self._inbox.wait_for_release(self._job)
            self._stop_if_cancelled()
            self._collect_released()
        self._block.write(slot, picture)
        seen = tuple((span.start, span.stop) for span in looked_at) if looked_at else None
        self._tell(FrameDone(self._job, moment, slot, seconds, unchanged, seen))

    def frame_failed(self, frame: int, message: str, tiles_done: int, tiles: int) -> None:
        """Say that `frame` cannot be restored, and how much of the others is done of how much."""
        self._collect_released()
        self._tell(FrameFailed(self._job, frame, message, tiles_done, tiles))

    def _collect_released(self) -> None:
        for slot in self._inbox.take_released(self._job):
            self._record.slots.release(slot)

    def _stop_if_cancelled(self) -> None:
        if self.is_cancelled():
            raise OperationCancelled("the client cancelled the job")

    def _tell(self, message: WorkerMessage) -> None:
        self._stop_if_cancelled()
        self._record.observe(message)
        self._send(message)


class Restorer(Protocol):
    """Restore what a request asks for, telling `report` the plan, then tiles, then frames.

    Raises EngineError where it cannot; OperationCancelled, soon after `report.is_cancelled()`.
    """

    def __call__(self, request: RestoreRequest, report: JobReporter) -> None: ...


def run_worker(connection: Connection, restorer_path: str, yields: bool = False) -> NoReturn:
    """Serve jobs until the client goes. The entry point of the child process.

    `restorer_path` is "package.module:name" of a callable without arguments that returns a Restorer.
    """
    if yields:
        _let_others_go_first()
    let_waiting_threads_sleep()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the client's to handle
    inbox = Inbox()
    threading.Thread(target=_listen, args=(connection, inbox), name="client", daemon=True).start()

    def send(message: WorkerMessage) -> None:
        try:
            connection.send(message)
        except OSError:  # the client is gone
            os._exit(0)

    restorer: Restorer | None = None
    while True:
        request = inbox.next_request()
        end: JobEnd
        try:
            restorer = restorer or load_restorer(restorer_path)
        except Exception as error:  # noqa: BLE001 (the border: whatever happens becomes a message)
            end = failure(request.job, error)
        else:
            end = serve(JobRecord(request), restorer, inbox, send)
        inbox.forget(request.job)
        send(end)


def _let_others_go_first() -> None:
    """Lower the priority of this process; threads that are made from now on have it too."""
    import psutil

    lower = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", NICENESS)  # a name that only Windows has
    with contextlib.suppress(psutil.Error, OSError):  # it then competes as an equal
        psutil.Process().nice(lower)


def _listen(connection: Connection, inbox: Inbox) -> None:
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            os._exit(0)
        if isinstance(message, ShutdownRequest):
            os._exit(0)
        inbox.put(message)


def load_restorer(path: str) -> Restorer:
    """Import "package.module:name" and call it. Raises WorkerError where that is not possible."""
    module, _, name = path.partition(":")
    try:
        make = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise WorkerError(f"the worker cannot load its restorer {path}: {error}") from error
    restorer: Restorer = make()
    return restorer


def serve(
    record: JobRecord, restore: Restorer, inbox: Inbox, send: Callable[[WorkerMessage], None]
) -> JobEnd:
    """Do one job and return how it ended. Needs no process: `send` may be `list.append`."""
    job = record.request.job
    started = time.perf_counter()
    end: JobEnd
    try:
        if inbox.is_cancelled(job):
            raise OperationCancelled("the client cancelled the job before its turn")
        block = FrameBlock.attach(record.request.frames)
        try:
            report = JobReporter(record, block, inbox, send)
            restore(record.request, report)
        finally:
            block.close()
        end = Finished(job, time.perf_counter() - started, tuple(report.remarks))
        record.observe(end)
    except OperationCancelled:
        end = Cancelled(job)
        record.observe(end)
    except Exception as error:  # noqa: BLE001 (the border: whatever happens becomes a message)
        end = failure(job, error)
        record.observe(end)
    return end


def failure(job: int, error: Exception) -> Failed:
    """Turn an exception into the message that ends its job."""
    if isinstance(error, EngineError):
        message = str(error)
    elif isinstance(error, MemoryError):
        message = "there is not enough memory for this job. Use a smaller tile or fewer frames"
    else:
        message = " ".join(f"unexpected: {type(error).__name__}: {error}".split())
    return Failed(job, message, "".join(traceback.format_exception(error)))
