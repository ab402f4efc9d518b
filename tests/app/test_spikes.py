import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state.lease import Lease
from app.state.spikes import BINS, RateCurve, SpikeViews
from engine.source import SequenceSource


def naive_envelope(values, start, stop, columns):
    result = np.full((3, columns), np.nan)
    width = (stop - start) / columns
    for column in range(columns):
        first = math.floor(start + column * width)
        last = max(math.ceil(start + (column + 1) * width), first + 1)
        inside = [values[p] for p in range(max(0, first), min(len(values), last))]
        if inside:
            result[:, column] = min(inside), max(inside), sum(inside) / len(inside)
    return result


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
    stop = start + columns * (length // columns)
    expected = naive_envelope(curve.values, start, stop, columns)
    np.testing.assert_allclose(curve.envelope(start, stop, columns), expected, rtol=1e-5)


def test_zoomed_in_every_column_shows_the_plane_it_lies_in():
    curve = RateCurve.of_counts(np.arange(10, dtype=np.int64), 10)
    mean = curve.envelope(2.0, 4.0, 8)[2]
    np.testing.assert_allclose(mean, [0.2] * 4 + [0.3] * 4)


def test_a_recording_without_planes_or_spikes_has_a_curve_too():
    assert RateCurve.of_counts(np.zeros(0, np.int64), 10).peak == 0
    curve = RateCurve.of_counts(np.zeros(5, np.int64), 10)
    assert (curve.peak, curve.mean) == (0, 0)


@pytest.fixture
def spikes(pool):
    return SpikeViews(pool)


@pytest.fixture
def lease(files):
    return Lease(files.open(SequenceSource("clip")))


def test_the_rate_is_spikes_per_pixel_of_every_plane(spikes, lease, qtbot):
    spikes.count(lease)
    assert spikes.rate_progress == 0.0
    qtbot.waitUntil(lambda: spikes.rate is not None)
    expected = np.array([plane % 7 for plane in range(200)]) / (30 * 40)
    np.testing.assert_allclose(spikes.rate.values, expected, rtol=1e-6)
    assert spikes.rate_progress is None


def test_the_voxel_pictures_know_their_planes_and_spikes(spikes, lease, qtbot):
    with qtbot.waitSignal(spikes.voxels_changed):
        spikes.show(lease, 3)
    voxels = spikes.voxels
    assert voxels.index == 3
    assert len(voxels.pictures) == BINS
    assert voxels.spans[0] == (60.0, 60.5)
    assert voxels.spans[-1][1] == 76.0
    assert voxels.spikes[0] == 4 * 30 * 40
    assert (voxels.pictures[0] == 255).all()


def test_counting_stops_when_another_sequence_opens(spikes, lease, files, qtbot):
    class Endless(type(lease.sequence.recording)):
        def packed(self, start, stop):
            return np.zeros((stop - start, 1 << 20), np.uint8)

        @property
        def info(self):
            import dataclasses

            return dataclasses.replace(super().info, height=1 << 12, width=1 << 11)

    lease.sequence.recording = Endless(planes=10**6)
    failures = []
    spikes.failed.connect(failures.append)
    spikes.count(lease)
    spikes.clear()
    other = Lease(files.open(SequenceSource("other")))
    spikes.count(other)
    qtbot.waitUntil(lambda: spikes.rate is not None)
    assert failures == []
    lease.retire()
    assert lease.sequence.closed
