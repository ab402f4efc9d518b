"""One exposure of both cameras, straight to a blurry frame and binned spikes.

Strategy: what `training.simulate` does plane by plane, without ever making a plane. The scene is rendered as
often as its motion asks for and taken to change evenly in between; each pixel then runs through all planes
on its own, in compiled code, and its spikes are counted into the voxel bins at once. Some ten times as fast,
for data by the thousand. Exposures of a clip start with a random charge each, as if after a gap.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from engine.geometry import Size, Span
from training.rig import IDEAL, Faults
from training.scene import Picture, Renderer, encode, speeds_px
from training.simulate import inside_margin, light_through, row_shares
from training.spike_camera import DEAD, HOT, SpikeCamera, draw_pattern

STEP_PX = 1.0
"""Motion of the fastest point between two renderings: typical ones move half as far."""


class Pixels:
    """What differs from pixel to pixel of a spike camera: response and dark current, (h, w) each."""

    def __init__(
        self,
        camera: SpikeCamera,
        size: Size,
        generator: np.random.Generator,
        defects: NDArray[np.uint8] | None = None,
    ) -> None:
        pattern = draw_pattern(camera, size, generator)
        self.camera = camera
        self.size = size
        self.response = pattern.response
        self.dark = pattern.dark
        self.defects = defects


def expose(
    renderer: Renderer,
    pixels: Pixels,
    *,
    start: int,
    planes: int,
    bins: int,
    gamma: float,
    generator: np.random.Generator,
    step_px: float = STEP_PX,
    faults: Faults = IDEAL,
) -> tuple[Picture, NDArray[np.uint16]]:
    """Expose both cameras during planes [start, start + planes).

    Returns the blurry frame (H, W, 3) in code values without read noise, and the spikes (bins, h, w),
    binned as `engine.voxels.voxelize` bins them. Plane p sees the scene at p + 1/2. Of `faults`, how the
    cameras are registered and how the shutter rolls matter here; the renderer draws their margin.
    """
    camera = pixels.camera
    shape = (pixels.size.height, pixels.size.width)
    charge = generator.random(shape) * (camera.threshold if camera.random_phase else 0.0)
    counts = np.zeros((bins, *shape), np.uint16)
    bin_of_plane = np.minimum(bins - 1, np.arange(planes) * bins // planes)
    height, width = renderer.scene.size.height, renderer.scene.size.width
    exposed = planes + faults.lag_planes(height)
    renderings = _renderings(renderer, start, exposed, step_px)
    positions = np.arange(exposed) * ((renderings - 1) / max(1, exposed - 1))
    segments = np.minimum(positions.astype(np.int64), max(0, renderings - 2))
    shares = (positions - segments).astype(np.float32)
    following = np.minimum(segments + 1, renderings - 1)
    if faults.row_delay_planes:
        rows = row_shares(Span(0, exposed), Span(0, planes), faults.row_delay_planes, height)
        by_row = np.zeros((renderings, height))
        np.add.at(by_row, segments, rows * (1 - shares[:, None]))
        np.add.at(by_row, following, rows * shares[:, None])
        weights = by_row[..., None, None]
    else:
        weights = np.asarray(np.bincount(segments, 1 - shares, renderings), np.float64)
        weights += np.bincount(following, shares, renderings)
    times = start + 0.5 + np.linspace(0, exposed - 1, renderings)
    total = np.zeros((height, width, 4), np.float32)
    segments, shares = segments[:planes], shares[:planes]
    noise_seed = np.uint64(generator.integers(2**63))
    before: Picture | None = None
    for at in range(renderings):
        picture = renderer.picture(float(times[at]))
        total += np.float32(weights[at]) * inside_margin(picture, faults)
        after = np.ascontiguousarray(light_through(picture, pixels.size, faults))
        if at or renderings == 1:
            first, last = np.searchsorted(segments, [max(0, at - 1), max(1, at)])
            _integrate(
                after if before is None else before,
                after,
                shares[first:last],
                bin_of_plane[first:last],
                charge,
                counts,
                pixels.response,
                pixels.dark,
                camera.gain,
                camera.threshold,
                camera.shot_noise,
                noise_seed + np.uint64(first),
            )
        before = after
    if pixels.defects is not None:
        counts[:, pixels.defects == DEAD] = 0
        counts[:, pixels.defects == HOT] = np.bincount(bin_of_plane, minlength=bins)[:, None]
    blurry = encode(np.clip(total[..., :3] / np.float32(planes), 0, 1), gamma)
    return np.ascontiguousarray(blurry), counts


def _renderings(renderer: Renderer, start: int, planes: int, step_px: float) -> int:
    """Return how many pictures an exposure takes, its first and last plane included."""
    if planes == 1:
        return 1
    if step_px <= 0:
        return planes
    scene = renderer.scene
    times = np.linspace(start, start + planes, 9).tolist()
    speed = max(float(speeds_px(scene, times, layer).max()) for layer in range(len(scene.layers)))
    return min(planes, 2 + math.ceil(speed * planes / step_px))


@njit(cache=True, nogil=True)
def _integrate(  # type: ignore[no-untyped-def]
    before,
    after,
    shares,
    bins,
    charge,
    counts,
    response,
    dark,
    gain,
    threshold,
    shot_noise,
    seed,
) -> None:
    """Let every pixel collect and fire through the planes between two pictures, which lie at `shares`.

    Shot noise is a sum of four uniform numbers of the right variance, cut off at no light: normal enough
    in counts of ten electrons and more. They come from SplitMix64 of (seed, plane, pixel).
    """
    height, width = before.shape
    # Variance of a sum of four uniform 16-bit numbers: 4 · (2^32 - 1) / 12.
    unit = shot_noise / math.sqrt(4 * (2.0**32 - 1) / 12)
    for y in range(height):
        for x in range(width):
            held = charge[y, x]
            here, change = before[y, x], after[y, x] - before[y, x]
            for plane in range(len(shares)):
                exposure = response[y, x] * (here + shares[plane] * change) + dark[y, x]
                if unit > 0 and exposure > 0:
                    bits = (seed + np.uint64(plane)) * np.uint64(0x9E3779B97F4A7C15)
                    bits += np.uint64(y * width + x) * np.uint64(0xD1B54A32D192ED03)
                    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                    bits ^= bits >> np.uint64(31)
                    part = np.uint64(0xFFFF)
                    summed = (
                        np.int64(bits & part)
                        + np.int64((bits >> np.uint64(16)) & part)
                        + np.int64((bits >> np.uint64(32)) & part)
                        + np.int64(bits >> np.uint64(48))
                    )
                    exposure += math.sqrt(exposure) * unit * (summed - 2 * 65535)
                    exposure = max(exposure, 0.0)
                held += gain * exposure
                if held >= threshold:
                    counts[bins[plane], y, x] += 1
                    held -= threshold
                    if held >= threshold:
                        held %= threshold
            charge[y, x] = held
