"""A folder of per-frame files, read as one recording."""

import gc
import threading
import weakref

import numpy as np
import pytest

from engine.errors import GeometryError, RecordingError
from engine.recording import folder as folder_module
from engine.recording import open_recording, plane_opening, write_packed
from engine.recording.packing import pack_stored

SIZE = {"height": 12, "width": 20}


def planes_of(count, seed):
    return (np.random.default_rng(seed).random((count, 12, 20)) < 0.3).astype(np.uint8)


@pytest.fixture
def clip(tmp_path):
    """Parts of 5, 5, 3 and 5 planes, whose order by name is not that of letters."""
    folder = tmp_path / "片段 1" / "spike"
    folder.mkdir(parents=True)
    parts = [planes_of(count, seed) for seed, count in enumerate((5, 5, 3, 5))]
    for name, part in zip(("1", "2", "10", "11"), parts, strict=True):
        write_packed(folder / f"{name}.dat", part)
    (folder / "._1.dat").write_bytes(b"left by a file manager")
    (folder / "notes.txt").write_text("not a recording")
    return folder, np.concatenate(parts)


def test_parts_follow_one_another_by_name(clip):
    folder, planes = clip
    with open_recording(folder, **SIZE) as recording:
        assert recording.info.format == "folder"
        assert recording.parts() == (0, 5, 10, 13)
        assert [path.name for path in recording.part_paths] == ["1.dat", "2.dat", "10.dat", "11.dat"]
        assert recording.info.planes == 18
        assert recording.info.bytes == 18 * 30
        np.testing.assert_array_equal(recording.read(0, 18), planes)
        assert recording.info.warnings == ("most parts have 5 planes, but not 10.dat (3)",)


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (3, 12), (10, 13), (12, 18), (5, 5), (18, 18), (0, 18)])
def test_spans_within_and_across_parts_are_read(clip, start, stop):
    folder, planes = clip
    with open_recording(folder, **SIZE) as recording:
        np.testing.assert_array_equal(recording.read(start, stop), planes[start:stop])
        assert recording.packed(start, stop).shape == (stop - start, 30)


def test_few_files_stay_open_whatever_their_number(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "MOST_OPEN_FILES", 2)
    parts = [planes_of(2, seed) for seed in range(9)]
    for index, part in enumerate(parts):
        write_packed(tmp_path / f"{index:04d}.dat", part)
    with open_recording(tmp_path, **SIZE) as recording:
        first = recording.packed(0, 2)
        np.testing.assert_array_equal(recording.read(0, 18), np.concatenate(parts))
        assert len(recording._opened) == 2
        np.testing.assert_array_equal(first, recording.packed(0, 2))


def test_many_threads_read_one_folder(clip, monkeypatch):
    monkeypatch.setattr(folder_module, "MOST_OPEN_FILES", 1)
    folder, planes = clip
    wrong = []

    def read(recording, seed):
        random = np.random.default_rng(seed)
        for _ in range(50):
            start, stop = sorted(random.integers(0, 19, 2))
            if not np.array_equal(recording.read(start, stop), planes[start:stop]):
                wrong.append((start, stop))

    with open_recording(folder, **SIZE) as recording:
        threads = [threading.Thread(target=read, args=(recording, seed)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_folder_without_recordings_says_what_it_looked_for(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(RecordingError, match=r"holds no recording \(found 1 other files, expected .*\.dat"):
        open_recording(tmp_path, **SIZE)


def test_an_empty_part_is_named(clip):
    folder, _ = clip
    (folder / "2.dat").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"2\.dat: the recording is empty"):
        open_recording(folder, **SIZE)


def test_a_truncated_part_is_named_and_the_rest_is_read(clip):
    folder, planes = clip
    (folder / "11.dat").write_bytes((folder / "11.dat").read_bytes()[:-1])
    with open_recording(folder, **SIZE) as recording:
        assert recording.info.planes == 17
        assert any(
            "11.dat is truncated: 149 bytes are 4 planes of 30 bytes and 29" in w
            for w in recording.info.warnings
        )
        np.testing.assert_array_equal(recording.read(0, 17), planes[:17])


def test_parts_of_another_size_are_refused(clip):
    folder, _ = clip
    (folder / "3.dat").write_bytes(bytes(5 * 41))
    with pytest.raises(GeometryError, match=r"3\.dat.*not of one geometry.*found 205 bytes.*12 × 20"):
        open_recording(folder, **SIZE)


def test_a_closed_folder_refuses_to_be_read(clip):
    recording = open_recording(clip[0], **SIZE)
    recording.close()
    with pytest.raises(RecordingError, match="closed"):
        recording.read(0, 1)


def test_a_folder_of_arrays_is_a_recording_too(tmp_path):
    parts = [planes_of(count, seed) for seed, count in enumerate((4, 2))]
    np.save(tmp_path / "1.npy", parts[0])
    np.savez_compressed(tmp_path / "2.npz", spk=parts[1], label=3)
    with open_recording(tmp_path) as recording:
        assert recording.parts() == (0, 4)
        np.testing.assert_array_equal(recording.read(0, 6), np.concatenate(parts))
    np.save(tmp_path / "3.npy", np.zeros((2, 5, 5), np.uint8))
    with pytest.raises(GeometryError, match=r"3\.npy.*found 5 × 5, expected 12 × 20"):
        open_recording(tmp_path)


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("size", [SIZE, {}])
def test_compressed_parts_are_unpacked_once_to_open_them(tmp_path, monkeypatch, count, size):
    """Two of them twice where no size is said and the values do not tell the axes."""
    parts = [planes_of(9, seed) for seed in range(count)]
    for at, part in enumerate(parts):
        np.savez_compressed(tmp_path / f"{at}.npz", spk=part)
    unpacked, kept = [], []

    def count_packing(stored, shape):
        packed = pack_stored(stored, shape)
        unpacked.append(stored.path.name)
        kept.append(weakref.ref(packed))
        return packed

    monkeypatch.setattr(plane_opening, "pack_stored", count_packing)
    with open_recording(tmp_path, **size) as recording:
        asked_again = set() if size else {count // 2, count - 1} - {0}
        for at in range(count):
            assert unpacked.count(f"{at}.npz") == (2 if at in asked_again else 1)
        gc.collect()
        assert not any(packed() is not None for packed in kept)
        np.testing.assert_array_equal(recording.read(0, 9 * count), np.concatenate(parts))
