"""What a pixel should have counted, by the pixels beside it.

Strategy: four lines run through a pixel, and along each of them its neighbours tell its value, by their mean
or by a parabola. A scene that is blurred by motion, or has an edge, is smooth along one of them, which is the
one that told its surroundings best; so each says as much as the square of its accuracy.
"""

from collections.abc import Iterator
from typing import cast

import cv2
import numpy as np

from engine.light.filters import Picture, blurred

LINES = ((0, 1), (1, 0), (1, 1), (1, -1))
REACH_PX = 2
ACCURACY_RADIUS_PX = 2.0
DARKEST = 0.05
"""Of the mean count: nothing is expected to be darker, so that ratios stay small."""


def expected_by_neighbours(counts: Picture) -> Picture:
    """Return (h, w) what the pixels around each pixel lead to expect of it, never its own count."""
    floor = np.float32(1e-5 * float(counts.mean()) ** 2 + 1e-12)
    total, weights = np.zeros_like(counts), np.zeros_like(counts)
    for told in _told_along_lines(counts):
        weight = np.square(1 / (blurred(np.square(counts - told), ACCURACY_RADIUS_PX) + floor))
        weight /= np.float32(1 / floor**2)
        total += told * weight
        weights += weight
    least = np.float32(DARKEST) * counts.mean() + np.float32(1e-6)
    return np.maximum(total / (weights + np.float32(1e-30)), least).astype(np.float32, copy=False)


def _told_along_lines(counts: Picture) -> Iterator[Picture]:
    height, width = counts.shape
    around = cv2.copyMakeBorder(counts, *(REACH_PX,) * 4, cv2.BORDER_REFLECT_101)

    def beside(down: int, right: int) -> Picture:
        top, left = REACH_PX + down, REACH_PX + right
        return cast(Picture, around[top : top + height, left : left + width])

    for down, right in LINES:
        near = beside(down, right) + beside(-down, -right)
        far = beside(2 * down, 2 * right) + beside(-2 * down, -2 * right)
        yield near * np.float32(1 / 2)
        yield (near * np.float32(4) - far) * np.float32(1 / 6)
