"""Restore frame after frame: stop when told to, show how far it is, and say what failed.

The computing is `engine.restoration.restoration`, as everywhere.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.errors import OperationCancelled
from engine.geometry import Span
from engine.layouts.listing import shorten
from engine.restoration.events import (
    Cancelled,
    Failed,
    Finished,
    FrameFailed,
    FrameRestored,
    Planned,
    TileRestored,
)
from engine.restoration.frame_run import NOTHING_YET, Earlier
from engine.restoration.restoration import Restoration, run
from engine.sequence import Sequence

Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""


def restore_each(
    restoration: Restoration,
    *,
    progress: Progress,
    should_stop: Callable[[], bool],
    earlier: Earlier = NOTHING_YET,
) -> Iterator[FrameRestored | FrameFailed | Finished | Failed]:
    """Carry out a restoration; yield what is restored, what failed, and in the end how it ended.

    Ends in `Failed` only where it gave up on what was left. Raises what else made it fail, the first error
    where no frame succeeds, OperationCancelled at the border of a tile once `should_stop` returns true.
    """
    done = total = 0
    for event in run(restoration, should_cancel=should_stop, earlier=earlier):
        match event:
            case Planned():
                total = event.tiles_total
            case TileRestored():
                done, total = event.tiles_done, event.tiles_total
            case FrameFailed():
                done, total = event.tiles_done, event.tiles_total
                yield event
            case Cancelled():
                raise OperationCancelled("stopped")
            case Failed(cause=cause, has_given_up=False):
                raise cause
            case _:
                yield event
        progress(done, total)


def describe_failures(sequence: Sequence, frames: Span, failures: list[FrameFailed]) -> str:
    """Return one line that names the frames that failed and the first reason; empty when there are none."""
    failures = [failure for failure in failures if not failure.is_beside]
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
