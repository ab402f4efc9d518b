"""Spike set: recordings without blurry frames, each with one sharp picture of its middle.

    <set>/spike/<name>.dat
    <set>/gt/<name>.png

Every recording is one frame; its blurry picture is made from its spikes.
"""

from pathlib import Path

from engine.layouts.files import SequenceFiles
from engine.layouts.listing import find_sidecar, folder_name, pictures_in, recordings_in

SPIKE_FOLDER = "spike"
REFERENCE_FOLDERS = ("gt", "sharp")
S_SDM_PLANES = 137
S_SDM_EXPOSURE_PLANES = 97.0
"""S-SDM's recordings of 137 planes reach 20 planes beyond the exposure at either end."""
S_SDM_BYTES = 986_400


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the set at `path`, its `spike` folder or its `gt` folder; the reference may be missing."""
    if not path.is_dir():
        return None
    folder = path.parent if path.name in (SPIKE_FOLDER, *REFERENCE_FOLDERS) else path
    recordings = recordings_in(folder / SPIKE_FOLDER)
    references = next((p for name in REFERENCE_FOLDERS if (p := pictures_in(folder / name))), ())
    if not recordings:
        return None
    return SequenceFiles(
        layout="spike set",
        name=folder_name(folder),
        references=references,
        spikes=folder / SPIKE_FOLDER,
        exposure_planes=exposure_of(recordings[0]),
        sidecar=find_sidecar(folder / SPIKE_FOLDER, folder, folder.parent),
    )


def exposure_of(recording: Path) -> float | None:
    """Return the exposure that a recording of the set is known for by its size."""
    return S_SDM_EXPOSURE_PLANES if recording.stat().st_size == S_SDM_BYTES else None
