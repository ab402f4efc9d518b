"""The network against results of the published implementation."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.model import VRT, VRTConfig, VRTSpike, VRTSpikeConfig, load_weights

OUTPUT_TOLERANCE = 1e-4
FLOW_TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def vectors(shared_golden: Path) -> ModuleType:
    """The reader that comes with the vectors."""
    spec = importlib.util.spec_from_file_location("golden_vectors", shared_golden / "vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks its own module up
    spec.loader.exec_module(module)
    return module


class Recorder:
    """Keeps what modules return, by name."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def watch(self, name: str, module: torch.nn.Module) -> None:
        module.register_forward_hook(lambda _module, _inputs, output: self._keep(name, output))

    def _keep(self, name: str, output: Any) -> None:
        self.seen[name] = output


def distance(ours: Tensor, stored: Any) -> float:
    reference = torch.from_numpy(stored)
    assert ours.shape == reference.shape
    return float((ours - reference).norm() / reference.norm())


def every_eighth_channel(features: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B, C / 8, T, H, W), as the vectors keep features."""
    return features.permute(0, 4, 1, 2, 3)[:, ::8]


@pytest.mark.shared
@pytest.mark.usefixtures("cpu_way")
@pytest.mark.parametrize("name", ["vrt_small", "vrt_gopro"])
def test_vrt_agrees_with_the_published_results(vectors: ModuleType, shared_golden: Path, name: str) -> None:
    vector = vectors.load_vector(shared_golden / f"{name}.npz")
    model = VRT(VRTConfig(**vector.config["vrt"])).eval()
    load_weights(model, vector.state())
    recorder = Recorder()
    recorder.watch("flow", model.flow)
    for index, stage in enumerate(model.stages, start=1):
        recorder.watch(f"stage{index}", stage)
    recorder.watch("stage8", model.reconstruction[-1])

    with torch.inference_mode():
        output = model(vector.frames())

    pairs = vector.config["input_shape"][1] - 1
    for scale, flow in enumerate(recorder.seen["flow"]):
        assert distance(flow[:pairs], vector.results[f"flow_backward_{scale}"]) <= FLOW_TOLERANCE
    for index in range(1, 9):
        ours = every_eighth_channel(recorder.seen[f"stage{index}"])
        assert distance(ours, vector.results[f"stage{index}"]) <= OUTPUT_TOLERANCE, f"stage {index}"
    assert distance(output, vector.results["output"]) <= OUTPUT_TOLERANCE


@pytest.mark.shared
@pytest.mark.usefixtures("cpu_way")
@pytest.mark.parametrize("name", ["vrt_spike_small", "vrt_spike_full"])
def test_spike_network_agrees_with_the_reference_system(
    vectors: ModuleType, shared_golden: Path, name: str
) -> None:
    vector = vectors.load_vector(shared_golden / f"{name}.npz")
    config = VRTSpikeConfig(
        vrt=VRTConfig(**vector.config["vrt"]),
        spike_bins=vector.config["spike_bins"],
        channels_per_scale=vector.config["channels_per_scale"],
    )
    model = VRTSpike(config).eval()
    load_weights(model, vector.state())
    recorder = Recorder()
    recorder.watch("spike_encoder", model.spikes.encoder)
    recorder.watch("spike_attention", model.spikes)
    for index, fusion in enumerate(model.fusion, start=1):
        recorder.watch(f"fused{index}", fusion)

    with torch.inference_mode():
        output = model(vector.frames(), vector.voxels())

    for scale in range(1, 5):
        for part in ("spike_encoder", "spike_attention"):
            ours = every_eighth_channel(recorder.seen[part][scale - 1])
            assert distance(ours, vector.results[f"{part}{scale}"]) <= OUTPUT_TOLERANCE, f"{part}{scale}"
        ours = every_eighth_channel(recorder.seen[f"fused{scale}"])
        assert distance(ours, vector.results[f"fused{scale}"]) <= OUTPUT_TOLERANCE, f"fused{scale}"
    assert distance(output, vector.results["output"]) <= OUTPUT_TOLERANCE
