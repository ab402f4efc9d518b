"""Load and save networks with everything it takes to use them.

Ours is a `.safetensors` whose metadata holds JSON: format, network configuration, VoxelSpec and a card
(how it was trained, what it scored). Published `.pth` and `.pt` files are read too, as `engine.model.untold`
takes them, and checkpoints of training runs, which say it themselves. Nothing is unpickled but tensors and
plain values.

A file is believed only as far as its weights go: they must be numbers, and be there in the sizes that it
claims, before memory is taken for its network.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import Tensor

from engine.errors import CheckpointError, EngineError
from engine.export import write_bytes_atomically
from engine.findings import NAMES_IN_A_FINDING, Finding, shorten
from engine.model.config import Config, VRTSpikeConfig, config_to_dict
from engine.model.files import METADATA_KEY, RUN_KEY, holds_safetensors, locate
from engine.model.names import to_our_names
from engine.model.network import VRT, VRTSpike
from engine.model.told import (
    FORMAT_VERSION,
    Told,
    error_about,
    told_by_metadata,
    told_by_run,
)
from engine.model.untold import suppose
from engine.model.weight_files import open_safetensors, read_pickle
from engine.voxels import VoxelSpec

Network = VRT | VRTSpike
WRAPPED_IN = ("params_ema", "params", "state_dict", "model")
"""Keys under which published files keep the weights, the best first."""
DEEPEST_WRAPPING = 8


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Where a network comes from and what it can do; plain values only."""

    name: str
    origin: str = ""
    licence: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)


class LoadedModel(NamedTuple):
    """A network in evaluation on the CPU, and what it needs to know of its input."""

    model: Network
    voxel_spec: VoxelSpec | None
    """None for a network without spikes."""
    card: ModelCard
    findings: tuple[Finding, ...] = ()
    """What its file does not say, and is taken for."""


def build(config: Config) -> Network:
    """Return a network with fresh weights, in training."""
    return VRTSpike(config) if isinstance(config, VRTSpikeConfig) else VRT(config)


def load_weights(model: Network, state: Mapping[str, Any]) -> None:
    """Copy weights into `model`, all of them or none.

    `state` has our names, the published VRT's, or those of VRT+spike training; bare or as a file keeps
    it ({"params": …}, {"state_dict": …}), with or without `module.`. Raises CheckpointError that
    names what is missing, unexpected, misshapen or no number.
    """
    named = to_our_names(_unwrap(state))
    own = model.state_dict()
    _check_shapes(named, own)
    _check_kinds(named, own)
    check_numbers(named)
    model.load_state_dict(named)


def check_numbers(state: Mapping[str, Any]) -> None:
    """Raise CheckpointError that names the weights with values that are NaN or infinite."""
    bad = {
        name: value.numel() - int(value.float().isfinite().sum())
        for name, value in state.items()
        if isinstance(value, Tensor) and value.is_floating_point() and not value.is_meta
    }
    found = [f"{count} of {state[name].numel()} in {name}" for name, count in bad.items() if count]
    if found:
        raise CheckpointError(
            "the weights hold values that are NaN or infinite",
            found=shorten(found),
            advice="Such a network gives no pictures: use an earlier file of it, or train it again",
        )


