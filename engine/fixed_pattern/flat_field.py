"""The pattern as a flat field shows it: what differs from pixel to pixel of an evenly lit surface.

Strategy: no lamp is even and every lens darkens its corners, so the counts are divided by a smooth surface: a
polynomial of the whole picture, which takes slopes and corners, then a wide local mean, which takes the rest.
Dust and scratches are much smaller than that and stay. What is left of a scene is not: its neighbouring
pixels go up and down together over wide areas, and a picture like that is refused.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.fixed_pattern.measuring import GAIN_LIMITS
from engine.fixed_pattern.pattern import FixedPattern
from engine.light.filters import Picture, blurred, local_mean

FEWEST_SPIKES = 20.0
"""A pixel, on average: half a spike is 2.5 % of that, which is as much as the pattern itself."""
LEAST_LIGHT = 1e-4
"""Rates below are a spike or two in a second: none that tells pixels apart."""
FULL_RATE = 0.97
"""Spikes a plane from which on a pixel no longer tells bright from brighter."""
POLYNOMIAL_DEGREE = 4
FIT_PIXELS = 20_000
OUTLIERS = 0.15
"""Relative deviation from the surface from which on a pixel is left out of it: defects, dust."""
SURFACE_SHARE = 16
"""The local mean is as wide as this part of the picture, but 12 pixels at least."""
NARROWEST_PX = 12.0
BLOCK_PX = 8
UNEVEN = 0.03
"""Mean deviation of a block that a flat field has under dust and scratches only."""
UNEVEN_SHARE = 0.2
"""Part of all blocks in which more than that is a scene's."""
DEFECTIVE = 0.5
"""A pixel that deviates by more is defective, or covered; the pattern is 1 there."""
NOISE_RADIUS_PX = 12
SUMMED_NOISE = 0.25
"""Variance of a sum of spikes of an even light, which is counted to half a spike either way."""


def pattern_of_flat(
    counts: NDArray[np.float32],
    planes: float | None,
    file: str,
    defective: NDArray[np.bool_] | None = None,
) -> FixedPattern:
    """Return the pattern that counts (n, h, w) of an evenly lit surface show; `planes` are those of all n.

    Several pictures tell by their halves how much is chance, of one it is half a spike. Rates, whose
    `planes` are None and which are below 1, count as without chance. `defective` (h, w) says what to leave
    out. Raises RecordingError where the values are no numbers or all 0, are too few or too many spikes, or
    show a scene.
    """
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise _refused(
            "its values are no counts of spikes",
            file,
            found="values that are not numbers" if not np.isfinite(counts).all() else f"{counts.min():g}",
            expected="numbers of 0 or more",
        )
    total = counts.sum(axis=0, dtype=np.float32)
    mean = float(np.median(total))
    if mean <= LEAST_LIGHT:
        raise _refused("it shows no light", file, found="0 spikes in most pixels")
    is_rate = planes is None and float(counts.max()) <= 1.0
    if not is_rate and mean < FEWEST_SPIKES:
        raise _refused(
            "it has too few spikes to tell the pattern from chance",
            file,
            found=f"{mean:.3g} a pixel",
            expected=f"{FEWEST_SPIKES:g} or more",
            advice="Record the even surface for longer, or with more light",
        )
    rate = mean / planes if planes else (mean / len(counts) if is_rate else 0.0)
    if rate > FULL_RATE:
        raise _refused(
            "it is saturated, so that all pixels fire alike",
            file,
            found=f"{rate:.3g} spikes a plane",
            expected=f"{FULL_RATE:g} at most",
            advice="Record the even surface with less light",
        )
    sound = total > 0 if defective is None else (total > 0) & ~defective
    surface = _surface(total, sound)
    excess = total / surface - 1
    sound &= np.abs(excess) < DEFECTIVE
    _check_even(excess, sound, file)
    if is_rate:
        error = np.zeros_like(total)
    elif len(counts) == 1:
        error = np.full_like(total, SUMMED_NOISE) / np.square(surface)
    else:
        # Spikes that come late in one half are missing in it and too many in the other, as in the whole.
        early, late = (part.sum(axis=0) for part in np.array_split(counts, 2))
        early, late = (half / np.maximum(half.mean(), np.float32(1e-6)) for half in (early, late))
        error = np.square((early - late) / (early + late + np.float32(1e-6)))
    told = sound.astype(np.float32)
    near = local_mean(told, NOISE_RADIUS_PX) + np.float32(1e-6)
    energy = local_mean(told * np.square(excess), NOISE_RADIUS_PX) / near
    chance = local_mean(told * error, NOISE_RADIUS_PX) / near
    known = told * np.maximum(energy - chance, 0) / (energy + np.float32(1e-12))
    gain = np.clip(1 + known * excess, *GAIN_LIMITS).astype(np.float32)
    return FixedPattern(gain, known.astype(np.float32), None, "flat field", len(counts), file)


