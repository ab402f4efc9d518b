"""Height and width of a headerless recording, from its bits alone.

Strategy: find two rhythms, the slower one first.

1. The plane. A pixel that has just fired must charge up again, so it hardly ever fires in two planes
   running (where most bits are set, the same holds for the gaps). Hence the stream and itself, shifted
   by exactly one plane, coincide far less than when shifted by a few pixels more or less. This notch
   is one lag wide, motion in the scene does not move it, and only multiples of the plane share it.
   Lags that divide the file are tried first; where none shows it, all lags are searched, which finds
   the plane of a truncated file. Spikes without memory have no notch: there every likely divisor is
   folded, and the plane is where most of the picture is left.
2. The row. The sum of some planes is a picture, smooth both ways. Read as one long line it is most
   like itself when shifted by one row, and a wrong width shears it. Widths one pixel off are told
   apart by the seam, the jump from the right edge of a row to the left edge of the next.

Only some megabytes are ever looked at, wherever in the file the spikes are.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.recording.planes import plane_bytes
from engine.recording.recording import GeometryCandidate

KNOWN_SIZES = (
    Size(250, 400),
    Size(1000, 1000),
    Size(360, 640),
    Size(180, 320),
    Size(384, 384),
    Size(256, 256),
)
"""Sizes of public cameras and data sets."""

HEAD_COLUMNS = {Size(250, 416): 16, Size(1000, 1024): 24}
"""Raw lines of cameras: so many columns at the end of every row are not picture."""

SHORTEST_SIDE_PX = 16
LONGEST_SIDE_PX = 8192
SMALLEST_PLANE_BYTES = 32 * 32 // 8
LARGEST_PLANE_BYTES = 4096 * 4096 // 8
LARGEST_ASPECT = 8.0

_WINDOW_BYTES = 2 * LARGEST_PLANE_BYTES + (1 << 19)
_COMPARED_BYTES = 1 << 16
_SEARCHED_BYTES = 1 << 19
_PICTURE_PX = 1 << 20
_GROUP_PLANES = (4, 16)
_SUMMED_PLANES = 64
_TRANSFORMED_PX = 1 << 22
_LIKELY_PITCHES = 8
_MOST_CANDIDATES = 12

_NOTCH_DEPTH = 0.15
_NOTCH_SIGMAS = 12.0
_ROW_SIGMAS = 8.0
_CLEAR_SIGMAS = 100.0
_ACCEPTED_SCORE = {True: 0.5, False: 0.75}
_ACCEPTED_LEAD = {True: 0.05, False: 0.1}
_ACCEPTED_SIGMAS = {True: 8.0, False: 20.0}
_ACCEPTED_ASPECT = {True: 8.0, False: 2.5}
"""By whether the plane is known by its notch."""
_SEAM_WEIGHT = 0.25
_USUAL_WEIGHT = 0.05


@dataclass(frozen=True)
class GeometryGuess:
    """What the bits say: candidates, best first, and the one that is clearly ahead, if any."""

    candidates: tuple[GeometryCandidate, ...]
    best: GeometryCandidate | None


@dataclass(frozen=True)
class _Reading:
    """One way to cut the stream, before it becomes a candidate."""

    pitch_bytes: int
    height: int
    width: int
    likeness: float
    covariance: float
    sigmas: float
    seam: float
    is_peak: bool

    @property
    def score(self) -> float:
        # Even sizes in whole bytes are what people build; this decides between widths one pixel off.
        usual = (self.height % 2 == 0 and self.width % 2 == 0) + (self.height * self.width % 8 == 0)
        return (self.likeness + _SEAM_WEIGHT * self.seam + _USUAL_WEIGHT * usual) / (1 + _SEAM_WEIGHT)


def infer_geometry(
    stored: NDArray[np.uint8], *, height: int | None = None, width: int | None = None, thorough: bool = True
) -> GeometryGuess:
    """Guess height and width of packed planes from their bits.

    stored: the whole file as uint8 (bytes,), mapped rather than read. A known `height` or `width`
    leaves only candidates that agree. Without `thorough` only the notch is looked for, and only where
    planes divide the file: a second opinion within some 50 ms.
    """
    window = _window_with_spikes(stored)
    if not 0 < _density(window) < 1:
        return GeometryGuess((), None)
    pitch_bytes = _plane_pitch(window, len(stored), thorough)
    if pitch_bytes is None and not thorough:
        return GeometryGuess((), None)
    pitches = _likely_pitches(window, len(stored)) if pitch_bytes is None else [pitch_bytes]
    lines = {pitch: _Line.of(stored, pitch, sure=pitch_bytes is not None) for pitch in pitches}
    neighbours = max((float(line.covariance[1]) for line in lines.values()), default=0.0)
    readings = [reading for line in lines.values() for reading in _read_rows(line, neighbours, height, width)]
    readings = _without_harmonics(readings)
    readings.sort(key=lambda reading: reading.score, reverse=True)
    candidates = tuple(_candidate(reading, len(stored)) for reading in readings[:_MOST_CANDIDATES])
    return GeometryGuess(candidates, _clearly_ahead(readings, candidates, pitch_bytes is not None))


def usual_candidates(total_bytes: int) -> tuple[GeometryCandidate, ...]:
    """Return the known sizes of which `total_bytes` is a whole number of planes, none of them likelier."""
    return tuple(
        GeometryCandidate(size, total_bytes // plane_bytes(size), remainder_bytes=0, score=0.0)
        for size in KNOWN_SIZES
        if total_bytes % plane_bytes(size) == 0
    )


def _window_with_spikes(stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Copy a stretch of the file that is neither dark nor saturated."""
    spread = len(stored) > 4 * _WINDOW_BYTES
    window, contrast = stored[:0], -1.0
    for quarter in range(4 if spread else 1):
        start = len(stored) * quarter // 4
        stretch = stored[start : start + _WINDOW_BYTES]
        density = _density(stretch[:: max(1, len(stretch) // 65536)])
        if density * (1 - density) > contrast:
            window, contrast = stretch, density * (1 - density)
        if contrast > 0.002:
            break
    return np.ascontiguousarray(window)


def _density(packed: NDArray[np.uint8]) -> float:
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


def _plane_pitch(window: NDArray[np.uint8], total_bytes: int, thorough: bool) -> int | None:
    """Return the bytes of one plane, None where nothing shows a notch."""
    density = _density(window)
    depths = {
        pitch: depth
        for pitch in _divisors(total_bytes, SMALLEST_PLANE_BYTES, _longest_pitch(window))
        if (depth := _notch(window, pitch, density))
    }
    if depths:
        return _fundamental(depths)
    return _search_notch(window, density) if thorough else None


def _longest_pitch(window: NDArray[np.uint8]) -> int:
    return min(LARGEST_PLANE_BYTES, len(window) * 2 // 3)


def _likely_pitches(window: NDArray[np.uint8], total_bytes: int) -> list[int]:
    """Return the divisors of the file with most coincidences, for spikes that show no notch."""
    shares = {
        pitch: count / max(1, bits)
        for pitch in _divisors(total_bytes, SMALLEST_PLANE_BYTES, _longest_pitch(window))
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


def _divisors(number: int, least: int, most: int) -> Iterator[int]:
    small = np.arange(1, math.isqrt(number) + 1)
    small = small[number % small == 0]
    for divisor in np.unique(np.concatenate([small, number // small])).tolist():
        if least <= divisor <= most:
            yield divisor


def _shapes(pitch_bytes: int, height: int | None, width: int | None) -> Iterator[tuple[int, int]]:
    """Yield every height and width whose plane takes `pitch_bytes`."""
    for pixels in range(8 * pitch_bytes - 7, 8 * pitch_bytes + 1):
        for columns in _divisors(pixels, SHORTEST_SIDE_PX, pixels // SHORTEST_SIDE_PX):
            rows = pixels // columns
            if height not in (None, rows) or width not in (None, columns):
                continue
            if max(rows / columns, columns / rows) <= LARGEST_ASPECT:
                yield rows, columns


@dataclass(frozen=True)
class _Line:
    """The mean of some planes, read as one long line."""

    pitch_bytes: int
    covariance: NDArray[np.float64]
    """Covariance of a plane's picture with itself, by shift in pixels."""
    sigma: float
    """One deviation of that covariance where pixels are unrelated."""
    picture: NDArray[np.float32]
    """Sum of planes, mean taken off."""

    @classmethod
    def of(cls, stored: NDArray[np.uint8], pitch_bytes: int, *, sure: bool) -> "_Line":
        """Fold the file at `pitch_bytes`.

        Groups of planes are short where the pitch is sure (`sure`), so that motion does not
        smear them, unless they are too noisy; else long, so that a wrong pitch smears them.
        """
        for group_planes in _GROUP_PLANES if sure else _GROUP_PLANES[-1:]:
            line = cls._folded(stored, pitch_bytes, group_planes, 16 if sure else 2)
            if line.covariance[1] > _CLEAR_SIGMAS * line.sigma:
                break
        return line

    @classmethod
    def _folded(
        cls, stored: NDArray[np.uint8], pitch_bytes: int, group_planes: int, most_groups: int
    ) -> "_Line":
        planes = len(stored) // pitch_bytes
        pixels = min(8 * pitch_bytes, _PICTURE_PX)
        shifts = min(2 * LONGEST_SIDE_PX, pixels)
        group_planes = min(group_planes, planes)
        summed = min(_SUMMED_PLANES, max(planes, group_planes)) // group_planes
        groups = np.unique(np.linspace(0, planes - group_planes, max(1, summed)).astype(int)).tolist()
        length = 1 << (pixels + shifts - 1).bit_length()
        transformed = min(most_groups, max(2, _TRANSFORMED_PX // length))
        power = np.zeros(length // 2 + 1, np.float32)
        picture = np.zeros(pixels, np.float32)
        for index, start in enumerate(groups):
            counts = np.zeros(pixels, np.uint8)
            for plane in range(start, start + group_planes):
                packed = stored[plane * pitch_bytes : plane * pitch_bytes + (pixels + 7) // 8]
                counts += np.unpackbits(packed, count=pixels, bitorder="little")
            sums = counts.astype(np.float32)
            sums -= sums.mean()
            picture += sums
            if index < transformed:
                spectrum = np.fft.rfft(sums, length)
                power += spectrum.real**2 + spectrum.imag**2
        transformed = min(transformed, len(groups))
        overlap = (pixels - np.arange(shifts)) * transformed * group_planes**2
        covariance = np.fft.irfft(power)[:shifts] / overlap
        sigma = float(covariance[0]) / math.sqrt(pixels * transformed)
        return cls(pitch_bytes, covariance, sigma, picture)


def _read_rows(line: _Line, neighbours: float, height: int | None, width: int | None) -> list[_Reading]:
    """Score every shape of a plane by how alike neighbouring rows are, `neighbours` being most alike."""
    readings: list[_Reading] = []
    if line.covariance[1] < _ROW_SIGMAS * line.sigma:
        return readings  # Not even neighbouring pixels are alike: there is no picture to read.
    jumps = np.square(np.diff(line.picture))
    for rows, columns in _shapes(line.pitch_bytes, height, width):
        alike = float(line.covariance[columns]) if columns < len(line.covariance) else 0.0
        if alike < _ROW_SIGMAS * line.sigma:
            continue
        nearby = line.covariance[max(2, int(0.6 * columns)) : int(1.6 * columns) + 1]
        readings.append(
            _Reading(
                pitch_bytes=line.pitch_bytes,
                height=rows,
                width=columns,
                likeness=alike / neighbours,
                covariance=alike,
                sigmas=alike / max(line.sigma, 1e-12),
                seam=_seam(jumps, columns, line.picture),
                is_peak=alike > 0.97 * float(nearby.max()) - 2 * line.sigma,
            )
        )
    return readings


def _seam(jumps: NDArray[np.float32], columns: int, picture: NDArray[np.float32]) -> float:
    """Return how much the line jumps where rows of `columns` would end: about 1 there, about 0 elsewhere."""
    at_ends = jumps[columns - 1 :: columns]
    expected = 2 * float(picture.var()) - float(jumps.mean())
    if len(at_ends) == 0 or expected <= 0:
        return 0.0
    return min(1.0, max(-1.0, (float(at_ends.mean()) - float(jumps.mean())) / expected))


def _without_harmonics(readings: list[_Reading]) -> list[_Reading]:
    """Drop widths of several rows and pitches of several planes, where one does as well."""

    def is_part(other: _Reading, whole: _Reading) -> bool:
        if other.covariance < 0.9 * whole.covariance:
            return False
        if other.pitch_bytes == whole.pitch_bytes:
            return other.width < whole.width and whole.width % other.width == 0
        return other.width == whole.width and whole.pitch_bytes % other.pitch_bytes == 0

    return [reading for reading in readings if not any(is_part(other, reading) for other in readings)]


def _candidate(reading: _Reading, total_bytes: int) -> GeometryCandidate:
    planes, remainder_bytes = divmod(total_bytes, reading.pitch_bytes)
    stored_size = Size(reading.height, reading.width)
    head = HEAD_COLUMNS.get(stored_size, 0)
    return GeometryCandidate(
        size=Size(reading.height, reading.width - head),
        planes=planes,
        remainder_bytes=remainder_bytes,
        score=round(reading.score, 4),
        head_columns=head,
    )


def _clearly_ahead(
    readings: list[_Reading], candidates: tuple[GeometryCandidate, ...], sure: bool
) -> GeometryCandidate | None:
    if not readings:
        return None
    first = readings[0]
    lead = first.score - (readings[1].score if len(readings) > 1 else 0.0)
    aspect = max(first.height / first.width, first.width / first.height)
    accepted = (
        first.is_peak
        and first.score >= _ACCEPTED_SCORE[sure]
        and first.sigmas >= _ACCEPTED_SIGMAS[sure]
        and lead >= _ACCEPTED_LEAD[sure]
        and aspect <= _ACCEPTED_ASPECT[sure]
    )
    return candidates[0] if accepted else None
