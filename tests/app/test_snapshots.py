"""Readings see the sequence as it was when they were asked for, whatever is edited meanwhile."""

import threading

import pytest

from app.state.reading.lease import Lease
from app.state.session.session import Session
from app.state.spikes.spike_views import SpikeViews
from engine.alignment import AlignmentWindow
from engine.errors import OperationCancelled
from engine.source import SequenceSource

FRAME = 3
AS_IN_FILE = AlignmentWindow(60, 76)
MOVED = AlignmentWindow(61, 99)


class HeldUp:
    """Lets a reading thread wait between what it asks of a sequence."""

    def __init__(self, sequence_type, monkeypatch):
        self.has_asked, self.go_on = threading.Event(), threading.Event()
        window = sequence_type.window

        def held_up(sequence, index):
            if threading.current_thread() is not threading.main_thread() and not self.has_asked.is_set():
                self.has_asked.set()
                assert self.go_on.wait(10)
            return window(sequence, index)

        monkeypatch.setattr(sequence_type, "window", held_up)


@pytest.fixture
def session(pool, files, qtbot):
    session = Session(pool, opener=files.open)
    with qtbot.waitSignal(session.opened):
        session.open(SequenceSource("clip"))
    return session


def moved(sequence):
    windows = list(sequence.windows)
    windows[FRAME] = MOVED
    return sequence.with_windows(windows)


def test_a_window_that_moves_while_its_voxels_are_made_is_not_kept_under_the_one_before(
    session, pool, monkeypatch, qtbot
):
    views, original = SpikeViews(pool), session.sequence
    held_up = HeldUp(type(original), monkeypatch)
    views.show(session.lease, FRAME)
    assert held_up.has_asked.wait(10)
    session.show_as(moved(original))  # the reading goes on with the windows that it began with
    held_up.go_on.set()
    qtbot.waitUntil(lambda: views.voxels is not None)
    assert views.voxels.spans[0][0] == AS_IN_FILE.start
    views.show(session.lease, FRAME)
    qtbot.waitUntil(lambda: views.voxels.spans[0][0] == MOVED.start)
    session.show_as(original)  # the edit is undone
    views.show(session.lease, FRAME)
    qtbot.waitUntil(lambda: views.voxels.spans[0][0] == AS_IN_FILE.start)
    assert views.voxels.spans[-1][1] == AS_IN_FILE.stop


def test_a_lease_keeps_its_sequence_while_the_session_shows_another_state(session):
    lease = session.lease
    with lease.reading() as sequence:
        session.show_as(moved(sequence))
        assert lease.sequence is sequence
        assert sequence.window(FRAME) == AS_IN_FILE
    assert session.sequence.window(FRAME) == MOVED
    assert session.lease.files is lease.files


def test_files_stay_open_until_the_last_reader_of_any_state_is_done(files):
    first = Lease(files.open(SequenceSource("clip")))
    second = first.of(moved(first.sequence))
    with first.reading() as sequence:
        second.retire()
        assert not sequence.closed
        with pytest.raises(OperationCancelled), second.reading():
            pass
    assert sequence.closed
