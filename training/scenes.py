"""Random scenes: a backdrop under a moving camera, with objects that go their own ways before it."""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from engine.geometry import Size
from training.cutouts import random_outline, reached_size, texture_of
from training.motion import Motion, Pose, random_motion
from training.scene import Layer, Picture, Scene
from training.simulate import Exposures
from training.worlds import DEFAULT_RATE_HZ, WORLD_KINDS, random_world

SceneKind = Literal[
    "photographs", "leaves", "text", "gratings", "polygons", "mixed",
    "world", "depth", "handheld", "cloth", "limbs", "turning", "flyers", "highlights",
]  # fmt: skip
"""What the pictures in a scene are: given ones, one kind of pattern, or any of these at random ("mixed"), in
planes that move as a whole. From "world" on, `training.worlds` says what moves, over mixed pictures."""
SCENE_KINDS: tuple[SceneKind, ...] = get_args(SceneKind)

OBJECT_SPEEDS = (0.5, 1.5)
"""Range of an object's own motion, as a factor of what was asked for."""
OBJECT_DRIFT = 1.5
"""Objects mostly cross the picture, where a camera mostly sways."""


def random_scene(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    kind: SceneKind,
    pictures: Sequence[Picture] = (),
    objects: int = 2,
    motion_px: float = 12.0,
    object_motion_px: float | None = None,
    rate_hz: float = DEFAULT_RATE_HZ,
) -> Scene:
    """Draw a scene whose camera moves `motion_px` in an average exposure.

    `pictures` (H, W, 3) are used by the kinds "photographs" (which needs one or more) and "mixed".
    Objects move `object_motion_px` (as the camera, where None) times a factor between 0.5 and 1.5, beside
    what the camera does. `rate_hz` planes a second matter to hand-held cameras alone. Raises ValueError for
    numbers out of range.
    """
    if kind == "photographs" and not pictures:
        raise ValueError("a scene of photographs needs one picture or more")
    if not 0 <= objects <= 64:
        raise ValueError(f"a scene has 0 to 64 objects, got {objects}")
    own_px = motion_px if object_motion_px is None else object_motion_px
    for value in (motion_px, own_px):
        if not 0 <= value <= 500:
            raise ValueError(f"motion must lie between 0 and 500 px an exposure, got {value:g}")

    if kind in WORLD_KINDS:
        return random_world(
            generator,
            size,
            exposures,
            kind=kind,
            pictures=pictures,
            objects=objects,
            motion_px=motion_px,
            object_motion_px=object_motion_px,
            rate_hz=rate_hz,
        )

    def path(distance_px: float, of: Size, drift_share: float = 0.0) -> Motion:
        return random_motion(
            generator,
            size=of,
            motion_px=distance_px,
            exposure_planes=exposures.exposure_planes,
            planes=exposures.planes,
            drift_share=drift_share,
        )

    camera = path(motion_px, size)
    reached = reached_size(camera, size, exposures.planes)
    backdrop = Layer(texture_of(generator, reached, kind, pictures))
    layers = [backdrop]
    for number in range(objects):
        height, width = (
            max(8, round(math.exp(generator.uniform(math.log(0.15), math.log(0.5))) * size.height))
            for _ in range(2)
        )
        cut = Size(height, width)
        motion = path(own_px * float(generator.uniform(*OBJECT_SPEEDS)), cut, OBJECT_DRIFT)
        x, y = ((generator.random(2) - 0.5) * (0.8 * size.width, 0.8 * size.height)).tolist()
        layers.append(
            Layer(
                texture_of(generator, cut, kind, pictures),
                random_outline(generator, cut),
                motion.through(Pose(x, y), exposures.planes / 2),
                thing=number + 1,
                kind="cutout",
            )
        )
    return Scene(size, tuple(layers), camera)
