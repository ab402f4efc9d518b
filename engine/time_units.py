"""Units that clocks and alignment logs count time in."""

from typing import Literal, cast, get_args

TimeUnit = Literal["s", "ms", "us", "ns", "planes"]
"""`planes` counts planes of the recording; the others are seconds and their parts."""

SECONDS_IN: dict[TimeUnit, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_LONG_NAMES: dict[str, TimeUnit] = {
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "µs": "us",
    "nanoseconds": "ns",
}


def time_unit(name: str) -> TimeUnit | None:
    """Return the unit that a name stands for, short or spelt out; None where it is none."""
    return cast(TimeUnit, name) if name in get_args(TimeUnit) else _LONG_NAMES.get(name)
