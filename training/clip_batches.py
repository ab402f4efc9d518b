"""Clips as tensors: crops for training, whole clips and spans of frames for validation."""

import dataclasses
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from engine.errors import EngineError, SequenceError
from engine.findings import Finding
from engine.sequence import open_source
from engine.source import SequenceSource
from engine.voxels import VoxelSpec
from training.augmentation import CropGrid, crop, crop_grid, vary
from training.clip_set import ClipSet, ClipShape, UnreadableClip
from training.data_index import SequenceEntry, left_out, unreadable
from training.example import Example, Sample, sample_of
from training.sampling import ClipOrder, Ticket

MOST_UNREADABLE = 16
"""Clips in a row that cannot be read: it is not single files then, but the disk or the whole data set."""

log = logging.getLogger("lightning.pytorch.utilities.rank_zero")  # whose lines a terminal shows as they are


class ClipBatch(TypedDict):
    """float32 tensors of B clips."""

    blurry: Tensor
    """(B, T, 3, H, W)"""
    reference: Tensor
    """(B, T, 3, H, W)"""
    spikes: Tensor
    """(B, T, channels, h, w)"""
    left_out: NotRequired[list[str]]
    """Why other clips are not in it; only between a loader's process and the training."""


@dataclass(frozen=True)
class SequenceSpan:
    """Frames of a sequence to restore the way the engine does: whole pictures, in tiles."""

    source: SequenceSource
    name: str
    start: int
    stop: int
    place: int
    """Among all that is validated on."""


@dataclass(frozen=True, eq=False)
class ValidationClip:
    """One simulated clip, whole, with what it was made from."""

    example: Example
    batch: ClipBatch
    place: int
    """Among all that is validated on."""


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
        example, left_out = self._readable(ticket)
        # Half of the time the ratio has to find the exponent out, as it has to on most recordings.
        gamma = example.gamma if self._from_ratio and generator.random() < 0.5 else None
        sample = sample_of(example, self._spec, from_ratio=self._from_ratio, gamma=gamma)
        sample = crop(sample, self.grid(ticket.index), self._crop_px, generator)
        batch = tensors_of(vary(sample, self._spec.bins, generator))
        if left_out:
            batch["left_out"] = left_out
        return batch

    def _readable(self, ticket: Ticket) -> tuple[Example, list[str]]:
        """Return the clip of a ticket or, where it cannot be read, the next of its shape; and why not it."""
        wanted = self.clips.shape(ticket.index)
        left_out: list[str] = []
        for step in range(len(self.clips)):
            index = (ticket.index + step) % len(self.clips)
            if self.clips.shape(index) != wanted:
                continue
            try:
                return self.clips.example(index, ticket.draw), left_out
            except UnreadableClip as error:
                left_out.append(str(error))
                if len(left_out) >= MOST_UNREADABLE:
                    break
        raise SequenceError(
            f"{len(left_out)} clips in a row cannot be read, the last: {left_out[-1]}",
            advice="Look through the data set first: python -m training prepare",
        )

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
            place,
        )


class SpanSet(Dataset[SequenceSpan]):
    """Spans of whole frames, spread over the sequences of a data set.

    Unless the data set `is_decoded`, those chosen are read once, and others taken where they cannot be.
    """

    def __init__(
        self, entries: tuple[SequenceEntry, ...], frames: int, most: int, *, is_decoded: bool = True
    ) -> None:
        self.findings: list[Finding] = []
        self._spans = _spread(entries, frames, most)
        while not is_decoded:
            bad = self._unreadable(entries)
            if not bad:
                break
            entries = tuple(_without(entry, bad) for entry in entries)
            self._spans = _spread(entries, frames, most)

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, place: int) -> SequenceSpan:
        return self._spans[place]

    def _unreadable(self, entries: Sequence[SequenceEntry]) -> set[tuple[str, int]]:
        """Return the frames of the chosen spans that cannot be read, by sequence and number."""
        bad = set()
        named = {entry.name: entry for entry in entries}
        for span in self._spans:
            for number in range(span.start, span.stop):
                frame = named[span.name].frame_names[number]
                try:
                    with open_source(span.source, cache_bytes=0) as sequence:
                        error = unreadable(sequence, number)
                except EngineError as not_opened:
                    error = not_opened
                if error is not None:
                    bad.add((span.name, number))
                    self.findings.append(left_out(span.name, frame, error))
        return bad


def _spread(entries: Sequence[SequenceEntry], frames: int, most: int) -> list[SequenceSpan]:
    spans = [(entry, first) for entry in entries for first in entry.clips(frames)[::frames]]
    if not spans:
        raise SequenceError(
            f"no sequence for validation has {frames} usable frames in a row",
            advice="Validate on others (--data.val_root FOLDER), or on shorter clips (--data.frames)",
        )
    chosen = np.unique(np.linspace(0, len(spans) - 1, min(most, len(spans))).astype(int)).tolist()
    return [
        SequenceSpan(entry.source, entry.name, first, first + frames, place)
        for place, (entry, first) in enumerate(spans[at] for at in chosen)
    ]


def _without(entry: SequenceEntry, bad: set[tuple[str, int]]) -> SequenceEntry:
    usable = tuple(is_so and (entry.name, at) not in bad for at, is_so in enumerate(entry.usable))
    return dataclasses.replace(entry, usable=usable)


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
        super().__init__(clips, batch_sampler=order, collate_fn=collate, **options)
        self._order = order
        self._told: set[str] = set()
        self._done = 0

    def __iter__(self) -> Iterator[ClipBatch]:  # type: ignore[override]
        self._order.first = self._done
        for batch in super().__iter__():
            for finding in batch.pop("left_out", ()):
                if finding not in self._told:
                    self._told.add(finding)
                    log.info(finding)
            # Counted here and not in the order itself, which workers read ahead.
            self._done += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"batches_done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._done = state["batches_done"]


def collate(clips: list[ClipBatch]) -> ClipBatch:
    """Make one batch of clips; what was left out of it goes along, where anything was."""
    left_out = [finding for clip in clips for finding in clip.pop("left_out", [])]
    batch: ClipBatch = default_collate(clips)
    if left_out:
        batch["left_out"] = left_out
    return batch


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
