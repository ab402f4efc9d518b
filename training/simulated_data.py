"""Examples made of nothing: random scenes, seen by a random pair of cameras.

Every example draws another spike camera, exposure, motion and scene, so that a network trained on them
does not come to depend on one. An example is decided by the recipe, the pictures, a seed and its number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.geometry import Size
from training.clip_set import ClipShape
from training.example import Example
from training.exposure import Pixels, expose
from training.scene import Picture, Renderer, encode
from training.scenes import random_scene
from training.simulate import Exposures, spike_size, threshold_for_density
from training.spike_camera import SpikeCamera

Range = tuple[float, float]

RANGE_LIMITS: dict[str, Range] = {
    "exposure_planes": (1, 1_000_000),
    "density": (1e-6, 1),
    "spikes_an_exposure": (1e-3, 1e9),
    "motion_px": (0, 500),
    "objects": (0, 64),
    "gamma": (1, 4),
    "dark_current": (0, 1),
    "dark_spread": (0, 1),
    "response_spread": (0, 0.5),
    "shot_noise": (0, 10),
    "read_noise": (0, 0.5),
}
"""Between which numbers a recipe's ranges may lie; what is drawn in the logarithm cannot be 0."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What simulated examples are like. Ranges are drawn from evenly, those marked * in the logarithm."""

    frames: int = 5
    frame_px: int = 128
    """Height and width of a frame."""
    bins: int = 32
    exposure_planes: tuple[int, int] = (30, 700)
    """*"""
    density: Range = (0.02, 0.9)
    """* Mean spikes a pixel and plane."""
    spikes_an_exposure: Range = (2.0, 400.0)
    """Where density and exposure together leave this range, the density gives way."""
    spike_scales: tuple[float, ...] = (1.0, 4 / 3, 2.0)
    """Frame pixels to a spike pixel, one drawn for each example."""
    motion_px: Range = (0.0, 40.0)
    """Of the camera, in an average exposure; small motions are drawn more often than large ones."""
    still_share: float = 0.06
    """Share of examples in which nothing moves."""
    objects: tuple[int, int] = (0, 3)
    gap_share: float = 0.3
    """Share of examples with a pause between exposures, of up to their length."""
    linear_share: float = 0.5
    """Share of examples in which the cameras integrate linear light; code values in the others."""
    gamma: Range = (1.8, 2.4)
    """Of linear light."""
    dark_current: Range = (0.0, 0.03)
    dark_spread: Range = (0.0, 0.5)
    response_spread: Range = (0.0, 0.06)
    shot_noise: Range = (0.0, 0.2)
    read_noise: Range = (0.0, 0.012)

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be simulated. Its message begins with the name of the field."""
        for name in ("frames", "frame_px", "bins"):
            _require(getattr(self, name) >= 1, name, "1 or more", getattr(self, name))
        for name, (low, high) in RANGE_LIMITS.items():
            first, last = getattr(self, name)
            # NaN compares false, so it is refused as well.
            _require(
                low <= first <= last <= high,
                name,
                f"two numbers, the smaller one first, between {low:.9g} and {high:.9g}",
                f"{first:g} {last:g}",
            )
        for name in ("still_share", "gap_share", "linear_share"):
            _require(0 <= getattr(self, name) <= 1, name, "between 0 and 1", getattr(self, name))
        _require(bool(self.spike_scales), "spike_scales", "one number at least", "none")
        for scale in self.spike_scales:
            _require(1 <= scale <= 8, "spike_scales", "between 1 and 8", f"{scale:g}")
            _require(
                abs(self.frame_px / scale - round(self.frame_px / scale)) < 1e-6,
                "spike_scales",
                f"numbers that {self.frame_px} px divide evenly by",
                f"{scale:g}; choose another size or scale",
            )

    def spike_size(self, scale: float) -> Size:
        return spike_size(Size(self.frame_px, self.frame_px), scale)


class SimulatedClips:
    """Examples simulated as they are asked for: another one at every draw, without end."""

    findings: tuple[str, ...] = ()

    def __init__(self, recipe: Recipe, pictures: Sequence[Picture], seed: int, clips: int = 960) -> None:
        self._recipe = recipe
        self._pictures = pictures
        self._seed = seed
        self._clips = clips

    def __len__(self) -> int:
        """Return how many make a pass; a pass holds every spike scale equally often."""
        return self._clips

    def shape(self, index: int) -> ClipShape:
        size = Size(self._recipe.frame_px, self._recipe.frame_px)
        return ClipShape(size, self._recipe.spike_size(self._scale(index)))

    def example(self, index: int, draw: int) -> Example:
        return make_example(self._recipe, self._pictures, self._seed, draw, scale=self._scale(index))

    def _scale(self, index: int) -> float:
        return self._recipe.spike_scales[index % len(self._recipe.spike_scales)]


def make_example(
    recipe: Recipe, pictures: Sequence[Picture], seed: int, number: int, *, scale: float | None = None
) -> Example:
    """Make example `number` of a seed, its spikes at `scale` where given.

    `pictures` (H, W, 3) are used beside drawn patterns; there may be none. The same arguments give the
    same bits.
    """
    generator = np.random.default_rng([seed, number])
    size = Size(recipe.frame_px, recipe.frame_px)
    planes = round(_log_uniform(generator, *recipe.exposure_planes))
    stride = planes
    if generator.random() < recipe.gap_share:
        stride = round(planes * generator.uniform(1.0, 2.0))
    exposures = Exposures(recipe.frames, planes, stride)
    low, high = recipe.motion_px
    motion_px = low + (high - low) * float(generator.random()) ** 1.2
    if generator.random() < recipe.still_share:
        motion_px = 0.0
    scene = random_scene(
        generator,
        size,
        exposures,
        kind="mixed",
        pictures=pictures,
        objects=int(generator.integers(recipe.objects[0], recipe.objects[1] + 1)),
        motion_px=motion_px,
    )
    gamma = float(generator.uniform(*recipe.gamma)) if generator.random() < recipe.linear_share else 1.0
    least, most = (count / planes for count in recipe.spikes_an_exposure)
    density = min(max(_log_uniform(generator, *recipe.density), least), most, 0.95)
    dark_current = float(generator.uniform(*recipe.dark_current))
    camera = SpikeCamera(
        threshold=threshold_for_density(density, scene, exposures, gamma, 1.0, dark_current),
        dark_current=dark_current,
        dark_spread=float(generator.uniform(*recipe.dark_spread)),
        response_spread=float(generator.uniform(*recipe.response_spread)),
        shot_noise=float(generator.uniform(*recipe.shot_noise)),
    )
    read_noise = float(generator.uniform(*recipe.read_noise))
    chosen = scale if scale is not None else float(generator.choice(recipe.spike_scales))
    renderer = Renderer(scene, gamma)
    pixels = Pixels(camera, recipe.spike_size(chosen), generator)
    blurry, reference, counts = [], [], []
    for frame in range(recipe.frames):
        span = exposures.span(frame)
        picture, spikes = expose(
            renderer,
            pixels,
            start=span.start,
            planes=len(span),
            bins=recipe.bins,
            gamma=gamma,
            generator=generator,
        )
        noise = read_noise * generator.standard_normal(picture.shape, np.float32)
        sharp = renderer.picture((span.start + span.stop) / 2)[..., :3]
        blurry.append(_levels(picture + noise))
        reference.append(_levels(encode(np.clip(sharp, 0, 1), gamma)))
        counts.append(np.minimum(spikes, 255).astype(np.uint8))
    return Example(
        np.stack(blurry),
        np.stack(reference),
        np.stack(counts),
        np.array([[window.start, window.stop] for window in exposures.windows]),
        gamma,
        f"{motion_px:.0f} px, {planes} planes, {density:.2f} spikes a plane, γ {gamma:.1f}",
    )


def _require(condition: bool, name: str, allowed: str, found: object) -> None:
    if not condition:
        raise ValueError(f"{name} must be {allowed}, got {found}")


def _log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    return math.exp(generator.uniform(math.log(low), math.log(high)))


def _levels(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.floor(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
