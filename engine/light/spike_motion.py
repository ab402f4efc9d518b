"""How the scene moved during one exposure, seen by the spikes alone.

Strategy: cut the exposure into segments and count each one's spikes. The mean of the segments before the
exposure's centre and the mean of those after it are blurred alike and show the scene half an exposure
apart, so the optical flow between them is the velocity. Bring all segments to the centre by it and the
same two means become sharp: their remaining flow is the correction. What the outer segments still lack
on both sides of the centre, alike in sign, is the acceleration. So guided, each segment is then followed
for itself, from the centre outwards: its remaining flow from what is known of the centre counts wherever it
brings the two nearer to each other. So neither shaking hands nor a turning limb need a law of motion.

Flow fits noise too. Whether it saw motion is asked of data it cannot bend: predict each half of the
exposure from the other half alone, moved along the flow, and compare the predicted change between the
halves with the counted one. In a scene at rest the two disagree (noise does not predict noise), where
things move they agree, and the agreement measured in units of shot noise is the evidence.
"""

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.light.filters import (
    Picture,
    blurred,
    local_mean,
    pixel_grid,
    sample,
)
from engine.light.segments import Segments
from engine.light.trajectories import Field, Trajectories

FLOW_PIXELS = 300_000
"""Segments of more pixels are halved before the flow is computed: DIS takes 25 ms for so many."""
FLOW_SMALLEST_PX = 32
FLOW_WIDEST = 2
"""Smaller or narrower pictures, by the ratio of their sides, are padded."""
FIRST_BLUR_PX = 2.0
SECOND_BLUR_PX = 1.2
FLOW_SMOOTHING_PX = 1.5
ACCELERATION_SMOOTHING_PX = 3.0
CENTRE_REACH = 0.125
"""Segments nearer to the centre, in exposures, make up the first picture of it."""
FOLLOWED_BLUR_PX = 1.0
FOLLOWED_RADIUS_PX = 5
FOLLOWED_GAIN = 0.95
"""A correction counts where less than so much of the squared difference is left."""
STRANGE_FROM = np.float32(1.2)
"""A segment that differs by more than this from the usual adds less to the picture of the centre."""
STRANGER_WEIGHT = np.float32(4.0)
GREY_OF_MEAN = 100.0
"""Level of the mean rate in the 8-bit pictures that DIS compares; it leaves room to 6 times the mean."""

EVIDENCE_BLUR_PX = 1.0
EVIDENCE_SCALE_PX = 6.0
"""Change slower than this across the picture is left out of the evidence: light may flicker."""
EVIDENCE_RADIUS_PX = 15
SURE_GLOBAL_EVIDENCE = 0.006
"""Evidence a pixel, over the whole picture, at which its motion is beyond doubt. Scenes at rest give
negative values; spikes so few that each pixel has two an exposure give 0.006 under 20 px of motion."""
CHANCE_PX = 12.6
"""Pixels of a picture smoothed by `EVIDENCE_BLUR_PX` that vary as one, 4 π of its square."""
CLEAR_OF_CHANCE = (4.0, 12.0)
"""Squared standard deviations of the whole picture's evidence between which it counts: small pictures at rest
with a spike a pixel reached 4.6, and 0.006 a pixel is less than one of them in 2000 pixels."""
SEED_EVIDENCE = 40.0
"""Local evidence that proves motion by itself: scenes at rest reached 21 in 30 trials of 77 000 pixels."""
FEW_SPIKES = 1.5
"""A pixel and exposure: of fewer, flow makes what looks like motion, and scenes at rest reached 64. With none
twice the evidence is asked for."""
SEED_REACH_PX = 20
DOUBT_AT_REST = (8.0, 25.0)
DOUBT_IN_MOTION = (2.0, 8.0)
"""Local evidence at which trust begins and is full, where the picture as a whole rests or moves."""

_TINY = np.float32(1e-12)


def estimate_motion(segments: Segments) -> tuple[Trajectories, Picture]:
    """Return the motion in pixels of `segments` and how far to trust it, (h, w) from 0 to 1.

    Both are fields of at most `FLOW_PIXELS`, so possibly coarser than the segments. Needs segments on
    both sides of the centre.
    """
    full_size = segments.size
    while segments.size.pixels > FLOW_PIXELS:
        segments = segments.halved()
    motion = _fit_trajectories(segments)
    trust = _trust(segments, motion)
    size = segments.size
    return motion.scaled(full_size.width / size.width, full_size.height / size.height), trust


