"""Where and how a restoration is computed, as a person asks for it. Needs no method, and no torch."""

from dataclasses import dataclass, fields
from typing import Literal

from engine.errors import MethodError
from engine.geometry import Size

Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class ComputeOptions:
    """What is asked for, the same from the command line and the window to the worker; None leaves it to us.

    Raises MethodError for numbers that cannot be.
    """

    device: str = "auto"
    precision: Precision = "auto"
    tile: Size | None = None
    """The longest height and width of a tile."""
    overlap_px: int | None = None
    clip_frames: int | None = None
    batch_tiles: int | None = None
    memory_gb: float | None = None
    """GiB that computing a tile may take."""
    at_most_px: int | None = None
    """A bound on the edges of tiles that nobody chose, for those who want to see the first one soon."""

    def __post_init__(self) -> None:
        edges = () if self.tile is None else (self.tile.height, self.tile.width)
        numbers = [self.clip_frames, self.batch_tiles, self.memory_gb, self.at_most_px, *edges]
        bad = any(value is not None and not value > 0 for value in numbers)
        if bad or (self.overlap_px is not None and self.overlap_px < 0):
            given = {field.name: getattr(self, field.name) for field in fields(self)}
            raise MethodError(
                "tile, clip, batch and memory must be positive, and an overlap not negative",
                found=", ".join(f"{name} {value}" for name, value in given.items() if value is not None),
                advice="Choose other values, or auto",
            )
