"""Deblur by the ratio of what the spikes saw at one instant to what they saw during the exposure.

sharp(t) = blurry · TFP(short window at t) / TFP(exposure), in the signal that the spikes integrate
(SpikeReveal, arXiv 2403.09486, section 3), with t the centre of the alignment window.

Strategy: both pictures of spikes are replaced by better estimates of what they stand for. TFP(exposure)
is what the blurry frame shows already, without noise: fit it locally as a line of the frame's luminance.
TFP(short) is gathered along the motion (`spike_motion`, `spike_light`) and kept as far as it is more than
noise. Where nothing is known to have moved, and where the frame does not explain the spikes, the ratio is
exactly 1. Small denominators are met by writing the ratio as a difference, whose divisor has a floor.
"""

import dataclasses
import math
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size, Span
from engine.light.filters import (
    Picture,
    local_mean,
    resized_by_area,
    resized_cubic,
    resized_linear,
    size_of,
)
from engine.light.segments import Segments
from engine.light.spike_motion import estimate_motion
from engine.light.spike_signal import (
    LUMINANCE,
    accord,
    expected_rate,
    fit_line,
    pixel_response,
    settle_gamma,
    unsaturated,
)
from engine.light.trajectories import Trajectories
from engine.moment import Moment
from engine.restoration.borne_out import borne_out
from engine.restoration.evidence import (
    DISAGREE,
    FEW_SPIKES,
    NO_SPIKES,
    STILL,
    TOO_LITTLE_RECORDED,
    require_spikes,
    too_few_planes,
)
from engine.restoration.exposure import Exposure
from engine.restoration.method_names import SPIKE_RATIO
from engine.restoration.methods import Method
from engine.restoration.own_methods import RATIO_DESCRIPTION
from engine.restoration.spike_contradiction import (
    COUNTED_FOR_NOISE,
    LONGEST_FOR_NOISE,
    WINDOW_SHARES,
    Windows,
    contradiction,
    seen_change,
    shot_share_of,
)
from engine.restoration.spike_light import Light, agreed_change, gather, sharpened

if TYPE_CHECKING:
    from engine.sequence import Sequence

FEWEST_PLANES = RATIO_DESCRIPTION.fewest_planes
FEWEST_SPIKES = 0.2
"""A pixel of the brightest neighbourhood: at a fifth of that, estimates were up to 7 dB worse than frames."""
FEW_RADIUS_PX = 8
LEAST_SHARE = 0.25
"""Part of the exposure that must be recorded on either side of its centre."""
FLOW_SEGMENTS = 8
MOST_SEGMENTS = 64
SEGMENT_TRAVEL_PX = 0.5
"""Motion within a segment, in pixels of the spikes; a pixel's own extent blurs as much."""
LARGEST_UPSCALE = 2
"""The spikes' picture is gathered at no more than this times their size; motion gives no more detail."""

DARK = 0.02
"""Luminance below which a change is added rather than multiplied; white is 1."""
COLOUR_FLOOR = 0.1
"""Likewise for the colours: what brightens a dark place is greyer than the place."""
SATURATED = 0.995
SEEN = 2.0
"""1 / SEEN of the time before sound pixels is enough where motion takes a wide gap of the sensor there."""


@dataclass(frozen=True, eq=False)
class RatioFrames:
    """Finished pictures of what is wanted of a clip, from which regions are cut."""

    frames: NDArray[np.intp]
    """Of each picture its frame's place in the clip."""
    pictures: NDArray[np.float32]
    unchanged: tuple[str, ...]
    """Why each comes back as it was, "" where it is restored."""


