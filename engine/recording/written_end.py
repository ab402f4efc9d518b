"""Where a recording ends inside its file: planes that were allocated and never written are zeros.

Strategy: nothing tells such a plane from a dark one but that light does not stop like that. The planes
after the last spike are taken for unwritten where the ones before would have given many spikes in that
time, do not fade, and never paused for nearly as long. The file is looked at from its end, so that one
without such an end costs a read of some kilobytes.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.findings import Finding

FEWEST_PLANES = 4
"""Fewer planes of zeros at the end are let be."""
MISSING_SPIKES = 50.0
"""So many spikes would have come: by chance none do once in e⁵⁰ times."""
MISSING_IN_PLANE = 20.0
"""As many are missing from a plane of which only the beginning was written."""
FADED_SHARE = 0.5
LONGER_THAN_PAUSES = 2
_ENDING_PLANES = 8
_BEFORE_PLANES = 256
_FEWEST_BEFORE = 4
_BEFORE_BYTES = 32 << 20

_FIRST_BLOCK_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20
FULLY_READ_BYTES = 128 << 20
"""So much of a file's end is read byte by byte. Beyond that one page of every so many bytes is, which
misses a stretch of spikes shorter than that so far inside of zeros. Holes in a file are not read at all."""
_SAMPLED_EVERY_BYTES = 1 << 18
_PAGE_BYTES = 1 << 12
_MOST_EXTENTS = 4096

Spikes = Callable[[int, int], NDArray[np.uint8]]
"""Spikes in planes [start, stop) by place: (planes, places), a place being a pixel or a byte of pixels."""


@dataclass(frozen=True)
class WrittenEnd:
    """What of a recording was written."""

    planes: int
    unwritten_planes: int = 0
    """Planes of zeros after those, which do not count."""
    spikes_per_plane: float = 0.0
    """How many came before the end, where it was found."""
    is_empty: bool = False
    """There is not one spike; all planes count."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        if self.is_empty:
            return (
                Finding(
                    f"no spike was found in its {self.planes} planes",
                    "Copy or record it again: nothing can be known from it",
                ),
            )
        if self.unwritten_planes == 0:
            return ()
        return (
            Finding(
                f"the last {self.unwritten_planes} of {self.planes + self.unwritten_planes} planes hold no "
                f"spike, after {self.spikes_per_plane:.0f} a plane just before: they were allocated and "
                "never written, and do not count as recording",
                "Copy the recording again where it should be longer",
            ),
        )


def find_written_end(planes: int, last_lit: int | None, spikes: Spikes) -> WrittenEnd:
    """Decide how many planes of a recording were written.

    last_lit: the last plane with a spike, None where there is none.
    """
    if last_lit is None:
        return WrittenEnd(planes, is_empty=True)
    dark = planes - 1 - last_lit
    if dark < FEWEST_PLANES:
        return WrittenEnd(planes)
    places = spikes(last_lit, last_lit + 1).shape[1]
    looked = min(_BEFORE_PLANES, max(2 * _ENDING_PLANES, _BEFORE_BYTES // max(1, places)))
    before = spikes(max(0, last_lit + 1 - looked), last_lit + 1)
    counts = before.sum(axis=1, dtype=np.int64)
    # The last plane may have been written in part.
    whole = counts[:-1] if len(counts) > 1 else counts
    usual = float(np.median(whole))
    ending = float(whole[-_ENDING_PLANES:].mean())
    written_at_once = (
        len(whole) >= _FEWEST_BEFORE
        and usual * dark >= MISSING_SPIKES
        and ending >= FADED_SHARE * usual
        and dark > LONGER_THAN_PAUSES * _longest_pause(counts)
    )
    if not written_at_once:
        return WrittenEnd(planes)
    written = last_lit + 1
    last_place = int(np.flatnonzero(before[-1])[-1])
    missing = float(before[:-1][-2 * _ENDING_PLANES :, last_place + 1 :].mean(axis=0).sum())
    if missing >= MISSING_IN_PLANE:
        written -= 1
    return WrittenEnd(written, planes - written, usual)


def _longest_pause(counts: NDArray[np.int64]) -> int:
    lit = np.flatnonzero(counts)
    return int(np.diff(np.concatenate(([-1], lit))).max()) - 1


def last_lit_byte(path: Path, start: int, stop: int) -> int | None:
    """Return the offset of the last byte in [start, stop) of a file that is not zero, None without any."""
    with path.open("rb", buffering=0) as file:
        for first, last, next_first in _pieces(file.fileno(), start, stop):
            file.seek(first)
            content = file.read(last - first)
            if content != bytes(len(content)):
                file.seek(first)
                return first + len(file.read(next_first - first).rstrip(b"\0")) - 1
    return None


def _pieces(descriptor: int, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield the spans of a file to look at, the last one first, and where the bytes after each end."""
    yield max(start, stop - _FIRST_BLOCK_BYTES), stop, stop
    left = FULLY_READ_BYTES
    sampled = False
    for first, last in reversed(_extents(descriptor, start, max(start, stop - _FIRST_BLOCK_BYTES))):
        at = last
        while at > first:
            if left > 0:
                below = max(first, at - _BLOCK_BYTES)
                yield below, at, at
                left -= at - below
            else:
                if not sampled and hasattr(os, "posix_fadvise"):
                    # Reading ahead of every page would read nearly everything.
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
                sampled = True
                below = max(first, at - _SAMPLED_EVERY_BYTES)
                yield below, min(at, below + _PAGE_BYTES), at
            at = below


def _extents(descriptor: int, start: int, stop: int) -> list[tuple[int, int]]:
    """Return the spans of a file that are on the disk, where the system says so; else all of it."""
    if not hasattr(os, "SEEK_DATA") or start >= stop:
        return [(start, stop)] if start < stop else []
    extents: list[tuple[int, int]] = []
    at = start
    try:
        while at < stop and len(extents) < _MOST_EXTENTS:
            first = os.lseek(descriptor, at, os.SEEK_DATA)
            at = os.lseek(descriptor, first, os.SEEK_HOLE)
            if first < stop:
                extents.append((first, min(at, stop)))
    except OSError as error:
        # No data after this: it ends in a hole.
        return extents if error.errno == errno.ENXIO else [(start, stop)]
    return extents if at >= stop else [(start, stop)]
