"""When the pixels under the mouse fired, and how far apart: what a raster and an interval plot show."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.state.reading.lane import Lane
from app.state.reading.lease import Lease
from engine.alignment_window import AlignmentWindow
from engine.geometry import Region, Span

if TYPE_CHECKING:
    from engine.sequence import Sequence

REACHES = (0, 1, 2, 4)
"""Pixels on either side of the one under the mouse: 1, 3 × 3, 5 × 5 and 9 × 9 pixels."""
USUAL_REACH = 2
MARGIN_SHARE = 0.25
"""Of the window's length, what is shown before and after it."""
MOST_PLANES = 4096


@dataclass(frozen=True, eq=False)
class Raster:
    """Spikes of a few neighbouring pixels of the spike camera."""

    x: int
    """Of the pixel in the middle, in spike pixels."""
    y: int
    window: AlignmentWindow
    """The frame's alignment window."""
    span: Span
    """Planes that were looked at."""
    planes: NDArray[np.float64]
    """When every spike was, in planes, by pixel and time."""
    rows: NDArray[np.int64]
    """Of every spike, the number of its pixel: 0 is the first of the neighbourhood, row by row."""
    row_count: int
    middle_row: int
    pixels: tuple[tuple[int, int], ...] = ()
    """(x, y) of every row."""
    complete: bool = True
    """Whether the whole window was looked at: very long ones are not."""

    @property
    def of_middle(self) -> NDArray[np.float64]:
        """When the pixel in the middle fired, in planes."""
        return self.planes[self.rows == self.middle_row]

    @property
    def intervals(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Planes of the middle pixel's spikes but the first, and how many planes each came after its last."""
        fired = self.of_middle
        return fired[1:], np.diff(fired)


class Rasters(QObject):
    """Reads the raster of the newest pixel that was asked for."""

    changed = Signal()

    def __init__(
        self, pool: ThreadPoolExecutor, parent: QObject | None = None, *, reach: int = USUAL_REACH
    ) -> None:
        super().__init__(parent)
        self.current: Raster | None = None
        self.reach = reach
        self._watched = False
        self._asked: tuple[Lease, int, tuple[int, int]] | None = None
        """What the mouse was over last, read or not."""
        self._lane = Lane(pool, self)
        self._lane.answered.connect(lambda _, raster: self._show(raster))
        self._lane.failed.connect(lambda *_: self._show(None))

    @property
    def watched(self) -> bool:
        """Nothing is read while nobody sees it."""
        return self._watched

    def watch(self, watched: bool) -> None:
        """Begin or cease to read; what the mouse was over meanwhile is read now."""
        self._watched = watched
        self._request()

    def set_reach(self, reach: int) -> None:
        """Read so many pixels on either side of the one under the mouse."""
        self.reach = reach
        self._request()

    def ask(self, lease: Lease | None, index: int, pixel: tuple[int, int] | None) -> None:
        """Ask for the pixel (x, y) of frame `index`; what was shown stays where there is none."""
        if lease is not None and pixel is not None and lease.sequence.recording is not None:
            self._asked = (lease, index, pixel)
            self._request()

    def follow(self, lease: Lease, index: int) -> None:
        """Ask for the same pixel again: the frame or its window is another."""
        if self._asked is not None:
            self.ask(lease, index, self._asked[2])

    def _request(self) -> None:
        if self._watched and self._asked is not None:
            lease, index, pixel = self._asked
            reach = self.reach
            self._lane.request((index, pixel), lambda _: _read(lease, index, pixel, reach))

    def clear(self) -> None:
        self._lane.clear()
        self._asked = None
        self._show(None)

    def _show(self, raster: Raster | None) -> None:
        self.current = raster
        self.changed.emit()


def bin_span(window: AlignmentWindow, selected: int | None, bins: int) -> tuple[float, float] | None:
    """Return the planes of one of a window's voxel bins, None for no bin."""
    if selected is None:
        return None
    length = window.length_planes / bins
    return window.start + selected * length, window.start + (selected + 1) * length


def spikes_in_bin(planes: NDArray[np.float64], window: AlignmentWindow, selected: int, bins: int) -> int:
    """Return how many spikes inside a window are counted in one of its voxel bins."""
    place = np.floor((planes - window.start) / window.length_planes * bins)
    return int((np.minimum(place, bins - 1) == selected).sum())


def _read(lease: Lease, index: int, pixel: tuple[int, int], reach: int) -> Raster | None:
    with lease.reading() as sequence:
        assert sequence.recording is not None
        place = sequence.registration.spike_pixel(pixel)
        return None if place is None else raster_of(sequence, index, place, reach)


def raster_of(sequence: "Sequence", index: int, pixel: tuple[int, int], reach: int = USUAL_REACH) -> Raster:
    """Return the spikes of the pixels around (x, y) of the spike camera, in a frame's window and beside it.

    Only those that were recorded in one go with the frame; of a very long window those at its beginning.
    """
    assert sequence.recording is not None
    size, (x, y) = sequence.recording.info.size, pixel
    window, limits = sequence.window(index), sequence.spike_limits(index)
    margin = MARGIN_SHARE * window.length_planes
    around = AlignmentWindow(math.floor(window.start - margin), math.ceil(window.stop + margin))
    planes = around.planes_of(limits)
    planes = Span(planes.start, min(planes.stop, planes.start + MOST_PLANES))
    region = Region(y, x, y + 1, x + 1).expand(reach, size)
    spikes = sequence.spikes_in(region, index, planes.start, planes.stop)
    width = region.size.width
    numbers = (spikes.rows - region.top).astype(np.int64) * width + (spikes.columns - region.left)
    by_pixel = np.lexsort((spikes.times, numbers))
    return Raster(
        x,
        y,
        window,
        planes,
        spikes.times[by_pixel],
        numbers[by_pixel],
        region.size.pixels,
        (y - region.top) * width + (x - region.left),
        tuple(
            (column, row)
            for row in range(region.top, region.bottom)
            for column in range(region.left, region.right)
        ),
        complete=planes.stop >= min(window.stop, limits.stop),
    )
