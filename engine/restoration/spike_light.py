"""The light that reached the spike camera at the centre of an exposure, with as little noise as possible.

Strategy: count the spikes of short segments, move each along its trajectory to the centre and add up, so
that a short window's sharpness comes with the whole exposure's spikes. The sum before the centre and the
sum after it are two pictures of the same light with independent noise; all decisions rest on them:

- near against far: what lies further from the centre adds spikes but may not belong here (hidden, changed,
  moved otherwise). Ring by ring, and before and after the centre each on its own, it counts by how well it
  agrees with what is nearer, measured in noise: what something hides before the centre is seen after it.
- light against the blurry frame: split into bands of detail, the difference of the two is kept as far as
  both halves of the exposure agree on it (Wiener's weight, its signal being what the halves share) and
  dropped where they do not. So with few spikes the result falls back to the blurry frame, band by band
  and place by place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.light.filters import (
    Picture,
    blurred,
    halved,
    local_mean,
    pixel_grid,
    resized_by_area,
    resized_linear,
    sample,
    size_of,
)
from engine.light.segments import Segment
from engine.light.spike_signal import variance_of_count
from engine.light.trajectories import Trajectories

REACHES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Distances from the centre, in exposures, up to which segments are added up and judged together."""
FEWEST_SPIKES = 0.5
"""A pixel, on each side of the centre, in what everything else is measured by."""
FILLED_WEIGHT = 0.15
"""Of a count that was filled from its neighbours, beside one that was counted."""
COUNTED_BLUR_PX = 2.0
USUAL_SHOT_SHARE = 0.3
NOISE_RADIUS_PX = 8
NOISE_PERCENTILE = 70.0
"""Where the nearest sums differ by more, things move otherwise than was found."""
AGREEMENT_BLUR_PX = 1.0
AGREEMENT_RADIUS_PX = 3
AGREEMENT_SLACK = 1.2
"""A difference is noise up to this many times its expected energy, as a local mean scatters that much."""
DISAGREEMENT_WEIGHT = 4.0

BANDS = 5
BAND_BLUR_PX = 1.0
"""Width that parts a band from those below it, in its own pixels, which double from the second on."""
BAND_RADIUS_PX = (14, 12, 10, 8, 8)
"""Neighbourhoods over which agreement is measured: the noisier the band, the larger."""
SMALLEST_SIDE_PX = 24
NOISE_WEIGHT = 0.55
"""Below 1 because the halves differ, too, by errors of the motion that cancel in their sum."""
SIGNAL_MARGIN = 4.0
"""Agreement below this much noise, over the root of the neighbourhood's pixels, is chance."""
SHARPENING = 1.2
SHARPENING_BLUR_PX = 1.2
"""Undoes what pixels and interpolation of the spikes took from the finest band, where noise allows."""

_TINY = np.float32(1e-12)


@dataclass(frozen=True, eq=False)
class Light:
    """Spikes a plane at the centre of the exposure, seen before it and seen after it."""

    before: Picture
    after: Picture
    sound: Picture | None = None
    """(h, w): the share of what was added up, on the poorer side, that sound pixels counted; None for 1."""

    @property
    def mean(self) -> Picture:
        return (self.before + self.after) * np.float32(0.5)


def gather(
    segments: Iterable[Segment], motion: Trajectories, size: Size, sound: Picture | None = None
) -> Light:
    """Add up segments along `motion` on a grid of `size`, as far as they agree with those near the centre.

    `motion` is on that grid, in pixels of the segments. At least one segment lies on each side of the
    centre. Where `sound` (h, w) of the segments is 0 their counts were filled: the motion brings what sound
    pixels counted there at other times, which counts more.
    """
    sides = _summed(segments, motion, size, sound)
    nearest = [_nearest(side) for side in sides]
    noise = _Noise.between(*nearest)
    means = [near.mean for near in nearest]
    seen = [near.seen for near in nearest]
    variances = [noise.variance(near) for near in nearest]
    shares = [near.sound for near in nearest]
    for reach in sorted({reach for side in sides for reach in side}):
        beyond = [side.get(reach) for side in sides]
        centre = (seen[0] + seen[1]) * np.float32(0.5)
        chance = (variances[0] + variances[1]) * np.float32(0.25)
        for index, further in enumerate(beyond):
            if further is None:
                continue
            own, variance = variances[index], noise.variance(further)
            difference = blurred(further.seen - centre, AGREEMENT_BLUR_PX)
            found = local_mean(difference * difference, AGREEMENT_RADIUS_PX)
            unlike = np.maximum(found - np.float32(AGREEMENT_SLACK) * (chance + variance), 0.0)
            if sound is not None:  # what was filled is a guess: to differ from it says little
                unlike *= resized_by_area(shares[index], further.spike_size) ** 2
            share: Picture = np.divide(own, own + variance + np.float32(DISAGREEMENT_WEIGHT) * unlike)
            variances[index] = np.multiply(np.square(1 - share), own) + np.square(share) * variance
            seen[index] = seen[index] + share * (further.seen - seen[index])
            share = resized_linear(share, size)
            means[index] = means[index] + share * (further.mean - means[index])
            if sound is not None:
                shares[index] = shares[index] + share * (further.sound - shares[index])
    return Light(means[0], means[1], None if sound is None else np.minimum(shares[0], shares[1]))


