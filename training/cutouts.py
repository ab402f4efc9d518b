"""What layers are cut from: textures, outlines, and how much of a backdrop is seen."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from engine.geometry import Size
from training.motion import Path, grid_points
from training.scene import Picture, resized
from training.textures import PATTERNS, SUBPIXEL_BITS

EDGE_SOFTNESS_PX = (0.5, 1.6)


def reached_size(camera: Path, size: Size, planes: int) -> Size:
    """Return how large a centred backdrop the camera sees in all its time, at most thrice the frame."""
    points = grid_points(size, across=2)
    times = np.linspace(0, planes, 65).tolist()
    seen = np.stack([np.linalg.inv(camera.matrix(time)) @ points for time in times])
    half_x, half_y = np.abs(seen[:, :2]).max(axis=(0, 2)).tolist()
    return Size(
        min(3 * size.height, max(size.height, math.ceil(2 * half_y) + 3)),
        min(3 * size.width, max(size.width, math.ceil(2 * half_x) + 3)),
    )


def texture_of(generator: np.random.Generator, size: Size, kind: str, pictures: Sequence[Picture]) -> Picture:
    """Return a picture of `size`: a crop of a photograph, a pattern, or, "mixed", either of them."""
    chosen = kind
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


def random_outline(generator: np.random.Generator, size: Size) -> Picture:
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
