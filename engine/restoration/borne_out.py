"""How far a blurry frame bears out what few spikes show.

Of few spikes the two halves of an exposure agree on a motion that is not there, since it was fitted to both.
The frame had no part in that: where a change is true, the changed picture, blurred along the motion, gives
the frame, so that the change's own blur is what the frame has beyond its own. Chance knows nothing of that.
"""

import numpy as np

from engine.light.filters import Picture, local_mean, resized_linear, size_of
from engine.light.trajectories import Trajectories
from engine.restoration.motion_blur import Blur

ASKED_BELOW = (1.5, 3.0)
"""Spikes a pixel and exposure: below the first only the frame is believed, from the second on the spikes
tell more than it."""
ASKED_RADIUS_PX = 12
"""In pixels of the spikes, as what follows."""
LIKENESS_RADIUS_PX = 20
BORNE_OUT = (0.3, 0.6)
"""Correlation between which a change counts: in small pictures chance reaches the first."""

_TINY, _NONE = np.float32(1e-12), np.float32(0)


def borne_out(change: Picture, luminance: Picture, motion: Trajectories, spikes: Picture) -> Picture:
    """Return the share of a `change` of the frame's `luminance` to keep, from 0 to 1, all on one grid (H, W).

    `motion` is in pixels of that grid, `spikes` (h, w) are those of each pixel in the exposure.
    """
    size = size_of(change)
    few, enough = ASKED_BELOW
    asked = np.clip(
        (np.float32(enough) - local_mean(spikes, ASKED_RADIUS_PX)) / np.float32(enough - few), 0.0, 1.0
    )
    if not asked.any():
        return np.ones_like(change)
    blur = Blur.along(motion)
    both = blur.blurry(np.stack([luminance, change], axis=2))
    beyond, shown = luminance - both[:, :, 0], both[:, :, 1]
    radius = LIKENESS_RADIUS_PX * max(1, round(size.width / size_of(spikes).width))
    shared = local_mean(beyond * shown, radius)
    # Running sums of squares come out below 0 where there is nothing.
    own, other = (np.maximum(local_mean(field * field, radius), _NONE) for field in (shown, beyond))
    chance, sure = BORNE_OUT
    likeness = shared / (np.sqrt(own) * np.sqrt(other) + _TINY)
    kept = np.clip((likeness - np.float32(chance)) / np.float32(sure - chance), 0.0, 1.0)
    kept *= np.clip(shared / (own + _TINY), 0.0, 1.0)
    return np.asarray(1 - resized_linear(asked, size) * (1 - kept), np.float32)
