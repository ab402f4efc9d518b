"""What a restoring method is, and the methods there are by name."""

from abc import ABC, abstractmethod
from collections.abc import Sequence as SequenceOf
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import MethodError
from engine.findings import Finding
from engine.geometry import Region, Size, Span
from engine.moment import Moment
from engine.restoration.method_names import DEFAULT_MODEL, NETWORK, SPIKE_RATIO

if TYPE_CHECKING:
    from engine.restoration.options import Precision
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
    """Frames restored together."""
    clip_overlap: int = 0
    """Frames that two neighbouring clips share."""
    overlap_px: int = 0
    """Pixels that two neighbouring tiles share; 0 where a region comes out the same in any tile."""
    multiple_px: int = 1
    """Height and width of a tile are multiples of this where the picture is large enough."""
    default_tile_px: int | None = None
    """Edge of a tile where the caller has no wish; None for the whole picture at once."""
    fewest_planes: int = 1
    """Recorded planes of an exposure without which nothing is known of a frame, which then comes back as it
    was; 0 where the method looks at no spikes."""
    moments: Literal["centre", "any"] = "centre"
    """Which instants of an exposure it can restore: its centre alone, or any."""
    device: str = "cpu"
    """Where it computes: "cpu", "cuda:N" or "mps"."""
    precision: str = "fp32"
    """Or "bf16" or "fp16"."""
    findings: tuple[Finding, ...] = ()
    """What the user should know about the method itself."""

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


def make_method(
    name: str, model: str | None = None, device: str = "auto", precision: "Precision" = "auto"
) -> Method:
    """Return a method by its name.

    `model` is the file or the name of a network, for `NETWORK` only; `device` and `precision` say where and
    how that computes (see `engine.restoration.compute_device`). Raises MethodError that lists the names there
    are or the devices, CheckpointError where the network cannot be loaded.
    """
    if model is not None and name != NETWORK:
        raise MethodError(f"the method {name} takes no model", advice=f"Choose --method {NETWORK} with it")
    if name == SPIKE_RATIO:
        from engine.restoration.spike_ratio import SpikeRatio

        return SpikeRatio()
    if name == NETWORK:
        from engine.restoration.network_method import NetworkMethod

        return NetworkMethod.load(model or DEFAULT_MODEL, device, precision)
    raise MethodError(
        f"there is no method '{name}'", expected=f"{SPIKE_RATIO} or {NETWORK}", advice="Choose one of these"
    )
