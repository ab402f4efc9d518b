"""From what a user drops, picks or types to what `open_sequence` is asked for. No Qt, no reading of files."""

from collections.abc import Sequence
from pathlib import Path

from engine.source import SequenceSource

RECORDING_SUFFIXES = (".dat", ".npy", ".npz")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm")
ALIGNMENT_SUFFIXES = (".csv",)


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def source_from_paths(paths: Sequence[Path]) -> tuple[SequenceSource | None, tuple[Path, ...]]:
    """Return what to open for `paths`, and the paths that found no place in it.

    One folder or file is opened as it is; a picture stands for its folder. Frames (folder, video or
    pictures) together with a recording or an alignment log become one sequence.
    """
    recordings = [path for path in paths if _suffix(path) in RECORDING_SUFFIXES and not path.is_dir()]
    logs = [path for path in paths if _suffix(path) in ALIGNMENT_SUFFIXES and not path.is_dir()]
    others = [path for path in paths if path not in recordings and path not in logs]
    frames = list(
        dict.fromkeys(path.parent if _suffix(path) in PICTURE_SUFFIXES else path for path in others)
    )
    used: list[Path] = []
    if frames:
        main, *left = frames
        spikes = recordings[0] if recordings else None
    elif recordings:
        main, left, spikes = recordings[0], [], None
    else:
        return None, tuple(paths)
    alignment = logs[0] if logs else None
    used = [path for path in (main, spikes, alignment) if path is not None]
    unused = [path for path in (*left, *recordings, *logs) if path not in used]
    source = SequenceSource(
        path=str(main),
        spikes=None if spikes is None else str(spikes),
        alignment=None if alignment is None else str(alignment),
    )
    return source, tuple(unused)


def is_recording(path: Path) -> bool:
    return _suffix(path) in RECORDING_SUFFIXES and not path.is_dir()
