"""A plan covers everything, evenly, and states its cost."""

import itertools
import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import MethodError
from engine.geometry import Region, Size, Span
from engine.restoration.plan import Plan, cut_evenly, plan, with_neighbours
from tests.engine.planning import make_plan


def method(
    *,
    overlap_px: int = 0,
    multiple_px: int = 1,
    clip_frames: int = 1,
    clip_overlap: int = 0,
    tile_px: int | None = None,
) -> SimpleNamespace:
    return SimpleNamespace(
        name="test",
        overlap_px=overlap_px,
        multiple_px=multiple_px,
        clip_frames=clip_frames,
        clip_overlap=clip_overlap,
        default_tile_px=tile_px,
    )


def test_a_frame_smaller_than_what_tiles_share_is_one_tile() -> None:
    """A tile that holds the whole edge shares it with none; one that does not is refused."""
    made = plan(Size(30, 300), Span(0, 2), Size(32, 128), 62, 2, 1, multiple=8)
    assert made.rows == (Span(0, 30),)
    assert len(made.columns) > 1
    with pytest.raises(MethodError, match="too small for what they share"):
        plan(Size(40, 300), Span(0, 2), Size(32, 128), 62, 2, 1, multiple=8)


@given(
    total=st.integers(1, 3000),
    length=st.integers(1, 600),
    overlap=st.integers(0, 599),
    start=st.integers(0, 9),
)
def test_pieces_are_equal_cover_everything_and_share_the_overlap(
    total: int, length: int, overlap: int, start: int
) -> None:
    overlap = min(overlap, length - 1)
    pieces = cut_evenly(Span(start, start + total), length, overlap)
    assert pieces[0].start == start
    assert pieces[-1].stop == start + total
    lengths = {len(piece) for piece in pieces}
    assert max(lengths) - min(lengths) <= (1 if overlap == 0 else 0)
    assert max(lengths) <= length
    if overlap == 0:
        assert sum(map(len, pieces)) == total
    assert all(a.stop - b.start >= overlap for a, b in itertools.pairwise(pieces))
    # No arrangement of spans of this length has fewer pieces.
    fewest = 1 if total <= length else math.ceil((total - overlap) / (length - overlap))
    assert len(pieces) == fewest


@settings(deadline=None)
@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    multiple=st.sampled_from([1, 8, 16, 24]),
    overlap=st.integers(0, 40),
    tiles=st.integers(3, 12),
)
def test_tiles_keep_to_the_multiple_and_inside_the_picture(
    height: int, width: int, multiple: int, overlap: int, tiles: int
) -> None:
    size = Size(height, width)
    tile_px = 24 * tiles
    plan = make_plan(size, Span(0, 1), method(overlap_px=overlap, multiple_px=multiple), tile_px)
    covered = [[False] * width for _ in range(height)]
    for tile in plan.tiles:
        assert tile.intersect(Region.whole(size)) == tile
        assert tile.size.height % multiple == 0 or tile.size.height == height
        assert tile.size.width % multiple == 0 or tile.size.width == width
        assert max(tile.size.height, tile.size.width) <= tile_px
        for row in covered[tile.top : tile.bottom]:
            row[tile.left : tile.right] = [True] * tile.size.width
    assert all(map(all, covered))
    assert plan.tiles_total == len(plan.tiles)


def test_overlap_cost_is_the_share_of_pixels_computed_twice() -> None:
    # Two spans of 60 over 100 by hand: 2 · 60 / 100 each way; clips of 4 sharing 2 over 6 frames: 8 / 6.
    plan = make_plan(
        Size(100, 100), Span(0, 6), method(overlap_px=20, clip_frames=4, clip_overlap=2), tile_px=60
    )
    assert plan.clips == (Span(0, 4), Span(2, 6))
    assert plan.overlap_cost == pytest.approx(1.2 * 1.2 * 8 / 6)
    assert plan.tiles_total == 4 * 2


def test_even_tiles_of_a_720p_frame_cost_less_than_a_naive_grid() -> None:
    plan = make_plan(Size(720, 1280), Span(0, 1), method(overlap_px=32, multiple_px=8), tile_px=384)
    assert plan.overlap_cost < 1.25


def test_a_frame_without_a_wished_tile_is_one_tile() -> None:
    plan = make_plan(Size(37, 1001), Span(4, 5), method(multiple_px=8, overlap_px=16))
    assert plan.tiles == (Region(0, 0, 37, 1001),)
    assert plan.overlap_cost == 1.0


def test_a_region_plans_only_the_tiles_that_it_needs_with_context() -> None:
    region = Region(300, 600, 400, 700)
    plan = make_plan(Size(720, 1280), Span(0, 1), method(overlap_px=32, multiple_px=8), 256, region)
    assert plan.tiles_total == 1
    tile = plan.tiles[0]
    assert tile.top <= 268
    assert tile.left <= 568
    assert tile.bottom >= 432
    assert tile.right >= 732
    assert tile.size.height % 8 == 0


def test_a_region_in_the_corner_stays_inside_the_frame() -> None:
    plan = make_plan(
        Size(100, 100), Span(0, 1), method(overlap_px=8, multiple_px=16), 64, Region(90, 90, 100, 100)
    )
    assert all(tile.intersect(Region(0, 0, 100, 100)) == tile for tile in plan.tiles)
    assert plan.tiles[0].size == Size(32, 32)


def test_a_tile_that_cannot_hold_the_overlap_is_refused_with_the_size_that_can() -> None:
    with pytest.raises(MethodError, match="at least 40 px") as caught:
        make_plan(Size(100, 100), Span(0, 1), method(overlap_px=32, multiple_px=8), tile_px=32)
    assert caught.value.advice


def test_a_region_outside_the_frame_is_refused() -> None:
    with pytest.raises(MethodError, match="outside the frame"):
        make_plan(Size(100, 100), Span(0, 1), method(), region=Region(50, 50, 101, 60))


def test_no_frames_make_an_empty_plan() -> None:
    plan: Plan = make_plan(Size(10, 10), Span(3, 3), method())
    assert plan.tiles_total == 0
    assert plan.overlap_cost == 1.0


@given(
    total=st.integers(1, 40),
    start=st.integers(0, 39),
    length=st.integers(1, 40),
    clip_frames=st.integers(1, 12),
)
def test_frames_get_the_neighbours_that_their_clip_lacks(total, start, length, clip_frames):
    start = min(start, total - 1)
    frames = Span(start, min(total, start + length))

    planned = with_neighbours(frames, clip_frames, total)

    assert 0 <= planned.start <= frames.start < frames.stop <= planned.stop <= total
    assert len(planned) == max(len(frames), min(clip_frames, total))
    if planned.start > 0 and planned.stop < total:
        assert abs((frames.start - planned.start) - (planned.stop - frames.stop)) <= 1
