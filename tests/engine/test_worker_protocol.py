"""The protocol between client and worker, without a process."""

import re
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import MethodError, OperationCancelled, WorkerError
from engine.geometry import Region, Size, Span
from engine.moment import Moment, centres
from engine.source import SequenceSource
from engine.worker import blocks
from engine.worker.blocks import FrameBlock, choose_slots
from engine.worker.messages import (
    NO_SLOT,
    Accepted,
    Cancelled,
    CancelRequest,
    Failed,
    Finished,
    FrameDone,
    FrameFailed,
    RestoreRequest,
    SharedFrames,
    SlotReleased,
    TileDone,
)
from engine.worker.process import Inbox, JobReporter, load_restorer, serve
from engine.worker.protocol import JobRecord, JobState, SlotPool

SIZE = Size(4, 6)
WHOLE = Region.whole(SIZE)


def request_frames(start, stop, *, slots=2, job=1, name="unused"):
    frames = SharedFrames(name, slots, SIZE.height, SIZE.width)
    return RestoreRequest(job, SequenceSource("somewhere"), centres(Span(start, stop)), "scripted", frames)


def tile(frame, tiles_done, slot=NO_SLOT):
    return TileDone(1, Moment(frame), slot, 0, 0, 4, 6, tiles_done)


# ------------------------------------------------------------------ the table

LETTERS = {
    "A": Accepted(1, 9, 1),
    "T": tile(0, 1),
    "F": FrameDone(1, Moment(0), 0, 0.1),
    "B": FrameFailed(1, 0, "broken", 1, 9),
    "N": Finished(1, 0.1),
    "C": Cancelled(1),
    "X": Failed(1, "no"),
}
LEGAL_BEGINNING = re.compile(r"|C|X|A|AT*|AT*[FB]|AT*[FB]?[CX]|AT*[FB]N")
"""The life of a job of one frame, as a regular expression: an oracle that shares nothing with the table."""


@given(st.text(alphabet="ATFBNCX", max_size=7))
def test_exactly_the_promised_orders_of_messages_are_legal(word):
    record = JobRecord(request_frames(0, 1))
    accepted = ""
    for letter in word:
        try:
            record.observe(LETTERS[letter])
        except WorkerError:
            assert not LEGAL_BEGINNING.fullmatch(accepted + letter)
            return
        accepted += letter
        assert LEGAL_BEGINNING.fullmatch(accepted)
        assert record.is_over == (letter in "NCX")


def test_a_refused_message_leaves_the_record_as_it_was():
    record = JobRecord(request_frames(0, 2))
    record.observe(Accepted(1, 4, 2))
    record.observe(tile(0, 2))
    for wrong in (tile(0, 1), tile(0, 5), tile(2, 3), FrameDone(1, Moment(0), 2, 0.1), Finished(1, 0.1)):
        with pytest.raises(WorkerError):
            record.observe(wrong)
    assert record.state is JobState.RUNNING
    assert record.tiles_done == 2
    assert record.done == set()


def test_a_message_of_another_job_is_refused():
    with pytest.raises(WorkerError, match="job 2"):
        JobRecord(request_frames(0, 1)).observe(Accepted(2, 1, 1))


def test_a_slot_that_was_not_released_cannot_hold_another_frame():
    record = JobRecord(request_frames(0, 2))
    record.observe(Accepted(1, 2, 2))
    record.observe(FrameDone(1, Moment(0), 0, 0.1))
    with pytest.raises(WorkerError, match="slot 0"):
        record.observe(FrameDone(1, Moment(1), 0, 0.1))
    record.slots.release(0)
    record.observe(FrameDone(1, Moment(1), 0, 0.1))


# ------------------------------------------------------------------ slots


@given(
    slots=st.integers(2, 5),
    clip=st.integers(1, 9),
    frames=st.integers(1, 30),
    order=st.randoms(use_true_random=False),
)
def test_no_pattern_of_clips_can_take_all_slots_away_from_a_finished_frame(slots, clip, frames, order):
    pool = SlotPool(slots)
    for first in range(0, frames, clip):
        in_work = list(range(first, min(first + clip, frames)))
        for frame in order.sample(in_work, len(in_work)):
            pool.take(Moment(frame), finished=False)
        for frame in in_work:
            slot = pool.take(Moment(frame), finished=True)
            assert slot is not None, "the worker would wait for ever: the client holds nothing to release"
            assert pool.held_by(slot) == Moment(frame)
            pool.release(slot)


