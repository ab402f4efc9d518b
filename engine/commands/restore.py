"""`restore`: write restored frames as pictures, and `restore.json` about how they were made.

`restore.json` is there, with `"complete": false`, before the first frame, and says in the end:

    program, version, method, model, tile_px, complete
    made_from   inputs: [[path, bytes, time of change in ns]], and everything else that a resumed run must
                agree with
    source      path, spikes, reference, alignment, height, width, rate_hz, flip, gamma, exposure_planes,
                stride_planes: as they were given, null where they were not
    sequence    name, layout, frames, height, width, bit_depth, gamma, gamma_known, windows_source, findings
    frames      [{index, name, file, bytes, window: [start, stop] in planes or null, seconds}], those written;
                with scores also psnr, ssim, blurry_psnr, blurry_ssim where there is a reference
    failed      [{index, name, message, finished_before: first frame that was not done by then}]
    seconds     for all of it

Until then the frames are in `restore.jsonl`, a line each (see `engine.commands.manifest`).
"""

import contextlib
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.commands.frame_range import FrameRange
from engine.commands.frames import (
    GIVE_UP_AFTER,
    Earlier,
    FrameFailure,
    describe_failures,
    progress_bar,
    restore_each,
    stop_signals,
)
from engine.commands.manifest import DoneLog, check_same, describe_inputs, discard_remains, read_report
from engine.commands.method_choice import MethodChoice
from engine.commands.outcome import Outcome, to_json
from engine.commands.targets import check_targets, input_files
from engine.errors import EngineError, ExportError, OperationCancelled
from engine.export import claim_file, make_folder, write_picture, write_side_by_side, write_text_atomically
from engine.geometry import Span
from engine.layouts import recognise
from engine.metrics import compare
from engine.restore.methods import Method
from engine.restore.run import FrameResult
from engine.sequence import Sequence, open_source
from engine.source import SequenceSource

PROGRAM = "spike-deblur-studio"
REPORT_NAME = "restore.json"
LOG_NAME = "restore.jsonl"


@dataclass(frozen=True)
class RestoreOptions:
    """What `restore` is asked for beside the sequence."""

    out: Path
    method: MethodChoice
    frames: FrameRange
    tile_px: int | None = None
    side_by_side: Path | None = None
    overwrite: bool = False
    resume: bool = False
    """Go on with what an earlier run with the same input and options left; without one, begin."""
    scores: bool = False
    """Score every frame that has a reference."""


@dataclass(frozen=True)
class Restored:
    """What a restoration came to."""

    frames: list[dict[str, Any]]
    """Rows of `restore.json` for all frames that are written, by this run or before."""
    wanted: int
    failed: int
    seconds: float
    findings: tuple[str, ...]
    problem: str
    """One line about the frames that failed; empty when none did."""
    was_complete: bool = False


def restore(source: SequenceSource, options: RestoreOptions) -> Outcome:
    """Restore frames into `options.out`; those that fail are named, the others are written.

    Raises EngineError when nothing can be done, OperationCancelled after Ctrl-C. What has been written
    by then stays and is in the report.
    """
    result = restore_to_folder(source, options)
    if result.was_complete:
        done = f"{len(result.frames)} of {result.wanted} frames were restored before: {options.out}"
    else:
        written = f"{len(result.frames)} of {result.wanted} frames restored"
        done = f"{written} in {result.seconds:.1f} s: {options.out}"
    return Outcome("\n".join([done, *(f"Finding: {one}" for one in result.findings)]), result.problem)


