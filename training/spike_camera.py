"""The spike camera: pixels that integrate light, fire at a threshold and keep the residue.

A plane's charge is gain · (response · light + dark current), with shot noise in counts of whole electrons.
A pixel whose charge has reached the threshold fires once in the plane, and the threshold is subtracted. Light
that fills a pixel more than once within a plane cannot be read out: those further spikes are lost, and what
is kept is the charge modulo the threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size

Light = NDArray[np.float32]

FEW_ELECTRONS = 16.0
"""Below this mean, counts are drawn from the Poisson distribution itself; above it a skewed normal differs
from it by under 1 % in variance and costs a third."""


GOOD, DEAD, HOT = 0, 1, 2


@dataclass(frozen=True)
class SpikeCamera:
    """How a sensor turns light into spikes. Light and dark current are in units of a white pixel.

    Raises ValueError for values that no sensor can have.
    """

    threshold: float = 2.0
    gain: float = 1.0
    dark_current: float = 0.0
    """Charge that a dark pixel collects in a plane, as a share of a white pixel's."""
    dark_spread: float = 0.0
    """Relative standard deviation of the dark current from pixel to pixel."""
    response_spread: float = 0.0
    """Relative standard deviation of the pixels' sensitivity."""
    shot_noise: float = 0.0
    """Relative standard deviation of what a white pixel collects in one plane; 0.1 is 100 electrons."""
    random_phase: bool = True
    """Start with a random charge in every pixel, as a camera that has been running does; else empty."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("threshold", 1e-6, 1e6),
            ("gain", 1e-6, 1e6),
            ("dark_current", 0.0, 1.0),
            ("dark_spread", 0.0, 1.0),
            ("response_spread", 0.0, 0.5),
            ("shot_noise", 0.0, 10.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {value:g}")

    def rate(self, light: float) -> float:
        """Return the mean spikes per plane of an average pixel under constant light."""
        return min(1.0, self.gain * (light + self.dark_current) / self.threshold)


@dataclass(frozen=True, eq=False)
class FixedPattern:
    """What differs from pixel to pixel of a sensor, the same in all its recordings."""

    response: Light
    """(h, w) sensitivity, about 1."""
    dark: Light
    """(h, w) dark current in units of a white pixel."""
    defects: NDArray[np.uint8] | None = None
    """(h, w) of GOOD, DEAD (never fires) and HOT (fires at every plane); None: all are good."""


def draw_pattern(camera: SpikeCamera, size: Size, generator: np.random.Generator) -> FixedPattern:
    """Draw the pattern of a sensor as uneven as `camera` says, without defects."""
    shape = (size.height, size.width)
    response = 1 + camera.response_spread * generator.standard_normal(shape, np.float32)
    dark = 1 + camera.dark_spread * generator.standard_normal(shape, np.float32)
    return FixedPattern(
        np.maximum(response, np.float32(0.05)),
        np.float32(camera.dark_current) * np.maximum(dark, np.float32(0)),
    )


class SpikeSensor:
    """A spike camera at work: the charge of every pixel between planes."""

    def __init__(
        self,
        camera: SpikeCamera,
        size: Size,
        generator: np.random.Generator,
        pattern: FixedPattern | None = None,
    ) -> None:
        """`pattern` is drawn from the generator where none is given."""
        self.camera = camera
        self._generator = generator
        shape = (size.height, size.width)
        # Drawn even where unused, so that switching one effect off leaves the others as they were.
        phase = generator.random(shape)
        drawn = draw_pattern(camera, size, generator)
        self.pattern = drawn if pattern is None else pattern
        self.charge: NDArray[np.float64] = phase * (camera.threshold if camera.random_phase else 0.0)
        """What every pixel holds (h, w), below the threshold after each plane."""
        self.lost_spikes = 0
        """Spikes that saturated pixels could not deliver so far."""

    def expose(self, light: Light) -> NDArray[np.uint8]:
        """Return the plane of 0/1 (h, w) that the sensor reads out after one plane of `light` in [0, 1]."""
        fired = self.fire(self.collect(light))
        defects = self.pattern.defects
        if defects is not None:
            fired[defects == DEAD] = 0
            fired[defects == HOT] = 1
        return fired

    def collect(self, light: Light) -> Light:
        """Return the charge (h, w) that `light` in [0, 1] adds in one plane, noise included."""
        exposure = self.pattern.response * light
        exposure += self.pattern.dark
        if self.camera.shot_noise > 0:
            electrons = np.float32(1 / self.camera.shot_noise**2)
            exposure = poisson_counts(exposure * electrons, self._generator) / electrons
        exposure *= np.float32(self.camera.gain)
        return exposure

    def fire(self, charge: Light) -> NDArray[np.uint8]:
        """Add `charge` (h, w), read out the pixels at or over the threshold, and keep the residue."""
        threshold = self.camera.threshold
        self.charge += charge
        fired = self.charge >= threshold
        self.charge -= fired * threshold
        overfull = self.charge >= threshold
        if overfull.any():
            spikes, residue = np.divmod(self.charge[overfull], threshold)
            self.charge[overfull] = residue
            self.lost_spikes += int(spikes.sum())
        return fired.view(np.uint8)


def poisson_counts(mean: Light, generator: np.random.Generator) -> Light:
    """Return whole counts (float32) with Poisson statistics of the given means, as `mean`'s shape."""
    normal = generator.standard_normal(mean.shape, np.float32)
    # Second-order Cornish-Fisher expansion: mean, variance and skewness of the Poisson distribution.
    counts = np.sqrt(mean)
    counts *= normal
    counts += mean
    normal *= normal
    normal -= 1
    normal *= np.float32(1 / 6)
    counts += normal
    np.rint(counts, out=counts)
    few = mean < FEW_ELECTRONS
    counts[few] = generator.poisson(mean[few])
    return counts
