"""Layers that the transformer and the spike branch share.

Tensors are channels-last: (…, C).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
"""Whether this torch has the products that its own compiler uses on CPUs. They are up to a third faster
than `functional.linear` at our narrow shapes, and take GELU, product and sum along for nothing."""


def plain_float32_on_cpu(x: Tensor) -> bool:
    """Tell whether `x` is computed on a CPU in float32, without gradients, autocast or compiler."""
    return (
        not torch.compiler.is_compiling()
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
    )


def at_least_float32(x: Tensor) -> Tensor:
    """Return `x` in float32, or as it is in float64: reference results are computed in that."""
    return x if x.dtype == torch.float64 else x.float()


class Linear(nn.Linear):
    """A linear layer that takes the fastest way to its result."""

    def forward(self, x: Tensor) -> Tensor:
        if ONEDNN and plain_float32_on_cpu(x):
            return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return functional.linear(x, self.weight, self.bias)

    def plus(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return forward(x) + residual."""
        if ONEDNN and plain_float32_on_cpu(x) and residual.dtype == torch.float32:
            return torch.ops.mkldnn._linear_pointwise.binary(x, residual, self.weight, self.bias, "add")
        return residual + self(x)


class FullLinear(Linear):
    """A linear layer in float32 whatever autocast asks for.

    For what all features pass through, rather than what is added to them: there rounding is not averaged out.
    """

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(at_least_float32(x))


class Norm(nn.LayerNorm):
    """Layer normalisation over channels, in float32 whatever autocast asks for."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            weight, bias = at_least_float32(self.weight), at_least_float32(self.bias)
            return functional.layer_norm(at_least_float32(x), self.normalized_shape, weight, bias, self.eps)


class GatedMLP(nn.Module):
    """output(GELU(gate(x)) · value(x)), the GEGLU of arXiv 2002.05202."""

    def __init__(self, channels: int, hidden: int, out_channels: int | None = None) -> None:
        super().__init__()
        self.gate = Linear(channels, hidden)
        self.value = Linear(channels, hidden)
        self.output = Linear(hidden, out_channels or channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self._gated(x))

    def plus(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return forward(x) + residual."""
        return self.output.plus(self._gated(x), residual)

    def _gated(self, x: Tensor) -> Tensor:
        gate, value = self.gate, self.value
        if ONEDNN and plain_float32_on_cpu(x):
            linear = torch.ops.mkldnn._linear_pointwise
            open_share = linear(x, gate.weight, gate.bias, "gelu", [], "none")
            return linear.binary(x, open_share, value.weight, value.bias, "mul")
        return functional.gelu(gate(x)) * value(x)


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
