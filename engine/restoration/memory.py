"""How much memory restoring may take, how much it takes, and how to tell that it has run out.

Strategy: a GPU says how much of it is free and raises its own error when that is not enough. On a CPU
nothing is raised before the machine swaps or the process is killed, so there is a budget, and a thread that
looks at the process's size while a tile is computed.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 1 << 30
CPU_SHARE = 0.5
"""Of the free memory; the rest stays with the user's other programs."""
LARGE_SHARE = 0.9
LOOK_SECONDS = 0.01
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
CGROUP_USE = Path("/sys/fs/cgroup/memory.current")


@dataclass(frozen=True)
class Budget:
    """What a restoration may take beyond what the program and its input take already."""

    bytes: int
    device: str = "cpu"

    def __str__(self) -> str:
        return f"{format_gib(self.bytes)} on {self.device}"


def format_gib(size_bytes: float) -> str:
    """Write bytes as GiB, two digits where there are few."""
    gib = size_bytes / GIB
    return f"{gib:.2f} GiB" if gib < 1 else f"{gib:.1f} GiB"


def find_budget(device: str, memory_gb: float | None = None, *, whole: bool = False) -> Budget:
    """Return what may be used: `memory_gb` (GiB) where given, else a share of what is free on `device`.

    The share is larger where somebody wants the `whole` of it, and a GPU's always is.
    """
    if memory_gb is not None:
        return Budget(round(memory_gb * GIB), device)
    share = LARGE_SHARE if whole or device != "cpu" else CPU_SHARE
    return Budget(round(free_bytes(device) * share), device)


def free_bytes(device: str) -> int:
    """Return the free memory of "cpu", "cuda:N" or "mps"."""
    if device.startswith("cuda"):
        import torch

        free, _total = torch.cuda.mem_get_info(torch.device(device))
        return int(free)
    if device == "mps":
        import torch

        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return min(psutil.virtual_memory().available, _cgroup_free())


def _cgroup_free() -> int:
    """Return what a container leaves to its processes."""
    try:
        return max(0, int(CGROUP_LIMIT.read_text()) - int(CGROUP_USE.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return sys.maxsize


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory has run out, on whichever device."""
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    text = str(error).lower()
    return any(sign in text for sign in ("out of memory", "can't allocate memory", "not enough memory"))


class MemoryWatch:
    """Measures how much the process grows while something is computed on the CPU."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        """The most that a watched computation has added."""

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        process = psutil.Process()
        before = process.memory_info().rss
        is_over = threading.Event()

        def look() -> None:
            while not is_over.wait(LOOK_SECONDS):
                self.peak_bytes = max(self.peak_bytes, process.memory_info().rss - before)

        watcher = threading.Thread(target=look, name="memory", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()
            self.peak_bytes = max(self.peak_bytes, process.memory_info().rss - before)
