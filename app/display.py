"""Pictures made ready for the screen, away from the UI thread. Knows numpy and OpenCV, no Qt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size
from engine.samples import Samples, as_values

FloatPicture = NDArray[np.float32]
BytePicture = NDArray[np.uint8]

SMALLEST_LEVEL_PX = 128
UNFINISHED_BRIGHTNESS = 0.55


@dataclass(frozen=True)
class DisplayPicture:
    """A picture as contiguous (h, w, 4) bytes, blue first, in full size and halved again and again.

    The smaller levels serve a pane that is zoomed out: drawing a big picture small from its full size costs
    more and flickers. The layout is QImage's Format_RGB32 on little-endian machines.
    """

    levels: tuple[BytePicture, ...]

    @property
    def size(self) -> Size:
        height, width = self.levels[0].shape[:2]
        return Size(height, width)

    @property
    def rgb(self) -> BytePicture:
        """The picture as (H, W, 3) RGB bytes, exactly as shown."""
        return np.ascontiguousarray(self.levels[0][..., 2::-1])


@dataclass(frozen=True)
class Look:
    """Contrast and gamma on the screen; files never have them."""

    black: float = 0.0
    """Value that is shown black."""
    white: float = 1.0
    gamma: float = 1.0
    """More than 1 brightens what is between."""

    @property
    def is_neutral(self) -> bool:
        return self == NEUTRAL

    def apply(self, picture: FloatPicture) -> FloatPicture:
        """Return the picture as it is to be shown, in [0, 1]; the same array where nothing changes."""
        if self.is_neutral:
            return picture
        span = max(self.white - self.black, 1e-6)
        shown = np.clip((picture - np.float32(self.black)) / np.float32(span), 0, 1)
        return shown if self.gamma == 1 else np.power(shown, np.float32(1 / self.gamma))


NEUTRAL = Look()


def to_bytes(picture: FloatPicture) -> BytePicture:
    """Round a float picture in [0, 1] to bytes, as an exported 8-bit file holds it. NaN becomes black."""
    scaled = np.multiply(picture, np.float32(255))
    scaled += np.float32(0.5)
    np.fmin(np.fmax(scaled, 0, out=scaled), 255, out=scaled)
    return scaled.astype(np.uint8)


def display_picture(picture: FloatPicture, look: Look = NEUTRAL) -> DisplayPicture:
    """Convert a float32 (H, W, 3) RGB picture in [0, 1] for the screen."""
    return _with_levels(to_bytes(look.apply(picture)))


def display_samples(samples: Samples, look: Look = NEUTRAL) -> DisplayPicture:
    """Convert a picture for the screen as `display_picture` does, from bytes too, which is quicker."""
    if samples.dtype == np.uint8 and look.is_neutral:
        return _with_levels(np.asarray(samples, np.uint8))
    return display_picture(as_values(samples), look)


def display_difference(picture: FloatPicture, other: FloatPicture, gain: float) -> DisplayPicture:
    """Show by how much `picture` (H, W, 3) is brighter or darker than `other`, `gain` times around grey."""
    return _with_levels(to_bytes(np.float32(0.5) + np.float32(gain) * (picture - other)))


def display_partial(
    partial: FloatPicture, blurry: DisplayPicture, finished: tuple[Region, ...], look: Look = NEUTRAL
) -> DisplayPicture:
    """Show the finished regions of a picture over the darkened blurry frame, which has its look already."""
    shown = blurry.rgb
    darker = (np.arange(256) * UNFINISHED_BRIGHTNESS).astype(np.uint8)
    shown = darker[shown]
    for region in finished:
        shown[region.slices] = to_bytes(look.apply(partial[region.slices]))
    return _with_levels(shown)


def _with_levels(rgb: BytePicture) -> DisplayPicture:
    import cv2  # only here, so that the window's first paint does not wait for it

    level = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA)
    levels = [level]
    while min(level.shape[:2]) >= 2 * SMALLEST_LEVEL_PX:
        half = (level.shape[1] // 2, level.shape[0] // 2)
        level = cv2.resize(level, half, interpolation=cv2.INTER_AREA)
        levels.append(level)
    return DisplayPicture(tuple(np.ascontiguousarray(one) for one in levels))
