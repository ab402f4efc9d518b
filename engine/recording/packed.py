"""Headerless `.dat` recordings: packed planes, mapped into memory and never read as a whole."""

import mmap
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.recording.planes import check_span, pack_planes, unpack_planes
from engine.recording.recording import RecordingInfo


class PackedRecording:
    """Planes of a mapped `.dat` file. Safe to read from several threads."""

    def __init__(self, info: RecordingInfo) -> None:
        self._info = info
        self._mapped: mmap.mmap | None = None
        try:
            with info.path.open("rb") as file:
                self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise RecordingError("cannot map the recording into memory", path=info.path) from error
        stored = np.frombuffer(self._mapped, np.uint8, info.planes * info.plane_bytes)
        self._planes: NDArray[np.uint8] | None = stored.reshape(info.planes, info.plane_bytes)

    @property
    def info(self) -> RecordingInfo:
        return self._info

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes): a read-only view of the file."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        if self._planes is None:
            raise RecordingError("the recording is closed", path=self._info.path)
        return self._planes[start:stop]

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first."""
        return unpack_planes(self.packed(start, stop), self._info.size, self._info.flip)

    def parts(self) -> tuple[int, ...]:
        """Return (0,): one continuous part."""
        return (0,)

    def close(self) -> None:
        """Let go of the file; it stays mapped until the last view is gone."""
        self._planes = None
        self._mapped = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


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
    if planes.dtype != np.bool_ and (planes.min() < 0 or planes.max() > 1):
        raise RecordingError(
            "cannot write planes that are not binary",
            path=path,
            found=f"values from {planes.min()} to {planes.max()}",
            expected="0 and 1",
        )
    packed = pack_planes(planes.astype(np.uint8, copy=False), flip)
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(packed.data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise RecordingError(
            f"cannot write the recording: {error.strerror or error}",
            path=path,
            advice="Choose a folder that can be written and has room.",
        ) from error
