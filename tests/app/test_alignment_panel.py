"""Dragging windows on the timeline and typing their numbers, with real events."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.state.compare.results import Restored
from app.ui.alignment.alignment_panel import AlignmentPanel
from app.ui.parts.theme import DARK
from engine.alignment import AlignmentWindow
from engine.moment import Moment


@pytest.fixture
def edits(opened_window, qtbot):
    opened_window.activateWindow()  # or shortcuts mean nothing
    qtbot.waitUntil(opened_window.isActiveWindow)
    return opened_window.studio.alignment.edits


@pytest.fixture
def timeline(opened_window):
    timeline = opened_window.workspace.timeline
    timeline._view = (0.0, 60.0)
    return timeline


def drag(widget, start, stop, modifier=Qt.KeyboardModifier.NoModifier):
    """Press at a point, move to another in three steps, let go."""
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, modifier, start)
    for share in (0.3, 0.7, 1.0):
        at = start + QPoint(round((stop.x() - start.x()) * share), 0)
        QTest.mouseMove(widget, at)
        _move(widget, at, modifier)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, modifier, stop)


def _move(widget, at, modifier):
    """QTest's moves carry no buttons; send one that does."""
    place = QPointF(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        widget.mapToGlobal(place),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton,
        modifier,
    )
    QApplication.sendEvent(widget, event)


def at_plane(timeline, plane):
    bar = timeline.bar(timeline.content.current)
    return QPoint(round(timeline.scale.x(plane)), round(bar.center().y()))


def test_an_edge_is_dragged_and_undone(timeline, edits, opened_window):
    drag(timeline, at_plane(timeline, 16), at_plane(timeline, 12))
    assert edits.windows[0] == AlignmentWindow(0.0, 12.0)
    assert edits.stack.count() == 1
    QTest.keyClick(opened_window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert edits.windows[0] == AlignmentWindow(0.0, 16.0)
    QTest.keyClick(
        opened_window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert edits.windows[0] == AlignmentWindow(0.0, 12.0)


def test_the_bar_is_dragged_and_keeps_its_length(timeline, edits):
    drag(timeline, at_plane(timeline, 8), at_plane(timeline, 10.2))
    assert edits.windows[0] == AlignmentWindow(2.0, 18.0)


def test_an_edge_snaps_to_the_next_window_and_with_alt_to_nothing(timeline, edits):
    per_plane = timeline.scale.px_per_plane
    drag(timeline, at_plane(timeline, 16), at_plane(timeline, 20 - 3 / per_plane))
    assert edits.windows[0].stop == 20.0
    edits.stack.undo()
    drag(timeline, at_plane(timeline, 16), at_plane(timeline, 17.4), Qt.KeyboardModifier.AltModifier)
    assert edits.windows[0].stop == pytest.approx(17.4, abs=1.5 / per_plane)
    assert edits.windows[0].stop != 17.0


def test_a_click_on_the_bar_moves_nothing_and_one_beside_it_chooses_a_frame(timeline, edits, opened_window):
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at_plane(timeline, 8))
    assert not edits.is_edited
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at_plane(timeline, 47))
    assert opened_window.studio.position.index == 2


def test_an_edge_of_another_window_is_dragged_and_its_frame_chosen(timeline, edits, opened_window):
    drag(timeline, at_plane(timeline, 40), at_plane(timeline, 45))
    assert edits.windows[2] == AlignmentWindow(45.0, 56.0)
    assert opened_window.studio.position.index == 2
    assert edits.stack.count() == 1


def test_a_window_that_reaches_out_of_view_stays_under_the_mouse(timeline, edits):
    timeline._view = (0.0, 50.0)
    drag(timeline, at_plane(timeline, 40), at_plane(timeline, 44))
    assert timeline._view == (0.0, 50.0)
    assert edits.windows[2] == AlignmentWindow(44.0, 56.0)


def test_the_bar_of_another_window_is_chosen_not_moved(timeline, edits, opened_window):
    drag(timeline, at_plane(timeline, 48), at_plane(timeline, 51))
    assert not edits.is_edited
    assert opened_window.studio.position.index == 2


def test_edges_of_bars_too_narrow_to_tell_apart_are_not_grips(timeline, edits):
    timeline._view = (0.0, 2000.0)
    assert timeline.grip_at(at_plane(timeline, 116).toPointF()) is None
    assert not edits.is_edited


