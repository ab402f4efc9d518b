"""Loose: any folder of pictures or video file, with whatever reference and spikes the user points at.

A single recording in the folder, or one named like the video beside it, is taken for the spikes.
"""

from pathlib import Path

from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    RECORDING_SUFFIXES,
    VIDEO_SUFFIXES,
    find_alignment_log,
    find_sidecar,
    pictures_in,
    recordings_in,
)


def recognise(path: Path) -> SequenceFiles | None:
    """Describe a folder that holds pictures, or a video file."""
    if path.is_dir():
        frames = pictures_in(path)
        return _describe_folder(path, frames) if frames else None
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return None
    beside = [path.with_suffix(suffix) for suffix in sorted(RECORDING_SUFFIXES)]
    return SequenceFiles(
        layout="loose",
        name=path.stem,
        video=path,
        spikes=next((recording for recording in beside if recording.is_file()), None),
        alignment=find_alignment_log(path.parent),
        sidecar=find_sidecar(path.parent),
    )


def _describe_folder(folder: Path, frames: tuple[Path, ...]) -> SequenceFiles | None:
    recordings = recordings_in(folder)
    if len(recordings) > 1:
        return None
    findings = tuple(f"{path.name} is taken for the spikes" for path in recordings)
    return SequenceFiles(
        layout="loose",
        name=folder.resolve().name,
        frames=frames,
        spikes=recordings[0] if recordings else None,
        alignment=find_alignment_log(folder),
        sidecar=find_sidecar(folder, folder.parent),
        findings=findings,
    )
