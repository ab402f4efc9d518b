"""The picture panel: histogram, contrast and gamma on the screen, gain of differences, magnifier."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.display import FloatPicture, Look
from app.state.compare.comparing import GAINS
from app.state.studio import Studio
from app.ui.panes.panes import PaneGrid
from app.ui.parts.segments import Segments
from app.ui.parts.theme import Theme, faded
from app.ui.window.actions import StudioActions

BINS = 256
SAMPLED_PIXELS = 60_000
CHANNEL_COLOURS = ("#e5484d", "#30a46c", "#3e83f8")
MAGNIFIED_PX = 15
"""Edge of what the magnifier shows, in pixels of the picture."""
LEAST_CONTRAST = 0.004


class PicturePanel(QScrollArea):
    """Shows and changes how the pictures of the sequence in front are shown."""

    def __init__(self, actions: StudioActions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._studio: Studio | None = None
        self._panes: PaneGrid | None = None
        self._seen = False
        self._theme = theme
        self.heading = QLabel()
        self.heading.setProperty("role", "title")
        self.plot = pg.PlotWidget(background=None)
        self.plot.setFixedHeight(120)
        self.plot.setMinimumWidth(160)
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.plot.setMouseEnabled(False, False)
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.hideAxis("left")
        self.plot.setXRange(0, 255, padding=0.01)
        self.plot.setToolTip(
            self.tr("Values of the pane under the mouse, in 8-bit levels. Drag the edges to black and white")
        )
        self.curves = [self.plot.plot(pen=pg.mkPen(colour, width=1)) for colour in CHANNEL_COLOURS]
        self.range = pg.LinearRegionItem((0, 255), swapMode="block")
        self.plot.addItem(self.range)
        self.range.sigRegionChanged.connect(self._on_range)
        self.gamma = QDoubleSpinBox()
        self.gamma.setRange(0.2, 5.0)
        self.gamma.setSingleStep(0.1)
        self.gamma.setValue(1.0)
        self.gamma.setAccessibleName(self.tr("Gamma on the screen"))
        self.gamma.setToolTip(self.tr("More than 1 brightens what is between black and white"))
        self.gamma.setKeyboardTracking(False)
        self.gamma.valueChanged.connect(self._on_gamma)
        self.gain = Segments(
            self.tr("Gain of differences"),
            [(f"{gain:g}", gain, self.tr("How much differences are enlarged")) for gain in GAINS],
        )
        self.gain.changed.connect(lambda: self._studio and self._studio.comparison.set_gain(self.gain.value))
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("Gamma"), self.gamma)
        form.addRow(self.tr("Differences ×"), self.gain)
        buttons = QHBoxLayout()
        for key, text in (
            ("auto_contrast", self.tr("Stretch")),
            ("reset_contrast", self.tr("As in the files")),
        ):
            actions[key].setIconText(text)
            button = QToolButton()
            button.setDefaultAction(actions[key])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.note = QLabel(self.tr("On the screen only: what is exported keeps its values."))
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.magnifier = Magnifier()
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(8)
        layout.addWidget(self.heading)
        layout.addWidget(self.plot)
        layout.addLayout(buttons)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addWidget(self.magnifier)
        layout.addStretch(1)
        self.setWidget(body)
        theme.changed.connect(self._on_theme)
        self._on_theme()

    def show_studio(self, studio: Studio | None, panes: PaneGrid | None) -> None:
        """Show how another sequence is shown."""
        if self._studio is not None:
            self._studio.pictures.changed.disconnect(self.refresh)
            self._studio.comparison.arranged.disconnect(self.refresh)
            self._studio.comparison.active_changed.disconnect(self.refresh)
            self._studio.comparison.wanted_changed.disconnect(self._show_look)
        if self._panes is not None:
            self._panes.pixel_hovered.disconnect(self.magnify)
        self._studio, self._panes = studio, panes
        if studio is not None:
            studio.pictures.changed.connect(self.refresh)
            studio.comparison.arranged.connect(self.refresh)
            studio.comparison.active_changed.connect(self.refresh)
            studio.comparison.wanted_changed.connect(self._show_look)
        if panes is not None:
            panes.pixel_hovered.connect(self.magnify)
        self._show_look()
        self.refresh()

    def set_seen(self, seen: bool) -> None:
        """Count while somebody sees it."""
        self._seen = seen
        self.refresh()

    def refresh(self) -> None:
        """Bring the histogram up to date; nothing is counted while nobody sees it."""
        studio = self._studio
        if studio is None or not self._seen:
            return
        view, comparison = studio.pictures.view, studio.comparison
        choice = comparison.shown[comparison.active]
        values = None if view is None else view.values(choice.source)
        if values is None:
            self.heading.setText(self.tr("Nothing to count"))
            for curve in self.curves:
                curve.setData([], [])
            return
        pane = 1 if self._panes is None else comparison.active + 1
        self.heading.setText(self.tr("Values in pane {number}").format(number=pane))
        counts = histogram(values)
        for curve, channel in zip(self.curves, counts, strict=True):
            curve.setData(np.arange(BINS), np.sqrt(channel))

    def magnify(self, pixel: tuple[int, int] | None) -> None:
        """Enlarge what is around a pixel (x, y), in every pane."""
        if self._panes is None or not self._seen:
            return
        crops = []
        for pane in self._panes.panes:
            picture = pane.item.picture
            if picture is None or pixel is None:
                continue
            level = picture.levels[0]
            extent = pane.item.boundingRect()
            x = int((pixel[0] + 0.5) * picture.size.width / extent.width())
            y = int((pixel[1] + 0.5) * picture.size.height / extent.height())
            crops.append(_crop(level, x, y))
        self.magnifier.show_crops(crops)

    def _show_look(self) -> None:
        if self._studio is None:
            return
        comparison = self._studio.comparison
        look = comparison.look
        with QSignalBlocker(self.gamma), QSignalBlocker(self.range):
            self.gamma.setValue(look.gamma)
            self.range.setRegion((look.black * 255, look.white * 255))
        self.gain.choose(comparison.gain)

    def _on_range(self) -> None:
        if self._studio is None:
            return
        low, high = (float(edge) / 255 for edge in self.range.getRegion())
        look = self._studio.comparison.look
        self._studio.comparison.set_look(Look(low, max(high, low + LEAST_CONTRAST), look.gamma))

    def _on_gamma(self, gamma: float) -> None:
        if self._studio is not None:
            look = self._studio.comparison.look
            self._studio.comparison.set_look(Look(look.black, look.white, gamma))

    def _on_theme(self) -> None:
        colours = self._theme.colours
        axis = self.plot.getAxis("bottom")
        axis.setPen(colours.border)
        axis.setTextPen(colours.muted)
        self.range.setBrush(faded(colours.text, 0.06))
        self.range.setHoverBrush(faded(colours.text, 0.1))
        for line in self.range.lines:
            line.setPen(pg.mkPen(colours.accent, width=2))
            line.setHoverPen(pg.mkPen(colours.current, width=3))


class Magnifier(QWidget):
    """Small pieces of pictures, every pixel a square."""

    def __init__(self) -> None:
        super().__init__()
        self._crops: list[np.ndarray] = []
        self.setMinimumHeight(150)
        self.setAccessibleName(self.tr("Magnifier"))

    def sizeHint(self) -> QSize:
        return QSize(240, 260)

    def show_crops(self, crops: list[np.ndarray]) -> None:
        """Show pieces (h, w, 4) of the panes' pictures, in their order."""
        self._crops = crops
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._crops:
            painter.setPen(self.palette().placeholderText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flags, self.tr("Move the mouse over a picture to magnify it"))
            return
        across = 1 if len(self._crops) == 1 else 2
        down = -(-len(self._crops) // across)
        edge = min(self.width() // across, self.height() // down) - 6
        for number, crop in enumerate(self._crops):
            place = QRect((number % across) * (edge + 6), (number // across) * (edge + 6), edge, edge)
            height, width = crop.shape[:2]
            image = QImage(crop.data, width, height, width * 4, QImage.Format.Format_RGB32)
            painter.drawImage(place, image)
            cell = edge / MAGNIFIED_PX
            middle = MAGNIFIED_PX // 2
            painter.setPen(QColor("#ffb347"))
            painter.drawRect(
                place.x() + round(middle * cell), place.y() + round(middle * cell), round(cell), round(cell)
            )


def histogram(values: FloatPicture) -> np.ndarray:
    """Return how often every 8-bit level occurs in a sample of a picture (h, w, 3): (3, 256)."""
    step = max(1, int((values.shape[0] * values.shape[1] / SAMPLED_PIXELS) ** 0.5))
    levels = np.nan_to_num(values[::step, ::step]) * np.float32(BINS - 1) + np.float32(0.5)
    bounded = np.clip(levels, 0, BINS - 1).astype(np.intp).reshape(-1, 3)
    return np.stack([np.bincount(bounded[:, channel], minlength=BINS) for channel in range(3)])


def _crop(level: np.ndarray, x: int, y: int) -> np.ndarray:
    """Return the pixels around (x, y), black beyond the edges."""
    half = MAGNIFIED_PX // 2
    piece = np.zeros((MAGNIFIED_PX, MAGNIFIED_PX, 4), np.uint8)
    top, left = y - half, x - half
    bottom, right = min(level.shape[0], y + half + 1), min(level.shape[1], x + half + 1)
    inside = level[max(0, top) : bottom, max(0, left) : right]
    piece[max(0, -top) : max(0, -top) + inside.shape[0], max(0, -left) : max(0, -left) + inside.shape[1]] = (
        inside
    )
    return piece
