"""The worker with the engine's own methods, on a real sequence in files."""

import os
import time

import numpy as np
import pytest
from PIL import Image

from engine.alignment import AlignmentWindow
from engine.geometry import Region, Size, Span
from engine.moment import centres
from engine.recording import write_packed
from engine.restoration.methods import make_method
from engine.restoration.options import ComputeOptions
from engine.restoration.own_methods import RATIO_DESCRIPTION
from engine.restoration.restoration import Restoration, restored
from engine.sequence import Sequence, open_source
from engine.source import SequenceSource
from engine.worker import restorer
from engine.worker.blocks import FrameBlock
from engine.worker.client import WorkerClient
from engine.worker.messages import (
    Accepted,
    Failed,
    Finished,
    FrameDone,
    FrameFailed,
    JobEnd,
    RestoreRequest,
    TileDone,
)
from engine.worker.process import Inbox, serve
from engine.worker.protocol import JobRecord

SIZE = Size(24, 40)
FRAMES = 3
EXPOSURE_PLANES = 20


@pytest.fixture
def clip(tmp_path):
    """A loose clip of three frames with their spikes: a bright bar sweeps over a dark wall."""
    folder = tmp_path / "ein Clip 序列"
    (folder / "blur").mkdir(parents=True)
    columns = np.arange(SIZE.width)
    bar_starts = np.arange(FRAMES * EXPOSURE_PLANES) % EXPOSURE_PLANES + 4
    light = 0.1 + 0.8 * ((columns >= bar_starts[:, None]) & (columns < bar_starts[:, None] + 8))
    light = np.repeat(light[:, None], SIZE.height, axis=1)  # (planes, H, W), white = a spike a plane
    for index, exposure in enumerate(light.reshape(FRAMES, EXPOSURE_PLANES, *light.shape[1:])):
        levels = np.repeat(exposure.mean(axis=0)[:, :, None] * 255, 3, axis=2)
        Image.fromarray(np.round(levels).astype(np.uint8)).save(folder / "blur" / f"{index:04d}.png")
    charge = np.cumsum(light, axis=0) + np.random.default_rng(5).random(light.shape[1:])
    planes = np.diff(np.floor(charge), axis=0, prepend=0)
    write_packed(folder / "spike.dat", planes.astype(np.uint8))
    return folder


def source_of(path):
    return SequenceSource(str(path), height=SIZE.height, width=SIZE.width, rate_hz=1000.0)


@pytest.fixture
def client():
    with WorkerClient() as made:
        yield made


def restore_in_worker(client, path, *, size=SIZE, start=0, stop=FRAMES, method="spike-ratio", **options):
    """Return the restored frames by number, and all messages."""
    job = client.submit(source_of(path), centres(Span(start, stop)), method, size, **options)
    messages, pictures = [], {}
    deadline = time.monotonic() + 60
    while not messages or not isinstance(messages[-1], JobEnd):
        assert time.monotonic() < deadline, messages
        for message in client.poll(timeout_seconds=1):
            messages.append(message)
            if isinstance(message, FrameDone):
                pictures[message.frame] = client.picture(job, message.slot)
                client.release(job, message.slot)
    return pictures, messages


def restore_here(path, *, windows=None):
    with open_source(source_of(path)) as sequence:
        if windows is not None:
            sequence = sequence.with_windows(windows)
        request = Restoration.of_frames(sequence, Span(0, FRAMES), make_method("spike-ratio"))
        return {one.frame: one.picture for one in restored(request)}


def test_the_worker_restores_exactly_what_a_direct_call_does(client, clip):
    pictures, messages = restore_in_worker(client, clip, options=ComputeOptions(tile=Size(16, 16)))
    expected = restore_here(clip)
    assert pictures.keys() == expected.keys() == {0, 1, 2}
    for frame, picture in expected.items():
        np.testing.assert_allclose(pictures[frame], picture, atol=1e-6)
    assert messages[0] == Accepted(1, messages[0].tiles, FRAMES, description=RATIO_DESCRIPTION)
    done = [message for message in messages if isinstance(message, FrameDone)]
    assert [message.looked_at for message in done] == [((0, 1),), ((1, 2),), ((2, 3),)]
    assert messages[0].tiles > FRAMES
    last_tile = [message for message in messages if isinstance(message, TileDone)][-1]
    assert last_tile.tiles_done == messages[0].tiles
    assert isinstance(messages[-1], Finished)


def test_windows_that_the_user_moved_are_used(client, clip):
    starts = [index * EXPOSURE_PLANES for index in range(FRAMES)]
    windows = [AlignmentWindow(start + 5.5, start + 12.25) for start in starts]
    pictures, _ = restore_in_worker(client, clip, windows=windows)
    expected = restore_here(clip, windows=windows)
    unmoved = restore_here(clip)
    for frame, picture in expected.items():
        np.testing.assert_allclose(pictures[frame], picture, atol=1e-6)
        assert np.abs(picture - unmoved[frame]).max() > 1e-3


