"""Frames as a person names them on the command line: `A:B`, `A:`, `:B` or `A`, counted from 0."""

import re
from dataclasses import dataclass

from engine.errors import SequenceError
from engine.geometry import Span

_RANGE = re.compile(r"(-?\d+)?(:)?(-?\d+)?")


@dataclass(frozen=True)
class FrameRange:
    """Half-open as in Python; negative numbers count from the end; None is the beginning or the end."""

    start: int | None = None
    stop: int | None = None

    @classmethod
    def parse(cls, text: str) -> "FrameRange":
        """Read `A:B`, `A:`, `:B`, `:` or `A` (that frame alone). Raises ValueError for anything else."""
        match = _RANGE.fullmatch(text.strip())
        if match is None or not text.strip() or (match[2] is None and match[3] is not None):
            raise ValueError(f"'{text}' is no range of frames: write A:B, A:, :B or A")
        start = None if match[1] is None else int(match[1])
        if match[2] is None:
            assert start is not None
            return cls(start, None if start == -1 else start + 1)
        return cls(start, None if match[3] is None else int(match[3]))

    def resolve(self, frames: int, path: str) -> Span:
        """Return the span of a sequence of `frames`. Raises SequenceError where it is empty or outside."""
        start = 0 if self.start is None else self.start + frames * (self.start < 0)
        stop = frames if self.stop is None else self.stop + frames * (self.stop < 0)
        if not 0 <= start < stop <= frames:
            raise SequenceError(
                "these frames are not in the sequence",
                path=path,
                found=f"frames {self}",
                expected=f"a range within 0:{frames}",
                advice="Choose others with --frames",
            )
        return Span(start, stop)

    def __str__(self) -> str:
        return f"{'' if self.start is None else self.start}:{'' if self.stop is None else self.stop}"
