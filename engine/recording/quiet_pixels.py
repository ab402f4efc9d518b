"""Pixels that keep still where they should not, by what their neighbours and the frames show.

Strategy in `engine.recording.defects`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.recording.plane_sample import Counts

CHANCE = 1e-4
"""Bound on the false claims of a recording by chance, at Poisson's statistics; cameras scatter less."""
FIRING = 20
"""Pixels that fire do so this many times as often, at least, as ones that keep still may."""
LINE_QUIET_SHARE = 0.95
"""Part of a dead line's pixels that keep still; others may cross it that are hot."""
LINE_LIT_SHARE = 0.25
"""Part of the neighbouring lines that must fire."""
LINE_SURE = 4
"""Evidence for lines, beside that for pixels: there is plenty."""
WIDEST_BAND = 8
WIDEST_BORDER_BAND = 2
"""Lines side by side, within the picture and at its border: wider ones are letterboxes without a frame."""
PART_LEAST_PX = 16
PART_LEAST_SHARE = 1 / 4
WIDEST_PART = 2
MOST_IN_CLUSTER = 4
CLUSTER_REACH_PX = 3
NOT_DARK = 0.1
"""Neighbours of a single pixel have this share of what half of the picture has, at least."""
NEARLY = 0.25
"""Pixels with less than this share of what their neighbours have show that the scene itself can do that."""
SCENE_SHARE = 0.2
"""Of as many such pixels, so many at most keep still for the same reason."""

