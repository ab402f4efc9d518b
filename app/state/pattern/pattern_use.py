"""Which pattern a recording is corrected by where the user has named none: a kept one, once it is proven.

Strategy: nothing is used silently, and nothing that cannot be taken back. A kept pattern of the same sensor
opens the sequence again with it, once no job runs, and a notice says so for as long as that is so; to refuse
it is remembered for the recording. What was named once and has been forgotten since is told and left out.
"""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from app.settings import Settings
from app.state.jobs.jobs import Jobs
from app.state.notices import Notice, Notices
from app.state.pattern.kept_patterns import KeptPattern, KeptPatterns
from app.state.pattern.sensor_pattern import SensorPattern
from app.state.reports import Reports
from app.state.session.session import Session
from engine.errors import EngineError
from engine.source import SequenceSource, flat_file

MOST_REMEMBERED = 200


class OwnPatterns:
    """Recordings that the user wants corrected by nothing that was kept, in the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __contains__(self, source: SequenceSource) -> bool:
        return _recording_of(source) in self._settings.own_patterns

    def add(self, source: SequenceSource) -> None:
        self.drop(source)
        self._settings.own_patterns = [*self._settings.own_patterns, _recording_of(source)][-MOST_REMEMBERED:]

    def drop(self, source: SequenceSource) -> None:
        recording = _recording_of(source)
        self._settings.own_patterns = [one for one in self._settings.own_patterns if one != recording]


class PatternUse(QObject):
    """Follows one sequence: finds a kept pattern for it, and keeps one of it for others."""

    def __init__(
        self,
        sensor: SensorPattern,
        kept: KeptPatterns,
        own: OwnPatterns,
        notices: Notices,
        reports: Reports,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._sensor = sensor
        self._kept = kept
        self._own = own
        self._notices = notices
        self._reports = reports
        self._session: Session | None = None
        self._jobs: Jobs | None = None
        self._found: Path | None = None
        """What is to be used once no job runs."""
        self._told: tuple[str, int] | None = None
        """The file that a notice is about, and the number of the notice."""
        self._undoable: int | None = None
        """The number of the notice that can still take back what was kept last."""
        sensor.found.connect(self._on_found)
        sensor.unusable.connect(self._on_unusable)
        sensor.written.connect(self._on_written)
        sensor.failed.connect(lambda error: reports.failed(error, self.tr("keep the sensor's pattern")))

    def follow(self, session: Session, jobs: Jobs) -> None:
        """Be about what a session opens, which `begin` and `end` tell, and wait for its jobs."""
        self._session, self._jobs = session, jobs
        jobs.state_changed.connect(self._use_found)

    def without_forgotten(self, source: SequenceSource) -> SequenceSource:
        """Return a source without a kept pattern that is gone, and tell of it."""
        file = flat_file(source)
        if file is None or not self._is_forgotten(file):
            return source
        self._notices.warn(
            self.tr("The kept pattern of the sensor is not there any more"),
            where=file,
            advice=self.tr("What the recording itself shows of it is corrected"),
        )
        return replace(source, flat=None)

    def _is_forgotten(self, file: str) -> bool:
        return self._kept.holds(file) and not Path(file).exists()

    def choose(self, chosen: SequenceSource, before: SequenceSource) -> None:
        """Remember what the user chose: the recording's own pattern instead of another, or another one."""
        if chosen.flat is not None:
            self._own.drop(chosen)
        elif before.flat is not None and not self._is_forgotten(before.flat):
            self._own.add(chosen)

    def keep(self) -> None:
        """Keep the pattern of the open sequence for other recordings of its sensor."""
        session = self._session
        if session is None or session.sequence is None or session.sequence.recording is None:
            return
        source, name = session.source, session.sequence.recording.info.path.stem
        if name.casefold() in ("spike", "spikes") or session.sequence.recording.info.path.is_dir():
            name = session.sequence.name  # a file that is called so everywhere
        sensor = self._sensor

        def keep(pattern: object) -> None:
            if not pattern or sensor.pattern is None:
                self.tell_unknown()
                return
            if source is not None:
                self._own.drop(source)
            sensor.keep(sensor.pattern, name)

        sensor.when_known(keep)

    def tell_unknown(self) -> None:
        """Say that there is no pattern to keep."""
        self._notices.warn(
            self.tr("Nothing is known of this sensor's pattern that could be kept"),
            advice=self.tr("Name a flat field, or open a recording in which the whole picture moves"),
        )

    def refuse(self) -> None:
        """Correct by what the recording itself shows, now and whenever it is opened."""
        session = self._session
        if session is None or session.said is None:
            return
        self._own.add(session.said)
        session.open(session.said)

    def forget(self, path: Path) -> bool:
        """Delete a kept pattern; return whether it is gone. What it corrects is opened again without."""
        try:
            self._kept.forget(path)
        except EngineError as error:
            self._reports.failed(error, self.tr("delete the kept pattern"))
            return False
        self._notices.inform(self.tr("The pattern is not kept any more"), where=path.name)
        session = self._session
        if session is not None and session.source is not None and session.source.flat == str(path):
            session.open(replace(session.source, flat=None))
        return True

    # ------------------------------------------------------------------ what happens

    def begin(self) -> None:
        """Another sequence is open, or the same one otherwise."""
        session = self._session
        assert session is not None
        self._found = None
        source, lease = session.source, session.lease
        if source is None or lease is None:
            return
        self._tell(session.added_flat)
        self._sensor.begin(lease, look=source.flat is None and source not in self._own)

    def end(self) -> None:
        """No sequence is open any more."""
        self._found = None
        self._tell(None)
        if self._undoable is not None:  # nobody is there any more to answer its button
            self._notices.dismiss(self._undoable)
            self._undoable = None
        self._sensor.clear()

    def _on_found(self, path: Path) -> None:
        self._found = path
        self._use_found()

    def _use_found(self) -> None:
        session, found = self._session, self._found
        if found is None or session is None or (self._jobs is not None and self._jobs.is_running):
            return
        self._found = None
        if session.opening is None and session.source is not None and session.source.flat is None:
            session.add_flat(str(found))

    def _tell(self, file: str | None) -> None:
        """Say which kept pattern is used, as long as it is."""
        if self._told is not None and self._told[0] != file:
            self._notices.dismiss(self._told[1])
            self._told = None
        if file is None or self._told is not None:
            return
        kept = KeptPattern.of(Path(file))
        number = self._notices.add(
            Notice(
                0,
                "information",
                self.tr("The pattern kept of this sensor is used: {name}").format(name=kept.name),
                where=file,
                facts=self.tr("The recording's spikes show the same pattern, and alone tell less of it"),
                action=self.tr("Do not use"),
                act=self.refuse,
                stays=True,
            )
        )
        self._told = (file, number)

    def _on_unusable(self, error: EngineError) -> None:
        self._notices.warn(
            self.tr("A kept pattern cannot be used, and is left as it is: {problem}").format(
                problem=error.problem
            ),
            where="" if error.path is None else str(error.path),
            advice=self.tr("Forget it in the dialog for units, white level and pattern, or keep it anew"),
        )

    def _on_written(self, path: Path, for_sensor: bool) -> None:
        if not for_sensor:
            self._notices.inform(self.tr("Sensor's pattern saved"), where=str(path))
            return
        self._undoable = self._notices.add(
            Notice(
                0,
                "information",
                self.tr("Kept: recordings of this sensor that tell less are corrected by it from now on"),
                where=str(path),
                action=self.tr("Undo"),
                act=lambda: self.forget(path),
            )
        )


def _recording_of(source: SequenceSource) -> str:
    return source.spikes or source.path
