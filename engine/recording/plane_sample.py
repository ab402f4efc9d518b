"""A bounded number of planes, spread over a recording: what they tell takes a moment, however long it is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.bitplanes import count_spans
from engine.errors import RecordingError
from engine.geometry import Span
from engine.recording.recording import SpikeSource

SAMPLED_RUNS = 16
SAMPLED_BYTES = 64 << 20
FEWEST_PLANES = 128
MOST_PLANES = 2048

Counts = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sample:
    """Spikes of every pixel in some planes of a recording."""

    counts: Counts
    """(h, w), top row first"""
    planes: int
    """Counted planes that hold a spike: others were never recorded, or lost."""


def sample_counts(recording: SpikeSource) -> Sample:
    """Count up to 2048 planes in runs spread over a recording, of large ones as many as 64 MB hold."""
    info = recording.info
    stored_bytes = info.size.pixels if info.format == "unpacked" else info.plane_bytes
    wanted = min(MOST_PLANES, max(FEWEST_PLANES, SAMPLED_BYTES // max(1, stored_bytes)))
    counts = np.zeros((info.height, info.width), np.float32)
    planes = 0
    for run in _runs(info.planes, wanted):
        try:
            planes += _add_run(recording, run, counts)
        except RecordingError:
            continue  # reading its frame says so
    return Sample(counts, planes)


def _runs(planes: int, wanted: int) -> list[Span]:
    if planes <= wanted:  # runs all the same: where one cannot be read, others can
        edges = [planes * at // SAMPLED_RUNS for at in range(SAMPLED_RUNS + 1)]
        return [Span(start, stop) for start, stop in pairwise(edges) if start < stop]
    length = wanted // SAMPLED_RUNS
    starts = np.linspace(0, planes - length, SAMPLED_RUNS).astype(int).tolist()
    return [Span(start, start + length) for start in starts]


@dataclass(frozen=True, eq=False)
class _Held:
    """Planes that were read already, so that they are read once."""

    planes: NDArray[np.uint8]

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        return self.planes[start:stop]


def _add_run(recording: SpikeSource, run: Span, counts: Counts) -> int:
    """Add the spikes of a run, and return how many of its planes hold any."""
    info, packed = recording.info, recording.as_packed()
    if packed is None or info.most_a_plane != 1:  # bits would not tell all
        counts += recording.counts(AlignmentWindow(run.start, run.stop))[0]
        return int(np.count_nonzero(recording.rates(run.start, run.stop)))
    counted: Counts = np.empty((1, *counts.shape), np.float32)
    lit = 0
    step = max(1, SAMPLED_BYTES // 4 // max(1, info.plane_bytes))
    for first in range(run.start, run.stop, step):
        planes = packed.packed(first, min(run.stop, first + step))
        count_spans(_Held(planes).packed, [Span(0, len(planes))], info.size, info.flip, counted)
        counts += counted[0]
        words = planes.view(np.uint64) if info.plane_bytes % 8 == 0 else planes
        lit += int(np.count_nonzero(words.any(axis=1)))
    recording.forget(run.start, run.stop)
    return lit
