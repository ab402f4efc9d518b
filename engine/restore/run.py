"""Carry out a plan: clip by clip, tile by tile, handing out every step's result."""

import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameValuesError, MethodError, OperationCancelled
from engine.geometry import Region, Span
from engine.restore.blend import Blend
from engine.restore.methods import Method
from engine.restore.plan import Plan, make_plan
from engine.restore.prepared_clips import PreparedClips
from engine.restore.schedule import Schedule, Step, View
from engine.restore.tile_computer import TileComputer

if TYPE_CHECKING:
    from engine.sequence import Sequence


@dataclass(frozen=True, eq=False)
class TileResult:
    """One tile of one frame was laid into the frame's picture."""

    frame: int
    region: Region
    """What changed in `picture`."""
    picture: NDArray[np.float32]
    """The frame so far, (H, W, 3) RGB; blurry where nothing is restored yet. It changes with later tiles."""
    tiles_done: int
    """Steps of `Plan.tiles_total` that are done, this one included."""


@dataclass(frozen=True, eq=False)
class FrameResult:
    """A frame is finished and its picture changes no more."""

    frame: int
    picture: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    seconds: float
    """Time of computing since the frames before it were finished, shared evenly among those finished
    together."""


StepResult = TileResult | FrameResult


@dataclass(eq=False)
class _FrameInWork:
    picture: NDArray[np.float32]
    blurry: NDArray[np.float32]


def restore_frames(
    sequence: "Sequence",
    frames: Span,
    method: Method,
    *,
    tile_px: int | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Iterator[StepResult]:
    """Plan the restoration of `frames` and carry it out; see `make_plan` and `run_plan`."""
    plan = make_plan(sequence.frame_size, frames, method, tile_px)
    return run_plan(sequence, plan, method, should_cancel)


def run_plan(
    sequence: "Sequence",
    plan: Plan,
    method: Method,
    should_cancel: Callable[[], bool] | None = None,
    wanted: Container[int] | None = None,
    *,
    view: Callable[[], View | None] | None = None,
    computer: TileComputer | None = None,
) -> Iterator[StepResult]:
    """Yield a TileResult for every tile of every frame and a FrameResult when a frame is finished.

    A frame finishes after the last clip it belongs to: in order, unless a `view` (asked before every step)
    wants another clip first. Only the frames of one clip, and those that others have begun, are in memory.
    Of the plan's frames only those `wanted` come out, all without it; clips that hold none are passed over,
    so a wanted frame comes out the same whichever others were finished before.
    `computer` is what meets shortage of memory; without one an error is raised.
    Raises OperationCancelled before the next tile once `should_cancel` returns true, MethodError when the
    method gives values that are not numbers, and whatever reading the sequence raises.
    """
    frame_count = len(sequence)
    if plan.frames.start < 0 or plan.frames.stop > frame_count:
        raise MethodError(
            "the frames asked for are not all there",
            found=f"{plan.frames.start} to {plan.frames.stop}",
            expected=f"within 0 to {frame_count}",
        )
    chosen = range(plan.frames.start, plan.frames.stop) if wanted is None else wanted
    computer = computer or TileComputer(method, plan.size)
    run = _Run(sequence, plan, method, computer, chosen)
    return run.steps(should_cancel or _never, view or _no_view)


def _never() -> bool:
    return False


def _no_view() -> None:
    return None


class _Run:
    """One plan being carried out."""

    def __init__(
        self,
        sequence: "Sequence",
        plan: Plan,
        method: Method,
        computer: TileComputer,
        wanted: Container[int],
    ) -> None:
        self._sequence = sequence
        self._plan = plan
        self._method = method
        self._computer = computer
        self._wanted = wanted
        self._blend = Blend(plan)
        self._schedule = Schedule(plan, wanted)
        self._in_work: dict[int, _FrameInWork] = {}
        self._seconds = 0.0

    def steps(
        self, should_cancel: Callable[[], bool], view: Callable[[], View | None]
    ) -> Iterator[StepResult]:
        with PreparedClips(self._sequence, self._plan, self._method) as clips:
            current: int | None = None
            while True:
                _stop_if(should_cancel)
                seen = view()
                step = self._schedule.next(current, seen, self._computer.limits.tiles)
                if step is None:
                    return
                began = time.perf_counter()
                prepared = clips.take(step.clip)
                if step.clip != current:
                    current = step.clip
                    self._begin(self._plan.clips[current])
                    upcoming = self._schedule.after(current, seen)
                    if upcoming is not None:
                        clips.prepare_ahead(upcoming)
                    _stop_if(should_cancel)
                shown = self._compute(step, prepared)
                self._seconds += time.perf_counter() - began
                del prepared
                yield from self._report(step, shown)
                yield from self._finish(step, clips)

    def _begin(self, clip: Span) -> None:
        """Read the frames of a clip that no other has begun."""
        for frame in range(clip.start, clip.stop):
            if frame not in self._in_work:
                blurry = np.asarray(self._sequence.frame(frame), np.float32)
                self._in_work[frame] = _FrameInWork(blurry.copy(), blurry)

    def _compute(self, step: Step, prepared: object) -> list[Region]:
        """Lay the tiles of a step into the frames, and return what changed."""
        clip = self._plan.clips[step.clip]
        tiles = [self._plan.tiles[index] for index in step.tiles]
        shown = []
        for tile, restored in zip(tiles, self._computer.compute(prepared, clip, tiles), strict=True):
            _check(self._sequence, self._method, clip, restored)
            weights = self._blend.weights(tile, clip)
            for offset, frame in enumerate(range(clip.start, clip.stop)):
                work = self._in_work[frame]
                self._blend.lay(work.picture, work.blurry, restored[offset], tile, weights[offset])
            visible = self._blend.visible(tile)
            if visible is not None:
                shown.append(visible)
        return shown

    def _report(self, step: Step, shown: list[Region]) -> Iterator[TileResult]:
        clip = self._plan.clips[step.clip]
        done = self._schedule.tiles_done + len(step.tiles) - len(shown)
        for number, region in enumerate(shown, start=1):
            for frame in (frame for frame in range(clip.start, clip.stop) if frame in self._wanted):
                yield TileResult(frame, region, self._in_work[frame].picture, done + number)

    def _finish(self, step: Step, clips: "PreparedClips") -> Iterator[FrameResult]:
        finished = self._schedule.done(step)
        if step.clip not in self._schedule.clips_left:
            clips.drop(step.clip)
            self._sequence.forget_spikes(self._plan.clips[step.clip])
        for frame in finished:
            picture = self._in_work.pop(frame).picture
            if frame in self._wanted:
                yield FrameResult(frame, picture, self._seconds / len(finished))
        if finished:
            self._seconds = 0.0


def _check(sequence: "Sequence", method: Method, clip: Span, restored: NDArray[np.float32]) -> None:
    for offset, frame in enumerate(range(clip.start, clip.stop)):
        if not np.isfinite(restored[offset]).all():
            error = FrameValuesError(
                f"the method {method.name} gave values that are not numbers, or over a million times white, "
                f"for frame {sequence.frame_name(frame)}",
                advice="Leave this frame out or choose another method or network",
            )
            error.frame = frame
            raise error


def _stop_if(should_cancel: Callable[[], bool]) -> None:
    if should_cancel():
        raise OperationCancelled("restoring was cancelled")
