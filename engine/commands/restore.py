"""`restore`: write restored frames as pictures, and `restore.json` about how they were made.

`restore.json` is there, with `"complete": false`, before the first frame, and says in the end:

    program, version, method, model, device, precision, complete
    layout      tile: [height, width], overlap_px, clip_frames, clip_overlap, batch_tiles: what it was really
                cut by; pieces: [height, width, frames] where memory ran out and tiles were parted, else null
    made_from   inputs: [[path, bytes, time of change in ns]], and everything else that a resumed run must
                agree with
    source      path, spikes, reference, alignment, height, width, rate_hz, flip, msb_first, gamma,
                exposure_planes, stride_planes, time_unit ("s", "ms", "us", "ns", "planes"), white (a stored
                sample), flat: as they were given, null where they were not
    sequence    name, layout, frames, height, width, bit_depth, gamma, gamma_known, windows_source, pattern
                (divided out of the spikes: origin, file, spread, known, windows, sha256, as `info` has it),
                findings (sentences), remedies (what to do about each of them, in the same order)
    frames      [{index, at: its instant in the exposure, from 0 to 1, name, file, bytes, window: [start,
                stop] in planes or null, time_seconds: when a video shows it, after its first frame, or null,
                seconds, unchanged}], those written; with scores also psnr, ssim, blurry_psnr, blurry_ssim
                where there is a reference, or unscored: why it cannot be compared with that; unchanged is
                why the frame came back as it was, null where it was restored
    unchanged   [{index, name, reason}], those of them that came back as they were
    frame_rate_hz, frame_rate   frames a second, as a number and exactly ("30000/1001"); null where nothing
                says it, as the next two then are
    frame_rate_from             what says it: "video", "alignment log" or "exposures"
    frame_rate_is_even          false where some frames last longer than others: the rate is their average
    sound_tracks                of the video that the frames are of; 0 where they are of none
    remarks     lines on what the user should know
    failed      [{index, name, message, finished_before: first frame that was not done by then, beside: true
                where it was only looked at for the sake of frames near it}]
    seconds     for all of it

A frame of which nothing is known, because its window holds no planes or its spikes are missing, is written as
it was and named. Where that is so of all frames nothing is written, and the command fails. So it does where
the method finds that of all of them later; then the copies are written and named.

Until then the frames are in `restore.jsonl`, a line each (see `engine.commands.manifest`).
"""

import contextlib
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from engine.commands.frames import (
    describe_failures,
    progress_bar,
    restore_each,
    stop_signals,
)
from engine.commands.manifest import DoneLog, check_same, describe_inputs, discard_remains, read_report
from engine.commands.outcome import Outcome
from engine.commands.restore_options import RestoreOptions
from engine.commands.restore_record import LOG_NAME, REPORT_NAME, Record, program_version
from engine.commands.targets import check_targets, input_files
from engine.errors import ExportError, OperationCancelled
from engine.export import claim_file, make_folder, write_picture, write_side_by_side, write_text_atomically
from engine.findings import Finding
from engine.geometry import Size, Span
from engine.layouts import recognise
from engine.layouts.listing import shorten
from engine.moment import centres
from engine.restoration.events import FrameFailed, FrameRestored
from engine.restoration.evidence import (
    check_any_evidence,
    describe_unchanged,
    is_restored,
    is_want_of_evidence,
)
from engine.restoration.frame_run import GIVE_UP_AFTER, describe_beside
from engine.restoration.memory import find_budget
from engine.restoration.methods import Method
from engine.restoration.options import ComputeOptions
from engine.restoration.restoration import Restoration
from engine.restoration.settings import Layout
from engine.sequence import PASSING_CACHE_BYTES, Sequence, open_source
from engine.source import SequenceSource


