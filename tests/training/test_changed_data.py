"""Data sets that are not what they should be: changed after they were looked through, or broken in places."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import SequenceError
from engine.sequence import open_sequence
from tests.training.test_data import SPEC, attached, write_clip
from training.__main__ import main
from training.clip_batches import SpanSet, TrainingClips
from training.data import ClipData
from training.data_index import read_index, scan, write_index
from training.file_stamps import Listings, changes, stamp
from training.prepare import cache_voxels
from training.sampling import Ticket
from training.sequence_clips import SequenceClips


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    for name in ("one", "three", "two 二"):
        write_clip(tmp_path / "set" / name)
    return tmp_path / "set"


@pytest.fixture
def prepared(data_set: Path, tmp_path: Path) -> Path:
    assert (
        main(["prepare", str(data_set), "--out", str(tmp_path / "out"), "--bins", "8", "--cache-voxels"]) == 0
    )
    return tmp_path / "out" / "index.json"


def tear(picture: Path) -> None:
    content = picture.read_bytes()
    picture.write_bytes(content[: len(content) // 2])


# ------------------------------------------------------------------ changes after `prepare`


def written_anew(file: Path) -> None:
    about = file.stat()
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns + 1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda root: (root / "one" / "blur" / "0000.png").unlink(), r"blur/0000\.png \(No such file"),
        (lambda root: tear(root / "one" / "sharp" / "0002.png"), r"sharp/0002\.png \(\d+ bytes, not \d+\)"),
        (lambda root: written_anew(root / "three" / "spike.dat"), r"three/spike\.dat \(written anew\)"),
        (lambda root: (root / "one" / "blur" / "00a.png").write_bytes(b""), r"00a\.png \(new\)"),
        (lambda root: (root / "one" / "config.yaml").write_text(""), r"one/config\.yaml \(0 bytes"),
        (lambda root: (root / "one" / "alignment.csv").unlink(), r"one/alignment\.csv"),
        (lambda root: (root / "one" / "my alignment.csv").write_text(""), r"my alignment\.csv \(new\)"),
        (lambda root: shutil.rmtree(root / "three"), r"three/blur/0000\.png .* and 8 more"),
        (lambda root: written_anew(root.parent / "out" / "voxels" / "one.npy"), r"one\.npy"),
    ],
)  # fmt: skip
def test_an_index_of_data_that_changed_is_refused(
    data_set: Path, prepared: Path, change: object, told: str
) -> None:
    change(data_set)  # type: ignore[operator]

    with pytest.raises(SequenceError, match=rf"changed after it was looked through.*{told}.*prepare"):
        read_index(prepared)


def test_what_systems_leave_in_folders_is_no_change(data_set: Path, prepared: Path) -> None:
    (data_set / "one" / "blur" / ".DS_Store").write_bytes(b"")
    (data_set / "one" / "Thumbs.db").write_bytes(b"")

    assert len(read_index(prepared).entries) == 3


def test_data_that_changes_during_a_run_is_not_mixed_up(data_set: Path, prepared: Path) -> None:
    clips = SequenceClips(read_index(prepared), frames=2, bins=8, cache_bytes=0)
    for kind in ("blur", "sharp"):
        (data_set / "one" / kind / "0000.png").unlink()

    with pytest.raises(SequenceError, match=r"one: .*changed"):
        clips.example(0, 0)


def test_frames_are_known_by_their_names(data_set: Path) -> None:
    index = scan(data_set)
    entry = dataclasses.replace(index.entries[0], files=())  # nothing known about its files
    (data_set / "one" / "blur" / "0000.png").unlink()
    clips = SequenceClips(dataclasses.replace(index, entries=(entry,)), frames=2, bins=8, cache_bytes=0)

    with pytest.raises(SequenceError, match="frame 0000"):
        clips.example(0, 0)


def test_names_that_differ_in_a_slash_have_caches_of_their_own(tmp_path: Path) -> None:
    write_clip(tmp_path / "set" / "a" / "b")
    write_clip(tmp_path / "set" / "a__b", frames=5)

    index = cache_voxels(scan(tmp_path / "set"), tmp_path / "out", 8)

    assert len({entry.voxels for entry in index.entries}) == 2
    for entry in index.entries:
        with open_sequence(entry.source.path) as sequence:
            expected = [sequence.voxels(at, 8) for at in range(len(sequence))]
        np.testing.assert_array_equal(np.load(str(entry.voxels)), np.stack(expected))


def test_names_do_not_depend_on_how_the_root_is_spelled(tmp_path: Path) -> None:
    for name in ("a/clip", "b/clip"):
        write_clip(tmp_path / "set" / name)

    names = [entry.name for entry in scan(tmp_path / "set" / ".." / "set").entries]

    assert names == ["a/clip", "b/clip"]


def test_files_beside_those_of_a_sequence_are_not_its_own(tmp_path: Path) -> None:
    for name in ("a.dat", "b.dat", "c.txt"):
        (tmp_path / name).write_bytes(b"1")
    alone = stamp([tmp_path / "a.dat"], Listings())
    both = stamp([tmp_path / "a.dat", tmp_path / "b.dat"], Listings())

    (tmp_path / "d.dat").write_bytes(b"1")

    assert changes(alone, Listings()) == []
    assert changes(both, Listings()) == [f"{tmp_path / 'd.dat'} (new)"]


# ------------------------------------------------------------------ single files that cannot be read


def test_prepare_reads_every_picture(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tear(data_set / "one" / "blur" / "0001.png")
    tear(data_set / "three" / "sharp" / "0003.png")

    status = main(["prepare", str(data_set), "--out", str(tmp_path / "out")])

    out = capsys.readouterr().out
    index = read_index(tmp_path / "out" / "index.json")
    assert status == 0
    assert [entry.usable for entry in index.entries] == [
        (True, False, True, True), (True, True, True, False), (True, True, True, True)
    ]  # fmt: skip
    assert "10 frames to train on" in out
    assert "one,0001 is left out: " in out
    assert "three,0003 is left out: " in out


def test_references_of_another_size_are_none(data_set: Path) -> None:
    for picture in (data_set / "one" / "sharp").iterdir():
        Image.open(picture).resize((64, 48)).save(picture)
    Image.open(data_set / "three" / "sharp" / "0002.png").resize((64, 48)).save(
        data_set / "three" / "sharp" / "0002.png"
    )

    shallow, deep = scan(data_set), scan(data_set, decode=True)

    assert [entry.name for entry in shallow.entries] == ["three", "two 二"]
    assert any("one is left out" in finding and "48 × 64" in finding for finding in shallow.findings)
    assert deep.entries[0].usable == (True, True, False, True)


def test_a_clip_that_cannot_be_read_is_left_out_and_named(
    data_set: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lightning.pytorch.utilities.rank_zero")
    tear(data_set / "one" / "sharp" / "0001.png")
    data = attached(ClipData(root=data_set, val_root=data_set, frames=2, crop_px=16, batch_size=3, workers=0))

    batches = list(data.train_dataloader())

    assert len(batches) == 4
    assert all(set(batch) == {"blurry", "reference", "spikes"} for batch in batches)
    assert all(len(batch["blurry"]) == 3 for batch in batches)
    told = [record.getMessage() for record in caplog.records if "one,0001 is left out" in record.getMessage()]
    assert len(told) == 1
    assert "seq,frame" in told[0]
    assert "--data.exclude" in told[0]


def test_another_clip_takes_the_place_of_one_that_cannot_be_read(data_set: Path) -> None:
    tear(data_set / "one" / "blur" / "0000.png")
    clips = TrainingClips(SequenceClips(scan(data_set), frames=2, bins=8, cache_bytes=0), SPEC, 16, seed=4)

    batch, other = clips[Ticket(0, 7)], clips[Ticket(1, 7)]

    assert [finding[:23] for finding in batch.pop("left_out")] == ["one,0000 is left out: /"]
    for name, value in other.items():
        assert torch.equal(value, batch[name])  # type: ignore[literal-required]


def test_a_data_set_of_which_nothing_can_be_read_ends_a_run(data_set: Path) -> None:
    for picture in data_set.glob("*/blur/*.png"):
        tear(picture)
    clips = TrainingClips(SequenceClips(scan(data_set), frames=2, bins=8, cache_bytes=0), SPEC, 16, seed=4)

    with pytest.raises(SequenceError, match=r"9 clips in a row cannot be read.*prepare"):
        clips[Ticket(0, 7)]


def test_validation_takes_spans_that_can_be_read(data_set: Path) -> None:
    tear(data_set / "one" / "sharp" / "0001.png")

    spans = SpanSet(scan(data_set).entries, 2, 8, is_decoded=False)

    taken = [(span.name, span.start, span.place) for span in spans]  # type: ignore[attr-defined]
    assert taken == [("one", 2, 0), ("three", 0, 1), ("three", 2, 2), ("two 二", 0, 3), ("two 二", 2, 4)]
    assert [str(finding)[:21] for finding in spans.findings] == ["one,0001 is left out:"]


def test_sequences_without_clips_are_not_held_out_for_validation(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_clip(tmp_path / "set" / name)
    write_clip(tmp_path / "set" / "z short", frames=2)

    data = attached(ClipData(root=tmp_path / "set", frames=4, crop_px=16, batch_size=1, workers=0))

    assert [span.name for span in data.val_dataloader()] == ["c"]
    assert any("the first is z short" in finding for finding in data.findings)


def test_an_index_says_whether_it_was_decoded(data_set: Path, tmp_path: Path) -> None:
    for decode in (False, True):
        index = scan(data_set, decode=decode)
        write_index(tmp_path / "index.json", index)
        assert read_index(tmp_path / "index.json") == index
        assert index.is_decoded == decode
