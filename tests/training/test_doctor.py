"""The doctor: figures that can be checked, and configurations made to fit."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from engine.errors import EngineError
from engine.model import VRTSpikeConfig
from engine.model.checkpoint import build
from training.__main__ import main
from training.doctor import (
    Plan,
    apply_plan,
    fit_to,
    missing_from,
    needed_bytes,
    plan_of,
    predict,
    read_config,
)
from training.footprint import Footprint, measure_network
from training.machine import Machine, disk_write_mb_s, measure_machine, product_gflops

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
GIB = 2**30
MACHINE = Machine(
    device="test",
    accelerator="gpu",
    devices=1,
    cores=8,
    memory_bytes=16 * GIB,
    main_memory_bytes=32 * GIB,
    program_bytes=GIB // 2,
    fp32_gflops=1000.0,
    bf16_gflops=4000.0,
    disk_free_bytes=100 * GIB,
    disk_write_mb_s=500.0,
)
PLAN = Plan(
    batch_size=4,
    accumulate=2,
    frames=6,
    crop_px=256,
    checkpointing=False,
    precision="32-true",
    workers=4,
    cache_mib=2048,
    accelerator="gpu",
    devices=1,
)
FOOTPRINT = Footprint(
    weights_bytes=100 * 2**20, activation_bytes=GIB // 2, checkpointed_bytes=GIB // 10, flop=1e11
)


def test_what_a_step_needs_grows_with_batch_and_pixels() -> None:
    machine = replace(MACHINE, program_bytes=0)
    plain, checkpointed = 500 * 2**20 + 4 * 16 * (GIB // 2), 500 * 2**20 + 4 * 16 * (GIB // 10)

    assert needed_bytes(PLAN, FOOTPRINT, machine) == pytest.approx(1.3 * plain)
    assert needed_bytes(replace(PLAN, checkpointing=True), FOOTPRINT, machine) == pytest.approx(
        1.3 * checkpointed
    )


def test_the_program_itself_needs_memory_too() -> None:
    alone = needed_bytes(PLAN, FOOTPRINT, replace(MACHINE, program_bytes=0))

    assert needed_bytes(PLAN, FOOTPRINT, replace(MACHINE, program_bytes=GIB)) == alone + GIB


@pytest.mark.parametrize("memory_gib", [3, 4, 8, 16, 80])
def test_a_fitted_plan_fits_and_keeps_the_clips_of_a_step(memory_gib: int) -> None:
    machine = replace(MACHINE, memory_bytes=memory_gib * GIB)

    fitted = fit_to(PLAN, FOOTPRINT, machine)

    assert needed_bytes(fitted, FOOTPRINT, machine) <= 0.9 * machine.memory_bytes
    assert fitted.batch_size * fitted.accumulate >= 8
    assert fitted.precision == "bf16-mixed"


def test_a_plan_that_fits_is_left_alone() -> None:
    plan = replace(PLAN, precision="bf16-mixed")

    assert fit_to(plan, FOOTPRINT, replace(MACHINE, memory_bytes=100 * GIB)) == plan


def test_a_machine_that_is_too_small_is_told_so() -> None:
    with pytest.raises(EngineError, match="vrt-spike-small"):
        fit_to(PLAN, FOOTPRINT, replace(MACHINE, memory_bytes=GIB // 2))


def test_slow_half_precision_is_not_chosen() -> None:
    assert fit_to(PLAN, FOOTPRINT, replace(MACHINE, bf16_gflops=1100.0)).precision == "32-true"


def test_what_a_step_counts_is_what_a_real_forward_pass_keeps_and_computes() -> None:
    config = read_config(CONFIGS / "debug.yaml")

    footprint = measure_network(config)

    told = config["model"]["network"]
    network = build(VRTSpikeConfig(**told)).train()
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    clip = torch.rand(1, 2, 3, 64, 64), torch.rand(1, 2, told["spike_bins"], 32, 32)
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        FlopCounterMode(display=False) as counter,
    ):
        result = network(*clip)
    for parameter in network.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    assert result.requires_grad
    # The peak lies a little above what is kept: on the way back gradients are there as well.
    assert sum(kept.values()) <= footprint.activation_bytes <= 1.15 * sum(kept.values())
    assert 0 < footprint.checkpointed_bytes < footprint.activation_bytes
    assert footprint.weights_bytes == sum(parameter.nbytes for parameter in network.parameters())
    assert footprint.flop == counter.get_total_flops()


def test_the_processes_of_many_gpus_share_cores_and_main_memory() -> None:
    machine = replace(MACHINE, devices=8, cores=16, main_memory_bytes=128 * GIB, memory_bytes=100 * GIB)

    fitted = fit_to(replace(PLAN, devices=8, workers=8, cache_mib=32 * 1024), FOOTPRINT, machine)

    assert fitted.devices == 8
    assert fitted.devices * (fitted.workers + 1) <= 16
    assert fitted.devices * fitted.cache_mib <= 32 * 1024


def test_a_run_without_an_end_is_given_no_duration_but_told_what_is_missing() -> None:
    config = read_config(CONFIGS / "debug.yaml")
    config["trainer"]["max_steps"] = -1

    (line,) = predict(PLAN, FOOTPRINT, MACHINE, config)

    assert line.endswith("s a step")
    assert missing_from(config) == ["missing  how long to train: set trainer.max_steps"]


def test_a_run_of_years_is_called_hopeless_with_a_way_out() -> None:
    config = read_config(CONFIGS / "vrt-spike.yaml")
    machine = replace(MACHINE, accelerator="cpu", fp32_gflops=100.0, bf16_gflops=100.0)

    takes, hopeless = predict(plan_of(config, machine), FOOTPRINT, machine, config)

    # 3 passes of 1e11 operations, 16 times the pixels, a third more for checkpointing, a quarter of the speed
    years = 300_000 * (3 * 1e11 * 16 * 4 / 3) / (100e9 / 4) / 3600 / 24 / 365
    assert f"{years:.1f} years for 300,000 steps" in takes
    assert "vrt-spike-small" in hopeless
    assert "GPU" in hopeless


def test_a_run_of_hours_is_not_called_hopeless() -> None:
    config = read_config(CONFIGS / "debug.yaml")

    assert len(predict(PLAN, FOOTPRINT, MACHINE, config)) == 1


def test_missing_weights_of_the_perceptual_loss_are_told(tmp_path: Path) -> None:
    config = read_config(CONFIGS / "vrt-spike.yaml")

    (without,) = missing_from(config)
    config["model"]["loss"]["vgg"] = str(tmp_path / "vgg.pth")
    (elsewhere,) = missing_from(config)
    (tmp_path / "vgg.pth").write_bytes(b"")

    assert "model.loss.vgg" in without
    assert "model.loss.perceptual to 0" in without
    assert str(tmp_path / "vgg.pth") in elsewhere
    assert missing_from(config) == []


def test_changed_values_are_written_and_nothing_else() -> None:
    config = yaml.safe_load((CONFIGS / "debug.yaml").read_text("utf-8"))

    changed = apply_plan(config, replace(PLAN, crop_px=128))

    assert changed["data"]["crop_px"] == 128
    assert changed["data"]["frames"] == config["data"]["frames"]
    assert changed["model"]["network"] == config["model"]["network"]


def test_speed_and_disk_are_measured(tmp_path: Path) -> None:
    assert product_gflops(torch.device("cpu"), torch.float32, seconds=0) > 0.1
    assert disk_write_mb_s(tmp_path) > 1
    assert list(tmp_path.iterdir()) == []


def test_this_machine_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.machine.MEASURE_SECONDS", 0.0)
    monkeypatch.setattr("training.machine.PRODUCT_EDGE", 256)  # in bf16 some CPUs take half a minute

    machine = measure_machine(tmp_path)

    assert machine.cores >= 1
    assert machine.memory_bytes > 2**28
    assert machine.program_bytes > 2**27  # torch alone takes more
    assert machine.device


def test_the_command_writes_a_configuration_that_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "training.doctor.measure_machine", lambda _folder: replace(MACHINE, accelerator="cpu")
    )
    written = tmp_path / "mine.yaml"

    status = main(["doctor", "--config", str(CONFIGS / "debug.yaml"), "--write", str(written)])

    output = capsys.readouterr().out
    assert status == 0
    assert "4,000 in bf16" in output
    assert "precision: 32-true → bf16-mixed" in output
    assert read_config(written)["trainer"]["precision"] == "bf16-mixed"


def test_a_missing_configuration_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", "nowhere.yaml"]) == 1
    assert "nowhere.yaml" in capsys.readouterr().err
