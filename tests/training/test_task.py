"""What a training step does: presets learn, rates follow their curve, bad steps are left out."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from lightning.pytorch.callbacks import Callback

from engine.errors import EngineError
from engine.model import VRT, VRTConfig, VRTSpike, VRTSpikeConfig
from engine.model.checkpoint import ModelCard, save_model
from engine.model.config import PRESETS
from engine.voxels import VoxelSpec
from training.clip_batches import ClipBatch
from training.fit import parse, run
from training.losses import LossWeights
from training.progress import Findings
from training.schedule import Schedule, rate_factor
from training.task import DeblurTask

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
Make = Callable[..., Any]


def batch_for(task: DeblurTask, px: int, frames: int = 2) -> ClipBatch:
    generator = torch.Generator().manual_seed(3)
    reference = torch.rand(1, frames, 3, px, px, generator=generator)
    blurry = torch.nn.functional.avg_pool2d(reference.flatten(0, 1), 5, 1, 2).view_as(reference)
    spikes = torch.rand(1, frames, task.config.spike_bins, px // 2, px // 2, generator=generator)
    return ClipBatch(blurry=blurry, reference=reference, spikes=spikes)


# ------------------------------------------------------------------ every preset learns


@pytest.mark.parametrize(("name", "px"), [("vrt-spike", 16), ("vrt-spike-small", 32), ("debug", 32)])
def test_a_step_of_a_preset_lowers_the_loss(name: str, px: int) -> None:
    options = parse(["fit", "--config", str(CONFIGS / f"{name}.yaml"), "--model.loss.perceptual", "0"])[
        "model"
    ]
    sizes = options["network"]
    torch.manual_seed(0)
    task = DeblurTask(
        sizes if isinstance(sizes, str) else VRTSpikeConfig(**sizes),
        VoxelSpec(**options["voxels"]),
        LossWeights(**options["loss"]),
        checkpointing=options["checkpointing"],
    )
    batch = batch_for(task, px)
    optimizer = torch.optim.AdamW(task.parameters(), lr=1e-5)

    def loss() -> torch.Tensor:
        return task.loss(task(batch["blurry"], batch["spikes"]), batch["reference"])["total"]

    task.eval()  # without drop path, so that the two losses are of one function
    before = loss()
    before.backward()
    optimizer.step()
    with torch.no_grad():
        after = loss()

    assert after < before


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_presets_are_sound(path: Path) -> None:
    options = parse(["fit", "--config", str(path)])

    assert options["trainer"]["max_steps"] > 0
    assert options["trainer"]["val_check_interval"] <= options["trainer"]["max_steps"]


def test_a_run_learns_from_packed_clips(tiny_task: Make, tiny_data: Make, tiny_trainer: Make) -> None:
    task = tiny_task(schedule=Schedule(rate=5e-3, warmup_steps=1, flow_frozen_steps=0))
    trainer = tiny_trainer(max_steps=1, limit_val_batches=1.0)
    before = trainer.validate(task, datamodule=tiny_data(), verbose=False)[0]["val/psnr"]

    tiny_trainer(max_steps=30).fit(task, datamodule=tiny_data())
    after = trainer.validate(task, datamodule=tiny_data(), verbose=False)[0]["val/psnr"]

    assert after > before + 0.1


# ------------------------------------------------------------------ options


def test_an_unknown_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(["fit", "--config", str(CONFIGS / "debug.yaml"), "--model.shedule.rate", "1"])

    assert end.value.code == 2
    assert "shedule" in capsys.readouterr().err


def test_an_unknown_key_in_a_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = yaml.safe_load((CONFIGS / "debug.yaml").read_text("utf-8"))
    config["data"]["batchsize"] = 3
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(config), "utf-8")

    with pytest.raises(SystemExit):
        run(["fit", "--config", str(tmp_path / "wrong.yaml")])

    assert "batchsize" in capsys.readouterr().err


def test_the_configuration_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(["fit", "--config", str(CONFIGS / "debug.yaml"), "--print_config"])

    assert end.value.code in (0, None)
    assert yaml.safe_load(capsys.readouterr().out)["data"]["crop_px"] == 32


def test_a_network_whose_input_does_not_fit_is_refused() -> None:
    with pytest.raises(EngineError, match="15, for the channels"):
        DeblurTask(VRTSpikeConfig(), VoxelSpec(bins=8, transform="relative"), LossWeights(perceptual=0.0))


def test_a_preset_takes_the_channels_of_its_voxels() -> None:
    task = DeblurTask("vrt-spike-small", VoxelSpec(bins=8), LossWeights(perceptual=0.0))

    assert task.config == PRESETS["vrt-spike-small"].__class__(
        **{**vars(PRESETS["vrt-spike-small"]), "spike_bins": 9}
    )


# ------------------------------------------------------------------ learning rate


def test_the_rate_rises_in_a_line_and_falls_in_a_cosine() -> None:
    def factor(step: int) -> float:
        return rate_factor(step, warmup_steps=4, total_steps=104, end_share=0.1)

    assert [factor(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert factor(4) == 1.0
    assert factor(54) == pytest.approx(0.55)
    assert factor(29) == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2)
    assert factor(104) == factor(10**6) == 0.1


class Watch(Callback):
    """Notes down rates and how far the weights have moved."""

    def __init__(self) -> None:
        self.rates: list[list[float]] = []
        self.flow_moved: list[bool] = []

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])
        self._flow = [p.detach().clone() for p in pl_module.network.vrt.flow.parameters()]

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = pl_module.network.vrt.flow.parameters()
        self.flow_moved.append(any(not torch.equal(a, b) for a, b in zip(self._flow, now, strict=True)))


def test_the_flow_is_frozen_first_and_slower_then(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make
) -> None:
    schedule = Schedule(rate=1e-3, warmup_steps=0, total_steps=100, flow_frozen_steps=2, flow_share=0.25)
    watch = Watch()

    tiny_trainer(watch, max_steps=4, enable_checkpointing=False).fit(
        tiny_task(schedule=schedule), datamodule=tiny_data()
    )

    assert watch.flow_moved == [False, False, True, True]
    assert [flow for _, flow in watch.rates[:2]] == [0, 0]
    assert watch.rates[3][1] == pytest.approx(0.25 * watch.rates[3][0])


# ------------------------------------------------------------------ steps that are not finite


class Poison(Callback):
    """Makes one batch unusable."""

    def __init__(self, *places: int) -> None:
        self._places = places
        self.weights: list[torch.Tensor] = []

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx in self._places:
            batch["reference"][0, 0, 0, 0, 0] = float("nan")

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.weights.append(torch.cat([p.detach().flatten() for p in pl_module.parameters()]))


def test_a_step_without_finite_gradients_is_left_out_and_counted(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make
) -> None:
    task, poison = tiny_task(), Poison(2)

    with pytest.warns(UserWarning, match="1 of 4 steps were left out"):
        tiny_trainer(poison, Findings(), max_steps=4).fit(task, datamodule=tiny_data())

    assert task.skipped_steps == 1
    assert torch.equal(poison.weights[2], poison.weights[1])
    assert not torch.equal(poison.weights[3], poison.weights[2])
    assert poison.weights[3].isfinite().all()


def test_a_run_that_only_fails_says_so(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.task.MAX_SKIPPED_IN_A_ROW", 3)

    with pytest.raises(EngineError, match="no finite gradient"):
        tiny_trainer(Poison(*range(9)), max_steps=9).fit(tiny_task(), datamodule=tiny_data())


def test_gradients_are_clipped(tiny_task: Make, tiny_data: Make, tiny_trainer: Make) -> None:
    norms = []

    class Norm(Callback):
        def on_before_zero_grad(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
            gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
            if gradients:
                norms.append(float(torch.nn.utils.get_total_norm(gradients)))

    tiny_trainer(Norm(), max_steps=3).fit(tiny_task(clip_norm=1e-4), datamodule=tiny_data())

    assert norms
    assert max(norms) <= 1.001e-4


@pytest.mark.parametrize("precision", ["bf16-mixed"])
def test_half_precision_trains(tiny_task: Make, tiny_data: Make, tiny_trainer: Make, precision: str) -> None:
    task = tiny_task()

    tiny_trainer(max_steps=2, precision=precision).fit(task, datamodule=tiny_data())

    assert task.skipped_steps == 0
    assert all(parameter.dtype == torch.float32 for parameter in task.parameters())


def test_checkpointing_gives_the_same_gradients(tiny_task: Make) -> None:
    gradients = []
    for checkpointing in (False, True):
        task = tiny_task(checkpointing=checkpointing)
        torch.nn.init.normal_(task.network.vrt.last_convolution.weight, std=0.1)
        torch.manual_seed(5)
        batch = batch_for(task, 32)
        task.loss(task(batch["blurry"], batch["spikes"]), batch["reference"])["total"].backward()
        gradients.append({name: p.grad for name, p in task.named_parameters() if p.grad is not None})

    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-5, atol=1e-8)


# ------------------------------------------------------------------ weights to start from


def test_a_fresh_network_starts_as_the_identity(tiny_task: Make) -> None:
    task = tiny_task()
    batch = batch_for(task, 32)

    torch.testing.assert_close(task(batch["blurry"], batch["spikes"]), batch["blurry"])


def test_a_run_starts_from_an_exported_model(tiny_task: Make, tmp_path: Path) -> None:
    first = tiny_task()
    torch.nn.init.normal_(first.network.vrt.last_convolution.weight)
    save_model(tmp_path / "first.safetensors", first.network, first.voxels, ModelCard(name="first"))

    second = tiny_task(init=tmp_path / "first.safetensors")

    for name, value in first.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value)


def test_a_run_starts_from_weights_of_the_frames_part(tiny_task: Make, tmp_path: Path) -> None:
    vrt = VRT(tiny_task().config.vrt)
    torch.save({"params": vrt.state_dict()}, tmp_path / "vrt.pth")

    task = tiny_task(init=tmp_path / "vrt.pth")

    assert isinstance(task.network, VRTSpike)
    assert torch.equal(task.network.vrt.narrow.weight, vrt.narrow.weight)


def test_a_run_starts_from_a_flow_network(tmp_path: Path) -> None:
    config = VRTConfig(
        window_size=(2, 4, 4), depths=(1,) * 8, indep_reconsts=(), embed_dims=(8,) * 8, num_heads=(2,) * 8,
        deformable_groups=2,
    )  # fmt: skip
    names = {
        f"basic_module.{level}.basic_module.{place}.{kind}": value
        for level, inner in enumerate(VRT(config).flow.levels)
        for place, layer in enumerate(inner)
        for kind, value in layer.named_parameters()
    }
    marked = {name: torch.full_like(value, 0.5).detach() for name, value in names.items()}
    torch.save({"params": marked}, tmp_path / "spynet.pth")

    task = DeblurTask(config, loss=LossWeights(perceptual=0.0), init=tmp_path / "spynet.pth")

    assert all((parameter == 0.5).all() for parameter in task.network.flow.parameters())  # type: ignore[union-attr]


def test_weights_of_another_network_are_refused(tiny_task: Make, tmp_path: Path) -> None:
    torch.save({"encoder.weight": torch.zeros(3)}, tmp_path / "other.pth")

    with pytest.raises(EngineError, match="another network"):
        tiny_task(init=tmp_path / "other.pth")
