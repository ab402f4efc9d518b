"""What sizes of a network can be: what a file claims is checked by name before anything is made of it.

The bounds are far above every network there is and far below what would fill a memory or overflow.
"""

import math

from engine.errors import ModelError

MOST_CHANNELS = 8192
MOST_BLOCKS = 256
"""In a stage, and groups of blocks in a network."""
MOST_WINDOW_EDGE = 64
MOST_WINDOW_TOKENS = 8192
"""Frames × rows × columns that attend to each other: tables of the square of this are made."""
MOST_RATIO = 64.0
MOST_RESIDUE_PX = 1000.0
_LONGEST_QUOTE = 60


def impossible(name: str, found: object, expected: str | None = None) -> ModelError:
    """Return the error about a size that cannot be."""
    quoted = repr(found) if isinstance(found, str) else str(found)
    if len(quoted) > _LONGEST_QUOTE:
        quoted = f"{quoted[:_LONGEST_QUOTE]}…"
    return ModelError(f"the network's '{name}' is impossible", found=quoted, expected=expected)


def whole(name: str, value: object, most: int, least: int = 1) -> int:
    """Return a whole number of `least` to `most`, also one written as 2.0. Raises ModelError."""
    given = value
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise impossible(name, given, f"a whole number of {least} to {most}")
    return value


def wholes(name: str, values: object, most: int, count: int | None = None, least: int = 1) -> tuple[int, ...]:
    """Return a tuple of whole numbers, `count` of them where that is said. Raises ModelError."""
    if not isinstance(values, list | tuple) or (count is not None and len(values) != count):
        raise impossible(name, values, f"{count or 'several'} whole numbers of {least} to {most}")
    if len(values) > MOST_BLOCKS:
        raise impossible(name, f"{len(values)} numbers", f"at most {MOST_BLOCKS}")
    try:
        return tuple(whole(name, value, most, least) for value in values)
    except ModelError as error:
        raise impossible(name, values, f"whole numbers of {least} to {most}") from error


def number(name: str, value: object, least: float, most: float, *, above: bool = False) -> float:
    """Return a number of `least` to `most`, or `above` the least. Raises ModelError."""
    expected = f"a number above {least:g}, up to {most:g}" if above else f"a number of {least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise impossible(name, value, expected)
    if not (least < value if above else least <= value) or not value <= most:
        raise impossible(name, value, expected)
    return float(value)


def truth(name: str, value: object) -> bool:
    """Return true or false; "no" and 0 are neither. Raises ModelError."""
    if not isinstance(value, bool):
        raise impossible(name, value, "true or false")
    return value
