"""Where planes lie on a screen line: the arithmetic of the timeline, without widgets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication

translate = QCoreApplication.translate

MOST_LANES = 3
SHORTEST_VIEW_PLANES = 8.0


@dataclass(frozen=True)
class PlaneScale:
    """Maps planes [start, stop) to `width_px` pixels from `left_px` on."""

    start: float
    stop: float
    left_px: float
    width_px: float

    @property
    def px_per_plane(self) -> float:
        return self.width_px / (self.stop - self.start)

    def x(self, plane: float) -> float:
        return self.left_px + (plane - self.start) * self.px_per_plane

    def plane(self, x: float) -> float:
        return self.start + (x - self.left_px) / self.px_per_plane

    def ticks(self, smallest_gap_px: float) -> list[float]:
        """Return round plane numbers in view, at least `smallest_gap_px` apart."""
        step = round_step(smallest_gap_px / self.px_per_plane, whole=True)
        first = math.ceil(self.start / step - 1e-9)
        count = math.floor(self.stop / step + 1e-9) - first + 1
        return [(first + i) * step for i in range(max(0, count))]


def round_step(at_least: float, *, whole: bool = False) -> float:
    """Return the smallest of 1, 2, 5 × 10ⁿ that is not less than `at_least` (and not below 1 if `whole`)."""
    if whole:
        at_least = max(1.0, at_least)
    power = 10.0 ** math.floor(math.log10(at_least))
    for factor in (1, 2, 5):
        if factor * power >= at_least * (1 - 1e-9):
            return factor * power
    return 10 * power


def zoomed(
    start: float, stop: float, factor: float, around: float, bounds: tuple[float, float]
) -> tuple[float, float]:
    """Scale the view [start, stop) by `factor`, `around` staying where it is, inside `bounds`."""
    low, high = bounds
    length = min(max((stop - start) * factor, SHORTEST_VIEW_PLANES), high - low)
    share = (around - start) / (stop - start)
    return panned(around - share * length, around + (1 - share) * length, 0.0, bounds)


def panned(start: float, stop: float, by: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Move the view [start, stop) by planes, stopping at `bounds`."""
    low, high = bounds
    length = min(stop - start, high - low)
    start = min(max(start + by, low), high - length)
    return start, start + length


def lanes(windows: Sequence[tuple[float, float]]) -> list[int]:
    """Put overlapping windows below one another: the lane of each, at most `MOST_LANES` of them."""
    ends: list[float] = []
    chosen = []
    for start, stop in windows:
        lane, is_free = 0, False
        for end in ends:  # no generator: there may be tens of thousands of windows
            is_free = end <= start + 1e-9
            if is_free:
                break
            lane += 1
        if not is_free and lane < MOST_LANES:
            ends.append(stop)
        elif not is_free:
            lane = ends.index(min(ends))
        ends[lane] = stop
        chosen.append(lane)
    return chosen


def format_planes(start: float, stop: float) -> str:
    return f"{_short(start)}–{_short(stop)}"


def format_span(start: float, stop: float, rate_hz: float | None) -> str:
    """Return a span in planes, and in ms where the rate is known."""
    text = translate("PlaneScale", "planes {span}").format(span=format_planes(start, stop))
    if rate_hz:
        text += f" · {_short(start / rate_hz * 1e3)}–{_short(stop / rate_hz * 1e3)} ms"
    return text


def format_time(planes: float, rate_hz: float) -> str:
    """Return a time with a unit that suits its size."""
    seconds = planes / rate_hz
    if abs(seconds) >= 10:
        return f"{_short(seconds, 3)} s"
    return f"{_short(seconds * 1e3, 2)} ms"


def _short(value: float, decimals: int = 2) -> str:
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def frame_at(windows: NDArray[np.float64], plane: float) -> int | None:
    """Return the frame whose window (frames, 2) holds `plane`, else the one whose centre is nearest."""
    if len(windows) == 0:
        return None
    distance = np.abs(windows.mean(axis=1) - plane)
    inside = (windows[:, 0] <= plane) & (plane < windows[:, 1])
    if inside.any():
        distance[~inside] = np.inf
    return int(distance.argmin())
