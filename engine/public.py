"""What `import engine` gives: open a sequence, restore it, score the result.

Everything here is the road that the command line and the window take too, so that a picture comes out the
same to the byte on each of them. The examples run as tests, from the project's root.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from engine.errors import MethodError
from engine.geometry import Region, Size, Span
from engine.moment import Moment, centres
from engine.restoration.method_names import DEFAULT_METHOD
from engine.restoration.options import ComputeOptions, Precision
from engine.sequence import Sequence
from engine.sequence import open_sequence as open

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.metrics import Scores
    from engine.restoration.events import Event, FrameRestored
    from engine.restoration.methods import Method

__all__ = ["open", "restore", "score"]


def restore(
    sequence: Sequence,
    frames: int | tuple[int, int] | Span | None = None,
    *,
    moments: Iterable[Moment] | None = None,
    method: "str | Method" = DEFAULT_METHOD,
    model: str | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    tile: int | tuple[int, int] | None = None,
    region: Region | None = None,
    memory_gb: float | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> "Iterator[Event]":
    """Restore frames of a sequence; yield what happens (see `engine.restoration.events`).

    >>> import engine
    >>> from engine.restoration.events import Failed, FrameFailed, FrameRestored
    >>> with engine.open("resources/samples/city") as sequence:
    ...     for event in engine.restore(sequence, frames=(2, 4), method="spike-ratio"):
    ...         match event:
    ...             case FrameRestored():
    ...                 print(event.moment, event.picture.shape, event.picture.dtype)
    ...             case FrameFailed() | Failed():
    ...                 print(event.error)
    frame 2 (480, 640, 3) float32
    frame 3 (480, 640, 3) float32

    `frames` is one number from 0, or first and behind the last; None means all. `moments` names instants of
    exposures instead, for methods that give others than centres. `method` is a name, with `model` the name or
    file of a network, or a Method that you made. `tile` is the longest edge, or height and width, in pixels;
    None chooses it for the memory there is, of which `memory_gb` GiB may be taken. Outside a `region` a
    picture stays as it was recorded. A frame that fails is an event, and the others go on.

    Raises MethodError, CheckpointError or SequenceError where it cannot begin.
    """
    from engine.restoration.methods import make_method
    from engine.restoration.restoration import Restoration, run

    if frames is not None and moments is not None:
        raise MethodError("frames and moments are both given", advice="Give one of them")
    options = ComputeOptions(device, precision, _size(tile), memory_gb=memory_gb)
    wanted = centres(_span(frames, len(sequence))) if moments is None else tuple(moments)
    made = make_method(method, model, device, precision) if isinstance(method, str) else method
    return run(Restoration(sequence, wanted, made, options, region), should_cancel=should_cancel)


def score(
    sequence: Sequence,
    restored: "FrameRestored | NDArray[np.floating]",
    frame: int | None = None,
    *,
    region: Region | None = None,
) -> "Scores":
    """Score a picture against the sequence's reference, as `evaluate` does: PSNR in dB, SSIM, correlation.

    >>> import engine
    >>> from engine.restoration.events import FrameRestored
    >>> with engine.open("resources/samples/city") as sequence:
    ...     blurry = engine.score(sequence, sequence.frame(3), 3)
    ...     for event in engine.restore(sequence, 3, method="spike-ratio"):
    ...         if isinstance(event, FrameRestored):
    ...             gain_db = engine.score(sequence, event).psnr - blurry.psnr
    >>> gain_db > 3
    True

    `restored` is what `restore` yields, or a picture (H, W, 3) in [0, 1] of `frame`. Raises MethodError where
    there is no reference, or sizes differ.
    """
    from engine.metrics import compare
    from engine.restoration.events import FrameRestored

    if isinstance(restored, FrameRestored):
        return compare(sequence, restored.frame, restored.picture, region)
    if frame is None:
        raise MethodError("of a bare picture it must be said which frame it is of", advice="Give frame=")
    return compare(sequence, frame, restored, region)


def _size(tile: int | tuple[int, int] | None) -> Size | None:
    if tile is None:
        return None
    height, width = (tile, tile) if isinstance(tile, int) else tile
    if min(height, width) < 1:
        raise MethodError("a tile needs a positive edge", found=f"{height}x{width}", advice="Choose another")
    return Size(height, width)


def _span(frames: int | tuple[int, int] | Span | None, count: int) -> Span:
    if frames is None:
        return Span(0, count)
    if isinstance(frames, Span):
        return frames
    start, stop = (frames, frames + 1) if isinstance(frames, int) else frames
    if not 0 <= start < stop <= count:
        raise MethodError(
            "the frames asked for are not all there",
            found=f"{start} to {stop}",
            expected=f"within 0 to {count}",
        )
    return Span(start, stop)
