"""Every error the engine raises on purpose.

EngineError
├── RecordingError            a spike recording cannot be read
│   └── GeometryError         its height and width are unknown, impossible or contradicted
├── SequenceError             frames, references or a data set's layout do not fit together
│   ├── FrameError            one picture or video frame cannot be read
│   ├── UnreadFramesError     a sequence has frames, and none of a kind that is read
│   ├── AlignmentError        an alignment log cannot be read or does not fit
│   └── RegistrationError     frames and spikes cannot lie on each other as it is said
├── MethodError               a restoring method cannot run as asked
│   └── FrameValuesError      it gave values that are not numbers for a frame
├── ModelError                a network cannot be built, or not be run on this input
│   └── CheckpointError       its weights cannot be read, or belong to another network
├── ExportError               a result cannot be written
├── WorkerError               the worker process broke its protocol or died
├── UnexpectedError           something nobody foresaw went wrong
└── OperationCancelled        the caller asked to stop; nothing is wrong

A message is one line: what is wrong, with which file, what was found, what was expected, what to do.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.recording.recording import GeometryCandidate


class EngineError(Exception):
    """Say in one line what is wrong and what the user can do about it.

    `path` is the file or folder at fault, `found` and `expected` quote values, `advice` is an
    imperative sentence. All are optional but the problem itself, and all stay readable as attributes.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str | Path | None = None,
        found: str | None = None,
        expected: str | None = None,
        advice: str | None = None,
    ) -> None:
        self.problem = problem
        self.path = None if path is None else Path(path)
        self.found = found
        self.expected = expected
        self.advice = advice
        super().__init__(self._compose())

    def _compose(self) -> str:
        text = self.problem if self.path is None else f"{self.path}: {self.problem}"
        facts = [
            f"{label} {value}"
            for label, value in (("found", self.found), ("expected", self.expected))
            if value is not None
        ]
        if facts:
            text += f" ({', '.join(facts)})"
        if self.advice:
            text += f". {self.advice}"
        return " ".join(text.split())


class RecordingError(EngineError):
    """A spike recording cannot be read."""


class GeometryError(RecordingError):
    """Height and width of a recording are unknown, impossible or contradicted by its bytes."""

    candidates: "tuple[GeometryCandidate, ...]" = ()
    """Readings of the bytes to choose from, best first, where the height and width are asked for."""


class SequenceError(EngineError):
    """Frames, references or a data set's layout do not fit together."""

    sequences: "tuple[Path, ...]" = ()
    """What can be opened instead, where a folder holds sequences but is none."""


class FrameError(SequenceError):
    """One picture or video frame cannot be read."""


class UnreadFramesError(SequenceError):
    """The frames of a sequence are there, and none of them is of a kind that is read."""


class AlignmentError(SequenceError):
    """An alignment log cannot be read or does not fit the sequence."""


class RegistrationError(SequenceError):
    """A frame's pixels cannot lie among the spikes as it is said."""

    def about(self, path: str | Path) -> "RegistrationError":
        """Return the same about the registration of a sequence."""
        return RegistrationError(
            self.problem, path=path, found=self.found, expected=self.expected, advice=self.advice
        )


class MethodError(EngineError):
    """A restoring method cannot run as asked."""


class FrameValuesError(MethodError):
    """A method gave values that are not numbers."""

    frame: int | None = None
    """The first frame that has such values."""


class ModelError(EngineError):
    """A network cannot be built from its configuration, or not be run on this input."""


class CheckpointError(ModelError):
    """Weights cannot be read, or belong to another network."""


class ExportError(EngineError):
    """A result cannot be written."""


class WorkerError(EngineError):
    """The worker process broke its protocol or died."""


class UnexpectedError(EngineError):
    """Something nobody foresaw went wrong, in a decoder or in this program."""

    def __init__(self, error: Exception) -> None:
        self.kind = type(error).__name__
        """Name of the exception's class."""
        super().__init__(f"unexpected: {self.kind}: {error}")


def as_engine_error(error: Exception) -> EngineError:
    """Return an exception as an EngineError, so that it costs one frame or file and not all the others."""
    return error if isinstance(error, EngineError) else UnexpectedError(error)


class OperationCancelled(EngineError):
    """The caller asked to stop."""
