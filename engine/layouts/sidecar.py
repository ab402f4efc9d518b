"""The gamma that a sequence's config.yaml states; the recording reads there what concerns itself."""

import math
from pathlib import Path

import yaml

GAMMA_KEY = "gamma"


def read_gamma(path: Path | None) -> tuple[float | None, tuple[str, ...]]:
    """Return the sequence's gamma, or None, and a finding where the file states one that cannot be.

    A file that cannot be read at all says nothing here: the recording reports it.
    """
    if path is None:
        return None, ()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None, ()
    value = content.get(GAMMA_KEY) if isinstance(content, dict) else None
    if value is None:
        return None, ()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and math.isfinite(value) and value > 0:
        return float(value), ()
    return None, (
        f"{path} says {GAMMA_KEY}: {value!r}, which is not a positive number, and is ignored there",
    )
