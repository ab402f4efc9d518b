"""The pattern as the frames of another camera show it: what the spikes counted beyond what the frames saw.

Strategy: frames and spikes are means over the same time, so their ratio over all frames is the pattern, and
what the frames' own errors add changes with the scene. In a scene at rest those errors stand as still as the
pattern does. So it is asked, place by place, if the scene's detail changed: the changes that the frames show
and those that the spikes show are compared, which noise of two cameras cannot have in common.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.fixed_pattern.measuring import FEWEST_VIEWS, Excess
from engine.fixed_pattern.pattern import FixedPattern
from engine.geometry import Size
from engine.light.filters import Picture, blurred, local_mean, resized_by_area, resized_linear, size_of
from engine.light.spike_signal import LUMINANCE, accord, expected_rate, settle_gamma
from engine.registration import Registration

DETAIL_PX = 3.0
PATCH_RADIUS_PX = 6
INDEPENDENT_PX = 4
"""Pixels of a patch, in each of which detail and noise are nearly one."""
CHANGE, SURE_CHANGE = 2.5, 5.0
"""Standard deviations of chance: a place has changed from the first on where it joins one beyond the second.
Scenes at rest reached 2.7 in eight recordings of 49 000 pixels."""
CHANGED_SHARE = 0.25
"""Of what stood still, at least, in the energy of detail."""
BRIDGED_PX = 6
"""Smooth places within so much of changed ones have moved with them."""
LEAST_RATE = 0.02
"""Of the mean rate: darker places are expected to fire no less."""
FEWEST_AGREEING = 0.1
"""Part of a picture in which frame and spikes must agree."""


@dataclass(frozen=True, eq=False)
class SeenExposure:
    """One exposure, seen by both cameras."""

    frame: NDArray[np.float32]
    """(H, W, 3)"""
    counts: Picture
    """(h, w) spikes of it, defective pixels filled."""
    planes: int
    registration: Registration | None = None
    """None where both cameras show one field of view."""

    @property
    def seen(self) -> Picture | None:
        """(h, w) of 0 and 1: which spike pixels the frame shows; None for all."""
        registration = self.registration
        if registration is None or registration.is_scale:
            return None
        return registration.covered_spikes().astype(np.float32)

    def as_spikes_see(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a picture of the frame, (H, W) or (H, W, c), at the scale of the spikes."""
        registration, size = self.registration, size_of(self.counts)
        if registration is not None and not registration.is_scale:
            return registration.picture_to_spikes(picture)
        return resized_linear(resized_by_area(picture, _no_larger(size, size_of(picture))), size)


def pattern_from_frames(
    exposures: Iterable[SeenExposure], sound: Picture, gamma: float | None
) -> FixedPattern | None:
    """Return the pattern of a spike camera; None where fewer than three frames agree with the spikes.

    `gamma` takes the frames' values to the signal that the spikes integrate; None: it is found.
    """
    views = [view for one in exposures if (view := _View.of(one, gamma)) is not None]
    if len(views) < FEWEST_VIEWS:
        return None
    excess = Excess.of(np.stack([one.counts for one in views]), np.stack([one.expected for one in views]))
    seen = _changed(np.stack([one.frame for one in views]), np.stack([one.spikes for one in views]))
    if views[0].shown is not None:
        seen = seen * views[0].shown
    return excess.pattern(seen, sound, "frames", len(views))


@dataclass(frozen=True, eq=False)
class _View:
    counts: Picture
    expected: Picture
    frame: Picture
    """(h, w) detail, as the frame shows it"""
    spikes: Picture
    """and as the spikes do."""
    shown: Picture | None
    """(h, w) of 0 and 1: what the frame shows at all; None for everything."""

    @classmethod
    def of(cls, exposure: SeenExposure, gamma: float | None) -> "_View | None":
        """Compare both cameras; None where they see different scenes."""
        counts, planes = exposure.counts, np.float32(exposure.planes)
        if exposure.planes < 1 or not counts.any():
            return None
        rate = counts / planes
        is_scale = exposure.registration is None or exposure.registration.is_scale
        of_one_view = exposure.frame if is_scale else exposure.as_spikes_see(exposure.frame)
        gamma = settle_gamma(of_one_view, rate, gamma)
        signal = exposure.frame if gamma == 1 else np.power(exposure.frame, np.float32(gamma))
        light = exposure.as_spikes_see(signal @ LUMINANCE)
        if float(accord(light, rate, exposure.planes).mean()) < FEWEST_AGREEING:
            return None
        expected = (
            np.maximum(expected_rate(light, rate, light), np.float32(LEAST_RATE) * rate.mean()) * planes
        )
        return cls(counts, expected, _detail(light), _detail(counts), exposure.seen)


def _no_larger(size: Size, than: Size) -> Size:
    return Size(min(size.height, than.height), min(size.width, than.width))


def _detail(picture: Picture) -> Picture:
    """Return a picture against its surroundings, whatever the light as a whole does."""
    around = blurred(picture, DETAIL_PX)
    return np.asarray(
        picture / (around + np.float32(1e-3) * around.mean() + np.float32(1e-9)) - 1, np.float32
    )


def _changed(frames: NDArray[np.float32], spikes: NDArray[np.float32]) -> Picture:
    """Return where the detail (n, h, w) that both cameras see was replaced: (h, w) of 0 and 1."""
    still = local_mean(np.square(frames.mean(axis=0)), PATCH_RADIUS_PX)
    product = (frames - frames.mean(axis=0)) * (spikes - spikes.mean(axis=0))
    common = local_mean(product.mean(axis=0), PATCH_RADIUS_PX)
    independent = len(product) * (2 * PATCH_RADIUS_PX + 1) ** 2 / INDEPENDENT_PX
    # Means of squares are taken from running sums, which may end a little below 0.
    energy = np.maximum(local_mean(np.square(product).mean(axis=0), PATCH_RADIUS_PX), 0.0)
    chance = np.sqrt(energy / np.float32(independent))
    evidence = common / (chance + np.float32(1e-12))
    may = ((evidence > CHANGE) & (common > CHANGED_SHARE * still)).astype(np.uint8)
    _, places = cv2.connectedComponents(may)
    sure = np.unique(places[(evidence > SURE_CHANGE) & (may > 0)])
    moved = np.isin(places, sure[sure > 0]).astype(np.uint8)
    reach = 2 * BRIDGED_PX + 1
    bridge = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return cv2.morphologyEx(moved, cv2.MORPH_CLOSE, bridge).astype(np.float32)
