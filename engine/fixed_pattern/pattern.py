"""What a fixed pattern is, and how it is divided out of counts."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size

Picture = NDArray[np.float32]

Origin = Literal["none", "recording", "frames", "flat field"]
"""What a pattern was measured by: nothing, what moved over the recording's own pixels, the frames of another
camera beside it, an even surface."""


@dataclass(frozen=True, eq=False)
class FixedPattern:
    """How much more or less than its neighbours each pixel fires at the same light.

    All pictures are (h, w) of the recording as it is shown, top row first.
    """

    gain: Picture
    """Spikes for the same light, about 1; exactly 1 where nothing is known and at defective pixels."""
    known: Picture
    """0 to 1: how much of the pixel's own pattern was measured beyond its error."""
    offset: Picture | None = None
    """Spikes a plane in the dark, where somebody measured them."""
    origin: Origin = "none"
    windows: int = 0
    """Parts of a recording that it was measured on."""
    file: str | None = None
    """The file it comes from."""

    @classmethod
    def none(cls, size: Size) -> Self:
        """Return that nothing is known about a sensor of `size`."""
        shape = (size.height, size.width)
        return cls(np.ones(shape, np.float32), np.zeros(shape, np.float32))

    def __bool__(self) -> bool:
        """Whether anything is corrected."""
        return self._corrects

    @cached_property
    def _corrects(self) -> bool:
        return bool((self.gain != 1).any() or (self.offset is not None and self.offset.any()))

    @property
    def size(self) -> Size:
        return Size(*self.gain.shape)

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the gain over the pixels where it is known, 0 where none is."""
        values = self.gain[self.known > 0]
        return float(values.std()) if values.size else 0.0

    @cached_property
    def known_share(self) -> float:
        """Part of the pixels whose pattern is known."""
        return float((self.known > 0).mean())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is corrected: the same for the same gain and offset."""
        content = hashlib.sha256(np.ascontiguousarray(self.gain, "<f4").tobytes())
        if self.offset is not None:
            content.update(np.ascontiguousarray(self.offset, "<f4").tobytes())
        return content.hexdigest()

    def level(self, counts: NDArray[np.floating], planes: float | NDArray[np.floating]) -> Picture:
        """Return what counts (..., h, w) of so many `planes` would be if all pixels were alike.

        `planes` is one number, or one for each of the counts (...,): planes a bin of a voxel grid.
        """
        levelled = np.asarray(counts, np.float32)
        if self.offset is not None:
            time = np.asarray(planes, np.float32)
            levelled = np.maximum(levelled - time[(..., *(None,) * 2)] * self.offset, np.float32(0))
        return levelled / self.gain

    def region(self, region: Region) -> Self:
        """Return the pattern of some of the pixels."""
        cut = region.slices
        offset = None if self.offset is None else self.offset[cut]
        return type(self)(self.gain[cut], self.known[cut], offset, self.origin, self.windows, self.file)
