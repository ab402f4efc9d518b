"""What a network makes of voxel bins before it looks at them, as its description says it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.voxels import VoxelGrid, VoxelSpec

USUAL_BINS = 32
"""Shown where no network says in how many it takes an exposure."""


def network_values(grid: "VoxelGrid", takes: "VoxelSpec") -> NDArray[np.float32]:
    """Return voxels (K, H, W) as a network takes them that has them in this way."""
    from engine.voxels import VoxelSpec

    spec = VoxelSpec(len(grid), takes.transform, takes.mean, takes.std)  # of as many bins as there are
    return spec.apply(grid)[: len(grid)]


def bins_of(takes: "VoxelSpec | None") -> int:
    """Return into how many voxel bins an exposure is cut."""
    return USUAL_BINS if takes is None else takes.bins
