"""A folder of recordings, one a frame, read as one recording after another."""

import bisect
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.file_names import in_order
from engine.recording.plane_source import PlaneSource
from engine.recording.planes import check_span
from engine.recording.recording import Recording, RecordingInfo

PACKED_SUFFIXES = (".dat", ".bin", ".raw")
ARRAY_SUFFIXES = (".npy", ".npz")
MOST_OPEN_FILES = 16


def part_paths(folder: Path) -> tuple[Path, ...]:
    """Return the recordings of a folder by name, numbers in their order; packed ones if there are any.

    Raises RecordingError where there are none or the folder cannot be listed.
    """
    try:
        visible = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        raise RecordingError(
            f"the folder cannot be listed ({error.strerror or error})", path=folder
        ) from error
    for suffixes in (PACKED_SUFFIXES, ARRAY_SUFFIXES):
        paths = [path for path in visible if path.suffix.lower() in suffixes]
        if paths:
            return tuple(in_order(paths))
    raise RecordingError(
        "the folder holds no recording",
        path=folder,
        found=f"{len(visible)} other files",
        expected=f"files ending in {', '.join(PACKED_SUFFIXES + ARRAY_SUFFIXES)}",
        advice="Choose the folder with the spikes itself.",
    )


class FolderRecording(PlaneSource):
    """Planes of several files, one after another. Safe to read from several threads.

    Parts are opened when they are needed; few stay open, whatever their number.
    """

    def __init__(
        self,
        info: RecordingInfo,
        paths: tuple[Path, ...],
        planes: tuple[int, ...],
        open_part: Callable[[Path, int], Recording],
    ) -> None:
        super().__init__(info)
        self._paths = paths
        self._starts = tuple(int(start) for start in np.cumsum((0, *planes)))
        self._open_part = open_part
        self._opened: OrderedDict[int, Recording] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def part_paths(self) -> tuple[Path, ...]:
        """The file of every part."""
        return self._paths

    def parts(self) -> tuple[int, ...]:
        """Return the first plane of every file."""
        return self._starts[:-1]

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) as (planes, plane_bytes); a view where they lie in one file."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        index = bisect.bisect_right(self._starts, start) - 1
        pieces = []
        while start < stop:
            first, last = self._starts[index], min(self._starts[index + 1], stop)
            pieces.append(self._part(index).packed(start - first, last - first))
            start, index = last, index + 1
        if len(pieces) == 1:
            return pieces[0]
        empty = np.empty((0, self._info.plane_bytes), np.uint8)
        return np.concatenate(pieces) if pieces else empty

    def forget(self, start: int, stop: int) -> None:
        """Let go of the memory behind planes [start, stop) of the parts that are open."""
        start, stop = check_span(start, stop, self._info.planes, self._info.path)
        with self._lock:
            opened = list(self._opened.items())
        for index, part in opened:
            first, last = max(start, self._starts[index]), min(stop, self._starts[index + 1])
            if first < last:
                part.forget(first - self._starts[index], last - self._starts[index])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for part in self._opened.values():
                part.close()
            self._opened.clear()

    def _part(self, index: int) -> Recording:
        with self._lock:
            if self._closed:
                raise RecordingError("the recording is closed", path=self._info.path)
            part = self._opened.get(index)
            if part is None:
                planes = self._starts[index + 1] - self._starts[index]
                part = self._open_part(self._paths[index], planes)
                self._opened[index] = part
            self._opened.move_to_end(index)
            if len(self._opened) > MOST_OPEN_FILES:
                # Not closed: another thread may be reading it. It goes with its last reader.
                self._opened.popitem(last=False)
            return part
