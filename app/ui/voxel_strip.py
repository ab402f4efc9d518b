"""The voxel bins of the current frame as a strip of small pictures."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.state.spikes import VoxelPictures
from app.ui.plane_scale import format_planes, format_time
from app.ui.theme import Theme

MARGIN_PX = 10
GAP_PX = 3
MOST_ROWS = 4


def grid_of(count: int, width: float, height: float, aspect: float) -> tuple[int, int, float]:
    """Return rows, columns and width of the largest `count` pictures that fit; `aspect` is width / height."""
    best = (1, count, 0.0)
    for rows in range(1, MOST_ROWS + 1):
        columns = -(-count // rows)
        by_width = (width - GAP_PX * (columns - 1)) / columns
        by_height = (height - GAP_PX * (rows - 1)) / rows * aspect
        if min(by_width, by_height) > best[2]:
            best = (rows, columns, min(by_width, by_height))
    return best


class VoxelStrip(QWidget):
    """Draws `VoxelPictures` in as many rows as make them largest; tells which bin the mouse is over."""

    bin_hovered = Signal(object)
    """(start, stop) in planes, or None."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._voxels: VoxelPictures | None = None
        self._images: list[QImage] = []
        self._rate_hz: float | None = None
        self._hovered: int | None = None
        self.setMouseTracking(True)
        self.setMinimumHeight(52)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Voxel bins")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(600, 128)

    def show_voxels(self, voxels: VoxelPictures | None, rate_hz: float | None) -> None:
        self._voxels, self._rate_hz = voxels, rate_hz
        self._images = [] if voxels is None else [_image(picture) for picture in voxels.pictures]
        self.update()

    def bin_at(self, at: QPointF) -> int | None:
        """Return the bin under a point of the widget."""
        boxes = self._boxes()
        return next((i for i, box in enumerate(boxes) if box.contains(at)), None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.bin_at(event.position()))

    def leaveEvent(self, _: QEvent) -> None:
        self._hover(None)

    def _hover(self, index: int | None) -> None:
        if index != self._hovered and self._voxels is not None:
            self._hovered = index
            self.bin_hovered.emit(None if index is None else self._voxels.spans[index])
            self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event.pos(), event.globalPos())
            return True
        return super().event(event)

    def _show_tip(self, at: QPoint, on_screen: QPoint) -> None:
        index = self.bin_at(QPointF(at))
        if self._voxels is None or index is None:
            QToolTip.hideText()
            return
        start, stop = self._voxels.spans[index]
        lines = [
            f"Voxel bin {index + 1} of {len(self._voxels.spans)}",
            f"planes {format_planes(start, stop)}",
        ]
        if self._rate_hz:
            lines.append(f"{format_time(start, self._rate_hz)} to {format_time(stop, self._rate_hz)}")
        lines.append(f"{self._voxels.spikes[index]:,} spikes")
        QToolTip.showText(on_screen, "\n".join(lines), self)

    def _header_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(7.0, self.font().pointSizeF() * 0.86))
        return font

    def _boxes(self) -> list[QRectF]:
        if self._voxels is None or not self._images:
            return []
        header = QFontMetricsF(self._header_font()).height() + 8
        area = QRectF(MARGIN_PX, header, self.width() - 2 * MARGIN_PX, self.height() - header - 6)
        aspect = self._images[0].width() / self._images[0].height()
        _, columns, width = grid_of(len(self._images), area.width(), area.height(), aspect)
        height = width / aspect
        gap = (area.width() - width * columns) / max(1, columns - 1)
        gap = min(max(gap, GAP_PX), GAP_PX * 3)
        left = area.left() + (area.width() - columns * width - (columns - 1) * gap) / 2
        return [
            QRectF(
                left + (i % columns) * (width + gap),
                area.top() + (i // columns) * (height + GAP_PX),
                width,
                height,
            )
            for i in range(len(self._images))
        ]

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        colours = self._theme.colours
        painter.fillRect(self.rect(), QColor(colours.panel))
        painter.setFont(self._header_font())
        painter.setPen(QColor(colours.muted))
        if self._voxels is None:
            return
        header = QRectF(MARGIN_PX, 4, self.width() - 2 * MARGIN_PX, QFontMetricsF(painter.font()).height())
        painter.drawText(header, Qt.AlignmentFlag.AlignLeft, self._title(self._voxels))
        for index, (box, image) in enumerate(zip(self._boxes(), self._images, strict=True)):
            painter.drawImage(box, image)
            if index == self._hovered:
                painter.setPen(QPen(QColor(colours.current), 2))
                painter.drawRect(box)

    def _title(self, voxels: VoxelPictures) -> str:
        start, stop = voxels.spans[0]
        text = f"Voxel bins of frame {voxels.index + 1} · {len(voxels.spans)} × {stop - start:.4g} planes"
        if self._rate_hz:
            text += f" ({format_time(stop - start, self._rate_hz)})"
        text += f" · {sum(voxels.spikes):,} spikes"
        if voxels.outside_planes > 0:
            text += f" · {voxels.outside_planes:.4g} planes lie outside the recording"
        return text


def _image(picture: NDArray[np.uint8]) -> QImage:
    height, width = picture.shape
    return QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_Grayscale8)
