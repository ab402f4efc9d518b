"""Restore frame after frame: stop when told to, show how far it is, and say what failed.

The computing is `engine.restoration.frame_run`, as in the worker.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.errors import OperationCancelled
from engine.geometry import Region, Span
from engine.layouts.listing import shorten
from engine.restoration.frame_run import NOTHING_YET, Earlier, FrameFailure, FrameRun
from engine.restoration.methods import Method
from engine.restoration.run import FrameResult, TileResult
from engine.restoration.settings import Layout, RestoreSettings, settle
from engine.restoration.tile_computer import TileComputer
from engine.sequence import Sequence

Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""


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

    See `engine.restoration.frame_run`. `layout` None is settled for the memory there is. Raises the first
    error when no frame succeeds, OperationCancelled at the border of a tile once `should_stop` returns true.
    """
    layout = layout or settle(sequence.frame_size, len(sequence), method, RestoreSettings())
    run = FrameRun(sequence, frames, method, layout, computer=computer, region=region, earlier=earlier)
    progress(run.tiles_done, run.tiles_total)
    try:
        for step in run.steps(should_stop):
            if not isinstance(step, TileResult):
                yield step
            progress(run.tiles_done, run.tiles_total)
    except OperationCancelled:
        raise OperationCancelled("stopped") from None


def describe_failures(sequence: Sequence, frames: Span, failures: list[FrameFailure]) -> str:
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
