"""File dialogs, shown without stopping the program: the answer comes to a function."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSize, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.settings import Settings
from app.state.export.exporting import BitDepth
from app.state.opening.sources import (
    ALIGNMENT_SUFFIXES,
    PICTURE_SUFFIXES,
    RECORDING_SUFFIXES,
    VIDEO_SUFFIXES,
)

translate = QCoreApplication.translate

EXPORT_FORMATS: dict[str, tuple[str, BitDepth]] = {
    "PNG, 8 bit (*.png)": (".png", 8),
    "PNG, 16 bit (*.png)": (".png", 16),
    "TIFF, 8 bit (*.tif)": (".tif", 8),
    "TIFF, 16 bit (*.tif)": (".tif", 16),
}
DIALOG_SIZE = QSize(760, 480)
WRITABLE_SUFFIXES = (".png", ".tif", ".tiff")


class FilePrompts:
    """Asks for files and folders, beginning where the user was last."""

    def __init__(self, parent: QWidget, settings: Settings) -> None:
        self._parent = parent
        self._settings = settings

    def open_file(self, answer: Callable[[list[Path]], object]) -> None:
        """Ask for a recording, a video or pictures; several at once belong together."""
        dialog = self._dialog(translate("Prompts", "Open"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        everything = RECORDING_SUFFIXES + VIDEO_SUFFIXES + PICTURE_SUFFIXES + ALIGNMENT_SUFFIXES
        dialog.setNameFilters(
            [
                _filter(translate("Prompts", "Frames and spikes"), everything),
                _filter(translate("Prompts", "Spike recordings"), RECORDING_SUFFIXES),
                _filter(translate("Prompts", "Videos"), VIDEO_SUFFIXES),
                _all_files(),
            ]
        )
        self._ask(dialog, answer)

    def open_folder(self, answer: Callable[[list[Path]], object], title: str = "") -> None:
        """Ask for a folder that is there."""
        dialog = self._dialog(title or translate("Prompts", "Open folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        self._ask(dialog, answer)

    def one_file(
        self, title: str, name: str, suffixes: tuple[str, ...], answer: Callable[[Path], object]
    ) -> None:
        """Ask for one file of a kind."""
        dialog = self._dialog(title)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([_filter(name, suffixes), _all_files()])
        self._ask(dialog, lambda paths: answer(paths[0]))

    def save_file(
        self, title: str, name: str, suffix: str, proposal: str, answer: Callable[[Path], object]
    ) -> None:
        """Ask where to write a file of one kind; one that is there is only replaced when confirmed."""
        dialog = self._dialog(title)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilters([_filter(name, (suffix,))])
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(proposal + suffix)
        self._ask(dialog, lambda paths: answer(paths[0]))

    def export_file(self, name: str, answer: Callable[[Path, BitDepth], object]) -> None:
        """Ask where to write a picture; the chosen kind of file gives suffix and bit depth."""
        dialog = self._dialog(translate("Prompts", "Export frame"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilters(list(EXPORT_FORMATS))
        dialog.setDefaultSuffix(".png")
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(EXPORT_FORMATS[kind][0]))
        dialog.selectFile(f"{name}.png")

        def write(paths: list[Path]) -> None:
            suffix, bit_depth = EXPORT_FORMATS[dialog.selectedNameFilter()]
            path = paths[0]
            if path.suffix.lower() not in WRITABLE_SUFFIXES:
                path = path.with_name(path.name + suffix)
                if path.exists():  # the dialog has asked about another name
                    self.confirm_replacing(1, path.parent, lambda: answer(path, bit_depth))
                    return
            answer(path, bit_depth)

        self._ask(dialog, write)

    def confirm_replacing(self, count: int, folder: Path, answer: Callable[[], object]) -> None:
        """Ask before files that are there are written over."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(translate("Prompts", "Export all restored frames"))
        box.setText(
            translate("Prompts", "{count} of these files are already in {folder}.").format(
                count=count, folder=folder.name
            )
            if count > 1
            else translate("Prompts", "One of these files is already in {folder}.").format(folder=folder.name)
        )
        box.setInformativeText(translate("Prompts", "Replace what is there?"))
        replace = box.addButton(translate("Prompts", "Replace"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.finished.connect(lambda _: answer() if box.clickedButton() is replace else None)
        box.finished.connect(box.deleteLater)
        box.open()

    def confirm_forgetting(self, name: str, answer: Callable[[], object]) -> None:
        """Ask before a kept pattern of a sensor is deleted."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(translate("Prompts", "Forget pattern"))
        box.setText(translate("Prompts", "Delete the pattern kept of {name}?").format(name=name))
        box.setInformativeText(
            translate("Prompts", "Recordings of its sensor are then corrected by what they show themselves.")
        )
        forget = box.addButton(translate("Prompts", "Forget"), QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.finished.connect(lambda _: answer() if box.clickedButton() is forget else None)
        box.finished.connect(box.deleteLater)
        box.open()

    def confirm_quitting(self, unfinished: list[str], answer: Callable[[], object]) -> None:
        """Ask before work that goes on is cut short."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(translate("Prompts", "Quit"))
        box.setText("\n".join(unfinished))
        box.setInformativeText(
            translate("Prompts", "Restored frames that were not exported are lost when the studio ends.")
        )
        leave = box.addButton(translate("Prompts", "Quit all the same"), QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.finished.connect(lambda _: answer() if box.clickedButton() is leave else None)
        box.finished.connect(box.deleteLater)
        box.open()

    def _dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self._parent, title)
        dialog.resize(DIALOG_SIZE)
        folder = self._settings.last_folder
        if not Path(folder or "nowhere").is_dir():
            folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.HomeLocation)
        dialog.setDirectory(folder)
        return dialog

    def _ask(self, dialog: QFileDialog, answer: Callable[[list[Path]], object]) -> None:
        def accept() -> None:
            paths = [Path(name) for name in dialog.selectedFiles()]
            self._settings.last_folder = dialog.directory().absolutePath()
            if paths:
                answer(paths)

        dialog.accepted.connect(accept)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _all_files() -> str:
    return translate("Prompts", "All files (*)")


def _filter(name: str, suffixes: tuple[str, ...]) -> str:
    return f"{name} ({' '.join('*' + suffix for suffix in suffixes)})"
