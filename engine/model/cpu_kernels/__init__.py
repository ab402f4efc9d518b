"""Kernels in C for what torch is slow at on a CPU: blocks of attention, alignment, and small convolutions.

They are compiled when the package is installed, once for each kind of processor that is worth it. Where there
was no compiler, or the processor is another, `KERNELS` is None and the network goes through torch alone.
Only float32 in inference: there is no backward pass.

P pictures, H W rows and columns, C channels, G groups, h heads.
"""

import ctypes
import logging
import math
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.cpu_kernels import structures
from engine.model.layers import plain_float32_on_cpu
from engine.model.windows import Boxes, Shape3, WindowLayout

PANEL = 32
"""What packed outputs are filled up to a multiple of: as many as the widest kernels take at once."""
WINOGRAD_POINTS = 36
BORDER = (0, 0, 1, 2, 1, 3)
"""Zeros around pictures (P, H, W, C), as `functional.pad` takes them."""
MIN_CHANNELS = 8
"""Of pictures that are sampled from: so many are read at a time, the last ones into the border."""
LOG2_E = math.log2(math.e)


@dataclass(frozen=True, eq=False)
class BlockWeights:
    """What a transformer block is made of: its layers, and tables for where tokens lie."""

    attention_norm: nn.LayerNorm
    qkv: nn.Linear
    mutual_qkv: nn.Linear | None
    projection: nn.Linear
    mlp_norm: nn.LayerNorm
    gate: nn.Linear
    value: nn.Linear
    output: nn.Linear
    bias_table: Tensor
    """(positions of a query to a key in a window, h)."""
    places: Tensor | None
    """(rows · columns of a window, C) to be added for mutual attention."""
    window: Shape3
    heads: int


@dataclass(frozen=True, eq=False)
class PackedProduct:
    """A weight and a bias in the kernels' own order."""

    packed: Tensor
    bias: Tensor
    inputs: int
    outputs: int
    frames: int = 1
    """That a convolution sees at a time; inputs count all of them."""

    def described(self) -> structures.Product:
        return structures.Product(self.packed.data_ptr(), self.bias.data_ptr(), self.inputs, self.outputs)


