"""Where the spikes contradict an estimate, believe them: sharp with noise, rather than blurred.

An estimate rests on motion that was followed and on a blurry frame that explains its spikes. A dark disc that
crosses bright ground by more than its own size gives neither, and stays a blur, though a mean of a sixteenth
of the planes shows it with a clean edge.

Strategy: predict the counts of short windows around the moment from the estimate, moved along what motion is
known, and compare. A difference that shot noise and the camera's clock cannot make, over a whole patch, is a
contradiction. There the spikes alone give the light: the shortest window first, longer ones added as far as
they agree with it, and of that, band by band, what stands out of the noise of its counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.light.filters import (
    Picture,
    blurred,
    halved,
    local_mean,
    pixel_grid,
    resized_linear,
    sample,
    size_of,
)
from engine.light.spike_signal import variance_of_count
from engine.light.trajectories import Trajectories

WINDOW_SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Windows around the moment, in exposures, that the light is gathered from."""
TESTED_SHARES = (1 / 16, 1 / 8, 1 / 4)
"""Windows that a contradiction shows in."""
MOMENTS_IN_WINDOW = 4

TEST_BLUR_PX = 1.5
CLEAR_SIGMAS = 6.0
LIKELY_SIGMAS = (3.0, 5.0)
"""Between which differences are believed in a patch that is clear somewhere."""
CLEAR_PIXELS = 8
"""So many pixels of a patch must be clear: hot pixels and chance are smaller."""
RELATIVE_DIFFERENCE = (0.15, 0.3)
"""Of the light, between which a difference counts: errors of motion and response are smaller."""

LEAST_SHOT_SHARE = 0.1
"""What shot noise adds to it at least, as a share of the number of spikes."""
COUNTED_FOR_NOISE = 1.5
"""Spikes in a window that noise is measured in: fewer vary by their own number, whatever the camera."""
LONGEST_FOR_NOISE = 1 / 8
SQUARES_IN_DIFFERENCE = 20
"""Of the weights 1, 3, 3, 1 of a third difference."""
CLOCK_IN_DIFFERENCE = 70 / 12 / SQUARES_IN_DIFFERENCE
"""What the clock's error at five ends leaves of it: weights 1, 4, 6, 4, 1, a twelfth each."""
NOISE_RADIUS_PX = 10
QUIET_PERCENTILE = 30.0
RATE_BLUR_PX = 2.0
AGREEMENT_BLUR_PX = 1.0
AGREEMENT_RADIUS_PX = 4
AGREEMENT_SLACK = 1.2
DISAGREEMENT_WEIGHT = 4.0

BANDS = 5
BAND_BLUR_PX = 1.0
BAND_RADIUS_PX = 6
NOISE_MARGIN = 1.15
"""A band's energy counts as far as it is above so many times its noise's."""
FINE_SHARE = 0.85
"""Part of white noise's energy that lies in the finest band."""
SMALLEST_SIDE_PX = 24

_TINY = np.float32(1e-12)


@dataclass(frozen=True, eq=False)
class Windows:
    """Spike counts of ever longer windows around a moment, the shortest first."""

    counts: tuple[Picture, ...]
    planes: tuple[float, ...]
    shares: tuple[float, ...]
    """Length of each in exposures."""
    shot_share: float
    """What shot noise adds to the variance of counts, as a share of their number."""


def shot_share_of(consecutive: Sequence[Picture]) -> float:
    """Return what shot noise adds to counts' variance, as a share of them, from four equal windows in a row.

    Their third difference is free of whatever changes smoothly. The clock's part of it is known: a window's
    error at its end is the next one's at its start. Where things move too much the difference is larger, so
    the quieter parts of the picture tell. Between LEAST_SHOT_SHARE and 1, which light itself has.
    """
    first, second, third, fourth = consecutive
    difference = fourth - first + 3 * (second - third)
    mean = local_mean(first + second + third + fourth, NOISE_RADIUS_PX) / 4
    energy = local_mean(difference * difference, NOISE_RADIUS_PX) / np.float32(SQUARES_IN_DIFFERENCE)
    share = (energy - np.float32(CLOCK_IN_DIFFERENCE)) / (mean + np.float32(1e-3))
    return float(np.clip(np.percentile(share, QUIET_PERCENTILE), LEAST_SHOT_SHARE, 1.0))


