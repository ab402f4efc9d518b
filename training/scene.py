"""A moving scene: textured layers on paths, seen by a moving camera, rendered at any time.

Coordinates are centred: the origin is the middle of the frame (and of a layer), x to the right, y down, one
unit a frame pixel. A layer's point lands at camera · dolly · own · point, where the camera turns, which moves
everything alike, and the dolly carries it through the scene, which moves what is near further.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size
from training.deformation import Deformation
from training.motion import STILL, Motion, Path, grid_points, is_affine, moved

Picture = NDArray[np.float32]
NEAREST = 0.9
"""How much of the way to a layer a dolly may go: beyond, the layer would be behind the camera."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A texture on a path.

    `colour` is (h, w, 3) RGB code values in [0, 1], above 1 for lights that saturate; `cover` is (h, w) in
    [0, 1], how much of what lies behind is hidden. None: the layer hides everything, without end, mirrored
    at its borders.
    """

    colour: Picture
    cover: Picture | None = None
    motion: Path = STILL
    nearness: float = 1.0
    """Distance of the backdrop, as a multiple of this layer's."""
    deformation: Deformation | None = None
    thing: int = 0
    """Number of the moving object that the layer is, or is a part of; 0 belongs to the surroundings."""
    kind: str = ""
    """What the object is."""

    def __post_init__(self) -> None:
        if self.colour.ndim != 3 or self.colour.shape[2] != 3:
            raise ValueError(f"a layer's colour is (h, w, 3), got {self.colour.shape}")
        if self.cover is not None and self.cover.shape != self.colour.shape[:2]:
            raise ValueError(f"cover {self.cover.shape} does not fit colour {self.colour.shape}")
        if self.cover is None and self.deformation is not None:
            raise ValueError("a layer without cover fills the frame and cannot be deformed")

    @property
    def size(self) -> Size:
        return Size(*self.colour.shape[:2])


