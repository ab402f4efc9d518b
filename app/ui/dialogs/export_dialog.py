"""The export dialog: pictures under names of the user's choice, tables of scores, comparison videos."""

from fractions import Fraction
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.settings import Settings
from app.state.compare.comparing import BLURRY, REFERENCE, RESTORED
from app.state.export.export_names import FIELDS, USUAL_TEMPLATE, FrameFacts, TemplateError, file_paths
from app.state.export.export_tasks import VideoPlan, write_scores, write_video
from app.state.export.exporting import BitDepth, Export, write_pictures
from app.state.studio import Studio
from app.ui.parts.segments import Segments
from app.ui.parts.theme import Theme
from engine.frame_times import FrameRate
from engine.geometry import Span
from engine.moment import Moment

PICTURES, SCORES, VIDEO = "pictures", "scores", "video"
FORMATS: dict[str, tuple[str, BitDepth]] = {
    "PNG, 8 bit": (".png", 8),
    "PNG, 16 bit": (".png", 16),
    "TIFF, 8 bit": (".tif", 8),
    "TIFF, 16 bit": (".tif", 16),
}
REPLACE, SKIP = "replace", "skip"
USUAL_FPS = 10.0
"""Where nothing says how many the source has."""
POSSIBLE_FPS = (0.01, 100_000.0)
VIDEO_SUFFIXES = (".mp4", ".mkv")


