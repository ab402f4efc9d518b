"""The row of tabs over the pictures; hidden while only one sequence is open."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QTabBar, QWidget

from app.state.session.tabs import Tabs

LONGEST_TITLE_PX = 220


class SequenceTabs(QTabBar):
    """Bound to `Tabs`: click to choose, cross or middle button to close."""

    def __init__(self, tabs: Tabs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tabs = tabs
        self.setDocumentMode(True)
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setTabsClosable(True)
        self.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.setUsesScrollButtons(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Open sequences"))
        self.currentChanged.connect(tabs.choose)
        self.tabCloseRequested.connect(lambda row: tabs.close(tabs.studios[row]))
        tabs.added.connect(self.refresh)
        tabs.removed.connect(self.refresh)
        tabs.current_changed.connect(self.refresh)
        tabs.titles_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the tabs there are."""
        with QSignalBlocker(self):
            while self.count() > len(self._tabs):
                self.removeTab(self.count() - 1)
            while self.count() < len(self._tabs):
                self.addTab("")
            for row, studio in enumerate(self._tabs.studios):
                session = studio.session
                source = session.source or session.opening or session.postponed
                self.setTabText(row, self._tabs.title(row).replace("&", "&&"))
                self.setTabToolTip(row, "" if source is None else source.path)
            self.setCurrentIndex(self._tabs.row)
        self.setVisible(len(self._tabs) > 1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self.tabAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.MiddleButton and row >= 0:
            self._tabs.close(self._tabs.studios[row])
            return
        super().mouseReleaseEvent(event)