@dataclass(frozen=True, eq=False)
class Scene:
    """What the cameras look at: `layers` from back to front, the first without cover."""

    size: Size
    """Size of the rendered frame."""
    layers: tuple[Layer, ...]
    camera: Path = STILL
    dolly: Motion = STILL
    """The camera's way through the scene: shift in pixels and zoom of the backdrop. Its turn is not used."""

    def __post_init__(self) -> None:
        if not self.layers or self.layers[0].cover is not None:
            raise ValueError("the first layer of a scene fills the frame, so it must exist and have no cover")
        if any(layer.cover is None for layer in self.layers[1:]):
            raise ValueError("only the first layer of a scene has no cover")

    def matrix(
        self, layer: int, at_plane: float, camera: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the (3, 3) matrix from a layer's centred coordinates to the frame's.

        `camera` is the camera's own then, where it is known already: many layers share it.
        """
        shown = self.layers[layer]
        matrix = self.camera.matrix(at_plane) if camera is None else camera
        if self.dolly is not STILL:
            matrix = matrix @ parallax(self.dolly, shown.nearness, at_plane)
        return matrix @ shown.motion.matrix(at_plane)

    def view(self, layer: int) -> "View":
        """Return how the camera moves a layer."""
        return View(self.camera, self.dolly, self.layers[layer].nearness)


@dataclass(frozen=True)
class View:
    """What a camera that turns and goes does to a layer at a distance."""

    camera: Path
    dolly: Motion = STILL
    nearness: float = 1.0

    def matrix(self, at_plane: float) -> NDArray[np.float64]:
        matrix = self.camera.matrix(at_plane)
        return matrix if self.dolly is STILL else matrix @ parallax(self.dolly, self.nearness, at_plane)


def parallax(dolly: Motion, nearness: float, at_plane: float) -> NDArray[np.float64]:
    """Return what a camera's way through a scene does to a layer: (3, 3).

    A camera that went the share d of its distance to the backdrop has gone d · nearness of that to the layer.
    """
    pose = dolly.pose(at_plane)
    gone = min(NEAREST, nearness * -np.expm1(-pose.log_zoom))
    zoom = 1 / (1 - gone)
    shift = nearness * zoom * np.array([pose.x_px, pose.y_px])
    return np.array([[zoom, 0.0, shift[0]], [0.0, zoom, shift[1]], [0.0, 0.0, 1.0]])


def encode(signal: Picture, gamma: float) -> Picture:
    """Turn light in [0, 1] into code values: light ** (1 / gamma)."""
    return signal if gamma == 1 else np.power(signal, np.float32(1 / gamma))


def decode(code: Picture, gamma: float) -> Picture:
    """Turn code values in [0, 1] into light: code ** gamma."""
    return code if gamma == 1 else np.power(code, np.float32(gamma))


def resized(picture: Picture, size: Size) -> Picture:
    """Resample (H, W[, C]): averaged where it shrinks, cubic where it grows, which may overshoot."""
    if picture.shape[:2] == (size.height, size.width):
        return picture
    shrinks = size.height <= picture.shape[0] and size.width <= picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=method), np.float32)


class Renderer:
    """Draws a scene in the signal that the cameras integrate.

    Holds every layer once, premultiplied by its cover, as four float32 channels: OpenCV warps four channels
    three times faster than three.
    """

    def __init__(self, scene: Scene, gamma: float = 1.0, margin_px: int = 0) -> None:
        """`margin_px` more is drawn on every side of the frame."""
        self.scene = scene
        self.size = Size(scene.size.height + 2 * margin_px, scene.size.width + 2 * margin_px)
        self._layers = [_premultiply(layer, gamma) for layer in scene.layers]

    def picture(self, at_plane: float) -> Picture:
        """Return the scene at a real plane position: (H, W, 4) float32 with the margin, RGB signal from 0,
        1 being white, and ones."""
        size = self.size
        camera = self.scene.camera.matrix(at_plane)
        backdrop = pixel_matrix(self.scene, 0, at_plane, size, camera)
        warp, inverse = _warp(np.linalg.inv(backdrop))
        picture: Picture = warp(
            self._layers[0],
            inverse,
            (size.width, size.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        frame = Region.whole(size)
        for number, texture in enumerate(self._layers[1:], 1):
            matrix = pixel_matrix(self.scene, number, at_plane, size, camera)
            _lay_over(picture, frame, texture, self.scene.layers[number], matrix, at_plane)
        return picture


def _premultiply(layer: Layer, gamma: float) -> Picture:
    """Return (h, w, 4): signal times cover, and the cover."""
    height, width = layer.colour.shape[:2]
    texture = np.empty((height, width, 4), np.float32)
    texture[..., :3] = decode(layer.colour, gamma)
    texture[..., 3] = 1.0
    if layer.cover is not None:
        texture *= layer.cover[..., None]
    return texture


def pixel_matrix(
    scene: Scene, number: int, at_plane: float, frame: Size, camera: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the (3, 3) matrix from a layer's pixel indices to those of a frame of size `frame`."""
    layer = scene.layers[number]
    matrix = scene.matrix(number, at_plane, camera)
    to_centre = np.eye(3)
    to_centre[:2, 2] = -(layer.size.width - 1) / 2, -(layer.size.height - 1) / 2
    from_centre = np.eye(3)
    from_centre[:2, 2] = (frame.width - 1) / 2, (frame.height - 1) / 2
    return from_centre @ matrix @ to_centre


def reached_region(layer: Layer, matrix: NDArray[np.float64]) -> Region | None:
    """Return the rectangle of pixels that a layer can touch, which may lie outside the frame.

    None where nothing of it lies before the camera.
    """
    height, width = layer.size.height, layer.size.width
    reach = 0.0 if layer.deformation is None else layer.deformation.reach_px
    low, right, bottom = -1 - reach, width + reach, height + reach
    corners = np.array([[low, right, right, low], [low, low, bottom, bottom], [1, 1, 1, 1]], np.float64)
    if not is_affine(matrix) and (matrix[2] @ corners).min() <= 0:
        return None
    reached = moved(matrix, corners)
    left, top = np.floor(reached.min(axis=1)).astype(int).tolist()
    right, bottom = np.ceil(reached.max(axis=1)).astype(int).tolist()
    return Region(top, left, bottom + 1, right + 1)


def drawn(
    texture: Picture, layer: Layer, matrix: NDArray[np.float64], region: Region, at_plane: float
) -> Picture:
    """Return a layer's (h, w[, C]) texture as a region of the frame shows it, nothing around it.

    `matrix` leads from the texture's pixels to the frame's.
    """
    inside = np.linalg.inv(matrix)
    inside[:, 2] += inside[:, :2] @ (region.left, region.top)
    size = region.size
    if layer.deformation is None:
        warp, inverse = _warp(inside)
        return np.asarray(
            warp(
                texture,
                inverse,
                (size.width, size.height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
            )
        )
    rows, columns = np.mgrid[: size.height, : size.width]
    grid = np.stack([columns.ravel(), rows.ravel(), np.ones(size.pixels)]).astype(np.float64)
    middle = np.array([[(layer.size.width - 1) / 2], [(layer.size.height - 1) / 2]])
    places = moved(inside, grid) - middle
    shown = places + layer.deformation.displacement(places, at_plane) + middle
    map_x, map_y = shown.astype(np.float32).reshape(2, size.height, size.width)
    return np.asarray(cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))


def _warp(inverse: NDArray[np.floating[Any]]) -> tuple[Any, NDArray[np.floating[Any]]]:
    """Return OpenCV's function for a matrix, and the matrix as it wants it."""
    if is_affine(inverse):
        return cv2.warpAffine, inverse[:2]
    return cv2.warpPerspective, inverse


def _lay_over(
    picture: Picture,
    frame: Region,
    texture: Picture,
    layer: Layer,
    matrix: NDArray[np.float64],
    at_plane: float,
) -> None:
    """Draw a premultiplied texture over the picture, touching only the rectangle it can reach."""
    reached = reached_region(layer, matrix)
    region = None if reached is None else frame.intersect(reached)
    if region is None:
        return
    shown = drawn(texture, layer, matrix, region, at_plane)
    behind = picture[region.slices]
    behind *= 1.0 - shown[..., 3:]
    behind += shown


def speeds_px(scene: Scene, at_planes: Sequence[float], layer: int) -> NDArray[np.float64]:
    """Return how fast a layer's points cross the frame, in pixels a plane: (times, points).

    The points are a grid over the layer (over the frame, for the backdrop), as they lie at each time. What
    a deformation adds is counted at its most.
    """
    shown = scene.layers[layer]
    points = grid_points(scene.size if layer == 0 else shown.size)
    step = 0.25
    added = 0.0 if shown.deformation is None else shown.deformation.speed_px
    speeds = []
    for plane in at_planes:
        before, after = (moved(scene.matrix(layer, time), points) for time in (plane - step, plane + step))
        speeds.append(np.linalg.norm(after - before, axis=0) / (2 * step) + added)
    return np.array(speeds)
