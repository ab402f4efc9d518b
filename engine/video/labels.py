"""Names drawn into the pictures of a video."""

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

LEAST_SIDE_PX = 120
"""On smaller pictures a name would hide what it names."""
_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "PingFang.ttc",
    "STHeiti Light.ttc",
    "Arial Unicode.ttf",
)
"""Fonts of systems that have Chinese; the one that comes with Pillow has not."""
_INK, _SHADE = (235, 235, 235), (24, 24, 24)
_MISSING = "\uffff"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def can_draw(text: str) -> bool:
    """Whether a font is there that has every sign of `text`."""
    return _font_for(text, 16) is not None


def with_label(
    picture: NDArray[np.uint8], text: str, corner: Literal["left", "right"] = "left"
) -> NDArray[np.uint8]:
    """Return a copy of a picture (H, W, 3) with a name in an upper corner, light on a dark plate.

    Signs that no font has are drawn as boxes; pictures below `LEAST_SIDE_PX` stay as they are.
    """
    height, width = picture.shape[:2]
    if not text or min(height, width) < LEAST_SIDE_PX:
        return picture.copy()
    size = max(12, min(32, height // 18))
    font = _font_for(text, size) or ImageFont.load_default(size)
    image = Image.fromarray(np.ascontiguousarray(picture))
    draw = ImageDraw.Draw(image)
    row = size // 2
    column, anchor = (row, "lt") if corner == "left" else (width - row, "rt")
    left, top, right, bottom = draw.textbbox((column, row), text, font=font, anchor=anchor)
    room = max(2, size // 4)
    draw.rectangle((left - room, top - room, right + room, bottom + room), fill=_SHADE)
    draw.text((column, row), text, fill=_INK, font=font, anchor=anchor)
    return np.asarray(image).copy()


@lru_cache(maxsize=64)
def _font_for(text: str, size: int) -> Font | None:
    default = ImageFont.load_default(size)
    if _has(default, text):
        return default
    for name in _FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _has(font, text):
            return font
    return None


def _has(font: Font, text: str) -> bool:
    """A sign that a font lacks looks as one that no font has."""
    missing = bytes(font.getmask(_MISSING))
    return all(sign.isspace() or bytes(font.getmask(sign)) != missing for sign in text)
