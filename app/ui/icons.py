"""The studio's own icons: SVG line drawings, tinted with a colour of the theme."""

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

SIZES_PX = (16, 20, 24, 32, 48, 64)


def icons_folder() -> Path:
    return Path(resources.__file__).parent / "icons"


@lru_cache
def _drawing(name: str) -> str:
    return (icons_folder() / f"{name}.svg").read_text(encoding="utf-8")


def _pixmap(name: str, colour: str, size_px: int) -> QPixmap:
    drawing = _drawing(name).replace("currentColor", colour)
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return pixmap


def icon(name: str, colour: str, disabled: str) -> QIcon:
    """Return icon `name` in two colours, crisp from 16 to 64 device pixels."""
    result = QIcon()
    for size_px in SIZES_PX:
        result.addPixmap(_pixmap(name, colour, size_px), QIcon.Mode.Normal)
        result.addPixmap(_pixmap(name, disabled, size_px), QIcon.Mode.Disabled)
    return result


def application_icon() -> QIcon:
    """Return the program's icon, in its own colours."""
    result = QIcon()
    for size_px in SIZES_PX:
        result.addPixmap(_pixmap("studio", "", size_px))
    return result
