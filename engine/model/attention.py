"""Attention inside windows, alone and between two frames, and the blocks made of it.

B batch, T frames, H W rows and columns, C channels, L tokens in window order, N tokens of a box,
h heads, D channels of a head.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from engine.model.layers import DropPath, GatedMLP, Norm
from engine.model.windows import (
    Boxes,
    FramePairs,
    Shape3,
    WindowLayout,
    merge_windows,
    partition_windows,
    sine_positions,
    window_layout,
)

BIAS_CACHE_BYTES = 160 * 2**20


class BiasCache:
    """Attention biases of a network in evaluation, spread out from their tables; oldest dropped first.

    An entry is good for one version of its table, so weights may change at any time.
    """

    def __init__(self, limit_bytes: int = BIAS_CACHE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[tuple[object, ...], tuple[int, Tensor]] = OrderedDict()
        self._bytes = 0

    def get(self, table: Tensor, boxes: Boxes, dtype: torch.dtype) -> Tensor:
        """Return the bias (1, h, N, N) of a box."""
        if torch.is_grad_enabled() or torch.compiler.is_compiling() or table.is_inference():
            return spread_bias(table, boxes, dtype)
        key = (id(table), table.data_ptr(), table.device, dtype, boxes.shape)
        version, bias = self._entries.get(key, (-1, None))
        if bias is None or version != table._version:
            bias = spread_bias(table, boxes, dtype)
            self._keep(key, table._version, bias)
        else:
            self._entries.move_to_end(key)
        return bias

    def clear(self) -> None:
        self._entries.clear()
        self._bytes = 0

    def _keep(self, key: tuple[object, ...], version: int, bias: Tensor) -> None:
        old = self._entries.pop(key, None)
        self._bytes += bias.nbytes - (0 if old is None else old[1].nbytes)
        self._entries[key] = (version, bias)
        while self._bytes > self._limit_bytes:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._bytes -= dropped.nbytes


def spread_bias(table: Tensor, boxes: Boxes, dtype: torch.dtype) -> Tensor:
    """Return the relative position bias (1, h, N, N) of a box out of a table (rows, h)."""
    bias = table.t().contiguous().index_select(1, boxes.relative_index)
    return bias.view(1, table.shape[1], boxes.tokens, boxes.tokens).to(dtype)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return softmax(query keyᵀ / √D + bias) value for (n, h, N, D) tensors.

    On a GPU the memory-efficient kernel wants heads of a multiple of 8 channels: zeros change nothing.
    """
    channels = query.shape[-1]
    missing = -channels % 8 if query.device.type == "cuda" else 0
    if missing:
        query, key, value = (functional.pad(x, (0, missing)) for x in (query, key, value))
    result = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=channels**-0.5)
    return result[..., :channels] if missing else result


class WindowAttention(nn.Module):
    """Multi-head attention inside boxes, with relative position bias; optionally also mutual.

    Mutual attention lets each frame of a pair ask the other (eq. 3 of the paper): what it finds is set
    beside the result of self attention before the last projection.
    """

    places: Tensor

    def __init__(self, channels: int, window: Shape3, heads: int, cache: BiasCache, *, mutual: bool) -> None:
        super().__init__()
        self.heads = heads
        self._cache = cache
        rows = (2 * window[0] - 1) * (2 * window[1] - 1) * (2 * window[2] - 1)
        self.bias_table = nn.Parameter(torch.empty(rows, heads))
        nn.init.trunc_normal_(self.bias_table, std=0.02)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.mutual_qkv = nn.Linear(channels, 3 * channels) if mutual else None
        self.projection = nn.Linear(2 * channels if mutual else channels, channels)
        if mutual:
            places = sine_positions(window[1], window[2], channels)
            self.register_buffer("places", places, persistent=False)

    def forward(self, tokens: Tensor, layout: WindowLayout) -> Tensor:
        """(L, C) → (L, C), both in window order."""
        qkv = self.qkv(tokens)
        found = torch.cat([self._self_attention(qkv, boxes) for boxes in layout.boxes])
        if self.mutual_qkv is not None:
            placed = torch.cat([self._add_places(tokens, pairs) for pairs in layout.pairs])
            qkv = self.mutual_qkv(placed)
            mutual = torch.cat([self._mutual_attention(qkv, pairs) for pairs in layout.pairs])
            found = torch.cat((mutual, found), 1)
        return self.projection(found)

    def _self_attention(self, qkv: Tensor, boxes: Boxes) -> Tensor:
        part = qkv[boxes.start : boxes.stop].view(boxes.count, boxes.tokens, 3, self.heads, -1)
        query, key, value = part.permute(2, 0, 3, 1, 4)
        bias = self._cache.get(self.bias_table, boxes, query.dtype)
        return attend(query, key, value, bias).transpose(1, 2).reshape(boxes.stop - boxes.start, -1)

    def _add_places(self, tokens: Tensor, pairs: FramePairs) -> Tensor:
        part = tokens[pairs.start : pairs.stop].view(*pairs.grid, 2, pairs.area, -1)
        return (part + self.places[pairs.places][None, :, :, None]).view(pairs.stop - pairs.start, -1)

    def _mutual_attention(self, qkv: Tensor, pairs: FramePairs) -> Tensor:
        part = qkv[pairs.start : pairs.stop].view(pairs.count, 2, pairs.area, 3, self.heads, -1)
        query, key, value = part.permute(3, 1, 0, 4, 2, 5)
        first = attend(query[1], key[0], value[0])
        second = attend(query[0], key[1], value[1])
        both = torch.stack((first.transpose(1, 2), second.transpose(1, 2)), 1)
        return both.reshape(pairs.stop - pairs.start, -1)


class Block(nn.Module):
    """Attention, then a gated MLP, each on normalised features and added to what came in."""

    def __init__(
        self,
        channels: int,
        window: Shape3,
        heads: int,
        cache: BiasCache,
        *,
        mutual: bool,
        mlp_ratio: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.attention_norm = Norm(channels)
        self.attention = WindowAttention(channels, window, heads, cache, mutual=mutual)
        self.mlp_norm = Norm(channels)
        self.mlp = GatedMLP(channels, int(channels * mlp_ratio))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, layout: WindowLayout) -> Tensor:
        """(B, T, H, W, C) → the same."""
        tokens = partition_windows(self.attention_norm(x), layout)
        x = x + self.drop_path(merge_windows(self.attention(tokens, layout), layout))
        return x + self.drop_path(self.mlp(self.mlp_norm(x)))


class BlockGroup(nn.Module):
    """Blocks whose windows shift by half in turn, a linear layer, and a residual around them."""

    def __init__(
        self,
        channels: int,
        window: Shape3,
        heads: int,
        cache: BiasCache,
        *,
        mutual: bool,
        mlp_ratio: float,
        drop_paths: tuple[float, ...],
    ) -> None:
        super().__init__()
        self.window = window
        self.mutual = mutual
        self.checkpointing = False
        self.blocks = nn.ModuleList(
            Block(channels, window, heads, cache, mutual=mutual, mlp_ratio=mlp_ratio, drop_path=chance)
            for chance in drop_paths
        )
        self.linear = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, H, W, C) → the same."""
        size = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        start = x
        for index, block in enumerate(self.blocks):
            layout = window_layout(size, self.window, index % 2 == 1, self.mutual, x.device)
            if self.checkpointing and torch.is_grad_enabled():
                x = checkpoint(block, x, layout, use_reentrant=False)
            else:
                x = block(x, layout)
        return start + self.linear(x)
