"""JPEG, read by simplejpeg: libjpeg-turbo that stops at its first warning about lost data.

Strategy: libjpeg fills what is missing with grey or garbage and warns; other readers do not pass the
warning on. What libjpeg does not warn about are whole scans that never came, so these are counted here.
Four inks are checked by simplejpeg and converted by Pillow, which knows that Adobe stores them inverted.
"""

import io
import re
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameError
from engine.pictures.stored import PictureInfo, StoredPicture, checked_size

SIGNATURES = (b"\xff\xd8\xff",)
_FORMATS = ("JPEG",)
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers that begin a frame header (SOF): all but tables of Huffman codes, extensions and arithmetic."""
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_SAYS_COLOURS = (b"JFIF\0", b"Adobe")
"""Segments by which three components are known to be YCbCr or RGB."""
_COLOURS = {1: "GRAY", 3: "RGB", 4: "CMYK"}
_CODES, _SCAN, _END = 0xC4, 0xDA, 0xD9
_AC = 0x10
_FIRST_SYMBOLS_BY_DEFAULT = {_AC | 0: 1, _AC | 1: 0}
"""Of the usual tables (T.81, K.3), which video leaves out."""
_WITHOUT_LENGTH = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_AFTER_DATA = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_COEFFICIENTS = 64
_ZEROED = 64
"""Bytes: two blocks of 63 coefficients at the three bits that zeros take in the usual codes, and more."""


def info(file: BinaryIO, path: Path) -> PictureInfo:
    """Read the header."""
    header = _frame_header(file)
    return PictureInfo(checked_size(header.height, header.width, path), 8, 1 if header.components == 1 else 3)


def decode(content: bytes, path: Path) -> StoredPicture:
    """Read the pixels of a whole file. Raises ValueError where data are lost."""
    header = _frame_header(io.BytesIO(content))
    checked_size(header.height, header.width, path)
    if header.components == 3 and header.is_lossless and not header.says_colours:
        # Some programs write RGB so, others YCbCr: there is no default as in other JPEG.
        raise FrameError(
            "lossless JPEG that does not say its colours", path=path, advice="Save it as PNG or TIFF"
        )
    samples = decode_whole(content, _COLOURS.get(header.components, "RGB"))
    if header.components == 4:
        from PIL import Image

        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            samples = np.asarray(image.convert("RGB"))
    return StoredPicture(samples, 255)


class _Header(NamedTuple):
    height: int
    width: int
    components: int
    is_lossless: bool
    says_colours: bool


def _frame_header(file: BinaryIO) -> _Header:
    """Read the first frame header (T.81, B.2.2), and what comes before it."""
    file.seek(2)
    says_colours = False
    while len(start := file.read(2)) == 2 and start[0] == 0xFF:
        if start[1] == 0xFF:  # a fill byte
            file.seek(-1, 1)
        elif start[1] in _FRAMES:
            header = file.read(8)
            if len(header) == 8:
                height, width, components = struct.unpack(">3xHHB", header)
                return _Header(height, width, components, start[1] in _LOSSLESS, says_colours)
        elif start[1] not in _WITHOUT_LENGTH:
            length = int.from_bytes(file.read(2), "big")
            if length < 2:  # cut off, or a length that would lead back
                break
            says_colours |= file.read(min(length - 2, 5)) in _SAYS_COLOURS
            file.seek(max(0, length - 7), 1)
    raise ValueError("JPEG without a frame header")


def decode_whole(content: bytes, colours: str) -> NDArray[np.uint8]:
    """Return the samples (H, W, C) in simplejpeg's `colours`. Raises ValueError where data are lost."""
    import simplejpeg

    try:
        samples: NDArray[np.uint8] = simplejpeg.decode_jpeg(content, colours, strict=True)
    except ValueError as error:
        if "subsampling" in str(error):
            raise ValueError("chroma subsampling in which lost data would go unnoticed") from error
        raise ValueError(f"JPEG data are lost: {error}") from error
    check_scans(content)
    return samples


def check_scans(content: bytes) -> None:
    """Raise ValueError where a scan is zeroed, or the end mark comes before every coefficient has come.

    ITU-T T.81, B.2.2 and B.2.3: each scan lists its components, the band of coefficients and, where the
    picture builds up progressively, the bit down to which they are exact.
    """
    missing: dict[int, dict[int, int]] = {}
    first_symbols = dict(_FIRST_SYMBOLS_BY_DEFAULT)
    progressive = False
    at, pattern = 2, _MARKER
    while (found := pattern.search(content, at)) is not None:
        marker, at = content[found.end() - 1], found.end()
        pattern = _MARKER
        if marker == _END:
            break
        if marker in _WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", content, at)
        if marker in _FRAMES:
            progressive = marker in _PROGRESSIVE
            # One bit more than any scan leaves says that a coefficient has not come at all.
            missing = {
                content[at + 8 + 3 * i]: dict.fromkeys(range(_COEFFICIENTS), 16)
                for i in range(content[at + 7])
            }
        elif marker == _CODES:
            first_symbols |= _first_symbols(content[at + 2 : at + length])
        elif marker == _SCAN:
            named = content[at + 3 : at + 3 + 2 * content[at + 2]]
            first, last, bits = content[at + 3 + len(named) : at + 6 + len(named)]
            for component in named[::2]:
                band = range(first, min(last, _COEFFICIENTS - 1) + 1) if progressive else range(_COEFFICIENTS)
                missing.get(component, {}).update(dict.fromkeys(band, bits & 15 if progressive else 0))
            if not progressive and any(first_symbols.get(_AC | table & 15) for table in named[1::2]):
                _check_zeros(content, at + length)
            if not any(left for component in missing.values() for left in component.values()):
                return
            pattern = _MARKER_AFTER_DATA
        at += length
    if missing:
        raise ValueError("JPEG data are lost: the end mark comes before the last scans")


def _first_symbols(tables: bytes) -> dict[int, int]:
    """The symbol whose Huffman code is all zeros, of each table in a DHT segment (T.81, B.2.4.2)."""
    symbols: dict[int, int] = {}
    at = 0
    while at + 17 < len(tables):
        symbols[tables[at]] = tables[at + 17]
        at += 17 + sum(tables[at + 1 : at + 17])
    return symbols


def _check_zeros(content: bytes, start: int) -> None:
    """Raise ValueError where zeros mean coefficients rather than the ends of flat blocks, and there are many.

    No picture has two blocks in a row whose 63 coefficients are all the same; a lost sector reads so.
    """
    at = content.find(bytes(_ZEROED), start)
    if at < 0:
        return
    end = _MARKER_AFTER_DATA.search(content, start)
    if end is None or at < end.start():
        raise ValueError(f"JPEG data are lost: zeros from byte {at}")
