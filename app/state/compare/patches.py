"""Regions of frames that were restored alone, laid together frame by frame."""

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from app.state.jobs.job import PartialFrame
from engine.geometry import Region
from engine.moment import Moment

MOST_FRAMES = 8


class Patches:
    """The restored regions of a few frames; the one not touched for longest goes first."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, PartialFrame] = OrderedDict()

    def get(self, index: int) -> PartialFrame | None:
        return self._frames.get(index)

    def add(self, index: int, region: Region, picture: NDArray[np.float32]) -> PartialFrame:
        """Lay a restored region of `picture` (H, W, 3) over what there is of the frame."""
        known = self._frames.pop(index, None)
        if known is None:
            patch = PartialFrame(Moment(index), picture, (region,))
        else:
            known.picture[region.slices] = picture[region.slices]
            patch = PartialFrame(Moment(index), known.picture, (*known.finished, region))
        self._frames[index] = patch
        while len(self._frames) > MOST_FRAMES:
            self._frames.popitem(last=False)
        return patch

    def forget(self, index: int) -> None:
        self._frames.pop(index, None)

    def clear(self) -> None:
        self._frames.clear()
