"""Every layout is recognised from wherever a person points at it, by names alone."""

import os
from pathlib import Path

import pytest

from engine.alignment import AlignmentWindow
from engine.errors import SequenceError
from engine.geometry import Size
from engine.layouts import SequenceFiles, list_sequences, recognise
from engine.layouts.listing import (
    find_alignment_log,
    pictures_in,
    shorten,
)
from engine.layouts.sidecar import read_gamma
from engine.layouts.spikes_only import key_plane
from engine.layouts.x4k_spike import original_index


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


# ------------------------------------------------------------------ unified


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    return touch(
        tmp_path / "clip 一",
        *(f"blur/{n:04d}.png" for n in (1, 2, 3)),
        *(f"sharp/{n:04d}.png" for n in (1, 2, 3)),
        "spike.dat",
        "alignment.csv",
        "config.yaml",
    )


@pytest.mark.parametrize("inside", ["", "blur", "sharp"])
def test_unified_from_any_of_its_folders(unified: Path, inside: str) -> None:
    files = recognise(unified / inside)
    assert files.layout == "unified"
    assert files.name == "clip 一"
    assert names(files.frames) == names(files.references) == ["0001.png", "0002.png", "0003.png"]
    assert files.frames[0].parent.name == "blur"
    assert files.references[0].parent.name == "sharp"
    assert files.spikes == unified / "spike.dat"
    assert files.alignment == unified / "alignment.csv"
    assert files.sidecar == unified / "config.yaml"
    assert (files.gamma, files.findings) == (None, ())


@pytest.mark.parametrize("inside", ["", "blur", "spike"])
def test_unified_with_one_recording_a_frame(tmp_path: Path, inside: str) -> None:
    touch(tmp_path, "blur/1.png", "blur/2.png", "spike/1.dat", "spike/2.dat")
    assert recognise(tmp_path / inside).spikes == tmp_path / "spike"


def test_unified_without_reference_or_spikes(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "blur/1.png"))
    assert (files.layout, files.references, files.spikes) == ("unified", (), None)


def test_blur_made_in_linear_light_says_its_gamma(tmp_path: Path) -> None:
    touch(tmp_path, "blur_gamma/1.png", "sharp/1.png")
    assert recognise(tmp_path).gamma == 2.2
    touch(tmp_path, "blur/1.png")
    assert recognise(tmp_path).gamma is None
    assert recognise(tmp_path / "blur_gamma").gamma == 2.2
    assert recognise(tmp_path / "blur_gamma").frames[0].parent.name == "blur_gamma"


def test_spikes_under_another_name_are_taken_and_reported(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "blur/1.png", "camera.dat"))
    assert files.spikes == tmp_path / "camera.dat"
    assert "camera.dat" in files.findings[0]
    files = recognise(touch(tmp_path, "spike.npz", "spike/1.dat"))
    assert files.spikes == tmp_path / "spike"
    assert "spike.npz" in files.findings[0]


# ------------------------------------------------------------------ GoPro-spike


@pytest.fixture
def gopro(tmp_path: Path) -> Path:
    for split in ("train", "test"):
        for clip in "AB":
            for frame in ("000047", "000048"):
                touch(
                    tmp_path,
                    f"GOPRO_Large/{split}_GT_blurred/{clip}/{frame}.png",
                    f"GOPRO_Large/{split}_GT/{clip}/{frame}.png",
                    f"GOPRO_Large_spike_seq/{split}/{clip}/spike/{frame}.dat",
                )
    return touch(tmp_path, "GOPRO_Large_spike_seq/config.yaml")


@pytest.mark.parametrize(
    "inside",
    [
        "GOPRO_Large/train_GT_blurred/B",
        "GOPRO_Large/train_GT/B",
        "GOPRO_Large_spike_seq/train/B",
        "GOPRO_Large_spike_seq/train/B/spike",
    ],
)
def test_gopro_from_either_tree(gopro: Path, inside: str) -> None:
    files = recognise(gopro / inside)
    assert (files.layout, files.name) == ("gopro-spike", "B")
    assert files.frames[0] == gopro / "GOPRO_Large/train_GT_blurred/B/000047.png"
    assert files.references[1] == gopro / "GOPRO_Large/train_GT/B/000048.png"
    assert files.spikes == gopro / "GOPRO_Large_spike_seq/train/B/spike"
    assert files.sidecar == gopro / "GOPRO_Large_spike_seq/config.yaml"
    assert (files.spike_size, files.spike_rate_hz, files.gamma) == (Size(360, 640), 1920.0, 1.0)