def contradiction(expected: Picture, windows: Windows, motion: Trajectories | None, white: float) -> Picture:
    """Return where the spikes contradict the `expected` rate of the moment: (h, w) from 0 to 1.

    `motion` is on the grid of the spikes and in its pixels; `white` is a rate below which light is darkness.
    """
    size = size_of(expected)
    grid = pixel_grid(size, size)
    believed = np.zeros_like(expected)
    for count, planes, share in zip(windows.counts, windows.planes, windows.shares, strict=True):
        if not min(TESTED_SHARES) <= share * 1.01 or share > max(TESTED_SHARES) * 1.01:
            continue
        predicted = expected if motion is None else _over_window(expected, motion, share, grid)
        difference = blurred(count / np.float32(planes) - predicted, TEST_BLUR_PX)
        light = blurred(np.maximum(predicted, 0.0), TEST_BLUR_PX)
        seen = blurred(count, TEST_BLUR_PX)
        pixels = 4 * np.pi * TEST_BLUR_PX**2
        most = np.maximum(light * np.float32(planes), seen * np.float32(0.5))
        variance = variance_of_count(most, windows.shot_share) / np.float32(pixels)
        sigmas = np.abs(difference) * np.float32(planes) / np.sqrt(variance)
        relative = np.abs(difference) / (light + np.float32(white))
        likely = (sigmas > LIKELY_SIGMAS[0]) & (relative > RELATIVE_DIFFERENCE[0])
        clear = likely & (sigmas > CLEAR_SIGMAS)
        if np.count_nonzero(clear) < CLEAR_PIXELS:
            continue
        patches, number = cv2.connectedComponents(likely.astype(np.uint8), connectivity=4)[::-1]
        proven = np.bincount(patches[clear], minlength=number) >= CLEAR_PIXELS
        proven[0] = False
        degree = _ramp(sigmas, LIKELY_SIGMAS) * _ramp(relative, RELATIVE_DIFFERENCE)
        np.maximum(believed, np.where(proven[patches], degree, np.float32(0)), out=believed)
    if not believed.any():
        return believed
    return blurred(cast(Picture, cv2.dilate(believed, np.ones((3, 3), np.uint8))), 1.0)


def seen_change(expected: Picture, windows: Windows) -> Picture:
    """Return how the rate at the moment differs from the `expected` one, as far as the spikes alone tell."""
    rate, variance = _gathered(windows)
    return _above_noise(rate - expected, variance, 0)


def _over_window(expected: Picture, motion: Trajectories, share: float, grid: NDArray[np.float32]) -> Picture:
    """Return the mean of what is expected at the moment while it moves through a window."""
    backwards = motion.reversed()
    times = ((np.arange(MOMENTS_IN_WINDOW) + 0.5) / MOMENTS_IN_WINDOW - 0.5) * share
    total = np.zeros_like(expected)
    for time in times:
        total += sample(expected, backwards.places(float(time), grid))
    return total / np.float32(MOMENTS_IN_WINDOW)


def _gathered(windows: Windows) -> tuple[Picture, Picture]:
    """Return the rate at the moment and its variance: long windows count where they agree with the short."""
    inner, planes = windows.counts[0], windows.planes[0]
    rate = inner / np.float32(planes)
    variance = variance_of_count(blurred(inner, RATE_BLUR_PX), windows.shot_share) / np.float32(planes**2)
    pixels = np.float32(4 * np.pi * AGREEMENT_BLUR_PX**2)
    for count, longer in zip(windows.counts[1:], windows.planes[1:], strict=True):
        around, width = count - inner, longer - planes
        ring = around / np.float32(width)
        # The ring has two ends on either side, so twice the clock's variance.
        half = blurred(around, RATE_BLUR_PX) * np.float32(0.5)
        ring_variance = 2 * variance_of_count(half, windows.shot_share) / np.float32(width**2)
        chance = (variance + ring_variance) / pixels
        found = local_mean(blurred(ring - rate, AGREEMENT_BLUR_PX) ** 2, AGREEMENT_RADIUS_PX)
        unlike = np.maximum(found - np.float32(AGREEMENT_SLACK) * chance, 0.0) * pixels
        share = variance / (variance + ring_variance + np.float32(DISAGREEMENT_WEIGHT) * unlike)
        rate = rate + share * (ring - rate)
        variance = (1 - share) ** 2 * variance + share**2 * ring_variance
        inner, planes = count, longer
    return rate, variance


def _above_noise(difference: Picture, variance: Picture, band: int) -> Picture:
    """Return what of a noisy picture stands out of its noise, from `band` down to the coarsest."""
    if band == BANDS - 1 or min(difference.shape) <= SMALLEST_SIDE_PX:
        return difference * _share_above(difference, variance)
    coarse = blurred(difference, BAND_BLUR_PX)
    coarse_variance = blurred(variance, BAND_BLUR_PX) / np.float32(4 * np.pi * BAND_BLUR_PX**2)
    if band > 0:
        coarse, coarse_variance = halved(coarse), halved(coarse_variance)
    size = size_of(difference)
    fine = difference - resized_linear(coarse, size)
    kept = fine * _share_above(fine, variance * np.float32(FINE_SHARE))
    return kept + resized_linear(_above_noise(coarse, coarse_variance, band + 1), size)


def _share_above(field: Picture, variance: Picture) -> Picture:
    energy = local_mean(field * field, BAND_RADIUS_PX)
    share = np.maximum(energy - np.float32(NOISE_MARGIN) * variance, 0.0) / (energy + _TINY)
    return np.asarray(share, np.float32)


def _ramp(field: Picture, ends: tuple[float, float]) -> Picture:
    low, high = ends
    return np.clip((field - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
