"""Cut a video's features into attention windows and put them together again.

Strategy: windows that are shifted over the border are usually rolled around and masked, so that the
pieces that meet there do not see each other. Masked tokens are wasted work, so a layout cuts the volume
into those pieces instead: the boxes of one shape lie one after another in one gathered list of tokens,
and attention runs once per shape, with no mask left to add. Mutual attention keeps the rolled pair
(last frame, first frame): there the published network does let the two frames see each other.

B batch, T frames, H W rows and columns, C channels, L tokens of the padded volume, N tokens of a box.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Shape3 = tuple[int, int, int]
Size4 = tuple[int, int, int, int]
Indices = NDArray[np.int64]
CACHED_LAYOUTS = 64


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of one shape, one after another in the token order of a layout."""

    start: int
    count: int
    shape: Shape3
    """Frames, rows and columns that attend to each other."""
    relative_index: Tensor
    """(N·N) rows of the bias table of the whole window, query-major."""
    places: Tensor | None = None
    """For mutual attention: (1 or pairs of frames, rows · columns) each token's place in its rolled
    window, for position encoding. The tokens of a pair follow each other; one row stands for all pairs."""

    # Plain attributes, not properties: compilers look through them.
    tokens: int = field(init=False)
    """Tokens of a box."""
    stop: int = field(init=False)
    pair_tokens: int = field(init=False)
    """Tokens of two frames of a box."""

    def __post_init__(self) -> None:
        frames, rows, columns = self.shape
        object.__setattr__(self, "tokens", frames * rows * columns)
        object.__setattr__(self, "stop", self.start + self.count * self.tokens)
        object.__setattr__(self, "pair_tokens", 2 * rows * columns)

    def split(self, limit_tokens: int) -> Iterator["Boxes"]:
        """Cut into runs of at most `limit_tokens`, but of a whole box and a whole pair at least."""
        unit = self.tokens if self.places is None else self.pair_tokens
        boxes_a_step = max(1, limit_tokens // unit) * (unit // self.tokens)
        for first in range(0, self.count, boxes_a_step):
            count = min(boxes_a_step, self.count - first)
            start, places = self.start + first * self.tokens, self.places
            if places is not None and len(places) > 1:
                a, b = first * self.tokens // unit, (first + count) * self.tokens // unit
                places = places[a:b]
            yield replace(self, start=start, count=count, places=places)


@dataclass(frozen=True, eq=False)
class WindowLayout:
    """Where each token of a (B, T, H, W, C) volume goes. Made by `window_layout`."""

    size: Size4
    order: Tensor
    """(L) token of the volume for each place in window order; any token where there is a hole."""
    holes: Tensor | None
    """(L) whether a place lies outside the volume, which windows cover whole; None if no place does."""
    inverse: Tensor
    """(B·T·H·W) place in window order of each token of the volume."""
    boxes: tuple[Boxes, ...]


def partition_windows(volume: Tensor, layout: WindowLayout) -> Tensor:
    """Gather a volume (B, T, H, W, C) into tokens (L, C) in window order, zero outside the volume."""
    tokens = volume.reshape(-1, volume.shape[-1]).index_select(0, layout.order)
    return tokens if layout.holes is None else tokens.masked_fill(layout.holes[:, None], 0)


def merge_windows(tokens: Tensor, layout: WindowLayout) -> Tensor:
    """Undo `partition_windows`: (L, C) → (B, T, H, W, C), without the padding."""
    return tokens.index_select(0, layout.inverse).view(*layout.size, -1)


def size_of(volume: Tensor) -> Size4:
    """Return (B, T, H, W) of a volume (B, T, H, W, C), as plain numbers.

    Where a compiler has begun to treat sizes as symbols, `range` makes it take this one as it is: a layout is
    a constant of one size, and each size gets a graph of its own.
    """
    batch, frames, height, width = (len(range(length)) for length in volume.shape[:4])
    return batch, frames, height, width


def window_layout(
    size: Size4, window: Shape3, shifted: bool, mutual: bool, device: torch.device
) -> WindowLayout:
    """Lay out windows over a volume of `size` (B, T, H, W).

    A window larger than the volume along an axis shrinks to it and is not shifted along it. For
    `mutual`, windows have two frames. Layouts are kept: the same one comes again.
    """
    return _lay_out(size, window, shifted, mutual, device)


# What torch.compiler.assume_constant_result does, so that a compiler does not trace what makes a layout;
# the function itself imports the whole compiler (80 MB and a second) where nothing is ever compiled.
window_layout._dynamo_marked_constant = True  # type: ignore[attr-defined]


@lru_cache(maxsize=CACHED_LAYOUTS)
@torch.inference_mode(False)  # so that what is kept from restoring serves training too
def _lay_out(size: Size4, window: Shape3, shifted: bool, mutual: bool, device: torch.device) -> WindowLayout:
    batch, *extent = size
    used = [min(edge, length) for edge, length in zip(window, extent, strict=True)]
    if mutual:
        used[0] = 2
    shifts = [
        edge // 2 if shifted and edge < length else 0 for edge, length in zip(used, extent, strict=True)
    ]
    padded = [-(-length // edge) * edge for edge, length in zip(used, extent, strict=True)]
    cuts = [_cut(*axis) for axis in zip(padded, used, shifts, strict=True)]
    ids = np.arange(batch * int(np.prod(padded))).reshape(batch, *padded)
    row_places, column_places = (
        (np.arange(padded[axis]) - shifts[axis]) % padded[axis] % used[axis] for axis in (1, 2)
    )
    place_ids = np.broadcast_to(row_places[:, None] * window[2] + column_places, ids.shape)

    parts: list[Indices] = []
    boxes: list[Boxes] = []
    start = 0
    for rows in cuts[1]:
        for columns in cuts[2]:
            for frames, box_frames in _mutual_pairs(padded[0], shifts[0]) if mutual else _alone(cuts[0]):
                part = _gather(ids, frames, rows, columns)
                shape = (box_frames, rows.shape[1], columns.shape[1])
                places = None
                if mutual:
                    pairs = _gather(place_ids, frames, rows, columns).reshape(-1, 2, shape[1] * shape[2])
                    alike = (pairs == pairs[0]).all()
                    kept = np.ascontiguousarray(pairs[: 1 if alike else None, 0])
                    places = torch.from_numpy(kept).to(device)
                count = len(part) // int(np.prod(shape))
                boxes.append(Boxes(start, count, shape, _relative_index(shape, window, device), places))
                parts.append(part)
                start += len(part)
    return _layout(size, padded, np.concatenate(parts), tuple(boxes), device)


def _layout(
    size: Size4, padded: list[int], order: Indices, boxes: tuple[Boxes, ...], device: torch.device
) -> WindowLayout:
    """Make a layout out of an order of the tokens of the padded volume."""
    batch, *extent = size
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    inverse = inverse.reshape(batch, *padded)[:, : extent[0], : extent[1], : extent[2]].ravel()
    inside = np.zeros_like(order)
    inside[inverse] = np.arange(len(inverse))
    holes = np.ones(len(order), np.bool_)
    holes[inverse] = False
    return WindowLayout(
        size,
        torch.from_numpy(inside).to(device),
        torch.from_numpy(holes).to(device) if holes.any() else None,
        torch.from_numpy(inverse).to(device),
        boxes,
    )


def sine_positions(rows: int, columns: int, channels: int) -> Tensor:
    """Return the sine encoding of a window's places, float32 (rows · columns, channels), rows first.

    Positions count from 1 and are scaled so that the last is 2π; half of the channels tell the row and
    half the column, sine and cosine in turn over wavelengths up to 10 000 times the window.
    """
    half = channels // 2
    wavelengths = 10000 ** (2 * (torch.arange(half) // 2).float() / half)

    def axis(length: int) -> Tensor:
        angles = torch.arange(1, length + 1).float() / (length + 1e-6) * (2 * torch.pi)
        angles = angles[:, None] / wavelengths
        return torch.stack((angles[:, 0::2].sin(), angles[:, 1::2].cos()), 2).flatten(1)

    by_row, by_column = axis(rows), axis(columns)
    return torch.cat((by_row.repeat_interleave(columns, 0), by_column.repeat(rows, 1)), 1)


def _cut(length: int, window: int, shift: int) -> list[Indices]:
    """Cut an axis into pieces; return, for each length of piece, the positions (pieces, piece length)."""
    starts = list(range(0, length, window))
    if shift:
        starts = [0, *range(shift, length, window)]
    stops = [*starts[1:], length]
    pieces = [np.arange(a, b) for a, b in zip(starts, stops, strict=True)]
    lengths = sorted({len(piece) for piece in pieces}, reverse=True)
    return [np.stack([piece for piece in pieces if len(piece) == size]) for size in lengths]


def _alone(cuts: list[Indices]) -> list[tuple[Indices, int]]:
    """Return frames that are gathered together, and how many of them attend to each other."""
    return [(frames, frames.shape[1]) for frames in cuts]


def _mutual_pairs(length: int, shift: int) -> list[tuple[Indices, int]]:
    """Return pairs of frames; those of a rolled pair attend to themselves one by one."""
    pairs = np.roll(np.arange(length), -shift).reshape(-1, 2)
    return [(pairs[:-1], 2), (pairs[-1:], 1)] if shift else [(pairs, 2)]


def _gather(ids: Indices, frames: Indices, rows: Indices, columns: Indices) -> Indices:
    """Return the ids of boxes ordered by batch, frames, rows, columns, then within each box: flat."""
    inside = ids[
        :,
        frames[:, None, None, :, None, None],
        rows[None, :, None, None, :, None],
        columns[None, None, :, None, None, :],
    ]
    return inside.ravel()


@lru_cache(maxsize=CACHED_LAYOUTS)
@torch.inference_mode(False)  # so that what is kept from restoring serves training too
def _relative_index(shape: Shape3, window: Shape3, device: torch.device) -> Tensor:
    """Return (N·N) rows of the bias table of `window` for the tokens of a box, query-major."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).reshape(3, -1)
    relative = grid[:, :, None] - grid[:, None, :] + np.array(window)[:, None, None] - 1
    spans = [2 * edge - 1 for edge in window]
    index = (relative[0] * spans[1] + relative[1]) * spans[2] + relative[2]
    return torch.from_numpy(index.ravel()).to(device)
