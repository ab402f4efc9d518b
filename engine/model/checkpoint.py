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

import resources
from engine.errors import CheckpointError, EngineError
from engine.export import write_bytes_atomically
from engine.findings import NAMES_IN_A_FINDING, Finding, shorten
from engine.model.config import PRESETS, Config, VRTSpikeConfig, config_from_dict, config_to_dict
from engine.model.names import to_our_names
from engine.model.network import VRT, VRTSpike
from engine.model.untold import suppose
from engine.model.weight_files import holds_safetensors, open_safetensors, read_pickle
from engine.model_files import METADATA_KEY, checked_card
from engine.voxels import VoxelSpec

Network = VRT | VRTSpike
FORMAT_VERSION = 1
WRAPPED_IN = ("params_ema", "params", "state_dict", "model")
"""Keys under which published files keep the weights, the best first."""
DEEPEST_WRAPPING = 8
RUN_KEY = "spike_deblur"
"""Under which a checkpoint of a training run says what network it holds and how that reads its spikes."""


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
            config, spec = _told_by_run(content[RUN_KEY])
            findings = _about_untold_sizes(content[RUN_KEY]["network"], config, path)
            weights = to_our_names(_of_network(given))
            return _assemble(path, config, weights, spec, ModelCard(name=path.stem), findings)
        return _assemble_untold(path, given)
    except CheckpointError as cause:
        raise cause if cause.path else _about(path, cause) from cause


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
        raise cause if cause.path else _about(path, cause) from cause


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


def locate(path_or_name: str | Path) -> Path:
    """Return the file of a network given by its path or, where it is bundled, its name.

    Raises CheckpointError where there is none.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path
    bundled = Path(resources.__file__).parent / "models"
    if path.name == str(path_or_name) and (bundled / f"{path.name}.safetensors").is_file():
        return bundled / f"{path.name}.safetensors"
    there = sorted(file.stem for file in bundled.glob("*.safetensors"))
    raise CheckpointError(
        "there is no such file, and no bundled network of this name",
        path=path,
        expected=f"a .safetensors, .pth or .pt file, or one of: {', '.join(there) or '(none is bundled)'}",
        advice=(
            "This network's weights do not come with the program: train it with `python -m training`, "
            "or give the file of one trained elsewhere"
            if path.name in PRESETS
            else "Check the path, or train a network with `python -m training`"
        ),
    )


def _of_network(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's weights out of a run's, which may hold those of a loss, too."""
    own = {name: value for name, value in state.items() if name.startswith("network.")}
    return own or dict(state)


def _told_by_run(told: Any) -> tuple[Config, VoxelSpec]:
    """Return the network of a training run's checkpoint and how it reads its spikes."""
    try:
        return config_from_dict(told["network"]), VoxelSpec.told(told["voxels"])
    except (ValueError, KeyError, TypeError) as cause:
        raise _unusable(cause) from cause
    except EngineError as cause:
        raise CheckpointError(str(cause)) from cause


def _about_untold_sizes(told: Mapping[str, Any], config: Config, path: Path) -> tuple[Finding, ...]:
    """Say which sizes a description leaves out: some leave no trace in the weights either."""
    whole = config_to_dict(config)
    inner = told.get("vrt", {}) if isinstance(config, VRTSpikeConfig) else {}
    missing = [f"{name} {value}" for name, value in whole.items() if name not in told and name != "vrt"]
    missing += [f"{name} {value}" for name, value in whole.get("vrt", {}).items() if name not in inner]
    if not missing:
        return ()
    return (
        Finding(
            f"{path.name} does not say all sizes of its network: {shorten(missing)} are taken",
            "Export it again with `python -m training export`",
        ),
    )


def _unusable(cause: Exception) -> CheckpointError:
    said = str(cause) if isinstance(cause, ValueError) else f"{type(cause).__name__}: {cause}"
    return CheckpointError(
        "what the file says about its network cannot be used",
        found=" ".join(said.split())[:200],
        advice="Write it again with `python -m training export`, or use another file",
    )


def _read_safetensors(path: Path) -> LoadedModel:
    metadata, state = open_safetensors(path)
    if METADATA_KEY not in metadata:
        return _assemble_untold(path, state)
    named = to_our_names(state)
    try:
        about = json.loads(metadata[METADATA_KEY])
        version = about["format_version"]
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ValueError(f"format_version {version!r} is no whole number above 0")
        if version > FORMAT_VERSION:
            raise CheckpointError(
                "the file was written by a newer program",
                found=f"format {str(version)[:40]}",
                expected=f"at most {FORMAT_VERSION}",
                advice="Update this program",
            )
        config = config_from_dict(about["config"])
        spec = None if about["voxel_spec"] is None else VoxelSpec.told(about["voxel_spec"])
        if spec is None and isinstance(config, VRTSpikeConfig):
            raise ValueError("voxel_spec is missing for a network that reads spikes")
        card, findings = checked_card(about["card"], path)
        findings += _about_untold_sizes(about["config"], config, path)
        return _assemble(path, config, named, spec, ModelCard(**card), findings)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        raise _unusable(cause) from cause
    except EngineError as cause:
        raise cause if isinstance(cause, CheckpointError) else CheckpointError(str(cause)) from cause


def _assemble_untold(path: Path, given: Mapping[str, Tensor]) -> LoadedModel:
    """Build the network of a file that holds weights alone."""
    named = to_our_names(given)
    supposed = suppose(path, given, named)
    return _assemble(
        path, supposed.config, named, supposed.voxel_spec, ModelCard(name=path.stem), supposed.findings
    )


def _assemble(
    path: Path,
    config: Config,
    state: Mapping[str, Tensor],
    spec: VoxelSpec | None,
    card: ModelCard,
    findings: tuple[Finding, ...] = (),
) -> LoadedModel:
    """Build the network, fill it and make sure that its spikes fit."""
    if isinstance(config, VRTSpikeConfig):
        assert spec is not None
        if spec.channels != config.voxel_channels:
            raise CheckpointError(
                "the network and its voxels do not fit",
                path=path,
                found=f"{spec.channels} channels of voxels for a network of {config.voxel_channels}",
            )
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


def _about(path: Path, cause: CheckpointError) -> CheckpointError:
    return CheckpointError(
        cause.problem, path=path, found=cause.found, expected=cause.expected, advice=cause.advice
    )
