"""Taking hold of a window on the timeline: what lies under the mouse, and where a drag leads. No widgets."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

from app.state.alignment.windows import snapped, with_edge
from app.ui.timeline.plane_scale import PlaneScale
from engine.alignment_window import AlignmentWindow

GRIP_PX = 5.0
"""How near to an edge takes hold of it."""
SNAP_PX = 6.0
"""How near another window's edge attracts."""
NARROWEST_PX = 16.0
"""A bar less wide than this is chosen as a whole before its edges can be told apart."""
MOST_REACHED_PX = 3.0
"""How far the mouse moves before a press is a drag."""

Part = Literal["start", "stop", "bar"]


class Grip(NamedTuple):
    """What the mouse takes hold of."""

    frame: int
    part: Part


def part_at(bar: QRectF, at: QPointF) -> Part | None:
    """Return the part of a bar under a point; edges reach out of the bar, and leave room between them."""
    if not bar.top() - 2 <= at.y() <= bar.bottom() + 2:
        return None
    inside = min(GRIP_PX, bar.width() / 3)
    if -GRIP_PX <= at.x() - bar.left() <= inside:
        return "start"
    if -inside <= at.x() - bar.right() <= GRIP_PX:
        return "stop"
    return "bar" if bar.left() < at.x() < bar.right() else None


@dataclass(frozen=True)
class Drag:
    """A window being dragged."""

    frame: int
    part: Part
    window: AlignmentWindow
    """When it was taken hold of."""
    plane: float
    """Under the mouse then."""
    name: str
    """Steps of this name are one for undoing."""

    def lead(
        self, plane: float, scale: PlaneScale, others: tuple[float, ...], *, snap: bool
    ) -> AlignmentWindow:
        """Return the window when the mouse is at `plane`; `others` are planes that attract."""
        by = plane - self.plane
        reach = SNAP_PX / scale.px_per_plane  # of a neighbour's edge; whole planes attract from anywhere

        def settled(at: float) -> float:
            return snapped(at, others, reach) if snap else at

        if self.part == "bar":
            return self.window.shifted(settled(self.window.start + by) - self.window.start)
        edge = self.window.start if self.part == "start" else self.window.stop
        return with_edge(self.window, self.part, settled(edge + by))


def neighbours_edges(windows: NDArray[np.float64], frame: int) -> tuple[float, ...]:
    """Return the edges of the frames beside one, which attract; windows are (frames, 2)."""
    near = [index for index in (frame - 1, frame + 1) if 0 <= index < len(windows)]
    return tuple(windows[near].ravel().tolist())


def frames_with_edge_near(windows: NDArray[np.float64], plane: float, scale: PlaneScale) -> list[int]:
    """Return the frames that can be taken hold of at an edge near a plane, nearest first."""
    distance = np.abs(windows - plane).min(axis=1, initial=np.inf)
    wide = (windows[:, 1] - windows[:, 0]) * scale.px_per_plane >= NARROWEST_PX
    near = np.flatnonzero(wide & (distance * scale.px_per_plane <= GRIP_PX))
    return near[np.argsort(distance[near], kind="stable")].tolist()
