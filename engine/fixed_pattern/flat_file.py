"""Read what a user names as a flat field: a kept pattern, summed counts or rates, or a recording."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError, RecordingError
from engine.fixed_pattern.flat_field import pattern_of_flat
from engine.fixed_pattern.kept import is_kept_pattern, read_pattern
from engine.fixed_pattern.matching import match_pattern
from engine.fixed_pattern.pattern import FixedPattern
from engine.geometry import Size, Span
from engine.recording import open_recording
from engine.recording.arrays import StoredArray, list_arrays
from engine.recording.defects import find_defects
from engine.recording.plane_sample import sample_counts
from engine.recording.recording import RecordingInfo, SpikeSource
from engine.recording.signature import is_array, read_head
from engine.source import SequenceSource
from engine.spike_filling import Filling
from engine.voxels import window_counts

PARTS = 16
COUNTED_BYTES = 256 << 20
MOST_PLANES = 16_384
EVENT_COLUMNS = (3, 4)
"""Of arrays with so many columns each row is an event."""
ASKED_VALUES = 1 << 20
MOST_VALUES = 1 << 29
"""Of pictures of counts, which are held at once: 2 GiB."""
LARGEST_COUNT = 1e15
"""A second has at most some 100 000 planes, so that no sensor ever counts as far."""
DARK_MARGIN = 1.1
"""Of the spikes of all pixels: chance is not so much."""
NARROWEST_PX = 8
"""No spike camera is narrower: so few columns are pictures, one behind the other in every pixel."""


def read_flat(source: SequenceSource, recording: SpikeSource, filling: Filling | None) -> FixedPattern:
    """Return the pattern in the file that `source.flat` names, which must be of the recording's sensor.

    Raises RecordingError where the file cannot be read, has another size, shows a scene, or is of another
    sensor.
    """
    assert source.flat is not None
    path, size = Path(source.flat), recording.info.size
    pattern = read_even(path, source, recording.info)
    if pattern.size != size:
        raise _other_size(path, str(pattern.size), size)
    if not pattern:
        return pattern
    if pattern.offset is not None:
        _check_dark(path, pattern.offset, recording)
    match = match_pattern(pattern, recording, filling)
    if match.is_other:
        shown = f"{max(0, 100 * match.share):.1f} ± {100 * match.sigma:.1f} % of its pattern"
        raise RecordingError(
            "this flat field is of another sensor, or the other way up",
            path=path,
            found=f"{shown} in {recording.info.path}",
            expected="about 100 %",
            advice="Name a flat field of this camera with --flat, or --flat none",
        )
    return pattern


def read_even(path: Path, source: SequenceSource, like: RecordingInfo | None = None) -> FixedPattern:
    """Return the pattern that a file shows by itself, whatever sensor it is of.

    A recording is read by what `source` says, and else as the one that it is to be `like`, where its own file
    does not tell. Raises RecordingError where it cannot be read, has another size or shows a scene.
    """
    size = None if like is None else like.size
    if size is None and source.height and source.width:
        size = Size(source.height, source.width)
    if not path.is_dir():
        head = read_head(path)
        if is_array(path, head):
            arrays = list_arrays(path, head)
            if is_kept_pattern(arrays):
                pattern = read_pattern(path)
                if size is not None and pattern.size != size:
                    raise _other_size(path, str(pattern.size), size)
                return pattern
            pictures = _pictures(arrays, size)
            if pictures is not None:
                return _of_pictures(path, pictures, size)
    return _of_recording(path, source, like)


def _pictures(arrays: list[StoredArray], size: Size | None) -> StoredArray | None:
    """Return the array that holds pictures of counts; None where the file holds planes or events."""
    numbers = [array for array in arrays if array.dtype.kind in "uifb"]
    pictures = [array for array in numbers if size and _is_of(array, size)]
    for array in pictures or numbers:
        if len(array.shape) == 2 and array.shape[1] not in EVENT_COLUMNS:
            return array
        if len(array.shape) == 3 and array.dtype.kind != "b" and not _is_binary(array):
            return array
    return None


def _is_of(array: StoredArray, size: Size) -> bool:
    return (size.height, size.width) in (array.shape[-2:], array.shape[:2])


def _is_binary(array: StoredArray) -> bool:
    """Whether the first values are 0 and 1, as those of planes are."""
    if 0 in array.shape:
        return False
    rows = max(1, ASKED_VALUES // max(1, array.shape[1] * array.shape[2]))
    shape = array.shape[::-1] if array.fortran_order else array.shape
    first = next(iter(array.chunks(min(rows, shape[0]), shape)), None)
    return first is None or bool(np.isin(first, (0, 1)).all())


def _of_pictures(path: Path, array: StoredArray, size: Size | None) -> FixedPattern:
    shape = " × ".join(map(str, array.shape))
    if 0 in array.shape:
        raise RecordingError("no flat field: it holds no picture", path=path, found=shape)
    if size is not None and not _is_of(array, size):
        raise _other_size(path, shape, size)
    if size is None and len(array.shape) == 3 and array.shape[2] < NARROWEST_PX:
        raise RecordingError(
            "which axes of the counts are the picture is not known",
            path=path,
            found=shape,
            expected="pictures, height, width",
            advice="Say --height and --width",
        )
    if math.prod(array.shape) > MOST_VALUES:
        raise RecordingError(
            "the counts are too many to be held at once",
            path=path,
            found=shape,
            expected=f"{MOST_VALUES} values at most",
            advice="Add the pictures up and save their sum",
        )
    values = np.asarray(array.load())
    if size is not None and array.shape[-2:] != (size.height, size.width):
        values = np.moveaxis(values, -1, 0)
    if values.dtype.kind == "f" and (np.abs(values) > np.float64(LARGEST_COUNT)).any():
        raise RecordingError(
            "no flat field: its values are no counts of spikes",
            path=path,
            found=f"{np.abs(values).max():g}",
            expected=f"{LARGEST_COUNT:g} at most",
            advice="Name another file with --flat, or --flat none",
        )
    pictures = np.ascontiguousarray(values, np.float32).reshape(-1, *values.shape[-2:])
    return pattern_of_flat(pictures, None, str(path))


def _check_dark(path: Path, dark: NDArray[np.float32], recording: SpikeSource) -> None:
    """Raise RecordingError where a sensor fires more in the dark than it does at all."""
    sample = sample_counts(recording)
    rate = float(sample.counts.mean()) / max(1, sample.planes)
    if sample.planes and float(dark.mean()) > DARK_MARGIN * rate:
        raise RecordingError(
            "this flat field says that more spikes come in the dark than come at all",
            path=path,
            found=f"{float(dark.mean()):.3g} a plane",
            expected=f"less than {rate:.3g}, as in {recording.info.path}",
            advice="Name a flat field of this camera with --flat, or --flat none",
        )


def _of_recording(path: Path, source: SequenceSource, like: RecordingInfo | None) -> FixedPattern:
    flat = open_recording(
        path,
        height=source.height,
        width=source.width,
        flip=source.flip,
        msb_first=source.msb_first,
        time_unit=source.time_unit,
        layout_size=None if like is None else like.size,
    )
    with flat:
        if like is None:
            return _counted(path, flat)
        if flat.info.size != like.size:
            raise _other_size(path, str(flat.info.size), like.size)
        # An even surface does not show which way up it is: it is as the sequence's own recording.
        if flat.info.known_by.get("flip") == "unknown" and flat.info.flip != like.flip:
            with open_recording(
                path,
                height=like.height,
                width=like.width,
                flip=like.flip,
                msb_first=source.msb_first,
                time_unit=source.time_unit,
            ) as turned:
                return _counted(path, turned)
        return _counted(path, flat)


def _counted(path: Path, flat: SpikeSource) -> FixedPattern:
    info = flat.info
    most = min(info.planes, MOST_PLANES, max(PARTS, COUNTED_BYTES // max(1, info.plane_bytes)))
    number = min(PARTS, most)
    if most == info.planes:  # without gaps, so that a spike that comes late is counted all the same
        edges = [info.planes * at // number for at in range(number + 1)]
        spans = [Span(start, stop) for start, stop in pairwise(edges)]
    else:
        length = most // number
        starts = np.linspace(0, info.planes - length, number).astype(int).tolist()
        spans = [Span(start, start + length) for start in starts]
    planes = 0
    parts: list[NDArray[np.float32]] = []
    problem: EngineError | None = None
    for span in spans:
        try:
            parts.append(window_counts(flat, span.start, span.stop).astype(np.float32))
        except RecordingError as error:
            problem = error
            continue
        planes += len(span)
        flat.forget(span.start, span.stop)
    if not parts:
        raise problem or RecordingError("no flat field: it has no planes", path=path)
    return pattern_of_flat(np.stack(parts), float(planes), str(path), find_defects(flat).mask)


def _other_size(path: Path, found: str, size: Size) -> RecordingError:
    return RecordingError(
        "this flat field is not of the size of the recording",
        path=path,
        found=found,
        expected=str(size),
        advice="Name a flat field of this camera with --flat, or --flat none",
    )
