"""What the timeline shows, and how high its parts are. No painting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from app.state.spikes.spike_rate import RateCurve
from app.ui.timeline.plane_scale import lanes
from engine.alignment_window import AlignmentWindow
from engine.geometry import Span

GUTTER_PX = 10
BAR_PX = (16, 13, 12)
"""Height of a bar where there are so many lanes."""
BAR_GAP_PX = 3


@dataclass
class TimelineContent:
    """Everything the timeline shows."""

    windows: NDArray[np.float64]
    """(frames, 2): first plane and plane after the last of every frame."""
    lanes: NDArray[np.int64]
    name_of: Callable[[int], str] = str
    planes: int = 0
    parts: tuple[int, ...] = ()
    rate_hz: float | None = None
    guess: bool = False
    curve: RateCurve | None = None
    progress: float | None = None
    current: int = 0
    range: Span | None = None
    restored: frozenset[int] = frozenset()
    stale: frozenset[int] = frozenset()
    bin: tuple[float, float] | None = None
    edited: frozenset[int] = frozenset()
    can_edit: bool = False
    bins: int = 32
    """Voxel bins of a window."""

    @classmethod
    def of_windows(cls, windows: Sequence[AlignmentWindow]) -> "TimelineContent":
        content = cls(np.empty((0, 2)), np.empty(0, np.int64))
        content.take_windows(windows)
        return content

    def take_windows(self, windows: Sequence[AlignmentWindow]) -> None:
        """Show other windows of the same frames."""
        edges = [(window.start, window.stop) for window in windows]  # numbers, to paint thousands at a time
        self.windows = np.array(edges, np.float64).reshape(-1, 2)
        self.lanes = np.array(lanes(edges), np.int64)

    @property
    def bounds(self) -> tuple[float, float]:
        """First and last plane there is anything to show at."""
        low = min(0.0, float(self.windows[:, 0].min(initial=0.0)))
        return low, max(float(max(self.planes, 1)), float(self.windows[:, 1].max(initial=0.0)))

    @property
    def current_window(self) -> AlignmentWindow | None:
        if self.current >= len(self.windows):
            return None
        return AlignmentWindow(*self.windows[self.current].tolist())


@dataclass(frozen=True)
class Rows:
    """Heights of the timeline's parts, top to bottom."""

    line: float
    curve: QRectF
    bars_y: float
    bar_px: float
    axis_y: float


def rows_of(content: TimelineContent, line: float, width: float, height: float) -> Rows:
    lane_count = int(content.lanes.max(initial=0)) + 1
    bar_px = float(BAR_PX[lane_count - 1])
    axis_y = height - line * (2 if content.rate_hz else 1) - 7
    top = line + 8
    room = axis_y - top - 9
    bar_px = max(2.0, min(bar_px, 0.75 * room / lane_count - BAR_GAP_PX))
    bars_px = (bar_px + BAR_GAP_PX) * lane_count
    curve = QRectF(GUTTER_PX, top, width - 2 * GUTTER_PX, max(0.0, axis_y - bars_px - top - 9))
    return Rows(line, curve, curve.bottom() + 6, bar_px, axis_y)
