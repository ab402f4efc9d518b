"""Changes of alignment windows, as pure functions from windows to windows. No Qt.

Windows are (start, stop) in planes, one a frame. A window keeps a plane of length at least, and may reach
beyond the recording, where nothing is counted.
"""

from collections.abc import Iterable
from typing import Literal

Window = tuple[float, float]
Windows = tuple[Window, ...]
Edge = Literal["start", "stop"]

SHORTEST_PLANES = 1.0
SMALLEST_SCALE, LARGEST_SCALE = 0.01, 100.0


def with_edge(window: Window, edge: Edge, plane: float) -> Window:
    """Move one edge to a plane; it stops before the other."""
    start, stop = window
    if edge == "start":
        return min(plane, stop - SHORTEST_PLANES), stop
    return start, max(plane, start + SHORTEST_PLANES)


def moved(window: Window, planes: float) -> Window:
    return window[0] + planes, window[1] + planes


def shifted(windows: Windows, planes: float) -> Windows:
    """Move every window."""
    return tuple(moved(window, planes) for window in windows)


def scaled(windows: Windows, factor: float) -> Windows:
    """Make every window longer or shorter around its middle."""
    factor = min(max(factor, SMALLEST_SCALE), LARGEST_SCALE)
    result = []
    for start, stop in windows:
        half = max(SHORTEST_PLANES, (stop - start) * factor) / 2
        middle = (start + stop) / 2
        result.append((middle - half, middle + half))
    return tuple(result)


def drifted(windows: Windows, planes_a_frame: float) -> Windows:
    """Move window number i by i times so much: the two cameras' clocks do not run alike."""
    return tuple(moved(window, index * planes_a_frame) for index, window in enumerate(windows))


def snapped(plane: float, others: Iterable[float], reach: float) -> float:
    """Return the nearest of `others` within `reach` planes, else the nearest whole plane."""
    near = min(others, key=lambda other: abs(other - plane), default=None)
    return near if near is not None and abs(near - plane) <= reach else float(round(plane))


def changed_frames(before: Windows, after: Windows) -> frozenset[int]:
    """Return the frames whose windows differ."""
    pairs = enumerate(zip(before, after, strict=True))
    return frozenset([index for index, (old, new) in pairs if old is not new and old != new])
