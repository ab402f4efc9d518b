"""What a list of sequences says about each, found out in a thread by opening it for a moment."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.display import to_bytes
from app.environment import load_opencv
from app.state.notices import describe
from engine.errors import EngineError, GeometryError
from engine.geometry import Size
from engine.source import SequenceSource

if TYPE_CHECKING:
    from engine.sequence import Sequence

THUMBNAIL_PX = (192, 108)
"""Widest and highest of a thumbnail: twice what is shown, for screens of double density."""


@dataclass(frozen=True)
class SequenceFacts:
    """One sequence in short."""

    frames: int = 0
    size: Size | None = None
    planes: int = 0
    lacks: tuple[str, ...] = ()
    """What is missing, such as "no spikes"."""
    notes: int = 0
    """How many oddities its files have."""
    thumbnail: NDArray[np.uint8] | None = None
    """(h, w, 3) RGB."""
    problem: str = ""
    """Why it cannot be opened, in one line."""
    needs_geometry: bool = False
    """It can be opened once somebody says how large a plane is."""


def facts_of(opener: "Callable[[SequenceSource], Sequence]", source: SequenceSource) -> SequenceFacts:
    """Open a sequence, look at it and close it again; what is wrong with it becomes its `problem`."""
    try:
        sequence = opener(source)
    except GeometryError as error:
        return SequenceFacts(problem=_line(error), needs_geometry=True)
    except EngineError as error:
        return SequenceFacts(problem=_line(error))
    try:
        return _facts(sequence)
    finally:
        sequence.close()


def _facts(sequence: "Sequence") -> SequenceFacts:
    recording = sequence.recording
    lacks = []
    if recording is None:
        lacks.append("no spikes")
    if sequence.is_virtual:
        lacks.append("no frames")
    if not sequence.has_reference:
        lacks.append("no reference")
    if recording is not None and sequence.windows_source == "guess" and not sequence.is_virtual:
        lacks.append("no alignment")
    facts = SequenceFacts(
        frames=len(sequence),
        size=sequence.frame_size,
        planes=0 if recording is None else recording.info.planes,
        lacks=tuple(lacks),
        notes=len(sequence.findings),
    )
    try:
        return replace(facts, thumbnail=_thumbnail(sequence.frame(0)))
    except EngineError as error:
        return replace(facts, problem=_line(error))


def _thumbnail(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    load_opencv()
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, THUMBNAIL_PX[0] / width, THUMBNAIL_PX[1] / height)
    smaller = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA), np.float32)
    return np.ascontiguousarray(to_bytes(small))


def _line(error: EngineError) -> str:
    notice = describe(error)
    return f"{notice.title} ({notice.facts})" if notice.facts else notice.title
