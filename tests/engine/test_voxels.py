"""Voxel bins, pictures and spike rates against loops that a person can check."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import bitplanes, voxels
from engine.errors import OperationCancelled
from engine.geometry import Region, Size, Span
from engine.recording import open_recording, packed, write_packed
from engine.recording.plane_source import PlaneSource
from engine.recording.recording import RecordingInfo
from engine.voxels import VoxelGrid, VoxelSpec, spike_rate, tfi, tfp, voxelize, window_counts


class Planes(PlaneSource):
    """A recording in memory, packed by a loop over bits."""

    def __init__(self, planes: np.ndarray, flip: bool = False) -> None:
        count, height, width = planes.shape
        super().__init__(RecordingInfo(Path("memory"), "packed", height, width, count, 0, flip=flip))
        self.planes = planes
        self.flip = flip

    def packed(self, start, stop):
        stored = self.planes[start:stop, ::-1] if self.flip else self.planes[start:stop]
        rows = np.zeros((stop - start, self.info.plane_bytes), np.uint8)
        for plane, bits in enumerate(stored.reshape(stop - start, -1)):
            for index in np.flatnonzero(bits):
                rows[plane, index // 8] |= 1 << (index % 8)
        return rows


def naive_voxels(planes, start, stop, bins):
    counts = np.zeros((bins, *planes.shape[1:]))
    for plane in range(len(planes)):
        if start <= plane < stop:
            index = math.floor((np.float64(plane) - start) / (stop - start) * bins)
            counts[min(index, bins - 1)] += planes[plane]
    return counts


def naive_tfi(planes, at, limit):
    rate = np.zeros(planes.shape[1:])
    for y, x in np.ndindex(*rate.shape):
        lit = np.flatnonzero(planes[:, y, x])
        before, after = lit[lit <= math.floor(at)], lit[lit > math.floor(at)]
        if len(before) and len(after) and after[0] - before[-1] <= limit and 0 <= at < len(planes):
            rate[y, x] = 1 / (after[0] - before[-1])
    return rate


@st.composite
def recordings(draw, most_planes=40):
    shape = draw(st.integers(1, most_planes)), draw(st.integers(1, 9)), draw(st.integers(1, 21))
    density = draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Planes((random.random(shape) < density).astype(np.uint8), draw(st.booleans()))


unhurried = settings(deadline=None)
"""A busy machine is no failure."""

ends = st.floats(-20, 60, allow_nan=False) | st.integers(-20, 60).map(float)
windows = st.tuples(ends, ends).filter(lambda window: window[0] < window[1])


@unhurried
@given(recordings(), windows, st.integers(1, 40))
def test_voxels_are_those_of_a_loop_over_planes(recording, window, bins):
    grid = voxelize(recording, *window, bins)
    assert grid.dtype == np.float32
    np.testing.assert_array_equal(grid, naive_voxels(recording.planes, *window, bins))


@unhurried
@given(recordings(), windows, st.integers(1, 40))
def test_every_spike_of_the_window_is_in_exactly_one_bin(recording, window, bins):
    inside = [p for p in range(len(recording.planes)) if window[0] <= p < window[1]]
    grid = voxelize(recording, *window, bins)
    np.testing.assert_array_equal(np.sum(grid, axis=0), recording.planes[inside].sum(axis=0))


@unhurried
@given(recordings(), windows)
def test_a_voxel_grid_says_how_much_of_its_window_is_outside(recording, window):
    grid = voxelize(recording, *window)
    assert (grid.start, grid.stop) == window
    times = np.linspace(*window, 20_001)
    outside = np.mean((times < 0) | (times >= len(recording.planes))) * (window[1] - window[0])
    assert grid.outside_planes == pytest.approx(outside, abs=(window[1] - window[0]) / 5000)


@unhurried
@given(recordings(), windows)
def test_window_counts_and_tfp_are_sums_and_means_of_planes(recording, window):
    inside = recording.planes[[p for p in range(len(recording.planes)) if window[0] <= p < window[1]]]
    np.testing.assert_array_equal(window_counts(recording, *window), inside.sum(axis=0))
    mean = inside.mean(axis=0) if len(inside) else np.zeros(inside.shape[1:])
    np.testing.assert_allclose(tfp(recording, *window), mean, rtol=1e-6)
    assert tfp(recording, *window).dtype == np.float32


@unhurried
@given(recordings(), st.floats(-3, 45), st.integers(1, 30))
def test_tfi_is_one_over_the_interval_around_a_time(recording, at, limit):
    np.testing.assert_allclose(tfi(recording, at, limit), naive_tfi(recording.planes, at, limit), rtol=1e-6)


@unhurried
@given(recordings())
def test_spike_rate_is_the_sum_of_every_plane(recording):
    rate = spike_rate(recording)
    assert rate.dtype == np.int64
    np.testing.assert_array_equal(rate, recording.planes.sum(axis=(1, 2)))


@settings(unhurried, max_examples=20)
@given(recordings(most_planes=12), st.integers(1, 5), st.integers(1, 3))
def test_blocks_chunks_and_threads_change_nothing(recording, chunk_planes, bins):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bitplanes, "BLOCK_BYTES", 2)
        patch.setattr(bitplanes, "CHUNK_BYTES", chunk_planes * recording.info.plane_bytes)
        patch.setattr(bitplanes, "THREADED_BYTES", 0)
        patch.setattr(bitplanes, "MOST_THREADS", 2)
        patch.setattr(bitplanes.os, "cpu_count", lambda: 2)
        patch.setattr(voxels, "RATE_CHUNK_BYTES", chunk_planes * recording.info.plane_bytes)
        for count in (bins, 16):
            np.testing.assert_array_equal(
                voxelize(recording, -0.5, 11.5, count), naive_voxels(recording.planes, -0.5, 11.5, count)
            )
        np.testing.assert_array_equal(window_counts(recording, 0, 12), recording.planes.sum(axis=0))
        np.testing.assert_allclose(tfi(recording, 4), naive_tfi(recording.planes, 4, 256), rtol=1e-6)
        np.testing.assert_array_equal(spike_rate(recording), recording.planes.sum(axis=(1, 2)))


@pytest.mark.parametrize("planes", [254, 255, 256, 511, 1000])
def test_counts_that_need_more_than_eight_binary_digits_are_whole(planes):
    lit = np.ones((planes, 5, 11), np.uint8)
    lit[:, 2, 3] = 0
    lit[::2, 0, 0] = 0
    recording = Planes(lit)
    np.testing.assert_array_equal(window_counts(recording, 0, planes), lit.sum(axis=0))
    np.testing.assert_array_equal(voxelize(recording, 0, planes, 1)[0], lit.sum(axis=0))


def test_tfi_looks_across_more_planes_than_are_counted_at_once():
    lit = np.zeros((1300, 3, 5), np.uint8)
    lit[10, :, 1:] = 1
    lit[1250, :, :4] = 1
    np.testing.assert_allclose(tfi(Planes(lit), 600.7, 1300), naive_tfi(lit, 600.7, 1300), rtol=1e-6)
    assert not tfi(Planes(lit), 600, 1239).any()


def test_fewer_planes_than_bins_leave_bins_empty():
    lit = np.ones((4, 2, 2), np.uint8)
    grid = voxelize(Planes(lit), 0, 4, 32)
    assert [int(bin_[0, 0]) for bin_ in grid] == [1, 0, 0, 0, 0, 0, 0, 0] * 4


def test_a_window_outside_the_recording_is_empty_and_says_so():
    grid = voxelize(Planes(np.ones((4, 2, 2), np.uint8)), 10, 13.5)
    assert not grid.any()
    assert grid.outside_planes == 3.5


def test_padding_bits_of_a_plane_are_no_spikes(tmp_path):
    (tmp_path / "odd.dat").write_bytes(b"\xff" * 4)  # 3 × 3 pixels and 7 bits of padding a plane
    with open_recording(tmp_path / "odd.dat", height=3, width=3) as recording:
        assert spike_rate(recording).tolist() == [9, 9]
        np.testing.assert_array_equal(window_counts(recording, 0, 2), np.full((3, 3), 2))
        assert tfi(recording, 0).tolist() == np.ones((3, 3)).tolist()


@pytest.mark.parametrize("flip", [True, False])
def test_a_recording_on_disk_counts_as_its_planes_do(tmp_path, flip):
    planes = (np.random.default_rng(1).random((40, 13, 18)) < 0.3).astype(np.uint8)
    write_packed(tmp_path / "a.dat", planes, flip=flip)
    with open_recording(tmp_path / "a.dat", height=13, width=18, flip=flip) as recording:
        np.testing.assert_array_equal(voxelize(recording, 1.5, 33, 7), naive_voxels(planes, 1.5, 33, 7))
        np.testing.assert_array_equal(spike_rate(recording), planes.sum(axis=(1, 2)))


@unhurried
@given(windows, st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_events_are_counted_at_their_own_times(tmp_path_factory, window, bins, seed):
    random = np.random.default_rng(seed)
    t = np.sort(random.uniform(0, 30, 60))
    t[::7] = np.floor(t[::7])
    t.sort()
    y, x = random.integers(0, 3, 60), random.integers(0, 5, 60)

    path = tmp_path_factory.mktemp("events") / "a.npz"
    np.savez(path, t=t, y=y, x=x)
    expected = np.zeros((bins, 3, 5))
    for time, row, column in zip(t, y, x, strict=True):
        if window[0] <= time < window[1]:
            index = math.floor((time - window[0]) / (window[1] - window[0]) * bins)
            expected[min(index, bins - 1), row, column] += 1
    with open_recording(path, height=3, width=5, time_unit="planes") as events:
        np.testing.assert_array_equal(voxelize(events, *window, bins), expected)
        np.testing.assert_array_equal(spike_rate(events), np.bincount(t.astype(int)))


@pytest.mark.parametrize(
    ("start", "stop", "bins"),
    [(3, 1, 4), (2, 2, 4), (math.nan, 2, 4), (0, math.nan, 4), (0, math.inf, 4), (0, 1, 0), (0, 1, -2)],
)
def test_windows_that_are_none_are_refused(start, stop, bins):
    with pytest.raises(ValueError, match=r"window|bin"):
        voxelize(Planes(np.ones((4, 2, 2), np.uint8)), start, stop, bins)


def test_pictures_refuse_times_that_are_no_numbers():
    recording = Planes(np.ones((4, 2, 2), np.uint8))
    for call in (
        lambda: window_counts(recording, 2, 1),
        lambda: tfp(recording, math.nan, 1),
        lambda: tfi(recording, math.nan),
        lambda: tfi(recording, 1, 0),
    ):
        with pytest.raises(ValueError, match=r"window|interval"):
            call()


def test_spike_rate_tells_its_progress_and_stops_when_asked(monkeypatch):
    monkeypatch.setattr(voxels, "RATE_CHUNK_BYTES", 1)
    recording = Planes(np.ones((50, 2, 4), np.uint8))
    told = []
    spike_rate(recording, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) > 3
    with pytest.raises(OperationCancelled):
        spike_rate(recording, should_cancel=lambda: True)
    seen = []
    with pytest.raises(OperationCancelled):
        spike_rate(recording, progress=seen.append, should_cancel=lambda: len(seen) == 2)
    assert len(seen) == 2


@pytest.mark.parametrize("suffix", [".dat", ".npy"])
def test_a_spike_rate_over_a_mapped_file_lets_go_of_what_it_has_read(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(packed, "KEPT_BYTES", 0)
    planes = (np.random.default_rng(2).random((64, 64, 64)) < 0.3).astype(np.uint8)
    path = tmp_path / f"a{suffix}"
    np.save(path, planes) if suffix == ".npy" else write_packed(path, planes)
    with open_recording(path, height=64, width=64) as recording:
        np.testing.assert_array_equal(spike_rate(recording), planes.sum(axis=(1, 2)))
        np.testing.assert_array_equal(recording.read(0, 64), planes)


@unhurried
@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_the_block_counter_can_be_used_again_and_leaves_its_input_alone(planes, seed):
    random = np.random.default_rng(seed)
    counter = bitplanes.BlockCounter()
    for length in (3, 5, 3):
        bits = random.integers(0, 256, (min(planes, 255), length), dtype=np.uint8)
        kept = bits.copy()
        expected = np.unpackbits(bits, axis=1, bitorder="little").sum(axis=0)
        np.testing.assert_array_equal(counter.count(bits), expected)
        np.testing.assert_array_equal(bits, kept)


def test_an_empty_span_counts_nothing():
    out = np.full((2, 3, 4), 7, np.float32)
    bitplanes.count_spans(
        Planes(np.ones((4, 3, 4), np.uint8)).packed, [Span(0, 0), Span(1, 3)], Size(3, 4), True, out
    )
    assert (out[0] == 0).all()
    assert (out[1] == 2).all()


def test_a_part_of_a_voxel_grid_still_knows_the_window():
    grid = voxelize(Planes(np.ones((4, 2, 2), np.uint8)), 0, 4, 2)
    assert isinstance(grid, VoxelGrid)
    assert (grid[:1].start, grid[:1].stop, grid[:1].outside_planes) == (0, 4, 0)


def test_a_voxel_spec_gives_the_reference_transform():
    counts = np.array([[[0, 1], [2, 31]]], np.float32)
    spec = VoxelSpec(bins=1, mean=0.25, std=2)
    applied = spec.apply(counts)
    assert applied.dtype == np.float32
    expected = [(math.log(1 + count) - 0.25) / 2 for count in (0, 1, 2, 31)]
    np.testing.assert_allclose(applied.reshape(-1), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bins": 0},
        {"bins": 1.5},
        {"bins": True},
        {"transform": "sqrt"},
        {"std": 0},
        {"std": -1},
        {"std": math.nan},
        {"mean": math.inf},
    ],
)
def test_a_voxel_spec_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong)))):
        VoxelSpec(**wrong)


def test_a_voxel_spec_refuses_counts_of_other_bins():
    with pytest.raises(ValueError, match=r"expected counts \(4, H, W\)"):
        VoxelSpec(bins=4).apply(np.zeros((3, 2, 2), np.float32))


@settings(deadline=None, max_examples=60)
@given(
    width=st.sampled_from([8, 16, 24, 20, 21, 7]),
    flip=st.booleans(),
    place=st.tuples(*[st.integers(0, 20)] * 4),
    bins=st.integers(1, 5),
)
def test_a_region_has_the_counts_of_the_whole(tmp_path_factory, width, flip, place, bins):
    height = 13
    planes = np.random.default_rng(width).random((30, height, width)) < 0.4
    path = tmp_path_factory.mktemp("region") / "spike.dat"
    write_packed(path, planes.astype(np.uint8), flip=flip)
    (top, bottom), (left, right) = (sorted(place[:2]), sorted(place[2:]))
    top, left = min(top, height - 1), min(left, width - 1)
    region = Region(top, left, min(max(bottom, top + 1), height), min(max(right, left + 1), width))

    with open_recording(path, height=height, width=width, flip=flip) as recording:
        whole = voxelize(recording, 2.5, 27.0, bins)
        part = voxelize(recording, 2.5, 27.0, bins, region)

    np.testing.assert_array_equal(part, whole[(slice(None), *region.slices)])
    assert (part.start, part.stop, part.outside_planes) == (whole.start, whole.stop, whole.outside_planes)
