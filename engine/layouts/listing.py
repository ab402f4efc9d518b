"""Folder listings in the order that people expect, names matched to names, and findings about them."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from engine.errors import SequenceError
from engine.findings import Finding

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts"}
    | {".wmv", ".flv", ".ogv", ".mxf", ".dv", ".y4m"}
)
RECORDING_SUFFIXES = frozenset({".dat", ".npz", ".npy"})
SIDECAR_NAME = "config.yaml"
NAMES_IN_A_FINDING = 5


def natural_key(path: Path) -> tuple[object, ...]:
    """Sort key: by name, runs of digits as numbers, so that `2.png` comes before `10.png`."""
    pieces = re.split(r"(\d+)", path.stem)
    return tuple(int(p) if i % 2 else p for i, p in enumerate(pieces)), path.stem, path.suffix


def entries(folder: Path) -> list[Path]:
    """Return what a folder holds in natural order, hidden files left out.

    Raises SequenceError when it cannot be listed.
    """
    try:
        visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise SequenceError(f"the folder cannot be read ({error.strerror})", path=folder) from error
    return sorted(visible, key=lambda path: natural_key(path))


def files_with(folder: Path, suffixes: frozenset[str]) -> tuple[Path, ...]:
    """Return the files of `folder` that end in one of `suffixes`, whatever their case; none if no folder."""
    if not folder.is_dir():
        return ()
    return tuple(path for path in entries(folder) if path.suffix.lower() in suffixes and path.is_file())


def pictures_in(folder: Path) -> tuple[Path, ...]:
    return files_with(folder, PICTURE_SUFFIXES)


def recordings_in(folder: Path) -> tuple[Path, ...]:
    return files_with(folder, RECORDING_SUFFIXES)


def taken_for_spikes(path: Path) -> Finding:
    """Say that a recording was chosen for being the only one there."""
    return Finding(
        f"{path.name} is taken for the spikes", "Name the recording (spikes) where another is meant"
    )


def folders_in(folder: Path) -> tuple[Path, ...]:
    return tuple(path for path in entries(folder) if path.is_dir())


def folder_name(folder: Path) -> str:
    """Return the name that a person knows a folder by, also where the path ends in `.` or `..`."""
    return folder.name if folder.name not in ("", "..") else folder.resolve().name


def find_sidecar(*folders: Path) -> Path | None:
    """Return the first config.yaml in the given folders."""
    return next((f / SIDECAR_NAME for f in folders if (f / SIDECAR_NAME).is_file()), None)


def find_alignment_log(folder: Path, only_for: str | None = None) -> Path | None:
    """Return `alignment.csv`, else the first `*alignment*.csv` of `folder`.

    A folder that several recordings share has a log of its own for each: with `only_for` the name must
    begin with that one's.
    """
    logs = [path for path in files_with(folder, frozenset({".csv"})) if "alignment" in path.stem.lower()]
    if only_for is not None:
        logs = [path for path in logs if path.stem.startswith(only_for)]
    return next((path for path in logs if path.stem.lower() == "alignment"), logs[0] if logs else None)


def frame_number(stem: str) -> int | None:
    """Return the trailing digits of a name as a number: `blur_0012` is 12."""
    digits = re.search(r"\d+$", stem)
    return int(digits.group()) if digits else None


def shorten(names: Sequence[str]) -> str:
    """Join the first few names and count the rest."""
    shown = ", ".join(names[:NAMES_IN_A_FINDING])
    left = len(names) - NAMES_IN_A_FINDING
    return f"{shown} and {left} more" if left > 0 else shown


def match_names(
    frames: Sequence[str], others: Sequence[str]
) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """Find each frame's partner: the same stem, else the same trailing number where numbers are unique.

    Returns the partner's index for every frame (None where there is none) and the indices left over.
    """
    by_stem = {stem: at for at, stem in reversed(list(enumerate(others)))}
    partners = [by_stem.get(stem) for stem in frames]
    if None in partners:
        taken = {at for at in partners if at is not None}
        by_number = _unique_numbers([(at, stem) for at, stem in enumerate(others) if at not in taken])
        lonely = _unique_numbers([(at, stem) for at, stem in enumerate(frames) if partners[at] is None])
        for number, at in lonely.items():
            partners[at] = by_number.get(number)
    taken = {at for at in partners if at is not None}
    return tuple(partners), tuple(at for at in range(len(others)) if at not in taken)


def _unique_numbers(stems: Sequence[tuple[int, str]]) -> dict[int, int]:
    numbered = [(number, at) for at, stem in stems if (number := frame_number(stem)) is not None]
    counts = Counter(number for number, _ in numbered)
    return {number: at for number, at in numbered if counts[number] == 1}


def missing_numbers(stems: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers that a series skips, measured against its most common step.

    Names that differ in more than their trailing digits are no series.
    """
    matches = [re.fullmatch(r"(.*?)(\d+)", stem) for stem in stems]
    prefixes = {match.group(1) if match else None for match in matches}
    if len(stems) < 3 or len(prefixes) > 1 or None in prefixes:
        return ()
    numbers = sorted({int(match.group(2)) for match in matches if match})
    steps = Counter(b - a for a, b in itertools.pairwise(numbers))
    if not steps:
        return ()
    step = min(steps, key=lambda s: (-steps[s], s))
    gaps: list[int] = []
    for a, b in itertools.pairwise(numbers):
        if b - a > step and (b - a) // step <= 1_000_000:
            gaps.extend(range(a + step, b, step))
    return tuple(gaps)
