"""Two cameras looking at one moving scene: blurry frames, their sharp references, and spikes.

Strategy: time runs once, plane by plane. Every plane is rendered once (where motion is slow, every few
planes, with straight interpolation between), added to the exposures that are open, shrunk to the spike camera
and integrated there. So memory holds the open exposures and no more, however long the recording is.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.alignment import AlignmentWindow
from engine.errors import SequenceError
from engine.geometry import Size, Span
from training.rig import IDEAL, Faults
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
    latents: tuple[Picture, ...] = ()
    """The scene at the other moments that were asked for."""


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
    faults: Faults = IDEAL,
    moments: NDArray[np.float64] | None = None,
) -> Iterator[Tick]:
    """Run both cameras over the scene, one `Tick` a plane. The same arguments give the same bits.

    Plane p sees the scene at p + 1/2, a blurry frame is the mean of its planes, a reference the scene at the
    very centre. `max_step_px` is how far anything may move between renderings; 0 renders every plane.
    `moments` (frames, n) in [0, 1] asks for the scene there, between the start of an exposure and its stop.
    With a rolling shutter in `faults`, exposures are those of the first row, references still show the
    whole scene at one instant, and the recording goes on until the last row is exposed.
    """
    sensor_seed, noise_seed = child_seeds(seed, 2)
    size = spike_size(scene.size, spike_scale)
    sensor = SpikeSensor(spike_camera, size, np.random.default_rng(sensor_seed), faults.pattern)
    noise = np.random.default_rng(noise_seed)
    renderer = Renderer(scene, frame_camera.gamma, faults.margin_px)
    planes_in_all = recording_planes(exposures, faults, scene.size)
    lost = {plane for span in faults.lost for plane in range(span.start, span.stop)}
    lag = faults.lag_planes(scene.size.height)

    def sharp(at_plane: float) -> Picture:
        return _code_values(inside_margin(renderer.picture(at_plane), faults), frame_camera.gamma)

    def finish(frame: int) -> Exposure:
        asked = () if moments is None else moments[frame].tolist()
        return _finish(frame, exposures.span(frame), sums.pop(frame), sharp, frame_camera, noise, asked)

    step = planes_between_renderings(scene, exposures, max_step_px)
    sums: dict[int, Picture] = {}
    after = renderer.picture(0.5)
    light_after = light_through(after, size, faults)
    for start in range(0, planes_in_all, step):
        planes = Span(start, min(start + step, planes_in_all))
        before, light_before = after, light_after
        if planes.stop < planes_in_all or step > 1:
            after = renderer.picture(start + step + 0.5)
            light_after = light_through(after, size, faults)
        shown = inside_margin(before, faults), inside_margin(after, faults)
        if faults.row_delay_planes:
            _integrate_rows(sums, exposures, planes, step, *shown, faults.row_delay_planes)
        else:
            _integrate(sums, exposures, planes, step, *shown)
        for plane in range(planes.start, planes.stop):
            light = light_before
            if plane > start:
                light = light_before + np.float32((plane - start) / step) * (light_after - light_before)
            spikes = sensor.expose(light)
            if plane in lost:
                spikes = np.zeros_like(spikes)
            finished = [frame for frame in sums if exposures.span(frame).stop + lag == plane + 1]

            yield Tick(
                plane,
                spikes,
                tuple(finish(frame) for frame in finished),
            )


def recording_planes(exposures: Exposures, faults: Faults, frame: Size) -> int:
    """Return how many planes are recorded: until the last row of the last frame is exposed."""
    return exposures.planes + faults.lag_planes(frame.height)


def simulate_clip(
    scene: Scene,
    exposures: Exposures,
    frame_camera: FrameCamera,
    spike_camera: SpikeCamera,
    *,
    spike_scale: float = 2.0,
    seed: int | np.random.SeedSequence = 0,
    faults: Faults = IDEAL,
) -> Clip:
    """Run `simulate` to its end and keep everything."""
    size = spike_size(scene.size, spike_scale)
    planes = np.empty((recording_planes(exposures, faults, scene.size), size.height, size.width), np.uint8)
    frames: list[Exposure] = []
    for tick in simulate(
        scene, exposures, frame_camera, spike_camera, spike_scale=spike_scale, seed=seed, faults=faults
    ):
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


def light_through(picture: Picture, size: Size, faults: Faults) -> Light:
    """Return what the spike camera of a rig sees of a rendered (H, W, 4) picture with its margin: (h, w)."""
    if faults.registration is None:
        return spike_light(inside_margin(picture, faults), size)
    to_picture = np.eye(3)
    to_picture[:2, 2] = faults.margin_px
    height, width = (length - 2 * faults.margin_px for length in picture.shape[:2])
    seen: Picture = cv2.warpPerspective(
        picture,
        to_picture @ np.linalg.inv(faults.registration),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # type: ignore[assignment]
    return spike_light(seen, size)


def inside_margin(picture: Picture, faults: Faults) -> Picture:
    """Return the frame's part of a picture that was rendered with a margin."""
    margin = faults.margin_px
    return picture[margin:-margin, margin:-margin] if margin else picture


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


