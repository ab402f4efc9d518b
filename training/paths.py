"""Paths that are no sum of shifts: joints, planes turning in depth, hand-held cameras, things flying past."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from training.motion import NOWHERE, STILL, Motion, Path, Pose, mean_speed_px

SHAKE_BAND_HZ = (0.2, 20.0)
SHAKE_WAVES = 24
SWAY_HZ = (2.0, 5.0)
SWAY_RISE = 6.0
SWAY_WIDTH = 0.3
TREMOR_HZ = (8.0, 12.0)
TREMOR_RISE = 2.0
SHAKE_ROLL = 0.15
"""Roll's share in the speed of a point a quarter of the diagonal from the centre."""


@dataclass(frozen=True)
class Chain:
    """Paths one within the other, the outermost first: body, joint, limb."""

    links: tuple[Path, ...]

    def matrix(self, at_plane: float) -> NDArray[np.float64]:
        matrix = self.links[0].matrix(at_plane)
        for link in self.links[1:]:
            matrix = matrix @ link.matrix(at_plane)
        return matrix


@dataclass(frozen=True)
class Turning:
    """A flat thing that turns about its upright and its level axis, seen in perspective.

    Angles are waves' sums in radians: `yaw` and `pitch` hold the amplitude in `turn_rad` of a `Motion`.
    `distance_px` is how far away the eye is.
    """

    distance_px: float
    yaw: Motion = STILL
    pitch: Motion = STILL

    def matrix(self, at_plane: float) -> NDArray[np.float64]:
        yaw, pitch = (path.pose(at_plane).turn_rad for path in (self.yaw, self.pitch))
        # A point (x, y, 0) turned about both axes lies at depth `deep` behind the plane it started in.
        across = np.array([math.cos(yaw), math.sin(yaw) * math.sin(pitch)])
        down = math.cos(pitch)
        deep = np.array([-math.sin(yaw) * math.cos(pitch), math.sin(pitch)]) / self.distance_px
        return np.array([[across[0], 0.0, 0.0], [across[1], down, 0.0], [deep[0], deep[1], 1.0]])


@dataclass(frozen=True, eq=False)
class Passing:
    """One straight crossing after another, each at its own speed and place, out of sight in between."""

    period_planes: float
    first_plane: float
    places: NDArray[np.float64]
    """(n, 2) x and y halfway through each crossing."""
    steps: NDArray[np.float64]
    """(n, 2) pixels a plane."""

    def matrix(self, at_plane: float) -> NDArray[np.float64]:
        number = math.floor((at_plane - self.first_plane) / self.period_planes)
        number = min(max(number, 0), len(self.places) - 1)
        since = at_plane - self.first_plane - (number + 0.5) * self.period_planes
        x, y = (self.places[number] + self.steps[number] * since).tolist()
        return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


@dataclass(frozen=True, eq=False)
class Shake:
    """A sum of many waves in shift and roll: what `Motion` is, evaluated at once."""

    periods_planes: NDArray[np.float64]
    """(n,)"""
    phases_rad: NDArray[np.float64]
    """(3, n) of x, y and roll, as the next."""
    reaches: NDArray[np.float64]
    """(3, n) amplitudes in pixels, pixels and radians."""
    start: Pose = NOWHERE

    def matrix(self, at_plane: float) -> NDArray[np.float64]:
        return self.pose(at_plane).matrix()

    def pose(self, at_plane: float) -> Pose:
        angles = 2 * math.pi * at_plane / self.periods_planes + self.phases_rad
        x, y, turn = (self.reaches * np.sin(angles)).sum(axis=1).tolist()
        return Pose(x, y, turn) + self.start


def handheld_motion(
    generator: np.random.Generator,
    *,
    size: Size,
    motion_px: float,
    exposure_planes: int,
    planes: int,
    rate_hz: float,
) -> Path:
    """Draw a hand-held camera's shake, whose points travel `motion_px` in an average exposure.

    Its spectrum is one in Hertz, so `rate_hz` planes a second matter: power of the position falls with
    1 / f² between 0.2 and 20 Hz (drift that behaves as a random walk), with the arms' sway as a peak between
    2 and 5 Hz and a weaker one of physiological tremor between 8 and 12 Hz: the parts of the hand-shake
    model of Gavant et al., "A physiological camera shake model for image stabilization systems" (2011). The
    heights of the peaks are ours. Yaw and pitch dominate, and shift a picture as a whole; roll is small.
    """
    if motion_px == 0:
        return STILL
    edges = np.geomspace(*SHAKE_BAND_HZ, SHAKE_WAVES + 1)
    frequencies = np.exp(generator.uniform(np.log(edges[:-1]), np.log(edges[1:])))
    power = shake_power(frequencies, float(generator.uniform(*SWAY_HZ)), float(generator.uniform(*TREMOR_HZ)))
    reaches = np.sqrt(2 * power * np.diff(edges))
    radius_px = max(1.0, math.hypot(size.height, size.width) / 4)
    phases = generator.uniform(0.0, 2 * math.pi, (3, SHAKE_WAVES))
    reach = np.array([[1.0], [1.0], [SHAKE_ROLL / radius_px]]) * reaches
    wide = Shake(rate_hz / frequencies, phases, reach)
    factor = motion_px / exposure_planes / mean_speed_px(wide, size, planes)
    shake = replace(wide, reaches=factor * reach)
    return replace(shake, start=shake.pose(planes / 2).scaled(-1.0))


def shake_power(hertz: NDArray[np.float64], sway_hz: float, tremor_hz: float) -> NDArray[np.float64]:
    """Return the power density of a hand-held camera's position at frequencies, in any unit."""
    sway = SWAY_RISE * np.exp(-0.5 * (np.log(hertz / sway_hz) / SWAY_WIDTH) ** 2)
    tremor = TREMOR_RISE * np.exp(-0.5 * (np.log(hertz / tremor_hz) / SWAY_WIDTH) ** 2)
    power: NDArray[np.float64] = (1 + sway + tremor) / hertz**2
    return power


def passing(
    generator: np.random.Generator, *, size: Size, radius_px: float, step_px: float, planes: int
) -> Path:
    """Draw crossings of a frame of `size` for all of its time, at `step_px` a plane.

    What has no speed stands. Each begins and ends out of sight, so that nothing is seen to jump.
    """
    within = 0.6 * np.array([size.width, size.height])
    if step_px == 0:
        x, y = ((generator.random(2) - 0.5) * within).tolist()
        return Motion(Pose(x, y))
    length_px = 1.6 * math.hypot(size.height, size.width) + 4 * radius_px
    period = length_px / step_px * float(generator.uniform(1.0, 1.3))
    first = -period * float(generator.uniform(0.2, 0.8))
    count = math.ceil((planes - first) / period) + 1
    places = (generator.random((count, 2)) - 0.5) * within
    headings = generator.uniform(0.0, 2 * math.pi, count)
    steps = step_px * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return Passing(period, first, places, steps)
