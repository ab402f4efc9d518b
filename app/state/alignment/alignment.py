"""The alignment of the open sequence: its windows as they are edited, and what follows from that.

edits ──changed──→ the sequence with these windows ──→ `changed` ──→ pictures of the window
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.state.alignment.edits import WindowEdits
from app.state.alignment.unsaved_edits import UnsavedEdits
from app.state.alignment.window_pictures import WindowPictures
from app.state.session.position import Position
from app.state.session.session import Session
from engine.findings import Finding
from engine.source import SequenceSource

if TYPE_CHECKING:
    from engine.sequence import Sequence


class Alignment(QObject):
    """Owns the edits of one sequence and puts them into effect."""

    changed = Signal()
    """The open sequence has other windows than before."""
    brought_back = Signal(int)
    """So many frames have windows again that were edited when the sequence was open last."""

    def __init__(
        self,
        session: Session,
        position: Position,
        pool: ThreadPoolExecutor,
        folder: Path | None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._position = position
        self.edits = WindowEdits(self)
        self.pictures = WindowPictures(pool, self)
        self._unsaved = UnsavedEdits(self.edits, folder, self, pool=pool)
        self._original: Sequence | None = None
        self._key = ""
        """What tells the open sequence from others."""
        self._watched = False
        self.edits.changed.connect(self._apply)

    @property
    def can_edit(self) -> bool:
        sequence = self._session.sequence
        return sequence is not None and sequence.recording is not None and bool(self.edits.windows)

    @property
    def rate_hz(self) -> float | None:
        sequence = self._session.sequence
        if sequence is None or sequence.recording is None:
            return None
        return sequence.recording.info.rate_hz

    def begin(self) -> None:
        """Take the windows of the sequence that has been opened; the same one again keeps its edits."""
        sequence = self._session.sequence
        if sequence is None:
            return
        base = sequence.windows
        self._original = sequence
        key = _key(sequence.source)
        if key == self._key and base == self.edits.base:
            if self.edits.is_edited:
                self._apply()
            return
        self._unsaved.end()  # while the edits are still those of the sequence before
        self._key = key
        self.pictures.clear()
        self.edits.begin(base)
        kept = self._unsaved.begin(key)
        if kept is not None:
            self.edits.take(kept, self.tr("Edits of last time"))
            self.brought_back.emit(len(self.edits.edited_frames))

    def end(self) -> None:
        """The sequence is closed."""
        self._unsaved.end()
        self._original, self._key = None, ""
        self.pictures.clear()
        self.edits.begin(())

    def watch(self, watched: bool) -> None:
        """Say whether anybody sees the pictures of windows; they are made only then."""
        self._watched = watched
        if watched:
            self.show(self._position.index)

    def show(self, index: int) -> None:
        """Make the picture of a frame's window."""
        lease = self._session.lease
        if self._watched and lease is not None and self.can_edit and index < len(self.edits.windows):
            self.pictures.show(lease, index)

    # ------------------------------------------------------------------ alignment logs

    def read_log(self, path: Path) -> tuple[Finding, ...]:
        """Use the windows of an alignment log, as one step, and return what is odd about the log.

        Raises AlignmentError.
        """
        from engine.alignment import RecordedSpan, load_alignment_log, windows_for_frames
        from engine.file_names import frame_numbers

        sequence = self._session.sequence
        if sequence is None or sequence.recording is None:
            return ()
        info = sequence.recording.info
        log = load_alignment_log(
            path,
            RecordedSpan(info.rate_hz, info.planes, info.clock_start),
            time_unit=sequence.source.time_unit,
            name=sequence.name,
            gives_way=info.format == "events",
        )
        numbers = frame_numbers([sequence.frame_name(index) for index in range(len(sequence))])
        windows, about_rows = windows_for_frames(log.rows, numbers, path=path, name=sequence.name)
        text = self.tr("Windows of {file}").format(file=path.name)
        self.edits.take(windows, text)
        return (*log.findings, *about_rows)

    def write_log(self, path: Path) -> None:
        """Write the windows as an alignment log. Raises ExportError; ValueError without a plane rate."""
        from engine.alignment import write_alignment_log

        rate_hz = self.rate_hz
        if rate_hz is None:
            raise ValueError("an alignment log needs the rate of the recording")
        sequence = self._session.sequence
        name = "" if sequence is None else sequence.name
        write_alignment_log(path, self.edits.windows, rate_hz=rate_hz, name=name)

    def _apply(self) -> None:
        original = self._original
        if self._session.lease is None or original is None:
            return
        edits = self.edits
        self._session.show_as(original.with_windows(edits.windows) if edits.is_edited else original)
        self.changed.emit()
        self.show(self._position.index)


def _key(source: SequenceSource) -> str:
    return source.path if source.spikes is None else f"{source.path} + {source.spikes}"
