"""The one road from a sequence to restored pictures: a request goes in, a stream of events comes out.

The command line, the worker, `evaluate`, validation in training and Python are sinks of it, so that the same
request gives the same bytes on each of them, and one damaged frame costs one frame.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.errors import MethodError, OperationCancelled
from engine.findings import Finding
from engine.geometry import Region, Span
from engine.moment import Moment, centres, frames_of
from engine.restoration.events import Cancelled, Event, Failed, Finished, FrameFailed, FrameRestored, Planned
from engine.restoration.frame_run import NOTHING_YET, Earlier, FrameRun, describe_beside
from engine.restoration.methods import Method
from engine.restoration.options import ComputeOptions
from engine.restoration.plan import Plan, with_neighbours
from engine.restoration.schedule import View
from engine.restoration.settings import Layout, settle
from engine.restoration.tile_computer import TileComputer

if TYPE_CHECKING:
    from engine.sequence import Sequence


@dataclass(frozen=True, eq=False)
class Restoration:
    """What is to be restored of a sequence, and how."""

    sequence: "Sequence"
    wanted: tuple[Moment, ...]
    """Kept in order of time, each once, however it was given."""
    method: Method
    options: ComputeOptions = ComputeOptions()  # noqa: RUF009 (frozen)
    region: Region | None = None
    """The only part of the pictures to restore; the rest stays as it was recorded."""
    given_layout: Layout | None = None
    """How to cut it, where an earlier run has settled that; None settles it for the memory there is."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "wanted", tuple(sorted(set(self.wanted))))

    @classmethod
    def of_frames(
        cls,
        sequence: "Sequence",
        frames: Span,
        method: Method,
        options: ComputeOptions = ComputeOptions(),  # noqa: B008 (frozen)
        region: Region | None = None,
    ) -> "Restoration":
        """Want the centre of every one of these frames' exposures."""
        return cls(sequence, centres(frames), method, options, region)

    @cached_property
    def layout(self) -> Layout:
        """How it is cut. Raises MethodError where what was asked for does not fit (see `settle`)."""
        if self.given_layout is not None:
            return self.given_layout
        sequence = self.sequence
        return settle(sequence.frame_size, len(sequence), self.method, self.options, self.region)

    @cached_property
    def plan(self) -> Plan:
        """Every tile of every clip, as long as no frame fails. Raises MethodError as `layout` does."""
        planned = with_neighbours(frames_of(self.wanted), self.layout.clip_frames, len(self.sequence))
        return self.layout.plan(self.sequence.frame_size, planned, self.method, self.region)


def run(
    restoration: Restoration,
    *,
    should_cancel: Callable[[], bool] | None = None,
    view: Callable[[], View | None] | None = None,
    earlier: Earlier = NOTHING_YET,
) -> Iterator[Event]:
    """Yield what happens (see `engine.restoration.events`); nothing is raised by what goes wrong.

    `should_cancel` is asked before every tile, `view` what somebody looks at, which then comes first. What
    `earlier` has finished does not come again.
    """
    started = time.perf_counter()
    method, sequence = restoration.method, restoration.sequence
    failures = list(earlier.failures)
    computer: TileComputer | None = None

    def ended() -> tuple[float, tuple[Finding, ...]]:
        of_computing = () if computer is None else tuple(computer.remarks)
        remarks = (*method.findings, *describe_beside(sequence, failures), *of_computing)
        return time.perf_counter() - started, remarks

    try:
        _check(restoration)
        computer = TileComputer(method, sequence.frame_size, restoration.layout)
        if earlier.limits is not None:
            computer.limits = earlier.limits
        steps = FrameRun(
            sequence,
            restoration.wanted,
            method,
            restoration.layout,
            computer=computer,
            region=restoration.region,
            earlier=earlier,
        )
        yield Planned(restoration.layout, restoration.wanted, steps.tiles_total)
        for step in steps.steps(should_cancel or _never, view):
            if isinstance(step, FrameFailed):
                failures.append(step)
            yield step
    except OperationCancelled:
        yield Cancelled(*ended())
    except Exception as error:  # noqa: BLE001 (whatever happens, the stream ends in an event)
        yield Failed(error, *ended())
    else:
        if steps.has_given_up:
            yield Failed(failures[-1].error, *ended(), has_given_up=True)
        else:
            yield Finished(*ended())


def restored(
    restoration: Restoration, *, should_cancel: Callable[[], bool] | None = None
) -> Iterator[FrameRestored]:
    """Yield what is restored alone, for those who cannot do without a frame of it.

    Raises the error of the first frame that fails, what made the rest fail, OperationCancelled.
    """
    for event in run(restoration, should_cancel=should_cancel):
        match event:
            case FrameRestored():
                yield event
            case FrameFailed(is_beside=False):
                raise event.error
            case Failed():
                raise event.cause
            case Cancelled():
                raise OperationCancelled("restoring was cancelled")


def _check(restoration: Restoration) -> None:
    """Raise MethodError where what is wanted is not there, or the method cannot give it."""
    frames, count, method = frames_of(restoration.wanted), len(restoration.sequence), restoration.method
    if frames.stop > count:
        raise MethodError(
            "the frames asked for are not all there",
            found=f"{frames.start} to {frames.stop}",
            expected=f"within 0 to {count}",
        )
    for moment in restoration.wanted:
        if method.moments == "centre" and not moment.is_centre:
            raise MethodError(
                f"the method {method.name} cannot restore {moment}",
                expected="the centre of an exposure",
                advice="Choose another method for other moments",
            )


def _never() -> bool:
    return False
