"""From the command line to a file that the engine reads: the same network, with its story."""

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from engine.errors import EngineError
from engine.model import load_model
from training.__main__ import main
from training.export import read_checkpoint
from training.resuming import LastCheckpoint

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "debug.yaml"
Make = Callable[..., Any]


@pytest.fixture
def checkpoint(tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path) -> Path:
    tiny_trainer(LastCheckpoint(1), max_steps=2).fit(tiny_task(), datamodule=tiny_data())
    return tmp_path / "run" / "last.ckpt"


def test_the_engine_reads_the_network_that_was_trained(
    tiny_task: Make, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "models" / "tiny 小.safetensors"
    out.parent.mkdir()
    status = main(["export", str(checkpoint), str(out), "--data", "eight simulated clips"])

    loaded = load_model(out)

    task = tiny_task()
    weights = torch.load(checkpoint, weights_only=True)["state_dict"]
    task.load_state_dict(weights)
    blurry = torch.rand(1, 2, 3, 32, 32)
    spikes = torch.rand(1, 2, task.voxels.channels, 16, 16)
    with torch.inference_mode():
        expected = task.eval()(blurry, spikes)
        assert torch.equal(loaded.model(blurry, spikes), expected)
    assert status == 0
    assert loaded.voxel_spec == task.voxels
    assert loaded.card.name == "tiny 小"
    assert loaded.card.licence == "Apache-2.0"
    assert loaded.card.training["steps"] == 2
    assert loaded.card.training["data"] == "eight simulated clips"


def test_a_share_of_the_correction_is_kept(checkpoint: Path, tmp_path: Path) -> None:
    blurry, spikes = torch.rand(1, 2, 3, 32, 32), None
    restored = {}
    for share in (1.0, 0.5, 0.25):
        out = tmp_path / f"{share}.safetensors"
        assert main(["export", str(checkpoint), str(out), "--correction", str(share)]) == 0
        loaded = load_model(out)
        assert loaded.card.training.get("correction", 1.0) == share
        assert loaded.voxel_spec is not None
        spikes = torch.rand(1, 2, loaded.voxel_spec.channels, 16, 16) if spikes is None else spikes
        with torch.inference_mode():
            restored[share] = loaded.model(blurry, spikes)
    assert not torch.equal(restored[1.0], restored[0.5])
    torch.testing.assert_close(
        restored[1.0] - restored[0.5], 2 * (restored[0.5] - restored[0.25]), rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize("share", ["0", "1.5", "much"])
def test_a_share_that_is_none_is_refused(share: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["export", "last.ckpt", str(tmp_path / "a.safetensors"), "--correction", share])


def test_scores_go_into_the_card(checkpoint: Path, tmp_path: Path) -> None:
    scores = {"64 planes": {"blurry": 20.1, "network": 26.0}}
    (tmp_path / "scores.yaml").write_text(yaml.safe_dump(scores), "utf-8")

    main(
        [
            "export",
            str(checkpoint),
            str(tmp_path / "a.safetensors"),
            "--scores",
            str(tmp_path / "scores.yaml"),
        ]
    )

    assert load_model(tmp_path / "a.safetensors").card.scores == scores


def test_a_file_that_is_there_is_not_replaced_unasked(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "there.SAFETENSORS"
    out.write_bytes(b"somebody's network")
    command = ["export", str(checkpoint), str(out)]

    assert main(command) == 1
    assert "--overwrite" in capsys.readouterr().err
    for answer in ("n\n", "\n", ""):
        terminal = io.StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", terminal)
        assert main(command) == 1
        assert "Replace it?" in capsys.readouterr().err
        assert out.read_bytes() == b"somebody's network"
    terminal = io.StringIO("y\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(command) == 0
    assert load_model(out).card.name == "there"
    assert main([*command, "--overwrite", "--name", "newer"]) == 0
    assert load_model(out).card.name == "newer"


def test_the_average_of_the_weights_is_exported(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path
) -> None:
    from lightning.pytorch.callbacks.weight_averaging import EMAWeightAveraging

    tiny_trainer(EMAWeightAveraging(decay=0.9), LastCheckpoint(1), max_steps=3).fit(
        tiny_task(), datamodule=tiny_data()
    )
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)

    exported = read_checkpoint(tmp_path / "run" / "last.ckpt").weights

    name = "vrt.last_convolution.weight"
    assert torch.equal(exported[name], state["state_dict"][f"network.{name}"])
    assert not torch.equal(exported[name], state["current_model_state"][f"network.{name}"])


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_named(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.ckpt").write_bytes(content)

    status = main(["export", str(tmp_path / "bad.ckpt"), str(tmp_path / "out.safetensors")])

    assert status == 1
    assert "bad.ckpt" in capsys.readouterr().err
    assert not (tmp_path / "out.safetensors").exists()


def test_weights_without_a_run_are_no_checkpoint(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "weights.ckpt")

    with pytest.raises(EngineError, match="not a checkpoint of a training run"):
        read_checkpoint(tmp_path / "weights.ckpt")


def test_a_model_file_needs_its_ending(checkpoint: Path, tmp_path: Path) -> None:
    assert main(["export", str(checkpoint), str(tmp_path / "model.pth")]) == 1


def test_the_command_line_trains_goes_on_and_exports(
    packed_clips: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    command = [
        "fit",
        *("--config", str(CONFIG)),
        *("--data.packed", str(packed_clips), "--data.val_packed", str(packed_clips)),
        *("--model.voxels.bins", "4", "--model.network.spike_bins", "11", "--data.batch_size", "1"),
        *("--trainer.default_root_dir", str(folder), "--trainer.val_check_interval", "1"),
        *("--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
    ]

    first = main([*command, "--trainer.max_steps", "1"])
    again = main([*command, "--trainer.max_steps", "2"])
    exported = main(["export", str(folder / "best.ckpt"), str(tmp_path / "debug.safetensors")])

    assert (first, again, exported) == (0, 0, 0)
    assert "going on from" in caplog.text
    assert torch.load(folder / "last.ckpt", weights_only=True)["global_step"] == 2
    assert list(folder.glob("events.out.tfevents.*"))
    card = load_model(tmp_path / "debug.safetensors").card
    assert card.training["options"]["data"]["packed"] == str(packed_clips)
    assert card.scores.keys() >= {"val/psnr", "val/gain_db"}


@pytest.mark.parametrize(
    "changed",
    [
        {"state_dict": [1]},
        {"state_dict": {3: torch.zeros(2)}},
        {"global_step": math.inf},
        {"spike_deblur": None},
        {"scores": None},
        {"voxels": {"bins": 32}},
        {"state_dict": {"network.a": torch.zeros(2)}},
        {"state_dict": {"network.a": 3}},
    ],
    ids=str,
)
def test_a_checkpoint_that_holds_something_else_is_named_in_one_line(
    changed: dict[str, Any], checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(checkpoint, weights_only=True)
    inner = {name: value for name, value in changed.items() if name in ("scores", "voxels")}
    content |= {name: value for name, value in changed.items() if name not in inner}
    if inner:
        content["spike_deblur"] |= inner
    torch.save(content, tmp_path / "strange.ckpt")
    assert main(["export", str(tmp_path / "strange.ckpt"), str(tmp_path / "out.safetensors")]) == 1
    error = capsys.readouterr().err
    assert "strange.ckpt: " in error
    assert error.count("\n") == 1
    assert "unexpected:" not in error
    assert not (tmp_path / "out.safetensors").exists()
