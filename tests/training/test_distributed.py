"""Two processes learn what one process learns from batches twice as large."""

import multiprocessing
import socket
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import torch

Make = Callable[..., Any]
STEPS = 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def train(
    folder: Path, packed: Path, batch_size: int, rank: int, world_size: int, port: int, results: Any
) -> None:
    """Train in this process as one of `world_size`, started as torchrun starts them."""
    import os
    import warnings

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if world_size > 1:
        os.environ.update(
            MASTER_ADDR="127.0.0.1",
            MASTER_PORT=str(port),
            WORLD_SIZE=str(world_size),
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            LOCAL_WORLD_SIZE=str(world_size),
            GROUP_RANK="0",
            TORCHELASTIC_RUN_ID="test",
        )
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import Callback

    from engine.model import VRTConfig, VRTSpikeConfig
    from engine.voxels import VoxelSpec
    from training.data import ClipData
    from training.losses import LossWeights
    from training.schedule import Schedule
    from training.task import DeblurTask

    class Losses(Callback):
        def __init__(self) -> None:
            self.losses: list[float] = []

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *rest: Any) -> None:
            mean = trainer.strategy.reduce(outputs["loss"].detach().clone(), reduce_op="mean")
            self.losses.append(float(mean))

    voxels = VoxelSpec(bins=4, transform="relative")
    groups = (8,) * 8
    network = VRTSpikeConfig(
        vrt=VRTConfig(
            window_size=(2, 4, 4),
            depths=(1,) * 8,
            indep_reconsts=(7,),
            embed_dims=groups,
            num_heads=(2,) * 8,
            deformable_groups=2,
            fold=2,
            flow_widths=(4, 4, 4, 4),
            drop_path=0.0,
        ),
        spike_bins=voxels.channels,
        channels_per_scale=(8, 8, 8, 8),
        spikes_at_entry=True,
    )
    torch.manual_seed(1)
    task = DeblurTask(
        network, voxels, LossWeights(perceptual=0.0), Schedule(rate=2e-3, warmup_steps=1, flow_frozen_steps=0)
    )
    data = ClipData(
        packed=packed, val_packed=packed, frames=2, crop_px=32, batch_size=batch_size, val_clips=3, workers=0
    )
    losses = Losses()
    trainer = pl.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        devices=world_size,
        strategy="ddp" if world_size > 1 else "auto",
        callbacks=[losses],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        check_val_every_n_epoch=None,
        val_check_interval=STEPS,
        num_sanity_val_steps=0,
        max_steps=STEPS,
    )
    trainer.fit(task, datamodule=data)
    weights = torch.cat([parameter.detach().flatten() for parameter in task.parameters()]).numpy()
    results.put((rank, losses.losses, weights, float(trainer.callback_metrics["val/psnr"])))


def run(folder: Path, packed: Path, batch_size: int, world_size: int) -> dict[int, tuple[Any, ...]]:
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    port = free_port()
    processes = [
        context.Process(target=train, args=(folder, packed, batch_size, rank, world_size, port, results))
        for rank in range(world_size)
    ]
    for process in processes:
        process.start()
    try:
        told = [results.get(timeout=240) for _ in processes]
    except Empty:
        pytest.fail(f"a process did not answer; exit codes {[process.exitcode for process in processes]}")
    finally:
        for process in processes:
            process.join(timeout=30)
            if process.is_alive():
                process.kill()
    return {rank: rest for rank, *rest in told}  # type: ignore[misc]


def test_two_processes_learn_what_one_learns_from_double_batches(tmp_path: Path, packed_clips: Path) -> None:
    alone = run(tmp_path / "alone", packed_clips, batch_size=4, world_size=1)
    together = run(tmp_path / "together", packed_clips, batch_size=2, world_size=2)

    losses, weights, _ = alone[0]
    for rank in range(2):
        assert together[rank][0] == pytest.approx(losses, rel=1e-5)
        # AdamW turns rounding of tiny gradients into a visible share of a step, which is 2e-3 here.
        assert abs(together[rank][1] - weights).max() < 2e-3
        assert abs(together[rank][1] - weights).mean() < 1e-5
    assert (together[0][1] == together[1][1]).all()
    assert together[0][2] == together[1][2]
