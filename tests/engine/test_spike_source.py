"""What every source of spikes offers, against loops over planes and over events."""

import math
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.alignment import AlignmentWindow
from engine.errors import RecordingError
from engine.geometry import Region, Span
from engine.recording import (
    Spikes,
    event_columns,
    event_order,
    event_store,
    open_recording,
    timed_events,
    write_packed,
)
from engine.recording.plane_sample import sample_counts
from engine.recording.recording import ClosesOnExit, RecordingInfo
from engine.sequence import open_sequence
from engine.voxels import spike_rate, tfi, tfp, voxelize, window_counts

HEIGHT, WIDTH, PLANES = 11, 18, 30
SIZE = {"height": HEIGHT, "width": WIDTH}
REGION = Region(2, 3, 9, 14)
WINDOW = AlignmentWindow(3.5, 26.25)
PLANE_FORMATS = ("flipped.dat", "upright.dat", "rows.npy", "matlab.npy", "array.npz", "folder")
EVENT_FORMATS = ("rows.npy", "table.npy", "fortran.npy", "columns.npz", "compressed.npz", "by_pixel.npz")


@pytest.fixture
def planes():
    return (np.random.default_rng(5).random((PLANES, HEIGHT, WIDTH)) < 0.3).astype(np.uint8)


def recording_of(folder: Path, name: str, planes: np.ndarray):
    path = folder / name
    if name.endswith(".dat"):
        write_packed(path, planes, flip=name == "flipped.dat")
        return open_recording(path, **SIZE, flip=name == "flipped.dat")
    if name == "folder":
        path.mkdir()
        for first in range(0, PLANES, 10):
            write_packed(path / f"{first:02d}.dat", planes[first : first + 10])
    elif name == "matlab.npy":
        np.save(path, np.asfortranarray(planes.transpose(1, 2, 0)))
    elif name == "array.npz":
        np.savez_compressed(path, spk=planes)
    else:
        np.save(path, planes)
    return open_recording(path, **SIZE)


def naive_counts(spikes, window, bins, region, within):
    """Count (t, y, x) one after another."""
    counts = np.zeros((bins, region.size.height, region.size.width))
    for t, y, x in spikes:
        in_region = region.top <= y < region.bottom and region.left <= x < region.right
        if in_region and window.start <= t < window.stop and within.start <= t < within.stop:
            index = math.floor((t - window.start) / (window.stop - window.start) * bins)
            counts[min(index, bins - 1), y - region.top, x - region.left] += 1
    return counts


def in_order(spikes: Spikes):
    return sorted(zip(spikes.times.tolist(), spikes.rows.tolist(), spikes.columns.tolist(), strict=True))


def check_against(source, spikes):
    """Compare all that a source offers with single spikes (t, y, x)."""
    whole = Region(0, 0, HEIGHT, WIDTH)
    for window in (WINDOW, AlignmentWindow(-4, 40), AlignmentWindow(12, 13.5)):
        for region, within in ((whole, None), (REGION, None), (REGION, Span(7, 19)), (whole, Span(20, 20))):
            np.testing.assert_array_equal(
                source.counts(window, 5, region, within=within),
                naive_counts(spikes, window, 5, region, Span(0, PLANES) if within is None else within),
            )
    for start, stop in ((0, PLANES), (7, 19), (9, 9)):
        expected = [sum(math.floor(t) == plane for t, _, _ in spikes) for plane in range(start, stop)]
        assert source.rates(start, stop).tolist() == expected
    for start, stop in ((0, PLANES), (4.5, 17), (20, 3), (-5.0, 99.0)):
        inside = [(t, y, x) for t, y, x in spikes if start <= t < stop]
        assert in_order(source.spikes(start, stop)) == sorted(inside)
        of_region = [(t, y, x) for t, y, x in inside if 2 <= y < 9 and 3 <= x < 14]
        assert in_order(source.spikes(start, stop, REGION)) == sorted(of_region)
        assert source.at_pixel(4, 7, start, stop).tolist() == [t for t, y, x in inside if (y, x) == (4, 7)]
    lit = np.zeros((PLANES, HEIGHT, WIDTH), np.uint8)
    for t, y, x in spikes:
        lit[math.floor(t), y, x] = 1
    np.testing.assert_array_equal(source.read(3, 28), lit[3:28])
    source.forget(0, PLANES)
    np.testing.assert_array_equal(source.read(0, PLANES), lit)
    with pytest.raises(ValueError, match="outside"):
        source.spikes(0, 3, Region(0, 0, HEIGHT + 1, WIDTH))


