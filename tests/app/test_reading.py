"""Lanes: one piece of work at a time, and of those that wait only the newest."""

import threading

import pytest

from app.state.reading.lane import Lane


@pytest.fixture
def lane(pool):
    return Lane(pool)


@pytest.fixture
def heard(lane):
    answers = []
    lane.answered.connect(lambda key, value: answers.append((key, value)))
    return answers


def test_an_answer_arrives_in_the_thread_of_the_window(lane, qtbot):
    threads = []
    lane.answered.connect(lambda *_: threads.append(threading.current_thread()))
    with qtbot.waitSignal(lane.answered):
        lane.request("a", lambda _: threads.append(threading.current_thread()))
    assert threads[1] is threading.main_thread()
    assert threads[0] is not threading.main_thread()


def test_of_many_requests_only_the_first_and_the_newest_are_worked_on(lane, heard, qtbot):
    gate, started, worked_on = threading.Event(), threading.Event(), []

    def work(number):
        def do(_):
            started.set()
            gate.wait(10)
            worked_on.append(number)
            return number

        return do

    lane.request(0, work(0))
    assert started.wait(10)
    for number in range(1, 100):
        lane.request(number, work(number))
    gate.set()
    qtbot.waitUntil(lambda: not lane.busy)
    assert worked_on == [0, 99]
    assert heard == [(0, 0), (99, 99)]


def test_running_work_learns_that_a_newer_request_waits(lane, qtbot):
    started = threading.Event()
    noticed = []

    def patient(ticket):
        started.set()
        noticed.append(ticket._superseded.wait(10))

    lane.request("old", patient)
    assert started.wait(10)
    lane.request("new", lambda _: None)
    qtbot.waitUntil(lambda: not lane.busy)
    assert noticed == [True]


def test_what_was_asked_before_clear_is_never_answered(lane, heard, qtbot):
    gate, started = threading.Event(), threading.Event()

    def work(_):
        started.set()
        gate.wait(10)
        return "late"

    lane.request("old", work)
    assert started.wait(10)
    lane.request("waiting", lambda _: "also late")
    lane.clear()
    lane.request("new", lambda _: "in time")
    gate.set()
    qtbot.waitUntil(lambda: not lane.busy)
    assert heard == [("new", "in time")]


def test_an_exception_becomes_a_signal_and_the_lane_goes_on(lane, heard, qtbot):
    def work(_):
        raise OSError("the disk is gone")

    with qtbot.waitSignal(lane.failed) as failed:
        lane.request("a", work)
    key, error = failed.args
    assert key == "a"
    assert str(error) == "the disk is gone"
    with qtbot.waitSignal(lane.answered):
        lane.request("b", lambda _: 1)
    assert heard == [("b", 1)]


def test_busy_is_told_once_a_change(lane, qtbot):
    told = []
    lane.busy_changed.connect(told.append)
    lane.request("a", lambda _: 1)
    lane.request("b", lambda _: 2)
    qtbot.waitUntil(lambda: not lane.busy)
    assert told == [True, False]


def test_a_request_after_the_threads_are_gone_is_passed_over(pool):
    lane = Lane(pool)
    pool.shutdown()
    lane.request("late", lambda _: None)
    assert not lane.busy
