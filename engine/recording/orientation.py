"""Which row of a recording comes first, by comparing it with a picture of the same scene."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import are_same_aspect
from engine.recording.recording import SpikeSource

COMPARED_ROWS = 48
COMPARED_COLUMNS = 64
MOST_PLANES = 256
DECIDING_CORRELATION = 0.25
DECIDING_LEAD = 0.1


@dataclass(frozen=True)
class FlipGuess:
    """Whether the bottom row is stored first, and how alike picture and spikes are either way."""

    flip: bool | None
    """None where the picture does not tell: too unlike, or alike both ways."""
    flipped_correlation: float
    """Correlation where the bottom row is taken to be stored first."""
    upright_correlation: float

    @property
    def score(self) -> float:
        """How much better one way is than the other."""
        return abs(self.flipped_correlation - self.upright_correlation)


def guess_flip(
    recording: SpikeSource, picture: NDArray[np.floating], window: tuple[float, float] | None = None
) -> FlipGuess:
    """Compare a picture with the spikes during its exposure, as they are and upside down.

    picture: (H, W) or (H, W, 3) of any size and range, the same field of view. window: its planes
    [start, stop), the whole recording where None. Whatever `recording.info.flip` is now, the answer is
    what it ought to be.
    """
    info = recording.info
    start, stop = (0.0, float(info.planes)) if window is None else window
    first, last = max(0, math.ceil(start)), min(info.planes, math.ceil(stop))
    grey = np.asarray(picture, np.float64)
    if grey.ndim == 3:
        grey = grey[..., :3].mean(axis=2)
    if last <= first or grey.ndim != 2 or 0 in grey.shape:
        return FlipGuess(None, 0.0, 0.0)
    stored = np.zeros((info.height, info.width))
    for plane in np.unique(np.linspace(first, last - 1, min(MOST_PLANES, last - first)).astype(int)).tolist():
        stored += recording.read(plane, plane + 1)[0]
    if info.flip:
        stored = stored[::-1]
    rows = min(COMPARED_ROWS, info.height, grey.shape[0])
    columns = min(COMPARED_COLUMNS, info.width, grey.shape[1])
    spikes, light = _shrink(stored, rows, columns), _shrink(grey, rows, columns)
    flipped, upright = _correlation(spikes[::-1], light), _correlation(spikes, light)
    best = max(flipped, upright)
    decided = best >= DECIDING_CORRELATION and abs(flipped - upright) >= DECIDING_LEAD
    return FlipGuess(flipped > upright if decided else None, flipped, upright)


def guess_lying(
    recording: SpikeSource, picture: NDArray[np.floating], window: tuple[float, float] | None = None
) -> bool | None:
    """Tell whether rows of the recording are columns of the picture; None where that is not told.

    Arguments as of `guess_flip`. Where the two are alike neither way, the shapes tell if only one fits.
    """
    upright, lying = guess_flip(recording, picture, window), guess_flip(recording, _turned(picture), window)
    best = max(upright.flipped_correlation, upright.upright_correlation)
    best_lying = max(lying.flipped_correlation, lying.upright_correlation)
    if max(best, best_lying) >= DECIDING_CORRELATION and abs(best - best_lying) >= DECIDING_LEAD:
        return best_lying > best
    info, (height, width) = recording.info, np.shape(picture)[:2]
    shape = info.width / info.height
    fits = are_same_aspect(shape, width / height)
    fits_lying = are_same_aspect(shape, height / width)
    return fits_lying if fits != fits_lying else None


def _turned(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the picture with rows for columns."""
    return np.swapaxes(picture, 0, 1)


def _shrink(picture: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Average a picture down to (rows, columns)."""
    for axis, length in ((0, rows), (1, columns)):
        edges = np.linspace(0, picture.shape[axis], length + 1).astype(int)
        sums = np.add.reduceat(picture, edges[:-1], axis=axis)
        picture = sums / np.expand_dims(np.diff(edges), axis=1 - axis)
    return picture


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    first, second = first - first.mean(), second - second.mean()
    spread = math.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / spread if spread > 0 else 0.0