LIGHT_LEVELS = 32
ERODED_PX = 2
"""Frames and spikes need not lie on one another to the pixel."""
SAME_SCENE_CORRELATION = 0.3
DARK_SHARE = 0.3
"""A frame that shows less than this share of the light around explains why a place keeps still."""
USUAL_SHARE = 0.25
"""Of the places of one brightness that fire, all but this share fire as often as is usual."""
MOST_WITHOUT = 0.5
"""Of the places of one brightness, up to this share may be without data; more is taken for the scene."""
FEWEST_EXPECTED = 3.0
SHAPES = 2.0
"""Spikes that must be missing at each pixel of a place because it may have any shape: e² for each pixel."""
OWN_SHARE = 0.6
"""Part of a place that must be brighter in the frames than places that keep still."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Quiet:
    """Pixels that keep still: without spikes or, where `counts` are planes without one, without pauses."""

    counts: Counts
    mask: Mask
    needed: float
    """What neighbours must have counted, so that chance explains no pixel of the picture."""
    least: float
    """What they must have counted at any rate, on average."""

    @classmethod
    def of(cls, counts: Counts, allowed: int, least: float) -> "Quiet":
        needed = max(math.log(counts.size / CHANCE), FIRING * allowed, least)
        return cls(counts, counts <= allowed, needed, least)

    @property
    def is_open(self) -> bool:
        """A place keeps still close to so much that a frame should be asked."""
        if not self.mask.any():
            return False
        near = _around(self.counts, WIDEST_BAND) / _around(np.ones_like(self.counts), WIDEST_BAND)
        return float(np.maximum(near[self.mask] - SHAPES, 0).sum()) >= self.needed

    def by_lines(self) -> Mask:
        """Return whole rows and columns, and those from the border inwards, that should not keep still."""
        claimed = np.zeros_like(self.mask)
        if not self.mask.any():
            return claimed
        upright, turned = (self.counts, self.mask, claimed), (self.counts.T, self.mask.T, claimed.T)
        for counts, quiet, into in (upright, turned):
            lines = _quiet_lines(counts, quiet, LINE_SURE * self.needed, self.least)
            into[lines] |= quiet[lines]
        for counts, quiet, into in (upright, turned):
            for way in (1, -1):
                _claim_parts(counts[::way], quiet[::way], into[::way], LINE_SURE * self.needed, self.least)
        return claimed

    def alone(self, claimed: Mask) -> Mask:
        """Return the pixels that keep still alone, or with few others, among pixels that do not."""
        rest = self.mask & ~claimed
        found = np.zeros_like(rest)
        rows, columns = np.nonzero(rest)
        if len(rows) == 0:
            return found
        few = _around(rest.astype(np.float32), CLUSTER_REACH_PX)[rows, columns] <= MOST_IN_CLUSTER
        rows, columns = rows[few], columns[few]
        around = self._around_each(rows, columns)
        sure = around >= max(self.needed, NOT_DARK * float(np.median(self.counts)))
        found[rows[sure], columns[sure]] = True
        return found

    def outstanding(self, alone: Mask) -> Mask:
        """Return `alone` where such pixels stand out; none where the scene has many that are nearly so."""
        count = int(alone.sum())
        if count == 0:
            return alone
        rows, columns = np.nonzero(~self.mask & (self.counts < NEARLY * self.counts.max()))
        around = self._around_each(rows, columns)
        nearly = (around >= self.needed) & (self.counts[rows, columns] < NEARLY * around)
        by_scene = SCENE_SHARE * float(nearly.sum())
        return alone if count > by_scene + 3 * math.sqrt(by_scene) else np.zeros_like(alone)

    def _around_each(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Counts:
        """Return the mean of the lower half of what a pixel's neighbours counted, quiet ones left out.

        0 where fewer than three are left.
        """
        ring = _ring(np.where(self.mask, np.float32(np.nan), self.counts), rows, columns)
        known = np.isfinite(ring).sum(axis=1)
        half = (known + 1) // 2
        lower = np.where(np.arange(8) < half[:, None], np.sort(ring, axis=1), 0)  # unknown ones come last
        return np.where(known >= 3, lower.sum(axis=1) / np.maximum(half, 1), 0)


def _quiet_lines(counts: Counts, quiet: Mask, needed: float, least: float) -> Mask:
    """Return which rows keep still as a whole between rows that fire: (h,)."""
    height, width = counts.shape
    still = quiet.mean(axis=1) >= LINE_QUIET_SHARE
    found = np.zeros(height, bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]])))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        beside = [counts[row] * ~quiet[row] for row in (first - 1, stop) if 0 <= row < height]
        widest = WIDEST_BAND if len(beside) == 2 else WIDEST_BORDER_BAND
        if not beside or stop - first > widest:
            continue
        lower = np.minimum.reduce(beside)
        lit = np.count_nonzero(lower) >= LINE_LIT_SHARE * width
        found[first:stop] = lit and float(lower.sum()) >= max(needed, least * width)
    return found


def _claim_parts(counts: Counts, quiet: Mask, claimed: Mask, needed: float, least: float) -> None:
    """Claim the upper parts of columns that keep still from the first row on, beside columns that fire."""
    height, width = counts.shape
    free = quiet | claimed
    ends = np.where(free.all(axis=0), 0, np.argmin(free, axis=0))  # whole columns are lines, or dark
    shortest = max(PART_LEAST_PX, round(PART_LEAST_SHARE * height))
    # Beside a black part of the scene are others as long: such columns need no closer look.
    padded = np.pad(ends, WIDEST_PART, constant_values=0)
    near = np.lib.stride_tricks.sliding_window_view(padded, WIDEST_PART)
    before, after = near[:width].min(axis=1), near[WIDEST_PART + 1 :].min(axis=1)
    likely = (ends >= shortest) & (2 * np.maximum(before, after) <= ends)
    for column in np.flatnonzero(likely).tolist():
        end = int(ends[column])
        if claimed[:end, column].mean() > 0.5:
            continue
        beside = [_part_beside(counts, free, column, end, step) for step in (-1, 1)]
        sides = [part for part in beside if part is not None]
        if len(sides) < 2:
            continue
        together = np.minimum.reduce(sides)
        lit = np.count_nonzero(together) >= 0.5 * end
        if lit and float(together.sum()) >= max(needed, least * end):
            claimed[:end, column] |= quiet[:end, column]


def _part_beside(counts: Counts, free: Mask, column: int, end: int, step: int) -> Counts | None:
    """Return the spikes of the nearest column to one side that fires, in its first `end` rows."""
    for distance in range(1, WIDEST_PART + 1):
        at = column + step * distance
        if not 0 <= at < counts.shape[1]:
            return None
        part = counts[:end, at] * ~free[:end, at]
        if np.count_nonzero(part) >= 0.5 * end:
            return part
    return None


def _ring(counts: Counts, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Counts:
    """Return the eight neighbours of some pixels, (pixels, 8), NaN beyond the border."""
    padded = np.pad(counts, 1, constant_values=np.nan)
    steps = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return np.stack([padded[rows + y, columns + x] for y, x in steps], axis=1)


def _around(values: Counts, reach: int) -> Counts:
    """Return the sums over the squares around every pixel, cut off at the border."""
    for axis in (0, 1):
        total = np.cumsum(values, axis=axis, dtype=np.float64)
        total = np.concatenate([np.zeros_like(total.take([0], axis)), total], axis)
        at = np.arange(values.shape[axis])
        last, first = np.minimum(at + reach + 1, len(at)), np.maximum(at - reach, 0)
        values = (total.take(last, axis) - total.take(first, axis)).astype(np.float32)
    return values


def mean_light(frames: Iterable[NDArray[np.float32]], size: Size) -> Counts | None:
    """Return the mean of frames at the scale of the spikes, (h, w) in [0, 1]; None where there is none."""
    pictures = [_at_scale(np.asarray(frame, np.float32).mean(axis=2), size) for frame in frames]
    return np.mean(pictures, axis=0, dtype=np.float32) if pictures else None


def _at_scale(picture: Counts, size: Size) -> Counts:
    """Return the means of the areas that pixels of `size` cover, or the pixels that cover them."""
    for axis, length in ((0, size.height), (1, size.width)):
        edges = np.arange(length + 1) * picture.shape[axis] // length
        covered = np.expand_dims(np.maximum(np.diff(edges), 1), 1 - axis)
        picture = (np.add.reduceat(picture, edges[:-1], axis=axis) / covered).astype(np.float32)
    return picture


def settled(quiet: Quiet, claimed: Mask, light: Counts, told: Mask | None = None) -> Mask:
    """Return the claims that the frames' light allows, and what it shows beside them where it is `told`."""
    import cv2  # takes a while to import, and most recordings do not come here

    stays = claimed.copy()
    if claimed.any():
        outside = (~claimed).astype(np.float32)
        around = _around(light * outside, WIDEST_BAND) / np.maximum(_around(outside, WIDEST_BAND), 1)
        places, label = cv2.connectedComponents(claimed.view(np.uint8), connectivity=8)
        shown, due = (np.bincount(label.ravel(), part.ravel(), minlength=places) for part in (light, around))
        stays &= (shown >= DARK_SHARE * due)[label]
    shown_too = _unexplained(quiet, quiet.mask & ~claimed, light)
    return stays | (shown_too if told is None else shown_too & told)