def test_snapping_is_switched_off_and_alt_then_snaps(timeline, edits, opened_window):
    QTest.keyClick(opened_window, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    assert not opened_window.settings.snap
    per_plane = timeline.scale.px_per_plane
    drag(timeline, at_plane(timeline, 16), at_plane(timeline, 12.4))
    assert edits.windows[0].stop == pytest.approx(12.4, abs=1.5 / per_plane)
    assert edits.windows[0].stop != 12.0
    edits.stack.undo()
    drag(timeline, at_plane(timeline, 16), at_plane(timeline, 12.2), Qt.KeyboardModifier.AltModifier)
    assert edits.windows[0] == AlignmentWindow(0.0, 12.0)
    QTest.keyClick(opened_window, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    assert opened_window.settings.snap


def test_undo_says_what_it_takes_back_and_goes_there(opened_window, edits):
    undo = opened_window.actions_by_key["undo"]
    assert undo.text() == "Undo"
    edits.nudge(4, 3)
    assert undo.text() == "Undo: Move window 5"
    undo.trigger()
    assert opened_window.studio.position.index == 4
    assert opened_window.actions_by_key["redo"].text() == "Redo: Move window 5"
    opened_window.studio.position.go(0)
    opened_window.actions_by_key["redo"].trigger()
    assert opened_window.studio.position.index == 4
    assert edits.windows[4] == AlignmentWindow(83.0, 99.0)


def test_the_cursor_tells_what_can_be_dragged(timeline):
    for plane, shape in (
        (16, Qt.CursorShape.SizeHorCursor),
        (40, Qt.CursorShape.SizeHorCursor),
        (8, Qt.CursorShape.OpenHandCursor),
        (30, Qt.CursorShape.ArrowCursor),
    ):
        timeline._show_cursor(timeline.grip_at(at_plane(timeline, plane).toPointF()))
        assert timeline.cursor().shape() == shape


def test_keys_nudge(opened_window, edits):
    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(opened_window, Qt.Key.Key_Right, alt)
    QTest.keyClick(opened_window, Qt.Key.Key_Right, alt | shift)
    assert edits.windows[0] == AlignmentWindow(11.0, 27.0)
    QTest.keyClick(opened_window, Qt.Key.Key_BracketLeft, Qt.KeyboardModifier.ControlModifier)
    assert edits.windows[0] == AlignmentWindow(11.0, 26.0)
    assert edits.stack.count() == 2  # both keys that move the window are one gesture


def test_edited_overlapping_and_apart_windows_are_coloured(timeline, edits):
    edits.set_window(0, AlignmentWindow(0.0, 24.0))
    image = timeline.grab().toImage()
    ratio = image.devicePixelRatio()

    def colours_at(plane):
        x = round(timeline.scale.x(plane) * ratio)
        return {image.pixelColor(x, y).name() for y in range(image.height())}

    assert QColor(DARK.accent).name() in colours_at(10)
    assert QColor(DARK.warning).name() in colours_at(22)
    assert QColor(DARK.warning).name() not in colours_at(38)


def test_a_result_made_from_another_window_says_so_until_the_edit_is_undone(opened_window, edits, qtbot):
    studio, panes = opened_window.studio, opened_window.workspace.panes
    picture = np.zeros((60, 80, 3), np.float32)
    studio.results.put(Moment(0), Restored(picture, "spike-ratio", studio.session.sequence.gamma, 0.1))
    studio.position.go(1)
    studio.position.go(0)
    qtbot.waitUntil(lambda: "spike ratio" in panes.second.title.text())
    assert "stale" not in panes.second.title.text()
    edits.nudge(0, 1)
    assert panes.second.title.text().startswith("Restored · stale: window moved")
    assert opened_window.workspace.timeline.content.stale == {0}
    edits.stack.undo()
    assert "stale" not in panes.second.title.text()
    assert not opened_window.workspace.timeline.content.stale


def test_the_panel_shows_and_takes_numbers(opened_window, edits, qtbot):
    panel = opened_window.alignment_panel
    QTest.keyClick(opened_window, Qt.Key.Key_F8)
    QTest.keyClick(opened_window, Qt.Key.Key_F8)
    opened_window.docks.show("alignment_panel")
    qtbot.waitUntil(panel.isVisible)
    assert (panel.start.value(), panel.stop.value(), panel.length.value()) == (0, 16, 16)
    assert "8 ms long" in panel.times.text()
    qtbot.waitUntil(lambda: not panel.seen.is_empty)

    panel.start.selectAll()
    QTest.keyClicks(panel.start, "2.5")
    QTest.keyClick(panel.start, Qt.Key.Key_Return)
    assert edits.windows[0] == AlignmentWindow(2.5, 16.0)
    panel.length.selectAll()
    QTest.keyClicks(panel.length, "10")
    QTest.keyClick(panel.length, Qt.Key.Key_Return)
    assert edits.windows[0] == AlignmentWindow(4.25, 14.25)
    panel.shift.setValue(3)
    QTest.mouseClick(panel.buttons[0], Qt.MouseButton.LeftButton)
    assert edits.windows[9] == AlignmentWindow(183.0, 199.0)
    assert "10 of 10" in panel.state.text()
    panel.drift.setValue(0.5)
    QTest.mouseClick(panel.buttons[2], Qt.MouseButton.LeftButton)
    assert edits.windows[9] == AlignmentWindow(187.5, 203.5)
    opened_window.actions_by_key["reset_windows"].trigger()
    assert not edits.is_edited


@pytest.fixture
def panel(opened_window, qtbot):
    opened_window.docks.show("alignment_panel")
    panel = opened_window.alignment_panel
    opened_window.activateWindow()
    qtbot.waitUntil(lambda: panel.isVisible() and opened_window.isActiveWindow())
    return panel


def test_going_through_the_numbers_rounds_none_of_them(panel, edits):
    edits.set_window(0, AlignmentWindow(0.123456, 16.0))
    panel.start.setFocus()
    for _ in range(4):
        QTest.keyClick(panel.window().focusWidget(), Qt.Key.Key_Tab)
    assert edits.windows[0] == AlignmentWindow(0.123456, 16.0)
    panel.stop.setFocus()
    panel.stop.stepUp()
    assert edits.windows[0] == AlignmentWindow(0.123456, 17.0)


def test_steps_of_a_number_act_at_once_and_are_undone_together(panel, edits):
    panel.start.setFocus()
    for _ in range(3):
        QTest.keyClick(panel.start, Qt.Key.Key_Up)
    assert edits.windows[0] == AlignmentWindow(3.0, 16.0)
    edits.stack.undo()
    assert edits.windows[0] == AlignmentWindow(0.0, 16.0)
    assert panel.start.value() == 0


def test_a_start_behind_the_stop_ends_before_it(panel, edits):
    panel.start.setValue(500)
    assert edits.windows[0] == AlignmentWindow(15.0, 16.0)
    assert panel.start.value() == 15


def test_scrolling_past_a_number_does_not_change_it(panel, edits):
    panel.heading.setFocus()
    panel.start.clearFocus()
    at = QPointF(panel.start.rect().center())
    event = QWheelEvent(
        at,
        panel.start.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(panel.start, event)
    assert not edits.is_edited


def test_the_width_for_what_is_wrapped_does_not_depend_on_the_height(opened_window, qtbot):
    """Where it does, the scroll bar makes room for itself and goes again, until the stack is full."""
    panel = AlignmentPanel(opened_window.actions_by_key)
    qtbot.addWidget(panel)
    panel.show_studio(opened_window.studio)
    panel.show()
    widths = set()
    for height in (200, 3000):
        panel.resize(300, height)
        qtbot.waitUntil(lambda height=height: panel.height() == height)
        QApplication.processEvents()
        widths.add(panel.body.width())
    panel.show_studio(None)
    assert len(widths) == 1


def test_the_panel_follows_the_frame_and_the_tab(opened_window):
    panel = opened_window.alignment_panel
    opened_window.docks.show("alignment_panel")
    opened_window.studio.position.go(4)
    assert panel.start.value() == 80
    opened_window.tabs.free()
    assert not panel.start.isEnabled()
    opened_window.tabs.choose(0)
    assert panel.start.value() == 80


def test_pictures_of_windows_are_made_only_while_they_are_seen(opened_window, qtbot):
    studio = opened_window.studio
    opened_window.docks.show("queue_panel")
    qtbot.waitUntil(lambda: not opened_window.alignment_panel._seen)
    studio.position.go(4)
    qtbot.waitUntil(lambda: studio.pictures.view.index == 4)
    seen = studio.alignment.pictures.current
    assert seen is None or seen.index != 4
    opened_window.docks.show("alignment_panel")
    qtbot.waitUntil(lambda: (picture := studio.alignment.pictures.current) and picture.index == 4)
