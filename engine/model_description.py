"""What can be said of a method and its model before either is loaded, without torch.

The command line, the worker and the window read all they know of a method here: what it needs, how it takes
its spikes, how it is cut into tiles and clips, what it wants to tell people.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from engine.findings import Finding
from engine.geometry import Span

if TYPE_CHECKING:
    from engine.voxels import VoxelSpec

Moments = Literal["centre", "any"]
"""Of an exposure, at which a method can restore a frame."""
FEWEST_PLANES_OF_RATIO = 4
"""Recorded planes without which the spike ratio knows nothing of a frame."""


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """Facts about a method with one model; plain values only.

    Raises ValueError where numbers contradict each other.
    """

    kind: str
    """Name of the method."""
    title: str
    """Of the model, or of a method without one, for people."""
    lines: tuple[str, ...] = ()
    """Its card, for people."""
    findings: tuple[Finding, ...] = ()
    """What the user should know about it."""
    is_complete: bool = True
    """Whether the rest is known: the file of some models says nothing before it is loaded."""

    voxels: "VoxelSpec | None" = None
    """How the counts of an exposure become its input; None where it takes no voxels."""
    fewest_planes: int = 1
    """Recorded planes of an exposure without which nothing is known of a frame, which then comes back as it
    was; 0 where it looks at no spikes."""
    needs_log: bool = False
    """Whether it refuses alignment windows that are guessed or follow from the layout of files."""
    moments: Moments = "centre"

    clip_frames: int = 1
    """Frames restored together."""
    clip_overlap: int = 0
    """Frames that two neighbouring clips share."""
    margin_frames: int = 0
    """Frames beyond either end of a clip at which it looks, too."""
    multiple_px: int = 1
    """Height and width of a tile are multiples of this where the picture is large enough."""
    overlap_px: int = 0
    """Pixels that two neighbouring tiles share; 0 where a region comes out the same in any tile."""
    default_tile_px: int | None = None
    """Edge of a tile where nobody has a wish; None for the whole picture at once."""

    def __post_init__(self) -> None:
        least = {"clip_frames": 1, "multiple_px": 1, "default_tile_px": 1}
        for name in ("fewest_planes", "clip_frames", "clip_overlap", "margin_frames"):
            _check(name, getattr(self, name), least.get(name, 0))
        for name in ("multiple_px", "overlap_px"):
            _check(name, getattr(self, name), least.get(name, 0))
        if self.default_tile_px is not None:
            _check("default_tile_px", self.default_tile_px, 1)
        if self.clip_overlap >= self.clip_frames:
            raise ValueError(f"clips of {self.clip_frames} frames cannot share {self.clip_overlap}")
        if self.moments not in get_args(Moments):
            raise ValueError(f"moments must be {' or '.join(get_args(Moments))}, not {self.moments!r}")

    @property
    def needs_spikes(self) -> bool:
        return self.fewest_planes > 0

    def reach(self, clip_frames: int | None = None) -> int:
        """Return on how many frames on either side a result may depend, at most.

        `clip_frames` are restored together; None for as many as the method was made for.
        """
        return (clip_frames or self.clip_frames) - 1 + self.margin_frames


def looked_at(
    clips: tuple[Span, ...], frame: int, frame_count: int, margin_frames: int = 0
) -> tuple[Span, ...]:
    """Return the frames on which the result of `frame` depends: those of its clips, with their margins."""
    return tuple(
        Span(max(0, clip.start - margin_frames), min(frame_count, clip.stop + margin_frames))
        for clip in clips
        if frame in clip
    )


def _check(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number of {least} or more, not {value!r}")
