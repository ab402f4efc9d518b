"""What data for training is, wherever it comes from."""

from dataclasses import dataclass
from typing import Protocol

from engine.errors import SequenceError
from engine.geometry import Size
from training.example import Example


class UnreadableClip(SequenceError):
    """A clip cannot be read, while others can: it is left out."""


@dataclass(frozen=True, order=True)
class ClipShape:
    """Sizes that must agree within a batch."""

    frames: Size
    spikes: Size


class ClipSet(Protocol):
    """Examples by number. Reading is safe from forked processes."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What was left out or looks odd, one sentence each."""
        ...

    def __len__(self) -> int: ...

    def shape(self, index: int) -> ClipShape: ...

    def example(self, index: int, draw: int) -> Example:
        """Return example `index`. `draw` counts every example that training asks for; sources that are
        simulated as they are read make another one each time."""
        ...
