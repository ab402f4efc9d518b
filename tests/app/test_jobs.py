"""A job's life, told by messages that the test writes."""

import numpy as np
import pytest

from app.state.jobs import Jobs, JobState
from engine.geometry import Region, Size, Span
from engine.source import SequenceSource
from engine.worker.messages import NO_SLOT, Accepted, Cancelled, Failed, Finished, FrameDone, TileDone

SOURCE = SequenceSource("clip")
SIZE = Size(4, 6)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def jobs(bridge, clock):
    return Jobs(bridge, clock=clock)


@pytest.fixture
def ended(jobs):
    ended = []
    jobs.ended.connect(ended.append)
    return ended


@pytest.fixture
def say(client, bridge):
    """Let the worker say something and hear it at once."""

    def say(*messages):
        client.answers.extend(messages)
        while client.answers or bridge._inbox:
            bridge._deliver()

    return say


FRAMES = Span(2, 4)


def start(jobs, frames=FRAMES):
    jobs.start(SOURCE, frames, "spike-ratio", SIZE, 2.2)


def tile(frame=2, slot=0, done=1):
    return TileDone(1, frame, slot, 0, 0, 2, 6, done)


def picture(client, job, slot, value):
    client.pictures[job, slot] = np.full((4, 6, 3), value, np.float32)


def test_progress_and_time_left_follow_the_tiles(jobs, say, clock):
    start(jobs)
    assert jobs.status.state is JobState.STARTING
    assert jobs.status.seconds_left is None
    say(Accepted(1, tiles=8, frames=2))
    clock.now += 3
    say(tile(done=2))
    status = jobs.status
    assert (status.state, status.tiles_done, status.tiles_total) == (JobState.RUNNING, 2, 8)
    assert status.seconds_left == pytest.approx(9.0)
    assert status.fraction == 0.25


def test_a_finished_frame_is_copied_and_its_slot_released(jobs, say, client, ended):
    frames = []
    jobs.frame_restored.connect(lambda index, restored: frames.append((index, restored)))
    picture(client, 1, 3, 0.5)
    start(jobs)
    say(Accepted(1, 8, 2), FrameDone(1, 2, 3, 0.7), Finished(1, 1.0))
    ((index, restored),) = frames
    assert index == 2
    assert restored.picture[0, 0, 0] == 0.5
    assert (restored.method, restored.gamma, restored.seconds) == ("spike-ratio", 2.2, 0.7)
    assert client.released == [(1, 3)]
    assert [status.state for status in ended] == [JobState.FINISHED]


def test_tiles_of_an_unfinished_frame_can_be_looked_at(jobs, say, client):
    told = []
    jobs.partial_changed.connect(told.append)
    picture(client, 1, 0, 0.25)
    start(jobs)
    say(Accepted(1, 8, 2), tile(done=1), TileDone(1, 2, 0, 2, 0, 4, 6, 2))
    partial = jobs.partial(2)
    assert told == [2, 2]
    assert partial.finished == (Region(0, 0, 2, 6), Region(2, 0, 4, 6))
    assert partial.picture[0, 0, 0] == 0.25
    assert jobs.partial(3) is None


def test_a_tile_without_a_slot_is_progress_only(jobs, say):
    told = []
    jobs.partial_changed.connect(told.append)
    start(jobs)
    say(Accepted(1, 8, 2), tile(slot=NO_SLOT, done=5))
    assert told == []
    assert jobs.status.tiles_done == 5
    assert jobs.partial(2) is None


def test_cancel_asks_once_and_ends_cancelled(jobs, say, client, ended):
    start(jobs)
    say(Accepted(1, 8, 2))
    jobs.cancel()
    jobs.cancel()
    assert client.cancelled == [1]
    assert jobs.status.state is JobState.CANCELLING
    say(Cancelled(1))
    assert not jobs.is_running
    assert ended[-1].state is JobState.CANCELLED


def test_a_worker_that_does_not_stop_is_killed(jobs, say, client, qtbot):
    jobs._patience.setInterval(1)
    start(jobs)
    say(Accepted(1, 8, 2))
    jobs.cancel()
    qtbot.waitUntil(lambda: client.killed)


def test_a_worker_that_stops_in_time_is_not_killed(jobs, say, client):
    start(jobs)
    jobs.cancel()
    say(Cancelled(1))
    assert not jobs._patience.isActive()
    assert not client.killed


@pytest.mark.parametrize("cause", ["error", "worker-died"])
def test_a_failure_keeps_its_text_and_the_next_job_starts(jobs, say, client, ended, cause):
    start(jobs)
    say(Failed(1, "the recording is gone", "Traceback …", cause))
    assert ended[-1].state is JobState.FAILED
    assert ended[-1].problem == "the recording is gone"
    start(jobs)
    assert len(client.submitted) == 2


def test_a_worker_that_cannot_start_is_reported_and_nothing_runs(jobs, client):
    failures = []
    jobs.failed.connect(failures.append)
    client.refuses = True
    start(jobs)
    assert "no memory is left" in str(failures[0])
    assert not jobs.is_running


def test_only_one_job_runs(jobs, client):
    start(jobs)
    start(jobs, Span(0, 1))
    assert len(client.submitted) == 1
    jobs.start(SOURCE, Span(0, 0), "spike-ratio", SIZE, 1.0)
    assert len(client.submitted) == 1


def test_an_abandoned_job_gives_nothing_but_its_end(jobs, say, client, ended):
    frames = []
    jobs.frame_restored.connect(lambda *frame: frames.append(frame))
    picture(client, 1, 3, 0.5)
    start(jobs)
    say(Accepted(1, 8, 2))
    jobs.abandon()
    say(tile(), FrameDone(1, 2, 3, 0.7), Cancelled(1))
    assert frames == []
    assert client.released == [(1, 3)]
    assert len(ended) == 1
    start(jobs)
    say(Accepted(2, 8, 2))
    assert jobs.status.state is JobState.RUNNING


def test_every_message_order_ends_a_job_exactly_once(jobs, say, ended):
    start(jobs)
    say(Accepted(1, 8, 2), Finished(1, 1.0))
    jobs._on_message(Finished(1, 1.0))
    jobs._on_message(tile())
    assert len(ended) == 1
