"""TIFF, read by tifffile and decoded by imagecodecs: one reader and one set of rules for every compression.

Strategy: tifffile leaves zeros where a file is damaged or has no data, and logs it. So the directory is
checked before anything is decoded (every strip and tile is there, long enough and inside the file), what
tifffile logs while it decodes is an error, and JPEG strips are also read by the reader that knows lost
data. JPEG XR is refused: its decoder has no way to say that data are missing.
"""

import contextlib
import io
import logging
import math
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from engine.decoders import MAX_PIXELS
from engine.errors import FrameError
from engine.pictures import jpeg, tiff_colours
from engine.pictures.stored import PictureInfo, StoredPicture, checked_size
from engine.pictures.tiff_pages import only_page

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NONE = 1
_JPEGS = frozenset({6, 7, 33007, 34892})
_JPEG_XR = frozenset({22610, 34934})
_MOST_SAMPLES = 16
_ESSENTIAL_TAGS = frozenset(
    {256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 317, 320, 322, 323, 324, 325}
    | {330, 338, 339, 347, 529, 530, 532}
)
_TAG_IN_COMPLAINT = re.compile(r"TiffTag (\d+)")
_OTHER_COMPRESSION = "Save it with another compression, such as LZW or none"


def tifffile() -> ModuleType:
    """Import tifffile, and keep it from printing what is raised here anyway."""
    import tifffile

    log = logging.getLogger("tifffile")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return tifffile


@contextlib.contextmanager
def complaints() -> Iterator[list[logging.LogRecord]]:
    """Collect what tifffile logs in this thread."""
    tifffile()
    records: list[logging.LogRecord] = []
    thread = threading.get_ident()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                records.append(record)

    collector = Collector(logging.WARNING)
    log = logging.getLogger("tifffile")
    log.addHandler(collector)
    try:
        yield records
    finally:
        log.removeHandler(collector)


@contextlib.contextmanager
def opened(file: BinaryIO) -> Iterator[Any]:
    """Open a tifffile.TiffFile; what it finds wrong with tags that matter for pixels is raised."""
    with complaints() as found, tifffile().TiffFile(file, _multifile=False) as tiff:
        yield tiff
        raise_structural(found)


def raise_structural(found: list[logging.LogRecord]) -> None:
    """Raise ValueError for the first complaint that concerns pixels or the chain of pages."""
    for record in found:
        if record.levelno < logging.ERROR:
            continue
        text = record.getMessage()
        tag = _TAG_IN_COMPLAINT.search(text)
        if tag is None or int(tag[1]) in _ESSENTIAL_TAGS:
            raise ValueError(f"damaged TIFF: {text}")


def info(file: BinaryIO, path: Path) -> PictureInfo:
    """Read the header of a file's only picture. Raises FrameError where it is a stack."""
    with opened(file) as tiff:
        return page_info(only_page(tiff, path), path)


def decode(content: bytes, path: Path) -> StoredPicture:
    """Read a file's only picture. Raises FrameError where it is a stack."""
    with opened(io.BytesIO(content)) as tiff:
        return decode_page(only_page(tiff, path), path)


def page_info(page: Any, path: Path) -> PictureInfo:
    """Return what a page's tags say."""
    size = checked_size(int(page.imagelength), int(page.imagewidth), path)
    bits = page.bitspersample
    bits = max(bits) if isinstance(bits, tuple) else int(bits)
    depth = 8 if bits <= 8 else 16 if bits <= 16 and page.sampleformat != 3 else 32
    return PictureInfo(size, depth, tiff_colours.channels(page))


def decode_page(page: Any, path: Path) -> StoredPicture:
    """Read the pixels of a page. Raises ValueError or FrameError where one of them would be a guess."""
    checked_size(int(page.imagelength), int(page.imagewidth), path)
    _refuse_what_is_not_read(page, path)
    tiff_colours.refuse_unknown(page, path)
    _check_segments(page)
    if page.compression in _JPEGS:
        _check_jpegs(page)
    with complaints() as found:
        samples = page.asarray(maxworkers=1)
    if found:
        raise ValueError(f"damaged TIFF: {found[0].getMessage()}")
    return tiff_colours.to_picture(page, samples, path)


def decode_contiguous(tiff: Any, page: Any, image: int, path: Path) -> StoredPicture:
    """Read one of the uncompressed pictures that follow each other behind a single directory."""
    checked_size(int(page.imagelength), int(page.imagewidth), path)
    tiff_colours.refuse_unknown(page, path)
    count = math.prod(page.shape)
    start = int(page.dataoffsets[0]) + image * count * page.dtype.itemsize
    handle = tiff.filehandle
    if start + count * page.dtype.itemsize > handle.size:
        raise ValueError(f"truncated before the end of picture {image + 1}")
    handle.seek(start)
    samples = handle.read_array(page.dtype.newbyteorder(tiff.byteorder), count)
    return tiff_colours.to_picture(page, samples.reshape(page.shape), path)


