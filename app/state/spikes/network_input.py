"""What a network makes of voxel bins before it looks at them, told from its file alone."""

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.model_files import METADATA_KEY, bundled_models

if TYPE_CHECKING:
    from engine.voxels import VoxelGrid, VoxelSpec

log = logging.getLogger(__name__)


def network_values(grid: "VoxelGrid", model: str = "") -> NDArray[np.float32]:
    """Return voxels (K, H, W) as the network in the file `model` takes them; empty for the bundled one."""
    from engine.voxels import VoxelSpec

    known = input_spec(model)
    spec = VoxelSpec(len(grid), known.transform, known.mean, known.std)  # of as many bins as there are
    return spec.apply(grid)[: len(grid)]


def bins_of(model: str) -> int:
    """Return into how many voxel bins the network in the file `model` has an exposure cut."""
    return input_spec(model).bins


@lru_cache(maxsize=8)
def input_spec(model: str) -> "VoxelSpec":
    """Return what a network's file says; files that say nothing take the logarithm of the counts."""
    from engine.voxels import VoxelSpec

    path = Path(model) if model else next(iter(bundled_models()), None)
    if path is None or path.suffix.lower() != ".safetensors":
        return VoxelSpec()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get(METADATA_KEY, "{}"))
        return VoxelSpec(**(about.get("voxel_spec") or {}))
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("%s does not say how it takes voxels: %s", path, error)
        return VoxelSpec()
