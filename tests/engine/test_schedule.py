"""In which order tiles are computed, and when frames are finished."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry import Region, Size, Span
from engine.restoration.plan import plan
from engine.restoration.schedule import Schedule, View


def run(schedule, view=lambda: None, most_tiles=1):
    """Do everything there is; return the steps and the frames in the order in which they finish."""
    steps, finished, current = [], [], None
    while (step := schedule.next(current, view(), most_tiles)) is not None:
        steps.append(step)
        finished += schedule.done(step)
        current = step.clip
    return steps, finished


views = st.one_of(
    st.none(),
    st.builds(
        View,
        st.integers(-2, 25),
        st.one_of(st.none(), st.builds(Region, *[st.integers(0, 40)] * 2, *[st.integers(41, 200)] * 2)),
        st.one_of(st.none(), st.tuples(st.floats(-50, 250), st.floats(-50, 250))),
    ),
)


@settings(deadline=None)
@given(
    frames=st.integers(1, 20),
    clip=st.integers(2, 7),
    overlap=st.integers(0, 1),
    tile=st.integers(20, 120),
    seen=st.lists(views, min_size=1, max_size=30),
    most_tiles=st.integers(1, 4),
)
def test_wherever_the_view_goes_every_tile_is_done_once_and_every_frame_finishes_once(
    frames, clip, overlap, tile, seen, most_tiles
):
    work = plan(Size(90, 130), Span(0, frames), tile, 8, clip, overlap)
    moving = itertools.cycle(seen)

    steps, finished = run(Schedule(work, range(frames)), lambda: next(moving), most_tiles)

    done = [(step.clip, tile) for step in steps for tile in step.tiles]
    assert len(done) == len(set(done)) == work.tiles_total
    assert sorted(finished) == list(range(frames))


def test_without_a_view_work_goes_in_order():
    work = plan(Size(64, 64), Span(0, 10), 40, 8, 4, 1)

    steps, finished = run(Schedule(work, range(10)))

    order = [(step.clip, *step.tiles) for step in steps]
    assert order == sorted(order)
    assert finished == list(range(10))


def test_visible_tiles_come_first_and_of_them_the_nearest_to_the_cursor():
    work = plan(Size(100, 400), Span(0, 1), 100, 0, 1, 0)
    seen = View(0, Region(0, 100, 100, 300), (50.0, 250.0))

    steps, _ = run(Schedule(work, range(1)), lambda: seen)

    left_edges = [work.tiles[step.tiles[0]].left for step in steps]
    assert left_edges == [200, 100, 300, 0]


def test_a_view_that_moves_to_another_frame_is_followed_at_once():
    work = plan(Size(64, 64), Span(0, 12), 40, 8, 4, 0)
    schedule = Schedule(work, range(12))
    first = schedule.next(None, None)
    schedule.done(first)

    step = schedule.next(first.clip, View(9))

    assert first.clip == 0
    assert 9 in work.clips[step.clip]
    assert schedule.next(step.clip, None).clip == step.clip


def test_clips_without_wanted_frames_are_passed_over_and_count_as_done():
    work = plan(Size(64, 64), Span(0, 12), 64, 0, 4, 0)
    schedule = Schedule(work, range(9, 10))

    assert schedule.tiles_done == 2
    assert schedule.next(None, None).clip == 2
    steps, finished = run(schedule)
    assert len(steps) == 1
    assert 9 in finished