def restore_to_folder(source: SequenceSource, options: RestoreOptions) -> Restored:
    """Do what `restore` says, and return it in numbers."""
    method, remarks = options.method.make()
    with open_source(source) as sequence:
        frames = options.frames.resolve(len(sequence), source.path)
        files = {frame: options.out / f"{sequence.frame_name(frame)}.png" for frame in _indices(frames)}
        report, log = options.out / REPORT_NAME, DoneLog(options.out / LOG_NAME)
        made_from = _made_from(source, options, method, frames)
        if options.resume:
            discard_remains(options.out, report)
        before = read_report(report) if options.resume and not options.overwrite else None
        if before is not None:
            check_same(before["made_from"], made_from, report)
        others = [report] if options.side_by_side is None else [report, options.side_by_side]
        check_targets(
            [*files.values(), *others],
            source,
            options.out,
            options.side_by_side,
            overwrite=options.overwrite or before is not None,
        )
        make_folder(options.out)
        record = _Record(sequence, source, options, method.name, made_from)
        if before is None:
            if not options.overwrite:
                claim_file(report)
            log.remove()
            write_text_atomically(report, record.to_json(complete=False))
        else:
            record.take_over(before, log, files)
            log.repair()
        findings = (*remarks, *sequence.findings)
        if before is not None and before.get("complete") and record.is_whole(frames):
            problem = describe_failures(sequence, frames, record.failures)
            failed = len(record.failures)
            return Restored(record.rows, len(frames), failed, 0.0, findings, problem, was_complete=True)
        is_complete = False
        unwritten = 0
        try:
            with progress_bar("Restoring") as progress, stop_signals() as should_stop:
                for step in restore_each(
                    sequence,
                    frames,
                    method,
                    tile_px=options.tile_px,
                    progress=progress,
                    should_stop=should_stop,
                    earlier=Earlier(record.done, tuple(record.failures)),
                ):
                    if isinstance(step, FrameFailure):
                        record.failures.append(step)
                        with contextlib.suppress(ExportError):  # a resumed run meets it again
                            log.append(record.failure_row(step))
                        continue
                    try:
                        write_picture(files[step.frame], step.picture, _bit_depth(sequence))
                        if options.side_by_side is not None and not record.done:
                            write_side_by_side(options.side_by_side, sequence.frame(step.frame), step.picture)
                        row = record.row(step, files[step.frame])
                        log.append({"frame": row})
                        record.add(row)
                        unwritten = 0
                    except ExportError as error:
                        record.unwritten.append(FrameFailure(step.frame, error))
                        unwritten += 1
                        if unwritten == GIVE_UP_AFTER:
                            break
            if unwritten and not record.rows:
                raise record.unwritten[0].error
            is_complete = not record.unwritten
        except (OperationCancelled, KeyboardInterrupt):
            done = f"{len(record.rows)} of {len(frames)} frames are in {options.out}"
            raise OperationCancelled(f"stopped: {done}; the same command with --resume goes on") from None
        finally:
            is_complete = _write_report(report, record, complete=is_complete)
        if is_complete:
            log.remove()
        failures = [*record.failures, *record.unwritten]
        problem = describe_failures(sequence, frames, failures)
        if unwritten == GIVE_UP_AFTER:
            left = len(frames) - len(record.rows) - len(failures)
            problem += f". {left} frames after them were not tried; --resume goes on when there is space"
        if not is_complete and not problem:
            problem = f"{report}: cannot be written. The frames are all there; --resume completes the report"
    return Restored(record.rows, len(frames), len(failures), record.seconds, findings, problem)


def _write_report(path: Path, record: "_Record", *, complete: bool) -> bool:
    """Bring the report up to date and return whether it now says `complete`.

    Where that is impossible the earlier report and the log still hold all that a resumed run needs.
    """
    try:
        write_text_atomically(path, record.to_json(complete=complete))
    except ExportError:
        return False
    return complete


def _made_from(
    source: SequenceSource, options: RestoreOptions, method: Method, frames: Span
) -> dict[str, Any]:
    return {
        "version": _version(),
        "method": method.name,
        "model_sha256": options.method.model_hash(method),
        "tile_px": options.tile_px,
        "frames": [frames.start, frames.stop],
        "source": asdict(source),
        "inputs": describe_inputs(input_files(source, recognise(Path(source.path)))),
    }


def _indices(frames: Span) -> range:
    return range(frames.start, frames.stop)


