"""The worker client as Qt signals: asked by a timer, told in the UI thread.

Strategy: messages are handed out one by one for a few milliseconds, then the event loop gets its turn. A
finished picture is copied out of shared memory when it is handed out, so a burst of them would otherwise
hold the window up; the client keeps every picture until the next poll, which waits for the last message. A
large one is copied in a thread, and the messages after it wait for that.
"""

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.state.jobs.job import JobRequest
from engine.alignment_window import AlignmentWindow
from engine.errors import EngineError, WorkerError
from engine.geometry import Region, Size
from engine.moment import Moment
from engine.restoration.options import ComputeOptions
from engine.source import SequenceSource
from engine.worker.messages import (
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    Rectangle,
    WorkerMessage,
)

POLL_MS = 50
DELIVERY_SECONDS = 0.008
LARGE_PIXELS = 1_000_000
"""A frame of so many takes longer to copy than an event loop should wait."""

log = logging.getLogger(__name__)


class Client(Protocol):
    """What the window uses of `engine.worker.client.WorkerClient`."""

    @property
    def open_jobs(self) -> tuple[int, ...]: ...

    def start(self) -> None: ...

    def submit(
        self,
        source: SequenceSource,
        wanted: Sequence[Moment],
        method: str,
        frame_size: Size,
        windows: Sequence[AlignmentWindow] | None = None,
        model: str | None = None,
        region: Rectangle | None = None,
        options: ComputeOptions = ...,
    ) -> int: ...

    def poll(self, timeout_seconds: float = 0.0) -> list[WorkerMessage]: ...

    def picture(self, job: int, slot: int) -> NDArray[np.float32]: ...

    def release(self, job: int, slot: int) -> None: ...

    def cancel(self, job: int) -> None: ...

    def prioritise(
        self,
        job: int,
        frame: int,
        region: Rectangle | None = None,
        cursor: tuple[float, float] | None = None,
    ) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...


def worker_client() -> Client:
    """Make the real client; its modules load here, after the window has been painted."""
    from engine.worker.client import WorkerClient

    return WorkerClient(yields=True)


class WorkerBridge(QObject):
    """Passes requests on and emits every `WorkerMessage` once, in order."""

    message = Signal(object)

    _fetch_ended = Signal(object, object)

    def __init__(
        self, make_client: Callable[[], Client] = worker_client, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._make_client = make_client
        self._client: Client | None = None
        self._is_closed = False
        self._inbox: deque[WorkerMessage] = deque()
        self._sizes: dict[int, Size] = {}
        self._fetched: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._fetching = False
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="fetching")
        self._fetch_ended.connect(self._on_fetched)
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._deliver)

    def warm_up(self) -> None:
        """Start the worker early, so that the first job finds it awake. Failing is left to the first job."""
        if self._is_closed:
            return
        try:
            self._awake().start()
        except Exception:  # a worker that does not start is reported when somebody needs it
            log.exception("The worker could not be started early")

    def submit(self, request: JobRequest, wanted: Sequence[Moment]) -> int:
        """Ask for some of what is requested; return the worker's number of it. Raises WorkerError."""
        job = self._awake().submit(
            request.source,
            wanted,
            request.method,
            request.frame_size,
            request.windows,
            request.model,
            _rectangle(request.region),
            request.options,
        )
        self._sizes[job] = request.frame_size
        self._timer.start()
        return job

    def picture(self, job: int, slot: int) -> NDArray[np.float32]:
        """Return a copy of what is in a slot by now. Any thread may ask. Raises WorkerError."""
        client = self._client
        if client is None:
            raise WorkerError("the worker client is closed")
        return client.picture(job, slot)

    def finished_picture(self, job: int, slot: int) -> NDArray[np.float32]:
        """Return a copy of the picture that a `FrameDone` speaks of, while that is handed out."""
        fetched = self._fetched.pop((job, slot), None)
        return self.picture(job, slot) if fetched is None else fetched

    def release(self, job: int, slot: int) -> None:
        self._awake().release(job, slot)

    def cancel(self, job: int) -> None:
        self._awake().cancel(job)

    def prioritise(
        self, job: int, frame: int, region: Region | None, cursor: tuple[float, float] | None
    ) -> None:
        """Say what the user looks at, so that a job does it first."""
        self._awake().prioritise(job, frame, _rectangle(region), cursor)

    def kill(self) -> None:
        """End the worker at once; its jobs end in messages as usual."""
        self._awake().kill()

    def close(self) -> None:
        """End the worker. Nothing is emitted afterwards."""
        self._timer.stop()
        self._is_closed = True
        self._inbox.clear()
        self._fetcher.shutdown(wait=True)
        if self._client is not None:
            self._client.close()
            self._client = None

    def _awake(self) -> Client:
        if self._client is None:
            self._client = self._make_client()
        return self._client

    @Slot()
    def _deliver(self) -> None:
        if self._client is None or self._fetching:
            return
        if not self._inbox:
            self._inbox.extend(self._client.poll())
        until = time.monotonic() + DELIVERY_SECONDS
        while self._inbox:
            if self._fetch(self._inbox[0]):
                return
            message = self._inbox.popleft()
            self.message.emit(message)
            self._fetched.clear()
            if isinstance(message, Finished | Cancelled | Failed):
                self._sizes.pop(message.job, None)
            if time.monotonic() >= until:
                break
        if self._client is None:  # a handler closed the window
            return
        if not self._inbox and not self._client.open_jobs:
            # This lets the client give the memory of finished jobs back; a job that was killed while older
            # messages waited here says only now that it has ended.
            self._inbox.extend(self._client.poll())
        if self._inbox or self._client.open_jobs:
            self._timer.setInterval(0 if self._inbox else POLL_MS)
        else:
            self._timer.stop()

    def _fetch(self, message: WorkerMessage) -> bool:
        """Begin to copy the large picture of a message in a thread; False where there is none to wait for."""
        if not isinstance(message, FrameDone) or (message.job, message.slot) in self._fetched:
            return False
        size, client = self._sizes.get(message.job), self._client
        if size is None or client is None or size.pixels < LARGE_PIXELS:
            return False
        self._fetching = True
        self._fetcher.submit(self._copy, client, message)
        return True

    def _copy(self, client: Client, message: FrameDone) -> None:
        picture = None
        with contextlib.suppress(EngineError):  # whoever asks for it then is told
            picture = client.picture(message.job, message.slot)
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._fetch_ended.emit(message, picture)

    @Slot(object, object)
    def _on_fetched(self, message: FrameDone, picture: NDArray[np.float32] | None) -> None:
        self._fetching = False
        if picture is None:
            self._sizes.pop(message.job, None)
        else:
            self._fetched[message.job, message.slot] = picture
        self._deliver()


def _rectangle(region: Region | None) -> Rectangle | None:
    return None if region is None else (region.top, region.left, region.bottom, region.right)
