"""Whatever ends a training is told in one line, and its traceback is in a file."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from engine.errors import EngineError
from training.__main__ import main
from training.clip_batches import TrainingClips
from training.failures import LOG_NAME, failure_of, is_told
from training.run_log import RunLog

SHM_TEXT = (
    "DataLoader worker (pid 12) is killed by signal: Bus error. It is possible that dataloader's workers are "
    "out of shared memory. Please try to raise your shared memory limit."
)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 (whatever is tested)
        return caught


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), r"/data/x: .*no room.*Free some"),
        (RuntimeError(SHM_TEXT), r"shared memory.*--shm-size.*--data\.workers 0"),
        (RuntimeError("unable to write to file </torch_12_3>: full"), r"shared memory.*--data\.workers 0"),
        (RuntimeError("unable to allocate shared memory(shm) for file"), r"shared memory.*--data\.workers 0"),
        (RuntimeError("DataLoader worker (pid(s) 7, 9) exited unexpectedly"), r"process 7, 9.*--data\."),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."), r"signal Killed.*cache_mib"),
        (
            RuntimeError(
                "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call "
                "last):\n  File x\nRuntimeError: unable to allocate shared memory(shm) for file"
            ),
            r"found RuntimeError: unable to allocate shared memory\(shm\)",
        ),
        (MisconfigurationException("No supported gpu backend found!"), r"no GPU.*--trainer\.accelerator cpu"),
        (MemoryError(), r"memory ran out.*--data\.batch_size"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), r"memory ran out.*--model\.checkpointing"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), r"memory ran out"),
        (RuntimeError("bind: Address already in use"), r"port.*--master-port"),
        (KeyError("something"), r"the training failed: KeyError: 'something'"),
    ],
)  # fmt: skip
def test_failures_say_what_to_do(
    error: Exception, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    import re

    failure = failure_of(raised(error), tmp_path)

    assert re.search(told, str(failure))
    assert "\n" not in str(failure)
    assert str(tmp_path / LOG_NAME) in str(failure)
    log = (tmp_path / LOG_NAME).read_text("utf-8")
    assert log.startswith("Traceback")
    assert type(error).__name__ in log


def test_one_of_several_processes_says_which_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "2")

    failure = failure_of(raised(RuntimeError("Connection closed by peer [127.0.0.1]:5")), tmp_path)

    assert str(failure).startswith("process 2 of 4: another process of this training ended")
    assert (tmp_path / "failure-2.log").is_file()


def test_a_traceback_that_cannot_be_written_there_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").write_bytes(b"")

    failure = failure_of(raised(KeyError("x")), tmp_path / "file" / "run")

    (log,) = tmp_path.glob(f"*{LOG_NAME}")
    assert str(log) in str(failure)


def test_values_that_people_gave_wrongly_are_told_as_they_are() -> None:
    from training.schedule import Schedule

    with pytest.raises(ValueError, match="impossible schedule") as ours:
        Schedule(rate=-1)
    with pytest.raises(ValueError, match="reshape") as theirs:
        torch.zeros(2).numpy().reshape(3)

    assert is_told(ours.value)
    assert not is_told(theirs.value)
    assert is_told(raised(EngineError("a line")))


# ------------------------------------------------------------------ as a person sees it


@pytest.fixture
def last_line(tiny_config: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def call(*options: str) -> str:
        assert main(["fit", "--config", str(tiny_config), *options]) == 1
        err = capsys.readouterr().err
        assert "Traceback" not in err
        return err.strip().splitlines()[-1]

    return call


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGBUS], ids=lambda number: number.name)
def test_a_loaders_process_that_dies_is_told(
    last_line: Callable[..., str], monkeypatch: pytest.MonkeyPatch, number: signal.Signals, tmp_path: Path
) -> None:
    parent = os.getpid()
    first = TrainingClips.__getitem__

    def die(clips: TrainingClips, ticket: Any) -> Any:
        if os.getpid() != parent:
            os.kill(os.getpid(), number)
        return first(clips, ticket)

    monkeypatch.setattr(TrainingClips, "__getitem__", die)

    line = last_line("--data.workers", "1")

    assert "shared memory" in line
    assert "--data.workers" in line
    assert "DataLoader worker" in (tmp_path / "run" / LOG_NAME).read_text("utf-8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told(last_line: Callable[..., str]) -> None:
    assert "no GPU here" in last_line("--trainer.accelerator", "gpu")


def test_a_checkpoint_that_is_none_is_told(last_line: Callable[..., str], tmp_path: Path) -> None:
    torch.save({"hyper_parameters": Path("x")}, tmp_path / "strange.ckpt")

    line = last_line("--ckpt_path", str(tmp_path / "strange.ckpt"))

    assert "strange.ckpt: this cannot be read as a checkpoint" in line


def test_a_log_that_cannot_be_written_does_not_end_a_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "lightning.pytorch.utilities.rank_zero")
    log = RunLog(tmp_path, name="run", version="")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(log.experiment), "add_scalar", full)
    for step in range(3):
        log.log_metrics({"train/total": 1.0}, step)
    log.save()
    log.finalize("success")

    assert [record.getMessage().count("No space left") for record in caplog.records] == [1]