def _centred(segments: Segments, motion: Trajectories, grid: NDArray[np.float32]) -> Segments:
    """Bring every segment to the centre of the exposure."""
    counts = np.empty_like(segments.counts)
    for count, time, target in zip(segments.counts, segments.times, counts, strict=True):
        target[:] = sample(count, motion.places(float(time), grid))
    return Segments(counts, segments.planes, segments.times)


def _fit_trajectories(segments: Segments) -> Trajectories:
    size, times = segments.size, segments.times
    grid = pixel_grid(size, size)
    before, after = times < 0, times > 0
    white = float(segments.mean(before | after).mean()) + 1e-9
    apart = np.float32(_mean_time(segments, after) - _mean_time(segments, before))
    quick = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    thorough = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    flow = _flow(quick, segments.mean(before), segments.mean(after), white, FIRST_BLUR_PX) / apart
    # The flow is drawn on the picture before the centre; carry it to the centre.
    velocity = flow
    for _ in range(2):
        velocity = sample(flow, grid - velocity * (apart / 2))
    velocity = blurred(velocity, FLOW_SMOOTHING_PX)

    sharp = _centred(segments, Trajectories.steady(velocity), grid)
    flow = _flow(thorough, sharp.mean(before), sharp.mean(after), white, SECOND_BLUR_PX) / apart
    velocity = blurred(velocity + flow, FLOW_SMOOTHING_PX)

    acceleration = np.zeros_like(velocity)
    early, late = times <= -0.25, times >= 0.25
    if early.any() and late.any():
        sharp = _centred(segments, Trajectories.steady(velocity), grid)
        centre = sharp.mean(~early & ~late)
        to_late = _flow(thorough, centre, sharp.mean(late), white, SECOND_BLUR_PX)
        to_early = _flow(thorough, centre, sharp.mean(early), white, SECOND_BLUR_PX)
        t = np.float32((_mean_time(segments, late) - _mean_time(segments, early)) / 2)
        velocity = velocity + blurred((to_late - to_early) / (2 * t), FLOW_SMOOTHING_PX)
        acceleration = blurred((to_late + to_early) / (2 * t * t), ACCELERATION_SMOOTHING_PX)
    ways = [velocity * time + acceleration * (time * time) for time in times]
    return Trajectories.of(_followed(segments, ways, grid, white))


def _followed(segments: Segments, ways: list[Field], grid: Field, white: float) -> dict[float, Field]:
    """Return the way to each segment's time, corrected by what is left between it and the centre."""
    order = np.argsort(np.abs(segments.times), kind="stable").tolist()
    inner = [index for index in order if abs(segments.times[index]) < CENTRE_REACH] or order[:2]
    planes = segments.planes
    centre = np.zeros(segments.counts.shape[1:], np.float32)
    for index in inner:
        centre += sample(segments.counts[index], grid + ways[index])
    centre /= planes[inner].sum()
    known = np.full_like(centre, planes[inner].sum())
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    found = {}
    for index in [*(index for index in order if index not in inner), *inner]:
        count, way = segments.counts[index], ways[index]
        seen = sample(count, grid + way) / planes[index]
        flow = _flow(method, centre, seen, white, SECOND_BLUR_PX)
        corrected = way + blurred(flow, FLOW_SMOOTHING_PX)
        seen_corrected = sample(count, grid + corrected) / planes[index]
        missed, left = (
            local_mean(blurred(picture - centre, FOLLOWED_BLUR_PX) ** 2, FOLLOWED_RADIUS_PX)
            for picture in (seen, seen_corrected)
        )
        nearer = blurred((left < np.float32(FOLLOWED_GAIN) * missed).astype(np.float32), 2.0)
        found[float(segments.times[index])] = way + nearer[:, :, None] * (corrected - way)
        if index in inner:
            continue
        seen += nearer * (seen_corrected - seen)
        left = np.minimum(missed, left)
        usual = np.float32(np.median(left)) + _TINY
        weight = planes[index] / (
            1 + np.float32(STRANGER_WEIGHT) * np.maximum(left / usual - STRANGE_FROM, 0)
        )
        centre = (centre * known + seen * weight) / (known + weight)
        known += weight
    return found


def _mean_time(segments: Segments, chosen: NDArray[np.bool_]) -> float:
    return float(np.average(segments.times[chosen], weights=segments.planes[chosen]))


