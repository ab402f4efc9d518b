"""Carrying out a plan: order, progress, cancelling, and what a broken method does."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import FrameError, MethodError, OperationCancelled
from engine.geometry import Region, Size, Span
from engine.restoration.methods import Method, make_method
from engine.restoration.plan import make_plan
from engine.restoration.run import FrameResult, TileResult, restore_frames, run_plan


class FakeSequence:
    """Frames of one value each, named as files are."""

    recording = None
    bit_depth = 8

    def __init__(self, frames: int, size: Size = Size(40, 60)) -> None:  # noqa: B008
        self.frame_size = size
        self.frames = frames
        self.reads: list[int] = []
        self.forgotten: list[Span] = []

    def __len__(self) -> int:
        return self.frames

    def frame(self, index: int) -> NDArray[np.float32]:
        self.reads.append(index)
        return np.full((self.frame_size.height, self.frame_size.width, 3), index / 100, np.float32)

    def frame_name(self, index: int) -> str:
        return f"frame_{index:04d}"

    def forget_spikes(self, frames: Span) -> None:
        self.forgotten.append(frames)


@dataclass
class Brighten(Method):
    """Adds a half; may give a NaN for one frame."""

    name: str = "brighten"
    clip_frames: int = 1
    clip_overlap: int = 0
    overlap_px: int = 0
    multiple_px: int = 1
    default_tile_px: int | None = 20
    nan_in_frame: int | None = None
    prepared: list[Span] = field(default_factory=list)
    restored: int = 0

    def prepare(self, sequence: FakeSequence, clip: Span) -> tuple[Span, NDArray[np.float32]]:
        self.prepared.append(clip)
        return clip, np.stack([sequence.frame(index) for index in range(clip.start, clip.stop)])

    def restore(self, prepared: tuple[Span, NDArray[np.float32]], region: Region) -> NDArray[np.float32]:
        clip, frames = prepared
        self.restored += 1
        result = frames[(slice(None), *region.slices)] + np.float32(0.5)
        if self.nan_in_frame is not None and self.nan_in_frame in clip:
            result[self.nan_in_frame - clip.start, 3, 4, 1] = np.nan
        return result


def test_every_tile_is_reported_and_frames_finish_in_order() -> None:
    sequence, method = FakeSequence(5), Brighten()
    plan = make_plan(sequence.frame_size, Span(1, 4), method)
    steps = list(run_plan(sequence, plan, method))
    tiles = [step for step in steps if isinstance(step, TileResult)]
    frames = [step for step in steps if isinstance(step, FrameResult)]
    assert [step.tiles_done for step in tiles] == list(range(1, plan.tiles_total + 1))
    assert [step.frame for step in frames] == [1, 2, 3]
    for step in frames:
        np.testing.assert_allclose(step.picture, step.frame / 100 + 0.5, atol=1e-6)
        assert step.seconds >= 0
    assert all(sequence.reads.count(frame) >= 1 for frame in (1, 2, 3))
    assert {0, 4}.isdisjoint(sequence.reads)


def test_a_half_finished_frame_is_blurry_where_nothing_is_restored_yet() -> None:
    sequence, method = FakeSequence(1), Brighten()
    first = next(iter(restore_frames(sequence, Span(0, 1), method)))
    assert isinstance(first, TileResult)
    rows, columns = first.region.slices
    restored = np.zeros((40, 60), bool)
    restored[rows, columns] = True
    assert (first.picture[restored] == 0.5).all()
    assert (first.picture[~restored] == 0.0).all()


def test_overlapping_clips_finish_every_frame_once_with_the_same_result() -> None:
    sequence = FakeSequence(10)
    method = Brighten(clip_frames=4, clip_overlap=2, overlap_px=6, default_tile_px=24)
    frames = [step for step in restore_frames(sequence, Span(0, 10), method) if isinstance(step, FrameResult)]
    assert [step.frame for step in frames] == list(range(10))
    for step in frames:
        np.testing.assert_allclose(step.picture, step.frame / 100 + 0.5, atol=1e-6)


def test_the_spikes_of_every_finished_clip_are_let_go() -> None:
    sequence = FakeSequence(7)
    list(restore_frames(sequence, Span(0, 7), Brighten(clip_frames=3, clip_overlap=1)))
    assert [(clip.start, clip.stop) for clip in sequence.forgotten] == [(0, 3), (2, 5), (4, 7)]


def test_a_wished_tile_size_is_used() -> None:
    sequence, method = FakeSequence(1), Brighten()
    steps = list(restore_frames(sequence, Span(0, 1), method, tile_px=60))
    assert [step.region for step in steps if isinstance(step, TileResult)] == [Region(0, 0, 40, 60)]


def cancel_after(calls: int) -> Callable[[], bool]:
    remaining = [calls]

    def should_cancel() -> bool:
        remaining[0] -= 1
        return remaining[0] < 0

    return should_cancel


def test_cancelling_takes_effect_before_the_next_tile() -> None:
    sequence, method = FakeSequence(3), Brighten()
    cancelled = False
    run = restore_frames(sequence, Span(0, 3), method, should_cancel=lambda: cancelled)
    next(run)
    next(run)
    cancelled = True
    done = method.restored
    with pytest.raises(OperationCancelled):
        next(run)
    assert method.restored == done


def test_cancelling_before_the_start_computes_nothing() -> None:
    sequence, method = FakeSequence(3), Brighten()
    with pytest.raises(OperationCancelled):
        list(restore_frames(sequence, Span(0, 3), method, should_cancel=cancel_after(0)))
    assert method.restored == 0
    assert method.prepared == []


def test_a_nan_names_the_method_and_the_frame() -> None:
    sequence, method = FakeSequence(6), Brighten(clip_frames=3, nan_in_frame=4)
    results = []
    with pytest.raises(MethodError, match=r"brighten.*frame_0004"):
        results.extend(restore_frames(sequence, Span(0, 6), method))
    assert [step.frame for step in results if isinstance(step, FrameResult)] == [0, 1, 2]


def test_frames_beyond_the_sequence_are_refused_before_anything_is_computed() -> None:
    sequence, method = FakeSequence(3), Brighten()
    with pytest.raises(MethodError, match=r"2 to 5.*0 to 3"):
        restore_frames(sequence, Span(2, 5), method)


def test_an_unreadable_frame_ends_the_run_with_its_own_error() -> None:
    class Broken(FakeSequence):
        def frame(self, index: int) -> NDArray[np.float32]:
            if index == 1:
                raise FrameError("cannot be decoded", path="b/0001.png")
            return super().frame(index)

    with pytest.raises(FrameError, match=r"0001\.png"):
        list(restore_frames(Broken(3), Span(0, 3), Brighten()))


def test_no_frames_give_no_results() -> None:
    assert list(restore_frames(FakeSequence(3), Span(1, 1), Brighten())) == []


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MethodError, match=r"'sharpen'.*spike-ratio"):
        make_method("sharpen")
