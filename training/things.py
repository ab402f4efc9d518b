"""Moving things that scenes are furnished with, each as its layers: cut-outs, cloth, walkers, cards, flyers.

A maker puts its thing at a random place of the frame, where it is halfway through the recording, and moves it
about `motion_px` in an exposure (times a factor between 0.5 and 1.5).
"""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from engine.geometry import Size
from training.cutouts import random_outline, texture_of
from training.deformation import Waving
from training.motion import Motion, Path, Pose, Wave, random_motion
from training.paths import Chain, Turning, passing
from training.scene import Layer, Picture
from training.simulate import Exposures

SPEEDS = (0.5, 1.5)
DRIFT = 1.5
CALM = 0.3
"""Share of its speed at which a thing goes as a whole whose parts are what moves."""
SWING_RAD = (0.3, 0.9)
TURN_RAD = (0.4, 1.0)
EYE_DISTANCE = 2.5
"""Of a thing that turns in depth, in its own lengths."""
FOLD_STEEPNESS = (0.2, 0.5)
FLYER_RADIUS = (0.012, 0.06)
"""Of the frame's height."""
DISC_SHARE = 0.6
FASTEST = 1.2
"""Diagonals of the frame that something flies in an exposure."""
DARK, BRIGHT = (0.0, 0.08), (0.92, 1.0)
GLINT_SIGMA_PX = (0.7, 2.5)
GLINT_CODE = (1.3, 3.0)
"""Code values at the middle of a light; white is 1."""


class Maker(Protocol):
    def __call__(
        self,
        generator: np.random.Generator,
        size: Size,
        exposures: Exposures,
        *,
        pictures: Sequence[Picture],
        motion_px: float | None,
        still: bool,
        dark: bool,
    ) -> tuple[Layer, ...]: ...


def cutout(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    pictures: Sequence[Picture],
    motion_px: float | None,
    still: bool,  # noqa: ARG001
    dark: bool,  # noqa: ARG001
) -> tuple[Layer, ...]:
    """Cut a stiff piece out of a picture."""
    cut = _cut(generator, size, 0.15, 0.5)
    motion = _going(generator, size, cut, exposures, _speed(generator, motion_px))
    return (
        Layer(
            texture_of(generator, cut, "mixed", pictures),
            random_outline(generator, cut),
            motion,
            kind="cutout",
        ),
    )


def cloth(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    pictures: Sequence[Picture],
    motion_px: float | None,
    still: bool,  # noqa: ARG001
    dark: bool,  # noqa: ARG001
) -> tuple[Layer, ...]:
    """Hang up a flag, held at its left edge."""
    cut = _cut(generator, size, 0.25, 0.6)
    speed_px = _speed(generator, motion_px)
    motion = _going(generator, size, cut, exposures, CALM * speed_px)
    wavelength = cut.width * float(generator.uniform(0.5, 1.2))
    reach = wavelength / (2 * math.pi) * float(generator.uniform(*FOLD_STEEPNESS))
    angle, phase = generator.uniform(0, 2 * math.pi, 2).tolist()
    period = 2 * math.pi * reach * exposures.exposure_planes / speed_px if speed_px else math.inf
    texture = texture_of(generator, cut, "mixed", pictures)
    return (
        Layer(
            texture,
            _panel(cut),
            motion,
            deformation=Waving(
                cut.width, wavelength, period, phase, reach * math.cos(angle), reach * math.sin(angle)
            ),
            kind="cloth",
        ),
    )


def card(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    pictures: Sequence[Picture],
    motion_px: float | None,
    still: bool,  # noqa: ARG001
    dark: bool,  # noqa: ARG001
) -> tuple[Layer, ...]:
    """Turn a card in depth, to and fro about both axes, while it comes and goes."""
    cut = _cut(generator, size, 0.25, 0.6)
    speed_px = _speed(generator, motion_px)
    half = max(cut.height, cut.width) / 2

    def turning() -> Motion:
        reach, phase = float(generator.uniform(*TURN_RAD)), float(generator.uniform(0, 2 * math.pi))
        return _swing(reach, phase, half, speed_px, exposures)

    turn = Turning(EYE_DISTANCE * 2 * half, turning(), turning())
    zoom = float(generator.uniform(0.05, 0.25))
    period = 2 * math.pi * zoom * half * exposures.exposure_planes / speed_px if speed_px else math.inf
    coming = Motion(waves=(Wave(period, float(generator.uniform(0, 2 * math.pi)), Pose(log_zoom=zoom)),))
    motion = _going(generator, size, cut, exposures, CALM * speed_px)
    texture = texture_of(generator, cut, "mixed", pictures)
    return (Layer(texture, _panel(cut), Chain((motion, coming, turn)), kind="card"),)


