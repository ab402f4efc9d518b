"""What the file of a network says of itself, read without torch and without its weights.

Ours is a `.safetensors` with JSON in its metadata; a checkpoint of a training run has it under a key of its
own. Files of weights alone say nothing (see `engine.model.untold`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import CheckpointError, EngineError
from engine.findings import Finding, shorten
from engine.model.config import Config, VRTSpikeConfig, config_from_dict, config_to_dict
from engine.model.files import METADATA_KEY, RUN_KEY, checked_card, holds_safetensors
from engine.model.plain_pickle import read_entry
from engine.voxels import VoxelSpec

FORMAT_VERSION = 1


class Told(NamedTuple):
    """A network as its file has it."""

    config: Config
    voxel_spec: VoxelSpec | None
    """None for a network without spikes."""
    card: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()


def told_by_file(path: Path) -> Told | None:
    """Return what a file says of its network; None where it says nothing, or not in a way read here.

    Raises CheckpointError where it cannot be read, or what it says cannot be used.
    """
    try:
        if holds_safetensors(path):
            return told_by_metadata(_metadata(path), path)
        entry = read_entry(path, RUN_KEY)
        return None if entry is None else told_by_run(entry, path)
    except CheckpointError as cause:
        raise cause if cause.path else error_about(path, cause) from cause


def told_by_metadata(metadata: Mapping[str, str], path: Path) -> Told | None:
    """Return what the metadata of a `.safetensors` says, None where that is nothing.

    Raises CheckpointError.
    """
    if METADATA_KEY not in metadata:
        return None
    try:
        said = json.loads(metadata[METADATA_KEY])
        version = said["format_version"]
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ValueError(f"format_version {version!r} is no whole number above 0")
        if version > FORMAT_VERSION:
            raise CheckpointError(
                "the file was written by a newer program",
                found=f"format {str(version)[:40]}",
                expected=f"at most {FORMAT_VERSION}",
                advice="Update this program",
            )
        config = config_from_dict(said["config"])
        spec = None if said["voxel_spec"] is None else VoxelSpec.told(said["voxel_spec"])
        if spec is None and isinstance(config, VRTSpikeConfig):
            raise ValueError("voxel_spec is missing for a network that reads spikes")
        card, findings = checked_card(said["card"], path)
        if "name" not in card:
            raise ValueError("its card has no name")
        findings += _about_untold_sizes(said["config"], config, path)
        return Told(config, _spec_of(config, spec, path), card, findings)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        raise _unusable(cause) from cause
    except EngineError as cause:
        raise cause if isinstance(cause, CheckpointError) else CheckpointError(str(cause)) from cause


def told_by_run(entry: Any, path: Path) -> Told:
    """Return what a training run's checkpoint says under `RUN_KEY`. Raises CheckpointError."""
    try:
        config, spec = config_from_dict(entry["network"]), VoxelSpec.told(entry["voxels"])
    except (ValueError, KeyError, TypeError) as cause:
        raise _unusable(cause) from cause
    except EngineError as cause:
        raise CheckpointError(str(cause)) from cause
    findings = _about_untold_sizes(entry["network"], config, path)
    return Told(config, _spec_of(config, spec, path), {"name": path.stem}, findings)


def _about_untold_sizes(said: Mapping[str, Any], config: Config, path: Path) -> tuple[Finding, ...]:
    """Say which sizes a description leaves out: some leave no trace in the weights either."""
    whole = config_to_dict(config)
    inner = said.get("vrt", {}) if isinstance(config, VRTSpikeConfig) else {}
    missing = [f"{name} {value}" for name, value in whole.items() if name not in said and name != "vrt"]
    missing += [f"{name} {value}" for name, value in whole.get("vrt", {}).items() if name not in inner]
    if not missing:
        return ()
    return (
        Finding(
            f"{path.name} does not say all sizes of its network: {shorten(missing)} are taken",
            "Export it again with `python -m training export`",
        ),
    )


def _spec_of(config: Config, spec: VoxelSpec | None, path: Path) -> VoxelSpec | None:
    """Return the voxels of a network that reads some, None for another. Raises CheckpointError."""
    if not isinstance(config, VRTSpikeConfig):
        return None
    assert spec is not None
    if spec.channels != config.voxel_channels:
        raise CheckpointError(
            "the network and its voxels do not fit",
            path=path,
            found=f"{spec.channels} channels of voxels for a network of {config.voxel_channels}",
        )
    return spec


def error_about(path: Path, cause: CheckpointError) -> CheckpointError:
    """Return an error as one about this file."""
    return CheckpointError(
        cause.problem, path=path, found=cause.found, expected=cause.expected, advice=cause.advice
    )


def _unusable(cause: Exception) -> CheckpointError:
    said = str(cause) if isinstance(cause, ValueError) else f"{type(cause).__name__}: {cause}"
    return CheckpointError(
        "what the file says about its network cannot be used",
        found=" ".join(said.split())[:200],
        advice="Write it again with `python -m training export`, or use another file",
    )


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError) as cause:
        raise unreadable_safetensors(path, cause) from cause


def unreadable_safetensors(path: Path, cause: Exception) -> CheckpointError:
    """Return the error of a file that is no whole `.safetensors`."""
    return CheckpointError(
        "the file cannot be read as safetensors",
        path=path,
        found=str(cause)[:160],
        advice="It may be truncated: copy or download it again",
    )
