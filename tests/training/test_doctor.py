"""The doctor: figures that can be checked, and configurations made to fit."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from engine.errors import EngineError
from training.__main__ import main
from training.doctor import Footprint, Plan, apply_plan, fit_to, measure_network, needed_bytes, read_config
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
    assert needed_bytes(PLAN, FOOTPRINT) == 5 * 100 * 2**20 + 4 * 16 * (GIB // 2)
    assert needed_bytes(replace(PLAN, checkpointing=True), FOOTPRINT) == 500 * 2**20 + 64 * (GIB // 10)


@pytest.mark.parametrize("memory_gib", [2, 4, 8, 16, 80])
def test_a_fitted_plan_fits_and_keeps_the_clips_of_a_step(memory_gib: int) -> None:
    machine = replace(MACHINE, memory_bytes=memory_gib * GIB)

    fitted = fit_to(PLAN, FOOTPRINT, machine)

    assert needed_bytes(fitted, FOOTPRINT) <= 0.8 * machine.memory_bytes
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


def test_the_memory_of_a_network_is_what_autograd_keeps() -> None:
    footprint = measure_network(read_config(CONFIGS / "debug.yaml"))

    assert 0 < footprint.checkpointed_bytes < footprint.activation_bytes
    assert footprint.weights_bytes > 4e6  # the flow network alone has 1.4 M parameters
    assert footprint.flop > 1e8


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

    machine = measure_machine(tmp_path)

    assert machine.cores >= 1
    assert machine.memory_bytes > 2**28
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
