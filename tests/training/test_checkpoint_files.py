"""A checkpoint is the old one or the new one, whatever happens while it is written."""

import errno
import logging
import multiprocessing
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import ExportError
from training.__main__ import main
from training.checkpoint_files import CheckpointFiles
from training.resuming import BestCheckpoint, LastCheckpoint

Make = Callable[..., Any]
OTHER_DISK = Path("/dev/shm")
VALUES = 500_000
"""Of a checkpoint of 2 MB: long enough to be written that a kill falls into it."""


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than temporary files, where there is one."""
    if not OTHER_DISK.is_dir() or not os.access(OTHER_DISK, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=OTHER_DISK) as folder:
        yield Path(folder)


def save_for_ever(path: Path) -> None:
    """Save checkpoint after checkpoint, each of one number all over."""
    writer = CheckpointFiles()
    number = 0
    while True:
        number += 1
        writer.save_checkpoint({"number": number, "values": torch.full((VALUES,), float(number))}, path)


def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(other_disk: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["training.checkpoint_files"])
    generator = random.Random(1)
    last = other_disk / "last.ckpt"
    CheckpointFiles().save_checkpoint({"number": 0, "values": torch.zeros(VALUES)}, last)
    newest = 0
    for _ in range(10):
        process = context.Process(target=save_for_ever, args=(last,), daemon=True)
        process.start()
        before, bytes_written = last.stat().st_ino, generator.randrange(4 * VALUES)
        # A save of this process is over, and as much of another is written.
        while process.is_alive() and (
            last.stat().st_ino == before
            or not any(_size(part) >= bytes_written for part in _parts(other_disk))
        ):
            pass
        assert process.is_alive()
        process.kill()
        process.join()

        state = torch.load(last, weights_only=True)
        assert (state["values"] == state["number"]).all()
        newest = max(newest, state["number"])
    assert newest > 0


def _parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def test_a_run_removes_what_killed_ones_left(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path
) -> None:
    left = tmp_path / "run" / f".{'0a' * 8}.part"
    left.parent.mkdir()
    left.write_bytes(b"the first half")
    (tmp_path / "run" / ".hidden.part").write_bytes(b"of somebody else")

    tiny_trainer(LastCheckpoint(1), max_steps=1).fit(tiny_task(), datamodule=tiny_data())

    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".hidden.part", "last.ckpt"]


def test_nothing_is_staged_elsewhere(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is no such folder"))

    tiny_trainer(LastCheckpoint(1), max_steps=1).fit(tiny_task(), datamodule=tiny_data())

    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["global_step"] == 1


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """A disk on which files of the `full` names cannot be put in place."""
    full: set[str] = set()
    replace = Path.replace

    def put(path: Path, target: Path) -> Path:
        if Path(target).name in full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", put)
    return {"full": full}


def test_a_failed_save_keeps_the_old_file_and_is_told(
    tmp_path: Path, disk: dict[str, set[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lightning.pytorch.utilities.rank_zero")
    writer, path = CheckpointFiles(), tmp_path / "last.ckpt"
    writer.save_checkpoint({"step": 1}, path)
    disk["full"].add("last.ckpt")

    writer.save_checkpoint({"step": 2}, path)
    writer.save_checkpoint({"step": 3}, path)

    assert [record.getMessage().count("\n") for record in caplog.records] == [0, 0]
    assert all(f"{path}: cannot be written (found No space" in one.getMessage() for one in caplog.records)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]
    assert list(writer.failures) == [path]
    disk["full"].clear()
    writer.save_checkpoint({"step": 4}, path)
    assert torch.load(path, weights_only=True) == {"step": 4}
    assert not writer.failures


def test_a_best_checkpoint_that_was_not_written_does_not_count(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path, disk: dict[str, set[str]]
) -> None:
    disk["full"].add("best.ckpt")
    best = BestCheckpoint(
        tmp_path / "run",
        "best",
        "val/psnr",
        mode="max",
        auto_insert_metric_name=False,
        enable_version_counter=False,
    )
    trainer = tiny_trainer(best, LastCheckpoint(100), val_check_interval=1, limit_val_batches=1.0)

    trainer.fit(tiny_task(), datamodule=tiny_data())

    assert best.best_model_score is None
    assert best.best_k_models == {}
    told = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["callbacks"]
    assert all(not kept["best_model_path"] for name, kept in told.items() if "BestCheckpoint" in name)


def test_a_run_whose_end_is_not_on_the_disk_exits_with_1(
    tiny_config: Path, tmp_path: Path, disk: dict[str, set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fit", "--config", str(tiny_config), "--trainer.limit_val_batches", "0"]
    assert main([*command, "--trainer.max_steps", "1"]) == 0
    disk["full"].add("last.ckpt")

    status = main([*command, "--trainer.max_steps", "2"])

    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 1
    assert last.startswith(f"{tmp_path / 'run' / 'last.ckpt'}: cannot be written (found No space")
    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["global_step"] == 1


def test_options_that_cannot_be_written_leave_the_old_ones(
    tiny_config: Path, tmp_path: Path, disk: dict[str, set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("old: 1\n", "utf-8")
    disk["full"].add("config.yaml")

    status = main(["fit", "--config", str(tiny_config)])

    assert status == 1
    assert "config.yaml: cannot be written" in capsys.readouterr().err.strip().splitlines()[-1]
    assert (tmp_path / "run" / "config.yaml").read_text("utf-8") == "old: 1\n"


def test_a_stop_that_could_not_be_saved_is_no_promise(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, disk: dict[str, set[str]]
) -> None:
    disk["full"].add("last.ckpt")
    keeper = LastCheckpoint(100)
    trainer = tiny_trainer(keeper, max_steps=3)
    start = keeper.on_train_start

    def asked_to_stop(*arguments: Any) -> None:
        start(*arguments)
        keeper._asked_to_stop = True

    keeper.on_train_start = asked_to_stop  # type: ignore[method-assign]
    with pytest.raises(ExportError, match=r"stopped after step 1, which is lost: .*No space"):
        trainer.fit(tiny_task(), datamodule=tiny_data())
