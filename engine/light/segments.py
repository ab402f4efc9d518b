"""Spike counts of consecutive parts of an exposure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.light.filters import Picture, halved


@dataclass(frozen=True, eq=False)
class Segment:
    """Spikes of a part of the exposure."""

    count: Picture
    planes: float
    """Planes that were counted."""
    time: float
    """Middle of the segment, in exposures from the centre."""

    def levelled(self, response: Picture) -> "Segment":
        """Return what pixels that all respond alike would have counted."""
        return Segment(self.count / response, self.planes, self.time)


@dataclass(frozen=True, eq=False)
class Segments:
    """Spike counts of consecutive parts of an exposure."""

    counts: NDArray[np.float32]
    """(K, h, w)"""
    planes: NDArray[np.float32]
    """(K,) planes in each segment."""
    times: NDArray[np.float32]
    """(K,) middle of each segment in exposures, 0 at the centre of the exposure."""

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def size(self) -> Size:
        return Size(self.counts.shape[1], self.counts.shape[2])

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> "Segments":
        counts, planes, times = zip(*((part.count, part.planes, part.time) for part in segments), strict=True)
        return cls(np.stack(counts), np.array(planes, np.float32), np.array(times, np.float32))

    def mean(self, chosen: NDArray[np.bool_]) -> Picture:
        """Return the (h, w) spikes a plane over some of the segments."""
        total = np.zeros(self.counts.shape[1:], np.float32)
        for index in np.flatnonzero(chosen):
            total += self.counts[index]
        total /= np.float32(max(self.planes[chosen].sum(), 1.0))
        return total

    @property
    def one_sided(self) -> bool:
        """All on the same side of the centre."""
        return bool((self.times >= 0).all() or (self.times <= 0).all())

    def halved(self) -> "Segments":
        """Return the segments at half the height and width, as mean counts of 2 × 2 pixels."""
        return Segments(np.stack([halved(count) for count in self.counts]), self.planes, self.times)
