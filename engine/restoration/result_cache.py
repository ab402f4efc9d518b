"""Finished frames, kept so that the same work is not done twice.

Strategy: a frame's key holds everything that its result depends on: the method and how it computes, the
tiles, where frames lie among the spikes, and for each clip the frame is in, the files and the alignment
windows of that clip. So stepping back
costs nothing, and moving a window makes nothing invalid but the clips it belongs to.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from engine.restoration.plan import Plan

if TYPE_CHECKING:
    from engine.sequence import Sequence

DEFAULT_BYTES = 512 << 20

Key = tuple[Hashable, ...]


def frame_key(made_by: Hashable, sequence: "Sequence", plan: Plan, frame: int) -> Key:
    """Return what the result of `frame` depends on; `made_by` stands for files, method and options."""
    clips = [clip for clip in plan.clips if frame in clip]
    windows: tuple[Any, ...] = ()
    registration = None
    if sequence.recording is not None:
        registration = sequence.registration
        windows = tuple(
            tuple(sequence.window(index) for index in range(clip.start, clip.stop)) for clip in clips
        )
    return made_by, frame, plan.region, plan.rows, plan.columns, tuple(clips), windows, registration


@dataclass(frozen=True, eq=False)
class KeptFrame:
    """A finished frame."""

    picture: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    unchanged: str = ""
    """Why it is the frame as it was; empty where it is restored."""


class ResultCache:
    """Restored pictures up to a number of bytes; the one not asked for the longest goes first."""

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        self._frames: LRUCache[Key, KeptFrame] = LRUCache(
            most_bytes, getsizeof=lambda frame: frame.picture.nbytes
        )

    def get(self, key: Key) -> KeptFrame | None:
        return self._frames.get(key)

    def put(self, key: Key, picture: NDArray[np.float32], unchanged: str = "") -> None:
        """Keep a copy of a finished picture, unless it alone is larger than everything kept may be."""
        if picture.nbytes <= self._frames.maxsize:
            self._frames[key] = KeptFrame(picture.copy(), unchanged)
