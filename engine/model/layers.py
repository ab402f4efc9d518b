"""Layers that the transformer and the spike branch share.

Tensors are channels-last: (…, C).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Norm(nn.LayerNorm):
    """Layer normalisation over channels, in float32 whatever autocast asks for."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return functional.layer_norm(
                x.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps
            )


class GatedMLP(nn.Module):
    """output(GELU(gate(x)) · value(x)), the GEGLU of arXiv 2002.05202."""

    def __init__(self, channels: int, hidden: int, out_channels: int | None = None) -> None:
        super().__init__()
        self.gate = nn.Linear(channels, hidden)
        self.value = nn.Linear(channels, hidden)
        self.output = nn.Linear(hidden, out_channels or channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(functional.gelu(self.gate(x)) * self.value(x))


class DropPath(nn.Module):
    """Skip a residual for a random share of the samples (B, …) in training, and scale the others up."""

    def __init__(self, chance: float) -> None:
        super().__init__()
        self.chance = chance

    def forward(self, residual: Tensor) -> Tensor:
        if not self.training or self.chance == 0:
            return residual
        keep = 1 - self.chance
        kept = torch.rand(residual.shape[0], *[1] * (residual.dim() - 1), device=residual.device) < keep
        return residual * (kept / keep).to(residual.dtype)
