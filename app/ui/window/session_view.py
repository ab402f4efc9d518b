"""The last session in the window: its sequences' views, its setting, and the action that opens it again."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from app.state.session.session_keeper import SessionKeeper
from app.state.studio import Studio

if TYPE_CHECKING:
    from app.ui.window.main_window import MainWindow


def keep_session(window: "MainWindow", path: Path) -> SessionKeeper:
    """Keep what is open in a window in a file."""
    views: dict[Studio, dict[str, object]] = {}

    def view_of(studio: Studio) -> dict[str, object]:
        workspace = window.workspace_of(studio)
        return views.get(studio, {}) if workspace is None else workspace.view_state()

    keeper = SessionKeeper(window.tabs, window.data_set, path, view_of, window)

    def restore(studio: Studio) -> None:
        workspace = window.workspace_of(studio)
        if workspace is not None and studio in views:
            workspace.restore_view(views.pop(studio))

    def restore_soon(studio: Studio, view: dict[str, object]) -> None:
        """After the workspace has shown the sequence, which shows it whole."""
        views[studio] = view
        QTimer.singleShot(0, window, lambda: restore(studio))

    def restore_all() -> None:
        for studio in window.tabs.studios:
            restore(studio)

    def show_ability() -> None:
        window.actions_by_key["reopen_session"].setEnabled(keeper.can_reopen)

    keeper.view_wanted.connect(restore_soon)
    window.ready.connect(restore_all)
    window.tabs.removed.connect(lambda studio: views.pop(studio, None))
    keeper.can_reopen_changed.connect(show_ability)
    show_ability()
    return keeper
