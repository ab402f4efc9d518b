"""The queue, told by messages that the test writes."""

import numpy as np
import pytest

from app.state.jobs.job import JobRequest, JobState
from app.state.jobs.queue import KEPT_JOBS, JobQueue
from engine.geometry import Region, Size, Span
from engine.moment import Moment, centres
from engine.source import SequenceSource
from engine.worker.messages import (
    NO_SLOT,
    Accepted,
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    FrameFailed,
    TileDone,
)

SIZE = Size(4, 6)
ME = "me"


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(bridge, clock):
    return JobQueue(bridge, clock=clock)


@pytest.fixture
def say(client, bridge):
    """Let the worker say something and hear it at once."""

    def say(*messages):
        client.answers.extend(messages)
        while client.answers or bridge._inbox:
            bridge._deliver()

    return say


@pytest.fixture
def ended(queue):
    ended = []
    queue.ended.connect(ended.append)
    return ended


def request(start=2, stop=4, path="clip"):
    return JobRequest(SequenceSource(path), centres(Span(start, stop)), "spike-ratio", SIZE, 2.2, name=path)


def tile(job=1, frame=2, slot=0, done=1):
    return TileDone(job, Moment(frame), slot, 0, 0, 2, 6, done)


def picture(client, job, slot, value):
    client.pictures[job, slot] = np.full((4, 6, 3), value, np.float32)


def states(queue):
    return [status.state for status in queue.statuses]


def spans(client):
    return [(frames[0], frames[-1] + 1) for _, frames, _ in client.submitted]


def test_the_first_job_starts_at_once_and_the_others_wait(queue, client):
    queue.add(ME, request())
    queue.add(ME, request(0, 9))
    assert states(queue) == [JobState.STARTING, JobState.QUEUED]
    assert spans(client) == [(2, 4)]


def test_the_next_job_starts_when_one_ends(queue, client, say, ended):
    queue.add(ME, request())
    queue.add(ME, request(0, 9))
    say(Accepted(1, 8, 2), Finished(1, 1.0))
    assert states(queue) == [JobState.FINISHED, JobState.STARTING]
    assert spans(client) == [(2, 4), (0, 9)]
    say(Accepted(2, 8, 2), Finished(2, 1.0))
    assert [status.number for status in ended] == [1, 2]


def test_progress_counts_tiles_frames_and_time(queue, say, clock, client):
    picture(client, 1, 3, 0.5)
    number = queue.add(ME, request())
    say(Accepted(1, 8, 2))
    clock.now += 3
    say(tile(done=2))
    (status,) = queue.statuses
    assert (status.number, status.tiles_done, status.tiles_total) == (number, 2, 8)
    assert status.seconds_left == pytest.approx(9)
    assert status.fraction == 0.25
    frames = []
    queue.frame_done.connect(lambda *frame: frames.append(frame))
    say(FrameDone(1, Moment(2), 3, 0.7))
    ((job, frame, shown, seconds),) = frames
    assert (job, frame, shown[0, 0, 0], seconds) == (number, Moment(2), 0.5, 0.7)
    assert client.released == [(1, 3)]


def test_a_job_put_first_takes_the_place_of_the_running_one_which_goes_on_later(queue, client, say, ended):
    picture(client, 1, 0, 0.5)
    long = queue.add(ME, request(0, 4))
    say(Accepted(1, 8, 4), FrameDone(1, Moment(0), 0, 0.1))
    quick = queue.add(ME, request(2, 3), first=True)
    assert client.cancelled == [1]
    assert spans(client) == [(0, 4)]
    say(Cancelled(1))
    assert [(status.number, status.state) for status in queue.statuses] == [
        (quick, JobState.STARTING),
        (long, JobState.QUEUED),
    ]
    say(Accepted(2, 1, 1), Finished(2, 0.1))
    assert spans(client) == [(0, 4), (2, 3), (1, 4)]
    assert [status.number for status in ended] == [quick]


def test_a_job_that_goes_on_counts_what_it_had_done(queue, client, say, clock):
    picture(client, 1, 0, 0.5)
    number = queue.add(ME, request(0, 4))
    say(Accepted(1, 8, 4))
    clock.now += 5
    say(FrameDone(1, Moment(0), 0, 0.1))
    queue.pause(number)
    say(Cancelled(1))
    clock.now += 1000
    queue.resume(number)
    say(Accepted(2, 6, 3))
    clock.now += 3
    say(tile(job=2, frame=1, done=2))
    (status,) = queue.statuses
    assert status.fraction == pytest.approx((1 + 3 / 3) / 4)
    assert status.elapsed_seconds == pytest.approx(8)
    assert status.seconds_left == pytest.approx(6)


def test_a_finished_job_that_was_to_make_room_is_finished(queue, say, ended):
    queue.add(ME, request())
    say(Accepted(1, 8, 2))
    queue.add(ME, request(0, 1), first=True)
    say(Finished(1, 1.0))
    assert [(status.number, status.state) for status in ended] == [(1, JobState.FINISHED)]


