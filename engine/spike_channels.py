"""What the spikes of one exposure say, in numbers that do not depend on the camera.

Strategy: threshold, gain and plane rate only scale the spike density, so every count is divided by the
exposure's mean density. What the density itself tells (how far the counts can be trusted) is given as maps
of its logarithm. Beside the bins come maps of the spike ratio for windows of several lengths around the
centre of the exposure: log(short density / exposure density), the deblurring formula before its noise is
dealt with. All maps are the same whichever way time runs, only the bins turn round.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float32]

RATIO_WINDOWS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Lengths of the short windows, as shares of the exposure."""
RATIO_SOFTENING = 1.0
"""Spikes added to what a short window saw and to what it would see at an even pace: a pixel with few spikes
keeps to a ratio of one, instead of showing noise."""
DENSITY_MAPS = 3
"""Per pixel relative to the mean; mean spikes an exposure; mean spikes a plane. The last two are flat."""


@dataclass(frozen=True, eq=False)
class ExposureTotals:
    """What there was in a whole exposure, for those who see a part of its picture."""

    spikes: NDArray[np.int64]
    """(bins,) of all pixels"""
    pixels: int

    @classmethod
    def of(cls, counts: Counts) -> "ExposureTotals":
        """Add up counts (bins, H, W)."""
        counts = np.asarray(counts)
        each = counts.reshape(len(counts), -1).sum(axis=1, dtype=np.float64)  # exact: these are whole numbers
        return cls(np.rint(each).astype(np.int64), counts[0].size)


def relative_channel_count(bins: int) -> int:
    """Return how many channels `relative_channels` gives."""
    return bins + len(RATIO_WINDOWS) + DENSITY_MAPS


def planes_per_bin(start: float, stop: float, bins: int) -> NDArray[np.float32]:
    """Return how many planes `voxelize` puts into each bin of the window [start, stop)."""
    planes = np.arange(math.ceil(start), math.ceil(stop))
    indices = np.minimum(bins - 1, np.floor((planes - start) / (stop - start) * bins).astype(np.int64))
    return np.bincount(indices, minlength=bins).astype(np.float32)


def relative_channels(
    counts: Counts, planes: NDArray[np.float32] | None = None, whole: ExposureTotals | None = None
) -> NDArray[np.float32]:
    """Turn counts (bins, H, W) of one exposure into (bins + 7, H, W) channels of order one.

    First the bins as log1p(density / mean density of the exposure), then the ratio and density maps that
    the module describes. `planes` (bins,) says how many planes each bin saw. A bin without a single
    spike saw none that we know of (outside the recording, or more bins than planes) and takes the values of
    its nearest neighbour in time. An exposure without any spike gives zeros. Where the counts are of a part
    of the picture, `whole` holds the totals of all of it.
    """
    if whole is None:
        whole = ExposureTotals.of(counts)
    bins = len(counts)
    channels = np.zeros((relative_channel_count(bins), *counts.shape[1:]), np.float32)
    seen = whole.spikes > 0
    if planes is not None:
        seen &= planes > 0
    if not seen.any():
        return channels
    weights = np.where(seen, 1.0 if planes is None else planes, 0.0).astype(np.float32)
    total = counts[seen].sum(axis=0)
    mean_density = float(whole.spikes[seen].sum() / whole.pixels) / float(weights.sum())
    nearest = _nearest(seen)
    scale = 1 / (weights[nearest] * np.float32(mean_density))
    np.multiply(counts[nearest], scale[:, None, None], out=channels[:bins])
    np.log1p(channels[:bins], out=channels[:bins])
    for place, share_asked in enumerate(RATIO_WINDOWS, start=bins):
        window = _central(bins, share_asked)
        share = float(weights[window].sum() / weights.sum())
        if share == 0:
            continue
        short = counts[window][seen[window]].sum(axis=0)
        expected = np.float32(share) * total
        channels[place] = np.log((short + RATIO_SOFTENING) / (expected + RATIO_SOFTENING))
    mean_count = mean_density * float(weights.sum())
    channels[-3] = np.log1p(total / np.float32(mean_count))
    channels[-2] = math.log1p(mean_count) / 3 - 1
    channels[-1] = math.log(mean_density) / 3 + 1 if planes is not None else 0.0
    return channels


def reverse_time(channels: NDArray[np.float32], bins: int) -> NDArray[np.float32]:
    """Return channels (..., channels, H, W) of the exposure run backwards."""
    backwards = channels.copy()
    backwards[..., :bins, :, :] = channels[..., bins - 1 :: -1, :, :]
    return backwards


def _nearest(seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each bin the index of the nearest one that was seen."""
    known = np.flatnonzero(seen)
    return known[np.abs(np.arange(len(seen))[:, None] - known).argmin(axis=1)]


def _central(bins: int, share: float) -> slice:
    """Return the bins of a window of about `share` of the exposure, symmetric about its centre."""
    half = max(1, round(share * bins / 2)) if bins % 2 == 0 else max(0, round((share * bins - 1) / 2))
    first = bins // 2 - half
    return slice(max(0, first), bins - max(0, first))
