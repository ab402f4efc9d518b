"""What the spikes say of the pixel under the mouse: how many during the exposure, and how far apart."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.state.reading.lane import Lane
from app.state.reading.lease import Lease
from engine.recording.recording import Recording


@dataclass(frozen=True)
class SpikesOfPixel:
    """One pixel of the spike camera during one frame's alignment window."""

    x: int
    """In spike pixels."""
    y: int
    spikes: int
    planes: int
    """Planes of the window that are recorded."""
    interval_planes: float | None
    """Mean distance of a spike from the next, None with fewer than two."""


class SpikeProbe(QObject):
    """Reads one pixel at a time; the newest request wins."""

    changed = Signal()

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pixel: SpikesOfPixel | None = None
        self._lane = Lane(pool, self)
        self._lane.answered.connect(lambda _, pixel: self._show(pixel))
        self._lane.failed.connect(lambda *_: self._show(None))

    def ask(self, lease: Lease | None, index: int, pixel: tuple[int, int] | None) -> None:
        """Ask for the spikes at pixel (x, y) of frame `index`; None for nowhere."""
        if lease is None or pixel is None or lease.sequence.recording is None:
            self._lane.clear()
            self._show(None)
            return
        self._lane.request((index, pixel), lambda _: _probe(lease, index, pixel))

    def _show(self, pixel: SpikesOfPixel | None) -> None:
        if pixel != self.pixel:
            self.pixel = pixel
            self.changed.emit()


def _probe(lease: Lease, index: int, pixel: tuple[int, int]) -> SpikesOfPixel | None:
    with lease.reading() as sequence:
        recording = sequence.recording
        assert recording is not None
        spikes, frame = recording.info.size, sequence.frame_size
        x = min(spikes.width - 1, int((pixel[0] + 0.5) * spikes.width / frame.width))
        y = min(spikes.height - 1, int((pixel[1] + 0.5) * spikes.height / frame.height))
        window, limits = sequence.window(index), sequence.spike_limits(index)
        start = max(int(np.ceil(window.start)), limits.start)
        stop = min(int(np.ceil(window.stop)), limits.stop)
        fired = fired_planes(recording, x, y, start, stop)
    interval = float(np.diff(fired).mean()) if len(fired) > 1 else None
    return SpikesOfPixel(x, y, len(fired), max(0, stop - start), interval)


def fired_planes(recording: Recording, x: int, y: int, start: int, stop: int) -> np.ndarray:
    """Return the planes in [start, stop) in which pixel (x, y) of the spike camera fired."""
    if start >= stop:
        return np.zeros(0, np.int64)
    info = recording.info
    row = info.height - 1 - y if info.flip else y
    bit = row * info.width + x
    column = np.ascontiguousarray(recording.packed(start, stop)[:, bit // 8])
    return start + np.flatnonzero((column >> (bit % 8)) & 1)
