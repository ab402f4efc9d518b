"""Read single pictures of any kind as float32 RGB, and their headers without the pixels.

Strategy: the content decides, not the suffix. Pillow reads what has at most 8 bits, because it refuses
truncated files; OpenCV reads 16-bit PNG, which Pillow would reduce to 8 bits, after its checksums were
verified; tifffile reads TIFF, and OpenCV the compressions that tifffile lacks. Pixels are taken as
stored: alpha is dropped, orientation tags are ignored, because spikes match the sensor's pixels.
"""

import contextlib
import io
import itertools
import logging
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine.errors import FrameError
from engine.geometry import Size
from engine.samples import Samples, as_values

MAX_PIXELS = 2**28
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = struct.Struct(">8sI4sIIBB")
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_PNG_PALETTE = 3
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE = range(4)
_SEPARATED = 5
_MOST_PAGES = 64
"""TIFF 6.0, tag 262: what a sample of zero means."""
_ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
# Decoders fail in as many ways as there are broken files.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True)
class PictureInfo:
    """What a picture's header says."""

    size: Size
    bit_depth: int
    """Bits of one sample: 8 for 1 to 8, 16, or 32 and more for floating point."""
    channels: int
    """Samples of a pixel as stored, alpha included; a palette counts as its colours."""

    @property
    def has_alpha(self) -> bool:
        return self.channels in (2, 4)


