"""What `prepare` finds out about a data set, against the files themselves."""

import errno
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.alignment import read_alignment_log
from engine.errors import ExportError
from engine.export import write_picture
from engine.recording import write_packed
from engine.sequence import open_sequence
from engine.voxels import VoxelSpec
from training.__main__ import main
from training.data_index import read_index, scan
from training.fit import parse
from training.prepare import cache_voxels
from training.sequence_clips import SequenceClips


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    for number, name in enumerate(("a", "b")):
        generator = np.random.default_rng(number)
        folder = root / name
        for kind in ("blur", "sharp"):
            (folder / kind).mkdir(parents=True)
            for frame in range(3):
                picture = generator.random((16, 16, 3), np.float32)
                write_picture(folder / kind / f"{frame:04d}.png", picture)
        density = 0.2 + 0.4 * number
        write_packed(folder / "spike.dat", (generator.random((60, 16, 16)) < density).astype(np.uint8))
        windows = [f"{i},{20 * i / 1000:.6f},{20 * (i + 1) / 1000:.6f},0,{name}" for i in range(3)]
        (folder / "alignment.csv").write_text(
            "\n".join(["frame_idx,t0,t1,event_count,seq", *windows]), "utf-8"
        )
        (folder / "config.yaml").write_text("spike_h: 16\nspike_w: 16\nspike_rate_hz: 1000\n", "utf-8")
    return root


def test_the_statistics_are_those_of_the_voxels(data_set: Path, tmp_path: Path) -> None:
    status = main(["prepare", str(data_set), "--out", str(tmp_path / "out"), "--bins", "5"])

    voxels = []
    for name in ("a", "b"):
        with open_sequence(data_set / name) as sequence:
            voxels += [VoxelSpec(bins=5).apply(sequence.voxels(at, 5)) for at in range(3)]
    told = json.loads((tmp_path / "out" / "statistics.json").read_text("utf-8"))
    assert status == 0
    assert told["mean"] == pytest.approx(np.mean(voxels), rel=1e-5)
    assert told["std"] == pytest.approx(np.std(voxels), rel=1e-5)
    assert told["spikes_a_plane"] == pytest.approx(0.4, abs=0.02)
    assert told["planes_an_exposure"] == 20


def test_standardised_voxels_have_mean_0_and_deviation_1(data_set: Path, tmp_path: Path) -> None:
    main(["prepare", str(data_set), "--out", str(tmp_path / "out"), "--transform", "relative"])

    told = json.loads((tmp_path / "out" / "statistics.json").read_text("utf-8"))
    spec = VoxelSpec(transform="relative", mean=told["mean"], std=told["std"])
    with open_sequence(data_set / "a") as first, open_sequence(data_set / "b") as second:
        channels = [spec.apply(each.voxels(at))[:32] for each in (first, second) for at in range(3)]
    assert np.mean(channels) == pytest.approx(0, abs=1e-4)
    assert np.std(channels) == pytest.approx(1, rel=1e-4)


def test_logs_count_the_spikes_of_every_exposure(data_set: Path, tmp_path: Path) -> None:
    main(["prepare", str(data_set), "--out", str(tmp_path / "out")])

    rows = read_alignment_log(tmp_path / "out" / "alignment" / "b.csv", 1000)
    with open_sequence(data_set / "b") as sequence:
        assert sequence.recording is not None
        planes = sequence.recording.read(0, 60)
    assert [row.event_count for row in rows] == [int(planes[20 * i : 20 * (i + 1)].sum()) for i in range(3)]
    assert [row.window.start for row in rows] == [0, 20, 40]


