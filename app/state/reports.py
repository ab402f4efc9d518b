"""What the parts of a studio tell the user: failures, what was left out, what is finished."""

import logging
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.settings import MIB
from app.state.jobs.job import JobState, JobStatus
from app.state.notices import Notice, Notices
from engine.errors import EngineError, OperationCancelled
from engine.findings import Finding
from engine.source import SequenceSource

log = logging.getLogger(__name__)

MOST_AT_ONCE = 12
"""Sequences that are opened in tabs when more are dropped."""
NAMES_TOLD = 3


class Reports(QObject):
    """Puts into words, and among the notices, what happens to one sequence."""

    def __init__(self, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._told_of_eviction = False

    def begin(self) -> None:
        """Another sequence is open: tell of its memory anew."""
        self._told_of_eviction = False

    def failed(self, error: Exception, doing: str) -> None:
        """Tell of an error, and log it; one that the user asked for is none."""
        if isinstance(error, OperationCancelled):
            return
        log.error("Could not %s", doing, exc_info=None if isinstance(error, EngineError) else error)
        if isinstance(error, EngineError):
            log.error("%s", error)
        self._notices.error(error, doing)

    def cannot_open(self, error: Exception) -> None:
        self.failed(error, self.tr("open the sequence"))

    def cannot_read_frame(self, error: Exception) -> None:
        self.failed(error, self.tr("read the frame"))

    def cannot_read_spikes(self, error: Exception) -> None:
        self.failed(error, self.tr("read the spikes"))

    def cannot_compare(self, error: Exception) -> None:
        self.failed(error, self.tr("compare with the reference"))

    def cannot_write(self, error: Exception) -> None:
        self.failed(error, self.tr("write the file"))

    def chosen(
        self, paths: Sequence[Path], sources: tuple[SequenceSource, ...], unused: tuple[Path, ...]
    ) -> tuple[SequenceSource, ...]:
        """Return which of some sources to open, and tell of what is not opened."""
        if not sources:
            self._notices.warn(
                self.tr("Nothing here can be opened"),
                where=_some_names(paths),
                advice=self.tr("Choose a folder of frames, a video or a spike recording (.dat, .npz, .npy)"),
            )
        elif unused:
            self._notices.warn(
                self.tr("Some of these files were not opened"),
                where=_some_names(unused),
                advice=self.tr("Open them with the frames that they belong to, one sequence at a time"),
            )
        if len(sources) > MOST_AT_ONCE:
            self._notices.warn(
                self.tr("Only the first {most} of {count} sequences were opened").format(
                    most=MOST_AT_ONCE, count=len(sources)
                ),
                advice=self.tr("Open their folder instead: the data set panel then lists them all"),
            )
        return sources[:MOST_AT_ONCE]

    def alignment_brought_back(self, frames: int) -> None:
        if frames == 1:
            title = self.tr("The alignment of 1 frame is again as you had edited it")
        else:
            title = self.tr("The alignment of {frames} frames is again as you had edited it").format(
                frames=frames
            )
        self._notices.inform(
            title,
            advice=self.tr("Edit ▸ Undo returns to the files' windows; Alignment ▸ Export log keeps yours"),
        )

    def memory_full(self, limit_bytes: int) -> None:
        """Tell once a sequence that old results are let go."""
        if self._told_of_eviction:
            return
        self._told_of_eviction = True
        self._notices.warn(
            self.tr(
                "Memory for restored frames is full ({mib} MiB): those not looked at for longest are let go"
            ).format(mib=limit_bytes // MIB),
            advice=self.tr("Export what is restored, then restore the next range"),
        )

    def job_ended(self, status: JobStatus) -> None:
        for remark in status.remarks:
            self._notices.inform(self.tr("While deblurring, {remark}").format(remark=remark))
        if status.state is JobState.FAILED:
            self._notices.add(
                Notice(0, "error", self.tr("Deblurring stopped: {problem}").format(problem=status.problem))
            )

    def export_cut_short(self) -> None:
        self._notices.warn(
            self.tr("The export was stopped, because its sequence was closed"),
            advice=self.tr("The files that were written are whole; export the rest again"),
        )

    def export_findings(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self._notices.warn(str(finding), advice=finding.remedy)

    def exported(self, paths: Sequence[Path]) -> None:
        if len(paths) == 1:
            self._notices.inform(self.tr("Exported"), where=str(paths[0]))
        else:
            self._notices.inform(
                self.tr("Exported {count} frames").format(count=len(paths)), where=str(paths[0].parent)
            )


def _some_names(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:NAMES_TOLD])
    return names + (" …" if len(paths) > NAMES_TOLD else "")
