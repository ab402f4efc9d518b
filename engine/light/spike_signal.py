"""What the spikes integrated: the frame's exponent, the spikes' gain, and the rate a frame leads to expect.

All three compare one exposure's blurry frame with its spikes. Both are means over the same time, so in the
right signal they are proportional wherever things moved, too.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.light.filters import (
    Picture,
    blurred,
    local_mean,
    resized_by_area,
    resized_linear,
    size_of,
)

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

GAMMAS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 3.0)
GAMMA_PIXELS = 5_000
CELL_PX = 2
"""Pixels of the small picture to a cell, each way: so few cells have next to no shot noise."""
FEWEST_CELLS = 20
CLIPPED = 0.97
CROWDED = 0.9
"""Rates above this many spikes a plane no longer follow the light: a pixel fires once a plane at most."""
BETTER = 1.15
"""Where nobody gave a gamma, 1 stands unless another fits this much better, in squared error."""
FULL_RATES = (0.7, 0.9)
"""Spikes a plane between which a pixel stops telling brighter from bright."""
FREE_SHARE = (0.6, 0.9)
"""Part of the pixels around that must tell: trust rises from the first to the second."""
CONTRADICTED = 2.0
"""A given gamma stands unless another fits this much better."""

CLOCK_VARIANCE = 1 / 6
"""Of an ideal integrate-and-fire pixel's number of spikes: the charge at both ends of a window is unknown."""

MOST_FOLLOWING_RATE = 0.6
"""Spikes a plane up to which a pixel that varies within the exposure still follows the light."""
FEWEST_FOLLOWING = 0.2
FITTED_DARK = 0.05
"""White is 1; pixels darker than this weigh little more than those that are so dark."""

FIT_RADIUS_PX = 8
FIT_FLOOR = 1e-4

RESPONSE_BLUR_PX = 1.5
RESPONSE_RADIUS_PX = 12
RESPONSE_LIMITS = (0.6, 1.6)
RESPONSE_SIGNS = (1, -1, -1, 1, -1, 1, 1, -1)
"""Adds up to nothing over eight segments in a row whatever changes steadily in them, so noise remains."""

ACCORD_BLUR_PX = 1.5
ACCORD_RADIUS_PX = 20
UNEXPLAINED = (0.15, 0.4)
"""Share of the spikes' contrast that may stay unexplained: trust wanes from the first to the second."""
AGREED_SHARE = (0.4, 0.7)
"""Part of the picture that must agree, else chance does: other scenes reached 0.36, the same 0.95 or more."""


