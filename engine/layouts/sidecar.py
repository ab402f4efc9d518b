"""The gamma that a sequence's config.yaml states; the recording reads there what concerns itself."""

from pathlib import Path

import yaml

from engine.findings import Finding, option

GAMMA_KEY = "gamma"
LEAST_GAMMA, MOST_GAMMA = 0.1, 10.0
LONGEST_SIDECAR_BYTES = 1 << 20


def read_gamma(path: Path | None) -> tuple[float | None, tuple[Finding, ...]]:
    """Return the sequence's gamma, or None, and a finding where the file states one that cannot be.

    A file that cannot be read at all says nothing here: the recording reports it.
    """
    if path is None:
        return None, ()
    try:
        if path.stat().st_size > LONGEST_SIDECAR_BYTES:
            return None, ()
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    # ValueError: numbers of thousands of digits, and dates that no calendar has.
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None, ()
    value = content.get(GAMMA_KEY) if isinstance(content, dict) else None
    if value is None:
        return None, ()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and LEAST_GAMMA <= value <= MOST_GAMMA:
        return float(value), ()
    expected = f"a number from {LEAST_GAMMA:g} to {MOST_GAMMA:g}"
    return None, (
        Finding(
            f"{path} says {GAMMA_KEY}: {str(value)[:40]!r}, which is not {expected}, and is ignored there",
            f"Correct it, or give {option('gamma')}",
        ),
    )
