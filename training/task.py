"""What a training step does, and what is measured on the way."""

# ruff: noqa: ARG002 (Lightning names the arguments of its hooks)

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import FSDPStrategy
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from engine.errors import CheckpointError, EngineError, FrameValuesError
from engine.model import VRT, VRTConfig, VRTSpike, VRTSpikeConfig
from engine.model.attention import BlockGroup
from engine.model.checkpoint import RUN_KEY, Network, check_numbers
from engine.model.config import config_to_dict, preset
from engine.voxels import VoxelSpec
from training.clip_batches import ClipBatch, SequenceSpan, ValidationClip
from training.initial_weights import start_as_identity, start_from
from training.losses import DeblurLoss, LossWeights
from training.schedule import Schedule, rate_factor
from training.validation import (
    SCORES,
    ClipScores,
    gather_scores,
    mean_figures,
    score_clip,
    score_span,
    without_pictures,
)

CHECKPOINT_KEY = RUN_KEY
"""Where a run's checkpoint says what network it holds, for `export`."""
WEIGHTS_IN_CHECKPOINT = ("state_dict", "current_model_state")
"""Those to use, which may be a running average, and those that the optimiser works on."""
MAX_SKIPPED_IN_A_ROW = 100
DEFAULT_VOXELS = VoxelSpec()
DEFAULT_LOSS = LossWeights()
DEFAULT_SCHEDULE = Schedule()


