"""Inputs of clips: the next one is made ready while the present one is computed."""

from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from engine.geometry import Span
from engine.moment import Moment
from engine.restoration.evidence import check_needs
from engine.restoration.methods import Method
from engine.restoration.plan import Plan

if TYPE_CHECKING:
    from engine.sequence import Sequence

MOST_CLIPS = 2
"""Kept ready: the one in work and the next, or one that was left for another."""


class PreparedClips:
    """What a method has prepared of the clips of a plan, a few at a time."""

    def __init__(
        self,
        sequence: "Sequence",
        plan: Plan,
        method: Method,
        wanted: Mapping[Span, tuple[Moment, ...]],
    ) -> None:
        """Prepare for `wanted`, the moments that are to come of each clip."""
        self._sequence = sequence
        self._plan = plan
        self._method = method
        self._wanted = wanted
        self._clips: OrderedDict[int, Future[Any]] = OrderedDict()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="prepare")

    def take(self, clip: int) -> Any:
        """Return what is prepared of a clip, waiting for it. Raises what the method raised about it."""
        self.prepare_ahead(clip)
        self._clips.move_to_end(clip)
        try:
            return self._clips[clip].result()
        except BaseException:
            self.drop(clip)
            raise

    def prepare_ahead(self, clip: int) -> None:
        """Begin to prepare a clip, unless that has been done, and forget the one not used for longest."""
        if clip in self._clips:
            return
        self._clips[clip] = self._pool.submit(self._prepare, self._plan.clips[clip])
        while len(self._clips) > MOST_CLIPS:
            _, oldest = self._clips.popitem(last=False)
            oldest.cancel()

    def _prepare(self, clip: Span) -> Any:
        if self._method.description is not None:
            check_needs(self._sequence, self._method.description)
        return self._method.prepare(self._sequence, clip, self._wanted[clip])

    def drop(self, clip: int) -> None:
        """Forget a clip that is done."""
        forgotten = self._clips.pop(clip, None)
        if forgotten is not None:
            forgotten.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Wait: what reads the sequence must be over before somebody closes it.
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._clips.clear()
