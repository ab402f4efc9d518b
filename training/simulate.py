"""Two cameras looking at one moving scene: blurry frames, their sharp references, and spikes.

Strategy: time runs once, plane by plane. Every plane is rendered once (where motion is slow, every few
planes, with straight interpolation between), added to the exposures that are open, shrunk to the spike camera
and integrated there. So memory holds the open exposures and no more, however long the recording is.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.alignment import AlignmentWindow
from engine.errors import SequenceError
from engine.geometry import Size, Span
from training.scene import Picture, Renderer, Scene, encode, resized, speeds_px
from training.spike_camera import Light, SpikeCamera, SpikeSensor

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in what the spike camera sees, applied to the signal that it integrates."""
MAX_STEP_PX = 0.25
"""Interpolating between pictures this far apart changes a reference less than 8-bit rounding does."""


@dataclass(frozen=True)
class Exposures:
    """When frames are exposed: frame i during planes [i · stride, i · stride + exposure)."""

    frames: int
    exposure_planes: int
    stride_planes: int

    def __post_init__(self) -> None:
        for name in ("frames", "exposure_planes", "stride_planes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")

    @property
    def planes(self) -> int:
        """Length of the recording: up to the end of the last exposure."""
        return (self.frames - 1) * self.stride_planes + self.exposure_planes

    def span(self, frame: int) -> Span:
        start = frame * self.stride_planes
        return Span(start, start + self.exposure_planes)

    @property
    def windows(self) -> tuple[AlignmentWindow, ...]:
        spans = (self.span(frame) for frame in range(self.frames))
        return tuple(AlignmentWindow(float(span.start), float(span.stop)) for span in spans)