class CPUKernels:
    """The kernels, out of one compiled library. Tensors are contiguous float32 on the CPU.

    Raises OSError if the library cannot be loaded or is of another version. Its methods raise MemoryError if
    there is too little for what threads work in.
    """

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        structures.declare(self._library)
        self.block_seconds: ctypes.Array[ctypes.c_double] | None = None
        """If set, two numbers that blocks add their time to: in attention, and from its projection on."""

    def update_block(self, volume: Tensor, layout: WindowLayout, block: BlockWeights) -> None:
        """Take the tokens (L, C) of a volume through a transformer block, in place."""
        if any((block.mutual_qkv is None) != (boxes.places is None) for boxes in layout.boxes):
            raise ValueError("mutual attention needs a layout of pairs of frames, and only that does")
        qkv, projection, output = map(self.pack_linear, (block.qkv, block.projection, block.output))
        mutual_qkv = None if block.mutual_qkv is None else self.pack_linear(block.mutual_qkv)
        gated = self._pack_pair(block.gate, block.value)
        tables = (block.bias_table * LOG2_E).t().contiguous()
        norms = [
            (norm.weight.contiguous(), norm.bias.contiguous(), norm.eps)
            for norm in (block.attention_norm, block.mlp_norm)
        ]
        described = structures.Block(
            *(structures.Norm(weight.data_ptr(), bias.data_ptr(), eps) for weight, bias, eps in norms),
            qkv.described(),
            structures.Product() if mutual_qkv is None else mutual_qkv.described(),
            projection.described(),
            gated.described(),
            output.described(),
            tables.data_ptr(),
            None if block.places is None else block.places.data_ptr(),
            block.heads,
        )
        for boxes in layout.boxes:
            tokens = _described_tokens(volume, layout, boxes)
            described_boxes = _described_boxes(boxes, block.window)
            self._call("update_block", tokens, described_boxes, described, self.block_seconds)

    def pack(self, weight: Tensor, bias: Tensor) -> PackedProduct:
        """Pack the weight (outputs, inputs) and bias (outputs) of a product."""
        return self._packed("pack_product", 1, weight, bias)

    def pack_linear(self, layer: nn.Linear) -> PackedProduct:
        return self.pack(layer.weight, layer.bias)

    def _pack_pair(self, gate: nn.Linear, value: nn.Linear) -> PackedProduct:
        """Pack two linear layers of one size, whose outputs are computed side by side."""
        return self._packed("pack_pair", 2, gate.weight, gate.bias, value.weight, value.bias)

    def _packed(self, pack: str, layers: int, *parameters: Tensor) -> PackedProduct:
        kept = [parameter.contiguous() for parameter in parameters]
        outputs, inputs = kept[0].shape
        width = layers * _filled_up(outputs)
        packed, bias = kept[0].new_empty(width * inputs), kept[0].new_empty(width)
        addresses = (parameter.data_ptr() for parameter in kept)
        getattr(self._library, pack)(*addresses, outputs, inputs, packed.data_ptr(), bias.data_ptr())
        return PackedProduct(packed, bias, inputs, outputs)

    def pack_convolution(self, layer: nn.Conv2d | nn.Conv3d) -> PackedProduct:
        """Pack a convolution that `can_convolve` says yes to."""
        if not can_convolve(layer):
            raise ValueError(f"the kernels have no such convolution: {layer}")
        weight, bias = layer.weight, cast(Tensor, layer.bias).contiguous()
        frames = 3 if weight.dim() == 5 else 1
        if frames == 3:  # frames before channels
            weight = weight.transpose(1, 2).flatten(1, 2)
        weight = weight.contiguous()
        outputs, inputs = weight.shape[:2]
        width = _filled_up(outputs)
        packed, packed_bias = weight.new_empty(width * WINOGRAD_POINTS * inputs), bias.new_empty(width)
        self._library.pack_convolution(
            *(weight.data_ptr(), bias.data_ptr()),
            *(outputs, inputs),
            *(packed.data_ptr(), packed_bias.data_ptr()),
            torch.get_num_threads(),
        )
        return PackedProduct(packed, packed_bias, inputs, outputs, frames)

    def convolve(
        self, x: Tensor, convolution: PackedProduct, slope: float = 1.0, added: Tensor | None = None
    ) -> Tensor:
        """Convolve pictures (P, H, W, C) → (P, H, W, outputs); in time too, (B, T, H, W, C) → the same.

        `added`, of the result's shape, is added; then what is below 0 is times `slope` (0 to 1). It is
        float32's result but for a digit, and what is not finite spreads over 6 × 6 pixels.
        """
        *others, height, width, channels = x.shape
        in_time = convolution.frames > 1
        result = x.new_empty(*others, height, width, convolution.outputs)
        _require(
            x.shape, len(others) == (2 if in_time else 1), channels * convolution.frames == convolution.inputs
        )
        if added is not None:
            _require(added.shape, added.shape == result.shape)
        pictures = structures.Pictures(
            x.data_ptr(),
            None if added is None else added.data_ptr(),
            result.data_ptr(),
            *(math.prod(others), height, width),
            others[-1] if in_time else 0,
        )
        self._call("convolve", pictures, convolution.described(), slope)
        return result

    def join_warped(self, source: Tensor, target: Tensor, flow: Tensor) -> Tensor:
        """Return `source` sampled at each pixel + `flow`, then `target`, then `flow`: (P, H, W, 2 C + 2).

        source (P, H + 4, W + 3, C) with the zeros of `BORDER`; target (P, H, W, C); flow (P, H, W, 2) as
        (x, y) in pixels. Bilinear, zero outside.
        """
        pictures, height, width, channels = target.shape
        _require(source.shape, source.shape == (pictures, height + 4, width + 3, channels))
        _require(flow.shape, flow.shape == (pictures, height, width, 2))
        joined = target.new_empty(pictures, height, width, 2 * channels + 2)
        addresses = (x.data_ptr() for x in (source, target, flow, joined))
        self._library.join_warped(*addresses, *target.shape, torch.get_num_threads())
        return joined

    def convolve_samples(
        self,
        source: Tensor,
        learned: Tensor,
        flow: Tensor,
        weights: PackedProduct,
        groups: int,
        reach_px: float,
    ) -> Tensor:
        """Return the modulated deformable convolution of `source`: (P, H, W, outputs).

        source and flow as in `join_warped`, C at least MIN_CHANNELS; learned (P, H, W, 27 G): residues of
        each group and tap as (y, x), limited to ± `reach_px` by tanh, then modulations, through a sigmoid;
        weights of (outputs, 9 C), taps before channels.
        """
        pictures, height, width, _ = flow.shape
        channels = source.shape[3]
        _require(
            source.shape, source.shape[:3] == (pictures, height + 4, width + 3), channels >= MIN_CHANNELS
        )
        _require(
            learned.shape, learned.shape == (pictures, height, width, 27 * groups), channels % groups == 0
        )
        result = source.new_empty(pictures, height, width, weights.outputs)
        addresses = (x.data_ptr() for x in (source, learned, flow))
        samples = structures.Samples(*addresses, pictures, height, width, channels, groups, reach_px)
        self._call("convolve_samples", samples, weights.described(), result.data_ptr())
        return result

    def _call(self, function: str, *arguments: object) -> None:
        if getattr(self._library, function)(*arguments, torch.get_num_threads()):
            raise MemoryError("there is not enough memory for what the network works in")


