"""Write a run's checkpoints whole or not at all, and go on where that fails."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.utilities.rank_zero import rank_zero_info

from engine.errors import ExportError
from engine.export import make_folder, remove_unfinished, written_whole


class CheckpointFiles(TorchCheckpointIO):
    """Replaces a checkpoint in one step, on whatever disk it lies; the old file stays until then.

    Lightning's own writer stages in TMPDIR and copies over the old file. A checkpoint that cannot be written
    is told of and remembered in `failures`, and the training goes on: hours of it are worth more than a file.
    """

    def __init__(self) -> None:
        super().__init__()
        self.failures: dict[Path, ExportError] = {}
        """Why files could not be written the last time; what is written later is no failure any more."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        if storage_options is not None:
            raise TypeError("checkpoints are files here, which take no storage options")
        path = Path(path)
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            make_folder(path.parent)
            with written_whole(path) as file:
                file.write(content.getbuffer())
        except ExportError as error:
            self.failures[path] = error
            size_mb = content.getbuffer().nbytes / 1e6
            rank_zero_info(
                f"{error} (a checkpoint takes {size_mb:.1f} MB beside the old one). The training goes on, "
                "and tries again at the next checkpoint"
            )
        else:
            self.failures.pop(path, None)


def replace_whole_files(trainer: pl.Trainer, folder: Path) -> None:
    """Let a trainer write its checkpoints whole, and remove what killed runs left of theirs in a folder.

    A writer of checkpoints that the user chose is left in place.
    """
    if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
        trainer.strategy.checkpoint_io = CheckpointFiles()
    if trainer.is_global_zero:
        remove_unfinished(folder)


def checkpoint_failures(trainer: pl.Trainer) -> Mapping[Path, ExportError]:
    """Return why checkpoints could not be written the last time, on the process that writes them."""
    writer = trainer.strategy.checkpoint_io
    return writer.failures if isinstance(writer, CheckpointFiles) else {}
