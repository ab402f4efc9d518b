"""Cloth: a layer whose points move against each other."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(2, ...) x and y, the layer's middle being the origin."""
STEEPEST = 0.8
SETTLED_PX = 1e-4
MOST_ROUNDS = 64


class Deformation(Protocol):
    """Which point of a layer's own drawing is seen at a place of the layer."""

    @property
    def reach_px(self) -> float:
        """No point is displaced further."""
        ...

    @property
    def speed_px(self) -> float:
        """No point moves faster, in pixels a plane and up to the steepness of the folds."""
        ...

    def displacement(self, places: Points, at_plane: float) -> Points:
        """Return what to add to `places` (2, ...) for the points of the drawing that are seen there."""
        ...


@dataclass(frozen=True)
class Waving:
    """A wave that runs along a cloth held at its left edge, and grows with the distance from there.

    Raises ValueError where it folds over itself.
    """

    width_px: float
    """Of the cloth, from the edge that is held to the free one."""
    wavelength_px: float
    period_planes: float
    phase_rad: float
    along_px: float
    across_px: float
    """Amplitudes at the free edge, in x and y."""

    def __post_init__(self) -> None:
        if not (self.width_px > 0 and self.wavelength_px > 0 and self.period_planes > 0):
            raise ValueError("width, wavelength and period of a waving cloth must be positive")
        steepness = self.reach_px * (2 * math.pi / self.wavelength_px + 1 / self.width_px)
        if steepness > STEEPEST:
            raise ValueError(f"a cloth this steep ({steepness:.2f}) folds over itself, {STEEPEST} is most")

    @property
    def reach_px(self) -> float:
        return math.hypot(self.along_px, self.across_px)

    @property
    def speed_px(self) -> float:
        return 2 * math.pi / self.period_planes * self.reach_px

    def displacement(self, places: Points, at_plane: float) -> Points:
        x = places[0]
        held = np.clip(x / self.width_px + 0.5, 0.0, 1.0)
        angle = 2 * math.pi * (x / self.wavelength_px - at_plane / self.period_planes) + self.phase_rad
        wave = held * np.sin(angle)
        return np.stack([self.along_px * wave, self.across_px * wave])


def seen_at(deformation: Deformation, points: Points, at_plane: float) -> Points:
    """Return where the points (2, ...) of the drawing are seen: the inverse of `displacement`.

    By repeated substitution, which settles because no cloth is steeper than `STEEPEST`.
    """
    places = points
    for _ in range(MOST_ROUNDS):
        nearer = points - deformation.displacement(places, at_plane)
        settled = float(np.abs(nearer - places).max(initial=0.0)) < SETTLED_PX
        places = nearer
        if settled:
            break
    return places
