"""The compiled kernels against torch in float64, for every kind of processor that this one can be."""

import copy
import logging
import math
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model import cpu_kernels
from engine.model.attention import BiasCache, Block
from engine.model.cpu_kernels import CPUKernels, compiled_libraries, load_fastest, structures
from engine.model.deformable import GuidedDeformableConvolution
from engine.model.spike_branch import SpaceTimeConvolution
from engine.model.windows import Shape3, Size4, window_layout

LIBRARIES = compiled_libraries()
TOLERANCE = 2e-5

BLOCKS = [  # channels, heads, window, size, mutual
    pytest.param(96, 6, (6, 8, 8), (1, 6, 24, 24), False, id="published stage"),
    pytest.param(96, 6, (2, 8, 8), (1, 6, 24, 24), True, id="published mutual stage"),
    pytest.param(120, 6, (6, 8, 8), (1, 6, 16, 8), False, id="published reconstruction"),
    pytest.param(48, 4, (5, 4, 4), (1, 5, 12, 16), False, id="small network"),
    pytest.param(48, 4, (2, 4, 4), (2, 5, 12, 16), True, id="small mutual, two samples"),
    pytest.param(20, 4, (3, 5, 5), (2, 4, 11, 13), False, id="windows over the border, odd lines"),
    pytest.param(36, 4, (2, 3, 3), (1, 5, 7, 7), True, id="mutual over the border"),
    pytest.param(36, 4, (2, 5, 5), (1, 4, 40, 40), True, id="many pairs of frames, odd in number"),
    pytest.param(24, 1, (1, 16, 16), (1, 2, 32, 16), False, id="one wide head, long lines"),
    pytest.param(200, 5, (2, 2, 2), (1, 2, 4, 4), False, id="wide"),
    pytest.param(8, 2, (2, 6, 6), (1, 2, 1, 1), True, id="one pixel"),
]


def test_where_there_is_a_compiler_kernels_were_compiled() -> None:
    if platform.system() != "Linux" or platform.machine() != "x86_64" or not shutil.which("cc"):
        pytest.skip("no compiler, or none that the kernels are for")
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        pytest.skip("the kernels are not for this processor")
    wanted = 2 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 1
    assert len(LIBRARIES) == wanted


@pytest.fixture(params=LIBRARIES, ids=lambda path: path.name.split(".")[0])
def kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CPUKernels:
    """Kernels of one kind, which the network uses."""
    loaded = CPUKernels(request.param)
    monkeypatch.setattr(cpu_kernels, "KERNELS", loaded)
    return loaded


@pytest.fixture(params=[1, 2, 5])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def make_block(channels: int, heads: int, window: Shape3, *, mutual: bool) -> Block:
    torch.manual_seed(channels)
    block = Block(channels, window, heads, BiasCache(), mutual=mutual, mlp_ratio=2.0, drop_path=0.0).eval()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.2)
    nn.init.normal_(block.attention.bias_table)
    return block


def updated(block: Block, x: Tensor, *, shifted: bool) -> Tensor:
    attention = block.attention
    mutual = attention.mutual_qkv is not None
    batch, frames, height, width = x.shape[:4]
    layout = window_layout((batch, frames, height, width), attention.window, shifted, mutual, x.device)
    result = x.clone()
    with torch.inference_mode():
        block.update(result, layout)
    return result


def exactly(block: Block, x: Tensor, *, shifted: bool) -> Tensor:
    """What torch makes of it in float64, which the kernels leave alone."""
    return updated(copy.deepcopy(block).double(), x.double(), shifted=shifted).float()


