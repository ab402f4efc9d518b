"""`restore`: write restored frames as pictures, and `restore.json` about how they were made.

`restore.json` is there, with `"complete": false`, before the first frame, and says in the end:

    program, version, method, model, tile_px, complete
    source      path, spikes, reference, alignment, height, width, rate_hz, flip, gamma, exposure_planes,
                stride_planes: as they were given, null where they were not
    sequence    name, layout, frames, height, width, bit_depth, gamma, gamma_known, windows_source, findings
    frames      [{index, name, file, window: [start, stop] in planes or null, seconds}], those written
    failed      [{index, name, message}]
    seconds     for all of it
"""

import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.commands.frame_range import FrameRange
from engine.commands.frames import FrameFailure, describe_failures, progress_bar, restore_each, stop_signals
from engine.commands.method_choice import MethodChoice
from engine.commands.outcome import Outcome, to_json
from engine.commands.targets import check_targets
from engine.errors import OperationCancelled
from engine.export import claim_file, make_folder, write_picture, write_side_by_side, write_text_atomically
from engine.geometry import Span
from engine.restore.run import FrameResult
from engine.sequence import Sequence, open_source
from engine.source import SequenceSource

PROGRAM = "spike-deblur-studio"
REPORT_NAME = "restore.json"


@dataclass(frozen=True)
class RestoreOptions:
    """What `restore` is asked for beside the sequence."""

    out: Path
    method: MethodChoice
    frames: FrameRange
    tile_px: int | None = None
    side_by_side: Path | None = None
    overwrite: bool = False


def restore(source: SequenceSource, options: RestoreOptions) -> Outcome:
    """Restore frames into `options.out`; those that fail are named, the others are written.

    Raises EngineError when nothing can be done, OperationCancelled after Ctrl-C. What has been written
    by then stays and is in the report.
    """
    method, remarks = options.method.make()
    with open_source(source) as sequence:
        frames = options.frames.resolve(len(sequence), source.path)
        files = {frame: options.out / f"{sequence.frame_name(frame)}.png" for frame in _indices(frames)}
        report = options.out / REPORT_NAME
        others = [report] if options.side_by_side is None else [report, options.side_by_side]
        targets = [*files.values(), *others]
        check_targets(targets, source, options.out, options.side_by_side, overwrite=options.overwrite)
        make_folder(options.out)
        if not options.overwrite:
            claim_file(report)
        record = _Record(sequence, source, options, method.name)
        write_text_atomically(report, record.to_json(complete=False))
        is_complete = False
        try:
            with progress_bar("Restoring") as progress, stop_signals() as should_stop:
                for step in restore_each(
                    sequence,
                    frames,
                    method,
                    tile_px=options.tile_px,
                    progress=progress,
                    should_stop=should_stop,
                ):
                    if isinstance(step, FrameFailure):
                        record.failures.append(step)
                        continue
                    write_picture(files[step.frame], step.picture, _bit_depth(sequence))
                    if options.side_by_side is not None and not record.results:
                        write_side_by_side(options.side_by_side, sequence.frame(step.frame), step.picture)
                    record.add(step, files[step.frame])
            is_complete = True
        except (OperationCancelled, KeyboardInterrupt):
            done = f"{len(record.results)} of {len(frames)} frames are in {options.out}"
            raise OperationCancelled(f"stopped: {done}") from None
        finally:
            write_text_atomically(report, record.to_json(complete=is_complete))
        problem = describe_failures(sequence, frames, record.failures)
        findings = [f"Finding: {finding}" for finding in (*remarks, *sequence.findings)]
    done = f"{len(record.results)} of {len(frames)} frames restored in {record.seconds:.1f} s: {options.out}"
    return Outcome("\n".join([done, *findings]), problem)


def _indices(frames: Span) -> range:
    return range(frames.start, frames.stop)


def _bit_depth(sequence: Sequence) -> Any:
    return 16 if sequence.bit_depth > 8 else 8


class _Record:
    """What has been done so far, for the report."""

    def __init__(
        self, sequence: Sequence, source: SequenceSource, options: RestoreOptions, method_name: str
    ) -> None:
        self._sequence = sequence
        self._method_name = method_name
        self._source = source
        self._options = options
        self._started = time.perf_counter()
        self.results: list[dict[str, Any]] = []
        self.failures: list[FrameFailure] = []

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def add(self, result: FrameResult, file: Path) -> None:
        window = self._sequence.window(result.frame) if self._sequence.windows else None
        self.results.append(
            {
                "index": result.frame,
                "name": self._sequence.frame_name(result.frame),
                "file": file.name,
                "window": None if window is None else [float(window.start), float(window.stop)],
                "seconds": round(result.seconds, 6),
            }
        )

    def to_json(self, *, complete: bool) -> str:
        sequence = self._sequence
        report = {
            "program": PROGRAM,
            "version": _version(),
            "method": self._method_name,
            "model": self._options.method.model if self._method_name == self._options.method.name else None,
            "tile_px": self._options.tile_px,
            "complete": complete,
            "source": asdict(self._source),
            "sequence": {
                "name": sequence.name,
                "layout": sequence.layout,
                "frames": len(sequence),
                "height": sequence.frame_size.height,
                "width": sequence.frame_size.width,
                "bit_depth": sequence.bit_depth,
                "gamma": float(sequence.gamma),
                "gamma_known": sequence.gamma_known,
                "windows_source": sequence.windows_source,
                "findings": list(sequence.findings),
            },
            "frames": self.results,
            "failed": [
                {
                    "index": failure.frame,
                    "name": sequence.frame_name(failure.frame),
                    "message": str(failure.error),
                }
                for failure in self.failures
            ],
            "seconds": round(self.seconds, 3),
        }
        return to_json(report, readable=True) + "\n"


def _version() -> str:
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "unknown"
