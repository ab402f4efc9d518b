"""The dialog for what values in files stand for: the unit of times, the white of frames, even light."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QRegularExpressionValidator
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.state.pattern.kept_patterns import KeptPattern
from app.ui.dialogs.pattern_row import PatternRow
from app.ui.parts.elided_label import ElidedLabel
from engine.geometry import Size
from engine.samples import WHITE_LEVELS
from engine.source import SequenceSource
from engine.time_units import TimeUnit

WIDTH_PX = 460


class ReadingDialog(QDialog):
    """Asks for the unit of time, the white level and what the sensor's pattern is known by.

    `chosen` carries the completed source. A file that is dropped is what the pattern is known by.
    """

    chosen = Signal(object)

    def __init__(
        self,
        source: SequenceSource,
        parent: QWidget | None = None,
        *,
        kept: tuple[KeptPattern, ...] = (),
        size: Size | None = None,
    ) -> None:
        """`kept` are patterns of sensors, of which those of a recording of `size` can be chosen."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Units, white level and sensor's pattern"))
        self.setAcceptDrops(True)
        self._source = source
        where = ElidedLabel(source.path, mode=Qt.TextElideMode.ElideMiddle)
        where.setProperty("role", "muted")
        where.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # a long path is cut
        find_out = self.tr("Find out")
        units: tuple[tuple[str, TimeUnit], ...] = (
            (self.tr("Seconds"), "s"),
            (self.tr("Milliseconds"), "ms"),
            (self.tr("Microseconds"), "us"),
            (self.tr("Nanoseconds"), "ns"),
            (self.tr("Planes"), "planes"),
        )
        self.unit = QComboBox()
        self.unit.setAccessibleName(self.tr("Unit of times"))
        self.unit.addItem(find_out, None)
        for text, unit in units:
            self.unit.addItem(text, unit)
        self.unit.setCurrentIndex(self.unit.findData(source.time_unit))
        self.white = QComboBox(editable=True)
        self.white.setAccessibleName(self.tr("White sample"))
        self.white.setValidator(QRegularExpressionValidator(QRegularExpression(r"\d{0,5}"), self.white))
        for white in WHITE_LEVELS:
            self.white.addItem(str(white), white)
            tip = self.tr("The largest sample of {bits} bits").format(bits=white.bit_length())
            self.white.setItemData(self.white.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.white.setCurrentIndex(-1)
        self.white.setCurrentText("" if source.white is None else str(source.white))
        field = self.white.lineEdit()
        assert field is not None
        field.setPlaceholderText(find_out)
        self.pattern = PatternRow(source.flat, kept, size)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.setSpacing(12)
        layout.addWidget(where)
        layout.addLayout(_labelled(self.tr("Event lists and alignment logs count time in"), self.unit))
        layout.addLayout(_labelled(self.tr("Sample that is white in frames with 16 bits"), self.white))
        layout.addLayout(_labelled(self.tr("Sensor's pattern is taken from"), self.pattern))
        layout.addSpacing(4)
        layout.addWidget(buttons)
        self.setMinimumWidth(WIDTH_PX)
        self.accepted.connect(lambda: self.chosen.emit(self.source()))

    def source(self) -> SequenceSource:
        """Return the source completed by what was chosen."""
        typed = self.white.currentText().strip()
        return replace(
            self._source,
            time_unit=self.unit.currentData(),
            white=int(typed) if typed and int(typed) > 0 else None,
            flat=self.pattern.flat,
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if sum(url.isLocalFile() for url in event.mimeData().urls()) == 1:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.pattern.choose(str(Path(paths[0])))


def _labelled(text: str, field: QWidget) -> QVBoxLayout:
    """A field below what is asked for."""
    label = QLabel(text)
    label.setBuddy(field)
    pair = QVBoxLayout()
    pair.setSpacing(4)
    pair.addWidget(label)
    pair.addWidget(field)
    return pair