def settle_gamma(blurry: NDArray[np.float32], rate: Picture, given: float | None) -> float:
    """Return the exponent that takes the frame's values to the signal that the spikes integrated.

    That is `given` where the exposure does not contradict it, else the one of `GAMMAS` that fits best.
    Few spikes contradict nothing.
    """
    candidates = GAMMAS if given is None else (given, *GAMMAS)
    size = size_of(rate)
    shrink = max(1, math.isqrt(size.pixels // GAMMA_PIXELS))
    small_size = Size(max(1, size.height // shrink), max(1, size.width // shrink))
    cell_size = Size(max(1, small_size.height // CELL_PX), max(1, small_size.width // CELL_PX))
    small = resized_by_area(blurry, small_size)
    rates = resized_by_area(rate, cell_size)
    clipped = resized_by_area((small.max(axis=2) > CLIPPED).astype(np.float32), cell_size)
    usable = (clipped < 0.1) & (rates < CROWDED)
    if np.count_nonzero(usable) < FEWEST_CELLS:
        return candidates[0]
    errors = []
    for gamma in candidates:
        light = resized_by_area(np.power(small, np.float32(gamma)) @ LUMINANCE, cell_size)
        gain, offset = fit_line(light[usable], rates[usable])
        errors.append(float(np.square(rates[usable] - gain * light[usable] - offset).mean()))
    best = int(np.argmin(errors))
    bar = BETTER if given is None else CONTRADICTED
    return candidates[best] if errors[0] > bar * errors[best] + 1e-12 else candidates[0]


def variance_of_count(count: Picture, shot_share: float) -> Picture:
    """Return the variance of a number of spikes that is `count` on average.

    Few spikes vary by their own number at most; many by the clock of integrate-and-fire and by shot noise.
    """
    return np.minimum(count, np.float32(CLOCK_VARIANCE) + np.float32(shot_share) * count) + np.float32(1e-3)


def fit_line(light: NDArray[np.float32], rate: NDArray[np.float32]) -> tuple[float, float]:
    """Return gain and offset (dark current, not below 0) of rate = gain · light + offset.

    Bright pixels are saturated for a part of the exposure already and would tilt the line: they are left out
    where there are others, and the darker ones, which tell the offset, count for more.
    """
    follows = rate < MOST_FOLLOWING_RATE
    if np.count_nonzero(follows) < FEWEST_FOLLOWING * rate.size:
        follows = np.ones_like(follows)
    light, rate = light[follows].astype(np.float64), rate[follows].astype(np.float64)
    weights = (light + FITTED_DARK) ** -2
    weights /= weights.sum()
    mean_light, mean_rate = float(weights @ light), float(weights @ rate)
    covariance = float(weights @ ((light - mean_light) * (rate - mean_rate)))
    variance = float(weights @ (light - mean_light) ** 2)
    steady = 1e-6  # in a picture without contrast the line goes through the origin
    slope = (covariance + steady * mean_rate / (mean_light + 1e-6)) / (variance + steady)
    offset = min(max(mean_rate - slope * mean_light, 0.0), mean_rate / 2)
    return (mean_rate - offset) / (mean_light + 1e-6), offset


def expected_rate(light: Picture, rate: Picture, finer_light: Picture) -> Picture:
    """Fit the rate as a local line of the light (a guided filter) and draw it on the finer light's grid."""
    mean_light, mean_rate = local_mean(light, FIT_RADIUS_PX), local_mean(rate, FIT_RADIUS_PX)
    variance = local_mean(light * light, FIT_RADIUS_PX) - mean_light * mean_light
    covariance = local_mean(light * rate, FIT_RADIUS_PX) - mean_light * mean_rate
    floor = np.float32(FIT_FLOOR)
    overall = np.float32(rate.mean() / (light.mean() + 1e-6))
    slope: Picture = np.divide(covariance + floor * overall, variance + floor)
    intercept = mean_rate - slope * mean_light
    size = size_of(finer_light)
    slope, intercept = (
        resized_linear(local_mean(field, FIT_RADIUS_PX), size) for field in (slope, intercept)
    )
    return np.maximum(slope * finer_light + intercept, 0.0)


def pixel_response(
    light: Picture, counts: NDArray[np.float32], planes: NDArray[np.float32], sound: Picture | None = None
) -> Picture:
    """Return how much more than its neighbours each pixel fires at the same light: (h, w), 1 on average.

    `counts` (8, h, w) are the spikes of an exposure's segments of `planes` (8,), `light` what the blurry
    frame shows of it. Frame and spikes are means over the same time, so what differs between them from
    pixel to pixel is the pixels' own response, the plain ratio's reason to divide by the exposure; here it
    is weighed against shot noise first, and 1 where that explains the difference. Where `sound` (h, w) is 0
    counts were filled from their neighbours, and the frame says by how much that differs from the place.

    This is of one exposure, at rest as in motion, and holds what frame and spikes disagree on for any reason.
    The sensor's own pattern, which all exposures share, is out of the counts before (`engine.fixed_pattern`),
    so that nothing is divided out twice: what is found here is what that has left.
    """
    total = np.float32(planes.sum())
    rate = counts.sum(axis=0) / total
    expected = expected_rate(light, rate, light)
    floor = np.float32(1e-3) * rate.mean() + np.float32(1e-9)
    excess = (rate - expected) / (expected + floor)
    whole = excess.copy()
    excess -= blurred(excess, RESPONSE_BLUR_PX)
    weights = np.array(RESPONSE_SIGNS, np.float32) / (len(planes) * planes)
    noise = np.tensordot(weights, counts, 1) / (expected + floor)
    noise -= blurred(noise, RESPONSE_BLUR_PX)
    energy, chance = (local_mean(field * field, RESPONSE_RADIUS_PX) for field in (excess, noise))
    share = np.maximum(energy - chance, 0.0) / (energy + np.float32(1e-9))
    own = share * excess
    return np.clip(1 + (own if sound is None else np.where(sound > 0, own, whole)), *RESPONSE_LIMITS)


def unsaturated(rate: Picture) -> Picture:
    """Return how far the rate around each pixel can still rise with the light: (h, w) from 0 to 1.

    Edges between saturated and other pixels move in ways that no rate tells, so it is the share of
    pixels around that counts.
    """
    following, full = FULL_RATES
    free = np.clip((np.float32(full) - rate) / np.float32(full - following), 0.0, 1.0)
    some, most = FREE_SHARE
    return np.clip(
        (local_mean(free, ACCORD_RADIUS_PX) - np.float32(some)) / np.float32(most - some), 0.0, 1.0
    )


def accord(light: Picture, rate: Picture, planes: int) -> Picture:
    """Return how well the frame's light explains the spikes of its exposure: (h, w) from 0 to 1.

    The share of the spikes' contrast around a pixel that no rising line of the light explains, beyond
    shot noise. Spikes of another scene, upside down or shifted by more than the blur, are not explained.
    """
    smooth_light, smooth_rate = blurred(light, ACCORD_BLUR_PX), blurred(rate, ACCORD_BLUR_PX)
    mean_light, mean_rate = (local_mean(field, ACCORD_RADIUS_PX) for field in (smooth_light, smooth_rate))
    light_contrast = local_mean(smooth_light * smooth_light, ACCORD_RADIUS_PX) - mean_light * mean_light
    rate_contrast = local_mean(smooth_rate * smooth_rate, ACCORD_RADIUS_PX) - mean_rate * mean_rate
    shared = local_mean(smooth_light * smooth_rate, ACCORD_RADIUS_PX) - mean_light * mean_rate
    explained = np.maximum(shared, 0.0) ** 2 / (np.maximum(light_contrast, 0.0) + np.float32(1e-6))
    noise = mean_rate / np.float32(planes * 4 * math.pi * ACCORD_BLUR_PX**2)
    missed = np.maximum(rate_contrast - explained - noise, 0.0)
    unexplained = missed / (rate_contrast + noise + np.float32(1e-12))
    few, many = UNEXPLAINED
    agreed = np.clip((many - unexplained) / np.float32(many - few), 0.0, 1.0)
    foreign, own = AGREED_SHARE
    return agreed * np.float32(np.clip((float(agreed.mean()) - foreign) / (own - foreign), 0.0, 1.0))