def test_gopro_without_spikes_or_without_frames(tmp_path: Path) -> None:
    touch(tmp_path, "GOPRO_Large/test_GT_blurred/A/1.png")
    files = recognise(tmp_path / "GOPRO_Large/test_GT_blurred/A")
    assert (files.layout, files.spikes, files.references) == ("gopro-spike", None, ())
    touch(tmp_path, "GOPRO_Large_spike_seq/test/B/spike/1.dat")
    files = recognise(tmp_path / "GOPRO_Large_spike_seq/test/B")
    assert (files.layout, files.frames, files.spike_size) == ("gopro-spike", (), Size(360, 640))


def test_the_clips_of_gopro_are_listed(gopro: Path) -> None:
    clips = {
        root: [path.relative_to(gopro).as_posix() for path in list_sequences(gopro / root)]
        for root in ("", "GOPRO_Large", "GOPRO_Large/test_GT_blurred", "GOPRO_Large_spike_seq/test")
    }
    everything = [f"GOPRO_Large/{split}_GT_blurred/{clip}" for split in ("train", "test") for clip in "AB"]
    assert clips[""] == clips["GOPRO_Large"] == everything
    assert clips["GOPRO_Large/test_GT_blurred"] == clips["GOPRO_Large_spike_seq/test"] == everything[2:]


# ------------------------------------------------------------------ X4K-spike


def test_x4k_names_count_in_fours() -> None:
    assert original_index("0001") == 4
    assert original_index("0001_002") == 7
    assert original_index("0000_000") == 1
    assert original_index("0012_001") == 4 * 12 + 1 + 1
    assert original_index("frame") is None


@pytest.fixture
def x4k(tmp_path: Path) -> Path:
    return touch(
        tmp_path,
        *(f"train_blurry_33/002/occ008/{n}.png" for n in ("0004", "0004_002", "0012")),
        "train_blurry_65/002/occ008/0008.png",
        *(f"train_fullRGB/002/occ008/{n:04d}.png" for n in range(17)),
        "train_spike_2xds/002/occ008/spike.dat",
    )


@pytest.mark.parametrize(
    "inside", ["train_blurry_33/002/occ008", "train_fullRGB/002/occ008", "train_spike_2xds/002/occ008"]
)
def test_x4k_windows_follow_from_the_names(x4k: Path, inside: str) -> None:
    files = recognise(x4k / inside)
    assert (files.layout, files.name) == ("x4k-spike", "002_occ008")
    assert names(files.frames) == ["0004.png", "0004_002.png", "0012.png"]
    assert files.windows == (AlignmentWindow(0, 33), AlignmentWindow(3, 36), AlignmentWindow(32, 65))
    assert files.windows is not None
    inclusive = [index for index in range(65) if 16 - 33 // 2 <= index <= 16 + 33 // 2]
    span = files.windows[0].planes()
    assert list(range(span.start, span.stop)) == inclusive
    assert files.spikes == x4k / "train_spike_2xds/002/occ008/spike.dat"
    assert len(files.references) == 17
    assert (files.spike_size, files.spike_rate_hz, files.gamma) == (Size(384, 384), 4000.0, 1.0)


def test_x4k_with_the_longer_exposure_and_a_strange_name(x4k: Path) -> None:
    assert recognise(x4k / "train_blurry_65/002/occ008").windows == (AlignmentWindow(0, 65),)
    touch(x4k, "train_blurry_33/002/occ008/cover.png")
    files = recognise(x4k / "train_blurry_33/002/occ008")
    assert files.windows is None
    assert "cover.png" in files.findings[0]


def test_the_clips_of_x4k_are_listed_for_every_exposure(x4k: Path) -> None:
    clips = [path.relative_to(x4k).as_posix() for path in list_sequences(x4k)]
    assert clips == ["train_blurry_33/002/occ008", "train_blurry_65/002/occ008"]
    assert len(list_sequences(x4k / "train_blurry_65")) == 1


# ------------------------------------------------------------------ spike set, spikes only


@pytest.mark.parametrize("inside", ["", "spike", "gt"])
def test_a_spike_set_has_no_blurry_frames(tmp_path: Path, inside: str) -> None:
    touch(tmp_path, "spike/a.dat", "spike/b.dat", "gt/a.png", "gt/b.png")
    files = recognise(tmp_path / inside)
    assert (files.layout, files.frames, files.spikes) == ("spike set", (), tmp_path / "spike")
    assert names(files.references) == ["a.png", "b.png"]
    assert files.exposure_planes is None


def test_the_sets_of_137_planes_expose_the_central_97(tmp_path: Path) -> None:
    touch(tmp_path, "gt/a.png", "spike/a.dat")
    (tmp_path / "spike/a.dat").write_bytes(bytes(986_400))
    assert recognise(tmp_path).exposure_planes == 97
    assert recognise(tmp_path / "spike/a.dat").exposure_planes == 97


def test_one_recording_finds_the_picture_beside_it(tmp_path: Path) -> None:
    touch(tmp_path, "set/a.dat", "set/a.png", "set/b.dat", "set/b.png", "set/c.npz")
    files = recognise(tmp_path / "set/b.dat")
    assert (files.layout, files.name) == ("spikes only", "b")
    assert names(files.references) == ["b.png"]
    assert recognise(tmp_path / "set/c.npz").references == ()


def test_one_recording_of_a_set_finds_its_picture(tmp_path: Path) -> None:
    touch(tmp_path, "spike/a.dat", "spike/b.dat", "gt/a.png")
    assert recognise(tmp_path / "spike/a.dat").references == (tmp_path / "gt/a.png",)
    assert recognise(tmp_path / "spike/b.dat").references == ()


def test_a_folder_with_one_recording_is_that_recording(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "a.dat", "a.png", "readme.txt"))
    assert (files.layout, files.spikes) == ("spikes only", tmp_path / "a.dat")


