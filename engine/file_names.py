"""Names of files: in what order they come, which numbers they hold, and which of two lists belong together.

Names that look the same are the same: they are compared in Unicode's composed form (NFC), as one system
writes é in one character and another in two.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

# The comma is the decimal point of many places; exponents are those that str(1e-05) writes.
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_POINT = re.compile(r"[0-9][.,][0-9]")
_LAST_DECIMAL = re.compile(r"(?<![0-9.,])[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z")
_LAST_DIGITS = re.compile(r"\d+\Z")
_SERIES = re.compile(r"(.*?)(\d+)", re.DOTALL)
MOST_SKIPPED = 1_000_000
"""Numbers further apart are no gap in a series."""


def composed(name: str) -> str:
    """Return a name in the form in which names are compared."""
    return unicodedata.normalize("NFC", name)


def same_name(one: str, other: str) -> bool:
    return composed(one) == composed(other)


def natural_key(path: Path) -> tuple[object, ...]:
    """Sort key: by name, runs of digits as numbers, so that `2.png` comes before `10.png`."""
    pieces = re.split(r"(\d+)", composed(path.stem))
    return tuple(int(p) if i % 2 else p for i, p in enumerate(pieces)), path.stem, path.suffix


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Sort files of one folder as people count: by `natural_key`, decimal numbers by their value."""
    paths = sorted(paths, key=natural_key)
    values = decimals([path.stem for path in paths])
    if values is None:
        return paths
    return [path for _value, path in sorted(zip(values, paths, strict=True), key=lambda pair: pair[0])]


def decimals(stems: Sequence[str]) -> list[Decimal] | None:
    """Return names as decimal numbers, such as times; None where not all are, or none has a point.

    Where two names are one number, as 1.1 and 1.10, they number sections and are no decimals.
    """
    if not all(_DECIMAL.fullmatch(stem) for stem in stems) or not any(map(_POINT.search, stems)):
        return None
    values = {stem: _decimal(stem) for stem in stems}
    return [values[stem] for stem in stems] if len(set(values.values())) == len(values) else None


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def frame_number(stem: str) -> int | None:
    """Return the trailing digits of a name as a number: `blur_0012` is 12."""
    digits = _LAST_DIGITS.search(stem)
    return int(digits.group()) if digits else None


def frame_numbers(stems: Sequence[str]) -> list[int | None]:
    """Return the number of every frame of a sequence: those named by decimal numbers have none."""
    if decimals(stems) is not None:
        return [None] * len(stems)
    return [frame_number(stem) for stem in stems]


def series_numbers(stems: Sequence[str]) -> list[int] | None:
    """Return the numbers of names that differ in their trailing digits only; None where that is no series."""
    matches = [_SERIES.fullmatch(composed(stem)) for stem in stems]
    prefixes = {match.group(1) if match else None for match in matches}
    if len(prefixes) != 1 or None in prefixes or decimals(stems) is not None:
        return None
    (prefix,) = prefixes
    digits = [match.group(2) for match in matches if match]
    # After `t0.` the digits 5 and 52 are tenths and hundredths: only those of one length can be counted.
    if re.search(r"\d[.,]\Z", prefix or "") and len(set(map(len, digits))) > 1:
        return None
    return [int(number) for number in digits]


def common_step(numbers: Sequence[int]) -> int | None:
    """Return the step that most neighbours of an ascending series have, the smallest of equals."""
    steps = Counter(b - a for a, b in itertools.pairwise(numbers))
    return min(steps, key=lambda step: (-steps[step], step)) if steps else None


def missing_numbers(stems: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers that a series skips, measured against its most common step.

    Names that differ in more than their trailing digits are no series, nor are decimal numbers.
    """
    series = series_numbers(stems) if len(stems) >= 3 else None
    numbers = sorted(set(series or ()))
    step = common_step(numbers)
    if step is None:
        return ()
    gaps: list[int] = []
    for a, b in itertools.pairwise(numbers):
        if b - a > step and (b - a) // step <= MOST_SKIPPED:
            gaps.extend(range(a + step, b, step))
    return tuple(gaps)


def match_names(
    frames: Sequence[str], others: Sequence[str]
) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """Find each frame's partner: the same stem, else the same trailing number where numbers are unique.

    Frames that are decimal numbers have partners of the same value: `0.5` goes with `0.50`. Returns the
    partner's index for every frame (None where there is none) and the indices left over.
    """
    number_of = _last_decimal if decimals(frames) is not None else frame_number
    keys = (lambda stem: stem, composed, number_of)
    partners: list[int | None] = [None] * len(frames)
    taken: set[int] = set()
    for place, key in enumerate(keys):
        free = [(at, key(stem)) for at, stem in enumerate(others) if at not in taken]
        lonely = [(at, key(stem)) for at, stem in enumerate(frames) if partners[at] is None]
        if place < 2:  # of files that share a stem and differ in the suffix, the first is meant
            found: Mapping[Hashable, int] = {name: at for at, name in reversed(free)}
            pairs = [(at, found.get(name)) for at, name in lonely]
        else:
            found = _unique(free)
            pairs = [(at, found.get(number)) for number, at in _unique(lonely).items()]
        for at, partner in pairs:
            partners[at] = partner
        taken |= {partner for _at, partner in pairs if partner is not None}
    return tuple(partners), tuple(at for at in range(len(others)) if at not in taken)


def _last_decimal(stem: str) -> Decimal | None:
    found = _DECIMAL.fullmatch(stem) or _LAST_DECIMAL.search(stem)
    return _decimal(found.group()) if found else None


def _unique(numbered: Sequence[tuple[int, Hashable]]) -> dict[Hashable, int]:
    counts = Counter(number for _at, number in numbered)
    return {number: at for at, number in numbered if number is not None and counts[number] == 1}
