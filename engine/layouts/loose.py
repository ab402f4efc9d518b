"""Loose: pictures in any folder, a video or a TIFF stack, with what reference and spikes the user points at.

A single recording in the folder of pictures or of the only video is taken for the spikes, whatever its name;
of several videos each has the recording of its own name.
"""

from collections.abc import Sequence
from pathlib import Path

from engine.file_names import same_name
from engine.findings import Finding
from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    STACK_SUFFIXES,
    VIDEO_SUFFIXES,
    files_with,
    find_alignment_log,
    find_sidecar,
    folder_name,
    inside,
    pictures_in,
    recordings_in,
    taken_for_spikes,
)
from engine.layouts.spike_set import REFERENCE_FOLDERS, videos_unused
from engine.layouts.unified import spikes_beside
from engine.layouts.unread import spikes_unread, unread_in, unread_pictures_in
from engine.pictures import is_stack

Findings = tuple[Finding, ...]


def recognise(path: Path) -> SequenceFiles | None:
    """Describe a folder that holds pictures or one video, a video file or a TIFF stack."""
    if path.is_dir():
        frames = pictures_in(path)
        if frames:
            return _describe_folder(path, frames)
        videos = files_with(path, VIDEO_SUFFIXES)
        return _describe_video(videos[0], path) if len(videos) == 1 else None
    if path.suffix.lower() in STACK_SUFFIXES:
        return _describe_stack(path) if is_stack(path) else None
    return _describe_video(path, path.parent) if path.suffix.lower() in VIDEO_SUFFIXES else None


def _describe_video(video: Path, folder: Path) -> SequenceFiles:
    videos = files_with(folder, VIDEO_SUFFIXES)
    is_only = len(videos) == 1
    spikes, about_spikes = _spikes_of_film(video, folder, videos)
    reference_folders = [inside(folder, name, any_case=True) for name in REFERENCE_FOLDERS if is_only]
    return SequenceFiles(
        layout="loose",
        name=video.stem,
        video=video,
        references=next((p for one in reference_folders if (p := pictures_in(one))), ()),
        spikes=spikes,
        alignment=find_alignment_log(folder, None if is_only else video.stem),
        sidecar=find_sidecar(folder),
        findings=(
            *about_spikes,
            *(finding for one in reference_folders for finding in unread_in(one).findings(f"{one.name}/")),
        ),
        about_spikes=about_spikes,
    )


def _describe_stack(stack: Path) -> SequenceFiles:
    folder = stack.parent
    pictures = pictures_in(folder)
    spikes, about_spikes = _spikes_of_film(stack, folder, pictures)
    return SequenceFiles(
        layout="loose",
        name=stack.stem,
        frames=(stack,),
        spikes=spikes,
        alignment=find_alignment_log(folder, None if len(pictures) == 1 else stack.stem),
        sidecar=find_sidecar(folder),
        findings=about_spikes,
        about_spikes=about_spikes,
    )


def _spikes_of_film(film: Path, folder: Path, films: Sequence[Path]) -> tuple[Path | None, Findings]:
    """The recording of the name of a video or stack; beside the only one also one of another name."""
    recordings = recordings_in(folder)
    own = [path for path in recordings if same_name(path.stem, film.stem)]
    if own or len(films) > 1:
        of_others = [path for path in recordings if any(same_name(path.stem, one.stem) for one in films)]
        return next(iter(own), None), spikes_unread(folder, *own, *of_others)
    spikes, findings = spikes_beside(folder)
    if spikes is None and len(recordings) == 1:
        return recordings[0], (taken_for_spikes(recordings[0]), *spikes_unread(folder, recordings[0]))
    return spikes, findings


def _describe_folder(folder: Path, frames: tuple[Path, ...]) -> SequenceFiles | None:
    recordings = recordings_in(folder)
    if len(recordings) > 1:
        return None
    unread = unread_pictures_in(folder)
    spikes = recordings[0] if recordings else None
    about_spikes = (*map(taken_for_spikes, recordings), *spikes_unread(folder, spikes))
    return SequenceFiles(
        layout="loose",
        name=folder_name(folder),
        frames=frames,
        lost_frames=unread.lost,
        spikes=spikes,
        alignment=find_alignment_log(folder),
        sidecar=find_sidecar(folder, folder.parent),
        findings=(
            *about_spikes,
            *unread.findings(f"{folder_name(folder)}/"),
            *videos_unused(files_with(folder, VIDEO_SUFFIXES)),
        ),
        about_spikes=about_spikes,
    )
