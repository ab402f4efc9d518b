"""Data set layouts: what lies at a path, decided by what is there.

`recognise` asks one layout after the other, the most telling names first. All are pure functions of
the file system; nothing is opened but TIFF files named by themselves, which may be stacks.
"""

import os
from pathlib import Path

from engine.errors import SequenceError
from engine.layouts import gopro_spike, loose, spike_set, spikes_only, unified, x4k_spike
from engine.layouts.files import LayoutName, SequenceFiles
from engine.layouts.listing import (
    PICTURE_SUFFIXES,
    RECORDING_SUFFIXES,
    STACK_SUFFIXES,
    VIDEO_SUFFIXES,
    entries,
    files_with,
    folders_in,
    recordings_in,
    shorten,
)
from engine.layouts.unread import DRAWN_SUFFIXES, unread_pictures_in

__all__ = ["LayoutName", "SequenceFiles", "list_sequences", "recognise"]

_LAYOUTS = (x4k_spike, gopro_spike, unified, spike_set, spikes_only, loose)


def recognise(path: Path) -> SequenceFiles:
    """Describe the sequence at `path`.

    Raises SequenceError when there is none, or when `path` holds several, UnreadFramesError when it has
    frames and none of them is of a kind that is read.
    """
    if not path.exists():
        if path.is_symlink():
            raise SequenceError("the link leads nowhere", path=path, advice="Open what it should lead to")
        raise SequenceError("nothing is there", path=path, advice="Check the spelling")
    if not path.is_file() and not path.is_dir():
        raise SequenceError(
            "neither a file nor a folder",
            path=path,
            found="a pipe or a device",
            advice="Save its content as a file first",
        )
    for layout in _LAYOUTS:
        files = layout.recognise(path)
        if files is not None:
            return files
    if path.is_file():
        raise SequenceError(
            "not a sequence",
            path=path,
            found="a picture" if path.suffix.lower() in PICTURE_SUFFIXES else f"suffix '{path.suffix}'",
            expected="a folder, a recording "
            f"({' '.join(sorted(RECORDING_SUFFIXES))}), a video ({' '.join(sorted(VIDEO_SUFFIXES))}) "
            f"or a stack of pictures ({' '.join(sorted(STACK_SUFFIXES))})",
            advice="Open the folder that holds it",
        )
    sequences = list_sequences(path)
    if sequences:
        error = SequenceError(
            "several sequences are in this folder" if len(sequences) > 1 else "the sequence lies deeper",
            path=path,
            found=shorten([_inside(path, sequence) for sequence in sequences]),
            advice="Open one of them" if len(sequences) > 1 else "Open it",
        )
        error.sequences = tuple(sequences)
        raise error
    if _has_unread_frames(path):
        raise unread_pictures_in(path).error()
    raise SequenceError(
        "no sequence is in this folder",
        path=path,
        found=shorten([_described(entry) for entry in sorted(path.iterdir())]) or "an empty folder",
        expected="pictures, a blur/ folder, or spike recordings",
        advice="Open a folder of blurry frames or a recording",
    )


def list_sequences(root: Path, *, levels: int = 3) -> list[Path]:
    """Return what can be opened inside a folder, looking at most `levels` folders deep.

    Folders whose frames cannot be read are among them: opening one says why.
    """
    if not root.is_dir():
        return []
    for layout in (x4k_spike, gopro_spike):
        clips = layout.list_sequences(root)
        if clips:
            return clips
    found = list(files_with(root, RECORDING_SUFFIXES | VIDEO_SUFFIXES))
    for folder in folders_in(root):
        if _is_closed(folder):
            # One such folder, as lost+found, does not hide its neighbours.
            continue
        try:
            if any(layout.recognise(folder) is not None for layout in _LAYOUTS):
                found.append(folder)
                continue
        except (OSError, SequenceError):
            found.append(folder)
            continue
        deeper = list_sequences(folder, levels=levels - 1) if levels > 1 else []
        found += deeper or ([folder] if _has_unread_frames(folder) else [])
    return found


def _is_closed(folder: Path) -> bool:
    try:
        entries(folder)
    except SequenceError:
        return True
    return not os.access(folder, os.X_OK)


def _has_unread_frames(folder: Path) -> bool:
    """Whether a folder, which is no sequence, holds pictures from a camera that cannot be read."""
    frames = unread_pictures_in(folder).frames
    return not recordings_in(folder) and any(path.suffix.lower() not in DRAWN_SUFFIXES for path in frames)


def _described(path: Path) -> str:
    leads_nowhere = path.is_symlink() and not path.exists()
    return f"{path.name} (a link that leads nowhere)" if leads_nowhere else path.name


def _inside(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
