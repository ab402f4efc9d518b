"""When the pixels under the mouse fired, and how far apart: what a raster and an interval plot show."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.state.reading.lane import Lane
from app.state.reading.lease import Lease
from engine.recording.recording import Recording

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
    window: tuple[float, float]
    """The frame's alignment window in planes."""
    span: tuple[int, int]
    """Planes that were looked at."""
    planes: NDArray[np.int64]
    """Of every spike, by pixel and time."""
    rows: NDArray[np.int64]
    """Of every spike, the number of its pixel: 0 is the first of the neighbourhood, row by row."""
    row_count: int
    middle_row: int
    pixels: tuple[tuple[int, int], ...] = ()
    """(x, y) of every row."""
    complete: bool = True
    """Whether the whole window was looked at: very long ones are not."""

    @property
    def of_middle(self) -> NDArray[np.int64]:
        """Planes in which the pixel in the middle fired."""
        return self.planes[self.rows == self.middle_row]

    @property
    def intervals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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


def bin_span(window: tuple[float, float], selected: int | None, bins: int) -> tuple[float, float] | None:
    """Return the planes of one of a window's voxel bins, None for no bin."""
    if selected is None:
        return None
    length = (window[1] - window[0]) / bins
    return window[0] + selected * length, window[0] + (selected + 1) * length


def spikes_in_bin(planes: NDArray[np.int64], window: tuple[float, float], selected: int, bins: int) -> int:
    """Return how many spikes inside a window are counted in one of its voxel bins."""
    place = np.floor((planes - window[0]) / (window[1] - window[0]) * bins)
    return int((np.minimum(place, bins - 1) == selected).sum())


def _read(lease: Lease, index: int, pixel: tuple[int, int], reach: int) -> Raster:
    with lease.reading() as sequence:
        recording = sequence.recording
        assert recording is not None
        size, frame = recording.info.size, sequence.frame_size
        x = min(size.width - 1, int((pixel[0] + 0.5) * size.width / frame.width))
        y = min(size.height - 1, int((pixel[1] + 0.5) * size.height / frame.height))
        window = sequence.window(index)
        margin = MARGIN_SHARE * (window.stop - window.start)
        start = max(0, math.floor(window.start - margin))
        end = min(recording.info.planes, math.ceil(window.stop + margin))
        span = (start, max(start, min(end, start + MOST_PLANES)))
        return raster_of(recording, (x, y), (window.start, window.stop), span, reach)


def raster_of(
    recording: Recording,
    pixel: tuple[int, int],
    window: tuple[float, float],
    span: tuple[int, int],
    reach: int = USUAL_REACH,
) -> Raster:
    """Return the spikes of the pixels around (x, y) of the spike camera in planes [start, stop)."""
    info, (x, y) = recording.info, pixel
    packed = recording.packed(*span) if span[0] < span[1] else np.zeros((0, info.plane_bytes), np.uint8)
    planes, rows = [], []
    pixels: list[tuple[int, int]] = []
    for row in range(max(0, y - reach), min(info.height, y + reach + 1)):
        for column in range(max(0, x - reach), min(info.width, x + reach + 1)):
            bit = (info.height - 1 - row if info.flip else row) * info.width + column
            fired = np.flatnonzero((packed[:, bit // 8] >> (bit % 8)) & 1)
            planes.append(span[0] + fired)
            rows.append(np.full(len(fired), len(pixels), np.int64))
            pixels.append((column, row))
    return Raster(
        x,
        y,
        window,
        span,
        np.concatenate(planes),
        np.concatenate(rows),
        len(pixels),
        pixels.index(pixel),
        tuple(pixels),
        complete=span[1] >= min(window[1], info.planes),
    )
