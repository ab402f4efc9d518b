"""Bring neighbouring frames together: flows in both directions, warped frames, parallel warping.

B batch, T frames, P = 2 B (T − 1) pairs of neighbours, C channels, H W rows and columns.

Pairs come in one order everywhere: for each sample, first each frame t + 1 aligned back to t, then
each frame t aligned forward to t + 1. Alignment has no recurrence, so all pairs go in one call.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.model.deformable import GuidedDeformableConvolution
from engine.model.layers import GatedMLP
from engine.model.optical_flow import PyramidFlow


@dataclass(frozen=True, eq=False)
class Flows:
    """Flows between neighbours at full scale, 1/2, 1/4 and 1/8, each (B, 2, T − 1, h, w, 2) as (x, y)."""

    scales: tuple[Tensor, ...]
    """At index 1, 0 points from frame t to t + 1 (backward alignment), 1 from t + 1 to t (forward)."""

    def at(self, divisor: int) -> Tensor:
        return self.scales[(1, 2, 4, 8).index(divisor)]


def estimate_flows(network: PyramidFlow, frames: Tensor, *, both_ways: bool) -> Flows:
    """Estimate the flows between neighbours of `frames` (B, T, 3, H, W), T ≥ 2.

    `both_ways` estimates the forward alignment's flow too; otherwise it shares the backward one.
    """
    batch, count = frames.shape[:2]
    earlier, later = frames[:, None, :-1], frames[:, None, 1:]
    if both_ways:
        earlier, later = torch.cat((earlier, later), 1), torch.cat((later, earlier), 1)
    flows = network(earlier.flatten(0, 2), later.flatten(0, 2))
    scales = [flow.permute(0, 2, 3, 1).unflatten(0, (batch, -1, count - 1)) for flow in flows]
    return Flows(tuple(flow.expand(-1, 2, -1, -1, -1, -1).contiguous() for flow in scales))


def neighbour_frames(frames: Tensor, flows: Flows) -> Tensor:
    """Set beside each frame its neighbours' pixels that its own pixels moved to.

    frames (B, T, 3, H, W) → (B, T, 27, H, W): the frame, then the next, then the previous frame, each as
    the four pixels around every sampling point (zero outside), kept apart so that the first
    convolution can weigh them by itself.
    """
    flow = flows.at(1)
    nearby = _four_nearest(pair_sources(frames), flow)
    back, forth = nearby[:, 0], nearby[:, 1]
    none = torch.zeros_like(back[:, :1])
    return torch.cat((frames, torch.cat((back, none), 1), torch.cat((none, forth), 1)), 2)


def pair_sources(frames: Tensor) -> Tensor:
    """(B, T, …) → (B, 2, T − 1, …): what is aligned, in the order of pairs."""
    return torch.stack((frames[:, 1:], frames[:, :-1]), 1)


def pair_targets(frames: Tensor) -> Tensor:
    """(B, T, …) → (B, 2, T − 1, …): what it is aligned to."""
    return torch.stack((frames[:, :-1], frames[:, 1:]), 1)


def _four_nearest(pictures: Tensor, flow: Tensor) -> Tensor:
    """Gather (…, C, H, W) → (…, 4 C, H, W) at the floor and ceiling of each pixel + flow (…, H, W, 2)."""
    height, width = pictures.shape[-2:]
    x = flow[..., 0] + torch.arange(width, device=flow.device)
    y = flow[..., 1] + torch.arange(height, device=flow.device)[:, None]
    flat = pictures.flatten(-2)
    found = []
    for column in (x.floor(), x.ceil()):
        for row in (y.floor(), y.ceil()):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            index = torch.where(inside, row * width + column, 0).long().flatten(-2)[..., None, :]
            values = flat.gather(-1, index.expand(*flat.shape[:-1], -1)).unflatten(-1, (height, width))
            found.append(values * inside[..., None, :, :])
    return torch.cat(found, -3)


class ParallelWarping(nn.Module):
    """Align both neighbours' features to every frame and mix the three (section 3.3 of the paper)."""

    def __init__(self, channels: int, groups: int, max_residue_px: float) -> None:
        super().__init__()
        self.deformable = GuidedDeformableConvolution(channels, groups, max_residue_px)
        self.fusion = GatedMLP(3 * channels, 3 * channels, channels)

    def forward(self, x: Tensor, flow: Tensor) -> Tensor:
        """x (B, T, H, W, C), flow (B, 2, T − 1, H, W, 2) → (B, T, H, W, C)."""
        if x.device.type == "cpu" and not (torch.is_grad_enabled() or torch.compiler.is_compiling()):
            return self._forward_by_frames(x, flow)
        pairs = flow.shape[:3]
        aligned = self.deformable(
            pair_sources(x).flatten(0, 2), pair_targets(x).flatten(0, 2), flow.flatten(0, 2)
        ).unflatten(0, pairs)
        none = torch.zeros_like(aligned[:, 0, :1])
        back = torch.cat((aligned[:, 0], none), 1).to(x.dtype)
        forth = torch.cat((none, aligned[:, 1]), 1).to(x.dtype)
        return self.fusion(torch.cat((x, back, forth), -1))

    def _forward_by_frames(self, x: Tensor, flow: Tensor) -> Tensor:
        """Do what `forward` does, so that nothing is made that is several times as large as `x`."""
        frames = x.flatten(0, 1)
        places = torch.arange(len(frames)).view(x.shape[:2])
        sources, targets = (side(places).flatten().tolist() for side in (pair_sources, pair_targets))
        pairs = list(zip(sources, targets, strict=True))
        aligned = dict(
            zip(pairs, self.deformable.align_pairs(frames, pairs, flow.flatten(0, 2)), strict=True)
        )
        none = torch.zeros_like(frames[0])
        mixed = torch.empty_like(x, memory_format=torch.contiguous_format)
        for place, target in enumerate(mixed.flatten(0, 1)):  # views, not copies
            nearby = [aligned.get((other, place), none).to(x.dtype) for other in (place + 1, place - 1)]
            target.copy_(self.fusion(torch.cat((frames[place], *nearby), -1)))
        return mixed
