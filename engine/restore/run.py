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
) -> Iterator[StepResult]:
    """Yield a TileResult for every tile of every frame and a FrameResult when a frame is finished.

    Frames finish in order, after the last clip they belong to; only the frames of one clip are in memory.
    Of the plan's frames only those `wanted` come out, all without it; clips that hold none are passed over,
    so a wanted frame comes out the same whichever others were finished before.
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
    return _run(sequence, plan, method, should_cancel or _never, chosen)


def _never() -> bool:
    return False


def _run(
    sequence: "Sequence",
    plan: Plan,
    method: Method,
    should_cancel: Callable[[], bool],
    wanted: Container[int],
) -> Iterator[StepResult]:
    blend = Blend(plan)
    in_work: dict[int, _FrameInWork] = {}
    tiles_done = 0
    seconds = 0.0
    for clip_index, clip in enumerate(plan.clips):
        _stop_if(should_cancel)
        if not any(frame in wanted for frame in range(clip.start, clip.stop)):
            tiles_done += len(plan.tiles)
            continue
        began = time.perf_counter()
        for frame in range(clip.start, clip.stop):
            if frame not in in_work:
                blurry = np.asarray(sequence.frame(frame), np.float32)
                in_work[frame] = _FrameInWork(blurry.copy(), blurry)
        prepared = method.prepare(sequence, clip)
        seconds += time.perf_counter() - began
        for tile in plan.tiles:
            _stop_if(should_cancel)
            began = time.perf_counter()
            restored = method.restore(prepared, tile)
            _check(sequence, method, clip, restored)
            weights = blend.weights(tile, clip)
            for offset, frame in enumerate(range(clip.start, clip.stop)):
                work = in_work[frame]
                blend.lay(work.picture, work.blurry, restored[offset], tile, weights[offset])
            tiles_done += 1
            seconds += time.perf_counter() - began
            shown = blend.visible(tile)
            if shown is not None:
                for frame in (frame for frame in range(clip.start, clip.stop) if frame in wanted):
                    yield TileResult(frame, shown, in_work[frame].picture, tiles_done)
        del prepared
        still_needed_from = (
            plan.clips[clip_index + 1].start if clip_index + 1 < len(plan.clips) else clip.stop
        )
        finished = [frame for frame in sorted(in_work) if frame < still_needed_from]
        for frame in finished:
            picture = in_work.pop(frame).picture
            if frame in wanted:
                yield FrameResult(frame, picture, seconds / len(finished))
        if finished:
            seconds = 0.0


def _check(sequence: "Sequence", method: Method, clip: Span, restored: NDArray[np.float32]) -> None:
    for offset, frame in enumerate(range(clip.start, clip.stop)):
        if not np.isfinite(restored[offset]).all():
            error = FrameValuesError(
                f"the method {method.name} gave values that are not numbers for frame "
                f"{sequence.frame_name(frame)}",
                advice="Leave this frame out or choose another method",
            )
            error.frame = frame
            raise error


def _stop_if(should_cancel: Callable[[], bool]) -> None:
    if should_cancel():
        raise OperationCancelled("restoring was cancelled")