@dataclass(frozen=True)
class Restored:
    """What a restoration came to."""

    frames: list[dict[str, Any]]
    """Rows of `restore.json` for all frames that are written, by this run or before."""
    wanted: int
    failed: int
    seconds: float
    findings: tuple[Finding, ...]
    problem: str
    """One line about the frames that failed; empty when none did."""
    was_complete: bool = False
    layout: str = ""
    """What it was really cut by."""
    about_method: tuple[Finding, ...] = ()
    """Those of the findings that are about the method, not the sequence."""

    @property
    def unchanged(self) -> list[tuple[str, str]]:
        """Name of every written frame that came back as it was, and why."""
        return [(row["name"], row["unchanged"]) for row in self.frames if row.get("unchanged")]

    @property
    def restored(self) -> int:
        """How many written frames did not come back as they were."""
        return sum(is_restored(row.get("unchanged")) for row in self.frames)

    @property
    def about_frames(self) -> list[str]:
        """Lines about the written frames that came back as they were, and those that could not be scored."""
        lines = [describe_unchanged(self.unchanged, self.wanted)] if self.unchanged else []
        unscored = [(row["name"], row["unscored"]) for row in self.frames if row.get("unscored")]
        if unscored:
            names = shorten([name for name, _ in unscored])
            counts = f"{len(unscored)} of {self.wanted} {'frame' if self.wanted == 1 else 'frames'}"
            lines.append(f"{counts} not scored ({names}), the first because {unscored[0][1]}")
        return lines


def restore(source: SequenceSource, options: RestoreOptions) -> Outcome:
    """Restore frames into `options.out`; those that fail are named, the others are written.

    Raises EngineError when nothing can be done, OperationCancelled after Ctrl-C. What has been written
    by then stays and is in the report.
    """
    result = restore_to_folder(source, options)
    if result.was_complete:
        done = f"{result.restored} of {result.wanted} frames were restored before: {options.out}"
    else:
        same = sum(1 for row in result.frames if row.get("unchanged") and is_restored(row["unchanged"]))
        of_them = f", {same} of them unchanged," if same else ""
        done = f"{result.restored} of {result.wanted} frames restored{of_them} in {result.seconds:.1f} s"
        done += f": {options.out}"
    layout = [f"Computed in {result.layout}"] if result.layout else []
    findings = (f"Finding: {one.sentences}" for one in result.findings)
    text = "\n".join([done, *result.about_frames, *layout, *findings])
    return Outcome(text, result.problem, tuple(one.sentences for one in result.about_method))


def restore_to_folder(source: SequenceSource, options: RestoreOptions) -> Restored:
    """Do what `restore` says, and return it in numbers."""
    method, remarks = options.method.make(options.compute)
    with open_source(source, cache_bytes=PASSING_CACHE_BYTES) as sequence:
        frames = options.frames.resolve(len(sequence), source.path)
        wanted = centres(frames)
        files = {one: options.out / f"{one.stem(sequence.frame_name(one.frame))}.png" for one in wanted}
        report, log = options.out / REPORT_NAME, DoneLog(options.out / LOG_NAME)
        made_from = _made_from(source, options, method, frames)
        if options.resume:
            discard_remains(options.out, report)
        before = read_report(report) if options.resume and not options.overwrite else None
        if before is not None:
            check_same(before["made_from"], made_from, report)
        check_any_evidence(sequence, _indices(frames), method.fewest_planes)
        restoration = Restoration(
            sequence,
            wanted,
            method,
            options.compute,
            options.region,
            _layout_of(before, method, options.compute),
        )
        layout = restoration.layout
        others = [report] if options.side_by_side is None else [report, options.side_by_side]
        check_targets(
            [*files.values(), *others],
            source,
            options.out,
            options.side_by_side,
            overwrite=options.overwrite or before is not None,
        )
        make_folder(options.out)
        record = Record(sequence, source, options, method, made_from, layout, remarks)
        if before is None:
            if not options.overwrite:
                claim_file(report)
            log.remove()
            write_text_atomically(report, record.to_json(complete=False))
        else:
            record.take_over(before, log, files)
            log.repair()
        findings = (*remarks, *sequence.findings)
        if before is not None and before.get("complete") and record.is_whole(wanted):
            return Restored(
                record.rows,
                len(frames),
                _count(record.failures),
                0.0,
                (*findings, *describe_beside(sequence, record.failures)),
                _problem(sequence, frames, record, record.failures),
                was_complete=True,
                about_method=remarks,
            )
        is_complete = False
        unwritten = 0
        try:
            with progress_bar("Restoring") as progress, stop_signals() as should_stop:
                for step in restore_each(
                    restoration, progress=progress, should_stop=should_stop, earlier=record.earlier
                ):
                    if isinstance(step, FrameFailed):
                        record.failures.append(step)
                        with contextlib.suppress(ExportError):  # a resumed run meets it again
                            log.append(record.failure_row(step))
                        continue
                    if not isinstance(step, FrameRestored):
                        record.remarks = step.remarks
                        continue
                    try:
                        file = files[step.moment]
                        write_picture(file, step.picture, _bit_depth(sequence))
                        if options.side_by_side is not None and not record.rows:
                            write_side_by_side(options.side_by_side, sequence.frame(step.frame), step.picture)
                        for event in record.news(step):
                            log.append(event)
                        row = record.row(step, file)
                        log.append({"frame": row})
                        record.add(row)
                        unwritten = 0
                    except ExportError as error:
                        record.unwritten.append(FrameFailed(step.frame, error))
                        unwritten += 1
                        if unwritten == GIVE_UP_AFTER:
                            break
            if unwritten and not record.rows:
                raise record.unwritten[0].error
            is_complete = not record.unwritten and record.is_whole(wanted)
        except (OperationCancelled, KeyboardInterrupt):
            done = f"{len(record.rows)} of {len(frames)} frames are in {options.out}"
            raise OperationCancelled(f"stopped: {done}; the same command with --resume goes on") from None
        finally:
            is_complete = _write_report(report, record, complete=is_complete)
        if is_complete:
            log.remove()
        failures = [*record.failures, *record.unwritten]
        problem = _problem(sequence, frames, record, failures)
        left = len(frames) - len(record.rows) - _count(failures)
        if left and unwritten == GIVE_UP_AFTER:
            problem += f". {left} frames after them were not tried; --resume goes on when there is space"
        elif left:
            problem += f". {left} frames after them were not tried, since they would fail alike"
        if not is_complete and not problem:
            problem = f"{report}: cannot be written. The frames are all there; --resume completes the report"
    return Restored(
        record.rows,
        len(frames),
        _count(failures),
        record.seconds,
        tuple(dict.fromkeys((*findings, *describe_beside(sequence, failures), *record.remarks))),
        problem,
        layout=f"{layout}, on {method.device} in {method.precision}" if layout.needs_bytes else "",
        about_method=remarks,
    )


