"""Pictures to make scenes of, from any number of files, without holding them all."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
from cachetools import LRUCache

from engine.errors import FrameError
from engine.layouts.listing import VIDEO_SUFFIXES
from engine.pictures import read_picture
from engine.samples import as_values
from engine.video import VideoFrames
from training.scene import Picture
from training.textures import SUFFIXES

CACHE_BYTES = 256 * 2**20
FRAMES_PER_VIDEO = 16


class PictureShelf(Sequence[Picture]):
    """Pictures (H, W, 3) of files and folders, with a few frames of every video; the last ones are kept.

    Folders are searched with all their subfolders. Raises FrameError when a path does not exist or holds
    neither pictures nor videos, and on reading a file that is broken.
    """

    def __init__(self, paths: Sequence[Path], cache_bytes: int = CACHE_BYTES) -> None:
        self._items = [item for path in paths for item in _items(path)]
        self._cache: LRUCache[int, Picture] = LRUCache(cache_bytes, getsizeof=lambda picture: picture.nbytes)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Picture: ...

    @overload
    def __getitem__(self, index: slice) -> list[Picture]: ...

    def __getitem__(self, index: int | slice) -> Picture | list[Picture]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if index in self._cache:
            return self._cache[index]
        path, share = self._items[index]
        picture = read_picture(path) if share is None else _frame_of(path, share)
        if picture.nbytes <= self._cache.maxsize:
            self._cache[index] = picture
        return picture


def _items(path: Path) -> list[tuple[Path, float | None]]:
    """List (file, None) for pictures and (file, share of its length) for frames of videos."""
    if not path.exists():
        raise FrameError("no such picture, video or folder", path=path)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    items: list[tuple[Path, float | None]] = []
    for file in files:
        if file.suffix.lower() in SUFFIXES:
            items.append((file, None))
        elif file.suffix.lower() in VIDEO_SUFFIXES:
            items.extend((file, float(at)) for at in (np.arange(FRAMES_PER_VIDEO) + 0.5) / FRAMES_PER_VIDEO)
    if not items:
        raise FrameError(
            "there are neither pictures nor videos here",
            path=path,
            expected=", ".join((*SUFFIXES, *sorted(VIDEO_SUFFIXES))),
        )
    return items


def _frame_of(path: Path, share: float) -> Picture:
    frames = VideoFrames(path)
    try:
        return as_values(frames.read(int(share * len(frames))))
    finally:
        frames.close()
