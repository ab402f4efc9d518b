"""A street to judge a restored picture by: houses, a face, lettering down to small print, and a passing van.

Strategy: everything is drawn flat, at several times its size and shrunk, on a frame 480 pixels high; other
frames see the same street larger or smaller. Lengths below are in those pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.geometry import Size
from training.motion import Motion, Pose, Wave, random_motion
from training.scene import Layer, Picture, Scene, resized
from training.simulate import Exposures
from training.textures import to_float

DESIGN_HEIGHT_PX = 480
FINENESS = 3
"""Drawn pixels a side for one pixel of the design."""
PICTURES = 4
"""Two houses, a portrait and an advertisement."""

Colour = tuple[int, int, int]
CREAM: Colour = (244, 236, 214)
INK: Colour = (24, 26, 34)
BOTTLE_GREEN: Colour = (22, 74, 62)
RED: Colour = (186, 34, 38)
SILVER: Colour = (206, 208, 212)
GOLD: Colour = (226, 190, 92)

HOUSE_SIZE = Size(500, 750)
PAVEMENT_PX = 140
FIRST_HOUSE = slice(240, 750)
SECOND_HOUSE = slice(84, 750)
"""Columns of each house that are built; the second joins the first at its right."""
JOINT_PX = FIRST_HOUSE.stop - FIRST_HOUSE.start
"""Column of the wall where the houses meet; the frame's centre starts `VIEW_PX` to its right."""
VIEW_PX = 26
CHART = (("E", 34), ("F P", 24), ("T O Z", 18), ("L P E D", 14), ("P E C F D", 11), ("E D F C Z P", 8.5))
VAN_SIZE = Size(150, 290)
VAN_BODY: tuple[tuple[float, float], ...] = (
    (4, 62), (16, 56), (46, 18), (60, 8), (276, 8), (285, 16), (285, 128), (4, 128),
)  # fmt: skip
WHEEL_PX = 50
WHEELS_X_PX = (-92, 84)
SPEED_CHANGE_EXPOSURES = 4.0
"""Period of the van's speed, where it changes."""
VAN_X_PX, VAN_Y_PX = 20, 124
"""Where the van's middle is halfway through the recording, from the frame's centre."""


def street(
    generator: np.random.Generator,
    size: Size,
    exposures: Exposures,
    *,
    pictures: Sequence[Picture],
    motion_px: float,
    object_motion_px: float,
    speed_change: float = 0.0,
) -> Scene:
    """Build the street under a hand-held camera, with a van that drives through it.

    `pictures` are two houses (landscape, 512 × 768 or so), a portrait and an advertisement, each
    (H, W, 3). The camera moves `motion_px` in an average exposure, the van `object_motion_px` beside it,
    `speed_change` times as much more and less in turn, over some exposures.
    Raises ValueError when there are fewer than four pictures, or for a change out of [0, 1].
    """
    if len(pictures) < PICTURES:
        raise ValueError(
            f"a street needs {PICTURES} pictures: two houses, a portrait and an advertisement, "
            f"got {len(pictures)}"
        )
    if not 0 <= speed_change <= 1:
        raise ValueError(f"the change of speed must lie between 0 and 1, got {speed_change:g}")
    scale = size.height / DESIGN_HEIGHT_PX
    first, second, portrait, advertisement = pictures[:PICTURES]
    camera = random_motion(
        generator,
        size=size,
        motion_px=motion_px,
        exposure_planes=exposures.exposure_planes,
        planes=exposures.planes,
    )
    backdrop = _houses(generator, first, second, portrait)
    speed_px = -object_motion_px / exposures.exposure_planes
    halfway = exposures.planes / 2

    def driving(x: float, y: float, turn_rad: float = 0.0) -> Motion:
        drift = Pose(speed_px, 0.0, turn_rad)
        waves: tuple[Wave, ...] = ()
        if speed_change:
            period = SPEED_CHANGE_EXPOSURES * exposures.exposure_planes
            waves = (Wave(period, 0.0, drift.scaled(speed_change * period / (2 * math.pi))),)
        path = Motion(drift=drift, waves=waves)
        return path.through(Pose(x * scale, y * scale), halfway)

    van, van_cover = _van(advertisement)
    wheel, wheel_cover = _wheel()
    turning = speed_px / (WHEEL_PX / 2 * scale)
    ground_px = VAN_Y_PX + VAN_SIZE.height / 2 - WHEEL_PX / 2
    layers = [
        _layer(backdrop, None, Motion(Pose((backdrop.shape[1] / 2 - JOINT_PX - VIEW_PX) * scale)), scale),
    ]
    van_layers = [
        _layer(van, van_cover, driving(VAN_X_PX, VAN_Y_PX), scale),
        *(_layer(wheel, wheel_cover, driving(VAN_X_PX + x, ground_px, turning), scale) for x in WHEELS_X_PX),
    ]
    layers += [replace(layer, thing=1, kind="van") for layer in van_layers]
    return Scene(size, tuple(layers), camera)


