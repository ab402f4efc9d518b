"""Files of networks: where they are, under which keys they say what they hold, the form of cards."""

from pathlib import Path
from typing import Any

import resources
from engine.errors import CheckpointError
from engine.findings import Finding, shorten
from engine.model.config import PRESETS

METADATA_KEY = "spike_deblur_studio"
"""In the metadata of our `.safetensors`: format, network, voxels and card as JSON."""
RUN_KEY = "spike_deblur"
"""Under which a checkpoint of a training run says what network it holds and how that reads its spikes."""
SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt")
LARGEST_CARD_NUMBER = 1e12
_LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000
"""Bytes; safetensors reads no longer one."""
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_BAD = object()
_DEEPEST_CARD = 20
_CARD_FIELDS = {"name": str, "origin": str, "licence": str, "training": dict, "scores": dict}


def bundled_models() -> tuple[Path, ...]:
    """Return the networks that come with the program."""
    return tuple(sorted((Path(resources.__file__).parent / "models").glob("*.safetensors")))


def is_safetensors(path: Path) -> bool:
    """Tell by its name, in capitals too, whether a file is one of ours."""
    return path.suffix.lower() == ".safetensors"


def holds_safetensors(path: Path) -> bool:
    """Tell by its first bytes whether a file is one of safetensors; by its name where they say nothing."""
    try:
        with path.open("rb") as file:
            head = file.read(_LENGTH_BYTES + 1)
    except OSError:
        return is_safetensors(path)
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    if head[_LENGTH_BYTES:] == b"{" and 2 <= length <= _LONGEST_HEADER:
        return True
    return is_safetensors(path) and not head.startswith((_ZIP, _PICKLE))


def locate(path_or_name: str | Path) -> Path:
    """Return the file of a network given by its path or, where it is bundled, its name.

    Raises CheckpointError where there is none.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path
    there = {file.stem: file for file in bundled_models()}
    if path.name == str(path_or_name) and path.name in there:
        return there[path.name]
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