@pytest.mark.parametrize("shifted", [False, True], ids=["aligned", "shifted"])
@pytest.mark.parametrize(("channels", "heads", "window", "size", "mutual"), BLOCKS)
@pytest.mark.usefixtures("kernels")
def test_a_block_is_what_torch_computes(
    channels: int, heads: int, window: Shape3, size: Size4, mutual: bool, shifted: bool
) -> None:
    block = make_block(channels, heads, window, mutual=mutual)
    x = torch.randn(*size, channels)
    expected = exactly(block, x, shifted=shifted)
    assert (expected - x).abs().max() > 0.1
    torch.testing.assert_close(updated(block, x, shifted=shifted), expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("mutual", [False, True])
@pytest.mark.parametrize("edge", [8, 40], ids=["few windows", "many windows"])
@pytest.mark.usefixtures("kernels", "threads")
def test_any_number_of_threads_computes_the_same(edge: int, mutual: bool) -> None:
    block = make_block(32, 2, (2, 8, 8), mutual=mutual)
    x = torch.randn(1, 4, edge, edge, 32)
    found = updated(block, x, shifted=True)
    torch.testing.assert_close(found, exactly(block, x, shifted=True), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("channels", [*range(4, 132, 12), 128, 144, 176, 240])
def test_any_number_of_channels_is_normalised_right(channels: int) -> None:
    block = make_block(channels, 2, (1, 2, 2), mutual=False)
    x = torch.randn(1, 1, 4, 4, channels) * 0.01 + 3
    x[0, 0, 0, 0] = 3.0  # nothing but its mean: only epsilon stands against a division by zero
    found = updated(block, x, shifted=False)
    torch.testing.assert_close(found, exactly(block, x, shifted=False), rtol=2e-3, atol=2e-3)


@pytest.mark.usefixtures("kernels")
def test_large_scores_do_not_overflow() -> None:
    block = make_block(32, 2, (2, 8, 8), mutual=False)
    with torch.no_grad():
        block.attention.qkv.weight.mul_(200)
    x = torch.randn(1, 2, 8, 8, 32)
    found = updated(block, x, shifted=False)
    # scores in the thousands: what float32 makes of them differs by their own rounding
    torch.testing.assert_close(found, exactly(block, x, shifted=False), rtol=1e-2, atol=1e-2)


@pytest.mark.usefixtures("kernels")
def test_what_is_not_a_number_stays_so_in_its_windows_and_nowhere_else() -> None:
    block = make_block(32, 2, (2, 8, 8), mutual=False)
    x = torch.randn(1, 2, 16, 16, 32)
    x[0, 0, 3, 5, 7] = float("nan")
    found = updated(block, x, shifted=False)
    assert found[:, :, :8, :8].isnan().all()
    assert not found[:, :, 8:].isnan().any()
    assert not found[:, :, :, 8:].isnan().any()


@pytest.mark.usefixtures("kernels")
def test_new_weights_are_used_at_once() -> None:
    block = make_block(32, 2, (2, 4, 4), mutual=False)
    x = torch.randn(1, 2, 8, 8, 32)
    updated(block, x, shifted=False)
    for parameter in block.parameters():
        parameter.data.neg_()
    expected = exactly(block, x, shifted=False)
    torch.testing.assert_close(updated(block, x, shifted=False), expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.usefixtures("kernels")
def test_weights_in_another_order_in_memory_are_read_right() -> None:
    block = make_block(32, 2, (2, 4, 4), mutual=False)
    x = torch.randn(1, 2, 8, 8, 32)
    expected = exactly(block, x, shifted=False)
    for layer in (block.attention.qkv, block.mlp.gate, block.mlp.output):
        layer.weight.data = layer.weight.data.t().contiguous().t()
    for parameter in (block.attention_norm.weight, block.mlp_norm.bias):
        parameter.data = torch.stack((parameter.data, torch.zeros(32)), 1)[:, 0]
    torch.testing.assert_close(updated(block, x, shifted=False), expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.usefixtures("kernels")
def test_a_part_of_a_wider_volume_is_updated_alone() -> None:
    block = make_block(32, 2, (2, 4, 4), mutual=False)
    wide = torch.randn(1, 2, 8, 8, 64)
    expected, before = exactly(block, wide[..., :32], shifted=False), wide.clone()
    layout = window_layout((1, 2, 8, 8), (2, 4, 4), False, False, wide.device)
    with torch.inference_mode():
        block.update(wide[..., :32], layout)
    torch.testing.assert_close(wide[..., :32], expected, rtol=TOLERANCE, atol=TOLERANCE)
    assert torch.equal(wide[..., 32:], before[..., 32:])


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("mutual", [False, True])
def test_a_layout_of_the_other_kind_is_refused(mutual: bool) -> None:
    block = make_block(32, 2, (2, 4, 4), mutual=mutual)
    layout = window_layout((1, 2, 8, 8), (2, 4, 4), False, not mutual, torch.device("cpu"))
    with torch.inference_mode(), pytest.raises(ValueError, match="pairs of frames"):
        block.update(torch.randn(1, 2, 8, 8, 32), layout)


@pytest.mark.parametrize("slope", [1.0, 0.1])
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("pictures", "height", "width", "inputs", "outputs"),
    [(1, 16, 24, 96, 432), (2, 9, 7, 13, 21), (3, 1, 1, 5, 3), (1, 1, 30, 40, 33), (5, 8, 8, 194, 96)],
)
def test_a_convolution_is_what_torch_computes(
    kernels: CPUKernels, pictures: int, height: int, width: int, inputs: int, outputs: int, slope: float
) -> None:
    torch.manual_seed(outputs)
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    x = torch.randn(pictures, height, width, inputs)
    exact = copy.deepcopy(layer).double()(x.permute(0, 3, 1, 2).double()).permute(0, 2, 3, 1)
    found = kernels.convolve(x, kernels.pack_convolution(layer), slope)
    expected = functional.leaky_relu(exact, slope).float()
    # the fast algorithm loses a digit: 3e-5 of what is of the order of 1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("added", [False, True], ids=["alone", "with a residual"])
@pytest.mark.parametrize(
    ("batch", "frames", "height", "width", "inputs", "outputs"),
    [(1, 5, 12, 16, 48, 48), (2, 3, 9, 7, 13, 21), (1, 1, 4, 4, 8, 8), (3, 2, 1, 5, 40, 32)],
)
def test_a_convolution_in_time_and_space_is_what_torch_computes(
    kernels: CPUKernels,
    batch: int,
    frames: int,
    height: int,
    width: int,
    inputs: int,
    outputs: int,
    added: bool,
) -> None:
    torch.manual_seed(outputs)
    layer = nn.Conv3d(inputs, outputs, 3, padding=1)
    x = torch.randn(batch, frames, height, width, inputs)
    residual = torch.randn(batch, frames, height, width, outputs) if added else None
    exact = copy.deepcopy(layer).double()(x.permute(0, 4, 1, 2, 3).double()).permute(0, 2, 3, 4, 1)
    expected = functional.relu(exact + residual if added else exact).float()
    found = kernels.convolve(x, kernels.pack_convolution(layer), slope=0.0, added=residual)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": (1, 2, 2)}, {"padding": 2, "dilation": 2}, {"bias": False}, {"groups": 2}],
    ids=str,
)
@pytest.mark.usefixtures("kernels")
def test_any_convolution_in_time_and_space_is_rectified_right(options: dict[str, Any]) -> None:
    torch.manual_seed(3)
    layer = SpaceTimeConvolution(100, 20, 3, **{"padding": 1, **options})  # wide: torch computes it whole
    x = torch.randn(2, 100, 3, 8, 9)
    expected = functional.relu(copy.deepcopy(layer).double()(x.double()))
    added = torch.randn_like(expected)
    with torch.inference_mode():
        torch.testing.assert_close(layer.rectified(x), expected.float(), rtol=0, atol=1e-4)
        found = layer.rectified(x, added.float())
    exact = copy.deepcopy(layer).double()(x.double())
    torch.testing.assert_close(found, functional.relu(exact + added).float(), rtol=0, atol=1e-4)


def test_shapes_that_do_not_fit_are_refused(kernels: CPUKernels) -> None:
    flat = kernels.pack_convolution(nn.Conv2d(12, 4, 3, padding=1))
    deep = kernels.pack_convolution(nn.Conv3d(4, 4, 3, padding=1))
    x = torch.zeros(1, 2, 8, 8, 12)
    for pictures, convolution in ((x[0], deep), (x, deep), (x, flat), (x[0, ..., :4], flat)):
        with pytest.raises(ValueError, match="shape"):
            kernels.convolve(pictures, convolution)
    with pytest.raises(ValueError, match="shape"):
        kernels.convolve(x[0], flat, added=torch.zeros(2, 8, 8, 1))
    with pytest.raises(ValueError, match="shape"):
        kernels.join_warped(x[0], x[0], torch.zeros(2, 8, 8, 2))
    with pytest.raises(ValueError, match="no such convolution"):
        kernels.pack_convolution(nn.Conv2d(12, 4, 5, padding=2))


def test_an_infinite_sum_is_rectified_to_zero_or_stays(kernels: CPUKernels) -> None:
    layer = nn.Conv2d(1, 1, 3, padding=1)
    with torch.no_grad():
        layer.bias.fill_(-math.inf)
    packed = kernels.pack_convolution(layer)
    assert (kernels.convolve(torch.zeros(1, 4, 4, 1), packed, slope=0.0) == 0).all()
    assert (kernels.convolve(torch.zeros(1, 4, 4, 1), packed, slope=0.1) == -math.inf).all()


@pytest.mark.parametrize("where", [math.nan, math.inf, -math.inf, 1e30])
def test_a_flow_to_nowhere_reads_zeros(kernels: CPUKernels, where: float) -> None:
    weights = kernels.pack(torch.randn(16, 9 * 16), torch.arange(16.0))
    source = cpu_kernels.with_border(torch.randn(1, 6, 7, 16))
    learned, flow = torch.zeros(1, 6, 7, 27 * 2), torch.zeros(1, 6, 7, 2)
    flow[0, 2, 3, 0] = where
    found = kernels.convolve_samples(source, learned, flow, weights, groups=2, reach_px=4.0)
    assert torch.equal(found[0, 2, 3], torch.arange(16.0))  # the bias alone
    assert not torch.equal(found[0, 2, 4], torch.arange(16.0))
    assert found.isfinite().all()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("reach_px", [0.5, 40.0], ids=["near", "far outside"])
@pytest.mark.parametrize(
    ("channels", "groups", "height", "width"),
    [(96, 16, 12, 10), (48, 4, 9, 14), (40, 5, 1, 6), (16, 16, 7, 1), (8, 1, 5, 5), (6, 2, 5, 5)],
)
@pytest.mark.usefixtures("kernels")
def test_alignment_is_what_torch_computes(
    channels: int, groups: int, height: int, width: int, reach_px: float
) -> None:
    torch.manual_seed(channels)
    layer = GuidedDeformableConvolution(channels, groups, reach_px).eval()
    nn.init.normal_(layer.offset_head.weight, std=0.02)
    nn.init.normal_(layer.bias)
    frames = torch.randn(4, height, width, channels)
    pairs = [(1, 0), (2, 1), (0, 1), (3, 2), (3, 0)]
    flow = torch.randn(len(pairs), height, width, 2) * 3
    flow[0] = flow[0].round()  # on pixels, where the neighbours' shares are 0 and 1
    with torch.inference_mode():
        found = torch.stack(layer.align_pairs(frames, pairs, flow))
        sources, targets = (frames.double()[[pair[side] for pair in pairs]] for side in (0, 1))
        expected = copy.deepcopy(layer).double()(sources, targets, flow.double()).float()
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-4 if reach_px > 1 else 5e-5)


def test_gradients_and_other_precisions_go_through_torch(kernels: CPUKernels, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the kernels were asked")

    for name in ("update_block", "convolve", "join_warped", "convolve_samples"):
        monkeypatch.setattr(kernels, name, refuse)
    x = torch.randn(4)
    assert cpu_kernels.kernels_for(x) is None
    with torch.inference_mode():
        assert cpu_kernels.kernels_for(x) is kernels
        assert cpu_kernels.kernels_for(x.double()) is None
        assert cpu_kernels.kernels_for(x, x.bfloat16()) is None
        with torch.autocast("cpu", torch.bfloat16):
            assert cpu_kernels.kernels_for(x) is None
        with pytest.raises(AssertionError, match="were asked"):
            updated(make_block(32, 2, (2, 4, 4), mutual=False), torch.randn(1, 2, 4, 4, 32), shifted=False)


def test_lack_of_memory_is_a_memory_error(kernels: CPUKernels, monkeypatch) -> None:
    packed = kernels.pack_convolution(nn.Conv2d(3, 3, 3, padding=1))
    monkeypatch.setattr(kernels, "_library", SimpleNamespace(convolve=lambda *_: 1))
    with pytest.raises(MemoryError, match="not enough memory"):
        kernels.convolve(torch.zeros(1, 4, 4, 3), packed)


@pytest.mark.skipif(not LIBRARIES, reason="no kernels were compiled for this processor")
def test_kernels_of_another_version_are_left_alone_and_said_so(monkeypatch, caplog) -> None:
    monkeypatch.setattr(structures, "VERSION", structures.VERSION + 1)
    with caplog.at_level(logging.WARNING):
        assert load_fastest() is None
    assert len(caplog.records) == len(LIBRARIES)
    assert "install the package again" in caplog.text


def test_a_library_that_is_none_is_left_alone(monkeypatch, caplog, tmp_path: Path) -> None:
    broken = tmp_path / "avx512.so"
    broken.write_text("not a library")
    monkeypatch.setattr(cpu_kernels, "compiled_libraries", lambda: [broken])
    assert load_fastest() is None
    assert "avx512.so" in caplog.text
