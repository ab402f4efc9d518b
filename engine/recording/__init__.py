"""Spike recordings: one protocol, whatever the file.

`open_recording` looks at the path and the first bytes; each format is a module of its own.
"""

import os
from pathlib import Path

import numpy as np

from engine.geometry import Size
from engine.recording.folder import part_paths
from engine.recording.inference import infer_geometry
from engine.recording.opening import Given, open_packed, open_packed_folder
from engine.recording.packed import map_file, write_packed
from engine.recording.recording import (
    GeometryCandidate,
    Recording,
    RecordingFormat,
    RecordingInfo,
    Source,
)
from engine.recording.signature import read_head, refuse_foreign

__all__ = [
    "GeometryCandidate",
    "Recording",
    "RecordingFormat",
    "RecordingInfo",
    "Source",
    "guess_geometry",
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
    layout_size: Size | None = None,
    layout_planes: int | None = None,
) -> Recording:
    """Open a spike recording without reading it.

    A `.dat` file holds packed planes; a folder of them is one recording, file after file.

    Height and width are found out where they are not given: by a `config.yaml` beside or above, by what
    the data set's layout says (`layout_size`, `layout_planes`), by the bits themselves. The first two are
    checked against the bits, which win; `info.known_by` and `info.warnings` tell. `flip` says whether
    the bottom row is stored first; None asks the sidecar, else takes what is usual for the format.

    Raises RecordingError where the recording cannot be read, GeometryError (with the candidates) where
    its size is impossible or cannot be told.
    """
    path = Path(path)
    given = Given(height, width, rate_hz, flip, layout_size, layout_planes)
    given.check(path)
    if path.is_dir():
        paths = part_paths(path)
        return open_packed_folder(path, paths, given)
    head = read_head(path)
    refuse_foreign(path, head)
    return open_packed(path, given)


def guess_geometry(
    path: str | os.PathLike[str], *, height: int | None = None, width: int | None = None
) -> list[GeometryCandidate]:
    """Return the readings of a packed recording that its bits allow, the likeliest first."""
    path = Path(path)
    refuse_foreign(path, read_head(path))
    stored = np.frombuffer(map_file(path), np.uint8)
    return list(infer_geometry(stored, height=height, width=width).candidates)
