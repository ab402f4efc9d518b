"""The menu of what was opened lately."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.state.opening.recent import RecentSources, name_of, place_of
from engine.source import SequenceSource

if TYPE_CHECKING:
    from app.ui.window.main_window import MainWindow

MOST_KEYS = 9
LONGEST_PLACE = 60


class RecentMenu(QMenu):
    """One entry a source, the first nine with a key, and one that forgets them all."""

    def __init__(
        self, recent: RecentSources, choose: Callable[[SequenceSource], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Open recent"))
        self._recent = recent
        self._choose = choose
        self.setToolTipsVisible(True)
        recent.changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for number, source in enumerate(self._recent.sources, start=1):
            place = place_of(source)
            if len(place) > LONGEST_PLACE:
                place = f"…{place[-LONGEST_PLACE:]}"
            action = self.addAction(f"{name_of(source)}   {place}".replace("&", "&&"))
            action.setToolTip(source.path)
            if number <= MOST_KEYS:
                action.setShortcut(QKeySequence(f"Ctrl+Alt+{number}"))
            action.triggered.connect(lambda _=False, source=source: self._choose(source))
        self.menuAction().setEnabled(bool(self._recent.sources))
        self.addSeparator()
        clear = self.addAction(self.tr("Clear list"))
        clear.setToolTip(self.tr("Forget what was opened; the files stay"))
        clear.triggered.connect(lambda _=False: self._recent.clear())


def show_recent(window: "MainWindow") -> None:
    """Put the menu below what opens, and the newest entries onto the empty page."""
    recent = window.tabs.desk.recent
    menu = RecentMenu(recent, window.commands.open_recent, window)
    opening = window.actions_by_key.menus["File"]
    entries = opening.actions()
    opening.insertMenu(entries[entries.index(window.actions_by_key["open_sample"]) + 1], menu)
    window.empty.recent_chosen.connect(window.commands.open_recent)

    def show() -> None:
        window.empty.show_recent(recent.sources)

    recent.changed.connect(show)
    show()