def with_border(pictures: Tensor) -> Tensor:
    """Return pictures (P, H, W, C) as the kernels take what they sample: (P, H + 4, W + 3, C)."""
    return functional.pad(pictures, BORDER)


def kernels_for(*tensors: Tensor) -> CPUKernels | None:
    """Return the kernels if they can be used on the tensors: plain ones in float32 on a CPU, no gradients."""
    usable = all(type(x) in (Tensor, nn.Parameter) and plain_float32_on_cpu(x) for x in tensors)
    return KERNELS if usable else None


def can_convolve(layer: nn.Conv2d | nn.Conv3d) -> bool:
    """Tell whether the kernels can do it: 3 in each direction, padded by 1, with a bias, nothing special."""
    sizes = {*layer.kernel_size} == {3} and {*layer.stride, *layer.dilation, layer.groups} == {1}
    padded = layer.padding_mode == "zeros" and {*layer.padding} == {1}
    return sizes and padded and layer.bias is not None


def compiled_libraries() -> list[Path]:
    """Return what was compiled and this processor can run, the fastest first."""
    kinds = {"AVX512": ("avx512", "avx2"), "AVX2": ("avx2",)}.get(torch.backends.cpu.get_cpu_capability(), ())
    paths = [Path(__file__).with_name(kind + suffix) for kind in kinds for suffix in EXTENSION_SUFFIXES]
    return [path for path in paths if path.is_file()]


def load_fastest() -> CPUKernels | None:
    """Load the fastest compiled library that fits; None if there is none."""
    for library in compiled_libraries():
        try:
            return CPUKernels(library)
        except OSError as error:
            message = "%s cannot be used, and the network is slower without it; install the package again: %s"
            logging.getLogger(__name__).warning(message, library.name, error)
    return None


def _require(shape: torch.Size, *conditions: bool) -> None:
    if not all(conditions):
        raise ValueError(f"the kernels cannot take a tensor of shape {tuple(shape)} here")


def _filled_up(outputs: int) -> int:
    return -(-outputs // PANEL) * PANEL


def _described_tokens(volume: Tensor, layout: WindowLayout, boxes: Boxes) -> structures.Tokens:
    span = slice(boxes.start, boxes.stop)
    holes = None if layout.holes is None else layout.holes[span].data_ptr()
    rows = boxes.stop - boxes.start
    return structures.Tokens(volume.data_ptr(), layout.order[span].data_ptr(), holes, rows, volume.shape[1])


def _described_boxes(boxes: Boxes, window: Shape3) -> structures.Boxes:
    places, pairs = (None, 0) if boxes.places is None else (boxes.places.data_ptr(), len(boxes.places))
    lengths = ctypes.c_long * 3
    return structures.Boxes(boxes.count, boxes.tokens, lengths(*boxes.shape), lengths(*window), places, pairs)


KERNELS = load_fastest()
