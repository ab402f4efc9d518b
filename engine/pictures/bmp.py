"""BMP, read by Pillow, which refuses truncated files."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from engine.pictures.decoding import NotAPictureError
from engine.pictures.stored import PictureInfo, StoredPicture, checked_size

if TYPE_CHECKING:
    from PIL import Image

SIGNATURES = (b"BM",)
_FORMATS = ("BMP",)


def info(file: BinaryIO, path: Path) -> PictureInfo:
    """Read the header. Raises NotAPictureError where the content is none."""
    with _open(file) as image:
        channels = 3 if image.mode == "P" else len(image.getbands())
        return PictureInfo(checked_size(image.height, image.width, path), 8, channels)


def decode(content: bytes, path: Path) -> StoredPicture:
    """Read the pixels of a whole file."""
    with _open(io.BytesIO(content)) as image:
        checked_size(image.height, image.width, path)
        image.load()
        grey = image.mode in ("1", "L")
        return StoredPicture(np.asarray(image.convert("L" if grey else "RGB")), 255)


def _open(file: BinaryIO) -> "Image.Image":
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise NotAPictureError(str(error)) from error
