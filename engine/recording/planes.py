"""Bit-planes and pictures of 0 and 1: how one becomes the other, and which spans a recording has.

A packed plane is height × width bits, row after row, least significant bit first, filled up with
zeros to a whole byte (FORMATS, ".dat recordings").
"""

import operator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.geometry import Size


def plane_bytes(size: Size) -> int:
    """Return the bytes of one packed plane."""
    return (size.pixels + 7) // 8


def unpack_planes(packed: NDArray[np.uint8], size: Size, flip: bool) -> NDArray[np.uint8]:
    """Turn packed planes (T, plane_bytes) into uint8 0/1 (T, H, W), rows turned over where `flip`."""
    bits = np.unpackbits(packed, axis=1, count=size.pixels, bitorder="little")
    planes = bits.reshape(len(packed), size.height, size.width)
    return np.ascontiguousarray(planes[:, ::-1]) if flip else planes


def pack_planes(planes: NDArray[np.uint8], flip: bool) -> NDArray[np.uint8]:
    """Turn planes (T, H, W), any value but 0 being a spike, into packed planes (T, plane_bytes)."""
    rows = planes[:, ::-1] if flip else planes
    return np.packbits(rows.reshape(len(planes), -1), axis=1, bitorder="little")


def check_span(start: int, stop: int, planes: int, path: Path) -> tuple[int, int]:
    """Return [start, stop) as plain integers.

    Raises RecordingError when it is not inside [0, planes), TypeError when it is not integral.
    """
    start, stop = operator.index(start), operator.index(stop)
    if not 0 <= start <= stop <= planes:
        raise RecordingError(
            "cannot read planes that are not there",
            path=path,
            found=f"[{start}, {stop})",
            expected=f"a span inside [0, {planes})",
        )
    return start, stop
