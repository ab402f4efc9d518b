"""A picture as its file has it: integer samples with their maximum, or floating point, and what they mean."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decoders import MAX_PIXELS
from engine.errors import FrameError
from engine.geometry import Size
from engine.samples import WHITE_LEVELS, Samples

_FLOAT_TOLERANCE = 0.001


@dataclass(frozen=True)
class PictureInfo:
    """What a picture's header says."""

    size: Size
    bit_depth: int
    """Bits of one sample: 8 for 1 to 8, 16 for 9 to 16, or 32 and more for floating point."""
    channels: int
    """Samples of a pixel as stored, alpha included; a palette counts as its colours."""

    @property
    def has_alpha(self) -> bool:
        return self.channels not in (1, 3)


@dataclass(frozen=True)
class StoredPicture:
    """Samples (H, W) or (H, W, 1 or 3), unsigned integers or floating point, alpha left out."""

    stored: NDArray[Any]
    maximum: int
    """The largest sample that its depth allows; 1 for floating point."""
    is_inverted: bool = False
    """Zero is white (TIFF's MinIsWhite)."""
    holds_sensor_values: bool = False
    """Integers of more than 8 bits, whose white may lie below their maximum."""

    def samples(self, white: int | None, path: Path, *, found_in: str = "") -> Samples:
        """Return the picture (H, W, 3) RGB: bytes of 8 bits where its depth is 1, 2, 4 or 8, else values.

        `white` takes the place of the maximum where the picture holds sensor values; `found_in` says in
        which pictures it was found, such as "3 frames", where nobody gave it.
        Raises FrameError where a sample lies above it, and where floating point is not in [0, 1].
        """
        stored = self.stored[:, :, None] if self.stored.ndim == 2 else self.stored
        if stored.ndim != 3 or stored.shape[2] not in (1, 3):
            raise FrameError("not a grey or colour picture", path=path, found=f"shape {self.stored.shape}")
        if stored.dtype.kind == "f":
            stored = _in_unit_range(stored, path)
            colours: NDArray[Any] = 1 - stored if self.is_inverted else stored
        elif stored.dtype.kind == "u" and stored.dtype.itemsize <= 2:
            colours = self._scaled(stored, white if self.holds_sensor_values else None, path, found_in)
        else:
            raise FrameError(
                "samples of an unknown kind",
                path=path,
                found=str(stored.dtype),
                expected="unsigned integers of 1 to 16 bits, or floating point",
                advice="Save it with 8 or 16 bits",
            )
        if colours.shape[2] == 3 and colours.flags.c_contiguous and colours.flags.writeable:
            return colours
        picture = np.empty((*stored.shape[:2], 3), colours.dtype)
        picture[...] = colours
        return picture

    def _scaled(self, stored: NDArray[Any], white: int | None, path: Path, found_in: str) -> NDArray[Any]:
        maximum = self.maximum
        if white is not None and white != maximum:
            largest = int(stored.max())
            if largest > white:
                problem = "a sample lies above the white level"
                if found_in:
                    problem += f": the level found from {found_in} ({white}) is too low"
                raise FrameError(
                    problem,
                    path=path,
                    found=str(largest),
                    expected=f"at most {white}",
                    advice=f"Give the level that is white in all pictures: {self._levels_from(largest)}",
                )
            maximum = white
        if self.is_inverted:
            stored = np.subtract(maximum, stored, dtype=stored.dtype)
        if stored.dtype == np.uint8 and 255 % maximum == 0:
            return stored if maximum == 255 else stored * np.uint8(255 // maximum)
        return np.divide(stored, np.float32(maximum), dtype=np.float32)

    def _levels_from(self, largest: int) -> str:
        """The white levels that hold a sample, as options."""
        usual = {level for level in WHITE_LEVELS if largest <= level <= self.maximum}
        levels = sorted(usual | {self.maximum})
        return " or ".join(f"--white {level} (white={level}, {level.bit_length()} bits)" for level in levels)


def checked_size(height: int, width: int, path: Path) -> Size:
    """Return the size that a header states. Raises FrameError where no picture has it."""
    if not (height > 0 and width > 0):
        raise FrameError("the picture is empty", path=path, found=f"{height} × {width}")
    if height * width > MAX_PIXELS:
        raise FrameError(
            "the picture is too large",
            path=path,
            found=f"{height} × {width}",
            expected=f"<= {MAX_PIXELS} pixels",
        )
    return Size(height, width)


def _in_unit_range(samples: NDArray[Any], path: Path) -> NDArray[np.float32]:
    if not np.isfinite(samples).all():
        bad = int(np.size(samples) - np.isfinite(samples).sum())
        raise FrameError(
            "the picture holds values that are not numbers",
            path=path,
            found=f"{bad} NaN or infinite samples",
            advice="Repair or leave out this frame",
        )
    low, high = float(samples.min()), float(samples.max())
    if low < -_FLOAT_TOLERANCE or high > 1 + _FLOAT_TOLERANCE:
        raise FrameError(
            "a floating-point picture outside its range",
            path=path,
            found=f"values from {low:g} to {high:g}",
            expected="0 to 1",
            advice="Scale it to [0, 1], or save it with 16 bits",
        )
    return np.clip(samples.astype(np.float32), 0.0, 1.0)
