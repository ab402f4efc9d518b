"""Optical flow between neighbouring frames: a pyramid of small networks (SpyNet, arXiv 1611.00850).

P pairs of frames, h w rows and columns of a level. A flow (P, 2, h, w) holds x then y, in pixels: the
target's pixel (x, y) shows what the source has at (x, y) + flow.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.layers import at_least_float32

LEVELS = 6
MULTIPLE_PX = 32
"""Sizes that all but the coarsest level can halve."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class FlowLevel(nn.Sequential):
    """Five 7 × 7 convolutions: frame, warped neighbour and flow so far (8 channels) → correction (2)."""

    def __init__(self, inner_widths: Sequence[int]) -> None:
        widths = (8, *inner_widths, 2)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 7, padding=3), nn.ReLU()]
        super().__init__(*layers[:-1])
        # Fresh weights find no motion: random flows, doubled at every level, would tear the frames apart.
        nn.init.zeros_(layers[-2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(layers[-2].bias)  # type: ignore[arg-type]


class PyramidFlow(nn.Module):
    """Estimate flow coarse to fine, and return it at full scale, 1/2, 1/4 and 1/8."""

    mean: Tensor
    std: Tensor

    def __init__(self, inner_widths: Sequence[int] = (32, 64, 32, 16)) -> None:
        super().__init__()
        self.levels = nn.ModuleList(FlowLevel(inner_widths) for _ in range(LEVELS))
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, target: Tensor, source: Tensor, scales: int = 4) -> list[Tensor]:
        """Return flows from `target` to `source`, (P, 3, H, W) in [0, 1], finest first, in float32.

        Sizes that are no multiple of 32 are resized up for the estimate and their flows back down.
        """
        with torch.autocast(target.device.type, enabled=False):
            height, width = target.shape[-2:]
            inner = tuple(-(-edge // MULTIPLE_PX) * MULTIPLE_PX for edge in (height, width))
            targets, sources = self._pyramid(target, inner), self._pyramid(source, inner)
            flow = torch.zeros_like(targets[0][:, :2])
            flows: list[Tensor] = []
            for level, network in enumerate(self.levels):
                if level:
                    flow = 2 * functional.interpolate(
                        flow, scale_factor=2, mode="bilinear", align_corners=True
                    )
                warped = warp_frames(sources[level], flow)
                seen = torch.cat((targets[level], warped, flow), 1)
                if seen.device.type == "cpu":  # where narrow convolutions are up to twice as fast like this
                    seen = seen.contiguous(memory_format=torch.channels_last)
                flow = flow + network(seen)
                divisor = 2 ** (LEVELS - 1 - level)
                if level >= LEVELS - scales:
                    size = (height // divisor, width // divisor)
                    flows.insert(0, _resize_flow(flow, size, (inner[0] // divisor, inner[1] // divisor)))
            return flows

    def _pyramid(self, frames: Tensor, size: tuple[int, ...]) -> list[Tensor]:
        frames = at_least_float32(frames)
        if frames.shape[-2:] != size:
            frames = functional.interpolate(frames, size=size, mode="bilinear", align_corners=False)
        levels = [(frames - self.mean) / self.std]
        for _ in range(LEVELS - 1):
            levels.insert(0, functional.avg_pool2d(levels[0], 2))
        return levels


def warp_frames(source: Tensor, flow: Tensor) -> Tensor:
    """Sample `source` (P, C, h, w) at each pixel + `flow`, bilinearly; the border goes on outside."""
    height, width = source.shape[-2:]
    x = torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)
    grid = torch.stack(
        (
            2 * (flow[:, 0] + x) / max(width - 1, 1) - 1,
            2 * (flow[:, 1] + y[:, None]) / max(height - 1, 1) - 1,
        ),
        -1,
    )
    if grid.device.type == "cpu" and torch.is_grad_enabled():
        # Torch's way back writes outside its memory where a coordinate is NaN (2.13, pictures narrower than
        # 33 px). Nothing is hidden: what comes after sees the flow itself as well.
        grid = grid.nan_to_num()
    return functional.grid_sample(source, grid, padding_mode="border", align_corners=True)


def _resize_flow(flow: Tensor, size: tuple[int, int], inner: tuple[int, int]) -> Tensor:
    """Resize a flow estimated on a picture of `inner` to `size`; its vectors shrink alike."""
    if size == tuple(flow.shape[-2:]) == inner:
        return flow
    flow = functional.interpolate(flow, size=size, mode="bilinear", align_corners=False)
    factors = flow.new_tensor((size[1] / inner[1], size[0] / inner[0]))
    return flow * factors.view(1, 2, 1, 1)
