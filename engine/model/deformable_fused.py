"""Modulated deformable convolution as one Triton kernel: nine times the features, the samples, stay unmade.

Strategy: one program makes some output pixels of one picture. For each tap of the kernel and some channels it
reads the four neighbours of every sampling point out of channels-last features, weighs them, and multiplies
the sum at once by that part of the weights; what would be columns never leaves the registers.

Triton comes with CUDA builds of torch. Without it, or where the kernel cannot be built, `available` says so
once, in the log, and the plain way in `engine.model.deformable` is taken; both give the same numbers.
`TRITON_INTERPRET=1`, set before the first import, runs the kernel on a CPU, slowly: that is how it is tested
on machines without a GPU.
"""

import logging
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"

if INTERPRETED or torch.backends.cuda.is_built():
    try:
        import triton
        import triton.language as tl
    except ImportError:  # Windows
        triton = None
else:  # where it would take 80 MB and do nothing
    triton = None

log = logging.getLogger(__name__)

PIXELS = 64
"""Output pixels of a program."""
CHANNELS = 32
"""Channels read at a time."""

Plain = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]

if triton is not None:

    @triton.jit
    def _convolve_kernel(  # type: ignore[no-untyped-def]
        features,  # (P, H, W, C) float32
        points,  # (P, G, K, H, W, 2) float32, (x, y) in pixels
        mask,  # (P, G, K, H, W) float32
        weight,  # (K, C, O) float32
        bias,  # (O)
        result,  # (P, H, W, O) float32
        height,
        width,
        channels,
        outputs,
        taps,
        groups,
        group_channels,
        PIXELS: tl.constexpr,
        CHANNELS: tl.constexpr,
        OUTPUTS: tl.constexpr,
    ):
        area = height * width
        picture = tl.program_id(1).to(tl.int64)
        pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
        is_pixel = pixel < area
        output = tl.program_id(2) * OUTPUTS + tl.arange(0, OUTPUTS)
        is_output = output < outputs
        whole = features + picture * area * channels
        total = tl.zeros((PIXELS, OUTPUTS), dtype=tl.float32)
        for tap in range(taps):
            for first in range(0, channels, CHANNELS):
                channel = first + tl.arange(0, CHANNELS)
                is_channel = channel < channels
                wanted = is_pixel[:, None] & is_channel[None, :]
                plane = (picture * groups + channel // group_channels) * taps + tap
                place = plane[None, :] * area + pixel[:, None]
                x = tl.load(points + 2 * place, mask=wanted, other=-2.0)
                y = tl.load(points + 2 * place + 1, mask=wanted, other=-2.0)
                # far outside all four neighbours are missing anyhow, and no index overflows
                x = tl.minimum(tl.maximum(x, -2.0), width + 1.0)
                y = tl.minimum(tl.maximum(y, -2.0), height + 1.0)
                left, top = tl.floor(x), tl.floor(y)
                right_share, bottom_share = x - left, y - top
                column, row = left.to(tl.int32), top.to(tl.int32)
                sampled = tl.zeros((PIXELS, CHANNELS), dtype=tl.float32)
                for corner in tl.static_range(4):
                    at_column, at_row = column + corner % 2, row + corner // 2
                    share_x = right_share if corner % 2 == 1 else 1.0 - right_share
                    share_y = bottom_share if corner // 2 == 1 else 1.0 - bottom_share
                    inside = (at_column >= 0) & (at_column < width) & (at_row >= 0) & (at_row < height)
                    at = (at_row * width + at_column) * channels + channel[None, :]
                    value = tl.load(whole + at, mask=wanted & inside, other=0.0)
                    sampled += value * (share_x * share_y)
                sampled *= tl.load(mask + place, mask=wanted, other=0.0)
                at = (tap * channels + channel[:, None]) * outputs + output[None, :]
                part = tl.load(weight + at, mask=is_channel[:, None] & is_output[None, :], other=0.0)
                total = tl.dot(sampled, part, total, input_precision="tf32x3")
        total += tl.load(bias + output, mask=is_output, other=0.0)[None, :]
        at = (picture * area + pixel[:, None]) * outputs + output[None, :]
        tl.store(result + at, total, mask=is_pixel[:, None] & is_output[None, :])


class _Availability:
    """Whether the kernel is there; once it has failed to be built it is not tried again."""

    def __init__(self) -> None:
        self.failed = False

    def __call__(self, x: Tensor) -> bool:
        if triton is None or self.failed or x.dtype != torch.float32 or x.numel() >= 2**31:
            return False
        return x.device.type == "cuda" or (INTERPRETED and x.device.type == "cpu")

    def give_up(self, error: Exception) -> None:
        self.failed = True
        log.warning("The fused alignment cannot be built here; the plain one is used: %s", error)


available = _Availability()
"""Says whether `fused_convolution` takes features such as these."""


def fused_convolution(
    x: Tensor, points: Tensor, mask: Tensor, weight: Tensor, bias: Tensor, plain: Plain
) -> Tensor:
    """Do what `engine.model.deformable.deformable_convolution` does, in one kernel; same shapes.

    `plain` does it another way: the backward pass goes through it, and so does everything from the first
    time on that the kernel cannot be built.
    """
    if any(each.requires_grad for each in (x, points, mask, weight, bias)) and torch.is_grad_enabled():
        result: Tensor = _Fused.apply(x, points, mask, weight, bias, plain)
        return result
    return _launch_or_fall_back(x, points, mask, weight, bias, plain)


class _Fused(torch.autograd.Function):
    """The kernel forward; backward, the plain way is gone through again and differentiated."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        x, points, mask, weight, bias, plain = inputs
        ctx.plain = plain
        ctx.save_for_backward(x, points, mask, weight, bias)
        return _launch_or_fall_back(x, points, mask, weight, bias, plain)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        again = [
            each.detach().requires_grad_(wanted)
            for each, wanted in zip(ctx.saved_tensors, ctx.needs_input_grad, strict=False)
        ]
        with torch.enable_grad():
            result = ctx.plain(*again)
        wanted = [each for each in again if each.requires_grad]
        found = iter(torch.autograd.grad(result, wanted, gradients[0]))
        return *(next(found) if each.requires_grad else None for each in again), None


def _launch_or_fall_back(
    x: Tensor, points: Tensor, mask: Tensor, weight: Tensor, bias: Tensor, plain: Plain
) -> Tensor:
    try:
        return _launch(x, points, mask, weight, bias)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # what a compiler for another machine may raise is not ours to list
        if INTERPRETED:
            raise
        available.give_up(error)
        return plain(x, points, mask, weight, bias)


def _launch(x: Tensor, points: Tensor, mask: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    pictures, channels, height, width = x.shape
    groups, taps = points.shape[1:3]
    outputs = len(weight)
    result = x.new_empty(pictures, height, width, outputs)
    if result.numel() == 0:
        return result
    block = min(128, max(16, triton.next_power_of_2(outputs)))
    grid = (triton.cdiv(height * width, PIXELS), pictures, triton.cdiv(outputs, block))
    _convolve_kernel[grid](
        x.permute(0, 2, 3, 1).contiguous(),
        points.contiguous(),
        mask.contiguous(),
        weight.reshape(outputs, channels, taps).permute(2, 1, 0).contiguous(),
        bias.contiguous(),
        result,
        height,
        width,
        channels,
        outputs,
        taps,
        groups,
        channels // groups,
        PIXELS=PIXELS,
        CHANNELS=CHANNELS,
        OUTPUTS=block,
        num_warps=4,
    )
    return result
