"""Carrying out a plan: order, progress, cancelling, and what a broken method does."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import FrameError, MethodError
from engine.geometry import Region, Size, Span
from engine.moment import Moment
from engine.restoration.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    FrameFailed,
    FrameRestored,
    Planned,
    TileRestored,
)
from engine.restoration.methods import Method, make_method
from engine.restoration.options import ComputeOptions
from engine.restoration.restoration import Restoration, restored, run


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

    def spike_limits(self, index: int) -> Span:
        raise AssertionError("there are no spikes to ask for")

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

    def prepare(self, sequence: FakeSequence, clip: Span, wanted: tuple[Moment, ...]) -> Any:
        self.prepared.append(clip)
        return wanted, np.stack([sequence.frame(moment.frame) for moment in wanted])

    def restore(self, prepared: Any, region: Region) -> NDArray[np.float32]:
        wanted, frames = prepared
        self.restored += 1
        result: NDArray[np.float32] = frames[(slice(None), *region.slices)] + np.float32(0.5)
        for place, moment in enumerate(wanted):
            if moment.frame == self.nan_in_frame:
                result[place, 3, 4, 1] = np.nan
        return result


def events_of(
    sequence: FakeSequence, frames: Span, method: Method, tile_px: int = 20, **how: Any
) -> Iterator[Event]:
    options = ComputeOptions(at_most_px=tile_px)
    return run(Restoration.of_frames(sequence, frames, method, options), **how)  # type: ignore[arg-type]


def frames_in(events: Iterable[Event]) -> list[FrameRestored]:
    return [event for event in events if isinstance(event, FrameRestored)]


def test_every_tile_is_reported_and_frames_finish_in_order() -> None:
    sequence, method = FakeSequence(5), Brighten()
    events = list(events_of(sequence, Span(1, 4), method))
    planned = events[0]
    assert isinstance(planned, Planned)
    assert planned.wanted == (Moment(1), Moment(2), Moment(3))
    assert planned.tiles_total == 3 * 2 * 3
    tiles = [event for event in events if isinstance(event, TileRestored)]
    assert [event.tiles_done for event in tiles] == list(range(1, planned.tiles_total + 1))
    assert {event.tiles_total for event in tiles} == {planned.tiles_total}
    frames = frames_in(events)
    assert [event.moment for event in frames] == [Moment(1), Moment(2), Moment(3)]
    for event in frames:
        np.testing.assert_allclose(event.picture, event.frame / 100 + 0.5, atol=1e-6)
        assert event.seconds >= 0
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Finished | Cancelled | Failed) for event in events) == 1
    assert all(sequence.reads.count(frame) >= 1 for frame in (1, 2, 3))
    assert {0, 4}.isdisjoint(sequence.reads)


def test_a_half_finished_frame_is_blurry_where_nothing_is_restored_yet() -> None:
    sequence, method = FakeSequence(1), Brighten()
    first = next(
        event for event in events_of(sequence, Span(0, 1), method) if isinstance(event, TileRestored)
    )
    rows, columns = first.region.slices
    restored = np.zeros((40, 60), bool)
    restored[rows, columns] = True
    assert (first.picture[restored] == 0.5).all()
    assert (first.picture[~restored] == 0.0).all()


def test_overlapping_clips_finish_every_frame_once_with_the_same_result() -> None:
    sequence = FakeSequence(10)
    method = Brighten(clip_frames=4, clip_overlap=2, overlap_px=6)
    frames = frames_in(events_of(sequence, Span(0, 10), method, 24))
    assert [event.frame for event in frames] == list(range(10))
    for event in frames:
        np.testing.assert_allclose(event.picture, event.frame / 100 + 0.5, atol=1e-6)


def test_the_spikes_of_every_finished_clip_are_let_go() -> None:
    sequence = FakeSequence(7)
    list(events_of(sequence, Span(0, 7), Brighten(clip_frames=3, clip_overlap=1)))
    assert [(clip.start, clip.stop) for clip in sequence.forgotten] == [(0, 3), (2, 5), (4, 7)]


@dataclass
class AnyMoment(Brighten):
    """Brightens by the moment's place in the exposure; sees clips of two frames."""

    moments: str = "any"
    clip_frames: int = 2

    def prepare(self, sequence: FakeSequence, clip: Span, wanted: tuple[Moment, ...]) -> Any:
        return [sequence.frame(moment.frame) + np.float32(moment.at) for moment in wanted]

    def restore(self, prepared: Any, region: Region) -> NDArray[np.float32]:
        return np.stack([picture[region.slices] for picture in prepared])


