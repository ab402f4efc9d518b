"""What the spikes say: the rate curve of the whole recording and the voxel bins of the current frame."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from app.state.lease import Lease
from app.state.reading import Lane, Ticket
from engine.errors import OperationCancelled

BINS = 32
THUMBNAIL_WIDTH_PX = 192
BRIGHTEST_QUANTILE = 0.998


@dataclass(frozen=True, eq=False)
class RateCurve:
    """Spikes per pixel in every plane of a recording."""

    values: NDArray[np.float32]
    """(planes,), each in [0, 1]."""
    peak: float
    mean: float

    @classmethod
    def of_counts(cls, counts: NDArray[np.int64], pixels: int) -> "RateCurve":
        values = (counts / pixels).astype(np.float32)
        return cls(values, float(values.max(initial=0.0)), float(values.mean()) if len(values) else 0.0)

    def envelope(self, start: float, stop: float, columns: int) -> NDArray[np.float32]:
        """Return lowest, highest and mean value of every screen column over the planes [start, stop).

        float32 (3, columns); NaN where a column lies outside the recording.
        """
        planes = len(self.values)
        edges = np.linspace(start, stop, columns + 1)
        first = np.floor(edges[:-1]).astype(np.int64)
        last = np.maximum(np.ceil(edges[1:]).astype(np.int64), first + 1)
        result = np.full((3, columns), np.nan, np.float32)
        inside = (last > 0) & (first < planes)
        if not inside.any():
            return result
        first, last = np.clip(first[inside], 0, planes - 1), np.clip(last[inside], 1, planes)
        # reduceat wants pairs of indices; a closing index at the very end is written as one plane more
        padded = np.append(self.values, self.values[-1])
        pairs = np.column_stack([first, last]).ravel()
        result[0, inside] = np.minimum.reduceat(padded, pairs)[::2]
        result[1, inside] = np.maximum.reduceat(padded, pairs)[::2]
        result[2, inside] = np.add.reduceat(padded, pairs)[::2] / (last - first)
        return result


@dataclass(frozen=True, eq=False)
class VoxelPictures:
    """The voxel bins of one frame as small grey pictures on one common scale."""

    index: int
    spans: tuple[tuple[float, float], ...]
    """Planes of every bin."""
    pictures: tuple[NDArray[np.uint8], ...]
    """(h, w) each; brightness is the square root of the count."""
    spikes: tuple[int, ...]
    """Spikes of the whole bin."""
    brightest: float
    """Count of spikes a pixel that is shown white."""
    outside_planes: float
    """How much of the window lies outside the recording."""


class SpikeViews(QObject):
    """Rate curve and voxel pictures of the open sequence."""

    rate_changed = Signal()
    voxels_changed = Signal()
    failed = Signal(object)

    _progressed = Signal(float)

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rate: RateCurve | None = None
        self.rate_progress: float | None = None
        """Share of the recording that has been counted; None when nothing is being counted."""
        self.voxels: VoxelPictures | None = None
        self._rates = Lane(pool, self)
        self._rates.answered.connect(self._on_rate)
        self._rates.failed.connect(self._on_failure)
        self._bins = Lane(pool, self)
        self._bins.answered.connect(self._on_voxels)
        self._bins.failed.connect(self._on_failure)
        self._progressed.connect(self._on_progress)

    def count(self, lease: Lease) -> None:
        """Count the spikes of every plane of the recording; `rate_changed` tells progress and end."""
        self.rate, self.rate_progress = None, 0.0
        self._rates.request(lease, lambda ticket: _count(lease, ticket, self._progressed.emit))
        self.rate_changed.emit()

    def show(self, lease: Lease, index: int) -> None:
        """Make the voxel pictures of frame `index`; the newest call wins."""
        if lease.sequence.recording is not None:
            self._bins.request(index, lambda _: _voxel_pictures(lease, index))

    def clear(self) -> None:
        self._rates.clear()
        self._bins.clear()
        self.rate = self.rate_progress = self.voxels = None
        self.rate_changed.emit()
        self.voxels_changed.emit()

    @Slot(float)
    def _on_progress(self, fraction: float) -> None:
        if self.rate_progress is not None:
            self.rate_progress = fraction
            self.rate_changed.emit()

    def _on_rate(self, _: object, rate: RateCurve) -> None:
        self.rate, self.rate_progress = rate, None
        self.rate_changed.emit()

    def _on_voxels(self, _: object, voxels: VoxelPictures) -> None:
        self.voxels = voxels
        self.voxels_changed.emit()

    def _on_failure(self, _: object, error: Exception) -> None:
        if isinstance(error, OperationCancelled):
            return
        self.rate_progress = None
        self.rate_changed.emit()
        self.failed.emit(error)


def _count(lease: Lease, ticket: Ticket, progressed: object) -> RateCurve:
    from engine.voxels import spike_rate

    with lease.reading() as sequence:
        recording = sequence.recording
        assert recording is not None
        counts = spike_rate(
            recording,
            progress=progressed,  # type: ignore[arg-type]
            should_cancel=ticket.superseded,
        )
        return RateCurve.of_counts(counts, recording.info.size.pixels)


def _voxel_pictures(lease: Lease, index: int) -> VoxelPictures:
    import cv2

    with lease.reading() as sequence:
        grid = sequence.voxels(index, bins=BINS)
        window = sequence.window(index)
    edges = np.linspace(window.start, window.stop, BINS + 1)
    height, width = grid.shape[1:]
    shrink = max(1.0, width / THUMBNAIL_WIDTH_PX)
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    counts = np.asarray(grid)
    small = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in counts])
    brightest = float(np.quantile(small, BRIGHTEST_QUANTILE)) or 1.0
    shown = (np.sqrt(np.clip(small / brightest, 0, 1)) * 255).astype(np.uint8)
    return VoxelPictures(
        index,
        tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)),
        tuple(np.ascontiguousarray(one) for one in shown),
        tuple(int(total) for total in counts.sum(axis=(1, 2), dtype=np.float64)),
        brightest,
        float(grid.outside_planes),
    )
