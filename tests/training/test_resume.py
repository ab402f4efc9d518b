"""A run that is stopped and started again is the run that was not."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.callbacks.weight_averaging import EMAWeightAveraging

from engine.errors import EngineError, OperationCancelled
from engine.model import VRTSpikeConfig
from training.resuming import LastCheckpoint, last_checkpoint

STEPS = 8
Make = Callable[..., Any]


class Losses(Callback):
    """Notes down every loss, and sends the process a signal after a batch."""

    def __init__(self, interrupt_after: int | None = None, number: signal.Signals = signal.SIGINT) -> None:
        self.losses: dict[int, float] = {}
        self._interrupt_after = interrupt_after
        self._number = number

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        position = trainer.fit_loop.epoch_loop.total_batch_idx
        self.losses[position] = float(outputs["loss"])
        if position + 1 == self._interrupt_after:
            os.kill(os.getpid(), self._number)


def callbacks(folder: Path, losses: Losses) -> list[Callback]:
    return [
        losses,
        EMAWeightAveraging(decay=0.5),
        EarlyStopping("val/psnr", mode="max", patience=50),
        ModelCheckpoint(folder, "best", "val/psnr", mode="max", enable_version_counter=False),
        LastCheckpoint(every_n_steps=100),
    ]


def end_state(folder: Path) -> dict[str, Any]:
    """What the last checkpoint of a run holds, without the names of folders and Lightning's own counters.

    The score that ModelCheckpoint saved last is not restored either; the best one is.
    """
    state = torch.load(folder / "last.ckpt", weights_only=True)
    paths = ("best_model_path", "kth_best_model_path", "last_model_path", "dirpath", "best_k_models")
    for kept in state["callbacks"].values():
        for name in (*paths, "current_score"):
            kept.pop(name, None)
    return {name: state[name] for name in state if name not in ("loops", "pytorch-lightning_version")}


def assert_same(expected: Any, got: Any, where: str = "") -> None:
    if isinstance(expected, dict):
        assert expected.keys() == got.keys(), where
        for name in expected:
            assert_same(expected[name], got[name], f"{where}.{name}")
    elif isinstance(expected, list | tuple):
        assert len(expected) == len(got), where
        for place, (first, second) in enumerate(zip(expected, got, strict=True)):
            assert_same(first, second, f"{where}[{place}]")
    elif isinstance(expected, torch.Tensor):
        assert isinstance(got, torch.Tensor), where
        assert torch.equal(expected, got), where
    else:
        assert expected == got, where


@pytest.mark.parametrize(
    ("stop_after", "accumulate", "number"),
    [(3, 1, signal.SIGINT), (4, 1, signal.SIGTERM), (5, 2, signal.SIGINT)],
    ids=["between validations", "where a validation is due", "while gradients add up"],
)
def test_a_stopped_run_continues_exactly(
    tiny_task: Make,
    tiny_data: Make,
    tiny_trainer: Make,
    tmp_path: Path,
    stop_after: int,
    accumulate: int,
    number: Any,
) -> None:
    def run(folder: Path, losses: Losses) -> None:
        trainer = tiny_trainer(
            *callbacks(folder, losses),
            default_root_dir=folder,
            max_steps=STEPS // accumulate,
            accumulate_grad_batches=accumulate,
            limit_val_batches=1.0,
            val_check_interval=4,
        )
        trainer.fit(tiny_task(), datamodule=tiny_data(), ckpt_path=last_checkpoint(folder), weights_only=True)

    whole, first, rest = Losses(), Losses(stop_after, number), Losses()
    run(tmp_path / "whole", whole)
    with pytest.raises(OperationCancelled, match="same command"):
        run(tmp_path / "stopped", first)
    run(tmp_path / "stopped", rest)

    assert sorted(whole.losses) == list(range(STEPS))
    assert len(first.losses) < STEPS
    assert {**first.losses, **rest.losses} == whole.losses
    assert set(first.losses).isdisjoint(rest.losses)
    assert_same(end_state(tmp_path / "whole"), end_state(tmp_path / "stopped"))


def test_signals_are_given_back_after_a_run(tiny_task: Make, tiny_data: Make, tiny_trainer: Make) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    tiny_trainer(LastCheckpoint(1), max_steps=1).fit(tiny_task(), datamodule=tiny_data())

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_last_checkpoint_is_kept_up_to_date(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path
) -> None:
    trainer = tiny_trainer(LastCheckpoint(2), max_steps=5)

    trainer.fit(tiny_task(), datamodule=tiny_data())

    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert state["global_step"] == 5


def test_a_run_of_another_network_is_not_continued(
    tiny_task: Make, tiny_data: Make, tiny_trainer: Make, tmp_path: Path
) -> None:
    tiny_trainer(LastCheckpoint(1), max_steps=1).fit(tiny_task(), datamodule=tiny_data())
    other = tiny_task()
    other.config = VRTSpikeConfig()

    with pytest.raises(EngineError, match="another network"):
        tiny_trainer(LastCheckpoint(1), max_steps=2).fit(
            other, datamodule=tiny_data(), ckpt_path=tmp_path / "run" / "last.ckpt", weights_only=True
        )
