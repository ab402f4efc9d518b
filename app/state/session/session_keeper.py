"""Keeps on disk what is open, and opens it again at the next start.

Strategy: every change starts a short timer, so that a crash costs seconds. At the start only the sequence in
front is opened; the others wait in their tabs until somebody looks at them. While that goes on the file says
so: a file that brings the program down does not do it at every start.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.opening.data_set import DataSet
from app.state.opening.recent import name_of
from app.state.reading.lane import Lane
from app.state.session.last_session import SessionRecord, TabRecord, read_session, write_session
from app.state.session.tabs import Tabs
from app.state.studio import Studio

SAVING_MS = 2000

log = logging.getLogger(__name__)


class SessionKeeper(QObject):
    """Bound to the tabs of a window and its data set."""

    view_wanted = Signal(object, object)
    """A studio whose sequence is open again, and how it was looked at."""
    can_reopen_changed = Signal()

    def __init__(
        self,
        tabs: Tabs,
        data_set: DataSet,
        path: Path,
        view_of: Callable[[Studio], dict[str, object]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tabs = tabs
        self._data_set = data_set
        self._path = path
        self._view_of = view_of
        self._last = read_session(path)
        self._pending: dict[Studio, TabRecord] = {}
        self._reopening: SessionRecord | None = None
        """What is being opened again just now."""
        self._changed = False
        self._ended = False
        self._saving = QTimer(self, interval=SAVING_MS, singleShot=True)
        self._saving.timeout.connect(self.save)
        self._writing = Lock()
        self._newest = self._written = 0
        self._lane = Lane(tabs.desk.pool, self)
        self._lane.answered.connect(lambda record, gone: self._reopen(record, gone))
        self._lane.failed.connect(
            lambda _, error: tabs.desk.notices.error(error, self.tr("open the last session"))
        )
        for studio in tabs.studios:
            self._follow(studio)
        tabs.added.connect(self._follow)
        tabs.removed.connect(self._on_removed)
        tabs.current_changed.connect(self.touch)
        tabs.desk.closing.connect(self._on_closing)
        data_set.listed.connect(self.touch)

    @property
    def can_reopen(self) -> bool:
        """There is a session of before that was not opened again yet."""
        return self._last is not None and bool(self._last.tabs or self._last.data_set)

    def begin(self) -> bool:
        """Open the last session at the start of the program; return whether there is one to open."""
        if self._last is not None and self._last.restoring:
            self._tabs.desk.notices.warn(
                self.tr("The studio ended while it opened the last session, which is therefore left closed"),
                advice=self.tr("File ▸ Reopen last session tries again"),
            )
            return self.can_reopen
        if self.can_reopen:
            self.reopen()
            return True
        return False

    def reopen(self) -> None:
        """Open the last session, beside what is open already."""
        record, self._last = self._last, None
        if record is not None:
            self._reopening = record
            self._newest += 1
            number = self._newest
            self._lane.request(record, lambda _: self._prepare(number, record))
        self.can_reopen_changed.emit()

    def touch(self) -> None:
        """Something that is kept has changed."""
        if self._reopening is None and not self._ended:
            self._changed = True
            self._saving.start()

    def save(self) -> None:
        """Write what is open now, unless nothing was done since the start."""
        self._saving.stop()
        if self._changed:
            self._newest += 1
            self._tabs.desk.pool.submit(self._write, self._newest, self.record())

    def _write(self, number: int, record: SessionRecord) -> None:
        """Write a record unless a newer one was written; the disk may take its time."""
        with self._writing:
            if number > self._written:
                self._written = number
                write_session(record, self._path)

    def end(self) -> None:
        """Write what is open for the last time: closing it all now is not a change to keep."""
        self._saving.stop()
        self._newest += 1
        if self._reopening is not None:
            self._write(self._newest, self._reopening)
        elif self._changed and not self._ended:
            self._write(self._newest, self.record())
        self._ended = True

    def record(self) -> SessionRecord:
        """Return what is open now."""
        tabs: list[TabRecord] = []
        current = 0
        for studio in self._tabs.studios:
            tab = self._record_of(studio)
            if tab is None:
                continue
            if studio is self._tabs.current:
                current = len(tabs)
            tabs.append(tab)
        root = self._data_set.root
        return SessionRecord(tuple(tabs), current, None if root is None else str(root))

    def _record_of(self, studio: Studio) -> TabRecord | None:
        session, pending = studio.session, self._pending.get(studio)
        source = session.said or session.opening or session.postponed
        if pending is not None or source is None:
            return pending
        position = studio.position
        frames = (position.range.start, position.range.stop) if position.has_range else None
        return TabRecord(source, position.index, frames, self._view_of(studio))

    # ------------------------------------------------------------------ following what happens

    def _follow(self, studio: Studio) -> None:
        studio.session.opened.connect(lambda: self._on_opened(studio))
        studio.session.closed.connect(self.touch)
        studio.session.failed.connect(lambda _: self._on_failure(studio))
        studio.session.geometry_needed.connect(lambda _: self._on_failure(studio))
        studio.position.changed.connect(lambda _: self.touch())
        studio.position.range_changed.connect(self.touch)

    def _on_closing(self) -> None:
        """The threads end: nothing is written any more."""
        self._ended = True
        self._saving.stop()
        self._lane.clear()

    def _on_removed(self, studio: Studio) -> None:
        self._pending.pop(studio, None)
        self.touch()

    def _on_opened(self, studio: Studio) -> None:
        tab = self._pending.pop(studio, None)
        if tab is not None:
            position = studio.position
            position.go(tab.frame)
            if tab.frames is not None and tab.frames[0] < position.count:
                start, stop = tab.frames
                if start > 0:
                    position.set_in(start)
                if stop < position.count:
                    position.set_out(stop - 1)
            self.view_wanted.emit(studio, tab.view)
        self._settle()
        self.touch()

    def _on_failure(self, studio: Studio) -> None:
        self._pending.pop(studio, None)
        self._settle()

    def _settle(self) -> None:
        """The first sequence was opened, or was not, and the program lives."""
        if self._reopening is not None:
            self._reopening = None
            self.touch()
            self.save()

    # ------------------------------------------------------------------ opening again

    def _prepare(self, number: int, record: SessionRecord) -> frozenset[str]:
        """Note in the file what is about to be done, and return the paths that are not there."""
        self._write(number, replace(record, restoring=True))
        return _missing(record)

    def _reopen(self, record: SessionRecord, gone: frozenset[str]) -> None:
        names = [name_of(tab.source) for tab in record.tabs if tab.source.path in gone]
        if record.data_set in gone:
            names.append(Path(str(record.data_set)).name)
        elif record.data_set is not None:
            self._data_set.open(Path(record.data_set))
        in_front: Studio | None = None
        for number, tab in enumerate(record.tabs):
            if tab.source.path in gone:
                continue
            studio = self._tabs.postpone(tab.source)
            if studio is None:
                continue
            self._pending[studio] = tab
            if number <= record.current or in_front is None:
                in_front = studio
        if names:
            self._tabs.desk.notices.warn(
                self.tr("1 of what was open last is gone")
                if len(names) == 1
                else self.tr("{count} of what was open last are gone").format(count=len(names)),
                where=", ".join(names[:3]) + (" …" if len(names) > 3 else ""),
                advice=self.tr("Moved files can be opened where they are now; a disk may not be connected"),
            )
        if in_front is None:
            self._settle()
            return
        self._tabs.bring_up(in_front)


def _missing(record: SessionRecord) -> frozenset[str]:
    """Return the paths that are not there; called in a thread, as a disk may take its time."""
    paths = [tab.source.path for tab in record.tabs]
    if record.data_set is not None:
        paths.append(record.data_set)
    return frozenset(path for path in paths if not _exists(path))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
