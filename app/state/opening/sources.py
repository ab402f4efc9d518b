"""From what a user drops, picks or types to what `open_sequence` is asked for. No Qt.

No file is read but a TIFF's list of pages: one with several pictures is a sequence of its own.
"""

from collections.abc import Sequence
from pathlib import Path

import resources
from engine.errors import FrameError
from engine.layouts import listing
from engine.source import SequenceSource

RECORDING_SUFFIXES = tuple(sorted(listing.RECORDING_SUFFIXES | listing.BARE_SUFFIXES))
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
VIDEO_SUFFIXES = tuple(sorted(listing.VIDEO_SUFFIXES))
ALIGNMENT_SUFFIXES = (".csv",)
SAMPLE = "city"


def sample_path() -> Path:
    """Return the folder of the bundled sequence."""
    return Path(resources.__file__).parent / "samples" / SAMPLE


def sample_source() -> SequenceSource:
    """Return what opens the bundled sequence."""
    return SequenceSource(str(sample_path()))


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def sources_from_paths(paths: Sequence[Path]) -> tuple[tuple[SequenceSource, ...], tuple[Path, ...]]:
    """Return what to open for `paths`, and the paths that found no place in it.

    Every folder or file is opened as it is; a picture stands for its folder, unless it is a stack of several.
    A recording or an alignment log belongs to the frames (folder, video, stack or pictures) beside it: to
    the only ones there are, else to those of its own name.
    """
    recordings = [path for path in paths if _suffix(path) in RECORDING_SUFFIXES and not path.is_dir()]
    logs = [path for path in paths if _suffix(path) in ALIGNMENT_SUFFIXES and not path.is_dir()]
    others = [path for path in paths if path not in recordings and path not in logs]
    frames = list(
        dict.fromkeys(
            path.parent if _suffix(path) in PICTURE_SUFFIXES and not _is_stack(path) else path
            for path in others
        )
    )
    mains = frames or recordings
    used: set[Path] = set(mains)
    sources = []
    for main in mains:
        spikes = _belonging(main, frames, recordings) if frames else None
        alignment = _belonging(main, mains, logs)
        used |= {path for path in (spikes, alignment) if path is not None}
        sources.append(
            SequenceSource(
                path=str(main),
                spikes=None if spikes is None else str(spikes),
                alignment=None if alignment is None else str(alignment),
            )
        )
    return tuple(sources), tuple(path for path in (*recordings, *logs) if path not in used)


def _belonging(main: Path, mains: Sequence[Path], candidates: Sequence[Path]) -> Path | None:
    """Return which of some files belongs to `main`, one of `mains`."""
    if len(mains) == 1:
        return candidates[0] if candidates else None
    return next((path for path in candidates if path.stem == main.stem), None)


def _is_stack(path: Path) -> bool:
    """Whether a file is a sequence of pictures; one that cannot be read is told of by its folder."""
    from engine.layouts.listing import STACK_SUFFIXES
    from engine.pictures import is_stack  # decoders are not for the start of the window

    if _suffix(path) not in STACK_SUFFIXES:
        return False
    try:
        return is_stack(path)
    except FrameError:
        return False


def is_recording(path: Path) -> bool:
    return _suffix(path) in RECORDING_SUFFIXES and not path.is_dir()


def have_same_frames(one: SequenceSource, other: SequenceSource) -> bool:
    """Whether both have the same frames, so that results of one are results of the other.

    Another `flat` makes results stale, as another recording does.
    """
    shape = ("path", "height", "width", "flip", "msb_first", "exposure_planes", "stride_planes")
    virtual = (*shape, "time_unit", "white")
    return all(getattr(one, name) == getattr(other, name) for name in virtual)