def test_a_paused_job_lets_the_others_by_and_waits_to_be_resumed(queue, client, say):
    paused = queue.add(ME, request())
    queue.add(ME, request(5, 6))
    queue.pause(paused)
    say(Cancelled(1))
    assert states(queue) == [JobState.PAUSED, JobState.STARTING]
    say(Finished(2, 0.1))
    assert states(queue) == [JobState.PAUSED, JobState.FINISHED]
    queue.resume(paused)
    assert spans(client) == [(2, 4), (5, 6), (2, 4)]


def test_a_waiting_job_can_be_paused_and_resumed_before_its_turn(queue, client, say):
    queue.add(ME, request())
    waiting = queue.add(ME, request(7, 8))
    queue.pause(waiting)
    say(Finished(1, 0.1))
    assert states(queue)[1] is JobState.PAUSED
    assert len(client.submitted) == 1
    queue.resume(waiting)
    assert spans(client)[-1] == (7, 8)


def test_resuming_before_the_worker_has_let_go_just_goes_on(queue, client, say):
    number = queue.add(ME, request())
    queue.pause(number)
    queue.resume(number)
    say(Cancelled(1))
    assert states(queue) == [JobState.STARTING]
    assert len(client.submitted) == 2


def test_waiting_jobs_change_places(queue, client, say):
    numbers = [queue.add(ME, request(n, n + 1)) for n in range(4)]
    queue.move(numbers[3], -2)
    queue.move(numbers[0], 99)
    queue.move(numbers[0], -99)
    assert [status.number for status in queue.statuses] == [numbers[i] for i in (0, 3, 1, 2)]
    say(Finished(1, 0.1))
    assert spans(client)[-1] == (3, 4)


def test_cancelling_a_waiting_job_ends_it_at_once(queue, client, ended):
    queue.add(ME, request())
    queue.cancel(queue.add(ME, request(5, 6)))
    assert states(queue) == [JobState.STARTING, JobState.CANCELLED]
    assert client.cancelled == []
    assert len(ended) == 1


def test_cancelling_a_running_job_asks_once_and_ends_cancelled(queue, client, say, ended):
    number = queue.add(ME, request())
    say(Accepted(1, 8, 2))
    queue.cancel(number)
    queue.cancel(number)
    assert client.cancelled == [1]
    assert states(queue) == [JobState.CANCELLING]
    say(Cancelled(1))
    assert [status.state for status in ended] == [JobState.CANCELLED]


def test_cancelling_a_job_that_makes_room_ends_it(queue, say, ended):
    long = queue.add(ME, request(0, 9))
    say(Accepted(1, 8, 9))
    queue.add(ME, request(2, 3), first=True)
    queue.cancel(long)
    say(Cancelled(1))
    assert [(status.number, status.state) for status in ended] == [(long, JobState.CANCELLED)]


def test_a_worker_that_does_not_stop_is_killed(queue, say, client, qtbot):
    queue._patience.setInterval(1)
    number = queue.add(ME, request())
    say(Accepted(1, 8, 2))
    queue.cancel(number)
    qtbot.waitUntil(lambda: client.killed)


def test_a_worker_that_stops_in_time_is_not_killed(queue, say, client):
    queue.cancel(queue.add(ME, request()))
    say(Cancelled(1))
    assert not queue._patience.isActive()
    assert not client.killed


@pytest.mark.parametrize("cause", ["error", "worker-died"])
def test_a_failed_job_tells_why_and_is_done_again_for_what_it_lacks(queue, say, client, ended, cause):
    picture(client, 1, 0, 0.5)
    number = queue.add(ME, request(0, 5))
    say(
        Accepted(1, 8, 5),
        FrameDone(1, Moment(0), 0, 0.1),
        Failed(1, "the recording is gone", "Traceback …", cause),
    )
    assert ended[-1].problem == "the recording is gone"
    queue.retry(number)
    assert spans(client)[-1] == (1, 5)
    (status,) = queue.statuses
    assert (status.state, status.frames_done, status.problem) == (JobState.STARTING, 1, "")


def test_a_frame_that_fails_costs_the_others_nothing_and_the_job_tells_of_it(queue, say, client, ended):
    for slot in range(3):
        picture(client, 1, slot, 0.5)
    number = queue.add(ME, request(0, 3))
    say(
        Accepted(1, 6, 3), FrameDone(1, Moment(0), 0, 0.1), FrameFailed(1, 1, "0002.png: not a picture", 2, 4)
    )
    (status,) = queue.statuses
    assert (status.state, status.tiles_done, status.tiles_total) == (JobState.RUNNING, 2, 4)
    say(FrameDone(1, Moment(2), 2, 0.1), Finished(1, 1.0))
    assert ended[-1].state is JobState.FAILED
    assert ended[-1].frames_done == 2
    assert ended[-1].problem == "1 of 3 frames failed, first frame 2: 0002.png: not a picture"
    queue.retry(number)
    assert spans(client)[-1] == (1, 2)
    assert queue.statuses[0].failures == ()


