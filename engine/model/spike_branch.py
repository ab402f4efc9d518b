"""The spike branch: encode voxels at four scales, attend along time, and fuse into frame features.

B batch, T frames, K voxel bins, h w rows and columns at a scale, C channels, S = h · w places,
heads and D channels of a head.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.attention import attend
from engine.model.config import ENCODER_STAGES, VRTSpikeConfig
from engine.model.cpu_kernels import can_convolve, kernels_for
from engine.model.layers import Linear, Norm, at_least_float32

TOKEN_BUDGET = 2**16
"""Tokens (places × frames) that attend at a time; bounds memory, never changes the result."""
WIDEST_FLAT = 96
"""Channels up to which a convolution in space and time is computed frame by frame on a CPU."""


class SpaceTimeConvolution(nn.Conv3d):
    """A 3 × 3 × 3 convolution with padding 1.

    On a CPU narrow ones are computed as three flat convolutions of neighbouring frames, added up: the same
    sum, up to five times as fast as the library's own. Compiled kernels are twice as fast again.
    """

    def rectified(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """Return what is positive of forward(x) + added."""
        tensors = (x, *self.parameters()) if added is None else (x, added, *self.parameters())
        kernels = kernels_for(*tensors) if can_convolve(self) else None
        if kernels is None:
            result = self(x)
            return functional.relu(result if added is None else added + result)
        packed, kept = kernels.pack_convolution(self), None if added is None else _channels_last(added)
        return _channels_first(kernels.convolve(_channels_last(x), packed, slope=0.0, added=kept))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, O, T', H', W')."""
        if x.device.type != "cpu" or self.in_channels > WIDEST_FLAT or torch.compiler.is_compiling():
            return super().forward(x)
        every, *across = self.stride
        padded = functional.pad(x, (0, 0, 0, 0, 1, 1)).transpose(1, 2)
        count = (x.shape[2] - 1) // every + 1
        result: Tensor | None = None
        for tap in range(3):
            frames = padded[:, tap : tap + (count - 1) * every + 1 : every]
            flat = functional.conv2d(
                frames.flatten(0, 1),
                self.weight[:, :, tap],
                self.bias if tap == 1 else None,
                stride=across,
                padding=1,
            )
            result = flat if result is None else result + flat
        assert result is not None
        return result.unflatten(0, (len(x), count)).transpose(1, 2)


class ResidualBlock(nn.Module):
    """Two 3 × 3 × 3 convolutions with a residual around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = SpaceTimeConvolution(channels, channels, 3, padding=1)
        self.second = SpaceTimeConvolution(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second.rectified(self.first.rectified(x), added=x)


class SpikeEncoder3D(nn.Module):
    """Voxels → features at 1, 1/2, 1/4 and 1/8 of the spikes' resolution."""

    def __init__(self, config: VRTSpikeConfig) -> None:
        super().__init__()
        widths = config.channels_per_scale
        self.entry = SpaceTimeConvolution(config.spike_channels, widths[0], 3, padding=1)
        self.scales = nn.ModuleList(
            nn.Sequential(ResidualBlock(width), ResidualBlock(width)) for width in widths
        )
        stride = (config.temporal_stride, 2, 2)
        self.downs = nn.ModuleList(
            SpaceTimeConvolution(before, after, 3, stride=stride, padding=1)
            for before, after in pairwise(widths)
        )

    def forward(self, voxels: Tensor) -> list[Tensor]:
        """(B, T, K, Hs, Ws) → four (B, T, h, w, C), full scale first."""
        x = self.entry.rectified(voxels.transpose(1, 2))
        features = []
        for index, blocks in enumerate(self.scales):
            if index:
                x = cast(SpaceTimeConvolution, self.downs[index - 1]).rectified(x)
            x = blocks(x)
            features.append(x.permute(0, 2, 3, 4, 1))
        return features


