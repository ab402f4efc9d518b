"""A TIFF file of several pictures, opened once and read one picture at a time."""

import threading
from pathlib import Path
from typing import Any

from engine.errors import FrameError
from engine.pictures import tiff
from engine.pictures.decoding import decoding
from engine.pictures.stored import PictureInfo, StoredPicture
from engine.pictures.tiff_pages import pictures_of


class TiffStack:
    """The pictures of one file. Safe to read from several threads.

    Opening reads every page's tags, a third of a millisecond each, because reduced pages do not count.
    Raises FrameError where the chain of pages is damaged, or the pictures lie along several axes.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        with decoding(self._path):
            self._tiff: Any | None = tiff.tifffile().TiffFile(self._path, _multifile=False)
        try:
            with decoding(self._path), tiff.complaints() as found:
                pictures = pictures_of(self._tiff, self._path)
                pages = [tiff.page_info(self._tiff.pages[page], self._path) for page in pictures.pages]
                tiff.raise_structural(found)
        except FrameError:
            self.close()
            raise
        self._pictures = pictures
        self.infos: tuple[PictureInfo, ...] = tuple(pages) * pictures.images
        """One a picture."""
        self.axis = pictures.axis

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, index: int) -> StoredPicture:
        """Return one picture. Raises FrameError."""
        pages = self._pictures.pages
        with decoding(self._path), self._lock:
            if self._tiff is None:
                raise FrameError("the stack is closed", path=self._path)
            if self._pictures.images > 1:
                page = self._tiff.pages[pages[0]]
                return tiff.decode_contiguous(self._tiff, page, index, self._path)
            return tiff.decode_page(self._tiff.pages[pages[index]], self._path)

    def close(self) -> None:
        with self._lock:
            if self._tiff is not None:
                self._tiff.close()
                self._tiff = None


def is_stack(path: Path) -> bool:
    """Whether a file is TIFF and holds several pictures. Raises FrameError where it cannot be read."""
    with decoding(path), path.open("rb") as file:
        is_tiff = file.read(4).startswith(tiff.SIGNATURES)
        file.seek(0)
        if not is_tiff:
            return False
        with tiff.opened(file) as opened:
            return len(pictures_of(opened, path)) > 1
