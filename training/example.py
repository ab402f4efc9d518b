"""One clip to learn from, and how it becomes arrays for a network."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.restoration.first_estimate import start_from_ratio
from engine.voxels import VoxelGrid, VoxelSpec

Frames = NDArray[np.uint8] | NDArray[np.float32]
Counts = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Example:
    """T consecutive frames as they were recorded."""

    blurry: Frames
    """(T, H, W, 3) RGB; uint8, or float32 in [0, 1] where the files hold more than 8 bits."""
    reference: Frames
    """The sharp frames, as `blurry`."""
    counts: Counts
    """(T, bins, h, w) spikes of each exposure, binned in time; no whole numbers where they were drawn anew to
    lie on the frame."""
    windows: NDArray[np.float64]
    """(T, 2) start and stop of each exposure in planes."""
    gamma: float = 1.0
    """Exponent from the frames' values to the signal that the spikes integrate."""
    name: str = ""
    """Where it comes from, for people."""
    moments: NDArray[np.float32] | None = None
    """(T, M) other moments of each exposure in [0, 1] that `latents` show; None where there are none."""
    latents: Frames | None = None
    """(T, M, H, W, 3) the sharp scene at these moments, as `reference`, which shows the centre."""

    def __post_init__(self) -> None:
        frames = len(self.blurry)
        if self.blurry.shape != self.reference.shape or self.blurry.ndim != 4 or self.blurry.shape[3] != 3:
            raise ValueError(f"{self.blurry.shape=} and {self.reference.shape=} should both be (T, H, W, 3)")
        if self.counts.ndim != 4 or len(self.counts) != frames or self.windows.shape != (frames, 2):
            raise ValueError(f"{self.counts.shape=} and {self.windows.shape=} do not fit {frames} frames")
        # Before anything is clamped or averaged, which would make a brightness of what is none.
        for name in ("blurry", "reference", "windows"):
            values = getattr(self, name)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ValueError(f"{self.name or 'an example'}: {name} holds values that are NaN or infinite")
        if not (math.isfinite(self.gamma) and self.gamma > 0):
            raise ValueError(f"{self.name or 'an example'}: gamma must be a number above 0, got {self.gamma}")
        if (self.moments is None) != (self.latents is None):
            raise ValueError("an example has moments and latents, or neither")
        if self.moments is None or self.latents is None:
            return
        shape = (*self.moments.shape, *self.reference.shape[1:])
        if self.moments.ndim != 2 or len(self.moments) != frames or self.latents.shape != shape:
            raise ValueError(f"{self.moments.shape=} and {self.latents.shape=} do not fit {frames} frames")

    @property
    def frame_size(self) -> Size:
        return Size(*self.blurry.shape[1:3])

    @property
    def spike_size(self) -> Size:
        return Size(*self.counts.shape[2:])


@dataclass(frozen=True, eq=False)
class Sample:
    """What a network is given and what it should answer, float32."""

    blurry: NDArray[np.float32]
    """(T, H, W, 3) in [0, 1]; the spike ratio's estimates for a network that starts from them."""
    reference: NDArray[np.float32]
    """(T, H, W, 3) in [0, 1]"""
    spikes: NDArray[np.float32]
    """(T, channels, h, w), as `VoxelSpec.apply` gives them for whole exposures."""


def sample_of(
    example: Example, spec: VoxelSpec, *, from_ratio: bool = False, gamma: float | None = None
) -> Sample:
    """Turn a whole example into network input, as the engine does when it restores.

    `from_ratio` for a network that starts from the spike ratio, which is told `gamma`, or finds it out.
    Raises ValueError when the example was binned otherwise than `spec` says.
    """
    if example.counts.shape[1] != spec.bins:
        raise ValueError(
            f"{example.name}: the spikes are in {example.counts.shape[1]} bins, the network reads {spec.bins}"
        )
    voxels = [
        VoxelGrid.of(counts.astype(np.float32), float(start), float(stop), 0.0)
        for counts, (start, stop) in zip(example.counts, example.windows, strict=True)
    ]
    spikes = np.stack([spec.apply(grid) for grid in voxels])
    blurry = unit_range(example.blurry)
    if from_ratio:
        blurry, spikes = start_from_ratio(blurry, spikes, voxels, gamma)
    return Sample(blurry, unit_range(example.reference), spikes)


def unit_range(frames: Frames) -> NDArray[np.float32]:
    """Return frames as float32 in [0, 1]."""
    if frames.dtype == np.uint8:
        return frames.astype(np.float32) / np.float32(255)
    return frames.astype(np.float32, copy=False)
