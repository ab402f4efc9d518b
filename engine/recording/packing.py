"""Pack arrays of planes that cannot be mapped, whichever of their axes is time.

Strategy: the array is read once, from its beginning to its end, and what comes first in the file is packed
as if it were planes. Where it is not, the bits are put in order in memory, an eighth of the array.
"""

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.recording.arrays import StoredArray
from engine.recording.planes import pack_planes, unpack_planes
from engine.recording.unpacked import Planes3D, to_spikes

_CHUNK_BYTES = 16 << 20


def pack_stored(stored: StoredArray, shape: Planes3D) -> NDArray[np.uint8]:
    """Read an array some of its file at a time; return it packed by the first axis of `shape`, read-only.

    shape: its axes as they follow each other in the file, the slowest one first.
    """
    first, second, third = shape
    packed = np.empty((first, (second * third + 7) // 8), np.uint8)
    done = 0
    for chunk in stored.chunks(max(1, _CHUNK_BYTES // (second * third * stored.dtype.itemsize)), shape):
        spikes = to_spikes(chunk, stored.path)
        packed[done : done + len(spikes)] = pack_planes(spikes, flip=False)
        done += len(spikes)
    packed.flags.writeable = False
    return packed


def pack_in_order(packed: NDArray[np.uint8], shape: Planes3D, axes: Planes3D) -> NDArray[np.uint8]:
    """Return packed planes of an array that was packed by its first axis.

    shape: of that array. axes: which of its axes are time, rows and columns.
    """
    time, rows, columns = axes
    if time != 0:
        # By time, the first axis taken for rows.
        packed, shape = _by_time(packed, shape, time), (shape[time], shape[0], shape[3 - time])
        rows, columns = (1, 2) if rows == 0 else (2, 1)
    if (rows, columns) == (2, 1):
        packed = _by_planes(packed, shape)
    packed.flags.writeable = False
    return packed


def _by_time(packed: NDArray[np.uint8], shape: Planes3D, time: int) -> NDArray[np.uint8]:
    across = shape[3 - time]
    ordered = np.empty((shape[time], (shape[0] * across + 7) // 8), np.uint8)
    # Eight rows are a whole number of bytes, whatever the width.
    step = max(8, _CHUNK_BYTES // (shape[1] * shape[2]) // 8 * 8)
    for row in range(0, shape[0], step):
        spikes = unpack_planes(packed[row : row + step], Size(shape[1], shape[2]), flip=False)
        lines = np.moveaxis(spikes, time, 0)
        bits = np.packbits(lines.reshape(shape[time], -1), axis=1, bitorder="little")
        first = row * across // 8
        ordered[:, first : first + bits.shape[1]] = bits
    return ordered


def _by_planes(packed: NDArray[np.uint8], shape: Planes3D) -> NDArray[np.uint8]:
    ordered = np.empty_like(packed)
    step = max(1, _CHUNK_BYTES // (shape[1] * shape[2]))
    for plane in range(0, shape[0], step):
        spikes = unpack_planes(packed[plane : plane + step], Size(shape[1], shape[2]), flip=False)
        ordered[plane : plane + step] = pack_planes(spikes.transpose(0, 2, 1), flip=False)
    return ordered
