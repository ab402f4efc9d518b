"""The spikes of one exposure, counted segment by segment."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size, Span
from engine.light.filters import Picture, resized_by_area
from engine.light.segments import Segment
from engine.spike_channels import planes_per_bin
from engine.spike_filling import SoundPixels
from engine.voxels import VoxelGrid

if TYPE_CHECKING:
    from engine.sequence import Sequence

LOST_SHARE = 0.25
"""A plane with less than this share of the usual number of spikes was lost on its way from the camera."""

Counter = Callable[[int, int], Picture]
"""Spikes of each pixel in the planes [start, stop): float32 (h, w)."""


@dataclass(frozen=True, eq=False)
class Exposure:
    """What a recording holds of the time in which one frame was exposed."""

    count: Counter
    recorded: Span
    """Planes of the exposure that the recording has."""
    centre: float
    """In planes, as the length of the whole exposure."""
    length: float
    spikes: NDArray[np.integer] | None = None
    """(recorded,) spikes in each plane, where lost planes are to be told from dark ones."""
    summed: NDArray[np.float32] | None = None
    """(recorded,) how many planes of the camera each was summed up from, where that is not one."""
    filling: SoundPixels | None = None
    """Of the counts, which are filled and levelled already; None where every pixel of the camera is sound."""
    seen: Region | None = None
    """The part of the frame that the counts lie on, edge to edge; None for all of it."""
    share: NDArray[np.float32] | None = None
    """(H, W) of the frame, from 0 where there are no spikes to 1; None for 1 everywhere."""

    @classmethod
    def of_frame(cls, sequence: "Sequence", index: int) -> Self:
        """Return the exposure of a frame of `sequence`, which must have a recording, plane by plane."""
        recording = sequence.recording
        assert recording is not None
        window, limits = sequence.window(index), sequence.spike_limits(index)
        first, last = (
            min(max(math.ceil(edge), limits.start), limits.stop) for edge in (window.start, window.stop)
        )
        recorded = Span(first, max(first, last))

        spikes = np.zeros(0, np.int64)
        if len(recorded) > 0:
            planes = sequence.sound_planes(first, last)
            spikes = np.bitwise_count(planes).sum(axis=1, dtype=np.int64)
        return cls(
            sequence.counts_on_frame,
            recorded,
            window.centre,
            window.stop - window.start,
            spikes,
            filling=sequence.sound_on_frame,
            seen=sequence.seen_region,
            share=sequence.share_of_spikes,
        )

    @classmethod
    def of_voxels(cls, voxels: VoxelGrid) -> Self:
        """Return the exposure that (bins, h, w) were counted in, with bins in the place of planes."""
        counts = np.asarray(voxels)
        bins = len(counts)
        return cls(
            lambda start, stop: counts[start:stop].sum(axis=0),
            Span(0, bins),
            bins / 2,
            float(bins),
            counts.reshape(bins, -1).sum(axis=1, dtype=np.int64),
            planes_per_bin(voxels.start, voxels.stop, bins),
        )

    @cached_property
    def _present(self) -> NDArray[np.bool_]:
        if self.spikes is None or len(self.recorded) == 0:
            return np.ones(len(self.recorded), bool)
        return self.spikes >= LOST_SHARE * np.median(self.spikes)

    @cached_property
    def _planes(self) -> NDArray[np.float32]:
        present = self._present.astype(np.float32)
        return present if self.summed is None else present * self.summed

    @property
    def planes(self) -> int:
        """Recorded planes of the camera that were not lost."""
        return round(float(self._planes.sum()))

    def reaches(self, share: float) -> bool:
        """Whether the recording has `share` of the exposure, and a plane, on both sides of its centre."""
        before, after = self.centre - self.recorded.start, self.recorded.stop - self.centre
        return min(before, after) >= max(1.0, share * self.length)

    def around_centre(self, share: float, largest: Size) -> Segment | None:
        """Count `share` of the exposure around its centre, as `cut` does; None where no plane of it is there.

        An even number of planes, so that the centre lies between two.
        """
        half = max(1, round(share * self.length / 2))
        middle = round(self.centre)
        start, stop = (
            min(max(edge, self.recorded.start), self.recorded.stop) for edge in (middle - half, middle + half)
        )
        planes = float(self._planes[start - self.recorded.start : stop - self.recorded.start].sum())
        if start >= stop or planes == 0:
            return None
        time = ((start + stop) / 2 - self.centre) / self.length
        return Segment(_within(self.count(start, stop), largest), planes, time)

    def row_of_windows(self, number: int, share: float, largest: Size) -> list[Picture]:
        """Count equal windows in a row about the centre, of `share` of the exposure; all are recorded."""
        planes = max(1, min(round(share * self.length), len(self.recorded) // number))
        first = round(self.centre) - planes * number // 2
        first = max(self.recorded.start, min(first, self.recorded.stop - planes * number))
        edges = [first + planes * index for index in range(number + 1)]
        return [_within(self.count(start, stop), largest) for start, stop in pairwise(edges)]

    def sound_at(self, size: Size) -> Picture | None:
        """Return where counts are sound, at a scale no finer than theirs: (h, w) of 0 and 1, None for 1."""
        return None if self.filling is None else _wholly(self.filling.sound, size)

    def trust_at(self, size: Size) -> Picture | None:
        """Return where counts are sound or filled across a narrow gap, likewise."""
        return None if self.filling is None else _wholly(self.filling.trust, size)

    def seen_part(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the part of a frame (H, W, 3) that the counts lie on."""
        return frame if self.seen is None else frame[self.seen.slices]

    def put_back(self, part: NDArray[np.float32], frame: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a frame with another picture in `seen_part`, as far as there are spikes."""
        if self.seen is None or self.share is None:
            return part
        whole = frame.copy()
        whole[self.seen.slices] = part
        share = self.share[:, :, None]
        return np.where(share == 1, whole, frame + share * (whole - frame))

    def cut(self, pieces: int, largest: Size) -> list[Segment]:
        """Count equal parts of the exposure, in pictures no larger than `largest`; lost ones are left out.

        There are at most as many as recorded planes, and an even number, so that the centre lies
        between two.
        """
        pieces = min(pieces, len(self.recorded))
        pieces -= pieces % 2
        edges = [round(len(self.recorded) * index / pieces) for index in range(pieces + 1)]
        segments = []
        for start, stop in pairwise(edges):
            planes = float(self._planes[start:stop].sum())
            if planes == 0:
                continue
            counted = self.count(self.recorded.start + start, self.recorded.start + stop)
            time = (self.recorded.start + (start + stop) / 2 - self.centre) / self.length
            segments.append(Segment(_within(counted, largest), planes, time))
        return segments


def _within(counted: Picture, largest: Size) -> Picture:
    """Return counts at a size no larger than `largest`."""
    return resized_by_area(
        counted, Size(min(counted.shape[0], largest.height), min(counted.shape[1], largest.width))
    )


def _wholly(mask: Picture, size: Size) -> Picture:
    """Return the pixels of `size` all of whose area is 1 in the mask."""
    return np.floor(resized_by_area(mask, size) + np.float32(1e-4))
