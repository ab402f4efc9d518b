"""What every spike recording offers, whatever file it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.findings import Finding
from engine.geometry import Region, Size, Span

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
    most_a_plane: int | None = 1
    """Spikes that a pixel has in a plane at most; None where nothing bounds them."""
    polarities: tuple[float, ...] = ()
    """Values of the spikes' polarity, as the file has them; empty where it has none."""
    origin_is_open: bool = False
    """Nothing is in row 0 and column 0 of an event list, so that both may be counted from 1."""

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


@dataclass(frozen=True, eq=False)
class Spikes:
    """Single spikes, by time; those of one plane in no order that means anything."""

    times: NDArray[np.float64]
    """In planes; whole numbers where the recording knows planes only."""
    rows: NDArray[np.int32]
    """Top row first."""
    columns: NDArray[np.int32]
    polarity: NDArray[np.generic] | None = None
    """As the file has it; None where it has none."""

    @classmethod
    def joined(cls, pieces: "Sequence[Spikes]") -> Self:
        """Return spikes one after another; none at all of no pieces."""
        if not pieces:
            return cls(np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.int32))
        polarity = None if pieces[0].polarity is None else np.concatenate([each.polarity for each in pieces])
        return cls(
            np.concatenate([each.times for each in pieces]),
            np.concatenate([each.rows for each in pieces]),
            np.concatenate([each.columns for each in pieces]),
            polarity,
        )

    def chosen(self, which: NDArray[np.bool_]) -> Self:
        """Return some of the spikes."""
        polarity = None if self.polarity is None else self.polarity[which]
        return type(self)(self.times[which], self.rows[which], self.columns[which], polarity)

    def __len__(self) -> int:
        return len(self.times)


class SpikeSource(Protocol):
    """Planes, an event list, a folder of recordings: where spikes come from. Plane p is [p, p + 1) / rate_hz.

    Safe to read from several threads. What is read raises RecordingError where the files cannot be.
    """

    @property
    def info(self) -> RecordingInfo: ...

    @property
    def part_paths(self) -> tuple[Path, ...]:
        """The files, in the order of their planes."""
        ...

    def parts(self) -> tuple[int, ...]:
        """Return the first plane of every independently recorded part; (0,) for one continuous file."""
        ...

    def counts(
        self,
        window: AlignmentWindow,
        bins: int = 1,
        region: Region | None = None,
        *,
        within: Span | None = None,
        polarity: float | None = None,
    ) -> NDArray[np.float32]:
        """Count the spikes of a window in equal bins: float32 (bins, h, w), of a region where one is given.

        A spike at time t goes to bin floor((t - start) / (stop - start) * bins), clipped to the last; those
        of plane p are at t = p where spikes have no times of their own (FORMATS, "Voxels"). Only what lies in
        the planes `within` counts, those of the recording where None. With a `polarity`, as the file has it,
        only spikes of that one.
        """
        ...

    def rates(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the number of spikes of each of the planes [start, stop): int64 (planes,)."""
        ...

    def spikes(
        self, start: float, stop: float, region: Region | None = None, *, polarity: float | None = None
    ) -> Spikes:
        """Return the spikes with start <= t < stop, of a region of pixels where one is given."""
        ...

    def at_pixel(
        self, row: int, column: int, start: float, stop: float, *, polarity: float | None = None
    ) -> NDArray[np.float64]:
        """Return when a pixel fired in start <= t < stop, in planes, ascending."""
        ...

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return in which of the planes [start, stop) pixels fired: uint8 0/1 (planes, H, W), top row first.

        Raises RecordingError when the span is not inside [0, planes).
        """
        ...

    def as_packed(self) -> "Recording | None":
        """Return the source as packed planes; None where these would not tell all of its spikes."""
        ...

    def forget(self, start: int, stop: int) -> None:
        """Let go of the memory behind planes [start, stop), if any; reading them again costs a little."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Recording(SpikeSource, Protocol):
    """A source of spikes that has packed planes."""

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes) of bits, least significant bit first.

        Rows are in file order (bottom first where `info.flip`). A view of the file where the format
        is packed in the usual order of bits, so nothing is copied.
        """
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
