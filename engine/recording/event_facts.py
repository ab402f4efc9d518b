"""What the columns of an event list are like, found by looking at some events at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.recording.event_clock import COUNTER_BITS, COUNTER_SCALES
from engine.recording.event_store import EventStore

MOST_VALUES = 16
"""A polarity has two or three."""


@dataclass(frozen=True)
class ColumnFacts:
    """A column as a whole."""

    dtype: np.dtype[Any]
    not_finite: int = 0
    """Values that are NaN or infinite; nothing else is known where there are some."""
    lowest: Any = 0
    highest: Any = 0
    is_whole: bool = True
    ascends: bool = True
    longest_back: float = 0.0
    """The longest step back from one value to the next, as a number above 0."""
    values: tuple[Any, ...] = ()
    """Up to 17 different ones; of columns of p only."""

    @property
    def is_number(self) -> bool:
        return self.dtype.kind in "iuf"

    @property
    def few_values(self) -> tuple[float, ...]:
        """All values of a column that has but a few, ascending."""
        is_usable = self.dtype.kind in "biuf" and len(self.values) <= MOST_VALUES
        return tuple(float(value) for value in self.values) if is_usable else ()


def facts_of(store: EventStore) -> Mapping[str, ColumnFacts]:
    """Look at all events of a list, and return the facts of its columns by name."""
    found: dict[str, _Looking] = {
        name: _Looking(store.dtype(name), keeps_values=name == "p") for name in store.names
    }
    for block in store.blocks():
        for name, values in block.items():
            found[name].look_at(values)
    return {name: looking.facts for name, looking in found.items()}


def may_run_over(facts: ColumnFacts) -> bool:
    """Whether a column of such values may be a counter that ran over: the rest is left to `run_over`."""
    scales = COUNTER_SCALES if facts.dtype.kind == "f" else (1.0,)
    lowest, highest = float(facts.lowest), float(facts.highest)
    for bits in COUNTER_BITS:
        for scale in scales:
            length = 2**bits * scale
            unsigned = lowest >= 0 and highest <= length
            signed = lowest >= -length / 2 and highest <= length / 2
            if (unsigned or signed) and facts.longest_back >= length / 2 * (1 - 1e-9):
                return True
    return False


class _Looking:
    """Facts of a column so far."""

    def __init__(self, dtype: np.dtype[Any], *, keeps_values: bool) -> None:
        self.facts = ColumnFacts(dtype)
        self._keeps_values = keeps_values
        self._last: NDArray[Any] | None = None

    def look_at(self, values: NDArray[Any]) -> None:
        facts = self.facts
        changed: dict[str, Any] = {}
        if self._keeps_values and len(facts.values) <= MOST_VALUES:
            different = np.unique(np.concatenate([np.array(facts.values, values.dtype), np.unique(values)]))
            changed["values"] = tuple(different[: MOST_VALUES + 1])
        if facts.is_number:
            changed |= self._of_numbers(values)
        self.facts = ColumnFacts(**{**vars(facts), **changed})

    def _of_numbers(self, values: NDArray[Any]) -> dict[str, Any]:
        facts, is_float = self.facts, values.dtype.kind == "f"
        not_finite = int(np.count_nonzero(~np.isfinite(values))) if is_float else 0
        if not_finite or facts.not_finite:
            return {"not_finite": facts.not_finite + not_finite}
        changed: dict[str, Any] = {}
        lowest, highest = values.min(), values.max()
        is_first = self._last is None
        changed["lowest"] = lowest if is_first else min(facts.lowest, lowest)
        changed["highest"] = highest if is_first else max(facts.highest, highest)
        if is_float and facts.is_whole:
            changed["is_whole"] = bool(np.all(values == np.floor(values)))
        if self._last is not None:
            values = np.concatenate([self._last, values])
        if np.any(values[1:] < values[:-1]):
            back = -float(np.diff(values.astype(np.float64)).min())
            changed |= {"ascends": False, "longest_back": max(facts.longest_back, back)}
        self._last = values[-1:].copy()
        return changed
