"""Runs as a person starts them: what they go on from, what they leave alone, what they say."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from engine.errors import EngineError
from training.__main__ import main
from training.fit import run

Start = Callable[..., None]


@pytest.fixture
def config(tiny_config: Path) -> Path:
    return tiny_config


@pytest.fixture
def start(config: Path) -> Start:
    def call(command: str, *options: object) -> None:
        run([command, "--config", str(config), *map(str, options)])

    return call


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.INFO, "lightning.pytorch.utilities.rank_zero")
    return lambda: " ".join(record.getMessage() for record in caplog.records)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# ------------------------------------------------------------------ scoring


@pytest.mark.parametrize("command", ["validate", "test"])
def test_scoring_takes_the_best_network_and_leaves_the_run_alone(
    start: Start, tmp_path: Path, said: Callable[[], str], command: str
) -> None:
    start("fit")
    before = contents(tmp_path / "run")

    start(command, "--data.batch_size", 1)

    assert "best.ckpt" in said()
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("name", ["best", "last"])
def test_checkpoints_are_known_by_their_short_names(start: Start, said: Callable[[], str], name: str) -> None:
    start("fit")

    start("validate", "--ckpt_path", name)

    assert f"{name}.ckpt" in said()


def test_an_untrained_network_is_not_scored(start: Start, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no trained network.*--ckpt_path"):
        start("validate")
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_that_is_not_there_is_named(start: Start) -> None:
    with pytest.raises(EngineError, match=r"missing\.ckpt: there is no such checkpoint"):
        start("test", "--ckpt_path", "missing.ckpt")


# ------------------------------------------------------------------ going on


def test_a_run_with_other_voxels_is_refused_and_left_as_it_was(start: Start, tmp_path: Path) -> None:
    start("fit")
    before = contents(tmp_path / "run")

    with pytest.raises(EngineError, match=r"reads its spikes otherwise.*mean 0\.0, not 3\.0"):
        start("fit", "--model.voxels.mean", 3.0)
    with pytest.raises(EngineError, match=r"another network.*spike_heads 4, not 2"):
        start("fit", "--model.network.spike_heads", 2)

    assert contents(tmp_path / "run") == before


def test_options_that_changed_are_told(start: Start, said: Callable[[], str]) -> None:
    start("fit")

    start("fit", "--trainer.max_steps", 6, "--data.batch_size", 1, "--model.schedule.rate", 1e-5)

    assert "model.schedule.rate 0.001 → 1e-05" in said()
    assert "data.batch_size 2 → 1" in said()
    assert "trainer.max_steps 4 → 6" in said()
    assert "crop_px" not in said()


def test_the_optimisers_options_win_over_the_checkpoints(start: Start, tmp_path: Path) -> None:
    start("fit", "--trainer.max_steps", 2)

    start(
        "fit",
        *("--trainer.max_steps", 3),
        *("--model.schedule.rate", 0.5, "--model.schedule.weight_decay", 0.25),
        *("--model.schedule.betas", "[0.5, 0.75]", "--model.schedule.end_share", 1),
    )

    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    groups = state["optimizer_states"][0]["param_groups"]
    assert [group["weight_decay"] for group in groups] == [0.25, 0.25]
    assert [tuple(group["betas"]) for group in groups] == [(0.5, 0.75)] * 2
    assert groups[0]["lr"] == 0.5
    assert state["lr_schedulers"][0]["base_lrs"] == [0.5, 0.5]


def test_patience_is_what_the_options_say(start: Start, tmp_path: Path) -> None:
    never_better = ("--early_stop.min_delta", 100, "--trainer.max_steps", 8)
    with pytest.warns(UserWarning, match="ended at step 4 of 8"):
        start("fit", *never_better, "--early_stop.patience", 1)

    start("fit", *never_better, "--early_stop.patience", 5)

    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    (kept,) = (kept for name, kept in state["callbacks"].items() if name.startswith("EarlyStopping{"))
    assert state["global_step"] == 8
    assert kept["patience"] == 5


def test_fewer_batches_a_step_do_not_end_a_run_early(start: Start, tmp_path: Path) -> None:
    start("fit", "--trainer.accumulate_grad_batches", 2, "--trainer.max_steps", 2)

    start("fit", "--trainer.accumulate_grad_batches", 1, "--trainer.max_steps", 4)

    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["global_step"] == 4


def test_other_weights_to_begin_with_are_refused_by_a_run_that_has_begun(
    start: Start, tmp_path: Path
) -> None:
    start("fit", "--trainer.max_steps", 1)
    before = contents(tmp_path / "run")
    network = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["state_dict"]
    torch.save(
        {name.removeprefix("network."): value for name, value in network.items()}, tmp_path / "other.pth"
    )

    with pytest.raises(EngineError, match=r"began with other weights.*--model\.init None.*other\.pth"):
        start("fit", "--trainer.max_steps", 2, "--model.init", tmp_path / "other.pth")

    assert contents(tmp_path / "run") == before


def test_options_inside_a_checkpoint_are_not_taken_over(start: Start, tmp_path: Path) -> None:
    start("fit", "--trainer.max_steps", 1)
    last = tmp_path / "run" / "last.ckpt"
    state = torch.load(last, weights_only=True)
    torch.save({**state, "hyper_parameters": {"clip_norm": 1e-9}}, tmp_path / "other.ckpt")

    start("fit", "--trainer.max_steps", 2, "--ckpt_path", tmp_path / "other.ckpt")

    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text("utf-8"))["model"]["clip_norm"] == 1.0


def test_a_run_that_was_moved_keeps_its_best_score(start: Start, tmp_path: Path) -> None:
    start("fit")
    shutil.copytree(tmp_path / "run", tmp_path / "moved 运行")
    shutil.rmtree(tmp_path / "run")

    start("fit", "--trainer.default_root_dir", tmp_path / "moved 运行", "--trainer.max_steps", 5)

    state = torch.load(tmp_path / "moved 运行" / "last.ckpt", weights_only=True)
    best = next(kept for name, kept in state["callbacks"].items() if "BestCheckpoint" in name)
    assert float(best["best_model_score"]) > 0
    assert Path(best["best_model_path"]) == tmp_path / "moved 运行" / "best.ckpt"


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off"])
def test_a_damaged_checkpoint_is_named(start: Start, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.ckpt").write_bytes(content)

    with pytest.raises(EngineError, match=r"last\.ckpt.*cannot be read as a checkpoint") as told:
        start("fit")

    assert "weights_only=False" not in str(told.value)
    assert (tmp_path / "run" / "last.ckpt").read_bytes() == content


def test_a_folder_that_cannot_be_written_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(EngineError, match=r"file.*cannot write to the run's folder"):
        start("fit", "--trainer.default_root_dir", tmp_path / "file" / "run")


def test_processes_that_would_each_train_alone_are_refused(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")

    with pytest.raises(EngineError, match=r"--trainer\.devices 2 --trainer\.strategy ddp"):
        start("fit")


# ------------------------------------------------------------------ what is said


def test_a_run_that_ends_early_says_why(start: Start) -> None:
    with pytest.warns(UserWarning, match=r"ended at step 4 of 40: val/psnr.*--early_stop\.patience"):
        start("fit", "--trainer.max_steps", 40, "--early_stop.patience", 1, "--early_stop.min_delta", 100)


def test_weights_that_begin_afresh_are_counted(start: Start, tmp_path: Path, said: Callable[[], str]) -> None:
    start("fit")
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["state_dict"]
    part = {name.removeprefix("network.vrt."): value for name, value in state.items() if ".vrt." in name}
    torch.save(part, tmp_path / "part.pth")

    start("fit", "--trainer.default_root_dir", tmp_path / "other", "--model.init", tmp_path / "part.pth")

    assert f"{len(state) - len(part)} tensors were not in the weights" in said()


def test_the_log_holds_losses_scores_rates_times_and_pictures(start: Start, tmp_path: Path) -> None:
    start("fit")

    log = EventAccumulator(str(tmp_path / "run")).Reload()
    scalars = set(log.Tags()["scalars"])

    assert {"train/total", "train/charbonnier", "train/skipped_steps"} <= scalars
    assert {"val/psnr", "val/ssim", "val/ratio_psnr", "val/blurry_psnr"} <= scalars
    assert {"time/data_seconds", "time/step_seconds"} <= scalars
    assert any(name.startswith("lr-AdamW") for name in scalars)
    picture = log.Images("clip 0")[0]
    assert picture.width == 4 * picture.height


def test_an_error_in_a_loaders_process_is_one_line(
    config: Path, tmp_path: Path, packed_clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(packed_clips, tmp_path / "broken")
    shard = next((tmp_path / "broken").glob("clips-*.npz"))
    content = bytearray(shard.read_bytes())
    content[40:4000] = bytes(3960)
    shard.write_bytes(content)

    status = main(
        ["fit", "--config", str(config), "--data.packed", str(tmp_path / "broken"), "--data.workers", "1"]
    )

    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 1
    assert last.startswith(f"{shard}: cannot read these packed clips")
    assert "Traceback" not in last
