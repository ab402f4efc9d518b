"""Alignment edits that nobody has exported yet, kept on the disk so that a crash does not take them.

One JSON file in the user's state folder for a sequence and the windows its files say, written whole shortly
after every change and gone once the windows are again those. The same frames with another log or recording
have a file of their own: neither takes the other's edits.
"""

import hashlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import platformdirs
from PySide6.QtCore import QObject, QTimer

from app.settings import APPLICATION
from app.state.alignment.edits import WindowEdits
from app.state.alignment.windows import Windows
from engine.alignment_window import AlignmentWindow
from engine.errors import ExportError

WRITE_AFTER_MS = 400

log = logging.getLogger(__name__)


def edits_folder() -> Path:
    """Return where unsaved edits lie for this user."""
    return Path(platformdirs.user_state_dir(APPLICATION, appauthor=False)) / "alignment"


class UnsavedEdits(QObject):
    """Keeps the edits of one sequence."""

    def __init__(
        self,
        edits: WindowEdits,
        folder: Path | None,
        parent: QObject | None = None,
        *,
        pool: ThreadPoolExecutor | None = None,
    ) -> None:
        """Keep them in `folder`, None keeps nothing; written in a thread of `pool` where there is one."""
        super().__init__(parent)
        self._edits = edits
        self._pool = pool
        self._newest = self._written = 0
        self._writing = Lock()
        self._folder = folder
        self._file: Path | None = None
        self._sequence = ""
        self._timer = QTimer(self, interval=WRITE_AFTER_MS, singleShot=True)
        self._timer.timeout.connect(self._write_soon)
        edits.changed.connect(self._on_change)

    def begin(self, sequence: str) -> Windows | None:
        """Keep the edits of another sequence, and return what was kept of it before.

        The edits must have begun: what they begin with is part of what tells sequences apart.
        """
        self.end()
        self._sequence = sequence
        if self._folder is None:
            return None
        key = json.dumps([sequence, _rows(self._edits.base)]).encode()
        self._file = self._folder / f"{hashlib.sha256(key).hexdigest()[:24]}.json"
        return _read(self._file, self._edits.base)

    def end(self) -> None:
        """Write what is pending; the sequence is closed."""
        if self._timer.isActive() or self._written < self._newest:
            self.write()
        self._file = None

    def write(self) -> None:
        """Bring the file up to date before returning."""
        self._timer.stop()
        if self._file is not None:
            self._newest += 1
            self._write(self._newest, self._file, self._edits.base, self._edits.windows)

    def _write_soon(self) -> None:
        """Bring the file up to date without waiting for the disk."""
        if self._pool is None or self._file is None:
            self.write()
            return
        self._newest += 1
        edits = self._edits
        self._pool.submit(self._write, self._newest, self._file, edits.base, edits.windows)

    def _write(self, number: int, file: Path, base: Windows, windows: Windows) -> None:
        """Write windows unless newer ones were. A folder that refuses costs a line in the log only."""
        from engine.export import make_folder, write_text_atomically

        with self._writing:
            if number <= self._written:
                return
            self._written = number
            try:
                if windows == base:
                    file.unlink(missing_ok=True)
                else:
                    make_folder(file.parent)
                    kept = {"sequence": self._sequence, "base": _rows(base), "windows": _rows(windows)}
                    write_text_atomically(file, json.dumps(kept))
            except (ExportError, OSError) as error:
                log.warning("Alignment edits cannot be kept: %s", error)

    def _on_change(self) -> None:
        if self._file is not None:
            self._timer.start()


def _read(file: Path, base: Windows) -> Windows | None:
    """Return kept windows, None where there are none or they were made from others than `base`."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        was, windows = (_windows(kept[name]) for name in ("base", "windows"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be used: %s", file, error)
        return None
    return windows if was == base and len(windows) == len(base) and windows != base else None


def _windows(rows: list[list[float]]) -> Windows:
    return tuple(AlignmentWindow(float(start), float(stop)) for start, stop in rows)


def _rows(windows: Windows) -> list[list[float]]:
    return [[float(window.start), float(window.stop)] for window in windows]
