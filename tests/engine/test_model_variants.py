"""Every faster or leaner way through the network gives what the plain one gives."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.model.attention as attention
import engine.model.deformable as deformable
import engine.model.spike_branch as spike_branch
from engine.errors import ModelError
from engine.model import VRT, VRTConfig, VRTSpike, VRTSpikeConfig, build
from engine.model.attention import BlockGroup
from engine.model.deformable import deformable_convolution

PLAIN = VRTConfig(
    window_size=(2, 4, 4),
    depths=(2,) * 7 + (1, 1),
    indep_reconsts=(8,),
    embed_dims=(8,) * 7 + (12,) * 2,
    num_heads=(2,) * 9,
    deformable_groups=2,
    flow_widths=(4, 4, 4, 4),
    drop_path=0.0,
)
SPIKED = VRTSpikeConfig(vrt=PLAIN, spike_bins=3, channels_per_scale=(8, 8, 8, 8))


@pytest.fixture(scope="module")
def network() -> VRTSpike:
    torch.manual_seed(1)
    made = build(SPIKED).eval()
    with torch.no_grad():  # so that offsets, biases and all else do something
        for parameter in made.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    assert isinstance(made, VRTSpike)
    return made


@pytest.fixture(scope="module")
def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.rand(1, 3, 3, 24, 40, generator=generator), torch.rand(1, 3, 3, 12, 20, generator=generator)


def plain(network: VRTSpike, inputs: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """The way that training goes: gradients on, everything at once."""
    with torch.enable_grad():
        return network(*inputs).detach()


def restored(network: VRTSpike, inputs: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    with torch.inference_mode():
        return network(*inputs).clone()


@pytest.mark.usefixtures("cpu_way")
@pytest.mark.parametrize("threads", [1, 3])
def test_restoring_is_what_training_computes(network, inputs, threads) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = restored(network, inputs)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(found, plain(network, inputs), rtol=0, atol=2e-5)


@pytest.mark.usefixtures("cpu_way")
@pytest.mark.parametrize("tokens", [1, 100, 10**9])
def test_few_windows_at_a_time_change_nothing(network, inputs, monkeypatch, tokens) -> None:
    monkeypatch.setattr(attention, "TOKENS_AT_A_TIME", tokens)
    torch.testing.assert_close(restored(network, inputs), plain(network, inputs), rtol=0, atol=2e-5)


@pytest.mark.usefixtures("cpu_way")
@pytest.mark.parametrize("budget", [1, 50_000, 10**9])
def test_few_pictures_at_a_time_change_nothing(network, inputs, monkeypatch, budget) -> None:
    expected = plain(network, inputs)
    for name in ("POINT_BYTES", "COLUMN_BYTES"):
        monkeypatch.setattr(deformable, name, budget)
    torch.testing.assert_close(restored(network, inputs), expected, rtol=0, atol=2e-5)


def test_half_precision_on_a_cpu_aligns_few_pictures_at_a_time_too(network, inputs, monkeypatch) -> None:
    pictures = []
    forward = deformable.GuidedDeformableConvolution.forward

    def counted(self, source, *others):
        pictures.append(len(source))
        return forward(self, source, *others)

    monkeypatch.setattr(deformable.GuidedDeformableConvolution, "forward", counted)
    monkeypatch.setattr(deformable, "POINT_BYTES", 1)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        halved = network(*inputs)
    assert set(pictures) == {1}
    torch.testing.assert_close(halved.float(), plain(network, inputs), rtol=0, atol=2e-2)


def test_few_pixels_of_the_spikes_at_a_time_change_nothing(network, inputs, monkeypatch) -> None:
    calls = []
    attend_in_time = spike_branch._attend_in_time

    def counted(query, *others):
        calls.append(query.shape[2])
        return attend_in_time(query, *others)

    monkeypatch.setattr(spike_branch, "_attend_in_time", counted)
    expected = plain(network, inputs)
    at_once = len(calls)
    monkeypatch.setattr(spike_branch, "TOKEN_BUDGET", 100)
    torch.testing.assert_close(restored(network, inputs), expected, rtol=0, atol=2e-5)
    assert len(calls) > 4 * at_once
    assert max(calls[at_once:]) <= 100 // inputs[0].shape[1]
    torch.testing.assert_close(plain(network, inputs), expected, rtol=0, atol=2e-5)


def test_checkpointing_changes_neither_result_nor_gradients(network, inputs) -> None:
    def gradients(checkpointing: bool) -> list[torch.Tensor]:
        for module in network.modules():
            if isinstance(module, BlockGroup):
                module.checkpointing = checkpointing
        network.zero_grad()
        network(*inputs).square().mean().backward()
        return [parameter.grad.clone() for parameter in network.parameters() if parameter.grad is not None]

    try:
        for without, with_it in zip(gradients(False), gradients(True), strict=True):
            torch.testing.assert_close(with_it, without, rtol=1e-4, atol=1e-7)
    finally:
        for module in network.modules():
            if isinstance(module, BlockGroup):
                module.checkpointing = False
        network.zero_grad()


@pytest.mark.parametrize("weights", ["fresh", "all different from zero"])
def test_bf16_differs_by_less_than_is_seen(network, inputs, weights) -> None:
    torch.manual_seed(5)
    fast, exact = build(SPIKED).eval(), build(SPIKED).eval()
    if weights != "fresh":
        fast.load_state_dict(network.state_dict())
    exact.load_state_dict(fast.state_dict())
    with torch.inference_mode():
        with torch.autocast("cpu", torch.bfloat16):
            found = fast(*inputs).float()
        reference = exact.double()(*(x.double() for x in inputs)).float()
    error = (found - reference).square().mean()
    assert -10 * torch.log10(error) > 50


def test_bf16_keeps_what_passes_all_blocks_in_float32(network, inputs) -> None:
    kinds: dict[str, torch.dtype] = {}

    def watch(name: str, module: torch.nn.Module) -> torch.utils.hooks.RemovableHandle:
        def note(_module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
            kinds[name] = (output[0] if isinstance(output, list | tuple) else output).dtype

        return module.register_forward_hook(note)

    handles = [
        watch(name, module)
        for name, module in network.named_modules()
        if isinstance(module, BlockGroup) or name.endswith(("flow", "norm", "narrow", "convolution"))
    ]
    try:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            kinds["output"] = network(*inputs).dtype
    finally:
        for handle in handles:
            handle.remove()
    assert len(kinds) > 20
    assert {name: kind for name, kind in kinds.items() if kind != torch.float32} == {}


def test_blocks_are_dropped_in_training_without_gradients_too() -> None:
    torch.manual_seed(7)
    group = BlockGroup(
        8, (2, 4, 4), 2, attention.BiasCache(), mutual=True, mlp_ratio=2.0, drop_paths=(0.5, 0.5)
    )
    x = torch.rand(8, 2, 8, 8, 8)

    def both_ways() -> list[torch.Tensor]:
        results = []
        for with_gradients in (True, False):
            torch.manual_seed(8)
            with torch.set_grad_enabled(with_gradients):
                results.append(group(x).detach())
        return results

    torch.testing.assert_close(*both_ways(), rtol=0, atol=1e-6)
    torch.manual_seed(9)
    with torch.no_grad():
        assert not torch.allclose(group(x), group.eval()(x), atol=1e-4)


def test_a_batch_is_its_samples(network, inputs) -> None:
    others = tuple(torch.flip(x, (-1,)) for x in inputs)
    together = restored(network, tuple(torch.cat(pair) for pair in zip(inputs, others, strict=True)))
    one_by_one = torch.cat((restored(network, inputs), restored(network, others)))
    torch.testing.assert_close(together, one_by_one, rtol=0, atol=2e-5)


@pytest.mark.parametrize("stride", [(1, 1, 1), (1, 2, 2), (2, 2, 2), (3, 1, 1)])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frame_by_frame_is_the_convolution_in_space_and_time(stride, frames) -> None:
    torch.manual_seed(6)
    layer = spike_branch.SpaceTimeConvolution(4, 6, 3, stride=stride, padding=1).double()
    x = torch.rand(2, 4, frames, 9, 7, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.conv3d(x, layer.weight, layer.bias, stride, 1)

    found = layer(x)

    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    ours, theirs = (torch.autograd.grad(y.square().sum(), (x, layer.weight)) for y in (found, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------ deformable convolution


def of_deformable(dtype: torch.dtype, size: int = 5) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)

    def random(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, dtype=dtype)

    # points away from whole pixels, where bilinear sampling has no gradient
    points = (random(2, 2, 9, size, size, 2) * size).floor() + 0.2 + 0.6 * random(2, 2, 9, size, size, 2)
    return [
        random(2, 4, size, size),
        points - 1,
        random(2, 2, 9, size, size),
        random(3, 4, 3, 3) - 0.5,
        random(3) - 0.5,
    ]


def test_gradients_of_the_deformable_convolution_are_right() -> None:
    arguments = [x.requires_grad_() for x in of_deformable(torch.float64, size=3)]
    assert torch.autograd.gradcheck(deformable_convolution, arguments, fast_mode=True)


def sampled(picture: torch.Tensor, x: float, y: float) -> float:
    """Bilinear by hand, zero outside."""
    total = 0.0
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < picture.shape[0] and 0 <= column < picture.shape[1]:
                total += (1 - abs(y - row)) * (1 - abs(x - column)) * float(picture[row, column])
    return total


def test_the_deformable_convolution_is_what_its_formula_says() -> None:
    x, points, mask, weight, bias = of_deformable(torch.float64)

    found = deformable_convolution(x, points, mask, weight, bias)

    for picture, row, column in ((0, 0, 0), (1, 2, 3), (0, 4, 4), (1, 4, 0)):
        for out in range(len(weight)):
            expected = float(bias[out])
            for channel in range(x.shape[1]):
                group = channel // (x.shape[1] // points.shape[1])
                for tap in range(9):
                    at = points[picture, group, tap, row, column].tolist()
                    scale = float(mask[picture, group, tap, row, column])
                    expected += (
                        float(weight[out, channel, tap // 3, tap % 3])
                        * scale
                        * sampled(x[picture, channel], *at)
                    )
            assert float(found[picture, row, column, out]) == pytest.approx(expected, abs=1e-12)


# ------------------------------------------------------------------ any input


@settings(max_examples=12, deadline=None)
@given(
    frames=st.integers(1, 4),
    height=st.integers(1, 37),
    width=st.integers(1, 37),
    down=st.sampled_from([(1, 1), (2, 2), (3, 1), (1, 4)]),
)
def test_any_size_comes_back_in_its_own(network, frames, height, width, down) -> None:
    blurry = torch.rand(1, frames, 3, height, width)
    voxels = torch.rand(1, frames, 3, max(1, height // down[0]), max(1, width // down[1]))
    output = restored(network, (blurry, voxels))
    assert output.shape == blurry.shape
    assert torch.isfinite(output).all()


@pytest.mark.parametrize(
    ("frames", "voxels"),
    [
        ((3, 3, 16, 16), (1, 3, 3, 8, 8)),
        ((1, 3, 4, 16, 16), (1, 3, 3, 8, 8)),
        ((1, 0, 3, 16, 16), (1, 0, 3, 8, 8)),
        ((1, 3, 3, 16, 16), (1, 3, 5, 8, 8)),
        ((1, 3, 3, 16, 16), (1, 2, 3, 8, 8)),
        ((1, 3, 3, 16, 16), (3, 3, 8, 8)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_shape(network, frames, voxels) -> None:
    with pytest.raises(ModelError) as told:
        network(torch.rand(frames), torch.rand(voxels))
    message = str(told.value)
    assert str(frames) in message
    assert "expected" in message


def test_without_spikes_it_is_simply_the_transformer(network, inputs) -> None:
    alone = VRT(PLAIN).eval()
    alone.load_state_dict(network.vrt.state_dict())
    silent = build(SPIKED).eval()
    silent.load_state_dict(network.state_dict())
    with torch.inference_mode():
        silenced = silent.vrt.restore(inputs[0], lambda _stage, features: features)
        np.testing.assert_array_equal(alone(inputs[0]).numpy(), silenced.numpy())