def _refuse_what_is_not_read(page: Any, path: Path) -> None:
    compression = int(page.compression)
    if compression in _JPEG_XR:
        raise FrameError("JPEG XR cannot be checked for missing data", path=path, advice=_OTHER_COMPRESSION)
    if compression in _JPEGS and page.bitspersample != 8:
        raise FrameError(
            "JPEG of this depth cannot be checked for missing data",
            path=path,
            found=f"{page.bitspersample} bits",
            expected="8 bits",
            advice=_OTHER_COMPRESSION,
        )
    if page.imagedepth != 1:
        raise FrameError(
            "the picture has depth",
            path=path,
            found=f"{page.imagedepth} layers",
            expected="1",
            advice="Save its layers as pages",
        )
    if isinstance(page.bitspersample, tuple):
        raise FrameError(
            "the samples of a pixel have different depths",
            path=path,
            found=" ".join(map(str, page.bitspersample)),
            advice="Save it with 8 or 16 bits",
        )
    if page.dtype is None:
        raise FrameError(
            "samples of an unknown kind",
            path=path,
            found=f"{page.bitspersample} bits of sample format {int(page.sampleformat)}",
            expected="unsigned integers of 1 to 16 bits, or floating point",
            advice="Save it with 8 or 16 bits",
        )
    if page.predictor != 1 and page.bitspersample not in (8, 16, 24, 32, 64):
        raise FrameError(
            "a predictor with packed samples",
            path=path,
            found=f"{page.bitspersample} bits",
            advice="Save it with 8 or 16 bits",
        )
    if not 1 <= page.samplesperpixel <= _MOST_SAMPLES:
        raise ValueError(f"{page.samplesperpixel} samples a pixel")
    if page.is_tiled and page.tilewidth * page.tilelength > MAX_PIXELS:
        raise ValueError(f"tiles of {page.tilelength} × {page.tilewidth}")


def _check_segments(page: Any) -> None:
    """Raise ValueError unless every strip or tile is there, long enough and inside the file."""
    segments = math.prod(page.chunked)
    offsets, counts = page.dataoffsets, page.databytecounts
    kind = "tiles" if page.is_tiled else "strips"
    if not len(offsets) == len(counts) == segments:
        raise ValueError(f"{segments} {kind} expected, {len(offsets)} offsets and {len(counts)} lengths")
    absent = sum(not (offset and count) for offset, count in zip(offsets, counts, strict=True))
    if absent:
        raise ValueError(f"{absent} of {segments} {kind} hold no data")
    end = page.parent.filehandle.size
    for index, (offset, count) in enumerate(zip(offsets, counts, strict=True)):
        needed = _plain_bytes(page, index) if page.compression == _NONE else count
        if count < needed:
            raise ValueError(f"{kind[:-1]} {index + 1} has {count} of {needed} bytes")
        if offset + needed > end:
            raise ValueError(f"truncated in {kind[:-1]} {index + 1} of {segments}")


def _plain_bytes(page: Any, index: int) -> int:
    """Bytes of a strip or tile without compression; the last strip may be shorter than the rest."""
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    if page.is_tiled:
        height, width = page.tilelength, page.tilewidth
        if page.imagewidth < width or page.imagelength < height:
            # Old writers do not fill up a tile that is larger than the picture.
            height, width = min(height, page.imagelength), min(width, page.imagewidth)
    else:
        across = math.ceil(page.imagelength / page.rowsperstrip)
        height = min(page.rowsperstrip, page.imagelength - index % across * page.rowsperstrip)
        width = page.imagewidth
    return height * ((width * samples * int(page.bitspersample) + 7) // 8)


def _check_jpegs(page: Any) -> None:
    """Raise ValueError where a strip or tile of JPEG has lost data."""
    tables = page.jpegtables
    colours = {1: "GRAY", 3: "RGB", 4: "CMYK"}.get(
        page.samplesperpixel if page.planarconfig == 1 else 1, "RGB"
    )
    handle = page.parent.filehandle
    for data, index in handle.read_segments(page.dataoffsets, page.databytecounts):
        if data is None:
            raise ValueError(f"segment {index + 1} holds no data")
        if tables:
            data = tables[:-2] + data[2:]  # a stream of tables without its end, and one of data
        jpeg.decode_whole(bytes(data), colours)