@dataclass(frozen=True, eq=False)
class RatioEstimate:
    """What the spike ratio makes of one frame, and what it found on the way."""

    picture: NDArray[np.float32]
    """(H, W, 3) at the centre of the exposure."""
    gamma: float = 1.0
    """Exponent from the frame's values to the signal that the spikes integrated."""
    motion: Trajectories | None = None
    """In pixels of the frame, on a grid of its own; None where nothing is known to have moved."""
    trust: Picture | None = None
    """(h, w) from 0 to 1: where the motion and the spikes are to be believed."""
    believed: Picture | None = None
    """(h, w) from 0 to 1: where the spikes contradicted motion and frame, and were believed alone."""
    unchanged: str = ""
    """Why the picture is the blurry frame; empty where it is restored."""


def make_spike_ratio(_model: str | None, _device: str, _precision: str) -> "SpikeRatio":
    """Return the method; it has no model, and computes on the CPU."""
    return SpikeRatio()


class SpikeRatio(Method):
    """The spike-ratio method. A frame's map is computed once, so tiles show no borders."""

    name = SPIKE_RATIO

    def __init__(self) -> None:
        self.follow(RATIO_DESCRIPTION)

    def prepare(self, sequence: "Sequence", clip: Span, wanted: SequenceOf[Moment]) -> RatioFrames:
        """Restore what is wanted of `clip`. Raises MethodError when the sequence has no spikes."""
        estimates = [_restore(sequence, moment.frame) for moment in wanted]
        return RatioFrames(
            np.array([moment.frame - clip.start for moment in wanted]),
            np.stack([estimate.picture for estimate in estimates]),
            tuple(estimate.unchanged for estimate in estimates),
        )

    def unchanged(self, prepared: RatioFrames) -> tuple[str, ...]:
        return prepared.unchanged

    def restore(self, prepared: RatioFrames, region: Region) -> NDArray[np.float32]:
        return prepared.pictures[(slice(None), *region.slices)]

    def part(self, prepared: RatioFrames, frames: Span) -> RatioFrames:
        chosen = [place for place, frame in enumerate(prepared.frames) if frame in frames]
        return RatioFrames(
            prepared.frames[chosen] - frames.start,
            prepared.pictures[chosen],
            tuple(prepared.unchanged[place] for place in chosen),
        )


def _restore(sequence: "Sequence", index: int) -> RatioEstimate:
    require_spikes(sequence)
    gamma = sequence.gamma if sequence.gamma_known else None
    frame, exposure = sequence.frame(index), Exposure.of_frame(sequence, index)
    estimate = estimate_frame(exposure.seen_part(frame), exposure, gamma)
    return dataclasses.replace(estimate, picture=exposure.put_back(estimate.picture, frame))


def restore_frame(
    blurry: NDArray[np.float32], exposure: Exposure, gamma: float | None = None
) -> NDArray[np.float32]:
    """Return the (H, W, 3) picture at the centre of a frame's exposure, as `estimate_frame` does."""
    return estimate_frame(blurry, exposure, gamma).picture


