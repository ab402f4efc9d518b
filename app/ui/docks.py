"""The panels around the pictures: where they stand at first, and the actions that show and hide them."""

from PySide6.QtCore import QByteArray, QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from app.ui.actions import StudioActions

AREAS = {"left": Qt.DockWidgetArea.LeftDockWidgetArea, "right": Qt.DockWidgetArea.RightDockWidgetArea}
STATE_VERSION = 1
"""Raised when the panels of an older state no longer make sense."""


class Docks(QObject):
    """The window's panels by key; an action of the same key shows and hides each."""

    def __init__(self, window: QMainWindow, actions: StudioActions) -> None:
        super().__init__(window)
        self._window = window
        self._actions = actions
        self._docks: dict[str, QDockWidget] = {}
        window.setDockNestingEnabled(True)

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
        dock.setVisible(shown)
        action = self._actions[key]
        action.setChecked(shown)
        dock.toggleViewAction().toggled.connect(action.setChecked)

    def show(self, key: str) -> None:
        """Bring a panel to the front."""
        self._docks[key].show()
        self._docks[key].raise_()

    def toggle(self, key: str) -> None:
        """Bring a panel into line with its action, which the user has just switched."""
        self._docks[key].setVisible(self._actions[key].isChecked())

    def state(self) -> str:
        return bytes(self._window.saveState(STATE_VERSION).toBase64().data()).decode()

    def restore(self, state: str) -> None:
        """Bring the panels to where they were; an unusable state leaves them as they are."""
        if state:
            self._window.restoreState(QByteArray.fromBase64(state.encode()), STATE_VERSION)
        for key, dock in self._docks.items():
            self._actions[key].setChecked(not dock.isHidden())
