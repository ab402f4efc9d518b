"""Sensor pixels whose spikes say nothing about the light: dead ones never fire, hot ones always do.

Strategy: count a bounded number of planes, in short runs spread over the recording. A pixel without a spike
is dead where light must have made it fire, and dark where not. What must have been is asked of

- its neighbours: whole rows and columns (up to 8 together) that keep still between neighbours that fire, rows
  and columns that keep still from the border inwards, and single pixels with spikes all around. Black parts of
  a scene are larger, have no straight edges from border to border, or are black in a frame as well;
- the frames, where the sequence has some: what keeps still where frames are as bright as in places that
  fire is dead, whatever its shape, and what the frames show dark, too, is dark.

Only where chance would need more than a million recordings to do the same is a claim made. Hot pixels are
found in the same way: the planes in which a pixel keeps still take the place of its spikes.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.findings import Finding
from engine.geometry import Size, Span
from engine.recording.recording import MappedRecording, Recording, TimedRecording

SAMPLED_RUNS = 16
SAMPLED_BYTES = 64 << 20
FEWEST_PLANES = 128
MOST_PLANES = 2048
CHANCE = 1e-6
"""Bound on the false claims of a recording by chance, at Poisson's statistics; cameras scatter less."""

QUIET_PER_PLANE = 0.001
"""Spikes a plane that a dead pixel may show all the same."""
LINE_QUIET_SHARE = 0.95
"""Part of a dead line's pixels that keep still; others may cross it that are hot."""
LINE_LIT_SHARE = 0.25
"""Part of the neighbouring lines that must fire."""
WIDEST_BAND = 8
WIDEST_BORDER_BAND = 2
"""Lines side by side, within the picture and at its border: wider ones are letterboxes without a frame."""
PART_LEAST_PX = 8
PART_LEAST_SHARE = 1 / 16
WIDEST_PART = 2
MOST_IN_CLUSTER = 4
CLUSTER_REACH_PX = 3
GLOW = 4.0
"""A single pixel that fires so many times as often as the brightest of its neighbours is hot, too."""
GLOW_SLACK = 3

LIGHT_LEVELS = 32
ERODED_PX = 2
"""Frames and spikes need not lie on one another to the pixel."""
SAME_SCENE_CORRELATION = 0.3
DARK_SHARE = 0.3
"""A frame that shows less than this share of the light around explains why a place keeps still."""
CLIPPED = 0.9
"""Frames as white as this do not say how bright it was."""
OWN_SHARE = 0.6
NAMED = 8

Counts = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Defects:
    """Pixels of a spike camera whose spikes are not to be believed, rows and columns as shown, from 0."""

    dead: Mask
    """(h, w): never fires while there is light."""
    hot: Mask
    """(h, w): fires at every plane, or far more than light explains."""

    @classmethod
    def none(cls, size: Size) -> "Defects":
        """Return that nothing is wrong with a camera of `size`."""
        fine = np.zeros((size.height, size.width), bool)
        return cls(fine, fine)

    def __bool__(self) -> bool:
        return bool(self.dead.any() or self.hot.any())

    @property
    def mask(self) -> Mask:
        """(h, w): dead or hot."""
        return self.dead | self.hot

    @property
    def finding(self) -> Finding | None:
        """Name the dead and the hot places; None where there are none."""
        said = [
            f"{_listed(mask, one, many)}"
            for mask, one, many in (
                (self.dead, "never fires (dead)", "never fire (dead)"),
                (self.hot, "fires at every plane or far more than light explains (hot)",
                 "fire at every plane or far more than light explains (hot)"),
            )
            if mask.any()
        ]  # fmt: skip
        if not said:
            return None
        return Finding(
            f"of the spike camera {'; '.join(said)}",
            "Nothing needs doing for a result: small places are filled from their neighbours and wide ones left "
            "to the blurry frame; check the sensor and its readout",
        )


@dataclass(frozen=True, eq=False)
class Sample:
    """Spikes of every pixel in some planes of a recording."""

    counts: Counts
    """(h, w), top row first"""
    planes: int
    """Counted planes that hold a spike: others were never recorded, or lost."""


