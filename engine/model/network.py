"""The video restoration transformer (arXiv 2201.12288) for deblurring, alone and guided by spikes.

B batch, T frames, H W rows and columns of the frames, h w of a scale, C channels, K voxel bins.
Features are channels-last, (B, T, h, w, C).
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import ModelError
from engine.model.alignment import Flows, ParallelWarping, estimate_flows, neighbour_frames
from engine.model.attention import BiasCache, BlockGroup
from engine.model.config import ENCODER_STAGES, SCALES, STAGES, VRTConfig, VRTSpikeConfig
from engine.model.layers import FullLinear, Linear, Norm, at_least_float32
from engine.model.optical_flow import PyramidFlow
from engine.model.padding import pad_to_multiple, resize, same_share
from engine.model.spike_branch import SpikeBranch, SpikeFusion

FRAME_CHANNELS = 3
Fuse = Callable[[int, Tensor], Tensor]
"""Takes the index of an encoder stage and its features, and returns features to go on with."""


class Rescale(nn.Module):
    """Change the scale by moving pixels between space and channels, then normalise and project."""

    def __init__(self, channels: int, direction: str) -> None:
        super().__init__()
        self.direction = direction
        width = {"same": channels, "down": 4 * channels, "up": channels // 4}[direction]
        self.norm = Norm(width)
        self.linear = nn.Identity() if direction == "same" else Linear(width, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, frames, height, width, channels = x.shape
        if self.direction == "down":
            x = x.view(batch, frames, height // 2, 2, width // 2, 2, channels)
            x = x.permute(0, 1, 2, 4, 5, 3, 6).reshape(batch, frames, height // 2, width // 2, -1)
        elif self.direction == "up":
            x = x.view(batch, frames, height, width, 2, 2, channels // 4)
            x = x.permute(0, 1, 2, 5, 3, 4, 6).reshape(batch, frames, 2 * height, 2 * width, -1)
        return self.linear(self.norm(x))


class Stage(nn.Module):
    """One scale of the pyramid: mutual and self attention, then parallel warping."""

    def __init__(self, config: VRTConfig, index: int, cache: BiasCache) -> None:
        super().__init__()
        channels, heads = config.embed_dims[index], config.num_heads[index]
        before = SCALES[max(0, index - 1)]
        direction = "same" if index == 0 else "down" if SCALES[index] > before else "up"
        self.divisor = SCALES[index]
        self.rescale = Rescale(channels, direction)
        mutual = config.mutual_blocks(index)
        chances = config.drop_paths(index)
        self.mutual = BlockGroup(
            channels,
            (2, *config.window_size[1:]),
            heads,
            cache,
            mutual=True,
            mlp_ratio=config.mlp_ratio,
            drop_paths=chances[:mutual],
        )
        self.attention = BlockGroup(
            channels,
            config.window_size,
            heads,
            cache,
            mutual=False,
            mlp_ratio=config.mlp_ratio,
            drop_paths=chances[mutual:],
        )
        self.warping = ParallelWarping(
            channels, config.deformable_groups, config.max_residue_px / self.divisor
        )

    def forward(self, x: Tensor, flows: Flows) -> Tensor:
        x = self.attention(self.mutual(self.rescale(x)))
        return self.warping(x, flows.at(self.divisor))


class VRT(nn.Module):
    """Restore blurry frames by attention over space and time."""

    def __init__(self, config: VRTConfig) -> None:
        super().__init__()
        self.config = config
        channels, wide = config.stage_dim, config.reconstruction_dim
        self._biases = BiasCache()
        folded = FRAME_CHANNELS * config.fold**2
        self.flow = PyramidFlow(config.flow_widths)
        self.first_convolution = nn.Conv2d(9 * folded, channels, 3, padding=1)
        self.stages = nn.ModuleList(Stage(config, index, self._biases) for index in range(STAGES))
        self.widen = nn.Sequential(Norm(channels), FullLinear(channels, wide))
        self.reconstruction = nn.ModuleList(
            BlockGroup(
                wide,
                (1, *config.window_size[1:]) if index in config.indep_reconsts else config.window_size,
                config.num_heads[index],
                self._biases,
                mutual=False,
                mlp_ratio=config.mlp_ratio,
                drop_paths=config.drop_paths(index),
            )
            for index in range(STAGES, len(config.depths))
        )
        self.norm = Norm(wide)
        self.narrow = FullLinear(wide, channels)
        self.last_convolution = nn.Conv2d(channels, folded, 3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        """Restore blurry frames (B, T, 3, H, W) in [0, 1], any T, H and W from 1 up; same shape.

        Raises ModelError for another rank or number of channels.
        """
        check_frames(frames)
        return self.restore(frames)

    def train(self, mode: bool = True) -> Self:
        """Weights may have changed where no counter sees it: spread the biases out again."""
        self._biases.clear()
        return super().train(mode)

    def restore(self, frames: Tensor, fuse: Fuse | None = None, joining: Tensor | None = None) -> Tensor:
        """Restore frames; `fuse` may add to the features after each encoder stage.

        `joining` (B, T, h, w, C) is added to the first features, at the scale that the network works at.
        """
        count, height, width = frames.shape[1], *frames.shape[3:]
        padded = pad_to_multiple(repeat_single_frame(frames), self.config.multiple_px)
        folded = functional.pixel_unshuffle(padded, self.config.fold)
        flows = estimate_flows(
            self.flow, at_least_float32(_mean_of_folds(folded)), both_ways=self.config.forward_flow
        )
        nearby = neighbour_frames(folded, flows)
        first = _convolve_frames(self.first_convolution, nearby.permute(0, 1, 3, 4, 2))
        if joining is not None:
            first = first + joining
        features = self.reconstruct(self.transform(first, flows, fuse))
        residual = _convolve_frames(self.last_convolution, first + features)
        restored = functional.pixel_shuffle(folded + residual.permute(0, 1, 4, 2, 3), self.config.fold)
        return restored[:, :count, :, :height, :width]

    def transform(self, x: Tensor, flows: Flows, fuse: Fuse | None) -> Tensor:
        """Run the seven stages, down to 1/8 and up again, on first features (B, T, H, W, C)."""
        encoded: list[Tensor] = []
        for index in range(ENCODER_STAGES):
            x = self.stages[index](x, flows)
            if fuse is not None:
                x = fuse(index, x)
            encoded.append(x)
        x = self.stages[4](x, flows)
        x = self.stages[5](x + encoded[2], flows)
        x = self.stages[6](x + encoded[1], flows)
        return x + encoded[0]

    def reconstruct(self, x: Tensor) -> Tensor:
        """Attend at full scale and go back to the width of the first features."""
        x = self.widen(x)
        for group in self.reconstruction:
            x = group(x)
        return self.narrow(self.norm(x))


class VRTSpike(nn.Module):
    """A VRT whose encoder stages ask the spikes what happened during the exposures."""

    def __init__(self, config: VRTSpikeConfig) -> None:
        super().__init__()
        self.config = config
        self.vrt = VRT(config.vrt)
        self.spikes = SpikeBranch(config)
        self.fusion = nn.ModuleList(
            SpikeFusion(config.vrt.stage_dim, width, config.fusion_heads, config.mlp_ratio)
            for width in config.channels_per_scale
        )
        self.entry = (
            nn.Conv2d(config.spike_channels, config.vrt.stage_dim, 3, padding=1)
            if config.spikes_at_entry
            else None
        )

    def forward(self, frames: Tensor, voxels: Tensor) -> Tensor:
        """Restore blurry frames (B, T, 3, H, W) with spike voxels (B, T, K, Hs, Ws) of the same view.

        Any T, H, W, Hs and Ws from 1 up. Returns (B, T, 3, H, W). Raises ModelError for another
        rank, number of channels or bins, or where frames and voxels differ in B or T.
        """
        check_frames(frames)
        check_voxels(voxels, frames, self.config.spike_bins)
        voxels = self._at_working_scale(repeat_single_frame(voxels), frames.shape[3:])
        spikes = self.spikes(voxels)
        joining = None
        if self.entry is not None:
            joining = _convolve_frames(self.entry, voxels.permute(0, 1, 3, 4, 2))
        return self.vrt.restore(frames, lambda index, x: self.fusion[index](x, spikes[index]), joining)

    def _at_working_scale(self, voxels: Tensor, size: torch.Size) -> Tensor:
        """Pad voxels like frames of `size` (H, W), and fold them like frames where these are folded."""
        multiple, fold = self.config.multiple_px, self.config.vrt.fold
        voxels = same_share(voxels, size, multiple)
        if fold == 1 and self.entry is None:
            return voxels
        height, width = (-(-length // multiple) * multiple for length in size)
        return functional.pixel_unshuffle(resize(voxels, height, width), fold)


def check_frames(frames: Tensor) -> None:
    """Raise ModelError unless `frames` is (B, T, 3, H, W) and not empty."""
    shape = tuple(frames.shape)
    if len(shape) != 5 or shape[2] != FRAME_CHANNELS or 0 in shape or not frames.is_floating_point():
        raise ModelError(
            "the network cannot take these frames",
            found=f"shape {shape} of {frames.dtype}",
            expected="(B, T, 3, H, W) of floats, none of them 0",
        )


def check_voxels(voxels: Tensor, frames: Tensor, bins: int) -> None:
    """Raise ModelError unless `voxels` is (B, T, `bins`, Hs, Ws) with the B and T of `frames`."""
    shape, batch, count = tuple(voxels.shape), frames.shape[0], frames.shape[1]
    if len(shape) != 5 or shape[:3] != (batch, count, bins) or 0 in shape or not voxels.is_floating_point():
        raise ModelError(
            "the network cannot take these voxels",
            found=f"voxels of shape {shape} of {voxels.dtype} with frames of shape {tuple(frames.shape)}",
            expected=f"({batch}, {count}, {bins}, Hs, Ws) of floats: the frames' B and T, and {bins} bins",
        )


def repeat_single_frame(x: Tensor) -> Tensor:
    """Show a single frame (B, 1, …) twice: mutual attention and alignment need a neighbour."""
    return x.repeat(1, 2, *[1] * (x.dim() - 2)) if x.shape[1] == 1 else x


def _mean_of_folds(folded: Tensor) -> Tensor:
    """Return small frames (B, T, 3, h, w) out of folded ones, the mean of each block of pixels."""
    return folded.unflatten(2, (FRAME_CHANNELS, -1)).mean(3)


def _convolve_frames(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a 2D convolution to each frame of (B, T, H, W, C), in float32 whatever autocast asks for.

    The network begins and ends with one: their rounding would show as it is.
    """
    with torch.autocast(x.device.type, enabled=False):
        frames = layer(at_least_float32(x.flatten(0, 1).permute(0, 3, 1, 2)))
    return frames.permute(0, 2, 3, 1).unflatten(0, x.shape[:2])
