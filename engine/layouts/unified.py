"""Unified layout: one folder a sequence.

<seq>/blur/*.png            or blur_gamma/, whose blur was made in linear light; or blur.mp4
<seq>/sharp/*.png           reference, optional; or sharp.mp4 beside blur.mp4
<seq>/spike/<frame>.dat     one recording a frame, or
<seq>/spike.dat             one recording for all frames; both optional
<seq>/alignment.csv, <seq>/config.yaml

The folders may be written in other case.
"""

from pathlib import Path

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
    inside,
    pictures_in,
    recordings_in,
    spike_files_in,
    taken_for_spikes,
)
from engine.layouts.unread import (
    Unread,
    archives_of,
    spike_folder_unread,
    spikes_unread,
    unread_in,
)

FRAME_FOLDERS = ("blur", "blur_gamma")
REFERENCE_FOLDER = "sharp"
SPIKE_FOLDER = "spike"
GAMMA_OF_LINEAR_BLUR = 2.2


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the sequence that `path` is, or one of whose folders it is.

    Raises UnreadFramesError where the folder of frames holds frames of kinds that are not read.
    """
    if not path.is_dir() and not (path.is_symlink() and path.name in FRAME_FOLDERS):
        return None
    chosen: tuple[str, ...] = FRAME_FOLDERS
    folder = path
    if path.name.lower() in (*FRAME_FOLDERS, REFERENCE_FOLDER, SPIKE_FOLDER):
        folder = path.parent
        if path.name.lower() in FRAME_FOLDERS:
            chosen = (path.name,)
    frame_folders = [inside(folder, name, any_case=True) for name in chosen]
    frames_in = next((one for one in frame_folders if pictures_in(one)), None)
    video = _video_of(folder, frame_folders) if frames_in is None else None
    unread = [unread_in(one).without(video) for one in frame_folders]
    if frames_in is None and video is None:
        _refuse_unread(folder, [*unread, archives_of(folder, chosen)])
        return None
    spikes, about_spikes = spikes_beside(folder)
    sharp = inside(folder, REFERENCE_FOLDER, any_case=True)
    references = pictures_in(sharp)
    if video is not None and not references:
        references = files_with_name(folder, REFERENCE_FOLDER, VIDEO_SUFFIXES)[:1]
    places = (frames_in,) if frames_in else (video.with_suffix(""), video.parent) if video else ()
    linear = any(place.name.lower() == FRAME_FOLDERS[1] for place in places)
    return SequenceFiles(
        layout="unified",
        name=folder_name(folder),
        frames=() if frames_in is None else pictures_in(frames_in),
        lost_frames=next((one.lost for one in unread if one.folder == frames_in), ()),
        video=video,
        references=references,
        spikes=spikes,
        gamma=GAMMA_OF_LINEAR_BLUR if linear else None,
        alignment=find_alignment_log(folder),
        sidecar=find_sidecar(folder, folder.parent),
        findings=(
            *about_spikes,
            *(finding for one in unread for finding in one.findings(f"{one.folder.name}/")),
            *unread_in(sharp).findings(f"{sharp.name}/"),
        ),
        about_spikes=about_spikes,
    )


def _video_of(folder: Path, frame_folders: list[Path]) -> Path | None:
    """The video that stands in the place of a folder of frames, or is the only thing in one."""
    for one in frame_folders:
        named = files_with_name(folder, one.name, VIDEO_SUFFIXES)
        within = files_with(one, VIDEO_SUFFIXES)
        if named or len(within) == 1:
            return (*named, *within)[0]
    return None


def _refuse_unread(folder: Path, unread: list[Unread]) -> None:
    """Raise UnreadFramesError where there are frames that cannot be read.

    Files that may be anything are frames only beside spikes: a clip may be called blur as well.
    """
    with_spikes = bool(recordings_in(folder) or spike_files_in(inside(folder, SPIKE_FOLDER, any_case=True)))
    for one in unread:
        surely = one.frames or one.folder in one.links
        if surely or (with_spikes and (one.links or one.others or one.folders)):
            raise one.error()


def files_with_name(folder: Path, name: str, suffixes: frozenset[str]) -> tuple[Path, ...]:
    """Return the files of `folder` that are called `name`, in whatever case, and end in one of `suffixes`."""
    return tuple(path for path in files_with(folder, suffixes) if path.stem.lower() == name.lower())


def spikes_beside(folder: Path) -> tuple[Path | None, tuple[Finding, ...]]:
    """Return the recording, or folder of recordings, of a sequence folder, and what was odd about it."""
    spike_folder = inside(folder, SPIKE_FOLDER, any_case=True)
    named = next(iter(_named_spikes(folder)), None)
    odd = spike_folder_unread(spike_folder, f"{spike_folder.name}/")
    if spike_files_in(spike_folder):
        if named is not None:
            odd += (
                Finding(
                    f"both {spike_folder.name}/ and {named.name} are there; the folder is used",
                    f"Name {option('spikes')} where the file is meant",
                ),
            )
        return spike_folder, (*odd, *spikes_unread(folder, named or spike_folder))
    if named is not None:
        return named, (*odd, *spikes_unread(folder, named))
    others = [path for path in recordings_in(folder) if path.suffix.lower() == ".dat"]
    if len(others) == 1:
        return others[0], (*odd, taken_for_spikes(others[0]), *spikes_unread(folder, others[0]))
    return None, (*odd, *spikes_unread(folder))


def _named_spikes(folder: Path) -> tuple[Path, ...]:
    """Recordings that are called spike, those of a suffix of their own first."""
    found = files_with_name(folder, SPIKE_FOLDER, RECORDING_SUFFIXES | BARE_SUFFIXES)
    return tuple(sorted(found, key=lambda path: (path.suffix.lower() in BARE_SUFFIXES, path.suffix.lower())))