@dataclass(eq=False)
class _Sum:
    """Segments on one side of the centre, brought to it and added up."""

    counts: Picture
    weights: Picture | np.float32
    """Planes that they are of, where filled counts are less."""
    planes: np.float32
    spike_size: Size
    """Of the segments; agreement is judged at no finer scale."""

    def add(self, other: "_Sum") -> None:
        cv2.add(self.counts, other.counts, self.counts)
        self.weights = self.weights + other.weights
        self.planes += other.planes

    @cached_property
    def mean(self) -> Picture:
        """Spikes a plane."""
        return np.divide(self.counts, self.weights)

    @cached_property
    def seen(self) -> Picture:
        """The mean at the segments' scale."""
        return resized_by_area(self.mean, self.spike_size)

    @cached_property
    def sound(self) -> Picture:
        """The share that sound pixels counted, where not all are."""
        seen = (self.weights / self.planes - np.float32(FILLED_WEIGHT)) / np.float32(1 - FILLED_WEIGHT)
        return np.asarray(np.clip(seen, 0.0, 1.0), np.float32)

    @cached_property
    def ideal_variance(self) -> Picture:
        """Of the mean at the segments' scale, if every spike were counted on its own."""
        around = blurred(self.seen, COUNTED_BLUR_PX) * self.planes
        counted = variance_of_count(around, USUAL_SHOT_SHARE)
        held = np.float32(self.planes * self.planes)
        if isinstance(self.weights, np.ndarray):
            sound = resized_by_area(self.sound, self.spike_size)
            counted = np.divide(counted, np.maximum(sound, np.float32(FILLED_WEIGHT)))
        return counted / held


def _summed(
    segments: Iterable[Segment], motion: Trajectories, size: Size, sound: Picture | None
) -> tuple[dict[float, _Sum], dict[float, _Sum]]:
    """Bring segments to the centre and add up those that lie about as far from it, on either side of it."""
    sides: tuple[dict[float, _Sum], dict[float, _Sum]] = ({}, {})
    grid: NDArray[np.float32] | None = None
    places: NDArray[np.float32] | None = None
    for segment in segments:
        of = size_of(segment.count)
        grid = pixel_grid(size, of) if grid is None else grid
        places = motion.places(segment.time, grid, out=places)
        counts, planes = sample(segment.count, places), np.float32(segment.planes)
        weights: Picture | np.float32 = planes
        if sound is not None:
            weight = np.float32(FILLED_WEIGHT) + np.float32(1 - FILLED_WEIGHT) * sample(sound, places)
            counts, weights = counts * weight, planes * weight
        summed = _Sum(counts, weights, planes, Size(min(of.height, size.height), min(of.width, size.width)))
        reach = next((reach for reach in REACHES if abs(segment.time) <= reach), REACHES[-1])
        side = sides[int(segment.time > 0)]
        if reach in side:
            side[reach].add(summed)
        else:
            side[reach] = summed
    return sides


def _nearest(side: dict[float, _Sum]) -> _Sum:
    """Take away the sum nearest to the centre, and what it needs beyond that to hold enough spikes."""
    summed = side.pop(min(side))
    while side and float(summed.counts.mean()) < FEWEST_SPIKES:
        summed.add(side.pop(min(side)))
    return summed


@dataclass(frozen=True)
class _Noise:
    """How far sums vary by chance, as found between the two that are nearest to the centre."""

    factor: np.float32
    """Of their ideal variance: interpolation and smoothing take some of it."""

    @classmethod
    def between(cls, before: _Sum, after: _Sum) -> Self:
        found = local_mean(blurred(before.seen - after.seen, AGREEMENT_BLUR_PX) ** 2, NOISE_RADIUS_PX)
        ideal = before.ideal_variance + after.ideal_variance
        factor = np.float32(np.percentile(found / ideal, NOISE_PERCENTILE)) + _TINY
        return cls(factor)

    def variance(self, summed: _Sum) -> Picture:
        """Return the variance of a sum's mean at the segments' scale, once that is smoothed."""
        return self.factor * summed.ideal_variance


def agreed_change(light: Light, prior: Picture) -> tuple[Picture, Picture]:
    """Return how `light` differs from `prior` where its halves agree, and the trust in the finest band."""
    return _agreed_detail(light.before - prior, light.after - prior, 0)


def sharpened(change: Picture, trust: Picture, pixels: float) -> Picture:
    """Strengthen the finest detail as far as it is trusted.

    `pixels` says how many pixels of the picture make one of the spikes' each way: up to 2.
    """
    strength = np.float32(SHARPENING * pixels / 2) * trust
    return change + strength * (change - blurred(change, SHARPENING_BLUR_PX * pixels / 2))


def _agreed_detail(before: Picture, after: Picture, band: int) -> tuple[Picture, Picture]:
    """Return what two noisy pictures share, from `band` down to the coarsest, and the trust in `band`."""
    if band == BANDS - 1:
        trust = _agreement(before, after, band)
        return (before + after) * trust * np.float32(0.5), trust
    coarse_before, coarse_after = (blurred(half, BAND_BLUR_PX) for half in (before, after))
    if band > 0 and min(before.shape) > SMALLEST_SIDE_PX:
        coarse_before, coarse_after = halved(coarse_before), halved(coarse_after)
    size = size_of(before)
    before = before - resized_linear(coarse_before, size)
    after = after - resized_linear(coarse_after, size)
    trust = _agreement(before, after, band)
    coarse, _ = _agreed_detail(coarse_before, coarse_after, band + 1)
    return (before + after) * trust * np.float32(0.5) + resized_linear(coarse, size), trust


def _agreement(before: Picture, after: Picture, band: int) -> Picture:
    radius = BAND_RADIUS_PX[band]
    shared = local_mean(before * after, radius)
    noise = local_mean((before - after) ** 2, radius + 2) * np.float32(0.25)
    shared = np.maximum(shared - np.float32(SIGNAL_MARGIN / (2 * radius + 1)) * noise, 0.0)
    return np.divide(shared, shared + np.float32(NOISE_WEIGHT) * noise + _TINY)
