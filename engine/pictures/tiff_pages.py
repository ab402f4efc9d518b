"""Which of a TIFF file's pages are pictures, and how many there are.

Reduced pictures (thumbnails, pyramids) and transparency masks are not counted. ImageJ and tifffile may
describe a whole stack by one directory, with the pictures one after the other behind it. One axis of
pictures is time, whatever it is called, since programs choose its name without asking.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import FrameError

_NONE = 1
_STK_PLANES = 33629
_PIXELS = re.compile(r"<(?:\w+:)?Pixels\b[^>]*>")
_OME_SIZE = re.compile(r'\bSize([CZT])="(\d+)"')
_NAMES = {"C": "channels", "Z": "slices", "T": "frames"}
_AS_PAGES = "Save one grey or RGB picture a moment, as single files or as pages"


@dataclass(frozen=True)
class TiffPictures:
    """Where the pictures of a file are."""

    pages: tuple[int, ...]
    """Indices of the pages that are pictures."""
    images: int
    """Pictures behind each of the pages: more than one only behind a single directory."""
    axis: str | None
    """What the file calls the axis along which they lie, where it says."""

    def __len__(self) -> int:
        return len(self.pages) * self.images


def only_page(tiff: Any, path: Path) -> Any:
    """Return the page of a file's only picture. Raises FrameError where there are several."""
    pictures = pictures_of(tiff, path)
    if len(pictures) > 1:
        raise FrameError(
            "the file is a stack of pictures",
            path=path,
            found=f"{len(pictures)} pictures",
            expected="1",
            advice="Open it alone, as the only picture of its folder, or save its pictures as single files",
        )
    return tiff.pages[pictures.pages[0]]


def pictures_of(tiff: Any, path: Path) -> TiffPictures:
    """Find the pictures of a tifffile.TiffFile.

    Raises FrameError where they lie along several axes, ValueError where the chain of pages is damaged.
    """
    pages = _pages(tiff)
    first = tiff.pages[pages[0]]
    axes = {name: length for name, length in _axes(tiff, first).items() if length > 1}
    images = _behind_one_page(tiff, first, math.prod(axes.values()), path) if len(pages) == 1 else 1
    if len(pages) * images > 1:
        is_composite = "channels" in axes and _mode(tiff) in ("composite", "color")
        if len(axes) > 1 or is_composite:
            raise FrameError(
                "the stack has other axes than time",
                path=path,
                found=" × ".join(f"{length} {name}" for name, length in axes.items()),
                advice=_AS_PAGES,
            )
    return TiffPictures(tuple(pages), images, next(iter(axes), None))


def _pages(tiff: Any) -> list[int]:
    offsets: set[int] = set()
    pages: list[int] = []
    index = 0
    while True:
        try:
            page = tiff.pages[index]
        except IndexError:
            break
        # A damaged file may call one page the next one of itself, and so on without end.
        if page.offset in offsets:
            raise ValueError(f"page {index + 1} comes again: the chain of pages is damaged")
        offsets.add(page.offset)
        if not page.is_reduced and not page.is_mask:
            pages.append(index)
        index += 1
    if not offsets:
        raise ValueError("no page")
    return pages or [0]


def _behind_one_page(tiff: Any, page: Any, images: int, path: Path) -> int:
    planes = page.tags.get(_STK_PLANES)
    if planes is not None and planes.count > 1:
        raise FrameError(
            "a MetaMorph stack is not read", path=path, found=f"{planes.count} planes", advice=_AS_PAGES
        )
    if images <= 1 or page.compression != _NONE or page.is_tiled or not page.is_final or page.dtype is None:
        return 1
    length = math.prod(page.shape) * page.dtype.itemsize
    # A description may speak of pictures that this file never had: programs keep it when they save one page.
    return images if page.dataoffsets[0] + 2 * length <= tiff.filehandle.size else 1


def _axes(tiff: Any, page: Any) -> dict[str, int]:
    """Axes beyond height, width and colour, and their lengths, as the file describes them."""
    samples = int(page.samplesperpixel)
    if tiff.is_imagej:
        about = tiff.imagej_metadata or {}
        axes = {name: int(about.get(name, 1)) for name in _NAMES.values()}
        if axes["channels"] == samples:
            axes["channels"] = 1
        images = int(about.get("images", 1))
        return axes if math.prod(axes.values()) >= images else {"images": images}
    if tiff.is_ome and (pixels := _PIXELS.search(tiff.ome_metadata or "")) is not None:
        sizes = {name: int(length) for name, length in _OME_SIZE.findall(pixels[0])}
        sizes["C"] = max(1, sizes.get("C", 1) // samples)
        return {_NAMES[name]: length for name, length in sizes.items()}
    if tiff.is_shaped and tiff.shaped_metadata:
        about = tiff.shaped_metadata[0]
        lengths = [int(length) for length in about.get("shape", ())]
        outer = lengths[: max(0, len(lengths) - len(page.shape))]
        names = str(about.get("axes", "")).ljust(len(outer), "?")
        return {_NAMES.get(names[at], f"axis {at + 1}"): length for at, length in enumerate(outer)}
    return {}


def _mode(tiff: Any) -> str:
    return str((tiff.imagej_metadata or {}).get("mode", "")) if tiff.is_imagej else ""
