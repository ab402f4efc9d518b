"""Pad pictures by reflection to the sizes that the pyramid can halve, and spikes to the same view."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Reflect the lower and right border of (…, H, W) until both are multiples of `multiple`."""
    height, width = x.shape[-2:]
    return reflect_to(x, math.ceil(height / multiple) * multiple, math.ceil(width / multiple) * multiple)


def same_share(x: Tensor, size: torch.Size, multiple: int) -> Tensor:
    """Pad spikes (…, Hs, Ws) by the share that pictures of `size` (H, W) grow by when they are padded.

    Where the share is no whole number of spike pixels, the nearest number is taken.
    """
    grown = [
        max(edge, round(edge * math.ceil(length / multiple) * multiple / length))
        for edge, length in zip(x.shape[-2:], size, strict=True)
    ]
    return reflect_to(x, *grown)


def resize(x: Tensor, height: int, width: int) -> Tensor:
    """Resize (B, T, K, h, w) bilinearly."""
    if x.shape[-2:] == (height, width):
        return x
    size = (height, width)
    return functional.interpolate(x.flatten(0, 1), size=size, mode="bilinear").unflatten(0, x.shape[:2])


def reflect_to(x: Tensor, height: int, width: int) -> Tensor:
    """Continue (…, H, W) below and to the right by reflection, back and forth if it is small."""
    for axis, length in ((-2, height), (-1, width)):
        if x.shape[axis] != length:
            x = x.index_select(axis, _reflected(x.shape[axis], length, x.device))
    return x


def _reflected(length: int, wanted: int, device: torch.device) -> Tensor:
    """Return the positions 0…length−1 and on, turning round at both ends without repeating them."""
    if length == 1:
        return torch.zeros(wanted, dtype=torch.long, device=device)
    period = 2 * (length - 1)
    position = torch.arange(wanted, device=device) % period
    return torch.minimum(position, period - position)
