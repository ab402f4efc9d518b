"""The alignment panel: the current frame's window in numbers, what the spikes saw in it, and all windows."""

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.display import DisplayPicture
from app.state.alignment.windows import Edge
from app.state.studio import Studio
from app.ui.timeline.plane_scale import format_time
from app.ui.window.actions import StudioActions

translate = QCoreApplication.translate

FURTHEST_PLANES = 1e9


class AlignmentPanel(QScrollArea):
    """Shows and edits the alignment of the sequence in front."""

    def __init__(self, actions: StudioActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio: Studio | None = None
        self._seen = False
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # As needed, it would come and go without end at some sizes: what is wrapped is higher beside it.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.heading = QLabel()
        self.heading.setProperty("role", "title")
        self.start = _planes(self.tr("First plane of the exposure"))
        self.stop = _planes(self.tr("Plane after the last of the exposure"))
        self.length = _planes(
            self.tr("Length of the exposure; the window grows around its middle"), least=1.0
        )
        self.times = QLabel()
        self.times.setProperty("role", "muted")
        self.times.setWordWrap(True)
        # What is not touched keeps the decimals that the boxes do not show: only changes of value count.
        self.start.valueChanged.connect(lambda plane: self._move_edge("start", plane))
        self.stop.valueChanged.connect(lambda plane: self._move_edge("stop", plane))
        self.length.valueChanged.connect(self._set_length)
        numbers = QFormLayout()
        numbers.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, box in (
            (self.tr("Start"), self.start),
            (self.tr("Stop"), self.stop),
            (self.tr("Length"), self.length),
        ):
            numbers.addRow(text, box)
        self.blurry = PictureBox(self.tr("Blurry frame"))
        self.seen = PictureBox(self.tr("Mean of the spikes in the window"))
        self.shift = _planes(self.tr("Move every window by so many planes"))
        self.scale = _number(self.tr("Length of every window, in percent of now"), " %", 100.0, 1.0, 10_000.0)
        self.drift = _planes(
            self.tr("Move frame n by n times so many planes: the cameras' clocks differ"), decimals=4
        )
        everything = QGridLayout()
        self.buttons = []
        for row, (text, box, do) in enumerate(
            (
                (self.tr("Shift"), self.shift, self._shift_all),
                (self.tr("Scale"), self.scale, self._scale_all),
                (self.tr("Drift"), self.drift, self._drift_all),
            )
        ):
            button = QPushButton(self.tr("Apply"))
            button.setToolTip(self.tr("{change} the windows of all frames").format(change=text))
            button.clicked.connect(do)
            self.buttons.append(button)
            everything.addWidget(QLabel(text), row, 0)
            everything.addWidget(box, row, 1)
            everything.addWidget(button, row, 2)
        everything.setColumnStretch(1, 1)
        self.state = QLabel()
        self.state.setProperty("role", "muted")
        self.state.setWordWrap(True)
        tools = QHBoxLayout()
        for key, text in (
            ("reset_windows", self.tr("Reset")),
            ("import_log", self.tr("Import")),
            ("export_log", self.tr("Export")),
        ):
            actions[key].setIconText(text)
            tool = QToolButton()
            tool.setDefaultAction(actions[key])
            tool.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            tools.addWidget(tool)
        tools.addStretch(1)
        all_frames = QLabel(self.tr("All frames"))
        all_frames.setProperty("role", "title")
        self.body = QWidget()
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(8)
        layout.addWidget(self.heading)
        layout.addLayout(numbers)
        layout.addWidget(self.times)
        layout.addWidget(all_frames)
        layout.addLayout(everything)
        layout.addWidget(self.state)
        layout.addLayout(tools)
        layout.addWidget(self.seen)
        layout.addWidget(self.blurry)
        layout.addStretch(1)
        self.setWidget(self.body)
        self.show_studio(None)

    def set_seen(self, seen: bool) -> None:
        """Make pictures while somebody sees them."""
        self._seen = seen
        if self._studio is not None:
            self._studio.alignment.watch(seen)
        if seen:
            self.refresh()

    def show_studio(self, studio: Studio | None) -> None:
        """Show another sequence's alignment."""
        if self._studio is not None:
            self._studio.alignment.watch(False)
            for signal in self._signals(self._studio):
                signal.disconnect(self.refresh)
        self._studio = studio
        if studio is not None:
            for signal in self._signals(studio):
                signal.connect(self.refresh)
            studio.alignment.watch(self._seen)
        self.refresh()

    @staticmethod
    def _signals(studio: Studio):  # type: ignore[no-untyped-def]  # bound signals have no public type
        alignment = studio.alignment
        return (
            studio.position.changed,
            studio.pictures.changed,
            alignment.edits.changed,
            alignment.edits.stepped,
            alignment.pictures.changed,
        )

    def refresh(self, *_: object) -> None:
        """Bring everything up to date, if anybody sees it."""
        if not self._seen:
            return
        studio = self._studio
        can_edit = studio is not None and studio.alignment.can_edit
        for box in (self.start, self.stop, self.length, self.shift, self.scale, self.drift, *self.buttons):
            box.setEnabled(can_edit)
        if studio is None or not can_edit:
            self.heading.setText(self.tr("Alignment"))
            self.times.setText(
                self.tr("Open a sequence with spikes: here its exposures can be moved against them.")
            )
            self.state.setText("")
            self.blurry.show_picture(None)
            self.seen.show_picture(None)
            return
        alignment, index = studio.alignment, studio.position.index
        windows = alignment.edits.windows
        window = windows[min(index, len(windows) - 1)]
        start, stop = window.start, window.stop
        self.heading.setText(self.tr("Window of frame {index}").format(index=index + 1))
        for box, value in ((self.start, start), (self.stop, stop), (self.length, stop - start)):
            with QSignalBlocker(box):
                box.setValue(value)
        rate_hz = alignment.rate_hz
        times = ""
        if rate_hz:
            times = self.tr("{start} to {stop}, {length} long").format(
                start=format_time(start, rate_hz),
                stop=format_time(stop, rate_hz),
                length=format_time(stop - start, rate_hz),
            )
        self.times.setText(times)
        edited = len(alignment.edits.edited_frames)
        self.state.setText(
            self.tr("{edited} of {count} windows are edited").format(edited=edited, count=len(windows))
            if edited
            else self.tr("All windows are as in the files")
        )
        view, seen = studio.pictures.view, alignment.pictures.current
        self.blurry.show_picture(view.blurry if view is not None else None)
        self.seen.show_picture(seen.picture if seen is not None and seen.index == index else None)

    # ------------------------------------------------------------------ numbers → edits

    def _move_edge(self, edge: Edge, plane: float) -> None:
        if self._studio is not None and self._studio.alignment.can_edit:
            index = self._studio.position.index
            self._studio.alignment.edits.move_edge(index, edge, plane, ("number", index, edge))
            self.refresh()  # an edge that met the other is not where it was asked to go

    def _set_length(self, planes: float) -> None:
        if self._studio is None or not self._studio.alignment.can_edit:
            return
        edits, index = self._studio.alignment.edits, self._studio.position.index
        edits.set_length(index, planes, ("number", index, "length"))

    def _shift_all(self) -> None:
        if self._studio is not None:
            self._studio.alignment.edits.shift_all(self.shift.value())
            self.shift.setValue(0.0)

    def _scale_all(self) -> None:
        if self._studio is not None:
            self._studio.alignment.edits.scale_all(self.scale.value() / 100)
            self.scale.setValue(100.0)

    def _drift_all(self) -> None:
        if self._studio is not None:
            self._studio.alignment.edits.drift(self.drift.value())
            self.drift.setValue(0.0)


class NumberBox(QDoubleSpinBox):
    """A number that the wheel changes only where somebody is at it: scrolling past it must not edit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class PictureBox(QWidget):
    """A small picture under a line of text."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._image: QImage | None = None
        self._picture: DisplayPicture | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(text)
        self.setAccessibleName(text)

    def show_picture(self, picture: DisplayPicture | None) -> None:
        if picture is self._picture:
            return
        self._picture, self._image = picture, None
        if picture is not None:
            level = next((one for one in reversed(picture.levels) if one.shape[1] >= 320), picture.levels[0])
            height, width = level.shape[:2]
            self._image = QImage(level.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        self.updateGeometry()
        self.setFixedHeight(self.heightForWidth(self.width()))
        self.update()

    @property
    def is_empty(self) -> bool:
        return self._image is None

    def heightForWidth(self, width: int) -> int:
        line = self.fontMetrics().height() + 2
        if self._image is None:
            return line
        return line + round(width * self._image.height() / self._image.width())

    def resizeEvent(self, _: object) -> None:
        self.setFixedHeight(self.heightForWidth(self.width()))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        line = self.fontMetrics().height() + 2
        painter.setPen(self.palette().placeholderText().color())
        painter.drawText(0, self.fontMetrics().ascent(), self._text)
        if self._image is not None:
            painter.drawImage(self.rect().adjusted(0, line, 0, 0), self._image)


def _planes(tip: str, *, least: float = -FURTHEST_PLANES, decimals: int = 2) -> QDoubleSpinBox:
    return _number(tip, translate("AlignmentPanel", " planes"), 0.0, least, FURTHEST_PLANES, decimals)


def _number(
    tip: str, suffix: str, value: float, least: float, most: float, decimals: int = 2
) -> QDoubleSpinBox:
    box = NumberBox()
    box.setRange(least, most)
    box.setDecimals(decimals)
    box.setSuffix(suffix)
    box.setValue(value)
    box.setToolTip(tip)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(60)
    return box