def _flow(
    method: cv2.DISOpticalFlow,
    first: Picture,
    second: Picture,
    white: float,
    blur_px: float,
) -> NDArray[np.float32]:
    height, width = first.shape
    greys = [_to_grey(picture, white, blur_px) for picture in (first, second)]
    # DIS reads beyond its memory in small or narrow pictures (OpenCV 5.0): never show it one.
    below = max(0, FLOW_SMALLEST_PX - height, -(-width // FLOW_WIDEST) - height)
    beside = max(0, FLOW_SMALLEST_PX - width, -(-(height + below) // FLOW_WIDEST) - width)
    padded = [cv2.copyMakeBorder(grey, 0, below, 0, beside, cv2.BORDER_REPLICATE) for grey in greys]
    no_guess = cast(Any, None)
    flow = cast(NDArray[np.float32], method.calc(padded[0], padded[1], no_guess))
    return np.ascontiguousarray(flow[:height, :width])


def _to_grey(rate: Picture, white: float, blur_px: float) -> NDArray[np.uint8]:
    """Square root of the rate, in which shot noise is the same everywhere."""
    grey = np.sqrt(np.maximum(blurred(rate, blur_px), 0.0) / np.float32(white)) * np.float32(GREY_OF_MEAN)
    return np.minimum(grey, 255.0).astype(np.uint8)


def _trust(segments: Segments, motion: Trajectories) -> Picture:
    size, times = segments.size, segments.times
    grid = pixel_grid(size, size)
    before, after = times < 0, times > 0
    sharp = _centred(segments, motion, grid)
    early, late = (blurred(sharp.mean(half), EVIDENCE_BLUR_PX) for half in (before, after))
    steps = (np.arange(4) + 0.5) / 8
    predicted = _carried(early, motion, steps, grid) - _carried(late, motion, -steps, grid)
    counted = segments.mean(after) - segments.mean(before)
    predicted -= blurred(predicted, EVIDENCE_SCALE_PX)
    counted -= blurred(counted, EVIDENCE_SCALE_PX)
    # Shot noise of the difference of two means over half of the planes each; no spike camera has more.
    planes = float(segments.planes.sum())
    noise = blurred(segments.counts.sum(axis=0), 3.0) * np.float32(4 / planes**2)

    agreement = predicted * counted
    power = predicted * predicted
    total = float(agreement.sum())
    overall = total * abs(total) / (float(power.sum()) * float(noise.mean()) * agreement.size + 1e-20)
    pixels = (2 * EVIDENCE_RADIUS_PX + 1) ** 2
    agreement, power, noise = (local_mean(field, EVIDENCE_RADIUS_PX) for field in (agreement, power, noise))
    evidence = np.maximum(agreement, 0.0) ** 2 * pixels / (power * noise + 1e-20)

    sure = float(np.clip(overall / SURE_GLOBAL_EVIDENCE, 0.0, 1.0))
    chance, clear = CLEAR_OF_CHANCE
    sure *= float(np.clip((overall * size.pixels / CHANCE_PX - chance) / (clear - chance), 0.0, 1.0))
    low, high = (
        rest + sure * (moving - rest) for rest, moving in zip(DOUBT_AT_REST, DOUBT_IN_MOTION, strict=True)
    )
    trust = np.clip((evidence - low) / (high - low), 0.0, 1.0)
    reach = 2 * SEED_REACH_PX + 1
    spikes = local_mean(segments.counts.sum(axis=0), EVIDENCE_RADIUS_PX)
    asked = np.float32(SEED_EVIDENCE) * (1 + np.clip(np.float32(FEW_SPIKES) - spikes, 0.0, 1.0))
    proven = (evidence > asked).astype(np.float32)
    near_proof = cast(Picture, cv2.dilate(proven, np.ones((reach, reach), np.uint8)))
    trust = (trust * np.maximum(local_mean(near_proof, SEED_REACH_PX // 2), sure)).astype(np.float32)
    return blurred(local_mean(trust, 4), 2.0)


def _carried(
    picture: Picture, motion: Trajectories, times: NDArray[np.floating], grid: NDArray[np.float32]
) -> Picture:
    """Return the mean of a picture of the centre as it looks at `times`."""
    carried = np.zeros_like(picture)
    backwards = motion.reversed()
    for time in times:
        carried += sample(picture, backwards.places(float(time), grid))
    return carried / np.float32(len(times))
