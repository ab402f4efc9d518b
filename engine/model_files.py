"""Network files as they can be told about without loading them: which there are, and their cards."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resources
from engine.errors import CheckpointError
from engine.findings import Finding, shorten

_BAD = object()
_DEEPEST_CARD = 20
METADATA_KEY = "spike_deblur_studio"
SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt")
LARGEST_CARD_NUMBER = 1e12
_CARD_FIELDS = {"name": str, "origin": str, "licence": str, "training": dict, "scores": dict}


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
        kind = "A training run's checkpoint" if path.suffix.lower() == ".ckpt" else "A published file"
        return ModelFile(path, path.stem, size_mb, (f"{kind} without a card",))
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        about = json.loads(metadata.get(METADATA_KEY, "{}"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            "this file cannot be read as a network", path=path, found=str(error), advice="Copy it again"
        ) from error
    try:
        card, findings = checked_card(about.get("card", {}) if isinstance(about, dict) else {}, path)
    except ValueError as error:
        raise CheckpointError(str(error), path=path, advice="Write the file again") from error
    lines = (*_lines(card), *(str(finding) for finding in findings))
    return ModelFile(path, str(card.get("name") or path.stem), size_mb, lines)


def checked_card(card: Any, path: Path) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """Return a network's card without the numbers in it that are none, and say which these are.

    Raises ValueError that names the field where the card has another form.
    """
    if not isinstance(card, dict):
        raise ValueError(f"its card is a {type(card).__name__}, not a table")
    for name, value in card.items():
        kind = _CARD_FIELDS.get(name)
        if kind is None:
            raise ValueError(f"its card has a field '{name}' that is not known")
        if not isinstance(value, kind):
            raise ValueError(f"its card's '{name}' is a {type(value).__name__}, not a {kind.__name__}")
    bad: list[str] = []
    checked = {name: _without_bad_numbers(value, name, bad) for name, value in card.items()}
    if not bad:
        return checked, ()
    finding = Finding(
        f"the card of {path.name} has numbers that cannot be: {shorten(bad)}; they are left out",
        "Do not trust the card, or export the network again",
    )
    return checked, (finding,)


def _without_bad_numbers(value: Any, name: str, bad: list[str], depth: int = 0) -> Any:
    if isinstance(value, dict) and depth < _DEEPEST_CARD:
        inner = {
            key: _without_bad_numbers(one, f"{name}.{key}", bad, depth + 1) for key, one in value.items()
        }
        return {key: one for key, one in inner.items() if one is not _BAD}
    if isinstance(value, list) and depth < _DEEPEST_CARD:
        return [
            None if one is _BAD else one
            for one in (
                _without_bad_numbers(one, f"{name}[{at}]", bad, depth + 1) for at, one in enumerate(value)
            )
        ]
    if isinstance(value, int | float) and not isinstance(value, bool):
        impossible = not abs(value) <= LARGEST_CARD_NUMBER
        if impossible or (name.endswith(".steps") and value < 0):
            bad.append(f"{name} {value!r}"[:60])
            return _BAD
    return value


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