def test_a_frame_keeps_its_slot_until_it_is_released():
    pool = SlotPool(3)
    assert pool.take(Moment(7), finished=False) == pool.take(Moment(7), finished=True)
    assert pool.slot_of(Moment(7)) is not None
    pool.release(pool.slot_of(Moment(7)))
    assert pool.slot_of(Moment(7)) is None


def test_slots_outside_the_block_are_refused():
    pool = SlotPool(2)
    for wrong in (-1, 2):
        with pytest.raises(WorkerError):
            pool.hold(wrong, Moment(0))
        with pytest.raises(WorkerError):
            pool.release(wrong)


# ------------------------------------------------------------------ shared memory


def test_slots_follow_the_job_the_budget_and_the_memory_there_is():
    small, one_small = Size(10, 10), 10 * 10 * 3 * 4
    assert choose_slots(1, small) == 2
    assert choose_slots(5, small) == 6
    assert choose_slots(500, small) == blocks.MOST_SLOTS
    assert choose_slots(500, small, free_bytes=3 * one_small + 1) == 3
    huge = Size(8000, 8000)
    assert choose_slots(500, huge) == 2
    with pytest.raises(WorkerError, match=r"too little shared memory.*--shm-size"):
        choose_slots(500, huge, free_bytes=64 * 2**20)


def test_a_picture_written_at_one_end_is_read_at_the_other_and_the_owner_unlinks():
    owner = FrameBlock.create(3, SIZE)
    try:
        picture = np.random.default_rng(1).random((4, 6, 3), np.float32)
        other = FrameBlock.attach(owner.shared)
        other.write(1, picture)
        other.write(2, picture, Region(1, 2, 3, 5))
        other.close()
        np.testing.assert_array_equal(owner.read(1), picture)
        expected = np.zeros_like(picture)
        expected[1:3, 2:5] = picture[1:3, 2:5]
        np.testing.assert_array_equal(owner.read(2), expected)
        with pytest.raises(WorkerError, match="slot 4"):
            owner.read(4)
        with pytest.raises(WorkerError, match=r"5 × 6.*4 × 6"):
            owner.write(0, np.zeros((5, 6, 3), np.float32))
    finally:
        owner.close()
    with pytest.raises(WorkerError, match="gone"):
        FrameBlock.attach(owner.shared)


# ------------------------------------------------------------------ one job, served in this process


@pytest.fixture
def block():
    made = FrameBlock.create(1, SIZE)
    yield made
    made.close()


def serve_scripted(block, script, *, frames=2, messages_before=()):
    """Serve one job in this process; return everything it said, its end last."""
    request = RestoreRequest(
        1, SequenceSource("somewhere"), centres(Span(0, frames)), "scripted", block.shared
    )
    inbox = Inbox()
    for message in messages_before:
        inbox.put(message)
    said = []
    end = serve(JobRecord(request), lambda _request, report: script(report, inbox), inbox, said.append)
    return [*said, end]


def picture(value):
    return np.full((4, 6, 3), value, np.float32)


def test_a_job_says_its_plan_then_tiles_and_frames_then_that_it_is_finished(block):
    def script(report, _):
        report.planned(2, 2)
        for frame in range(2):
            report.tile(Moment(frame), WHOLE, picture(frame), frame + 1)
            report.frame(Moment(frame), picture(frame), 0.25)

    said = serve_scripted(block, script)
    assert [type(message) for message in said] == [
        Accepted,
        TileDone,
        FrameDone,
        TileDone,
        FrameDone,
        Finished,
    ]
    assert said[0] == Accepted(1, tiles=2, frames=2)
    assert said[2].frame == 0
    for done in (said[2], said[4]):
        np.testing.assert_array_equal(block.read(done.slot), picture(done.frame))