def test_a_frame_whose_window_holds_no_planes_comes_back_as_it_is_and_says_so(client, clip):
    end = FRAMES * EXPOSURE_PLANES
    windows = [AlignmentWindow(0, 20), AlignmentWindow(end + 5, end + 25), AlignmentWindow(40, 60)]
    for _ in range(2):  # the second time from what is kept
        pictures, messages = restore_in_worker(client, clip, windows=windows)
        done = [message for message in messages if isinstance(message, FrameDone)]
        assert {message.frame: message.unchanged for message in done} == {
            0: "",
            1: "its window holds no planes",
            2: "",
        }
        with open_source(source_of(clip)) as sequence:
            np.testing.assert_array_equal(pictures[1], sequence.frame(1))


def test_whatever_a_decoder_raises_costs_one_frame_of_a_job(clip, monkeypatch):
    read, messages = Sequence.frame, []

    def frame(self, index):
        if index == 1:
            raise KeyError("273")
        return read(self, index)

    monkeypatch.setattr(Sequence, "frame", frame)
    block = FrameBlock.create(FRAMES, SIZE)
    try:
        request = RestoreRequest(1, source_of(clip), centres(Span(0, FRAMES)), "spike-ratio", block.shared)
        end = serve(JobRecord(request), restorer.SequenceRestorer(), Inbox(), messages.append)
    finally:
        block.close()
    assert isinstance(end, Finished)
    assert [message.frame for message in messages if isinstance(message, FrameDone)] == [0, 2]
    (failed,) = [message for message in messages if isinstance(message, FrameFailed)]
    assert (failed.frame, failed.message) == (1, "unexpected: KeyError: '273'")
    assert failed.tiles_done <= failed.tiles


def test_remarks_end_with_what_to_do(clip, monkeypatch):
    """Memory runs out for whole frames, and goes on with smaller pieces."""
    method = make_method("spike-ratio", None, "cpu", "auto")
    whole, restore = Region.whole(SIZE), method.restore

    def run_out(prepared, region):
        if region == whole:
            raise MemoryError
        return restore(prepared, region)

    monkeypatch.setattr(method, "restore", run_out)
    monkeypatch.setattr(restorer, "make_method", lambda *_: method)
    block = FrameBlock.create(FRAMES, SIZE)
    try:
        request = RestoreRequest(1, source_of(clip), centres(Span(0, FRAMES)), "spike-ratio", block.shared)
        end = serve(JobRecord(request), restorer.SequenceRestorer(), Inbox(), lambda _: None)
    finally:
        block.close()
    assert isinstance(end, Finished)
    (remark,) = end.remarks
    assert ": going on with pieces of" in remark
    assert remark.endswith(". Close other programs to have larger pieces")


def test_a_sequence_is_opened_again_when_its_files_have_changed(client, clip):
    before, _ = restore_in_worker(client, clip)
    again, _ = restore_in_worker(client, clip)
    np.testing.assert_array_equal(again[0], before[0])
    target = clip / "blur" / "0000.png"
    Image.fromarray(np.full((SIZE.height, SIZE.width, 3), 90, np.uint8)).save(target)
    os.utime(target, (1, 1))
    after, _ = restore_in_worker(client, clip)
    np.testing.assert_allclose(after[0], restore_here(clip)[0], atol=1e-6)
    assert np.abs(after[0] - before[0]).max() > 0.1


def test_a_sequence_and_a_method_are_kept_from_job_to_job(clip, monkeypatch):
    calls = []

    def counted(function):
        def call(*arguments, **options):
            calls.append(function.__name__)
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(restorer, "open_source", counted(open_source))
    monkeypatch.setattr(restorer, "make_method", counted(make_method))
    kept = restorer.SequenceRestorer()
    block = FrameBlock.create(FRAMES, SIZE)
    try:
        for job in (1, 2):
            request = RestoreRequest(job, source_of(clip), centres([0]), "spike-ratio", block.shared)
            assert isinstance(serve(JobRecord(request), kept, Inbox(), lambda _: None), Finished)
    finally:
        block.close()
    assert calls == ["open_source", "make_method"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"method": "no-such"}, "no-such"),
        ({"size": Size(24, 41)}, "24 × 41"),
        ({"stop": FRAMES + 1}, "3 frames"),
        ({"windows": [AlignmentWindow(0, 1)]}, "1 windows"),
        ({"region": (0, 0, 30, 10)}, "outside the frame"),
    ],
)
def test_what_does_not_fit_fails_with_its_reason_alone(client, clip, wrong, words):
    pictures, messages = restore_in_worker(client, clip, **wrong)
    assert pictures == {}
    assert len(messages) == 1
    assert isinstance(messages[0], Failed)
    assert messages[0].cause == "error"
    assert words in messages[0].message
    assert "unexpected" not in messages[0].message


def test_files_that_are_gone_or_broken_fail_with_their_name(client, clip):
    _, messages = restore_in_worker(client, clip.parent / "not there")
    assert "not there" in messages[-1].message
    (clip / "blur" / "0001.png").write_bytes(b"not a picture")
    pictures, messages = restore_in_worker(client, clip)
    assert sorted(pictures) == [0, 2]
    (broken,) = [message for message in messages if isinstance(message, FrameFailed)]
    assert broken.frame == 1
    assert "0001.png" in broken.message
    assert "unexpected" not in broken.message
    assert isinstance(messages[-1], Finished)
