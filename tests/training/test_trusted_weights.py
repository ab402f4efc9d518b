"""Weights are numbers of the network that a file claims, or the file is refused."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from engine.errors import CheckpointError, EngineError, FrameValuesError
from engine.model import ModelCard, VRTSpike, load_model, load_weights, save_model
from engine.model.config import config_to_dict
from engine.model.optical_flow import warp_frames
from engine.model_files import METADATA_KEY
from tests.training.conftest import TINY_NETWORK, TINY_VOXELS
from training.__main__ import main
from training.example import Example
from training.losses import VGG_CONVOLUTIONS, load_vgg
from training.resuming import LastCheckpoint

Make = Callable[..., Any]
SPOILT = "vrt.last_convolution.weight"


@pytest.fixture
def network() -> VRTSpike:
    torch.manual_seed(2)
    return VRTSpike(TINY_NETWORK).eval()


def spoil(network: VRTSpike, value: float) -> VRTSpike:
    with torch.no_grad():
        network.get_parameter(SPOILT).view(-1)[7] = value
    return network


VALUES = pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])


@VALUES
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_files_of_weights_that_are_no_numbers_are_refused_by_name(
    network: VRTSpike, tmp_path: Path, value: float, suffix: str
) -> None:
    path = tmp_path / f"bad{suffix}"
    spoil(network, value)
    if suffix == ".safetensors":
        save_model(path, network, TINY_VOXELS, ModelCard(name="bad"))
    else:
        torch.save({"spike_deblur": run_entry(), "state_dict": network.state_dict()}, path)

    with pytest.raises(
        CheckpointError, match=rf"bad{suffix}: .*NaN or infinite \(found 1 of \d+ in {SPOILT}\)"
    ):
        load_model(path)


def run_entry() -> dict[str, Any]:
    spec = TINY_VOXELS
    return {
        "network": json.loads(json.dumps(config_to_dict(TINY_NETWORK))),
        "voxels": {"bins": spec.bins, "transform": spec.transform, "mean": spec.mean, "std": spec.std},
        "skipped_steps": 0,
        "scores": {},
    }


def test_a_runs_checkpoint_brings_its_own_voxels(network: VRTSpike, tmp_path: Path) -> None:
    torch.save({"spike_deblur": run_entry(), "state_dict": network.state_dict()}, tmp_path / "best.ckpt")

    assert load_model(tmp_path / "best.ckpt").voxel_spec == TINY_VOXELS


@VALUES
def test_training_does_not_start_from_them(
    network: VRTSpike, tmp_path: Path, tiny_config: Path, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(spoil(network, value).state_dict(), tmp_path / "bad.pth")

    status = main(["fit", "--config", str(tiny_config), "--model.init", str(tmp_path / "bad.pth")])

    assert status == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"{tmp_path / 'bad.pth'}: ")
    assert SPOILT in last
    assert not (tmp_path / "run").exists()


def test_nothing_is_exported_from_them(
    network: VRTSpike, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {f"network.{name}": value for name, value in spoil(network, float("nan")).state_dict().items()}
    torch.save({"spike_deblur": run_entry(), "state_dict": state, "global_step": 3}, tmp_path / "last.ckpt")

    status = main(["export", str(tmp_path / "last.ckpt"), str(tmp_path / "out.safetensors")])

    assert status == 1
    assert SPOILT in capsys.readouterr().err
    assert not (tmp_path / "out.safetensors").exists()


def test_a_run_does_not_go_on_from_them(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path
) -> None:
    tiny_trainer(LastCheckpoint(1), max_steps=1).fit(tiny_task(), datamodule=tiny_data())
    last = tmp_path / "run" / "last.ckpt"
    state = torch.load(last, weights_only=True)
    state["state_dict"][f"network.{SPOILT}"].view(-1)[0] = float("inf")
    torch.save(state, last)

    with pytest.raises(CheckpointError, match=rf"last\.ckpt: .*network\.{SPOILT}"):
        tiny_trainer(LastCheckpoint(1), max_steps=2).fit(
            tiny_task(), datamodule=tiny_data(), ckpt_path=last, weights_only=True
        )


def test_weights_of_the_perceptual_loss_are_numbers(tmp_path: Path) -> None:
    state = {}
    for place, inputs, outputs in VGG_CONVOLUTIONS:
        state[f"features.{place}.weight"] = torch.zeros(outputs, inputs, 3, 3)
        state[f"features.{place}.bias"] = torch.zeros(outputs)
    state["features.7.bias"][3] = float("nan")
    torch.save(state, tmp_path / "vgg.pth")

    with pytest.raises(EngineError, match=r"features\.7\.bias"):
        load_vgg(tmp_path / "vgg.pth")


# ------------------------------------------------------------------ divergence


def test_divergence_names_the_learning_rate_and_saves_nothing(
    tiny_config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["fit", "--config", str(tiny_config), "--model.schedule.rate", "1e30"])

    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 1
    assert "diverged" in last
    assert "Lower --model.schedule.rate (it is 1e+30)" in last
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_divergence_that_shows_in_a_sequence_is_not_blamed_on_a_frame(
    tiny_task: Make, tiny_trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tiny_task()
    tiny_trainer().strategy.connect(task)
    task._trainer = tiny_trainer()

    def broken(*_: Any) -> None:
        raise FrameValuesError("values that are not numbers for frame 0001", advice="Leave this frame out")

    monkeypatch.setattr("training.task.score_span", broken)

    from engine.source import SequenceSource
    from training.clip_batches import SequenceSpan

    with pytest.raises(EngineError, match=r"diverged.*--model\.schedule\.rate") as told:
        task.validation_step(SequenceSpan(SequenceSource("clip"), "clip", 0, 2, 0), 0)
    assert "0001" not in str(told.value)


def test_coordinates_that_are_no_numbers_do_not_end_the_process() -> None:
    """In a process of its own: where torch is not kept from them, it ends by SIGSEGV or spoils memory."""
    program = (
        "import torch\n"
        "from engine.model.optical_flow import warp_frames\n"
        "for size in (1, 4, 16, 37):\n"
        "    for value in (float('nan'), float('inf'), -float('inf')):\n"
        "        source = torch.randn(2, 8, size, size, requires_grad=True)\n"
        "        flow = torch.randn(2, 2, size, size)\n"
        "        flow[0, :, 0, 0] = value\n"
        "        flow[1] = value\n"
        "        flow.requires_grad_()\n"
        "        warp_frames(source, flow).sum().backward()\n"
        "        assert source.grad.isfinite().all()\n"
        "print('done')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)

    assert (ended.returncode, ended.stdout.strip()) == (0, "done"), ended.stderr[-500:]


def test_frames_warp_as_before_where_coordinates_are_numbers() -> None:
    source, flow = torch.rand(1, 2, 6, 7), 4 * torch.randn(1, 2, 6, 7)

    warped = warp_frames(source, flow)

    for y, x in np.ndindex(6, 7):
        at_x = min(max(x + float(flow[0, 0, y, x]), 0), 6)
        at_y = min(max(y + float(flow[0, 1, y, x]), 0), 5)
        left, top = min(int(at_x), 5), min(int(at_y), 4)
        across, down = at_x - left, at_y - top
        corner = source[0, :, top : top + 2, left : left + 2]
        rows = corner[:, :, 0] * (1 - across) + corner[:, :, 1] * across
        expected = rows[:, 0] * (1 - down) + rows[:, 1] * down
        torch.testing.assert_close(warped[0, :, y, x], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pictures_that_are_no_numbers_are_no_example(value: float) -> None:
    good = np.zeros((1, 4, 4, 3), np.float32)
    bad = good.copy()
    bad[0, 1, 1, 1] = value
    counts, windows = np.zeros((1, 4, 4, 4), np.uint8), np.array([[0.0, 16.0]])

    with pytest.raises(ValueError, match="reference holds values that are NaN or infinite"):
        Example(good, bad, counts, windows)


# ------------------------------------------------------------------ claims


def write_claim(path: Path, state: Mapping[str, torch.Tensor], **changes: Any) -> None:
    config = config_to_dict(TINY_NETWORK)
    config["vrt"] = {**config["vrt"], **changes}
    about = {
        "format_version": 1,
        "config": config,
        "voxel_spec": vars(TINY_VOXELS),
        "card": {"name": "claim"},
    }
    safetensors.torch.save_file(dict(state), path, {METADATA_KEY: json.dumps(about)})


@pytest.mark.parametrize(
    "changes",
    [
        {"embed_dims": (49152,) * 8},
        {"depths": (10**9,) * 8},
        {"flow_widths": (10**6,) * 4},
        {"mlp_ratio": 1e6},
        {"window_size": (2, 400, 400)},
    ],
    ids=str,
)
def test_a_network_larger_than_its_file_is_refused_before_it_is_made(
    network: VRTSpike, tmp_path: Path, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_claim(tmp_path / "claim.safetensors", network.state_dict(), **changes)
    made: list[torch.device] = []
    first = torch.nn.Conv2d.reset_parameters

    def noted(layer: torch.nn.Conv2d) -> None:
        made.append(layer.weight.device)
        first(layer)

    monkeypatch.setattr(torch.nn.Conv2d, "reset_parameters", noted)

    with pytest.raises(CheckpointError, match=r"claim\.safetensors: "):
        load_model(tmp_path / "claim.safetensors")

    assert all(device.type == "meta" for device in made)


def test_values_that_a_file_does_not_hold_are_refused(network: VRTSpike, tmp_path: Path) -> None:
    state = {**network.state_dict(), SPOILT: torch.zeros(1).expand(10**6, 10**6)}
    torch.save(state, tmp_path / "hollow.pth")

    with pytest.raises(CheckpointError, match=rf"claim more values.*{SPOILT}"):
        load_model(tmp_path / "hollow.pth")


def test_a_suffix_in_capitals_is_the_same(network: VRTSpike, tmp_path: Path) -> None:
    save_model(tmp_path / "X.SAFETENSORS", network, TINY_VOXELS, ModelCard(name="x"))

    loaded = load_model(tmp_path / "X.SAFETENSORS")

    assert loaded.card.name == "x"
    load_weights(network, loaded.model.state_dict())
