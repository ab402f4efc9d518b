"""Counts of dead and hot pixels, filled from the pixels around them.

Strategy: what a defective pixel would have counted lies between its nearest sound pixels above and below,
and left and right, the nearer ones saying more: the two in a line are joined linearly, and the two lines by
the inverse square of their spans. A single pixel takes the mean of four, a dead row the mean of the rows
beside it. The weights are the same for every exposure, so a recording's filling is made once. How far to
trust what was filled is a map: across wide gaps it is smooth, and says nothing about the scene.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region
from engine.recording.defects import Defects
from engine.registration import Registration

TRUSTED_SPAN_PX = 3
"""Sound pixels on both sides of a gap are at most so far apart where what fills it is trusted."""
TOUCHED_PX = 2
"""Resampling takes up to so many pixels of an untrusted gap into those beside it."""


class SoundPixels(Protocol):
    """Which counts are to be believed, (h, w) each, of 0 and 1."""

    @property
    def sound(self) -> NDArray[np.float32]:
        """0 where counts are filled, else 1."""
        ...

    @property
    def trust(self) -> NDArray[np.float32]:
        """1 where counts are sound or filled across a narrow gap, 0 where the gap is wide."""
        ...


@dataclass(frozen=True, eq=False)
class Filling:
    """How the counts of defective pixels follow from the others'."""

    holes: NDArray[np.intp]
    """(n,) places in the picture, row by row."""
    sources: NDArray[np.intp]
    """(n, 4) places of the nearest sound pixels up, down, left and right."""
    weights: NDArray[np.float32]
    """(n, 4), 1 in all, or 0 where a row and a column hold no sound pixel."""
    trust: NDArray[np.float32]
    """(h, w): 1 where counts are sound or filled across a narrow gap, 0 where the gap is wide."""

    @classmethod
    def of(cls, defects: Defects) -> Self | None:
        """Return the filling of some defects; None where nothing is to be filled."""
        if not defects:
            return None
        mask = defects.mask
        height, width = mask.shape
        rows, columns = np.nonzero(mask)
        up, down = (near[rows, columns] for near in _nearest_sound(mask))
        left, right = (near[columns, rows] for near in _nearest_sound(mask.T))
        distances = np.stack([rows - up, down - rows, columns - left, right - columns], axis=1)
        there = np.stack([up >= 0, down < height, left >= 0, right < width], axis=1)
        sources = np.stack(
            [up * width + columns, down * width + columns, rows * width + left, rows * width + right], axis=1
        )
        weights = np.zeros(sources.shape, np.float32)
        spans = np.full((len(rows), 2), np.inf)
        for axis in (0, 1):
            pair, sides = slice(2 * axis, 2 * axis + 2), there[:, 2 * axis : 2 * axis + 2]
            near = np.where(sides, distances[:, pair], np.inf)
            both = sides.all(axis=1)
            one = sides.any(axis=1) & ~both
            spans[both, axis] = near[both].sum(axis=1)
            spans[one, axis] = 2 * near[one].min(axis=1) + 1
            share = sides.astype(np.float32)
            share[both] = near[both][:, ::-1] / spans[both, axis, None]
            weights[:, pair] = share / spans[:, axis, None] ** 2
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-30))
        sources = np.where(weights > 0, sources, (rows * width + columns)[:, None])
        untrusted = np.zeros_like(mask)
        wide = spans.min(axis=1) > TRUSTED_SPAN_PX
        untrusted[rows[wide], columns[wide]] = True
        trust = np.where(_widened(untrusted, TOUCHED_PX), np.float32(0), np.float32(1))
        return cls(rows * width + columns, sources, weights, trust)

    @cached_property
    def sound(self) -> NDArray[np.float32]:
        """(h, w): 0 where counts are filled, else 1."""
        sound = np.ones_like(self.trust)
        sound.reshape(-1)[self.holes] = 0
        return sound

    def fill(self, counts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return counts (..., h, w) with the defective pixels filled."""
        flat = counts.reshape(*counts.shape[:-2], -1)
        filled = flat.copy()
        filled[..., self.holes] = (flat[..., self.sources] * self.weights).sum(axis=-1)
        return filled.reshape(counts.shape)

    def region(self, region: Region) -> tuple[Region, Self]:
        """Return what has to be counted to fill a region, which may be larger, and the filling of that."""
        height, width = self.trust.shape
        rows, columns = np.divmod(self.holes, width)
        inside = (rows >= region.top) & (rows < region.bottom)
        inside &= (columns >= region.left) & (columns < region.right)
        rows, columns = np.divmod(self.sources[inside], width)
        around = Region(
            int(min(region.top, rows.min(initial=height))),
            int(min(region.left, columns.min(initial=width))),
            int(max(region.bottom, rows.max(initial=-1) + 1)),
            int(max(region.right, columns.max(initial=-1) + 1)),
        )

        def local(places: NDArray[np.intp]) -> NDArray[np.intp]:
            rows, columns = np.divmod(places, width)
            return (rows - around.top) * around.size.width + columns - around.left

        return around, type(self)(
            local(self.holes[inside]),
            local(self.sources[inside]),
            self.weights[inside],
            self.trust[around.slices],
        )


@dataclass(frozen=True, eq=False)
class _SoundOnGrid:
    sound: NDArray[np.float32]
    trust: NDArray[np.float32]


def sound_on_grid(filling: Filling | None, registration: Registration) -> SoundPixels | None:
    """Return which counts are to be believed where they are drawn on a registration's grid; None for all.

    Beyond the sensor none are. What is drawn from filled counts, too, counts as filled.
    """
    covered = registration.covered_grid()
    if filling is None and covered.all():
        return None
    everywhere = covered.astype(np.float32)
    if filling is None:
        return _SoundOnGrid(everywhere, everywhere)
    wholly = [
        np.floor(registration.on_grid(mask, beyond="mirrored") + np.float32(1e-4)) * everywhere
        for mask in (filling.sound, filling.trust)
    ]
    return _SoundOnGrid(*wholly)


def _nearest_sound(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of the nearest sound pixels above and below every pixel; -1 and the height for none."""
    height = len(mask)
    at = np.arange(height)[:, None]
    above = np.maximum.accumulate(np.where(mask, -1, at), axis=0)
    below = np.minimum.accumulate(np.where(mask, height, at)[::-1], axis=0)[::-1]
    return above, below


def _widened(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return the mask and what is at most `reach` from it, rows and columns each."""
    for axis in (0, 1):
        padded = np.pad(mask, [(reach, reach) if at == axis else (0, 0) for at in (0, 1)])
        near = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)
        mask = np.logical_or.reduce(near, axis=-1)
    return mask
