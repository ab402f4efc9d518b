"""What the panes are asked to show, and how; no pictures and no widgets.

Every pane shows a `Choice`: one source, or the difference of two. Sources are named by plain strings, so that
they can be kept in the settings: those below, or `result_source(...)` for what one certain maker restored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.display import NEUTRAL, FloatPicture, Look
from app.state.spikes.voxel_look import USUAL, VoxelLook
from engine.geometry import Region

BLURRY, RESTORED, REFERENCE, TFP, TFI, RATIO = "blurry", "restored", "reference", "tfp", "tfi", "ratio"
VOXEL = "voxel"
"""The voxel bin that is selected."""
PATTERN = "pattern"
"""What differs from pixel to pixel of the spike camera, the same for all frames."""
SOURCES = (BLURRY, RESTORED, REFERENCE, TFP, TFI, RATIO, VOXEL, PATTERN)
"""In the order of their keys, 1 to 6, 0 and P."""
SPIKE_SOURCES = (TFP, TFI, RATIO, VOXEL)
"""Those that depend on the frame's alignment window."""
_RESULT = "result:"
MOST_PANES = 4
BLINK_MS = 500
FADED_PERCENT = 0.5
"""Of the values, at either end, that an automatic contrast shows black or white."""
FEWEST_FOR_LOOK = 400_000
GAINS = (1.0, 2.0, 4.0, 8.0, 16.0)


def result_source(maker: str) -> str:
    """Return the source that is a frame's newest result of one maker (`Restored.made_by`)."""
    return _RESULT + maker


def maker_of(source: str) -> str | None:
    """Return the maker of such a source, None for all others."""
    return source.removeprefix(_RESULT) if source.startswith(_RESULT) else None


@dataclass(frozen=True)
class Choice:
    """What one pane shows."""

    source: str
    minus: str = ""
    """Source that is subtracted; empty for the picture itself."""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source, self.minus) if self.minus else (self.source,)


FIRST_CHOICES = (Choice(BLURRY), Choice(RESTORED), Choice(REFERENCE), Choice(TFP))


@dataclass(frozen=True)
class Wanted:
    """All that is needed to draw the panes of a frame."""

    choices: tuple[Choice, ...] = FIRST_CHOICES[:2]
    look: Look = NEUTRAL
    gain: float = 4.0
    bin: int = 0
    """Number of the voxel bin that is selected."""
    voxel_look: VoxelLook = USUAL

    @property
    def sources(self) -> frozenset[str]:
        return frozenset(source for choice in self.choices for source in choice.sources)


