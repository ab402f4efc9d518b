"""The ways a recording can be read, for somebody who is asked which is right, and a picture of each.

Strategy: what the bits show comes first, then usual sizes that the file is a whole number of planes of,
then what the bits hardly show, then usual sizes with bytes left over, which a truncated file has. A wrong
width shears the picture and a wrong height lets it roll, so a picture of some planes tells more than any
number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import GeometryError
from engine.geometry import Size, Span
from engine.recording import open_recording
from engine.recording.bit_order import guess_msb_first
from engine.recording.folder import part_paths
from engine.recording.inference import HEAD_COLUMNS, KNOWN_SIZES
from engine.recording.packed import map_file
from engine.recording.plane_source import count_planes
from engine.recording.planes import plane_bytes
from engine.recording.recording import GeometryCandidate, RecordingInfo
from engine.recording.signature import is_array, read_head, refuse_foreign

MOST_READINGS = 8
PICTURED_PLANES = 200
_BRIGHT_PERCENT = 99.5
_LIKELY_SHARE = 0.6

Reason = Literal["file", "bits", "usual", "usual-cut"]
"""Why a reading is offered: the file's format states it, the bits look like it, it is a usual size that the
file is a whole number of planes of, or one with bytes left over."""


@dataclass(frozen=True)
class Reading:
    """One way to read a recording."""

    geometry: GeometryCandidate
    reason: Reason


@dataclass(frozen=True)
class Look:
    """What can be told about a recording before anybody said how to read it."""

    path: Path
    total_bytes: int
    """Of the file, or of one of a folder's files."""
    is_packed: bool
    """Height, width and order of bits are not in the file."""
    info: RecordingInfo | None
    """How it is read unasked; None where nobody can tell."""
    problem: GeometryError | None
    """Why `info` is None."""
    readings: tuple[Reading, ...]
    """Likeliest first; empty where nothing fits."""
    msb_first: bool | None
    """The order of bits that the bits themselves show, if they do."""


@dataclass(frozen=True)
class ReadingPicture:
    """The mean of some planes, read in one way."""

    picture: NDArray[np.float32]
    """(H, W) in [0, 1], as if the bottom row were stored first: turn it over where it is not."""
    info: RecordingInfo


def look_at(path: Path, *, msb_first: bool | None = None) -> Look:
    """Find out how a recording can be read. Raises RecordingError where it is none at all."""
    info: RecordingInfo | None = None
    problem: GeometryError | None = None
    try:
        with open_recording(path, msb_first=msb_first) as recording:
            info = recording.info
    except GeometryError as error:
        problem = error
    packed = part_paths(path)[0] if path.is_dir() else path
    is_packed = not is_array(packed, read_head(packed))
    if info is not None and not is_packed:
        only = GeometryCandidate(info.size, info.planes, info.remainder_bytes, 1.0)
        return Look(path, info.bytes, False, info, None, (Reading(only, "file"),), None)
    if not is_packed:
        assert problem is not None
        raise problem
    refuse_foreign(packed, read_head(packed))
    total = packed.stat().st_size
    found = () if problem is None else problem.candidates
    if info is not None:
        found = (_as_candidate(info), *(each for each in info.candidates if each.size != info.size))
    order = _order_of_bits(packed, found)
    if msb_first is None and order:
        return look_at(path, msb_first=True)
    return Look(path, total, True, info, problem, _ranked(found, total), order)


def picture_of(
    path: Path, size: Size | None, *, msb_first: bool | None = None, at: float = 0.5
) -> ReadingPicture:
    """Read some planes as planes of `size` and return their mean, the brightest pixels being 1.

    size: None where the file states it. at: which part of the recording, from 0 for its first planes to 1.
    Raises GeometryError where not one plane is of that size.
    """
    height, width = (None, None) if size is None else (size.height, size.width)
    with open_recording(path, height=height, width=width, flip=True, msb_first=msb_first) as recording:
        info = recording.info
        planes = min(PICTURED_PLANES, info.planes)
        start = round(at * (info.planes - planes))
        counts = count_planes(recording, Span(start, start + planes))
    picture = np.divide(counts, max(1, planes), dtype=np.float32)
    bright = float(np.percentile(picture, _BRIGHT_PERCENT))
    return ReadingPicture(np.clip(picture / max(bright, 1e-6), 0.0, 1.0).astype(np.float32), info)


def _as_candidate(info: RecordingInfo) -> GeometryCandidate:
    known = next((each for each in info.candidates if each.size == info.size), None)
    if known is not None:
        return known
    return GeometryCandidate(info.size, info.planes, info.remainder_bytes, 0.0, info.head_columns)


def _order_of_bits(path: Path, found: tuple[GeometryCandidate, ...]) -> bool | None:
    if not found:
        return None
    first = found[0]
    pitch = plane_bytes(Size(first.size.height, first.size.width + first.head_columns))
    return guess_msb_first(np.frombuffer(map_file(path), np.uint8), pitch)


def _ranked(found: tuple[GeometryCandidate, ...], total_bytes: int) -> tuple[Reading, ...]:
    best = max((each.score for each in found), default=0.0)
    likely = [Reading(each, "bits" if each.score > 0 else "usual") for each in found]
    readings = [each for each in likely if each.geometry.score >= _LIKELY_SHARE * best]
    readings += _usual(total_bytes, cut=False)
    readings += likely
    readings += _usual(total_bytes, cut=True)
    by_size: dict[Size, Reading] = {}
    for reading in readings:
        by_size.setdefault(reading.geometry.size, reading)
    return tuple(by_size.values())[:MOST_READINGS]


def _usual(total_bytes: int, *, cut: bool) -> Iterator[Reading]:
    for stored in (*KNOWN_SIZES, *HEAD_COLUMNS):
        head = HEAD_COLUMNS.get(stored, 0)
        planes, rest = divmod(total_bytes, plane_bytes(stored))
        # Raw camera lines with a rest would only repeat the size without heads.
        if planes and bool(rest) is cut and not (rest and head):
            size = Size(stored.height, stored.width - head)
            yield Reading(GeometryCandidate(size, planes, rest, 0.0, head), "usual-cut" if rest else "usual")
