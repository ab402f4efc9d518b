"""Compute tiles, and go on with smaller ones when memory runs out.

Strategy: a tile that does not fit is computed in pieces that overlap as tiles do and are blended into the
one that was planned. So the plan, its blending weights and all that is finished stay as they are, and
whatever had to be made smaller goes on from the last finished tile. Pieces get smaller until they fit: half
the edges, then half the frames.
"""

import contextlib
import logging
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import MethodError
from engine.findings import Finding
from engine.geometry import Region, Size, Span
from engine.moment import Moment
from engine.restoration.blend import Blend
from engine.restoration.memory import MemoryWatch, format_gib, is_out_of_memory
from engine.restoration.methods import Method
from engine.restoration.plan import plan, smallest_tile_px
from engine.restoration.settings import Layout, too_large

log = logging.getLogger(__name__)

MOST_WHITE = 64.0
"""Of a method's pictures: beyond it they are no brightness, but levels of 0 to 255."""


@dataclass(frozen=True)
class Limits:
    """The largest piece that is computed at once."""

    tile: Size
    clip_frames: int
    tiles: int = 1
    """Tiles a batch."""


class TileComputer:
    """Restores regions of prepared clips with a method, within the memory there is."""

    def __init__(self, method: Method, size: Size, layout: Layout | None = None) -> None:
        self._method = method
        self._size = size
        self._layout = layout
        self._watch = MemoryWatch() if layout is not None and method.device == "cpu" else None
        tile = size if layout is None else layout.tile
        clip = method.clip_frames if layout is None else layout.clip_frames
        self.limits = Limits(tile, clip, 1 if layout is None else layout.batch_tiles)
        self.remarks: list[Finding] = []
        """What the user should know about how it was computed."""
        self._overlap = method.overlap_px if layout is None else layout.overlap_px

    def compute(
        self, prepared: Any, clip: Span, wanted: SequenceOf[Moment], regions: SequenceOf[Region]
    ) -> list[NDArray[np.float32]]:
        """Return each region's pictures (wanted, h, w, 3) of what was prepared of a clip.

        Raises MethodError where not even the smallest piece fits, or the user's own tile does not.
        """
        results: list[NDArray[np.float32]] = []
        while len(results) < len(regions):
            batch = regions[len(results) : len(results) + self.limits.tiles]
            has_run_out = False
            try:
                if self._fits(batch[0].size, len(clip)):
                    results.extend(self._restore(prepared, clip, wanted, batch))
                else:
                    results.extend(self._in_pieces(prepared, clip, wanted, region) for region in batch)
            except (MemoryError, RuntimeError) as error:
                if self._layout is None or not is_out_of_memory(error):
                    raise
                self._shrink(batch[0].size, len(clip), "memory ran out")
                has_run_out = True
            if has_run_out:  # not before the exception has let go of what the failed attempt held
                self._method.free_memory()
        return results

    def _restore(
        self, prepared: Any, clip: Span, wanted: SequenceOf[Moment], batch: SequenceOf[Region]
    ) -> list[NDArray[np.float32]]:
        """Compute a batch; the first one tells what it really takes on a CPU."""
        if self._watch is None:
            return self._checked(self._method.restore_batch(prepared, batch), len(wanted), batch)
        watch, self._watch = self._watch, None
        with watch.watching():
            results = self._checked(self._method.restore_batch(prepared, batch), len(wanted), batch)
        layout = self._layout
        assert layout is not None
        if watch.peak_bytes > layout.budget.bytes and layout.needs_bytes:
            taken = f"a tile took {format_gib(watch.peak_bytes)} of {format_gib(layout.budget.bytes)}"
            with contextlib.suppress(MethodError):  # it did fit after all
                self._shrink(batch[0].size, len(clip), taken)
        return results

    def _checked(self, restored: object, wanted: int, batch: SequenceOf[Region]) -> list[NDArray[np.float32]]:
        """Return a batch as it is. Raises MethodError where it has not the form of pictures."""
        expected = (len(batch), wanted, batch[0].size.height, batch[0].size.width, 3)
        pictures = restored if isinstance(restored, np.ndarray) else np.asarray(restored)
        if pictures.shape != expected or pictures.dtype.kind != "f":
            raise MethodError(
                f"the method {self._method.name} gave something else than pictures",
                found=f"{pictures.dtype} {pictures.shape}",
                expected=f"floating point {expected}: regions, moments, height, width and RGB",
                advice="Choose another method, or mend this one",
            )
        if pictures.size and pictures.max() > MOST_WHITE and np.isfinite(pictures).all():
            raise MethodError(
                f"the method {self._method.name} gave values far beyond white",
                found=f"up to {pictures.max():.4g}",
                expected="[0, 1], white being 1",
                advice="Choose another method, or mend this one",
            )
        return list(pictures)

    def _fits(self, tile: Size, frames: int) -> bool:
        limit = self.limits
        return (
            frames <= limit.clip_frames
            and tile.height <= limit.tile.height
            and tile.width <= limit.tile.width
        ) or self._layout is None

    def _in_pieces(
        self, prepared: Any, clip: Span, wanted: SequenceOf[Moment], region: Region
    ) -> NDArray[np.float32]:
        """Compute a region in pieces of the present limits, each of which may shrink them further."""
        frames = Span(0, len(clip))
        clip_frames = min(self.limits.clip_frames, len(clip))
        pieces = plan(
            region.size,
            frames,
            self.limits.tile,
            self._overlap,
            clip_frames,
            min(self._method.clip_overlap, clip_frames - 1),
            multiple=self._method.multiple_px,
        )
        blend = Blend(pieces)
        total = np.zeros((len(wanted), region.size.height, region.size.width, 3), np.float32)
        nothing = np.zeros(total.shape[1:], np.float32)
        for part in pieces.clips:
            inside = [
                (place, moment.frame - clip.start - part.start)
                for place, moment in enumerate(wanted)
                if moment.frame - clip.start in part
            ]
            if not inside:
                continue
            some = prepared if part == frames else self._method.part(prepared, part)
            for tile in pieces.tiles:
                lies = Region(
                    region.top + tile.top,
                    region.left + tile.left,
                    region.top + tile.bottom,
                    region.left + tile.right,
                )
                restored = self._checked(self._method.restore_batch(some, [lies]), len(inside), [lies])[0]
                weights = blend.weights(tile, part)
                for picture, (place, frame) in zip(restored, inside, strict=True):
                    blend.lay(total[place], nothing, picture, tile, weights[frame])
        return total

    def _shrink(self, tile: Size, frames: int, reason: str) -> None:
        """Halve the limits below what was just tried. Raises MethodError where that is not possible."""
        method, layout, limits = self._method, self._layout, self.limits
        tried = Size(min(tile.height, limits.tile.height), min(tile.width, limits.tile.width))
        tried_frames = min(frames, limits.clip_frames)
        if layout is not None and layout.is_fixed:
            needed = max(layout.needs_bytes, 1)
            raise too_large(
                self._size, layout.tile, self._overlap, layout.clip_frames, method, layout.budget, needed
            )
        smallest = smallest_tile_px(self._overlap, method.multiple_px)
        if limits.tiles > 1:
            self.limits = Limits(limits.tile, limits.clip_frames, limits.tiles // 2)
        elif max(tried.height, tried.width) > smallest:
            half = Size(
                *(
                    max(smallest, (edge + 1) // 2 // method.multiple_px * method.multiple_px)
                    for edge in (tried.height, tried.width)
                )
            )
            self.limits = Limits(half, limits.clip_frames)
        elif tried_frames > 1:
            self.limits = Limits(tried, (tried_frames + 1) // 2)
        else:
            raise MethodError(
                f"{reason}, even with tiles of {tried} px and one frame at a time",
                advice="Close other programs, or restore on another device",
            )
        remark = Finding(
            f"{reason}: going on with {_describe(self.limits)}", "Close other programs to have larger pieces"
        )
        log.info("%s", remark)
        self.remarks.append(remark)


def _describe(limits: Limits) -> str:
    return f"pieces of {limits.tile} px, {limits.clip_frames} frames and {limits.tiles} tiles at a time"
