"""Scores of a network on clips it was not trained on, beside those of the blurry frames and of the ratio."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import distributed

from engine.metrics import psnr, ssim
from engine.spike_channels import RATIO_SOFTENING
from training.example import Example, unit_range

if TYPE_CHECKING:
    from engine.model.checkpoint import Network
    from engine.voxels import VoxelSpec
    from training.clip_batches import SequenceSpan

SCORES = "scores"
"""Under which name a validation step hands its ClipScores to the callbacks."""
RATIO_SHARE = 1 / 8
RATIO_BLUR_PX = 1.0
PSNR_CEILING_DB = 60.0
"""Stands for the infinite PSNR of equal pictures, which would swallow every mean."""


@dataclass(frozen=True, eq=False)
class ClipScores:
    """Means over the frames of a clip, and its middle frame as a row of pictures."""

    name: str
    psnr: float
    ssim: float
    blurry_psnr: float
    blurry_ssim: float
    ratio_psnr: float
    ratio_ssim: float
    row: NDArray[np.float32]
    """(H, 4 W, 3) blurry | ratio | restored | reference"""

    def figures(self) -> dict[str, float]:
        return {
            "psnr": self.psnr,
            "ssim": self.ssim,
            "blurry_psnr": self.blurry_psnr,
            "ratio_psnr": self.ratio_psnr,
            "gain_db": self.psnr - self.blurry_psnr,
            "gain_over_ratio_db": self.psnr - self.ratio_psnr,
        }


def without_pictures(scores: ClipScores) -> ClipScores:
    """Return the numbers alone, of which any number can be kept."""
    return replace(scores, row=np.zeros((0, 0, 3), np.float32))


def gather_scores(own: Mapping[int, ClipScores]) -> list[ClipScores]:
    """Return what all processes scored, each clip once and in its place, whichever process scored it.

    `own` are this process's scores by the clips' places. All processes call this together.
    """
    told: dict[int, ClipScores] = dict(own)
    if distributed.is_available() and distributed.is_initialized():
        parts: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(parts, told)
        told = {place: scores for part in parts for place, scores in part.items()}
    return [told[place] for place in sorted(told)]


def mean_figures(scores: Iterable[ClipScores]) -> dict[str, float]:
    """Return the means over clips: of the same ones the same, however many processes scored them."""
    figures = [of_clip.figures() for of_clip in scores]
    names = figures[0] if figures else {}
    return {name: math.fsum(one[name] for one in figures) / len(figures) for name in names}


def score_clip(example: Example, restored: NDArray[np.float32]) -> ClipScores:
    """Score restored frames (T, 3, H, W) of an example."""
    blurry, reference = unit_range(example.blurry), unit_range(example.reference)
    ratio = np.stack(
        [
            ratio_picture(frame, counts, example.gamma)
            for frame, counts in zip(blurry, example.counts, strict=True)
        ]
    )
    return score_frames(example.name, blurry, ratio, np.moveaxis(restored, 1, 3), reference)


def score_span(network: "Network", spec: "VoxelSpec", span: "SequenceSpan") -> ClipScores:
    """Restore whole frames of a sequence through the engine, in tiles, and score them."""
    from engine.geometry import Span
    from engine.restoration.network_method import NetworkMethod
    from engine.restoration.restoration import Restoration
    from engine.restoration.restoration import restored as restored_by
    from engine.sequence import open_source

    with open_source(span.source) as sequence:
        numbers = range(span.start, span.stop)
        blurry = [sequence.frame(number) for number in numbers]
        counts = [
            np.asarray(sequence.voxels_on_frame(number, spec.bins, filled=False), np.float32)
            for number in numbers
        ]
        ratio = [ratio_picture(frame, of, sequence.gamma) for frame, of in zip(blurry, counts, strict=True)]
        method = NetworkMethod(network, spec)
        request = Restoration.of_frames(sequence, Span(span.start, span.stop), method)
        restored = [result.picture for result in restored_by(request)]
        references = [sequence.reference(number) for number in numbers]
        return score_frames(
            f"{span.name} {span.start}",
            np.stack(blurry),
            np.stack(ratio),
            np.stack(restored),
            np.stack([picture for picture in references if picture is not None]),
        )


def score_frames(
    name: str,
    blurry: NDArray[np.float32],
    ratio: NDArray[np.float32],
    restored: NDArray[np.float32],
    reference: NDArray[np.float32],
) -> ClipScores:
    """Score three versions of (T, H, W, 3) frames against the reference."""

    def scored(version: NDArray[np.float32]) -> tuple[float, float]:
        pairs = list(zip(version, reference, strict=True))
        levels = [min(PSNR_CEILING_DB, psnr(picture, sharp)) for picture, sharp in pairs]
        return float(np.mean(levels)), float(np.mean([ssim(picture, sharp) for picture, sharp in pairs]))

    middle = len(blurry) // 2
    row = np.concatenate([version[middle] for version in (blurry, ratio, restored, reference)], axis=1)
    return ClipScores(name, *scored(restored), *scored(blurry), *scored(ratio), np.clip(row, 0, 1))


def ratio_picture(
    blurry: NDArray[np.float32], counts: NDArray[np.unsignedinteger] | NDArray[np.float32], gamma: float
) -> NDArray[np.float32]:
    """Deblur (H, W, 3) by the plain spike ratio of the middle eighth of the exposure.

    Works on voxel bins, as published; the engine's method works on planes and does more against noise, and
    is the harder baseline.
    """
    bins = len(counts)
    width = max(1, round(bins * RATIO_SHARE))
    first = (bins - width) // 2
    short = counts[first : first + width].sum(axis=0).astype(np.float32)
    whole = counts.sum(axis=0).astype(np.float32) * np.float32(width / bins)
    short, whole = (cv2.GaussianBlur(picture, (0, 0), RATIO_BLUR_PX) for picture in (short, whole))
    ratio = (short + np.float32(RATIO_SOFTENING)) / (whole + np.float32(RATIO_SOFTENING))
    ratio = cv2.resize(ratio, (blurry.shape[1], blurry.shape[0]))
    return np.clip(blurry * ratio[..., None] ** np.float32(1 / gamma), 0, 1).astype(np.float32)
