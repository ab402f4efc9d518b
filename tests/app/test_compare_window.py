"""Comparing with mouse and keys in the whole window."""

import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog
from shiboken6 import isValid

from app.state.compare.comparing import BLURRY, REFERENCE, TFP, VOXEL, Choice
from app.state.compare.results import Restored
from engine.geometry import Region
from engine.moment import Moment
from engine.restoration.evidence import DISAGREE, NO_PLANES, NOTHING_CHANGED, STILL
from engine.source import SequenceSource


@pytest.fixture
def shown(opened_window, qtbot):
    opened_window.activateWindow()
    qtbot.waitUntil(opened_window.isActiveWindow)
    return opened_window


def grid(window):
    return window.workspace.panes


def place(pane, x, y):
    """Return where pixel (x, y) lies in a pane's canvas."""
    scene = pane.box.mapViewToScene(type(pane.centre)(x + 0.5, y + 0.5))
    return pane.canvas.mapFromScene(scene)


def drag(widget, points, modifiers=Qt.KeyboardModifier.NoModifier):
    """Press at the first point, move over the others with the button held, and let go."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton

    def send(kind, at, button, held):
        local = QPointF(at)
        event = QMouseEvent(kind, local, QPointF(widget.mapToGlobal(at)), button, held, modifiers)
        QApplication.sendEvent(widget, event)
        QTest.qWait(30)

    send(QEvent.Type.MouseButtonPress, points[0], left, left)
    for point in points[1:]:
        send(QEvent.Type.MouseMove, point, none, left)
    send(QEvent.Type.MouseButtonRelease, points[-1], left, none)


def press(window, key):
    QTest.keyClick(window, key)


def test_keys_choose_for_the_pane_under_the_mouse(shown, qtbot):
    panes, comparison = grid(shown), shown.studio.comparison
    drag(panes.second.canvas.viewport(), [place(panes.second, 20, 20), place(panes.second, 30, 20)])
    qtbot.waitUntil(lambda: comparison.active == 1)
    press(shown, Qt.Key.Key_3)
    assert comparison.shown[1] == Choice(REFERENCE)
    qtbot.waitUntil(lambda: panes.second.item.picture is not None)
    assert panes.second.title.text() == "Reference"
    press(shown, Qt.Key.Key_9)
    assert comparison.shown[1] == Choice(REFERENCE, BLURRY)
    assert panes.second.title.text() == "Reference − Blurry · × 4"


def test_four_panes_look_at_the_same_place(shown, qtbot):
    panes = grid(shown)
    shown.actions_by_key["panes_4"].trigger()
    assert len(panes.panes) == 4
    qtbot.waitUntil(lambda: all(pane.isVisible() and pane.box.width() > 50 for pane in panes.panes))
    panes.zoom_to(6)
    wheel_at = panes.panes[3]
    wheel_at.box.scaleBy((0.5, 0.5))
    wheel_at.box.sigRangeChangedManually.emit([True, True])
    for pane in panes.panes:
        assert pane.px_per_pixel == pytest.approx(12, rel=1e-3)
        assert (pane.centre.x(), pane.centre.y()) == pytest.approx(
            (panes.first.centre.x(), panes.first.centre.y()), abs=0.01
        )
    shown.actions_by_key["panes_1"].trigger()
    assert [pane.isVisible() for pane in panes._all] == [True, False, False, False]


def test_holding_the_key_flips_and_letting_go_flips_back(shown):
    comparison = shown.studio.comparison
    QTest.keyPress(shown, Qt.Key.Key_X)
    assert comparison.flipped
    assert grid(shown).second.title.text() == "Blurry"
    QTest.keyRelease(shown, Qt.Key.Key_X)
    assert not comparison.flipped
    assert grid(shown).first.title.text() == "Blurry"


def test_frames_count_as_restored_on_the_timeline_where_something_was_changed(shown, qtbot):
    studio, picture = shown.studio, np.ones((60, 80, 3), np.float32)
    for frame, reason in enumerate(("", STILL, NO_PLANES, NOTHING_CHANGED, DISAGREE, "")):
        studio._on_frame_restored(Moment(frame), Restored(picture, "network", 1.0, 0.1, unchanged=reason))
    qtbot.waitUntil(lambda: 5 in shown.workspace.timeline.content.restored)
    assert shown.workspace.timeline.content.restored == frozenset({0, 5})


def test_a_frame_that_came_back_unchanged_says_why_above_its_picture(shown, qtbot):
    studio = shown.studio
    picture = np.ones((60, 80, 3), np.float32)
    studio._on_frame_restored(
        Moment(0), Restored(picture, "spike-ratio", 1.0, 0.1, unchanged="its window holds no planes")
    )
    qtbot.waitUntil(lambda: studio.pictures.view.result is not None)
    assert shown.workspace.timeline.content.restored == frozenset()
    titles = [pane.title.text() for pane in grid(shown).panes]
    assert any(title.startswith("Unchanged: its window holds no planes · ") for title in titles)


def test_the_line_of_a_wipe_is_dragged(shown, qtbot):
    studio, panes = shown.studio, grid(shown)
    studio._on_frame_restored(Moment(0), Restored(np.ones((60, 80, 3), np.float32), "network", 1.0, 0.1))
    qtbot.waitUntil(lambda: studio.pictures.view.result is not None)
    press(shown, Qt.Key.Key_W)
    pane = panes.first
    qtbot.waitUntil(pane.grip.isVisible)
    middle = QPoint(pane.canvas.width() // 2, pane.canvas.height() // 2)

    def seen(share):
        picture = pane.canvas.grab().toImage()
        ratio = picture.devicePixelRatio()
        return picture.pixelColor(
            int(share * pane.canvas.width() * ratio), int(middle.y() * ratio)
        ).lightness()

    qtbot.waitUntil(lambda: seen(0.45) < 20 and seen(0.55) > 240)
    inside = QPoint(pane.grip.width() // 2, 40)
    QTest.mousePress(pane.grip, Qt.MouseButton.LeftButton, pos=inside)
    QTest.mouseMove(pane.grip, inside - QPoint(pane.canvas.width() // 8, 0))
    QTest.mouseRelease(pane.grip, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: seen(0.45) > 240)


def test_shift_and_the_mouse_draw_a_region_that_is_measured(shown, qtbot):
    panes, comparison = grid(shown), shown.studio.comparison
    viewport = panes.first.canvas.viewport()
    before = panes.first.centre
    shift = Qt.KeyboardModifier.ShiftModifier
    drag(viewport, [place(panes.first, *at) for at in ((10, 10), (20, 20), (35, 30), (50, 40))], shift)
    qtbot.waitUntil(lambda: comparison.region is not None)
    region = comparison.region
    assert abs(region.left - 10) <= 2
    assert abs(region.right - 50) <= 2
    assert panes.first.centre == before
    qtbot.waitUntil(lambda: "region" in panes.first.score.text())
    assert panes.second.item._region is not None
    shown.actions_by_key["clear_region"].trigger()
    assert comparison.region is None
    qtbot.waitUntil(lambda: "region" not in panes.first.score.text())


def test_every_pane_and_the_status_line_say_the_pixel_under_the_mouse(shown, qtbot):
    panes, studio = grid(shown), shown.studio
    studio.comparison.choose(1, Choice(REFERENCE))
    studio.position.go(5)
    qtbot.waitUntil(lambda: studio.pictures.view.index == 5 and panes.second.item.picture is not None)
    panes.pixel_hovered.emit((10, 20))
    assert panes.first.readout.text() == "13 13 13"
    assert panes.second.readout.text() == "38 38 38"
    qtbot.waitUntil(lambda: "spikes in 16 planes" in shown._status.spikes.text())
    panes.pixel_hovered.emit(None)
    assert not panes.first.readout.isVisible()
    assert shown._status.spikes.text() == ""


def test_the_menu_of_a_pane_lists_sources_and_results(shown):
    studio, pane = shown.studio, grid(shown).second
    studio.results.put(Moment(0), Restored(np.ones((60, 80, 3), np.float32), "network", 1.0, 0.1))
    pane.menu.aboutToShow.emit()
    texts = [action.text().split("\t")[0] for action in pane.menu.actions()]
    assert texts[:3] == ["Blurry", "Restored", "Reference"]
    assert "Restored by network" in texts
    next(action for action in pane.menu.actions() if action.text().startswith("Spikes: mean")).trigger()
    assert studio.comparison.shown[1] == Choice(TFP)
    pane.menu.aboutToShow.emit()
    difference = pane.menu.actions()[-1].menu()
    next(action for action in difference.actions() if action.text() == "Reference").trigger()
    assert studio.comparison.shown[1] == Choice(TFP, REFERENCE)


def test_an_empty_pane_says_what_to_do(window, files, qtbot):
    from engine.source import SequenceSource

    files.contents["clip"] = {"has_reference": False}
    window.studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: window.studio.pictures.view is not None)
    window.studio.comparison.choose(1, Choice(REFERENCE))
    hint = grid(window).second.hint
    qtbot.waitUntil(lambda: "no sharp reference" in hint.label.text())
    assert hint.button.text() == "Add reference…"


def test_the_picture_panel_counts_stretches_and_magnifies(shown, qtbot):
    studio, panel = shown.studio, shown.picture_panel
    shown.actions_by_key["picture_panel"].trigger()
    qtbot.waitUntil(panel.isVisible)
    studio.position.go(5)
    qtbot.waitUntil(lambda: studio.pictures.view.index == 5)
    levels, counts = panel.curves[0].getData()
    assert levels[np.argmax(counts)] == 13
    panel.range.setRegion((0, 51))
    qtbot.waitUntil(lambda: studio.pictures.view.look.white == pytest.approx(0.2))
    assert (studio.pictures.view.blurry.rgb == 64).all()
    panel.gamma.setValue(2.0)
    qtbot.waitUntil(lambda: studio.pictures.view.look.gamma == 2.0)
    shown.actions_by_key["reset_contrast"].trigger()
    assert panel.gamma.value() == 1.0
    qtbot.waitUntil(lambda: studio.pictures.view.look.white == 1.0)
    grid(shown).pixel_hovered.emit((0, 0))
    assert len(panel.magnifier._crops) == 1  # nothing is restored in the second pane
    assert (panel.magnifier._crops[0][0] == 0).all()
    assert (panel.magnifier._crops[0][7, 7, :3] == 13).all()


def test_what_the_panes_show_comes_back_with_the_next_start(shown):
    shown.studio.comparison.arrange(3)
    shown.studio.comparison.choose(2, Choice(TFP, BLURRY))
    kept = shown.studio.settings.panes
    assert shown.studio.another().comparison.shown[2] == Choice(TFP, BLURRY)
    assert kept["count"] == 3


def test_a_region_ends_with_its_sequence(shown, qtbot):
    from engine.source import SequenceSource

    shown.studio.comparison.set_region(Region(0, 0, 10, 10))
    shown.studio.open_source(SequenceSource("other"))
    qtbot.waitUntil(lambda: shown.studio.comparison.region is None)


def test_probes_follow_the_frame_under_a_mouse_that_rests(shown, qtbot):
    studio, panes = shown.studio, grid(shown)
    panes.pixel_hovered.emit((10, 20))
    before = shown._status.probe.text()
    studio.position.go(7)
    qtbot.waitUntil(lambda: studio.pictures.view.index == 7)
    assert panes.first.readout.text() == "18 18 18"
    assert shown._status.probe.text() != before
    assert "18 18 18" in " ".join(shown._status.probe.text().split())


def test_a_difference_from_a_voxel_bin_can_be_read_out(shown, qtbot):
    studio, panes = shown.studio, grid(shown)
    studio.comparison.select_bin(2)
    studio.comparison.choose(1, Choice(VOXEL, REFERENCE))
    qtbot.waitUntil(lambda: studio.pictures.view.picture(Choice(VOXEL, REFERENCE)) is not None)
    panes.pixel_hovered.emit((10, 20))
    assert len(panes.second.readout.text().split()) == 3


def test_a_closed_tab_leaves_nothing_behind(shown, qtbot):
    gone = []
    for _ in range(2):
        shown.tabs.open_source(SequenceSource("other"))
        studio = shown.studio
        qtbot.waitUntil(lambda: shown.studio.pictures.view is not None)
        gone += [weakref.ref(studio), weakref.ref(shown.workspace)]
        shown.tabs.close(studio)
        del studio
    qtbot.wait(50)
    gc.collect()
    qtbot.waitUntil(
        lambda: gc.collect() >= 0 and not any(one() is not None and isValid(one()) for one in gone)
    )


def test_palette_and_shortcut_editor_are_forgotten_when_closed(shown, qtbot):
    for key in ("palette", "shortcuts"):
        shown.actions_by_key[key].trigger()
        dialog = shown.findChildren(QDialog)[-1]
        dialog.close()
        qtbot.waitUntil(lambda dialog=dialog: not isValid(dialog))
