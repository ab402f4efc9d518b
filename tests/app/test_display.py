"""What is on the screen is what an exported file holds."""

from pathlib import Path

import numpy as np
import pytest

from app.display import Look, display_partial, display_picture, display_samples, to_bytes
from engine.export import to_levels
from engine.geometry import Region
from engine.samples import as_values


@pytest.fixture
def picture():
    random = np.random.default_rng(5)
    picture = random.random((37, 53, 3), np.float32) * 1.4 - 0.2
    picture[0, :3, 0] = (0.5 / 255, 1.5 / 255, 254.5 / 255)
    return picture


def test_bytes_round_as_export_rounds(picture):
    assert (to_bytes(picture) == to_levels(picture, 8, Path("a.png"))).all()


def test_values_that_are_not_numbers_are_black_and_infinite_ones_clipped():
    values = np.array([np.nan, np.inf, -np.inf], np.float32).reshape(1, 1, 3)
    assert to_bytes(values).tolist() == [[[0, 255, 0]]]


def test_the_shown_picture_gives_its_bytes_back(picture):
    shown = display_picture(picture)
    assert (shown.rgb == to_bytes(picture)).all()
    assert (shown.size.height, shown.size.width) == (37, 53)


@pytest.mark.parametrize("look", [Look(), Look(black=0.2, white=0.7, gamma=1.5)])
def test_bytes_are_shown_as_the_values_they_stand_for(look):
    stored = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    shown = display_samples(stored, look)
    assert (shown.rgb == display_picture(as_values(stored), look).rgb).all()
    if look.is_neutral:
        assert (shown.rgb == stored).all()


def test_smaller_levels_are_means_of_the_picture():
    picture = np.zeros((512, 512, 3), np.float32)
    picture[:, 1::2] = 1.0
    levels = display_picture(picture).levels
    assert [level.shape[0] for level in levels] == [512, 256, 128]
    assert set(np.unique(levels[1][..., :3])) <= {127, 128}
    assert all(level.flags.c_contiguous for level in levels)


def test_a_partial_picture_is_exact_where_it_is_finished_and_darker_elsewhere():
    blurry = display_picture(np.full((10, 10, 3), 0.8, np.float32))
    partial = np.full((10, 10, 3), 0.4, np.float32)
    shown = display_partial(partial, blurry, (Region(0, 0, 5, 10), Region(5, 0, 10, 4))).rgb
    assert (shown[:5] == 102).all()
    assert (shown[5:, :4] == 102).all()
    assert (shown[5:, 4:] < 204).all()
