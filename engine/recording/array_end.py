"""Where the planes of an array end that were written, however the array lies in its file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.recording.unpacked import time_is_fastest
from engine.recording.written_end import FEWEST_PLANES, WrittenEnd, find_written_end, last_lit_byte

_FOLLOWED_PIXELS = 512
_FOLLOWED_BYTES = 64 << 20
_SEARCHED_BYTES = 256 << 20
"""So much is read to make sure that nothing follows what the followed pixels end with."""
_PIECE_BYTES = 16 << 20
_BLOCK_PLANES = 4096


def end_of_mapped(path: Path, array: NDArray[np.generic]) -> WrittenEnd:
    """Find the end in a mapped array (planes, H, W), transposed from what is stored."""
    plane_bytes = array[0].nbytes
    if array.strides[0] == plane_bytes:
        offset = int(getattr(array, "offset", 0))
        lit = last_lit_byte(path, offset, offset + array.nbytes)
        last = None if lit is None else (lit - offset) // plane_bytes
    else:
        last = _last_lit_plane(array)

    def spikes(start: int, stop: int) -> NDArray[np.uint8]:
        return (np.asarray(array[start:stop]) != 0).reshape(stop - start, -1).view(np.uint8)

    return find_written_end(len(array), last, spikes)


def end_of_packed(planes: NDArray[np.uint8]) -> WrittenEnd:
    """Find the end in packed planes (planes, plane_bytes)."""
    last: int | None = None
    for stop in range(len(planes), 0, -_BLOCK_PLANES):
        start = max(0, stop - _BLOCK_PLANES)
        lit = np.flatnonzero(planes[start:stop].any(axis=1))
        if len(lit):
            last = start + int(lit[-1])
            break
    return find_written_end(len(planes), last, lambda start, stop: np.bitwise_count(planes[start:stop]))


def _last_lit_plane(array: NDArray[np.generic]) -> int | None:
    """Return the last plane with a spike of an array in which planes are scattered over the file.

    Some pixels are followed to their last spike, then what comes after is searched from the end.
    """
    planes, height, width = array.shape
    pixels = max(1, min(_FOLLOWED_PIXELS, height * width, _FOLLOWED_BYTES // (planes * array.itemsize)))
    last = -1
    for pixel in np.linspace(0, height * width - 1, pixels).astype(int).tolist():
        lit = np.flatnonzero(np.asarray(array[last + 1 :, pixel // width, pixel % width]))
        last = last + 1 + int(lit[-1]) if len(lit) else last
    if planes - 1 - last < FEWEST_PLANES:
        return last
    pieces = max(1, _PIECE_BYTES // array[0].nbytes)
    if time_is_fastest(array):
        pieces = max(pieces, _BLOCK_PLANES)
    left = _SEARCHED_BYTES
    for stop in range(planes, last + 1, -pieces):
        start = max(last + 1, stop - pieces)
        lit = np.zeros(stop - start, np.bool_)
        rows = max(1, _PIECE_BYTES // ((stop - start) * array[0, 0].nbytes))
        for row in range(0, height, rows):
            piece = np.asarray(array[start:stop, row : row + rows]).transpose(1, 2, 0)
            lit |= (piece != 0).any(axis=(0, 1))
        if lit.any():
            return start + int(np.flatnonzero(lit)[-1])
        left -= (stop - start) * array[0].nbytes
        if left <= 0:
            break
    return None if last < 0 else last
