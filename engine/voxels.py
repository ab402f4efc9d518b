"""Planes to pictures: voxel bins, TFP and TFI, and how many spikes every plane holds."""

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.bitplanes import count_unlit
from engine.errors import OperationCancelled
from engine.geometry import Region, Span
from engine.recording.plane_source import RATE_CHUNK_BYTES, bit_planes, checked_region, count_planes, recorded
from engine.recording.recording import SpikeSource
from engine.spike_channels import ExposureTotals, planes_per_bin, relative_channel_count, relative_channels

RATE_THREADS = 2
RATE_CHUNKS = 16
"""Chunks between two looks at `should_cancel`."""

Transform = Literal["log1p", "relative"]


MOST_BINS = 4096
MOST_MEAN = 1000.0
LEAST_STD, MOST_STD = 1e-4, 1000.0
"""Of what a network takes, which is of order one: log1p of 10⁹ spikes is 21."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)  # NaN fails every comparison


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


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
    transform: Transform = "log1p"
    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.bins, bool) or not isinstance(self.bins, int) or not 1 <= self.bins <= MOST_BINS:
            raise ValueError(f"bins must be a whole number of 1 to {MOST_BINS}, not {_quoted(self.bins)}")
        if self.transform not in get_args(Transform):
            known = ", ".join(get_args(Transform))
            raise ValueError(f"there is no transform {_quoted(self.transform)}, only {known}")
        if not (_is_number(self.mean) and abs(self.mean) <= MOST_MEAN):
            raise ValueError(f"mean must be a number of ±{MOST_MEAN:g}, not {_quoted(self.mean)}")
        if not (_is_number(self.std) and LEAST_STD <= self.std <= MOST_STD):
            raise ValueError(
                f"std must be a number of {LEAST_STD:g} to {MOST_STD:g}, not {_quoted(self.std)}"
            )

    @classmethod
    def told(cls, values: Mapping[str, Any]) -> Self:
        """Return what a file says of its network's input; it must say all of it, since weights do not.

        Raises ValueError or TypeError where it says it wrongly, or not.
        """
        spec = cls(**values)
        missing = [part.name for part in fields(cls) if part.name not in values]
        if missing:
            raise ValueError(f"how its network reads spikes lacks {', '.join(missing)}")
        return spec

    @property
    def channels(self) -> int:
        """Channels of the network's input for one frame."""
        return relative_channel_count(self.bins) if self.transform == "relative" else self.bins

    def apply(self, counts: NDArray[np.floating], whole: ExposureTotals | None = None) -> NDArray[np.float32]:
        """Turn the counts of one exposure, (bins, H, W), into float32 network input (channels, H, W).

        A VoxelGrid says by itself how many planes each bin saw; other arrays count as evenly filled.
        Where the counts are a part of the picture, `whole` are the totals of all of it.
        Raises ValueError for any other shape.
        """
        values = np.asarray(counts, np.float32)
        if values.ndim != 3 or len(values) != self.bins:
            raise ValueError(f"expected counts ({self.bins}, H, W), got shape {values.shape}")
        if self.transform == "relative":
            planes = None
            if isinstance(counts, VoxelGrid):
                planes = planes_per_bin(counts.start, counts.stop, self.bins)
            channels = relative_channels(values, planes, whole)
            channels[: self.bins] = (channels[: self.bins] - np.float32(self.mean)) / np.float32(self.std)
            return channels
        return (np.log1p(values) - np.float32(self.mean)) / np.float32(self.std)


def voxelize(
    recording: SpikeSource,
    start: float,
    stop: float,
    bins: int = 32,
    region: Region | None = None,
    *,
    within: Span | None = None,
    polarity: float | None = None,
) -> VoxelGrid:
    """Count the spikes of the window [start, stop) in `bins` equal bins: float32 (bins, H, W).

    With a `region` only its pixels, (bins, h, w), and of a recording of packed planes only their bytes
    are read.

    A spike at time t goes to bin floor((t - start) / (stop - start) * bins), clipped to the last; those
    of plane p count at t = p, those of an event list at their own times (FORMATS, "Voxels"). The
    window may be real-valued and reach beyond the recording, or the planes `within` where they are given,
    where nothing is counted: `outside_planes` says how far. With a `polarity` (of those in
    `recording.info.polarities`) only spikes of that one count. Raises ValueError for a window without length
    and for no bins.
    """
    check_window(start, stop)
    if start == stop:
        raise ValueError(f"a window needs a length, got [{start}, {stop})")
    bins = operator.index(bins)
    if bins < 1:
        raise ValueError(f"a voxel grid needs at least one bin, got {bins}")
    info = recording.info
    if region is not None:
        checked_region(region, info)
    counts = recording.counts(AlignmentWindow(start, stop), bins, region, within=within, polarity=polarity)
    planes = recorded(info, within)
    inside = max(0.0, min(stop, float(planes.stop)) - max(start, float(planes.start)))
    return VoxelGrid.of(counts, start, stop, (stop - start) - inside)


