"""`python -m training fit|validate|test`: Lightning's command line around our task and data.

Strategy: options are the arguments of DeblurTask (`--model`), ClipData (`--data`) and Lightning's Trainer
(`--trainer`); a preset in `training/configs` gives them values. A run lives in `--trainer.default_root_dir`
and goes on from the `last.ckpt` there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.callbacks.weight_averaging import EMAWeightAveraging
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_info

from training.console import PROGRAM
from training.data import ClipData
from training.progress import Findings, PictureRows, RunBar, TestTable, hush_lightning
from training.resuming import LastCheckpoint, last_checkpoint
from training.task import DeblurTask

BEST_NAME = "best"
USAGE = "--config FILE [--data.… --model.… --trainer.…] [--print_config]"


class TrainingCLI(LightningCLI):
    """Lightning's command line, whose runs go on where they stopped."""

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        own = {"model", "train_dataloaders", "val_dataloaders", "dataloaders", "datamodule", "weights_only"}
        return {"fit": own, "validate": own, "test": own}

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        # Not Lightning's own, which warns where the program has arguments too: they are the same.
        self.config = parser.parse_args(args)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_lightning_class_args(EMAWeightAveraging, "average")
        parser.add_lightning_class_args(EarlyStopping, "early_stop")
        parser.add_lightning_class_args(ModelCheckpoint, "best")
        parser.add_lightning_class_args(LastCheckpoint, "last")
        parser.add_lightning_class_args(PictureRows, "rows")
        parser.set_defaults(
            {
                "average.decay": 0.999,
                "early_stop.monitor": "val/psnr",
                "early_stop.mode": "max",
                "early_stop.patience": 20,
                "best.monitor": "val/psnr",
                "best.mode": "max",
                "best.filename": BEST_NAME,
                "best.save_top_k": 1,
                "best.auto_insert_metric_name": False,
                "best.enable_version_counter": False,
            }
        )

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        folder = self._run_folder()
        options = self._get(self.config_init, "trainer")
        if options.get("logger") in (None, True):
            kwargs["logger"] = TensorBoardLogger(folder.parent, name=folder.name, version="")
        if options.get("enable_progress_bar") is not False:
            options.callbacks = [*(options.get("callbacks") or []), RunBar()]
        best = self._get(self.config_init, "best")
        if best.dirpath is None:
            best.dirpath = str(folder.absolute())
        return super().instantiate_trainer(**kwargs)

    def _run_folder(self) -> Path:
        return Path(self._get(self.config_init, "trainer").default_root_dir or "runs/default")

    def before_fit(self) -> None:
        """Go on from where the run in this folder stopped."""
        options = self.config_init["fit"]
        if options.ckpt_path is None:
            path = last_checkpoint(self._run_folder())
            if path is not None:
                options.ckpt_path = str(path)
                rank_zero_info(f"going on from {path}")

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        # Nothing is unpickled: a checkpoint holds tensors and plain values.
        return {**super()._prepare_subcommand_kwargs(subcommand), "weights_only": True}


class _ParsedOnly(TrainingCLI):
    """Reads and checks options, and makes nothing of them."""

    def instantiate_classes(self) -> None:
        pass

    def _run_subcommand(self, subcommand: str) -> None:
        pass


def run(arguments: Sequence[str]) -> None:
    """Run `fit`, `validate` or `test` with its options. Raises EngineError, SystemExit for wrong usage."""
    hush_lightning()
    _command_line(TrainingCLI, arguments)


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """Return every option of a command as plain values. Raises SystemExit for wrong usage."""
    cli = _command_line(_ParsedOnly, arguments)
    options: dict[str, Any] = cli.config[cli.subcommand].as_dict()
    return options


def _command_line(kind: type[TrainingCLI], arguments: Sequence[str]) -> TrainingCLI:
    callbacks: list[Callback] = [LearningRateMonitor("step"), Findings(), TestTable()]
    return kind(
        DeblurTask,
        ClipData,
        trainer_defaults={
            "callbacks": callbacks,
            "default_root_dir": "runs/default",
            "use_distributed_sampler": False,
            "check_val_every_n_epoch": None,
            "num_sanity_val_steps": 1,
        },
        seed_everything_default=0,
        parser_kwargs={
            "prog": PROGRAM,
            # The whole list of options would hide the one line that says what is wrong.
            **{name: {"usage": f"{PROGRAM} {name} {USAGE}"} for name in TrainingCLI.subcommands()},
        },
        save_config_kwargs={"overwrite": True},
        auto_configure_optimizers=False,
        load_from_checkpoint_support=False,
        args=list(arguments),
    )
