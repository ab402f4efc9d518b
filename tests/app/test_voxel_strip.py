import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest

from app.state.spikes.spike_views import VoxelPictures
from app.ui.spikes.voxel_strip import VoxelStrip, grid_of


@pytest.fixture
def strip(theme, qtbot):
    strip = VoxelStrip(theme)
    qtbot.addWidget(strip)
    strip.resize(1000, 130)
    pictures = tuple(np.full((48, 64), 8 * n, np.uint8) for n in range(32))
    spans = tuple((2.5 * n, 2.5 * n + 2.5) for n in range(32))
    strip.show_voxels(VoxelPictures(4, spans, pictures, tuple(range(32)), 3.0, 0.0), 2000.0)
    strip.show()
    return strip


def test_all_bins_are_drawn_in_order_on_one_scale(strip):
    image = strip.grab().toImage()
    ratio = image.devicePixelRatio()
    boxes = strip._boxes()
    assert len(boxes) == 32
    for n, box in enumerate(boxes):
        at = box.center() * ratio
        assert image.pixelColor(at.toPoint()).red() == pytest.approx(8 * n, abs=1)
        assert strip.rect().contains(box.toRect())


def test_the_bin_under_the_mouse_is_told_and_forgotten(strip, qtbot):
    told = []
    strip.bin_hovered.connect(told.append)
    centre = strip._boxes()[7].center().toPoint()
    QTest.mouseMove(strip, QPoint(2, 2))
    QTest.mouseMove(strip, centre)
    qtbot.waitUntil(lambda: told == [(17.5, 20.0)])
    strip.leaveEvent(None)
    assert told[-1] is None


@pytest.mark.parametrize(
    ("width", "height", "rows"), [(2000, 40, 1), (1200, 100, 2), (600, 200, 4), (50, 3000, 4)]
)
def test_rows_are_chosen_for_the_largest_pictures(width, height, rows):
    chosen, columns, picture = grid_of(32, width, height, 4 / 3)
    assert chosen == rows
    assert columns * picture <= width
    assert chosen * picture * 3 / 4 <= height + 1e-6


def test_nothing_to_show_is_painted_too(strip):
    strip.show_voxels(None, None)
    strip.grab()
    assert strip.bin_at(QPoint(100, 60)) is None
