"""Modulated deformable convolution (arXiv 1811.11168) in plain torch, and the flow-guided layer.

P pictures, C channels in, O channels out, G groups of channels that share offsets, K taps of the
kernel, H W rows and columns. Channels-last tensors, unless a docstring says otherwise.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from engine.model.cpu_kernels import MIN_CHANNELS, CPUKernels, kernels_for, with_border
from engine.model.deformable_fused import available, fused_convolution
from engine.model.layers import at_least_float32

COLUMN_BYTES = 2**24
"""Sampled columns held at a time on a CPU: about the size of its last cache."""
COLUMN_BYTES_GPU = 2**30
SLOPE = 0.1
"""Of the leaky rectifiers between the convolutions that learn where to sample."""
POINT_BYTES = 2**23
"""Sampling points held at a time on a CPU, outside training: they are many times the size of the features."""


def deformable_convolution(x: Tensor, points: Tensor, mask: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve `x` where each tap of each output pixel reads from a point of its own.

    x (P, C, H, W); points (P, G, K, H, W, 2), positions (x, y) in pixels, zero outside the picture;
    mask (P, G, K, H, W) scales each sample; weight (O, C, kh, kw), K = kh · kw; bias (O).
    Returns (P, H, W, O). Exact and differentiable in everything; the sampled columns, K times the
    size of `x`, exist for a few pictures at a time and are computed again in the backward pass.
    """
    column_bytes = x[0].numel() * points.shape[2] * x.element_size()
    limit = COLUMN_BYTES if x.device.type == "cpu" else COLUMN_BYTES_GPU
    step = max(1, limit // max(1, column_bytes))
    parts = []
    for start in range(0, len(x), step):
        part = (x[start : start + step], points[start : start + step], mask[start : start + step])
        if torch.is_grad_enabled():
            parts.append(checkpoint(_convolve, *part, weight, bias, use_reentrant=False))
        else:
            parts.append(_convolve(*part, weight, bias))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _convolve(x: Tensor, points: Tensor, mask: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    pictures, channels, height, width = x.shape
    groups, taps = points.shape[1:3]
    grid = points * points.new_tensor((2 / width, 2 / height)) + points.new_tensor(
        (1 / width - 1, 1 / height - 1)
    )
    columns = functional.grid_sample(
        x.reshape(pictures * groups, channels // groups, height, width),
        grid.reshape(pictures * groups, taps * height, width, 2),
        padding_mode="zeros",
        align_corners=False,
    ).view(pictures, groups, channels // groups, taps, height * width)
    scale = mask.reshape(pictures, groups, 1, taps, height * width)
    columns = columns * scale if columns.requires_grad or scale.requires_grad else columns.mul_(scale)
    columns = columns.view(pictures, channels * taps, height * width)
    result = columns.transpose(1, 2) @ weight.view(len(weight), -1).t() + bias
    return result.view(pictures, height, width, len(weight))


class GuidedDeformableConvolution(nn.Module):
    """Align a neighbour's features: sample around where the flow points, by learned residues.

    A small convolutional network looks at the neighbour warped by the flow, the features to align to
    and the flow; it gives each tap's residue (limited to `max_residue_px`) and modulation.
    """

    def __init__(self, channels: int, groups: int, max_residue_px: float) -> None:
        super().__init__()
        self.groups = groups
        self.max_residue_px = max_residue_px
        self.weight = nn.Parameter(torch.empty(channels, channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(channels))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        layers: list[nn.Module] = []
        for width in (2 * channels + 2, channels, channels):
            layers += [nn.Conv2d(width, channels, 3, padding=1), nn.LeakyReLU(SLOPE)]
        self.offset_trunk = nn.Sequential(*layers)
        self.offset_head = _ZeroConvolution(channels, 27 * groups, 3, padding=1)

    def forward(self, source: Tensor, target: Tensor, flow: Tensor) -> Tensor:
        """Return `source` aligned to `target`, both (P, H, W, C); flow (P, H, W, 2) in pixels."""
        warped = warp_features(source, flow)
        points, mask = self._points(torch.cat((warped, target, flow.to(target.dtype)), -1), flow)
        with torch.autocast(source.device.type, enabled=False):
            x = at_least_float32(source.permute(0, 3, 1, 2)).contiguous()
            weight, bias = at_least_float32(self.weight), at_least_float32(self.bias)
            if available(x):
                return fused_convolution(x, points, mask, weight, bias, plain=deformable_convolution)
            return deformable_convolution(x, points, mask, weight, bias)

    def align_pairs(self, frames: Tensor, pairs: Sequence[tuple[int, int]], flow: Tensor) -> list[Tensor]:
        """Return a frame aligned to another, each (H, W, C), for each of `pairs` (source, target): P of them.

        frames (N, H, W, C), flow (P, H, W, 2). For restoring on a CPU: as many pairs at a time as leave the
        sampling points in its cache.
        """
        point_bytes = 27 * self.groups * flow[0, ..., 0].numel() * 4
        step = max(1, POINT_BYTES // max(1, point_bytes))
        kernels = kernels_for(frames, flow, *self.parameters()) if frames.shape[3] >= MIN_CHANNELS else None
        align = self if kernels is None else self._forward_with(kernels)
        frames = frames.contiguous()
        aligned: list[Tensor] = []
        for start in range(0, len(pairs), step):
            sources, targets = zip(*pairs[start : start + step], strict=True)
            aligned += align(_pick(frames, sources), _pick(frames, targets), flow[start : start + step])
        return aligned

    def _forward_with(self, kernels: CPUKernels) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        """Return what does the same as `forward`, with weights packed for many calls."""
        trunk = [
            kernels.pack_convolution(layer) for layer in self.offset_trunk if isinstance(layer, nn.Conv2d)
        ]
        head = kernels.pack_convolution(self.offset_head)
        weights = kernels.pack(self.weight.flatten(2).transpose(1, 2).flatten(1), self.bias)

        def align(source: Tensor, target: Tensor, flow: Tensor) -> Tensor:
            source, flow = with_border(source), flow.contiguous()
            learned = kernels.join_warped(source, target, flow)
            for convolution in trunk:
                learned = kernels.convolve(learned, convolution, slope=SLOPE)
            learned = kernels.convolve(learned, head)
            return kernels.convolve_samples(source, learned, flow, weights, self.groups, self.max_residue_px)

        return align

    def _points(self, seen: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        """Return sampling points (P, G, 9, H, W, 2) and modulation (P, G, 9, H, W), in float32."""
        pictures, height, width = flow.shape[:3]
        x = self.offset_trunk(seen.permute(0, 3, 1, 2))
        with torch.autocast(seen.device.type, enabled=False):
            x = self.offset_head(at_least_float32(x))
            residue, mask = x.split((18 * self.groups, 9 * self.groups), 1)
            residue = residue.contiguous().view(pictures, self.groups, 9, 2, height, width)
            # the published offsets are (y, x)
            residue = self.max_residue_px * residue.flip(3).permute(0, 1, 2, 4, 5, 3).tanh()
            points = residue + (_tap_points(height, width, flow.device) + flow[:, None])[:, None]
            return points, mask.sigmoid().reshape(pictures, self.groups, 9, height, width)


class _ZeroConvolution(nn.Conv2d):
    """Starts at zero, so that an untrained layer samples where the flow points, by halves."""

    def reset_parameters(self) -> None:
        for parameter in self.parameters(recurse=False):
            nn.init.zeros_(parameter)


def warp_features(source: Tensor, flow: Tensor) -> Tensor:
    """Sample `source` (P, H, W, C) at each pixel + `flow` (P, H, W, 2), bilinearly; zero outside."""
    height, width = source.shape[1:3]
    x = torch.arange(width, device=flow.device)
    y = torch.arange(height, device=flow.device)[:, None]
    grid = torch.stack(
        ((2 * (flow[..., 0] + x) + 1) / width - 1, (2 * (flow[..., 1] + y) + 1) / height - 1), -1
    )
    with torch.autocast(source.device.type, enabled=False):
        picture = at_least_float32(source.permute(0, 3, 1, 2))
        warped = functional.grid_sample(picture, grid, padding_mode="zeros", align_corners=False)
    return warped.permute(0, 2, 3, 1).to(source.dtype)


def _tap_points(height: int, width: int, device: torch.device) -> Tensor:
    """Return where the nine taps of a 3 × 3 kernel read from, (9, H, W, 2) as (x, y) in pixels."""
    near = torch.arange(-1, 2, device=device)
    x = near.view(1, 3, 1, 1) + torch.arange(width, device=device)
    y = near.view(3, 1, 1, 1) + torch.arange(height, device=device)[:, None]
    shape = (3, 3, height, width)
    return torch.stack((x.expand(shape), y.expand(shape)), -1).view(9, height, width, 2).float()


def _pick(frames: Tensor, indices: Sequence[int]) -> Tensor:
    """Return some of the frames, where one is enough without a copy."""
    if len(indices) == 1:
        return frames[indices[0] : indices[0] + 1]
    return frames[list(indices)]
