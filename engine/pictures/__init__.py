"""Read single pictures of any kind as float32 RGB, and their headers without the pixels.

Strategy: the content decides, not the suffix, and each kind has the one reader that says when data are
lost: imagecodecs PNG, simplejpeg JPEG, Pillow BMP, tifffile with imagecodecs TIFF. Pixels are taken as
stored, because spikes match the sensor's pixels: orientation tags (TIFF's and EXIF's) are ignored, alpha
is dropped. Decoders are imported where a picture needs them: names of kinds alone load none.
"""

from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.pictures import bmp, jpeg, png, tiff
from engine.pictures.decoding import NotAPictureError, decoding
from engine.pictures.stored import PictureInfo, StoredPicture
from engine.pictures.tiff_stack import TiffStack, is_stack
from engine.samples import Samples, as_values

__all__ = [
    "PictureInfo",
    "StoredPicture",
    "TiffStack",
    "decoding",
    "is_stack",
    "picture_info",
    "read_picture",
    "read_samples",
    "read_stored",
]


class _Reader(Protocol):
    """The module of one kind of pictures."""

    def info(self, file: BinaryIO, path: Path) -> PictureInfo: ...

    def decode(self, content: bytes, path: Path) -> StoredPicture: ...


_READERS: tuple[tuple[tuple[bytes, ...], _Reader], ...] = (
    (tiff.SIGNATURES, tiff),
    (png.SIGNATURES, png),
    (jpeg.SIGNATURES, jpeg),
    (bmp.SIGNATURES, bmp),
)
"""What a file of each kind may start with, and what reads it."""
_LONGEST_SIGNATURE = max(len(signature) for signatures, _ in _READERS for signature in signatures)


def _reader(start: bytes) -> _Reader:
    """Return what reads a file that starts so. Raises NotAPictureError where nothing does."""
    for signatures, reader in _READERS:
        if start.startswith(signatures):
            return reader
    raise NotAPictureError("no signature of a kind that is read")


def picture_info(path: str | Path) -> PictureInfo:
    """Read a picture's header. Raises FrameError when it is no picture, or a stack of several."""
    path = Path(path)
    with decoding(path), path.open("rb") as file:
        reader = _reader(file.read(_LONGEST_SIGNATURE))
        file.seek(0)
        return reader.info(file, path)


def read_picture(path: str | Path, *, white: int | None = None) -> NDArray[np.float32]:
    """Read a picture as float32 (H, W, 3) RGB in [0, 1]; grey becomes three equal channels.

    Integer samples are divided by the largest value of their depth, or by `white` where they are stored
    with more than 8 bits; floating-point ones must lie in [0, 1]. Raises FrameError for anything that is
    not one whole picture of finite numbers, and where a sample lies above `white`.
    """
    return as_values(read_samples(path, white=white))


def read_samples(path: str | Path, *, white: int | None = None) -> Samples:
    """Read a picture as `read_picture` does, but leave one of 8 bits as bytes: a quarter of the memory."""
    path = Path(path)
    with decoding(path):
        return read_stored(path).samples(white, path)


def read_stored(path: str | Path) -> StoredPicture:
    """Read a picture's samples as its file has them. Raises FrameError."""
    path = Path(path)
    with decoding(path):
        content = path.read_bytes()
        return _reader(content).decode(content, path)
