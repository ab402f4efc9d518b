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

from engine.geometry import Span
from engine.model_description import looked_at
from engine.moment import Moment
from engine.restoration.plan import Plan

if TYPE_CHECKING:
    from engine.sequence import Sequence

DEFAULT_BYTES = 512 << 20

Key = tuple[Hashable, ...]


def result_key(
    made_by: Hashable, sequence: "Sequence", plan: Plan, moment: Moment, margin_frames: int = 0
) -> Key:
    """Return what the picture of `moment` depends on; `made_by` stands for files, method and options.

    `margin_frames` are those beyond a clip at which the method looks.
    """
    clips = tuple(clip for clip in plan.clips if moment.frame in clip)
    seen = looked_at(plan.clips, moment.frame, len(sequence), margin_frames)
    windows: tuple[Any, ...] = ()
    registration = None
    if sequence.recording is not None:
        registration = sequence.registration
        windows = tuple(
            tuple(sequence.window(index) for index in range(span.start, span.stop)) for span in seen
        )
    return made_by, moment, plan.region, plan.rows, plan.columns, clips, windows, registration


@dataclass(frozen=True, eq=False)
class KeptFrame:
    """A finished frame."""

    picture: NDArray[np.float32]
    """(H, W, 3) RGB in [0, 1]."""
    unchanged: str = ""
    """Why it is the frame as it was; empty where it is restored."""
    looked_at: tuple[Span, ...] = ()
    """The frames that it depends on, as `engine.restoration.run.FrameResult` has them."""


class ResultCache:
    """Restored pictures up to a number of bytes; the one not asked for the longest goes first."""

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        self._frames: LRUCache[Key, KeptFrame] = LRUCache(
            most_bytes, getsizeof=lambda frame: frame.picture.nbytes
        )

    def get(self, key: Key) -> KeptFrame | None:
        return self._frames.get(key)

    def put(
        self, key: Key, picture: NDArray[np.float32], unchanged: str = "", looked_at: tuple[Span, ...] = ()
    ) -> None:
        """Keep a copy of a finished picture, unless it alone is larger than everything kept may be."""
        if picture.nbytes <= self._frames.maxsize:
            self._frames[key] = KeptFrame(picture.copy(), unchanged, looked_at)
