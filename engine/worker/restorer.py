"""What restores in the worker: opens the sequence a request names and runs the method it names.

The sequence and the method of the last job are kept, because the next job usually asks for the same:
reading an alignment log or a checkpoint again for every frame would cost more than restoring it. A
sequence is opened again when its files have changed since.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from engine.alignment import AlignmentWindow
from engine.errors import SequenceError
from engine.geometry import Size, Span
from engine.restore.methods import Method, make_method
from engine.restore.plan import make_plan, with_neighbours
from engine.restore.run import FrameResult, TileResult, run_plan
from engine.sequence import Sequence, open_source
from engine.source import SequenceSource
from engine.worker.messages import RestoreRequest
from engine.worker.process import JobReporter

MOST_STAMPED_FILES = 20_000
"""Files of a folder that are looked at to see whether it has changed."""

Stamp = tuple[tuple[str, int, int], ...]


class SequenceRestorer:
    """Restore with the engine's own methods (see `engine.worker.process.Restorer`)."""

    def __init__(self) -> None:
        self._sequence: Sequence | None = None
        self._stamp: Stamp = ()
        self._method: Method | None = None
        self._made_from: tuple[str, str | None] | None = None

    def __call__(self, request: RestoreRequest, report: JobReporter) -> None:
        sequence = self._open(request.source)
        _check_fits(sequence, request)
        if request.windows is not None:
            sequence = sequence.with_windows([AlignmentWindow(*window) for window in request.windows])
        method = self._make(request.method, request.model)
        frames = Span(request.start, request.stop)
        planned = with_neighbours(frames, method, len(sequence))
        plan = make_plan(sequence.frame_size, planned, method, tile_px=request.tile_px)
        report.planned(plan.tiles_total, len(frames))
        wanted = range(frames.start, frames.stop)
        for result in run_plan(sequence, plan, method, report.is_cancelled, wanted):
            match result:
                case TileResult():
                    report.tile(result.frame, result.region, result.picture, result.tiles_done)
                case FrameResult():
                    report.frame(result.frame, result.picture, result.seconds)

    def _open(self, source: SequenceSource) -> Sequence:
        if self._sequence is not None:
            if self._sequence.source == source and self._stamp == stamp_files(self._sequence):
                return self._sequence
            self._sequence.close()
            self._sequence = None
        sequence = open_source(source)
        self._stamp = stamp_files(sequence)
        self._sequence = sequence
        return sequence

    def _make(self, name: str, model: str | None) -> Method:
        if self._method is None or self._made_from != (name, model):
            self._method = make_method(name, model)
            self._made_from = (name, model)
        return self._method


def _check_fits(sequence: Sequence, request: RestoreRequest) -> None:
    """Raise SequenceError where the files no longer are what the client has seen."""
    advice = "Open the sequence again"
    size = Size(request.frames.height, request.frames.width)
    if sequence.frame_size != size:
        raise SequenceError(
            "the frames have changed size",
            path=request.source.path,
            found=str(sequence.frame_size),
            expected=str(size),
            advice=advice,
        )
    if request.stop > len(sequence):
        raise SequenceError(
            f"frames [{request.start}, {request.stop}) were asked for",
            path=request.source.path,
            found=f"{len(sequence)} frames",
            advice=advice,
        )
    if request.windows is not None and len(request.windows) != len(sequence):
        raise SequenceError(
            "the alignment windows do not fit the frames",
            path=request.source.path,
            found=f"{len(request.windows)} windows",
            expected=str(len(sequence)),
            advice=advice,
        )


def stamp_files(sequence: Sequence) -> Stamp:
    """Return name, time of change and size of the files a sequence was opened from."""
    source = sequence.source
    named = [source.path, source.spikes, source.reference, source.alignment]
    if sequence.recording is not None:
        named.append(str(sequence.recording.info.path))
    return tuple(islice(_stamps(named), MOST_STAMPED_FILES))


def _stamps(paths: list[str | None]) -> Iterator[tuple[str, int, int]]:
    for path in dict.fromkeys(path for path in paths if path is not None):
        if Path(path).is_dir():
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    yield _stamp(Path(folder, name))
        else:
            yield _stamp(Path(path))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), -1, -1
    return str(path), found.st_mtime_ns, found.st_size
