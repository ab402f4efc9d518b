"""The pattern of a sequence's own sensor: by its frames where there are some that agree, else by motion."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.alignment import AlignmentWindow
from engine.fixed_pattern.from_frames import SeenExposure, pattern_from_frames
from engine.fixed_pattern.from_motion import pattern_from_motion
from engine.fixed_pattern.pattern import FixedPattern
from engine.geometry import Span
from engine.recording.recording import SpikeSource
from engine.registration import Registration
from engine.spike_filling import Filling
from engine.voxels import window_counts

MOST_FRAMES = 24
MOST_VALUES = 8_000_000
"""Spike pixels times frames, so that large recordings take no longer."""
FEWEST_PLANES = 4

Frames = Callable[[int], NDArray[np.float32]]
"""(H, W, 3) of a frame by its index."""


def measure_pattern(
    recording: SpikeSource,
    filling: Filling | None,
    frames: Frames | None,
    windows: Sequence[AlignmentWindow],
    limits: Sequence[Span],
    gamma: float | None,
    registration: Registration,
) -> FixedPattern:
    """Return what a bounded number of frames and planes show of the pattern, nothing where too little moved.

    `limits` are the planes recorded in one go around each frame. Depends on files alone, not on what was
    asked before. Parts that cannot be read count as not there.
    """
    if frames is not None:
        sound = np.ones((recording.info.height, recording.info.width), np.float32)
        sound = sound if filling is None else filling.sound
        seen = _exposures(recording, filling, frames, windows, limits, registration)
        pattern = pattern_from_frames(seen, sound, gamma)
        if pattern is not None:
            return pattern
    return pattern_from_motion(recording, filling)


def _exposures(
    recording: SpikeSource,
    filling: Filling | None,
    frames: Frames,
    windows: Sequence[AlignmentWindow],
    limits: Sequence[Span],
    registration: Registration,
) -> Iterator[SeenExposure]:
    whole = [
        (index, Span(math.ceil(window.start), math.ceil(window.stop)))
        for index, (window, limit) in enumerate(zip(windows, limits, strict=True))
        if limit.start <= window.start and window.stop <= limit.stop
    ]
    whole = [(index, span) for index, span in whole if len(span) >= FEWEST_PLANES]
    most = max(3, min(MOST_FRAMES, MOST_VALUES // recording.info.size.pixels))
    chosen = sorted({round(at) for at in np.linspace(0, len(whole) - 1, min(most, len(whole)))})
    for at in chosen:
        index, span = whole[at]
        try:
            counts = window_counts(recording, span.start, span.stop).astype(np.float32)
            frame = frames(index)
        except Exception:  # noqa: BLE001 (whatever it is, it is told when the frame is restored)
            continue
        yield SeenExposure(
            frame, counts if filling is None else filling.fill(counts), len(span), registration
        )