@pytest.mark.parametrize("name", PLANE_FORMATS)
def test_planes_of_every_format_offer_the_same(tmp_path, planes, name):
    spikes = [(float(t), int(y), int(x)) for t, y, x in np.argwhere(planes)]
    with recording_of(tmp_path, name, planes) as source:
        check_against(source, spikes)
        packed = source.as_packed()
        assert packed is not None
        assert packed.packed(0, PLANES).shape == (PLANES, (HEIGHT * WIDTH + 7) // 8)
        paths = sorted((tmp_path / name).glob("*.dat")) or [tmp_path / name]
        assert source.part_paths == tuple(paths)
        with pytest.raises(RecordingError, match="have no polarity"):
            source.counts(WINDOW, polarity=1)


# ------------------------------------------------------------------ event lists


@pytest.fixture
def events():
    """t in planes with fractions, some twice in a plane; y, x, p."""
    random = np.random.default_rng(9)
    count = 900
    t = np.sort(np.concatenate([[0], random.uniform(0, PLANES - 0.5, count - 2), [PLANES - 0.25]]))
    return (
        t,
        random.integers(0, HEIGHT, count),
        random.integers(0, WIDTH, count),
        random.integers(-1, 2, count),
    )


@pytest.fixture
def small_blocks(monkeypatch):
    """Read a few events at a time, so that the list takes many of them."""
    for module in (event_store, event_columns, event_order, timed_events):
        monkeypatch.setattr(module, "EVENTS_AT_A_TIME", 8)
    for module in (event_order, timed_events):
        monkeypatch.setattr(module, "INDEXED_EVENTS", 4)


def list_of(folder: Path, name: str, events) -> Path:
    t, y, x, p = events
    path = folder / name
    if name == "rows.npy":
        rows = np.zeros(len(t), [("p", "i1"), ("x", "<u2"), ("t", "<f8"), ("y", "u1")])
        rows["t"], rows["y"], rows["x"], rows["p"] = t, y, x, p
        np.save(path, rows)
    elif name == "table.npy":
        np.save(path, np.stack([t, x, y, p], axis=1))
    elif name == "fortran.npy":
        np.save(path, np.asfortranarray(np.stack([t, x, y, p], axis=1)))
    elif name == "by_pixel.npz":
        order = np.lexsort((t, x, y))
        np.savez(path, t=t[order], x=x[order], y=y[order], p=p[order])
    elif name == "compressed.npz":
        np.savez_compressed(path, t=t, x=x.astype(np.uint16), y=y.astype(np.int8), p=p.astype(np.int8))
    else:
        np.savez(path, t=t, x=x, y=y.astype(">i4"), p=p)
    return path


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", EVENT_FORMATS)
@pytest.mark.parametrize("flip", [False, True])
def test_event_lists_of_every_kind_offer_the_same_at_their_own_times(tmp_path, events, name, flip):
    path = list_of(tmp_path, name, events)
    t, y, x, _ = events
    rows = HEIGHT - 1 - y if flip else y
    with open_recording(path, **SIZE, time_unit="planes", flip=flip) as source:
        check_against(source, list(zip(t.tolist(), rows.tolist(), x.tolist(), strict=True)))
        assert source.info.planes == PLANES
        assert source.part_paths == (path,)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", EVENT_FORMATS)
def test_polarity_is_kept_as_the_file_has_it(tmp_path, events, name):
    t, y, x, p = events
    with open_recording(list_of(tmp_path, name, events), **SIZE, time_unit="planes") as source:
        assert source.info.polarities == (-1.0, 0.0, 1.0)
        found = source.spikes(0, PLANES)
        told = zip(found.times, found.rows, found.columns, found.polarity, strict=True)
        assert sorted(map(tuple, np.array(list(told)).tolist())) == sorted(
            map(tuple, np.stack([t, y, x, p], axis=1).astype(float).tolist())
        )
        for polarity in (-1, 0, 1):
            of_one = list(zip(t[p == polarity], y[p == polarity], x[p == polarity], strict=True))
            expected = naive_counts(of_one, WINDOW, 4, Region(0, 0, HEIGHT, WIDTH), Span(0, PLANES))
            np.testing.assert_array_equal(source.counts(WINDOW, 4, polarity=polarity), expected)
            grid = voxelize(source, WINDOW.start, WINDOW.stop, 4, polarity=polarity)
            np.testing.assert_array_equal(grid, expected)
            at_pixel = [time for time, row, column in of_one if (row, column) == (4, 7)]
            assert source.at_pixel(4, 7, 0, PLANES, polarity=polarity).tolist() == at_pixel
        assert not source.counts(WINDOW, polarity=2).any()


def test_a_list_without_polarity_says_so_where_one_is_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", t=[0.5, 1, 2], x=[0, 1, 2], y=[0, 1, 2])
    with open_recording(tmp_path / "a.npz", time_unit="planes") as source:
        assert source.info.polarities == ()
        assert source.spikes(0, 3).polarity is None
        with pytest.raises(RecordingError, match=r"no polarity.*a\.npz|a\.npz.*no polarity"):
            source.at_pixel(0, 0, 0, 3, polarity=1)


def test_a_polarity_of_another_length_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", t=[0, 1, 2], x=[0, 1, 2], y=[0, 1, 2], p=[1, 0])
    with pytest.raises(RecordingError, match=r"differ in length.*3 t, 3 x, 3 y, 2 p"):
        open_recording(tmp_path / "a.npz")


def test_an_empty_table_of_events_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((0, 4), np.int64))
    with pytest.raises(RecordingError, match="the event list is empty"):
        open_recording(tmp_path / "a.npy")


