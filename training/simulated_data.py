"""Examples made of nothing: random scenes, seen by a random pair of cameras.

Every example draws another spike camera, exposure, motion and scene, so that a network trained on them
does not come to depend on one. An example is decided by the recipe, the pictures, a seed and its number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.voxels import MOST_BINS
from training.clip_set import ClipShape
from training.example import Example
from training.exposure import Pixels, expose
from training.rig import Faults, Rig, draw_faults
from training.scene import Picture, Renderer, encode
from training.scenes import SceneKind, random_scene
from training.simulate import Exposures, inside_margin, moment_plane, spike_size, threshold_for_density
from training.spike_camera import SpikeCamera

Range = tuple[float, float]
LATER_STREAM = 1

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
    "misregistration_px": (0, 64),
    "defects": (0, 0.5),
    "readout": (0, 4),
    "rate_hz": (1, 1e6),
}
"""Between which numbers a recipe's ranges may lie; what is drawn in the logarithm cannot be 0."""
SHARES = (
    *("still_share", "gap_share", "linear_share"),
    *("world_share", "misregistered_share", "defective_share", "rolling_share"),
)
LATER_FIELDS = (
    *("moments", "world_share", "rate_hz", "misregistered_share", "misregistration_px"),
    *("defective_share", "defects", "rolling_share", "readout"),
)
"""Of a recipe: what the first ones did not have."""


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
    moments: int = 1
    """Random moments of each exposure at which the sharp scene is kept, beside the centre."""
    world_share: float = 0.5
    """Share of the examples that move in which there is depth, or cloth, limbs, things that turn or fly past,
    lights, a hand-held camera (`training.worlds`)."""
    rate_hz: Range = (2000.0, 40000.0)
    """* Planes a second, which say how much of a hand's shake an exposure sees."""
    misregistered_share: float = 0.25
    misregistration_px: Range = (0.0, 1.0)
    """Of the examples with registration errors, in pixels of the frame."""
    defective_share: float = 0.25
    defects: Range = (0.0, 0.003)
    """Share of dead and hot pixels, in the examples that have any."""
    rolling_share: float = 0.05
    readout: Range = (0.0, 0.5)
    """How long after the first row the last one of a rolling shutter is exposed, in exposures."""

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be simulated. Its message begins with the name of the field."""
        for name in ("frames", "frame_px", "bins"):
            _require(getattr(self, name) >= 1, name, "1 or more", getattr(self, name))
        _require(self.bins <= MOST_BINS, "bins", f"{MOST_BINS} or less", self.bins)
        _require(0 <= self.moments <= 100, "moments", "between 0 and 100", self.moments)
        for name, (low, high) in RANGE_LIMITS.items():
            first, last = getattr(self, name)
            # NaN compares false, so it is refused as well.
            _require(
                low <= first <= last <= high,
                name,
                f"two numbers, the smaller one first, between {low:.9g} and {high:.9g}",
                f"{first:g} {last:g}",
            )
        for name in SHARES:
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
    # What came later has a stream of its own, so that what was first stays as it was.
    later = np.random.default_rng([seed, number, LATER_STREAM])
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
    kind: SceneKind = "world" if later.random() < recipe.world_share and motion_px > 0 else "mixed"
    scene = random_scene(
        generator,
        size,
        exposures,
        kind=kind,
        pictures=pictures,
        objects=int(generator.integers(recipe.objects[0], recipe.objects[1] + 1)),
        motion_px=motion_px,
        rate_hz=_log_uniform(later, *recipe.rate_hz),
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
    faults = _faults(recipe, camera, size, recipe.spike_size(chosen), planes, later)
    renderer = Renderer(scene, gamma, faults.margin_px)
    defects = None if faults.pattern is None else faults.pattern.defects
    pixels = Pixels(camera, recipe.spike_size(chosen), generator, defects)
    moments = np.sort(later.random((recipe.frames, recipe.moments), np.float32), axis=1)
    blurry, reference, counts, latents = [], [], [], []

    def sharp(at_plane: float) -> NDArray[np.uint8]:
        picture = inside_margin(renderer.picture(at_plane), faults)[..., :3]
        return _levels(encode(np.clip(picture, 0, 1), gamma))

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
            faults=faults,
        )
        noise = read_noise * generator.standard_normal(picture.shape, np.float32)
        blurry.append(_levels(picture + noise))
        reference.append(sharp((span.start + span.stop) / 2))
        latents.append([sharp(moment_plane(span, at)) for at in moments[frame].tolist()])
        counts.append(np.minimum(spikes, 255).astype(np.uint8))
    return Example(
        np.stack(blurry),
        np.stack(reference),
        np.stack(counts),
        np.array([[window.start, window.stop] for window in exposures.windows]),
        gamma,
        f"{motion_px:.0f} px, {planes} planes, {density:.2f} spikes a plane, γ {gamma:.1f}",
        moments if recipe.moments else None,
        np.array(latents, np.uint8) if recipe.moments else None,
    )


def _faults(
    recipe: Recipe, camera: SpikeCamera, frame: Size, spikes: Size, planes: int, later: np.random.Generator
) -> Faults:
    """Draw what is wrong with the cameras of an example."""
    wrong = later.random(3) < (recipe.misregistered_share, recipe.defective_share, recipe.rolling_share)
    values = [later.uniform(*of) for of in (recipe.misregistration_px, recipe.defects, recipe.readout)]
    registered, defects, readout = (float(value) for value in np.where(wrong, values, 0.0))
    rig = Rig(readout * planes / max(1, frame.height - 1), registered, defects=defects)
    seed = np.random.SeedSequence(int(later.integers(2**63)))
    return draw_faults(rig, camera, frame, spikes, planes, seed)


def _require(condition: bool, name: str, allowed: str, found: object) -> None:
    if not condition:
        raise ValueError(f"{name} must be {allowed}, got {found}")


def _log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    return math.exp(generator.uniform(math.log(low), math.log(high)))


def _levels(picture: Picture) -> NDArray[np.uint8]:
    return np.floor(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


PLANAR = Recipe(moments=0, world_share=0, misregistered_share=0, defective_share=0, rolling_share=0)
"""Stiff planes before ideal cameras, and references at the centre alone: as it was at first."""
