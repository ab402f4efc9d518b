"""Carry out a plan: clip by clip, tile by tile, handing out every step's result."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameValuesError, OperationCancelled
from engine.geometry import Region, Span
from engine.model_description import looked_at
from engine.moment import Moment, centres
from engine.restoration.blend import Blend
from engine.restoration.events import FrameRestored, TileRestored
from engine.restoration.evidence import NOTHING_CHANGED, missing_evidence
from engine.restoration.memory import is_out_of_memory
from engine.restoration.methods import Method
from engine.restoration.plan import Plan
from engine.restoration.prepared_clips import PreparedClips
from engine.restoration.schedule import Schedule, Step, View
from engine.restoration.tile_computer import TileComputer

if TYPE_CHECKING:
    from engine.sequence import Sequence


StepResult = TileRestored | FrameRestored


class ClipError(Exception):
    """The work on a clip was broken off."""

    def __init__(self, clip: Span, cause: Exception) -> None:
        super().__init__(f"frames {clip}: {cause}")
        self.clip = clip
        self.cause = cause


@dataclass(eq=False)
class _MomentInWork:
    picture: NDArray[np.float32]
    blurry: NDArray[np.float32]
    lacking: str
    """Why nothing can be known of it; empty where something can."""
    reasons: dict[int, str] = field(default_factory=dict)
    """What the method says of it in each clip: why it comes back as it was, or that it is restored."""


def run_clips(
    sequence: "Sequence",
    plan: Plan,
    method: Method,
    should_cancel: Callable[[], bool] | None = None,
    wanted: Iterable[Moment] | None = None,
    *,
    view: Callable[[], View | None] | None = None,
    computer: TileComputer | None = None,
) -> Iterator[StepResult]:
    """Yield a TileRestored for every tile of every moment and a FrameRestored when a moment is finished.

    `wanted` are the moments that come out, without it the centres of the plan's frames; clips that hold none
    are passed over, so a wanted moment comes out the same whichever others were finished before.
    A moment finishes after the last clip its frame belongs to: in order, unless a `view` (asked before every
    step) wants another clip first. Only what is wanted of one clip, and what others have begun, is in memory.
    A frame of which nothing is known (see `engine.restoration.evidence`) comes out as it was, whatever the
    method makes of it. `computer` is what meets shortage of memory; without one an error is raised.
    Raises OperationCancelled before the next tile once `should_cancel` returns true, MemoryError, and
    ClipError with any other exception of reading, preparing or computing a clip as its cause:
    FrameValuesError when the method gives values that are not numbers.
    """
    chosen = centres(plan.frames) if wanted is None else tuple(sorted(set(wanted)))
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
        wanted: tuple[Moment, ...],
    ) -> None:
        self._sequence = sequence
        self._plan = plan
        self._method = method
        self._computer = computer
        self._wanted: dict[int, list[Moment]] = {}
        for moment in wanted:
            self._wanted.setdefault(moment.frame, []).append(moment)
        self._wanted_of = {
            clip: tuple(one for frame in range(clip.start, clip.stop) for one in self._wanted.get(frame, ()))
            for clip in plan.clips
        }
        self._blend = Blend(plan, None if sequence.recording is None else sequence.share_of_spikes)
        self._schedule = Schedule(plan, self._wanted)
        self._in_work: dict[Moment, _MomentInWork] = {}
        self._seconds = 0.0

    def steps(
        self, should_cancel: Callable[[], bool], view: Callable[[], View | None]
    ) -> Iterator[StepResult]:
        with PreparedClips(self._sequence, self._plan, self._method, self._wanted_of) as clips:
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
        """Read what is wanted of a clip that no other has begun, and hear what the method says of it."""
        wanted = self._wanted_of[self._plan.clips[number]]
        clips.prepare_ahead(number)
        for moment in wanted:
            if moment not in self._in_work:
                blurry = np.asarray(self._sequence.frame(moment.frame), np.float32)
                lacking = missing_evidence(self._sequence, moment.frame, self._method.fewest_planes)
                self._in_work[moment] = _MomentInWork(blurry.copy(), blurry, lacking)
        if self._is_barren(wanted):
            return
        said = self._method.unchanged(clips.take(number)) or [""] * len(wanted)
        for moment, reason in zip(wanted, said, strict=True):
            self._in_work[moment].reasons[number] = reason

    def _is_barren(self, wanted: tuple[Moment, ...]) -> bool:
        """Whether nothing is known of anything wanted of a clip, so that nothing is to be computed."""
        return all(self._in_work[moment].lacking for moment in wanted)

    def _compute(self, step: Step, clips: PreparedClips) -> list[Region]:
        """Lay the tiles of a step into the pictures, and return what changed."""
        clip = self._plan.clips[step.clip]
        wanted = self._wanted_of[clip]
        tiles = [self._plan.tiles[index] for index in step.tiles]
        if not self._is_barren(wanted):
            prepared = clips.take(step.clip)
            computed = self._computer.compute(prepared, clip, wanted, tiles)
            for tile, restored in zip(tiles, computed, strict=True):
                self._lay(tile, clip, wanted, restored)
        return [visible for tile in tiles if (visible := self._blend.visible(tile)) is not None]

    def _lay(
        self, tile: Region, clip: Span, wanted: tuple[Moment, ...], restored: NDArray[np.float32]
    ) -> None:
        weights = self._blend.weights(tile, clip)
        for moment, picture in zip(wanted, restored, strict=True):
            work = self._in_work[moment]
            if not work.lacking:
                _check(self._sequence, self._method, moment, picture)
                self._blend.lay(work.picture, work.blurry, picture, tile, weights[moment.frame - clip.start])

    def _report(self, step: Step, shown: list[Region]) -> Iterator[TileRestored]:
        done = self._schedule.tiles_done + len(step.tiles) - len(shown)
        wanted = self._wanted_of[self._plan.clips[step.clip]]
        for number, region in enumerate(shown, start=1):
            for moment in wanted:
                picture = self._in_work[moment].picture
                yield TileRestored(moment, region, picture, done + number, self._plan.tiles_total)

    def _finish(self, step: Step, clips: "PreparedClips") -> Iterator[FrameRestored]:
        frames = self._schedule.done(step)
        if step.clip not in self._schedule.clips_left:
            clips.drop(step.clip)
            self._sequence.forget_spikes(self._plan.clips[step.clip])
        finished = [moment for frame in frames for moment in self._wanted.get(frame, ())]
        for moment in finished:
            work = self._in_work.pop(moment)
            unchanged = _why_unchanged(work, self._sequence.bit_depth)
            picture = work.blurry.copy() if unchanged else work.picture
            seconds = self._seconds / len(finished)
            margin = self._method.margin_frames
            seen = looked_at(self._plan.clips, moment.frame, len(self._sequence), margin)
            yield FrameRestored(moment, picture, seconds, unchanged, seen, self._computer.limits)
        if finished:
            self._seconds = 0.0


def _why_unchanged(work: _MomentInWork, bit_depth: int) -> str:
    """Return why a frame that is done is what it was, "" where it is not: a file of it would differ."""
    if work.lacking:
        return work.lacking
    reasons = list(work.reasons.values())
    if reasons and all(reasons):
        return reasons[0]
    half_a_step = 0.5 / (2**bit_depth - 1)
    is_same = float(np.abs(work.picture - work.blurry).max()) < half_a_step
    return next(filter(None, reasons), NOTHING_CHANGED) if is_same else ""


def _check(sequence: "Sequence", method: Method, moment: Moment, restored: NDArray[np.float32]) -> None:
    if not np.isfinite(restored).all():
        error = FrameValuesError(
            f"the method {method.name} gave values that are not numbers, or over a million times white, "
            f"for frame {moment.stem(sequence.frame_name(moment.frame))}",
            advice="Leave this frame out or choose another method or network",
        )
        error.frame = moment.frame
        raise error


def _stop_if(should_cancel: Callable[[], bool]) -> None:
    if should_cancel():
        raise OperationCancelled("restoring was cancelled")
