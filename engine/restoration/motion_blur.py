"""What motion during an exposure does to a picture, and how to go back.

A blurry frame is the mean of the sharp picture moved along its trajectories. This holds in the signal that an
exposure adds up, not in its code values.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.light.filters import (
    Picture,
    pixel_grid,
    sample,
)
from engine.light.trajectories import Trajectories

Field = NDArray[np.float32]
"""(h, w, channels)"""

STEP_PX = 1.5
"""Motion between two of the moments that make up an exposure."""
MOMENTS = (4, 24)
"""Fewest and most of them."""
SHARP_BELOW_PX = 1.0
BLURRED_FROM_PX = 5.0
"""Motion in an exposure up to which a picture counts as sharp, and from which it is blurred in full."""


@dataclass(frozen=True, eq=False)
class Blur:
    """What an exposure does to the picture of its centre."""

    seen_at: tuple[Field, ...]
    """For each moment: where every pixel's colour was at the centre."""
    moved_to: tuple[Field, ...]
    """For each moment: where every point of the centre is."""

    @classmethod
    def along(cls, motion: Trajectories) -> "Blur":
        """`motion` is in pixels of its grid, which is the pictures'."""
        fewest, most = MOMENTS
        moments = min(max(math.ceil(motion.speed / STEP_PX), fewest), most)
        times = ((np.arange(moments) + 0.5) / moments - 0.5).tolist()
        size = motion.size
        grid = pixel_grid(size, size)
        backwards = motion.reversed()
        return cls(
            tuple(backwards.places(time, grid) for time in times),
            tuple(motion.places(time, grid) for time in times),
        )

    def blurry(self, sharp: Field) -> Field:
        return _mean_of_samples(sharp, self.seen_at)

    def spread_back(self, blurry: Field) -> Field:
        """Give every point the mean of what it took part in: the transpose of `blurry`, in smooth motion."""
        return _mean_of_samples(blurry, self.moved_to)


def share_of_blur(motion: Trajectories) -> Picture:
    """Return where a picture counts as blurred by `motion`, on its grid: from 0 to 1."""
    return np.clip((motion.travel_px - SHARP_BELOW_PX) / (BLURRED_FROM_PX - SHARP_BELOW_PX), 0.0, 1.0)


def _mean_of_samples(field: Field, places: tuple[Field, ...]) -> Field:
    total = np.zeros_like(field)
    for moment in places:
        cv2.add(total, sample(field, moment), total)
    return total / np.float32(len(places))