def find_defects(
    recording: Recording, frames: Callable[[], Iterable[NDArray[np.float32]]] | None = None
) -> Defects:
    """Return which pixels of a recording are dead or hot.

    `frames` gives blurry frames (H, W, 3) of the same view when they are asked for, which is where spikes alone
    do not tell. Parts of the recording that cannot be read count as not there.
    """
    size = recording.info.size
    sample = sample_counts(recording)
    if sample.planes == 0:
        return Defects.none(size)
    planes = np.float32(sample.planes)
    quiet_dead, dead = _claims(sample.counts, planes)
    quiet_hot, hot = np.zeros_like(dead), np.zeros_like(dead)
    if sample.counts.max() >= (1 - QUIET_PER_PLANE) * planes - 1:
        quiet_hot, hot = _claims(np.maximum(planes - sample.counts, 0), planes)
    hot |= _glowing(sample.counts)
    open_dead, open_hot = (
        _is_open(quiet, counts)
        for quiet, counts in ((quiet_dead, sample.counts), (quiet_hot, planes - sample.counts))
    )
    if frames is not None and (dead.any() or hot.any() or open_dead or open_hot):
        light = _mean_light(frames(), size)
        if light is not None:
            dead = _settled(quiet_dead, dead, sample.counts, light)
            hot = _settled(quiet_hot, hot, planes - sample.counts, 1 - light) & (light < CLIPPED)
    return Defects(dead, hot & ~dead)


# ------------------------------------------------------------------ counting


