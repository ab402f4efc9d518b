"""The light that reached the spike camera at the centre of an exposure, with as little noise as possible.

Strategy: count the spikes of short segments, move each along its trajectory to the centre and add up, so
that a short window's sharpness comes with the whole exposure's spikes. The sum before the centre and the
sum after it are two pictures of the same light with independent noise; all decisions rest on them:

- near window against far: what lies further from the centre adds spikes but may not belong here (hidden,
  changed, moved otherwise). It counts by how well it agrees with the near window, measured in noise.
- light against the blurry frame: split into bands of detail, the difference of the two is kept as far as
  both halves of the exposure agree on it (Wiener's weight, its signal being what the halves share) and
  dropped where they do not. So with few spikes the result falls back to the blurry frame, band by band
  and place by place.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.restore.exposure import Segment
from engine.restore.filters import (
    Picture,
    blurred,
    halved,
    local_mean,
    pixel_grid,
    resized_linear,
    sample,
    size_of,
)
from engine.restore.spike_motion import Trajectories

NEAR_SHARE = 0.125
"""Half of the near window, in exposures."""
FILLED_WEIGHT = 0.15
"""Of a count that was filled from its neighbours, beside one that was counted."""
NOISE_RADIUS_PX = 12
AGREEMENT_RADIUS_PX = 6
AGREEMENT_SLACK = 1.25
"""A difference is noise up to this many times its expected energy, as a local mean scatters that much."""

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
) -> tuple[Light, Light | None]:
    """Add up segments along `motion` on a grid of `size`: the near window, and the far if there is one.

    `motion` is on that grid, in pixels of the segments. At least one segment lies on each side of the
    centre. Where `sound` (h, w) of the segments is 0 their counts were filled: the motion brings what sound
    pixels counted there at other times, which counts more.
    """
    if sound is not None:
        return _gather_sound(segments, motion, size, sound)
    sums = np.zeros((2, 2, size.height, size.width), np.float32)
    planes = np.zeros((2, 2), np.float32)
    grid: NDArray[np.float32] | None = None
    places: NDArray[np.float32] | None = None
    for segment in segments:
        if grid is None:
            grid = pixel_grid(size, size_of(segment.count))
        places = motion.places(segment.time, grid, out=places)
        where = int(abs(segment.time) > NEAR_SHARE), int(segment.time > 0)
        sums[where] += sample(segment.count, places)
        planes[where] += segment.planes
    if planes.all():
        near, far = (Light(*(sums[window] / planes[window, :, None, None])) for window in (0, 1))
        return near, far
    return Light(*(sums.sum(axis=0) / planes.sum(axis=0)[:, None, None])), None


def _gather_sound(
    segments: Iterable[Segment], motion: Trajectories, size: Size, sound: Picture
) -> tuple[Light, Light | None]:
    sums = np.zeros((2, 2, size.height, size.width), np.float32)
    weights = np.zeros_like(sums)
    planes = np.zeros((2, 2), np.float32)
    grid = pixel_grid(size, size_of(sound))
    for segment in segments:
        places = motion.places(segment.time, grid)
        where = int(abs(segment.time) > NEAR_SHARE), int(segment.time > 0)
        weight = np.float32(FILLED_WEIGHT) + np.float32(1 - FILLED_WEIGHT) * sample(sound, places)
        sums[where] += weight * sample(segment.count, places)
        weights[where] += weight * np.float32(segment.planes)
        planes[where] += segment.planes

    def light(sums: NDArray[np.float32], weights: NDArray[np.float32], planes: NDArray[np.float32]) -> Light:
        share = (weights / planes[:, None, None]).min(axis=0)
        seen = (share - np.float32(FILLED_WEIGHT)) / np.float32(1 - FILLED_WEIGHT)
        before, after = sums / weights
        return Light(before, after, np.clip(seen, 0.0, 1.0))

    if planes.all():
        near, far = (light(sums[window], weights[window], planes[window]) for window in (0, 1))
        return near, far
    return light(sums.sum(axis=0), weights.sum(axis=0), planes.sum(axis=0)), None


def join(near: Light, far: Light | None) -> Light:
    """Add the far window to the near one as far as it agrees with it."""
    if far is None:
        return near
    noise_near, noise_far = (
        local_mean((light.before - light.after) ** 2, NOISE_RADIUS_PX) * np.float32(0.25) + _TINY
        for light in (near, far)
    )
    if near.sound is not None and far.sound is not None:
        noise_near /= np.maximum(near.sound, np.float32(FILLED_WEIGHT))
        noise_far /= np.maximum(far.sound, np.float32(FILLED_WEIGHT))
    expected = noise_near + noise_far
    found = local_mean((near.mean - far.mean) ** 2, AGREEMENT_RADIUS_PX)
    unexplained = np.maximum(found - np.float32(AGREEMENT_SLACK) * expected, 0.0)
    share = noise_near / (expected + unexplained)
    both = None if near.sound is None or far.sound is None else near.sound + share * (far.sound - near.sound)
    return Light(
        near.before + share * (far.before - near.before),
        near.after + share * (far.after - near.after),
        both,
    )


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
