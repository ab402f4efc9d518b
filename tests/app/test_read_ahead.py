"""Reading ahead: the way the frames went goes on, and nothing else is read."""

import threading

import pytest

from app.state.reading.lease import Lease
from app.state.reading.read_ahead import ReadAhead


@pytest.fixture
def lease():
    class TenFrames:
        def __len__(self):
            return 10

    return Lease(TenFrames())


@pytest.fixture
def read():
    return []


@pytest.fixture
def ahead(pool, read):
    return ReadAhead(pool, lambda _, index: read.append(index))


@pytest.mark.parametrize(
    ("way", "guessed"),
    [
        ((3, 4), {5, 6}),
        ((5, 4), {3, 2}),
        ((0, 2), {4, 6}),
        ((7, 8), {9}),
        ((1, 0), set()),
        ((0, 9), set()),
        ((4, 4), set()),
        ((4,), set()),
    ],
)
def test_the_way_goes_on(ahead, read, lease, way, guessed, qtbot):
    for index in way:
        ahead.shown(lease, index)
    qtbot.waitUntil(lambda: set(read) == guessed)
    qtbot.wait(20)
    assert set(read) == guessed


def test_a_frame_is_guessed_once_on_the_way(ahead, read, lease, qtbot):
    for index in range(6):
        ahead.shown(lease, index)
        qtbot.waitUntil(lambda: not any(lane.busy for lane in ahead._lanes))
    assert sorted(read) == [2, 3, 4, 5, 6, 7]


def test_another_sequence_begins_without_a_way(ahead, read, lease, qtbot):
    ahead.shown(lease, 3)
    ahead.clear()
    ahead.shown(lease, 4)
    qtbot.wait(20)
    assert read == []


def test_what_fails_ahead_is_told_when_it_is_asked_for(pool, lease, qtbot):
    asked = threading.Event()

    def fail(_, index):
        asked.set()
        raise OSError(index)

    ahead = ReadAhead(pool, fail)
    ahead.shown(lease, 0)
    ahead.shown(lease, 1)
    assert asked.wait(5)
    qtbot.wait(20)
