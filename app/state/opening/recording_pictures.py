"""Looking at a recording and painting it as it would be read; called in threads."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.environment import load_opencv
from engine.geometry import Size

if TYPE_CHECKING:
    from engine.recording.readings import Look

LARGEST_PICTURE_PX = 480
"""Longer edge of a candidate's picture: enough for a card on a screen of double density."""


@dataclass(frozen=True)
class Painted:
    """A reading's picture and what the recording is when it is read so."""

    picture: NDArray[np.uint8]
    """(h, w), made smaller, as if the bottom row were stored first."""
    planes: int
    remainder_bytes: int
    size: Size


def look(path: Path, msb_first: bool | None) -> "Look":
    """Find out how a recording can be read. Errors as of `engine.recording.readings.look_at`."""
    from engine.recording.readings import look_at  # what the window's first paint need not wait for

    return look_at(path, msb_first=msb_first)


def paint(path: Path, size: Size | None, msb_first: bool | None, at: float) -> Painted:
    """Paint a recording as planes of `size`. Errors as of `engine.recording.readings.picture_of`."""
    from engine.recording.readings import picture_of

    read = picture_of(path, size, msb_first=msb_first, at=at)
    grey = np.ascontiguousarray((read.picture * 255 + 0.5).astype(np.uint8))
    scale = LARGEST_PICTURE_PX / max(grey.shape)
    if scale < 1:
        load_opencv()
        import cv2

        smaller = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = np.ascontiguousarray(cv2.resize(grey, smaller, interpolation=cv2.INTER_AREA), np.uint8)
    return Painted(grey, read.info.planes, read.info.remainder_bytes, read.info.size)
