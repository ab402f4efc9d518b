import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state.spikes.spike_rate import LEAST_BLOCKS, RateCurve


def naive_envelope(values, start, stop, columns, widened=0.0):
    """Lowest, highest and mean of every column; each wider by so much of itself on either side."""
    result = np.full((3, columns), np.nan)
    width = (stop - start) / columns
    for column in range(columns):
        first = math.floor(start + (column - widened) * width)
        last = max(math.ceil(start + (column + 1 + widened) * width), first + 1)
        inside = [values[p] for p in range(max(0, first), min(len(values), last))]
        if inside:
            result[:, column] = min(inside), max(inside), sum(inside) / len(inside)
    return result


def curve_of(planes, seed=0):
    return RateCurve.of_counts(np.random.default_rng(seed).integers(0, 1000, planes), 1000)


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=60),
    st.integers(-30, 80),
    st.integers(1, 100),
    st.integers(1, 40),
)
def test_the_envelope_is_that_of_a_plain_loop(counts, start, length, columns):
    curve = RateCurve.of_counts(np.array(counts, np.int64), 100)
    columns = min(columns, length)
    # whole numbers of planes a column, so that both sides cut at the same planes
    per_column = min(length // columns, LEAST_BLOCKS * 4 - 1)
    stop = start + columns * per_column
    expected = naive_envelope(curve.values, start, stop, columns)
    np.testing.assert_allclose(curve.envelope(start, stop, columns), expected, rtol=1e-5)


@pytest.mark.parametrize("planes", [5000, 4096, 4095, 4097])
@pytest.mark.parametrize("per_column", [32, 64, 128, 512])
def test_columns_of_whole_blocks_are_exact_at_every_level(planes, per_column):
    curve = curve_of(planes)
    level = curve.level_for(per_column)
    assert level.block_planes > 1
    start, columns = -2 * per_column, planes // per_column + 6  # beyond both ends
    expected = naive_envelope(curve.values, start, start + columns * per_column, columns)
    shown = curve.envelope(start, start + columns * per_column, columns)
    np.testing.assert_allclose(shown, expected, rtol=1e-5)


@given(st.integers(1, 3000), st.floats(-500, 3000), st.floats(1, 5000), st.integers(1, 30))
def test_a_column_shows_all_its_planes_and_none_farther_than_an_eighth_of_it(planes, start, length, columns):
    curve = curve_of(planes)
    low, high, mean = curve.envelope(start, start + length, columns)
    exact = naive_envelope(curve.values, start, start + length, columns)
    # rounding may put a plane that a column only just touches into it or not
    inner = naive_envelope(curve.values, start, start + length, columns, widened=-1e-6)
    outer = naive_envelope(curve.values, start, start + length, columns, widened=1 / LEAST_BLOCKS + 1e-6)
    seen = ~np.isnan(low) & ~np.isnan(inner[0])
    assert not np.isnan(exact[0, seen]).any()
    assert (outer[0, seen] <= low[seen]).all()
    assert (low[seen] <= inner[0, seen]).all()
    assert (inner[1, seen] <= high[seen]).all()
    assert (high[seen] <= outer[1, seen]).all()
    assert (low[seen] - 1e-6 <= mean[seen]).all()
    assert (mean[seen] <= high[seen] + 1e-6).all()


def test_one_bright_plane_among_many_is_seen_from_afar():
    counts = np.zeros(1_000_000, np.int64)
    counts[654_321] = 7
    low, high, mean = RateCurve.of_counts(counts, 10).envelope(0, 1_000_000, 1000)
    assert high[654] == pytest.approx(0.7)
    assert (np.delete(high, 654) == 0).all()
    assert (low == 0).all()
    assert mean[654] == pytest.approx(0.7 / 1000, rel=0.3)


@pytest.mark.parametrize("view", [(0, 4_000_000), (1_000_000, 1_400_000), (2_000_000, 2_000_100)])
def test_no_view_reads_more_numbers_than_the_screen_calls_for(view):
    curve = RateCurve.of_counts(np.ones(4_000_000, np.int64), 10)
    columns = 100
    level = curve.level_for((view[1] - view[0]) / columns)
    assert (view[1] - view[0]) / level.block_planes <= columns * LEAST_BLOCKS * 4


def test_the_summary_takes_little_memory_beside_the_rate():
    curve = RateCurve.of_counts(np.ones(1_000_000, np.int64), 10)
    extra = sum(one.low.nbytes + one.high.nbytes + one.total.nbytes for one in curve.levels[1:])
    assert extra < 1.4 * curve.values.nbytes


def test_zoomed_in_every_column_shows_the_plane_it_lies_in():
    curve = RateCurve.of_counts(np.arange(10, dtype=np.int64), 10)
    mean = curve.envelope(2.0, 4.0, 8)[2]
    np.testing.assert_allclose(mean, [0.2] * 4 + [0.3] * 4)


def test_a_recording_without_planes_or_spikes_has_a_curve_too():
    empty = RateCurve.of_counts(np.zeros(0, np.int64), 10)
    assert (empty.peak, empty.mean) == (0, 0)
    assert np.isnan(empty.envelope(0, 10, 4)).all()
    curve = RateCurve.of_counts(np.zeros(5, np.int64), 10)
    assert (curve.peak, curve.mean) == (0, 0)
