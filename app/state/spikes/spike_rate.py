"""The spike rate of a recording at every zoom.

Strategy: beside the rate of every plane stand the lowest, the highest and the sum of blocks of 4, 16, 64 …
planes. A view reads the blocks that are a small part of a screen column, so that it costs the same however
long the recording is and however much of it is in view.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GROWTH = 4
"""Blocks of one level that make a block of the next."""
LEAST_BLOCKS = 8
"""Blocks a screen column is read from at least, where it is not read plane by plane."""
FEWEST_BLOCKS = 64
"""A level of so few has no next one."""


@dataclass(frozen=True, eq=False)
class RateLevel:
    """Blocks of planes, summarised. Every array has one more number at its end, which counts for nothing."""

    block_planes: int
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    total: NDArray[np.floating]
    """Sum over the planes of each block."""

    def __len__(self) -> int:
        return len(self.low) - 1

    @classmethod
    def of_planes(cls, values: NDArray[np.float32]) -> "RateLevel":
        padded = np.append(values, np.float32(0))
        return cls(1, padded, padded, padded)

    def coarser(self) -> "RateLevel":
        """Return the level of blocks `GROWTH` times as long; the last block may be shorter."""
        starts = np.arange(0, len(self), GROWTH)
        return RateLevel(
            self.block_planes * GROWTH,
            np.append(np.minimum.reduceat(self.low[:-1], starts), np.float32(0)),
            np.append(np.maximum.reduceat(self.high[:-1], starts), np.float32(0)),
            np.append(np.add.reduceat(self.total[:-1], starts, dtype=np.float64), 0.0),
        )


@dataclass(frozen=True, eq=False)
class RateCurve:
    """Spikes per pixel in every plane of a recording."""

    values: NDArray[np.float32]
    """(planes,), each in [0, 1]."""
    peak: float
    mean: float
    levels: tuple[RateLevel, ...]
    """Finest first: planes, then blocks of them."""

    @classmethod
    def of_counts(cls, counts: NDArray[np.int64], pixels: int) -> "RateCurve":
        level = RateLevel.of_planes((counts / pixels).astype(np.float32))
        levels = [level]
        while len(level) > FEWEST_BLOCKS:
            level = level.coarser()
            levels.append(level)
        values = levels[0].low[:-1]
        mean = float(values.mean(dtype=np.float64)) if len(values) else 0.0
        return cls(values, float(values.max(initial=0.0)), mean, tuple(levels))

    def level_for(self, planes_a_column: float) -> RateLevel:
        """Return the coarsest level that still has `LEAST_BLOCKS` blocks in a column, else the planes."""
        fits = [one for one in self.levels if one.block_planes * LEAST_BLOCKS <= planes_a_column]
        return fits[-1] if fits else self.levels[0]

    def envelope(self, start: float, stop: float, columns: int) -> NDArray[np.float32]:
        """Return lowest, highest and mean value of every screen column over the planes [start, stop).

        float32 (3, columns); NaN where a column lies outside the recording. Columns of many planes are
        widened to whole blocks, by less than an eighth of a column on either side.
        """
        planes = len(self.values)
        result = np.full((3, columns), np.nan, np.float32)
        edges = np.linspace(start, stop, columns + 1)
        first = np.floor(edges[:-1]).astype(np.int64)
        last = np.maximum(np.ceil(edges[1:]).astype(np.int64), first + 1)
        inside = (last > 0) & (first < planes)
        if not inside.any():
            return result
        level = self.level_for((stop - start) / columns)
        block = level.block_planes
        first = np.clip(first[inside], 0, planes - 1) // block
        last = -(-np.clip(last[inside], 1, planes) // block)
        # reduceat reads on to the end of what it is given: only what is in view, and a closing number
        view = slice(int(first[0]), int(last[-1]) + 1)
        pairs = np.column_stack([first, last]).ravel() - first[0]
        covered = np.minimum(last * block, planes) - first * block
        result[0, inside] = np.minimum.reduceat(level.low[view], pairs)[::2]
        result[1, inside] = np.maximum.reduceat(level.high[view], pairs)[::2]
        result[2, inside] = np.add.reduceat(level.total[view], pairs, dtype=np.float64)[::2] / covered
        return result
