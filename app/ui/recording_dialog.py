"""A small dialog for what a recording's bytes do not say: size, rate, exposure."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.recording.recording import GeometryCandidate
from engine.source import SequenceSource

LARGEST_EDGE_PX = 16384
MOST_CANDIDATES = 12
FIELD_PX = 28
UNSAID = "not said"
FLIPS: dict[str, bool | None] = {"find out": None, "bottom row first (usual)": True, "top row first": False}


class RecordingDialog(QDialog):
    """Asks how to read a recording; `chosen` carries the completed source."""

    chosen = Signal(object)

    def __init__(
        self,
        source: SequenceSource,
        candidates: tuple[GeometryCandidate, ...],
        reason: str,
        parent: QWidget | None = None,
        *,
        virtual_frames: bool = True,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Recording settings")
        self._source = source
        name = QLabel(Path(source.spikes or source.path).name)
        name.setProperty("role", "title")
        why = QLabel(reason)
        why.setWordWrap(True)
        why.setProperty("role", "muted")
        why.setMinimumWidth(420)
        self.candidates = QComboBox()
        for candidate in candidates[:MOST_CANDIDATES]:
            self.candidates.addItem(_describe(candidate), candidate)
        self.candidates.setToolTip(
            "Readings of the bytes, the likeliest first: a wrong width shears the picture"
        )
        self.candidates.currentIndexChanged.connect(self._take_candidate)
        self.height_px = _edge(source.height, "Rows of the spike camera, in pixels")
        self.width_px = _edge(source.width, "Columns of the spike camera, in pixels")
        self.rate = QDoubleSpinBox(decimals=1, minimum=0.0, maximum=1e7, suffix=" Hz")
        self.rate.setSpecialValueText(UNSAID)
        self.rate.setToolTip("Planes per second; Vidar cameras record 20 000 or 40 000")
        self.rate.setValue(source.rate_hz or 0.0)
        self.rows = QComboBox()
        self.rows.addItems(list(FLIPS))
        self.rows.setCurrentIndex(list(FLIPS.values()).index(source.flip))
        self.exposure = _planes(source.exposure_planes, "Length of one exposure, in planes")
        self.stride = _planes(source.stride_planes, "From the start of one exposure to the next, in planes")
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(8)
        if candidates:
            form.addRow("Likely sizes", self.candidates)
        size = QHBoxLayout()
        size.addWidget(self.height_px, 1)
        size.addWidget(QLabel("×"))
        size.addWidget(self.width_px, 1)
        form.addRow("Height × width", size)
        form.addRow("Rate", self.rate)
        form.addRow("Rows are stored", self.rows)
        if virtual_frames:
            form.addRow("Exposure", self.exposure)
            form.addRow("Stride", self.stride)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._open = buttons.button(QDialogButtonBox.StandardButton.Open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(name)
        layout.addWidget(why)
        layout.addLayout(form)
        layout.addWidget(buttons)
        for field in (*self.findChildren(QAbstractSpinBox), *self.findChildren(QComboBox)):
            field.setMinimumHeight(FIELD_PX)
        for edge in (self.height_px, self.width_px):
            edge.valueChanged.connect(self._check)
        if candidates and source.height is None:
            self._take_candidate(0)
        self._check()
        self.accepted.connect(lambda: self.chosen.emit(self.source()))

    def source(self) -> SequenceSource:
        """Return the source completed by what was entered."""
        return replace(
            self._source,
            height=self.height_px.value() or None,
            width=self.width_px.value() or None,
            rate_hz=self.rate.value() or None,
            flip=FLIPS[self.rows.currentText()],
            exposure_planes=self.exposure.value() or None,
            stride_planes=self.stride.value() or None,
        )

    def _take_candidate(self, row: int) -> None:
        candidate = self.candidates.itemData(row)
        if candidate is not None:
            self.height_px.setValue(candidate.size.height)
            self.width_px.setValue(candidate.size.width)

    def _check(self) -> None:
        """One edge alone says nothing."""
        self._open.setEnabled((self.height_px.value() > 0) == (self.width_px.value() > 0))


def _describe(candidate: GeometryCandidate) -> str:
    text = f"{candidate.size} · {candidate.planes} planes · score {candidate.score:.3f}"
    if candidate.remainder_bytes:
        text += f" · {candidate.remainder_bytes} bytes left over"
    return text


def _edge(value: int | None, tip: str) -> QSpinBox:
    box = QSpinBox(minimum=0, maximum=LARGEST_EDGE_PX, suffix=" px")
    box.setSpecialValueText(UNSAID)
    box.setToolTip(tip)
    box.setValue(value or 0)
    return box


def _planes(value: float | None, tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox(decimals=1, minimum=0.0, maximum=1e9, suffix=" planes")
    box.setSpecialValueText(UNSAID)
    box.setToolTip(tip)
    box.setValue(value or 0.0)
    return box