def test_any_moments_of_frames_come_out_in_order_each_as_itself() -> None:
    wanted = (Moment(0, 0.0), Moment(0), Moment(0, 1.0), Moment(3, 0.25))
    method = AnyMoment()
    asked = (*reversed(wanted), Moment(0))
    events = list(run(Restoration(FakeSequence(5), asked, method)))  # type: ignore[arg-type]
    frames = frames_in(events)
    assert tuple(event.moment for event in frames) == wanted
    for event in frames:
        np.testing.assert_allclose(event.picture, event.frame / 100 + event.moment.at, atol=1e-6)


def test_a_moment_that_a_method_cannot_give_is_refused_before_anything_is_computed() -> None:
    method = Brighten()
    (event,) = run(Restoration(FakeSequence(5), (Moment(1), Moment(2, 0.25)), method))  # type: ignore[arg-type]
    assert isinstance(event, Failed)
    assert "brighten cannot restore frame 2 at 0.250" in str(event.error)
    assert method.restored == 0


def cancel_after(calls: int) -> Callable[[], bool]:
    remaining = [calls]

    def should_cancel() -> bool:
        remaining[0] -= 1
        return remaining[0] < 0

    return should_cancel


def test_cancelling_takes_effect_before_the_next_tile() -> None:
    sequence, method = FakeSequence(3), Brighten()
    cancelled = False
    events = events_of(sequence, Span(0, 3), method, should_cancel=lambda: cancelled)
    for _ in range(3):
        next(events)
    cancelled = True
    done = method.restored
    assert [type(event) for event in events] == [Cancelled]
    assert method.restored == done


def test_cancelling_before_the_start_computes_nothing() -> None:
    sequence, method = FakeSequence(3), Brighten()
    events = list(events_of(sequence, Span(0, 3), method, should_cancel=cancel_after(0)))
    assert [type(event) for event in events] == [Planned, Cancelled]
    assert method.restored == 0
    assert method.prepared == []


def test_a_nan_names_the_method_and_the_frame_and_costs_that_frame() -> None:
    sequence, method = FakeSequence(6), Brighten(clip_frames=3, nan_in_frame=4)
    events = list(events_of(sequence, Span(0, 6), method))
    failures = [event for event in events if isinstance(event, FrameFailed)]
    assert [event.frame for event in frames_in(events)] == [0, 1, 2, 3, 5]
    assert [event.frame for event in failures] == [4]
    assert isinstance(failures[0].error, MethodError)
    assert "brighten" in str(failures[0].error)
    assert "frame_0004" in str(failures[0].error)
    assert isinstance(events[-1], Finished)


def test_frames_beyond_the_sequence_are_refused_before_anything_is_computed() -> None:
    sequence, method = FakeSequence(3), Brighten()
    (event,) = events_of(sequence, Span(2, 5), method)
    assert isinstance(event, Failed)
    assert "2 to 5" in str(event.error)
    assert method.prepared == []


def test_an_unreadable_frame_costs_that_frame_or_is_raised_where_none_may_be_missing() -> None:
    class Broken(FakeSequence):
        def frame(self, index: int) -> NDArray[np.float32]:
            if index == 1:
                raise FrameError("cannot be decoded", path="b/0001.png")
            return super().frame(index)

    events = list(events_of(Broken(3), Span(0, 3), Brighten()))
    assert [event.frame for event in frames_in(events)] == [0, 2]
    request = Restoration.of_frames(Broken(3), Span(0, 3), Brighten())  # type: ignore[arg-type]
    with pytest.raises(FrameError, match=r"0001\.png"):
        list(restored(request))


def test_where_every_frame_fails_the_first_reason_ends_it() -> None:
    class Broken(FakeSequence):
        def frame(self, index: int) -> NDArray[np.float32]:
            raise FrameError("cannot be decoded", path=f"b/{index}.png")

    events = list(events_of(Broken(3), Span(0, 3), Brighten()))
    assert isinstance(events[-1], Failed)
    assert "b/0.png" in str(events[-1].error)
    assert not frames_in(events)


def test_a_lack_of_memory_ends_it_as_itself() -> None:
    class Large(FakeSequence):
        def frame(self, index: int) -> NDArray[np.float32]:
            raise MemoryError

    last = list(events_of(Large(3), Span(0, 3), Brighten()))[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.cause, MemoryError)


def test_no_frames_give_no_results() -> None:
    events = list(events_of(FakeSequence(3), Span(1, 1), Brighten()))
    assert [type(event) for event in events] == [Planned, Finished]


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MethodError, match=r"'sharpen'.*spike-ratio"):
        make_method("sharpen")
