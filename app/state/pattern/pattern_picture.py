"""A sensor's pattern as a picture: grey fires as its neighbours do, brighter more, darker less."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.display import DisplayPicture, FloatPicture, display_picture

if TYPE_CHECKING:
    from engine.fixed_pattern import FixedPattern

SPREADS = 3.0
"""From grey to white, and from grey to black."""
LEAST_SCALE = 1e-3
"""Deviation that is shown white in a pattern without any spread."""
UNKNOWN = ((0.12, 0.15, 0.21), (0.20, 0.24, 0.32))
"""Colours of the stripes where nothing is known: bluish, so that no grey is taken for them."""
STRIPES = 48
"""Along the shorter edge of the picture, both colours together."""
NARROWEST_PX = 4


@dataclass(frozen=True, eq=False)
class PatternPicture:
    """What a pane shows of a pattern."""

    values: FloatPicture
    """(h, w, 3) in [0, 1]."""
    gain: FloatPicture
    """(h, w, 1), NaN where it is not known."""
    scale: float
    """Gain beyond 1 that is shown white; as much below it is black."""
    display: DisplayPicture


def pattern_picture(pattern: "FixedPattern") -> PatternPicture:
    """Draw gain − 1 of a pattern around grey, to 3 spreads either way, and stripes where it is not known."""
    known = pattern.known > 0
    scale = max(SPREADS * pattern.spread, LEAST_SCALE)
    grey = np.clip(np.float32(0.5) + (pattern.gain - 1) / np.float32(2 * scale), 0, 1)
    values = np.where(known[..., None], grey[..., None], _stripes(*pattern.gain.shape)).astype(np.float32)
    gain = np.where(known, pattern.gain, np.float32(np.nan))[..., None]
    return PatternPicture(values, gain.astype(np.float32), scale, display_picture(values))


def _stripes(height: int, width: int) -> FloatPicture:
    period = max(NARROWEST_PX, 2 * round(min(height, width) / STRIPES / 2))
    along = np.add.outer(np.arange(height), np.arange(width)) % period >= period // 2
    dark, light = (np.array(colour, np.float32) for colour in UNKNOWN)
    return np.where(along[..., None], light, dark)
