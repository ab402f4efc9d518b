"""A moving scene: textured layers on paths, seen by a moving camera, rendered at any time.

Coordinates are centred: the origin is the middle of the frame (and of a layer), x to the right, y down, one
unit a frame pixel. A layer's point lands at camera · own · point.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size
from training.motion import STILL, Motion, grid_points

Picture = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layer:
    """A texture on a path.

    `colour` is (h, w, 3) RGB code values in [0, 1]; `cover` is (h, w) in [0, 1], how much of what lies
    behind is hidden. None: the layer hides everything, without end, mirrored at its borders.
    """

    colour: Picture
    cover: Picture | None = None
    motion: Motion = STILL

    def __post_init__(self) -> None:
        if self.colour.ndim != 3 or self.colour.shape[2] != 3:
            raise ValueError(f"a layer's colour is (h, w, 3), got {self.colour.shape}")
        if self.cover is not None and self.cover.shape != self.colour.shape[:2]:
            raise ValueError(f"cover {self.cover.shape} does not fit colour {self.colour.shape}")

    @property
    def size(self) -> Size:
        return Size(*self.colour.shape[:2])


@dataclass(frozen=True, eq=False)
class Scene:
    """What the cameras look at: `layers` from back to front, the first without cover."""

    size: Size
    """Size of the rendered frame."""
    layers: tuple[Layer, ...]
    camera: Motion = STILL

    def __post_init__(self) -> None:
        if not self.layers or self.layers[0].cover is not None:
            raise ValueError("the first layer of a scene fills the frame, so it must exist and have no cover")


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

    def __init__(self, scene: Scene, gamma: float = 1.0) -> None:
        self.scene = scene
        self._layers = [_premultiply(layer, gamma) for layer in scene.layers]

    def picture(self, at_plane: float) -> Picture:
        """Return the scene at a real plane position: (H, W, 4) float32, RGB signal in [0, 1] and ones."""
        scene, camera = self.scene, self.scene.camera.pose(at_plane).matrix()
        size = scene.size
        backdrop = _pixel_matrix(scene.layers[0], camera, at_plane, size)
        picture: Picture = cv2.warpAffine(
            self._layers[0],
            np.linalg.inv(backdrop)[:2],
            (size.width, size.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )  # type: ignore[assignment]
        for layer, texture in zip(scene.layers[1:], self._layers[1:], strict=True):
            _lay_over(picture, texture, _pixel_matrix(layer, camera, at_plane, size))
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


def _pixel_matrix(
    layer: Layer, camera: NDArray[np.float64], at_plane: float, frame: Size
) -> NDArray[np.float64]:
    """Return the (3, 3) matrix from the layer's pixel indices to the frame's."""
    matrix = camera @ layer.motion.pose(at_plane).matrix()
    to_centre = np.eye(3)
    to_centre[:2, 2] = -(layer.size.width - 1) / 2, -(layer.size.height - 1) / 2
    from_centre = np.eye(3)
    from_centre[:2, 2] = (frame.width - 1) / 2, (frame.height - 1) / 2
    return from_centre @ matrix @ to_centre


def _lay_over(picture: Picture, texture: Picture, matrix: NDArray[np.float64]) -> None:
    """Draw a premultiplied texture over the picture, touching only the rectangle it can reach."""
    height, width = texture.shape[:2]
    corners = np.array([[-1, width, width, -1], [-1, -1, height, height], [1, 1, 1, 1]], np.float64)
    reached = (matrix @ corners)[:2]
    left, top = np.floor(reached.min(axis=1)).astype(int).tolist()
    right, bottom = np.ceil(reached.max(axis=1)).astype(int).tolist()
    if right < 0 or bottom < 0:
        return
    frame = Region(0, 0, picture.shape[0], picture.shape[1])
    region = frame.intersect(Region(top, left, bottom + 1, right + 1))
    if region is None:
        return
    inside = np.linalg.inv(matrix)
    inside[:2, 2] += inside[:2, :2] @ (region.left, region.top)
    drawn: Picture = cv2.warpAffine(
        texture,
        inside[:2],
        (region.size.width, region.size.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )  # type: ignore[assignment]
    behind = picture[region.slices]
    behind *= 1.0 - drawn[..., 3:]
    behind += drawn


def speeds_px(scene: Scene, at_planes: Sequence[float], layer: int) -> NDArray[np.float64]:
    """Return how fast a layer's points cross the frame, in pixels a plane: (times, points).

    The points are a grid over the layer (over the frame, for the backdrop), as they lie at each time.
    """
    size = scene.size if layer == 0 else scene.layers[layer].size
    points = grid_points(size)
    step = 0.25
    speeds = []
    for plane in at_planes:
        before, after = (
            scene.camera.pose(time).matrix() @ scene.layers[layer].motion.pose(time).matrix() @ points
            for time in (plane - step, plane + step)
        )
        speeds.append(np.linalg.norm((after - before)[:2], axis=0) / (2 * step))
    return np.array(speeds)
