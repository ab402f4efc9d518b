"""The picture filters against other libraries and naive loops."""

import numpy as np
import pytest
from scipy import ndimage

from engine.geometry import Size
from engine.light.filters import halved, local_mean, pixel_grid, resized_by_area, resized_linear, sample


def picture(height: int = 13, width: int = 17) -> np.ndarray:
    return np.random.default_rng(4).random((height, width), np.float32)


def test_sampling_agrees_with_scipy_between_pixels_and_beyond_the_border() -> None:
    source = picture()
    places = np.random.default_rng(5).uniform(-6, 22, (9, 11, 2)).astype(np.float32)
    expected = ndimage.map_coordinates(source, (places[..., 1], places[..., 0]), order=1, mode="nearest")
    # OpenCV places samples on a grid of 1/32 pixel.
    np.testing.assert_allclose(sample(source, places), expected, atol=2 / 32)


def test_sampling_at_the_pixels_gives_the_picture_back() -> None:
    source = picture()
    size = Size(13, 17)
    np.testing.assert_array_equal(sample(source, pixel_grid(size, size)), source)


def test_local_mean_agrees_with_scipy() -> None:
    source = picture()
    np.testing.assert_allclose(
        local_mean(source, 2), ndimage.uniform_filter(source, 5, mode="reflect"), atol=1e-5
    )


def test_grids_of_different_size_cover_the_same_picture() -> None:
    grid = pixel_grid(Size(4, 6), Size(2, 2))
    # Four rows on two: centres at 1/4, 3/4, 5/4, 7/4 of a pixel, counted from the first centre at 1/2.
    np.testing.assert_allclose(grid[:, 0, 1], [-0.25, 0.25, 0.75, 1.25])
    np.testing.assert_allclose(grid[0, :, 0], [-1 / 3, 0, 1 / 3, 2 / 3, 1, 4 / 3], atol=1e-6)


def test_resizing_by_area_takes_means() -> None:
    source = picture(8, 12)
    expected = source.reshape(4, 2, 6, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(resized_by_area(source, Size(4, 6)), expected, atol=1e-6)


@pytest.mark.parametrize("size", [Size(1, 1), Size(5, 3)])
def test_a_constant_picture_stays_constant_at_any_size(size: Size) -> None:
    constant = np.full((size.height, size.width), 0.3, np.float32)
    for result in (resized_linear(constant, Size(7, 9)), halved(constant)):
        np.testing.assert_allclose(result, 0.3, atol=1e-6)
