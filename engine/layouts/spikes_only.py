"""A recording alone, perhaps with the sharp picture of one of its planes beside it.

<name>.dat, <name>.png             the picture of the middle, or of plane N of `…key_id<N>`
spike/<name>.dat, gt/<name>.png    one recording of a spike set
"""

import contextlib
import re
from pathlib import Path

from engine.errors import FrameError
from engine.file_names import same_name
from engine.findings import Finding, option
from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    BARE_SUFFIXES,
    RECORDING_SUFFIXES,
    VIDEO_SUFFIXES,
    files_with,
    find_alignment_log,
    find_sidecar,
    folder_name,
    folders_in,
    inside,
    pictures_in,
    recordings_in,
    shorten,
)
from engine.layouts.spike_set import REFERENCE_FOLDERS, exposure_of, videos_unused
from engine.layouts.unified import FRAME_FOLDERS
from engine.layouts.unread import (
    DRAWN_SUFFIXES,
    has_pictures,
    spikes_unread,
    unread_in,
    unread_pictures_in,
)
from engine.pictures import is_stack

RESULTS_NAME = "restore.json"
"""In a folder of pictures that were restored, which are no frames."""

_KEY_PLANE = re.compile(r"key_id(\d+)$")


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the recording at `path`, or the only one in the folder `path`.

    Raises UnreadFramesError where pictures lie beside the only one that are of kinds that are not read.
    """
    findings: tuple[Finding, ...] = ()
    if path.is_dir():
        recordings = recordings_in(path)
        if len(recordings) != 1 or _has_frames_beside(path, recordings[0]):
            return None
        path = recordings[0]
        findings = _unread_beside(path)
    elif path.suffix.lower() not in RECORDING_SUFFIXES | BARE_SUFFIXES:
        return None
    folder = path.parent
    return SequenceFiles(
        layout="spikes only",
        name=path.stem,
        references=_picture_of(path),
        spikes=path,
        exposure_planes=exposure_of(path),
        alignment=find_alignment_log(folder, None if len(recordings_in(folder)) == 1 else path.stem),
        sidecar=find_sidecar(folder, folder.parent),
        findings=(*_frames_missing(folder), *findings),
    )


def _has_frames_beside(folder: Path, recording: Path) -> bool:
    """Whether a recording has frames beside it: pictures of other names, a stack, or videos alone."""
    pictures = pictures_in(folder)
    if not pictures:
        return bool(files_with(folder, VIDEO_SUFFIXES))
    if any(not same_name(picture.stem, recording.stem) for picture in pictures):
        return True
    with contextlib.suppress(FrameError):
        return len(pictures) == 1 and is_stack(pictures[0])
    return False


def _unread_beside(recording: Path) -> tuple[Finding, ...]:
    folder = recording.parent
    unread = unread_pictures_in(folder)
    frames = [path for path in unread.frames if not same_name(path.stem, recording.stem)]
    if len(frames) > 1 or (frames and frames[0].suffix.lower() not in DRAWN_SUFFIXES):
        raise unread.error()
    label = f"{folder_name(folder)}/"
    elsewhere = [
        f"{one.name}/"
        for one in folders_in(folder)
        if one.name.lower() not in (*FRAME_FOLDERS, *REFERENCE_FOLDERS)
        and has_pictures(one)
        and not (one / RESULTS_NAME).exists()
    ]
    findings = [
        *unread.findings(label),
        *spikes_unread(folder, recording),
        *videos_unused(files_with(folder, VIDEO_SUFFIXES)),
    ]
    if elsewhere:
        findings.append(
            Finding(
                f"pictures beside the recording are not used: {shorten(elsewhere)}",
                f"Open their folder with {option('spikes')} where they are the frames",
            )
        )
    return tuple(findings)


def _frames_missing(folder: Path) -> tuple[Finding, ...]:
    """Say of folders that are there for frames why the frames are made of spikes all the same."""
    findings: list[Finding] = []
    for name in FRAME_FOLDERS:
        one = inside(folder, name, any_case=True)
        if pictures_in(one) or not (one.is_dir() or one.is_symlink()):
            continue
        if unread_in(one).frames:
            findings += unread_in(one).findings(f"{one.name}/")
        else:
            findings.append(
                Finding(
                    f"{one.name}/ holds no pictures: the frames are made of spikes",
                    f"Put the frames into {one.name}/",
                )
            )
    return tuple(findings)


def _picture_of(recording: Path) -> tuple[Path, ...]:
    """The sharp picture beside a recording, or in the reference folder beside its folder."""
    folders = (
        recording.parent,
        *(inside(recording.parent.parent, name, any_case=True) for name in REFERENCE_FOLDERS),
    )
    for folder in folders:
        for picture in pictures_in(folder):
            if same_name(picture.stem, recording.stem):
                return (picture,)
    return ()


def key_plane(name: str) -> int | None:
    """Return the plane that a recording's picture shows where its name says so: `key_id151` is plane 150."""
    match = _KEY_PLANE.search(name)
    return int(match[1]) - 1 if match and int(match[1]) > 0 else None
