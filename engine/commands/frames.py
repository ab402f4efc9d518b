"""Restore frame after frame: go on behind a broken one, stop when told to, and show how far it is.

The computing is `engine.restore.run`, as in the worker.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.errors import EngineError, FrameValuesError, OperationCancelled
from engine.geometry import Region, Span
from engine.layouts.listing import shorten
from engine.restore.methods import Method
from engine.restore.plan import with_neighbours
from engine.restore.run import FrameResult, run_plan
from engine.restore.settings import Layout, RestoreSettings, settle
from engine.restore.tile_computer import TileComputer
from engine.sequence import Sequence

GIVE_UP_AFTER = 3
"""When so many frames fail before the first one succeeds, the rest would too."""

Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""


@dataclass(frozen=True)
class FrameFailure:
    """A frame that could not be restored, and why."""

    frame: int
    error: EngineError
    finished_before: int | None = None
    """The first frame that was not finished when this one failed in restoring, None for another failure."""


@dataclass(frozen=True)
class Earlier:
    """What an earlier run over the same frames has done."""

    finished: frozenset[int] = frozenset()
    failures: tuple[FrameFailure, ...] = ()
    """In the order in which they happened."""


NOTHING_YET = Earlier()


@dataclass(frozen=True)
class _Stretch:
    """Frames that are planned together, and those of them that are to come out."""

    planned: Span
    wanted: Span

    def around(self, failure: FrameFailure) -> "list[_Stretch]":
        """Return what is left when a frame has failed: nothing is planned across it any more."""
        first = failure.frame if failure.finished_before is None else failure.finished_before
        before = Span(first, failure.frame)
        after = Span(failure.frame + 1, self.wanted.stop)
        done = Span(self.wanted.start, first)
        parts = [_Stretch(self.planned, done), _Stretch(before, before), _Stretch(after, after)]
        return [part for part in parts if len(part.wanted) > 0]


def restore_each(
    sequence: Sequence,
    frames: Span,
    method: Method,
    *,
    progress: Progress,
    should_stop: Callable[[], bool],
    layout: Layout | None = None,
    computer: TileComputer | None = None,
    region: Region | None = None,
    earlier: Earlier = NOTHING_YET,
) -> Iterator[FrameResult | FrameFailure]:
    """Restore `frames` in order; a frame that fails is handed out as FrameFailure and left out.

    What `earlier` has finished does not come again, and the rest comes out as if nothing had happened in
    between. `layout` None is settled for the memory there is; `region` restores only a part of the
    pictures. Raises the first error when no frame succeeds or the first `GIVE_UP_AFTER` fail,
    OperationCancelled at the border of a tile once `should_stop` returns true.
    """
    size = sequence.frame_size
    layout = layout or settle(size, len(sequence), method, RestoreSettings())
    computer = computer or TileComputer(method, size, layout)
    planned = with_neighbours(frames, layout.clip_frames, len(sequence))
    pending = _stretches(frames, planned, earlier.failures)
    tiles_done, finished = 0, set(earlier.finished)
    failures = list(earlier.failures)
    while pending:
        plans = [layout.plan(size, part.planned, method, region) for part in pending]
        stretch, *pending = pending
        plan, tiles_total = plans[0], tiles_done + sum(plan.tiles_total for plan in plans)
        before = tiles_done
        wanted = frozenset(_range(stretch.wanted)) - earlier.finished
        next_frame = _first_missing(stretch.wanted.start, finished)
        progress(tiles_done, tiles_total)
        try:
            for step in run_plan(sequence, plan, method, should_stop, wanted, computer=computer):
                if isinstance(step, FrameResult):
                    finished.add(step.frame)
                    next_frame = _first_missing(next_frame, finished)
                    yield step
                else:
                    progress(before + step.tiles_done, tiles_total)
            tiles_done = before + plan.tiles_total
        except OperationCancelled:
            raise OperationCancelled("stopped") from None
        except EngineError as error:
            unfinished = Span(next_frame, stretch.wanted.stop)
            broken = _culprit(sequence, unfinished, layout.clip_frames, error)
            failure = FrameFailure(broken, error, next_frame)
            failures.append(failure)
            if not finished and (len(failures) == GIVE_UP_AFTER or len(failures) == len(frames)):
                raise failures[0].error from error
            yield failure
            left = [part for part in stretch.around(failure) if part.planned != stretch.planned]
            pending = left + pending


def _first_missing(frame: int, finished: set[int]) -> int:
    while frame in finished:
        frame += 1
    return frame


def _range(span: Span) -> range:
    return range(span.start, span.stop)


def _stretches(frames: Span, planned: Span, failures: tuple[FrameFailure, ...]) -> list[_Stretch]:
    """Return what a run plans together that has met these failures."""
    stretches = [_Stretch(planned, frames)]
    for failure in failures:
        stretches = [
            part
            for stretch in stretches
            for part in (stretch.around(failure) if failure.frame in _range(stretch.wanted) else [stretch])
        ]
    return stretches


def _culprit(sequence: Sequence, unfinished: Span, clip_frames: int, error: EngineError) -> int:
    """Find the frame that broke a clip: the one the error is about or the first that cannot be read, else
    the first of the clip."""
    named = error.frame if isinstance(error, FrameValuesError) else None
    if named is not None and named in _range(unfinished):
        return named
    for frame in range(unfinished.start, min(unfinished.stop, unfinished.start + clip_frames)):
        try:
            sequence.frame(frame)
        except EngineError:
            return frame
    return unfinished.start


def describe_failures(sequence: Sequence, frames: Span, failures: list[FrameFailure]) -> str:
    """Return one line that names the frames that failed and the first reason; empty when there are none."""
    if not failures:
        return ""
    names = shorten([sequence.frame_name(failure.frame) for failure in failures])
    return f"{len(failures)} of {len(frames)} frames failed ({names}), the first because {failures[0].error}"


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question that is asked between two steps, so none is left half-done.

    A second signal interrupts at once. Where a signal is ignored (`nohup`) it stays so.
    """
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {}
    if threading.current_thread() is threading.main_thread():  # others may not set handlers
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
                before[number] = signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Show a bar on standard error while it is a terminal; nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
