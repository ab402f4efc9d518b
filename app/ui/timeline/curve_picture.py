"""The spike-rate curve as pixels.

Strategy: every screen column is coloured by how much of each of its pixels the curve covers, for all columns
at once. Polygons of thousands of points cost a painter a hundred times as long, at every step to a frame.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.state.spikes.spike_rate import RateCurve

LINE_PX = 1.3
GROUND_OPACITY = 0.16
"""Below the mean."""
SPREAD_OPACITY = 0.30
"""Between the lowest and the highest plane of a column."""
HEADROOM = 1.05


@lru_cache(maxsize=4)
def curve_pixels(
    curve: RateCurve, planes: tuple[float, float], columns: int, height: int, ratio: float, colour: str
) -> NDArray[np.uint8]:
    """Return (height, columns, 4) premultiplied BGRA of the planes [start, stop), zero at the bottom.

    `ratio` is the number of device pixels a logical pixel has, `colour` is #rrggbb.
    """
    low, high, mean = curve.envelope(*planes, columns)
    rise = height / (curve.peak * HEADROOM) if curve.peak > 0 else 0.0
    low_y, high_y, mean_y = (height - values * rise for values in (low, high, mean))
    half = LINE_PX * ratio / 2
    following = np.append(mean_y[1:], mean_y[-1:])
    line_top = np.fmin(mean_y, following) - half
    line_bottom = np.fmax(mean_y, following) + half
    ground = GROUND_OPACITY * _covered(mean_y, np.full_like(mean_y, height), height)
    spread = SPREAD_OPACITY * _covered(high_y, low_y, height)
    line = _covered(line_top, line_bottom, height)
    alpha = 1 - (1 - ground) * (1 - spread) * (1 - line)
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    channels = np.array([blue, green, red, 255], np.float32)
    return np.ascontiguousarray((alpha[..., None] * channels + 0.5).astype(np.uint8))


def _covered(top: NDArray[np.float32], bottom: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """Return how much of every pixel (height, columns) lies between `top` and `bottom`; none where NaN."""
    rows = np.arange(height, dtype=np.float32)[:, None]
    shares = np.minimum(bottom, rows + 1) - np.maximum(top, rows)
    return np.clip(np.nan_to_num(shares, nan=0.0), 0, 1)
