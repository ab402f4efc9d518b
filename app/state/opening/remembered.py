"""How the user said that the recordings of a folder are to be read, for the next time one is opened.

Strategy: a folder mostly holds recordings of one camera, but not always. So what was said about its size is
only used where the bits do not tell, or tell what the user has already put right; whatever no bits can
contradict (rate, which way up, exposure) always is.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import Settings
from app.state.opening.sources import is_recording
from engine.errors import EngineError, GeometryError
from engine.geometry import Size
from engine.source import SequenceSource
from engine.time_units import TimeUnit, time_unit

if TYPE_CHECKING:
    from engine.sequence import Sequence

MOST_FOLDERS = 100
LARGEST_EDGE_PX = 1 << 16


@dataclass(frozen=True)
class RememberedReading:
    """What was said about a folder's recordings; None means nothing."""

    height: int | None = None
    width: int | None = None
    instead_of: str | None = None
    """The size that the bits show, where the user said another."""
    rate_hz: float | None = None
    flip: bool | None = None
    msb_first: bool | None = None
    time_unit: TimeUnit | None = None
    white: int | None = None
    exposure_planes: float | None = None
    stride_planes: float | None = None

    @property
    def size(self) -> Size | None:
        return None if self.height is None or self.width is None else Size(self.height, self.width)

    def complete(self, source: SequenceSource) -> SequenceSource:
        """Add to a source what was said, its size aside, where the source itself says nothing."""
        return replace(
            source,
            rate_hz=self.rate_hz if source.rate_hz is None else source.rate_hz,
            flip=self.flip if source.flip is None else source.flip,
            msb_first=self.msb_first if source.msb_first is None else source.msb_first,
            time_unit=source.time_unit or self.time_unit,
            white=source.white or self.white,
            exposure_planes=(
                self.exposure_planes if source.exposure_planes is None else source.exposure_planes
            ),
            stride_planes=self.stride_planes if source.stride_planes is None else source.stride_planes,
        )


def folder_of(source: SequenceSource) -> str:
    """Return the folder that a source's recordings lie in, as the user sees it."""
    path = Path(source.spikes or source.path)
    return str(path.parent if is_recording(path) else path)


class RememberedReadings:
    """What is remembered, by folder, kept in the settings; the folder spoken of last is forgotten last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def recall(self, source: SequenceSource) -> RememberedReading | None:
        """Return what was said about recordings like this one's."""
        values = self._settings.recordings.get(folder_of(source))
        return _read(values) if isinstance(values, dict) else None

    def keep(self, source: SequenceSource, shown_by_bits: Size | None) -> None:
        """Remember what a source says about its recording; nothing said means forget."""
        size = None
        if source.height is not None and source.width is not None:
            size = Size(source.height, source.width)
        overrides = size is not None and shown_by_bits is not None and shown_by_bits != size
        reading = RememberedReading(
            height=None if size is None else size.height,
            width=None if size is None else size.width,
            instead_of=str(shown_by_bits) if overrides else None,
            rate_hz=source.rate_hz,
            flip=source.flip,
            msb_first=source.msb_first,
            time_unit=source.time_unit,
            white=source.white,
            exposure_planes=source.exposure_planes,
            stride_planes=source.stride_planes,
        )
        self._store(folder_of(source), reading)

    def keep_units(self, source: SequenceSource) -> None:
        """Remember what a source says about units and white, beside what is remembered of the folder."""
        reading = self.recall(source) or RememberedReading()
        self._store(folder_of(source), replace(reading, time_unit=source.time_unit, white=source.white))

    def _store(self, folder: str, reading: RememberedReading) -> None:
        known = self._settings.recordings
        known.pop(folder, None)
        said = {name: value for name, value in asdict(reading).items() if value is not None}
        if said:
            known[folder] = said
        for oldest in list(known)[:-MOST_FOLDERS]:
            del known[oldest]


def open_remembering(
    opener: "Callable[[SequenceSource], Sequence]",
    source: SequenceSource,
    remembered: RememberedReading | None,
) -> "Sequence":
    """Open a source with what is remembered about its folder. Errors as of `opener`."""
    if remembered is None:
        return opener(source)
    source = remembered.complete(source)
    size = remembered.size
    if size is None or source.height is not None or source.width is not None:
        return opener(source)
    sized = replace(source, height=size.height, width=size.width)
    try:
        sequence = opener(source)
    except GeometryError as unknown:
        try:
            return opener(sized)
        except EngineError:
            raise unknown from None
    recording = sequence.recording
    if recording is None or str(recording.info.size) != remembered.instead_of:
        return sequence
    try:
        corrected = opener(sized)
    except EngineError:
        return sequence
    sequence.close()
    return corrected


def _read(values: dict[str, object]) -> RememberedReading:
    """Take what is usable of a folder's entry."""
    height, width = values.get("height"), values.get("width")
    edges = [edge for edge in (height, width) if type(edge) is int and 1 <= edge <= LARGEST_EDGE_PX]
    instead, white = values.get("instead_of"), values.get("white")
    return RememberedReading(
        height=edges[0] if len(edges) == 2 else None,
        width=edges[1] if len(edges) == 2 else None,
        instead_of=instead if isinstance(instead, str) else None,
        rate_hz=_positive(values.get("rate_hz")),
        flip=_switch(values.get("flip")),
        msb_first=_switch(values.get("msb_first")),
        time_unit=_unit(values.get("time_unit")),
        white=white if type(white) is int and 0 < white < 1 << 16 else None,
        exposure_planes=_positive(values.get("exposure_planes")),
        stride_planes=_positive(values.get("stride_planes")),
    )


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 < value <= 1e9 else None


def _unit(value: object) -> TimeUnit | None:
    return time_unit(value) if isinstance(value, str) else None


def _switch(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
