"""Side panels, and the room they leave."""

from PySide6.QtCore import Qt

LEFT, RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea


def area(window, key):
    return window.dockWidgetArea(window.docks[key])


def test_a_narrow_window_has_panels_at_one_side_only(window):
    window.docks.show("data_set_panel")
    assert area(window, "data_set_panel") == LEFT
    window.resize(800, 600)
    assert area(window, "data_set_panel") == RIGHT
    assert window.docks["queue_panel"] in window.tabifiedDockWidgets(window.docks["data_set_panel"])
    window.resize(1300, 800)
    assert area(window, "data_set_panel") == LEFT
    assert window.docks["data_set_panel"].isVisible()


def test_a_panel_that_is_shown_in_a_narrow_window_stands_before_the_others(window, qtbot):
    window.resize(800, 600)
    window.actions_by_key["data_set_panel"].trigger()
    panel = window.docks["data_set_panel"].widget()
    qtbot.waitUntil(lambda: not panel.visibleRegion().isEmpty())
    assert area(window, "data_set_panel") == RIGHT


def test_a_panel_alone_keeps_its_side(window):
    for dock in (window.docks[key] for key in ("queue_panel", "alignment_panel", "restore_panel")):
        dock.hide()
    window.docks.show("data_set_panel")
    window.resize(800, 600)
    assert area(window, "data_set_panel") == LEFT


def test_unfolding_shows_nothing_that_was_closed(window):
    window.docks.show("data_set_panel")
    window.resize(800, 600)
    window.docks["data_set_panel"].hide()
    window.resize(1300, 800)
    assert window.docks["data_set_panel"].isHidden()