def test_a_job_with_a_failed_frame_that_makes_room_goes_on_with_the_others(queue, say, client):
    queue.add(ME, request(0, 3))
    say(Accepted(1, 6, 3), FrameFailed(1, 0, "0001.png: not a picture", 0, 4))
    queue.add(ME, request(7, 8), first=True)
    say(Cancelled(1))
    say(Accepted(2, 1, 1), Finished(2, 0.1))
    assert spans(client) == [(0, 3), (7, 8), (1, 3)]


def test_frames_that_came_back_unchanged_are_known(queue, say, client):
    for slot in range(2):
        picture(client, 1, slot, 0.5)
    number = queue.add(ME, request(0, 2))
    say(
        Accepted(1, 2, 2),
        FrameDone(1, Moment(0), 0, 0.1),
        FrameDone(1, Moment(1), 1, 0.1, "its spikes are missing"),
    )
    (status,) = queue.statuses
    assert status.unchanged == ((Moment(1), "its spikes are missing"),)
    assert queue.why_unchanged(number, Moment(1)) == "its spikes are missing"
    assert queue.why_unchanged(number, Moment(0)) == ""


def test_a_worker_that_cannot_start_fails_the_job_and_not_the_queue(queue, client, ended):
    client.refuses = True
    queue.add(ME, request())
    assert "No memory is left" in ended[-1].problem
    client.refuses = False
    queue.add(ME, request())
    assert states(queue) == [JobState.FAILED, JobState.STARTING]


def test_tiles_of_an_unfinished_frame_can_be_looked_at(queue, say, client):
    told = []
    queue.partial_changed.connect(lambda *what: told.append(what))
    picture(client, 1, 0, 0.25)
    number = queue.add(ME, request())
    say(Accepted(1, 8, 2), tile(done=1), TileDone(1, Moment(2), 0, 2, 0, 4, 6, 2))
    partial = queue.partial(number, Moment(2))
    assert told == [(number, Moment(2)), (number, Moment(2))]
    assert partial.finished == (Region(0, 0, 2, 6), Region(2, 0, 4, 6))
    assert partial.picture[0, 0, 0] == 0.25
    assert queue.partial(number, Moment(3)) is None


def test_a_tile_without_a_slot_is_progress_only(queue, say):
    told = []
    queue.partial_changed.connect(lambda *what: told.append(what))
    queue.add(ME, request())
    say(Accepted(1, 8, 2), tile(slot=NO_SLOT, done=5))
    assert told == []
    assert queue.statuses[0].tiles_done == 5


def test_abandoned_jobs_give_nothing_but_their_ends(queue, say, client, ended):
    frames = []
    queue.frame_done.connect(lambda *frame: frames.append(frame))
    picture(client, 1, 3, 0.5)
    queue.add(ME, request())
    queue.add(ME, request(8, 9))
    queue.add("you", request(5, 6))
    say(Accepted(1, 8, 2))
    queue.abandon(ME)
    say(tile(), FrameDone(1, Moment(2), 3, 0.7), Cancelled(1))
    assert frames == []
    assert client.released == [(1, 3)]
    assert {status.number for status in ended} == {1, 2}
    assert spans(client)[-1] == (5, 6)


def test_a_removed_job_is_cancelled_and_vanishes(queue, say):
    running, waiting = queue.add(ME, request()), queue.add(ME, request(8, 9))
    queue.remove(waiting)
    queue.remove(running)
    assert [status.number for status in queue.statuses] == [running]
    say(Cancelled(1))
    assert queue.statuses == ()


def test_jobs_that_are_over_are_cleared_or_forgotten_one_day(queue, say):
    for job in range(1, KEPT_JOBS + 6):
        queue.add(ME, request(job, job + 1))
        say(Finished(job, 0.1))
    queue.add(ME, request())
    assert len(queue.statuses) == KEPT_JOBS + 1
    queue.clear_ended()
    assert len(queue.statuses) == 1


def test_every_message_order_ends_a_job_exactly_once(queue, say, ended):
    queue.add(ME, request())
    say(Accepted(1, 8, 2), Finished(1, 1.0))
    queue._on_message(Finished(1, 1.0))
    queue._on_message(tile())
    assert len(ended) == 1


def test_what_was_abandoned_is_not_tried_again_and_what_ended_before_is(queue, say):
    failed = queue.add(ME, request(0, 5))
    say(Accepted(1, 8, 5), Failed(1, "no", "", "error"))
    running = queue.add(ME, request(0, 5))
    queue.abandon(ME)
    say(Cancelled(2))
    queue.retry(running)
    assert states(queue) == [JobState.FAILED, JobState.CANCELLED]
    queue.retry(failed)
    assert states(queue) == [JobState.CANCELLED, JobState.STARTING]
