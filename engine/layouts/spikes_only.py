"""A recording alone, perhaps with the sharp picture of one of its planes beside it.

<name>.dat, <name>.png             the picture of the middle, or of plane N of `…key_id<N>`
spike/<name>.dat, gt/<name>.png    one recording of a spike set
"""

import contextlib
import re
from pathlib import Path

from engine.errors import FrameError
from engine.findings import Finding
from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    RECORDING_SUFFIXES,
    find_alignment_log,
    find_sidecar,
    pictures_in,
    recordings_in,
)
from engine.layouts.spike_set import REFERENCE_FOLDERS, exposure_of
from engine.layouts.unified import FRAME_FOLDERS
from engine.pictures import is_stack

_KEY_PLANE = re.compile(r"key_id(\d+)$")


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the recording at `path`, or the only one in the folder `path`."""
    if path.is_dir():
        recordings, pictures = recordings_in(path), pictures_in(path)
        if len(recordings) != 1 or any(p.stem != recordings[0].stem for p in pictures):
            return None
        if _are_frames(pictures):
            return None
        path = recordings[0]
    elif path.suffix.lower() not in RECORDING_SUFFIXES:
        return None
    folder = path.parent
    empty = [name for name in FRAME_FOLDERS if (folder / name).is_dir() and not pictures_in(folder / name)]
    return SequenceFiles(
        layout="spikes only",
        name=path.stem,
        references=_picture_of(path),
        spikes=path,
        exposure_planes=exposure_of(path),
        alignment=find_alignment_log(folder, None if len(recordings_in(folder)) == 1 else path.stem),
        sidecar=find_sidecar(folder, folder.parent),
        findings=tuple(
            Finding(
                f"{name}/ holds no pictures: the frames are made of spikes", f"Put the frames into {name}/"
            )
            for name in empty
        ),
    )


def _are_frames(pictures: tuple[Path, ...]) -> bool:
    """Whether the only picture beside a recording is a stack: not one sharp picture, but the frames."""
    with contextlib.suppress(FrameError):
        return len(pictures) == 1 and is_stack(pictures[0])
    return False


def _picture_of(recording: Path) -> tuple[Path, ...]:
    """The sharp picture beside a recording, or in the reference folder beside its folder."""
    folders = (recording.parent, *(recording.parent.parent / name for name in REFERENCE_FOLDERS))
    for folder in folders:
        for picture in pictures_in(folder):
            if picture.stem == recording.stem:
                return (picture,)
    return ()


def key_plane(name: str) -> int | None:
    """Return the plane that a recording's picture shows where its name says so: `key_id151` is plane 150."""
    match = _KEY_PLANE.search(name)
    return int(match[1]) - 1 if match and int(match[1]) > 0 else None
