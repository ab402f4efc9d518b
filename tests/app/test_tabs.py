"""Several sequences in one window, each with a state of its own."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.state.session.tabs import Tabs
from engine.errors import SequenceError
from engine.moment import Moment
from engine.source import SequenceSource
from engine.worker.messages import Accepted, Finished, FrameDone


@pytest.fixture
def tabs(studio):
    return Tabs(studio)


def open_both(tabs, qtbot):
    for name in ("one", "two"):
        tabs.open_source(SequenceSource(name))
        qtbot.waitUntil(lambda: tabs.current.pictures.view is not None)


def test_the_first_sequence_takes_the_empty_tab_and_the_next_a_new_one(tabs, qtbot):
    open_both(tabs, qtbot)
    assert [studio.session.source.path for studio in tabs.studios] == ["one", "two"]
    assert tabs.row == 1


def test_what_is_open_already_comes_to_the_front(tabs, qtbot, files):
    open_both(tabs, qtbot)
    tabs.open_source(SequenceSource("one"))
    assert tabs.row == 0
    assert len(files.opened) == 2


def test_every_tab_keeps_its_frame_and_results_while_another_is_in_front(tabs, qtbot, client):
    open_both(tabs, qtbot)
    one, two = tabs.studios
    one.position.go(4)
    client.pictures[1, 0] = np.full((60, 80, 3), 0.5, np.float32)
    one.deblur_frame()
    client.answers = [Accepted(1, 1, 1), FrameDone(1, Moment(4), 0, 0.1), Finished(1, 0.1)]
    qtbot.waitUntil(lambda: Moment(4) in one.results)
    assert two.position.index == 0
    assert len(two.results) == 0


def test_closing_a_tab_ends_its_jobs_and_its_files_and_no_others(tabs, qtbot, client, files):
    open_both(tabs, qtbot)
    one, two = tabs.studios
    one.deblur_all()
    two.deblur_all()
    tabs.close(one)
    assert tabs.studios == (two,)
    assert client.cancelled == [1]
    assert [sequence.closed for sequence in files.opened] == [True, False]
    tabs.close(two)
    assert len(tabs) == 1
    assert two.session.sequence is None


def test_the_tab_that_was_first_can_go_and_others_still_come(tabs, qtbot, client):
    open_both(tabs, qtbot)
    tabs.close(tabs.studios[0])
    qtbot.wait(1)  # deletions take place in the event loop
    tabs.open_source(SequenceSource("three"))
    qtbot.waitUntil(lambda: tabs.current.pictures.view is not None)
    tabs.current.deblur_frame()
    assert len(client.submitted) == 1


def test_a_tab_whose_sequence_cannot_be_opened_goes_away(tabs, qtbot, files):
    open_both(tabs, qtbot)
    files.contents["bad"] = SequenceError("nothing is there", path="bad")
    tabs.open_source(SequenceSource("bad"))
    assert len(tabs) == 3
    qtbot.waitUntil(lambda: len(tabs) == 2)
    assert tabs.current.session.source.path == "two"
    assert len(tabs.desk.notices) == 1


def test_neighbours_are_reached_around_the_ends(tabs, qtbot):
    open_both(tabs, qtbot)
    tabs.step(1)
    assert tabs.row == 0
    tabs.step(-1)
    assert tabs.row == 1
    tabs.choose(7)
    assert tabs.row == 1


def test_the_row_of_tabs_shows_and_closes_them(window, qtbot):
    assert not window.tab_bar.isVisible()
    open_both(window.tabs, qtbot)
    bar = window.tab_bar
    qtbot.waitUntil(bar.isVisible)
    assert bar.count() == 2
    first = window.tabs.studios[0]
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(0).center() - QPoint(10, 0))
    assert window.studio is first
    assert window.stack.currentWidget() is window.workspace
    window.actions_by_key["next"].trigger()
    assert first.position.index == 1
    window.actions_by_key["next_tab"].trigger()
    assert window.studio is window.tabs.studios[1]
    window.actions_by_key["last"].trigger()
    assert (first.position.index, window.studio.position.index) == (1, 9)
    QTest.mouseClick(bar, Qt.MouseButton.MiddleButton, pos=bar.tabRect(1).center())
    assert not bar.isVisible()
    assert window.studio is first
