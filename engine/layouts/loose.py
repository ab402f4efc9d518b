"""Loose: pictures in any folder, a video or a TIFF stack, with what reference and spikes the user points at.

A single recording in the folder, or one named like the video beside it, is taken for the spikes.
"""

from pathlib import Path

from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    RECORDING_SUFFIXES,
    VIDEO_SUFFIXES,
    files_with,
    find_alignment_log,
    find_sidecar,
    folder_name,
    pictures_in,
    recordings_in,
    taken_for_spikes,
)
from engine.pictures import STACK_SUFFIXES, is_stack


def recognise(path: Path) -> SequenceFiles | None:
    """Describe a folder that holds pictures or one video, a video file or a TIFF stack."""
    if path.is_dir():
        frames = pictures_in(path)
        if frames:
            return _describe_folder(path, frames)
        videos = files_with(path, VIDEO_SUFFIXES)
        if len(videos) != 1:
            return None
        path = videos[0]
    elif path.suffix.lower() in STACK_SUFFIXES:
        return _describe_stack(path) if is_stack(path) else None
    elif path.suffix.lower() not in VIDEO_SUFFIXES:
        return None
    beside = [path.with_suffix(suffix) for suffix in sorted(RECORDING_SUFFIXES)]
    return SequenceFiles(
        layout="loose",
        name=path.stem,
        video=path,
        spikes=next((recording for recording in beside if recording.is_file()), None),
        alignment=find_alignment_log(path.parent, None if _is_only_video(path) else path.stem),
        sidecar=find_sidecar(path.parent),
    )


def _describe_stack(path: Path) -> SequenceFiles:
    beside = [path.with_suffix(suffix) for suffix in sorted(RECORDING_SUFFIXES)]
    is_alone = pictures_in(path.parent) == (path,)
    return SequenceFiles(
        layout="loose",
        name=path.stem,
        frames=(path,),
        spikes=next((recording for recording in beside if recording.is_file()), None),
        alignment=find_alignment_log(path.parent, None if is_alone else path.stem),
        sidecar=find_sidecar(path.parent),
    )


def _is_only_video(path: Path) -> bool:
    return len(files_with(path.parent, VIDEO_SUFFIXES)) == 1


def _describe_folder(folder: Path, frames: tuple[Path, ...]) -> SequenceFiles | None:
    recordings = recordings_in(folder)
    if len(recordings) > 1:
        return None
    findings = tuple(taken_for_spikes(path) for path in recordings)
    return SequenceFiles(
        layout="loose",
        name=folder_name(folder),
        frames=frames,
        spikes=recordings[0] if recordings else None,
        alignment=find_alignment_log(folder),
        sidecar=find_sidecar(folder, folder.parent),
        findings=findings,
    )
