"""From what pixels counted, and what was expected of them, to a pattern that is more than its own error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.fixed_pattern.pattern import FixedPattern, Origin
from engine.light.filters import Picture, local_mean

FEWEST_VIEWS = 3
ENERGY_RADIUS_PX = 10
ERROR_MARGINS = (1.3, 3.0)
"""A pattern counts as far as it exceeds so many times its error, in variance: the first where the picture as
a whole leaves no doubt that there is one, the second where it is likely that there is none."""
DOUBT = (2.0, 3.5)
"""Variance in units of the error, in the middle of all places: a sensor without pattern shows 1 to 2."""
LEAST_NOISE = 0.03
"""Of the views' own variance: counts in a row make up for each other's errors, but not without end."""
GAIN_LIMITS = (0.3, 3.0)


@dataclass(frozen=True, eq=False)
class Excess:
    """How much more than expected each pixel counted, and how far that may be off."""

    mean: Picture
    """(h, w), 0 where a pixel counts what is expected of it."""
    error: Picture
    """(h, w) variance of `mean`."""

    @classmethod
    def of(
        cls,
        counts: NDArray[np.float32],
        expected: NDArray[np.float32],
        weights: NDArray[np.float32] | None = None,
    ) -> "Excess":
        """Join views (n, h, w) in the order of time, at least 2, each of which says as much as was expected.

        The error is asked of the views themselves: by how much they differ, less what neighbours in time make
        up for (a spike that comes late is missing in one and too many in the next).
        """
        views = len(counts)
        weights = expected if weights is None else weights * expected
        total = weights.sum(axis=0) + np.float32(1e-12)
        own = (counts / expected - 1) * (weights / total)
        mean = own.sum(axis=0)
        own -= mean * (weights / total)
        apart = np.square(own).sum(axis=0)
        together = apart + 2 * (own[1:] * own[:-1]).sum(axis=0)
        apart, together = (local_mean(field, ENERGY_RADIUS_PX) for field in (apart, together))
        error = np.maximum(together, np.float32(LEAST_NOISE) * apart) * np.float32(views / (views - 1))
        # What the early and the late views do not agree on is no pattern either, whatever it is.
        early, late = (_mean(counts[half], expected[half], weights[half]) for half in _halves(views))
        return cls(mean, np.maximum(error, local_mean(np.square(early - late) / 4, ENERGY_RADIUS_PX)))

    def pattern(self, seen: Picture, sound: Picture, origin: Origin, windows: int) -> FixedPattern:
        """Return the pattern where `seen` (h, w), 0 to 1, says that it could be told from the scene.

        `sound` is 0 at defective pixels, which have none. What chance explains is left out.
        """
        told = seen * sound
        asked = (told > 0).astype(np.float32)
        near = local_mean(asked, ENERGY_RADIUS_PX) + np.float32(1e-6)
        energy = local_mean(asked * np.square(self.mean), ENERGY_RADIUS_PX) / near
        error = local_mean(asked * self.error, ENERGY_RADIUS_PX) / near
        share = np.maximum(energy - _margin(energy, error, asked > 0) * error, 0)
        share /= energy + np.float32(1e-12)
        known = (share * told).astype(np.float32)
        gain = np.clip(1 + known * self.mean, *GAIN_LIMITS).astype(np.float32)
        return FixedPattern(gain, known, None, origin, windows)


def _margin(energy: Picture, error: Picture, asked: NDArray[np.bool_]) -> np.float32:
    """Return how many times its error a pattern must exceed: a sensor has one everywhere, or nowhere."""
    sure, doubtful = ERROR_MARGINS
    if not asked.any():
        return np.float32(doubtful)
    likely, clear = DOUBT
    usual = float(np.median(energy[asked] / (error[asked] + np.float32(1e-12))))
    return np.float32(np.interp(usual, (likely, clear), (doubtful, sure)))


def _halves(views: int) -> tuple[slice, slice]:
    return slice(0, views // 2), slice(views // 2, views)


def _mean(
    counts: NDArray[np.float32], expected: NDArray[np.float32], weights: NDArray[np.float32]
) -> Picture:
    total = weights.sum(axis=0) + np.float32(1e-12)
    return np.asarray(((counts / expected - 1) * (weights / total)).sum(axis=0), np.float32)
