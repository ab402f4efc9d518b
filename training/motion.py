"""Smooth paths in closed form: where something is at any real plane position, without stepping through time.

Strategy: a path is a start, a steady drift and a sum of sine waves. Slow waves sweep, fast ones shake. Every
wave is bounded, so a long recording stays near its start, and a path can be evaluated at any time in any
order, which keeps rendering free of state.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size

SWEEP_SPEEDS = (1.0, 0.6)
SHAKE_SPEEDS = (0.45, 0.3, 0.2)
"""Share of each wave in the speed of a path: a hand shakes faster than it sweeps, and less far."""
SWEEP_PERIODS_EXPOSURES = (3.0, 8.0)
SHAKE_PERIODS_EXPOSURES = (0.5, 1.5)
TURN_SHARE = 0.12
ZOOM_SHARE = 0.08
"""Speed that turning and zooming give to a point a quarter of the diagonal from the centre, against 1 of
the first sweep."""


class Path(Protocol):
    """Where something is at any time; `training.paths` has the ones that are no `Motion`."""

    def matrix(self, at_plane: float) -> NDArray[np.float64]:
        """Return the (3, 3) projective matrix that moves points at a real plane position."""
        ...


@dataclass(frozen=True)
class Pose:
    """Displacement of a layer: shift, turn about its centre and zoom as a natural logarithm."""

    x_px: float = 0.0
    y_px: float = 0.0
    turn_rad: float = 0.0
    log_zoom: float = 0.0

    def __add__(self, other: "Pose") -> "Pose":
        return Pose(
            self.x_px + other.x_px,
            self.y_px + other.y_px,
            self.turn_rad + other.turn_rad,
            self.log_zoom + other.log_zoom,
        )

    def scaled(self, factor: float) -> "Pose":
        return Pose(self.x_px * factor, self.y_px * factor, self.turn_rad * factor, self.log_zoom * factor)

    def matrix(self) -> NDArray[np.float64]:
        """Return the (3, 3) matrix that turns and zooms about the origin, then shifts."""
        zoom = math.exp(self.log_zoom)
        cosine, sine = zoom * math.cos(self.turn_rad), zoom * math.sin(self.turn_rad)
        return np.array([[cosine, -sine, self.x_px], [sine, cosine, self.y_px], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Wave:
    """One sine wave of a path: `amplitude` · sin(2π · plane / `period_planes` + `phase_rad`)."""

    period_planes: float
    phase_rad: float
    amplitude: Pose

    def __post_init__(self) -> None:
        if not self.period_planes > 0:
            raise ValueError(f"the period of a wave must be positive, got {self.period_planes} planes")


NOWHERE = Pose()


@dataclass(frozen=True)
class Motion:
    """Path of a layer: start + drift · plane + waves. `drift` is per plane."""

    start: Pose = NOWHERE
    drift: Pose = NOWHERE
    waves: tuple[Wave, ...] = ()

    def pose(self, at_plane: float) -> Pose:
        pose = self.start + self.drift.scaled(at_plane)
        for wave in self.waves:
            angle = 2 * math.pi * at_plane / wave.period_planes + wave.phase_rad
            pose = pose + wave.amplitude.scaled(math.sin(angle))
        return pose

    def matrix(self, at_plane: float) -> NDArray[np.float64]:
        return self.pose(at_plane).matrix()

    def through(self, place: Pose, at_plane: float = 0.0) -> "Motion":
        """Return the same path, put so that it passes `place` at `at_plane`."""
        here = self.pose(at_plane)
        return Motion(self.start + place + here.scaled(-1.0), self.drift, self.waves)

    def faster(self, factor: float) -> "Motion":
        """Return the path with every movement `factor` times as far, from the same start."""
        waves = tuple(
            Wave(wave.period_planes, wave.phase_rad, wave.amplitude.scaled(factor)) for wave in self.waves
        )
        return Motion(self.start, self.drift.scaled(factor), waves)


STILL = Motion()


def grid_points(size: Size, across: int = 5) -> NDArray[np.float64]:
    """Return (3, across²) homogeneous points spread over a picture, its centre the origin."""
    xs = np.linspace(-0.5, 0.5, across) * (size.width - 1)
    ys = np.linspace(-0.5, 0.5, across) * (size.height - 1)
    grid_x, grid_y = np.meshgrid(xs, ys)
    return np.stack([grid_x.ravel(), grid_y.ravel(), np.ones(across * across)])


def moved(matrix: NDArray[np.floating[Any]], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a projective matrix takes homogeneous points (3, n): (2, n)."""
    places: NDArray[np.float64] = matrix @ points
    return places[:2] if is_affine(matrix) else places[:2] / places[2]


def is_affine(matrix: NDArray[np.floating[Any]]) -> bool:
    return bool(matrix[2, 0] == 0 and matrix[2, 1] == 0 and matrix[2, 2] == 1)


def mean_speed_px(motion: Path, size: Size, planes: int) -> float:
    """Return how far a point of a picture of `size` moves in a plane, on average over [0, planes)."""
    points = grid_points(size)
    # Eight samples an average plane would be exact and slow; the fastest wave spans many planes, so
    # 512 chords over the whole path lose under a thousandth of its length.
    times = np.linspace(0.0, planes, min(512, 8 * planes) + 1)
    places = np.stack([moved(motion.matrix(float(time)), points) for time in times])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    return float(steps.sum(axis=0).mean() / planes)


def random_motion(
    generator: np.random.Generator,
    *,
    size: Size,
    motion_px: float,
    exposure_planes: int,
    planes: int,
    drift_share: float = 0.0,
) -> Motion:
    """Draw a sweep with shake whose points travel `motion_px` in an average exposure.

    `size` is the picture that moves, `planes` the length of the recording over which the average is
    taken, `drift_share` the speed of a steady drift against 1 of the strongest wave. The same generator
    state with another `motion_px` draws the same path, larger or smaller.
    """
    radius_px = max(1.0, math.hypot(size.height, size.width) / 4)
    waves: list[Wave] = []
    for speeds, periods in (
        (SWEEP_SPEEDS, SWEEP_PERIODS_EXPOSURES),
        (SHAKE_SPEEDS, SHAKE_PERIODS_EXPOSURES),
    ):
        for speed in speeds:
            period = float(generator.uniform(*periods)) * exposure_planes
            heading, phase = generator.uniform(0.0, 2 * math.pi, 2).tolist()
            turn, zoom = generator.uniform(-1.0, 1.0, 2).tolist()
            reach = speed * period / (2 * math.pi)
            amplitude = Pose(
                reach * math.cos(heading),
                reach * math.sin(heading),
                reach * TURN_SHARE * turn / radius_px,
                reach * ZOOM_SHARE * zoom / radius_px,
            )
            waves.append(Wave(period, phase, amplitude))
    heading = float(generator.uniform(0.0, 2 * math.pi))
    drift = Pose(drift_share * math.cos(heading), drift_share * math.sin(heading))
    motion = Motion(NOWHERE, drift, tuple(waves))
    if motion_px == 0:
        return STILL
    return motion.faster(motion_px / exposure_planes / mean_speed_px(motion, size, planes))
