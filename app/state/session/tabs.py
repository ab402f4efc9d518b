"""Several sequences open at once: one `Studio` each, all on one desk, one of them in front."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.state.studio import Studio
from engine.source import SequenceSource


class Tabs(QObject):
    """The studios of a window. There is always one; the last one is emptied instead of closed."""

    added = Signal(object)
    removed = Signal(object)
    current_changed = Signal()
    titles_changed = Signal()
    data_set_found = Signal(object, object)
    """A folder, and the paths of the sequences in it."""

    def __init__(self, first: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.desk = first.desk
        self.desk.setParent(None)  # it must outlive the first tab
        self._studios: list[Studio] = []
        self._current = first
        self._add(first)

    def __len__(self) -> int:
        return len(self._studios)

    @property
    def studios(self) -> tuple[Studio, ...]:
        return tuple(self._studios)

    @property
    def current(self) -> Studio:
        return self._current

    @property
    def row(self) -> int:
        return self._studios.index(self._current)

    def title(self, row: int) -> str:
        """Return what the tab of a row is called."""
        session = self._studios[row].session
        if session.sequence is not None:
            return session.sequence.name
        source = session.opening or session.postponed
        return "Empty" if source is None else Path(source.path).name

    def choose(self, row: int) -> None:
        """Bring a tab to the front; a row that is not there is passed over."""
        if 0 <= row < len(self._studios) and self._studios[row] is not self._current:
            self._current = self._studios[row]
            self.current_changed.emit()
            self._current.session.wake()

    def bring_up(self, studio: Studio) -> None:
        """Bring a studio's tab to the front, and open what waits in it."""
        self.choose(self._studios.index(studio))
        studio.session.wake()

    def postpone(self, source: SequenceSource) -> Studio | None:
        """Give a source a tab that opens it when it comes to the front; None where it has one already."""
        if self._row_of(source) is not None:
            return None
        studio = self._current
        if not _is_empty(studio):
            studio = self._current.another()
            self._add(studio)
        studio.session.postpone(source)
        self.titles_changed.emit()
        return studio

    def step(self, rows: int) -> None:
        """Go to a neighbouring tab, around the ends."""
        self.choose((self.row + rows) % len(self._studios))

    def free(self) -> Studio:
        """Return the tab in front if nothing is open in it, else a new one, in front."""
        if _is_empty(self._current):
            return self._current
        studio = self._current.another()
        self._add(studio)
        self.choose(len(self._studios) - 1)
        return studio

    def open_source(self, source: SequenceSource) -> None:
        """Bring the tab to the front that has this open, or open it in a free one."""
        row = self._row_of(source)
        if row is None:
            self.free().open_source(source)
        else:
            self.bring_up(self._studios[row])

    def _row_of(self, source: SequenceSource) -> int | None:
        for row, studio in enumerate(self._studios):
            session = studio.session
            known = session.opening or session.source or session.postponed
            if known is not None and (known.path, known.spikes) == (source.path, source.spikes):
                return row
        return None

    def close(self, studio: Studio) -> None:
        """Close a sequence and its tab."""
        if studio not in self._studios:
            return
        if len(self._studios) == 1:
            studio.session.close()
            return
        row = self._studios.index(studio)
        self._studios.remove(studio)
        if studio is self._current:
            self._current = self._studios[max(0, row - 1)]
            self.current_changed.emit()
            self._current.session.wake()
        studio.leave()
        self.removed.emit(studio)
        studio.deleteLater()

    def close_all(self) -> None:
        """End everything; nothing of the window runs afterwards."""
        for studio in self._studios:
            studio.leave()
        self.desk.close()

    def _add(self, studio: Studio) -> None:
        self._studios.append(studio)
        session = studio.session
        session.busy_changed.connect(self.titles_changed)
        session.opened.connect(self.titles_changed)
        session.closed.connect(self.titles_changed)
        session.failed.connect(lambda _: self.drop_if_empty(studio))
        session.several_found.connect(lambda source, paths: self._on_several(studio, source, paths))
        self.added.emit(studio)

    def _on_several(self, studio: Studio, source: SequenceSource, paths: tuple[Path, ...]) -> None:
        """Open the only sequence of a folder; several are for somebody to choose from."""
        if len(paths) == 1:
            studio.open_source(replace(source, path=str(paths[0])))
            return
        self.drop_if_empty(studio)
        self.titles_changed.emit()
        self.data_set_found.emit(Path(source.path), paths)

    def drop_if_empty(self, studio: Studio) -> None:
        """A tab that was made for a sequence that cannot be opened goes away again."""
        if studio.session.sequence is None and studio in self._studios and len(self._studios) > 1:
            self.close(studio)


def _is_empty(studio: Studio) -> bool:
    session = studio.session
    return session.sequence is None and session.opening is None and session.postponed is None
