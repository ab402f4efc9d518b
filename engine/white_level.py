"""The white level of sensors with fewer bits than their files: 10, 12 or 14 bits in 16.

Strategy: a few pictures are looked at, and where one of them needs more than 14 bits nothing else is.
Low maxima alone prove nothing, because honest dark pictures exist, so they are said in a finding. The
samples are scaled only where something that is not in them agrees:

- the other pictures of the sequence, where their white is known: a sharp picture is as bright as the
  blurry frame beside it;
- the spikes: a sensor fires once a plane at most. Where a white pixel would have to fire twice a plane
  or more as the frames are stored, and up to once with the likely level, the scene is not a dark one.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.findings import Finding
from engine.fitting import SequenceParts
from engine.frames import PictureFrames
from engine.pictures import StoredPicture
from engine.samples import WHITE_LEVELS
from engine.voxels import tfp

_LOW_LEVELS = WHITE_LEVELS[:-1]
"""Those of fewer bits than files have."""
LOOKED_AT = 3
"""Pictures read when a sequence is opened: the first, the middle one and the last."""
_AGREEMENT = 1.5
"""Factor between two mean values that are called alike; the levels are factors of four apart."""
_IMPOSSIBLE_RATE, _POSSIBLE_RATE = 2.0, 1.25
"""Spikes a plane of a white pixel. One is the most that a sensor can fire; the rest is tolerance."""
_BRIGHT_PERCENTILE = 99.0


@dataclass(frozen=True)
class _Side:
    """Frames or references, and what a few of them show as stored."""

    pictures: PictureFrames
    what: str
    samples: dict[int, NDArray[np.generic]]
    """Of the pictures that were read, by index."""
    largest: int
    maximum: int
    is_low: bool
    """Integers of more than 8 bits, none of which needs more than 14."""

    def mean(self, index: int) -> float:
        """Mean of a picture as a part of its maximum."""
        return float(self.samples[index].mean()) / self.maximum

    @property
    def level(self) -> int:
        return next(level for level in _LOW_LEVELS if level >= self.largest)


def settle_white(parts: SequenceParts) -> SequenceParts:
    """Set the white level of frames and references where it is known, and say where it may be wrong.

    Pictures keep the maximum of their depth where the caller named a level (then that one counts), where
    they need it, and where nothing agrees with a lower one.
    """
    if parts.facts.source.white is not None:
        return _with_findings(parts, _unused_white(parts, parts.facts.source.white))
    frames = _side(parts.frames, "frames")
    references = _side(parts.references, "reference pictures", _partners(parts, frames), frames)
    if not _is_low(frames) and not _is_low(references):
        return parts
    ratio = _brightness_ratio(parts, frames, references)
    if _is_low(frames) and _is_low(references) and ratio is not None and _alike(ratio, 1.0):
        assert frames is not None
        assert references is not None
        largest = max(frames.largest, references.largest)
        together = [dataclasses.replace(side, largest=largest) for side in (frames, references)]
        reason = _spikes_agree(parts, together[0])
        return _with_findings(parts, [_settle(side, reason) for side in together])
    if not (_is_low(frames) and _is_low(references)) and ratio is not None and _alike(ratio, 1.0):
        # The other pictures, whose white is known, are as dark.
        return parts
    findings = []
    for low, other, times in (
        (frames, references, ratio),
        (references, frames, 1 / ratio if ratio else None),
    ):
        if low is None or not low.is_low:
            continue
        reason = ""
        if times is not None and not _is_low(other) and _alike(times, low.maximum / low.level):
            reason = f"the {other.what if other else ''} are {times:.3g} times as bright as they are stored"
        elif low is frames:
            reason = _spikes_agree(parts, low)
        findings.append(_settle(low, reason))
    return _with_findings(parts, findings)


def _is_low(side: _Side | None) -> bool:
    return side is not None and side.is_low


def _partners(parts: SequenceParts, frames: _Side | None) -> list[int]:
    """References of the frames that were looked at, or of all."""
    of = parts.facts.reference_of
    wanted = [at for index in (frames.samples if frames else ()) if (at := of[index]) is not None]
    return wanted or [at for at in of if at is not None]


def _with_findings(parts: SequenceParts, findings: list[Finding]) -> SequenceParts:
    if not findings:
        return parts
    together = tuple(dict.fromkeys((*parts.facts.findings, *findings)))
    return dataclasses.replace(parts, facts=dataclasses.replace(parts.facts, findings=together))


def _unused_white(parts: SequenceParts, white: int) -> list[Finding]:
    sources = (("frames", parts.frames), ("reference pictures", parts.references))
    return [
        Finding(
            f"the white level {white} is not used for the {what}: they are a video, which states its own",
            "Leave it out, or save them as 16-bit pictures",
        )
        for what, source in sources
        if source is not None and not isinstance(source, PictureFrames)
    ]


def _side(
    source: object, what: str, indices: list[int] | None = None, beside: _Side | None = None
) -> _Side | None:
    """Look at up to three pictures spread over the indices, or over all.

    None where nothing about them is in doubt, nor about the pictures beside them, and where they say
    nothing: videos, files that cannot be read or differ in kind.
    """
    if not isinstance(source, PictureFrames) or (source.bit_depth == 8 and not _is_low(beside)):
        return None
    places = indices or range(len(source.names))
    seen: dict[int, StoredPicture] = {}
    is_low = source.bit_depth > 8
    for place in sorted({round(place) for place in np.linspace(0, len(places) - 1, LOOKED_AT)}):
        try:
            seen[places[place]] = picture = source.read_stored(places[place])
        except EngineError:
            continue
        is_low = is_low and _needs_few_bits(picture)
        if not is_low and not _is_low(beside):
            break
    maxima = {picture.maximum for picture in seen.values()}
    if len(maxima) != 1 or any(picture.is_inverted for picture in seen.values()):
        return None
    samples = {index: picture.stored for index, picture in seen.items()}
    largest = max(float(stored.max()) for stored in samples.values())
    return _Side(source, what, samples, int(largest), maxima.pop(), is_low and largest > 0)


def _needs_few_bits(picture: StoredPicture) -> bool:
    """Whether all samples fit into fewer bits than the file has, and are not such bits laid out in all 16."""
    stored = picture.stored
    if not picture.holds_sensor_values or stored.max() > _LOW_LEVELS[-1] or picture.maximum <= _LOW_LEVELS[0]:
        return False
    is_shifted = not int(np.bitwise_or.reduce(stored, axis=None)) & 3
    is_repeated = not (stored % 257).any()
    level = next(level for level in _LOW_LEVELS if level >= stored.max())
    return (level < picture.maximum and not (is_shifted or is_repeated)) or not stored.any()


def _brightness_ratio(parts: SequenceParts, frames: _Side | None, references: _Side | None) -> float | None:
    """How many times as bright the references are as their frames, each by its own maximum."""
    if frames is None or references is None:
        return None
    pairs = [
        (frames.mean(index), references.mean(at))
        for index in frames.samples
        if (at := parts.facts.reference_of[index]) is not None and at in references.samples
    ]
    blurry, sharp = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    return sharp / blurry if blurry > 0 and sharp > 0 else None


def _alike(ratio: float, expected: float) -> bool:
    return expected / _AGREEMENT < ratio < expected * _AGREEMENT


def _spikes_agree(parts: SequenceParts, frames: _Side) -> str:
    """Why the spikes show a scene too bright for the frames as they are stored; empty where they do not."""
    recording, exposures = parts.recording, parts.exposures
    if recording is None or exposures is None or 2 * frames.largest < frames.level:
        return ""
    stored, likely = [], []
    for index, samples in frames.samples.items():
        window, limits = exposures.windows[index], exposures.limits[index]
        start, stop = max(window.start, limits.start), min(window.stop, limits.stop)
        grey = samples.mean(axis=2) if samples.ndim == 3 else samples
        bright = float(np.percentile(grey, _BRIGHT_PERCENTILE))
        if stop - start < 1 or bright <= 0:
            continue
        rate = float(np.percentile(tfp(recording, start, stop), _BRIGHT_PERCENTILE))
        stored.append(rate / (bright / frames.maximum) ** parts.facts.gamma)
        likely.append(rate / (bright / frames.level) ** parts.facts.gamma)
    if not stored or np.median(stored) < _IMPOSSIBLE_RATE or np.median(likely) > _POSSIBLE_RATE:
        return ""
    return f"a white pixel would fire {np.median(stored):.3g} spikes a plane as they are stored"


def _settle(side: _Side, reason: str) -> Finding:
    bits = side.level.bit_length()
    fact = (
        f"no sample of the {len(side.samples)} {side.what} looked at exceeds {side.largest} of {side.maximum}"
    )
    if not reason:
        return Finding(
            f"{fact}: white may be {side.level} ({bits} bits), so values may be too dark and scores too high",
            f"Give --white {side.level} (white={side.level}) where the camera has {bits} bits",
        )
    count = len(side.samples)
    side.pictures.take_for_white(
        side.level, f"{count} {side.what if count > 1 else side.what.removesuffix('s')}"
    )
    return Finding(
        f"{fact}: white is taken to be {side.level} ({bits} bits), because {reason}",
        f"Give --white {side.maximum} (white={side.maximum}) where they are meant as stored",
    )
