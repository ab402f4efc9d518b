import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest

from app.state.spikes.spike_rate import RateCurve
from app.ui.parts.theme import DARK
from app.ui.timeline.timeline import Timeline
from engine.alignment import AlignmentWindow


@pytest.fixture
def timeline(theme, qtbot):
    timeline = Timeline(theme)
    qtbot.addWidget(timeline)
    timeline.resize(820, 150)
    timeline.show_sequence(
        [AlignmentWindow(20.0 * i, 20.0 * i + 16) for i in range(10)],
        lambda i: f"{i + 1:04d}",
        planes=200,
        parts=(0,),
        rate_hz=2000.0,
        guess=False,
    )
    timeline.show()
    return timeline


def click(timeline, plane, button=Qt.MouseButton.LeftButton):
    QTest.mouseClick(timeline, button, pos=QPoint(round(timeline.scale.x(plane)), 60))


def turn(timeline, plane, notches, sideways=0, modifier=Qt.KeyboardModifier.NoModifier):
    at = QPointF(timeline.scale.x(plane), 60)
    event = QWheelEvent(
        at,
        timeline.mapToGlobal(at),
        QPoint(),
        QPoint(120 * sideways, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    timeline.wheelEvent(event)


def pixel(timeline, plane, y):
    image = timeline.grab().toImage()
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(timeline.scale.x(plane) * ratio), round(y * ratio))


@pytest.mark.parametrize(("plane", "frame"), [(5, 0), (47, 2), (199, 9), (17, 0)])
def test_a_click_chooses_the_frame_under_it(timeline, qtbot, plane, frame):
    with qtbot.waitSignal(timeline.frame_chosen) as chosen:
        click(timeline, plane)
    assert chosen.args == [frame]


def test_the_wheel_zooms_around_the_cursor_and_a_double_click_shows_everything(timeline):
    turn(timeline, 100, 4)
    assert timeline.scale.stop - timeline.scale.start == pytest.approx(200 / 1.25**4)
    turn(timeline, 60, -40)
    assert (timeline.scale.start, timeline.scale.stop) == (0, 200)
    turn(timeline, 100, 4)
    QTest.mouseDClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(400, 60))
    assert (timeline.scale.start, timeline.scale.stop) == (0, 200)


@pytest.mark.parametrize("turned", [{"sideways": -2}, {"modifier": Qt.KeyboardModifier.ShiftModifier}])
def test_turned_sideways_or_with_shift_the_wheel_moves_the_view(timeline, turned):
    turn(timeline, 100, 6)
    start, stop = timeline._view
    turn(timeline, 100, **{"notches": -2 if "modifier" in turned else 0, **turned})
    by = 0.2 * (stop - start)
    assert timeline._view == pytest.approx((start + by, stop + by))


def test_a_frame_outside_the_zoomed_view_is_brought_into_it(timeline):
    turn(timeline, 10, 8)
    assert timeline.scale.stop < 180
    timeline.show_current(9)
    assert timeline.scale.start <= 180
    assert timeline.scale.stop >= 196


def test_the_current_window_is_painted_in_its_own_colour(timeline):
    bars_y = next(y for y in range(40, 140) if pixel(timeline, 2, y) == QColor(DARK.current))
    assert pixel(timeline, 22, bars_y) == QColor(DARK.bar)
    timeline.show_current(1)
    assert pixel(timeline, 2, bars_y) == QColor(DARK.bar)
    assert pixel(timeline, 22, bars_y) == QColor(DARK.current)


def test_restored_frames_are_underlined(timeline):
    def has_mark(plane):
        return any(pixel(timeline, plane, y) == QColor(DARK.restored) for y in range(60, 140))

    assert not has_mark(48)
    timeline.show_restored(frozenset({2}), frozenset())
    assert has_mark(48)
    assert not has_mark(28)


def test_thin_bars_are_coloured_as_wide_ones_are(theme, qtbot):
    timeline = Timeline(theme)
    qtbot.addWidget(timeline)
    timeline.resize(820, 150)
    frames = 400  # 2 px each, 1 px apart
    windows = [AlignmentWindow(20.0 * i, 20.0 * i + 16) for i in range(frames)]
    timeline.show_sequence(windows, str, planes=20 * frames, parts=(0,), rate_hz=None, guess=False)
    timeline.show_windows(windows, frozenset(range(100)), can_edit=True)
    timeline.show_restored(frozenset(range(100, 300)), frozenset(range(200, 300)))
    timeline.show_current(399)
    image = timeline.grab().toImage()
    ratio = image.devicePixelRatio()

    def share(first, last, colour):
        """Of the columns of some frames, how many have a pixel near a colour."""
        left, right = (round(timeline.scale.x(20.0 * frame) * ratio) for frame in (first, last))
        wanted = QColor(colour)
        near = [
            any(
                abs(image.pixelColor(x, y).red() - wanted.red()) < 40
                and abs(image.pixelColor(x, y).green() - wanted.green()) < 40
                and abs(image.pixelColor(x, y).blue() - wanted.blue()) < 40
                for y in range(image.height())
            )
            for x in range(left, right)
        ]
        return sum(near) / len(near)

    assert share(5, 95, DARK.accent) > 0.3
    assert share(105, 195, DARK.restored) > 0.3
    assert share(205, 295, DARK.restored) == 0
    assert share(205, 295, DARK.stale) > 0.2
    assert share(305, 390, DARK.bar) > 0.3
    assert share(305, 390, DARK.accent) == 0


def test_a_guessed_window_looks_different_and_says_so(timeline):
    known = timeline.grab().toImage()
    timeline.show_sequence(
        [AlignmentWindow(20.0 * i, 20.0 * i + 16) for i in range(10)],
        str,
        planes=200,
        parts=(0,),
        rate_hz=None,
        guess=True,
    )
    assert timeline.grab().toImage() != known
    assert any("guess" in line for line in timeline.tip_lines(5))


def test_the_tip_tells_plane_time_rate_and_frame(timeline):
    timeline.show_rate(RateCurve.of_counts(np.arange(200, dtype=np.int64), 1000), None)
    timeline.show_restored(frozenset({2}), frozenset())
    assert timeline.tip_lines(47.5) == [
        "Plane 47 · 23.75 ms",
        "0.0470 spikes per pixel in this plane",
        "Frame 3 · 0003",
        "exposed in planes 40–56 (8 ms)",
        "Restored",
    ]
    assert timeline.tip_lines(38)[-1].startswith("0.0380")


@pytest.mark.parametrize("size", [(100, 20), (200, 92), (3000, 600)])
@pytest.mark.parametrize("frames", [0, 1, 3000])
def test_it_paints_at_any_size_with_any_number_of_frames(timeline, size, frames):
    timeline.show_sequence(
        [AlignmentWindow(7.5 * i, 7.5 * i + 20) for i in range(frames)],
        str,
        planes=20000,
        parts=(0, 300, 9000),
        rate_hz=20000.0,
        guess=False,
    )
    timeline.show_rate(RateCurve.of_counts(np.arange(20000, dtype=np.int64), 40000), None)
    timeline.resize(*size)
    timeline.grab()


def test_without_any_planes_it_says_what_to_do(timeline):
    timeline.show_sequence([], str, planes=0, parts=(), rate_hz=None, guess=True)
    timeline.grab()
    click(timeline, 0.5)
