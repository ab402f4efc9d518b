"""In which order the tiles of a plan are computed: the user's view first, and which frames that finishes.

Strategy: without a view, clip after clip and tile after tile, so that the same work is always done in the
same order. With one, the clip that shows the frame in view comes first, of its tiles those that are visible,
of these the nearest to the cursor. The question is asked anew before every step, so a view that moves is
followed within a tile.
"""

from collections.abc import Container
from dataclasses import dataclass

from engine.geometry import Region
from engine.restoration.plan import Plan


@dataclass(frozen=True)
class View:
    """What the user is looking at."""

    frame: int
    region: Region | None = None
    """The visible part of the frame; None for all of it."""
    cursor: tuple[float, float] | None = None
    """Row and column; None takes the middle of what is visible."""


@dataclass(frozen=True)
class Step:
    """Tiles that are computed together, all of one clip."""

    clip: int
    """Its place among the plan's clips."""
    tiles: tuple[int, ...]
    """Their places among the plan's tiles."""


class Schedule:
    """What is left of a plan, and what is next."""

    def __init__(self, plan: Plan, wanted: Container[int]) -> None:
        self._plan = plan
        self._left = {
            index: list(range(len(plan.tiles)))
            for index, clip in enumerate(plan.clips)
            if any(frame in wanted for frame in range(clip.start, clip.stop))
        }
        self.tiles_done = plan.tiles_total - len(plan.tiles) * len(self._left)
        """Tiles that need not be computed count as done."""
        self._clips_of: dict[int, set[int]] = {}
        for index in self._left:
            for frame in range(plan.clips[index].start, plan.clips[index].stop):
                self._clips_of.setdefault(frame, set()).add(index)

    @property
    def clips_left(self) -> frozenset[int]:
        """Places of the clips with tiles to compute."""
        return frozenset(self._left)

    def next(self, current: int | None, view: View | None, most_tiles: int = 1) -> Step | None:
        """Return what to compute now, None when nothing is left. `current` is the clip that is prepared."""
        clip = self._next_clip(current, view)
        if clip is None:
            return None
        tiles = self._left[clip]
        if view is not None:
            tiles = sorted(tiles, key=lambda index: self._distance(index, view))
        return Step(clip, tuple(tiles[:most_tiles]))

    def after(self, current: int, view: View | None) -> int | None:
        """Return the clip that will probably be needed once the current one is done."""
        left = [index for index in self._left if index != current]
        shown = self._showing(view, left)
        return shown if shown is not None else min(left, default=None)

    def done(self, step: Step) -> tuple[int, ...]:
        """Take a computed step off, and return the frames that are finished by it, in order."""
        left = self._left[step.clip]
        for tile in step.tiles:
            left.remove(tile)
        self.tiles_done += len(step.tiles)
        if left:
            return ()
        del self._left[step.clip]
        finished = []
        clip = self._plan.clips[step.clip]
        for frame in range(clip.start, clip.stop):
            self._clips_of[frame].discard(step.clip)
            if not self._clips_of[frame]:
                finished.append(frame)
        return tuple(finished)

    def _next_clip(self, current: int | None, view: View | None) -> int | None:
        shown = self._showing(view, list(self._left))
        if shown is not None:
            return shown
        if current in self._left:
            return current
        return min(self._left, default=None)

    def _showing(self, view: View | None, clips: list[int]) -> int | None:
        """Return, of the clips that show the frame in view, the one with it nearest to its middle."""
        if view is None:
            return None
        showing = [index for index in clips if view.frame in self._plan.clips[index]]
        middles = {index: sum(_ends(self._plan, index)) / 2 for index in showing}
        return min(showing, key=lambda index: (abs(middles[index] - view.frame), index), default=None)

    def _distance(self, index: int, view: View) -> tuple[bool, float, int]:
        """Rank a tile: those that are visible first, then by the way from the cursor."""
        tile = self._plan.tiles[index]
        seen = view.region or self._plan.region
        row, column = view.cursor or ((seen.top + seen.bottom) / 2, (seen.left + seen.right) / 2)
        down = max(tile.top - row, 0.0, row - tile.bottom)
        across = max(tile.left - column, 0.0, column - tile.right)
        return tile.intersect(seen) is None, down * down + across * across, index


def _ends(plan: Plan, index: int) -> tuple[int, int]:
    return plan.clips[index].start, plan.clips[index].stop - 1
