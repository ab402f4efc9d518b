"""What is true of a scene at an instant: where its moving things are, what of them is seen, how all moves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size
from training.deformation import seen_at
from training.motion import moved
from training.scene import Picture, Scene, drawn, pixel_matrix, reached_region

HALF = 0.5
"""A pixel belongs to what covers at least this share of it."""
STEP_PLANES = 0.25
"""Half of the time over which velocities are taken, to either side."""

Flow = NDArray[np.float64]
"""(H, W, 2) x and y, in pixels a plane."""


@dataclass(frozen=True)
class ThingView:
    """A moving thing as a frame shows it at an instant."""

    thing: int
    kind: str
    x0: float
    y0: float
    x1: float
    y1: float
    """Edges of the smallest box, in pixels of the frame from its top left corner, around all of the thing
    that lies in the frame, also where something hides it."""
    visible: float
    """Share of the whole thing that the frame shows: neither hidden nor outside."""
    velocity_px: tuple[float, float]
    """x and y of the mean over the whole thing, in pixels a plane."""


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A layer's cover in the region that it reaches, which may lie outside the frame."""

    number: int
    region: Region
    cover: Picture


def things_at(scene: Scene, at_plane: float) -> list[ThingView]:
    """Return the moving things of which the frame shows a pixel, or would if nothing hid it, by number."""
    layers = [one for one in (_cover_of(scene, number, at_plane) for number in _covered(scene)) if one]
    numbers = sorted({scene.layers[one.number].thing for one in layers} - {0})
    views = (_view(scene, layers, number, at_plane) for number in numbers)
    return [view for view in views if view is not None]


def flow_at(scene: Scene, at_plane: float) -> Flow:
    """Return how what each pixel of the frame shows moves: (H, W, 2) x and y, in pixels a plane.

    At the middle of the pixel, of the foremost layer that covers at least half of it.
    """
    frame = Region.whole(scene.size)
    flow = _layer_flow(scene, 0, frame, at_plane)
    for number in _covered(scene):
        one = _cover_of(scene, number, at_plane)
        region = None if one is None else frame.intersect(one.region)
        if one is None or region is None:
            continue
        covers = one.cover[_within(region, one.region).slices] >= HALF
        flow[region.slices][covers] = _layer_flow(scene, number, region, at_plane)[covers]
    return flow


def _covered(scene: Scene) -> range:
    return range(1, len(scene.layers))


def _cover_of(scene: Scene, number: int, at_plane: float) -> _Drawn | None:
    layer = scene.layers[number]
    matrix = pixel_matrix(scene, number, at_plane, scene.size)
    region = reached_region(layer, matrix)
    if region is None or layer.cover is None:
        return None
    # What is nearer than sense is cut: four frames to every side are enough for a share.
    bound = Region(*(sign * side * 4 for sign, side in zip((-1, -1, 5, 5), _sides(scene.size), strict=True)))
    inside = region.intersect(bound)
    if inside is None:
        return None
    return _Drawn(number, inside, drawn(layer.cover, layer, matrix, inside, at_plane))


def _sides(size: Size) -> tuple[int, int, int, int]:
    return size.height, size.width, size.height, size.width


def _within(region: Region, outer: Region) -> Region:
    """Return a region in the indices of an array that holds `outer`."""
    return Region(
        region.top - outer.top, region.left - outer.left, region.bottom - outer.top, region.right - outer.left
    )


def _view(scene: Scene, layers: list[_Drawn], thing: int, at_plane: float) -> ThingView | None:
    own = [one for one in layers if scene.layers[one.number].thing == thing]
    whole = Region(
        min(one.region.top for one in own),
        min(one.region.left for one in own),
        max(one.region.bottom for one in own),
        max(one.region.right for one in own),
    )
    # How much of each pixel the thing takes, were it alone, and how much of that is seen.
    alone = np.zeros((whole.size.height, whole.size.width))
    seen = np.zeros_like(alone)
    moves = np.zeros(2)
    for one in layers:
        region = whole.intersect(one.region)
        if region is None:
            continue
        place = _within(region, whole).slices
        cover = one.cover[_within(region, one.region).slices].astype(np.float64)
        seen[place] *= 1 - cover
        if one in own:
            alone[place] += cover * (1 - alone[place])
            seen[place] += cover
            flow = _layer_flow(scene, one.number, region, at_plane)
            moves += (flow * cover[..., None]).sum(axis=(0, 1))
    frame = Region.whole(scene.size).intersect(whole)
    if frame is None:
        return None
    shown = alone[_within(frame, whole).slices] >= HALF
    if not shown.any():
        return None
    rows, columns = (np.flatnonzero(shown.any(axis=axis)) for axis in (1, 0))
    velocity = moves / sum(float(one.cover.sum()) for one in own)
    return ThingView(
        thing,
        scene.layers[own[0].number].kind,
        float(frame.left + columns[0]),
        float(frame.top + rows[0]),
        float(frame.left + columns[-1] + 1),
        float(frame.top + rows[-1] + 1),
        min(1.0, float(seen[_within(frame, whole).slices].sum() / alone.sum())),
        (float(velocity[0]), float(velocity[1])),
    )


def _homogeneous(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([x, y, np.ones_like(x)])


def _layer_flow(scene: Scene, number: int, region: Region, at_plane: float) -> Flow:
    """Return the velocity of a layer's points at the pixels of a region, as if it covered all of them."""
    layer = scene.layers[number]
    rows, columns = np.mgrid[region.top : region.bottom, region.left : region.right].astype(np.float64)
    x = columns.ravel() - (scene.size.width - 1) / 2
    y = rows.ravel() - (scene.size.height - 1) / 2
    places = moved(np.linalg.inv(scene.matrix(number, at_plane)), _homogeneous(x, y))
    deformation = layer.deformation
    points = places if deformation is None else places + deformation.displacement(places, at_plane)

    def shown(plane: float) -> NDArray[np.float64]:
        now = points if deformation is None else seen_at(deformation, points, plane)
        return moved(scene.matrix(number, plane), _homogeneous(*now))

    flow = (shown(at_plane + STEP_PLANES) - shown(at_plane - STEP_PLANES)) / (2 * STEP_PLANES)
    return flow.T.reshape(region.size.height, region.size.width, 2)
