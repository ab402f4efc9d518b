"""Carry out a plan: clip by clip, tile by tile, handing out every step's result."""

import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameValuesError, MethodError, OperationCancelled
from engine.geometry import Region, Span
from engine.restoration.blend import Blend
from engine.restoration.evidence import NOTHING_CHANGED, missing_evidence
from engine.restoration.memory import is_out_of_memory
from engine.restoration.methods import Method
from engine.restoration.plan import Plan, make_plan
from engine.restoration.prepared_clips import PreparedClips
from engine.restoration.schedule import Schedule, Step, View
from engine.restoration.tile_computer import TileComputer

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
    unchanged: str = ""
    """Why the picture is the blurry frame (see `engine.restoration.evidence`); empty where it is restored."""


StepResult = TileResult | FrameResult


class ClipError(Exception):
    """The work on a clip was broken off."""

    def __init__(self, clip: Span, cause: Exception) -> None:
        super().__init__(f"frames {clip}: {cause}")
        self.clip = clip
        self.cause = cause


@dataclass(eq=False)
class _FrameInWork:
    picture: NDArray[np.float32]
    blurry: NDArray[np.float32]
    lacking: str
    """Why nothing can be known of it; empty where something can."""
    reasons: dict[int, str] = field(default_factory=dict)
    """What the method says of it in each clip: why it comes back as it was, or that it is restored."""


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
    """Carry out a plan as `run_clips` does, and raise what broke it off as it is."""
    return _raising_causes(
        run_clips(sequence, plan, method, should_cancel, wanted, view=view, computer=computer)
    )


def _raising_causes(steps: Iterator[StepResult]) -> Iterator[StepResult]:
    cause: Exception | None = None
    try:
        yield from steps
    except ClipError as error:
        cause = error.cause
    if cause is not None:
        raise cause


def run_clips(
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
    A frame of which nothing is known (see `engine.restoration.evidence`) comes out as it was, whatever the
    method makes of it. `computer` is what meets shortage of memory; without one an error is raised.
    Raises OperationCancelled before the next tile once `should_cancel` returns true, MemoryError, and
    ClipError with any other exception of reading, preparing or computing a clip as its cause:
    FrameValuesError when the method gives values that are not numbers.
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
        self._blend = Blend(plan, None if sequence.recording is None else sequence.share_of_spikes)
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
                try:
                    if step.clip != current:
                        current = step.clip
                        self._begin(current, clips)
                        upcoming = self._schedule.after(current, seen)
                        if upcoming is not None:
                            clips.prepare_ahead(upcoming)
                        _stop_if(should_cancel)
                    shown = self._compute(step, clips)
                except OperationCancelled:
                    raise
                except Exception as error:
                    if is_out_of_memory(error):
                        raise
                    raise ClipError(self._plan.clips[step.clip], error) from error
                self._seconds += time.perf_counter() - began
                yield from self._report(step, shown)
                yield from self._finish(step, clips)

    def _begin(self, number: int, clips: PreparedClips) -> None:
        """Read the frames of a clip that no other has begun, and hear what the method says of them."""
        clip = self._plan.clips[number]
        clips.prepare_ahead(number)
        for frame in range(clip.start, clip.stop):
            if frame not in self._in_work:
                blurry = np.asarray(self._sequence.frame(frame), np.float32)
                lacking = missing_evidence(self._sequence, frame, self._method.fewest_planes)
                self._in_work[frame] = _FrameInWork(blurry.copy(), blurry, lacking)
        if self._is_barren(clip):
            return
        said = self._method.unchanged(clips.take(number)) or [""] * len(clip)
        for frame, reason in zip(range(clip.start, clip.stop), said, strict=True):
            self._in_work[frame].reasons[number] = reason

    def _is_barren(self, clip: Span) -> bool:
        """Whether nothing is known of any frame of a clip, so that nothing is to be computed."""
        return all(self._in_work[frame].lacking for frame in range(clip.start, clip.stop))

    def _compute(self, step: Step, clips: PreparedClips) -> list[Region]:
        """Lay the tiles of a step into the frames, and return what changed."""
        clip = self._plan.clips[step.clip]
        tiles = [self._plan.tiles[index] for index in step.tiles]
        if not self._is_barren(clip):
            prepared = clips.take(step.clip)
            for tile, restored in zip(tiles, self._computer.compute(prepared, clip, tiles), strict=True):
                self._lay(tile, clip, restored)
        return [visible for tile in tiles if (visible := self._blend.visible(tile)) is not None]

    def _lay(self, tile: Region, clip: Span, restored: NDArray[np.float32]) -> None:
        weights = self._blend.weights(tile, clip)
        for offset, frame in enumerate(range(clip.start, clip.stop)):
            work = self._in_work[frame]
            if not work.lacking:
                _check(self._sequence, self._method, frame, restored[offset])
                self._blend.lay(work.picture, work.blurry, restored[offset], tile, weights[offset])

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
            work = self._in_work.pop(frame)
            if frame in self._wanted:
                unchanged = _why_unchanged(work, self._sequence.bit_depth)
                picture = work.blurry.copy() if unchanged else work.picture
                yield FrameResult(frame, picture, self._seconds / len(finished), unchanged)
        if finished:
            self._seconds = 0.0


def _why_unchanged(work: _FrameInWork, bit_depth: int) -> str:
    """Return why a frame that is done is what it was, "" where it is not: a file of it would differ."""
    if work.lacking:
        return work.lacking
    reasons = list(work.reasons.values())
    if reasons and all(reasons):
        return reasons[0]
    half_a_step = 0.5 / (2**bit_depth - 1)
    is_same = float(np.abs(work.picture - work.blurry).max()) < half_a_step
    return next(filter(None, reasons), NOTHING_CHANGED) if is_same else ""


def _check(sequence: "Sequence", method: Method, frame: int, restored: NDArray[np.float32]) -> None:
    if not np.isfinite(restored).all():
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
