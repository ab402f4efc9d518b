import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from app.settings import Settings
from app.state.session.playback import SPEEDS, Playback, frames_a_second
from app.state.session.position import Position
from app.ui.timeline.play_controls import PlayControls
from engine.alignment import AlignmentWindow
from engine.source import SequenceSource


class Shown(QObject):
    """Pictures that are on screen when the test says so."""

    changed = Signal()

    def __init__(self, position):
        super().__init__()
        self.position = position
        self.problem = ""
        self.held = None

    @property
    def view(self):
        index = self.position.index if self.held is None else self.held
        return type("View", (), {"index": index})


@pytest.fixture
def position():
    position = Position()
    position.reset(20)
    return position


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def playback(position, now):
    settings = Settings(play_loop=False)
    playback = Playback(position, Shown(position), settings, clock=lambda: now[0])
    playback.set_own_fps(8.0)
    playback._timer.setInterval(1_000_000)  # the test ticks
    return playback


def after(playback, now, seconds):
    now[0] += seconds
    playback.tick()
    return playback._position.index


def test_frames_come_at_their_own_pace(playback, now):
    playback.play()
    assert [after(playback, now, 0.0625) for _ in range(6)] == [0, 1, 1, 2, 2, 3]


def test_at_real_time_frames_are_left_out_and_every_frame_leaves_out_none(playback, now):
    playback.play()
    assert after(playback, now, 0.6875) == 5
    playback.stop()
    playback.set_every_frame(True)
    playback.play()
    assert after(playback, now, 0.6875) == 6
    assert after(playback, now, 0.0625) == 6  # what was missed is not caught up in a burst
    assert after(playback, now, 0.0625) == 7


def test_nothing_is_asked_for_while_a_picture_is_still_on_its_way(playback, now):
    playback.play()
    assert after(playback, now, 0.125) == 1
    playback._pictures.held = 0
    assert [after(playback, now, 0.375) for _ in range(3)] == [1, 1, 1]
    playback._pictures.held = None
    assert after(playback, now, 0.0) == 10


def test_it_stops_at_the_end_or_begins_again(playback, now, position):
    position.set_in(5)
    position.set_out(8)
    playback.play()
    assert position.index == 5
    assert after(playback, now, 1.0) == 8
    assert not playback.playing
    playback.set_loops(True)
    playback.play()
    assert position.index == 5
    after(playback, now, 0.375)
    assert after(playback, now, 0.25) == 5
    assert playback.playing


def test_speeds(playback, now):
    assert playback.fps == 8
    playback.faster(1)
    assert playback.speed == 2
    playback.play()
    assert after(playback, now, 0.3125) == 5
    for _ in range(20):
        playback.faster(-1)
    assert playback.speed == SPEEDS[0]


def test_one_frame_is_not_played(playback, position):
    position.reset(1)
    playback.play()
    assert not playback.playing


def test_a_frame_that_cannot_be_read_holds_nobody_up(playback, now):
    playback.play()
    playback._pictures.held = -1
    playback._pictures.problem = "not a picture"
    playback._pictures.failed_index = playback._position.index
    assert after(playback, now, 0.01) == 1


def test_the_space_bar_plays_the_window_and_stops_it(opened_window, qtbot):
    studio = opened_window.studio
    opened_window.activateWindow()
    qtbot.waitUntil(opened_window.isActiveWindow)
    QTest.keyClick(opened_window, Qt.Key.Key_Space)
    assert studio.playback.playing
    qtbot.waitUntil(lambda: studio.position.index >= 3)
    QTest.keyClick(opened_window, Qt.Key.Key_Space)
    assert not studio.playback.playing
    opened_window.actions_by_key["faster"].trigger()
    assert studio.settings.play_speed == 2.0


def test_the_pace_is_that_of_the_exposures(studio, qtbot):
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.session.sequence is not None)
    rate = studio.session.sequence.recording.info.rate_hz
    expected = None if rate is None else rate / 20
    assert frames_a_second(studio.session.sequence) == expected


def test_a_button_that_has_the_keyboard_keeps_the_space_bar(opened_window, qtbot):
    transport = opened_window.workspace.transport
    button = next(
        one
        for one in transport.findChildren(QToolButton)
        if one.defaultAction() is opened_window.actions_by_key["next"]
    )
    opened_window.activateWindow()
    qtbot.waitUntil(opened_window.isActiveWindow)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert opened_window.studio.position.index == 1
    assert not opened_window.studio.playback.playing


def test_who_goes_elsewhere_while_it_plays_plays_on_from_there(playback, now, position):
    playback.play()
    assert after(playback, now, 1.0) == 8
    position.go(2)
    assert after(playback, now, 0.0625) == 2
    assert after(playback, now, 0.0625) == 3
    position.go(15)
    assert after(playback, now, 0.125) == 16


def test_clips_far_apart_do_not_slow_the_pace():
    class Clips:
        windows = tuple(AlignmentWindow(start, start + 10) for start in (0, 50, 100, 150, 90_000, 90_050))
        recording = type("Recording", (), {"info": type("Info", (), {"rate_hz": 1000.0})})

    assert frames_a_second(Clips()) == pytest.approx(20)


def test_any_speed_is_typed_into_the_menu(opened_window):
    controls = opened_window.workspace.findChild(PlayControls)
    controls.any_speed.lineEdit().selectAll()
    QTest.keyClicks(controls.any_speed.lineEdit(), "0.3")
    QTest.keyClick(controls.any_speed.lineEdit(), Qt.Key.Key_Return)
    assert opened_window.studio.playback.speed == pytest.approx(0.3)
    assert controls.speed.text() == "0.3 ×"
    opened_window.actions_by_key["faster"].trigger()
    assert controls.any_speed.value() == 0.5
