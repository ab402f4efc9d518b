"""Flat pictures to make scenes of: photographs, and patterns that need no file.

Every picture is (H, W, 3) float32 RGB code values in [0, 1]; every pattern is drawn by the generator alone.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engine.errors import FrameError
from engine.geometry import Size
from training.scene import Picture, resized

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?&%()-+"
SUBPIXEL_BITS = 4

Pattern = Callable[[np.random.Generator, Size], Picture]


def picture_files(paths: Sequence[Path]) -> list[Path]:
    """Return the pictures among files and folders: files in the order given, folders sorted by name.

    Raises FrameError when a path does not exist or a folder holds no picture.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            try:
                inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
            except OSError as error:
                raise FrameError(f"the folder cannot be read ({error.strerror})", path=path) from error
            if not inside:
                raise FrameError(
                    "there are no pictures in this folder", path=path, expected=", ".join(SUFFIXES)
                )
            files.extend(inside)
        elif path.is_file():
            files.append(path)
        else:
            raise FrameError("no such file or folder of textures", path=path)
    return files


def dead_leaves(generator: np.random.Generator, size: Size) -> Picture:
    """Draw overlapping leaves of every size, each hiding what is below it.

    Radii follow a power law of exponent −3 (Lee, Mumford and Huang, 2001), which makes the spectrum fall
    as in photographs.
    """
    canvas = np.empty((size.height, size.width, 3), np.uint8)
    canvas[:] = _colours(generator, 1)[0]
    smallest, largest = 2.5, max(5.0, max(size.height, size.width) / 4)
    count = min(12000, size.pixels // 25)
    share = generator.random(count)
    radii = 1 / np.sqrt(share / smallest**2 + (1 - share) / largest**2)
    order = np.argsort(generator.random(count))
    for radius, colour in zip(radii[order].tolist(), _colours(generator, count), strict=True):
        outline = _blob(generator, radius, corners=int(generator.integers(3, 24)))
        outline += generator.random(2) * (size.width, size.height)
        _fill(canvas, outline, colour)
    return to_float(canvas) * _shading(generator, size, 0.25)


def polygons(generator: np.random.Generator, size: Size) -> Picture:
    """Draw a few large flat shapes with straight edges on a smooth ground: little texture, hard contours."""
    ground = to_float(np.array(_colours(generator, 1), np.uint8))[0]
    picture = np.ones((size.height, size.width, 3), np.float32) * ground * _shading(generator, size, 0.5)
    canvas = np.ascontiguousarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    longest = max(size.height, size.width)
    for colour in _colours(generator, int(generator.integers(6, 40))):
        radius = longest * math.exp(generator.uniform(math.log(0.02), math.log(0.33)))
        outline = _blob(generator, radius, corners=int(generator.integers(3, 7)))
        _fill(canvas, outline + generator.random(2) * (size.width, size.height), colour)
    return to_float(canvas)


def gratings(generator: np.random.Generator, size: Size) -> Picture:
    """Fill patches with sine and square gratings, checks and stars, down to three pixels a period."""
    picture = np.empty((size.height, size.width, 3), np.float32)
    rows = int(generator.integers(1, 5))
    edges_y = np.linspace(0, size.height, rows + 1).astype(int)
    for top, bottom in pairwise(edges_y.tolist()):
        columns = int(generator.integers(1, 6))
        edges_x = np.linspace(0, size.width, columns + 1).astype(int)
        for left, right in pairwise(edges_x.tolist()):
            wave = _grating(generator, bottom - top, right - left)[..., None]
            low, high = to_float(np.array(_colours(generator, 2), np.uint8))
            picture[top:bottom, left:right] = low + wave * (high - low)
    return picture


def lettering(generator: np.random.Generator, size: Size) -> Picture:
    """Set lines of characters in many sizes, dark on light and light on dark."""
    paper, ink = _contrasting(generator)
    page = Image.new("RGB", (size.width, size.height), paper)
    draw = ImageDraw.Draw(page)
    top = -int(generator.integers(0, 12))
    while top < size.height:
        height = int(np.exp(generator.uniform(math.log(9), math.log(72))))
        if generator.random() < 0.25:
            paper, ink = _contrasting(generator)
            draw.rectangle((0, top, size.width, size.height), fill=paper)
        count = int(size.width / (0.45 * height)) + 4
        line = "".join(generator.choice(list(LETTERS + " " * 12), count))
        left = -int(generator.integers(0, height))
        draw.text((left, top), line, fill=ink, font=ImageFont.load_default(height))
        top += int(height * generator.uniform(1.15, 1.6))
    return to_float(np.asarray(page))


PATTERNS: dict[str, Pattern] = {
    "leaves": dead_leaves,
    "text": lettering,
    "gratings": gratings,
    "polygons": polygons,
}


def to_float(levels: NDArray[np.uint8]) -> Picture:
    return levels.astype(np.float32) / np.float32(255)


def _colours(generator: np.random.Generator, count: int) -> list[tuple[int, int, int]]:
    """Colours as in photographs: any brightness, mostly little colour."""
    grey = generator.uniform(0.02, 0.98, (count, 1))
    tint = generator.normal(0, 0.16, (count, 3))
    levels = np.clip((grey + tint) * 255, 0, 255).astype(int)
    return [(int(red), int(green), int(blue)) for red, green, blue in levels]


def _contrasting(generator: np.random.Generator) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """A light and a dark colour, either first."""
    dark, light = (
        tuple(int(value) for value in generator.uniform(low, high, 3)) for low, high in ((5, 90), (150, 250))
    )
    pair = (light, dark) if generator.random() < 0.5 else (dark, light)
    return pair  # type: ignore[return-value]


def _blob(generator: np.random.Generator, radius: float, corners: int) -> NDArray[np.float64]:
    """An outline (corners, 2) around the origin, uneven and stretched."""
    angles = np.sort(generator.uniform(0, 2 * math.pi, corners))
    reach = radius * generator.uniform(0.6, 1.0, corners)
    flatness = generator.uniform(0.4, 1.0)
    outline = np.stack([np.cos(angles), np.sin(angles) * flatness], axis=1) * reach[:, None]
    turn = generator.uniform(0, 2 * math.pi)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return outline @ rotation


def _fill(canvas: NDArray[np.uint8], outline: NDArray[np.float64], colour: tuple[int, int, int]) -> None:
    points = np.round(outline * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(canvas, [points], colour, lineType=cv2.LINE_AA, shift=SUBPIXEL_BITS)


def _shading(generator: np.random.Generator, size: Size, strength: float) -> Picture:
    """Smooth uneven light (H, W, 1) at most 1."""
    coarse = generator.uniform(1 - strength, 1, (4, 5)).astype(np.float32)
    return np.clip(resized(coarse, size), 0, 1)[..., None]


def _grating(generator: np.random.Generator, height: int, width: int) -> Picture:
    """One patch (height, width) in [0, 1]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    kind = generator.integers(4)
    period = float(np.exp(generator.uniform(math.log(3), math.log(40))))
    if kind == 3:
        spokes = int(generator.integers(6, 40))
        wave = np.sin(spokes * np.arctan2(y - height / 2, x - width / 2))
    else:
        angle = generator.uniform(0, math.pi)
        along = (x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / period)
        across = (y * math.cos(angle) - x * math.sin(angle)) * (2 * math.pi / period)
        wave = np.sin(along) * np.sin(across) if kind == 2 else np.sin(along)
    if kind != 0:
        # Steep but not hard, so that an edge stays where it is when it is drawn between pixels.
        wave = np.tanh(wave * period / 2)
    patch: Picture = ((wave + 1) / 2).astype(np.float32)
    return patch
