"""Examples cut out of recorded sequences."""

import math
import os
from pathlib import Path

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from engine.errors import EngineError, SequenceError
from engine.sequence import Sequence, open_source
from training.clip_set import ClipShape, UnreadableClip
from training.data_index import DataIndex, SequenceEntry, check_reference, left_out, stale
from training.example import Counts, Example

OPEN_SEQUENCES = 32
"""Sequences held open by a process: each holds a few file handles."""


class _OpenSequences(LRUCache[int, Sequence]):
    """The sequences read last; the others are closed."""

    def popitem(self) -> tuple[int, Sequence]:
        at, sequence = super().popitem()
        sequence.close()
        return at, sequence


class SequenceClips:
    """All runs of `frames` usable frames of a data set, each an example.

    Decoded frames and voxels are kept in the form of the files (8 bits where they have 8), up to
    `cache_bytes` in each process. Nothing is opened before the first example is read, so that forked
    workers share no handles. Raises SequenceError when no sequence is long enough.
    """

    def __init__(self, index: DataIndex, *, frames: int, bins: int, cache_bytes: int) -> None:
        self._entries = index.entries
        self._frames = frames
        self._bins = bins
        self._clips = [(at, first) for at, entry in enumerate(index.entries) for first in entry.clips(frames)]
        short = [entry.name for entry in index.entries if not entry.clips(frames)]
        findings = list(index.findings)
        if short:
            findings.append(
                f"{len(short)} sequences have no {frames} usable frames in a row, the first is {short[0]}"
            )
        self.findings: tuple[str, ...] = tuple(findings)
        if not self._clips:
            raise SequenceError(
                f"no sequence has {frames} usable frames in a row",
                path=index.root,
                advice="Train on shorter clips (--data.frames)",
            )
        self._cache_bytes = cache_bytes
        self._owner = -1
        self._opened = _OpenSequences(OPEN_SEQUENCES)
        self._cache: LRUCache[tuple[int, int], _Frame] = LRUCache(cache_bytes, getsizeof=_frame_bytes)

    def __len__(self) -> int:
        return len(self._clips)

    def shape(self, index: int) -> ClipShape:
        entry = self._entries[self._clips[index][0]]
        return ClipShape(entry.frame_size, entry.spike_size)

    def example(self, index: int, draw: int) -> Example:  # noqa: ARG002 (the same at every draw)
        at, first = self._clips[index]
        frames = [self._frame(at, number) for number in range(first, first + self._frames)]
        entry = self._entries[at]
        blurry, reference, counts, windows = zip(*frames, strict=True)
        return Example(
            np.stack(blurry),
            np.stack(reference),
            np.stack(counts),
            np.array(windows),
            entry.gamma,
            f"{entry.name} {entry.frame_names[first]}",
        )

    def _frame(self, at: int, number: int) -> "_Frame":
        if self._owner != os.getpid():
            # After a fork: another process's files, positions and locks.
            self._owner = os.getpid()
            self._opened = _OpenSequences(OPEN_SEQUENCES)
            self._cache = LRUCache(self._cache_bytes, getsizeof=_frame_bytes)
        kept = self._cache.get((at, number))
        if kept is not None:
            return kept
        sequence = self._opened.get(at)
        if sequence is None:
            sequence = _open(self._entries[at])
            self._opened[at] = sequence
        entry = self._entries[at]
        try:
            frame = _read(sequence, entry, number, self._bins)
        except EngineError as error:
            raise UnreadableClip(left_out(entry.name, entry.frame_names[number], error).sentences) from error
        if _frame_bytes(frame) <= self._cache_bytes:
            self._cache[at, number] = frame
        return frame


_Frame = tuple[NDArray[np.generic], NDArray[np.generic], Counts, tuple[float, float]]
"""Blurry, reference, counts and window of one frame."""


def _frame_bytes(frame: _Frame) -> int:
    return sum(array.nbytes for array in frame[:3])


def _open(entry: SequenceEntry) -> Sequence:
    """Open a sequence whose frames are those of its entry. Raises SequenceError."""
    entry.check_unchanged()
    sequence = open_source(entry.source, cache_bytes=0)
    names = tuple(sequence.frame_name(index) for index in range(len(sequence)))
    if names != entry.frame_names:  # frames go by their names; places are only right while these are the same
        sequence.close()
        odd = sorted({*names} ^ {*entry.frame_names})
        raise stale(entry.source.path, [f"frame {name}" for name in odd] or ["the order of its frames"])
    return sequence


def _read(sequence: Sequence, entry: SequenceEntry, number: int, bins: int) -> _Frame:
    blurry, reference = sequence.frame(number), sequence.reference(number)
    check_reference(sequence, number, blurry.shape, None if reference is None else reference.shape)
    assert reference is not None
    window = sequence.window(number)
    counts = _cached_counts(entry, number, bins)
    if counts is None:
        counts = compact_counts(sequence.voxels_on_frame(number, bins, filled=False))
    deep = sequence.bit_depth > 8
    return (
        blurry if deep else _levels(blurry),
        reference if deep else _levels(reference),
        counts,
        (window.start, window.stop),
    )


def compact_counts(counts: NDArray[np.floating]) -> Counts:
    """Return whole counts as uint8 where they fit, else uint16; others as float32."""
    values = np.asarray(counts, np.float32)
    if not np.array_equal(values, np.rint(values)):
        return values
    return values.astype(np.uint8) if values.max() <= 255 else values.astype(np.uint16)


def voxel_file(folder: Path, entry: SequenceEntry) -> Path:
    """Return the file in which `prepare` keeps the voxel counts of a sequence."""
    return folder / "voxels" / f"{entry.name}.npy"


def _cached_counts(entry: SequenceEntry, number: int, bins: int) -> Counts | None:
    if entry.voxels is None:
        return None
    try:
        kept = np.load(entry.voxels, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise SequenceError(
            f"cannot read the cached voxels: {error}",
            path=entry.voxels,
            advice="Make them anew with: python -m training prepare",
        ) from error
    return np.array(kept[number]) if kept.shape[1] == bins else None


def _levels(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.floor(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def shared_cache_bytes(total_bytes: int, processes: int) -> int:
    """Return each process's part of a cache that all of them together may fill."""
    return math.floor(total_bytes / max(1, processes))
