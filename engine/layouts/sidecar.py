"""What a sequence's config.yaml says about its signal; the recording checks the geometry itself."""

import math
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Sidecar:
    """Values of a config.yaml; None where it says nothing, or nothing usable."""

    gamma: float | None = None
    rate_hz: float | None = None
    flip: bool | None = None
    findings: tuple[str, ...] = ()


def read_sidecar(path: Path | None) -> Sidecar:
    """Read `gamma`, `spike_rate_hz` and `spike_flip`; what cannot be used becomes a finding, not an error."""
    if path is None:
        return Sidecar()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return Sidecar(findings=(f"{path.name} cannot be read: {str(error).splitlines()[0]}",))
    if content is None:
        return Sidecar()
    if not isinstance(content, dict):
        return Sidecar(findings=(f"{path.name} is not a list of keys and values and is ignored",))
    findings: list[str] = []

    def positive(key: str) -> float | None:
        value = content.get(key)
        if value is None:
            return None
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and value > 0
        ):
            return float(value)
        findings.append(f"{path.name}: {key} must be a positive number, not {value!r}")
        return None

    flip = content.get("spike_flip")
    if flip is not None and not isinstance(flip, bool):
        findings.append(f"{path.name}: spike_flip must be true or false, not {flip!r}")
        flip = None
    return Sidecar(positive("gamma"), positive("spike_rate_hz"), flip, tuple(findings))
