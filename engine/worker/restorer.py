"""What restores in the worker: opens the sequence a request names and runs the method it names.

The sequence and the method of the last job are kept, because the next job usually asks for the same:
reading an alignment log or a checkpoint again for every frame would cost more than restoring it. A
sequence is opened again when its files have changed since.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from engine.errors import OperationCancelled, SequenceError
from engine.geometry import Region, Size
from engine.moment import frames_of
from engine.restoration.events import (
    Cancelled,
    Failed,
    Finished,
    FrameFailed,
    FrameRestored,
    Planned,
    TileRestored,
)
from engine.restoration.frame_run import Earlier
from engine.restoration.methods import Method, make_method
from engine.restoration.restoration import Restoration, run
from engine.restoration.result_cache import ResultCache, result_key
from engine.restoration.schedule import View
from engine.sequence import PASSING_CACHE_BYTES, Sequence, open_source
from engine.source import SequenceSource
from engine.worker.messages import Prioritise, RestoreRequest
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
        region = None if request.region is None else Region(*request.region)
        options = replace(request.options, at_most_px=method.default_tile_px)
        restoration = Restoration(sequence, request.wanted, method, options, region)
        made_by = (self._made_from, method.device, method.precision, request.source, self._stamp)
        keys = {
            one: result_key(made_by, sequence, restoration.plan, one, method.margin_frames)
            for one in request.wanted
        }
        known = {one: kept for one, key in keys.items() if (kept := self._results.get(key)) is not None}
        has_failed = False
        earlier = Earlier(frozenset(known))
        for event in run(
            restoration, should_cancel=report.is_cancelled, view=lambda: _view(report.view()), earlier=earlier
        ):
            match event:
                case Planned(layout=layout):
                    about = f"{layout}, on {method.device} in {method.precision}"
                    total = restoration.plan.tiles_total
                    report.planned(
                        total, len(request.wanted), about if layout.needs_bytes else "", method.description
                    )
                    for moment, kept in known.items():
                        report.frame(moment, kept.picture, 0.0, kept.unchanged, kept.looked_at)
                case TileRestored():
                    report.tile(event.moment, event.region, event.picture, event.tiles_done)
                case FrameRestored(moment=moment, picture=picture, unchanged=unchanged):
                    if not has_failed:  # what comes after one is made without the frame that failed
                        self._results.put(keys[moment], picture, unchanged, event.looked_at)
                    report.frame(moment, picture, event.seconds, unchanged, event.looked_at)
                case FrameFailed():
                    has_failed = True
                    if not event.is_beside:
                        report.frame_failed(
                            event.frame, str(event.error), event.tiles_done, event.tiles_total
                        )
                case Cancelled():
                    raise OperationCancelled("the client cancelled the job")
                case Failed(cause=cause):
                    raise cause
                case Finished(remarks=remarks):
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
    frames = frames_of(request.wanted)
    if frames.stop > len(sequence):
        raise SequenceError(
            f"frames [{frames.start}, {frames.stop}) were asked for",
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
