"""Shared memory that carries pictures from the worker to its client.

The client makes a block, owns it and unlinks it; the worker only looks in. Arrays over the memory live
inside single calls, because a block cannot be closed while one exists: reading it holds a lock.
"""

import shutil
import sys
import threading
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import WorkerError
from engine.geometry import Region, Size
from engine.worker.messages import SharedFrames

MOST_SLOTS = 8
BLOCK_BUDGET_BYTES = 256 * 2**20
FEWEST_SLOTS = 2  # one for what is finished, one to show what is not
POSIX_SHARED_MEMORY = Path("/dev/shm")  # where Linux keeps it; containers often give it 64 MiB


def picture_bytes(size: Size) -> int:
    """Bytes of one float32 RGB picture."""
    return size.pixels * 3 * np.dtype(np.float32).itemsize


def choose_slots(frames: int, size: Size, free_bytes: int | None = None) -> int:
    """Return how many pictures of `size` to share for a job of `frames` frames.

    `free_bytes` is the shared memory left, where that is known. Raises WorkerError when it does not hold
    two pictures: writing beyond it would kill the worker without a word.
    """
    one = picture_bytes(size)
    slots = max(FEWEST_SLOTS, min(frames + 1, MOST_SLOTS, BLOCK_BUDGET_BYTES // one))
    if free_bytes is not None:
        slots = min(slots, free_bytes // one)
    if slots < FEWEST_SLOTS:
        raise WorkerError(
            "there is too little shared memory for two pictures",
            path=POSIX_SHARED_MEMORY,
            found=f"{free_bytes} bytes free",
            expected=f"{FEWEST_SLOTS * one} bytes for {size} pixels",
            advice="Close other programs, or give the container more (--shm-size)",
        )
    return slots


def free_shared_bytes() -> int | None:
    """Return the shared memory that is left, or None where the system does not say."""
    return shutil.disk_usage(POSIX_SHARED_MEMORY).free if POSIX_SHARED_MEMORY.is_dir() else None


class FrameBlock:
    """Pictures in shared memory: float32 (slots, height, width, 3) RGB."""

    def __init__(self, memory: SharedMemory, shared: SharedFrames, *, owned: bool) -> None:
        self.shared = shared
        self._memory = memory
        self._owned = owned
        self._in_use = threading.Lock()
        self._is_closed = False

    @classmethod
    def create(cls, frames: int, size: Size) -> "FrameBlock":
        """Make a block for a job of `frames` pictures. Raises WorkerError where memory is short."""
        slots = choose_slots(frames, size, free_shared_bytes())
        try:
            memory = SharedMemory(create=True, size=slots * picture_bytes(size))
        except (OSError, ValueError) as error:
            raise WorkerError(
                f"shared memory for {slots} pictures of {size} pixels is refused: {error}"
            ) from error
        return cls(memory, SharedFrames(memory.name, slots, size.height, size.width), owned=True)

    @classmethod
    def attach(cls, shared: SharedFrames) -> "FrameBlock":
        """Look into a block that another process owns."""
        try:
            return cls(_attach(shared.name), shared, owned=False)
        except (OSError, ValueError) as error:
            raise WorkerError(f"the shared memory of the job is gone: {error}") from error

    def _picture(self, slot: int) -> NDArray[np.float32]:
        size = Size(self.shared.height, self.shared.width)
        if not 0 <= slot < self.shared.slots:
            raise WorkerError(f"there is no slot {slot}", expected=f"0 to {self.shared.slots - 1}")
        return np.ndarray(
            (size.height, size.width, 3),
            np.float32,
            buffer=self._memory.buf,
            offset=slot * picture_bytes(size),
        )

    def read(self, slot: int) -> NDArray[np.float32]:
        """Return a copy of the picture in `slot`, (H, W, 3). Raises WorkerError after `close`."""
        with self._in_use:
            if self._is_closed:
                raise WorkerError("the pictures of the job have been given back")
            return self._picture(slot).copy()

    def write(self, slot: int, picture: NDArray[np.float32], region: Region | None = None) -> None:
        """Copy `picture` (H, W, 3), or `region` of it, into `slot`."""
        if picture.shape != (self.shared.height, self.shared.width, 3):
            raise WorkerError(
                "the restored picture does not have the size the job was asked for",
                found=f"{picture.shape[0]} × {picture.shape[1]}",
                expected=f"{self.shared.height} × {self.shared.width}",
                advice="Open the sequence again",
            )
        part = ... if region is None else region.slices
        self._picture(slot)[part] = picture[part]

    def close(self) -> None:
        """Let go of the memory; the owner also gives it back to the system."""
        with self._in_use:
            self._is_closed = True
            self._memory.close()
            if self._owned:
                self._owned = False
                self._memory.unlink()


def _attach(name: str) -> SharedMemory:
    """Open shared memory without becoming answerable for it.

    Before Python 3.13 opening also registers the block with the resource tracker, as if this process had
    made it; a client that unlinks it meanwhile would then be told of a leak at exit. The worker attaches
    from its main thread only, so nobody else registers anything while the function is out of the way.
    """
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False)
    register = resource_tracker.register
    resource_tracker.register = lambda *_: None
    try:
        return SharedMemory(name)
    finally:
        resource_tracker.register = register