def walker(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    pictures: Sequence[Picture],
    motion_px: float | None,
    still: bool,  # noqa: ARG001
    dark: bool,  # noqa: ARG001
) -> tuple[Layer, ...]:
    """Let a figure with two-part arms and legs walk, or a weight swing from a rod."""
    speed_px = _speed(generator, motion_px)
    height = max(16.0, size.height * float(generator.uniform(0.3, 0.7)))

    def limb(path: Path, length: float, width: float, kind: str) -> Layer:
        cut = Size(max(4, round(length)), max(4, round(width)))
        return Layer(texture_of(generator, cut, "mixed", pictures), _capsule(cut), path, kind=kind)

    def hung(joint: Path, swing: Motion, length: float) -> Chain:
        """Hang a limb's upper end on a joint."""
        return Chain((joint, swing, Motion(Pose(y_px=length / 2))))

    def swinging(length: float, phase: float, reach: float | None = None) -> Motion:
        reach = float(generator.uniform(*SWING_RAD)) if reach is None else reach
        return _swing(reach, phase, length, speed_px, exposures)

    phase = float(generator.uniform(0, 2 * math.pi))
    if generator.random() < 0.35:
        body = _going(generator, size, Size(8, 8), exposures, 0.0)
        hook = Chain((body, Motion(Pose(y_px=-height / 2))))
        swing = swinging(0.8 * height, phase)
        weight = Chain((hook, swing, Motion(Pose(y_px=0.8 * height))))
        return (
            limb(hung(hook, swing, 0.8 * height), 0.8 * height, 0.05 * height, "pendulum"),
            limb(weight, 0.3 * height, 0.3 * height, "pendulum"),
        )
    body = _going(generator, size, Size(round(height), round(height / 2)), exposures, CALM * speed_px)
    layers = []
    # The far arm and leg are behind the trunk, the near ones before it.
    for side in (0, 1):
        if side:
            layers.append(limb(body, 0.42 * height, 0.2 * height, "walker"))
            layers.append(
                limb(Chain((body, Motion(Pose(y_px=-0.31 * height)))), 0.18 * height, 0.16 * height, "walker")
            )
        for top, length, step in ((0.2, 0.3, math.pi * side), (-0.18, 0.22, math.pi * (1 - side))):
            joint = Chain((body, Motion(Pose(y_px=top * height))))
            long = length * height
            upper = swinging(2 * long, phase + step)
            lower = swinging(2 * long, phase + step + 0.8)
            knee = Chain((joint, upper, Motion(Pose(y_px=0.9 * long))))
            layers.append(limb(hung(joint, upper, long), long, 0.09 * height, "walker"))
            layers.append(limb(hung(knee, lower, long), long, 0.07 * height, "walker"))
    return tuple(layers)


def flyer(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    pictures: Sequence[Picture],  # noqa: ARG001
    motion_px: float | None,
    still: bool,
    dark: bool,
) -> tuple[Layer, ...]:
    """Throw something small, dark or bright, across the frame, again and again.

    Where `motion_px` is None it crosses from its own size to more than the frame in an exposure, so that it
    may enter and leave within one.
    """
    radius = max(1.5, size.height * _log_uniform(generator, *FLYER_RADIUS))
    diagonal = math.hypot(size.height, size.width)
    own_px = _log_uniform(generator, 2 * radius, max(2 * radius, FASTEST * diagonal))
    speed_px = own_px if motion_px is None else _speed(generator, motion_px)
    step = 0.0 if still else speed_px / exposures.exposure_planes
    path = passing(generator, size=size, radius_px=radius, step_px=step, planes=exposures.planes)
    side = 2 * math.ceil(radius) + 5
    cut = Size(side, side)
    level = float(generator.uniform(*(DARK if dark else BRIGHT)))
    tint = np.clip(level + generator.normal(0, 0.02, 3), 0, 1).astype(np.float32)
    colour = np.ones((side, side, 3), np.float32) * tint
    if generator.random() < DISC_SHARE:
        return (Layer(colour, disc(side, radius), path, kind="disc"),)
    spin = 0.0 if still else float(generator.uniform(-math.pi, math.pi)) / exposures.exposure_planes
    turned = Chain((path, Motion(drift=Pose(turn_rad=spin))))
    return (Layer(colour, random_outline(generator, cut), turned, kind="shard"),)