def row_shares(planes: Span, exposure: Span, row_delay_planes: float, height: int) -> NDArray[np.float64]:
    """Return how much of every plane each row of a rolling shutter is exposed for: (planes, height)."""
    begins = exposure.start + row_delay_planes * np.arange(height)
    from_plane = np.arange(planes.start, planes.stop)[:, None]
    ends = np.minimum(from_plane + 1, begins + len(exposure))
    shares: NDArray[np.float64] = np.clip(ends - np.maximum(from_plane, begins), 0, 1)
    return shares


def _integrate_rows(
    sums: dict[int, Picture],
    exposures: Exposures,
    planes: Span,
    step: int,
    before: Picture,
    after: Picture,
    row_delay_planes: float,
) -> None:
    """Do as `_integrate` for a shutter that rolls."""
    height = before.shape[0]
    longest = exposures.exposure_planes + math.ceil(row_delay_planes * (height - 1))
    first = max(0, (planes.start - longest) // exposures.stride_planes)
    share_after = (np.arange(planes.start, planes.stop) - planes.start)[:, None] / step
    for frame in range(first, min(exposures.frames, planes.stop // exposures.stride_planes + 1)):
        shares = row_shares(planes, exposures.span(frame), row_delay_planes, height)
        if not shares.any():
            continue
        if frame not in sums:
            sums[frame] = np.zeros_like(before)
        for picture, weights in ((before, shares * (1 - share_after)), (after, shares * share_after)):
            sums[frame] += weights.sum(axis=0).astype(np.float32)[:, None, None] * picture


def _finish(
    frame: int,
    span: Span,
    total: Picture,
    sharp: Callable[[float], Picture],
    camera: FrameCamera,
    noise: np.random.Generator,
    moments: Sequence[float],
) -> Exposure:
    blurry = _code_values(total / np.float32(len(span)), camera.gamma)
    if camera.read_noise > 0:
        blurry += np.float32(camera.read_noise) * noise.standard_normal(blurry.shape, np.float32)
        np.clip(blurry, 0, 1, out=blurry)
    latents = tuple(sharp(moment_plane(span, at)) for at in moments)
    return Exposure(frame, span, blurry, sharp((span.start + span.stop) / 2), latents)


def moment_plane(span: Span, at: float) -> float:
    """Return the plane position of a moment `at` in [0, 1] of an exposure."""
    return span.start + at * (span.stop - span.start)


def _code_values(picture: Picture, gamma: float) -> Picture:
    """Turn a rendered (H, W, 4) signal into (H, W, 3) code values."""
    return np.ascontiguousarray(encode(np.clip(picture[..., :3], 0, 1), gamma))
