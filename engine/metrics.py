"""How close a picture is to its reference, on the 8-bit levels that a file would hold."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import MethodError
from engine.geometry import Region

if TYPE_CHECKING:
    from engine.sequence import Sequence

PEAK = 255
SSIM_WINDOW_PX = 11
"""Edge of the Gaussian window of σ 1.5 (Wang et al. 2004)."""
STRIP_ROWS = 64
"""Pictures are measured so many rows at a time: 4K needs a third of the memory then, and half the time."""


@dataclass(frozen=True)
class Scores:
    """What one picture scored against its reference."""

    psnr: float
    """Decibels; infinite where the pictures have the same levels."""
    ssim: float
    """At most 1; not a number where a side is shorter than the window of 11 pixels."""
    correlation: float
    gain_matched: bool = False
    """The picture was multiplied by one number to fit the reference before PSNR and SSIM, because
    pictures that are made of spikes alone have no brightness of their own."""


def psnr(picture: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Return the peak signal-to-noise ratio in dB of two (H, W, 3) pictures in [0, 1], over all channels.

    Both are clipped and rounded to 8-bit levels first, so that a picture in memory and the file it is
    written to score the same. Raises MethodError when the shapes differ.
    """
    return _psnr_of_levels(*_levels_of_pair(picture, reference))


def ssim(picture: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Return the structural similarity of two (H, W, 3) pictures in [0, 1], the mean of the channels.

    Gaussian window of 11 × 11 and σ 1.5 on 8-bit levels, without the borders where it does not fit
    (Wang et al. 2004). Not a number where it fits nowhere. Raises MethodError when the shapes differ.
    """
    return _ssim_of_levels(*_levels_of_pair(picture, reference))


def correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return Pearson's correlation of all values of two pictures; 0 where one of them is constant."""
    _check_shapes(first, second)
    if first.min() == first.max() or second.min() == second.max():
        return 0.0
    mean, other_mean = first.mean(dtype=np.float64), second.mean(dtype=np.float64)
    products = np.zeros((2, 2))
    for top in range(0, len(first), STRIP_ROWS):
        a = first[top : top + STRIP_ROWS].astype(np.float64).ravel() - mean
        b = second[top : top + STRIP_ROWS].astype(np.float64).ravel() - other_mean
        products += ((a @ a, a @ b), (b @ a, b @ b))
    return float(products[0, 1] / np.sqrt(products[0, 0] * products[1, 1]))


def compare(
    sequence: "Sequence", index: int, picture: NDArray[np.floating], region: Region | None = None
) -> Scores:
    """Score a picture of frame `index` against the sequence's reference, whole or inside a `region`.

    Raises MethodError when the sequence has no reference for it or the sizes differ.
    """
    reference = sequence.reference(index)
    if reference is None:
        raise MethodError(
            f"frame {sequence.frame_name(index)} has no reference to compare with",
            advice="Name the folder of sharp pictures",
        )
    _check_shapes(picture, reference)
    matched = match_gain(picture, reference) if sequence.is_virtual else picture
    if region is not None:
        picture, matched, reference = (one[region.slices] for one in (picture, matched, reference))
    levels = _levels_of_pair(matched, reference)
    return Scores(
        psnr=_psnr_of_levels(*levels),
        ssim=_ssim_of_levels(*levels),
        correlation=correlation(picture, reference),
        gain_matched=sequence.is_virtual,
    )


def match_gain(picture: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.float32]:
    """Multiply `picture` by the one number that brings it closest to `reference` in least squares."""
    a = picture.astype(np.float64).ravel()
    power = a @ a
    gain = (a @ reference.astype(np.float64).ravel()) / power if power > 0 else 1.0
    return (picture * gain).astype(np.float32)


def _levels_of_pair(
    picture: NDArray[np.floating], reference: NDArray[np.floating]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    _check_shapes(picture, reference)
    return _to_levels(picture), _to_levels(reference)


def _to_levels(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    levels = np.empty(picture.shape, np.uint8)
    for top in range(0, len(picture), STRIP_ROWS):
        strip = np.clip(picture[top : top + STRIP_ROWS], 0.0, 1.0).astype(np.float32)
        levels[top : top + STRIP_ROWS] = np.floor(strip * PEAK + 0.5)
    return levels


def _psnr_of_levels(levels: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    from skimage.metrics import mean_squared_error

    squares = 0.0
    for top in range(0, len(levels), STRIP_ROWS):
        strip = slice(top, top + STRIP_ROWS)
        squares += float(mean_squared_error(reference[strip], levels[strip])) * levels[strip].size
    return 10 * math.log10(PEAK**2 * levels.size / squares) if squares else math.inf


def _ssim_of_levels(levels: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Put the mean together from strips that share the rows where the window does not fit."""
    from skimage.metrics import structural_similarity

    height, margin = len(levels), SSIM_WINDOW_PX // 2
    if min(levels.shape[:2]) < SSIM_WINDOW_PX:
        return math.nan
    total = 0.0
    for top in range(margin, height - margin, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height - margin)
        strip = slice(top - margin, bottom + margin)
        mean = structural_similarity(
            reference[strip],
            levels[strip],
            data_range=PEAK,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        total += float(mean) * (bottom - top)
    return total / (height - 2 * margin)


def _check_shapes(first: NDArray[np.floating], second: NDArray[np.floating]) -> None:
    if first.shape != second.shape:
        raise MethodError(
            "pictures of different shapes cannot be compared",
            found=f"{first.shape} and {second.shape}",
            advice="Check that the reference belongs to these frames",
        )
