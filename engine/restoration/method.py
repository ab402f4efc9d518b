"""What a restoring method is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence as SequenceOf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import MethodError
from engine.findings import Finding
from engine.geometry import Region, Size, Span
from engine.model_description import ModelDescription, Moments
from engine.moment import Moment

if TYPE_CHECKING:
    from engine.sequence import Sequence


class Method(ABC):
    """Turns a clip of blurry frames and its spikes into sharp pictures of moments, region by region.

    What is wanted are moments of the clip's frames: of one there may be none or many, so a picture belongs to
    the moment at its place among those wanted, not to the frame at its place in the clip.

    The numbers are advice to the plan: a method never sees a clip or a region that breaks them, except
    that a picture smaller than `multiple_px` or a sequence shorter than `clip_frames` is given whole.
    """

    name: str
    clip_frames: int = 1
    """This and the next ones are as in `engine.model_description.ModelDescription`, which fills them."""
    clip_overlap: int = 0
    margin_frames: int = 0
    overlap_px: int = 0
    multiple_px: int = 1
    default_tile_px: int | None = None
    fewest_planes: int = 1
    moments: Moments = "centre"
    description: ModelDescription | None = None
    """What it was described as, its own word where it has one."""
    package: str | None = None
    """What it was found in, "lab-method 1.0"; None for the program's own."""
    device: str = "cpu"
    """Where it computes: "cpu", "cuda:N" or "mps"."""
    precision: str = "fp32"
    """Or "bf16" or "fp16"."""
    findings: tuple[Finding, ...] = ()
    """What the user should know about the method itself."""

    def follow(self, description: ModelDescription) -> None:
        """Take what a description says of needs, tiles and clips, and what the user should know."""
        self.description = description
        self.clip_frames, self.clip_overlap = description.clip_frames, description.clip_overlap
        self.margin_frames = description.margin_frames
        self.overlap_px, self.multiple_px = description.overlap_px, description.multiple_px
        self.default_tile_px = description.default_tile_px
        self.fewest_planes, self.moments = description.fewest_planes, description.moments
        self.findings = description.findings

    @abstractmethod
    def prepare(self, sequence: "Sequence", clip: Span, wanted: SequenceOf[Moment]) -> Any:
        """Do what is done once for the frames of `clip`; the result goes to `restore` unchanged.

        `wanted` are the moments that are to come, in order, all of frames of the clip.

        Raises MethodError when the sequence lacks what the method needs.
        """

    @abstractmethod
    def restore(self, prepared: Any, region: Region) -> NDArray[np.float32]:
        """Return the restored (wanted, h, w, 3) RGB pictures of `region`, in [0, 1]."""

    def restore_batch(self, prepared: Any, regions: SequenceOf[Region]) -> NDArray[np.float32]:
        """Restore several regions of one size together: (regions, wanted, h, w, 3)."""
        return np.stack([self.restore(prepared, region) for region in regions])

    def part(self, prepared: Any, frames: Span) -> Any:
        """Return what was prepared of `frames`, counted from the start of the clip, and their moments."""
        raise MethodError(f"the method {self.name} cannot restore {frames} of {prepared} alone")

    def unchanged(self, prepared: Any) -> SequenceOf[str]:  # noqa: ARG002 (what a method says that cannot tell)
        """Return for every wanted moment why its frame comes back as it was, "" where it is restored.

        Nothing where the method cannot tell.
        """
        return ()

    def memory_bytes(self, tile: Size, frames: int) -> int:  # noqa: ARG002 (what a method says that has no worry)
        """Return about how much `restore` takes for a tile of so many frames, beside its input."""
        return 0

    def free_memory(self) -> None:  # noqa: B027 (few methods keep any)
        """Give back what is kept of the device's memory and not needed."""
