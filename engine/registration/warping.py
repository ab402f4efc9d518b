"""Pictures drawn where another camera's pixels lie on them."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size
from engine.registration.homography import Between, Beyond, Homography, mapped

_INTERPOLATIONS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST}
_BORDERS = {"nothing": cv2.BORDER_CONSTANT, "mirrored": cv2.BORDER_REFLECT}
KEPT_PLACES = 4


def warped(
    picture: NDArray[np.float32],
    matrix: Homography,
    size: Size,
    *,
    samples: int = 1,
    between: Between = "linear",
    beyond: Beyond = "mirrored",
    region: Region | None = None,
    cut: Region | None = None,
) -> NDArray[np.float32]:
    """Return a picture of `size` whose pixels `matrix` takes to those of `picture`, (h, w) or (h, w, c).

    With `samples` each way within every pixel, their mean: where a pixel covers several of the picture,
    what it saw is the mean of them. With a `region` only its pixels; `cut` is the part that `picture` is
    of the whole one.
    """
    region = region or Region.whole(size)
    left, top = (0, 0) if cut is None else (cut.left, cut.top)
    total: NDArray[np.float32] | None = None
    for places in _all_places(matrix, region, samples):
        at = places if (left, top) == (0, 0) else places - np.array([left, top], np.float32)
        drawn = _drawn(picture, at, between, beyond)
        total = drawn if total is None else np.add(total, drawn, out=total)
    assert total is not None
    return total if samples == 1 else total / np.float32(samples * samples)


def _all_places(matrix: Homography, region: Region, samples: int) -> Iterator[NDArray[np.float32]]:
    """Yield where one sample after the other of every pixel lies; kept where there is but one a pixel."""
    if samples == 1:
        yield _kept_places(matrix, region)
        return
    offsets = (np.arange(samples) + 0.5) / samples - 0.5
    for down in offsets.tolist():
        for across in offsets.tolist():
            yield _places(matrix, region, across, down)


def _places(matrix: Homography, region: Region, across: float, down: float) -> NDArray[np.float32]:
    x = np.arange(region.left, region.right) + across
    y = np.arange(region.top, region.bottom) + down
    grid = np.stack(np.meshgrid(x, y), axis=2)
    return mapped(np.array(matrix), grid).astype(np.float32)


@lru_cache(KEPT_PLACES)
def _kept_places(matrix: Homography, region: Region) -> NDArray[np.float32]:
    places = _places(matrix, region, 0.0, 0.0)
    places.flags.writeable = False
    return places


def _drawn(
    picture: NDArray[np.float32], places: NDArray[np.float32], between: Between, beyond: Beyond
) -> NDArray[np.float32]:
    remap = cast(Callable[..., Any], cv2.remap)
    drawn = remap(
        picture,
        places,
        None,
        _INTERPOLATIONS[between],
        borderMode=_BORDERS[beyond],
        borderValue=0,
    )
    return np.asarray(drawn, np.float32).reshape(*places.shape[:2], *picture.shape[2:])
