"""The network on a CUDA device: the same pictures in single precision, near ones in half of it."""

import pytest
import torch

from engine.model import PRESETS, build

SIZE = (1, 4, 3, 64, 96)


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(5)
    made = build(PRESETS["vrt-spike-small"]).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return made


@pytest.fixture(scope="module")
def inputs(network: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(6)
    bins = network.config.spike_bins
    return torch.rand(SIZE), torch.rand(SIZE[0], SIZE[1], bins, 32, 48)


@pytest.fixture(scope="module")
def exact(network: torch.nn.Module, inputs: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """In double precision, on the CPU."""
    with torch.no_grad():
        result = network.double()(*(each.double() for each in inputs))
    network.float()
    return result


@pytest.mark.gpu
@pytest.mark.parametrize("way", ["eager", "compiled"])
def test_single_precision_gives_the_same_pictures(network, inputs, exact, way) -> None:
    on_gpu = network.to("cuda")
    run = torch.compile(on_gpu) if way == "compiled" else on_gpu
    with torch.no_grad():
        found = run(*(each.cuda() for each in inputs)).cpu()
    torch.testing.assert_close(found.double(), exact, rtol=0, atol=2e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("way", ["eager", "compiled"])
def test_half_precision_is_near(network, inputs, exact, way) -> None:
    on_gpu = network.to("cuda")
    run = torch.compile(on_gpu) if way == "compiled" else on_gpu
    with torch.no_grad(), torch.autocast("cuda", torch.bfloat16):
        found = run(*(each.cuda() for each in inputs)).float().cpu()
    difference = (found.double() - exact).square().mean()
    assert float(-10 * torch.log10(difference)) > 50
