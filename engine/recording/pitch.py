"""The bytes of one plane of a headerless recording, from its bits alone.

Strategy: a pixel that has just fired must charge up again, so it hardly ever fires in two planes running
(where most bits are set, the same holds for the gaps). Hence the stream and itself, shifted by exactly
one plane, coincide far less than when shifted by a few pixels more or less. This notch is one shift wide,
motion in the scene does not move it, and only multiples of the plane share it. Shifts that divide the
file are tried first; where none shows it, all shifts are searched, which finds the plane of a truncated
file. Spikes without memory have no notch: for them there are only likely divisors.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SMALLEST_PLANE_BYTES = 32 * 32 // 8
LARGEST_PLANE_BYTES = 4096 * 4096 // 8

_WINDOW_BYTES = 2 * LARGEST_PLANE_BYTES + (1 << 19)
_PROBED_BYTES = 1 << 16
_ENOUGH_CONTRAST = 0.002
_COMPARED_BYTES = 1 << 16
_SEARCHED_BYTES = 1 << 19
_NOTCH_DEPTH = 0.15
_NOTCH_SIGMAS = 12.0
_LIKELY_PITCHES = 8


def window_with_spikes(stored: NDArray[np.uint8]) -> tuple[int, NDArray[np.uint8]]:
    """Copy a stretch of the file that is neither dark nor saturated; return where it starts as well."""
    last_start = max(0, len(stored) - _WINDOW_BYTES)
    best, contrast = 0, -1.0
    for start in dict.fromkeys(last_start * quarter // 4 for quarter in range(5)):
        stretch = stored[start : start + _WINDOW_BYTES]
        density = density_of(stretch[:: max(1, len(stretch) // _PROBED_BYTES)])
        if density * (1 - density) > contrast:
            best, contrast = start, density * (1 - density)
        if contrast > _ENOUGH_CONTRAST:
            break
    return best, np.array(stored[best : best + _WINDOW_BYTES])


def density_of(packed: NDArray[np.uint8]) -> float:
    """Return the share of bits that are set."""
    return float(np.bitwise_count(packed).mean()) / 8 if len(packed) else 0.0


def _coincidences(
    window: NDArray[np.uint8], shift_bytes: int, most_bytes: int = _COMPARED_BYTES
) -> tuple[int, int]:
    """Count the bits set both here and `shift_bytes` later; return the count and the bits compared.

    They are taken from the start, the middle and the end: pixels of a simulator often start in step.
    """
    room = len(window) - shift_bytes
    words = min(most_bytes, room // 3) // 8
    count = 0
    for start in (0, (room - 8 * words) // 2, room - 8 * words):
        here = np.frombuffer(window, np.uint64, words, offset=start)
        there = np.frombuffer(window, np.uint64, words, offset=start + shift_bytes)
        count += int(np.bitwise_count(here & there).sum(dtype=np.uint32))
    return count, 3 * 64 * words


def _notch(window: NDArray[np.uint8], pitch_bytes: int, density: float) -> float:
    """Return how deep the notch at a shift of `pitch_bytes` is, 0 where there is none.

    1 is a pixel that never fires twice running, in a scene of even brightness.
    """
    count, bits = _coincidences(window, pitch_bytes)
    near = [_coincidences(window, pitch_bytes + shift) for shift in (-2, -1, 1, 2)]
    if bits == 0 or any(compared == 0 for _, compared in near):
        return 0.0
    around = sum(count / compared for count, compared in near) / len(near)
    missing = around - count / bits
    depth = missing / max(min(density, 1 - density) ** 2, 1e-12)
    sure = missing > _NOTCH_SIGMAS * math.sqrt((around + 1 / bits) / bits)
    return depth if sure and depth > _NOTCH_DEPTH else 0.0


def plane_pitch(window: NDArray[np.uint8], total_bytes: int, thorough: bool) -> int | None:
    """Return the bytes of one plane, None where nothing shows a notch."""
    density = density_of(window)
    depths = {
        pitch: depth
        for pitch in divisors(total_bytes, SMALLEST_PLANE_BYTES, _longest_pitch(window))
        if (depth := _notch(window, pitch, density))
    }
    if depths:
        return _fundamental(depths)
    return _search_notch(window, density) if thorough else None


def _longest_pitch(window: NDArray[np.uint8]) -> int:
    return min(LARGEST_PLANE_BYTES, len(window) * 2 // 3)


def likely_pitches(window: NDArray[np.uint8], total_bytes: int) -> list[int]:
    """Return the divisors of the file with most coincidences, for spikes that show no notch."""
    shares = {
        pitch: count / max(1, bits)
        for pitch in divisors(total_bytes, SMALLEST_PLANE_BYTES, _longest_pitch(window))
        for count, bits in (_coincidences(window, pitch, 4 * _COMPARED_BYTES),)
    }
    likely = sorted(shares, key=lambda pitch: shares[pitch], reverse=True)[:_LIKELY_PITCHES]
    # Two planes are as like the next two as one is like the next, and chance may have put them first.
    parts = {pitch // part for pitch in likely[:4] for part in (2, 3) if pitch % part == 0} & set(shares)
    whole = {total_bytes} if SMALLEST_PLANE_BYTES <= total_bytes <= LARGEST_PLANE_BYTES else set()
    return sorted(parts | whole | set(likely))


def _search_notch(window: NDArray[np.uint8], density: float) -> int | None:
    """Look for the notch at every shift of whole bytes, by one transform of the bits."""
    length = min(len(window), _SEARCHED_BYTES)
    if length < 4 * SMALLEST_PLANE_BYTES:
        return None
    length = 1 << (length.bit_length() - 1)
    start = (len(window) - length) // 2
    bits = np.unpackbits(window[start : start + length], bitorder="little").astype(np.float32)
    spectrum = np.fft.rfft(bits)
    counts = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[: 4 * length : 8]
    around = (counts[:-4] + counts[1:-3] + counts[3:-1] + counts[4:]) / 4
    missing = around - counts[2:-2]
    missing[: SMALLEST_PLANE_BYTES - 2] = 0
    sure = missing > _NOTCH_SIGMAS * np.sqrt(np.maximum(around, 1))
    depth = np.where(sure, missing, 0) / (8 * length * max(min(density, 1 - density) ** 2, 1e-12))
    deep = np.flatnonzero(depth > max(_NOTCH_DEPTH, 0.6 * float(depth.max())))
    return _fundamental({int(index) + 2: float(depth[index]) for index in deep}) if len(deep) else None


def _fundamental(depths: dict[int, float]) -> int:
    """Return the shift of the deepest notch, or the shortest part of it that is nearly as deep.

    Multiples of the plane show a notch as well, and so, less, do neighbouring rows of pixels in step.
    """
    deepest = max(depths, key=lambda pitch: depths[pitch])
    parts = [pitch for pitch in depths if deepest % pitch == 0 and depths[pitch] > 0.7 * depths[deepest]]
    return min(parts)


def divisors(number: int, least: int, most: int) -> Iterator[int]:
    """Yield the divisors of a number from `least` to `most`, ascending."""
    small = np.arange(1, math.isqrt(number) + 1)
    small = small[number % small == 0]
    for divisor in np.unique(np.concatenate([small, number // small])).tolist():
        if least <= divisor <= most:
            yield divisor
