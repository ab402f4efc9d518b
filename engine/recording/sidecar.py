"""What a `config.yaml` beside or above a recording says about it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.findings import Finding
from engine.geometry import Size

SIDECAR_NAME = "config.yaml"
LEVELS_ABOVE = 4
"""A data set keeps one sidecar at its root: <set>/<split>/<clip>/spike/<frame>.dat."""
LONGEST_SIDECAR_BYTES = 1 << 20
HEIGHT_KEY, WIDTH_KEY = "spike_h", "spike_w"
RATE_KEYS = ("spike_rate_hz", "rate_hz")
FLIP_KEY = "spike_flip"
CORRECT = "Correct it, or say what it should say when opening"


@dataclass(frozen=True)
class Sidecar:
    """Claims about a recording; None where the file says nothing usable."""

    path: Path | None = None
    size: Size | None = None
    rate_hz: float | None = None
    flip: bool | None = None
    warnings: tuple[Finding, ...] = ()


def find_sidecar(recording: Path) -> Sidecar:
    """Read the nearest config.yaml, beside the recording or in a folder above, that speaks of spikes.

    Whatever cannot be used becomes a warning: a sidecar never stops a recording from being opened.
    """
    folder = recording if recording.is_dir() else recording.absolute().parent
    warnings: tuple[Finding, ...] = ()
    for above in [folder, *folder.absolute().parents][: LEVELS_ABOVE + 1]:
        path = above / SIDECAR_NAME
        if path.is_file():
            sidecar = _read(path)
            if (sidecar.size, sidecar.rate_hz, sidecar.flip) != (None, None, None):
                return sidecar
            warnings += sidecar.warnings
    return Sidecar(warnings=warnings)


def _read(path: Path) -> Sidecar:
    import yaml  # Only where a sidecar is there: importing it takes longer than opening a recording.

    try:
        if path.stat().st_size > LONGEST_SIDECAR_BYTES:
            return Sidecar(
                path,
                warnings=(Finding(f"{path} is too long to describe a recording and is ignored", CORRECT),),
            )
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        return Sidecar(
            path, warnings=(Finding(f"{path} cannot be read and is ignored: {first_line}", CORRECT),)
        )
    if not isinstance(content, dict):
        return Sidecar(path)
    warnings: list[Finding] = []

    def value(key: str, fits: Callable[[Any], bool], expected: str) -> Any:
        found = content.get(key)
        if found is None or fits(found):
            return found
        warnings.append(
            Finding(f"{path} says {key}: {found!r}, which is not {expected}, and is ignored there", CORRECT)
        )
        return None

    def is_side(found: Any) -> bool:
        return isinstance(found, int) and not isinstance(found, bool) and 0 < found < 1 << 16

    def is_rate(found: Any) -> bool:
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return number and math.isfinite(found) and found > 0

    height = value(HEIGHT_KEY, is_side, "a number of pixels")
    width = value(WIDTH_KEY, is_side, "a number of pixels")
    rates = [value(key, is_rate, "a rate in planes per second") for key in RATE_KEYS]
    flip = value(FLIP_KEY, lambda found: isinstance(found, bool), "true or false")
    return Sidecar(
        path=path,
        size=Size(height, width) if height is not None and width is not None else None,
        rate_hz=next((float(rate) for rate in rates if rate is not None), None),
        flip=flip,
        warnings=tuple(warnings),
    )
