"""Read the weights that lie in a file: `.safetensors`, or a pickle of PyTorch, of which nothing is run.

A file is believed only as far as it goes: what it claims to hold beyond its own length is refused before
memory is taken.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import CheckpointError
from engine.model.told import unreadable_safetensors

_STRANGER = re.compile(r"(?:GLOBAL|global|Unsupported operand|class) ([\w.]+)")
_NO_PICKLE = "nothing that PyTorch wrote"


def open_safetensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return what a file says of itself, and its weights under its own names. Raises CheckpointError."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as cause:
        raise unreadable_safetensors(path, cause) from cause


def read_pickle(path: Path) -> Mapping[str, Any]:
    """Return the dictionary in a file of PyTorch: tensors and plain values. Raises CheckpointError."""
    _check_archive(path)
    try:
        with path.open("rb") as file:  # of a path PyTorch looks at the suffix
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as cause:  # bytes that are no pickle lead the reader anywhere
        raise CheckpointError(
            "the file cannot be read as weights",
            path=path,
            found=_said(cause),
            advice="It may be truncated, or hold more than tensors and plain values, which is never run here",
        ) from cause
    if not isinstance(content, Mapping):
        raise CheckpointError(
            "the file holds no weights", path=path, found=type(content).__name__, expected="a dictionary"
        )
    return content


def _check_archive(path: Path) -> None:
    """Raise CheckpointError where an archive unpacks to more than it is: PyTorch compresses nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(member.file_size for member in archive.infolist())
        held = path.stat().st_size
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return  # no archive, or one that PyTorch says itself what is wrong with
    if claimed > held:
        raise CheckpointError(
            "the file claims more than it holds",
            path=path,
            found=f"{claimed} bytes in an archive of {held}",
            advice="Save the weights again with torch.save, which compresses nothing",
        )


def _said(cause: Exception) -> str:
    """Return what PyTorch says, without its advice to trust the file."""
    text = str(cause)
    if "Weights only load failed" in text:
        stranger = _STRANGER.search(text.partition("WeightsUnpickler error")[2] or text)
        return f"a Python object, {stranger[1]}" if stranger else _NO_PICKLE
    if not isinstance(cause, RuntimeError | OSError) or not text:
        return _NO_PICKLE
    return text.splitlines()[0][:160]