class ExportDialog(QDialog):
    """Exports of one sequence; stays open while it writes, so that it can be stopped."""

    def __init__(
        self, studio: Studio, settings: Settings, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = settings
        self._theme = theme
        self._shown = studio.position.index
        self._writes = False
        """The export that runs was begun here."""
        studio.playback.stop()  # "this frame" is the one that is seen now
        self.setWindowTitle(self.tr("Export"))
        self.setMinimumWidth(560)
        self.what = Segments(
            self.tr("What to export"),
            [
                (self.tr("Pictures"), PICTURES, self.tr("The restored frames as files")),
                (self.tr("Scores"), SCORES, self.tr("PSNR, SSIM and correlation as a table")),
                (self.tr("Video"), VIDEO, self.tr("Two pictures beside each other, or wiped")),
            ],
        )
        self.frames = Segments(
            self.tr("Which frames"),
            [
                (self.tr("This frame"), "frame", self.tr("The one on screen")),
                (self.tr("Range"), "range", self.tr("From the in to the out point")),
                (self.tr("All"), "all", self.tr("Every frame of the sequence")),
            ],
        )
        self.format = QComboBox()
        self.format.addItems(list(FORMATS))
        self.format.setAccessibleName(self.tr("Format"))
        self.template = QLineEdit(settings.export_template or USUAL_TEMPLATE)
        self.template.setAccessibleName(self.tr("File names"))
        self.template.setToolTip(
            self.tr("In braces: {fields}. {example} writes five digits").format(
                fields=", ".join(FIELDS), example="{number:05d}"
            )
        )
        self.existing = Segments(
            self.tr("Files that are there"),
            [
                (self.tr("Keep them"), SKIP, self.tr("What is there stays, and is not written again")),
                (self.tr("Replace them"), REPLACE, self.tr("What is there is written over")),
            ],
        )
        self.left, self.right = (self._sources(chosen) for chosen in (BLURRY, RESTORED))
        self.layout_of_video = Segments(
            self.tr("Arrangement"),
            [
                (self.tr("Side by side"), "side by side", self.tr("Both pictures beside each other")),
                (self.tr("Wipe"), "wipe", self.tr("One picture, parted by a line that goes across and back")),
            ],
        )
        self.fps = QDoubleSpinBox()
        self.fps.setDecimals(3)
        self.fps.setRange(*POSSIBLE_FPS)
        self._own_rate = self._rate_of_source()
        self.fps.setValue(USUAL_FPS if self._own_rate is None else float(self._own_rate.exact))
        self.fps.setSuffix(self.tr(" frames a second"))
        self.quality = self._qualities()
        self.labels = QCheckBox(self.tr("Names in the pictures"))
        self.labels.setToolTip(self.tr("Written into the corners; not on pictures that are too small for it"))
        self.labels.setChecked(True)
        self.pace_note = QLabel()
        self.pace_note.setProperty("role", "muted")
        self.pace_note.setWordWrap(True)
        self.pace_note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.pace_note.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 2)
        self.sound = QCheckBox(self.tr("Sound of the source"))
        self.sound.setToolTip(
            self.tr(
                "Copied for the frames that are shown; only at the source's own pace, else it would not fit"
            )
        )
        self.sound.setChecked(True)
        self.folder = QLineEdit(self._first_folder())
        self.folder.setAccessibleName(self.tr("Folder"))
        browse = QToolButton()
        browse.setText(self.tr("Choose…"))
        browse.clicked.connect(self._choose_folder)
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(browse)
        self.file = QLineEdit()
        self.file.setAccessibleName(self.tr("File"))
        self.stack = QStackedWidget()
        self.stack.addWidget(self._picture_page())
        self.stack.addWidget(QWidget())
        self.stack.addWidget(self._video_page())
        self.preview = QLabel()
        self.preview.setWordWrap(True)
        self.preview.setMinimumHeight(3 * self.fontMetrics().height())
        self.preview.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.hide()
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.addRow(self.tr("What"), self.what)
        self.form.addRow(self.tr("Frames"), self.frames)
        self.form.addRow(self.tr("Folder"), where)
        self.form.addRow(self.tr("File"), self.file)
        self.buttons = QDialogButtonBox()
        self.export = QPushButton(self.tr("Export"))
        self.export.setDefault(True)
        self.close_button = QPushButton(self.tr("Close"))
        self.buttons.addButton(self.export, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(self.close_button, QDialogButtonBox.ButtonRole.RejectRole)
        self.export.clicked.connect(self.start)
        self.close_button.clicked.connect(self._close_or_stop)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(self.form)
        layout.addWidget(self.stack)
        layout.addWidget(self.preview)
        layout.addWidget(self.progress)
        layout.addWidget(self.buttons)
        self.frames.choose("range" if studio.position.has_range else "all")
        self.frames.button("range").setEnabled(studio.position.has_range)
        self.what.changed.connect(self._propose_file)
        for changed in (self.what.changed, self.frames.changed, self.existing.changed):
            changed.connect(self.refresh)
        for edited in (self.template, self.folder, self.file):
            edited.textChanged.connect(lambda _: self.refresh())
        for box in (self.format, self.left, self.right):
            box.currentIndexChanged.connect(lambda _: self.refresh())
        self.quality.currentIndexChanged.connect(self._fit_suffix)
        self.fps.valueChanged.connect(lambda _: self.refresh())
        studio.exports.progressed.connect(self._on_progress)
        studio.exports.ended.connect(self._on_end)
        studio.exports.busy_changed.connect(self._on_busy)
        self._propose_file()
        self.refresh()

    # ------------------------------------------------------------------ what is asked for

    @property
    def indices(self) -> tuple[int, ...]:
        """Frames that are meant."""
        position = self._studio.position
        if self.frames.value == "frame":
            return (self._shown,)
        span = position.range if self.frames.value == "range" else Span(0, position.count)
        return tuple(range(span.start, span.stop))

    @property
    def at_own_pace(self) -> bool:
        """What the field shows is the source's own rate, which has more digits than it."""
        own = self._own_rate
        return (
            own is not None and abs(self.fps.value() - float(own.exact)) < 0.51 * 10 ** -self.fps.decimals()
        )

    @property
    def pace(self) -> float | Fraction:
        """Frames a second, exactly where they are the source's."""
        return self._own_rate.exact if self._own_rate is not None and self.at_own_pace else self.fps.value()

    def picture_paths(self) -> dict[int, Path]:
        """Return the files of the restored frames that are meant. Raises TemplateError."""
        studio, sequence = self._studio, self._studio.session.sequence
        if sequence is None:
            return {}
        facts = []
        recording = sequence.recording
        rate_hz = None if recording is None else recording.info.rate_hz
        for index in self.indices:
            result = studio.results.peek(Moment(index))
            if result is None:
                continue
            time_ms = sequence.window(index).centre / rate_hz * 1000 if rate_hz and sequence.windows else 0.0
            facts.append(
                FrameFacts(sequence.frame_name(index), sequence.name, index, result.made_by, time_ms)
            )
        suffix = FORMATS[self.format.currentText()][0]
        return file_paths(Path(self.folder.text()), self.template.text(), facts, suffix)

    @property
    def target(self) -> Path:
        """The file of a table or a video; a name without the suffix gets it."""
        name, suffix = self.file.text().strip(), self._suffix
        if name and not name.lower().endswith(suffix):
            name += suffix
        return Path(self.folder.text()) / name

    @property
    def _suffix(self) -> str:
        if self.what.value == SCORES:
            return ".csv"
        return ".mkv" if self.quality.currentData() == "lossless" else ".mp4"

    def _fit_suffix(self) -> None:
        """Give the name of a video the suffix of the format that is chosen now."""
        name = self.file.text().strip()
        for other in VIDEO_SUFFIXES:
            if name.lower().endswith(other) and other != self._suffix:
                self.file.setText(name[: -len(other)] + self._suffix)
        self.refresh()

    def _propose_file(self) -> None:
        """Put a name for a table or a video into its field."""
        sequence = self._studio.session.sequence
        name = "" if sequence is None else sequence.name
        what = "scores" if self.what.value == SCORES else "comparison"
        self.file.setText(f"{name}_{what}{self._suffix}")

    def refresh(self) -> None:
        """Show what would be written, or what is missing for it."""
        what = self.what.value
        self.stack.setCurrentIndex((PICTURES, SCORES, VIDEO).index(what))
        self.form.setRowVisible(3, what != PICTURES)
        self.pace_note.setText(self._about_pace())
        self.sound.setEnabled(self.at_own_pace)
        try:
            problem, text = self._check(what)
        except OSError as error:  # what is typed cannot even be looked for
            problem, text = self.tr("This cannot be a file: {error}").format(error=error.strerror), ""
        self.preview.setText(problem or text)
        colours = self._theme.colours
        self.preview.setStyleSheet(f"color: {colours.error if problem else colours.muted}")
        self.export.setEnabled(not problem and not self._studio.exports.busy)

    def _check(self, what: str) -> tuple[str, str]:
        """Return why nothing can be written, and else what would be."""
        if not self.folder.text().strip():
            return self.tr("Choose a folder."), ""
        if what == PICTURES:
            return self._check_pictures()
        if what == SCORES and not self._has_reference:
            return self.tr(
                "There is no reference to compare with: File ▸ Add reference names its folder."
            ), ""
        if what != PICTURES and not self.file.text().strip():
            return self.tr("Give the file a name."), ""
        left_out = ""
        if what == VIDEO and self.left.currentData() == self.right.currentData():
            return self.tr("Choose two different pictures."), ""
        if what == VIDEO and RESTORED in (self.left.currentData(), self.right.currentData()):
            restored = sum(Moment(index) in self._studio.results for index in self.indices)
            if not restored:
                return self.tr("None of these frames is restored yet."), ""
            if restored < len(self.indices):
                left_out = " " + self.tr("{count} frames are not restored, and left out.").format(
                    count=len(self.indices) - restored
                )
        if self.target.is_dir():
            return self.tr("{name} is a folder.").format(name=self.target.name), ""
        if self.target.exists():
            return "", self.tr("{name} is there, and is replaced.").format(name=self.target.name) + left_out
        text = self.tr("Writes {name}, {count} frames.").format(
            name=self.target.name, count=len(self.indices)
        )
        return "", text + left_out

    def _check_pictures(self) -> tuple[str, str]:
        try:
            paths = list(self.picture_paths().values())
        except TemplateError as error:
            return str(error), ""
        if not paths:
            return self.tr("None of these frames is restored yet."), ""
        there = sum(path.exists() for path in paths)
        if there == len(paths) and self.existing.value == SKIP:
            return self.tr("All of these files are there already."), ""
        names = ", ".join(path.name for path in paths[:2]) + (" …" if len(paths) > 2 else "")
        text = self.tr("{count} files: {names}").format(count=len(paths), names=names)
        if there and self.existing.value == SKIP:
            text += self.tr("; {count} are there already and stay").format(count=there)
        elif there:
            text += self.tr("; {count} are there already and are replaced").format(count=there)
        missing = len(self.indices) - len(paths)
        if missing:
            text += self.tr(". {count} frames are not restored, and left out").format(count=missing)
        return "", text

    # ------------------------------------------------------------------ doing it

    def start(self) -> None:
        """Begin to write."""
        studio, lease = self._studio, self._studio.session.lease
        if lease is None or studio.exports.busy or not self.export.isEnabled():
            return
        self._writes = True
        self._settings.export_template = self.template.text()
        self._settings.export_folder = self.folder.text()
        results = {index: result for index in self.indices if (result := studio.results.peek(Moment(index)))}
        what, target = self.what.value, self.target
        if what == PICTURES:
            paths = self.picture_paths()
            keep = self.existing.value == SKIP
            items = [
                (path, results[index].picture)
                for index, path in paths.items()
                if not (keep and path.exists())
            ]
            bit_depth = FORMATS[self.format.currentText()][1]
            studio.exports.run(lambda work: write_pictures(work, items, bit_depth))
        elif what == SCORES:
            frames = self.indices
            studio.exports.run(lambda work: write_scores(work, lease, frames, results, target))
        else:
            plan = VideoPlan(
                target,
                self.indices,
                self.left.currentData(),
                self.right.currentData(),
                self.layout_of_video.value,
                self.pace,
                quality=self.quality.currentData(),
                labels=self._names_in_pictures() if self.labels.isChecked() else None,
                at_own_times=self.at_own_pace,
                sound=self._has_sound and self.at_own_pace and self.sound.isChecked(),
            )
            studio.exports.run(lambda work: write_video(work, lease, plan, results))
        self.progress.setRange(0, 0)
        self.progress.show()
        self.export.setEnabled(False)
        self.close_button.setText(self.tr("Stop"))

    def _on_busy(self, _: bool) -> None:
        self.refresh()

    def _on_progress(self, done: int, total: int) -> None:
        if not self._writes:
            return
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _on_end(self, export: Export) -> None:
        if not self._writes:
            return
        self._writes = False
        self.progress.hide()
        self.close_button.setText(self.tr("Close"))
        if export.problem is None and not export.stopped:
            self.accept()
            return
        self.refresh()
        if export.problem is not None:
            written = self.tr("{count} files were written. ").format(count=len(export.written))
            self.preview.setText(written + str(export.problem))
            self.preview.setStyleSheet(f"color: {self._theme.colours.error}")

    def _close_or_stop(self) -> None:
        if self._writes:
            self._studio.exports.stop()
        else:
            self.reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._writes:
            self._studio.exports.stop()
        super().closeEvent(event)

    # ------------------------------------------------------------------ parts

    @property
    def _has_reference(self) -> bool:
        sequence = self._studio.session.sequence
        return sequence is not None and sequence.has_reference

    @property
    def _has_sound(self) -> bool:
        sequence = self._studio.session.sequence
        return sequence is not None and sequence.sound_tracks > 0

    def _rate_of_source(self) -> FrameRate | None:
        """Return the source's rate, None where nothing says it or no video has such a one."""
        sequence = self._studio.session.sequence
        rate = None if sequence is None else sequence.frame_rate
        least, most = POSSIBLE_FPS
        return rate if rate is not None and least <= rate.exact <= most else None

    def _about_pace(self) -> str:
        """Say where the pace comes from."""
        own = self._own_rate
        if own is None:
            return self.tr("Nothing says how many frames a second the source has.")
        known_by = {
            "video": self.tr("the video"),
            "alignment log": self.tr("the alignment log"),
            "exposures": self.tr("the exposures"),
        }[own.known_by]
        text = self.tr("The source's own is {rate}, says {what}.").format(rate=own.text, what=known_by)
        if not own.is_even:
            text = self.tr("The source's own is {rate} on average, says {what}.").format(
                rate=f"{own.hz:.6g}", what=known_by
            )
        if self._has_sound and not self.at_own_pace:
            text += " " + self.tr("At another pace its sound is left out.")
        return text

    def _sources(self, chosen: str) -> QComboBox:
        box = QComboBox()
        for source, name in (
            (BLURRY, self.tr("Blurry")),
            (RESTORED, self.tr("Restored")),
            (REFERENCE, self.tr("Reference")),
        ):
            if source != REFERENCE or self._has_reference:
                box.addItem(name, source)
        box.setCurrentIndex(box.findData(chosen))
        return box

    def _qualities(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(self.tr("Quality"))
        for quality, name in (
            ("small", self.tr("Small file (H.264, .mp4)")),
            ("good", self.tr("Good (H.264, .mp4)")),
            ("best", self.tr("Best (H.264, .mp4)")),
            ("lossless", self.tr("Without loss (FFV1, .mkv)")),
        ):
            box.addItem(name, quality)
        box.setCurrentIndex(box.findData("good"))
        return box

    def _names_in_pictures(self) -> tuple[str, str]:
        """The names of both pictures, in English where no font has the signs of another language."""
        from engine.video.labels import can_draw

        names = (self.left.currentText(), self.right.currentText())
        if can_draw("".join(names)):
            return names
        english = {BLURRY: "Blurry", RESTORED: "Restored", REFERENCE: "Reference"}
        return english[self.left.currentData()], english[self.right.currentData()]

    def _picture_page(self) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.tr("Format"), self.format)
        form.addRow(self.tr("Names"), self.template)
        form.addRow(self.tr("Existing files"), self.existing)
        note = QLabel(
            self.tr("Values as they were restored; contrast and gamma of the screen are not in them.")
        )
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        form.addRow("", note)
        return page

    def _video_page(self) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.tr("Left"), self.left)
        form.addRow(self.tr("Right"), self.right)
        form.addRow(self.tr("Arrangement"), self.layout_of_video)
        form.addRow(self.tr("Pace"), self.fps)
        form.addRow("", self.pace_note)
        form.addRow(self.tr("Quality"), self.quality)
        form.addRow("", self.labels)
        if self._has_sound:
            form.addRow("", self.sound)
        return page

    def _first_folder(self) -> str:
        settings = self._settings
        return settings.export_folder or str(Path(settings.last_folder or Path.home()) / "deblurred")

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Export into"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
