"""Restore moments of frames and go on behind those that cannot be: one broken file costs one frame.

Strategy: a clip that breaks off has a culprit, the frame that an error names or that cannot be read, else the
first that is not done. Nothing is planned across it any more, and the rest goes on. What fails without a file
being at fault would fail again and again, so a few of that kind end the run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.errors import (
    EngineError,
    FrameValuesError,
    RecordingError,
    SequenceError,
    UnexpectedError,
    as_engine_error,
)
from engine.findings import Finding
from engine.geometry import Region, Span
from engine.layouts.listing import shorten
from engine.moment import Moment, frames_of
from engine.restoration.events import FrameFailed, FrameRestored, TileRestored
from engine.restoration.evidence import missing_evidence
from engine.restoration.memory import is_out_of_memory
from engine.restoration.methods import Method
from engine.restoration.plan import Plan, with_neighbours
from engine.restoration.run import ClipError, run_clips
from engine.restoration.schedule import View
from engine.restoration.settings import Layout
from engine.restoration.tile_computer import Limits, TileComputer

if TYPE_CHECKING:
    from engine.sequence import Sequence

GIVE_UP_AFTER = 3
"""When so many frames fail alike without a broken file, the rest would too."""


@dataclass(frozen=True)
class Earlier:
    """What an earlier run for the same moments has done."""

    finished: frozenset[Moment] = frozenset()
    failures: tuple[FrameFailed, ...] = ()
    """In the order in which they happened."""
    limits: Limits | None = None
    """The largest pieces that were computed at once in the end, where they had to be made smaller."""


NOTHING_YET = Earlier()


@dataclass(frozen=True)
class _Stretch:
    """Frames that are planned together, and those of them that are to come out."""

    planned: Span
    wanted: Span

    def around(self, failure: FrameFailed) -> "list[_Stretch]":
        """Return what is left when a frame has failed: nothing is planned across it any more."""
        if failure.is_beside:
            sides = Span(self.planned.start, failure.frame), Span(failure.frame + 1, self.planned.stop)
            parts = [_Stretch(side, side.intersect(self.wanted)) for side in sides]
        else:
            first = failure.frame if failure.finished_before is None else failure.finished_before
            before = Span(first, failure.frame)
            after = Span(failure.frame + 1, self.wanted.stop)
            done = Span(self.wanted.start, first)
            parts = [_Stretch(self.planned, done), _Stretch(before, before), _Stretch(after, after)]
        return [part for part in parts if len(part.wanted) > 0]


class FrameRun:
    """One restoration of moments, in order unless somebody looks elsewhere."""

    def __init__(
        self,
        sequence: "Sequence",
        wanted: tuple[Moment, ...],
        method: Method,
        layout: Layout,
        *,
        computer: TileComputer | None = None,
        region: Region | None = None,
        earlier: Earlier = NOTHING_YET,
    ) -> None:
        """Plan to restore what is wanted, or a `region` of it.

        What `earlier` has finished does not come again, and the rest comes out as if nothing had happened in
        between.
        """
        self._sequence = sequence
        self._frames = frames_of(wanted)
        self._left: dict[int, set[Moment]] = {}
        """Of every wanted frame the moments that have not come out."""
        for moment in wanted:
            self._left.setdefault(moment.frame, set()).add(moment)
        self._method = method
        self._layout = layout
        self._computer = computer or TileComputer(method, sequence.frame_size, layout)
        self._region = region
        self.planned = with_neighbours(self._frames, layout.clip_frames, len(sequence))
        self._pending = _stretches(self._frames, self.planned, earlier.failures)
        self._has_finished_any = bool(earlier.finished)
        for moment in earlier.finished:
            self._left.get(moment.frame, set()).discard(moment)
        self._failures = [failure for failure in earlier.failures if not failure.is_beside]
        self._alike: list[FrameFailed] = []
        """Failures without a broken file since the last moment that came out."""
        self.tiles_done = 0
        self.tiles_total = self._tiles_left()
        self.has_given_up = False
        """Whether frames that are left would fail like those before them, and were not tried."""

    def steps(
        self, should_cancel: Callable[[], bool], view: Callable[[], View | None] | None = None
    ) -> Iterator[TileRestored | FrameRestored | FrameFailed]:
        """Yield what `engine.restoration.run.run_clips` does, and every frame that fails.

        Tiles are counted over everything, anew where a frame fails. Raises the first error where no frame at
        all can be restored, OperationCancelled, MemoryError.
        """
        while self._pending:
            stretch = self._pending[0]
            plan, before = self._plan(stretch), self.tiles_done
            wanted = [
                moment
                for frame in range(stretch.wanted.start, stretch.wanted.stop)
                for moment in self._left.get(frame, ())
            ]
            try:
                for step in run_clips(
                    self._sequence,
                    plan,
                    self._method,
                    should_cancel,
                    wanted,
                    view=view,
                    computer=self._computer,
                ):
                    if isinstance(step, FrameRestored):
                        self._left[step.frame].discard(step.moment)
                        self._has_finished_any = True
                        self._alike.clear()
                        yield step
                    else:
                        self.tiles_done = before + step.tiles_done
                        yield replace(step, tiles_done=self.tiles_done, tiles_total=self.tiles_total)
                self.tiles_done = before + plan.tiles_total
                del self._pending[0]
            except ClipError as error:
                failure = self._failure(stretch, error)
                del self._pending[0]
                left = [part for part in stretch.around(failure) if part.planned != stretch.planned]
                self._pending = left + self._pending
                self.tiles_done = before
                self.tiles_total = before + self._tiles_left()
                yield replace(failure, tiles_done=self.tiles_done, tiles_total=self.tiles_total)
                if self.has_given_up:
                    return

    def _is_done(self, frame: int) -> bool:
        return not self._left.get(frame)

    def _failure(self, stretch: _Stretch, broken: ClipError) -> FrameFailed:
        """Settle what a broken clip costs. Raises its error, or the first one, where all would fail."""
        error = as_engine_error(broken.cause)
        first = stretch.wanted.start
        while first in self._left and self._is_done(first):
            first += 1
        frame, is_of_file = self._culprit(broken.clip, stretch.wanted, error)
        if frame not in stretch.wanted or self._is_done(frame):
            return FrameFailed(frame, error, first, is_beside=True)
        failure = FrameFailed(frame, error, first)
        self._failures.append(failure)
        if not is_of_file:
            self._alike.append(failure)
        kinds = {_kind(one.error) for one in self._alike[-GIVE_UP_AFTER:]}
        would_go_on = len(self._alike) >= GIVE_UP_AFTER
        if not self._has_finished_any and (would_go_on or len(self._failures) == len(self._left)):
            raise self._failures[0].error from broken.cause
        self.has_given_up = would_go_on and len(kinds) == 1 and isinstance(error, UnexpectedError)
        return failure

    def _culprit(self, clip: Span, wanted: Span, error: EngineError) -> tuple[int, bool]:
        """Return the frame that broke a clip, and whether a file of it is to blame.

        That is the frame the error is about or the first that cannot be read, else the first of the clip
        that is not done.
        """
        named = error.frame if isinstance(error, FrameValuesError) else None
        if named is not None and named in clip:
            return named, False
        frames = range(clip.start, clip.stop)
        for frame in frames:
            if not self._can_be_read(frame):
                return frame, True
        left = (frame for frame in frames if frame in wanted and not self._is_done(frame))
        return next(left, clip.start), isinstance(error, SequenceError | RecordingError)

    def _can_be_read(self, frame: int) -> bool:
        try:
            self._sequence.frame(frame)
            missing_evidence(self._sequence, frame, self._method.fewest_planes)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return False
        return True

    def _plan(self, stretch: _Stretch) -> Plan:
        return self._layout.plan(self._sequence.frame_size, stretch.planned, self._method, self._region)

    def _tiles_left(self) -> int:
        return sum(self._plan(stretch).tiles_total for stretch in self._pending)


def describe_beside(sequence: "Sequence", failures: list[FrameFailed]) -> tuple[Finding, ...]:
    """Say which frames were to help those near them, and could not be read."""
    beside = [failure for failure in failures if failure.is_beside]
    if not beside:
        return ()
    names = shorten([sequence.frame_name(failure.frame) for failure in beside])
    problem = f"frames that were to help those near them cannot be used: {names} ({beside[0].error.problem})"
    return (Finding(problem, "Copy them again, and restore anew for the best result"),)


def _kind(error: EngineError) -> str:
    return error.kind if isinstance(error, UnexpectedError) else type(error).__name__


def _stretches(frames: Span, planned: Span, failures: tuple[FrameFailed, ...]) -> list[_Stretch]:
    """Return what a run plans together that has met these failures."""
    stretches = [_Stretch(planned, frames)]
    for failure in failures:
        stretches = [
            part
            for stretch in stretches
            for part in (stretch.around(failure) if _met(stretch, failure) else [stretch])
        ]
    return stretches


def _met(stretch: _Stretch, failure: FrameFailed) -> bool:
    return failure.frame in (stretch.planned if failure.is_beside else stretch.wanted)
