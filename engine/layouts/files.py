"""What a layout finds at a path: which files are frames, references and spikes, before any is opened."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from engine.alignment import AlignmentWindow
from engine.findings import Finding
from engine.geometry import Size

LayoutName = Literal["unified", "gopro-spike", "x4k-spike", "spike set", "loose", "spikes only"]


@dataclass(frozen=True)
class SequenceFiles:
    """The files of one sequence, in order, and what its layout says about them."""

    layout: LayoutName
    name: str
    frames: tuple[Path, ...] = ()
    lost_frames: tuple[str, ...] = ()
    """Names of frames that are known of and cannot be read: their time has passed all the same."""
    video: Path | None = None
    """Video file that holds the frames, where they are not pictures."""
    references: tuple[Path, ...] = ()
    """Sharp pictures, not yet matched to frames."""
    extra_references_expected: bool = False
    """The reference holds more pictures than there are blurry frames, by design of the set."""
    spikes: Path | None = None
    """A recording, or a folder of one recording a frame."""
    spike_size: Size | None = None
    spike_rate_hz: float | None = None
    gamma: float | None = None
    exposure_planes: float | None = None
    windows: tuple[AlignmentWindow, ...] | None = None
    """One a frame, where names alone say it."""
    alignment: Path | None = None
    sidecar: Path | None = None
    """The nearest config.yaml."""
    findings: tuple[Finding, ...] = field(default=())
    about_spikes: tuple[Finding, ...] = ()
    """Those of `findings` that are about the choice of the recording, void where the user makes it."""

    def but(self, **changes: object) -> "SequenceFiles":
        return replace(self, **changes)  # type: ignore[arg-type]
