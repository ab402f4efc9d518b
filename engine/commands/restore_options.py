"""What `restore` is asked for beside the sequence."""

from dataclasses import dataclass
from pathlib import Path

from engine.commands.frame_range import FrameRange
from engine.commands.method_choice import MethodChoice
from engine.geometry import Region
from engine.restoration.options import ComputeOptions


@dataclass(frozen=True)
class RestoreOptions:
    """What `restore` is asked for beside the sequence."""

    out: Path
    method: MethodChoice
    frames: FrameRange
    compute: ComputeOptions = ComputeOptions()  # noqa: RUF009 (frozen)
    region: Region | None = None
    """The only part of the pictures to restore; the rest stays as it was recorded."""
    side_by_side: Path | None = None
    overwrite: bool = False
    resume: bool = False
    """Go on with what an earlier run with the same input and options left; without one, begin."""
    scores: bool = False
    """Score every frame that has a reference."""
