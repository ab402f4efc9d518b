"""Pausing, following the user's view, regions, and results that are kept."""

import time

import numpy as np
import pytest

from engine.alignment import AlignmentWindow
from engine.geometry import Region, Size, Span
from engine.moment import Moment, centres
from engine.recording import write_packed
from engine.restoration.methods import Method
from engine.restoration.options import ComputeOptions
from engine.restoration.plan import plan
from engine.restoration.result_cache import ResultCache, result_key
from engine.sequence import open_sequence
from engine.source import SequenceSource
from engine.worker import restorer
from engine.worker.blocks import FrameBlock
from engine.worker.client import WorkerClient
from engine.worker.messages import (
    Accepted,
    Cancelled,
    Finished,
    FrameDone,
    PauseRequest,
    Prioritise,
    RestoreRequest,
    ResumeRequest,
    SlotReleased,
    TileDone,
)
from engine.worker.process import Inbox, serve
from engine.worker.protocol import JobRecord

SIZE = Size(32, 48)
FRAMES = 8
EXPOSURE = 8
SCRIPTED = "tests.engine.scripted_restorer:ScriptedRestorer"


class Brighten(Method):
    """Adds a tenth; knows which tiles it was asked for."""

    name = "brighten"
    clip_frames, clip_overlap, overlap_px, multiple_px, default_tile_px = 4, 1, 4, 4, 16

    def __init__(self):
        self.asked = []

    def prepare(self, sequence, clip, wanted):
        return clip, np.stack([sequence.frame(moment.frame) for moment in wanted])

    def restore(self, prepared, region):
        clip, frames = prepared
        self.asked.append((clip, region))
        return frames[(slice(None), *region.slices)] + np.float32(0.1)


@pytest.fixture
def source(tmp_path):
    """Eight exposures of random spikes, without frames of their own."""
    planes = np.random.default_rng(0).random((FRAMES * EXPOSURE, SIZE.height, SIZE.width)) < 0.3
    write_packed(tmp_path / "spike.dat", planes.astype(np.uint8))
    return SequenceSource(
        str(tmp_path / "spike.dat"), height=SIZE.height, width=SIZE.width, exposure_planes=EXPOSURE
    )


@pytest.fixture
def served(source, monkeypatch):
    """Return what does a job in this process: messages, pictures by frame, and the method."""
    method = Brighten()
    monkeypatch.setattr(restorer, "make_method", lambda *_: method)
    kept = restorer.SequenceRestorer()

    def run(*, start=0, stop=FRAMES, inbox=None, on_message=lambda _: None, **options):
        inbox = inbox or Inbox()
        block = FrameBlock.create(stop - start, SIZE)
        pictures, messages = {}, []

        def send(message):
            messages.append(message)
            if isinstance(message, FrameDone):
                pictures[message.frame] = block.read(message.slot)
                inbox.put(SlotReleased(1, message.slot))
            on_message(message)

        request = RestoreRequest(1, source, centres(Span(start, stop)), "brighten", block.shared, **options)
        method.asked.clear()
        try:
            messages.append(serve(JobRecord(request), kept, inbox, send))
        finally:
            block.close()
        return messages, pictures, list(method.asked)

    return run


def test_a_result_comes_again_without_computing(served):
    first, pictures, asked = served()
    again, same, asked_again = served()

    assert isinstance(first[-1], Finished)
    assert isinstance(again[-1], Finished)
    assert asked
    assert not asked_again
    for frame, picture in pictures.items():
        np.testing.assert_array_equal(same[frame], picture)


def test_other_numbers_are_other_results(served):
    served()
    _, _, asked = served(options=ComputeOptions(tile=Size(24, 24)))
    assert asked


def test_a_moved_window_makes_only_its_clips_anew(served):
    windows = [AlignmentWindow(index * EXPOSURE, index * EXPOSURE + 8) for index in range(FRAMES)]
    served(windows=tuple(windows))
    windows[0] = AlignmentWindow(1, 8)

    messages, pictures, asked = served(windows=tuple(windows))

    assert {clip for clip, _ in asked} == {Span(0, 4), Span(2, 6)}  # they share frames; [4, 8) is kept
    assert sorted(pictures) == list(range(FRAMES))
    assert isinstance(messages[-1], Finished)


