"""What a job is: asked for, waiting, worked on, over.

QUEUED ── submitted ──→ STARTING ── Accepted ──→ RUNNING ── cancel ──→ CANCELLING
RUNNING ── pause ──→ PAUSED ── resume ──→ RUNNING, or QUEUED where another job has the worker
any of them ──→ FINISHED | CANCELLED | FAILED ── retry ──→ QUEUED
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.geometry import Region, Size, Span
from engine.moment import Moment, centres, frames_of
from engine.restoration.options import ComputeOptions
from engine.source import SequenceSource

if TYPE_CHECKING:
    from app.state.jobs.restoring import Restorer
    from engine.sequence import Sequence


class JobState(Enum):
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in (JobState.FINISHED, JobState.CANCELLED, JobState.FAILED)


@dataclass(frozen=True)
class JobRequest:
    """What is to be restored, and how."""

    source: SequenceSource
    wanted: tuple[Moment, ...]
    """In order of time, each once."""
    method: str
    frame_size: Size
    gamma: float
    windows: tuple[AlignmentWindow, ...] | None = None
    """Of every frame of the sequence, where somebody moved them."""
    name: str = ""
    """Of the sequence, for people."""
    model: str | None = None
    """File of the network; None for the bundled one."""
    region: Region | None = None
    """The part of the frames to restore; None for all of them."""
    options: ComputeOptions = ComputeOptions()  # noqa: RUF009 (frozen)
    in_force: tuple[AlignmentWindow, ...] | None = None
    """Of every frame when it was asked for, wherever they came from."""

    @property
    def frames(self) -> Span:
        """From the first to the last frame of which something is wanted."""
        return frames_of(self.wanted)

    @classmethod
    def of(
        cls,
        sequence: "Sequence",
        source: SequenceSource,
        frames: Span,
        restorer: "Restorer",
        options: ComputeOptions,
        region: Region | None = None,
    ) -> "JobRequest":
        """Ask for the centres of frames of a sequence as it is open now."""
        in_force = sequence.windows
        moved = sequence.windows_source == "given"  # which the files do not know
        return cls(
            source,
            centres(frames),
            restorer.method,
            sequence.frame_size,
            sequence.gamma,
            in_force if moved else None,
            sequence.name,
            restorer.model,
            region,
            options,
            in_force,
        )


@dataclass(frozen=True)
class JobStatus:
    """A snapshot of a job."""

    number: int
    wanted: tuple[Moment, ...]
    method: str
    gamma: float
    state: JobState = JobState.STARTING
    tiles_done: int = 0
    tiles_total: int = 0
    frames_done: int = 0
    """Of what is wanted."""
    elapsed_seconds: float = 0.0
    """Of work, without waits and pauses."""
    problem: str = ""
    name: str = ""
    """Of the sequence."""
    frames_before: int = 0
    """Frames that were done before the worker took the job on this time."""
    layout: str = ""
    """How the worker cuts it: tile, clip, memory, device."""
    remarks: tuple[str, ...] = ()
    """What the worker says at the end about how it was done."""
    is_region: bool = False
    """Whether only a part of the frames is restored."""
    unchanged: tuple[tuple[Moment, str], ...] = ()
    """Moments that came back as they were, and why (see `engine.restoration.evidence`)."""
    failures: tuple[tuple[int, str], ...] = ()
    """Frames that could not be restored while others were, and why."""
    seconds_before: float = 0.0
    """The part of `elapsed_seconds` that went by before that."""

    @property
    def frames(self) -> Span:
        """From the first to the last frame of which something is wanted."""
        return frames_of(self.wanted)

    @property
    def seconds_left(self) -> float | None:
        """Time left by the pace so far; None before anything is known."""
        if self.state is not JobState.RUNNING or self.tiles_done == 0 or self.tiles_total == 0:
            return None
        pace = (self.elapsed_seconds - self.seconds_before) / self.tiles_done
        return pace * (self.tiles_total - self.tiles_done)

    @property
    def fraction(self) -> float:
        """Share that is done, in [0, 1]; by frames where the tiles are not known."""
        if self.state is JobState.FINISHED:
            return 1.0
        total = len(self.wanted)
        if self.tiles_total and not self.state.is_over:
            share = self.tiles_done / self.tiles_total
            return (self.frames_before + share * (total - self.frames_before)) / total
        return self.frames_done / total


@dataclass(frozen=True, eq=False)
class PartialFrame:
    """A moment of a running job as far as it is done."""

    moment: Moment
    picture: NDArray[np.float32]
    finished: tuple[Region, ...]
