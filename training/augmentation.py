"""Variations of a sample that a network should not mind, done alike to frames, reference and spikes."""

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from engine.geometry import Region, Size
from engine.spike_channels import reverse_time
from training.clip_set import ClipShape
from training.example import Sample

MAX_RATIO_PARTS = 16
"""Crops start on whole pixels of both cameras, so their sizes must be as a : b with a up to this."""


@dataclass(frozen=True)
class CropGrid:
    """Where crops of a clip may lie so that they hold whole pixels of both cameras."""

    shape: ClipShape
    """Sizes of the clip, its spikes resized to `shape.spikes` where they were incommensurable."""
    resize_spikes: bool
    down: Fraction
    """Frame pixels to a spike pixel, down and across."""
    across: Fraction

    def crop_shape(self, crop_px: int) -> ClipShape:
        """Return the sizes of a crop of about `crop_px` each way, at most of the whole clip."""
        frames, spikes = self.shape.frames, self.shape.spikes
        height = min(frames.height, self._fit(min(crop_px, frames.height), self.down))
        width = min(frames.width, self._fit(min(crop_px, frames.width), self.across))
        return ClipShape(
            Size(height, width),
            Size(
                min(spikes.height, max(1, round(height / self.down))),
                min(spikes.width, max(1, round(width / self.across))),
            ),
        )

    @staticmethod
    def _fit(length: int, ratio: Fraction) -> int:
        return max(ratio.numerator, length // ratio.numerator * ratio.numerator)


def crop_grid(shape: ClipShape) -> CropGrid:
    """Return the grid of a clip. Sizes without a simple ratio get resized spikes, at a whole ratio."""
    frames, spikes = shape.frames, shape.spikes
    down, across = Fraction(frames.height, spikes.height), Fraction(frames.width, spikes.width)
    if max(down.numerator, across.numerator) <= MAX_RATIO_PARTS:
        return CropGrid(shape, False, down, across)
    scale = max(1, round(float((down + across) / 2)))
    resized = Size(max(1, round(frames.height / scale)), max(1, round(frames.width / scale)))
    return CropGrid(ClipShape(frames, resized), True, Fraction(scale), Fraction(scale))


def crop(sample: Sample, grid: CropGrid, crop_px: int, generator: np.random.Generator) -> Sample:
    """Cut a random part of `grid.crop_shape(crop_px)` out of a sample."""
    spikes = sample.spikes
    if grid.resize_spikes:
        spikes = _resized(spikes, grid.shape.spikes)
    wanted = grid.crop_shape(crop_px)
    top, spike_top = _place(generator, grid.shape.frames.height, wanted.frames.height, grid.down)
    left, spike_left = _place(generator, grid.shape.frames.width, wanted.frames.width, grid.across)
    of_frames = Region(top, left, top + wanted.frames.height, left + wanted.frames.width)
    rows, columns = of_frames.slices
    spike_rows = slice(spike_top, spike_top + wanted.spikes.height)
    spike_columns = slice(spike_left, spike_left + wanted.spikes.width)
    return Sample(
        sample.blurry[:, rows, columns],
        sample.reference[:, rows, columns],
        spikes[:, :, spike_rows, spike_columns],
    )


def vary(sample: Sample, bins: int, generator: np.random.Generator) -> Sample:
    """Flip, turn by quarters and run backwards, each half of the time.

    Only squares are turned, so that the samples of a batch keep one shape. `bins` of the spike channels
    are in the order of time and turn round with it.
    """
    upside_down, mirrored, turned, backwards = (generator.random(4) < 0.5).tolist()
    if turned:
        turned = all(a.shape[-2] == a.shape[-1] for a in (sample.blurry[..., 0], sample.spikes))
    blurry, reference, spikes = sample.blurry, sample.reference, sample.spikes
    if backwards:
        blurry, reference = blurry[::-1], reference[::-1]
        spikes = reverse_time(spikes[::-1], bins)
    if upside_down:
        blurry, reference, spikes = blurry[:, ::-1], reference[:, ::-1], spikes[:, :, ::-1]
    if mirrored:
        blurry, reference, spikes = blurry[:, :, ::-1], reference[:, :, ::-1], spikes[:, :, :, ::-1]
    if turned:
        blurry, reference, spikes = (
            blurry.swapaxes(1, 2),
            reference.swapaxes(1, 2),
            spikes.swapaxes(2, 3),
        )
    return Sample(*(np.ascontiguousarray(array) for array in (blurry, reference, spikes)))


def _place(generator: np.random.Generator, length: int, wanted: int, ratio: Fraction) -> tuple[int, int]:
    """Return the first pixel of a crop in the frame and in the spikes."""
    step = int(generator.integers((length - wanted) // ratio.numerator + 1))
    return step * ratio.numerator, step * ratio.denominator


def _resized(spikes: np.ndarray, size: Size) -> np.ndarray:
    """Return (T, channels, h, w) at another size, interpolated in a straight line."""
    return np.stack(
        [np.stack([cv2.resize(map_, (size.width, size.height)) for map_ in channels]) for channels in spikes]
    )
