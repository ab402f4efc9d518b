"""The deblurring panel: with what, where and in what pieces, and what the worker makes of that."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.state.jobs.job import JobStatus
from app.state.jobs.restoring import DEVICES, PRECISIONS, RATIO
from app.state.session.desk import Desk
from app.ui.parts.wording import format_seconds
from engine.errors import EngineError

AUTO = "auto"


class RestorePanel(QScrollArea):
    """Shows and changes the desk's `Restoring`."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._restoring = desk.restoring
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.method = QComboBox()
        self.method.setToolTip(self.tr("What restores"))
        self.method.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.method.activated.connect(self._on_method)
        self.add = QPushButton(self.tr("Add network…"))
        self.add.setToolTip(self.tr("Use a network from a file: .safetensors, .pth, .pt or .ckpt"))
        self.add.clicked.connect(self._ask_model)
        self.forget = QPushButton(self.tr("Remove"))
        self.forget.setToolTip(self.tr("Take this network off the list; its file stays"))
        self.forget.clicked.connect(self._on_forget)
        self.card = _text()
        self.device = QComboBox()
        self.device.setEditable(True)
        self.device.addItems(DEVICES)
        self.device.setToolTip(
            self.tr("Where the network computes: auto takes a GPU if there is one; also cuda:1 …")
        )
        typed = self.device.lineEdit()
        assert typed is not None
        typed.editingFinished.connect(self._on_options)
        self.device.activated.connect(self._on_options)
        self.precision = QComboBox()
        self.precision.addItems(PRECISIONS)
        self.precision.setToolTip(self.tr("auto: bf16 on GPUs that compute with it, else fp32"))
        self.precision.activated.connect(self._on_options)
        self.tile = _spin(
            " px", 8192, self.tr("Longest edge of a tile; auto takes what fits the memory"), step=32
        )
        self.clip = _spin(
            self.tr(" frames"),
            64,
            self.tr("Frames restored together; auto takes what the network was made for"),
        )
        self.memory = QDoubleSpinBox()
        self.memory.setRange(0.0, 1024.0)
        self.memory.setSingleStep(0.5)
        self.memory.setSuffix(self.tr(" GiB"))
        self.memory.setSpecialValueText(AUTO)
        self.memory.setToolTip(
            self.tr("What computing may take; auto: half of the free memory, 9 tenths of a GPU's")
        )
        for box in (self.tile, self.clip, self.memory):
            box.setKeyboardTracking(False)
            box.valueChanged.connect(self._on_options)
        self.worker = _text()
        self._lay_out()
        self._restoring.changed.connect(self.refresh)
        desk.queue.changed.connect(lambda _: self._show_job())
        desk.queue.list_changed.connect(self._show_job)
        self.refresh()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, box in (
            (self.tr("Device"), self.device),
            (self.tr("Precision"), self.precision),
            (self.tr("Tile"), self.tile),
            (self.tr("Clip"), self.clip),
            (self.tr("Memory"), self.memory),
        ):
            form.addRow(text, box)
        models = QHBoxLayout()
        models.addWidget(self.add)
        models.addWidget(self.forget)
        models.addStretch(1)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(8)
        layout.addWidget(_title(self.tr("Restore with")))
        layout.addWidget(self.method)
        layout.addWidget(self.card)
        layout.addLayout(models)
        layout.addWidget(_title(self.tr("Compute")))
        layout.addLayout(form)
        layout.addWidget(self.worker)
        layout.addStretch(1)
        self.setWidget(body)

    def refresh(self) -> None:
        """Show the choice as it is now."""
        restoring = self._restoring
        chosen, options = restoring.chosen, restoring.options
        with QSignalBlocker(self.method):
            self.method.clear()
            for one in restoring.restorers:
                self.method.addItem(one.title + (self.tr(" (cannot be used)") if one.problem else ""), one)
            self.method.setCurrentIndex(restoring.restorers.index(chosen))
        self.card.setText(chosen.problem or "\n".join(chosen.card))
        self.forget.setVisible(chosen.model is not None)
        tile = 0 if options.tile is None else options.tile.height
        for box, value in (
            (self.tile, tile),
            (self.clip, options.clip_frames or 0),
            (self.memory, options.memory_gb or 0.0),
        ):
            with QSignalBlocker(box):
                box.setValue(value)  # type: ignore[arg-type]
        with QSignalBlocker(self.device), QSignalBlocker(self.precision):
            self.device.setCurrentText(options.device)
            self.precision.setCurrentText(options.precision)
        for one_box in (self.device, self.precision, self.clip, self.memory):
            one_box.setEnabled(chosen.method != RATIO)
        self._show_job()

    def add_model(self, path: Path) -> None:
        """Add a network from a file; one that cannot be read is told."""
        try:
            self._restoring.add_model(path)
        except EngineError as error:
            self._desk.notices.error(error, self.tr("add the network"))

    def _show_job(self) -> None:
        status = self._desk.queue.active or next(iter(reversed(self._desk.queue.statuses)), None)
        self.worker.setText("" if status is None else describe_cut(status))

    def _on_method(self, row: int) -> None:
        self._restoring.choose(self.method.itemData(row))

    def _on_forget(self) -> None:
        model = self._restoring.chosen.model
        if model is not None:
            self._restoring.forget_model(model)

    def _on_options(self, *_: object) -> None:
        self._restoring.set_options(
            device=self.device.currentText().strip(),
            precision=self.precision.currentText(),
            tile_px=self.tile.value(),
            clip_frames=self.clip.value(),
            memory_gb=self.memory.value(),
        )

    def _ask_model(self) -> None:
        dialog = QFileDialog(self, self.tr("Add network"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        files = " ".join(f"*{suffix}" for suffix in self._restoring.model_suffixes)
        dialog.setNameFilters([self.tr("Networks ({files})").format(files=files), self.tr("All files (*)")])
        dialog.fileSelected.connect(lambda name: self.add_model(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def describe_cut(status: JobStatus) -> str:
    """Say how the worker cuts a job, and how long it will take."""
    lines = []
    if status.layout:
        lines.append(
            QCoreApplication.translate("RestorePanel", "The worker computes in {layout}.").format(
                layout=status.layout
            )
        )
    if status.seconds_left is not None:
        lines.append(
            QCoreApplication.translate("RestorePanel", "{time} left by the pace so far.").format(
                time=format_seconds(status.seconds_left)
            )
        )
    lines += [f"{remark}." for remark in status.remarks]
    return "\n".join(lines)


def _text() -> QLabel:
    label = QLabel()
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _title(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "title")
    return label


def _spin(suffix: str, most: int, tip: str, *, step: int = 1) -> QSpinBox:
    box = QSpinBox()
    box.setRange(0, most)
    box.setSingleStep(step)
    box.setSuffix(suffix)
    box.setSpecialValueText(AUTO)
    box.setToolTip(tip)
    return box
