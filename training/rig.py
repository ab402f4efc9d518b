"""What separates two real cameras from two ideal ones, as it is asked for and as it is drawn.

A sensor keeps its pattern and its defects over recordings: they are decided by a seed of their own where one
is given. What is drawn can be written down, so that whoever looks for it can be told whether it was found.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size, Span
from training.spike_camera import DEAD, GOOD, HOT, FixedPattern, SpikeCamera, draw_pattern

LONGEST_LOSS = 4
"""Planes lost in a row, at most."""
DEAD_SHARE = 0.5
"""Of defects; the others fire at every plane."""


@dataclass(frozen=True)
class Rig:
    """How far two cameras are from ideal ones. Raises ValueError for what cannot be simulated."""

    row_delay_planes: float = 0.0
    """By which a row is exposed after the row above: a rolling shutter. Windows are the first row's."""
    misregistration_px: float = 0.0
    """Largest displacement, in pixels of the frame, between what both cameras see at a place."""
    sensor_seed: int | None = None
    """Which sensor the recording is of: pattern and defects. None: another one with every recording."""
    defects: float = 0.0
    """Share of the spike camera's pixels that are dead or hot."""
    defect_lines: int = 0
    """Rows and columns that are dead or hot as a whole."""
    lost_planes: float = 0.0
    """Share of planes that were not transferred: zeros in the recording."""

    def __post_init__(self) -> None:
        for name, high in (
            ("row_delay_planes", 1e4),
            ("misregistration_px", 64.0),
            ("defects", 0.5),
            ("lost_planes", 0.9),
            ("defect_lines", 1000),
        ):
            value = getattr(self, name)
            if not 0 <= value <= high:
                raise ValueError(f"{name} must lie between 0 and {high:g}, got {value:g}")
        if self.sensor_seed is not None and self.sensor_seed < 0:
            raise ValueError(f"sensor_seed must be 0 or more, got {self.sensor_seed}")


@dataclass(frozen=True, eq=False)
class Faults:
    """What a rig came to: the truth that a registration or a search for defects should find."""

    row_delay_planes: float = 0.0
    registration: NDArray[np.float64] | None = None
    """(3, 3): what the frame shows at a pixel lies there in the spike camera's picture, in frame pixels."""
    margin_px: int = 0
    """How far around the frame the spike camera may see."""
    pattern: FixedPattern | None = None
    """None: drawn by the camera itself, without defects."""
    lost: tuple[Span, ...] = ()

    def lag_planes(self, height: int) -> int:
        """Return how many whole planes the last row of a frame is exposed after the first one, at least."""
        return math.ceil(self.row_delay_planes * (height - 1))

    def frame_to_spike(self, frame: Size, spikes: Size) -> NDArray[np.float64]:
        """Return the homography (3, 3) from frame pixels to spike pixels, pixel centres at integers."""
        across, down = spikes.width / frame.width, spikes.height / frame.height
        shrunk = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
        whole = shrunk if self.registration is None else shrunk @ self.registration
        return whole / whole[2, 2]


IDEAL = Faults()


def draw_faults(
    rig: Rig, camera: SpikeCamera, frame: Size, spikes: Size, planes: int, seed: np.random.SeedSequence
) -> Faults:
    """Draw what a rig is like: registration and losses by `seed`, pattern and defects by the sensor's."""
    registering, losing, own = (
        np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 100 + part)) for part in range(3)
    )
    sensor = own if rig.sensor_seed is None else np.random.SeedSequence(rig.sensor_seed)
    pattern = None
    if rig.sensor_seed is not None or rig.defects or rig.defect_lines:
        patterning, breaking = (
            np.random.default_rng(np.random.SeedSequence(sensor.entropy, spawn_key=(*sensor.spawn_key, part)))
            for part in range(2)
        )
        pattern = draw_pattern(camera, spikes, patterning)
        pattern = FixedPattern(
            pattern.response, pattern.dark, draw_defects(breaking, spikes, rig.defects, rig.defect_lines)
        )
    registration = None
    if rig.misregistration_px:
        registration = draw_registration(np.random.default_rng(registering), frame, rig.misregistration_px)
    lost = draw_losses(np.random.default_rng(losing), planes, rig.lost_planes)
    margin_px = 2 + math.ceil(rig.misregistration_px) if rig.misregistration_px else 0
    return Faults(rig.row_delay_planes, registration, margin_px, pattern, lost)


def draw_registration(
    generator: np.random.Generator, frame: Size, misregistration_px: float
) -> NDArray[np.float64]:
    """Return a homography (3, 3) that displaces the frame's corners by `misregistration_px` at most, and one
    of them by that much: mostly shift, with some turn, zoom and shear."""
    right, bottom = float(frame.width - 1), float(frame.height - 1)
    corners = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float32)
    displaced = generator.uniform(-1, 1, 2) + 0.5 * generator.uniform(-1, 1, (4, 2))
    displaced *= misregistration_px / np.linalg.norm(displaced, axis=1).max()
    return np.asarray(cv2.getPerspectiveTransform(corners, (corners + displaced).astype(np.float32)))


def draw_defects(
    generator: np.random.Generator, size: Size, share: float, lines: int = 0
) -> NDArray[np.uint8]:
    """Return which pixels (h, w) are GOOD, DEAD or HOT: a share of single ones, and whole rows or columns."""
    defects = np.full(size.pixels, GOOD, np.uint8)
    count = round(share * size.pixels)
    places = generator.permutation(size.pixels)[:count]
    dead = round(DEAD_SHARE * count)
    defects[places[:dead]] = DEAD
    defects[places[dead:]] = HOT
    shaped = defects.reshape(size.height, size.width)
    for _ in range(lines):
        kind = DEAD if generator.random() < DEAD_SHARE else HOT
        if generator.random() < size.height / (size.height + size.width):
            shaped[int(generator.integers(size.height))] = kind
        else:
            shaped[:, int(generator.integers(size.width))] = kind
    return shaped


def draw_losses(generator: np.random.Generator, planes: int, share: float) -> tuple[Span, ...]:
    """Return which of `planes` are lost, in runs of a few, `share` of all."""
    wanted = round(share * planes)
    lost = np.zeros(planes, bool)
    while (missing := wanted - int(lost.sum())) > 0:
        start = int(generator.integers(planes))
        lost[start : start + min(missing, int(generator.integers(1, LONGEST_LOSS + 1)))] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost, [0]])))
    return tuple(Span(int(start), int(stop)) for start, stop in edges.reshape(-1, 2))