def test_keys_tell_clips_apart(source):
    with open_sequence(source.path, height=32, width=48, exposure_planes=EXPOSURE) as sequence:
        work = plan(SIZE, Span(0, FRAMES), 16, 4, 4, 1, multiple=4)
        keys = [result_key("method", sequence, work, Moment(frame)) for frame in range(FRAMES)]
        assert len(set(keys)) == FRAMES
        assert keys[0] == result_key("method", sequence, work, Moment(0))
        assert keys[0] != result_key("other", sequence, work, Moment(0))


def test_the_cache_forgets_what_was_not_asked_for_the_longest():
    cache = ResultCache(most_bytes=100)
    for number in range(3):
        cache.put((number,), np.full(10, number, np.float32))
        cache.get((0,))
    cache.put(("large",), np.zeros(1000, np.float32))

    assert cache.get((0,)) is not None
    assert cache.get((1,)) is None
    assert cache.get(("large",)) is None


def test_a_region_is_restored_alone(served):
    region = Region(8, 20, 16, 32)

    messages, pictures, asked = served(start=3, stop=4, region=(8, 20, 16, 32))

    accepted = next(message for message in messages if isinstance(message, Accepted))
    assert accepted.tiles < 12 * 2
    assert all(tile.bottom - tile.top < SIZE.height for _, tile in asked)
    with_all, whole, _ = served(start=3, stop=4)
    assert isinstance(with_all[-1], Finished)
    np.testing.assert_allclose(pictures[3][region.slices], whole[3][region.slices], atol=1e-6)
    outside = np.ones((SIZE.height, SIZE.width), bool)
    outside[region.slices] = False
    assert np.abs(pictures[3] - whole[3])[outside].max() > 0.05


def test_the_view_decides_what_comes_first_while_it_runs(served):
    inbox = Inbox()
    inbox.put(Prioritise(1, 7, (0, 32, 16, 48), (2.0, 46.0)))
    seen = []

    def look_elsewhere(message):
        if isinstance(message, TileDone):
            seen.append((message.frame, message.top, message.left))
            if len({tile[1:] for tile in seen}) == 1:
                inbox.put(Prioritise(1, 0, (16, 0, 32, 16), (31.0, 1.0)))

    _, pictures, asked = served(inbox=inbox, on_message=look_elsewhere)

    first_clip, first_tile = asked[0]
    second_clip, second_tile = asked[1]
    assert 7 in first_clip
    assert first_tile.right == SIZE.width
    assert first_tile.top == 0
    assert 0 in second_clip
    assert second_tile.left == 0
    assert second_tile.bottom == SIZE.height
    assert sorted(pictures) == list(range(FRAMES))


def test_a_tile_that_nobody_chose_is_small_enough_to_show_soon(served):
    _, _, asked = served()
    assert max(tile.bottom - tile.top for _, tile in asked) <= Brighten.default_tile_px


def wait_for(client, kind, seconds=20):
    """Poll until a message of this kind comes; return all of them."""
    messages, deadline = [], time.monotonic() + seconds
    while not any(isinstance(message, kind) for message in messages):
        assert time.monotonic() < deadline, messages
        messages += client.poll(timeout_seconds=0.2)
    return messages


def test_a_paused_job_holds_between_tiles_and_goes_on_where_it_was():
    with WorkerClient(restorer=SCRIPTED) as client:
        job = client.submit(SequenceSource("x"), centres(Span(0, 2)), "slow", SIZE)
        wait_for(client, TileDone)
        client.pause(job)
        time.sleep(0.3)
        client.poll()
        time.sleep(0.3)
        assert client.poll() == []

        client.resume(job)
        messages = wait_for(client, Finished)

    assert isinstance(messages[-1], Finished)


def test_a_paused_job_can_be_cancelled():
    with WorkerClient(restorer=SCRIPTED) as client:
        job = client.submit(SequenceSource("x"), centres(Span(0, 2)), "slow", SIZE)
        wait_for(client, TileDone)
        client.pause(job)
        client.cancel(job)
        wait_for(client, Cancelled)


def test_a_pause_that_comes_before_its_job_holds_nothing_else():
    inbox = Inbox()
    inbox.put(PauseRequest(2))
    assert not inbox.is_cancelled(1)
    inbox.put(ResumeRequest(2))
    assert not inbox.is_cancelled(2)
