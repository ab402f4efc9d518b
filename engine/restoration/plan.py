"""What a restoration will compute, tile by tile and clip by clip, before anything is computed.

Strategy: cut each axis on its own. As many pieces as the wished length needs, then all of the same
length and evenly spread, so that no piece is a sliver at the edge and the overlap is at least what the
method asks for everywhere. Tiles are the product of rows and columns; clips are the pieces of time.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from engine.errors import MethodError
from engine.geometry import Region, Size, Span


@dataclass(frozen=True)
class Plan:
    """Every tile of every clip, known up front."""

    size: Size
    frames: Span
    region: Region
    """Part of the picture that is restored."""
    rows: tuple[Span, ...]
    columns: tuple[Span, ...]
    clips: tuple[Span, ...]
    """Frames restored together, in order; neighbours may share frames."""

    @cached_property
    def tiles(self) -> tuple[Region, ...]:
        """Regions a method is asked for, row by row; together they cover `region` and its context."""
        return tuple(
            Region(row.start, column.start, row.stop, column.stop)
            for row in self.rows
            for column in self.columns
        )

    @property
    def tiles_total(self) -> int:
        """Steps of the whole work: tiles × clips."""
        return len(self.rows) * len(self.columns) * len(self.clips)

    @property
    def tile_size(self) -> Size:
        return Size(len(self.rows[0]), len(self.columns[0]))

    @property
    def overlap_cost(self) -> float:
        """Pixels computed for every pixel of the result, over space and time; 1 without any overlap."""
        space = sum(map(len, self.rows)) * sum(map(len, self.columns)) / self.region.size.pixels
        time = sum(map(len, self.clips)) / len(self.frames) if len(self.frames) else 1.0
        return space * time


def plan(
    size: Size,
    frames: Span,
    tile: int | Size,
    overlap: int,
    clip: int,
    clip_overlap: int,
    region: Region | None = None,
    *,
    multiple: int = 1,
) -> Plan:
    """Lay out tiles and clips over `frames` of `size`, all in pixels and frames.

    `tile` is the longest edge, or height and width, a tile may have, rounded down to a multiple of
    `multiple`; neighbours share at least `overlap` pixels, clips at least `clip_overlap` frames. With a
    `region` only the tiles that it needs are planned, with as much context around it as two neighbouring
    tiles share. Raises MethodError when a tile or a clip is too small to hold its overlap, or the region
    lies outside the frame.
    """
    height, width = (tile, tile) if isinstance(tile, int) else (tile.height, tile.width)
    if region is None:
        region = Region.whole(size)
    elif region.intersect(Region.whole(size)) != region:
        raise MethodError(
            "the region reaches outside the frame", found=str(region), expected=f"within {size}"
        )
    smallest = smallest_tile_px(overlap, multiple)
    too_small = [
        edge
        for edge, whole in ((height, size.height), (width, size.width))
        if edge < smallest and edge - edge % multiple < whole  # what holds the whole edge shares it with none
    ]
    if too_small:
        raise MethodError(
            "tiles are too small for what they share",
            found=f"{min(too_small)} px",
            expected=f"at least {smallest} px",
            advice="Choose a larger tile",
        )
    if clip <= clip_overlap:
        raise MethodError(
            "clips are too short for the frames they share",
            found=f"{clip} frames",
            expected=f"more than {clip_overlap}",
            advice="Choose longer clips",
        )
    cover = region.expand(overlap, size)
    return Plan(
        size,
        frames,
        region,
        rows=_cut(Span(cover.top, cover.bottom), size.height, height, overlap, multiple),
        columns=_cut(Span(cover.left, cover.right), size.width, width, overlap, multiple),
        clips=cut_evenly(frames, clip, clip_overlap) if len(frames) else (),
    )


def smallest_tile_px(overlap: int, multiple: int) -> int:
    """Return the shortest edge of a tile that shares `overlap` with the next."""
    return _round_up(overlap + 1, multiple)


def cut_length(total: int, pieces: int, overlap: int, multiple: int = 1) -> int:
    """Return the edge with which a plan cuts `total` pixels into so many pieces, or fewer."""
    return _round_up(-(-(total + (pieces - 1) * overlap) // pieces), multiple)


def covered_twice(total: int, edge: int, overlap: int, multiple: int = 1) -> float:
    """Return the pixels computed along an axis for every pixel of it; 1 where there is one tile."""
    pieces = _cut(Span(0, total), total, edge, overlap, multiple)
    return sum(map(len, pieces)) / total


def with_neighbours(frames: Span, clip_frames: int, frame_count: int) -> Span:
    """Return what to plan so that `frames`, be it one alone, are restored in a clip of `clip_frames`.

    A method that looks at neighbouring frames would lack them otherwise. Stays within [0, `frame_count`).
    """
    missing = min(clip_frames, frame_count) - len(frames)
    if missing <= 0 or len(frames) == 0:
        return frames
    start = min(max(0, frames.start - (missing + 1) // 2), frame_count - len(frames) - missing)
    return Span(start, start + len(frames) + missing)


def cut_evenly(whole: Span, length: int, overlap: int, multiple: int = 1) -> tuple[Span, ...]:
    """Cover `whole` with the fewest spans of at most `length` that share at least `overlap`.

    All have the same length, a multiple of `multiple`, and are spread evenly; one span covers a whole
    that is no longer than `length`, whatever its length is. Where neither an overlap nor a multiple is
    asked for they do not overlap at all, and their lengths may differ by one. `length` must be a
    multiple of `multiple` and longer than `overlap`.
    """
    total = len(whole)
    if total <= length:
        return (whole,)
    pieces = -(-(total - overlap) // (length - overlap))
    if overlap == 0 and multiple == 1:
        edges = [whole.start + total * index // pieces for index in range(pieces + 1)]
        return tuple(Span(start, stop) for start, stop in pairwise(edges))
    piece = _round_up(-(-(total + (pieces - 1) * overlap) // pieces), multiple)
    slack = total - piece
    starts = (whole.start + round(slack * index / (pieces - 1)) for index in range(pieces))
    return tuple(Span(start, start + piece) for start in starts)


def _cut(cover: Span, limit: int, edge_px: int, overlap_px: int, multiple_px: int) -> tuple[Span, ...]:
    """Cut one axis, after growing `cover` to a multiple within [0, limit) where a region leaves room."""
    length = min(limit, _round_up(len(cover), multiple_px))
    start = min(cover.start, limit - length)
    return cut_evenly(Span(start, start + length), edge_px - edge_px % multiple_px, overlap_px, multiple_px)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
