"""Whether files on the disk are still those that something was found out about."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIDE_SUFFIXES = frozenset({".csv", ".yaml", ".yml"})
"""Of files that change how others are read as soon as they are there."""
SHOWN_CHANGES = 3


@dataclass(frozen=True)
class FolderStamp:
    """Files of one folder as they were."""

    folder: str
    files: tuple[tuple[str, int, int], ...]
    """Name, bytes and time of the last change (ns since 1970)."""
    is_whole: bool
    """Nothing else that could belong to them lay there, so that a further file is a change, too."""


class Listings:
    """Folders listed once each, however many sequences lie in them. For one pass: nothing is listed again."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}

    def names(self, folder: str) -> frozenset[str]:
        """Return what lies in a folder, hidden files left out; nothing where it cannot be listed."""
        if folder not in self._names:
            try:
                with os.scandir(folder) as entries:
                    found = frozenset(entry.name for entry in entries if not entry.name.startswith("."))
            except OSError:
                found = frozenset()
            self._names[folder] = found
        return self._names[folder]


def stamp(paths: Iterable[Path], listings: Listings | None = None) -> tuple[FolderStamp, ...]:
    """Note down files by folder, and with `listings` whether anything else lies there.

    Raises OSError for one that is not there.
    """
    folders: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for path in dict.fromkeys(paths):
        about = path.stat()
        folders[str(path.parent)].append((path.name, about.st_size, about.st_mtime_ns))
    return tuple(
        FolderStamp(
            folder, tuple(files), is_whole=listings is not None and not _others(folder, files, listings)
        )
        for folder, files in folders.items()
    )


def changes(stamps: Iterable[FolderStamp], listings: Listings) -> list[str]:
    """Say which files are gone, changed or new."""
    found = []
    for of_folder in stamps:
        for name, size_bytes, changed_ns in of_folder.files:
            path = Path(of_folder.folder, name)
            try:
                about = path.stat()
            except OSError as error:
                found.append(f"{path} ({error.strerror or 'not there'})")
                continue
            if about.st_size != size_bytes:
                found.append(f"{path} ({about.st_size} bytes, not {size_bytes})")
            elif about.st_mtime_ns != changed_ns:
                found.append(f"{path} (written anew)")
        if of_folder.is_whole:
            others = _others(of_folder.folder, of_folder.files, listings)
            found += [f"{Path(of_folder.folder, name)} (new)" for name in others]
    return found


def shortened(found: Sequence[str]) -> str:
    """Return the first changes, and how many more there are."""
    left = len(found) - SHOWN_CHANGES
    return ", ".join(found[:SHOWN_CHANGES]) + (f" and {left} more" if left > 0 else "")


def stamps_from(told: Any) -> tuple[FolderStamp, ...]:
    """Return stamps as JSON gives them back. Raises KeyError, TypeError, ValueError."""
    return tuple(
        FolderStamp(
            one["folder"],
            tuple((str(name), int(size), int(changed)) for name, size, changed in one["files"]),
            bool(one["is_whole"]),
        )
        for one in told
    )


def _others(folder: str, files: Iterable[tuple[str, int, int]], listings: Listings) -> list[str]:
    names = {name for name, _, _ in files}
    kinds = SIDE_SUFFIXES | {Path(name).suffix.lower() for name in names}
    return sorted(name for name in listings.names(folder) - names if Path(name).suffix.lower() in kinds)
