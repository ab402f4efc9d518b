"""Writing results to files, off the UI thread; one export at a time, never replaced by a newer one."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

log = logging.getLogger(__name__)

BitDepth = Literal[8, 16]
ExportItem = tuple[Path, NDArray[np.float32]]
"""Target file, picture float32 (H, W, 3) in [0, 1]."""


class Exports(QObject):
    """Writes pictures in a thread."""

    busy_changed = Signal(bool)
    progressed = Signal(int, int)
    """Files written, files in all."""
    finished = Signal(object)
    """The paths written, a list."""
    failed = Signal(object)

    _ended = Signal(object, object)

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
        if self._busy or not items:
            return
        self._busy = True
        self._stop.clear()
        self._pool.submit(self._run, tuple(items), bit_depth)
        self.busy_changed.emit(True)

    def stop(self) -> None:
        """Write no further file; the one being written is finished."""
        self._stop.set()

    def _run(self, items: tuple[ExportItem, ...], bit_depth: BitDepth) -> None:
        written: list[Path] = []
        problem: Exception | None = None
        try:
            from engine.export import make_folder, write_picture

            for path, picture in items:
                if self._stop.is_set():
                    break
                make_folder(path.parent)
                write_picture(path, picture, bit_depth)
                written.append(path)
                self.progressed.emit(len(written), len(items))
        except Exception as error:  # noqa: BLE001 - the border between work and window: it becomes a message
            problem = error
        try:
            self._ended.emit(written, problem)
        except RuntimeError:
            log.debug("An export ended after its window was gone")

    @Slot(object, object)
    def _on_end(self, written: list[Path], problem: Exception | None) -> None:
        self._busy = False
        self.busy_changed.emit(False)
        if problem is not None:
            self.failed.emit(problem)
        elif written:
            self.finished.emit(written)
