"""What a run writes beside its checkpoints: its figures for TensorBoard, and its options."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_info, rank_zero_only
from numpy.typing import NDArray
from tensorboard.summary.writer import event_file_writer

from engine.export import write_text_atomically

OPTIONS_NAME = "config.yaml"
"""The options that a run was last started with, in its folder."""


class RunLog(TensorBoardLogger):
    """TensorBoard's log, without which a training goes on where it cannot be written."""

    def __init__(self, *places: Any, **options: Any) -> None:
        super().__init__(*places, **options)
        self._given_up = False

    @rank_zero_only
    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        self._try(lambda: super(RunLog, self).log_metrics(metrics, step))

    @rank_zero_only
    def log_hyperparams(self, *values: Any, **options: Any) -> None:
        self._try(lambda: super(RunLog, self).log_hyperparams(*values, **options))

    @rank_zero_only
    def log_graph(self, *values: Any, **options: Any) -> None:
        self._try(lambda: super(RunLog, self).log_graph(*values, **options))

    @rank_zero_only
    def save(self) -> None:
        self._try(super().save)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        self._try(lambda: super(RunLog, self).finalize(status))

    @rank_zero_only
    def show(self, name: str, picture: NDArray[np.uint8], step: int) -> None:
        """Log a picture (H, W, 3)."""
        self._try(lambda: self.experiment.add_image(name, picture, step, dataformats="HWC"))

    def _try(self, write: Callable[[], None]) -> None:
        if self._given_up:
            return
        try:
            write()
        except (OSError, ValueError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError):
                raise
            self._given_up = True
            rank_zero_info(
                f"{self.log_dir}: the log cannot be written (found {cause.strerror or cause}). The training "
                "goes on without it; free some space, and it is written again from the next start on"
            )


class KeepOptions(SaveConfigCallback):
    """Writes a run's options into its folder, whole or not at all. Raises ExportError."""

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002
        folder = Path(trainer.default_root_dir)
        write_text_atomically(folder / OPTIONS_NAME, self.parser.dump(self.config, skip_none=False))


def hush_log_threads() -> None:
    """Keep the traceback of the thread that writes a log from the terminal: who logs is told what it says."""
    print_traceback = threading.excepthook

    def told(about: Any) -> None:
        if not isinstance(about.thread, event_file_writer._AsyncWriterThread):
            print_traceback(about)

    threading.excepthook = told
