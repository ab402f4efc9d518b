"""What restores in the worker: opens the sequence a request names and runs the method it names.

The sequence and the method of the last job are kept, because the next job usually asks for the same:
reading an alignment log or a checkpoint again for every frame would cost more than restoring it. A
sequence is opened again when its files have changed since.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from engine.errors import MethodError, SequenceError
from engine.geometry import Region, Size, Span
from engine.restoration.frame_run import Earlier, FrameFailure, FrameRun, describe_beside
from engine.restoration.methods import Method, make_method
from engine.restoration.plan import with_neighbours
from engine.restoration.result_cache import ResultCache, frame_key
from engine.restoration.run import FrameResult, TileResult
from engine.restoration.schedule import View
from engine.restoration.settings import RestoreSettings, settle
from engine.restoration.tile_computer import TileComputer
from engine.sequence import PASSING_CACHE_BYTES, Sequence, open_source
from engine.source import SequenceSource
from engine.worker.messages import ComputeOptions, Prioritise, RestoreRequest
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
        self._made_from: tuple[object, ...] | None = None
        self._results = ResultCache()

    def __call__(self, request: RestoreRequest, report: JobReporter) -> None:
        sequence = self._open(request.source)
        _check_fits(sequence, request)
        if request.windows is not None:
            sequence = sequence.with_windows(request.windows)
        method = self._make(request)
        size, frames = sequence.frame_size, Span(request.start, request.stop)
        region = None if request.region is None else Region(*request.region)
        layout = settle(size, len(sequence), method, _settings(request.options, method), region)
        planned = with_neighbours(frames, layout.clip_frames, len(sequence))
        plan = layout.plan(size, planned, method, region)
        about = f"{layout}, on {method.device} in {method.precision}" if layout.needs_bytes else ""
        report.planned(plan.tiles_total, len(frames), about, method.description)
        made_by = (self._made_from, method.device, method.precision, request.source, self._stamp)
        keys = {
            frame: frame_key(made_by, sequence, plan, frame, method.margin_frames) for frame in _range(frames)
        }
        finished: set[int] = set()
        for frame, key in keys.items():
            known = self._results.get(key)
            if known is not None:
                finished.add(frame)
                report.frame(frame, known.picture, 0.0, known.unchanged, known.looked_at)
        computer = TileComputer(method, size, layout)
        earlier = Earlier(frozenset(finished))
        run = FrameRun(sequence, frames, method, layout, computer=computer, region=region, earlier=earlier)
        failures: list[FrameFailure] = []
        for step in run.steps(report.is_cancelled, lambda: _view(report.view())):
            match step:
                case TileResult():
                    report.tile(step.frame, step.region, step.picture, run.tiles_done)
                case FrameResult():
                    if not failures:  # what comes after one is made without the frame that failed
                        self._results.put(keys[step.frame], step.picture, step.unchanged, step.looked_at)
                    report.frame(step.frame, step.picture, step.seconds, step.unchanged, step.looked_at)
                case FrameFailure():
                    failures.append(step)
                    if not step.is_beside:
                        report.frame_failed(step.frame, str(step.error), run.tiles_done, run.tiles_total)
        if run.has_given_up:
            raise failures[-1].error
        remarks = (*method.findings, *describe_beside(sequence, failures), *computer.remarks)
        report.remarks.extend(remark.sentences for remark in remarks)

    def _open(self, source: SequenceSource) -> Sequence:
        if self._sequence is not None:
            if self._sequence.source == source and self._stamp == stamp_files(self._sequence):
                return self._sequence
            self._sequence.close()
            self._sequence = None
        sequence = open_source(source, cache_bytes=PASSING_CACHE_BYTES)
        self._stamp = stamp_files(sequence)
        self._sequence = sequence
        return sequence

    def _make(self, request: RestoreRequest) -> Method:
        options = request.options
        asked = (request.method, request.model, options.device, options.precision, _model_stamp(request))
        if self._method is None or self._made_from != asked:
            self._method = None  # lets go of the one before, which may fill a GPU
            self._method = make_method(request.method, request.model, options.device, options.precision)
            self._made_from = asked
        return self._method


def _range(span: Span) -> range:
    return range(span.start, span.stop)


def _settings(options: ComputeOptions, method: Method) -> RestoreSettings:
    """Turn a request's options into settings; tiles that nobody chose stay small enough to show soon."""
    values = (options.overlap_px, options.clip_frames, options.batch_tiles, options.memory_gb)
    least = [value for value in (*(options.tile or ()), *values[1:]) if value is not None]
    if any(value <= 0 for value in least) or (options.overlap_px or 0) < 0:
        raise MethodError(
            "tile, clip, batch and memory must be positive, and an overlap not negative",
            found=str(options),
            advice="Choose other values, or auto",
        )
    tile = None if options.tile is None else Size(*options.tile)
    return RestoreSettings(tile, *values, at_most_px=method.default_tile_px)


def _view(seen: Prioritise | None) -> View | None:
    if seen is None:
        return None
    region = seen.region
    if region is not None and (region[2] <= region[0] or region[3] <= region[1]):
        region = None  # nothing of the frame is in sight
    return View(seen.frame, None if region is None else Region(*region), seen.cursor)


def _model_stamp(request: RestoreRequest) -> tuple[str, int, int] | None:
    """Return name, time of change and size of the network's file, so that a new one is loaded."""
    if request.model is None:
        return None
    return _stamp(Path(request.model))


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
