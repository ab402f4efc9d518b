"""Cut a video's features into attention windows and put them together again.

Strategy: windows that are shifted over the border are usually rolled around and masked, so that the
pieces that meet there do not see each other. Masked tokens are wasted work, so a layout cuts the volume
into those pieces instead: the boxes of one shape lie one after another in one gathered list of tokens,
and attention runs once per shape, with no mask left to add. Mutual attention keeps the rolled pair
(last frame, first frame): there the published network does let the two frames see each other.

B batch, T frames, H W rows and columns, C channels, L tokens of the padded volume, N tokens of a box.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Shape3 = tuple[int, int, int]
CACHED_LAYOUTS = 64


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of one shape in the token order of a layout."""

    start: int
    count: int
    shape: Shape3
    relative_index: Tensor
    """(N·N) rows of the bias table of the whole window, query-major."""

    @property
    def tokens(self) -> int:
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def stop(self) -> int:
        return self.start + self.count * self.tokens


@dataclass(frozen=True, eq=False)
class FramePairs:
    """Boxes of two frames that attend to each other; a grid of them shares rows and columns."""

    start: int
    grid: Shape3
    """Pairs (batch and time, rows of boxes, columns of boxes)."""
    area: int
    """Tokens of one frame of a box."""
    places: Tensor
    """(1 or rows, 1 or columns, area) each token's place in its rolled window, for position encoding."""

    @property
    def count(self) -> int:
        return self.grid[0] * self.grid[1] * self.grid[2]

    @property
    def stop(self) -> int:
        return self.start + self.count * 2 * self.area


@dataclass(frozen=True, eq=False)
class WindowLayout:
    """Where each token of a (B, T, H, W, C) volume goes. Made by `window_layout`."""

    size: tuple[int, int, int, int]
    padding: Shape3
    """Frames, rows and columns of zeros added behind the volume."""
    order: Tensor
    """(L) token of the padded volume for each place in window order."""
    inverse: Tensor
    """(B·T·H·W) place in window order of each token of the volume."""
    boxes: tuple[Boxes, ...]
    pairs: tuple[FramePairs, ...]
    """Empty unless the layout is for mutual attention."""


def partition_windows(volume: Tensor, layout: WindowLayout) -> Tensor:
    """Gather a volume (B, T, H, W, C) into tokens (L, C) in window order."""
    frames, rows, columns = layout.padding
    if frames or rows or columns:
        volume = functional.pad(volume, (0, 0, 0, columns, 0, rows, 0, frames))
    return volume.reshape(-1, volume.shape[-1]).index_select(0, layout.order)


def merge_windows(tokens: Tensor, layout: WindowLayout) -> Tensor:
    """Undo `partition_windows`: (L, C) → (B, T, H, W, C), without the padding."""
    return tokens.index_select(0, layout.inverse).view(*layout.size, -1)


