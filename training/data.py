"""Batches for training and clips for validation, from a data set, from packed clips or out of thin air."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader

from engine.errors import SequenceError
from engine.model import VRTSpikeConfig
from engine.voxels import VoxelSpec
from training.augmentation import crop_grid
from training.clip_batches import (
    ClipLoader,
    ForkingLoader,
    SequenceSpan,
    ShorterClips,
    SpanSet,
    TrainingClips,
    ValidationClip,
    ValidationClips,
    prepare_worker,
)
from training.clip_set import ClipSet
from training.data_index import DataIndex, read_exclusions, read_index, scan, without
from training.packed_clips import PackedClips
from training.picture_shelf import PictureShelf
from training.sequence_clips import SequenceClips, shared_cache_bytes
from training.simulated_data import Recipe, SimulatedClips

DEFAULT_RECIPE = Recipe()
HELD_OUT_SHARE = 0.1
"""Of the sequences of a data set, where no other is given for validation."""
VALIDATION_SEED_OFFSET = 7_654_321
"""Added to the seed, so that simulated validation clips are never trained on."""


def validation_places(clips: int, rank: int, world_size: int) -> list[int]:
    """Return the clips that a process scores: every `world_size`-th, and as many as every other process.

    Where they do not go up evenly some are scored twice, and counted once: a process without any would leave
    out what all of them do together, and the others would wait for it.
    """
    rounds = -(-clips // world_size)
    return [place % clips for place in range(rank, rounds * world_size, world_size)]


class ClipData(pl.LightningDataModule):
    """Clips to train and validate on. One source is taken: `root`, else `packed`, else simulation.

    Args:
        root: Data set in any layout that the studio opens.
        index: What `prepare` wrote about it; without one the data set is scanned at every start.
        val_root: Data set to validate on, whole frames in tiles; a tenth of `root`'s sequences else.
        packed: Folder of clips made by `generate`.
        val_packed: Folder of clips made by `generate` with other pictures and another seed.
        pictures: Pictures, videos or folders of them, for simulation while training.
        val_pictures: The same for validation; others than `pictures`.
        recipe: What simulated clips are like.
        exclude: CSV file (seq,frame) of frames to leave out of the data set.
        frames: Frames of a clip.
        crop_px: Height and width of a training crop.
        batch_size: Clips of a batch, on each process.
        val_clips: Clips to validate on, at most.
        workers: Processes that load data.
        cache_mib: Memory for decoded frames and voxels, for all workers together.
        seed: Decides the order of clips, crops and variations.
    """

    def __init__(
        self,
        root: Path | None = None,
        index: Path | None = None,
        val_root: Path | None = None,
        packed: Path | None = None,
        val_packed: Path | None = None,
        pictures: list[Path] | None = None,
        val_pictures: list[Path] | None = None,
        recipe: Recipe = DEFAULT_RECIPE,
        exclude: Path | None = None,
        frames: int = 5,
        crop_px: int = 256,
        batch_size: int = 4,
        val_clips: int = 32,
        workers: int = 2,
        cache_mib: int = 2048,
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, value in (("frames", frames), ("crop_px", crop_px), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"data.{name} must be 1 or more, got {value}")
        if workers < 0:
            raise ValueError(f"data.workers must be 0 or more, got {workers}")
        self.root, self.index, self.val_root = root, index, val_root
        self.packed, self.val_packed = packed, val_packed
        self.pictures, self.val_pictures = pictures or [], val_pictures or []
        self.recipe = recipe
        self.exclude = exclude
        self.frames, self.crop_px, self.batch_size = frames, crop_px, batch_size
        self.val_clips, self.workers, self.cache_mib, self.seed = val_clips, workers, cache_mib, seed
        self.findings: tuple[str, ...] = ()
        self._train: TrainingClips | None = None
        self._validation: ValidationClips | SpanSet | None = None

    # -------------------------------------------------------------- Lightning's hooks

    def setup(self, stage: str) -> None:
        spec = self._spec()
        index = self._index()
        train_index, val_index = self._split(index)
        if self._validation is None:
            self._validation = self._validation_set(spec, val_index)
        if stage == "fit" and self._train is None:
            clips = self.training_clips(spec, train_index)
            self._train = TrainingClips(clips, spec, self.crop_px, self.seed, from_ratio=self._from_ratio())
            told = [finding.sentences for finding in getattr(self._validation, "findings", ())]
            self.findings = (*clips.findings, *told, *self._shape_findings(clips))

    def train_dataloader(self) -> ClipLoader:
        assert self._train is not None
        assert self.trainer is not None
        order = self._train.order(
            batch_size=self.batch_size,
            batches=self._batches(),
            seed=self.seed,
            rank=self.trainer.global_rank,
            world_size=self.trainer.world_size,
        )
        return ClipLoader(self._train, order, **self._loading())

    def val_dataloader(self) -> DataLoader[Any]:
        assert self._validation is not None
        assert self.trainer is not None
        return ForkingLoader(
            self._validation,
            batch_size=None,
            sampler=validation_places(
                len(self._validation), self.trainer.global_rank, self.trainer.world_size
            ),
            **self._loading(),
        )

    def test_dataloader(self) -> DataLoader[Any]:
        return self.val_dataloader()

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        # What is validated on stays where it is; the task takes what it needs of it.
        if isinstance(batch, ValidationClip | SequenceSpan):
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    # -------------------------------------------------------------- sources

    def training_clips(self, spec: VoxelSpec, index: DataIndex | None) -> ClipSet:
        """Open the source of training clips. Raises SequenceError and FrameError."""
        if index is not None:
            cache_bytes = shared_cache_bytes(self.cache_mib * 2**20, self.workers)
            return SequenceClips(index, frames=self.frames, bins=spec.bins, cache_bytes=cache_bytes)
        if self.packed is not None:
            return ShorterClips(PackedClips(self.packed), self.frames)
        return SimulatedClips(
            self._recipe_for(spec), PictureShelf(self.pictures) if self.pictures else (), self.seed
        )

    def _validation_set(self, spec: VoxelSpec, index: DataIndex | None) -> ValidationClips | SpanSet:
        if index is not None:
            return SpanSet(index.entries, self.frames, self.val_clips, is_decoded=index.is_decoded)
        clips: ClipSet
        if self.val_packed is not None:
            clips = ShorterClips(PackedClips(self.val_packed), self.frames)
        else:
            pictures = PictureShelf(self.val_pictures) if self.val_pictures else ()
            seed = self.seed + VALIDATION_SEED_OFFSET
            clips = SimulatedClips(self._recipe_for(spec), pictures, seed, self.val_clips)
        return ValidationClips(clips, spec, self.val_clips, from_ratio=self._from_ratio())

    def _recipe_for(self, spec: VoxelSpec) -> Recipe:
        return replace(self.recipe, frames=self.frames, bins=spec.bins)

    def _index(self) -> DataIndex | None:
        if self.index is None:
            return None if self.root is None else scan(self.root, read_exclusions(self.exclude))
        index = read_index(self.index)
        if self.root is not None and self.root.expanduser().absolute() != Path(index.root).absolute():
            raise SequenceError(
                "the index is of another data set than the one to train on",
                path=self.index,
                found=index.root,
                expected=str(self.root),
                advice="Leave --data.root away, or make the index anew with: python -m training prepare",
            )
        return without(index, read_exclusions(self.exclude))

    def _split(self, index: DataIndex | None) -> tuple[DataIndex | None, DataIndex | None]:
        """Return what to train on and what to validate on."""
        if self.val_root is not None:
            return index, scan(self.val_root, read_exclusions(self.exclude))
        if index is None or self.val_packed is not None:
            return index, None
        # Only a sequence with clips can serve; the others stay with those to train on, which name them.
        able = [entry for entry in index.entries if entry.clips(self.frames)]
        if len(able) < 2:
            raise SequenceError(
                "a data set of one sequence leaves nothing to validate on",
                path=index.root,
                found=f"{len(able)} of {len(index.entries)} with {self.frames} usable frames in a row",
                advice="Give another for validation (--data.val_root FOLDER), or train on shorter clips "
                "(--data.frames)",
            )
        held_out = able[-max(1, round(HELD_OUT_SHARE * len(able))) :]
        names = {entry.name for entry in held_out}
        kept = tuple(entry for entry in index.entries if entry.name not in names)
        return (
            replace(index, entries=kept),
            DataIndex(index.root, tuple(held_out), is_decoded=index.is_decoded),
        )

    def _shape_findings(self, clips: ClipSet) -> tuple[str, ...]:
        shapes = {clips.shape(index) for index in range(len(clips))}
        findings = []
        if len(shapes) > 1:
            sizes = ", ".join(f"{shape.frames} with spikes {shape.spikes}" for shape in sorted(shapes)[:4])
            findings.append(f"clips of {len(shapes)} sizes are batched apart from each other: {sizes}")
        for shape in sorted(shapes):
            grid = crop_grid(shape)
            got = grid.crop_shape(self.crop_px).frames
            if min(got.height, got.width) != self.crop_px:
                findings.append(f"crops of {shape.frames} are {got}, not {self.crop_px} × {self.crop_px}")
            if grid.resize_spikes:
                findings.append(
                    f"spikes of {shape.spikes} do not lie on the pixels of {shape.frames} and are resized "
                    f"to {grid.shape.spikes}"
                )
        return tuple(findings)

    # -------------------------------------------------------------- what the trainer decides

    def _spec(self) -> VoxelSpec:
        assert self.trainer is not None
        return cast(VoxelSpec, self.trainer.lightning_module.voxels)

    def _from_ratio(self) -> bool:
        assert self.trainer is not None
        config = self.trainer.lightning_module.config
        return isinstance(config, VRTSpikeConfig) and config.from_ratio

    def _batches(self) -> int:
        """Return the batches of the whole run: it is one epoch, so that its progress bar shows its end."""
        assert self.trainer is not None
        steps = self.trainer.max_steps
        if steps < 1:
            raise ValueError("say how long to train: --trainer.max_steps N")
        # Of a run that goes on, what is left may be counted otherwise than what is done.
        loop = getattr(self.trainer, "fit_loop", None)
        done = loop.epoch_loop.batch_progress.total.ready if loop is not None else 0
        steps_left = steps - (self.trainer.global_step if loop is not None else 0)
        return done + max(0, steps_left) * self.trainer.accumulate_grad_batches

    def _loading(self) -> dict[str, Any]:
        return {
            "num_workers": self.workers,
            "persistent_workers": self.workers > 0,
            "prefetch_factor": 4 if self.workers else None,
            "pin_memory": torch.cuda.is_available(),
            "worker_init_fn": prepare_worker if self.workers else None,
        }