def test_memory_does_not_grow_with_the_list(tmp_path, monkeypatch):
    monkeypatch.setattr(event_order, "SAMPLED", 1000)
    for module in (event_store, event_columns, event_order, timed_events):
        monkeypatch.setattr(module, "EVENTS_AT_A_TIME", 1 << 14)

    def peak(events: int, name: str) -> int:
        path = tmp_path / name
        random = np.random.default_rng(0)
        columns = {
            "t": np.arange(events) // 100,
            "x": random.integers(0, WIDTH, events).astype(np.uint16),
            "y": random.integers(0, HEIGHT, events).astype(np.uint16),
        }
        if name.endswith(".npy"):
            rows = np.zeros(events, [("t", "<i8"), ("x", "<u2"), ("y", "<u2")])
            for key, column in columns.items():
                rows[key] = column
            np.save(path, rows)
        else:
            (np.savez_compressed if "packed" in name else np.savez)(path, **columns)
        del columns
        tracemalloc.start()
        with open_recording(path, **SIZE, time_unit="planes") as source:
            source.counts(AlignmentWindow(0, source.info.planes), 2)
            spike_rate(source)
            source.at_pixel(1, 1, 0, 100)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    for name in ("rows.npy", "columns.npz", "packed.npz"):
        few, many = peak(1 << 17, name), peak(1 << 20, name)
        assert many < few + (1 << 22), name  # the list itself is 12 MB, as float64 and int32 twice that


def test_events_of_a_file_that_is_cut_short_while_it_is_open_are_refused(tmp_path, events):
    path = list_of(tmp_path, "rows.npy", events)
    with open_recording(path, **SIZE, time_unit="planes") as source:
        with path.open("r+b") as file:
            file.truncate(2000)
        with pytest.raises(RecordingError, match=r"cut short while it was open.*Open it again"):
            source.spikes(0, PLANES)


def test_a_damaged_member_is_refused_whether_it_is_compressed_or_not(tmp_path, events):
    for name in ("columns.npz", "compressed.npz"):
        path = list_of(tmp_path, name, events)
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo("x.npy")
            middle = member.header_offset + 30 + len("x.npy") + member.compress_size // 2
        content = bytearray(path.read_bytes())
        content[middle + 20] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(RecordingError, match="the array cannot be read"):
            open_recording(path, **SIZE)


# ------------------------------------------------------------------ counts that are no planes


class CountArray(ClosesOnExit):
    """A sensor that counts up to 200 spikes a tick, which bits cannot tell."""

    def __init__(self, ticks: np.ndarray) -> None:
        self.ticks = ticks
        count, height, width = ticks.shape
        self.info = RecordingInfo(
            Path("counts"), "unpacked", height, width, count, 0, flip=False, most_a_plane=200
        )
        self.part_paths = (Path("counts"),)

    def parts(self):
        return (0,)

    def counts(self, window, bins=1, region=None, *, within=None, polarity=None):
        region = region or Region(0, 0, *self.ticks.shape[1:])
        spikes = [
            (tick, y, x) for tick, y, x in np.argwhere(self.ticks) for _ in range(self.ticks[tick, y, x])
        ]
        assert polarity is None
        within = Span(0, len(self.ticks)) if within is None else within
        return naive_counts(spikes, window, bins, region, within).astype(np.float32)

    def rates(self, start, stop):
        return self.ticks[start:stop].sum(axis=(1, 2), dtype=np.int64)

    def read(self, start, stop):
        return (self.ticks[start:stop] > 0).astype(np.uint8)

    def as_packed(self):
        return None

    def forget(self, start, stop):
        """Nothing is held."""

    def close(self):
        """Nothing is open."""


