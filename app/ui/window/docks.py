"""The panels around the pictures: where they stand at first, and the actions that show and hide them."""

from typing import Protocol, runtime_checkable

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar, QWidget

from app.ui.window.actions import StudioActions

AREAS = {"left": Qt.DockWidgetArea.LeftDockWidgetArea, "right": Qt.DockWidgetArea.RightDockWidgetArea}
NARROW_PX = 1000
"""A window less wide than this has room for panels at one side only."""
STATE_VERSION = 1
"""Raised when the panels of an older state no longer make sense."""


class Docks(QObject):
    """The window's panels by key; an action of the same key shows and hides each."""

    def __init__(self, window: QMainWindow, actions: StudioActions) -> None:
        super().__init__(window)
        self._window = window
        self._actions = actions
        self._docks: dict[str, QDockWidget] = {}
        self._folded: list[QDockWidget] = []
        """Left panels that stand behind right ones while the window is narrow."""
        window.setDockNestingEnabled(True)
        window.installEventFilter(self)

    def __getitem__(self, key: str) -> QDockWidget:
        return self._docks[key]

    def add(
        self,
        key: str,
        title: str,
        body: QWidget,
        area: str,
        *,
        shown: bool = True,
        behind: str | None = None,
    ) -> None:
        """Put a panel at a side of the window; one more at the same side goes below.

        One that shares the place of another comes as a tab `behind` it.
        """
        dock = QDockWidget(title, self._window)
        dock.setObjectName(key)
        dock.setWidget(body)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        self._window.addDockWidget(AREAS[area], dock)
        self._docks[key] = dock
        if behind is not None:
            self._window.tabifyDockWidget(self._docks[behind], dock)
            self._docks[behind].raise_()
        self._keep_tabs_readable()
        dock.setVisible(shown)
        action = self._actions[key]
        action.setChecked(shown)
        dock.toggleViewAction().toggled.connect(action.setChecked)
        dock.visibilityChanged.connect(lambda seen: _tell(dock.widget(), seen))

    def show(self, key: str) -> None:
        """Bring a panel to the front."""
        self._docks[key].show()
        self._fit()
        self._docks[key].raise_()

    def has_focus(self, key: str) -> bool:
        """Whether the keyboard is in a panel."""
        focused = QApplication.focusWidget()
        return focused is not None and self._docks[key].isAncestorOf(focused)

    def toggle(self, key: str) -> None:
        """Bring a panel into line with its action, which the user has just switched."""
        wanted = self._actions[key].isChecked()
        self._docks[key].setVisible(wanted)
        self._fit()
        if wanted:
            self._docks[key].raise_()

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return False

    def _fit(self) -> None:
        """Leave the pictures room: in a narrow window all panels share one side."""
        self._keep_tabs_readable()
        if self._window.width() >= NARROW_PX:
            folded, self._folded = self._folded, []
            for dock in folded:
                shown = not dock.isHidden()
                self._window.addDockWidget(AREAS["left"], dock)
                dock.setVisible(shown)
            return
        right, left = self._standing("right"), self._standing("left")
        if right:
            for dock in left:
                self._window.tabifyDockWidget(right[0], dock)
                self._folded.append(dock)

    def _keep_tabs_readable(self) -> None:
        """Let tabs that have no room scroll; Qt would cut their names down to a letter."""
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setUsesScrollButtons(True)

    def _standing(self, area: str) -> list[QDockWidget]:
        """Return the panels that are shown at a side."""
        return [
            dock
            for dock in self._docks.values()
            if not dock.isHidden()
            and not dock.isFloating()
            and self._window.dockWidgetArea(dock) == AREAS[area]
        ]

    def state(self) -> str:
        return bytes(self._window.saveState(STATE_VERSION).toBase64().data()).decode()

    def restore(self, state: str) -> None:
        """Bring the panels to where they were; an unusable state leaves them as they are."""
        if state:
            self._window.restoreState(QByteArray.fromBase64(state.encode()), STATE_VERSION)
        for key, dock in self._docks.items():
            self._actions[key].setChecked(not dock.isHidden())


@runtime_checkable
class Seen(Protocol):
    """A panel that works only while somebody sees it: a tab behind another counts as not seen."""

    def set_seen(self, seen: bool) -> None: ...


def _tell(panel: QWidget | None, seen: bool) -> None:
    if isinstance(panel, Seen):
        panel.set_seen(seen)
