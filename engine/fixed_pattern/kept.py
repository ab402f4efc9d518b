"""A sensor's pattern kept in a file, for its other recordings.

A `.npz` of `gain` and `known`, float32 (h, w), perhaps `offset`, and `fixed_pattern`: JSON that says the
version of the format, what the pattern was measured by and on how many windows.
"""

import io
import json
import os
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.export import write_bytes_atomically
from engine.fixed_pattern.measuring import GAIN_LIMITS
from engine.fixed_pattern.pattern import FixedPattern, Origin
from engine.recording.arrays import StoredArray, list_arrays
from engine.recording.signature import read_head

FORMAT_KEY = "fixed_pattern"
FORMAT_VERSION = 1


def write_pattern(pattern: FixedPattern, path: str | os.PathLike[str]) -> None:
    """Write a pattern under exactly this name, whole or not at all. Raises ExportError."""
    facts = {"version": FORMAT_VERSION, "origin": pattern.origin, "windows": pattern.windows}
    arrays: dict[str, NDArray[np.generic]] = {
        FORMAT_KEY: np.array(json.dumps(facts)),
        "gain": pattern.gain,
        "known": pattern.known,
    }
    if pattern.offset is not None:
        arrays["offset"] = pattern.offset
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_bytes_atomically(Path(path), content.getvalue())


def is_kept_pattern(arrays: list[StoredArray]) -> bool:
    return any(array.key == FORMAT_KEY for array in arrays)


def read_pattern(path: str | os.PathLike[str]) -> FixedPattern:
    """Read what `write_pattern` wrote. Raises RecordingError where the file is none of those."""
    path = Path(path)
    head = read_head(path)
    arrays = {array.key: array for array in list_arrays(path, head)} if head.startswith(b"PK") else {}
    if not {FORMAT_KEY, "gain", "known"} <= arrays.keys():
        raise _damaged(path, ", ".join(arrays) or "no arrays", "a pattern that the flat command wrote")
    version, origin, windows = _facts(path, arrays[FORMAT_KEY])
    if version != FORMAT_VERSION:
        raise _damaged(path, f"version {version!r}", f"version {FORMAT_VERSION}")
    pictures = {}
    for name in ("gain", "known", "offset"):
        stored = arrays.get(name)
        if stored is None:
            continue
        if stored.dtype.kind != "f" or len(stored.shape) != 2 or stored.shape != arrays["gain"].shape:
            raise _damaged(path, f"{name} {stored.shape} {stored.dtype}", "numbers (h, w), all of one size")
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused as infinite
            pictures[name] = values = np.asarray(stored.load(), np.float32)
        if values.size == 0 or not np.isfinite(values).all():
            raise _damaged(path, f"{name} with values that are not numbers", "numbers")
    least, most = GAIN_LIMITS
    for name, low, high in (("gain", least, most), ("known", 0.0, 1.0), ("offset", 0.0, 1.0)):
        if name in pictures and not (low <= pictures[name].min() and pictures[name].max() <= high):
            found = f"{name} from {pictures[name].min():g} to {pictures[name].max():g}"
            raise _damaged(path, found, f"{low:g} to {high:g}")
    return FixedPattern(
        pictures["gain"], pictures["known"], pictures.get("offset"), origin, windows, str(path)
    )


def _facts(path: Path, stored: StoredArray) -> tuple[int, Origin, int]:
    try:
        facts = json.loads(str(stored.load()))
        version, origin, windows = facts["version"], facts["origin"], facts["windows"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(path, f"{FORMAT_KEY} {error!r}", "version, origin and windows") from error
    if origin not in get_args(Origin):
        raise _damaged(path, f"origin {origin!r}", ", ".join(get_args(Origin)))
    if type(windows) is not int or windows < 0:
        raise _damaged(path, f"windows {windows!r}", "a whole number of 0 or more")
    return version, origin, windows


def _damaged(path: Path, found: str, expected: str) -> RecordingError:
    return RecordingError(
        "no kept pattern of a sensor, or a damaged one",
        path=path,
        found=found,
        expected=expected,
        advice="Make it again with the flat command",
    )
