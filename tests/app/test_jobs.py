"""What one sequence hears of its own jobs in the common queue."""

import numpy as np
import pytest

from app.state.jobs.job import JobRequest, JobState
from app.state.jobs.jobs import Jobs
from app.state.jobs.queue import JobQueue
from engine.geometry import Size, Span
from engine.moment import Moment, centres
from engine.source import SequenceSource
from engine.worker.messages import Accepted, Cancelled, Finished, FrameDone, TileDone


@pytest.fixture
def queue(bridge):
    return JobQueue(bridge)


@pytest.fixture
def mine(queue):
    return Jobs(queue)


@pytest.fixture
def theirs(queue):
    return Jobs(queue)


@pytest.fixture
def say(client, bridge):
    def say(*messages):
        client.answers.extend(messages)
        while client.answers or bridge._inbox:
            bridge._deliver()

    return say


def request(start, stop):
    return JobRequest(SequenceSource("clip"), centres(Span(start, stop)), "spike-ratio", Size(4, 6), 2.2)


def test_frames_and_tiles_reach_their_own_sequence_only(mine, theirs, say, client):
    heard = []
    mine.frame_restored.connect(lambda *frame: heard.append(("mine", *frame)))
    theirs.frame_restored.connect(lambda *frame: heard.append(("theirs", *frame)))
    theirs.partial_changed.connect(lambda frame: heard.append(("partial", frame)))
    client.pictures[1, 0] = np.full((4, 6, 3), 0.5, np.float32)
    mine.start(request(3, 4))
    say(Accepted(1, 1, 1), TileDone(1, Moment(3), 0, 0, 0, 4, 6, 1))
    assert mine.partial(Moment(3)).picture[0, 0, 0] == 0.5
    assert theirs.partial(Moment(3)) is None
    say(FrameDone(1, Moment(3), 0, 0.7), Finished(1, 1.0))
    ((whose, moment, restored),) = heard
    assert (whose, moment) == ("mine", Moment(3))
    assert (restored.method, restored.gamma, restored.seconds) == ("spike-ratio", 2.2, 0.7)


def test_the_job_to_speak_of_is_the_running_one_then_the_next_then_the_last(mine, theirs, say):
    assert mine.status is None
    theirs.start(request(0, 1))
    mine.start(request(3, 4))
    assert mine.status.state is JobState.QUEUED
    say(Finished(1, 0.1), Accepted(2, 1, 1))
    assert mine.status.state is JobState.RUNNING
    say(Finished(2, 0.1))
    assert mine.status.state is JobState.FINISHED
    assert not mine.is_running
    mine.forget()
    assert mine.status is None
    assert theirs.status.state is JobState.FINISHED


def test_the_same_asked_for_twice_is_one_job(mine):
    mine.start(request(0, 9))
    mine.start(request(0, 9))
    mine.start(request(5, 5))
    assert len(mine.queue.statuses) == 1


def test_frames_that_wait_are_known(mine):
    mine.start(request(2, 4))
    assert [mine.waits_for(Moment(index)) for index in (1, 2, 3, 4)] == [False, True, True, False]


def test_forgetting_cancels_what_runs_and_drops_what_waits(mine, client, say):
    mine.start(request(0, 9))
    mine.start(request(3, 4))
    say(Accepted(1, 9, 9))
    mine.forget()
    assert client.cancelled == [1]
    say(Cancelled(1))
    assert mine.queue.statuses == ()
    assert len(client.submitted) == 1
