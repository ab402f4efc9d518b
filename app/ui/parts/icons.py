"""The studio's own icons: SVG line drawings, tinted with a colour of the theme."""

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

APPLICATION_SIZES_PX = (16, 24, 32, 48, 64)


def icons_folder() -> Path:
    return Path(resources.__file__).parent / "icons"


@lru_cache
def _drawing(name: str, colour: str) -> QSvgRenderer:
    text = (icons_folder() / f"{name}.svg").read_text(encoding="utf-8")
    return QSvgRenderer(QByteArray(text.replace("currentColor", colour).encode()))


class _TintedDrawing(QIconEngine):
    """Draws when it is asked to, in the size it is asked for: crisp at every scale, free until shown."""

    def __init__(self, name: str, colour: str, disabled: str) -> None:
        super().__init__()
        self._parts = (name, colour, disabled)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _: QIcon.State) -> None:
        name, colour, disabled = self._parts
        _drawing(name, disabled if mode == QIcon.Mode.Disabled else colour).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        if pixmap.isNull():  # a button that is squeezed to nothing
            return pixmap
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _TintedDrawing(*self._parts)


@lru_cache
def icon(name: str, colour: str, disabled: str) -> QIcon:
    """Return icon `name` in two colours, #rrggbb each."""
    return QIcon(_TintedDrawing(name, colour, disabled))


def application_icon() -> QIcon:
    """Return the program's icon, in its own colours; window managers want ready pixmaps."""
    engine = _TintedDrawing("studio", "", "")
    result = QIcon()
    for size_px in APPLICATION_SIZES_PX:
        result.addPixmap(engine.pixmap(QSize(size_px, size_px), QIcon.Mode.Normal, QIcon.State.Off))
    return result
