"""Whether a recording is of the sensor that a pattern is of.

Strategy: what a recording's pixels count beyond their neighbours is its sensor's pattern and the scene's
detail, and the scene knows nothing of the pattern. So the share of the pattern that is found in it is 1 for
the same sensor and 0 for another one; how far chance leads off is asked of the same pattern, shifted.
"""

from dataclasses import dataclass

import numpy as np

from engine.fixed_pattern.neighbours import expected_by_neighbours
from engine.fixed_pattern.pattern import FixedPattern
from engine.light.filters import blurred
from engine.recording.plane_sample import sample_counts
from engine.recording.recording import SpikeSource
from engine.spike_filling import Filling

SHIFTS = 48
NEAREST_SHIFT_PX = 4
WEIGHT_BLUR_PX = 3.0
LARGEST_EXCESS = 0.5
OTHER_BELOW, OTHER_SIGMAS = 0.5, 4.0
SAME_SIGMAS = 5.0
TELLING_SIGMA = 0.1


@dataclass(frozen=True)
class Match:
    """How much of a pattern a recording shows."""

    share: float
    """1 where all of it is there, about 0 where the sensor is another one."""
    sigma: float
    """By how much chance leads off."""

    @property
    def is_same(self) -> bool:
        """Chance does not show so much of a pattern."""
        return self.share > SAME_SIGMAS * self.sigma

    @property
    def is_other(self) -> bool:
        """The pattern is not there, where it would have been seen."""
        return self.sigma < TELLING_SIGMA and self.share + OTHER_SIGMAS * self.sigma < OTHER_BELOW


def match_pattern(pattern: FixedPattern, recording: SpikeSource, filling: Filling | None = None) -> Match:
    """Return how much of a pattern a recording of the same size shows, of which a bounded part is read.

    `filling` is that of the recording's defects.
    """
    counts = sample_counts(recording).counts
    if not counts.any() or not pattern:
        return Match(0.0, float("inf"))
    told = (pattern.known > 0).astype(np.float32)
    if filling is not None:
        counts, told = filling.fill(counts), told * filling.sound
    excess = np.clip(counts / expected_by_neighbours(counts) - 1, -LARGEST_EXCESS, LARGEST_EXCESS)
    weights = told / (blurred(np.square(excess), WEIGHT_BLUR_PX) + np.float32(1e-4))
    own = (pattern.gain / expected_by_neighbours(pattern.gain) - 1).astype(np.float32)

    def share(shown: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
        energy = float((weights * shown * shown).sum())
        return float((weights * shown * excess).sum()) / energy if energy > 0 else 0.0

    height, width = own.shape
    generator = np.random.default_rng(0)  # the same shifts each time: the answer is one of the data
    by_chance = [
        share(np.roll(own, (down, right), (0, 1)))
        for down, right in zip(
            generator.integers(
                NEAREST_SHIFT_PX, max(NEAREST_SHIFT_PX + 1, height - NEAREST_SHIFT_PX), SHIFTS
            ),
            generator.integers(NEAREST_SHIFT_PX, max(NEAREST_SHIFT_PX + 1, width - NEAREST_SHIFT_PX), SHIFTS),
            strict=True,
        )
    ]
    return Match(share(own), float(np.sqrt(np.mean(np.square(by_chance)))))
