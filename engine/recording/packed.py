"""Headerless `.dat` recordings: packed planes, mapped into memory and never read as a whole."""

import contextlib
import mmap
import os
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.recording.bit_order import reverse_bits
from engine.recording.plane_source import PlaneSource
from engine.recording.planes import check_span, pack_planes, plane_bytes
from engine.recording.recording import RecordingInfo

KEPT_BYTES = 192 << 20
"""Files up to this size stay mapped once they are read: mapping them again takes half as long as counting."""


def map_file(path: Path) -> mmap.mmap:
    """Map a file read-only. Raises RecordingError where that cannot be done."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise RecordingError(f"the recording cannot be mapped into memory ({error})", path=path) from error


class PackedRecording(PlaneSource):
    """Planes of a mapped `.dat` file. Safe to read from several threads."""

    def __init__(self, info: RecordingInfo, mapped: mmap.mmap) -> None:
        super().__init__(info)
        self._mapped: mmap.mmap | None = mapped
        stored_bytes = plane_bytes(info.stored_size)
        self._used_bytes = info.planes * stored_bytes
        stored = np.frombuffer(mapped, np.uint8, self._used_bytes)
        self._planes: NDArray[np.uint8] | None = stored.reshape(info.planes, stored_bytes)

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes): a read-only view of the file.

        A copy without their heads where rows are raw camera lines, and where bits are stored the other way.
        """
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        mapped, planes = self._mapped, self._planes
        if mapped is None or planes is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        if mapped.size() < self._used_bytes:
            # Touching a page that is no longer there would end the process.
            raise RecordingError(
                "the recording was cut short while it was open",
                path=self._info.path,
                found=f"{mapped.size()} bytes",
                expected=f"{self._info.bytes} bytes",
                advice="Open it again.",
            )
        picked = planes[start:stop]
        if self._info.head_columns > 0:
            lines = picked.reshape(stop - start, self._info.height, -1)
            picked = lines[:, :, : self._info.width // 8].reshape(stop - start, self._info.plane_bytes)
        return reverse_bits(picked) if self._info.msb_first else picked

    def forget(self, start: int, stop: int) -> None:
        """Let go of the memory behind planes [start, stop), unless the whole file may stay mapped."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        mapped = self._mapped
        if mapped is None or self._used_bytes <= KEPT_BYTES or not hasattr(mmap, "MADV_DONTNEED"):
            return
        stored_bytes = plane_bytes(self._info.stored_size)
        first = start * stored_bytes // mmap.PAGESIZE * mmap.PAGESIZE
        if stop * stored_bytes > first:
            mapped.madvise(mmap.MADV_DONTNEED, first, stop * stored_bytes - first)

    def close(self) -> None:
        """Let go of the file; it stays mapped until the last view is gone."""
        self._planes = None
        self._mapped = None


def write_packed(path: str | os.PathLike[str], planes: NDArray[np.uint8], *, flip: bool = True) -> None:
    """Write planes (T, H, W) of 0 and 1 as a `.dat` recording, whole or not at all.

    The bottom row comes first in the file where `flip`. Raises RecordingError where the planes are
    not binary or the file cannot be written.
    """
    path = Path(path)
    planes = np.asarray(planes)
    if planes.ndim != 3 or planes.size == 0:
        raise RecordingError(
            "cannot write these planes", path=path, found=f"shape {planes.shape}", expected="(T, H, W)"
        )
    if planes.dtype != np.bool_ and not (planes.min() >= 0 and planes.max() <= 1):
        raise RecordingError(
            "cannot write planes that are not binary",
            path=path,
            found=f"values from {planes.min()} to {planes.max()}",
            expected="0 and 1",
        )
    packed = pack_planes(planes.astype(np.uint8, copy=False), flip)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(packed.data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise RecordingError(
            f"the recording cannot be written ({error.strerror or error})",
            path=path,
            advice="Choose a folder that can be written and has room.",
        ) from error
