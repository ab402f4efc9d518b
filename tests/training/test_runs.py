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
from engine.model.config import config_to_dict
from tests.training.conftest import TINY_NETWORK, TINY_VOXELS
from training.__main__ import main
from training.fit import run

Start = Callable[..., None]


@pytest.fixture
def config(tmp_path: Path, packed_clips: Path) -> Path:
    """A run of four steps with a validation after every second."""
    network = config_to_dict(TINY_NETWORK)
    del network["network"]
    options = {
        "seed_everything": 0,
        "model": {
            "network": network,
            "voxels": {"bins": TINY_VOXELS.bins, "transform": TINY_VOXELS.transform},
            "loss": {"perceptual": 0.0},
            "schedule": {"rate": 1e-3, "warmup_steps": 1, "flow_frozen_steps": 1},
        },
        "data": {
            "packed": str(packed_clips),
            "val_packed": str(packed_clips),
            "frames": 2,
            "crop_px": 32,
            "batch_size": 2,
            "val_clips": 2,
            "workers": 0,
        },
        "trainer": {
            "default_root_dir": str(tmp_path / "run"),
            "accelerator": "cpu",
            "max_steps": 4,
            "val_check_interval": 2,
            "log_every_n_steps": 1,
            "enable_progress_bar": False,
            "enable_model_summary": False,
        },
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(options), "utf-8")
    return path


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

    with pytest.warns(UserWarning, match=r"model\.schedule\.rate stays as it was"):
        start("fit", "--trainer.max_steps", 6, "--data.batch_size", 1, "--model.schedule.rate", 1e-5)

    assert "data.batch_size 2 → 1" in said()
    assert "trainer.max_steps 4 → 6" in said()
    assert "crop_px" not in said()


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