def _unexplained(quiet: Quiet, rest: Mask, light: Counts) -> Mask:
    """Return the places of the `rest` that keep still where most others as bright do not."""
    import cv2

    edges = np.unique(np.quantile(light, np.linspace(0, 1, LIGHT_LEVELS + 1)[1:-1]))
    level = np.searchsorted(edges, light, side="right")
    # The darkest places of a level may keep still; what the next darker level fires is due in all of it.
    usual = np.zeros(len(edges) + 2, np.float32)
    for at in np.unique(level).tolist():
        still = quiet.mask[level == at]
        if still.mean() <= MOST_WITHOUT:
            usual[at + 1] = np.quantile(quiet.counts[level == at][~still], USUAL_SHARE)
    darkest = cv2.erode(light, np.ones((2 * ERODED_PX + 1, 2 * ERODED_PX + 1), np.uint8))
    expected = usual[np.searchsorted(edges, darkest, side="right")]
    found = rest & (expected >= max(FEWEST_EXPECTED, quiet.least))
    if not found.any():
        return found
    places, label = cv2.connectedComponents(rest.view(np.uint8), connectivity=8)
    share = np.bincount(label[found], minlength=places) / np.bincount(label.ravel(), minlength=places)
    evidence = np.bincount(label[found], (expected - SHAPES)[found], minlength=places)
    return rest & ((share >= OWN_SHARE) & (evidence >= quiet.needed))[label]


def alike(light: Counts, counts: Counts, known: Mask) -> bool:
    """Return whether frames and spikes show the same scene, as far as brightness goes."""
    if np.count_nonzero(known) < LIGHT_LEVELS:
        return False
    first, second = light[known], counts[known]
    first, second = first - first.mean(), second - second.mean()
    spread = math.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return spread > 0 and float((first * second).sum()) >= SAME_SCENE_CORRELATION * spread
