"""Planes to pictures: voxel bins, TFP and TFI, and how many spikes every plane holds."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import OperationCancelled
from engine.recording.recording import Recording
from engine.spike_channels import planes_per_bin, relative_channel_count, relative_channels


class VoxelGrid(np.ndarray):
    """Spike counts, float32 (bins, H, W), that remember their window.

    `start` and `stop` are the window in planes; `outside_planes` says how much of it lies outside
    the recording, where no spikes were counted.
    """

    start: float
    stop: float
    outside_planes: float

    @classmethod
    def of(cls, counts: NDArray[np.float32], start: float, stop: float, outside_planes: float) -> Self:
        grid = counts.view(cls)
        grid.start, grid.stop, grid.outside_planes = start, stop, outside_planes
        return grid

    def __array_finalize__(self, source: Any) -> None:
        for name in ("start", "stop", "outside_planes"):
            setattr(self, name, getattr(source, name, math.nan))


@dataclass(frozen=True)
class VoxelSpec:
    """How counts become the input of a network; travels inside every checkpoint.

    "log1p" is the reference transform: log1p of every count. "relative" measures against the exposure's
    own mean density and adds maps, so that neither the camera's gain nor the length of the exposure
    matters; see `engine.spike_channels`.
    """

    bins: int = 32
    transform: Literal["log1p", "relative"] = "log1p"
    mean: float = 0.0
    std: float = 1.0

    @property
    def channels(self) -> int:
        """Channels of the network's input for one frame."""
        return relative_channel_count(self.bins) if self.transform == "relative" else self.bins

    def apply(self, counts: NDArray[np.floating]) -> NDArray[np.float32]:
        """Turn the counts of one exposure, (bins, H, W), into float32 network input (channels, H, W).

        A VoxelGrid says by itself how many planes each bin saw; other arrays count as evenly filled.
        """
        values = np.asarray(counts, np.float32)
        if self.transform == "relative":
            planes = None
            if isinstance(counts, VoxelGrid):
                planes = planes_per_bin(counts.start, counts.stop, self.bins)
            channels = relative_channels(values, planes)
            channels[: self.bins] = (channels[: self.bins] - np.float32(self.mean)) / np.float32(self.std)
            return channels
        return (np.log1p(values) - np.float32(self.mean)) / np.float32(self.std)


def voxelize(recording: Recording, start: float, stop: float, bins: int = 32) -> VoxelGrid:
    """Count the spikes of the window [start, stop) in `bins` equal bins: float32 (bins, H, W)."""
    info = recording.info
    counts = np.zeros((bins, info.height, info.width), np.float32)
    first, last = max(0, math.ceil(start)), min(info.planes, math.ceil(stop))
    for plane in range(first, last):
        index = min(bins - 1, math.floor((plane - start) / (stop - start) * bins))
        counts[index] += recording.read(plane, plane + 1)[0]
    inside = max(0.0, min(stop, info.planes) - max(start, 0.0))
    return VoxelGrid.of(counts, start, stop, (stop - start) - inside)


def window_counts(recording: Recording, start: float, stop: float) -> NDArray[np.uint32]:
    """Count the spikes of the planes start <= p < stop that the recording has: (H, W)."""
    info = recording.info
    first, last = max(0, math.ceil(start)), min(info.planes, math.ceil(stop))
    counts = np.zeros((info.height, info.width), np.uint32)
    for plane in range(first, last):
        counts += recording.read(plane, plane + 1)[0]
    return counts


def tfp(recording: Recording, start: float, stop: float) -> NDArray[np.float32]:
    """Return the mean number of spikes a plane, float32 (H, W), over the planes start <= p < stop."""
    planes = max(0, min(recording.info.planes, math.ceil(stop)) - max(0, math.ceil(start)))
    return (window_counts(recording, start, stop) / max(1, planes)).astype(np.float32)


def tfi(recording: Recording, at_plane: float, max_interval_planes: int = 256) -> NDArray[np.float32]:
    """Return 1 / interval between the last spike at or before `at_plane` and the next after: (H, W)."""
    info = recording.info
    before = np.full((info.height, info.width), np.nan)
    after = np.full((info.height, info.width), np.nan)
    at = math.floor(at_plane)
    for plane in range(max(0, at - max_interval_planes), min(at, info.planes - 1) + 1):
        before[recording.read(plane, plane + 1)[0] > 0] = plane
    for plane in range(min(info.planes, at + max_interval_planes) - 1, max(at, -1), -1):
        after[recording.read(plane, plane + 1)[0] > 0] = plane
    interval = after - before
    return np.where(interval <= max_interval_planes, 1 / interval, 0.0).astype(np.float32)


def spike_rate(
    recording: Recording,
    *,
    progress: Callable[[float], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> NDArray[np.int64]:
    """Return the number of spikes of every plane, int64 (planes,)."""
    planes = recording.info.planes
    rate = np.zeros(planes, np.int64)
    step = max(1, (8 << 20) // recording.info.plane_bytes)
    for start in range(0, planes, step):
        if should_cancel is not None and should_cancel():
            raise OperationCancelled("counting spikes was cancelled")
        stop = min(planes, start + step)
        rate[start:stop] = np.bitwise_count(recording.packed(start, stop)).sum(axis=1, dtype=np.int64)
        if progress is not None:
            progress(stop / planes)
    return rate
