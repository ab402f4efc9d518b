"""The way of every point of a scene during an exposure."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.light.filters import Picture, resized_by_area, resized_linear

Field = NDArray[np.float32]
"""(h, w, 2): x and y in pixels."""


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Where the point that a pixel shows at the centre of the exposure is at other times.

    Known at a few times before and after the centre; in between, and beyond them, it moves straight on.
    """

    times: tuple[float, ...]
    """In exposures from the centre, rising, 0 not among them; there are some on both sides of it."""
    ways: tuple[Field, ...]
    """How far every point of the centre is displaced at each of them."""

    @classmethod
    def of(cls, ways: Mapping[float, Field]) -> Self:
        """Return the trajectories that pass so far from the centre's points at these times.

        Some of the times are before 0 and some after it; what is given for 0 is left out.
        """
        times = tuple(sorted(time for time in ways if time != 0))
        return cls(times, tuple(ways[time] for time in times))

    @classmethod
    def steady(cls, velocity: Field) -> Self:
        """Return those of points that never change their velocity, in pixels an exposure."""
        half = velocity * np.float32(0.5)
        return cls((-0.5, 0.5), (-half, half))

    @property
    def size(self) -> Size:
        """The grid that they are known on."""
        return Size(*self.ways[0].shape[:2])

    @property
    def mean_velocity(self) -> Field:
        """Over the exposure, in pixels an exposure."""
        return cast(Field, (self.ways[-1] - self.ways[0]) / np.float32(self.times[-1] - self.times[0]))

    @property
    def travel_px(self) -> Picture:
        """How far apart every point's places are at the two ends of the exposure, (h, w)."""
        velocity = self.mean_velocity
        return cast(Picture, cv2.magnitude(velocity[:, :, 0], velocity[:, :, 1]))

    @property
    def speed(self) -> float:
        """Nine points in ten travel less, in pixels an exposure."""
        return float(np.percentile(self.travel_px[::4, ::4], 90))

    def places(self, time: float, grid: Field, out: Field | None = None) -> Field:
        """Return where the points of `grid`, (h, w, 2) x and y in pixels, are at `time`."""
        weights = self._weights(time)
        if not weights:
            return grid.copy()
        moved = grid
        for index, weight in weights.items():
            moved = cast(Field, cv2.scaleAdd(self.ways[index], weight, moved, out))
            out = moved
        return moved

    def _weights(self, time: float) -> dict[int, float]:
        """Return how much each of the ways counts at a time; at the centre every way is 0."""
        if time == 0:
            return {}
        middle = bisect_left(self.times, 0.0)
        beyond = range(middle, len(self.times)) if time > 0 else range(middle - 1, -1, -1)
        nearer, nearer_time = None, 0.0
        for index in beyond:
            far = index == beyond[-1]
            if abs(time) <= abs(self.times[index]) or far:
                share = (time - nearer_time) / (self.times[index] - nearer_time)
                return {index: share} if nearer is None else {index: share, nearer: 1 - share}
            nearer, nearer_time = index, self.times[index]
        raise AssertionError("trajectories are known on both sides of the centre")

    def reversed(self) -> "Trajectories":
        """Return where a point seen at other times was at the centre, where the motion is smooth."""
        return self._mapped(lambda way: -way)

    def resized(self, size: Size) -> "Trajectories":
        """Return them on a finer or coarser grid of the same picture; displacements keep their unit."""
        resize = resized_by_area if size.pixels < self.size.pixels else resized_linear
        return self._mapped(lambda way: resize(way, size))

    def scaled(self, x: float, y: float) -> "Trajectories":
        """Return them with displacements in another unit."""
        if x == y == 1:
            return self
        scale = np.array([x, y], np.float32)
        return self._mapped(lambda way: way * scale)

    def _mapped(self, change: Callable[[Field], Picture]) -> "Trajectories":
        return Trajectories(self.times, tuple(change(way) for way in self.ways))
