"""What a person sees of a run: pictures in TensorBoard, findings and the bar on the terminal."""

# ruff: noqa: ARG002 (Lightning names the arguments of its hooks)

import logging
import warnings
from typing import Any

import lightning.pytorch as pl
import numpy as np
from lightning.pytorch.callbacks import Callback, RichProgressBar
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_info, rank_zero_warn

from training.run_log import RunLog
from training.validation import SCORES, ClipScores

HUSHED_WARNINGS = (
    ".*JSONARGPARSE_DEPRECATION_WARNINGS.*",
    ".*was deprecated in v4.*removed in v5.*",
    ".*loading a checkpoint outside the 'fit' stage.*",
    ".*LeafSpec.*is deprecated.*",
    ".*does not have many workers.*",
    ".*recommended to use `self.log.*sync_dist=True.*",
    ".*exists and is not empty.*",
    ".*srun. command is available.*",
    ".*smaller than the logging interval.*",
)
"""Of Lightning about itself, or about what is meant to be so."""
HUSHED_NOTES = ("💡 Tip", "`weights_only` was not set")
NOTE_LOGGERS = (
    "lightning.pytorch.utilities.rank_zero",
    "lightning.pytorch.trainer.connectors.checkpoint_connector",
)


def hush_lightning() -> None:
    """Keep from the terminal what no user can do anything about."""
    for about in HUSHED_WARNINGS:
        warnings.filterwarnings("ignore", f"(?s){about}")
    for name in NOTE_LOGGERS:
        logging.getLogger(name).addFilter(_is_worth_saying)


def _is_worth_saying(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(HUSHED_NOTES)


class RunBar(RichProgressBar):
    """A bar over the whole run, with the time that is left. A run is one long epoch, so none is counted."""

    def _get_train_description(self, current_epoch: int) -> str:
        return "Training"


class PictureRows(Callback):
    """Shows the middle frames of the first validation clips: blurry | ratio | restored | reference.

    Args:
        clips: How many.
    """

    def __init__(self, clips: int = 8) -> None:
        self.clips = clips

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if batch.place >= self.clips or trainer.sanity_checking:
            return
        scores: ClipScores = outputs[SCORES]
        row = np.round(scores.row * 255).astype(np.uint8)
        for logger in trainer.loggers:
            if isinstance(logger, RunLog):
                logger.show(f"clip {batch.place}", row, trainer.global_step)
            elif isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(
                    f"clip {batch.place}", row, trainer.global_step, dataformats="HWC"
                )


class Findings(Callback):
    """Says what is odd about data and weights before training, and what did not go as planned after it."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for finding in getattr(trainer.datamodule, "findings", ()):  # type: ignore[attr-defined]
            rank_zero_info(finding)
        fresh = getattr(pl_module, "fresh", ())
        if fresh:
            rank_zero_info(f"{len(fresh)} tensors were not in the weights to start from and begin afresh")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        skipped = getattr(pl_module, "skipped_steps", 0)
        if skipped:
            rank_zero_warn(f"{skipped} of {trainer.global_step} steps were left out: no finite gradient")
        for callback in trainer.early_stopping_callbacks:
            if callback.stopping_reason_message and trainer.global_step < trainer.max_steps:
                if callback.stopping_reason is not EarlyStoppingReason.PATIENCE_EXHAUSTED:
                    rank_zero_warn(callback.stopping_reason_message)
                    continue
                rank_zero_warn(
                    f"ended at step {trainer.global_step} of {trainer.max_steps}: {callback.monitor} did not "
                    f"get better in {callback.patience} validations. To go on, raise --early_stop.patience"
                )


class TestTable(Callback):
    """Prints what a test scored, clip by clip, of all processes."""

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        lines = [f"{'':48}{'blurry':>16}{'ratio':>16}{'network':>16}"]
        for scores in getattr(pl_module, "clip_scores", ()):
            pairs = (
                (scores.blurry_psnr, scores.blurry_ssim),
                (scores.ratio_psnr, scores.ratio_ssim),
                (scores.psnr, scores.ssim),
            )
            columns = "".join(f"{level:9.2f} {likeness:.4f}" for level, likeness in pairs)
            lines.append(f"{scores.name[:47]:48}{columns}")
        rank_zero_info("\n".join(lines))
