"""Which instant of a sequence is meant: a moment of one frame's exposure. Standard library only.

A moment is what is asked for and what a result is known by, from the request to the file's name. Many may lie
in one exposure, so that a frame's number alone says nothing about which picture is meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.geometry import Span

CENTRE = 0.5
"""Of an exposure, where the sharp frame lies that a blurry one is restored to."""
FEWEST_DIGITS = 3


@dataclass(frozen=True, order=True)
class Moment:
    """An instant of the exposure of one frame; moments sort by frame, and within it by time.

    Raises ValueError for a frame before the first, or an instant outside the exposure.
    """

    frame: int
    at: float = CENTRE
    """From 0, the start of the exposure, to 1, its end."""

    def __post_init__(self) -> None:
        if self.frame < 0:
            raise ValueError(f"there is no frame {self.frame}")
        if not 0.0 <= self.at <= 1.0:
            raise ValueError(f"a moment lies within the exposure, from 0 to 1, got {self.at}")

    @property
    def is_centre(self) -> bool:
        return self.at == CENTRE

    def __str__(self) -> str:
        return f"frame {self.frame}" if self.is_centre else f"frame {self.frame} at {_digits(self.at)}"

    def stem(self, frame_name: str) -> str:
        """Return the name of a file without its suffix that holds this moment of a frame of that name.

        Centres have the frame's own; others say their instant behind it, with as many digits as tell it from
        any other, and sort by time.
        """
        return frame_name if self.is_centre else f"{frame_name}_t{_digits(self.at)}"


def centres(frames: Span | Iterable[int]) -> tuple[Moment, ...]:
    """Return the centre of every one of these frames' exposures."""
    numbers = range(frames.start, frames.stop) if isinstance(frames, Span) else frames
    return tuple(Moment(frame) for frame in numbers)


def frames_of(moments: Iterable[Moment]) -> Span:
    """Return the frames from the first to the last that these moments lie in; an empty span for none."""
    numbers = [moment.frame for moment in moments]
    return Span(min(numbers), max(numbers) + 1) if numbers else Span(0, 0)


def _digits(at: float) -> str:
    shortest = format(Decimal(repr(float(at))), "f")
    whole, _, fraction = shortest.partition(".")
    return f"{whole}.{fraction.ljust(FEWEST_DIGITS, '0')}"
