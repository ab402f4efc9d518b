"""Height and width of a headerless recording, from its bits alone.

Strategy: find two rhythms, the slower one first.

1. The plane, see `engine.recording.pitch`. Where it is only likely, every likely one is folded, and the
   plane is where most of the picture is left.
2. The row. The sum of some planes is a picture, smooth both ways. Read as one long line it is most like
   itself when shifted by one row, and a wrong width shears it. Widths one pixel off, and one row from
   two rows read as one, are told apart by the seam, the jump from the right edge of a row to the left
   edge of the next. Where it is too noisy for that, nobody is told a size.

Only some megabytes are ever looked at, wherever in the file the spikes are.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.recording.bit_order import reverse_bits
from engine.recording.pitch import density_of, divisors, likely_pitches, plane_pitch, window_with_spikes
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
LARGEST_ASPECT = 8.0

_PICTURE_PX = 1 << 20
_GROUP_PLANES = (4, 16)
_SUMMED_PLANES = 64
_TRANSFORMED_PX = 1 << 22
_MOST_CANDIDATES = 12

_ROW_SIGMAS = 8.0
_CLEAR_SIGMAS = 100.0
_ACCEPTED_SCORE = {True: 0.5, False: 0.75}
_ACCEPTED_LEAD = {True: 0.05, False: 0.1}
_ACCEPTED_SIGMAS = {True: 8.0, False: 20.0}
_ACCEPTED_ASPECT = {True: 8.0, False: 2.5}
"""By whether the plane is known by its notch."""
_LARGEST_LIKENESS = 1.5
"""Rows far more alike than pixels of a row are a pattern, not a picture."""
_SEAM_WEIGHT = 0.25
_USUAL_WEIGHT = 0.05
_HARMONIC_TOLERANCE = 0.02
_SEAM_ERRORS = 3.0
_LEAD_SIGMAS = 2.0


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
    """Covariance of neighbouring rows by that of neighbouring pixels."""
    noise: float
    """One deviation of the likeness where rows are unrelated."""
    seam: float
    """How much the line jumps at the ends of rows, see `_seam`."""
    seam_error: float
    """One deviation of the seam."""
    is_peak: bool
    """No shift of about a row gives lines more alike."""

    @property
    def is_usual(self) -> bool:
        """Sensors are square or wider than high, but not strips."""
        return 0.8 <= self.width / self.height <= 3.2

    @property
    def score(self) -> float:
        # Even sizes in whole bytes are what people build; this decides between widths one pixel off.
        usual = (self.height % 2 == 0 and self.width % 2 == 0) + (self.height * self.width % 8 == 0)
        sure_seam = math.copysign(min(1.0, max(0.0, abs(self.seam) - self.seam_error)), self.seam)
        return (self.likeness + _SEAM_WEIGHT * sure_seam + _USUAL_WEIGHT * usual) / (1 + _SEAM_WEIGHT)


def infer_geometry(
    stored: NDArray[np.uint8],
    *,
    height: int | None = None,
    width: int | None = None,
    thorough: bool = True,
    msb_first: bool = False,
) -> GeometryGuess:
    """Guess height and width of packed planes from their bits.

    stored: the whole file as uint8 (bytes,), mapped rather than read. A known `height` or `width`
    leaves only candidates that agree. Without `thorough` only the notch is looked for, and only where
    planes divide the file: a second opinion within some 50 ms. `msb_first`: bytes are stored so.
    """
    start, window = window_with_spikes(stored)
    if msb_first:
        window = reverse_bits(window)
    if not 0 < density_of(window) < 1:
        return GeometryGuess((), None)
    pitch_bytes = plane_pitch(window, len(stored), thorough)
    if pitch_bytes is None and not thorough:
        return GeometryGuess((), None)
    pitches = likely_pitches(window, len(stored)) if pitch_bytes is None else [pitch_bytes]
    lines = {
        pitch: _Line.of(window[-start % pitch :], pitch, sure=pitch_bytes is not None)
        for pitch in pitches
        if -start % pitch + pitch <= len(window)
    }
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


def _shapes(pitch_bytes: int, height: int | None, width: int | None) -> Iterator[tuple[int, int]]:
    """Yield every height and width whose plane takes `pitch_bytes`."""
    for pixels in range(8 * pitch_bytes - 7, 8 * pitch_bytes + 1):
        for columns in divisors(pixels, SHORTEST_SIDE_PX, pixels // SHORTEST_SIDE_PX):
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
    def of(cls, planes: NDArray[np.uint8], pitch_bytes: int, *, sure: bool) -> "_Line":
        """Fold some planes, (bytes,), at `pitch_bytes`.

        Groups of planes are short where the pitch is `sure`, so that motion does not smear them, unless
        they are too noisy; else long, so that a wrong pitch smears them, and few, as many are tried.
        """
        if not sure:
            return cls._folded(planes, pitch_bytes, _GROUP_PLANES[-1], 2, _PICTURE_PX // 4)
        for group_planes in _GROUP_PLANES:
            line = cls._folded(planes, pitch_bytes, group_planes, 16, _PICTURE_PX)
            if line.covariance[1] > _CLEAR_SIGMAS * line.sigma:
                break
        return line

    @classmethod
    def _folded(
        cls, stored: NDArray[np.uint8], pitch_bytes: int, group_planes: int, most_groups: int, most_px: int
    ) -> "_Line":
        planes = len(stored) // pitch_bytes
        # Together a power of two at most, so that the transform is no longer than it need be.
        shifts = min(2 * LONGEST_SIDE_PX, 8 * pitch_bytes)
        pixels = min(8 * pitch_bytes, most_px - shifts)
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
    if line.covariance[1] <= _ROW_SIGMAS * line.sigma:
        return readings  # Not even neighbouring pixels are alike: there is no picture to read.
    jumps = np.square(np.diff(line.picture))
    for rows, columns in _shapes(line.pitch_bytes, height, width):
        alike = float(line.covariance[columns]) if columns < len(line.covariance) else 0.0
        if alike < _ROW_SIGMAS * line.sigma:
            continue
        nearby = line.covariance[max(2, int(0.6 * columns)) : int(1.6 * columns) + 1]
        seam, seam_error = _seam(jumps, columns, line.picture)
        readings.append(
            _Reading(
                pitch_bytes=line.pitch_bytes,
                height=rows,
                width=columns,
                likeness=alike / neighbours,
                noise=line.sigma / neighbours,
                seam=seam,
                seam_error=seam_error,
                is_peak=alike > 0.97 * float(nearby.max()) - 2 * line.sigma,
            )
        )
    return readings


def _seam(jumps: NDArray[np.float32], columns: int, picture: NDArray[np.float32]) -> tuple[float, float]:
    """Return how much the line jumps where rows of `columns` would end, and one deviation of that.

    About 1 at the ends of rows, about 0 elsewhere.
    """
    at_ends = jumps[columns - 1 :: columns]
    expected = 2 * float(picture.var()) - float(jumps.mean())
    if len(at_ends) == 0 or expected <= 0:
        return 0.0, math.inf
    # Neighbouring rows jump alike: some of them count as one.
    error = 2 * float(at_ends.std()) / math.sqrt(len(at_ends))
    return (float(at_ends.mean()) - float(jumps.mean())) / expected, error / expected


def _without_harmonics(readings: list[_Reading]) -> list[_Reading]:
    """Drop readings of two rows or two planes as one, and of half a row where a scene repeats itself.

    Either way there are two readings alike, one a part of the other. Of two planes, the more usual shape
    stays, then the part, unless the other scores clearly better. Of two rows, the line tells by its jumps.
    What is not told stays, and nothing is clear.
    """
    dropped = set()
    for part, whole in itertools.permutations(readings, 2):
        if not _are_alike(part, whole):
            continue
        if part.pitch_bytes == whole.pitch_bytes:
            dropped |= _refuted(part, whole)
            continue
        kept, other = (whole, part) if whole.is_usual and not part.is_usual else (part, whole)
        if kept.score >= other.score - _HARMONIC_TOLERANCE - 3 * kept.noise:
            dropped.add(other)
    return [reading for reading in readings if reading not in dropped]


def _refuted(part: _Reading, whole: _Reading) -> set[_Reading]:
    """Return the one of two readings that the line contradicts, if it does: `whole` takes some rows as one.

    Between the ends of the wider rows there are ends of the narrower ones: right if the line jumps there.
    """
    times = whole.width // part.width
    between = (times * part.seam - whole.seam) / (times - 1)
    error = part.seam_error * math.sqrt(times / (times - 1))
    if between > _SEAM_ERRORS * error and between > 0.5 * whole.seam:
        return {whole}
    if whole.seam > _SEAM_ERRORS * (whole.seam_error + error) and between + error < 0.25 * whole.seam:
        return {part}
    # Rows further apart are less alike, unless the scene repeats itself.
    lead = part.likeness - whole.likeness
    noise = 3 * part.noise + _HARMONIC_TOLERANCE / 4
    if lead > noise or (lead > -noise and part.is_usual and not whole.is_usual):
        return {whole}
    return {part} if lead < -noise and whole.is_usual else set()


def _are_alike(part: _Reading, whole: _Reading) -> bool:
    return _is_part(part, whole) and part.likeness >= 0.9 * whole.likeness


def _is_part(part: _Reading, whole: _Reading) -> bool:
    multiples = whole.pitch_bytes % part.pitch_bytes == 0 and whole.width % part.width == 0
    return multiples and (whole.pitch_bytes, whole.width) != (part.pitch_bytes, part.width)


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
        and first.likeness <= _LARGEST_LIKENESS
        and first.likeness >= _ACCEPTED_SIGMAS[sure] * first.noise
        and lead >= max(_ACCEPTED_LEAD[sure], _LEAD_SIGMAS * first.noise)
        and aspect <= _ACCEPTED_ASPECT[sure]
        and (sure or not any(_is_part(part, first) and part.score > 0.75 * first.score for part in readings))
    )
    same_plane = [reading for reading in readings[1:] if reading.pitch_bytes == first.pitch_bytes]
    untold = any(_are_alike(first, other) or _are_alike(other, first) for other in same_plane)
    return candidates[0] if accepted and not untold else None
