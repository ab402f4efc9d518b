"""`python -m training fit|validate|test`: Lightning's command line around our task and data.

Strategy: options are the arguments of DeblurTask (`--model`), ClipData (`--data`) and Lightning's Trainer
(`--trainer`); a preset in `training/configs` gives them values. A run lives in `--trainer.default_root_dir`
and goes on from the `last.ckpt` there.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, LearningRateMonitor
from lightning.pytorch.callbacks.weight_averaging import EMAWeightAveraging
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities.rank_zero import rank_zero_info, rank_zero_warn

from engine.errors import EngineError
from training.checkpoint_files import checkpoint_failures
from training.console import PROGRAM
from training.data import ClipData
from training.failures import failure_of, is_told
from training.progress import Findings, PictureRows, RunBar, TestTable, hush_lightning
from training.resuming import (
    BEST_NAME,
    LAST_NAME,
    BestCheckpoint,
    EarlyStop,
    LastCheckpoint,
    last_checkpoint,
    read_entry,
)
from training.run_log import OPTIONS_NAME, KeepOptions, RunLog, hush_log_threads
from training.task import CHECKPOINT_KEY, DeblurTask

DEFAULT_FOLDER = "runs/default"
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
        parser.add_lightning_class_args(EarlyStop, "early_stop")
        parser.add_lightning_class_args(BestCheckpoint, "best")
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
                "best.filename": Path(BEST_NAME).stem,
                "best.save_top_k": 1,
                "best.auto_insert_metric_name": False,
                "best.enable_version_counter": False,
            }
        )

    def _parse_ckpt_path(self) -> None:
        """Leave the options as they were given: Lightning takes some out of checkpoints, over those."""

    def instantiate_classes(self) -> None:
        with self._failures_in_a_line():
            super().instantiate_classes()

    def _run_subcommand(self, subcommand: str) -> None:
        with self._failures_in_a_line():
            super()._run_subcommand(subcommand)

    @contextlib.contextmanager
    def _failures_in_a_line(self) -> Iterator[None]:
        """Turn whatever libraries raise into an EngineError, its traceback into a file of the run."""
        try:
            yield
        except Exception as error:
            if is_told(error):
                raise
            options = self._get(self.config, "trainer")
            folder = Path((options.default_root_dir if options else None) or DEFAULT_FOLDER)
            raise failure_of(error, folder) from error

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        folder = self._run_folder()
        options = self._get(self.config_init, "trainer")
        if self.subcommand != "fit":  # which leave a run's records alone
            kwargs["logger"] = False
            self.save_config_callback = None
        elif options.get("logger") in (None, True):
            kwargs["logger"] = RunLog(folder.parent, name=folder.name, version="")
        if options.get("enable_progress_bar") is not False:
            options.callbacks = [*(options.get("callbacks") or []), RunBar()]
        best = self._get(self.config_init, "best")
        if best.dirpath is None:
            best.dirpath = str(folder.absolute())
        return super().instantiate_trainer(**kwargs)

    def _instantiate_trainer(self, config: dict[str, Any], callbacks: list[Callback]) -> Trainer:
        if "fsdp" in str(config.get("strategy")).lower():
            callbacks = [one for one in callbacks if not isinstance(one, EMAWeightAveraging)]
            rank_zero_warn("weights that lie in parts on several devices (FSDP) are not averaged")
        trainer: Trainer = super()._instantiate_trainer(config, callbacks)
        return trainer

    def _run_folder(self) -> Path:
        return Path(self._get(self.config_init, "trainer").default_root_dir or DEFAULT_FOLDER)

    def before_fit(self) -> None:
        """Go on from where the run in this folder stopped. Raises EngineError where it cannot be this run."""
        self._check_processes()
        folder = self._run_folder()
        _make_writable(folder)
        options = self.config_init["fit"]
        if options.ckpt_path is None:
            path = last_checkpoint(folder)
            if path is None:
                return
            options.ckpt_path = str(path)
            rank_zero_info(f"going on from {path}")
            self._tell_changes(folder / OPTIONS_NAME)
        # Before anything of the run is touched.
        self.model.check_same_run(read_entry(_existing(options.ckpt_path), CHECKPOINT_KEY))

    def after_fit(self) -> None:
        """Raise ExportError where the run's end is not on the disk: the exit status must tell."""
        for failure in checkpoint_failures(self.trainer).values():
            raise failure

    def before_validate(self) -> None:
        self._choose_checkpoint()

    def before_test(self) -> None:
        self._choose_checkpoint()

    def _choose_checkpoint(self) -> None:
        """Score the best network of the run in this folder, unless told which. Raises EngineError."""
        self._check_processes()
        folder = self._run_folder()
        options = self.config_init[str(self.subcommand)]
        given = options.ckpt_path
        if given in ("best", "last"):
            given = str(folder / f"{given}.ckpt")
        if given is None:
            given = next(
                (str(folder / name) for name in (BEST_NAME, LAST_NAME) if (folder / name).is_file()), None
            )
        if given is None:
            if self._get(self.config_init, "model.init") is not None:
                return
            raise EngineError(
                "there is no trained network to score",
                path=folder,
                expected=f"{BEST_NAME} or {LAST_NAME}",
                advice="Name the run's folder (--trainer.default_root_dir), a checkpoint (--ckpt_path FILE) "
                "or weights (--model.init FILE)",
            )
        self.model.check_same_run(read_entry(_existing(given), CHECKPOINT_KEY))
        rank_zero_info(f"scoring {given}")
        options.ckpt_path = given

    def _check_processes(self) -> None:
        """Refuse to be several runs where one of several processes was meant. Raises EngineError."""
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        if processes > 1 and self.trainer.world_size == 1:
            raise EngineError(
                "each process would train a network of its own",
                found=f"{processes} processes (torchrun), a trainer of one",
                advice=f"Add --trainer.devices {os.environ.get('LOCAL_WORLD_SIZE', processes)} "
                "--trainer.strategy ddp",
            )
        options = self._get(self.config_init, "trainer")
        for name in ("limit_val_batches", "limit_test_batches"):
            if self.trainer.world_size > 1 and options.get(name) not in (None, 0, 1.0):
                raise EngineError(
                    "the scores would depend on the number of processes",
                    found=f"--trainer.{name} {options.get(name)}, which each process takes for itself",
                    advice="Say how many clips there are in all instead: --data.val_clips N",
                )

    def _tell_changes(self, path: Path) -> None:
        """Say which options differ from those in the file that the run was last started with.

        Raises EngineError for one that a run cannot change any more.
        """
        try:
            before = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, yaml.YAMLError):
            return
        now = yaml.safe_load(self._parser(self.subcommand).dump(self.config.get("fit"), skip_none=False))
        old, new = dict(_flat(before)), dict(_flat(now))
        changed = [name for name in new if name != "ckpt_path" and old.get(name) != new[name]]
        if "model.init" in changed and new["model.init"] is not None:
            raise EngineError(
                "the run in this folder began with other weights",
                path=path.parent,
                found=f"--model.init {old.get('model.init')}",
                expected=f"{new['model.init']}, as now",
                advice="Leave --model.init away to go on, or begin in another folder "
                "(--trainer.default_root_dir)",
            )
        if changed:
            told = ", ".join(f"{name} {old.get(name)} → {new[name]}" for name in changed)
            rank_zero_info(f"options differ from those before: {told}")

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
    hush_log_threads()
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
            "default_root_dir": DEFAULT_FOLDER,
            "use_distributed_sampler": False,
            "check_val_every_n_epoch": None,
            "num_sanity_val_steps": 1,
        },
        seed_everything_default=0,
        save_config_callback=KeepOptions,
        parser_kwargs={
            "prog": PROGRAM,
            # The whole list of options would hide the one line that says what is wrong.
            **{name: {"usage": f"{PROGRAM} {name} {USAGE}"} for name in TrainingCLI.subcommands()},
        },
        save_config_kwargs={"save_to_log_dir": False},
        auto_configure_optimizers=False,
        load_from_checkpoint_support=False,
        args=list(arguments),
    )


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """List what nested options hold under dotted names."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _existing(path: str) -> Path:
    if not Path(path).is_file():
        raise EngineError("there is no such checkpoint", path=path, advice="Check --ckpt_path")
    return Path(path)


def _make_writable(folder: Path) -> None:
    """Make the folder of a run. Raises EngineError where nothing can be written there."""
    problem = "cannot write to the run's folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("permission denied")
    except OSError as error:
        raise EngineError(
            f"{problem}: {error.strerror or error}",
            path=folder,
            advice="Choose another with --trainer.default_root_dir",
        ) from error