def test_a_source_that_only_keeps_the_protocol_gives_voxels_pictures_and_rates():
    ticks = np.random.default_rng(1).integers(0, 3, (24, 5, 6)).astype(np.uint8)
    source = CountArray(ticks)
    np.testing.assert_array_equal(voxelize(source, 2, 22, 4), ticks[2:22].reshape(4, 5, 5, 6).sum(axis=1))
    np.testing.assert_array_equal(window_counts(source, 3, 9), ticks[3:9].sum(axis=0))
    np.testing.assert_allclose(tfp(source, 0, 24), ticks.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(spike_rate(source), ticks.sum(axis=(1, 2)))
    np.testing.assert_array_equal(sample_counts(source).counts, ticks.sum(axis=0))
    interval = tfi(source, 12)
    for y, x in np.ndindex(5, 6):
        lit = np.flatnonzero(ticks[:, y, x])
        before, after = lit[lit <= 12], lit[lit > 12]
        assert interval[y, x] == pytest.approx(1 / (after[0] - before[-1]))


# ------------------------------------------------------------------ a frame's spikes


@pytest.fixture
def own_recordings(tmp_path):
    """Three frames, each with a recording of its own; returns the folder and their planes."""
    planes = (np.random.default_rng(3).random((3, 20, HEIGHT, WIDTH)) < 0.25).astype(np.uint8)
    for folder in ("blur", "spike"):
        (tmp_path / folder).mkdir()
    for index, part in enumerate(planes):
        Image.new("RGB", (2 * WIDTH, 2 * HEIGHT)).save(tmp_path / "blur" / f"{index}.png")
        write_packed(tmp_path / "spike" / f"{index}.dat", part)
    return tmp_path, planes


@pytest.mark.parametrize("reach", [0, 7.5])
def test_a_frame_shows_no_spikes_of_another_frames_recording(own_recordings, reach):
    folder, planes = own_recordings
    with open_sequence(folder, **SIZE) as opened:
        sequence = opened.with_windows(
            [AlignmentWindow(window.start - reach, window.stop + reach) for window in opened.windows]
        )
        for index, own in enumerate(planes):
            first = 20 * index
            np.testing.assert_allclose(sequence.tfp(index), own.mean(axis=0), rtol=1e-6)
            fired = first + np.flatnonzero(own[:, 4, 7])
            assert sequence.spikes_at((7, 4), index).tolist() == fired.tolist()
            beside = sequence.spikes_at((7, 4), index, first - 3, first + 5)
            assert beside.tolist() == fired[fired < first + 5].tolist()
            interval = sequence.tfi(index)
            for y, x in np.ndindex(HEIGHT, WIDTH):
                lit = np.flatnonzero(own[:, y, x])
                before, after = lit[lit <= 10], lit[lit > 10]
                known = len(before) and len(after)
                assert interval[y, x] == pytest.approx(1 / (after[0] - before[-1]) if known else 0.0)
        whole = np.concatenate(planes)
        assert sequence.spikes_at((7, 4)).tolist() == np.flatnonzero(whole[:, 4, 7]).tolist()


def test_a_frame_whose_spikes_are_missing_shows_none(own_recordings):
    folder, _ = own_recordings
    (folder / "spike" / "1.dat").unlink()
    with open_sequence(folder, **SIZE) as sequence:
        assert not sequence.tfp(1).any()
        assert not sequence.tfi(1).any()
        assert sequence.spikes_at((7, 4), 1).tolist() == []
        assert sequence.tfp(2).any()


def test_events_keep_their_times_in_a_window_that_reaches_beyond_the_recording(tmp_path, events):
    t, y, x, _ = events
    path = list_of(tmp_path, "columns.npz", events)
    with open_sequence(path, **SIZE, time_unit="planes") as opened:
        sequence = opened.with_windows([AlignmentWindow(20.5, 50)] * len(opened))
        expected = naive_counts(
            list(zip(t, y, x, strict=True)),
            AlignmentWindow(20.5, 50),
            16,
            Region(0, 0, HEIGHT, WIDTH),
            Span(0, PLANES),
        )
        np.testing.assert_array_equal(sequence.voxels(0, 16), expected)
