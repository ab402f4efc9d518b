"""Changes of alignment windows, as pure functions from windows to windows. No Qt.

There is one window a frame. A window keeps a plane of length at least, and may reach beyond the recording,
where nothing is counted.
"""

from collections.abc import Iterable
from typing import Literal

from engine.alignment_window import AlignmentWindow

Windows = tuple[AlignmentWindow, ...]
Edge = Literal["start", "stop"]

SHORTEST_PLANES = 1.0
SMALLEST_SCALE, LARGEST_SCALE = 0.01, 100.0


def with_edge(window: AlignmentWindow, edge: Edge, plane: float) -> AlignmentWindow:
    """Move one edge to a plane; it stops before the other."""
    if edge == "start":
        return AlignmentWindow(min(plane, window.stop - SHORTEST_PLANES), window.stop)
    return AlignmentWindow(window.start, max(plane, window.start + SHORTEST_PLANES))


def shifted(windows: Windows, planes: float) -> Windows:
    """Move every window."""
    return tuple(window.shifted(planes) for window in windows)


def scaled(windows: Windows, factor: float) -> Windows:
    """Make every window longer or shorter around its middle."""
    factor = min(max(factor, SMALLEST_SCALE), LARGEST_SCALE)
    return tuple(window.central(max(SHORTEST_PLANES, window.length_planes * factor)) for window in windows)


def drifted(windows: Windows, planes_a_frame: float) -> Windows:
    """Move window number i by i times so much: the two cameras' clocks do not run alike."""
    return tuple(window.shifted(index * planes_a_frame) for index, window in enumerate(windows))


def snapped(plane: float, others: Iterable[float], reach: float) -> float:
    """Return the nearest of `others` within `reach` planes, else the nearest whole plane."""
    near = min(others, key=lambda other: abs(other - plane), default=None)
    return near if near is not None and abs(near - plane) <= reach else float(round(plane))


def changed_frames(before: Windows, after: Windows) -> frozenset[int]:
    """Return the frames whose windows differ."""
    pairs = enumerate(zip(before, after, strict=True))
    return frozenset([index for index, (old, new) in pairs if old is not new and old != new])
