"""The pattern as the recording itself shows it, where the scene moved over its pixels.

Strategy: a pixel that fires more than the ones beside it (`neighbours`) in whatever the scene shows there is
more sensitive; each piece of scene that passes counts once. What passed is asked of the motion in stretches
that are spread over the recording (`spike_motion`, which sees none in a scene at rest, and none in noise),
long enough for a few pixels of motion. Detail that stands still while others pass, such as a fence, is no
pattern: it does not get brighter with the light behind it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.fixed_pattern.measuring import FEWEST_VIEWS, Excess
from engine.fixed_pattern.neighbours import expected_by_neighbours
from engine.fixed_pattern.pattern import FixedPattern
from engine.geometry import Size, Span
from engine.light.filters import Picture, blurred, resized_linear
from engine.light.segments import Segment, Segments
from engine.light.spike_motion import estimate_motion
from engine.recording.recording import SpikeSource
from engine.spike_filling import Filling
from engine.voxels import window_counts

MOST_STRETCHES = 32
MOST_VALUES = 4_000_000
"""Pixels times stretches, so that large recordings take no longer."""
SEGMENTS = 8
SPIKES_OF_VIEW = 10.0
MOST_VIEWS = 4
"""A stretch is looked at in 1, 2 or 4 parts, each of which is likely to be sharp somewhere else."""
CERTAINTY_RADIUS_PX = 2.0
SUREST = 1e-4
MOTION_PIXELS = 120_000
"""Of the pictures in which motion is looked for; larger ones are halved."""
SPIKES_OF_STRETCH = 12.0
"""A pixel, on average: fewer are mostly noise."""
SHORTEST, LONGEST = 2 * SEGMENTS, 4096
LENGTHS = (1, 4, 16)
"""Times the shortest stretch: slow scenes need longer ones to move at all."""
PROBES = 3
NEW_CONTENT_PX = 2.0
"""A scene that has moved so far shows a pixel something else."""
CONTENTS = (1.5, 3.0)
"""That must have passed over a pixel: it begins to be known at the first, and is from the second on."""
LEAST_MOVING = 0.002
"""Of the picture, on average."""
PASSES = 2
STANDING = 0.15
"""By how much a pixel's counts may follow the light around it less than its gain says."""
STANDING_SIGMAS = 2.0


@dataclass(frozen=True, eq=False)
class _Stretch:
    views: NDArray[np.float32]
    """(1, 2 or 4, h, w) spikes of its parts, defective pixels filled"""
    passing: Picture
    """(h, w) from 0 to 1: how much of a new scene passed over a pixel meanwhile."""


def pattern_from_motion(recording: SpikeSource, filling: Filling | None) -> FixedPattern:
    """Return the pattern of a recording's own sensor; unknown wherever nothing moved.

    Reads a bounded number of planes. Parts that cannot be read count as not there.
    """
    size = recording.info.size
    length = _length(recording, filling)
    if length is None:
        return FixedPattern.none(size)
    stretches = _stretches(recording, filling, length, _most(size))
    if len(stretches) < FEWEST_VIEWS:
        return FixedPattern.none(size)
    passing = np.stack([one.passing for one in stretches])
    some, enough = CONTENTS
    seen = np.clip((passing.sum(axis=0) - some) / (enough - some), 0, 1)
    if not seen.any():
        return FixedPattern.none(size)
    contents = passing + np.float32(1e-4)  # where nothing passed nothing is known, but numbers stay finite
    contents = np.concatenate(
        [
            np.repeat(one[None], len(stretch.views), 0)
            for one, stretch in zip(contents, stretches, strict=True)
        ]
    )
    counts = np.concatenate([one.views for one in stretches])
    gain = np.ones_like(counts[0])
    for _ in range(PASSES):
        levelled = counts / gain
        expected = np.stack([expected_by_neighbours(one) for one in levelled])
        weights = contents * _certainty(levelled, expected)
        excess = Excess.of(levelled, expected, weights)
        gain = gain * np.clip(1 + seen * excess.mean, 0.5, 2.0)
    whole = Excess(gain - 1, excess.error)
    seen = np.where(_stands(counts, expected * gain, weights, whole.mean), 0, seen)
    sound = np.ones_like(gain) if filling is None else filling.sound
    return whole.pattern(seen.astype(np.float32), sound, "recording", len(stretches))


