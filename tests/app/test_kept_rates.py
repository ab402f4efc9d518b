"""Counted spike rates outlive the program, and are never those of other bits."""

import os

import numpy as np
import pytest

from app.state.reading.lease import Lease
from app.state.spikes.kept_rates import KeptRates
from app.state.spikes.spike_views import SpikeViews
from engine.recording import open_recording, write_packed
from engine.source import SequenceSource

COUNTS = np.arange(5, dtype=np.int64)


def planes_of(seed):
    return np.random.default_rng(seed).integers(0, 2, (5, 8, 16), np.uint8)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "名 spike.dat"
    write_packed(path, planes_of(0))
    return path


@pytest.fixture
def kept(tmp_path):
    return KeptRates(tmp_path / "rates", least_bytes=1)


def opened(path):
    return open_recording(path, height=8, width=16)


def test_what_was_kept_is_known_again(kept, file):
    with opened(file) as recording:
        place = kept.place(recording)
        assert kept.recall(place, recording) is None
        kept.keep(place, COUNTS)
    with opened(file) as again:
        counts = kept.recall(kept.place(again), again)
    np.testing.assert_array_equal(counts, COUNTS)
    assert counts.dtype == np.int64


@pytest.mark.parametrize("change", ["content", "geometry", "name"])
def test_other_bits_have_another_place(kept, file, tmp_path, change):
    with opened(file) as recording:
        place = kept.place(recording)
    height, width = 8, 16
    if change == "content":
        times = (file.stat().st_atime_ns, file.stat().st_mtime_ns + 1)
        write_packed(file, planes_of(1))
        os.utime(file, ns=times)
    elif change == "geometry":
        height, width = 16, 8
    else:
        file = file.rename(tmp_path / "other.dat")
    with open_recording(file, height=height, width=width) as recording:
        assert kept.place(recording) != place


def test_every_file_of_a_folder_counts(kept, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("1.dat", "2.dat"):
        write_packed(folder / name, planes_of(0))
    with opened(folder) as recording:
        place = kept.place(recording)
    times = (folder / "2.dat").stat()
    os.utime(folder / "2.dat", ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    with opened(folder) as recording:
        assert kept.place(recording) != place


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_file_that_cannot_be_used_is_passed_over(kept, file, content):
    with opened(file) as recording:
        place = kept.place(recording)
        kept.keep(place, COUNTS)
        place.write_bytes(content)
        assert kept.recall(place, recording) is None


@pytest.mark.parametrize("array", [np.zeros(4, np.uint32), np.zeros(5, np.float64), np.array([{}], object)])
def test_an_array_of_another_kind_is_no_rate(kept, file, array):
    with opened(file) as recording:
        place = kept.place(recording)
        place.parent.mkdir()
        np.save(place, array, allow_pickle=True)
        assert kept.recall(place, recording) is None


def test_small_recordings_are_not_worth_a_file(tmp_path, file):
    with opened(file) as recording:
        assert KeptRates(tmp_path / "rates").place(recording) is None
        assert KeptRates(None, least_bytes=1).place(recording) is None


def test_the_oldest_go_when_there_are_too_many(tmp_path):
    kept = KeptRates(tmp_path, least_bytes=1, most_bytes=400)
    for at in range(4):
        kept.keep(tmp_path / f"{at}.npy", COUNTS)  # 148 bytes
        os.utime(tmp_path / f"{at}.npy", ns=(0, at))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.npy", "3.npy"]


def test_a_folder_that_refuses_costs_nothing_but_the_keeping(tmp_path, file):
    (tmp_path / "rates").write_text("")
    kept = KeptRates(tmp_path / "rates", least_bytes=1)
    with opened(file) as recording:
        kept.keep(kept.place(recording), COUNTS)
        assert kept.recall(kept.place(recording), recording) is None


def test_a_recording_is_counted_once(pool, files, tmp_path, file, qtbot, monkeypatch):
    kept = KeptRates(tmp_path / "rates", least_bytes=1)
    shown = []
    for _ in range(2):
        sequence = files.open(SequenceSource("clip"))
        sequence.recording = opened(file)
        views = SpikeViews(pool, kept=kept)
        views.count(Lease(sequence))
        qtbot.waitUntil(lambda views=views: views.rate is not None)
        shown.append(views.rate.values)
        monkeypatch.setattr("engine.voxels.spike_rate", None)  # may not be asked again
    np.testing.assert_array_equal(*shown)
    np.testing.assert_allclose(shown[0], planes_of(0).mean(axis=(1, 2)))
