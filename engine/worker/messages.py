"""What crosses the border between a client and the worker process.

Rules
- Every message is a frozen dataclass of plain values: it can be logged, replayed and tested without a
  process. Standard library only, as all that it imports.
- A job begins with one `RestoreRequest` and its answers arrive in this order:
  `Accepted`, then any number of `TileDone`, `FrameDone` and `FrameFailed`, then exactly one of
  `Finished`, `Cancelled`, `Failed`. Before `Finished` every moment is done or its frame has failed. A job
  that cannot start ends with `Failed` alone, one that is cancelled before its turn with `Cancelled` alone.
  `engine.worker.protocol` holds this as a table.
- Pixels never travel in messages. The client owns one shared-memory block a job, made of `slots`
  pictures of height × width × 3 float32; `TileDone` and `FrameDone` say which slot holds the moment. A
  moment keeps its slot until its `FrameDone` is answered with `SlotReleased`; only then does the worker
  reuse it. Where slots are short a `TileDone` carries `NO_SLOT`: progress without a preview.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.alignment_window import AlignmentWindow
from engine.moment import Moment
from engine.restoration.options import ComputeOptions
from engine.source import SequenceSource

if TYPE_CHECKING:
    from engine.model_description import ModelDescription

# ------------------------------------------------------------------ client → worker


@dataclass(frozen=True)
class SharedFrames:
    """Shared memory for finished and half-finished pictures: float32 (slots, height, width, 3) RGB."""

    name: str
    slots: int
    height: int
    width: int


Rectangle = tuple[int, int, int, int]
"""Rows [top, bottom) and columns [left, right) of a frame: (top, left, bottom, right)."""


@dataclass(frozen=True)
class RestoreRequest:
    """Restore moments of a sequence, whole pictures or one region."""

    job: int
    source: SequenceSource
    wanted: tuple[Moment, ...]
    """In order of time, each once."""
    method: str
    frames: SharedFrames
    windows: tuple[AlignmentWindow, ...] | None = None
    """Those of every frame of the sequence, where the user moved them."""
    region: Rectangle | None = None
    """The part to restore; the rest of the pictures stays as it was recorded."""
    options: ComputeOptions = ComputeOptions()  # noqa: RUF009 (frozen)
    model: str | None = None
    """File or name of the network, for methods that have one; None for the bundled one."""


@dataclass(frozen=True)
class CancelRequest:
    job: int


@dataclass(frozen=True)
class PauseRequest:
    """Hold a job before its next tile; what it has done stays where it is."""

    job: int


@dataclass(frozen=True)
class ResumeRequest:
    job: int


@dataclass(frozen=True)
class Prioritise:
    """What the user looks at now: its tiles come first from the next one on."""

    job: int
    frame: int
    region: Rectangle | None = None
    """The visible part of the frame; None for all of it."""
    cursor: tuple[float, float] | None = None
    """Row and column."""


@dataclass(frozen=True)
class SlotReleased:
    job: int
    slot: int


@dataclass(frozen=True)
class ShutdownRequest:
    pass


ClientMessage = (
    RestoreRequest
    | CancelRequest
    | PauseRequest
    | ResumeRequest
    | Prioritise
    | SlotReleased
    | ShutdownRequest
)

# ------------------------------------------------------------------ worker → client

NO_SLOT = -1


@dataclass(frozen=True)
class Accepted:
    """The plan is made: this many tiles and frames will follow."""

    job: int
    tiles: int
    frames: int
    layout: str = ""
    """One line for people: the tile that is really used, clip, memory, device."""
    description: "ModelDescription | None" = None
    """Of the method as it was loaded; None where it has none."""


@dataclass(frozen=True)
class TileDone:
    """Rows [top, bottom), columns [left, right) of `moment` are in `slot`, blended as far as they can be.

    `slot` is `NO_SLOT` where none was free for an unfinished picture.
    """

    job: int
    moment: Moment
    slot: int
    top: int
    left: int
    bottom: int
    right: int
    tiles_done: int

    @property
    def frame(self) -> int:
        """Number of the frame, from 0."""
        return self.moment.frame


@dataclass(frozen=True)
class FrameDone:
    """The picture of `moment` is finished, in `slot`."""

    job: int
    moment: Moment
    slot: int
    seconds: float
    unchanged: str = ""
    """Why it came back as it was (see `engine.restoration.evidence`); empty where it is restored."""
    looked_at: tuple[tuple[int, int], ...] | None = None
    """Frames [start, stop) whose pictures, spikes and windows it depends on; None where that is not known."""

    @property
    def frame(self) -> int:
        """Number of the frame, from 0."""
        return self.moment.frame


@dataclass(frozen=True)
class FrameFailed:
    """One frame cannot be restored, at none of its moments; the others are, by a new plan."""

    job: int
    frame: int
    message: str
    """One line a person can act on."""
    tiles_done: int
    tiles: int
    """Of the whole job, as it is planned now."""


@dataclass(frozen=True)
class Finished:
    """Everything that could be done is done; what `FrameFailed` has named is not."""

    job: int
    seconds: float
    remarks: tuple[str, ...] = ()
    """What the user should know about how it was done."""


@dataclass(frozen=True)
class Cancelled:
    job: int


@dataclass(frozen=True)
class Failed:
    job: int
    message: str
    """One line a person can act on."""
    details: str = ""
    """The traceback, for the log."""
    cause: Literal["error", "worker-died"] = "error"


WorkerMessage = Accepted | TileDone | FrameDone | FrameFailed | Finished | Cancelled | Failed
JobEnd = Finished | Cancelled | Failed
