"""What a network is made of: its sizes as frozen values that travel inside every checkpoint."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from engine.errors import ModelError
from engine.model.bounds import (
    MOST_BLOCKS,
    MOST_CHANNELS,
    MOST_RATIO,
    MOST_RESIDUE_PX,
    MOST_WINDOW_EDGE,
    MOST_WINDOW_TOKENS,
    impossible,
    number,
    truth,
    whole,
    wholes,
)

ENCODER_STAGES = 4
STAGES = 7
SCALES = (1, 2, 4, 8, 4, 2, 1)
"""The pyramid: stage i works at 1 / SCALES[i] of the frames' height and width."""


def _require(condition: bool, name: str, found: object, expected: str | None = None) -> None:
    if not condition:
        raise impossible(name, found, expected)


@dataclass(frozen=True, kw_only=True)
class VRTConfig:
    """Sizes of the video restoration transformer (arXiv 2201.12288), set up for deblurring.

    The per-group tuples have one entry for each of the seven stages, then one for each
    reconstruction group at full scale. Raises ModelError where sizes contradict each other.
    """

    window_size: tuple[int, int, int] = (6, 8, 8)
    """Frames, rows and columns that attend to each other."""
    depths: tuple[int, ...] = (8,) * 7 + (4,) * 4
    """Attention blocks."""
    indep_reconsts: tuple[int, ...] = (9, 10)
    """Indices into `depths` of the reconstruction groups that look at one frame at a time."""
    embed_dims: tuple[int, ...] = (96,) * 7 + (120,) * 4
    """Channels; the same in all stages, and in all reconstruction groups."""
    num_heads: tuple[int, ...] = (6,) * 11
    deformable_groups: int = 16
    """Groups of channels that share their sampling offsets in the alignment."""
    mutual_share: float = 0.75
    """Share of a stage's blocks that have mutual attention between pairs of frames."""
    mlp_ratio: float = 2.0
    max_residue_px: float = 10.0
    """Largest distance of a sampling point from where the flow points, at full scale."""
    forward_flow: bool = False
    """Whether forward alignment has a flow of its own. The reference vectors were made without: they
    follow the backward flow in both directions."""
    fold: int = 1
    """Frames enter and leave with blocks of `fold` × `fold` pixels folded into channels, so that the whole
    network works at 1 / `fold` of their scale, for the square less. 1 in published networks."""
    flow_widths: tuple[int, int, int, int] = (32, 64, 32, 16)
    """Channels between the convolutions of each level of the flow network."""
    drop_path: float = 0.2
    """Chance of skipping the last block's residual in training; rises linearly from 0."""

    def __post_init__(self) -> None:
        keep = partial(object.__setattr__, self)
        keep("window_size", wholes("window_size", self.window_size, MOST_WINDOW_EDGE, 3))
        tokens = math.prod(self.window_size)
        _require(
            tokens <= MOST_WINDOW_TOKENS,
            "window_size",
            self.window_size,
            f"at most {MOST_WINDOW_TOKENS} tokens",
        )
        keep("depths", wholes("depths", self.depths, MOST_BLOCKS))
        groups = len(self.depths)
        _require(
            groups > STAGES, "depths", self.depths, f"{STAGES} stages and a reconstruction group or more"
        )
        for name in ("embed_dims", "num_heads"):
            keep(name, wholes(name, getattr(self, name), MOST_CHANNELS, groups))
        keep("indep_reconsts", wholes("indep_reconsts", self.indep_reconsts, groups - 1, least=STAGES))
        keep("flow_widths", wholes("flow_widths", self.flow_widths, MOST_CHANNELS, 4))
        stage_dims, reconstruction_dims = self.embed_dims[:STAGES], self.embed_dims[STAGES:]
        _require(
            len(set(stage_dims)) == 1 and len(set(reconstruction_dims)) == 1,
            "embed_dims",
            self.embed_dims,
            "one width for all stages and one for all reconstruction groups, since they are added up",
        )
        for dim, heads in zip(self.embed_dims, self.num_heads, strict=True):
            _require(
                dim % heads == 0, "embed_dims", self.embed_dims, f"multiples of num_heads {self.num_heads}"
            )
        _require(self.stage_dim % 4 == 0, "embed_dims", self.embed_dims, "stages of a multiple of 4")
        keep("deformable_groups", whole("deformable_groups", self.deformable_groups, MOST_CHANNELS))
        _require(
            self.stage_dim % self.deformable_groups == 0,
            "deformable_groups",
            self.deformable_groups,
            f"a divisor of {self.stage_dim}",
        )
        keep("fold", whole("fold", self.fold, 4))
        keep("mlp_ratio", number("mlp_ratio", self.mlp_ratio, 0, MOST_RATIO, above=True))
        keep("max_residue_px", number("max_residue_px", self.max_residue_px, 0, MOST_RESIDUE_PX, above=True))
        keep("mutual_share", number("mutual_share", self.mutual_share, 0, 1))
        keep("drop_path", number("drop_path", self.drop_path, 0, 1))
        _require(self.drop_path < 1, "drop_path", self.drop_path, "0 ≤ drop_path < 1")
        truth("forward_flow", self.forward_flow)

    @property
    def multiple_px(self) -> int:
        """What height and width of the frames are padded to multiples of."""
        return max(SCALES) * self.fold

    @property
    def stage_dim(self) -> int:
        return self.embed_dims[0]

    @property
    def reconstruction_dim(self) -> int:
        return self.embed_dims[STAGES]

    def mutual_blocks(self, stage: int) -> int:
        """Blocks of `stage` (0…6) that have mutual attention; the rest have self attention only."""
        return int(self.depths[stage] * self.mutual_share)

    def drop_paths(self, group: int) -> tuple[float, ...]:
        """Chance of skipping each block of a stage or reconstruction group in training."""
        before, blocks = sum(self.depths[:group]), sum(self.depths)
        step = self.drop_path / max(1, blocks - 1)
        return tuple(step * (before + block) for block in range(self.depths[group]))


