"""Folder listings in the order that people expect, and findings about them."""

from pathlib import Path

from engine.errors import SequenceError
from engine.file_names import composed, in_order
from engine.findings import NAMES_IN_A_FINDING as NAMES_IN_A_FINDING
from engine.findings import Finding, option
from engine.findings import shorten as shorten
from engine.suffixes import PICTURE_SUFFIXES as PICTURE_SUFFIXES
from engine.suffixes import STACK_SUFFIXES as STACK_SUFFIXES
from engine.suffixes import VIDEO_SUFFIXES as VIDEO_SUFFIXES

RECORDING_SUFFIXES = frozenset({".dat", ".npz", ".npy"})
BARE_SUFFIXES = frozenset({".bin", ".raw"})
"""Of packed planes too, and of so much else that only a name that says spikes makes them recordings."""
_LEFT_BY_SYSTEMS = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "icon\r"})
SIDECAR_NAME = "config.yaml"


def entries(folder: Path) -> list[Path]:
    """Return what a folder holds, in no order, without hidden files and what systems leave behind.

    Raises SequenceError when it cannot be listed.
    """
    try:
        found = list(folder.iterdir())
    except OSError as error:
        raise SequenceError(f"the folder cannot be read ({error.strerror})", path=folder) from error
    return [
        path for path in found if not path.name.startswith(".") and path.name.lower() not in _LEFT_BY_SYSTEMS
    ]


def files_with(folder: Path, suffixes: frozenset[str]) -> tuple[Path, ...]:
    """Return the files of `folder` that end in one of `suffixes`, whatever their case; none if no folder."""
    if not folder.is_dir():
        return ()
    wanted = [path for path in entries(folder) if path.suffix.lower() in suffixes]
    return tuple(in_order(path for path in wanted if path.is_file()))


def pictures_in(folder: Path) -> tuple[Path, ...]:
    return files_with(folder, PICTURE_SUFFIXES)


def recordings_in(folder: Path) -> tuple[Path, ...]:
    return files_with(folder, RECORDING_SUFFIXES)


def spike_files_in(folder: Path) -> tuple[Path, ...]:
    """Return the recordings of a folder that is there for spikes: bare ones where there are no others."""
    return recordings_in(folder) or files_with(folder, BARE_SUFFIXES)


def inside(folder: Path, name: str, *, any_case: bool = False) -> Path:
    """Return `folder / name`, or what lies there under another Unicode form of the name.

    `any_case` allows another case too, as for folders whose names we choose.
    """
    exact = folder / name
    if exact.is_symlink() or exact.exists() or not folder.is_dir():
        return exact
    wanted = composed(name)
    try:
        there = entries(folder)
    except SequenceError:  # a folder that may be passed through and not be listed
        return exact
    alike = [
        path
        for path in there
        if (found := composed(path.name)) == wanted or (any_case and found.lower() == wanted.lower())
    ]
    return min(alike, default=exact)


def taken_for_spikes(path: Path) -> Finding:
    """Say that a recording was chosen for being the only one there."""
    return Finding(f"{path.name} is taken for the spikes", f"Name {option('spikes')} where another is meant")


def folders_in(folder: Path) -> tuple[Path, ...]:
    return tuple(in_order(path for path in entries(folder) if path.is_dir()))


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
        logs = [path for path in logs if composed(path.stem).startswith(composed(only_for))]
    return next((path for path in logs if path.stem.lower() == "alignment"), logs[0] if logs else None)