class TemporalSelfAttention(nn.Module):
    """Let each place attend to itself at all times, then an MLP; both on normalised features, residual."""

    def __init__(self, channels: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = Norm(channels)
        self.qkv = Linear(channels, 3 * channels)
        self.projection = Linear(channels, channels)
        self.mlp_norm = Norm(channels)
        self.mlp = _mlp(channels, mlp_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, h, w, C) → the same."""
        return _by_places(self._attend, at_least_float32(x))

    def _attend(self, x: Tensor) -> Tensor:
        """(B, T, S, C) → the same."""
        query, key, value = self.qkv(self.attention_norm(x)).chunk(3, -1)
        x = x + self.projection(_attend_in_time(query, key, value, self.heads))
        return x + self.mlp(self.mlp_norm(x))


class SpikeFusion(nn.Module):
    """Let each place of a frame ask the spikes of all times, then an MLP; both residual."""

    def __init__(self, channels: int, spike_channels: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.heads = heads
        self.query_norm = Norm(channels)
        self.spike_norm = Norm(spike_channels)
        self.query = Linear(channels, channels)
        self.key_value = Linear(spike_channels, 2 * channels)
        self.projection = Linear(channels, channels)
        self.mlp_norm = Norm(channels)
        self.mlp = _mlp(channels, mlp_ratio)

    def forward(self, x: Tensor, spikes: Tensor) -> Tensor:
        """Fuse spike features (B, Ts, hs, ws, Cs) into frame features (B, T, h, w, C)."""
        return _by_places(self._attend, at_least_float32(x), _resize(spikes, x.shape[2:4]))

    def _attend(self, x: Tensor, spikes: Tensor) -> Tensor:
        """(B, T, S, C) and (B, Ts, S, Cs) → (B, T, S, C)."""
        query = self.query(self.query_norm(x))
        key, value = self.key_value(self.spike_norm(spikes)).chunk(2, -1)
        x = x + self.projection(_attend_in_time(query, key, value, self.heads))
        return x + self.mlp(self.mlp_norm(x))


class SpikeBranch(nn.Module):
    """Spike features at the four scales of the frame features they will be fused into."""

    def __init__(self, config: VRTSpikeConfig) -> None:
        super().__init__()
        self.encoder = SpikeEncoder3D(config)
        self.attention = nn.ModuleList(
            TemporalSelfAttention(width, config.spike_heads, config.mlp_ratio)
            for width in config.channels_per_scale
        )

    def forward(self, voxels: Tensor) -> list[Tensor]:
        """(B, T, K, Hs, Ws) → four (B, T, h, w, C), full scale first."""
        encoded = self.encoder(voxels)
        return [self.attention[scale](encoded[scale]) for scale in range(ENCODER_STAGES)]


def _channels_last(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B, T, H, W, C), contiguous: a copy unless it is kept so already."""
    return x.permute(0, 2, 3, 4, 1).contiguous()


def _channels_first(x: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B, C, T, H, W), the same memory."""
    return x.permute(0, 4, 1, 2, 3)


def _mlp(channels: int, ratio: float) -> nn.Sequential:
    hidden = int(channels * ratio)
    return nn.Sequential(Linear(channels, hidden), nn.GELU(), Linear(hidden, channels))


def _by_places(function: Callable[..., Tensor], x: Tensor, *others: Tensor) -> Tensor:
    """Apply `function` to (B, T, S, C) views of (B, T, h, w, C) tensors, some places at a time."""
    flat = [tensor.flatten(2, 3) for tensor in (x, *others)]
    places = flat[0].shape[2]
    step = max(1, TOKEN_BUDGET // (x.shape[0] * x.shape[1]))
    parts = [
        function(*(tensor[:, :, start : start + step] for tensor in flat)) for start in range(0, places, step)
    ]
    return (parts[0] if len(parts) == 1 else torch.cat(parts, 2)).view(*x.shape)


def _attend_in_time(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Attend along T at each place: (B, T, S, C), keys and values (B, Ts, S, C) → (B, T, S, C)."""
    batch, frames, places, _ = query.shape
    query, key, value = (
        x.unflatten(-1, (heads, -1)).permute(0, 2, 3, 1, 4).flatten(0, 1) for x in (query, key, value)
    )
    found = attend(query, key, value)
    return (
        found.view(batch, places, heads, frames, -1).permute(0, 3, 1, 2, 4).reshape(batch, frames, places, -1)
    )


def _resize(features: Tensor, size: torch.Size) -> Tensor:
    """Resize (B, T, h, w, C) bilinearly to `size` (rows, columns)."""
    if features.shape[2:4] == size:
        return features
    frames = features.flatten(0, 1).permute(0, 3, 1, 2)
    resized = functional.interpolate(frames, size=tuple(size), mode="bilinear", align_corners=False)
    return resized.permute(0, 2, 3, 1).unflatten(0, features.shape[:2])