def _surface(total: Picture, sound: NDArray[np.bool_]) -> Picture:
    """Return the smooth light (h, w) that fell on the sensor."""
    height, width = total.shape
    y, x = (np.linspace(-1, 1, edge, dtype=np.float32) for edge in (height, width))
    powers = [
        (down, right)
        for down in range(POLYNOMIAL_DEGREE + 1)
        for right in range(POLYNOMIAL_DEGREE + 1 - down)
    ]
    step = max(1, int(np.sqrt(total.size / FIT_PIXELS)))
    # Medians, so that dust and defects do not pull.
    logs = np.log(np.maximum(cv2.medianBlur(np.where(sound, total, np.median(total)), 5), 1e-6))[
        ::step, ::step
    ]
    columns = [np.outer(y[::step] ** down, x[::step] ** right).ravel() for down, right in powers]
    used = np.ones(logs.size, bool)
    design, values = np.stack(columns, axis=1), logs.ravel()
    for _ in range(3):
        fitted, *_ = np.linalg.lstsq(design[used], values[used], rcond=None)
        away = np.abs(values - design @ fitted)
        used = away < max(OUTLIERS, 2 * float(np.median(away)))
    whole = np.zeros_like(total)
    for factor, (down, right) in zip(fitted, powers, strict=True):
        whole += np.float32(factor) * np.outer(y**down, x**right)
    surface: Picture = np.exp(np.clip(whole, -30, 30)).astype(np.float32)
    ratio = total / surface
    middle = np.float32(np.median(ratio[sound])) if sound.any() else np.float32(1)
    inside = (sound & (np.abs(ratio / middle - 1) < OUTLIERS)).astype(np.float32)
    wide = max(NARROWEST_PX, min(total.shape) / SURFACE_SHARE)
    share = blurred(inside, wide)
    local = np.where(
        share > 1e-3, blurred((ratio * inside).astype(np.float32), wide) / np.maximum(share, 1e-3), middle
    )
    return np.maximum(surface * local, np.float32(1e-6)).astype(np.float32)


def _check_even(excess: Picture, sound: NDArray[np.bool_], file: str) -> None:
    """Raise RecordingError where what is left goes up and down over many wide areas."""
    height, width = (edge // BLOCK_PX * BLOCK_PX for edge in excess.shape)
    if height == 0 or width == 0:
        return

    def blocks(field: Picture) -> Picture:
        return field[:height, :width].reshape(height // BLOCK_PX, BLOCK_PX, -1, BLOCK_PX).mean(axis=(1, 3))

    told = blocks(sound.astype(np.float32))
    means = blocks(np.where(sound, excess, 0)) / np.maximum(told, 1e-6)
    uneven = float((np.abs(means[told > 0.25]) > UNEVEN).mean()) if (told > 0.25).any() else 1.0
    if uneven > UNEVEN_SHARE:
        raise _refused(
            "it shows a scene, not an even surface",
            file,
            found=f"{100 * uneven:.0f} % of its areas darker or brighter than those around by over 3 %",
            expected=f"{100 * UNEVEN_SHARE:.0f} % at most",
            advice="Record an evenly lit wall out of focus, or a diffuser on the lens",
        )


def _refused(
    problem: str, file: str, *, found: str, expected: str | None = None, advice: str | None = None
) -> RecordingError:
    return RecordingError(
        f"no flat field: {problem}",
        path=file,
        found=found,
        expected=expected,
        advice=advice or "Name another file with --flat, or --flat none",
    )
