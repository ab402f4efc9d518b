"""Messages from client to signals: each once, in order, a little at a time."""

import threading

import numpy as np
import pytest

from app.bridge import WorkerBridge
from app.state.jobs.job import JobRequest
from engine.geometry import Size, Span
from engine.moment import Moment, centres
from engine.source import SequenceSource
from engine.worker.messages import Accepted, Failed, Finished, FrameDone, TileDone

REQUEST = JobRequest(SequenceSource("clip"), centres(Span(0, 9)), "spike-ratio", Size(4, 4), 1.0)


def submit(bridge):
    return bridge.submit(REQUEST, centres(Span(0, 1)))


def test_messages_arrive_in_order_by_themselves(bridge, client, qtbot):
    heard = []
    bridge.message.connect(heard.append)
    submit(bridge)
    sent = [
        Accepted(1, 50, 1),
        *(TileDone(1, Moment(0), 0, 0, 0, 1, 1, n) for n in range(50)),
        Finished(1, 1.0),
    ]
    client.answers = list(sent)
    qtbot.waitUntil(lambda: len(heard) == len(sent))
    assert heard == sent


def test_the_timer_rests_when_no_job_is_open(bridge, client, qtbot):
    assert not bridge._timer.isActive()
    submit(bridge)
    assert bridge._timer.isActive()
    client.answers = [Accepted(1, 1, 1), Finished(1, 1.0)]
    qtbot.waitUntil(lambda: not bridge._timer.isActive())


def test_slow_listeners_do_not_hold_the_event_loop(bridge, client, qtbot, monkeypatch):
    monkeypatch.setattr("app.bridge.DELIVERY_SECONDS", 0.0)
    heard = []
    bridge.message.connect(heard.append)
    submit(bridge)
    client.answers = [TileDone(1, Moment(0), 0, 0, 0, 1, 1, n) for n in range(5)]
    bridge._deliver()
    assert len(heard) <= 1
    qtbot.waitUntil(lambda: len(heard) == 5)


def test_the_client_is_made_when_it_is_needed(client):
    made = []
    bridge = WorkerBridge(lambda: made.append(client) or client)
    assert made == []
    bridge.close()
    assert made == []
    bridge.warm_up()
    assert made == []


def test_closing_ends_the_worker_and_silences_the_rest(bridge, client):
    heard = []
    bridge.message.connect(heard.append)
    submit(bridge)
    client.answers = [Accepted(1, 1, 1)]
    bridge.close()
    bridge._deliver()
    assert client.closed
    assert heard == []


def test_a_listener_may_close_the_bridge(bridge, client):
    bridge.message.connect(lambda _: bridge.close())
    submit(bridge)
    client.answers = [Accepted(1, 1, 1), Finished(1, 1.0)]
    bridge._deliver()
    assert client.closed


@pytest.mark.parametrize("error", [OSError("no more processes"), RuntimeError("not now")])
def test_a_worker_that_cannot_be_started_early_is_no_error_yet(bridge, client, error, monkeypatch):
    def refuse():
        raise error

    monkeypatch.setattr(client, "start", refuse)
    bridge.warm_up()


def test_the_end_of_a_job_that_is_killed_while_messages_wait_is_told(bridge, client, qtbot, monkeypatch):
    monkeypatch.setattr("app.bridge.DELIVERY_SECONDS", 0.0)
    heard = []
    bridge.message.connect(heard.append)
    submit(bridge)
    client.answers = [TileDone(1, Moment(0), 0, 0, 0, 1, 1, n) for n in range(3)]
    bridge._deliver()
    client.open.clear()  # what killing does: no job is open, and the next poll says why
    died = Failed(1, "the worker ended", cause="worker-died")
    monkeypatch.setattr(client, "poll", lambda: [died] if died not in heard else [])
    qtbot.waitUntil(lambda: died in heard)
    qtbot.waitUntil(lambda: not bridge._timer.isActive())


def test_a_large_picture_is_copied_in_a_thread_and_the_messages_keep_their_order(client, qtbot, monkeypatch):
    monkeypatch.setattr("app.bridge.LARGE_PIXELS", 1)
    bridge = WorkerBridge(lambda: client)
    heard, threads, gate = [], [], threading.Event()
    original = client.picture

    def picture(job, slot):
        threads.append(threading.current_thread())
        gate.wait(10)
        return original(job, slot)

    client.picture = picture
    bridge.message.connect(
        lambda message: heard.append(
            (type(message), bridge.finished_picture(message.job, message.slot)[0, 0, 0])
            if isinstance(message, FrameDone)
            else (type(message), None)
        )
    )
    number = submit(bridge)
    client.pictures[number, 0] = np.full((4, 6, 3), 0.5, np.float32)
    client.answers = [FrameDone(number, Moment(0), 0, 0.1), Finished(number, 0.1)]
    qtbot.waitUntil(lambda: len(threads) == 1)
    assert heard == []  # the window goes on meanwhile
    gate.set()
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard == [(FrameDone, 0.5), (Finished, None)]
    assert threads == [threads[0]]
    assert threads[0] is not threading.main_thread()
    bridge.close()
