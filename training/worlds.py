"""Scenes with depth: parallax, cloth, limbs, things that turn or fly past, lights, and hands that shake.

Every kind but "world" shows one of these at a time; "world" mixes them at random. A layer's place in the
order of drawing is its nearness, and all parts of a thing lie at one.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.geometry import Size
from training.cutouts import random_outline, reached_size, texture_of
from training.motion import STILL, Motion, Path, Pose, Wave, random_motion
from training.paths import handheld_motion
from training.scene import Layer, Picture, Scene, View
from training.simulate import Exposures
from training.things import Maker, card, cloth, cutout, flyer, glint, walker

DEFAULT_RATE_HZ = 2000.0
WORLD_KINDS = ("world", "depth", "handheld", "cloth", "limbs", "turning", "flyers", "highlights")
FEATURE_SHARE = 0.45
"""How often a "world" has each of the other kinds in it."""
DOLLY_SHARE = 0.7
"""Of the camera's motion, where there is depth; it turns for the rest."""
APPROACH = (0.02, 0.1)
"""How far the camera goes to and fro, as a share of the backdrop's distance."""
FOREGROUNDS = (1, 3)
FOREGROUND_NEARNESS = (1.3, 3.5)
THING_NEARNESS = (1.0, 2.5)
GLINTS = (2, 6)
BRIGHT_GROUND, DARK_GROUND = (0.55, 1.0), (0.02, 0.35)
"""Code values between which the surroundings of things of high contrast lie."""
GROUND_SHARE = 0.6
"""How often the ground of a "world" with things that fly past is bright or dark as a whole."""

MAKERS: dict[str, Maker] = {"cloth": cloth, "limbs": walker, "turning": card, "flyers": flyer}


def random_world(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    kind: str,
    pictures: Sequence[Picture] = (),
    objects: int = 2,
    motion_px: float = 12.0,
    object_motion_px: float | None = None,
    rate_hz: float = DEFAULT_RATE_HZ,
) -> Scene:
    """Draw a scene of one of `WORLD_KINDS`; arguments as for `training.scenes.random_scene`.

    Where `object_motion_px` is None, things that fly past choose their own speed, from their own size to more
    than the frame's in an exposure; others move as the camera does. Raises ValueError for another kind.
    """
    if kind not in WORLD_KINDS:
        raise ValueError(f"unknown kind of world '{kind}', there are {', '.join(WORLD_KINDS)}")
    features = _features(generator) if kind == "world" else {kind}
    camera, dolly = _camera(generator, size, exposures, features, motion_px, rate_hz)
    ground = texture_of(
        generator, reached_size(View(camera, dolly), size, exposures.planes), "mixed", pictures
    )
    dark_things = bool(generator.random() < 0.5)
    if kind == "flyers" or ("flyers" in features and generator.random() < GROUND_SHARE):
        low, high = BRIGHT_GROUND if dark_things else DARK_GROUND
        ground = np.float32(low) + np.float32(high - low) * ground
    parts: list[tuple[Layer, ...]] = []
    if "depth" in features:
        parts += _foregrounds(generator, size, pictures)
    makers = [MAKERS[name] for name in sorted(features) if name in MAKERS]
    if kind not in MAKERS:
        makers.append(cutout)
    spread = THING_NEARNESS if "depth" in features else (1.0, 1.0)
    for number in range(objects):
        make = makers[int(generator.integers(len(makers)))]
        layers = make(
            generator,
            size,
            exposures,
            pictures=pictures,
            motion_px=object_motion_px if make is flyer else _or(object_motion_px, motion_px),
            still=_or(object_motion_px, motion_px) == 0,
            dark=dark_things if generator.random() < 0.8 else not dark_things,
        )
        nearness = float(generator.uniform(*spread))
        parts.append(tuple(replace(layer, nearness=nearness, thing=number + 1) for layer in layers))
    if "highlights" in features:
        parts += [(glint(generator, size),) for _ in range(int(generator.integers(GLINTS[0], GLINTS[1] + 1)))]
    parts.sort(key=lambda layers: layers[0].nearness)
    return Scene(size, (Layer(ground), *(layer for layers in parts for layer in layers)), camera, dolly)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _features(generator: np.random.Generator) -> set[str]:
    names = WORLD_KINDS[1:]
    drawn = generator.random(len(names)) < FEATURE_SHARE
    chosen = {name for name, taken in zip(names, drawn.tolist(), strict=True) if taken}
    return chosen or {str(generator.choice(names))}


def _camera(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    features: set[str],
    motion_px: float,
    rate_hz: float,
) -> tuple[Path, Motion]:
    """Return how the camera turns and how it goes."""
    planes, exposure = exposures.planes, exposures.exposure_planes
    goes_px = DOLLY_SHARE * motion_px if "depth" in features else 0.0
    turns_px = motion_px - goes_px
    if "handheld" in features:
        camera = handheld_motion(
            generator,
            size=size,
            motion_px=turns_px,
            exposure_planes=exposure,
            planes=planes,
            rate_hz=rate_hz,
        )
    else:
        camera = random_motion(
            generator, size=size, motion_px=turns_px, exposure_planes=exposure, planes=planes
        )
    if goes_px == 0:
        return camera, STILL
    dolly = random_motion(generator, size=size, motion_px=goes_px, exposure_planes=exposure, planes=planes)
    approach = Pose(log_zoom=float(generator.uniform(*APPROACH)))
    # As fast at a quarter of the diagonal as half of the way to the side.
    period = 2 * math.pi * approach.log_zoom * math.hypot(size.height, size.width) / 4 / (0.5 * goes_px)
    wave = Wave(max(2.0, period) * exposure, float(generator.uniform(0, 2 * math.pi)), approach)
    return camera, Motion(dolly.start, dolly.drift, (*dolly.waves, wave))


def _foregrounds(
    generator: np.random.Generator, size: Size, pictures: Sequence[Picture]
) -> list[tuple[Layer, ...]]:
    """Return what stands still before the backdrop, at the sides of the frame more than in its middle."""
    count = int(generator.integers(FOREGROUNDS[0], FOREGROUNDS[1] + 1))
    layers: list[tuple[Layer, ...]] = []
    for nearness in np.sort(generator.uniform(*FOREGROUND_NEARNESS, count)).tolist():
        height, width = (
            max(8, round(share * length))
            for share, length in zip(
                generator.uniform(0.3, 0.9, 2).tolist(), (size.height, size.width), strict=True
            )
        )
        cut = Size(height, width)
        angle = float(generator.uniform(0, 2 * math.pi))
        place = Pose(0.45 * size.width * math.cos(angle), 0.45 * size.height * math.sin(angle))
        texture = texture_of(generator, cut, "mixed", pictures)
        layers.append(
            (Layer(texture, random_outline(generator, cut), Motion(place), nearness, kind="foreground"),)
        )
    return layers
