"""Whether the rows and columns of an event list are counted from 0 or, as MATLAB does, from 1.

Strategy: a list without events in row 0 and column 0 may be either. It counts from 1 where its last row or
column lies just outside the size that is known, where the frames are exactly so many times as large as the
list is, counted from 1, and no size is known but that of its last row and column, or where the picture of a
frame agrees clearly better one pixel up and left.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.geometry import Size
from engine.recording.recording import Source, SpikeSource

MOST_FRAME_PIXELS = 8
"""Frame pixels a spike pixel, along an edge."""
SPARE_PX = 2
"""Rows and columns at the far edges that may be dark where the frames tell the size."""
COMPARED_SHIFTS_PX = (-1, 0, 1, 2)
COARSE_PX = 15
LEAST_CORRELATION = 0.5
LEAST_GAIN = 0.8
"""What remains unexplained counted from 1, against that counted from 0."""

KnownSide = tuple[int, Source]


@dataclass(frozen=True)
class Origin:
    """First row and column of an event list, 0 or 1, and why it is 1."""

    row: int = 0
    column: int = 0
    reason: str = ""
    is_open: bool = False
    """Nothing is in row 0 and column 0, and whether they are there is unknown."""
    is_size_from_one: bool = False
    """The size that is said is one too large, being the last row and column counted from 0."""
    size: Size | None = None
    """The recording's, where the size of the frames tells both."""


def find_origin(
    least: tuple[int, int],
    most: tuple[int, int],
    known_heights: list[KnownSide],
    known_widths: list[KnownSide],
    frame_size: Size | None,
) -> Origin:
    """Decide from sizes where the coordinates begin; the first of the known ones counts most.

    least, most: the first and the last row and column with an event.
    """
    reasons = [
        f"{name} {last} lies outside the {side} of {known[0][0]} ({known[0][1]})"
        for name, side, first, last, known in (
            ("row", "height", least[0], most[0], known_heights),
            ("column", "width", least[1], most[1], known_widths),
        )
        if first > 0 and known and known[0][0] == last and all(value <= last for value, _ in known)
    ]
    is_size_from_one = False
    told: Size | None = None
    if not reasons and max(least) > 0 and frame_size is not None:
        from_zero = Size(most[0] + 1, most[1] + 1)
        from_one = Size(most[0] + (least[0] == 0), most[1] + (least[1] == 0))
        times = _whole_times(frame_size, from_one)
        said = {*known_heights, *known_widths}
        says_last = {value for value, _ in known_heights} == {from_zero.height} and {
            value for value, _ in known_widths
        } == {from_zero.width}
        if times is not None and (not said or (says_last and min(least) > 0)):
            reasons = [f"the frames are {frame_size}, {times} times {from_one}"]
            if said:
                is_size_from_one = True
                reasons.append(
                    f"the size of {from_zero} ({known_heights[0][1]}) is their last row and column"
                )
            else:
                told = from_one
    if reasons:
        # One program counts both in one way: what is known about rows holds for columns, if it can.
        return Origin(
            int(least[0] > 0),
            int(least[1] > 0),
            " and ".join(reasons),
            is_size_from_one=is_size_from_one,
            size=told,
        )
    return Origin(is_open=min(least) > 0)


def _whole_times(frame: Size, size: Size) -> int | None:
    """How many times as large a frame is, where that is the same whole number along both edges."""
    times = frame.height // size.height
    same = (frame.height, frame.width) == (times * size.height, times * size.width)
    return times if same and 1 <= times <= MOST_FRAME_PIXELS else None


def size_by_frames(held: Size, frame: Size) -> Size | None:
    """The size that frames imply for a list without one: a whole part of theirs, `held` being its events'."""
    for times in range(1, MOST_FRAME_PIXELS + 1):
        if frame.height % times or frame.width % times:
            continue
        size = Size(frame.height // times, frame.width // times)
        spare = size.height - held.height, size.width - held.width
        if min(spare) >= 0 and max(spare) <= SPARE_PX:
            return size
    return None


def agrees_from_one(
    recording: SpikeSource,
    size: Size,
    picture: NDArray[np.floating],
    window: tuple[float, float] | None = None,
) -> bool:
    """Whether a picture of the same scene agrees clearly better with events counted from 1.

    picture: (H, W) or (H, W, 3) of any size and range, the same field of view; `window`: the planes that it
    was exposed in. `size` is the recording's, which need not be what just holds its events.
    """
    import cv2

    info = recording.info
    start, stop = (0.0, float(info.planes)) if window is None else window
    start, stop = max(0.0, start), min(float(info.planes), stop)
    grey = np.asarray(picture, np.float32)
    if grey.ndim == 3:
        grey = grey[..., :3].mean(axis=2)
    if not start < stop or grey.ndim != 2 or min(size.height, size.width, *grey.shape) < COARSE_PX:
        return False
    counts = np.zeros((size.height, size.width), np.float32)
    # The first row of the file is 0 or 1, and it is the last one of the picture where rows are turned over.
    top = size.height - info.height if info.flip else 0
    counts[top : top + info.height, : info.width] = recording.counts(AlignmentWindow(start, stop))[0]
    if not counts.any():
        return False
    is_smaller = grey.shape[0] >= size.height and grey.shape[1] >= size.width
    light = cv2.resize(
        grey, (size.width, size.height), interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    )
    spikes, light = _details(counts), _details(light)
    margin = max(COMPARED_SHIFTS_PX) + 1
    inner = light[margin:-margin, margin:-margin]
    alike = {}
    for rows in COMPARED_SHIFTS_PX:
        for columns in COMPARED_SHIFTS_PX:
            down = -rows if info.flip else rows
            moved = np.roll(spikes, (-down, -columns), axis=(0, 1))[margin:-margin, margin:-margin]
            alike[rows, columns] = _correlation(moved, inner)
    best = max(alike, key=lambda shift: alike[shift])
    from_one = alike[1, 1]
    return (
        best == (1, 1) and from_one >= LEAST_CORRELATION and (1 - from_one) <= LEAST_GAIN * (1 - alike[0, 0])
    )


def _details(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Leave what tells one pixel from the next: no noise of single pixels, no slow shading."""
    import cv2

    coarse = cv2.blur(picture, (COARSE_PX, COARSE_PX))
    return np.asarray(cv2.blur(picture, (3, 3)) - coarse, np.float32)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    first, second = first - first.mean(), second - second.mean()
    spread = math.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return float((first * second).sum()) / spread if spread > 0 else 0.0
