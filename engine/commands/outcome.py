"""What a command hands back to the command line, and how values are written for programs to read."""

import json
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """Text for standard output and, where not all went well, one line for standard error."""

    text: str
    problem: str = ""
    warnings: tuple[str, ...] = ()
    """Lines for standard error that are no failure: what was supposed, since a file did not say it."""


def to_json(value: Any, *, readable: bool = False) -> str:
    """Return JSON of plain values; numbers that JSON does not know (infinite, not a number) become null.

    ASCII only, which survives every pipe, unless `readable`: then file names stay as they are.
    """
    text = json.dumps(_plain(value), indent=2, ensure_ascii=not readable, allow_nan=False)
    # Bytes of a file name that are no text: Python's backslash escape of them is JSON's too.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
