"""How a restoration is cut, and what it may take: what a person asked for turned into numbers."""

from dataclasses import dataclass

from engine.errors import MethodError
from engine.geometry import Region, Size, Span
from engine.restoration.memory import Budget, find_budget, format_gib
from engine.restoration.methods import Method
from engine.restoration.options import ComputeOptions
from engine.restoration.plan import Plan, covered_twice, cut_length, plan, smallest_tile_px

MOST_PIECES = 64
"""Tiles along an axis beyond which nothing is tried."""
MOST_BATCHED_TILES = 8
"""More of them at once do not make a GPU faster."""


@dataclass(frozen=True)
class Layout:
    """The numbers that a restoration is really cut by."""

    tile: Size
    overlap_px: int
    clip_frames: int
    clip_overlap: int
    batch_tiles: int
    budget: Budget
    needs_bytes: int
    """What the method says a batch of such tiles takes."""
    is_fixed: bool
    """Whether a person chose the tile, so that it is never made smaller behind their back."""

    def plan(self, size: Size, frames: Span, method: Method, region: Region | None = None) -> Plan:
        """Lay these numbers out over frames. Raises MethodError as `engine.restoration.plan.plan` does."""
        return plan(
            size,
            frames,
            self.tile,
            self.overlap_px,
            self.clip_frames,
            self.clip_overlap,
            region,
            multiple=method.multiple_px,
        )

    def __str__(self) -> str:
        frames = f"{self.clip_frames} frame{'s' if self.clip_frames > 1 else ''}"
        text = f"tiles of {self.tile} px, {frames} at a time"
        if self.needs_bytes:
            text += f", about {format_gib(self.needs_bytes)}"
        return text


def settle(
    size: Size,
    frame_count: int,
    method: Method,
    options: ComputeOptions,
    region: Region | None = None,
) -> Layout:
    """Turn wishes into numbers for restoring a sequence of so many frames of `size`.

    With a `region` only that and the context around it need to fit. Where the tile is left to us it is the
    one, among those that fit the memory, that computes the fewest pixels twice; where none fits, clips are
    shortened too. Raises MethodError for an overlap that the tile cannot hold, and for a tile that a person
    chose and that does not fit, with the size that would.
    """
    budget = find_budget(method.device, options.memory_gb, whole=options.tile is not None)
    overlap = method.overlap_px if options.overlap_px is None else options.overlap_px
    if region is not None:
        size = region.expand(overlap, size).size
    clip = min(options.clip_frames or method.clip_frames, max(1, frame_count))
    clip_overlap = min(method.clip_overlap, clip - 1)
    batch = options.batch_tiles or 1
    if options.tile is not None:
        tile = options.tile
        needed = method.memory_bytes(_within(tile, size), clip) * batch
        if needed > budget.bytes:
            raise too_large(size, tile, overlap, clip, method, budget, needed)
        return Layout(tile, overlap, clip, clip_overlap, batch, budget, needed, is_fixed=True)
    chosen = best_tile(size, overlap, clip, method, budget.bytes // batch, options.at_most_px)
    while chosen is None and options.clip_frames is None and clip > 1:
        clip = -(-clip // 2)
        clip_overlap = min(clip_overlap, clip - 1)
        chosen = best_tile(size, overlap, clip, method, budget.bytes // batch, options.at_most_px)
    smallest = smallest_tile_px(overlap, method.multiple_px)
    tile = chosen or Size(smallest, smallest)  # where nothing fits, the least there is rather than nothing
    needed = method.memory_bytes(_within(tile, size), clip)
    if options.batch_tiles is None and method.device != "cpu" and needed:
        batch = max(1, min(MOST_BATCHED_TILES, budget.bytes // needed))
    return Layout(tile, overlap, clip, clip_overlap, batch, budget, needed * batch, is_fixed=False)


def best_tile(
    size: Size,
    overlap_px: int,
    clip_frames: int,
    method: Method,
    budget_bytes: int,
    at_most_px: int | None = None,
) -> Size | None:
    """Return the tile within the budget that computes the fewest pixels, None where none fits.

    Of two that compute as many, the larger one.
    """
    smallest = smallest_tile_px(overlap_px, method.multiple_px)
    limit = max(at_most_px or 0, smallest) if at_most_px is not None else None
    heights, widths = (
        _lengths(edge, overlap_px, method.multiple_px, smallest, limit) for edge in (size.height, size.width)
    )
    best: tuple[float, int] | None = None
    chosen = None
    for height in heights:
        for width in widths:
            tile = Size(height, width)
            if method.memory_bytes(_within(tile, size), clip_frames) > budget_bytes:
                continue
            cost = covered_twice(size.height, height, overlap_px, method.multiple_px) * covered_twice(
                size.width, width, overlap_px, method.multiple_px
            )
            rank = (cost, -tile.pixels)
            if best is None or rank < best:
                best, chosen = rank, tile
    return chosen


def too_large(
    size: Size, tile: Size, overlap_px: int, clip: int, method: Method, budget: Budget, needed: int
) -> MethodError:
    """Return the error for a tile that a person chose and that memory cannot hold."""
    fitting = best_tile(size, overlap_px, clip, method, budget.bytes, max(tile.height, tile.width))
    if fitting is None or fitting.pixels >= tile.pixels:
        fitting = best_tile(size, overlap_px, clip, method, budget.bytes, max(tile.height, tile.width) // 2)
    advice = "Choose fewer frames a clip, or let the tile be chosen (auto)"
    if fitting is not None:
        advice = f"Choose a tile of {fitting.height}x{fitting.width}, which would fit, or auto"
    return MethodError(
        f"tiles of {tile} px and clips of {clip} frames do not fit the memory",
        found=f"they take about {format_gib(needed)}",
        expected=f"at most {budget}",
        advice=advice,
    )


def _within(tile: Size, size: Size) -> Size:
    return Size(min(tile.height, size.height), min(tile.width, size.width))


def _lengths(edge: int, overlap: int, multiple: int, smallest: int, limit: int | None) -> list[int]:
    """Return the lengths of even cuts of an axis into 1, 2, 3, … pieces, longest first."""
    lengths = []
    for pieces in range(1, MOST_PIECES + 1):
        length = cut_length(edge, pieces, overlap, multiple)
        if length < smallest and pieces > 1:
            break
        if limit is None or length <= limit:
            lengths.append(length)
    return lengths or [smallest]
