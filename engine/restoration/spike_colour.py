"""Colours of the instant, out of a blurry frame whose motion the spikes know.

Spikes have no colour, so the spike ratio keeps the blurry frame's hues, and a sharp edge comes back with
its colours still smeared. The smear itself is known, though: every pixel of the frame is the mean of the
colours that moved past it. Strategy: look for colours which, moved along the trajectories of the exposure
and averaged, give the blurry frame's (Landweber's iteration with momentum, stopped early, at half the
frame's scale, where its noise is low), then let them follow the edges of the restored luminance (a guided
filter). What is looked for is the hue, how far red and blue differ from the luminance in parts of it, and the
restored light carries it: so a dark thing that hides a bright one takes none of its colours. Where the
restored luminance does not explain the blurry one under the motion, neither would its hues.

All of it happens in the signal that an exposure adds up, and the luminance stays as it is.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.light.filters import Picture, blurred, local_mean, resized_by_area, resized_linear, size_of
from engine.light.spike_signal import LUMINANCE
from engine.light.trajectories import Trajectories
from engine.restoration.motion_blur import Blur, Field, share_of_blur

ITERATIONS = 7
DARK = np.float32(0.05)
"""Added to the luminance that carries the hues; white is 1."""
EXPLAINED_RADIUS_PX = 2
UNEXPLAINED_LIGHT = 0.06
"""Difference of luminances at which hues that were solved for are believed by half."""
EDGE_RADIUS_PX = 2
EDGE_FLOOR = np.float32(3e-4)
EDGE_SHARE = np.float32(0.5)
"""How far colours follow the luminance's edges rather than what was solved for."""


def solve_colours(
    blurry: NDArray[np.float32],
    estimate: NDArray[np.float32],
    motion: Trajectories,
    trust: Picture,
    gamma: float,
) -> NDArray[np.float32]:
    """Return `estimate` (H, W, 3) with the colours that explain `blurry` under `motion`.

    `motion` is on any grid, its displacements in pixels of frames; `trust` (h, w), on any grid too, says
    where it counts, from 0 to 1. `gamma` takes the pictures' values to the signal that the exposure adds up.
    """
    size = size_of(blurry)
    exponent = np.float32(gamma)
    before, after = (np.power(picture, exponent) for picture in (blurry, estimate))
    luminance = after @ LUMINANCE
    colours = _colours(after)
    weight = resized_linear(trust, size) * share_of_blur(motion.resized(size))

    small = Size(max(1, size.height // 2), max(1, size.width // 2))
    coarse = motion.resized(small).scaled(small.width / size.width, small.height / size.height)
    change, explained = _solved(
        resized_by_area(after, small),
        resized_by_area(before, small),
        Blur.along(coarse),
        resized_by_area(weight, small)[:, :, None],
    )
    weight *= resized_linear(explained, size)
    colours += resized_linear(change, size) * (luminance + DARK)[:, :, None]
    following = _following(luminance, colours)
    colours += EDGE_SHARE * weight[:, :, None] * (following - colours)

    red, blue = luminance + colours[:, :, 0], luminance + colours[:, :, 1]
    green = (luminance - LUMINANCE[0] * red - LUMINANCE[2] * blue) / LUMINANCE[1]
    found = np.clip(np.stack([red, green, blue], axis=2), 0.0, 1.0)
    changed = found if gamma == 1 else np.power(found, np.float32(1 / gamma))
    return np.where(weight[:, :, None] > 0, changed, estimate)


def _colours(signal: NDArray[np.float32]) -> Field:
    """Return how far red and blue differ from the luminance: (h, w, 2)."""
    return signal[:, :, ::2] - (signal @ LUMINANCE)[:, :, None]


def _solved(after: Field, before: Field, blur: Blur, weight: NDArray[np.float32]) -> tuple[Field, Picture]:
    """Return the change of hues that makes the restored picture `after` explain the colours of `before`.

    (h, w, 2), and where its luminance explains that of `before`: (h, w) from 0 to 1.
    """
    light, dimmed = after @ LUMINANCE, before @ LUMINANCE
    missed = blurred(local_mean((dimmed - blur.blurry(light)) ** 2, EXPLAINED_RADIUS_PX), 1.0)
    explained: Picture = np.reciprocal(1 + missed / np.float32(UNEXPLAINED_LIGHT**2))
    reach = (np.maximum(dimmed, light) + DARK)[:, :, None]
    carrying = (light + DARK)[:, :, None]
    seen, start = _colours(before), _colours(after) / carrying
    found, ahead, momentum = start, start, 1.0
    for _ in range(ITERATIONS):
        nearer = ahead + weight * blur.spread_back(seen - blur.blurry(ahead * carrying)) / reach
        faster = (1 + math.sqrt(1 + 4 * momentum * momentum)) / 2
        ahead = nearer + np.float32((momentum - 1) / faster) * (nearer - found)
        found, momentum = nearer, faster
    return (found - start) * explained[:, :, None], explained


def _following(guide: Picture, colours: Field) -> Field:
    """Return colours as local lines of the guide."""
    mean_guide = local_mean(guide, EDGE_RADIUS_PX)
    variance = local_mean(guide * guide, EDGE_RADIUS_PX) - mean_guide * mean_guide
    mean = local_mean(colours, EDGE_RADIUS_PX)
    covariance = local_mean(guide[:, :, None] * colours, EDGE_RADIUS_PX) - mean_guide[:, :, None] * mean
    slope: Field = np.divide(covariance, (np.maximum(variance, 0.0) + EDGE_FLOOR)[:, :, None])
    offset = local_mean(mean - slope * mean_guide[:, :, None], EDGE_RADIUS_PX)
    return local_mean(slope, EDGE_RADIUS_PX) * guide[:, :, None] + offset
