"""Spike recordings: one protocol, whatever the file.

`open_recording` looks at the path and the first bytes; each format is a module of its own.
"""

import dataclasses
import os
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.geometry import Size
from engine.recording.array_opening import open_array
from engine.recording.event_origin import Origin, agrees_from_one, size_by_frames
from engine.recording.folder import ARRAY_SUFFIXES, part_paths
from engine.recording.inference import infer_geometry
from engine.recording.opening import Given, open_packed, open_packed_folder
from engine.recording.orientation import FlipGuess, guess_flip, guess_lying
from engine.recording.packed import map_file, write_packed
from engine.recording.plane_opening import open_array_folder
from engine.recording.recording import (
    GeometryCandidate,
    Recording,
    RecordingFormat,
    RecordingInfo,
    Source,
    Spikes,
    SpikeSource,
)
from engine.recording.signature import checked_head, is_array
from engine.time_units import TimeUnit
from engine.time_units import time_unit as unit_named

__all__ = [
    "FlipGuess",
    "GeometryCandidate",
    "Recording",
    "RecordingFormat",
    "RecordingInfo",
    "Source",
    "SpikeSource",
    "Spikes",
    "TimeUnit",
    "guess_flip",
    "guess_geometry",
    "guess_lying",
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
    frame: NDArray[np.floating] | None = None,
    frame_window: tuple[float, float] | None = None,
    layout_size: Size | None = None,
    layout_planes: int | None = None,
    time_unit: str | None = None,
    msb_first: bool | None = None,
    frame_size: Size | None = None,
) -> Recording:
    """Open a spike recording without reading it.

    A `.dat` file holds packed planes, `.npy` and `.npz` unpacked planes or an event list, whose
    `time_unit` is guessed where it is None. A folder of files of planes is one recording, one after another.
    Which axis of unpacked planes is time is found from their values where no size that was said tells.

    Height and width are found out where they are not given: by a `config.yaml` beside or above, by what
    the data set's layout says (`layout_size`, `layout_planes`), by the bits themselves. The first two are
    checked against the bits, which win; `info.known_by` and `info.warnings` tell. `flip` says whether
    the bottom row is stored first; None asks the sidecar, then `frame`, a blurry picture (H, W[, 3]) of
    the same scene exposed in the planes `frame_window`, else takes what is usual for the format.
    The rows and columns of an event list count from 0, or from 1 where height and width, `frame_size` (of the
    frames of the same scene) or `frame` show it. The frame also tells if rows of an array are its columns.
    `msb_first` says that packed bytes hold their first pixel in the most significant bit; None means no.

    Raises RecordingError where the recording cannot be read, GeometryError (with the candidates) where
    its size is impossible or cannot be told.
    """
    path = Path(path)
    unit = None if time_unit is None else unit_named(time_unit)
    if time_unit is not None and unit is None:
        raise RecordingError(
            "no such unit of time", path=path, found=repr(time_unit), expected=", ".join(get_args(TimeUnit))
        )
    given = Given(
        height,
        width,
        rate_hz,
        flip,
        layout_size,
        layout_planes,
        unit,
        msb_first=msb_first,
        frame_size=frame_size,
    )
    given.check(path)
    recording = _open(path, given)
    if frame is None:
        return recording
    if recording.info.may_lie and guess_lying(recording, frame, frame_window):
        recording.close()
        given = dataclasses.replace(given, lying=True)
        recording = _open(path, given)
    if recording.info.known_by.get("flip") == "unknown":
        found = guess_flip(recording, frame, frame_window).flip
        if found is not None:
            recording.close()
            given = dataclasses.replace(given, flip=found, flip_source="bytes")
            recording = _open(path, given)
    if recording.info.origin_is_open:
        return _counted_from(path, recording, given, frame, frame_window)
    return recording


def _counted_from(
    path: Path,
    recording: Recording,
    given: Given,
    frame: NDArray[np.floating],
    frame_window: tuple[float, float] | None,
) -> Recording:
    """Open an event list again where the frame shows that its coordinates begin at 1."""
    info = recording.info
    if info.known_by["flip"] == "unknown":
        return recording
    by_frames: Size | None = None
    if "bytes" in (info.known_by["height"], info.known_by["width"]):
        by_frames = None if given.frame_size is None else size_by_frames(info.size, given.frame_size)
        if by_frames is None:
            return recording
    if not agrees_from_one(recording, by_frames or info.size, frame, frame_window):
        return recording
    recording.close()
    origin = Origin(1, 1, "a frame agrees with them clearly better so", size=by_frames)
    return _open(path, dataclasses.replace(given, event_origin=origin))


def _open(path: Path, given: Given) -> Recording:
    if path.is_dir():
        paths = part_paths(path)
        if paths[0].suffix.lower() in ARRAY_SUFFIXES:
            return open_array_folder(path, paths, given)
        return open_packed_folder(path, paths, given)
    head = checked_head(path)
    if is_array(path, head):
        return open_array(path, head, given)
    return open_packed(path, given)


def guess_geometry(
    path: str | os.PathLike[str], *, height: int | None = None, width: int | None = None
) -> list[GeometryCandidate]:
    """Return the readings of a packed recording that its bits allow, the likeliest first."""
    path = Path(path)
    if is_array(path, checked_head(path)):
        raise RecordingError(
            "the size of its planes is in the file, and need not be guessed",
            path=path,
            expected="packed planes (.dat)",
            advice="Open it as it is.",
        )
    stored = np.frombuffer(map_file(path), np.uint8)
    return list(infer_geometry(stored, height=height, width=width).candidates)