def _bit_depth(sequence: Sequence) -> Any:
    return 16 if sequence.bit_depth > 8 else 8


class _Record:
    """What has been done so far, for the report."""

    def __init__(
        self,
        sequence: Sequence,
        source: SequenceSource,
        options: RestoreOptions,
        method_name: str,
        made_from: dict[str, Any],
    ) -> None:
        self._sequence = sequence
        self._method_name = method_name
        self._source = source
        self._options = options
        self._made_from = made_from
        self._started = time.perf_counter()
        self._rows: dict[int, dict[str, Any]] = {}
        self.failures: list[FrameFailure] = []
        self.unwritten: list[FrameFailure] = []
        """Restored, but the picture could not be written: a resumed run tries again."""

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [self._rows[index] for index in sorted(self._rows)]

    @property
    def done(self) -> frozenset[int]:
        return frozenset(self._rows)

    def is_whole(self, frames: Span) -> bool:
        """Whether every frame is written or has failed."""
        return self.done.union(failure.frame for failure in self.failures) >= set(_indices(frames))

    def take_over(self, report: dict[str, Any], log: DoneLog, files: dict[int, Path]) -> None:
        """Count what an earlier run has done, where its pictures are still as they were written."""
        events = log.read()
        for row in [*report.get("frames", []), *(event["frame"] for event in events if "frame" in event)]:
            file = files.get(row.get("index"))
            if file is not None and file.is_file() and file.stat().st_size == row.get("bytes"):
                self._rows[row["index"]] = row
        failed = [event["failed"] for event in events if "failed" in event]
        for row in failed or [row for row in report.get("failed", []) if "finished_before" in row]:
            self.failures.append(
                FrameFailure(row["index"], EngineError(row["message"]), row["finished_before"])
            )

    def add(self, row: dict[str, Any]) -> None:
        """Count a frame that is safely on the disk."""
        self._rows[row["index"]] = row

    def row(self, result: FrameResult, file: Path) -> dict[str, Any]:
        """Describe a written frame."""
        window = self._sequence.window(result.frame) if self._sequence.windows else None
        row = {
            "index": result.frame,
            "name": self._sequence.frame_name(result.frame),
            "file": file.name,
            "bytes": file.stat().st_size,
            "window": None if window is None else [float(window.start), float(window.stop)],
            "seconds": round(result.seconds, 6),
        }
        if self._options.scores:
            row |= _scores(self._sequence, result)
        return row

    def failure_row(self, failure: FrameFailure) -> dict[str, Any]:
        """Return the line of a failed frame for the log."""
        return {"failed": self._told(failure)}

    def _told(self, failure: FrameFailure) -> dict[str, Any]:
        return {
            "index": failure.frame,
            "name": self._sequence.frame_name(failure.frame),
            "message": str(failure.error),
        } | ({} if failure.finished_before is None else {"finished_before": failure.finished_before})

    def to_json(self, *, complete: bool) -> str:
        sequence = self._sequence
        report = {
            "program": PROGRAM,
            "version": _version(),
            "method": self._method_name,
            "model": self._options.method.model if self._method_name == self._options.method.name else None,
            "tile_px": self._options.tile_px,
            "complete": complete,
            "made_from": self._made_from,
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
            "frames": self.rows,
            "failed": [self._told(failure) for failure in (*self.failures, *self.unwritten)],
            "seconds": round(self.seconds, 3),
        }
        return to_json(report, readable=True) + "\n"


def _scores(sequence: Sequence, result: FrameResult) -> dict[str, float]:
    try:
        if not sequence.has_reference_for(result.frame):
            return {}
        restored = compare(sequence, result.frame, result.picture)
        blurry = compare(sequence, result.frame, sequence.frame(result.frame))
    except EngineError:  # a broken reference costs the scores, not the frame
        return {}
    return {
        "psnr": restored.psnr,
        "ssim": restored.ssim,
        "blurry_psnr": blurry.psnr,
        "blurry_ssim": blurry.ssim,
    }


def _version() -> str:
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "unknown"
