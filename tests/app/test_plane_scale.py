import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.timeline.plane_scale import (
    MOST_LANES,
    PlaneScale,
    format_planes,
    format_time,
    frame_at,
    lanes,
    panned,
    round_step,
    zoomed,
)

SCALE = PlaneScale(100.0, 300.0, 10.0, 400.0)


def test_planes_map_to_pixels_and_back():
    assert SCALE.x(100) == 10
    assert SCALE.x(300) == 410
    assert SCALE.plane(SCALE.x(123.4)) == pytest.approx(123.4)


@given(st.floats(1e-3, 1e9), st.floats(10, 300))
def test_ticks_are_round_in_view_and_far_enough_apart(length, gap_px):
    scale = PlaneScale(0.0, length, 0.0, 1000.0)
    ticks = scale.ticks(gap_px)
    assert all(0 <= tick <= length * (1 + 1e-6) for tick in ticks)
    assert len(ticks) <= 1000 / gap_px + 1 + 1e-6
    if len(ticks) > 1:
        step = ticks[1] - ticks[0]
        mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
        assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 1e-6


@pytest.mark.parametrize(("least", "step"), [(1, 1), (1.01, 2), (3, 5), (7, 10), (0.02, 0.02), (60, 100)])
def test_steps_are_one_two_or_five(least, step):
    assert round_step(least) == pytest.approx(step)


@given(st.floats(0, 999), st.floats(0.1, 10))
def test_zooming_keeps_the_plane_under_the_cursor_unless_an_end_is_reached(around, factor):
    start, stop = zoomed(0.0, 1000.0, factor, around, (-1e9, 1e9))
    assert (around - start) / (stop - start) == pytest.approx(around / 1000, abs=1e-6)


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1000), st.floats(0, 1000))
def test_the_view_never_leaves_the_bounds(by, factor, around):
    bounds = (0.0, 1000.0)
    start, stop = zoomed(100.0, 200.0, factor, around, bounds)
    start, stop = panned(start, stop, by, bounds)
    assert bounds[0] - 1e-6 <= start < stop <= bounds[1] + 1e-6


def test_windows_that_touch_share_a_lane_and_overlapping_ones_do_not():
    assert lanes([(0, 10), (10, 20), (20, 30)]) == [0, 0, 0]
    assert lanes([(0, 15), (10, 25), (20, 35)]) == [0, 1, 0]


def test_where_no_lane_is_free_the_one_free_first_is_shared():
    assert lanes([(0, 50), (1, 20), (2, 30), (3, 40)]) == [0, 1, 2, 1]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 50)), max_size=30))
def test_there_are_never_more_lanes_than_can_be_drawn(spans):
    chosen = lanes([(start, start + length) for start, length in spans])
    assert len(chosen) == len(spans)
    assert max(chosen, default=0) < MOST_LANES


@pytest.mark.parametrize(
    ("plane", "frame"), [(0, 0), (15.9, 0), (17, 0), (19, 1), (25, 1), (36, 1), (1e9, 2), (-5, 0)]
)
def test_a_click_goes_to_the_window_under_it_or_the_nearest(plane, frame):
    windows = np.array([(0, 16), (20, 36), (40, 56)], float)
    assert frame_at(windows, plane) == frame


def test_without_windows_there_is_no_frame_to_go_to():
    assert frame_at(np.zeros((0, 2)), 5.0) is None


def test_numbers_are_written_without_needless_digits():
    assert format_planes(10, 90) == "10–90"
    assert format_planes(412.5, 415) == "412.5–415"
    assert format_time(510, 20000) == "25.5 ms"
    assert format_time(0, 20000) == "0 ms"
    assert format_time(1_000_000, 20000) == "50 s"
