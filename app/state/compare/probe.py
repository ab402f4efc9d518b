"""What the spikes say of the pixel under the mouse: how many during the exposure, and how far apart."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.state.reading.lane import Lane
from app.state.reading.lease import Lease


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
        assert sequence.recording is not None
        place = sequence.registration.spike_pixel(pixel)
        if place is None:
            return None
        planes = sequence.window(index).planes_of(sequence.spike_limits(index))
        fired = sequence.spikes_at(place, index)
    interval = float(np.diff(fired).mean()) if len(fired) > 1 else None
    return SpikesOfPixel(*place, len(fired), len(planes), interval)
