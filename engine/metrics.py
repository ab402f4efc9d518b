"""How close a picture is to its reference, on the 8-bit levels that a file would hold."""

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
    from skimage.metrics import peak_signal_noise_ratio

    levels, reference_levels = _levels_of_pair(picture, reference)
    if np.array_equal(levels, reference_levels):
        return float("inf")
    return float(peak_signal_noise_ratio(reference_levels, levels, data_range=PEAK))


def ssim(picture: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Return the structural similarity of two (H, W, 3) pictures in [0, 1], the mean of the channels.

    Gaussian window of 11 × 11 and σ 1.5 on 8-bit levels, without the borders where it does not fit
    (Wang et al. 2004). Not a number where it fits nowhere. Raises MethodError when the shapes differ.
    """
    from skimage.metrics import structural_similarity

    levels, reference_levels = _levels_of_pair(picture, reference)
    if min(levels.shape[:2]) < SSIM_WINDOW_PX:
        return float("nan")
    return float(
        structural_similarity(
            reference_levels,
            levels,
            data_range=PEAK,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return Pearson's correlation of all values of two pictures; 0 where one of them is constant."""
    _check_shapes(first, second)
    a = first.astype(np.float64).ravel()
    b = second.astype(np.float64).ravel()
    a -= a.mean()
    b -= b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else 0.0


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
    return Scores(
        psnr=psnr(matched, reference),
        ssim=ssim(matched, reference),
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
    return np.floor(np.clip(picture, 0.0, 1.0).astype(np.float32) * PEAK + 0.5).astype(np.uint8)


def _check_shapes(first: NDArray[np.floating], second: NDArray[np.floating]) -> None:
    if first.shape != second.shape:
        raise MethodError(
            "pictures of different shapes cannot be compared",
            found=f"{first.shape} and {second.shape}",
            advice="Check that the reference belongs to these frames",
        )
