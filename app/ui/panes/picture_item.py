"""A picture in a pyqtgraph view, drawn from prepared bytes."""

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.display import BytePicture, DisplayPicture
from engine.geometry import Region, Size


class PictureItem(pg.GraphicsObject):
    """Draws a `DisplayPicture` in pixel coordinates: x right, y down, the picture's corner at (0, 0).

    pyqtgraph's own ImageItem converts three-channel bytes again at every paint and has no smoothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._picture: DisplayPicture | None = None
        self._extent = QRectF()
        self._clip: tuple[float, float] | None = None
        self._region: QRectF | None = None
        self._images: list[QImage] = []
        self._smooth = True
        self._probe: tuple[int, int] | None = None
        self._probe_colour = QColor("#ffb347")

    @property
    def picture(self) -> DisplayPicture | None:
        return self._picture

    def show_picture(self, picture: DisplayPicture | None, size: Size | None = None) -> None:
        """Show a picture, spread over `size` where it has fewer pixels than those beside it."""
        shown = size if size is not None or picture is None else picture.size
        extent = QRectF() if picture is None or shown is None else QRectF(0, 0, shown.width, shown.height)
        if extent != self._extent:
            self.prepareGeometryChange()
            self._extent = extent
        self._picture = picture
        self._images = [] if picture is None else [_image(level) for level in picture.levels]
        self.update()

    def set_smooth(self, smooth: bool) -> None:
        """Interpolate between pixels, or show each as a square."""
        self._smooth = smooth
        self.update()

    def clip(self, left: float | None, right: float | None = None) -> None:
        """Draw only what lies between two columns; everything without any."""
        clip = None if left is None or right is None else (left, right)
        if clip != self._clip:
            self._clip = clip
            self.update()

    def show_region(self, region: Region | None) -> None:
        """Frame a region, or none."""
        rect = None
        if region is not None:
            width, height = region.right - region.left, region.bottom - region.top
            rect = QRectF(region.left, region.top, width, height)
        if rect != self._region:
            self._region = rect
            self.update()

    def show_probe(self, pixel: tuple[int, int] | None) -> None:
        """Frame one pixel (x, y), or none."""
        if pixel != self._probe:
            self._probe = pixel
            self.update()

    def boundingRect(self) -> QRectF:
        return self._extent

    def paint(self, painter: QPainter, _: QStyleOptionGraphicsItem, __: QWidget | None = None) -> None:
        if self._picture is None:
            return
        transform = painter.worldTransform()
        scale = abs(transform.m11()) * painter.device().devicePixelRatioF()
        spread = self._extent.width() / self._picture.size.width
        level = 0
        if self._smooth:
            while level + 1 < len(self._images) and scale * spread * 2 ** (level + 1) <= 1.0:
                level += 1
        if self._clip is not None:
            left, right = self._clip
            painter.setClipRect(QRectF(left, self._extent.top(), right - left, self._extent.height()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth)
        painter.drawImage(self._extent, self._images[level])
        if self._region is not None:
            self._paint_frame(painter, self._region)
        if self._probe is not None:
            self._paint_probe(painter, scale)

    def _paint_probe(self, painter: QPainter, scale: float) -> None:
        assert self._probe is not None
        x, y = self._probe
        half = max(0.5, 4.0 / max(scale, 1e-6))
        centre = QPointF(x + 0.5, y + 0.5)
        box = QRectF(centre.x() - half, centre.y() - half, 2 * half, 2 * half)
        self._paint_frame(painter, box)

    def _paint_frame(self, painter: QPainter, box: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 160), 3), (self._probe_colour, 1)):
            pen = QPen(colour, width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawRect(box)


def _image(level: BytePicture) -> QImage:
    height, width, _ = level.shape
    return QImage(level.data, width, height, width * 4, QImage.Format.Format_RGB32)
