"""The methods themselves, imported only where frames are restored."""

from abc import abstractmethod
from collections.abc import Sequence as SequenceOf
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.geometry import Region, Span
from engine.moment import Moment
from engine.restoration.methods import Method
from engine.sequence import Sequence
from engine.voxels import voxelize

Pictures = NDArray[np.float32]
Prepared = tuple[Span, dict[Moment, Pictures]]
"""A clip, and the whole picture of every moment that is wanted of it."""


class PictureByPicture(Method):
    """What both methods have in common: each moment is restored by itself, and cut where it is asked for."""

    def prepare(self, sequence: Sequence, clip: Span, wanted: SequenceOf[Moment]) -> Prepared:
        return clip, {moment: self.picture(sequence, moment.frame) for moment in wanted}

    def restore(self, prepared: Prepared, region: Region) -> Pictures:
        return np.stack([picture[region.slices] for picture in prepared[1].values()])

    def part(self, prepared: Prepared, frames: Span) -> Prepared:
        clip, pictures = prepared
        part = Span(clip.start + frames.start, clip.start + frames.stop)
        return part, {moment: picture for moment, picture in pictures.items() if moment.frame in part}

    @abstractmethod
    def picture(self, sequence: Sequence, frame: int) -> Pictures: ...


class MiddleTFP(PictureByPicture):
    """Each frame's spikes in the middle quarter of its exposure, as bright as the frame."""

    name = "middle-tfp"

    def picture(self, sequence: Sequence, frame: int) -> Pictures:
        assert sequence.recording is not None
        window = sequence.window(frame)
        middle = window.central(window.length_planes / 4)
        counts = voxelize(sequence.recording, middle.start, middle.stop, bins=1)[0]
        blurry = sequence.frame(frame)
        size = (blurry.shape[1], blurry.shape[0])
        light = torch.from_numpy(cv2.resize(np.asarray(counts), size, interpolation=cv2.INTER_AREA))
        grey = (light * (float(blurry.mean()) / max(float(light.mean()), 1e-6))).clamp(0, 1)
        return grey[..., None].repeat(1, 1, 3).numpy()


class Brighten(PictureByPicture):
    """Frames times a gain."""

    name = "brighten"

    def __init__(self, model: str | None, _device: str, _precision: str) -> None:
        assert model is not None
        self._gain = np.float32(Path(model).read_text("utf-8").split()[1])

    def picture(self, sequence: Sequence, frame: int) -> Pictures:
        return np.clip(sequence.frame(frame) * self._gain, 0, 1)


def make_middle_tfp(_model: str | None, _device: str, _precision: str) -> MiddleTFP:
    return MiddleTFP()
