# ruff: noqa: ARG002 (Lightning names the arguments of its hooks)
"""Stop at any time, go on as if nothing had happened."""

import copy
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping, ModelCheckpoint
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason

from engine.errors import EngineError, ExportError, OperationCancelled
from training.checkpoint_files import checkpoint_failures, replace_whole_files

LAST_NAME = "last.ckpt"
BEST_NAME = "best.ckpt"


class _NotSaved(Exception):
    """A checkpoint could not be written; told already."""


class EarlyStop(EarlyStopping):
    """Ends a run whose score gets no better, with the patience of the options, not of a checkpoint."""

    @property
    def state_key(self) -> str:
        # As Lightning's own, so that runs begun with that go on.
        return super().state_key.replace(type(self).__qualname__, EarlyStopping.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})
        self.stopping_reason = EarlyStoppingReason.NOT_STOPPED
        self.stopping_reason_message = None


class BestCheckpoint(ModelCheckpoint):
    """Keeps the best checkpoint, and remembers its score when the run's folder is moved or copied.

    A score whose checkpoint could not be written does not count: the next one that is better than the file is
    saved.
    """

    KEPT = (
        "best_k_models",
        "kth_best_model_path",
        "kth_value",
        "best_model_path",
        "best_model_score",
        "last_model_path",
        "current_score",
        "_last_global_step_saved",
        "_last_checkpoint_saved",
    )
    """What is as it was where nothing was written."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        if stage == "fit":
            replace_whole_files(trainer, Path(str(self.dirpath)))

    def _save_topk_checkpoint(self, trainer: pl.Trainer, monitor_candidates: dict[str, Any]) -> None:
        self._save_or_take_back(super()._save_topk_checkpoint, trainer, monitor_candidates)

    def _save_last_checkpoint(self, trainer: pl.Trainer, monitor_candidates: dict[str, Any]) -> None:
        self._save_or_take_back(super()._save_last_checkpoint, trainer, monitor_candidates)

    def _save_or_take_back(
        self,
        save: Callable[[pl.Trainer, dict[str, Any]], None],
        trainer: pl.Trainer,
        candidates: dict[str, Any],
    ) -> None:
        before = {name: copy.copy(getattr(self, name)) for name in self.KEPT}
        try:
            save(trainer, candidates)
        except _NotSaved:
            for name, value in before.items():
                setattr(self, name, value)

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        super()._save_checkpoint(trainer, filepath)
        failed = Path(filepath) in checkpoint_failures(trainer)
        # Only the process that writes knows, and all of them have to remember the same scores.
        if trainer.strategy.broadcast(failed):
            raise _NotSaved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        here = Path(str(self.dirpath))

        def moved(path: str) -> str:
            return str(here / Path(path).name) if path else path

        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        super().load_state_dict(
            {
                **state_dict,
                **{name: moved(state_dict[name]) for name in paths if name in state_dict},
                "best_k_models": {
                    moved(path): score for path, score in state_dict.get("best_k_models", {}).items()
                },
                "dirpath": self.dirpath,
            }
        )


class LastCheckpoint(Checkpoint):
    """Keeps `last.ckpt` up to date, and stops a run between two steps.

    Lightning's own ModelCheckpoint can save on a signal too, but in the middle of whatever is going on. A
    resumed run is only the same as one that was not stopped when the checkpoint lies between two optimiser
    steps, and after the validation that is due there.

    Args:
        every_n_steps: Optimiser steps between two saves.
    """

    def __init__(self, every_n_steps: int = 200) -> None:
        if every_n_steps < 1:
            raise ValueError(f"every_n_steps must be 1 or more, got {every_n_steps}")
        self.every_n_steps = every_n_steps
        self._asked_to_stop = False
        self._saved_step = -1
        self._former_handlers: dict[signal.Signals, Any] = {}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit":
            replace_whole_files(trainer, Path(trainer.default_root_dir))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._saved_step = trainer.global_step
        self._asked_to_stop = False
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._former_handlers[number] = signal.signal(number, self._ask_to_stop)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loop, fetcher = trainer.fit_loop.epoch_loop, trainer.fit_loop._data_fetcher
        assert fetcher is not None
        # Validation follows this hook where it is due, and saves when it is done.
        if loop._should_accumulate() or loop._should_check_val_fx(fetcher):
            return
        self._between_steps(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            if trainer.fit_loop.epoch_loop._should_accumulate():
                return
            self._between_steps(trainer, after_validation=True)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._restore_handlers()

    def on_exception(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        exception: BaseException,
    ) -> None:
        self._restore_handlers()

    def _between_steps(self, trainer: pl.Trainer, after_validation: bool = False) -> None:
        step = trainer.global_step
        stop = self._asked_to_stop
        if trainer.world_size > 1:
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        finished = step >= trainer.max_steps > 0
        due = step - self._saved_step >= self.every_n_steps or after_validation or finished
        if not (due or stop):
            return
        path = Path(trainer.default_root_dir) / LAST_NAME
        trainer.save_checkpoint(path)
        self._saved_step = step
        if stop and not finished:
            failure = checkpoint_failures(trainer).get(path)
            if failure is not None:
                raise ExportError(f"stopped after step {step}, which is lost: {failure}")
            raise OperationCancelled(
                f"stopped after step {step} of {trainer.max_steps}",
                advice="The same command goes on from here",
            )

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._asked_to_stop:
            self._restore_handlers()
            raise KeyboardInterrupt
        self._asked_to_stop = True
        sys.stderr.write("\nstopping as soon as a step is done and saved; once more to stop at once\n")

    def _restore_handlers(self) -> None:
        for number, handler in self._former_handlers.items():
            signal.signal(number, handler)
        self._former_handlers = {}


def read_entry(path: Path, key: str) -> Any:
    """Return what a checkpoint holds under `key`, None where there is nothing.

    Raises EngineError where the file is no checkpoint.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (
        OSError,
        RuntimeError,
        EOFError,
        ValueError,
        IndexError,
        KeyError,
        pickle.UnpicklingError,
    ) as error:
        raise EngineError(
            "this cannot be read as a checkpoint",
            path=path,
            found=" ".join(str(error).split())[:160] or type(error).__name__,
            advice="It may be damaged: go on from another with --ckpt_path FILE, or delete it and start anew",
        ) from error
    return content.get(key) if isinstance(content, Mapping) else None


def last_checkpoint(run_folder: Path) -> Path | None:
    """Return the checkpoint from which a run goes on; None where it has not begun."""
    path = run_folder / LAST_NAME
    return path if path.is_file() else None
