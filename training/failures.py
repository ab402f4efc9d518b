"""One line for whatever ends a training, and the traceback in a file.

What libraries raise says where in them something happened. A user needs to know what happened to the
training, and what to do; whoever is asked for help needs the rest.
"""

import errno
import os
import re
import shutil
import tempfile
import traceback
from pathlib import Path

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from engine.errors import EngineError

LOG_NAME = "failure.log"
SHARED_MEMORY = Path("/dev/shm")
OWN_CODE = tuple(Path(__file__).resolve().parents[1] / name for name in ("engine", "training"))

_LOADER = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\) (is killed by signal: ([\w ]+)|exited)")
_SHARED_MEMORY = re.compile(r"(?:unable to|could not|cannot) .*(?:shared memory|shm|</?torch_)", re.I)
_ALLOCATION = re.compile(r"can't allocate memory|not enough memory|out of memory|std::bad_alloc", re.I)
_OTHER_PROCESS = re.compile(
    r"connection (was )?(closed|reset|refused)|broken pipe|timeout|timed out|gloo.*(read|write) error|nccl",
    re.I,
)
_GOES_ON = "The same command goes on from the last checkpoint"


def is_told(error: Exception) -> bool:
    """Tell whether an error's message is a line for people already: of ours, or raised by our code."""
    if isinstance(error, EngineError):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    own = bool(frames) and any(Path(frames[-1].filename).is_relative_to(folder) for folder in OWN_CODE)
    return isinstance(error, ValueError) and own


def failure_of(error: Exception, folder: Path) -> EngineError:
    """Say in one line why a training ended, and write the traceback into a file in its `folder`."""
    told = _told(error)
    log = _write_log(error, folder)
    where = "" if log is None else f"The traceback is in {log}"
    advice = ". ".join(part for part in (told.advice, where) if part)
    rank, processes = _rank(), int(os.environ.get("WORLD_SIZE", "1"))
    problem = told.problem if processes == 1 else f"process {rank} of {processes}: {told.problem}"
    return EngineError(problem, path=told.path, found=told.found, expected=told.expected, advice=advice)


def _told(error: Exception) -> EngineError:
    text = _line(error)
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            if _SHARED_MEMORY.search(str(cause)):
                return _shared_memory_is_short(text)
            return EngineError(
                "there is no room left to write",
                path=cause.filename,
                found=cause.strerror,
                advice=f"Free some space there, or set TMPDIR to a disk that has some. {_GOES_ON}",
            )
    # What is raised last says that a process is gone; what it came from says how.
    texts = [_line(cause) for cause in _causes(error)]
    loaders = [found for of_cause in texts if (found := _LOADER.search(of_cause))]
    loader = next((found for found in loaders if found[3]), loaders[0] if loaders else None)
    if loader and (loader[3] or "").startswith("Bus error"):
        return _shared_memory_is_short(f"process {loader[1]}, signal {loader[3]}")
    short = next((of_cause for of_cause in texts if _SHARED_MEMORY.search(of_cause)), None)
    if short is not None:
        return _shared_memory_is_short(short)
    if loader:
        return EngineError(
            "a process that loads data was ended from outside",
            found=f"process {loader[1]}, {'signal ' + loader[3].strip() if loader[3] else 'no answer'}",
            advice=f"Systems do so when memory or shared memory ({SHARED_MEMORY}) runs out: lower "
            f"--data.cache_mib and --data.workers (0 needs no shared memory). {_GOES_ON}",
        )
    misconfigured = isinstance(error, MisconfigurationException)
    if misconfigured and re.search("gpu|cuda", text, re.I) and not torch.cuda.is_available():
        return EngineError(
            "there is no GPU here that torch can use",
            found=text[:200],
            advice="Add --trainer.accelerator cpu, or see what `python -m training doctor` finds here",
        )
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or _ALLOCATION.search(text):
        return EngineError(
            "memory ran out",
            found=text[:200] or None,
            advice="Lower --data.batch_size, --data.frames or --data.crop_px, or add --model.checkpointing "
            "true; `python -m training doctor --config FILE` fits a configuration to this machine",
        )
    if "address already in use" in text.lower():
        return EngineError(
            "another program has the port through which the processes meet",
            found=text[:160],
            advice="Give another: torchrun --master-port N",
        )
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and _OTHER_PROCESS.search(text):
        return EngineError(
            "another process of this training ended, or does not answer",
            found=text[:160],
            advice=f"Its own line says why. {_GOES_ON}",
        )
    if misconfigured:
        return EngineError(text[:400])
    return EngineError(f"the training failed: {type(error).__name__}: {text[:300]}")


def _shared_memory_is_short(text: str) -> EngineError:
    try:
        total_bytes, _, free_bytes = shutil.disk_usage(SHARED_MEMORY)
        size = f", {free_bytes / 2**20:.0f} of {total_bytes / 2**20:.0f} MiB free"
    except OSError:
        size = ""
    return EngineError(
        "the processes that load data ran out of shared memory",
        path=SHARED_MEMORY,
        found=f"{text[:120]}{size}",
        advice="Give it more (docker run --shm-size=2g; mount -o remount,size=2g /dev/shm), or load in the "
        f"training's own process: --data.workers 0. {_GOES_ON}",
    )


def _line(error: BaseException) -> str:
    """Return an error's message without the traceback that a loader's process adds to it."""
    lines = str(error).strip().splitlines()
    passed_on = any("Traceback (most recent call last)" in line for line in lines)
    return " ".join((lines[-1] if passed_on else " ".join(lines)).split())


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return an error with what it came from."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _rank() -> int:
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")))


def _write_log(error: Exception, folder: Path) -> Path | None:
    """Write the traceback into the run's folder, or where there is room; return where, None for nowhere."""
    text = "".join(traceback.format_exception(error))
    rank = _rank()
    name = LOG_NAME if rank == 0 else f"{Path(LOG_NAME).stem}-{rank}.log"
    for place in (folder / name, Path(tempfile.gettempdir()) / f"spike-deblur-{os.getpid()}-{name}"):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8", "backslashreplace")
        except OSError:
            continue
        return place
    return None
