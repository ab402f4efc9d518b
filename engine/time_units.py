"""Units that clocks and alignment logs count time in."""

import re
from typing import Literal, cast, get_args

TimeUnit = Literal["s", "ms", "us", "ns", "planes"]
"""`planes` counts planes of the recording; the others are seconds and their parts."""

SECONDS_IN: dict[TimeUnit, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

EPOCH_S = (1.0e9, 2.5e9)
"""Seconds since 1970 that clocks of cameras show: from 2001 to 2049."""

_LONG_NAMES: dict[str, TimeUnit] = {
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "µs": "us",
    "nanoseconds": "ns",
}
_IN_COLUMN_NAMES: dict[str, TimeUnit] = {
    **_LONG_NAMES,
    "μs": "us",  # the Greek letter, where the other one is the sign for micro
    "sec": "s",
    "secs": "s",
    "second": "s",
    "msec": "ms",
    "millisecond": "ms",
    "usec": "us",
    "microsecond": "us",
    "nsec": "ns",
    "nanosecond": "ns",
    "plane": "planes",
}
_WITH_UNIT = re.compile(r"(?P<name>.*?)[\s_.\-]*[\[(]?\s*(?P<unit>[^\W\d_]+)\s*[\])]?")


def time_unit(name: str) -> TimeUnit | None:
    """Return the unit that a name stands for, short or spelt out; None where it is none."""
    return cast(TimeUnit, name) if name in get_args(TimeUnit) else _LONG_NAMES.get(name)


def split_unit(column: str) -> tuple[str, TimeUnit | None]:
    """Take the name of a column apart: `t0_us`, `t0 [us]` and `t0 (µs)` are t0 in µs, `t0` has no unit."""
    parts = _WITH_UNIT.fullmatch(column.strip())
    if parts is not None and parts["name"] and parts["name"] != column.strip():
        unit = parts["unit"].lower()
        found = time_unit(unit) or _IN_COLUMN_NAMES.get(unit)
        # Letters alone are no name with a unit: `times`, `ts` and `timens` are names of their own.
        separated = column.strip()[len(parts["name"])] in " _.-[(\t"
        if found is not None and separated:
            return parts["name"], found
    return column.strip(), None