def sample_counts(recording: Recording) -> Sample:
    """Count up to 2048 planes in runs spread over a recording, of large ones as many as 64 MB hold."""
    info = recording.info
    stored_bytes = info.size.pixels if info.format == "unpacked" else info.plane_bytes
    wanted = min(MOST_PLANES, max(FEWEST_PLANES, SAMPLED_BYTES // max(1, stored_bytes)))
    counts = np.zeros((info.height, info.width), np.uint32)
    planes = 0
    for run in _runs(info.planes, wanted):
        try:
            planes += _add_run(recording, run, counts)
        except RecordingError:
            continue  # says so when its frame is read
    return Sample(counts.astype(np.float32), planes)


def _runs(planes: int, wanted: int) -> list[Span]:
    if planes <= wanted:
        return [Span(0, planes)] if planes else []
    length = wanted // SAMPLED_RUNS
    starts = np.linspace(0, planes - length, SAMPLED_RUNS).astype(int).tolist()
    return [Span(start, start + length) for start in starts]


def _add_run(recording: Recording, run: Span, counts: NDArray[np.uint32]) -> int:
    """Add the spikes of a run, and return how many of its planes hold any."""
    from engine.voxels import window_counts  # which needs the recordings of this package

    if isinstance(recording, TimedRecording):
        times, rows, columns = recording.events(run.start, run.stop)
        if len(times) == 0:
            return 0
        pixels = rows.astype(np.int64) * counts.shape[1] + columns
        counts += np.bincount(pixels, minlength=counts.size).reshape(counts.shape).astype(np.uint32)
        return 1 + int(np.count_nonzero(np.diff(np.floor(times))))
    counts += window_counts(recording, run.start, run.stop)
    lit = 0
    step = max(1, (16 << 20) // max(1, recording.info.plane_bytes))
    for first in range(run.start, run.stop, step):
        planes = recording.packed(first, min(run.stop, first + step))
        lit += sum(plane.any() for plane in planes)
    if isinstance(recording, MappedRecording):
        recording.forget(run.start, run.stop)
    return lit


# ------------------------------------------------------------------ by the neighbours


def _claims(counts: Counts, planes: np.float32) -> tuple[Mask, Mask]:
    """Return the pixels that keep still, and those of them whose neighbours say that they should not."""
    quiet = counts <= math.floor(QUIET_PER_PLANE * float(planes))
    if not quiet.any():
        return quiet, quiet.copy()
    needed = _needed(counts.size)
    claimed = np.zeros_like(quiet)
    for turned in (False, True):
        view, still, into = (part.T if turned else part for part in (counts, quiet, claimed))
        lines = _quiet_lines(view, still, needed)
        into[lines] |= still[lines]
    # A line cut in two by another is looked at without it.
    for turned in (False, True):
        for backwards in (False, True):
            view, still, into = (part.T if turned else part for part in (counts, quiet, claimed))
            if backwards:
                view, still, into = view[::-1], still[::-1], into[::-1]
            _claim_parts(view, still, into, needed)
    claimed |= _lone(counts, quiet, claimed, needed)
    return quiet, claimed


def _needed(pixels: int) -> float:
    """Return how many spikes must be missing at a pixel, so that chance does not explain any of `pixels`."""
    return math.log(pixels / CHANCE)


def _quiet_lines(counts: Counts, quiet: Mask, needed: float) -> Mask:
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
        least = np.minimum.reduce(beside)
        lit = np.count_nonzero(least) >= LINE_LIT_SHARE * width
        found[first:stop] = lit and float(least.sum()) >= 4 * needed
    return found


def _claim_parts(counts: Counts, quiet: Mask, claimed: Mask, needed: float) -> None:
    """Claim the upper parts of columns that keep still from the first row on, beside columns that fire."""
    height, width = counts.shape
    free = quiet | claimed
    ends = np.where(free.all(axis=0), 0, np.argmin(free, axis=0))  # whole columns are lines, or dark
    least = max(PART_LEAST_PX, round(PART_LEAST_SHARE * height))
    # Beside a black part of the scene are others as long: such columns need no closer look.
    padded = np.pad(ends, WIDEST_PART, constant_values=0)
    near = np.lib.stride_tricks.sliding_window_view(padded, WIDEST_PART)
    before, after = near[:width].min(axis=1), near[WIDEST_PART + 1 :].min(axis=1)
    likely = (ends >= least) & (2 * np.maximum(before, after) <= ends)
    for column in np.flatnonzero(likely).tolist():
        end = int(ends[column])
        if claimed[:end, column].mean() > 0.5:
            continue
        beside = [_part_beside(counts, free, column, end, step) for step in (-1, 1)]
        sides = [part for part in beside if part is not None]
        if len(sides) < (2 if 0 < column < width - 1 else 1):
            continue
        together = np.minimum.reduce(sides)
        if np.count_nonzero(together) >= 0.5 * end and float(together.sum()) >= 4 * needed:
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


def _lone(counts: Counts, quiet: Mask, claimed: Mask, needed: float) -> Mask:
    """Return the pixels that keep still alone, or with few others, among pixels that fire."""
    rest = quiet & ~claimed
    found = np.zeros_like(quiet)
    rows, columns = np.nonzero(rest)
    if len(rows) == 0:
        return found
    few = _around(rest.astype(np.float32), CLUSTER_REACH_PX)[rows, columns] <= MOST_IN_CLUSTER
    rows, columns = rows[few], columns[few]
    ring = _ring(np.where(quiet, np.float32(np.nan), counts), rows, columns)
    known = np.isfinite(ring)
    enough = known.sum(axis=1) >= 3
    rows, columns, ring, known = rows[enough], columns[enough], ring[enough], known[enough]
    ring = np.sort(ring, axis=1)  # unknown ones last
    half = (known.sum(axis=1) + 1) // 2
    low = np.where(np.arange(8) < half[:, None], ring, 0).sum(axis=1) / half
    sure = low >= needed
    found[rows[sure], columns[sure]] = True
    return found


def _glowing(counts: Counts) -> Mask:
    """Return the single pixels that fire far more often than each of their neighbours."""
    least = GLOW * GLOW_SLACK + _needed(counts.size)
    found = np.zeros(counts.shape, bool)
    rows, columns = np.nonzero(counts >= max(least, GLOW * float(np.median(counts))))
    if len(rows) == 0:
        return found
    brightest = np.nanmax(_ring(counts, rows, columns), axis=1)
    above = counts[rows, columns] >= np.maximum(GLOW * (brightest + GLOW_SLACK), least)
    found[rows[above], columns[above]] = True
    return found


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
        values = total.take(last, axis) - total.take(first, axis)
    return values


# ------------------------------------------------------------------ by the frames


def _is_open(quiet: Mask, counts: Counts) -> bool:
    """Return whether a place keeps still close to so many spikes that a frame should be asked."""
    if not quiet.any():
        return False
    near = _around(counts, WIDEST_BAND) / _around(np.ones_like(counts), WIDEST_BAND)
    return bool((near[quiet] >= _needed(counts.size)).any())


def _mean_light(frames: Iterable[NDArray[np.float32]], size: Size) -> Counts | None:
    """Return the mean of frames at the scale of the spikes, (h, w) in [0, 1]; None where there is none."""
    pictures = [_at_scale(np.asarray(frame, np.float32).mean(axis=2), size) for frame in frames]
    return np.mean(pictures, axis=0, dtype=np.float32) if pictures else None


def _at_scale(picture: Counts, size: Size) -> Counts:
    """Return the means of the areas that pixels of `size` cover, or the pixels that cover them."""
    for axis, length in ((0, size.height), (1, size.width)):
        edges = np.arange(length + 1) * picture.shape[axis] // length
        sums = np.add.reduceat(picture, edges[:-1], axis=axis)
        picture = sums / np.expand_dims(np.maximum(np.diff(edges), 1), 1 - axis).astype(np.float32)
    return picture


def _settled(quiet: Mask, claimed: Mask, counts: Counts, light: Counts) -> Mask:
    """Return the claims that the frames' light allows, and what it shows beside them."""
    known = ~quiet
    if np.count_nonzero(known) < LIGHT_LEVELS or not _alike(light[known], counts[known]):
        return claimed
    stays = claimed.copy()
    rows, columns = np.nonzero(claimed)
    if len(rows):
        # Claims are small or thin, so that most of what is around them is not claimed.
        around = _around(np.where(claimed, 0, light), WIDEST_BAND)
        shares = _around((~claimed).astype(np.float32), WIDEST_BAND)
        expected = (around / np.maximum(shares, 1))[rows, columns]
        shown = _smoothed_along(light, claimed)[rows, columns]
        stays[rows, columns] = shown >= DARK_SHARE * expected
    return stays | _unexplained(quiet, counts, light)


def _smoothed_along(light: Counts, claimed: Mask) -> Counts:
    """Return the mean of the light over the claimed pixels of a neighbourhood."""
    inside = claimed.astype(np.float32)
    return _around(light * inside, WIDEST_BAND) / np.maximum(_around(inside, WIDEST_BAND), 1)


def _unexplained(quiet: Mask, counts: Counts, light: Counts) -> Mask:
    """Return the places that keep still where other places as bright do not."""
    import cv2  # takes a while to import, and most recordings do not come here

    edges = np.unique(np.quantile(light, np.linspace(0, 1, LIGHT_LEVELS + 1)[1:-1]))
    level = np.searchsorted(edges, light, side="right")
    usual = np.zeros(len(edges) + 1, np.float32)
    for at in np.unique(level).tolist():
        usual[at] = np.quantile(counts[level == at], 0.25)
    kernel = np.ones((2 * ERODED_PX + 1, 2 * ERODED_PX + 1), np.uint8)
    darkest = cv2.erode(light, kernel)
    expected = usual[np.searchsorted(edges, darkest, side="right")]
    found = quiet & (expected >= _needed(counts.size))
    if not found.any():
        return found
    places, label = cv2.connectedComponents(quiet.view(np.uint8), connectivity=8)
    share = np.bincount(label[found], minlength=places) / np.maximum(np.bincount(label.ravel()), 1)
    return quiet & (share >= OWN_SHARE)[label]


def _alike(light: Counts, counts: Counts) -> bool:
    """Return whether frames and spikes show the same scene, as far as brightness goes."""
    first, second = light - light.mean(), counts - counts.mean()
    spread = math.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return spread > 0 and float((first * second).sum()) >= SAME_SCENE_CORRELATION * spread


# ------------------------------------------------------------------ in words


def _listed(mask: Mask, one: str, many: str) -> str:
    rows = np.flatnonzero(mask.mean(axis=1) >= LINE_QUIET_SHARE)
    left = mask.copy()
    left[rows] = False
    columns = np.flatnonzero(left.sum(axis=0) >= LINE_QUIET_SHARE * (len(mask) - len(rows)))
    columns = columns if len(rows) < len(mask) else columns[:0]
    left[:, columns] = False
    parts = []
    for turned, word in ((False, "row"), (True, "column")):
        for line, first, last in _long_runs(left.T if turned else left):
            (left.T if turned else left)[line, first : last + 1] = False
            other = "row" if turned else "column"
            parts.append(f"{word} {line} ({other}s {first} to {last})")
    pieces = [*_ranges("row", rows), *_ranges("column", columns)]
    pieces += parts[:NAMED] + ([f"{len(parts) - NAMED} more parts of lines"] if len(parts) > NAMED else [])
    places = [f"({row}, {column})" for row, column in np.argwhere(left)[:NAMED].tolist()]
    pixels = int(left.sum())
    if pixels:
        dots = ", …" if pixels > NAMED else ""
        word = "pixel" if pixels == 1 else f"{pixels} pixels"
        pieces.append(f"{word} at (row, column) {', '.join(places)}{dots}")
    single = len(rows) + len(columns) + len(parts) + pixels == 1
    return f"{', '.join(pieces)} {one if single else many}"


def _ranges(word: str, lines: NDArray[np.intp]) -> list[str]:
    """Name lines, those side by side together."""
    if len(lines) == 0:
        return []
    groups = np.split(lines, np.flatnonzero(np.diff(lines) > 1) + 1)
    names = [str(group[0]) if len(group) == 1 else f"{group[0]} to {group[-1]}" for group in groups]
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return [f"{word if len(lines) == 1 else word + 's'} {', '.join(names[:NAMED] + more)}"]


def _long_runs(mask: Mask) -> list[tuple[int, int, int]]:
    """Return line, first and last of the runs of at least 8 pixels in the rows of a mask."""
    found = []
    for line in np.flatnonzero(mask.sum(axis=1) >= PART_LEAST_PX).tolist():
        edges = np.flatnonzero(np.diff(np.concatenate([[False], mask[line], [False]])))
        found += [
            (line, int(first), int(stop) - 1)
            for first, stop in zip(edges[::2], edges[1::2], strict=True)
            if stop - first >= PART_LEAST_PX
        ]
    return found