def test_the_plane_of_a_picture_may_be_in_its_name() -> None:
    assert key_plane("203_part2_key_id151") == 150
    assert key_plane("203_part2") is None
    assert key_plane("key_id0") is None


# ------------------------------------------------------------------ loose


def test_any_folder_of_pictures_is_loose(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "b10.JPG", "b2.tiff", "b1.bmp", "notes.txt", ".hidden.png", "._b1.png"))
    assert files.layout == "loose"
    assert names(files.frames) == ["b1.bmp", "b2.tiff", "b10.JPG"]
    assert files.spikes is None


def test_one_recording_among_pictures_is_taken_for_the_spikes(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "1.png", "2.png", "camera.dat"))
    assert (files.layout, files.spikes) == ("loose", tmp_path / "camera.dat")
    assert "camera.dat" in files.findings[0]


def test_a_video_with_a_recording_of_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "clip.MP4", "other.mp4", "clip.dat", "clip_alignment.csv", "alignment.csv")
    files = recognise(tmp_path / "clip.MP4")
    assert (files.layout, files.name) == ("loose", "clip")
    assert files.video == tmp_path / "clip.MP4"
    assert files.spikes == tmp_path / "clip.dat"
    assert files.alignment == tmp_path / "clip_alignment.csv"
    assert recognise(tmp_path / "other.mp4").spikes is None
    assert recognise(tmp_path / "other.mp4").alignment is None


def test_a_folder_with_one_video_is_that_video(tmp_path: Path) -> None:
    assert recognise(touch(tmp_path, "clip.mov", "alignment.csv")).video == tmp_path / "clip.mov"
    assert recognise(tmp_path).alignment == tmp_path / "alignment.csv"


def test_links_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "there", "blur/1.png", "spike.dat")
    (tmp_path / "here").symlink_to(tmp_path / "there")
    assert recognise(tmp_path / "here").layout == "unified"
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "blur").symlink_to(tmp_path / "there" / "blur")
    assert len(recognise(tmp_path / "mixed").frames) == 1


# ------------------------------------------------------------------ nothing, or too much


def error_of(path: Path) -> str:
    with pytest.raises(SequenceError) as caught:
        recognise(path)
    assert caught.value.path == path
    assert caught.value.advice
    return str(caught.value)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    assert "nothing is there" in error_of(tmp_path / "missing")


def test_an_empty_folder_and_one_without_pictures(tmp_path: Path) -> None:
    assert "an empty folder" in error_of(tmp_path)
    assert "a.txt" in error_of(touch(tmp_path, "a.txt", "b.csv"))


def test_single_files_that_are_no_sequence(tmp_path: Path) -> None:
    touch(tmp_path, "blur/1.png", "notes.txt")
    assert "found a picture" in error_of(tmp_path / "blur/1.png")
    assert "'.txt'" in error_of(tmp_path / "notes.txt")


