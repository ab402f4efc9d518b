"""Spike set: recordings without blurry frames, each with one sharp picture of its middle.

    <set>/spike/<name>.dat
    <set>/gt/<name>.png

Every recording is one frame; its blurry picture is made from its spikes.
"""

from collections.abc import Sequence
from pathlib import Path

from engine.findings import Finding, option
from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    VIDEO_SUFFIXES,
    files_with,
    find_sidecar,
    folder_name,
    inside,
    pictures_in,
    recordings_in,
    shorten,
    spike_files_in,
)
from engine.layouts.unread import spike_folder_unread, unread_in

SPIKE_FOLDER = "spike"
REFERENCE_FOLDERS = ("gt", "sharp")
S_SDM_PLANES = 137
S_SDM_EXPOSURE_PLANES = 97.0
"""S-SDM's recordings of 137 planes reach 20 planes beyond the exposure at either end."""
S_SDM_BYTES = 986_400


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the set at `path`, its `spike` folder or its `gt` folder; the reference may be missing.

    One recording beside one video is no set: they belong together.
    """
    if not path.is_dir():
        return None
    folder = path.parent if path.name.lower() in (SPIKE_FOLDER, *REFERENCE_FOLDERS) else path
    spikes = inside(folder, SPIKE_FOLDER, any_case=True)
    recordings = spike_files_in(spikes)
    videos = files_with(folder, VIDEO_SUFFIXES)
    if not recordings or (len(recordings) == len(videos) == 1 and not recordings_in(folder)):
        return None
    reference_folders = [inside(folder, name, any_case=True) for name in REFERENCE_FOLDERS]
    references = next((p for one in reference_folders if (p := pictures_in(one))), ())
    return SequenceFiles(
        layout="spike set",
        name=folder_name(folder),
        references=references,
        spikes=spikes,
        exposure_planes=exposure_of(recordings[0]),
        sidecar=find_sidecar(spikes, folder, folder.parent),
        findings=(
            *spike_folder_unread(spikes, f"{spikes.name}/"),
            *(finding for one in reference_folders for finding in unread_in(one).findings(f"{one.name}/")),
            *videos_unused(videos),
        ),
    )


def videos_unused(videos: Sequence[Path]) -> tuple[Finding, ...]:
    """Say that videos lie beside what is opened and are not part of it."""
    if not videos:
        return ()
    return (
        Finding(
            f"videos that are not used: {shorten([path.name for path in videos])}",
            f"Open the video itself with {option('spikes', words='its recording')} where it holds the frames",
        ),
    )


def exposure_of(recording: Path) -> float | None:
    """Return the exposure that a recording of the set is known for by its size."""
    return S_SDM_EXPOSURE_PLANES if recording.stat().st_size == S_SDM_BYTES else None
