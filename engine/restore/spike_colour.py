"""Colours of the instant, out of a blurry frame whose motion the spikes know.

Spikes have no colour, so the spike ratio keeps the blurry frame's hues, and a sharp edge comes back with
its colours still smeared. The smear itself is known, though: every pixel of the frame is the mean of the
colours that moved past it. Strategy: look for colours which, moved along the trajectories of the exposure
and averaged, give the blurry frame's (Landweber's iteration with momentum, stopped early, at half the
frame's scale, where its noise is low), then let them follow the edges of the restored luminance (a guided
filter). All of it happens in the signal that an exposure adds up, and the luminance stays as it is.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.restore.filters import (
    Picture,
    local_mean,
    pixel_grid,
    resized_by_area,
    resized_linear,
    sample,
    size_of,
)
from engine.restore.spike_motion import Trajectories
from engine.restore.spike_signal import LUMINANCE

Field = NDArray[np.float32]
"""(h, w, 2)"""

ITERATIONS = 7
STEP_PX = 1.5
"""Motion between two of the moments that make up an exposure."""
MOMENTS = (4, 24)
"""Fewest and most of them."""
SHARP_BELOW_PX = 1.0
BLURRED_FROM_PX = 5.0
"""Motion in an exposure up to which colours stay as they are, and from which they are solved for in full."""
EDGE_RADIUS_PX = 2
EDGE_FLOOR = np.float32(3e-4)
EDGE_SHARE = np.float32(0.5)
"""How far colours follow the luminance's edges rather than what was solved for."""


@dataclass(frozen=True, eq=False)
class Blur:
    """What an exposure does to the picture of its centre."""

    seen_at: tuple[Field, ...]
    """For each moment: where every pixel's colour was at the centre."""
    moved_to: tuple[Field, ...]
    """For each moment: where every point of the centre is."""

    @classmethod
    def along(cls, motion: Trajectories, size: Size) -> "Blur":
        """`motion` is on a grid of `size`, in pixels of it."""
        fewest, most = MOMENTS
        moments = min(max(math.ceil(motion.speed / STEP_PX), fewest), most)
        times = ((np.arange(moments) + 0.5) / moments - 0.5).tolist()
        grid = pixel_grid(size, size)
        backwards = motion.reversed()
        return cls(
            tuple(backwards.places(time, grid) for time in times),
            tuple(motion.places(time, grid) for time in times),
        )

    def blurry(self, sharp: Field) -> Field:
        return _mean_of_samples(sharp, self.seen_at)

    def spread_back(self, blurry: Field) -> Field:
        """Give every point the mean of what it took part in: the transpose of `blurry`, in smooth motion."""
        return _mean_of_samples(blurry, self.moved_to)


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
    weight = resized_linear(trust, size) * _share_of_blur(motion, size)

    small = Size(max(1, size.height // 2), max(1, size.width // 2))
    coarse = _on_grid(motion, small).scaled(small.width / size.width, small.height / size.height)
    solved = _solved(
        resized_by_area(colours, small),
        resized_by_area(_colours(before), small),
        Blur.along(coarse, small),
        resized_by_area(weight, small)[:, :, None],
    )
    colours += resized_linear(solved - resized_by_area(colours, small), size)
    following = _following(luminance, colours)
    colours += EDGE_SHARE * weight[:, :, None] * (following - colours)

    red, blue = luminance + colours[:, :, 0], luminance + colours[:, :, 1]
    green = (luminance - LUMINANCE[0] * red - LUMINANCE[2] * blue) / LUMINANCE[1]
    found = np.clip(np.stack([red, green, blue], axis=2), 0.0, 1.0)
    changed = found if gamma == 1 else np.power(found, np.float32(1 / gamma))
    return np.where(weight[:, :, None] > 0, changed, estimate)


def _colours(signal: NDArray[np.float32]) -> Field:
    """Return how far red and blue differ from the luminance."""
    return signal[:, :, ::2] - (signal @ LUMINANCE)[:, :, None]


def _share_of_blur(motion: Trajectories, size: Size) -> Picture:
    velocity = _on_grid(motion, size).velocity
    travel = np.hypot(velocity[:, :, 0], velocity[:, :, 1])
    return np.clip((travel - SHARP_BELOW_PX) / (BLURRED_FROM_PX - SHARP_BELOW_PX), 0.0, 1.0)


def _on_grid(motion: Trajectories, size: Size) -> Trajectories:
    """Return the motion on a grid of `size`, finer or coarser; displacements keep their unit."""
    resize = resized_by_area if size.pixels < size_of(motion.velocity).pixels else resized_linear
    return Trajectories(resize(motion.velocity, size), resize(motion.acceleration, size))


def _solved(start: Field, blurry: Field, blur: Blur, weight: NDArray[np.float32]) -> Field:
    found, ahead, momentum = start, start, 1.0
    for _ in range(ITERATIONS):
        nearer = ahead + weight * blur.spread_back(blurry - blur.blurry(ahead))
        faster = (1 + math.sqrt(1 + 4 * momentum * momentum)) / 2
        ahead = nearer + np.float32((momentum - 1) / faster) * (nearer - found)
        found, momentum = nearer, faster
    return found


def _following(guide: Picture, colours: Field) -> Field:
    """Return colours as local lines of the guide."""
    mean_guide = local_mean(guide, EDGE_RADIUS_PX)
    variance = local_mean(guide * guide, EDGE_RADIUS_PX) - mean_guide * mean_guide
    mean = local_mean(colours, EDGE_RADIUS_PX)
    covariance = local_mean(guide[:, :, None] * colours, EDGE_RADIUS_PX) - mean_guide[:, :, None] * mean
    slope: Field = np.divide(covariance, (np.maximum(variance, 0.0) + EDGE_FLOOR)[:, :, None])
    offset = local_mean(mean - slope * mean_guide[:, :, None], EDGE_RADIUS_PX)
    return local_mean(slope, EDGE_RADIUS_PX) * guide[:, :, None] + offset


def _mean_of_samples(field: Field, places: tuple[Field, ...]) -> Field:
    total = np.zeros_like(field)
    for moment in places:
        cv2.add(total, sample(field, moment), total)
    return total / np.float32(len(places))
