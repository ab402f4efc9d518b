import numpy as np
import pytest
from PySide6.QtCore import QPointF

from app.display import display_picture
from app.ui.panes.panes import LARGEST_PIXEL_PX, PaneGrid
from engine.geometry import Size

SIZE = Size(300, 400)


@pytest.fixture
def pair(theme, qtbot):
    pair = PaneGrid(theme)
    qtbot.addWidget(pair)
    pair.resize(1000, 400)
    with qtbot.waitExposed(pair):
        pair.show()
    pair.show_size(SIZE)
    random = np.random.default_rng(1)
    pair.first.show_picture(display_picture(random.random((300, 400, 3), np.float32)))
    return pair


def looks(pane):
    return (pane.centre.x(), pane.centre.y(), pane.px_per_pixel)


def assert_linked(pair):
    assert looks(pair.first) == pytest.approx(looks(pair.second), rel=1e-6)


def test_both_show_the_whole_picture_at_first(pair):
    assert_linked(pair)
    for pane in pair.panes:
        seen = pane.box.viewRect()
        assert seen.left() <= 1e-6
        assert seen.right() >= 400 - 1e-6
        assert seen.top() <= 1e-6
        assert seen.bottom() >= 300 - 1e-6


@pytest.mark.parametrize("moved", [0, 1])
def test_pan_and_zoom_of_one_moves_the_other(pair, moved):
    pane = pair.panes[moved]
    pane.box.scaleBy((0.25, 0.25), center=(100, 50))
    pane.box.translateBy((10, 5))
    pane.box.sigRangeChangedManually.emit([True, True])
    assert_linked(pair)
    assert pane.px_per_pixel > 2


def test_they_stay_linked_where_one_is_wider(pair, qtbot):
    pair.rows[0].setSizes([300, 700])
    qtbot.waitUntil(lambda: pair.second.width() > 1.5 * pair.first.width())
    assert_linked(pair)
    pair.zoom_to(8)
    assert_linked(pair)
    assert pair.px_per_pixel == pytest.approx(8)


def test_a_fitted_picture_stays_fitted_when_the_window_changes(pair, qtbot):
    before = pair.px_per_pixel
    pair.resize(600, 250)
    qtbot.waitUntil(lambda: pair.px_per_pixel < before)
    pair.resize(1000, 400)
    qtbot.waitUntil(lambda: pair.px_per_pixel == pytest.approx(before))
    assert_linked(pair)


def test_zooming_in_stops_at_large_pixels_and_out_at_a_small_picture(pair):
    for _ in range(60):
        pair.zoom_by(2)
    assert pair.px_per_pixel <= LARGEST_PIXEL_PX * 1.001
    for _ in range(60):
        pair.zoom_by(0.5)
    assert pair.px_per_pixel > 0.01


def test_actual_size_is_one_screen_pixel_a_pixel(pair):
    pair.actual_size()
    assert pair.px_per_pixel * pair.devicePixelRatioF() == pytest.approx(1)


def test_the_pixel_under_the_mouse_is_told_for_both(pair):
    pair.zoom_to(8)
    pane = pair.first
    told = []
    pair.pixel_hovered.connect(told.append)
    pane._on_mouse(pane.box.mapViewToScene(QPointF(200.5, 150.5)))
    assert told == [(200, 150)]
    assert pair.second.item._probe == (200, 150)
    pane._on_mouse(QPointF(-5, -5))
    assert told[-1] is None


def shown_pixels(pane):
    image = pane.canvas.grab().toImage()
    return {image.pixelColor(x, 20).rgb() for x in range(20, image.width() - 20)}


def test_squares_show_only_colours_of_the_picture_and_smoothing_mixes_them(pair):
    black_white = np.zeros((300, 400, 3), np.float32)
    black_white[:, 200:] = 1
    pair.first.show_picture(display_picture(black_white))
    pair.zoom_to(32)
    pair.set_smooth(False)
    assert len(shown_pixels(pair.first)) == 2
    pair.set_smooth(True)
    assert len(shown_pixels(pair.first)) > 10