def glint(generator: np.random.Generator, size: Size) -> Layer:
    """Put a light on the surroundings that saturates both cameras."""
    sigma = float(generator.uniform(*GLINT_SIGMA_PX)) * max(1.0, size.height / 240)
    side = 2 * math.ceil(3 * sigma) + 3
    away = np.hypot(*(np.mgrid[:side, :side] - (side - 1) / 2)) / sigma
    cover = np.exp(-0.5 * away**2).astype(np.float32)
    cover[cover < 0.01] = 0.0
    code = np.float32(generator.uniform(*GLINT_CODE))
    tint = generator.uniform(0.85, 1.0, 3).astype(np.float32)
    x, y = ((generator.random(2) - 0.5) * (0.95 * size.width, 0.95 * size.height)).tolist()
    return Layer(np.ones((side, side, 3), np.float32) * code * tint, cover, Motion(Pose(x, y)), kind="light")


def disc(side: int, radius: float) -> Picture:
    """Return the cover (side, side) of a disc in its middle, with an edge one pixel wide."""
    away = np.hypot(*(np.mgrid[:side, :side] - (side - 1) / 2))
    return np.clip(radius + 0.5 - away, 0, 1).astype(np.float32)


def _speed(generator: np.random.Generator, motion_px: float | None) -> float:
    factor = float(generator.uniform(*SPEEDS))
    return 0.0 if motion_px is None else motion_px * factor


def _cut(generator: np.random.Generator, size: Size, least: float, most: float) -> Size:
    """Return a size between two shares of the frame's height."""
    height, width = (max(8, round(_log_uniform(generator, least, most) * size.height)) for _ in range(2))
    return Size(height, width)


def _going(
    generator: np.random.Generator, size: Size, of: Size, exposures: Exposures, motion_px: float
) -> Motion:
    """Draw the way of a thing of size `of` through a place in the frame."""
    motion = random_motion(
        generator,
        size=of,
        motion_px=motion_px,
        exposure_planes=exposures.exposure_planes,
        planes=exposures.planes,
        drift_share=DRIFT,
    )
    x, y = ((generator.random(2) - 0.5) * (0.8 * size.width, 0.8 * size.height)).tolist()
    return motion.through(Pose(x, y), exposures.planes / 2)


def _swing(reach_rad: float, phase: float, length: float, speed_px: float, exposures: Exposures) -> Motion:
    """Turn to and fro so that a point `length` away travels `speed_px` in an exposure at its fastest."""
    if speed_px == 0:
        return Motion(Pose(turn_rad=reach_rad * math.sin(phase)))
    period = 2 * math.pi * reach_rad * length * exposures.exposure_planes / speed_px
    return Motion(waves=(Wave(period, phase, Pose(turn_rad=reach_rad)),))


def _panel(size: Size) -> Picture:
    """Return the cover of a sheet that leaves a border of two pixels free."""
    cover = np.zeros((size.height, size.width), np.float32)
    cover[2:-2, 2:-2] = 1.0
    return cover


def _capsule(size: Size) -> Picture:
    """Return the cover of an upright limb with round ends."""
    y, x = np.mgrid[: size.height, : size.width].astype(np.float64)
    y, x = y - (size.height - 1) / 2, x - (size.width - 1) / 2
    radius = min(size.height, size.width) / 2 - 1
    straight_y, straight_x = max(0.0, size.height / 2 - 1 - radius), max(0.0, size.width / 2 - 1 - radius)
    away = np.hypot(np.maximum(np.abs(y) - straight_y, 0), np.maximum(np.abs(x) - straight_x, 0))
    return np.clip(radius + 0.5 - away, 0, 1).astype(np.float32)


def _log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    return math.exp(generator.uniform(math.log(low), math.log(high)))
