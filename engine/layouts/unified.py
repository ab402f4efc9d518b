"""Unified layout: one folder a sequence.

<seq>/blur/*.png            or blur_gamma/, whose blur was made in linear light
<seq>/sharp/*.png           reference, optional
<seq>/spike/<frame>.dat     one recording a frame, or
<seq>/spike.dat             one recording for all frames; both optional
<seq>/alignment.csv, <seq>/config.yaml
"""

from pathlib import Path

from engine.findings import Finding
from engine.layouts.files import SequenceFiles
from engine.layouts.listing import (
    RECORDING_SUFFIXES,
    find_alignment_log,
    find_sidecar,
    folder_name,
    pictures_in,
    recordings_in,
    taken_for_spikes,
)

FRAME_FOLDERS = ("blur", "blur_gamma")
REFERENCE_FOLDER = "sharp"
SPIKE_FOLDER = "spike"
GAMMA_OF_LINEAR_BLUR = 2.2


def recognise(path: Path) -> SequenceFiles | None:
    """Describe the sequence that `path` is, or one of whose folders it is."""
    if not path.is_dir():
        return None
    chosen: tuple[str, ...] = FRAME_FOLDERS
    folder = path
    if path.name in (*FRAME_FOLDERS, REFERENCE_FOLDER, SPIKE_FOLDER):
        folder = path.parent
        if path.name in FRAME_FOLDERS:
            chosen = (path.name,)
    frames_in = next((folder / name for name in chosen if pictures_in(folder / name)), None)
    if frames_in is None:
        return None
    spikes, findings = spikes_beside(folder)
    return SequenceFiles(
        layout="unified",
        name=folder_name(folder),
        frames=pictures_in(frames_in),
        references=pictures_in(folder / REFERENCE_FOLDER),
        spikes=spikes,
        gamma=GAMMA_OF_LINEAR_BLUR if frames_in.name == "blur_gamma" else None,
        alignment=find_alignment_log(folder),
        sidecar=find_sidecar(folder, folder.parent),
        findings=findings,
    )


def spikes_beside(folder: Path) -> tuple[Path | None, tuple[Finding, ...]]:
    """Return the recording, or folder of recordings, of a sequence folder, and what was odd about it."""
    in_folder = recordings_in(folder / SPIKE_FOLDER)
    named = next(
        (p for suffix in sorted(RECORDING_SUFFIXES) if (p := folder / f"{SPIKE_FOLDER}{suffix}").is_file()),
        None,
    )
    if in_folder:
        also = (
            ()
            if named is None
            else (
                Finding(
                    f"both {SPIKE_FOLDER}/ and {named.name} are there; the folder is used",
                    "Name the recording (spikes) where the file is meant",
                ),
            )
        )
        return folder / SPIKE_FOLDER, also
    if named is not None:
        return named, ()
    others = [path for path in recordings_in(folder) if path.suffix.lower() == ".dat"]
    if len(others) == 1:
        return others[0], (taken_for_spikes(others[0]),)
    return None, ()