class Comparison(QObject):
    """Choices, arrangement, look and region of one sequence's panes."""

    arranged = Signal()
    """Other choices are shown, or in other places."""
    wanted_changed = Signal()
    """Other pictures are needed: ask `wanted`."""
    region_changed = Signal()
    active_changed = Signal()
    bin_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choices = list(FIRST_CHOICES)
        self._count = 2
        self._wipe = False
        self._flipped = False
        self._active = 0
        self.look = NEUTRAL
        self.gain = 4.0
        self.voxel_look = USUAL
        self.bin: int | None = None
        """Number of the voxel bin that is selected; None for none."""
        self.region: Region | None = None
        """What is measured beside the whole picture."""
        self._blink = QTimer(self, interval=BLINK_MS)
        self._blink.timeout.connect(lambda: self.flip(not self._flipped))

    # ------------------------------------------------------------------ what is shown

    @property
    def count(self) -> int:
        """Panes side by side; one while wiping."""
        return 1 if self._wipe else self._count

    @property
    def wiping(self) -> bool:
        """One pane shows two pictures, on either side of a line."""
        return self._wipe

    @property
    def blinking(self) -> bool:
        return self._blink.isActive()

    @property
    def flipped(self) -> bool:
        return self._flipped

    @property
    def active(self) -> int:
        """The pane that keys speak to."""
        return min(self._active, self.count - 1)

    @property
    def wanted(self) -> Wanted:
        """What must be ready, the other picture of a flip included."""
        return Wanted(
            tuple(self._choices[: max(2, self._count)]), self.look, self.gain, self.bin or 0, self.voxel_look
        )

    @property
    def shown(self) -> tuple[Choice, ...]:
        """What every pane shows now; while wiping the pictures left and right of the line."""
        count = 2 if self._wipe else self._count
        if not self._flipped:
            return tuple(self._choices[:count])
        around = max(2, count)
        return tuple(self._choices[(slot + 1) % around] for slot in range(count))

    def choice(self, slot: int) -> Choice:
        """Return what a pane is set to, flipped or not."""
        return self._choices[slot]

    # ------------------------------------------------------------------ what the user does

    def arrange(self, count: int) -> None:
        """Show 1 to 4 panes side by side."""
        self._count, self._wipe = max(1, min(count, MOST_PANES)), False
        self._changed()

    def wipe(self) -> None:
        """Show the first two pictures in one pane, parted by a line."""
        self._wipe = True
        self._changed()

    def choose(self, slot: int, choice: Choice) -> None:
        """Let a pane show something; what it shows is not subtracted from itself."""
        choice = _sound(choice)
        if self._choices[slot] != choice:
            self._choices[slot] = choice
            self._changed()

    def choose_source(self, source: str) -> None:
        """Let the active pane show a source."""
        self.choose(self.active, Choice(source))

    def subtract(self, source: str) -> None:
        """Let the active pane show the difference from a source, or the picture again."""
        choice = self._choices[self.active]
        self.choose(self.active, replace(choice, minus="" if choice.minus == source else source))

    def next_result(self, makers: Sequence[str]) -> None:
        """Let the active pane go round what has been restored, maker by maker."""
        sources = [RESTORED, *map(result_source, makers)]
        here = self._choices[self.active].source
        at = sources.index(here) if here in sources else -1
        self.choose_source(sources[(at + 1) % len(sources)])

    def set_active(self, slot: int) -> None:
        if slot != self._active:
            self._active = slot
            self.active_changed.emit()

    def flip(self, flipped: bool) -> None:
        """Let every pane show what its neighbour shows, until it is turned back."""
        if flipped != self._flipped:
            self._flipped = flipped
            self.arranged.emit()

    def blink(self, on: bool) -> None:
        """Flip forth and back, twice a second."""
        if on:
            self._blink.start()
        else:
            self._blink.stop()
            self.flip(False)

    def set_look(self, look: Look) -> None:
        if look != self.look:
            self.look = look
            self.wanted_changed.emit()

    def fit_look(self, values: FloatPicture) -> None:
        """Spread a picture's values over black to white, the outermost few beyond."""
        step = max(1, int((values.size / FEWEST_FOR_LOOK) ** 0.5))
        low, high = np.percentile(values[::step, ::step], (FADED_PERCENT, 100 - FADED_PERCENT))
        if high > low:
            self.set_look(replace(self.look, black=float(low), white=float(high)))

    def set_gain(self, gain: float) -> None:
        """Choose how much differences are enlarged."""
        if gain != self.gain:
            self.gain = gain
            self._changed()

    def select_bin(self, index: int | None) -> None:
        """Select a voxel bin, or none."""
        if index != self.bin:
            self.bin = index
            self.bin_changed.emit()
            if VOXEL in self.wanted.sources:
                self.wanted_changed.emit()

    def set_voxel_look(self, look: VoxelLook) -> None:
        """Show the selected bin as the strip does."""
        if look != self.voxel_look:
            self.voxel_look = look
            if VOXEL in self.wanted.sources:
                self.wanted_changed.emit()

    def set_region(self, region: Region | None) -> None:
        """Measure inside a region beside the whole; None for the whole only."""
        if region != self.region:
            self.region = region
            self.region_changed.emit()

    # ------------------------------------------------------------------ kept between runs

    def to_values(self) -> dict[str, object]:
        """Return choices and arrangement as plain values."""
        choices = [[choice.source, choice.minus] for choice in self._choices]
        return {"choices": choices, "count": self._count, "wipe": self._wipe}

    def take_values(self, values: dict[str, object]) -> None:
        """Take what `to_values` gave; what cannot be used is passed over."""
        choices, count = values.get("choices"), values.get("count")
        if isinstance(choices, list):
            for slot, one in enumerate(choices[:MOST_PANES]):
                if isinstance(one, list) and len(one) == 2 and all(_is_source(name) for name in one):
                    self._choices[slot] = _sound(Choice(one[0] or BLURRY, one[1]))
        if isinstance(count, int) and count is not True and 1 <= count <= MOST_PANES:
            self._count = count
        self._wipe = values.get("wipe") is True
        self._changed()

    def _changed(self) -> None:
        self.arranged.emit()
        self.wanted_changed.emit()


def _sound(choice: Choice) -> Choice:
    """Return a choice without a difference that says nothing."""
    return replace(choice, minus="") if choice.minus == choice.source or PATTERN in choice.sources else choice


def _is_source(name: object) -> bool:
    return isinstance(name, str) and (name in ("", *SOURCES) or maker_of(name) is not None)
