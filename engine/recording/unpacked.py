"""Unpacked recordings: arrays of 0 and 1, in `.npy` or `.npz`, whichever of their axes is time.

A `.npy` file is mapped and read plane by plane; where time is the axis that changes fastest in the file,
planes are gathered and packed many at a time. A `.npz` is compressed and cannot be mapped: it is packed
eight pixels to a byte while it is read, so that memory never holds the array itself.
"""

import mmap
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.recording.plane_source import PlaneSource
from engine.recording.planes import check_span, pack_planes, unpack_planes
from engine.recording.recording import RecordingInfo

_CHUNK_BYTES = 16 << 20
_PROBED_PLANES = 8
_PROBED_ROWS = 4
_GATHERED_BYTES = 16 << 20
"""Packed planes that are gathered at once; a few such blocks are kept."""
_MOST_GATHERED_PLANES = 4096
_KEPT_BLOCKS = 3

Planes3D = tuple[int, int, int]


def three_axes(shape: tuple[int, ...]) -> Planes3D | None:
    """Return the shape without axes of one channel or one batch; None where it has no three axes."""
    left = list(shape)
    while len(left) > 3:
        single = [axis for axis in (1, len(left) - 1, *range(2, len(left) - 1), 0) if left[axis] == 1]
        if not single:
            return None
        del left[single[0]]
    return (left[0], left[1], left[2]) if len(left) == 3 and 0 not in left else None


def to_spikes(planes: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    """Turn planes of 0 and one other value into uint8 0/1. Raises RecordingError where they have more."""
    spikes = planes != 0
    if planes.dtype != np.bool_ and spikes.any():
        lit = planes[spikes]
        lowest, highest = lit.min(), lit.max()
        if not lowest == highest:  # NaN is not equal to itself.
            raise RecordingError(
                "the planes are not binary",
                path=path,
                found=f"values 0 and {lowest} to {highest}",
                expected="0 and 1",
                advice="Choose the array with the spikes, not a video or counts.",
            )
    return spikes.view(np.uint8)


class MappedPlanes(PlaneSource):
    """Planes of a mapped `.npy` array. Safe to read from several threads.

    array: (planes, H, W), transposed from what is stored where its axes are others.
    """

    def __init__(self, info: RecordingInfo, array: NDArray[np.generic]) -> None:
        super().__init__(info)
        self._array: NDArray[np.generic] | None = array
        self._is_gathered = time_is_fastest(array)
        self._blocks: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()
        self._block_planes = max(8, min(_MOST_GATHERED_PLANES, _GATHERED_BYTES // info.plane_bytes))
        if self._is_gathered:
            rows = max(1, _PROBED_ROWS * _PROBED_PLANES // info.width)
            for row in np.unique(np.linspace(0, info.height - rows, _PROBED_PLANES).astype(int)).tolist():
                to_spikes(np.asarray(array[: self._block_planes, row : row + rows]), info.path)
        else:
            for plane in np.unique(np.linspace(0, info.planes - 1, _PROBED_PLANES).astype(int)).tolist():
                self._spikes(plane, plane + 1)

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first."""
        if self._is_gathered:
            return unpack_planes(self.packed(start, stop), self._info.size, self._info.flip)
        spikes = self._spikes(start, stop)
        return np.ascontiguousarray(spikes[:, ::-1] if self._info.flip else spikes)

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) packed, (planes, plane_bytes): a copy."""
        if not self._is_gathered:
            return pack_planes(self._spikes(start, stop), flip=False)
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        packed = np.empty((stop - start, self._info.plane_bytes), np.uint8)
        for index in range(start // self._block_planes, -(-stop // self._block_planes)):
            first = index * self._block_planes
            block = self._block(index)
            inside = slice(max(start, first), min(stop, first + len(block)))
            packed[inside.start - start : inside.stop - start] = block[
                inside.start - first : inside.stop - first
            ]
        return packed

    def _opened(self) -> NDArray[np.generic]:
        if self._array is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        return self._array

    def _spikes(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes in file order."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        return to_spikes(np.asarray(self._opened()[start:stop]), self._info.path)

    def _block(self, index: int) -> NDArray[np.uint8]:
        """Return the packed planes of a block, gathered from all over the file where they are not kept."""
        array = self._opened()
        with self._lock:
            block = self._blocks.get(index)
            if block is None:
                start = index * self._block_planes
                block = _gathered(
                    array[start : min(self._info.planes, start + self._block_planes)], self._info.path
                )
                self._blocks[index] = block
                _let_go(array)
            self._blocks.move_to_end(index)
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
            return block

    def forget(self, start: int, stop: int) -> None:
        """Let go of the memory behind planes [start, stop)."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        array = self._array
        if array is None:
            return
        plane_bytes = array[0].nbytes
        if array.strides[0] == plane_bytes:
            _let_go(array, start * plane_bytes, stop * plane_bytes)
        else:
            _let_go(array)

    def close(self) -> None:
        self._array = None
        self._blocks.clear()


def time_is_fastest(array: NDArray[np.generic]) -> bool:
    """Whether neighbours in memory are one pixel at two times, (planes, H, W) being a transposed array."""
    return array.strides[0] < min(array.strides[1:]) and array.shape[0] > 1


def _gathered(array: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    """Pack planes (planes, H, W) of which neighbours in memory are one pixel at two times."""
    planes, height, width = array.shape
    packed = np.empty((planes, (height * width + 7) // 8), np.uint8)
    # Eight rows are a whole number of bytes, whatever the width.
    rows = max(8, _CHUNK_BYTES // (planes * width * array.itemsize) // 8 * 8)
    for row in range(0, height, rows):
        by_pixel = np.ascontiguousarray(array[:, row : row + rows].transpose(1, 2, 0))
        bits = _packed_across(to_spikes(by_pixel, path).reshape(-1, planes))
        first = row * width // 8
        packed[:, first : first + len(bits)] = bits.T
    return packed


def _packed_across(spikes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack the first axis of (pixels, planes), eight pixels to a byte: packbits is slow that way round."""
    bits = np.zeros(((len(spikes) + 7) // 8, spikes.shape[1]), np.uint8)
    for bit in range(8):
        each = spikes[bit::8]
        bits[: len(each)] |= each << np.uint8(bit)
    return bits


def _let_go(array: NDArray[np.generic], start: int = 0, stop: int | None = None) -> None:
    """Let go of the memory behind bytes [start, stop) of a mapped array, all where they are not given."""
    mapped: mmap.mmap | None = getattr(array, "_mmap", None)
    if mapped is None or not hasattr(mmap, "MADV_DONTNEED"):
        return
    header_bytes = int(getattr(array, "offset", 0)) % mmap.ALLOCATIONGRANULARITY
    first = (header_bytes + start) // mmap.PAGESIZE * mmap.PAGESIZE
    last = len(mapped) if stop is None else min(len(mapped), header_bytes + stop)
    if last > first:
        mapped.madvise(mmap.MADV_DONTNEED, first, last - first)


class PackedPlanes(PlaneSource):
    """Planes held in memory, packed. Safe to read from several threads."""

    def __init__(self, info: RecordingInfo, planes: NDArray[np.uint8]) -> None:
        super().__init__(info)
        self._planes: NDArray[np.uint8] | None = planes

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes), a view."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        planes = self._planes
        if planes is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        return planes[start:stop]

    def close(self) -> None:
        self._planes = None
