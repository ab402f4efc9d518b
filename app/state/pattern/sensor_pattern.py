"""The pattern of the open sequence's sensor, measured in a thread once somebody wants to see or keep it.

Strategy: measuring takes up to seconds, so nothing is measured unasked, but where patterns of sensors of this
size are kept: then the recording may be of one of them, and only its own spikes can tell whether it is.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.environment import load_opencv
from app.state.notices import describe
from app.state.pattern.kept_patterns import KeptPatterns, proven_best
from app.state.pattern.pattern_picture import PatternPicture, pattern_picture
from app.state.reading.lane import Lane
from app.state.reading.lease import Lease
from engine.errors import EngineError, OperationCancelled
from engine.source import NO_FLAT

if TYPE_CHECKING:
    from engine.fixed_pattern import FixedPattern

COMPUTING = "computing"
NO_SPIKES, NOT_CORRECTED, NOT_TOLD = "spikes", "not corrected", "not told"
"""Why there is no pattern to show: no recording, the user wants none, nothing moves enough."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Measured:
    pattern: "FixedPattern"
    picture: PatternPicture | None


class SensorPattern(QObject):
    """What is known about the sensor of one sequence."""

    changed = Signal()
    found = Signal(object)
    """`Path` of a kept pattern that is proven to be of this sensor, and tells more than the recording."""
    unusable = Signal(object)
    """The exception about a kept pattern that cannot be read."""
    written = Signal(object, bool)
    """`Path` of a file that was written, and whether it is kept for the sensor's other recordings."""
    failed = Signal(object)
    """The exception that kept a pattern from being written."""

    def __init__(self, pool: ThreadPoolExecutor, kept: KeptPatterns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept = kept
        self._lease: Lease | None = None
        self._told: set[str] = set()
        """What was said of kept files that cannot be used: once is enough."""
        self._when_known: list[Callable[[FixedPattern | None], object]] = []
        self.pattern: FixedPattern | None = None
        """None before it is measured, and where it cannot be."""
        self.picture: PatternPicture | None = None
        self.why_missing = ""
        """Why there is no picture: one of the words above, or a sentence."""
        self._measuring = Lane(pool, self)
        self._measuring.answered.connect(lambda _, measured: self._on_measured(measured))
        self._measuring.failed.connect(lambda _, error: self._on_failure(error))
        self._looking = Lane(pool, self)
        self._looking.answered.connect(lambda _, answer: self._on_looked(*answer))
        self._looking.failed.connect(lambda _, error: log.warning("No kept pattern was found: %s", error))
        self._writing = Lane(pool, self)
        self._writing.answered.connect(lambda for_sensor, path: self.written.emit(path, for_sensor))
        self._writing.failed.connect(lambda _, error: self.failed.emit(error))

    def begin(self, lease: Lease, *, look: bool) -> None:
        """Be about another sequence; with `look`, see whether a kept pattern is of its sensor."""
        self.clear()
        self._lease = lease
        if lease.sequence.recording is None:
            self.why_missing = NO_SPIKES
            self.changed.emit()
        elif look and self._kept.listed():
            kept = self._kept
            self._looking.request(lease, lambda _: _look(lease, kept))

    def clear(self) -> None:
        for lane in (self._measuring, self._looking):
            lane.clear()
        self._lease = self.pattern = self.picture = None
        self._when_known, self.why_missing = [], ""
        self.changed.emit()

    @property
    def can_be_kept(self) -> bool:
        """Whether there is a pattern, or may be one once it is measured."""
        if self._lease is None or self._lease.sequence.recording is None:
            return False
        return self.why_missing in ("", COMPUTING) and (self.pattern is None or bool(self.pattern))

    def want(self) -> None:
        """Measure it, unless that is done or being done; `changed` follows."""
        lease = self._lease
        if lease is None or self.pattern is not None or self.why_missing:
            return
        self.why_missing = COMPUTING
        self._measuring.request(lease, lambda _: _measure(lease))
        self.changed.emit()

    def when_known(self, do: "Callable[[FixedPattern | None], object]") -> None:
        """Call `do` with the pattern once it is measured; with None where nothing is known."""
        if self._lease is None:
            return
        if self.pattern is not None or self.why_missing not in ("", COMPUTING):
            do(self.pattern or None)
            return
        self._when_known.append(do)
        self.want()

    def gain_at(self, x: int, y: int) -> float | None:
        """Return the gain of a pixel of the spike camera; None where it is not known, or not measured yet."""
        if self.picture is None:
            return None
        height, width, _ = self.picture.gain.shape
        gain = float(self.picture.gain[y, x, 0]) if 0 <= x < width and 0 <= y < height else float("nan")
        return gain if gain == gain else None

    def save(self, pattern: "FixedPattern", path: Path) -> None:
        """Write a pattern where the user says; `written` or `failed` follows."""

        def save(_: object) -> Path:
            from engine.fixed_pattern.kept import write_pattern

            write_pattern(pattern, path)
            return path

        self._writing.request(False, save)

    def keep(self, pattern: "FixedPattern", name: str) -> None:
        """Keep a pattern for the sensor's other recordings; `written` or `failed` follows."""
        self._writing.request(True, lambda _: self._kept.keep(pattern, name))

    def _on_measured(self, measured: _Measured) -> None:
        self.pattern, self.picture = measured.pattern, measured.picture
        off = self._lease is not None and self._lease.sequence.source.flat == NO_FLAT
        missing = NOT_CORRECTED if off else NOT_TOLD
        self.why_missing = "" if self.picture is not None else missing
        self._tell()

    def _on_failure(self, error: Exception) -> None:
        if isinstance(error, OperationCancelled):
            return
        if not isinstance(error, EngineError):
            log.error("Could not measure the sensor's pattern", exc_info=error)
        self.why_missing = describe(error, self.tr("measure the sensor's pattern")).line
        self._tell()

    def _tell(self) -> None:
        waiting, self._when_known = self._when_known, []
        self.changed.emit()
        for do in waiting:
            do(self.pattern or None)

    def _on_looked(self, path: Path | None, problems: list[EngineError]) -> None:
        for problem in problems:
            if str(problem) not in self._told:
                self._told.add(str(problem))
                self.unusable.emit(problem)
        if path is not None:
            self.found.emit(path)


def _measure(lease: Lease) -> _Measured:
    load_opencv()
    with lease.reading() as sequence:
        pattern = sequence.fixed_pattern
    return _Measured(pattern, pattern_picture(pattern) if pattern else None)


def _look(lease: Lease, kept: KeptPatterns) -> tuple[Path | None, list[EngineError]]:
    load_opencv()
    with lease.reading() as sequence:
        recording = sequence.recording
        assert recording is not None
        patterns, problems = kept.of_size(recording.info.size)
        if not patterns:
            return None, problems
        best = proven_best(patterns, sequence.fixed_pattern, recording, sequence.filling)
    return (None if best is None or best.file is None else Path(best.file)), problems
