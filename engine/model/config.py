"""What a network is made of: its sizes as frozen values that travel inside every checkpoint."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from engine.errors import ModelError

ENCODER_STAGES = 4
STAGES = 7
SCALES = (1, 2, 4, 8, 4, 2, 1)
"""The pyramid: stage i works at 1 / SCALES[i] of the frames' height and width."""


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _require(condition: bool, name: str, found: object, expected: str | None = None) -> None:
    if not condition:
        raise ModelError(f"the network's '{name}' is impossible", found=str(found), expected=expected)


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
        for name in ("window_size", "depths", "indep_reconsts", "embed_dims", "num_heads", "flow_widths"):
            object.__setattr__(self, name, tuple(int(value) for value in getattr(self, name)))
        groups = len(self.depths)
        _require(len(self.window_size) == 3 and min(self.window_size) > 0, "window_size", self.window_size)
        _require(groups > STAGES and min(self.depths) > 0, "depths", self.depths)
        for name in ("embed_dims", "num_heads"):
            values = getattr(self, name)
            _require(len(values) == groups and min(values) > 0, name, values, f"{groups} positive numbers")
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
        _require(
            self.deformable_groups > 0 and self.stage_dim % self.deformable_groups == 0,
            "deformable_groups",
            self.deformable_groups,
            f"a divisor of {self.stage_dim}",
        )
        for index in self.indep_reconsts:
            _require(STAGES <= index < groups, "indep_reconsts", self.indep_reconsts, f"in 7…{groups - 1}")
        _require(1 <= self.fold <= 4, "fold", self.fold, "1…4")
        _require(len(self.flow_widths) == 4 and min(self.flow_widths) > 0, "flow_widths", self.flow_widths)
        for name in ("mlp_ratio", "max_residue_px"):
            value = getattr(self, name)
            _require(_is_positive(value), name, value, "a number above 0")
        _require(0 <= self.mutual_share <= 1, "mutual_share", self.mutual_share, "0…1")
        _require(0 <= self.drop_path < 1, "drop_path", self.drop_path, "0 ≤ drop_path < 1")

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
    last spike channel says how far each differs from its blurry frame (`engine.restore.first_estimate`). Not
    so in published networks."""
    temporal_stride: int = 1
    spike_heads: int = 4
    fusion_heads: int = 4
    mlp_ratio: float = 2.0

    def __post_init__(self) -> None:
        if isinstance(self.vrt, Mapping):
            object.__setattr__(self, "vrt", VRTConfig(**self.vrt))
        _require(isinstance(self.vrt, VRTConfig), "vrt", self.vrt, "the sizes of a VRT")
        channels = tuple(int(value) for value in self.channels_per_scale)
        object.__setattr__(self, "channels_per_scale", channels)
        _require(self.spike_bins > 0, "spike_bins", self.spike_bins)
        _require(
            len(channels) == ENCODER_STAGES and min(channels) > 0, "channels_per_scale", channels, "4 widths"
        )
        for name in ("temporal_stride", "spike_heads", "fusion_heads"):
            value = getattr(self, name)
            _require(_is_positive(value) and value == int(value), name, value, "a whole number above 0")
            object.__setattr__(self, name, int(value))
        _require(_is_positive(self.mlp_ratio), "mlp_ratio", self.mlp_ratio, "a number above 0")
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
    except (TypeError, ValueError) as cause:
        raise ModelError(f"the network's configuration cannot be used: {cause}") from cause
