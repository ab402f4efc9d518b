"""Network files as they can be told about without loading them: which there are, and their cards."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resources
from engine.errors import CheckpointError

METADATA_KEY = "spike_deblur_studio"
SUFFIXES = (".safetensors", ".pth", ".pt")


@dataclass(frozen=True)
class ModelFile:
    """A network on the disk."""

    path: Path
    name: str
    megabytes: float
    lines: tuple[str, ...] = ()
    """What its card says, for people; empty where it has none."""


def bundled_models() -> tuple[Path, ...]:
    """Return the networks that come with the program."""
    return tuple(sorted((Path(resources.__file__).parent / "models").glob("*.safetensors")))


def describe_model(path: Path) -> ModelFile:
    """Read what a network's file says of itself. Raises CheckpointError where it cannot be read."""
    if path.suffix.lower() not in SUFFIXES:
        raise CheckpointError(
            "this is no network", path=path, expected=" or ".join(SUFFIXES), advice="Choose another file"
        )
    try:
        size_mb = path.stat().st_size / 1e6
    except OSError as error:
        raise CheckpointError("cannot be read", path=path, found=error.strerror or str(error)) from error
    if path.suffix.lower() != ".safetensors":
        return ModelFile(path, path.stem, size_mb, ("A published file without a card",))
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        about = json.loads(metadata.get(METADATA_KEY, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            "this file cannot be read as a network", path=path, found=str(error), advice="Copy it again"
        ) from error
    card = about.get("card", {}) if isinstance(about, dict) else {}
    return ModelFile(path, str(card.get("name") or path.stem), size_mb, tuple(_lines(card)))


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
