"""Networks described without loading them: the one place where others learn what is in a file.

`engine.model.told` reads what a file says of itself. What it does not say is known once the network is
loaded; the worker then tells it (`engine.worker.messages.Accepted`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CheckpointError
from engine.model.config import Config, VRTSpikeConfig
from engine.model.files import METADATA_KEY, SUFFIXES, bundled_models, holds_safetensors, locate
from engine.model_description import FEWEST_PLANES_OF_RATIO, ModelDescription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.findings import Finding
    from engine.voxels import VoxelSpec

__all__ = ["METADATA_KEY", "SUFFIXES", "bundled_models", "describe_model", "describe_network", "locate"]

NETWORK = "network"
CLIP_OVERLAP = 2
"""Frames that neighbouring clips share, as the network's authors restore long sequences."""
CPU_TILE_PX = 128
"""Edge of a tile at the scale the network works at: 6 frames of it take about 2 GB."""
OVERLAP_PX = 24
"""Pixels of that scale that neighbouring tiles share."""


def describe_model(path: Path) -> ModelDescription:
    """Read what a network's file says of itself.

    A file of weights alone says nothing: what comes back for it `is_complete` only once it is loaded. Raises
    CheckpointError where the file cannot be read, or what it says cannot be used.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CheckpointError(
            "this is no network", path=path, expected=" or ".join(SUFFIXES), advice="Choose another file"
        )
    try:
        path.stat()
    except OSError as error:
        raise CheckpointError("cannot be read", path=path, found=error.strerror or str(error)) from error
    from engine.model.told import told_by_file

    told = told_by_file(path)
    if told is None:
        return ModelDescription(
            kind=NETWORK,
            title=path.stem,
            is_complete=False,
        )
    lines = tuple(_lines(dict(told.card)))
    if not holds_safetensors(path):
        lines += ("A training run's checkpoint, without a card",)
    return describe_network(told.config, told.voxel_spec, told.card, told.findings, lines)


def describe_network(
    config: Config,
    voxel_spec: "VoxelSpec | None",
    card: "Mapping[str, Any]",
    findings: "tuple[Finding, ...]" = (),
    lines: tuple[str, ...] | None = None,
) -> ModelDescription:
    """Describe a network of these sizes that takes its spikes as `voxel_spec` says.

    `lines` None are those of its card.
    """
    takes_spikes = isinstance(config, VRTSpikeConfig)
    starts_from_ratio = isinstance(config, VRTSpikeConfig) and config.from_ratio
    sizes = config.vrt if isinstance(config, VRTSpikeConfig) else config
    told = tuple(_lines(dict(card))) if lines is None else lines
    return ModelDescription(
        kind=NETWORK,
        title=str(card.get("name") or NETWORK),
        lines=told,
        findings=findings,
        voxels=voxel_spec if takes_spikes else None,
        fewest_planes=FEWEST_PLANES_OF_RATIO if starts_from_ratio else int(takes_spikes),
        clip_frames=sizes.window_size[0],
        clip_overlap=min(CLIP_OVERLAP, sizes.window_size[0] - 1),
        multiple_px=config.multiple_px,
        overlap_px=OVERLAP_PX * sizes.fold,
        default_tile_px=CPU_TILE_PX * sizes.fold,
    )


def _lines(card: dict[str, Any]) -> list[str]:
    training, scores = card.get("training") or {}, card.get("scores") or {}
    lines = [str(card[key]) for key in ("origin",) if card.get(key)]
    if card.get("licence"):
        lines.append(f"Licence: {card['licence']}")
    if training.get("data"):
        lines.append(f"Data: {training['data']}")
    if training.get("steps"):
        lines.append(f"{training['steps']} training steps")
    gains = {
        "val/psnr": "PSNR",
        "val/gain_db": "gain over blurry",
        "val/gain_over_ratio_db": "over the ratio",
    }
    numbers = [
        f"{text} {scores[key]:.2f} dB" for key, text in gains.items() if isinstance(scores.get(key), float)
    ]
    if numbers:
        lines.append("Validation: " + ", ".join(numbers))
    regimes = scores.get("regimes")
    if isinstance(regimes, dict):
        lines += [line for name, of_regime in regimes.items() if (line := _regime(name, of_regime))]
    return lines


def _regime(name: str, scores: Any) -> str:
    """Return what was scored in one kind of sequence; empty where the card says it otherwise."""
    try:
        blurry, ratio, network = (float(scores[key][0]) for key in ("blurry", "spike_ratio", "network"))
    except (TypeError, KeyError, IndexError, ValueError):
        return ""
    return f"{name}: blurry {blurry:.2f} dB, spike ratio {ratio:.2f}, network {network:.2f}"
