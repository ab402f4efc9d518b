"""What was opened lately, newest first, kept in the settings."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.settings import Settings
from app.state.session.source_values import source_of, values_of
from engine.source import SequenceSource

MOST_RECENT = 12


class RecentSources(QObject):
    """Sequences and data sets that could be opened."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        read = (source_of(values) for values in settings.recent)
        self._sources = [source for source in read if source is not None][:MOST_RECENT]

    @property
    def sources(self) -> tuple[SequenceSource, ...]:
        return tuple(self._sources)

    def add(self, source: SequenceSource) -> None:
        """Put a source first; what was said about the same files before is forgotten."""
        self._put([source, *(other for other in self._sources if not _are_same(source, other))])

    def forget(self, source: SequenceSource) -> None:
        """Take a source off the list, such as one whose files are gone."""
        self._put([other for other in self._sources if not _are_same(source, other)])

    def clear(self) -> None:
        self._put([])

    def _put(self, sources: list[SequenceSource]) -> None:
        if sources != self._sources:
            self._sources = sources[:MOST_RECENT]
            self._settings.recent = [values_of(source) for source in self._sources]
            self.changed.emit()


def name_of(source: SequenceSource) -> str:
    """Return what a person calls a source."""
    path = Path(source.path)
    return path.name or str(path)


def place_of(source: SequenceSource) -> str:
    """Return the folder that a source lies in, the user's own one as ~."""
    folder = str(Path(source.path).parent)
    home = str(Path.home())
    return f"~{folder[len(home) :]}" if folder == home or folder.startswith(f"{home}/") else folder


def _are_same(one: SequenceSource, other: SequenceSource) -> bool:
    return (one.path, one.spikes) == (other.path, other.spikes)
