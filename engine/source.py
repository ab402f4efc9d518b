"""What a user said about a sequence: where it lies and what its files leave open.

Standard library alone, so that it can travel to the worker process and into a manifest.
"""

from dataclasses import dataclass

from engine.time_units import TimeUnit

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class SequenceSource:
    """Arguments of `engine.sequence.open_sequence`, as one value. None means "find out"."""

    path: str
    spikes: str | None = None
    """Recording, or folder of per-frame recordings, where it is not found beside the frames."""
    reference: str | None = None
    """Folder of sharp pictures (or one picture), where it is not found beside the frames."""
    alignment: str | None = None
    """Alignment log (CSV), where it is not found beside the frames."""
    height: int | None = None
    width: int | None = None
    rate_hz: float | None = None
    flip: bool | None = None
    """Whether the bottom row of a plane is stored first."""
    msb_first: bool | None = None
    """Whether the most significant bit of a byte is the first of its pixels; usually the least is."""
    gamma: float | None = None
    """1 where the spikes integrate code values, about 2.2 where they integrate linear light."""
    exposure_planes: float | None = None
    """Length of an exposure: of the virtual ones of a recording without frames, or of the central
    part of each frame's own recording."""
    stride_planes: float | None = None
    """Distance between the starts of virtual exposures; the exposure's length where not given."""
    time_unit: TimeUnit | None = None
    """What the times of event lists and alignment logs count."""
    white: int | None = None
    """The stored sample that is white in the frames and the reference, such as 4095 for 12 bits in 16."""
    flat: str | None = None
    """What the spike camera's fixed pattern is known by: a recording of an even surface, its summed counts,
    or a pattern that was kept; "none" to correct none. None measures it where the scene moves enough."""
    registration: Rows | None = None
    """Homography, 3 × 3, from pixels (x, y, 1) of the frames to those of the spikes, pixel centres at
    integers (see `engine.registration`); None where both show one field of view."""

    def __post_init__(self) -> None:
        if isinstance(
            self.registration, list
        ):  # as JSON has it; what is wrong with it is said when it is used
            rows = (tuple(row) if isinstance(row, list) else row for row in self.registration)
            object.__setattr__(self, "registration", tuple(rows))


NO_FLAT = "none"
"""In the place of a flat-field file: correct nothing, and do not look for a pattern."""


def flat_file(source: SequenceSource) -> str | None:
    """Return the file that `flat` names; None where it names none."""
    return None if source.flat == NO_FLAT else source.flat
