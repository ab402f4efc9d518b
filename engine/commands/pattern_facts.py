"""How reports tell of the fixed pattern that is divided out of the spikes."""

from typing import Any

from engine.fixed_pattern import FixedPattern

_ORIGINS = {
    "recording": "of the recording itself",
    "frames": "by the frames",
    "flat field": "of an even surface",
}


def describe_pattern(pattern: FixedPattern) -> dict[str, Any]:
    """Return origin, file, spread, known share, windows and digest; nulls where nothing is corrected."""
    is_there = bool(pattern)
    return {
        "origin": pattern.origin if is_there else "none",
        "file": pattern.file,
        "spread": round(pattern.spread, 6),
        "known": round(pattern.known_share, 6),
        "windows": pattern.windows,
        "sha256": pattern.digest if is_there else None,
    }


def pattern_line(facts: dict[str, Any]) -> str:
    """Return the facts as one line."""
    if facts["origin"] == "none":
        return "not known: nothing is corrected"
    windows = f"{facts['windows']} window" + ("s" if facts["windows"] != 1 else "")
    kept = f", {facts['file']}" if facts["file"] else ""
    return (
        f"spread {100 * facts['spread']:.2f} %, known in {100 * facts['known']:.1f} % of the pixels, "
        f"{_ORIGINS[facts['origin']]}, over {windows}{kept}"
    )
