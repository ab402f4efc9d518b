"""Reads what will probably be asked for next, while the window shows what was asked for last."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject

from app.state.reading.lane import Lane
from app.state.reading.lease import Lease

FARTHEST_STEP = 4
"""Frames; who jumps farther is looking for something, and the next jump cannot be known."""
AHEAD = 2
"""Frames that are read ahead of the one on the screen, each in a thread."""


class ReadAhead(QObject):
    """Guesses the next frames from the way the last ones went, and gives them to `read` in threads.

    `read` must remember what it has made: a frame is guessed twice before it is asked for. A guess that
    fails is silent: its error is told when the frame is really asked for.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, read: Callable[[Lease, int], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._read = read
        self._lanes = tuple(Lane(pool, self) for _ in range(AHEAD))
        self._begun: list[int | None] = [None] * AHEAD
        self._last: int | None = None

    def shown(self, lease: Lease, index: int) -> None:
        """Tell that a frame is shown now."""
        last, self._last = self._last, index
        if last is None or last == index or abs(index - last) > FARTHEST_STEP:
            return
        step = index - last
        for following in range(index + step, index + step * AHEAD + (1 if step > 0 else -1), step):
            if 0 <= following < len(lease.sequence) and following not in self._begun:
                self._begin(lease, following, (following // step) % AHEAD)

    def _begin(self, lease: Lease, index: int, lane: int) -> None:
        self._begun[lane] = index
        self._lanes[lane].request(index, lambda _: self._read(lease, index))

    def clear(self) -> None:
        """Forget the way; another sequence may be open."""
        for lane in self._lanes:
            lane.clear()
        self._begun = [None] * AHEAD
        self._last = None
