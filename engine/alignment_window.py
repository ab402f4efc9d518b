"""When a frame was exposed, in planes: the one type for it, from the files to the network and the window."""

import math
from dataclasses import dataclass

from engine.geometry import Span


@dataclass(frozen=True, order=True)
class AlignmentWindow:
    """Half-open span of planes [start, stop) during which a frame was exposed; both ends are real numbers."""

    start: float
    stop: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.stop) and self.start < self.stop):
            raise ValueError(f"an alignment window needs start < stop, got [{self.start}, {self.stop})")

    @property
    def centre(self) -> float:
        return (self.start + self.stop) / 2

    @property
    def length_planes(self) -> float:
        return self.stop - self.start

    def planes(self, recording_planes: int | None = None) -> Span:
        """Return the whole planes p with start <= p < stop, inside [0, recording_planes) where given."""
        span = Span(math.ceil(self.start), math.ceil(self.stop))
        return span if recording_planes is None else span.intersect(Span(0, recording_planes))

    def planes_of(self, recorded: Span) -> Span:
        """Return those of the planes `recorded` that lie in the window, an empty part where none does."""
        first = min(recorded.stop, max(recorded.start, math.ceil(self.start)))
        return Span(first, max(first, min(recorded.stop, math.ceil(self.stop))))

    def shifted(self, planes: float) -> "AlignmentWindow":
        return AlignmentWindow(self.start + planes, self.stop + planes)

    def central(self, length_planes: float) -> "AlignmentWindow":
        """Return the window of this length with the same centre."""
        return AlignmentWindow(self.centre - length_planes / 2, self.centre + length_planes / 2)
