"""What a restoration has done so far, and how that is told: the rows of `restore.json` and its log."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.commands.manifest import DoneLog
from engine.commands.outcome import to_json
from engine.commands.pattern_facts import describe_pattern
from engine.commands.restore_options import RestoreOptions
from engine.errors import EngineError, as_engine_error
from engine.findings import Finding
from engine.frame_times import rate_facts
from engine.geometry import Size
from engine.metrics import compare
from engine.moment import CENTRE, Moment
from engine.restoration.events import FrameFailed, FrameRestored
from engine.restoration.frame_run import Earlier
from engine.restoration.memory import is_out_of_memory
from engine.restoration.methods import Method
from engine.restoration.settings import Layout
from engine.restoration.tile_computer import Limits
from engine.sequence import Sequence
from engine.source import SequenceSource

PROGRAM = "spike-deblur-studio"
REPORT_NAME = "restore.json"
LOG_NAME = "restore.jsonl"


class Record:
    """What has been done so far, for the report."""

    def __init__(
        self,
        sequence: Sequence,
        source: SequenceSource,
        options: RestoreOptions,
        method: Method,
        made_from: dict[str, Any],
        layout: Layout,
        remarks: tuple[Finding, ...] = (),
    ) -> None:
        self._sequence = sequence
        self._method = method
        self._source = source
        self._options = options
        self._made_from = made_from
        self._layout = layout
        self.remarks = remarks
        """About the method, and how it was computed."""
        self._limits: Limits | None = None
        """The largest pieces that were computed at once, where tiles had to be parted."""
        self._started = time.perf_counter()
        self._rows: dict[Moment, dict[str, Any]] = {}
        self.failures: list[FrameFailed] = []
        self.unwritten: list[FrameFailed] = []
        """Restored, but the picture could not be written: a resumed run tries again."""

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [self._rows[moment] for moment in sorted(self._rows)]

    @property
    def earlier(self) -> Earlier:
        """What a run that goes on need not do again."""
        return Earlier(frozenset(self._rows), tuple(self.failures), self._limits)

    @property
    def unchanged(self) -> list[tuple[str, str]]:
        """Name of every written frame that came back as it was, and why."""
        return [(row["name"], row["unchanged"]) for row in self.rows if row.get("unchanged")]

    def is_whole(self, wanted: Iterable[Moment]) -> bool:
        """Whether every moment is written, or its frame has failed."""
        failed = {failure.frame for failure in self.failures}
        return all(moment in self._rows or moment.frame in failed for moment in wanted)

    def take_over(self, report: dict[str, Any], log: DoneLog, files: dict[Moment, Path]) -> None:
        """Count what an earlier run has done, where its pictures are still as they were written."""
        events = log.read()
        for row in [*report.get("frames", []), *(event["frame"] for event in events if "frame" in event)]:
            moment = _moment_of(row)
            file = None if moment is None else files.get(moment)
            if moment and file and file.is_file() and file.stat().st_size == row.get("bytes"):
                self._rows[moment] = row
        failed = [event["failed"] for event in events if "failed" in event]
        for row in failed or [row for row in report.get("failed", []) if "finished_before" in row]:
            self.failures.append(
                FrameFailed(
                    row["index"],
                    EngineError(row["message"]),
                    row["finished_before"],
                    row.get("beside", False),
                )
            )

        pieces = [event["pieces"] for event in events if "pieces" in event]
        known = pieces[-1] if pieces else (report.get("layout") or {}).get("pieces")
        if known:
            height, width, frames = known
            self._limits = Limits(Size(height, width), frames)

    def news(self, result: FrameRestored) -> Iterator[dict[str, Any]]:
        """Yield lines for the log about what has changed with this result since the one before."""
        before = self._pieces()
        self._limits = result.limits
        if self._pieces() != before:
            yield {"pieces": self._pieces()}

    def _pieces(self) -> list[int] | None:
        limits, layout = self._limits, self._layout
        if limits is None or (limits.tile, limits.clip_frames) == (layout.tile, layout.clip_frames):
            return None
        return [limits.tile.height, limits.tile.width, limits.clip_frames]

    def _cut(self) -> dict[str, Any]:
        layout = self._layout
        return {
            "tile": [layout.tile.height, layout.tile.width],
            "overlap_px": layout.overlap_px,
            "clip_frames": layout.clip_frames,
            "clip_overlap": layout.clip_overlap,
            "batch_tiles": layout.batch_tiles,
            "pieces": self._pieces(),
        }

    def add(self, row: dict[str, Any]) -> None:
        """Count a frame that is safely on the disk."""
        moment = _moment_of(row)
        assert moment is not None
        self._rows[moment] = row

    def row(self, result: FrameRestored, file: Path) -> dict[str, Any]:
        """Describe a written frame."""
        window = self._sequence.window(result.frame) if self._sequence.windows else None
        row = {
            "index": result.frame,
            "at": result.moment.at,
            "name": self._sequence.frame_name(result.frame),
            "file": file.name,
            "bytes": file.stat().st_size,
            "window": None if window is None else [float(window.start), float(window.stop)],
            "time_seconds": _time_of(self._sequence, result.frame),
            "seconds": round(result.seconds, 6),
            "unchanged": result.unchanged or None,
        }
        if self._options.scores:
            row |= _scores(self._sequence, result)
        return row

    def failure_row(self, failure: FrameFailed) -> dict[str, Any]:
        """Return the line of a failed frame for the log."""
        return {"failed": self._told(failure)}

    def _told(self, failure: FrameFailed) -> dict[str, Any]:
        return {
            "index": failure.frame,
            "name": self._sequence.frame_name(failure.frame),
            "message": str(failure.error),
            **({} if failure.finished_before is None else {"finished_before": failure.finished_before}),
            **({"beside": True} if failure.is_beside else {}),
        }

    def to_json(self, *, complete: bool) -> str:
        sequence = self._sequence
        report = {
            "program": PROGRAM,
            "version": program_version(),
            "method": self._method.name,
            "model": self._options.method.model if self._method.name == self._options.method.name else None,
            "device": self._method.device,
            "precision": self._method.precision,
            "layout": self._cut(),
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
                "registration": None if sequence.recording is None else sequence.registration.homography,
                "pattern": None if sequence.recording is None else describe_pattern(sequence.fixed_pattern),
                "findings": [str(finding) for finding in sequence.findings],
                "remedies": [finding.remedy for finding in sequence.findings],
            },
            **rate_facts(sequence.frame_rate),
            "sound_tracks": sequence.sound_tracks,
            "remarks": [remark.sentences for remark in self.remarks],
            "frames": self.rows,
            "unchanged": [
                {"index": row["index"], "name": row["name"], "reason": row["unchanged"]}
                for row in self.rows
                if row.get("unchanged")
            ],
            "failed": [self._told(failure) for failure in (*self.failures, *self.unwritten)],
            "seconds": round(self.seconds, 3),
        }
        return to_json(report, readable=True) + "\n"


def _scores(sequence: Sequence, result: FrameRestored) -> dict[str, float | str]:
    """Return the scores of a frame; {} without a reference, "unscored" (why) where there cannot be any."""
    try:
        if not sequence.has_reference_for(result.frame):
            return {}
        restored = compare(sequence, result.frame, result.picture)
        blurry = compare(sequence, result.frame, sequence.frame(result.frame))
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return {"unscored": str(as_engine_error(error))}
    return {
        "psnr": restored.psnr,
        "ssim": restored.ssim,
        "blurry_psnr": blurry.psnr,
        "blurry_ssim": blurry.ssim,
    }


def _moment_of(row: dict[str, Any]) -> Moment | None:
    """Return the moment a row is of, None where it says nothing that could be one."""
    try:
        return Moment(row["index"], row.get("at", CENTRE))
    except (KeyError, TypeError, ValueError):
        return None


def _time_of(sequence: Sequence, frame: int) -> float | None:
    times = sequence.frame_times
    return None if times is None else float(times.at(frame))


def program_version() -> str:
    """Return the version of the program, "unknown" where it is not installed."""
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "unknown"