@dataclass(frozen=True)
class FrameCamera:
    """How the other camera turns light into a picture."""

    gamma: float = 1.0
    """1: a blurry frame is the mean of code values; 2.2: the mean of linear light, encoded again. The spike
    camera integrates the same signal."""
    read_noise: float = 0.0
    """Standard deviation that read-out adds to the blurry frame's code values, white being 1."""

    def __post_init__(self) -> None:
        for name, low, high in (("gamma", 1.0, 4.0), ("read_noise", 0.0, 0.5)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {getattr(self, name):g}")


@dataclass(frozen=True, eq=False)
class Exposure:
    """A finished frame: pictures are (H, W, 3) float32 RGB code values in [0, 1]."""

    frame: int
    span: Span
    blurry: Picture
    reference: Picture
    """The scene at the centre of the exposure."""


@dataclass(frozen=True, eq=False)
class Tick:
    """What one plane's time brings: its spikes, and the frames whose exposure ends with it."""

    plane: int
    spikes: NDArray[np.uint8]
    """0/1 (h, w)."""
    exposures: tuple[Exposure, ...]


@dataclass(frozen=True, eq=False)
class Clip:
    """A whole simulation in memory, for short ones."""

    blurry: Picture
    """(T, H, W, 3)"""
    reference: Picture
    """(T, H, W, 3)"""
    planes: NDArray[np.uint8]
    """0/1 (planes, h, w)"""
    windows: tuple[AlignmentWindow, ...]


def spike_size(frame: Size, scale: float) -> Size:
    """Return the spike camera's size when a frame has `scale` times its pixels each way."""
    if not 1 <= scale <= 8:
        raise ValueError(f"the spike scale must lie between 1 and 8, got {scale:g}")
    return Size(max(1, round(frame.height / scale)), max(1, round(frame.width / scale)))


def simulate(
    scene: Scene,
    exposures: Exposures,
    frame_camera: FrameCamera,
    spike_camera: SpikeCamera,
    *,
    spike_scale: float = 2.0,
    seed: int | np.random.SeedSequence = 0,
    max_step_px: float = MAX_STEP_PX,
) -> Iterator[Tick]:
    """Run both cameras over the scene, one `Tick` a plane. The same arguments give the same bits.

    Plane p sees the scene at p + 1/2, a blurry frame is the mean of its planes, a reference the scene at the
    very centre. `max_step_px` is how far anything may move between renderings; 0 renders every plane.
    """
    sensor_seed, noise_seed = child_seeds(seed, 2)
    size = spike_size(scene.size, spike_scale)
    sensor = SpikeSensor(spike_camera, size, np.random.default_rng(sensor_seed))
    noise = np.random.default_rng(noise_seed)
    renderer = Renderer(scene, frame_camera.gamma)
    step = planes_between_renderings(scene, exposures, max_step_px)
    sums: dict[int, Picture] = {}
    after = renderer.picture(0.5)
    light_after = spike_light(after, size)
    for start in range(0, exposures.planes, step):
        planes = Span(start, min(start + step, exposures.planes))
        before, light_before = after, light_after
        if planes.stop < exposures.planes or step > 1:
            after = renderer.picture(start + step + 0.5)
            light_after = spike_light(after, size)
        _integrate(sums, exposures, planes, step, before, after)
        for plane in range(planes.start, planes.stop):
            light = light_before
            if plane > start:
                light = light_before + np.float32((plane - start) / step) * (light_after - light_before)
            spikes = sensor.expose(light)
            finished = [frame for frame in sums if exposures.span(frame).stop == plane + 1]
            yield Tick(
                plane,
                spikes,
                tuple(
                    _finish(frame, exposures.span(frame), sums.pop(frame), renderer, frame_camera, noise)
                    for frame in finished
                ),
            )


def simulate_clip(
    scene: Scene,
    exposures: Exposures,
    frame_camera: FrameCamera,
    spike_camera: SpikeCamera,
    *,
    spike_scale: float = 2.0,
    seed: int | np.random.SeedSequence = 0,
) -> Clip:
    """Run `simulate` to its end and keep everything."""
    size = spike_size(scene.size, spike_scale)
    planes = np.empty((exposures.planes, size.height, size.width), np.uint8)
    frames: list[Exposure] = []
    for tick in simulate(scene, exposures, frame_camera, spike_camera, spike_scale=spike_scale, seed=seed):
        planes[tick.plane] = tick.spikes
        frames.extend(tick.exposures)
    return Clip(
        np.stack([frame.blurry for frame in frames]),
        np.stack([frame.reference for frame in frames]),
        planes,
        exposures.windows,
    )


def spike_light(picture: Picture, size: Size) -> Light:
    """Return what the spike camera sees of a rendered (H, W, 4) picture: (h, w), averaged over each pixel."""
    light: Light = cv2.transform(picture, np.array([[*LUMINANCE, 0.0]]))  # type: ignore[assignment]
    return resized(light, size)


def mean_light(scene: Scene, exposures: Exposures, gamma: float, samples: int = 9) -> float:
    """Return the mean light of the scene, from `samples` pictures spread over the recording."""
    renderer = Renderer(scene, gamma)
    times = (np.arange(samples) + 0.5) * exposures.planes / samples
    whole = Size(1, 1)
    return float(np.mean([spike_light(renderer.picture(time), whole)[0, 0] for time in times.tolist()]))


def threshold_for_density(
    density: float, scene: Scene, exposures: Exposures, gamma: float, gain: float, dark_current: float
) -> float:
    """Return the threshold at which the scene gives `density` spikes a pixel and plane, on average.

    Exact as far as nothing saturates: a pixel whose light would give more than one spike a plane loses them.
    Raises ValueError for an impossible density, SequenceError for a black scene.
    """
    if not 0 < density < 1:
        raise ValueError(f"the density must lie between 0 and 1 spikes a plane, got {density:g}")
    light = mean_light(scene, exposures, gamma) + dark_current
    if light <= 0:
        raise SequenceError(
            "the scene is black, so no threshold gives it spikes", advice="Ask for dark current"
        )
    return gain * light / density


def planes_between_renderings(scene: Scene, exposures: Exposures, max_step_px: float) -> int:
    """Return how many planes apart renderings may lie so that nothing moves further than `max_step_px`."""
    if max_step_px <= 0:
        return 1
    times = np.linspace(0, exposures.planes, 33).tolist()
    speed = max(float(speeds_px(scene, times, layer).max()) for layer in range(len(scene.layers)))
    longest = max(1, exposures.exposure_planes // 8)
    return longest if speed * longest <= max_step_px else max(1, math.floor(max_step_px / speed))


def child_seeds(seed: int | np.random.SeedSequence, count: int) -> list[np.random.SeedSequence]:
    """Return independent streams, always the same ones: `spawn` would remember that it had been asked."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return [np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, key)) for key in range(count)]


def _integrate(
    sums: dict[int, Picture], exposures: Exposures, planes: Span, step: int, before: Picture, after: Picture
) -> None:
    """Add the pictures of `planes`, which lie between two renderings, to every open exposure."""
    first = max(0, (planes.start - exposures.exposure_planes) // exposures.stride_planes)
    for frame in range(first, min(exposures.frames, planes.stop // exposures.stride_planes + 1)):
        seen = exposures.span(frame).intersect(planes)
        if not len(seen):
            continue
        share_after = sum(plane - planes.start for plane in range(seen.start, seen.stop)) / step
        if frame not in sums:
            sums[frame] = np.zeros_like(before)
        for picture, share in ((before, len(seen) - share_after), (after, share_after)):
            if share:
                cv2.scaleAdd(picture, share, sums[frame], sums[frame])


def _finish(
    frame: int,
    span: Span,
    total: Picture,
    renderer: Renderer,
    camera: FrameCamera,
    noise: np.random.Generator,
) -> Exposure:
    blurry = _code_values(total / np.float32(len(span)), camera.gamma)
    if camera.read_noise > 0:
        blurry += np.float32(camera.read_noise) * noise.standard_normal(blurry.shape, np.float32)
        np.clip(blurry, 0, 1, out=blurry)
    reference = _code_values(renderer.picture((span.start + span.stop) / 2), camera.gamma)
    return Exposure(frame, span, blurry, reference)


def _code_values(picture: Picture, gamma: float) -> Picture:
    """Turn a rendered (H, W, 4) signal into (H, W, 3) code values."""
    return np.ascontiguousarray(encode(np.clip(picture[..., :3], 0, 1), gamma))
