"""What a restoring method is, and the methods there are by name."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import MethodError
from engine.geometry import Region, Span

if TYPE_CHECKING:
    from engine.sequence import Sequence

SPIKE_RATIO = "spike-ratio"
NETWORK = "network"
DEFAULT_MODEL = "vrt-spike-small"
"""The bundled network that `NETWORK` means where nobody names another."""


class Method(Protocol):
    """Turns a clip of blurry frames and its spikes into sharp frames, region by region.

    The numbers are advice to the plan: a method never sees a clip or a region that breaks them, except
    that a picture smaller than `multiple_px` or a sequence shorter than `clip_frames` is given whole.
    """

    @property
    def name(self) -> str: ...

    @property
    def clip_frames(self) -> int:
        """Frames restored together."""
        ...

    @property
    def clip_overlap(self) -> int:
        """Frames that two neighbouring clips share."""
        ...

    @property
    def overlap_px(self) -> int:
        """Pixels that two neighbouring tiles share; 0 where a region comes out the same in any tile."""
        ...

    @property
    def multiple_px(self) -> int:
        """Height and width of a tile are multiples of this where the picture is large enough."""
        ...

    @property
    def default_tile_px(self) -> int | None:
        """Edge of a tile where the caller has no wish; None for the whole picture at once."""
        ...

    def prepare(self, sequence: "Sequence", clip: Span) -> Any:
        """Do what is done once for the frames of `clip`; the result goes to `restore` unchanged.

        Raises MethodError when the sequence lacks what the method needs.
        """
        ...

    def restore(self, prepared: Any, region: Region) -> NDArray[np.float32]:
        """Return the restored (clip, h, w, 3) RGB pictures of `region`, in [0, 1]."""
        ...


def make_method(name: str, model: str | None = None) -> Method:
    """Return a method by its name.

    `model` is the file or the name of a network, for `NETWORK` only. Raises MethodError that lists the
    names there are, CheckpointError where the network cannot be loaded.
    """
    if model is not None and name != NETWORK:
        raise MethodError(f"the method {name} takes no model", advice=f"Choose --method {NETWORK} with it")
    if name == SPIKE_RATIO:
        from engine.restore.spike_ratio import SpikeRatio

        return SpikeRatio()
    if name == NETWORK:
        from engine.restore.network_method import NetworkMethod

        return NetworkMethod.load(model or DEFAULT_MODEL)
    raise MethodError(
        f"there is no method '{name}'", expected=f"{SPIKE_RATIO} or {NETWORK}", advice="Choose one of these"
    )
