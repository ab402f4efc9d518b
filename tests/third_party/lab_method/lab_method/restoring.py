"""The methods themselves, imported only where frames are restored."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.geometry import Region, Span
from engine.restoration.methods import Method
from engine.sequence import Sequence
from engine.voxels import voxelize

Pictures = NDArray[np.float32]


class MiddleTFP(Method):
    """Each frame's spikes in the middle quarter of its exposure, as bright as the frame."""

    name = "middle-tfp"

    def prepare(self, sequence: Sequence, clip: Span) -> Pictures:
        return np.stack([self._picture(sequence, frame) for frame in range(clip.start, clip.stop)])

    def restore(self, prepared: Pictures, region: Region) -> Pictures:
        return prepared[(slice(None), *region.slices)]

    def part(self, prepared: Pictures, frames: Span) -> Pictures:
        return prepared[frames.start : frames.stop]

    def _picture(self, sequence: Sequence, frame: int) -> Pictures:
        assert sequence.recording is not None
        window = sequence.window(frame)
        middle = window.central(window.length_planes / 4)
        counts = voxelize(sequence.recording, middle.start, middle.stop, bins=1)[0]
        blurry = sequence.frame(frame)
        size = (blurry.shape[1], blurry.shape[0])
        light = torch.from_numpy(cv2.resize(np.asarray(counts), size, interpolation=cv2.INTER_AREA))
        grey = (light * (float(blurry.mean()) / max(float(light.mean()), 1e-6))).clamp(0, 1)
        return grey[..., None].repeat(1, 1, 3).numpy()


class Brighten(Method):
    """Frames times a gain."""

    name = "brighten"

    def __init__(self, model: str | None, _device: str, _precision: str) -> None:
        assert model is not None
        self._gain = np.float32(Path(model).read_text("utf-8").split()[1])

    def prepare(self, sequence: Sequence, clip: Span) -> Any:
        return np.stack([sequence.frame(frame) for frame in range(clip.start, clip.stop)])

    def restore(self, prepared: Pictures, region: Region) -> Pictures:
        return np.clip(prepared[(slice(None), *region.slices)] * self._gain, 0, 1)

    def part(self, prepared: Pictures, frames: Span) -> Pictures:
        return prepared[frames.start : frames.stop]


def make_middle_tfp(_model: str | None, _device: str, _precision: str) -> MiddleTFP:
    return MiddleTFP()
