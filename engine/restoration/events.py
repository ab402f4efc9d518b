"""What a restoration says while it goes on: first its plan, then tiles and frames, in the end how it ended.

    Planned, (TileRestored | FrameRestored | FrameFailed)*, Finished | Cancelled | Failed

What cannot even be planned ends in `Failed` alone. Before `Finished` every moment that was asked for has been
restored, or its frame has failed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError, as_engine_error
from engine.findings import Finding
from engine.geometry import Region, Span
from engine.moment import Moment
from engine.restoration.settings import Layout
from engine.restoration.tile_computer import Limits


@dataclass(frozen=True)
class Planned:
    """How it is cut, and how much there is to do, before anything is done."""

    layout: Layout
    wanted: tuple[Moment, ...]
    tiles_total: int


@dataclass(frozen=True, eq=False)
class TileRestored:
    """One tile of one moment was laid into its picture."""

    moment: Moment
    region: Region
    """What changed in `picture`."""
    picture: NDArray[np.float32]
    """The moment so far, (H, W, 3) RGB; blurry where nothing is restored yet. It changes with later tiles."""
    tiles_done: int
    """Of the tiles planned, this one included."""
    tiles_total: int


@dataclass(frozen=True, eq=False)
class FrameRestored:
    """A moment is finished, and its picture changes no more."""

    moment: Moment
    picture: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    seconds: float
    """Time of computing since those before it were finished, shared evenly among those finished together."""
    unchanged: str = ""
    """Why the picture is the blurry frame (see `engine.restoration.evidence`); empty where it is restored."""
    looked_at: tuple[Span, ...] = ()
    """The frames whose pictures, spikes and windows it depends on: those of its clips, with margins."""
    limits: Limits | None = None
    """The largest pieces it was computed in; None where it was not computed."""

    @property
    def frame(self) -> int:
        """Number of the frame, from 0."""
        return self.moment.frame


@dataclass(frozen=True)
class FrameFailed:
    """A frame could not be restored, at none of its moments; the others go on without it."""

    frame: int
    error: EngineError
    finished_before: int | None = None
    """The first frame that was not finished when this one failed in restoring, None for another failure."""
    is_beside: bool = False
    """Whether it was only looked at for the sake of frames near it, which were restored without it."""
    tiles_done: int = 0
    """Of what is planned without it."""
    tiles_total: int = 0


@dataclass(frozen=True)
class Finished:
    """Everything that could be done is done; what `FrameFailed` has named is not."""

    seconds: float
    remarks: tuple[Finding, ...] = ()
    """What the user should know about how it was done."""


@dataclass(frozen=True)
class Cancelled:
    """It was told to stop; what `FrameRestored` has handed out stays true."""

    seconds: float
    remarks: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Failed:
    """It could not begin, or what is left would fail like what was tried, and was not tried."""

    cause: Exception
    """What was raised, an EngineError, or whatever else, such as a lack of memory."""
    seconds: float = 0.0
    remarks: tuple[Finding, ...] = ()
    has_given_up: bool = False
    """Whether it is over because what is left would fail like what was tried; the rest stays true."""

    @property
    def error(self) -> EngineError:
        """The cause as one line that a person can act on."""
        return as_engine_error(self.cause)


Event = Planned | TileRestored | FrameRestored | FrameFailed | Finished | Cancelled | Failed
End = Finished | Cancelled | Failed