def estimate_frame(
    blurry: NDArray[np.float32], exposure: Exposure, gamma: float | None = None
) -> RatioEstimate:
    """Restore a frame (H, W, 3) to the centre of its exposure.

    `gamma` takes the frame's values to the signal that the spikes integrate; without one, or where the
    exposure contradicts it, it is found. With too few planes on either side of the centre, without
    spikes, or without any sign of motion the blurry frame comes back as it is.
    """
    if exposure.planes < FEWEST_PLANES:
        return RatioEstimate(blurry.copy(), unchanged=too_few_planes(exposure.planes))
    if not exposure.reaches(LEAST_SHARE):
        return RatioEstimate(blurry.copy(), unchanged=TOO_LITTLE_RECORDED)
    frame_size = size_of(blurry)
    coarse = exposure.cut(FLOW_SEGMENTS, frame_size)
    segments = Segments.of(coarse)
    rate = segments.counts.sum(axis=0) / np.float32(exposure.planes)
    if not rate.any() or segments.one_sided:
        return RatioEstimate(blurry.copy(), unchanged=TOO_LITTLE_RECORDED if rate.any() else NO_SPIKES)
    if float(local_mean(rate, FEW_RADIUS_PX).max()) * exposure.planes < FEWEST_SPIKES:
        return RatioEstimate(blurry.copy(), unchanged=FEW_SPIKES)
    gamma = settle_gamma(blurry, rate, gamma)
    signal = blurry if gamma == 1 else np.power(blurry, np.float32(gamma))
    response: Picture | None = None
    if len(segments) == FLOW_SEGMENTS:
        seen = resized_by_area(signal @ LUMINANCE, segments.size)
        response = pixel_response(seen, segments.counts, segments.planes, exposure.sound_at(segments.size))
        coarse = [segment.levelled(response) for segment in coarse]
        segments = Segments.of(coarse)
        rate = segments.counts.sum(axis=0) / np.float32(exposure.planes)
    motion, trust = estimate_motion(segments)
    spike_size = segments.size
    if not trust.any():
        picture, believed = _believe_spikes(blurry, blurry, exposure, rate, response, None, gamma)
        still = "" if believed.any() else STILL
        return RatioEstimate(picture, gamma, believed=believed, unchanged=still)
    work_size = Size(
        min(frame_size.height, LARGEST_UPSCALE * spike_size.height),
        min(frame_size.width, LARGEST_UPSCALE * spike_size.width),
    )
    pieces = min(max(math.ceil(motion.speed / SEGMENT_TRAVEL_PX), FLOW_SEGMENTS), MOST_SEGMENTS)
    fine = coarse
    if pieces != len(coarse):
        fine = exposure.cut(pieces, frame_size)
        if response is not None:
            fine = [segment.levelled(response) for segment in fine]
    light = gather(fine, motion.resized(work_size), work_size, exposure.sound_at(spike_size))
    held = exposure.trust_at(spike_size)
    if held is not None and light.sound is not None:
        seen = np.clip(resized_by_area(light.sound, spike_size) * np.float32(SEEN), 0.0, 1.0)
        trust = resized_linear(trust, spike_size) * np.maximum(held, seen)
    picture, trust = _apply(blurry, rate, light, motion, trust, exposure.planes, gamma)
    picture, believed = _believe_spikes(picture, blurry, exposure, rate, response, motion, gamma)
    trust = trust * (1 - believed)
    in_frame = motion.scaled(frame_size.width / spike_size.width, frame_size.height / spike_size.height)
    is_known = bool(trust.any() or believed.any())
    return RatioEstimate(picture, gamma, in_frame, trust, believed, "" if is_known else DISAGREE)


def _believe_spikes(
    estimate: NDArray[np.float32],
    blurry: NDArray[np.float32],
    exposure: Exposure,
    rate: Picture,
    response: Picture | None,
    motion: Trajectories | None,
    gamma: float,
) -> tuple[NDArray[np.float32], Picture]:
    """Return the estimate with what the spikes show where they contradict it, and where that is, (h, w)."""
    spike_size, frame_size = size_of(rate), size_of(blurry)
    windows = _windows(exposure, response, frame_size)
    nowhere = np.zeros_like(rate)
    if windows is None:
        return estimate.copy(), nowhere
    blurred_light, light = (
        resized_by_area(np.power(picture, np.float32(gamma)) @ LUMINANCE, spike_size)
        for picture in (blurry, estimate)
    )
    gain, offset = fit_line(blurred_light, rate)
    fitted = expected_rate(blurred_light, rate, blurred_light)
    dark = np.float32(DARK)
    slope = (np.maximum(fitted - np.float32(offset), 0.0) + dark * np.float32(gain)) / (blurred_light + dark)
    expected = np.maximum(fitted + (light - blurred_light) * slope, 0.0)
    if motion is not None:
        motion = motion.resized(spike_size)
    believed = contradiction(expected, windows, motion, 0.01 * gain)
    if believed.any():
        # Frame and spikes are means over the same time: where these disagree, the scene is another.
        believed = believed * accord(blurred_light, rate, exposure.planes) * unsaturated(rate)
        held = exposure.trust_at(spike_size)
        believed = believed if held is None else believed * held
    if not believed.any():
        return estimate.copy(), nowhere
    change = seen_change(expected, windows) * believed / slope
    return _recolour(estimate, light, change, gamma), believed