def picture_info(path: str | Path) -> PictureInfo:
    """Read a picture's header. Raises FrameError when it is no picture."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(_PNG_HEADER.size)
            file.seek(0)
            if start.startswith(_TIFF_SIGNATURES):
                return _tiff_info(file, path)
            if start.startswith(_PNG_SIGNATURE):
                info = _png_info(start, path)
                if start[25] != _PNG_PALETTE:
                    return info
            with Image.open(file, formats=("PNG", "JPEG", "BMP")) as image:
                return _pillow_info(image)
    except _DECODER_ERRORS as error:
        raise _unreadable(path, error) from error


def read_picture(path: str | Path) -> NDArray[np.float32]:
    """Read a picture as float32 (H, W, 3) RGB in [0, 1]; grey becomes three equal channels.

    Integer samples are divided by the largest value of their depth, floating-point ones must lie in
    [0, 1]. Raises FrameError for anything that is not one whole picture of finite numbers.
    """
    return as_values(read_samples(path))


def read_samples(path: str | Path) -> Samples:
    """Read a picture as `read_picture` does, but leave one of 8 bits as bytes: a quarter of the memory."""
    path = Path(path)
    try:
        content = path.read_bytes()
        if content.startswith(_TIFF_SIGNATURES):
            return _as_rgb(_decode_tiff(content, path), path)
        if content.startswith(_PNG_SIGNATURE):
            info = _png_info(content, path)
            if info.bit_depth == 16:
                _verify_png(content)
                return _as_rgb(_decode_with_opencv(content), path)
        return _as_rgb(_decode_with_pillow(content), path)
    except _DECODER_ERRORS as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: BaseException) -> FrameError:
    if isinstance(error, OSError) and error.errno is not None:
        return FrameError(f"the picture cannot be read ({error.strerror})", path=path)
    found = str(error)[:160] or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        with contextlib.suppress(OSError), path.open("rb") as file:
            found = f"a file that starts with {file.read(8)!r}"
    return FrameError(
        "the picture is broken or of an unknown kind",
        path=path,
        found=found,
        expected="a whole PNG, JPEG, BMP or TIFF file",
    )


# ------------------------------------------------------------------ PNG, JPEG, BMP


def _png_info(start: bytes, path: Path) -> PictureInfo:
    _, _, kind, width, height, bits, colour = _PNG_HEADER.unpack_from(start)
    if kind != b"IHDR" or colour not in _PNG_CHANNELS:
        raise ValueError("PNG without a header")
    return PictureInfo(_size(height, width, path), 16 if bits == 16 else 8, _PNG_CHANNELS[colour])


def _size(height: int, width: int, path: Path) -> Size:
    if height * width > MAX_PIXELS:
        raise FrameError(
            "the picture is too large",
            path=path,
            found=f"{height} × {width}",
            expected=f"<= {MAX_PIXELS} pixels",
        )
    return Size(height, width)


def _verify_png(content: bytes) -> None:
    """Walk the chunks: OpenCV shows the missing rows of a truncated file as black, without a word."""
    at = len(_PNG_SIGNATURE)
    view = memoryview(content)
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + length
        if end + 4 > len(content):
            break
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            raise ValueError(f"wrong checksum at byte {at}")
        if kind == b"IEND":
            return
        at = end + 4
    raise ValueError(f"truncated after {len(content)} bytes")


def _pillow_info(image: Image.Image) -> PictureInfo:
    if image.mode == "P":
        channels = 4 if "transparency" in image.info else 3
    elif image.mode == "CMYK":
        channels = 3
    else:
        channels = len(image.getbands())
    return PictureInfo(Size(image.height, image.width), 16 if image.mode.startswith("I;16") else 8, channels)


def _decode_with_pillow(content: bytes) -> NDArray[np.generic]:
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "BMP")) as image:
        image.load()
        if image.mode in _ALPHA_MODES or (image.mode == "P" and "transparency" in image.info):
            return np.asarray(image.convert("RGBA"))[:, :, :3]
        return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _decode_with_opencv(content: bytes) -> NDArray[np.generic]:
    import cv2

    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("it cannot be decoded")
    return decoded if decoded.ndim == 2 else decoded[:, :, 2::-1]


# ------------------------------------------------------------------ TIFF


def _tifffile() -> ModuleType:
    import tifffile

    # Where nobody listens, Python prints what it logs about a damaged file; the error says it already.
    log = logging.getLogger("tifffile")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return tifffile


def _tiff_info(file: io.BufferedReader, path: Path) -> PictureInfo:
    tifffile = _tifffile()
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        bits = page.bitspersample
        bits = max(bits) if isinstance(bits, tuple) else int(bits)
        channels = 3 if page.photometric in (_PALETTE, _SEPARATED) else int(page.samplesperpixel)
        depth = 8 if bits <= 8 else 16 if bits <= 16 and page.sampleformat != 3 else 32
        return PictureInfo(_size(page.imagelength, page.imagewidth, path), depth, channels)


def _decode_tiff(content: bytes, path: Path) -> NDArray[np.generic]:
    tifffile = _tifffile()
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        # A damaged file may call one page the next one of itself, and so on without end.
        first = list(itertools.islice(tiff.pages, _MOST_PAGES + 1))
        pages = sum(isinstance(page, tifffile.TiffPage) and not page.is_reduced for page in first)
        if pages > 1:
            raise FrameError(
                "the file is a stack of pictures",
                path=path,
                found=f"{pages} pictures"
                if len(first) <= _MOST_PAGES
                else f"more than {_MOST_PAGES} pictures",
                expected="1",
                advice="Save its pictures as single files",
            )
        page = tiff.pages.first
        _size(page.imagelength, page.imagewidth, path)
        if int(page.photometric) not in (_MINISWHITE, _MINISBLACK, _RGB, _PALETTE):
            return _decode_with_opencv(content)
        try:
            samples = page.asarray()
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            return _decode_with_opencv(content)
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        if page.colormap is not None and page.photometric == _PALETTE:
            return np.moveaxis(page.colormap[:, samples], 0, -1)
        if page.photometric == _MINISWHITE and samples.dtype.kind != "f":
            return ~samples
        return samples


# ------------------------------------------------------------------ samples to RGB


def _as_rgb(samples: NDArray[np.generic], path: Path) -> Samples:
    if samples.ndim == 2:
        samples = samples[:, :, None]
    if samples.ndim != 3 or not 1 <= samples.shape[2] <= 4:
        raise FrameError("not a grey or colour picture", path=path, found=f"shape {samples.shape}")
    colours = samples[:, :, :3] if samples.shape[2] >= 3 else samples[:, :, :1]
    if colours.dtype != np.uint8:
        colours = _in_unit_range(colours, path)
    picture = np.empty((*samples.shape[:2], 3), colours.dtype)
    picture[...] = colours
    return picture


def _in_unit_range(samples: NDArray[np.generic], path: Path) -> NDArray[np.float32]:
    if samples.dtype == np.bool_:
        return samples.astype(np.float32)
    if samples.dtype == np.uint16:
        return np.divide(samples, np.float32(65535), dtype=np.float32)
    if samples.dtype.kind != "f":
        raise FrameError(
            "samples of an unknown kind",
            path=path,
            found=str(samples.dtype),
            expected="8 or 16 bits, or float",
        )
    if not np.isfinite(samples).all():
        bad = int(samples.size - np.count_nonzero(np.isfinite(samples)))
        raise FrameError(
            "the picture holds values that are not numbers",
            path=path,
            found=f"{bad} NaN or infinite samples",
            advice="Repair or leave out this frame",
        )
    low, high = float(samples.min()), float(samples.max())
    if low < -0.001 or high > 1.001:
        raise FrameError(
            "a floating-point picture outside its range",
            path=path,
            found=f"values from {low:g} to {high:g}",
            expected="0 to 1",
            advice="Scale it to [0, 1], or save it with 16 bits",
        )
    return np.clip(samples.astype(np.float32), 0.0, 1.0)
