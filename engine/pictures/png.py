"""PNG: the chunks that hold the picture are checked here, and imagecodecs decodes them.

Strategy: libpng would print what it thinks of other chunks (colour profiles, times, notes) and of
interlacing, and libdeflate unpacks twice as fast. So the data are unpacked here, and libpng is given the
header, the palette and the rows alone, of an interlaced picture pass by pass: each pass of Adam7 is laid
out as a small picture without interlacing.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.pictures.stored import PictureInfo, StoredPicture, checked_size

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIGNATURES = (_SIGNATURE,)
_HEADER = struct.Struct(">IIBBBBB")
_HEADER_AT = len(_SIGNATURE) + 8
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE = 3
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row and column of each pass, and the steps down and right."""
_ONE_PASS = ((0, 0, 1, 1),)


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    bits: int
    colour: int
    compression: int
    filtering: int
    interlaced: int

    def row_bytes(self, width: int) -> int:
        return 1 + (width * self.bits * _CHANNELS[self.colour] + 7) // 8


def info(file: BinaryIO, path: Path) -> PictureInfo:
    """Read the header, and of a palette whether it knows transparency. Raises ValueError or FrameError."""
    header = _header(file.read(_HEADER_AT + _HEADER.size))
    channels = _CHANNELS[header.colour]
    if header.colour == _PALETTE:
        file.seek(0)
        channels = 4 if _has_transparency(file) else 3
    return PictureInfo(
        checked_size(header.height, header.width, path), 16 if header.bits == 16 else 8, channels
    )


def decode(content: bytes, path: Path) -> StoredPicture:
    """Read the pixels of a whole file, whose checksums must be right. Raises ValueError or FrameError."""
    header = _header(content)
    checked_size(header.height, header.width, path)
    palette, data = _picture_chunks(content)
    passes = _ADAM7 if header.interlaced else _ONE_PASS
    samples = _decoded(header, palette, data, passes)
    if samples.ndim == 3:
        samples = samples[:, :, : 3 if samples.shape[2] >= 3 else 1]
    deep = header.bits == 16
    return StoredPicture(samples, 65535 if deep else 255, holds_sensor_values=deep)


def _header(start: bytes) -> _Header:
    if len(start) < _HEADER_AT + _HEADER.size or start[_HEADER_AT - 4 : _HEADER_AT] != b"IHDR":
        raise ValueError("PNG without a header")
    header = _Header(*_HEADER.unpack_from(start, _HEADER_AT))
    if header.colour not in _CHANNELS or header.bits not in (1, 2, 4, 8, 16) or header.interlaced > 1:
        raise ValueError("PNG with an impossible header")
    return header


def _has_transparency(file: BinaryIO) -> bool:
    """Whether a tRNS chunk comes before the data."""
    file.seek(len(_SIGNATURE))
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind in (b"IDAT", b"IEND"):
            return False
        if kind == b"tRNS":
            return True
        file.seek(length + 4, 1)
    return False


def _picture_chunks(content: bytes) -> tuple[bytes, list[bytes]]:
    """The palette and the data, the checksums of all chunks that matter verified up to the end mark."""
    at = len(_SIGNATURE)
    view = memoryview(content)
    palette, data = b"", []
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + length
        if end + 4 > len(content):
            break
        is_critical = kind[:1].isupper()
        if is_critical and zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            raise ValueError(f"wrong checksum at byte {at}")
        if kind == b"PLTE" and content[_HEADER_AT + 9] == _PALETTE:
            palette = content[at + 8 : end]
        elif kind == b"IDAT":
            data.append(content[at + 8 : end])
        elif kind == b"IEND":
            if not data:
                raise ValueError("no data between header and end")
            return palette, data
        at = end + 4
    raise ValueError(f"truncated after {len(content)} bytes")


def _decoded(
    header: _Header, palette: bytes, data: list[bytes], places: tuple[tuple[int, int, int, int], ...]
) -> NDArray[np.generic]:
    passes = [
        (place, -(-(header.height - place[0]) // place[2]), -(-(header.width - place[1]) // place[3]))
        for place in places
        if header.height > place[0] and header.width > place[1]
    ]
    lengths = [height * header.row_bytes(width) for _, height, width in passes]
    rows = memoryview(_inflated(b"".join(data), sum(lengths)))
    picture: NDArray[np.generic] | None = None
    at = 0
    for ((top, left, down, right), height, width), length in zip(passes, lengths, strict=True):
        part = _unfiltered(header, width, height, palette, rows[at : at + length])
        if len(passes) == 1:
            return part
        at += length
        if picture is None:
            picture = np.empty((header.height, header.width, *part.shape[2:]), part.dtype)
        picture[top::down, left::right] = part
    assert picture is not None
    return picture


def _inflated(data: bytes, length: int) -> bytes:
    import imagecodecs

    try:
        rows = bytes(imagecodecs.deflate_decode(data, out=length))
    except imagecodecs.DeflateError:
        # Slower, but it stops after the last row, where some writers go on; its checksum comes last.
        inflate = zlib.decompressobj()
        rows = inflate.decompress(data, length)
        inflate.decompress(inflate.unconsumed_tail, 1)
    if len(rows) < length:
        raise ValueError(f"not enough image data: {len(rows)} of {length} bytes")
    return rows


def _unfiltered(
    header: _Header, width: int, height: int, palette: bytes, rows: memoryview
) -> NDArray[np.generic]:
    import imagecodecs

    chunks = [_chunk(b"IHDR", _HEADER.pack(width, height, header.bits, header.colour, 0, 0, 0))]
    if palette:
        # Indices past its end are black, as every program shows them.
        chunks.append(_chunk(b"PLTE", palette.ljust(3 * 2**header.bits, b"\0")))
    chunks += [_chunk(b"IDAT", zlib.compress(rows, 0)), _chunk(b"IEND", b"")]
    return np.asarray(imagecodecs.png_decode(b"".join([_SIGNATURE, *chunks])))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return b"".join(
        (
            struct.pack(">I", len(content)),
            kind,
            content,
            struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))),
        )
    )
