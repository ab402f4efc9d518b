"""Reading off the UI thread, where only the newest request counts.

Strategy: a lane runs one piece of work at a time and remembers one more: the newest asked for while it was
busy. Dragging a slider over a thousand frames therefore costs two reads more than not dragging it, and the
answers still come in the order of the requests, so that nothing older ever replaces something newer.
"""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from PySide6.QtCore import QObject, Signal, Slot

log = logging.getLogger(__name__)

READING_THREADS = 6
NICENESS = 4
"""Of reading threads; the worker's is higher still."""


class Ticket:
    """Lets running work find out that nobody waits for its answer any more."""

    def __init__(self) -> None:
        self._superseded = Event()

    def supersede(self) -> None:
        self._superseded.set()

    def superseded(self) -> bool:
        return self._superseded.is_set()


Work = Callable[[Ticket], object]


@dataclass(frozen=True)
class _Request:
    generation: int
    key: object
    work: Work
    ticket: Ticket = field(default_factory=Ticket)


def reading_pool() -> ThreadPoolExecutor:
    """Make the threads that all lanes of one window share."""
    return ThreadPoolExecutor(READING_THREADS, thread_name_prefix="reading", initializer=_step_back)


def _step_back() -> None:
    """Let the window's thread go first, where the system knows priorities of single threads."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Lane(QObject):
    """Answers the newest request. Signals arrive in the thread that made the lane."""

    answered = Signal(object, object)
    """Key of the request, value of the work."""
    failed = Signal(object, object)
    """Key of the request, the exception."""
    busy_changed = Signal(bool)

    _ended = Signal(object, object, object)

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = pool
        self._generation = 0
        self._valid_from = 0
        self._running: _Request | None = None
        self._waiting: _Request | None = None
        self._ended.connect(self._finish)

    @property
    def busy(self) -> bool:
        return self._running is not None

    @property
    def generation(self) -> int:
        """Number of the newest request; it grows with every one."""
        return self._generation

    def request(self, key: object, work: Work) -> None:
        """Run `work(ticket)` in a thread, unless a newer request comes before it starts."""
        self._generation += 1
        request = _Request(self._generation, key, work)
        if self._running is None:
            self._start(request)
            self.busy_changed.emit(self.busy)
        else:
            self._running.ticket.supersede()
            self._waiting = request

    def clear(self) -> None:
        """Forget the waiting request and drop the answer of the running one."""
        self._waiting = None
        self._valid_from = self._generation + 1
        if self._running is not None:
            self._running.ticket.supersede()

    def _start(self, request: _Request) -> None:
        try:
            self._pool.submit(self._run, request)
        except RuntimeError:
            log.debug("A request came after its window was closed")
            return
        self._running = request

    def _run(self, request: _Request) -> None:
        value, problem = None, None
        try:
            value = request.work(request.ticket)
        except Exception as error:  # noqa: BLE001 - the border between work and window: it becomes a message
            problem = error
        try:
            self._ended.emit(request, value, problem)
        except RuntimeError:
            log.debug("An answer came after its window was gone")

    @Slot(object, object, object)
    def _finish(self, request: _Request, value: object, problem: Exception | None) -> None:
        waiting, self._waiting = self._waiting, None
        self._running = None
        if waiting is not None:
            self._start(waiting)
        if request.generation >= self._valid_from:
            if problem is None:
                self.answered.emit(request.key, value)
            else:
                self.failed.emit(request.key, problem)
        if self._running is None:
            self.busy_changed.emit(False)
