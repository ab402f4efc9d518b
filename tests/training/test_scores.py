"""Scores are those of the clips, however many processes computed them."""

import logging
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

from engine.metrics import psnr
from tests.training.conftest import TINY_NETWORK, TINY_VOXELS
from tests.training.test_distributed import free_port
from training.data import ClipData, validation_places
from training.losses import LossWeights
from training.packed_clips import PackedClips
from training.progress import TestTable
from training.task import DeblurTask

Make = Callable[..., Any]
COUNTS = (1, 3, 5)


def scored(packed: Path, clips: int, **options: Any) -> tuple[dict[str, float], list[str]]:
    """Test an untrained network, which gives back the blurry frames; return its scores and its table."""
    torch.manual_seed(1)
    task = DeblurTask(network=TINY_NETWORK, voxels=TINY_VOXELS, loss=LossWeights(perceptual=0.0))
    data = ClipData(packed=packed, val_packed=packed, frames=2, crop_px=32, val_clips=clips, workers=0)
    trainer = pl.Trainer(
        accelerator="cpu",
        callbacks=[TestTable()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        max_steps=1,
        **options,
    )
    trainer.test(task, datamodule=data, verbose=False)
    scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
    return scores, [scores_of_clip.name for scores_of_clip in task.clip_scores]


def score_as_one_of_two(packed: Path, rank: int, port: int, results: Any) -> None:
    """Score in this process as one of two, started as torchrun starts them."""
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    os.environ.update(
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        WORLD_SIZE="2",
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        LOCAL_WORLD_SIZE="2",
        GROUP_RANK="0",
        TORCHELASTIC_RUN_ID="test",
    )
    told = {count: scored(packed, count, devices=2, strategy="ddp") for count in COUNTS}
    results.put((rank, told))


def test_two_processes_report_what_one_does(packed_clips: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    port = free_port()
    processes = [
        context.Process(target=score_as_one_of_two, args=(packed_clips, rank, port, results))
        for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    try:
        told = dict(results.get(timeout=240) for _ in processes)
    except Empty:
        pytest.fail(f"a process did not answer; exit codes {[process.exitcode for process in processes]}")
    finally:
        for process in processes:
            process.join(timeout=30)
            if process.is_alive():
                process.kill()

    clips = PackedClips(packed_clips)
    for count in COUNTS:
        alone, names = scored(packed_clips, count)
        chosen = np.unique(np.linspace(0, len(clips) - 1, count).astype(int))
        levels = []
        for index in chosen.tolist():
            example = clips.example(index, 0)
            pairs = zip(example.blurry / np.float32(255), example.reference / np.float32(255), strict=True)
            levels.append(np.mean([psnr(blurry, sharp) for blurry, sharp in pairs]))
        assert alone["test/blurry_psnr"] == pytest.approx(np.mean(levels), rel=1e-5)
        for rank in (0, 1):
            assert told[rank][count] == (alone, names)
        assert len(names) == count
        assert alone["test/ssim"] <= 1


@pytest.mark.parametrize("clips", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("processes", [1, 2, 3, 8])
def test_every_clip_is_scored_and_every_process_works_as_long(clips: int, processes: int) -> None:
    places = [validation_places(clips, rank, processes) for rank in range(processes)]

    assert {place for of_rank in places for place in of_rank} == set(range(clips))
    assert len({len(of_rank) for of_rank in places}) == 1
    assert len(places[0]) == -(-clips // processes)
