"""Unpacked recordings: arrays (planes, H, W) of 0 and 1, in `.npy` or `.npz`.

A `.npy` file is mapped and read plane by plane. A `.npz` is compressed and cannot be: it is packed
eight pixels to a byte while it is read, so that memory never holds the array itself.
"""

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.recording.arrays import StoredArray
from engine.recording.planes import check_span, pack_planes, unpack_planes
from engine.recording.recording import ClosesOnExit, RecordingInfo

_CHUNK_BYTES = 16 << 20
_PROBED_PLANES = 8


def drop_single_axis(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return (planes, H, W) of an array of planes, None where its shape is none; one channel may be kept."""
    if len(shape) == 4:
        shape = shape[:1] + shape[2:] if shape[1] == 1 else shape[:3] if shape[3] == 1 else shape
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 and 0 not in shape else None


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


class MappedPlanes(ClosesOnExit):
    """Planes of a mapped `.npy` array. Safe to read from several threads."""

    def __init__(self, info: RecordingInfo, array: NDArray[np.generic]) -> None:
        self._info = info
        self._array: NDArray[np.generic] | None = array
        for plane in np.unique(np.linspace(0, info.planes - 1, _PROBED_PLANES).astype(int)).tolist():
            self._spikes(plane, plane + 1)

    @property
    def info(self) -> RecordingInfo:
        return self._info

    def _spikes(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes in file order."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        array = self._array
        if array is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        return to_spikes(np.asarray(array[start:stop]), self._info.path)

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first."""
        spikes = self._spikes(start, stop)
        return np.ascontiguousarray(spikes[:, ::-1]) if self._info.flip else spikes

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) packed, (planes, plane_bytes): a copy."""
        return pack_planes(self._spikes(start, stop), flip=False)

    def forget(self, start: int, stop: int) -> None:
        """Let go of the memory behind planes [start, stop)."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        array = self._array
        mapped: mmap.mmap | None = getattr(array, "_mmap", None)
        if array is None or mapped is None or not hasattr(mmap, "MADV_DONTNEED"):
            return
        plane_bytes = array.nbytes // self._info.planes
        header_bytes = len(mapped) - array.nbytes
        first = (header_bytes + start * plane_bytes) // mmap.PAGESIZE * mmap.PAGESIZE
        mapped.madvise(mmap.MADV_DONTNEED, first, header_bytes + stop * plane_bytes - first)

    def parts(self) -> tuple[int, ...]:
        """Return (0,): one continuous part."""
        return (0,)

    def close(self) -> None:
        self._array = None


class PackedPlanes(ClosesOnExit):
    """Planes held in memory, packed. Safe to read from several threads."""

    def __init__(self, info: RecordingInfo, planes: NDArray[np.uint8]) -> None:
        self._info = info
        self._planes: NDArray[np.uint8] | None = planes

    @property
    def info(self) -> RecordingInfo:
        return self._info

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes), a view."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        planes = self._planes
        if planes is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        return planes[start:stop]

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first."""
        return unpack_planes(self.packed(start, stop), self._info.size, self._info.flip)

    def parts(self) -> tuple[int, ...]:
        """Return (0,): one continuous part."""
        return (0,)

    def close(self) -> None:
        self._planes = None


def pack_array(stored: StoredArray, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Read a stored array of planes some at a time and return it packed, read-only."""
    planes, height, width = shape
    packed = np.empty((planes, (height * width + 7) // 8), np.uint8)
    done = 0
    for chunk in stored.chunks(max(1, _CHUNK_BYTES // (height * width * stored.dtype.itemsize))):
        spikes = to_spikes(chunk.reshape(-1, height, width), stored.path)
        packed[done : done + len(spikes)] = pack_planes(spikes, flip=False)
        done += len(spikes)
    packed.flags.writeable = False
    return packed
