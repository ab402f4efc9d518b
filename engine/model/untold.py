"""Weights whose file does not say what network they are of, or how that reads its spikes.

Strategy: nothing is guessed in silence. The bundled network's weights are known, and those of a preset's
sizes; published names mean the published network, with the reference transform. The last two are said, and
all others refused: behind another transform the same weights give pictures that look restored, and are worse
by decibels.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor

from engine.errors import CheckpointError
from engine.findings import Finding
from engine.model.config import PRESETS, Config, VRTSpikeConfig
from engine.model.files import bundled_models
from engine.model.names import are_published
from engine.model.recognition import preset_shapes, recognise
from engine.voxels import VoxelSpec

PRESET_VOXELS = MappingProxyType(
    {
        "vrt-spike": VoxelSpec(),
        "vrt-spike-small": VoxelSpec(transform="relative", mean=0.5, std=0.55),
    }
)
"""How presets read their spikes, as their training configurations say it."""
_TELL = (
    "Use a file that says it: the .safetensors that `python -m training export` writes, or a run's best.ckpt"
)


class Supposed(NamedTuple):
    """What weights are taken for."""

    config: Config
    voxel_spec: VoxelSpec | None
    findings: tuple[Finding, ...]


def suppose(path: Path, given: Mapping[str, Tensor], named: Mapping[str, Tensor]) -> Supposed:
    """Return what the weights of a file without a description are; `named` are `given` under our names.

    Raises CheckpointError where nothing tells.
    """
    preset = _preset_of(named)
    if preset is not None:
        config, spec = PRESETS[preset], PRESET_VOXELS.get(preset)
        if preset in {model.stem for model in bundled_models()} and _is_bundled(preset, named):
            return Supposed(config, spec, ())
        if not are_published(given):
            return Supposed(config, spec, (_finding(path, spec, f"its sizes are those of {preset}"),))
    config = recognise(named)
    if not are_published(given):
        raise CheckpointError(
            "the file holds weights and does not say of which network, or how that reads its spikes",
            path=path,
            found="sizes of no preset, under the names of this program",
            advice=_TELL,
        )
    if not isinstance(config, VRTSpikeConfig):
        return Supposed(config, None, ())
    spec = VoxelSpec(bins=config.voxel_channels)
    return Supposed(config, spec, (_finding(path, spec, "it has the names of a published network"),))


def _finding(path: Path, spec: VoxelSpec | None, why: str) -> Finding:
    if spec is None:
        taken = "all else about it is taken to be as there"
    else:
        taken = (
            f"they are taken in {spec.bins} bins, {spec.transform}, mean {spec.mean:g} and std {spec.std:g}"
        )
    what = "what network it holds" if spec is None else "how its network reads spikes"
    return Finding(f"{path.name} does not say {what}: {why}, so {taken}", _TELL)


def _preset_of(named: Mapping[str, Tensor]) -> str | None:
    """Return the preset with these very names and shapes."""
    shapes = {name: value.shape for name, value in named.items()}
    return next((name for name in PRESETS if shapes == preset_shapes(name)), None)


def _is_bundled(name: str, named: Mapping[str, Tensor]) -> bool:
    file = next(model for model in bundled_models() if model.stem == name)
    with safe_open(file, framework="pt") as weights:
        return all(torch.equal(weights.get_tensor(key), value.cpu()) for key, value in named.items())
