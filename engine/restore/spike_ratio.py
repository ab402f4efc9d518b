"""Deblur by the ratio of what the spikes saw at one instant to what they saw during the exposure.

sharp(t) = blurry · TFP(short window at t) / TFP(exposure), in the signal that the spikes integrate.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Span

if TYPE_CHECKING:
    from engine.sequence import Sequence


@dataclass(frozen=True, eq=False)
class RatioFrames:
    """Finished pictures of a clip, from which regions are cut."""

    pictures: NDArray[np.float32]


class SpikeRatio:
    """The spike-ratio method. Its map is computed once a frame, so tiles show no borders."""

    name = "spike-ratio"
    clip_frames = 1
    clip_overlap = 0
    overlap_px = 0
    multiple_px = 1
    default_tile_px = 256

    def prepare(self, sequence: "Sequence", clip: Span) -> RatioFrames:
        return RatioFrames(np.stack([_restore(sequence, frame) for frame in range(clip.start, clip.stop)]))

    def restore(self, prepared: RatioFrames, region: Region) -> NDArray[np.float32]:
        return prepared.pictures[(slice(None), *region.slices)]


def _restore(sequence: "Sequence", index: int) -> NDArray[np.float32]:
    from engine.voxels import window_counts

    blurry = sequence.frame(index)
    recording = sequence.recording
    if recording is None:
        return blurry
    limits = sequence.spike_limits(index)
    window = sequence.window(index)
    exposure = Span(round(window.start), round(window.stop)).intersect(limits)
    short = _centred(window.centre, max(1, len(exposure) // 8), exposure)
    if len(exposure) == 0:
        return blurry
    counts = window_counts(recording, exposure.start, exposure.stop).astype(np.float32)
    short_counts = window_counts(recording, short.start, short.stop).astype(np.float32)
    share = len(short) / len(exposure)
    softening = 4.0
    smooth = cv2.GaussianBlur(short_counts, (0, 0), 1.0)
    ratio = (smooth + softening * share) / (counts * share + softening * share)
    size = sequence.frame_size
    ratio = cv2.resize(ratio, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    gamma = sequence.gamma
    return np.clip(blurry * ratio[:, :, None] ** (1 / gamma), 0.0, 1.0).astype(np.float32)


def _centred(centre: float, planes: int, within: Span) -> Span:
    start = max(within.start, min(within.stop - planes, round(centre - planes / 2)))
    return Span(start, start + planes).intersect(within)