@dataclass(frozen=True, kw_only=True)
class VRTSpikeConfig:
    """Sizes of the VRT with a spike branch. Raises ModelError where sizes contradict each other."""

    vrt: VRTConfig = field(default_factory=VRTConfig)
    spike_bins: int = 32
    """Channels of the spike input for one frame: `VoxelSpec.channels`, and one more with `from_ratio`."""
    channels_per_scale: tuple[int, int, int, int] = (96, 96, 96, 96)
    """Width of the spike branch at 1, 1/2, 1/4 and 1/8."""
    spikes_at_entry: bool = False
    """Whether the spikes also join the frames before the first stage, each exposure its own frame: a short
    way past the attention along time. Not so in published networks."""
    from_ratio: bool = False
    """Whether the frames that enter are the spike ratio's estimates, so that the network corrects those; the
    last spike channel says how far each differs from its blurry frame (see
    `engine.restoration.first_estimate`). Not so in published networks."""
    temporal_stride: int = 1
    spike_heads: int = 4
    fusion_heads: int = 4
    mlp_ratio: float = 2.0

    def __post_init__(self) -> None:
        if isinstance(self.vrt, Mapping):
            object.__setattr__(self, "vrt", VRTConfig(**self.vrt))
        _require(isinstance(self.vrt, VRTConfig), "vrt", self.vrt, "the sizes of a VRT")
        keep = partial(object.__setattr__, self)
        channels = wholes("channels_per_scale", self.channels_per_scale, MOST_CHANNELS, ENCODER_STAGES)
        keep("channels_per_scale", channels)
        keep("spike_bins", whole("spike_bins", self.spike_bins, MOST_CHANNELS))
        keep("temporal_stride", whole("temporal_stride", self.temporal_stride, MOST_WINDOW_EDGE))
        for name in ("spike_heads", "fusion_heads"):
            keep(name, whole(name, getattr(self, name), MOST_CHANNELS))
        keep("mlp_ratio", number("mlp_ratio", self.mlp_ratio, 0, MOST_RATIO, above=True))
        for name in ("spikes_at_entry", "from_ratio"):
            truth(name, getattr(self, name))
        _require(self.voxel_channels > 0, "spike_bins", self.spike_bins, "2 or more with from_ratio")
        for width in channels:
            _require(
                width % self.spike_heads == 0,
                "channels_per_scale",
                channels,
                f"multiples of {self.spike_heads}",
            )
        _require(
            self.vrt.stage_dim % self.fusion_heads == 0,
            "fusion_heads",
            self.fusion_heads,
            f"a divisor of {self.vrt.stage_dim}",
        )

    @property
    def multiple_px(self) -> int:
        """What height and width of the frames are padded to multiples of."""
        return self.vrt.multiple_px

    @property
    def voxel_channels(self) -> int:
        """Channels of the spike input that come from the voxels."""
        return self.spike_bins - self.from_ratio

    @property
    def spike_channels(self) -> int:
        """Channels of the spike input where the network works on it."""
        return self.spike_bins * self.vrt.fold**2


Config = VRTConfig | VRTSpikeConfig

PRESETS: Mapping[str, Config] = MappingProxyType(
    {
        "vrt-gopro": VRTConfig(),
        "vrt-spike": VRTSpikeConfig(),
        "vrt-spike-small": VRTSpikeConfig(
            vrt=VRTConfig(
                window_size=(5, 4, 4),
                depths=(2,) * 7 + (2,),
                indep_reconsts=(),
                embed_dims=(48,) * 8,
                num_heads=(4,) * 8,
                deformable_groups=4,
                mutual_share=0.5,
                forward_flow=True,
                fold=2,
                flow_widths=(16, 32, 16, 8),
                drop_path=0.0,
            ),
            spike_bins=40,
            channels_per_scale=(32, 48, 48, 48),
            spikes_at_entry=True,
            from_ratio=True,
        ),
    }
)


def preset(name: str) -> Config:
    """Return the configuration called `name`. Raises ModelError that lists the names there are."""
    if name not in PRESETS:
        raise ModelError(f"there is no network '{name}'", expected=", ".join(PRESETS))
    return PRESETS[name]


def config_to_dict(config: Config) -> dict[str, Any]:
    """Return plain values for JSON; `config_from_dict` is the way back."""
    return {"network": "vrt-spike" if isinstance(config, VRTSpikeConfig) else "vrt", **asdict(config)}


def config_from_dict(values: Mapping[str, Any]) -> Config:
    """Return the configuration that `config_to_dict` wrote. Raises ModelError where it is not one."""
    kinds: dict[str, type[Config]] = {"vrt": VRTConfig, "vrt-spike": VRTSpikeConfig}
    if not isinstance(values, Mapping):
        raise ModelError("the configuration is no mapping", found=type(values).__name__)
    kind = kinds.get(str(values.get("network")))
    if kind is None:
        raise ModelError(
            "the configuration names no known network",
            found=repr(values.get("network")),
            expected=" or ".join(kinds),
        )
    try:
        return kind(**{name: value for name, value in values.items() if name != "network"})
    except (TypeError, ValueError, OverflowError) as cause:
        raise ModelError(f"the network's configuration cannot be used: {cause}") from cause
