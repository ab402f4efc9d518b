"""Count spikes in packed planes without unpacking them.

Strategy: add planes as bits. A carry-save adder turns three bit-planes of one weight into one of that
weight and one of twice it, with five logical operations on whole bytes, eight pixels at a time. All
planes of a bin shrink to at most eight bit-planes, the binary digits of the counts, and only those are
unpacked. Work goes in blocks of rows that stay in the processor's cache, on a few threads: numpy lets
go of the interpreter during every operation.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Region, Size, Span

BLOCK_BYTES = 1 << 17
MOST_PLANES_AT_ONCE = 255
"""As many as eight binary digits count."""
CHUNK_BYTES = 16 << 20
MOST_THREADS = 4
FOLDED_BYTES = 31
THREADED_BYTES = 1 << 21
"""Below this much, starting threads takes longer than counting."""

Packed = Callable[[int, int], NDArray[np.uint8]]
"""`Recording.packed`: planes [start, stop) as (planes, plane_bytes)."""
Counts = NDArray[np.float32] | NDArray[np.uint32]


class BlockCounter:
    """Adds planes of one block as bits; keeps its scratch memory for the next block. One thread only."""

    def __init__(self) -> None:
        self._free: dict[int, list[NDArray[np.uint8]]] = {}
        self._sums: list[NDArray[np.uint8]] = []
        """By weight, the digit so far."""
        self._waiting: list[NDArray[np.uint8] | None] = []
        """By weight, a bit-plane that waits for another to be added together with it."""

    def count(self, planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Count the set bits of 1 to 255 planes (T, bytes): uint8 (8 · bytes,)."""
        for plane in planes:
            self._add_plane(plane)
        self._settle()
        counts = np.unpackbits(self._sums[-1], bitorder="little").view(np.uint64)
        for digit in reversed(self._sums[:-1]):
            # Eight counts in a word, none of which can reach 256 and spill over.
            np.left_shift(counts, 1, out=counts)
            np.add(counts, np.unpackbits(digit, bitorder="little").view(np.uint64), out=counts)
        for digit in self._sums:
            self._give_back(digit)
        self._sums, self._waiting = [], []
        return counts.view(np.uint8)

    def _add_plane(self, plane: NDArray[np.uint8]) -> None:
        """Add a plane of weight 1, which stays as it is."""
        if not self._sums:
            first = self._take(len(plane))
            np.copyto(first, plane)
            self._start_weight(first)
        elif self._waiting[0] is None:
            self._waiting[0] = plane
        else:
            self._add_carry(1, self._add_two(0, self._waiting[0], plane))
            self._waiting[0] = None

    def _add_carry(self, weight: int, carry: NDArray[np.uint8]) -> None:
        """Add a bit-plane of a higher weight, whose memory is ours."""
        if weight == len(self._sums):
            self._start_weight(carry)
            return
        waiting = self._waiting[weight]
        if waiting is None:
            self._waiting[weight] = carry
            return
        self._add_carry(weight + 1, self._add_two(weight, waiting, carry))
        self._waiting[weight] = None
        self._give_back(waiting)
        self._give_back(carry)

    def _start_weight(self, bits: NDArray[np.uint8]) -> None:
        self._sums.append(bits)
        self._waiting.append(None)

    def _add_two(self, weight: int, one: NDArray[np.uint8], two: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Add two bit-planes to the digit of their weight and return the carry."""
        total = self._sums[weight]
        either, both, carry = (self._take(len(one)) for _ in range(3))
        np.bitwise_xor(one, two, out=either)
        np.bitwise_and(one, two, out=carry)
        np.bitwise_and(either, total, out=both)
        np.bitwise_or(carry, both, out=carry)
        np.bitwise_xor(total, either, out=total)
        self._give_back(either)
        self._give_back(both)
        return carry

    def _settle(self) -> None:
        """Add what still waits, so that one bit-plane is left of every weight."""
        weight = 0
        while weight < len(self._sums):
            waiting = self._waiting[weight]
            if waiting is not None:
                total = self._sums[weight]
                carry = self._take(len(waiting))
                np.bitwise_and(total, waiting, out=carry)
                np.bitwise_xor(total, waiting, out=total)
                self._waiting[weight] = None
                self._add_carry(weight + 1, carry)
            weight += 1

    def _take(self, length: int) -> NDArray[np.uint8]:
        free = self._free.setdefault(length, [])
        return free.pop() if free else np.empty(length, np.uint8)

    def _give_back(self, bits: NDArray[np.uint8]) -> None:
        self._free[len(bits)].append(bits)


def count_spans(packed: Packed, spans: Sequence[Span], size: Size, flip: bool, out: Counts) -> None:
    """Count the spikes of every pixel in every span of planes into `out`, (spans, H, W).

    Rows of the planes are turned over where `flip`. `out` is overwritten.
    """
    targets = out[:, ::-1] if flip else out
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    if threads == 1 or sum(map(len, spans)) * _plane_bytes(size) < THREADED_BYTES:
        _count_share(packed, spans, range(len(spans)), size, targets)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="count") as pool:
        if len(spans) >= 2 * threads:
            shares = [range(first, len(spans), threads) for first in range(threads)]
            _finish(pool.submit(_count_share, packed, spans, share, size, targets) for share in shares)
            return
        blocks = _row_blocks(size, threads)
        counters = [BlockCounter() for _ in range(threads)]
        for span, target in zip(spans, targets, strict=True):
            target[:] = 0
            for chunk in _chunks(span, size):
                planes = packed(chunk.start, chunk.stop)
                _finish(
                    pool.submit(
                        _count_blocks, planes, blocks[first::threads], size, target, counter, add=True
                    )
                    for first, counter in enumerate(counters)
                )


def count_region(
    packed: Packed, spans: Sequence[Span], size: Size, flip: bool, region: Region, out: Counts
) -> None:
    """Count the spikes of the pixels of `region` in every span into `out`, (spans, h, w).

    As `count_spans`, but of the planes' bytes only those are read that hold the region.
    """
    rows = Span(region.top, region.bottom)
    if flip:
        rows = Span(size.height - region.bottom, size.height - region.top)
    if size.width % 8 == 0:
        columns = Span(region.left // 8, -(-region.right // 8))
        first_row, first_column = rows.start, columns.start * 8
        counted = Size(len(rows), len(columns) * 8)

        def part(start: int, stop: int) -> NDArray[np.uint8]:
            planes = packed(start, stop).reshape(stop - start, size.height, size.width // 8)
            return planes[:, rows.start : rows.stop, columns.start : columns.stop].reshape(stop - start, -1)
    else:  # a row may start within a byte: take whole rows, from one that does not
        unit = 8 // math.gcd(size.width, 8)
        first_row, first_column = rows.start - rows.start % unit, 0
        counted = Size(rows.stop - first_row, size.width)
        held = _bytes_of(Span(first_row, rows.stop), size)

        def part(start: int, stop: int) -> NDArray[np.uint8]:
            return packed(start, stop)[:, held]

    counts: Counts = np.empty((len(spans), counted.height, counted.width), out.dtype)  # type: ignore[assignment]
    count_spans(part, spans, counted, False, counts)
    left = region.left - first_column
    wanted = counts[:, rows.start - first_row :, left : left + region.right - region.left]
    np.copyto(out, wanted[:, ::-1] if flip else wanted)


def count_unlit(packed: Packed, span: Span, size: Size, *, backwards: bool) -> NDArray[np.int64]:
    """Count the planes before a pixel's first spike in a span, its last one if `backwards`.

    int64 (H, W), rows in the order of the file; the length of the span where the pixel never fires.
    """
    counter = BlockCounter()
    total = np.zeros((size.height, size.width), np.int64)
    blocks = _row_blocks(size, 1)
    unlit: list[NDArray[np.uint8] | None] = [None] * len(blocks)
    chunks = list(_chunks(span, size))
    for chunk in reversed(chunks) if backwards else chunks:
        planes = packed(chunk.start, chunk.stop)[:: -1 if backwards else 1]
        for index, rows in enumerate(blocks):
            # That a pixel has not fired yet, plane by plane; the sum over planes is what is asked for.
            lasting = ~planes[:, _bytes_of(rows, size)]
            before = unlit[index]
            if before is not None:
                lasting[0] &= before
            np.bitwise_and.accumulate(lasting, axis=0, out=lasting)
            unlit[index] = lasting[-1].copy()
            counts = counter.count(lasting)[: len(rows) * size.width]
            total[rows.start : rows.stop] += counts.reshape(len(rows), size.width)
        if not any(part is not None and part.any() for part in unlit):
            break
    return total


def _finish(tasks: Iterable[Future[None]]) -> None:
    """Wait for tasks, all of them started first; raise what any of them raised."""
    for task in list(tasks):
        task.result()


def _count_share(packed: Packed, spans: Sequence[Span], share: range, size: Size, targets: Counts) -> None:
    counter = BlockCounter()
    blocks = _row_blocks(size, 1)
    for index in share:
        if len(spans[index]) == 0:
            targets[index] = 0
        for chunk in _chunks(spans[index], size):
            planes = packed(chunk.start, chunk.stop)
            _count_blocks(planes, blocks, size, targets[index], counter, add=chunk.start > spans[index].start)


def _count_blocks(
    planes: NDArray[np.uint8],
    blocks: Sequence[Span],
    size: Size,
    target: Counts,
    counter: BlockCounter,
    *,
    add: bool,
) -> None:
    """Count some rows of some planes into `target`, (H, W) in the order of the file."""
    for rows in blocks:
        counts = counter.count(planes[:, _bytes_of(rows, size)])[: len(rows) * size.width]
        counts = counts.reshape(len(rows), size.width)
        if add:
            target[rows.start : rows.stop] += counts
        else:
            target[rows.start : rows.stop] = counts


def _chunks(span: Span, size: Size) -> Iterator[Span]:
    """Cut a span of planes into pieces that can be counted, and held in memory, at once."""
    step = max(1, min(MOST_PLANES_AT_ONCE, CHUNK_BYTES // _plane_bytes(size)))
    for start in range(span.start, span.stop, step):
        yield Span(start, min(span.stop, start + step))


def _row_blocks(size: Size, least: int) -> list[Span]:
    """Cut the rows of a plane into `least` or more like blocks that start with a whole byte."""
    unit = 8 // math.gcd(size.width, 8)
    count = max(least, round(_plane_bytes(size) / BLOCK_BYTES))
    step = math.ceil(size.height / count / unit) * unit
    return [Span(start, min(size.height, start + step)) for start in range(0, size.height, step)]


def _bytes_of(rows: Span, size: Size) -> slice:
    return slice(rows.start * size.width // 8, (rows.stop * size.width + 7) // 8)


def _plane_bytes(size: Size) -> int:
    return (size.pixels + 7) // 8


class PlaneCounter:
    """Counts the set bits of whole planes; keeps its scratch memory for the next ones. One thread only."""

    def __init__(self, size: Size, most_planes: int) -> None:
        length = _plane_bytes(size)
        self._pixels = size.pixels
        self._folded = length // FOLDED_BYTES * FOLDED_BYTES
        self._counts = np.empty((most_planes, length), np.uint8)
        self._sums = np.empty((most_planes, length // FOLDED_BYTES), np.uint8)

    def count(self, planes: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Count the set bits of planes (T, plane_bytes), padding left out: int64 (T,)."""
        counts, sums = self._counts[: len(planes)], self._sums[: len(planes)]
        np.bitwise_count(planes, out=counts)
        # A byte counts up to 8, so 31 of them fit in a byte: adding those first is eight times as fast.
        folded = counts[:, : self._folded].reshape(len(planes), FOLDED_BYTES, -1)
        np.add.reduce(folded, axis=1, dtype=np.uint8, out=sums)
        total = sums.sum(axis=1, dtype=np.int64)
        total += counts[:, self._folded :].sum(axis=1, dtype=np.int64)
        if self._pixels % 8:
            total -= np.bitwise_count(planes[:, -1] >> np.uint8(self._pixels % 8))
        return total
