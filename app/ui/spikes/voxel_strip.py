"""The voxel bins of the current frame as a strip of small pictures."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QToolTip, QWidget

from app.state.spikes.spike_views import VoxelPictures
from app.state.spikes.voxel_look import Colours, colour_table
from app.ui.parts.theme import Theme
from app.ui.timeline.plane_scale import format_planes, format_span, format_time

MARGIN_PX = 10
GAP_PX = 3
MOST_ROWS = 4
CAPTION_LINES = 4.5
"""A picture that is as high as so many lines of text has room for a caption."""
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End)


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
    """Draws `VoxelPictures` in as many rows as make them largest. A click selects a bin; then the arrow keys
    do, until the keyboard goes elsewhere. A double click or Return opens one."""

    bin_hovered = Signal(object)
    """(start, stop) in planes, or None."""
    bin_selected = Signal(object)
    """Number of the bin that was clicked, or None for the selected one clicked again."""
    bin_opened = Signal(int)
    """Number of the bin that was clicked twice."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._voxels: VoxelPictures | None = None
        self._images: list[QImage] = []
        self._rate_hz: float | None = None
        self._hovered: int | None = None
        self._selected: int | None = None
        self.menu_button = QToolButton(self)
        self.menu_button.setText("⋯")
        self.menu_button.setToolTip(self.tr("How the voxel bins are shown"))
        self.menu_button.setAccessibleName(self.tr("How the voxel bins are shown"))
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.menu_button.setProperty("chooser", True)
        self.menu = QMenu(self.menu_button)
        self.menu_button.setMenu(self.menu)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(52)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Voxel bins"))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(600, 128)

    def show_voxels(self, voxels: VoxelPictures | None, rate_hz: float | None) -> None:
        self._voxels, self._rate_hz = voxels, rate_hz
        table = None if voxels is None else qt_colours(voxels.look.colours)
        self._images = [] if voxels is None else [_image(picture, table) for picture in voxels.pictures]
        self.update()

    def show_selected(self, index: int | None) -> None:
        """Frame the selected bin."""
        self._selected = index
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        hint = self.menu_button.sizeHint()
        self.menu_button.setGeometry(self.width() - hint.width() - 6, 2, hint.width(), min(20, hint.height()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.bin_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.bin_selected.emit(None if index == self._selected else index)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.bin_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.bin_opened.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self._selected
        if event.key() in ARROWS and self._voxels is not None:
            self.bin_selected.emit(self._bin_towards(event.key()))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index is not None:
            self.bin_opened.emit(index)
        else:
            super().keyPressEvent(event)

    def _bin_towards(self, key: int) -> int:
        """Return the bin that an arrow key leads to: round and round, but up and down stop at the edge."""
        count = len(self._images)
        if self._selected is None or key == Qt.Key.Key_Home:
            return count - 1 if key == Qt.Key.Key_End else 0
        columns = sum(box.top() == self._boxes()[0].top() for box in self._boxes())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns if self._selected >= columns else 0,
            Qt.Key.Key_Down: columns if self._selected + columns < count else 0,
            Qt.Key.Key_End: count - 1 - self._selected,
        }
        return (self._selected + steps[Qt.Key(key)]) % count

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu.popup(event.globalPos())

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
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in ARROWS
            and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        ):
            event.accept()  # elsewhere they step from frame to frame
            return True
        return super().event(event)

    def _show_tip(self, at: QPoint, on_screen: QPoint) -> None:
        index = self.bin_at(QPointF(at))
        if self._voxels is None or index is None:
            QToolTip.hideText()
            return
        lines = [
            self.tr("Voxel bin {number} of {count}").format(number=index + 1, count=len(self._voxels.spans)),
            format_span(*self._voxels.spans[index], self._rate_hz),
            self.tr("{count} spikes").format(count=f"{self._voxels.spikes[index]:,}"),
            self.tr("Click to select, double click to show it large; arrow keys go on"),
        ]
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
        self._paint_header(painter, self._voxels)
        line = QFontMetricsF(painter.font()).height()
        for index, (box, image) in enumerate(zip(self._boxes(), self._images, strict=True)):
            painter.drawImage(box, image)
            if box.height() >= CAPTION_LINES * line:
                self._paint_caption(painter, box, self._voxels.spans[index])
            if index in (self._hovered, self._selected):
                painter.setPen(QPen(QColor(colours.current), 3 if index == self._selected else 2))
                painter.drawRect(box)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_header(self, painter: QPainter, voxels: VoxelPictures) -> None:
        """Write about all bins at the left, at the right about the one under the mouse, else the selected."""
        metrics = QFontMetricsF(painter.font())
        right = self.menu_button.geometry().left() - MARGIN_PX
        header = QRectF(MARGIN_PX, 4, right - MARGIN_PX, metrics.height())
        named = self._selected if self._hovered is None else self._hovered
        about = "" if named is None or named >= len(voxels.spans) else self._about(voxels, named)
        room = header.width() - (metrics.horizontalAdvance(about) + 2 * MARGIN_PX if about else 0)
        title = metrics.elidedText(self._title(voxels), Qt.TextElideMode.ElideRight, max(0.0, room))
        painter.drawText(header, Qt.AlignmentFlag.AlignLeft, title)
        painter.setPen(QColor(self._theme.colours.current))
        painter.drawText(header, Qt.AlignmentFlag.AlignRight, about)

    def _about(self, voxels: VoxelPictures, index: int) -> str:
        return self.tr("Bin {number} · {span} · {spikes} spikes").format(
            number=index + 1,
            span=format_span(*voxels.spans[index], self._rate_hz),
            spikes=f"{voxels.spikes[index]:,}",
        )

    def _paint_caption(self, painter: QPainter, box: QRectF, span: tuple[float, float]) -> None:
        """Write a bin's span over the foot of its picture, as much of it as there is room for."""
        metrics = QFontMetricsF(painter.font())
        texts = (format_span(*span, self._rate_hz), format_planes(*span))
        text = next((one for one in texts if metrics.horizontalAdvance(one) + 6 <= box.width()), "")
        if text:
            foot = QRectF(box.left(), box.bottom() - metrics.height(), box.width(), metrics.height())
            painter.fillRect(foot, QColor(0, 0, 0, 150))
            painter.setPen(QColor("#ffffff"))
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, text)

    def _title(self, voxels: VoxelPictures) -> str:
        start, stop = voxels.spans[0]
        text = self.tr("Voxel bins of frame {frame} · {count} × {planes} planes").format(
            frame=voxels.index + 1, count=len(voxels.spans), planes=f"{stop - start:.4g}"
        )
        if self._rate_hz:
            text += f" ({format_time(stop - start, self._rate_hz)})"
        text += self.tr(" · {count} spikes").format(count=f"{sum(voxels.spikes):,}")
        if voxels.look.own_scale:
            text += self.tr(" · every bin on a scale of its own")
        elif voxels.look.shown == "network":
            text += self.tr(" · network values {low} to {high}").format(
                low=f"{voxels.darkest:.2f}", high=f"{voxels.brightest:.2f}"
            )
        else:
            text += self.tr(" · white: {count} a pixel").format(count=f"{voxels.brightest:.2g}")
        if voxels.look.shown != voxels.look.values:
            text += self.tr(" · counts: how the network takes them is not known")
        if voxels.outside_planes > 0:
            text += self.tr(" · {planes} planes lie outside the recording").format(
                planes=f"{voxels.outside_planes:.4g}"
            )
        return text


def _image(picture: NDArray[np.uint8], table: list[int] | None) -> QImage:
    height, width = picture.shape
    if table is None:
        return QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_Grayscale8)
    image = QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    return image.convertToFormat(QImage.Format.Format_RGB32)


@lru_cache
def qt_colours(name: Colours) -> list[int] | None:
    """Return 256 colours as 0xAARRGGBB; None for grey, which needs none."""
    if name == "grey":
        return None
    return [0xFF000000 | red << 16 | green << 8 | blue for red, green, blue in colour_table(name).tolist()]
