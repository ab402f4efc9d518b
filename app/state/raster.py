"""When the pixels under the mouse fired, and how far apart: what a raster and an interval plot show."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.state.lease import Lease
from app.state.reading import Lane
from engine.recording.recording import Recording

REACH_PX = 2
"""Pixels on either side of the one under the mouse: 5 × 5 are shown."""
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

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.current: Raster | None = None
        self.watched = False
        """Nothing is read while nobody sees it."""
        self._lane = Lane(pool, self)
        self._lane.answered.connect(lambda _, raster: self._show(raster))
        self._lane.failed.connect(lambda *_: self._show(None))

    def ask(self, lease: Lease | None, index: int, pixel: tuple[int, int] | None) -> None:
        """Ask for the pixel (x, y) of frame `index`; what was shown stays where there is none."""
        if self.watched and lease is not None and pixel is not None and lease.sequence.recording is not None:
            self._lane.request((index, pixel), lambda _: _read(lease, index, pixel))

    def clear(self) -> None:
        self._lane.clear()
        self._show(None)

    def _show(self, raster: Raster | None) -> None:
        self.current = raster
        self.changed.emit()


def _read(lease: Lease, index: int, pixel: tuple[int, int]) -> Raster:
    with lease.reading() as sequence:
        recording = sequence.recording
        assert recording is not None
        size, frame = recording.info.size, sequence.frame_size
        x = min(size.width - 1, int((pixel[0] + 0.5) * size.width / frame.width))
        y = min(size.height - 1, int((pixel[1] + 0.5) * size.height / frame.height))
        window = sequence.window(index)
        margin = MARGIN_SHARE * (window.stop - window.start)
        start = max(0, int(np.floor(window.start - margin)))
        stop = min(recording.info.planes, int(np.ceil(window.stop + margin)), start + MOST_PLANES)
        return raster_of(recording, (x, y), (window.start, window.stop), (start, max(start, stop)))


def raster_of(
    recording: Recording, pixel: tuple[int, int], window: tuple[float, float], span: tuple[int, int]
) -> Raster:
    """Return the spikes of the pixels around (x, y) of the spike camera in planes [start, stop)."""
    info, (x, y) = recording.info, pixel
    packed = recording.packed(*span)
    planes, rows, count, middle = [], [], 0, 0
    for row in range(max(0, y - REACH_PX), min(info.height, y + REACH_PX + 1)):
        for column in range(max(0, x - REACH_PX), min(info.width, x + REACH_PX + 1)):
            bit = (info.height - 1 - row if info.flip else row) * info.width + column
            fired = np.flatnonzero((packed[:, bit // 8] >> (bit % 8)) & 1)
            planes.append(span[0] + fired)
            rows.append(np.full(len(fired), count, np.int64))
            if (column, row) == (x, y):
                middle = count
            count += 1
    return Raster(x, y, window, span, np.concatenate(planes), np.concatenate(rows), count, middle)
