"""Clips as tensors: crops for training, whole clips and spans of frames for validation."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.errors import SequenceError
from engine.source import SequenceSource
from engine.voxels import VoxelSpec
from training.augmentation import CropGrid, crop, crop_grid, vary
from training.clip_set import ClipSet, ClipShape
from training.data_index import SequenceEntry
from training.example import Example, Sample, sample_of
from training.sampling import ClipOrder, Ticket


class ClipBatch(TypedDict):
    """float32 tensors of B clips."""

    blurry: Tensor
    """(B, T, 3, H, W)"""
    reference: Tensor
    """(B, T, 3, H, W)"""
    spikes: Tensor
    """(B, T, channels, h, w)"""


@dataclass(frozen=True)
class SequenceSpan:
    """Frames of a sequence to restore the way the engine does: whole pictures, in tiles."""

    source: SequenceSource
    name: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class ValidationClip:
    """One simulated clip, whole, with what it was made from."""

    example: Example
    batch: ClipBatch


class TrainingClips(Dataset[ClipBatch]):
    """Random crops and variations of the clips of a set, by ticket."""

    def __init__(
        self, clips: ClipSet, spec: VoxelSpec, crop_px: int, seed: int, *, from_ratio: bool = False
    ) -> None:
        self.clips = clips
        self._spec = spec
        self._from_ratio = from_ratio
        self._crop_px = crop_px
        self._seed = seed

    def grid(self, index: int) -> CropGrid:
        return crop_grid(self.clips.shape(index))

    def __getitem__(self, ticket: Ticket) -> ClipBatch:
        generator = np.random.default_rng([self._seed, ticket.draw])
        example = self.clips.example(ticket.index, ticket.draw)
        # Half of the time the ratio has to find the exponent out, as it has to on most recordings.
        gamma = example.gamma if self._from_ratio and generator.random() < 0.5 else None
        sample = sample_of(example, self._spec, from_ratio=self._from_ratio, gamma=gamma)
        sample = crop(sample, self.grid(ticket.index), self._crop_px, generator)
        return tensors_of(vary(sample, self._spec.bins, generator))

    def order(self, **options: Any) -> ClipOrder:
        """Return the order of these clips; `options` as for ClipOrder."""
        shapes = [self.grid(index).crop_shape(self._crop_px) for index in range(len(self.clips))]
        return ClipOrder(shapes, **options)


class ValidationClips(Dataset[ValidationClip]):
    """Whole clips, each once. They are kept in memory: there are few, and simulating them takes time."""

    def __init__(self, clips: ClipSet, spec: VoxelSpec, most: int, *, from_ratio: bool = False) -> None:
        self._clips = clips
        self._spec = spec
        self._from_ratio = from_ratio
        self._chosen = np.unique(np.linspace(0, len(clips) - 1, min(most, len(clips))).astype(int)).tolist()
        self._kept: dict[int, Example] = {}

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, place: int) -> ValidationClip:
        index = self._chosen[place]
        if index not in self._kept:
            self._kept[index] = self._clips.example(index, index)
        example = self._kept[index]
        batch = tensors_of(sample_of(example, self._spec, from_ratio=self._from_ratio, gamma=example.gamma))
        return ValidationClip(
            example,
            ClipBatch(
                blurry=batch["blurry"][None],
                reference=batch["reference"][None],
                spikes=batch["spikes"][None],
            ),
        )


class SpanSet(Dataset[SequenceSpan]):
    """Spans of whole frames, spread over the sequences of a data set."""

    def __init__(self, entries: tuple[SequenceEntry, ...], frames: int, most: int) -> None:
        spans = [
            SequenceSpan(entry.source, entry.name, first, first + frames)
            for entry in entries
            for first in entry.clips(frames)[::frames]
        ]
        if not spans:
            raise SequenceError(f"no sequence for validation has {frames} usable frames in a row")
        chosen = np.unique(np.linspace(0, len(spans) - 1, min(most, len(spans))).astype(int))
        self._spans = [spans[at] for at in chosen]

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, place: int) -> SequenceSpan:
        return self._spans[place]


class ForkingLoader(DataLoader[Any]):
    """A loader whose workers may be forked at any time.

    OpenCV keeps threads once it has computed anything, as validation does. A forked process has the pool but
    not its threads, and waits for them for ever as soon as it touches the pool's size: so they are sent home
    before the fork.
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        threads = cv2.getNumThreads()
        if self.num_workers:
            cv2.setNumThreads(1)
        try:
            batches = super().__iter__()
        finally:
            cv2.setNumThreads(threads)
        return batches


class ClipLoader(ForkingLoader):
    """Loads the batches of a ClipOrder, and can say and be told how many of them are done.

    Lightning saves and restores this state with the run.
    """

    def __init__(self, clips: TrainingClips, order: ClipOrder, **options: Any) -> None:
        super().__init__(clips, batch_sampler=order, **options)
        self._order = order
        self._done = 0

    def __iter__(self) -> Iterator[ClipBatch]:  # type: ignore[override]
        self._order.first = self._done
        for batch in super().__iter__():
            # Counted here and not in the order itself, which workers read ahead.
            self._done += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"batches_done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._done = state["batches_done"]


class ShorterClips:
    """Some frames in a row of longer clips, others at every draw."""

    def __init__(self, clips: ClipSet, frames: int) -> None:
        self._clips = clips
        self._frames = frames
        self.findings = clips.findings

    def __len__(self) -> int:
        return len(self._clips)

    def shape(self, index: int) -> ClipShape:
        return self._clips.shape(index)

    def example(self, index: int, draw: int) -> Example:
        example = self._clips.example(index, draw)
        if len(example.blurry) < self._frames:
            raise SequenceError(
                f"the packed clip {example.name} is too short",
                found=f"{len(example.blurry)} frames",
                expected=f"{self._frames} or more",
                advice="Train on shorter clips (--data.frames) or generate longer ones",
            )
        first = draw % (len(example.blurry) - self._frames + 1)
        chosen = slice(first, first + self._frames)
        return Example(
            example.blurry[chosen],
            example.reference[chosen],
            example.counts[chosen],
            example.windows[chosen],
            example.gamma,
            example.name,
            None if example.moments is None else example.moments[chosen],
            None if example.latents is None else example.latents[chosen],
        )


def tensors_of(sample: Sample) -> ClipBatch:
    """Return a sample as tensors (T, 3, H, W) and (T, channels, h, w)."""
    return ClipBatch(
        blurry=torch.from_numpy(np.ascontiguousarray(np.moveaxis(sample.blurry, 3, 1))),
        reference=torch.from_numpy(np.ascontiguousarray(np.moveaxis(sample.reference, 3, 1))),
        spikes=torch.from_numpy(np.ascontiguousarray(sample.spikes)),
    )


def prepare_worker(_number: int) -> None:
    """Set up a loader's worker process."""
    # The workers share the cores among themselves.
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    os.environ["NUMBA_NUM_THREADS"] = "1"
