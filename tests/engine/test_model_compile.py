"""What torch.compile makes of the blocks: whole graphs, in training and out of it, with the eager numbers."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from engine.model import VRTConfig, VRTSpikeConfig, build
from engine.model.attention import BiasCache, BlockGroup
from engine.model.deformable import GuidedDeformableConvolution
from engine.model.spike_branch import SpikeBranch, SpikeFusion

CHANNELS = 12
# Traces and differentiates as every backend does, and needs no compiler.
BACKEND = "aot_eager"


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    torch.manual_seed(3)
    yield
    torch._dynamo.reset()


def group(*, mutual: bool) -> BlockGroup:
    """Two blocks, of which one has shifted windows; more are the same again."""
    window = (2, 4, 4) if mutual else (4, 4, 4)
    made = BlockGroup(CHANNELS, window, 2, BiasCache(), mutual=mutual, mlp_ratio=2.0, drop_paths=(0.0, 0.0))
    return randomised(made)


def randomised(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return module


def compiled(module: nn.Module) -> nn.Module:
    return torch.compile(module, backend=BACKEND, fullgraph=True)


def gradients(module: nn.Module, *inputs: torch.Tensor) -> list[torch.Tensor]:
    module.zero_grad()
    module(*inputs).square().mean().backward()
    return [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("mutual", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_blocks_are_one_graph_and_give_the_same(mutual: bool, training: bool) -> None:
    eager = group(mutual=mutual).train(training)
    x = torch.rand(1, 4, 9, 8, CHANNELS)
    whole = compiled(eager)
    torch.testing.assert_close(whole(x), eager(x), rtol=0, atol=2e-6)
    with torch.inference_mode():
        torch.testing.assert_close(whole(x), eager(x), rtol=0, atol=2e-6)


@pytest.mark.parametrize("mutual", [True, False])
def test_compiled_blocks_learn_the_same(mutual: bool) -> None:
    eager = group(mutual=mutual).train()
    x = torch.rand(1, 4, 8, 8, CHANNELS)
    expected = gradients(eager, x)
    for found, wanted in zip(gradients(compiled(eager), x), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_checkpointing_drop_path_and_compiling_agree() -> None:
    made = BlockGroup(CHANNELS, (2, 4, 4), 2, BiasCache(), mutual=True, mlp_ratio=2.0, drop_paths=(0.5, 0.5))
    eager = randomised(made).train()
    x = torch.rand(4, 2, 8, 8, CHANNELS)
    torch.manual_seed(11)
    expected = gradients(eager, x)
    eager.checkpointing = True
    torch.manual_seed(11)
    for found, wanted in zip(gradients(eager, x), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    torch.manual_seed(11)
    for found, wanted in zip(gradients(compiled(eager), x), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mutual", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_blocks_stay_one_graph_when_sizes_change(mutual: bool, training: bool) -> None:
    eager = group(mutual=mutual).train(training)
    whole = compiled(eager)  # a break would raise
    with torch.set_grad_enabled(training):
        for size in ((1, 4, 8, 8), (2, 4, 8, 20), (1, 6, 9, 7)):  # every axis changes; the last needs padding
            x = torch.rand(*size, CHANNELS)
            torch.testing.assert_close(whole(x), eager(x), rtol=0, atol=2e-6)


@pytest.mark.parametrize("training", [True, False])
def test_the_alignment_is_one_graph(training: bool) -> None:
    eager = randomised(GuidedDeformableConvolution(CHANNELS, 3, 5.0)).train(training)
    source, target, flow = (
        torch.rand(2, 6, 7, CHANNELS),
        torch.rand(2, 6, 7, CHANNELS),
        torch.randn(2, 6, 7, 2),
    )
    with torch.set_grad_enabled(training):
        found, expected = compiled(eager)(source, target, flow), eager(source, target, flow)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


def test_the_whole_network_compiles_to_the_same_picture() -> None:
    config = VRTSpikeConfig(
        vrt=VRTConfig(
            window_size=(2, 4, 4),
            depths=(1,) * 8,
            indep_reconsts=(7,),
            embed_dims=(8,) * 8,
            num_heads=(2,) * 8,
            deformable_groups=2,
            flow_widths=(4, 4, 4, 4),
            drop_path=0.0,
        ),
        spike_bins=3,
        channels_per_scale=(8, 8, 8, 8),
    )
    network = randomised(build(config)).eval()
    assert any(isinstance(part, SpikeBranch) for part in network.modules())
    assert any(isinstance(part, SpikeFusion) for part in network.modules())
    inputs = torch.rand(1, 2, 3, 16, 24), torch.rand(1, 2, 3, 16, 24)
    with torch.no_grad():
        expected = network(*inputs)
        found = compiled(network)(*inputs)
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-5)
    network.train()
    expected_gradients = gradients(network, *inputs)
    for of_compiled, wanted in zip(gradients(compiled(network), *inputs), expected_gradients, strict=True):
        torch.testing.assert_close(of_compiled, wanted, rtol=1e-3, atol=1e-6)