def _windows(exposure: Exposure, response: Picture | None, largest: Size) -> Windows | None:
    """Count ever longer windows around the exposure's centre; None where there are not two of them."""
    found: list[tuple[Picture, float, float]] = []
    for share in WINDOW_SHARES:
        segment = exposure.around_centre(share, largest)
        if segment is None or (found and segment.planes <= found[-1][1]):
            continue
        if response is not None:
            segment = segment.levelled(response)
        found.append((segment.count, segment.planes, share))
    if len(found) < 2:
        return None
    counts, planes, shares = zip(*found, strict=True)
    several = COUNTED_FOR_NOISE / max(float(counts[-1].mean()), 1e-6)
    row = exposure.row_of_windows(4, min(several, LONGEST_FOR_NOISE), largest)
    return Windows(counts, planes, shares, shot_share_of(row))


def _apply(
    blurry: NDArray[np.float32],
    rate: Picture,
    light: Light,
    motion: Trajectories,
    trust: Picture,
    planes: int,
    gamma: float,
) -> tuple[NDArray[np.float32], Picture]:
    """Move the blurry frame by what `light` shows beyond what the frame leads to expect.

    `motion` is in pixels of the spikes. Returns the picture, and the trust that remained.
    """
    spike_size, work_size = size_of(rate), size_of(light.before)
    signal = blurry if gamma == 1 else np.power(blurry, np.float32(gamma))
    luminance = resized_by_area(signal @ LUMINANCE, work_size)
    spike_luminance = resized_by_area(luminance, spike_size)
    gain, offset = fit_line(spike_luminance, rate)
    expected = expected_rate(spike_luminance, rate, luminance)
    # A clipped frame does not say how bright it was: there white is the least that the spikes must show.
    clipped = resized_by_area((blurry.max(axis=2) >= SATURATED).astype(np.float32), work_size)
    ceiling = np.float32(gain) * luminance + np.float32(offset)
    trust = resized_linear(trust, spike_size) * accord(spike_luminance, rate, planes) * unsaturated(rate)
    expected += clipped * np.minimum(ceiling - expected, 0.0)

    # What the spikes cannot resolve is no difference: look at both through their pixels.
    seen = resized_linear(resized_by_area(expected, spike_size), work_size)
    change, trust_in_detail = agreed_change(light, seen)
    change = sharpened(change, trust_in_detail, work_size.height / spike_size.height)
    change *= resized_linear(trust, work_size)
    lit = np.maximum(expected - np.float32(offset), 0.0)
    change *= (luminance + np.float32(DARK)) / (lit + np.float32(DARK * gain))
    motion = motion.resized(work_size)
    motion = motion.scaled(work_size.width / spike_size.width, work_size.height / spike_size.height)
    change *= borne_out(change, luminance, motion, rate * np.float32(planes))
    return _recolour(blurry, luminance, change, gamma), trust


def _recolour(
    blurry: NDArray[np.float32], luminance: Picture, change: Picture, gamma: float
) -> NDArray[np.float32]:
    """Add a change of luminance, given in the spikes' signal, to a picture in its own hues."""
    if gamma != 1:
        inverse = np.float32(1 / gamma)
        change = np.power(np.maximum(luminance + change, 0.0), inverse) - np.power(luminance, inverse)
    seen = blurry @ LUMINANCE
    change = np.maximum(resized_cubic(change, size_of(blurry)), -seen)
    floor = np.float32(COLOUR_FLOOR)
    change /= seen + floor
    return np.clip(blurry + change[:, :, None] * (blurry + floor), 0.0, 1.0)
