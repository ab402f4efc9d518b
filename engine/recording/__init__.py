"""Spike recordings: one protocol, whatever the file."""

import os
from pathlib import Path

from engine.errors import GeometryError, RecordingError
from engine.geometry import Size
from engine.recording.packed import PackedRecording, write_packed
from engine.recording.planes import plane_bytes
from engine.recording.recording import (
    GeometryCandidate,
    Recording,
    RecordingFormat,
    RecordingInfo,
    Source,
)

__all__ = [
    "GeometryCandidate",
    "Recording",
    "RecordingFormat",
    "RecordingInfo",
    "Source",
    "open_recording",
    "write_packed",
]


def open_recording(
    path: str | os.PathLike[str],
    *,
    height: int | None = None,
    width: int | None = None,
    rate_hz: float | None = None,
    flip: bool | None = None,
) -> Recording:
    """Open a spike recording without reading it."""
    path = Path(path)
    if height is None or width is None:
        raise GeometryError("nothing says how large a plane is", path=path, advice="Give height and width.")
    try:
        total_bytes = path.stat().st_size
    except OSError as error:
        raise RecordingError(f"cannot open the recording: {error.strerror}", path=path) from error
    size = Size(height, width)
    planes, remainder_bytes = divmod(total_bytes, plane_bytes(size))
    if planes == 0:
        raise RecordingError(
            "the recording is shorter than one plane",
            path=path,
            found=f"{total_bytes} bytes",
            expected=f"at least {plane_bytes(size)} bytes for {size}",
        )
    return PackedRecording(
        RecordingInfo(
            path=path,
            format="packed",
            height=height,
            width=width,
            planes=planes,
            bytes=total_bytes,
            rate_hz=rate_hz,
            remainder_bytes=remainder_bytes,
            flip=True if flip is None else flip,
        )
    )