def window_counts(recording: SpikeSource, start: float, stop: float) -> NDArray[np.uint32]:
    """Count the spikes of the planes start <= p < stop that the recording has: (H, W).

    Raises ValueError for a window that stops before it starts or has no number for an end.
    """
    check_window(start, stop)
    return count_planes(recording, planes_inside(start, stop, recording.info.planes))


def tfp(recording: SpikeSource, start: float, stop: float) -> NDArray[np.float32]:
    """Return the mean number of spikes a plane, float32 (H, W): texture from playback.

    The mean is over the planes start <= p < stop that the recording has, zero where it has none of them.
    """
    counts = window_counts(recording, start, stop)
    planes = len(planes_inside(start, stop, recording.info.planes))
    return np.divide(counts, max(1, planes), dtype=np.float32)


def tfi(
    recording: SpikeSource, at_plane: float, max_interval_planes: int = 256, *, within: Span | None = None
) -> NDArray[np.float32]:
    """Return 1 / interval, float32 (H, W), in spikes a plane: texture from interval.

    The interval is between a pixel's last spike in a plane <= `at_plane` and its first after that; zero
    where there is none within `max_interval_planes`, or in the planes `within` where those are given. Raises
    ValueError where these are no numbers.
    """
    if not math.isfinite(at_plane) or operator.index(max_interval_planes) < 1:
        raise ValueError(f"no interval of {max_interval_planes} planes around plane {at_plane}")
    info = recording.info
    now = math.floor(at_plane)
    planes = recorded(info, within)
    if now not in planes:
        return np.zeros((info.height, info.width), np.float32)
    past = AlignmentWindow(now + 1 - max_interval_planes, now + 1).planes_of(planes)
    future = AlignmentWindow(now + 1, now + 1 + max_interval_planes).planes_of(planes)
    packed = bit_planes(recording)
    since = count_unlit(packed, past, info.size, backwards=True)
    until = count_unlit(packed, future, info.size, backwards=False)
    interval = since + until + 1
    known = (since < len(past)) & (until < len(future)) & (interval <= max_interval_planes)
    picture = np.divide(1, interval, out=np.zeros(interval.shape, np.float32), where=known)
    return np.ascontiguousarray(picture[::-1]) if info.flip else picture


def spike_rate(
    recording: SpikeSource,
    *,
    progress: Callable[[float], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> NDArray[np.int64]:
    """Return the number of spikes of every plane, int64 (planes,).

    Reads some megabytes at a time and lets go of them. `progress` is told the share done, from 0 to 1.
    Raises OperationCancelled soon after `should_cancel` says so.
    """
    info = recording.info
    rate = np.zeros(info.planes, np.int64)
    step = max(1, RATE_CHUNK_BYTES // info.plane_bytes)

    def count(planes: Span) -> None:
        rate[planes.start : planes.stop] = recording.rates(planes.start, planes.stop)

    # A second thread pays off where pages of a mapped file are touched for the first time.
    with ThreadPoolExecutor(RATE_THREADS, thread_name_prefix="rate") as pool:
        for first in range(0, info.planes, RATE_CHUNKS * step):
            if should_cancel is not None and should_cancel():
                raise OperationCancelled("counting spikes was cancelled", path=info.path)
            last = min(info.planes, first + RATE_CHUNKS * step)
            edges = [first + (last - first) * share // RATE_THREADS for share in range(RATE_THREADS + 1)]
            for _ in pool.map(count, itertools.starmap(Span, itertools.pairwise(edges))):
                pass
            recording.forget(first, last)
            if progress is not None:
                progress(last / info.planes)
    return rate


def check_window(start: float, stop: float) -> None:
    """Raise ValueError where [start, stop) is no window of planes."""
    if not (math.isfinite(start) and math.isfinite(stop) and start <= stop):
        raise ValueError(
            f"a window needs a finite start and a stop that is not before it, got [{start}, {stop})"
        )


def planes_inside(start: float, stop: float, planes: int) -> Span:
    """Return the planes start <= p < stop of a recording of so many."""
    first = min(planes, max(0, math.ceil(start)))
    return Span(first, max(first, min(planes, math.ceil(stop))))
