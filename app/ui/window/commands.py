"""What every action does: one line into the state, after asking for a file where one is needed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QPixmap
from PySide6.QtWidgets import QApplication, QDialog

from app.settings import LANGUAGES, log_path
from app.state.opening.recording_choice import RecordingChoice
from app.state.opening.sources import ALIGNMENT_SUFFIXES, RECORDING_SUFFIXES, sample_source
from app.state.pattern.kept_patterns import KeptPattern
from app.state.session.session import GeometryQuestion
from app.state.studio import Studio
from app.translation import language_of
from app.ui.alignment.alignment_commands import alignment_handlers
from app.ui.dialogs.pattern_row import named
from app.ui.dialogs.prompts import FilePrompts
from app.ui.dialogs.reading_dialog import ReadingDialog
from app.ui.dialogs.recording_dialog import RecordingDialog, recording_of
from app.ui.help.command_palette import CommandPalette
from app.ui.help.help_window import FIRST_PAGE, PAGE_OF_PANEL, HelpWindow
from app.ui.help.pages import about_page, facts_of_sequence, findings_page
from app.ui.help.shortcut_editor import ShortcutEditor
from app.ui.panes.compare_commands import compare_handlers
from app.ui.panes.pattern_commands import ask_for_flat, pattern_handlers
from app.ui.spikes.voxel_commands import BinPlayer, voxel_handlers
from engine.errors import EngineError
from engine.moment import Moment
from engine.recording.recording import RecordingInfo
from engine.source import SequenceSource

if TYPE_CHECKING:
    from app.ui.panes.panes import PaneGrid
    from app.ui.window.main_window import MainWindow

LINEAR_LIGHT = 2.2
ZOOM_STEP = 1.25


class Commands(QObject):
    """Connects the window's actions."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._prompts = FilePrompts(window, window.settings)
        self._bin_player = BinPlayer(self)
        self._bin_player.changed.connect(window.actions_by_key["play_bins"].setChecked)
        self._current = self._handlers()
        window.actions_by_key.connect_all({key: partial(self._do, key) for key in self._current})

    @property
    def _studio(self) -> Studio:
        return self._window.studio

    def _do(self, key: str) -> None:
        self._current[key]()

    def rebind(self) -> None:
        """Let every action mean the sequence that is in front now."""
        self._bin_player.play(None)
        self._current = self._handlers()

    def open_paths(self, paths: list[Path]) -> None:
        """Open what was dropped or picked, in tabs of their own where one is open already.

        An alignment log alone is for the sequence in front.
        """
        sequence = self._studio.session.sequence
        is_log = len(paths) == 1 and paths[0].suffix.lower() in ALIGNMENT_SUFFIXES
        if is_log and sequence is not None and sequence.recording is not None:
            self._studio.add_alignment(paths[0])
            return
        for source in self._studio.sources_of(paths):
            self._window.tabs.open_source(source)

    def open_recent(self, source: SequenceSource) -> None:
        """Open what was open before; what is gone leaves the list."""
        desk = self._window.tabs.desk
        if Path(source.path).exists():
            self._window.tabs.open_source(source)
            return
        desk.recent.forget(source)
        desk.notices.warn(
            self.tr("It is not there any more"),
            where=source.path,
            advice=self.tr("It was taken off the list of recent files"),
        )

    def _handlers(self) -> dict[str, Callable[[], object]]:
        studio, window, prompts = self._studio, self._window, self._prompts
        position, panes, tabs = studio.position, window.on_panes, window.tabs
        return {
            "open": lambda: prompts.open_file(self.open_paths),
            "open_folder": lambda: prompts.open_folder(self.open_paths),
            "open_recording": lambda: prompts.one_file(
                self.tr("Open recording"), self.tr("Spike recordings"), RECORDING_SUFFIXES, self.ask_recording
            ),
            "open_sample": lambda: tabs.open_source(sample_source()),
            "add_spikes": lambda: prompts.one_file(
                self.tr("Add spikes"), self.tr("Spike recordings"), RECORDING_SUFFIXES, studio.add_spikes
            ),
            "add_reference": lambda: prompts.open_folder(
                lambda paths: studio.add_reference(paths[0]), self.tr("Add reference")
            ),
            "add_alignment": lambda: prompts.one_file(
                self.tr("Add alignment log"),
                self.tr("Alignment logs"),
                ALIGNMENT_SUFFIXES,
                studio.add_alignment,
            ),
            "recording": self._ask_recording,
            "reading": self._ask_reading,
            "export_frame": self._export_frame,
            "export": self._export,
            "save_panes": lambda: panes(self._save_panes),
            "copy_panes": lambda: panes(lambda grid: QApplication.clipboard().setPixmap(grid.grab())),
            "export_all": lambda: prompts.open_folder(
                lambda paths: self._export_all(paths[0]), self.tr("Export all restored frames into")
            ),
            "reopen_session": window.reopen_session,
            "restore_session": window.apply_view_settings,
            "close": lambda: tabs.close(studio),
            "next_tab": lambda: tabs.step(1),
            "previous_tab": lambda: tabs.step(-1),
            "quit": self._quit,
            **alignment_handlers(studio, prompts),
            **pattern_handlers(studio, prompts),
            **compare_handlers(studio, window.actions_by_key, lambda: window.docks.toggle("picture_panel")),
            **voxel_handlers(studio, window.actions_by_key, self._bin_player),
            "raster_panel": lambda: window.docks.toggle("raster_panel"),
            "play": studio.playback.toggle,
            "play_loop": window.apply_view_settings,
            "play_every_frame": window.apply_view_settings,
            "faster": lambda: studio.playback.faster(1),
            "slower": lambda: studio.playback.faster(-1),
            "alignment_panel": lambda: window.docks.toggle("alignment_panel"),
            "restore_panel": lambda: window.docks.toggle("restore_panel"),
            "previous": lambda: position.step(-1),
            "next": lambda: position.step(1),
            "first": lambda: position.go(0),
            "last": lambda: position.go(position.count - 1),
            "back": lambda: position.step(-10),
            "forward": lambda: position.step(10),
            "set_in": lambda: position.set_in(position.index),
            "set_out": lambda: position.set_out(position.index),
            "clear_range": position.clear_range,
            "deblur_visible": lambda: panes(self._deblur_visible),
            "deblur_frame": studio.deblur_frame,
            "deblur_range": studio.deblur_range,
            "deblur_all": studio.deblur_all,
            "cancel": studio.cancel,
            "pause_job": window.queue_panel.pause_or_resume,
            "cancel_job": window.queue_panel.cancel,
            "retry_job": window.queue_panel.retry,
            "job_up": lambda: window.queue_panel.move_job(-1),
            "job_down": lambda: window.queue_panel.move_job(1),
            "clear_jobs": window.tabs.desk.queue.clear_ended,
            "data_set_panel": lambda: window.docks.toggle("data_set_panel"),
            "reload_data_set": window.data_set.reload,
            "queue_panel": lambda: window.docks.toggle("queue_panel"),
            "by_ratio": lambda: window.choose_method("spike-ratio"),
            "by_network": lambda: window.choose_method("network"),
            "code_values": lambda: studio.set_gamma(1.0),
            "linear_light": lambda: studio.set_gamma(LINEAR_LIGHT),
            "fit": lambda: panes(lambda pair: pair.fit()),
            "actual_size": lambda: panes(lambda pair: pair.actual_size()),
            "zoom_in": lambda: panes(lambda pair: pair.zoom_by(ZOOM_STEP)),
            "zoom_out": lambda: panes(lambda pair: pair.zoom_by(1 / ZOOM_STEP)),
            "smooth": window.apply_view_settings,
            "snap": window.apply_view_settings,
            "voxels": window.apply_view_settings,
            "findings": self._show_findings,
            "theme_system": lambda: window.choose_theme("system"),
            "theme_light": lambda: window.choose_theme("light"),
            "theme_dark": lambda: window.choose_theme("dark"),
            **{
                f"language_{choice}": lambda choice=choice: window.choose_language(choice)  # type: ignore[misc]
                for choice in LANGUAGES
            },
            "help": self._help,
            "palette": lambda: _passing(
                CommandPalette(window.actions_by_key, window.settings.recent_commands, window)
            ).show(),
            "shortcuts": lambda: _passing(
                ShortcutEditor(window.actions_by_key, window.settings.shortcuts, window)
            ).open(),
            "log": lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_path()))),
            "about": lambda: about_page(window).show(),
        }

    # ------------------------------------------------------------------ questions

    def ask_geometry(self, question: GeometryQuestion, studio: Studio) -> None:
        """Ask for the size of a recording that does not say it."""
        dialog = self._recording_dialog(question.source, question.error.path, studio.open_source)
        dialog.rejected.connect(lambda: self._window.tabs.drop_if_empty(studio))

    def ask_recording(self, path: Path) -> None:
        """Ask how a recording is to be read before it is opened."""
        self._recording_dialog(SequenceSource(str(path)), path, self._window.tabs.open_source)

    def _ask_recording(self) -> None:
        sequence = self._studio.session.sequence
        if sequence is None or sequence.recording is None:
            return
        info = sequence.recording.info
        studio = self._studio
        self._recording_dialog(studio.session.said or sequence.source, info.path, studio.open_source, info)

    def _ask_reading(self) -> None:
        studio = self._studio
        source = studio.session.source or studio.session.refused
        if source is None:
            return
        readings = self._window.tabs.desk.readings
        remembered = readings.recall(source)
        sequence = studio.session.sequence
        recording = None if sequence is None or studio.session.source is None else sequence.recording
        dialog = ReadingDialog(
            source if remembered is None else remembered.complete(source),
            self._window,
            kept=self._window.tabs.desk.kept_patterns.listed(),
            size=None if recording is None else recording.info.size,
        )

        def take(chosen: SequenceSource) -> None:
            readings.keep_units(chosen)
            studio.pattern_use.choose(chosen, source)
            studio.open_source(chosen)

        def forget(kept: KeptPattern) -> None:
            if studio.pattern_use.forget(kept.path):
                dialog.pattern.drop(kept.path)

        prompts = FilePrompts(dialog, self._window.settings)
        dialog.pattern.file_wanted.connect(
            lambda: ask_for_flat(prompts, lambda path: dialog.pattern.choose(str(path)))
        )
        dialog.pattern.forget_wanted.connect(
            lambda kept: prompts.confirm_forgetting(named(kept), lambda: forget(kept))
        )
        dialog.chosen.connect(take)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _recording_dialog(
        self,
        source: SequenceSource,
        found: Path | None,
        answer: Callable[[SequenceSource], object],
        info: RecordingInfo | None = None,
    ) -> RecordingDialog:
        desk, path = self._window.tabs.desk, recording_of(source, found)
        remembered = desk.readings.recall(source)
        if remembered is not None:
            source = remembered.complete(source)
        size = None if remembered is None else remembered.size
        choice = RecordingChoice(
            desk.pool,
            path,
            size=size if info is None else info.size,
            flip=source.flip,
            msb_first=source.msb_first,
            found=info,
        )
        dialog = RecordingDialog(source, choice, self._window.theme, self._window)

        def take(chosen: SequenceSource) -> None:
            desk.readings.keep(chosen, choice.shown_by_bits)
            answer(chosen)

        dialog.chosen.connect(take)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    def _quit(self) -> None:
        """Close the window; first ask where that would cut work short."""
        unfinished = self._window.unfinished_work()
        if unfinished:
            self._prompts.confirm_quitting(unfinished, self._window.close)
        else:
            self._window.close()

    def _deblur_visible(self, panes: "PaneGrid") -> None:
        region = panes.visible_region()
        if region is not None:
            self._studio.deblur_region(region)

    def _help(self) -> None:
        """Open the help at the page that fits the panel with the keyboard."""
        window = self._window
        page = next((page for key, page in PAGE_OF_PANEL.items() if window.docks.has_focus(key)), FIRST_PAGE)
        shown = HelpWindow(window.actions_by_key, window, language_of(window.settings.language))
        shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        shown.open_page(page)
        shown.show()

    def _export(self) -> None:
        from app.ui.dialogs.export_dialog import ExportDialog

        dialog = ExportDialog(self._studio, self._window.settings, self._window.theme, self._window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save_panes(self, panes: "PaneGrid") -> None:
        picture = panes.grab()
        sequence = self._studio.session.sequence
        name = "panes" if sequence is None else f"{sequence.name}_{self._studio.position.index + 1:04d}"
        self._prompts.save_file(
            self.tr("Save picture of panes"),
            "PNG",
            ".png",
            name,
            lambda path: self._write_pixmap(picture, path),
        )

    def _write_pixmap(self, picture: QPixmap, path: Path) -> None:
        from engine.export import write_bytes_atomically

        content = QByteArray()
        buffer = QBuffer(content)
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        picture.save(buffer, "PNG")
        try:
            write_bytes_atomically(path, bytes(content.data()))
        except EngineError as error:
            self._studio.notices.error(error, self.tr("save the picture"))
        else:
            self._studio.notices.inform(self.tr("Saved"), where=str(path))

    def _export_frame(self) -> None:
        view = self._studio.pictures.view
        studio = self._studio
        if view is not None and studio.can_export_frame:
            studio.playback.stop()
            result = studio.results.peek(Moment(studio.position.index))
            self._prompts.export_file(
                f"{view.name}_restored", lambda path, depth: studio.export_frame(path, depth, result)
            )

    def _export_all(self, folder: Path) -> None:
        existing = sum(path.exists() for path in self._studio.export_targets(folder).values())
        if existing:
            self._prompts.confirm_replacing(existing, folder, lambda: self._studio.export_all(folder))
        else:
            self._studio.export_all(folder)

    def _show_findings(self) -> None:
        sequence = self._studio.session.sequence
        if sequence is None:
            return
        facts = facts_of_sequence(sequence)
        findings_page(self._window, sequence.name, facts, sequence.findings).show()


def _passing(dialog: QDialog) -> QDialog:
    """Let a dialog be forgotten when it is closed."""
    dialog.finished.connect(dialog.deleteLater)
    return dialog
