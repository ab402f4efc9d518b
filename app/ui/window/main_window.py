"""The window: menus, tool bar, and the place where the workspace goes once its libraries are loaded.

Strategy: the first paint shows menus, tool bar and an empty page, which need only Qt. Then a thread imports
OpenCV and pyqtgraph while another may already be opening a sequence; the workspace follows.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.environment import load_opencv
from app.settings import Settings, save_settings, settings_path
from app.state.reading.lane import Lane, Ticket
from app.state.session.tabs import Tabs
from app.state.studio import Studio
from app.ui.alignment.alignment_commands import name_steps
from app.ui.alignment.alignment_panel import AlignmentPanel
from app.ui.data_set.data_set_panel import add_data_set
from app.ui.jobs.queue_panel import QueuePanel
from app.ui.jobs.restore_panel import RestorePanel
from app.ui.panes.compare_commands import check_arrangement
from app.ui.parts.icons import application_icon
from app.ui.parts.theme import Theme
from app.ui.timeline.play_controls import LeaveSpaceToButtons
from app.ui.window.abilities import abilities_of
from app.ui.window.actions import StudioActions
from app.ui.window.banner import Banner
from app.ui.window.commands import LINEAR_LIGHT, Commands
from app.ui.window.docks import Docks
from app.ui.window.drop_hint import DropHint
from app.ui.window.empty_page import EmptyPage
from app.ui.window.method_actions import action_of, list_methods
from app.ui.window.recent_menu import show_recent
from app.ui.window.sequence_tabs import SequenceTabs
from app.ui.window.session_view import keep_session
from app.ui.window.tool_bar import StudioToolBar

if TYPE_CHECKING:
    from app.ui.panes.panes import PaneGrid
    from app.ui.panes.picture_panel import PicturePanel
    from app.ui.spikes.raster_panel import RasterPanel
    from app.ui.window.status_line import StatusLine
    from app.ui.window.workspace import Workspace

log = logging.getLogger(__name__)

TITLE = "Spike Deblur Studio"
DEFAULT_SIZE = QSize(1280, 800)
SMALLEST_SIZE = QSize(680, 460)
TICKED = {
    "smooth": "smooth",
    "snap": "snap",
    "play_loop": "play_loop",
    "play_every_frame": "play_every_frame",
    "voxels": "show_voxels",
    "restore_session": "restore_session",
}
"""Actions with a tick, and the settings that keep it."""


class MainWindow(QMainWindow):
    """Shows a `Studio`."""

    painted = Signal()
    """The first paint is over."""
    ready = Signal()
    """The workspace is there."""

    def __init__(self, studio: Studio, settings: Settings, session_file: Path | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.tabs = Tabs(studio, self)
        self._workspaces: dict[Studio, Workspace] = {}
        self._libraries_loaded = False
        self._status: StatusLine | None = None
        self.picture_panel: PicturePanel | None = None
        self.raster_panel: RasterPanel | None = None
        self.setWindowTitle(TITLE)
        self.setWindowIcon(application_icon())
        self.setMinimumSize(SMALLEST_SIZE)
        self.resize(DEFAULT_SIZE)
        self.restoreGeometry(QByteArray.fromBase64(settings.window_geometry.encode()))
        self.setAcceptDrops(True)
        self.theme = Theme(settings.theme, self)
        self.actions_by_key = StudioActions(self, self.theme)
        self.actions_by_key.use_shortcuts(settings.shortcuts)
        self.tool_bar = StudioToolBar(self.actions_by_key, self.theme, self)
        self.addToolBar(self.tool_bar)
        keys = ("open_folder", "open", "open_sample")
        self.empty = EmptyPage(self.theme, tuple(self.actions_by_key[key] for key in keys))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.tab_bar = SequenceTabs(self.tabs)
        self.setCentralWidget(_column(self.tab_bar, self.stack))
        self.banner = Banner(studio.notices, self.theme, self.stack)
        self.queue_panel = QueuePanel(self.tabs.desk.queue, self.actions_by_key, self.theme)
        self.docks = Docks(self, self.actions_by_key)
        self.docks.add("queue_panel", self.tr("Queue"), self.queue_panel, "right")
        self.data_set = add_data_set(self)
        self.alignment_panel = AlignmentPanel(self.actions_by_key)
        self.docks.add(
            "alignment_panel", self.tr("Alignment"), self.alignment_panel, "right", behind="queue_panel"
        )
        self.restore_panel = RestorePanel(self.tabs.desk)
        self.docks.add(
            "restore_panel", self.tr("Deblurring"), self.restore_panel, "right", behind="queue_panel"
        )
        self.docks.add(
            "picture_panel", self.tr("Picture"), QWidget(), "right", shown=False, behind="queue_panel"
        )
        self.docks.add(
            "raster_panel", self.tr("Raster"), QWidget(), "right", shown=False, behind="queue_panel"
        )
        self.docks.restore(settings.panels)
        self._warm_up = Lane(studio.pool, self)
        self._warm_up.answered.connect(self._on_libraries)
        self._warm_up.failed.connect(
            lambda _, error: studio.notices.error(error, self.tr("load the libraries"))
        )
        self.commands = Commands(self)
        show_recent(self)
        self.drop_hint = DropHint(self, self.stack, self.theme)
        self._check_settings()
        self.tabs.desk.restoring.found_changed.connect(lambda: list_methods(self))
        self.tabs.desk.restoring.changed.connect(self._check_settings)
        self.installEventFilter(self)
        self.installEventFilter(LeaveSpaceToButtons(self))
        self._adopt(studio)
        self._show_playing()
        self.alignment_panel.show_studio(studio)
        self.tabs.added.connect(self._adopt)
        self.tabs.removed.connect(self._abandon)
        self.tabs.current_changed.connect(self._on_tab)
        self._refresh()
        self.keeper = None if session_file is None else keep_session(self, session_file)

    @property
    def studio(self) -> Studio:
        """The sequence in front."""
        return self.tabs.current

    @property
    def workspace(self) -> "Workspace | None":
        """What shows it, once the libraries are there."""
        return self._workspaces.get(self.tabs.current)

    def workspace_of(self, studio: Studio) -> "Workspace | None":
        return self._workspaces.get(studio)

    def reopen_session(self) -> None:
        """Open what was open when the studio ended."""
        if self.keeper is not None:
            self.keeper.reopen()

    # ------------------------------------------------------------------ tabs

    def _adopt(self, studio: Studio) -> None:
        """Listen to a studio that is new in the window, and give it a place."""
        studio.abilities_changed.connect(self._refresh)
        studio.alignment.edits.stepped.connect(self._refresh)
        studio.session.opened.connect(self._refresh)
        studio.comparison.arranged.connect(self._refresh_arrangement)
        studio.comparison.region_changed.connect(self._refresh)
        studio.probe.changed.connect(self._show_probed)
        studio.sensor.changed.connect(self._show_probed)
        studio.playback.changed.connect(self._show_playing)
        studio.geometry_needed.connect(lambda question: self.commands.ask_geometry(question, studio))
        if self._libraries_loaded:
            self._furnish(studio)

    def _abandon(self, studio: Studio) -> None:
        workspace = self._workspaces.pop(studio, None)
        if workspace is not None:
            self.stack.removeWidget(workspace)
            workspace.deleteLater()
        self._refresh()

    def _on_tab(self) -> None:
        self.commands.rebind()
        self.alignment_panel.show_studio(self.studio)
        self._show_in_plots()
        self.apply_view_settings()
        for studio in self.tabs.studios:
            if studio is not self.studio:
                studio.playback.stop()
        self._show_playing()
        self._refresh()
        self._show_facts()

    # ------------------------------------------------------------------ start

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest and self.isVisible():
            self.removeEventFilter(self)
            QTimer.singleShot(0, self._after_first_paint)
        return False

    def _after_first_paint(self) -> None:
        self.painted.emit()
        self._warm_up.request("libraries", _load_libraries)

    def _on_libraries(self) -> None:
        from app.ui.window.status_line import StatusLine

        self._libraries_loaded = True
        self._status = StatusLine()
        self.setStatusBar(self._status)
        for studio in self.tabs.studios:
            self._furnish(studio)
        self._add_plots()
        self.apply_view_settings()
        self._refresh()
        self.tabs.desk.restoring.look_for_methods()
        self.ready.emit()

    def _furnish(self, studio: Studio) -> None:
        """Build what shows a sequence."""
        from app.ui.window.workspace import Workspace

        workspace = Workspace(studio, self.actions_by_key, self.theme)
        workspace.pixel_hovered.connect(self._show_probe)
        workspace.scale_changed.connect(self._show_facts)
        studio.pictures.changed.connect(self._show_facts)
        studio.results.changed.connect(self._show_facts)
        studio.alignment.changed.connect(self._show_facts)
        self.stack.addWidget(workspace)
        workspace.splitter.restoreState(QByteArray.fromBase64(self.settings.splitter.encode()))
        self._workspaces[studio] = workspace

    # ------------------------------------------------------------------ view

    def on_panes(self, do: "Callable[[PaneGrid], object]") -> None:
        """Do something with the panes, once they are there."""
        if self.workspace is not None:
            do(self.workspace.panes)

    def apply_view_settings(self) -> None:
        """Bring the view to what is ticked in the menus."""
        for key, setting in TICKED.items():
            setattr(self.settings, setting, self.actions_by_key[key].isChecked())
        self.studio.playback.set_loops(self.settings.play_loop)
        self.studio.playback.set_every_frame(self.settings.play_every_frame)
        if self.workspace is not None:
            self.workspace.panes.set_smooth(self.settings.smooth)
            self.workspace.show_voxel_strip(self.settings.show_voxels)
            self.workspace.timeline.set_snap(self.settings.snap)

    def choose_theme(self, choice: str) -> None:
        self.settings.theme = choice
        self.theme.choose(choice)

    def choose_language(self, choice: str) -> None:
        """Speak another language from the next start on."""
        if choice != self.settings.language:
            self.settings.language = choice
            self.studio.notices.inform(self.tr("The language changes when the studio starts again"))

    def choose_method(self, method: str) -> None:
        """Restore with `method` from the next Deblur on."""
        self.tabs.desk.restoring.choose_method(method)

    def _check_settings(self) -> None:
        chosen = self.actions_by_key.by_key.get(action_of(self.settings.method))
        if chosen is not None:
            chosen.setChecked(True)
        for key, setting in TICKED.items():
            self.actions_by_key[key].setChecked(getattr(self.settings, setting))
        self.actions_by_key[f"theme_{self.settings.theme}"].setChecked(True)
        self.actions_by_key[f"language_{self.settings.language}"].setChecked(True)

    # ------------------------------------------------------------------ state → window

    def _refresh(self) -> None:
        studio = self.studio
        sequence = studio.session.sequence
        opening = studio.session.opening
        check_arrangement(self.actions_by_key, studio.comparison)
        name_steps(self.actions_by_key, studio.alignment)
        self.actions_by_key.enable(abilities_of(studio))
        if sequence is not None:
            self.actions_by_key["code_values"].setChecked(sequence.gamma == 1.0)
            self.actions_by_key["linear_light"].setChecked(sequence.gamma == LINEAR_LIGHT)
        self.tool_bar.show_findings(0 if sequence is None else len(sequence.findings))
        self.setWindowTitle(TITLE if sequence is None else f"{sequence.name} — {TITLE}")
        self.empty.show_opening(None if opening is None else Path(opening.path).name)
        shows_workspace = sequence is not None and self.workspace is not None
        if self.workspace is not None and shows_workspace:
            if self.stack.currentWidget() is not self.workspace:
                self.stack.setCurrentWidget(self.workspace)
                self.workspace.setFocus(Qt.FocusReason.OtherFocusReason)  # else a button has the space bar
        else:
            self.stack.setCurrentWidget(self.empty)
        if self._status is not None:
            self._status.setVisible(shows_workspace)

    def _show_playing(self) -> None:
        playing = self.studio.playback.playing
        self.actions_by_key.show_as("play", "pause" if playing else "play")

    def _refresh_arrangement(self) -> None:
        check_arrangement(self.actions_by_key, self.studio.comparison)

    def _add_plots(self) -> None:
        """Fill the panels that need the plotting library."""
        from app.ui.panes.picture_panel import PicturePanel
        from app.ui.spikes.raster_panel import RasterPanel

        self.picture_panel = PicturePanel(self.actions_by_key, self.theme)
        self.docks["picture_panel"].setWidget(self.picture_panel)
        self.raster_panel = RasterPanel(self.theme)
        self.docks["raster_panel"].setWidget(self.raster_panel)
        self._show_in_plots()

    def _show_in_plots(self) -> None:
        if self.picture_panel is not None:
            panes = None if self.workspace is None else self.workspace.panes
            self.picture_panel.show_studio(self.studio, panes)
        if self.raster_panel is not None:
            self.raster_panel.show_studio(self.studio)

    def _show_facts(self) -> None:
        sequence, view = self.studio.session.sequence, self.studio.pictures.view
        if self._status is None or self.workspace is None or sequence is None:
            return
        has_window = view is not None and view.index < len(sequence.windows)
        self._status.show_facts(
            sequence.frame_size,
            sequence.window(view.index) if view is not None and has_window else None,
            self.workspace.rate_hz,
            self.workspace.panes.px_per_pixel * self.devicePixelRatioF(),
            sequence.bit_depth,
            self.studio.results.bytes,
        )

    def _show_probe(self, pixel: tuple[int, int] | None) -> None:
        sequence = self.studio.session.sequence
        if self._status is not None and sequence is not None:
            self._status.show_probe(pixel, self.studio.pictures.view, sequence.bit_depth)

    def _show_probed(self) -> None:
        if self._status is not None:
            pixel, sensor = self.studio.probe.pixel, self.studio.sensor
            self._status.show_spikes(
                pixel,
                self.workspace.rate_hz if self.workspace else None,
                None if pixel is None else sensor.gain_at(pixel.x, pixel.y),
            )

    # ------------------------------------------------------------------ drop, close

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.commands.open_paths(paths)

    def unfinished_work(self) -> list[str]:
        """Say what would be cut short if the window closed now, a sentence each."""
        lines = []
        jobs = self.tabs.desk.queue.open_jobs
        if jobs == 1:
            lines.append(self.tr("A job is not finished."))
        elif jobs:
            lines.append(self.tr("{count} jobs are not finished.").format(count=jobs))
        if any(studio.exports.busy for studio in self.tabs.studios):
            lines.append(self.tr("An export is still being written."))
        return lines

    def closeEvent(self, event: QCloseEvent) -> None:
        if event.spontaneous() and self.unfinished_work():  # somebody clicked the window away
            event.ignore()
            self.actions_by_key["quit"].trigger()
            return
        self.settings.window_geometry = _base64(self.saveGeometry())
        self.settings.panels = self.docks.state()
        if self.workspace is not None:
            self.settings.splitter = _base64(self.workspace.splitter.saveState())
        save_settings(self.settings, settings_path())
        if self.keeper is not None:
            self.keeper.end()
        self.hide()
        self.tabs.close_all()
        super().closeEvent(event)


def _load_libraries(_: Ticket) -> None:
    """Import what the workspace is made of; the imports in `_build_workspace` then cost nothing."""
    load_opencv()
    import app.ui.panes.picture_panel
    import app.ui.spikes.raster_panel
    import app.ui.window.status_line
    import app.ui.window.workspace  # noqa: F401


def _column(*parts: QWidget) -> QWidget:
    """Return widgets one below the other, the last of them as large as can be."""
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for part in parts:
        layout.addWidget(part)
    layout.setStretch(len(parts) - 1, 1)
    return whole


def _base64(state: QByteArray) -> str:
    return bytes(state.toBase64().data()).decode()
