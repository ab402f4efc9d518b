"""Attention inside windows, alone and between two frames, and the blocks made of it.

B batch, T frames, H W rows and columns, C channels, L tokens in window order, N tokens of a box,
h heads, D channels of a head.
"""

from collections import OrderedDict
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from engine.model.cpu_kernels import BlockWeights, kernels_for
from engine.model.layers import (
    DropPath,
    FullLinear,
    GatedMLP,
    Linear,
    Norm,
    at_least_float32,
    plain_float32_on_cpu,
)
from engine.model.windows import (
    Boxes,
    Shape3,
    WindowLayout,
    merge_windows,
    partition_windows,
    sine_positions,
    size_of,
    window_layout,
)

BIAS_CACHE_BYTES = 2**23
"""Kept on a CPU: all biases of a small network. Those of the full one, 120 MB, are spread out anew in a
hundredth of the time of a pass."""
BIAS_CACHE_BYTES_GPU = 2**28
TOKENS_AT_A_TIME = 4096


class BiasCache:
    """Attention biases of a network in evaluation, spread out from their tables; oldest dropped first.

    An entry is good for one version of its table, so weights may change at any time, but for writes that
    autograd does not count (`.data`): `clear` after those, or go through `train` or `eval`.
    """

    def __init__(self) -> None:
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
        limit_bytes = BIAS_CACHE_BYTES if bias.device.type == "cpu" else BIAS_CACHE_BYTES_GPU
        while self._bytes > limit_bytes:
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
        self.window = window
        self._cache = cache
        rows = (2 * window[0] - 1) * (2 * window[1] - 1) * (2 * window[2] - 1)
        self.bias_table = nn.Parameter(torch.empty(rows, heads))
        nn.init.trunc_normal_(self.bias_table, std=0.02)
        self.qkv = Linear(channels, 3 * channels)
        self.mutual_qkv = Linear(channels, 3 * channels) if mutual else None
        self.projection = Linear(2 * channels if mutual else channels, channels)
        if mutual:
            self.register_buffer("places", sine_positions(window[1], window[2], channels), persistent=False)

    def forward(self, tokens: Tensor, boxes: Boxes) -> Tensor:
        """Return what the tokens (n, C) of `boxes` find, to be projected: (n, C), or (n, 2 C) if mutual."""
        alone = self._self_attention(self.qkv(tokens), boxes)
        if self.mutual_qkv is None or boxes.places is None:
            return alone
        pairs = tokens.view(-1, 2, boxes.pair_tokens // 2, tokens.shape[1])
        placed = (pairs + self.places[boxes.places][:, None]).view(tokens.shape)
        return torch.cat((self._mutual_attention(self.mutual_qkv(placed), boxes), alone), 1)

    def _self_attention(self, qkv: Tensor, boxes: Boxes) -> Tensor:
        query, key, value = qkv.view(boxes.count, boxes.tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = self._cache.get(self.bias_table, boxes, query.dtype)
        return attend(query, key, value, bias).transpose(1, 2).reshape(len(qkv), -1)

    def _mutual_attention(self, qkv: Tensor, boxes: Boxes) -> Tensor:
        split = qkv.view(-1, 2, boxes.pair_tokens // 2, 3, self.heads, qkv.shape[1] // 3 // self.heads)
        query, key, value = split.permute(3, 1, 0, 4, 2, 5)
        first = attend(query[1], key[0], value[0])
        second = attend(query[0], key[1], value[1])
        return torch.stack((first.transpose(1, 2), second.transpose(1, 2)), 1).reshape(len(qkv), -1)


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
        found = torch.cat([self.attention(tokens[boxes.start : boxes.stop], boxes) for boxes in layout.boxes])
        x = x + self.drop_path(merge_windows(self.attention.projection(found), layout))
        return x + self.drop_path(self.mlp(self.mlp_norm(x)))

    def update(self, x: Tensor, layout: WindowLayout) -> None:
        """Do what `forward` does in evaluation, in place and a few windows at a time.

        No window needs another's tokens, so all that happens to some windows happens while they are
        in the processor's cache; nothing of a large volume's size is made but `x` itself.
        """
        flat = x.view(-1, x.shape[-1])
        kernels = kernels_for(x, *self.parameters())
        if kernels is not None and flat.is_contiguous():
            return kernels.update_block(flat, layout, self._weights())
        for boxes in layout.boxes:
            for few in boxes.split(TOKENS_AT_A_TIME):
                rows = layout.order[few.start : few.stop]
                tokens = flat.index_select(0, rows)
                normed = self.attention_norm(tokens)
                holes = None if layout.holes is None else layout.holes[few.start : few.stop]
                if holes is not None:
                    normed = normed.masked_fill_(holes[:, None], 0)
                tokens = self.attention.projection.plus(self.attention(normed, few), tokens)
                tokens = self.mlp.plus(self.mlp_norm(tokens), tokens)
                if holes is not None:
                    rows, tokens = rows[~holes], tokens[~holes]
                flat.index_copy_(0, rows, tokens)

    def _weights(self) -> BlockWeights:
        attention, mlp = self.attention, self.mlp
        return BlockWeights(
            attention_norm=self.attention_norm,
            qkv=attention.qkv,
            mutual_qkv=attention.mutual_qkv,
            projection=attention.projection,
            mlp_norm=self.mlp_norm,
            gate=mlp.gate,
            value=mlp.value,
            output=mlp.output,
            bias_table=attention.bias_table,
            places=attention.places if attention.mutual_qkv is not None else None,
            window=attention.window,
            heads=attention.heads,
        )


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
        self.linear = FullLinear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, H, W, C) → the same, but never in less than float32.

        Half precision is for what is added up, not for the sum: rounded after each of many blocks, it would
        be the largest error of all.
        """
        x = at_least_float32(x)
        size = size_of(x)
        layouts = [
            window_layout(size, self.window, shifted, self.mutual, x.device) for shifted in (False, True)
        ]
        if plain_float32_on_cpu(x) and not self.training:
            result = x.clone(memory_format=torch.contiguous_format)
            for index, block in enumerate(self.blocks):
                cast(Block, block).update(result, layouts[index % 2])
            return self.linear.plus(result, x)
        start = x
        for index, block in enumerate(self.blocks):
            if self.checkpointing and torch.is_grad_enabled():
                x = checkpoint(block, x, layouts[index % 2], use_reentrant=False)
            else:
                x = block(x, layouts[index % 2])
        return self.linear.plus(x, start)
