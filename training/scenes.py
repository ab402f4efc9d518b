"""Random scenes: a backdrop under a moving camera, with objects that go their own ways before it."""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import cv2
import numpy as np

from engine.geometry import Size
from training.motion import Motion, Pose, grid_points, random_motion
from training.scene import Layer, Picture, Scene, resized
from training.simulate import Exposures
from training.textures import PATTERNS, SUBPIXEL_BITS

SceneKind = Literal["photographs", "leaves", "text", "gratings", "polygons", "mixed"]
"""What the pictures in a scene are: given ones, one kind of pattern, or any of these at random."""
SCENE_KINDS: tuple[SceneKind, ...] = get_args(SceneKind)

OBJECT_SPEEDS = (0.5, 1.5)
"""Range of an object's own motion, as a factor of what was asked for."""
OBJECT_DRIFT = 1.5
"""Objects mostly cross the picture, where a camera mostly sways."""
EDGE_SOFTNESS_PX = (0.5, 1.6)


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
) -> Scene:
    """Draw a scene whose camera moves `motion_px` in an average exposure.

    `pictures` (H, W, 3) are used by the kinds "photographs" (which needs one or more) and "mixed".
    Objects move `object_motion_px` (as the camera, where None) times a factor between 0.5 and 1.5, beside
    what the camera does. Raises ValueError for numbers out of range.
    """
    if kind == "photographs" and not pictures:
        raise ValueError("a scene of photographs needs one picture or more")
    if not 0 <= objects <= 64:
        raise ValueError(f"a scene has 0 to 64 objects, got {objects}")
    own_px = motion_px if object_motion_px is None else object_motion_px
    for value in (motion_px, own_px):
        if not 0 <= value <= 500:
            raise ValueError(f"motion must lie between 0 and 500 px an exposure, got {value:g}")

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
    reached = _reach(camera, size, exposures.planes)
    backdrop = Layer(_texture(generator, reached, kind, pictures))
    layers = [backdrop]
    for _ in range(objects):
        height, width = (
            max(8, round(math.exp(generator.uniform(math.log(0.15), math.log(0.5))) * size.height))
            for _ in range(2)
        )
        cut = Size(height, width)
        motion = path(own_px * float(generator.uniform(*OBJECT_SPEEDS)), cut, OBJECT_DRIFT)
        x, y = ((generator.random(2) - 0.5) * (0.8 * size.width, 0.8 * size.height)).tolist()
        layers.append(
            Layer(
                _texture(generator, cut, kind, pictures),
                _outline(generator, cut),
                motion.through(Pose(x, y), exposures.planes / 2),
            )
        )
    return Scene(size, tuple(layers), camera)


def _reach(camera: Motion, size: Size, planes: int) -> Size:
    """Return how large a centred backdrop the camera sees in all its time, at most thrice the frame."""
    points = grid_points(size, across=2)
    times = np.linspace(0, planes, 65).tolist()
    seen = np.stack([np.linalg.inv(camera.pose(time).matrix()) @ points for time in times])
    half_x, half_y = np.abs(seen[:, :2]).max(axis=(0, 2)).tolist()
    return Size(
        min(3 * size.height, max(size.height, math.ceil(2 * half_y) + 3)),
        min(3 * size.width, max(size.width, math.ceil(2 * half_x) + 3)),
    )


def _texture(
    generator: np.random.Generator, size: Size, kind: SceneKind, pictures: Sequence[Picture]
) -> Picture:
    chosen: str = kind
    if kind == "mixed":
        chosen = str(generator.choice(["photographs"] * (3 if pictures else 0) + sorted(PATTERNS)))
    if chosen == "photographs":
        return crop(generator, pictures[int(generator.integers(len(pictures)))], size)
    return PATTERNS[chosen](generator, size)


def crop(generator: np.random.Generator, picture: Picture, size: Size) -> Picture:
    """Return a random part of a picture at a random scale that is never larger than life.

    A picture smaller than `size` is enlarged until it covers it. Mirrored left to right half of the time.
    """
    height, width = picture.shape[:2]
    least = max(size.height / height, size.width / width)
    scale = least if least >= 1 else math.exp(generator.uniform(math.log(least), 0.0))
    if scale != 1:
        target = Size(max(size.height, round(height * scale)), max(size.width, round(width * scale)))
        picture = np.clip(resized(picture, target), 0, 1)
    top = int(generator.integers(picture.shape[0] - size.height + 1))
    left = int(generator.integers(picture.shape[1] - size.width + 1))
    part = picture[top : top + size.height, left : left + size.width]
    return np.ascontiguousarray(part[:, ::-1] if generator.random() < 0.5 else part)


def _outline(generator: np.random.Generator, size: Size) -> Picture:
    """Return a cover (H, W): a soft-edged ellipse, polygon or rounded box that leaves the border free."""
    canvas = np.zeros((size.height, size.width), np.uint8)
    softness = float(generator.uniform(*EDGE_SOFTNESS_PX))
    margin = math.ceil(2 * softness) + 1
    middle = np.array([size.width - 1, size.height - 1]) / 2
    half = np.maximum(middle - margin, 1.0)
    corners = int(generator.choice([4, 5, 7, 64]))
    power = float(generator.uniform(2, 8)) if corners == 64 else 2.0
    jitter = generator.uniform(-0.3, 0.3, corners) * (corners < 64)
    angles = (np.arange(corners) + 0.5 + jitter) * (2 * math.pi / corners)
    x, y = np.cos(angles), np.sin(angles)
    # A superellipse: 2 is an ellipse, larger powers make a box with rounded corners.
    radius = (np.abs(x) ** power + np.abs(y) ** power) ** (-1 / power)
    points = middle + half * np.stack([x, y], axis=1) * radius[:, None]
    cv2.fillPoly(
        canvas,
        [np.round(points * 2**SUBPIXEL_BITS).astype(np.int32)],
        (255.0,),
        lineType=cv2.LINE_AA,
        shift=SUBPIXEL_BITS,
    )
    cover: Picture = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), softness)  # type: ignore[assignment]
    return cover