@torch.compiler.disable
@lru_cache(maxsize=CACHED_LAYOUTS)
def window_layout(
    size: tuple[int, int, int, int], window: Shape3, shifted: bool, mutual: bool, device: torch.device
) -> WindowLayout:
    """Lay out windows over a volume of `size` (B, T, H, W).

    A window larger than the volume along an axis shrinks to it and is not shifted along it. For
    `mutual`, windows have two frames (or one pair of one real and one padded frame).
    """
    batch, *extent = size
    used = [min(edge, length) for edge, length in zip(window, extent, strict=True)]
    if mutual:
        used[0] = window[0]
    shifts = [
        edge // 2 if shifted and edge < length else 0 for edge, length in zip(used, extent, strict=True)
    ]
    padded = [-(-length // edge) * edge for edge, length in zip(used, extent, strict=True)]
    cuts = [_cut(*axis) for axis in zip(padded, used, shifts, strict=True)]
    rolled_frames = np.roll(np.arange(padded[0]), -shifts[0]).reshape(-1, used[0])
    ids = np.arange(batch * int(np.prod(padded))).reshape(batch, *padded)

    parts: list[NDArray[np.int64]] = []
    boxes: list[Boxes] = []
    pairs: list[FramePairs] = []
    start = 0
    for rows in cuts[1]:
        for columns in cuts[2]:
            place = (len(rows), len(columns), rows.shape[1], columns.shape[1])
            if not mutual:
                for frames in cuts[0]:
                    parts.append(_gather(ids, frames, rows, columns))
                    shape = (frames.shape[1], place[2], place[3])
                    boxes.append(_boxes(start, len(parts[-1]), shape, window, device))
                    start = boxes[-1].stop
                continue
            first = start
            whole = rolled_frames[:-1] if shifts[0] else rolled_frames
            for frames, self_frames in ((whole, 2), (rolled_frames[len(whole) :], 1)):
                if len(frames):
                    parts.append(_gather(ids, frames, rows, columns))
                    shape = (self_frames, place[2], place[3])
                    boxes.append(_boxes(start, len(parts[-1]), shape, window, device))
                    start = boxes[-1].stop
            places = _places(rows, padded[1], used[1], shifts[1])[:, None, :, None] * window[2]
            places = places + _places(columns, padded[2], used[2], shifts[2])[None, :, None, :]
            pairs.append(
                FramePairs(
                    first,
                    (batch * len(rolled_frames), place[0], place[1]),
                    place[2] * place[3],
                    torch.from_numpy(places.reshape(*places.shape[:2], -1)).to(device),
                )
            )
    order = np.concatenate(parts)
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    inverse = inverse.reshape(batch, *padded)[:, : extent[0], : extent[1], : extent[2]].ravel()
    return WindowLayout(
        size,
        (padded[0] - extent[0], padded[1] - extent[1], padded[2] - extent[2]),
        torch.from_numpy(order).to(device),
        torch.from_numpy(inverse).to(device),
        tuple(boxes),
        tuple(pairs),
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


def _cut(length: int, window: int, shift: int) -> list[NDArray[np.int64]]:
    """Cut an axis into pieces; return, for each length of piece, the positions (pieces, piece length)."""
    starts = list(range(0, length, window))
    if shift:
        starts = [0, *range(shift, length, window)]
    stops = [*starts[1:], length]
    pieces = [np.arange(a, b) for a, b in zip(starts, stops, strict=True)]
    lengths = sorted({len(piece) for piece in pieces}, reverse=True)
    return [np.stack([piece for piece in pieces if len(piece) == size]) for size in lengths]


def _places(pieces: NDArray[np.int64], length: int, window: int, shift: int) -> NDArray[np.int64]:
    """Return each piece's places in its rolled window; one row where all pieces agree."""
    places = (pieces - shift) % length % window
    return places[:1] if (places == places[0]).all() else places


def _gather(
    ids: NDArray[np.int64], frames: NDArray[np.int64], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the ids of boxes ordered by batch, frames, rows, columns, then within each box: flat."""
    inside = ids[
        :,
        frames[:, None, None, :, None, None],
        rows[None, :, None, None, :, None],
        columns[None, None, :, None, None, :],
    ]
    return inside.ravel()


def _boxes(start: int, tokens: int, shape: Shape3, window: Shape3, device: torch.device) -> Boxes:
    return Boxes(start, tokens // int(np.prod(shape)), shape, _relative_index(shape, window, device))


@lru_cache(maxsize=CACHED_LAYOUTS)
def _relative_index(shape: Shape3, window: Shape3, device: torch.device) -> Tensor:
    """Return (N·N) rows of the bias table of `window` for the tokens of a box, query-major."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).reshape(3, -1)
    relative = grid[:, :, None] - grid[:, None, :] + np.array(window)[:, None, None] - 1
    spans = [2 * edge - 1 for edge in window]
    index = (relative[0] * spans[1] + relative[1]) * spans[2] + relative[2]
    return torch.from_numpy(index.ravel()).to(device)