def test_several_recordings_are_listed(tmp_path: Path) -> None:
    touch(tmp_path, "a.dat", "a.png", "b.dat", "b.png")
    message = error_of(tmp_path)
    assert "several sequences" in message
    assert "a.dat, b.dat" in message
    assert list_sequences(tmp_path) == [tmp_path / "a.dat", tmp_path / "b.dat"]


def test_one_sequence_further_down_is_named(tmp_path: Path) -> None:
    message = error_of(touch(tmp_path, "samples/city/blur/1.png"))
    assert "samples/city" in message
    assert "Open it" in message


def test_several_folders_are_listed_two_levels_down(tmp_path: Path) -> None:
    touch(tmp_path, "train/one/blur/1.png", "train/two/blur/1.png", "test/three/spike/1.dat", "loose/1.png")
    found = [path.relative_to(tmp_path).as_posix() for path in list_sequences(tmp_path)]
    assert found == ["loose", "test/three", "train/one", "train/two"]
    assert "loose, test/three, train/one, train/two" in error_of(tmp_path)


# ------------------------------------------------------------------ listings


def test_folders_that_are_not_there_hold_no_pictures(tmp_path: Path) -> None:
    assert pictures_in(tmp_path / "missing") == ()


def test_alignment_logs_by_name(tmp_path: Path) -> None:
    assert find_alignment_log(tmp_path) is None
    touch(tmp_path, "other.csv", "my_Alignment_2.csv")
    assert find_alignment_log(tmp_path) == tmp_path / "my_Alignment_2.csv"
    touch(tmp_path, "alignment.csv")
    assert find_alignment_log(tmp_path) == tmp_path / "alignment.csv"
    assert find_alignment_log(tmp_path, "my") == tmp_path / "my_Alignment_2.csv"


def test_many_names_are_cut_short() -> None:
    assert shorten(["a", "b"]) == "a, b"
    assert shorten([str(n) for n in range(12)]) == "0, 1, 2, 3, 4 and 7 more"


# ------------------------------------------------------------------ config.yaml


def gamma(tmp_path: Path, text: str) -> tuple[float | None, tuple[str, ...]]:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return read_gamma(path)


def test_a_sidecar_states_the_gamma(tmp_path: Path) -> None:
    assert gamma(tmp_path, "spike_h: 250\ngamma: 2.2\nother: []") == (2.2, ())
    assert gamma(tmp_path, "spike_h: 250") == gamma(tmp_path, "") == read_gamma(None) == (None, ())
    assert read_gamma(tmp_path / "missing.yaml") == (None, ())


@pytest.mark.parametrize("value", ["-1", "0", "strong", ".nan", "true", "[2.2]"])
def test_an_impossible_gamma_is_reported_and_ignored(tmp_path: Path, value: str) -> None:
    stated, findings = gamma(tmp_path, f"gamma: {value}")
    assert stated is None
    assert len(findings) == 1
    assert "config.yaml says gamma" in findings[0]


@pytest.mark.parametrize("text", ["a: [1, 2", "- 1\n- 2", "gamma: !!python/object/apply:os.getcwd []"])
def test_a_sidecar_that_is_none_states_nothing(tmp_path: Path, text: str) -> None:
    assert gamma(tmp_path, text) == (None, ())


def test_a_description_is_a_value() -> None:
    files = SequenceFiles(layout="loose", name="a")
    assert files.but(gamma=2.2).gamma == 2.2
    assert files.gamma is None


# ------------------------------------------------------------------ oddities


@pytest.mark.parametrize("text", ["gamma: " + "9" * 5000, "gamma: 2\nmade: 2020-13-41", "[" * 300, "- 1"])
def test_a_sidecar_that_cannot_be_read_says_no_gamma(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert read_gamma(path) == (None, ())


def test_a_link_that_leads_nowhere_and_a_pipe_are_named_as_what_they_are(tmp_path: Path) -> None:
    for name, target in (("gone.dat", "nowhere"), ("loop.dat", "loop.dat")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(SequenceError, match="leads nowhere"):
            recognise(tmp_path / name)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.dat")
        with pytest.raises(SequenceError, match="pipe"):
            recognise(tmp_path / "pipe.dat")


def test_an_empty_folder_of_frames_beside_spikes_is_reported(tmp_path: Path) -> None:
    touch(tmp_path, "spike.dat")
    (tmp_path / "blur").mkdir()
    files = recognise(tmp_path)
    assert files.layout == "spikes only"
    assert "blur/ holds no pictures" in files.findings[0]
