"""A network, clips and a trainer so small that a run takes a second."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
import yaml
from lightning.pytorch.callbacks import Callback

from engine.model import VRTConfig, VRTSpikeConfig
from engine.model.config import config_to_dict
from engine.voxels import VoxelSpec
from training.data import ClipData
from training.losses import LossWeights
from training.packed_clips import Generation, generate
from training.progress import HUSHED_WARNINGS
from training.schedule import Schedule
from training.simulated_data import Recipe
from training.task import DeblurTask

TINY_VOXELS = VoxelSpec(bins=4, transform="relative")
TINY_NETWORK = VRTSpikeConfig(
    vrt=VRTConfig(
        window_size=(2, 4, 4),
        depths=(2, 1, 1, 1, 1, 1, 1, 1),
        indep_reconsts=(7,),
        embed_dims=(8,) * 8,
        num_heads=(2,) * 8,
        deformable_groups=2,
        forward_flow=True,
        fold=2,
        flow_widths=(4, 4, 4, 4),
        drop_path=0.3,
    ),
    spike_bins=TINY_VOXELS.channels,
    channels_per_scale=(8, 8, 8, 8),
    spikes_at_entry=True,
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are slower on many threads, and many processes share the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def quiet_lightning() -> Iterator[None]:
    """Lightning warns of what these runs do on purpose, and of itself."""
    with warnings.catch_warnings():
        for about in HUSHED_WARNINGS:
            warnings.filterwarnings("ignore", f"(?s){about}")
        yield


@pytest.fixture(scope="session")
def packed_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight packed clips of two frames."""
    folder = tmp_path_factory.mktemp("packed")
    recipe = Recipe(frames=2, frame_px=32, bins=4, exposure_planes=(20, 40), spike_scales=(1.0, 2.0))
    generate(folder, Generation(recipe, (), 3, 8), workers=1)
    return folder


@pytest.fixture
def tiny_task() -> Callable[..., DeblurTask]:
    def make(**options: Any) -> DeblurTask:
        torch.manual_seed(1)
        told: dict[str, Any] = {
            "network": TINY_NETWORK,
            "voxels": TINY_VOXELS,
            "loss": LossWeights(perceptual=0.0),
            "schedule": Schedule(rate=2e-3, warmup_steps=2, flow_frozen_steps=3, flow_share=0.5),
            **options,
        }
        return DeblurTask(**told)

    return make


@pytest.fixture
def tiny_data(packed_clips: Path) -> Callable[..., ClipData]:
    def make(**options: Any) -> ClipData:
        told: dict[str, Any] = {
            "packed": packed_clips,
            "val_packed": packed_clips,
            "frames": 2,
            "crop_px": 32,
            "batch_size": 2,
            "val_clips": 2,
            "workers": 0,
            **options,
        }
        return ClipData(**told)

    return make


@pytest.fixture
def tiny_config(tmp_path: Path, packed_clips: Path) -> Path:
    """A run of four steps with a validation after every second."""
    network = config_to_dict(TINY_NETWORK)
    del network["network"]
    options = {
        "seed_everything": 0,
        "model": {
            "network": network,
            "voxels": {"bins": TINY_VOXELS.bins, "transform": TINY_VOXELS.transform},
            "loss": {"perceptual": 0.0},
            "schedule": {"rate": 1e-3, "warmup_steps": 1, "flow_frozen_steps": 1},
        },
        "data": {
            "packed": str(packed_clips),
            "val_packed": str(packed_clips),
            "frames": 2,
            "crop_px": 32,
            "batch_size": 2,
            "val_clips": 2,
            "workers": 0,
        },
        "trainer": {
            "default_root_dir": str(tmp_path / "run"),
            "accelerator": "cpu",
            "max_steps": 4,
            "val_check_interval": 2,
            "log_every_n_steps": 1,
            "enable_progress_bar": False,
            "enable_model_summary": False,
        },
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(options), "utf-8")
    return path


@pytest.fixture
def tiny_trainer(tmp_path: Path) -> Callable[..., pl.Trainer]:
    def make(*callbacks: Callback, **options: Any) -> pl.Trainer:
        told: dict[str, Any] = {
            "default_root_dir": tmp_path / "run",
            "accelerator": "cpu",
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "use_distributed_sampler": False,
            "check_val_every_n_epoch": None,
            "num_sanity_val_steps": 0,
            "limit_val_batches": 0,
            "max_steps": 2,
            **options,
        }
        if callbacks:
            told["enable_checkpointing"] = True
        return pl.Trainer(callbacks=list(callbacks), **told)

    return make