def _layer(colour: Picture, cover: Picture | None, motion: Motion, scale: float) -> Layer:
    """Resize a drawing from the design's pixels to the frame's."""
    target = Size(max(1, round(colour.shape[0] * scale)), max(1, round(colour.shape[1] * scale)))
    return Layer(
        np.clip(resized(colour, target), 0, 1),
        None if cover is None else np.clip(resized(cover, target), 0, 1),
        motion,
    )


class _Sheet:
    """A drawing in design pixels on a fine grid, shrunk when it is done."""

    def __init__(self, size: Size, ground: Colour = INK) -> None:
        self._image = Image.new("RGB", (size.width * FINENESS, size.height * FINENESS), ground)
        self._draw = ImageDraw.Draw(self._image)
        self._size = size

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, round_px: float = 0
    ) -> None:
        corners = tuple(round(value * FINENESS) for value in (left, top, right, bottom))
        self._draw.rounded_rectangle(corners, radius=round_px * FINENESS, fill=fill)

    def shape(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        self._draw.polygon([(x * FINENESS, y * FINENESS) for x, y in points], fill=fill)

    def disc(self, x: float, y: float, radius_px: float, fill: Colour) -> None:
        self._draw.circle((x * FINENESS, y * FINENESS), radius_px * FINENESS, fill=fill)

    def line(self, points: Sequence[tuple[float, float]], width_px: float, fill: Colour) -> None:
        fine = [(x * FINENESS, y * FINENESS) for x, y in points]
        self._draw.line(fine, fill=fill, width=round(width_px * FINENESS))

    def text(self, x: float, y: float, text: str, height_px: float, fill: Colour) -> None:
        """Write `text` centred at (x, y), a little bolder than the font is."""
        font = ImageFont.load_default(height_px * FINENESS)
        self._draw.text(
            (x * FINENESS, y * FINENESS),
            text,
            fill=fill,
            font=font,
            anchor="mm",
            stroke_width=int(0.02 * height_px * FINENESS),
        )

    def picture(self, picture: Picture, left: int, top: int, width: int, height: int) -> None:
        """Paste the middle of a picture, as large as fits the box's shape."""
        part = resized(_middle(picture, width / height), Size(height * FINENESS, width * FINENESS))
        levels = np.round(np.clip(part, 0, 1) * 255).astype(np.uint8)
        self._image.paste(Image.fromarray(levels), (left * FINENESS, top * FINENESS))

    def done(self) -> Picture:
        return resized(to_float(np.asarray(self._image)), self._size)


def _middle(picture: Picture, aspect: float) -> Picture:
    """Return the largest central part of a picture whose width / height is `aspect`."""
    height, width = picture.shape[:2]
    cut_height, cut_width = min(height, round(width / aspect)), min(width, round(height * aspect))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return picture[top : top + cut_height, left : left + cut_width]


def _houses(generator: np.random.Generator, first: Picture, second: Picture, portrait: Picture) -> Picture:
    """Two fronts side by side with what hangs on them, above a pavement."""
    fronts: list[Picture] = []
    for front, columns in ((first, FIRST_HOUSE), (second, SECOND_HOUSE)):
        # Scanned photographs have a dark rim.
        inside = front[6:-6, 6:-6]
        part = _middle(inside, HOUSE_SIZE.width / HOUSE_SIZE.height)
        whole = resized(part, HOUSE_SIZE)
        fronts.append(whole[:, columns])
    wall = np.hstack(fronts)
    _hang(wall, _shop_sign(), JOINT_PX - 262, 150)
    _hang(wall, _poster(portrait), JOINT_PX - 262, 226)
    _hang(wall, _eye_chart(), JOINT_PX - 116, 226)
    _hang(wall, _drainpipe(), JOINT_PX - 5, 0)
    return np.vstack([wall, _pavement(generator, wall.shape[1])])


def _hang(wall: Picture, drawing: Picture, left: int, top: int) -> None:
    height, width = drawing.shape[:2]
    shade = wall[top + 3 : top + height + 4, left + 3 : left + width + 4]
    shade *= 0.45
    wall[top : top + height, left : left + width] = drawing


def _shop_sign() -> Picture:
    sheet = _Sheet(Size(62, 246), BOTTLE_GREEN)
    sheet.box(3, 3, 243, 59, GOLD)
    sheet.box(4.5, 4.5, 241.5, 57.5, BOTTLE_GREEN)
    sheet.text(123, 25, "BAKERY & CAFE", 28.5, CREAM)
    sheet.text(123, 48, "open Mon - Fri 7.30 - 19.00, Sat 8 - 13, Sun closed", 8.5, GOLD)
    return sheet.done()


def _poster(portrait: Picture) -> Picture:
    sheet = _Sheet(Size(172, 132), CREAM)
    sheet.picture(portrait, 4, 4, 124, 134)
    sheet.text(66, 149, "FACES IN MOTION", 13, RED)
    sheet.text(66, 163, "exhibition, 20 May to 31 August", 7.5, INK)
    return sheet.done()


def _eye_chart() -> Picture:
    sheet = _Sheet(Size(172, 100), (250, 250, 248))
    y = 6.0
    for letters, height in CHART:
        sheet.text(50, y + height / 2, letters, height, INK)
        y += height * 0.86 + 6
    sheet.text(50, 165, "J. SNELLEN, OPTICIAN", 7, RED)
    return sheet.done()


def _drainpipe() -> Picture:
    profile = 0.25 + 0.3 * np.sin(np.linspace(0.3, math.pi - 0.1, 9))
    pipe = np.empty((HOUSE_SIZE.height - 6, 9, 3), np.float32)
    pipe[:] = (profile[:, None] * np.array([0.75, 0.85, 0.9])).astype(np.float32)
    pipe[60::110] *= 0.5
    return pipe


def _pavement(generator: np.random.Generator, width: int) -> Picture:
    """Paving, a kerb and asphalt with its grain."""
    ground = np.empty((PAVEMENT_PX, width, 3), np.float32)
    ground[:22] = (0.52, 0.49, 0.45)
    ground[:22, ::38] *= 0.6
    ground[10] *= 0.7
    ground[22:28] = (0.66, 0.65, 0.62)
    ground[28:] = (0.27, 0.275, 0.29)
    grain = generator.normal(1, 0.05, (PAVEMENT_PX, width)).astype(np.float32)
    patches = generator.normal(1, 0.5, (PAVEMENT_PX // 4, width // 8)).astype(np.float32)
    ground *= cv2.GaussianBlur(grain, (0, 0), 0.7)[..., None]
    ground *= 0.84 + 0.16 * resized(patches, Size(PAVEMENT_PX, width))[..., None]
    return np.clip(ground, 0, 1)


def _van(advertisement: Picture) -> tuple[Picture, Picture]:
    """Colour and cover of a delivery van that drives to the left."""
    sheet = _Sheet(VAN_SIZE, RED)
    sheet.box(0, 92, 290, 150, (150, 24, 30))
    sheet.box(0, 90, 290, 92, CREAM)
    sheet.shape([(22, 58), (50, 22), (62, 18), (86, 18), (86, 58)], (38, 52, 66))
    sheet.shape([(30, 56), (54, 26), (62, 24), (52, 56)], (120, 150, 168))
    sheet.line([(91, 14), (91, 124)], 1.2, (90, 12, 18))
    sheet.box(76, 66, 85, 69, SILVER, 1.5)
    sheet.disc(12, 74, 6, (250, 244, 208))
    sheet.box(0, 112, 290, 122, (54, 56, 62))
    sheet.picture(advertisement, 100, 16, 80, 70)
    sheet.text(230, 28, "PARROT POST", 14.5, CREAM)
    sheet.text(230, 47, "EXPRESS", 21, GOLD)
    sheet.text(230, 66, "we repeat: on time!", 9.5, CREAM)
    sheet.text(230, 79, "tel. 0800 - 20 000 40 000", 8, CREAM)
    sheet.text(146, 102, "FRAGILE: SPIKES INSIDE", 11, CREAM)
    for x in WHEELS_X_PX:
        sheet.disc(VAN_SIZE.width / 2 + x, VAN_SIZE.height - WHEEL_PX / 2, WHEEL_PX / 2 + 5, (20, 20, 22))
    outline = _Sheet(VAN_SIZE, (0, 0, 0))
    outline.shape(VAN_BODY, (255, 255, 255))
    return sheet.done(), outline.done()[..., 0]


def _wheel() -> tuple[Picture, Picture]:
    sheet = _Sheet(Size(WHEEL_PX, WHEEL_PX))
    middle = WHEEL_PX / 2
    sheet.disc(middle, middle, middle * 0.62, SILVER)
    for spoke in range(5):
        angle = 2 * math.pi * spoke / 5
        x, y = middle + middle * 0.4 * math.cos(angle), middle + middle * 0.4 * math.sin(angle)
        sheet.disc(x, y, middle * 0.15, (44, 46, 52))
    sheet.disc(middle, middle, middle * 0.12, RED)
    outline = _Sheet(Size(WHEEL_PX, WHEEL_PX), (0, 0, 0))
    outline.disc(middle, middle, middle - 1, (255, 255, 255))
    return sheet.done(), outline.done()[..., 0]
