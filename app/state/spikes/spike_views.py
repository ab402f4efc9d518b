"""What the spikes say: the rate curve of the whole recording and the voxel bins of the current frame."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition

import numpy as np
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from app.state.reading.lane import Lane, Ticket
from app.state.reading.lease import Lease
from app.state.reading.read_ahead import ReadAhead
from app.state.spikes.kept_rates import KeptRates
from app.state.spikes.network_input import bins_of, network_values
from app.state.spikes.spike_rate import RateCurve
from app.state.spikes.voxel_look import USUAL, VoxelLook
from engine.errors import OperationCancelled

THUMBNAIL_WIDTH_PX = 192
KEPT_FRAMES = 64
"""Frames whose voxel pictures are kept, about half a MB each."""


@dataclass(frozen=True, eq=False)
class VoxelPictures:
    """The voxel bins of one frame as small grey pictures on one common scale."""

    index: int
    spans: tuple[tuple[float, float], ...]
    """Planes of every bin."""
    pictures: tuple[NDArray[np.uint8], ...]
    """(h, w) levels each, 0 to 255, which `look` gives their meaning."""
    spikes: tuple[int, ...]
    """Spikes of the whole bin."""
    brightest: float
    """Value that is shown white on the common scale: spikes a pixel, or network values."""
    outside_planes: float
    """How much of the window lies outside the recording."""
    look: VoxelLook = USUAL
    darkest: float = 0.0


class SpikeViews(QObject):
    """Rate curve and voxel pictures of the open sequence."""

    rate_changed = Signal()
    voxels_changed = Signal()
    failed = Signal(object)

    _progressed = Signal(float)

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        parent: QObject | None = None,
        *,
        counting: ThreadPoolExecutor | None = None,
        kept: KeptRates | None = None,
        look: VoxelLook | None = None,
    ) -> None:
        super().__init__(parent)
        self._kept = kept or KeptRates(None)
        self._look = look or USUAL
        self._shown: tuple[Lease, int] | None = None
        self.rate: RateCurve | None = None
        self.rate_progress: float | None = None
        """Share of the recording that has been counted; None when nothing is being counted."""
        self.voxels: VoxelPictures | None = None
        self._rates = Lane(counting or pool, self)
        self._rates.answered.connect(self._on_rate)
        self._rates.failed.connect(self._on_failure)
        self._bins = Lane(pool, self)
        self._bins.answered.connect(self._on_voxels)
        self._bins.failed.connect(self._on_failure)
        self._kept_voxels = _KeptVoxels()
        self._ahead = ReadAhead(
            pool, lambda lease, index: self._kept_voxels.of(lease, index, self._look), self
        )
        self._progressed.connect(self._on_progress)

    def count(self, lease: Lease) -> None:
        """Count the spikes of every plane of the recording; `rate_changed` tells progress and end."""
        self.rate, self.rate_progress = None, 0.0
        self._rates.request(lease, lambda ticket: _count(lease, self._kept, ticket, self._progressed.emit))
        self.rate_changed.emit()

    def show(self, lease: Lease, index: int) -> None:
        """Make the voxel pictures of frame `index`; the newest call wins."""
        if lease.sequence.recording is not None:
            look = self._look
            self._shown = (lease, index)
            self._bins.request(index, lambda _: self._kept_voxels.of(lease, index, look))

    @property
    def bins(self) -> int:
        """How many voxel bins a frame has: as many as the chosen network takes."""
        return bins_of(self._look.takes)

    @property
    def look(self) -> VoxelLook:
        return self._look

    def set_look(self, look: VoxelLook) -> None:
        """Show the bins otherwise from now on."""
        self._look = look
        if self._shown is not None:
            self.show(*self._shown)

    def clear(self) -> None:
        self._rates.clear()
        self._bins.clear()
        self._ahead.clear()
        self._kept_voxels.clear()
        self._shown = None
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
        if self._shown is not None and not self._bins.busy:
            self._ahead.shown(self._shown[0], voxels.index)

    def _read_ahead(self, lease: Lease, index: int) -> None:
        if lease.sequence.recording is not None:
            self._kept_voxels.of(lease, index, self._look)

    def _on_failure(self, _: object, error: Exception) -> None:
        if isinstance(error, OperationCancelled):
            return
        self.rate_progress = None
        self.rate_changed.emit()
        self.failed.emit(error)


def _count(lease: Lease, kept: KeptRates, ticket: Ticket, progressed: object) -> RateCurve:
    from engine.voxels import spike_rate

    with lease.reading() as sequence:
        recording = sequence.recording
        assert recording is not None
        place = kept.place(recording)  # before counting: what changes meanwhile is counted anew
        counts = kept.recall(place, recording)
        if counts is None:
            counts = spike_rate(
                recording,
                progress=progressed,  # type: ignore[arg-type]
                should_cancel=ticket.superseded,
            )
            kept.keep(place, counts)
        return RateCurve.of_counts(counts, recording.info.size.pixels)


class _KeptVoxels:
    """The voxel pictures made last. Threads that want the same at a time share the work."""

    def __init__(self) -> None:
        self._made: LRUCache[object, VoxelPictures] = LRUCache(KEPT_FRAMES)
        self._condition = Condition()
        self._make = cached(
            self._made,
            key=lambda lease, index, look: (lease.files, index, look, lease.sequence.window(index)),
            condition=self._condition,
        )(_voxel_pictures)

    def of(self, lease: Lease, index: int, look: VoxelLook) -> VoxelPictures:
        """Return the voxel pictures of a frame, made where they are not kept."""
        return self._make(lease, index, look)

    def clear(self) -> None:
        with self._condition:
            self._made.clear()


def _voxel_pictures(lease: Lease, index: int, look: VoxelLook) -> VoxelPictures:
    import cv2

    with lease.reading() as sequence:
        bins = bins_of(look.takes)
        grid = sequence.voxels(index, bins=bins)
        window = sequence.window(index)
    edges = np.linspace(window.start, window.stop, bins + 1)
    height, width = grid.shape[1:]
    shrink = math.ceil(max(1.0, width / THUMBNAIL_WIDTH_PX))  # whole numbers average several times faster
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    counts = np.asarray(grid)
    spikes = [cv2.sumElems(one)[0] for one in counts]
    values = counts if look.takes is None or look.shown == "counts" else network_values(grid, look.takes)
    small = np.stack([_thumbnail(one, size) for one in values])
    levels, low, high = look.levels(small)
    return VoxelPictures(
        index,
        tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)),
        tuple(np.ascontiguousarray(one) for one in levels),
        tuple(int(total) for total in spikes),
        high,
        float(grid.outside_planes),
        look,
        low,
    )


def _thumbnail(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Average a bin (H, W) to `size` (width, height): first by halves, which OpenCV does quickest."""
    import cv2

    height, width = picture.shape
    while height % 2 == width % 2 == 0 and width // 2 >= size[0] and height // 2 >= size[1]:
        height, width = height // 2, width // 2
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if (width, height) == size:
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