def test_a_preview_is_whole_when_it_is_first_shown_and_has_no_slot_when_slots_are_short(block):
    def script(report, _):
        report.planned(2, 2)
        report.tile(Moment(0), Region(0, 0, 4, 3), picture(0.5), 1)
        report.tile(Moment(1), Region(0, 0, 4, 3), picture(0.75), 1)
        report.frame(Moment(0), picture(0.5), 0.1)
        report.frame(Moment(1), picture(0.75), 0.1)

    said = serve_scripted(block, script)
    assert said[1].slot != NO_SLOT
    np.testing.assert_array_equal(block.read(said[1].slot), picture(0.5))
    assert said[2].slot == NO_SLOT
    assert isinstance(said[-1], Finished)


def test_a_finished_frame_waits_for_a_slot(block):
    is_waiting = threading.Event()

    def script(report, inbox):
        report.planned(3, 3)
        report.frame(Moment(0), picture(0), 0.1)
        report.frame(Moment(1), picture(1), 0.1)
        release = threading.Timer(0.05, lambda: (is_waiting.set(), inbox.put(SlotReleased(1, 0))))
        release.start()
        report.frame(Moment(2), picture(2), 0.1)
        assert is_waiting.is_set()
        release.join()

    said = serve_scripted(block, script, frames=3)
    assert isinstance(said[-1], Finished)
    assert said[-2].slot == 0


def test_a_cancel_is_heard_while_waiting_for_a_slot(block):
    def script(report, inbox):
        report.planned(3, 3)
        report.frame(Moment(0), picture(0), 0.1)
        report.frame(Moment(1), picture(1), 0.1)
        threading.Timer(0.05, lambda: inbox.put(CancelRequest(1))).start()
        report.frame(Moment(2), picture(2), 0.1)

    assert serve_scripted(block, script, frames=3)[-1] == Cancelled(1)


def test_nothing_but_cancelled_is_said_after_a_cancel(block):
    def script(report, inbox):
        report.planned(9, 2)
        inbox.put(CancelRequest(1))
        assert report.is_cancelled()
        report.tile(Moment(0), WHOLE, picture(0), 1)
        raise AssertionError("the tile was reported")

    assert serve_scripted(block, script) == [Accepted(1, 9, 2), Cancelled(1)]


def test_a_job_cancelled_before_its_turn_says_only_that(block):
    def script(*_):
        raise AssertionError("the job was begun")

    assert serve_scripted(block, script, messages_before=[CancelRequest(1)]) == [Cancelled(1)]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MethodError("no weights", advice="Choose others"), "no weights. Choose others"),
        (ValueError("two\nlines"), "unexpected: ValueError: two lines"),
        (MemoryError(), "there is not enough memory for this job. Use a smaller tile or fewer frames"),
    ],
)
def test_an_exception_becomes_one_line_with_its_traceback_as_details(block, error, message):
    def script(report, _):
        report.planned(1, 1)
        raise error

    failed = serve_scripted(block, script)[-1]
    assert failed.message == message
    assert failed.cause == "error"
    assert "in script" in failed.details


def test_a_restorer_that_forgets_frames_fails_instead_of_finishing(block):
    failed = serve_scripted(block, lambda report, _: report.planned(2, 2))[-1]
    assert isinstance(failed, Failed)
    assert "Finished without frame 0 and 1 more" in failed.message


def test_a_job_whose_shared_memory_is_gone_fails():
    request = request_frames(0, 1, name="psm_not_there")
    end = serve(JobRecord(request), lambda *_: None, Inbox(), lambda _: None)
    assert isinstance(end, Failed)
    assert "shared memory" in end.message


def test_a_restorer_that_cannot_be_imported_is_named():
    for path in ("engine.nowhere:Restorer", "engine.worker.messages:Nobody"):
        with pytest.raises(WorkerError, match=path):
            load_restorer(path)


def test_the_inbox_forgets_a_job_that_has_ended():
    inbox = Inbox()
    inbox.put(CancelRequest(1))
    inbox.put(SlotReleased(1, 0))
    inbox.forget(1)
    assert not inbox.is_cancelled(1)
    assert inbox.take_released(1) == []


def test_a_reporter_stops_its_restorer_by_an_exception(block):
    inbox = Inbox()
    inbox.put(CancelRequest(1))
    request = RestoreRequest(1, SequenceSource("x"), centres([0]), "scripted", block.shared)
    reporter = JobReporter(JobRecord(request), block, inbox, lambda _: None)
    with pytest.raises(OperationCancelled):
        reporter.planned(1, 1)
