"""Join overlapping tiles and clips without a seam.

Strategy: along each axis a tile's weight rises as a raised cosine over what it shares with the tile
before it and falls likewise towards the next; its outermost pixels, which saw least of what is around them,
do not count where another tile has seen more. Divided by the sum of all weights they are a partition of
unity by construction, at the borders of the picture too, where nothing rises or falls. The weight of a
pixel is the product over rows, columns and time. A frame starts as its blurry self, and every tile moves
it towards the result by its weight, so that a half-finished frame is always something to look at.
"""

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Span
from engine.restoration.plan import Plan

IGNORED_SHARE = 0.25
"""Part of what two tiles share, at either end, that is taken from one of them alone."""


def axis_weights(spans: tuple[Span, ...]) -> tuple[NDArray[np.float64], ...]:
    """Return one weight vector a span; where spans overlap their weights add up to 1, alone they are 1.

    The spans are in order, of equal length, and cover an interval without a gap.
    """
    profiles = []
    for index, span in enumerate(spans):
        profile = np.ones(len(span))
        if index > 0:
            profile *= _rise(len(span), spans[index - 1].stop - span.start)
        if index + 1 < len(spans):
            profile *= _rise(len(span), span.stop - spans[index + 1].start)[::-1]
        profiles.append(profile)
    origin = spans[0].start
    total = np.zeros(spans[-1].stop - origin)
    for span, profile in zip(spans, profiles, strict=True):
        total[span.start - origin : span.stop - origin] += profile
    return tuple(
        profile / total[span.start - origin : span.stop - origin]
        for span, profile in zip(spans, profiles, strict=True)
    )


def _rise(length: int, shared: int) -> NDArray[np.float64]:
    """0 for a quarter of the first `shared` samples, a raised cosine over the middle, then 1.

    Taken at sample centres it is 0 nowhere else. Where one tile is 0 its neighbour, which falls over the
    same samples, is 1.
    """
    rise = np.ones(length)
    shared = min(shared, length)
    ignored = int(shared * IGNORED_SHARE)
    if shared > 0:
        ramp = shared - 2 * ignored
        rise[:ignored] = 0.0
        rise[ignored : ignored + ramp] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)
    return rise


class Blend:
    """The weights of a plan, and how tiles are laid into frames."""

    def __init__(self, plan: Plan, share: NDArray[np.float32] | None = None) -> None:
        """Blend the tiles of a plan; `share` (H, W) says how far they count at all, None for wholly."""
        self._region = plan.region
        self._share = share
        self._rows = dict(zip(plan.rows, axis_weights(plan.rows), strict=True))
        self._columns = dict(zip(plan.columns, axis_weights(plan.columns), strict=True))
        self._clips = dict(zip(plan.clips, axis_weights(plan.clips), strict=True)) if plan.clips else {}

    def weights(self, tile: Region, clip: Span) -> NDArray[np.float32]:
        """Return the (clip, h, w) weights of one tile of one clip."""
        rows = self._rows[Span(tile.top, tile.bottom)]
        columns = self._columns[Span(tile.left, tile.right)]
        weights = np.einsum("t,h,w->thw", self._clips[clip], rows, columns).astype(np.float32)
        return weights if self._share is None else weights * self._share[tile.slices]

    def visible(self, tile: Region) -> Region | None:
        """Return the part of a tile that is shown; the rest is context around the planned region."""
        return tile.intersect(self._region)

    def lay(
        self,
        picture: NDArray[np.float32],
        blurry: NDArray[np.float32],
        restored: NDArray[np.float32],
        tile: Region,
        weights: NDArray[np.float32],
    ) -> None:
        """Move `picture` (H, W, 3), which began as `blurry`, towards one `restored` (h, w, 3) tile.

        Where the weight is 1 the restored values are taken as they are, to the last bit.
        """
        shown = self.visible(tile)
        if shown is None:
            return
        inside = shown.relative_to(tile).slices
        target = picture[shown.slices]
        share = weights[inside][:, :, None]
        target += share * (restored[inside] - blurry[shown.slices])
        np.copyto(target, restored[inside], where=share == 1.0)