def _count(failures: list[FrameFailed]) -> int:
    """Count the frames that were asked for and failed."""
    return sum(not failure.is_beside for failure in failures)


def _problem(sequence: Sequence, frames: Span, record: Record, failures: list[FrameFailed]) -> str:
    """Return one line about what was not done, "" where some frame was restored and none failed."""
    problem = describe_failures(sequence, frames, failures)
    unchanged = record.unchanged
    if len(unchanged) == len(record.rows) and all(is_want_of_evidence(reason) for _, reason in unchanged):
        nothing = f"no frame could be restored: {describe_unchanged(unchanged, len(frames))}"
        problem = "; ".join(filter(None, (nothing if unchanged else "", problem)))
    return problem


def _layout_of(before: dict[str, Any] | None, method: Method, compute: ComputeOptions) -> Layout | None:
    """Return how the run before cut, so that one that goes on does too, whatever memory there is now."""
    used = (before or {}).get("layout")
    if not isinstance(used, dict):
        return None
    tile, clip_frames, batch_tiles = Size(*used["tile"]), used["clip_frames"], used["batch_tiles"]
    return Layout(
        tile,
        used["overlap_px"],
        clip_frames,
        used["clip_overlap"],
        batch_tiles,
        find_budget(method.device, compute.memory_gb),
        method.memory_bytes(tile, clip_frames) * batch_tiles,
        is_fixed=compute.tile is not None,
    )


def _write_report(path: Path, record: Record, *, complete: bool) -> bool:
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
    compute = options.compute
    return {
        "version": program_version(),
        "method": method.name,
        "method_package": method.package,
        "model_sha256": options.method.model_hash(method),
        "device": method.device.partition(":")[0],
        "precision": method.precision,
        "tile": None if compute.tile is None else [compute.tile.height, compute.tile.width],
        "overlap_px": compute.overlap_px,
        "clip_frames": compute.clip_frames,
        "batch_tiles": compute.batch_tiles,
        "region": None if options.region is None else list(astuple(options.region)),
        "frames": [frames.start, frames.stop],
        "source": asdict(source),
        "inputs": describe_inputs(input_files(source, recognise(Path(source.path)))),
    }


def _indices(frames: Span) -> range:
    return range(frames.start, frames.stop)


def _bit_depth(sequence: Sequence) -> Any:
    return 16 if sequence.bit_depth > 8 else 8
