"""What every spike recording offers, whatever file it comes from."""

from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.findings import Finding
from engine.geometry import Size

SLOWEST_RATE_HZ = 200.0
"""No spike camera records fewer planes a second."""
Source = Literal["given", "sidecar", "layout", "frames", "bytes", "file", "unknown"]
"""How a number about a recording is known: the caller gave it, a config.yaml beside the file says so,
the data set's layout or the size of the frames implies it, the bits themselves showed it, the file's own
format states it."""

AxisOrder = Literal["THW", "HWT", "TWH", "WHT", "HTW", "WTH"]
"""What each axis of an array is: T time, H rows, W columns. The usual ones come first."""

RecordingFormat = Literal["packed", "unpacked", "events", "folder"]


@dataclass(frozen=True)
class GeometryCandidate:
    """One reading of a headerless file; a higher score means neighbouring rows look more alike."""

    size: Size
    planes: int
    remainder_bytes: int
    score: float
    """About 1 where neighbouring rows are as alike as neighbouring pixels of a row, 0 where unrelated."""
    head_columns: int = 0
    """Columns at the end of every stored row that are not picture."""


@dataclass(frozen=True)
class RecordingInfo:
    """Facts about a recording, each with its source in `known_by`."""

    path: Path
    format: RecordingFormat
    height: int
    width: int
    planes: int
    bytes: int
    rate_hz: float | None = None
    """Planes per second; None where nobody said."""
    clock_start: float = 0.0
    """Where the file's own clock was at the start of plane 0, in planes."""
    remainder_bytes: int = 0
    """Bytes after the last whole plane."""
    unwritten_planes: int = 0
    """Planes of zeros at the end of the file, or of its parts, that `planes` does not count."""
    head_columns: int = 0
    """Columns at the end of every stored row that are not picture, and that nobody ever sees."""
    flip: bool = True
    """Rows are stored bottom first and `read` turns them over."""
    msb_first: bool = False
    """Bytes are stored most significant bit first, and `packed` turns them over."""
    axes: AxisOrder | None = None
    """What the axes of an array are; None where the format says it."""
    known_by: dict[str, Source] = field(default_factory=dict)
    """Source of `height`, `width`, `planes`, `rate_hz` and `flip`, by name; for arrays of `axes` as well."""
    warnings: tuple[Finding, ...] = ()
    """Contradictions and oddities worth showing, one sentence each."""
    candidates: tuple[GeometryCandidate, ...] = ()
    """Other readings of the bytes, best first; empty where the format states its geometry."""

    @property
    def size(self) -> Size:
        return Size(self.height, self.width)

    @property
    def may_lie(self) -> bool:
        """Rows of an array may be its columns: only a picture of the scene would tell."""
        return self.axes is not None and self.known_by.get("axes") in ("bytes", "unknown")

    @property
    def stored_size(self) -> Size:
        """Size of a plane in the file, heads included."""
        return Size(self.height, self.width + self.head_columns)

    @property
    def plane_bytes(self) -> int:
        """Bytes of one packed plane."""
        return (self.height * self.width + 7) // 8


class Recording(Protocol):
    """A sequence of binary planes. Plane p covers the time [p, p + 1) / rate_hz."""

    @property
    def info(self) -> RecordingInfo: ...

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as uint8 0/1 (planes, H, W), top row first.

        Raises RecordingError when the span is not inside [0, planes).
        """
        ...

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes) of bits, least significant bit first.

        Rows are in file order (bottom first where `info.flip`). A view of the file where the format
        is packed in the usual order of bits, so nothing is copied.
        """
        ...

    def parts(self) -> tuple[int, ...]:
        """Return the first plane of every independently recorded part; (0,) for one continuous file."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class MappedRecording(Protocol):
    """A recording whose planes are views of a mapped file."""

    def forget(self, start: int, stop: int) -> None:
        """Let go of the memory behind planes [start, stop); reading them again costs a little."""
        ...


@runtime_checkable
class TimedRecording(Protocol):
    """A recording whose spikes have times of their own, finer than planes."""

    def events(
        self, start: float, stop: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
        """Return the spikes with start <= t < stop by time: times in planes, rows (top first), columns."""
        ...


class ClosesOnExit:
    """The part of a recording that `with` needs."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