def test_cached_voxels_are_what_the_engine_counts(data_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    main(["prepare", str(data_set), "--out", str(out), "--bins", "8", "--cache-voxels"])

    index = read_index(out / "index.json")
    (data_set / "a" / "alignment.csv").unlink()  # what is read now can only come from the cache
    example = SequenceClips(index, frames=3, bins=8, cache_bytes=0).example(1, 0)

    with open_sequence(data_set / "b") as sequence:
        for at in range(3):
            np.testing.assert_array_equal(example.counts[at], sequence.voxels(at, 8))
    assert np.load(out / "voxels" / "b.npy").dtype == np.uint8


def write_long_recording(folder: Path, frames: int) -> None:
    """Write frames of 16 × 16 with 32 × 32 spikes, two planes each."""
    generator = np.random.default_rng(1)
    for kind in ("blur", "sharp"):
        (folder / kind).mkdir(parents=True)
        for frame in range(frames):
            write_picture(folder / kind / f"{frame:04d}.png", generator.random((16, 16, 3), np.float32))
    write_packed(folder / "spike.dat", (generator.random((2 * frames, 32, 32)) < 0.3).astype(np.uint8))
    windows = [f"{i},{2 * i / 1000:.6f},{2 * (i + 1) / 1000:.6f},0,long" for i in range(frames)]
    text = "\n".join(["frame_idx,t0,t1,event_count,seq", *windows])
    (folder / "alignment.csv").write_text(text, "utf-8")
    (folder / "config.yaml").write_text("spike_h: 32\nspike_w: 32\nspike_rate_hz: 1000\n", "utf-8")


def test_caching_a_longer_recording_takes_no_more_memory(tmp_path: Path) -> None:
    peaks, sizes = [], []
    for frames in (120, 240):
        root = tmp_path / str(frames)
        write_long_recording(root / "long", frames)
        index = scan(root)
        tracemalloc.start()
        try:
            cached = cache_voxels(index, root / "out", 32)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

        kept = np.load(str(cached.entries[0].voxels))
        sizes.append(kept.nbytes)
        with open_sequence(root / "long") as sequence:
            expected = np.stack([sequence.voxels(at, 32) for at in range(frames)])
        np.testing.assert_array_equal(kept, expected)
    assert peaks[1] - peaks[0] < (sizes[1] - sizes[0]) / 8


def test_counts_above_255_are_cached_in_16_bits(data_set: Path, tmp_path: Path) -> None:
    write_packed(data_set / "b" / "spike.dat", np.ones((900, 16, 16), np.uint8))
    windows = [f"{i},{0.3 * i:.6f},{0.3 * (i + 1):.6f},0,b" for i in range(3)]
    text = "\n".join(["frame_idx,t0,t1,event_count,seq", *windows])
    (data_set / "b" / "alignment.csv").write_text(text, "utf-8")

    cached = cache_voxels(scan(data_set), tmp_path / "out", 1)

    few, many = (np.load(str(entry.voxels)) for entry in cached.entries)
    assert few.dtype == np.uint8
    assert many.dtype == np.uint16
    assert (many == 300).all()


def test_a_cache_that_cannot_be_written_leaves_no_file(
    data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(ExportError, match="No space left"):
        cache_voxels(scan(data_set), tmp_path / "out", 4)

    assert list((tmp_path / "out" / "voxels").iterdir()) == []


def test_a_sequence_without_a_log_is_told_with_the_reason(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data_set / "a" / "alignment.csv").unlink()
    (data_set / "a" / "config.yaml").write_text("spike_h: 16\nspike_w: 16\n", "utf-8")

    status = main(["prepare", str(data_set), "--out", str(tmp_path / "out")])

    output = capsys.readouterr().out
    assert status == 0
    assert "1 alignment logs" in output
    assert "1 sequences have no alignment log, the first is a: " in output
    assert "planes per second are unknown" in output
    assert "spike_rate_hz" in output


def test_the_statistics_are_told_as_options_that_fit_takes(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["prepare", str(data_set), "--out", str(tmp_path / "out"), "--bins", "5", "--transform", "relative"])

    (line,) = (line for line in capsys.readouterr().out.splitlines() if "give them to fit:" in line)
    options = line.partition(": ")[2].split()
    voxels = parse(["fit", *options])["model"]["voxels"]
    told = json.loads((tmp_path / "out" / "statistics.json").read_text("utf-8"))
    assert voxels["mean"] == pytest.approx(told["mean"], rel=1e-3)
    assert voxels["std"] == pytest.approx(told["std"], rel=1e-3)
    assert (voxels["bins"], voxels["transform"]) == (5, "relative")


def test_what_is_odd_is_said(data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data_set / "a" / "spike.dat").write_bytes(b"")

    status = main(["prepare", str(data_set), "--out", str(tmp_path / "out")])

    assert status == 0
    assert "a is left out" in capsys.readouterr().out


def test_a_folder_without_data_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()

    status = main(["prepare", str(tmp_path / "empty"), "--out", str(tmp_path / "out")])

    assert status == 1
    assert "empty" in capsys.readouterr().err
