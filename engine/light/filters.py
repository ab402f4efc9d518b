"""The few picture filters that the spike methods are made of, on float32 (h, w) pictures."""

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size

Picture = NDArray[np.float32]
"""One channel, (h, w)."""


def size_of(picture: NDArray[np.float32]) -> Size:
    return Size(picture.shape[0], picture.shape[1])


def blurred(picture: Picture, sigma_px: float) -> Picture:
    """Return the picture under a Gaussian; (h, w, 2) fields are blurred each component on its own."""
    return cast(Picture, cv2.GaussianBlur(picture, (0, 0), sigma_px))


def local_mean(picture: Picture, radius_px: int) -> Picture:
    """Return the mean of the square around every pixel; the picture is mirrored at its borders."""
    edge = 2 * radius_px + 1
    return cast(Picture, cv2.boxFilter(picture, -1, (edge, edge), borderType=cv2.BORDER_REFLECT))


def resized_linear(picture: Picture, size: Size) -> Picture:
    """Return the picture, or a field of (h, w, 2), drawn between its pixels."""
    return _resized(picture, size, cv2.INTER_LINEAR)


def resized_cubic(picture: Picture, size: Size) -> Picture:
    return _resized(picture, size, cv2.INTER_CUBIC)


def resized_by_area(picture: Picture, size: Size) -> Picture:
    """Return the means of the areas that the pixels of the new size cover."""
    return _resized(picture, size, cv2.INTER_AREA)


def halved(picture: Picture) -> Picture:
    """Return the picture at half its height and width, rounded up."""
    return resized_by_area(picture, Size((picture.shape[0] + 1) // 2, (picture.shape[1] + 1) // 2))


def pixel_grid(size: Size, of: Size) -> NDArray[np.float32]:
    """Return where the pixels of a picture of `size` lie on one of size `of` that shows the same.

    (h, w, 2) x and y; whole numbers are pixel centres.
    """
    x = (np.arange(size.width) + 0.5) * (of.width / size.width) - 0.5
    y = (np.arange(size.height) + 0.5) * (of.height / size.height) - 0.5
    return np.stack(np.meshgrid(x.astype(np.float32), y.astype(np.float32)), axis=2)


def sample(picture: Picture, places: NDArray[np.float32]) -> Picture:
    """Return the values at (h, w, 2) places between the pixels; beyond the border, those at the border."""
    no_second_map = cast(Any, None)
    sampled = cv2.remap(picture, places, no_second_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast(Picture, sampled)


def _resized(picture: Picture, size: Size, interpolation: int) -> Picture:
    if picture.shape[:2] == (size.height, size.width):
        return picture
    return cast(Picture, cv2.resize(picture, (size.width, size.height), interpolation=interpolation))
