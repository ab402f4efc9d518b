"""A `SequenceSource` as plain JSON values and back; what cannot be used of them is left out."""

import math
from dataclasses import asdict, fields
from typing import get_args

from engine.errors import RegistrationError
from engine.registration import homography_of
from engine.source import SequenceSource
from engine.time_units import TimeUnit

TEXTS = ("path", "spikes", "reference", "alignment", "flat")
SWITCHES = ("flip", "msb_first")
WHOLE = ("height", "width", "white")


def values_of(source: SequenceSource) -> dict[str, object]:
    """Return what a source says, without what it does not."""
    return {name: value for name, value in asdict(source).items() if value is not None}


def source_of(values: object) -> SequenceSource | None:
    """Return the source that values stand for; None where they do not even name a path."""
    if not isinstance(values, dict) or not _usable("path", values.get("path")):
        return None
    said = {
        one.name: values[one.name]
        for one in fields(SequenceSource)
        if _usable(one.name, values.get(one.name))
    }
    return SequenceSource(**said)


def _usable(name: str, value: object) -> bool:
    if name in TEXTS:
        return isinstance(value, str) and bool(value) and "\0" not in value
    if name in SWITCHES:
        return isinstance(value, bool)
    if name == "registration":
        try:
            homography_of(value)
        except RegistrationError:
            return False
        return True
    if name == "time_unit":
        return value in get_args(TimeUnit)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value > 0 and (name not in WHOLE or isinstance(value, int))