def _check_shapes(named: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    complaints = {
        "missing": [name for name in own if name not in named],
        "unexpected": [name for name in named if name not in own],
        "misshapen": [
            f"{name} {tuple(named[name].shape)} instead of {tuple(value.shape)}"
            for name, value in own.items()
            if name in named and named[name].shape != value.shape
        ],
    }
    if any(complaints.values()):
        error = CheckpointError(
            "the weights do not fit the network",
            found="; ".join(f"{kind}: {shorten(names)}" for kind, names in complaints.items() if names),
            advice="Use the configuration that the weights were trained with",
        )
        for kind, names in complaints.items():  # all of them, for tracebacks and logs
            if len(names) > NAMES_IN_A_FINDING:
                error.add_note(f"{kind}: {', '.join(names)}")
        raise error


def _check_kinds(named: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError where weights would lose what they are: whole, complex and quantised numbers."""
    strange = [
        f"{name} {str(named[name].dtype).removeprefix('torch.')}"
        for name, value in own.items()
        if named[name].is_floating_point() != value.is_floating_point() or named[name].is_quantized
    ]
    if strange:
        raise CheckpointError(
            "the weights are of a number type that is none of weights",
            found=shorten(strange),
            expected="float32, float16, bfloat16 or float64",
            advice="Save them as they were trained, not quantised or converted",
        )


def load_model(path_or_name: str | Path) -> LoadedModel:
    """Read a network from a `.safetensors`, `.pth` or `.pt` file, or a bundled one by its name.

    Raises CheckpointError where there is no such file, or it holds no network known here.
    """
    path = locate(path_or_name)
    try:
        if holds_safetensors(path):
            return _read_safetensors(path)
        content = read_pickle(path)
        given = _unwrap(content)
        if RUN_KEY in content:
            return _assemble_told(told_by_run(content[RUN_KEY], path), to_our_names(_of_network(given)))
        return _assemble_untold(path, given)
    except CheckpointError as cause:
        raise cause if cause.path else error_about(path, cause) from cause


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the bare weights out of a `.safetensors`, `.pth` or `.pt` file, under the file's own names.

    For those who need a part of a network only. Raises CheckpointError, also for values that are no numbers.
    """
    path = locate(path)
    try:
        if holds_safetensors(path):
            metadata, state = open_safetensors(path)
            if METADATA_KEY in metadata:
                return dict(_read_safetensors(path).model.state_dict())
            check_numbers(state)
            return state
        state = _unwrap(read_pickle(path))
        check_numbers(state)
        return state
    except CheckpointError as cause:
        raise cause if cause.path else error_about(path, cause) from cause


def save_model(path: str | Path, model: Network, voxel_spec: VoxelSpec | None, card: ModelCard) -> None:
    """Write a network as `.safetensors`, whole or not at all. Raises ExportError where it cannot."""
    about = {
        "format_version": FORMAT_VERSION,
        "config": config_to_dict(model.config),
        "voxel_spec": None if voxel_spec is None else asdict(voxel_spec),
        "card": asdict(card),
    }
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    content = safetensors.torch.save(state, {METADATA_KEY: json.dumps(about)})
    write_bytes_atomically(path, content)


def _unwrap(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights out of what a file holds; other things, tensors too, may lie beside them."""
    for _ in range(DEEPEST_WRAPPING):  # one that wraps itself has no end
        inner = next((state[key] for key in WRAPPED_IN if isinstance(state.get(key), Mapping)), None)
        if inner is None:
            break
        state = inner
    if not any(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(
            "there are no weights in it",
            found=f"entries {shorten([str(key) for key in state])}",
            expected=f"tensors, or one of {', '.join(WRAPPED_IN)}",
        )
    strange = [
        str(name)
        for name, value in state.items()
        if not (isinstance(name, str) and isinstance(value, Tensor))
    ]
    if strange:
        raise CheckpointError("some weights are no tensors under a name", found=shorten(strange))
    hollow = [name for name, value in state.items() if value.numel() and _needed_bytes(value) > _held(value)]
    if hollow:
        raise CheckpointError(
            "some weights claim more values than the file holds",
            found=shorten([f"{name} {tuple(state[name].shape)}" for name in hollow]),
            advice="Save them as tensors of their own (.contiguous()), or use another file",
        )
    return dict(state)


def _needed_bytes(value: Tensor) -> int:
    return value.numel() * value.element_size()


def _held(value: Tensor) -> int:
    """Return the bytes behind a tensor: few, where one value stands for many."""
    return value.untyped_storage().nbytes() if value.layout == torch.strided else 0


def _of_network(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's weights out of a run's, which may hold those of a loss, too."""
    own = {name: value for name, value in state.items() if name.startswith("network.")}
    return own or dict(state)


def _read_safetensors(path: Path) -> LoadedModel:
    metadata, state = open_safetensors(path)
    told = told_by_metadata(metadata, path)
    if told is None:
        return _assemble_untold(path, state)
    try:
        return _assemble_told(told, to_our_names(state))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        raise CheckpointError(
            "its weights cannot be used", found=" ".join(str(cause).split())[:200], advice="Use another file"
        ) from cause
    except EngineError as cause:
        raise cause if isinstance(cause, CheckpointError) else CheckpointError(str(cause)) from cause


def _assemble_told(told: Told, state: Mapping[str, Tensor]) -> LoadedModel:
    return _assemble(told.config, state, told.voxel_spec, ModelCard(**told.card), told.findings)


def _assemble_untold(path: Path, given: Mapping[str, Tensor]) -> LoadedModel:
    """Build the network of a file that holds weights alone."""
    named = to_our_names(given)
    supposed = suppose(path, given, named)
    card = ModelCard(name=path.stem)
    return _assemble(supposed.config, named, supposed.voxel_spec, card, supposed.findings)


def _assemble(
    config: Config,
    state: Mapping[str, Tensor],
    spec: VoxelSpec | None,
    card: ModelCard,
    findings: tuple[Finding, ...] = (),
) -> LoadedModel:
    """Build the network and fill it."""
    check_claim(config, state)
    model = build(config)
    load_weights(model, state)
    return LoadedModel(model.eval(), spec if isinstance(config, VRTSpikeConfig) else None, card, findings)


def check_claim(config: Config, state: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError unless these weights are a network of this configuration.

    Takes no memory for the network, however large the configuration says that it is.
    """
    sizes = config.vrt if isinstance(config, VRTSpikeConfig) else config
    if sum(sizes.depths) > len(state):  # a block has several tensors
        raise CheckpointError(
            "the weights do not fit the network",
            found=f"{len(state)} tensors for a network of {sum(sizes.depths)} blocks",
            advice="Use the configuration that the weights were trained with",
        )
    try:
        with torch.device("meta"):
            claimed = build(config).state_dict()
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as cause:
        raise CheckpointError(
            "a network of these sizes cannot be built", found=" ".join(str(cause).split())[:160]
        ) from cause
    _check_shapes(state, claimed)
