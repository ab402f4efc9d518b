"""What a network that corrects the spike ratio is given: the ratio's estimate, and what it changed.

The ratio's hues are the blurry frame's; here they are solved for (`spike_colour`), and the detail that the
blurry frame has along the motion is put back (`spike_reblur`), which takes longer.

Training on stored voxels makes the ratio from the bins. Restoring from a recording makes it from the planes,
which is never worse, and a little better where a bin holds many of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.light.filters import Picture, resized_by_area, resized_linear
from engine.light.spike_signal import LUMINANCE
from engine.restoration.exposure import Exposure
from engine.restoration.spike_colour import solve_colours
from engine.restoration.spike_ratio import estimate_frame
from engine.restoration.spike_reblur import explain_blur
from engine.voxels import VoxelGrid

CHANGE_SOFTENING = 0.05
"""Added to both luminances, so that dark pixels do not shout."""
CONCERNED_PX = 4
"""Around what the spikes contradict where nothing moves: so far a network may have more to say of it."""
CHANGE_SCALE = 2.0
"""Brings the logarithm of the change to order one."""


@dataclass(frozen=True, eq=False)
class FirstEstimate:
    """A frame as the spike ratio restores it."""

    picture: NDArray[np.float32]
    """(H, W, 3) in [0, 1]"""
    change: Picture
    """(h, w), at the spikes' scale: scaled logarithm of how much brighter than the blurry frame it is."""
    kept: NDArray[np.bool_]
    """(H, W): pixels that come back as they are, being far from all that moved or was contradicted."""
    unchanged: str = ""
    """Why the picture is the blurry frame; empty where it is restored."""


def first_estimate(
    blurry: NDArray[np.float32], exposure: Exposure, spikes: Size, gamma: float | None
) -> FirstEstimate:
    """Restore (H, W, 3) from its exposure, in which `spikes` are so large; `gamma` as in `restore_frame`."""
    seen = exposure.seen_part(blurry)
    estimate = estimate_frame(seen, exposure, gamma)
    picture = estimate.picture
    if estimate.motion is not None and estimate.trust is not None:
        picture = solve_colours(seen, picture, estimate.motion, estimate.trust, estimate.gamma)
        picture = explain_blur(seen, picture, estimate.motion, estimate.gamma, estimate.believed)
    picture = exposure.put_back(picture, blurry)
    before, after = (frame @ LUMINANCE + np.float32(CHANGE_SOFTENING) for frame in (blurry, picture))
    change = _at_scale_of(np.log(after / before), spikes)
    kept = unconcerned(blurry, picture, moves=estimate.motion is not None)
    return FirstEstimate(picture, change, kept, estimate.unchanged)


def unconcerned(
    blurry: NDArray[np.float32], picture: NDArray[np.float32], *, moves: bool
) -> NDArray[np.bool_]:
    """Return the pixels of which nothing is to be restored: at rest, all that nobody contradicts.

    There are always a few that noise contradicts, and they are no reason to draw the rest of a scene anew.
    """
    changed = (picture != blurry).any(axis=2).astype(np.uint8)
    if moves and changed.any():
        return np.zeros(blurry.shape[:2], bool)
    reach = 2 * CONCERNED_PX + 1
    return cv2.dilate(changed, np.ones((reach, reach), np.uint8)) == 0


def start_from_ratio(
    frames: NDArray[np.float32],
    spikes: NDArray[np.float32],
    voxels: Iterable[VoxelGrid],
    gamma: float | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Turn blurry frames (T, H, W, 3) and spike channels (T, C, h, w) into what enters the network.

    That is the ratio's estimates, and C + 1 channels.
    """
    estimates = [
        first_estimate(frame, Exposure.of_voxels(grid), Size(*grid.shape[1:]), gamma)
        for frame, grid in zip(frames, voxels, strict=True)
    ]
    changes = np.stack([estimate.change for estimate in estimates])
    return np.stack([estimate.picture for estimate in estimates]), np.concatenate(
        [spikes, changes[:, None]], axis=1
    )


def _at_scale_of(change: Picture, spikes: Size) -> Picture:
    height, width = change.shape
    shrunk = resized_by_area(change, Size(min(height, spikes.height), min(width, spikes.width)))
    return resized_linear(shrunk, spikes) * np.float32(CHANGE_SCALE)