def _most(size: Size) -> int:
    return max(FEWEST_VIEWS, min(MOST_STRETCHES, MOST_VALUES // size.pixels))


def _length(recording: SpikeSource, filling: Filling | None) -> int | None:
    """Return the length of stretches, in planes, in which most moves; None where nothing does."""
    planes = recording.info.planes
    density = _density(recording)
    if density <= 0:
        return None
    shortest = int(min(max(SPIKES_OF_STRETCH / density, SHORTEST), LONGEST))
    shortest = min(shortest, planes // FEWEST_VIEWS)
    if shortest < SHORTEST:
        return None
    best, found = LEAST_MOVING, None
    for times in LENGTHS:
        length = shortest * times
        if times > 1 and (length > LONGEST or length > planes // FEWEST_VIEWS):
            break
        moving = [float(one.passing.mean()) for one in _stretches(recording, filling, length, PROBES)]
        if moving and np.mean(moving) > best:
            best, found = float(np.mean(moving)), length
    return found


def _density(recording: SpikeSource) -> float:
    rates = []
    for span in _spans(recording, min(32, recording.info.planes), 8):
        try:
            rates.append(float(window_counts(recording, span.start, span.stop).mean()) / len(span))
        except Exception:  # noqa: BLE001 (likewise)
            continue
    return float(np.mean(rates)) if rates else 0.0


def _spans(recording: SpikeSource, length: int, most: int) -> list[Span]:
    """Return stretches of so many planes, spread over a recording, none of which spans two of its parts."""
    planes = recording.info.planes
    number = min(most, planes // length) if length > 0 else 0
    starts = [round(start) for start in np.linspace(0, planes - length, number)]
    cuts = recording.parts()
    return [
        Span(start, start + length)
        for start in starts
        if not any(start < cut < start + length for cut in cuts)
    ]


def _stretches(recording: SpikeSource, filling: Filling | None, length: int, most: int) -> list[_Stretch]:
    found = []
    for span in _spans(recording, length, most):
        try:
            stretch = _look(recording, filling, span)
        except Exception:  # noqa: BLE001 (whatever it is, it is told when frames are restored)
            continue
        if stretch is not None:
            found.append(stretch)
    return found


def _look(recording: SpikeSource, filling: Filling | None, span: Span) -> _Stretch | None:
    edges = [span.start + len(span) * at // SEGMENTS for at in range(SEGMENTS + 1)]
    middle = (span.start + span.stop) / 2
    segments = []
    for start, stop in pairwise(edges):
        counts = window_counts(recording, start, stop).astype(np.float32)
        counts = counts if filling is None else filling.fill(counts)
        segments.append(Segment(counts, float(stop - start), ((start + stop) / 2 - middle) / len(span)))
    recording.forget(span.start, span.stop)
    if not all(segment.count.any() for segment in segments):
        return None
    cut = Segments.of(segments)
    small = cut
    while small.size.pixels > MOTION_PIXELS:
        small = small.halved()
    motion, trust = estimate_motion(small)
    speed = motion.travel_px * np.float32(cut.size.width / small.size.width)
    passing = trust * np.clip(speed / np.float32(NEW_CONTENT_PX) - np.float32(0.25), 0, 1)
    views = min(MOST_VIEWS, max(1, int(cut.counts.mean() * SEGMENTS / SPIKES_OF_VIEW)))
    views = 1 << (views.bit_length() - 1)
    parts = cut.counts.reshape(views, SEGMENTS // views, *cut.counts.shape[1:]).sum(axis=1)
    return _Stretch(parts, resized_linear(passing.astype(np.float32), cut.size))


def _certainty(counts: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how little the pixels around each pixel deviate from what is expected of them, in each view."""
    deviation = np.square(counts / expected - 1)
    return np.stack([1 / (blurred(one, CERTAINTY_RADIUS_PX) + np.float32(SUREST)) for one in deviation])


def _stands(
    counts: NDArray[np.float32],
    expected: NDArray[np.float32],
    weights: NDArray[np.float32],
    excess: Picture,
) -> NDArray[np.bool_]:
    """Return which pixels (h, w) follow the light around them clearly less than their gain says."""
    total = weights.sum(axis=0)
    around = expected / (1 + excess)
    light = around - (weights * around).sum(axis=0) / total
    own = counts - (weights * counts).sum(axis=0) / total
    variance = (weights * light * light).sum(axis=0) + np.float32(1e-9)
    slope = (weights * light * own).sum(axis=0) / variance
    left = own - slope * light
    sigma = np.sqrt((np.square(weights * light * left)).sum(axis=0)) / variance
    return (1 + excess) - slope > np.float32(STANDING) + np.float32(STANDING_SIGMAS) * sigma