class DeblurTask(pl.LightningModule):
    """Train a network to restore sharp frames.

    Args:
        network: Name of a preset, or the sizes of a network with (VRTSpikeConfig) or without spikes.
        voxels: How spike counts become the network's input.
        loss: Weights of the losses.
        schedule: Optimiser and learning rate.
        init: Weights to start from, of the whole network or of the part that they name: a published
            `.pth`, an exported `.safetensors`, a SpyNet.
        clip_norm: Largest norm of the gradient.
        checkpointing: Compute activations anew on the way back: slower, in a fraction of the memory.
        compile: Compile the network with torch.compile.
        seed: Decides what is random in a step.
    """

    def __init__(
        self,
        network: str | VRTSpikeConfig | VRTConfig = "vrt-spike",
        voxels: VoxelSpec = DEFAULT_VOXELS,
        loss: LossWeights = DEFAULT_LOSS,
        schedule: Schedule = DEFAULT_SCHEDULE,
        init: Path | None = None,
        clip_norm: float = 1.0,
        checkpointing: bool = False,
        compile: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        config = preset(network) if isinstance(network, str) else network
        if isinstance(config, VRTSpikeConfig) and config.voxel_channels != voxels.channels:
            if not isinstance(network, str):
                raise EngineError(
                    "the network does not fit its input",
                    found=f"spike_bins {config.spike_bins}",
                    expected=f"{voxels.channels + config.from_ratio}, for the channels of these voxels",
                )
            config = replace(config, spike_bins=voxels.channels + config.from_ratio)
        self.network: Network = VRTSpike(config) if isinstance(config, VRTSpikeConfig) else VRT(config)
        self.config = config
        self.voxels = voxels
        self.loss = DeblurLoss(loss)
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.seed = seed
        self.skipped_steps = 0
        self._skipped_in_a_row = 0
        self._batch_ended = time.perf_counter()
        self._batch_began = self._batch_ended
        self._scored: dict[int, ClipScores] = {}
        self.clip_scores: list[ClipScores] = []
        """Of the last validation or test, every clip of all processes, without their pictures."""
        self.fresh: tuple[str, ...] = ()
        """Weights that `init` does not hold."""
        if init is None:
            start_as_identity(self.network)
        else:
            self.fresh = start_from(self.network, init)
        if checkpointing:
            for module in self.network.modules():
                if isinstance(module, BlockGroup):
                    module.checkpointing = True
        if compile:
            self.network.compile()

    def forward(self, blurry: Tensor, spikes: Tensor) -> Tensor:
        """Restore (B, T, 3, H, W) with spikes (B, T, channels, h, w), where the network reads them."""
        return self.network(blurry, spikes) if isinstance(self.network, VRTSpike) else self.network(blurry)

    # -------------------------------------------------------------- training

    def on_train_start(self) -> None:
        """Let the options decide where a checkpoint remembers others."""
        schedule = self.schedule
        for entry in self.trainer.lr_scheduler_configs:
            scheduler = entry.scheduler
            assert isinstance(scheduler, LambdaLR)
            scheduler.base_lrs = [schedule.rate] * len(scheduler.base_lrs)
            for group, factor in zip(scheduler.optimizer.param_groups, scheduler.lr_lambdas, strict=True):
                group["initial_lr"] = schedule.rate
                group["lr"] = schedule.rate * factor(scheduler.last_epoch)
                group["betas"], group["weight_decay"] = schedule.betas, schedule.weight_decay

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        losses = self.loss(self(batch["blurry"], batch["spikes"]), batch["reference"])
        clips = len(batch["blurry"])
        for name, value in losses.items():
            self.log(f"train/{name}", value.detach(), prog_bar=name == "total", batch_size=clips)
        return losses["total"]

    def on_train_batch_start(self, batch: ClipBatch, batch_idx: int) -> None:
        # From the position alone, so that a resumed run draws what an uninterrupted one does.
        position = self.trainer.fit_loop.epoch_loop.total_batch_idx
        torch.manual_seed(hash((self.seed, position, self.global_rank)) % 2**63)
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, outputs: Any, batch: ClipBatch, batch_idx: int) -> None:
        now = time.perf_counter()
        self.log("time/data_seconds", self._batch_began - self._batch_ended)
        self.log("time/step_seconds", now - self._batch_began)
        self._batch_ended = now

    def on_validation_end(self) -> None:
        self._batch_ended = time.perf_counter()

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip; or, where a gradient is not finite, leave out the step and count it."""
        # Before the flow's gradients are dropped: a scaler that saw them overflow leaves out the step, too.
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        finite = bool(torch.stack([gradient.isfinite().all() for gradient in gradients]).all())
        self._hold_flow()
        if self.trainer.world_size > 1:
            finite = self.trainer.strategy.reduce_boolean_decision(finite, all=True)
        self.log("train/skipped_steps", float(self.skipped_steps + (not finite)))
        if finite:
            self._skipped_in_a_row = 0
            if isinstance(self.trainer.strategy, FSDPStrategy):  # each process has but a part of the norm
                self.trainer.strategy.model.clip_grad_norm_(self.clip_norm)  # type: ignore[union-attr, operator]
            else:
                self.clip_gradients(optimizer, self.clip_norm, "norm")
            return
        # Without a gradient AdamW changes neither weights nor moments.
        for parameter in self.parameters():
            parameter.grad = None
        self.skipped_steps += 1
        self._skipped_in_a_row += 1
        # With such weights no later step can do better.
        self._check_weights(self.network.state_dict())
        if self._skipped_in_a_row >= MAX_SKIPPED_IN_A_ROW:
            raise EngineError(
                f"the last {MAX_SKIPPED_IN_A_ROW} steps gave no finite gradient",
                advice=f"{self._lower_rate()}, or train in --trainer.precision 32-true or bf16-mixed",
            )

    def _check_weights(self, weights: dict[str, Any]) -> None:
        """Raise EngineError where weights are no numbers any more."""
        try:
            check_numbers(weights)
        except CheckpointError as error:
            raise self._diverged(error.found or error.problem) from error

    def _diverged(self, found: str) -> EngineError:
        return EngineError(
            f"the training has diverged by step {self.trainer.global_step}: the network holds or gives "
            "values that are NaN or infinite",
            found=found,
            advice=f"{self._lower_rate()}; what was saved before is as it was",
        )

    def _lower_rate(self) -> str:
        return f"Lower --model.schedule.rate (it is {self.schedule.rate:g})"

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        schedule = self.schedule
        total_steps = schedule.total_steps or self.trainer.max_steps
        flow, others = self._flow_and_others()
        optimizer = AdamW(
            [{"params": others}, {"params": flow}],
            lr=schedule.rate,
            betas=schedule.betas,
            weight_decay=schedule.weight_decay,
        )

        def factor(step: int) -> float:
            return rate_factor(
                step,
                warmup_steps=schedule.warmup_steps,
                total_steps=total_steps,
                end_share=schedule.end_share,
            )

        def flow_factor(step: int) -> float:
            return 0.0 if step < schedule.flow_frozen_steps else schedule.flow_share * factor(step)

        scheduler = LambdaLR(optimizer, [factor, flow_factor])
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _flow_and_others(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        vrt = self.network.vrt if isinstance(self.network, VRTSpike) else self.network
        flow = list(vrt.flow.parameters())
        of_flow = {id(parameter) for parameter in flow}
        return flow, [p for p in self.network.parameters() if id(p) not in of_flow]

    def _hold_flow(self) -> None:
        """Drop the flow's gradients while it is frozen, before they count in the norm or the moments."""
        if self.trainer.global_step < self.schedule.flow_frozen_steps:
            for parameter in self._flow_and_others()[0]:
                parameter.grad = None

    # -------------------------------------------------------------- validation

    def on_validation_epoch_start(self) -> None:
        self._scored = {}

    def on_test_epoch_start(self) -> None:
        self._scored = {}

    def validation_step(self, item: ValidationClip | SequenceSpan, batch_idx: int) -> dict[str, ClipScores]:
        return {SCORES: self._score(item)}

    def test_step(self, item: ValidationClip | SequenceSpan, batch_idx: int) -> dict[str, ClipScores]:
        return {SCORES: self._score(item)}

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        self._log_scores("test")

    def _log_scores(self, what: str) -> None:
        """Log the means over the clips of all processes: Lightning's own means are over processes."""
        self.clip_scores = gather_scores(self._scored)
        for name, value in mean_figures(self.clip_scores).items():
            self.log(f"{what}/{name}", value, prog_bar=what == "val" and name == "psnr")

    def _score(self, item: ValidationClip | SequenceSpan) -> ClipScores:
        scores = self._score_of_span(item) if isinstance(item, SequenceSpan) else self._score_of_clip(item)
        self._scored[item.place] = without_pictures(scores)
        return scores

    def _score_of_span(self, span: SequenceSpan) -> ClipScores:
        try:
            return score_span(self.network, self.voxels, span)
        except FrameValuesError as error:
            # The frames are those of a data set that can be read: what gives such values is the network.
            raise self._diverged(f"in what it makes of {span.name}") from error

    def _score_of_clip(self, clip: ValidationClip) -> ClipScores:
        batch = clip.batch
        restored = self(batch["blurry"].to(self.device), batch["spikes"].to(self.device))
        if not restored.isfinite().all():
            raise self._diverged(f"in what it makes of {clip.example.name}")
        return score_clip(clip.example, restored[0].float().cpu().numpy())

    # -------------------------------------------------------------- checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        for name in WEIGHTS_IN_CHECKPOINT:  # before anything good is replaced
            self._check_weights(checkpoint.get(name, {}))
        checkpoint[CHECKPOINT_KEY] = {
            "network": _plain(config_to_dict(self.config)),
            "voxels": self._voxels_told(),
            "skipped_steps": self.skipped_steps,
            "scores": {
                name: float(value)
                for name, value in self.trainer.callback_metrics.items()
                if name.startswith("val/")
            },
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.check_same_run(checkpoint.get(CHECKPOINT_KEY))
        for name in WEIGHTS_IN_CHECKPOINT:
            try:
                check_numbers(checkpoint.get(name, {}))
            except CheckpointError as error:
                raise CheckpointError(
                    error.problem, path=self.trainer.ckpt_path, found=error.found, advice=error.advice
                ) from error
        self.skipped_steps = checkpoint[CHECKPOINT_KEY]["skipped_steps"]

    def check_same_run(self, told: Any) -> None:
        """Raise EngineError unless a checkpoint's own entry is of this network with these voxels."""
        if told is None:
            raise EngineError("this checkpoint is not of a training run of this program")
        ours = {"network": _plain(config_to_dict(self.config)), "voxels": self._voxels_told()}
        for name, what in (("network", "trains another network"), ("voxels", "reads its spikes otherwise")):
            if told[name] != ours[name]:
                raise EngineError(
                    f"the run in this folder {what}",
                    found=_difference(told[name], ours[name]),
                    advice="Choose another folder (--trainer.default_root_dir), or delete this one",
                )

    def _voxels_told(self) -> dict[str, Any]:
        spec = self.voxels
        return {"bins": spec.bins, "transform": spec.transform, "mean": spec.mean, "std": spec.std}


def _difference(theirs: dict[str, Any], ours: dict[str, Any], prefix: str = "") -> str:
    """Say what differs between the values of a run and those asked for, by name."""
    found = []
    for name in sorted({*theirs, *ours}):
        one, other = theirs.get(name), ours.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            found.append(_difference(one, other, f"{prefix}{name}."))
        elif one != other:
            found.append(f"{prefix}{name} {one}, not {other}")
    return ", ".join(part for part in found if part)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return configuration values as JSON would give them back."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain
