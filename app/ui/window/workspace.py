"""Everything that is shown of an open sequence, bound to the studio's state."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from app.state.spikes.raster import bin_span
from app.state.studio import Studio
from app.ui.jobs.job_bar import JobBar
from app.ui.panes.panes import PaneGrid
from app.ui.panes.panes_view import PanesView
from app.ui.parts.theme import Theme
from app.ui.spikes.voxel_commands import fill_look_menu, show_large
from app.ui.spikes.voxel_strip import VoxelStrip
from app.ui.timeline.play_controls import PlayControls
from app.ui.timeline.timeline import Timeline
from app.ui.timeline.transport import Transport
from app.ui.window.actions import StudioActions

if TYPE_CHECKING:
    from engine.sequence import Sequence

LOOKING_MS = 120
"""How long a view stays before it is told to the worker."""
LOADING_MS = 250
"""A frame that takes longer than this to read is announced."""


class Workspace(QWidget):
    """Panes, transport, timeline, voxel strip and job bar."""

    pixel_hovered = Signal(object)
    scale_changed = Signal()

    def __init__(
        self, studio: Studio, actions: StudioActions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._studio = studio
        self._actions = actions
        self._voxels_wanted = True
        self._theme = theme
        self.panes = PaneGrid(theme)
        self.panes_view = PanesView(studio, actions, theme, self.panes)
        before = (actions["first"], actions["previous"])
        after = (actions["next"], actions["last"], actions["set_in"], actions["set_out"])
        self.transport = Transport(
            studio.position, before, after, play=PlayControls(studio.playback, actions)
        )
        self.timeline = Timeline(theme)
        self.voxels = VoxelStrip(theme)
        self.job_bar = JobBar(actions["cancel"])
        self.splitter = self._lay_out()
        self._loading = QTimer(self, interval=LOADING_MS, singleShot=True)
        self._loading.timeout.connect(self.panes_view.say_loading)
        self._cursor: tuple[float, float] | None = None
        self._looking = QTimer(self, interval=LOOKING_MS, singleShot=True)
        self._looking.timeout.connect(self._tell_view)
        self._connect()
        self.show_sequence()

    def _lay_out(self) -> QSplitter:
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(8, 8, 8, 2)
        column.setSpacing(4)
        column.addWidget(self.panes, 1)
        column.addWidget(self.transport)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setHandleWidth(4)
        splitter.setChildrenCollapsible(False)
        for part, stretch in ((top, 1), (self.timeline, 0), (self.voxels, 0)):
            splitter.addWidget(part)
            splitter.setStretchFactor(splitter.indexOf(part), stretch)
        splitter.setSizes([1000, 150, 128])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(splitter, 1)
        layout.addWidget(self.job_bar)
        return splitter

    def _connect(self) -> None:
        studio = self._studio
        studio.session.opened.connect(self.show_sequence)
        studio.position.changed.connect(self.timeline.show_current)
        studio.position.range_changed.connect(self._show_range)
        studio.pictures.changed.connect(self._show_pictures)
        studio.pictures.busy_changed.connect(self._on_busy)
        studio.metrics.changed.connect(self.panes_view.show_scores)
        studio.spikes.rate_changed.connect(self._show_rate)
        studio.spikes.voxels_changed.connect(self._show_voxels)
        studio.results.changed.connect(self._show_results)
        studio.jobs.changed.connect(self._show_job)
        studio.abilities_changed.connect(self.panes_view.show_hints)
        self.timeline.frame_chosen.connect(studio.position.go)
        self.timeline.window_dragged.connect(studio.alignment.edits.set_window_by_drag)
        studio.alignment.changed.connect(self._show_windows)
        self.voxels.bin_hovered.connect(self._mark_bin)
        self.voxels.bin_selected.connect(studio.comparison.select_bin)
        self.voxels.bin_opened.connect(lambda index: show_large(studio, index))
        self.voxels.menu.aboutToShow.connect(lambda: fill_look_menu(self.voxels.menu, studio, self._actions))
        studio.comparison.bin_changed.connect(self._show_selected_bin)
        studio.position.changed.connect(lambda _: self._mark_bin(None))
        self.panes.pixel_hovered.connect(self.pixel_hovered)
        self.panes.pixel_hovered.connect(self._on_cursor)
        self.panes.scale_changed.connect(self._looking.start)
        studio.position.changed.connect(lambda _: self._looking.start())
        studio.jobs.queue.accepted.connect(self._on_accepted)
        self.panes.scale_changed.connect(self.scale_changed)
        self.job_bar.gamma_chosen.connect(studio.set_gamma)

    @property
    def _sequence(self) -> "Sequence | None":
        return self._studio.session.sequence

    @property
    def rate_hz(self) -> float | None:
        sequence = self._sequence
        if sequence is None or sequence.recording is None:
            return None
        return sequence.recording.info.rate_hz

    def view_state(self) -> dict[str, object]:
        """Return how the sequence is looked at, as plain values."""
        return self.panes.view_state()

    def restore_view(self, view: dict[str, object]) -> None:
        """Look at the sequence as `view_state` said; what cannot be used of it is passed over."""
        self.panes.restore_view(view)

    # ------------------------------------------------------------------ state → widgets

    def show_sequence(self) -> None:
        """Show the sequence that is open now."""
        sequence = self._sequence
        if sequence is None:
            return
        recording = sequence.recording
        self.panes.show_size(sequence.frame_size)
        self.timeline.show_sequence(
            sequence.windows,
            sequence.frame_name,
            planes=0 if recording is None else recording.info.planes,
            parts=() if recording is None else recording.parts(),
            rate_hz=self.rate_hz,
            guess=sequence.windows_source == "guess",
        )
        self._show_windows()
        self.timeline.show_current(self._studio.position.index)
        self.show_voxel_strip(self._voxels_wanted)
        self.job_bar.show_gamma(sequence.gamma, sequence.gamma_known, enabled=recording is not None)
        self._show_range()
        self._show_rate()
        self._show_voxels()
        self._show_results()
        self._show_job()
        self._show_pictures()

    def show_voxel_strip(self, wanted: bool) -> None:
        """Show the voxel bins if the user wants to see them and there are any."""
        self._voxels_wanted = wanted
        sequence = self._sequence
        self.voxels.setVisible(wanted and sequence is not None and sequence.recording is not None)

    def _show_windows(self) -> None:
        """Show the alignment as it is edited, and what it makes stale."""
        alignment = self._studio.alignment
        edits = alignment.edits
        self.timeline.show_windows(edits.windows, edits.edited_frames, can_edit=alignment.can_edit)
        self._show_results()
        self.panes_view.show_titles()

    def _show_range(self) -> None:
        position = self._studio.position
        self.timeline.show_range(position.range if position.has_range else None)

    def _show_pictures(self) -> None:
        self._loading.stop()
        view = self._studio.pictures.view
        self.transport.show_name("" if view is None else view.name)
        self.panes_view.show_pictures()

    def _show_rate(self) -> None:
        self.timeline.show_rate(self._studio.spikes.rate, self._studio.spikes.rate_progress)

    def _show_voxels(self) -> None:
        self.voxels.show_voxels(self._studio.spikes.voxels, self.rate_hz)
        self.timeline.show_bins(self._studio.spikes.bins)
        self.panes_view.show_titles()

    def _show_selected_bin(self) -> None:
        self.voxels.show_selected(self._studio.comparison.bin)
        self._mark_bin(None)
        self.panes_view.show_titles()

    def _mark_bin(self, hovered: tuple[float, float] | None) -> None:
        """Mark on the timeline the bin under the mouse, else the selected one."""
        selected, window = self._studio.comparison.bin, self.timeline.content.current_window
        if hovered is None and window is not None:
            hovered = bin_span(window, selected, self._studio.spikes.bins)
        self.timeline.show_bin(hovered)

    def _show_results(self) -> None:
        studio, results = self._studio, self._studio.results
        centres = [moment for moment in results.moments if moment.is_centre]
        stale = frozenset(moment.frame for moment in centres if studio.is_stale(moment.frame))
        held = {moment.frame: results.peek(moment) for moment in centres}
        restored = (index for index, one in held.items() if one and not one.unchanged)
        self.timeline.show_restored(frozenset(restored), stale)

    def _on_cursor(self, pixel: tuple[int, int] | None) -> None:
        self._cursor = None if pixel is None else (float(pixel[1]), float(pixel[0]))
        if not self._looking.isActive():
            self._looking.start()

    def _tell_view(self) -> None:
        """Let a running job do first what is in sight."""
        studio = self._studio
        if self._sequence is not None and studio.jobs.is_running:
            studio.jobs.look_at(studio.position.index, self.panes.visible_region(), self._cursor)

    def _on_accepted(self, _: int) -> None:
        self._tell_view()

    def _show_job(self) -> None:
        self.job_bar.show_status(self._studio.jobs.status)

    def _on_busy(self, busy: bool) -> None:
        if busy:
            self._loading.start()
        else:
            self._loading.stop()
            self.panes_view.show_titles()
