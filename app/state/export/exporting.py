"""Writing results to files, off the UI thread; one export at a time, never replaced by a newer one."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from engine.findings import Finding

log = logging.getLogger(__name__)

BitDepth = Literal[8, 16]
ExportItem = tuple[Path, NDArray[np.float32]]
"""Target file, picture float32 (H, W, 3) in [0, 1]."""
GIVE_UP_AFTER = 3
"""So many files in a row that cannot be written, and no further one is tried."""


@dataclass(frozen=True)
class Export:
    """What ended: the files that are whole, and what went wrong first."""

    written: tuple[Path, ...]
    problem: Exception | None = None
    failed: int = 0
    """Files that could not be written."""
    stopped: bool = False
    findings: "tuple[Finding, ...]" = ()
    """What is not in the files as it was in their source."""


class Work:
    """What a running export tells and asks."""

    def __init__(self, progressed: Callable[[int, int], None], stop: Event) -> None:
        self._progressed = progressed
        self._stop = stop
        self.written: list[Path] = []
        self.problem: Exception | None = None
        self.failed = 0
        self.findings: list[Finding] = []

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def progress(self, done: int, total: int) -> None:
        self._progressed(done, total)


class Exports(QObject):
    """Writes files in a thread."""

    busy_changed = Signal(bool)
    progressed = Signal(int, int)
    """Steps done, steps in all."""
    finished = Signal(object)
    """The paths written, a list."""
    found = Signal(object)
    """What the user should know about the files, a list of `Finding`."""
    failed = Signal(object)
    ended = Signal(object)
    """The `Export`, whether it was finished, stopped or failed."""

    _ended = Signal(object)

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = pool
        self._stop = Event()
        self._busy = False
        self._ended.connect(self._on_end)

    @property
    def busy(self) -> bool:
        return self._busy

    def write(self, items: Sequence[ExportItem], bit_depth: BitDepth) -> None:
        """Write every picture to its path; refused while another export runs."""
        if items:
            pictures = tuple(items)
            self.run(lambda work: write_pictures(work, pictures, bit_depth))

    def run(self, task: Callable[[Work], None]) -> None:
        """Carry out an export that writes files and notes them in its `Work`; refused while one runs."""
        if self._busy:
            return
        self._busy = True
        self._stop.clear()
        self._pool.submit(self._run, task)
        self.busy_changed.emit(True)

    def stop(self) -> None:
        """Write no further file; the one being written is finished."""
        self._stop.set()

    def _run(self, task: Callable[[Work], None]) -> None:
        work = Work(self.progressed.emit, self._stop)
        try:
            task(work)
        except Exception as error:  # noqa: BLE001 - the border between work and window: it becomes a message
            work.problem = work.problem or error
        ended = Export(
            tuple(work.written), work.problem, work.failed, self._stop.is_set(), tuple(work.findings)
        )
        try:
            self._ended.emit(ended)
        except RuntimeError:
            log.debug("An export ended after its window was gone")

    @Slot(object)
    def _on_end(self, export: Export) -> None:
        self._busy = False
        self.busy_changed.emit(False)
        if export.problem is not None:
            self.failed.emit(export.problem)
        elif export.written:
            self.finished.emit(list(export.written))
        if export.findings:
            self.found.emit(list(export.findings))
        self.ended.emit(export)


def write_pictures(work: Work, items: Sequence[ExportItem], bit_depth: BitDepth) -> None:
    """Write pictures; one that cannot be written does not stop the others, several in a row do."""
    from engine.errors import EngineError
    from engine.export import make_folder, write_picture

    in_a_row = 0
    for done, (path, picture) in enumerate(items, start=1):
        if work.stopped:
            return
        try:
            make_folder(path.parent)
            write_picture(path, picture, bit_depth)
        except EngineError as error:
            work.problem = work.problem or error
            work.failed += 1
            in_a_row += 1
            if in_a_row >= GIVE_UP_AFTER:
                work.failed += len(items) - done
                return
        else:
            in_a_row = 0
            work.written.append(path)
        work.progress(done, len(items))
