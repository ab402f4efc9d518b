"""What lies in a sequence's folders and is not read is named, and never changes what the sequence is."""

import os
import unicodedata
from pathlib import Path

import pytest

from engine.errors import SequenceError, UnreadFramesError
from engine.layouts import SequenceFiles, list_sequences, recognise
from engine.sequence import find_sequences


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def link(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(Path("/nowhere") / path.name)


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def found(files: SequenceFiles, *texts: str) -> bool:
    """Whether one finding, its remedy with it, holds all the texts."""
    return any(all(text in finding.sentences for text in texts) for finding in files.findings)


def refused(path: Path) -> str:
    with pytest.raises(UnreadFramesError) as caught:
        recognise(path)
    assert caught.value.path is not None
    assert caught.value.found
    assert caught.value.advice
    return str(caught.value)


# ------------------------------------------------------------------ frames that cannot be read

KINDS = (".webp", ".ppm", ".gif", ".exr", ".dng", ".CR2", ".heic", ".jp2")


@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("spikes", ["spike.dat", "spike/0001.dat", "camera.npz", "readme.txt"])
@pytest.mark.parametrize("inside", ["", "blur", "blur_gamma"])
def test_frames_of_kinds_that_are_not_read_are_refused(
    tmp_path: Path, suffix: str, spikes: str, inside: str
) -> None:
    folder = inside or "blur"
    touch(tmp_path, *(f"{folder}/{n:04d}{suffix}" for n in range(1, 8)), spikes)
    message = refused(tmp_path / inside)
    assert f"{tmp_path / folder}:" in message
    assert f"0001{suffix}, 0002{suffix}, 0003{suffix}, 0004{suffix}, 0005{suffix} and 2 more" in message
    assert ".png" in message
    assert "Convert them" in message


@pytest.mark.parametrize("spikes", ["spike.dat", "spike/0001.dat"])
def test_frames_that_are_broken_links_are_refused(tmp_path: Path, spikes: str) -> None:
    touch(tmp_path, spikes)
    link(tmp_path / "blur/0001.png")
    message = refused(tmp_path)
    assert "lead nowhere: 0001.png" in message
    assert "Bring back" in message
    assert "0001.png" in refused(tmp_path / "blur")


def test_a_folder_of_frames_that_is_a_broken_link_an_archive_or_deeper_is_refused(tmp_path: Path) -> None:
    for name in "abcd":
        touch(tmp_path / name, "spike.dat")
    link(tmp_path / "a/blur")
    assert "lead nowhere: blur" in refused(tmp_path / "a")
    touch(tmp_path / "b", "blur.zip")
    assert "Unpack" in refused(tmp_path / "b")
    touch(tmp_path / "c", "blur/camera 1/1.png", "blur/camera 2/1.webp")
    assert "folders: camera 1, camera 2" in refused(tmp_path / "c")
    touch(tmp_path / "d", "blur/0001.frame")
    assert "0001.frame" in refused(tmp_path / "d")


@pytest.mark.parametrize("path", ["GOPRO_Large/train_GT_blurred/A", "GOPRO_Large_spike_seq/train/A"])
def test_gopro_frames_of_kinds_that_are_not_read_are_refused(tmp_path: Path, path: str) -> None:
    touch(tmp_path, "GOPRO_Large/train_GT_blurred/A/1.webp", "GOPRO_Large_spike_seq/train/A/spike/1.dat")
    assert "1.webp" in refused(tmp_path / path)
    assert list_sequences(tmp_path) == [tmp_path / "GOPRO_Large/train_GT_blurred/A"]


@pytest.mark.parametrize("path", ["val_blurry_33/002/a", "val_spike_2xds/002/a", "val_fullRGB/002/a"])
def test_x4k_frames_of_kinds_that_are_not_read_are_refused(tmp_path: Path, path: str) -> None:
    touch(tmp_path, "val_blurry_33/002/a/0004.webp", "val_spike_2xds/002/a/spike.dat")
    touch(tmp_path, "val_fullRGB/002/a/0004.png", "val_blurry_33/002/b/0004.png")
    assert "0004.webp" in refused(tmp_path / path)
    assert list_sequences(tmp_path) == [tmp_path / f"val_blurry_33/002/{clip}" for clip in "ab"]


def test_loose_pictures_that_are_not_read_beside_a_recording_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "a", "0001.webp", "0002.webp", "camera.dat")
    assert "0001.webp, 0002.webp" in refused(tmp_path / "a")
    touch(tmp_path / "b", "0001.heic", "0002.heic")
    assert "0001.heic" in refused(tmp_path / "b")
    # One that is called like the recording shows what it recorded, an animation what came of it.
    touch(tmp_path / "c", "camera.dat", "camera.webp", "preview.gif")
    files = recognise(tmp_path / "c")
    assert (files.layout, files.spikes) == ("spikes only", tmp_path / "c/camera.dat")
    assert found(files, "camera.webp, preview.gif", "Convert")


def test_an_empty_folder_of_frames_still_means_spikes_alone(tmp_path: Path) -> None:
    touch(tmp_path, "spike.dat", "blur/.gitkeep", "blur/Thumbs.db", "blur/._1.png", "blur/README")
    touch(tmp_path, "blur/about.txt")
    files = recognise(tmp_path)
    assert files.layout == "spikes only"
    assert found(files, "blur/ holds no pictures: the frames are made of spikes")


def test_a_recording_that_is_named_itself_opens_and_says_what_is_not_read(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "spike.dat", "blur/0001.webp") / "spike.dat")
    assert files.layout == "spikes only"
    assert found(files, "0001.webp", "Convert")


def test_those_that_are_refused_are_listed_among_the_others(tmp_path: Path) -> None:
    touch(tmp_path, "a/blur/1.png", "b/blur/1.webp", "b/spike.dat", "c/1.heic", "d/blur/1.png", "e/notes.txt")
    link(tmp_path / "f/blur/1.png")
    expected = [tmp_path / name for name in "abcdf"]
    assert list_sequences(tmp_path) == expected
    assert [source.path for source in find_sequences(tmp_path)] == [str(path) for path in expected]
    with pytest.raises(UnreadFramesError):
        find_sequences(tmp_path / "b")


def test_pictures_about_a_data_set_do_not_hide_its_sequences(tmp_path: Path) -> None:
    touch(tmp_path, "overview.webp", "logo.svg", "one/blur/1.png", "two/blur/1.png", "docs/logo.svg")
    with pytest.raises(SequenceError, match="several sequences"):
        recognise(tmp_path)
    assert list_sequences(tmp_path) == [tmp_path / "one", tmp_path / "two"]


# ------------------------------------------------------------------ beside frames that can be read


def test_what_is_not_read_among_the_frames_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "blur/1.png", "blur/2.png", "blur/3.webp", "blur/2.dng", "blur/5.dat", "blur/more/6.png")
    touch(tmp_path, "blur/Thumbs.db", "blur/desktop.ini", "blur/.DS_Store", "blur/._1.png", "blur/about.txt")
    touch(tmp_path, "sharp/1.png", "sharp/2.exr", "spike/1.dat", "spike/2.dat", "spike/3.h5")
    for name in ("blur/4.png", "sharp/4.png", "spike/4.dat"):
        link(tmp_path / name)
    files = recognise(tmp_path)
    assert names(files.frames) == ["1.png", "2.png"]
    assert files.lost_frames == ("3", "4")
    assert found(files, "files in blur/ that are not read: 2.dng, 3.webp, 5.dat", "Convert")
    assert found(files, "folders in blur/, whose pictures are not read: more")
    assert found(files, "links in blur/ that lead nowhere: 4.png", "Bring back")
    assert found(files, "files in sharp/ that are not read: 2.exr")
    assert found(files, "links in sharp/ that lead nowhere: 4.png")
    assert found(files, "files in spike/ that are not read: 3.h5")
    assert found(files, "links in spike/ that lead nowhere: 4.dat")
    assert len(files.findings) == 7


@pytest.mark.parametrize("name", ["events.bin", "camera.raw", "a.spk", "events.npz", "planes.npy"])
@pytest.mark.parametrize("frame", ["blur/1.png", "clip.mp4"])
def test_files_beside_the_frames_that_look_like_spikes_are_named(
    tmp_path: Path, name: str, frame: str
) -> None:
    files = recognise(touch(tmp_path, frame, name))
    if files.spikes is None:
        assert found(files, "may be spikes", name, "Name the recording (--spikes)")
    else:
        assert frame == "clip.mp4"
        assert found(files, f"{name} is taken for the spikes")


@pytest.mark.parametrize("name", ["a.mat", "b.h5", "c.aedat4", "d.bag", "spike.dat.gz", "spikes.zip"])
@pytest.mark.parametrize("frame", ["blur/1.png", "1.png", "clip.mp4"])
def test_foreign_files_that_may_be_spikes_are_named(tmp_path: Path, name: str, frame: str) -> None:
    assert found(recognise(touch(tmp_path, frame, name)), "may be spikes", name, "Convert")


def test_recordings_that_the_frames_do_not_choose_between_are_named(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "blur/1.png", "left.dat", "right.dat", "times.txt"))
    assert files.spikes is None
    assert found(files, "left.dat, right.dat", "Name the recording (--spikes)")


def test_a_sequence_s_own_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "blur/1.png")
    for name in ("spike.dat", "sharp", "config.yaml"):
        link(tmp_path / name)
    files = recognise(tmp_path)
    assert files.spikes is None
    assert found(files, "lead nowhere: config.yaml, sharp, spike.dat")
    link(tmp_path / "alone/spike.dat")
    with pytest.raises(SequenceError, match=r"spike\.dat \(a link that leads nowhere\)"):
        recognise(tmp_path / "alone")


def test_bare_files_are_spikes_where_their_name_says_so(tmp_path: Path) -> None:
    assert recognise(touch(tmp_path / "a", "blur/1.png", "spike.bin")).spikes == tmp_path / "a/spike.bin"
    assert recognise(touch(tmp_path / "b", "blur/1.png", "spike/1.raw")).spikes == tmp_path / "b/spike"
    assert recognise(tmp_path / "a/spike.bin").layout == "spikes only"


def test_pictures_in_a_folder_beside_a_recording_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "camera.dat", "frames/1.png", "gt/camera.png", "out/1.png", "out/restore.json")
    files = recognise(tmp_path)
    assert files.layout == "spikes only"
    assert found(files, "not used: frames/", "Open their folder")


# ------------------------------------------------------------------ folders by other spellings


@pytest.mark.skipif(os.path.normcase("A") == "a", reason="names do not differ in case here")
def test_folders_may_be_written_in_other_case(tmp_path: Path) -> None:
    touch(tmp_path, "Blur/1.PNG", "SHARP/1.png", "Spike.DAT")
    for inside in ("", "Blur", "SHARP"):
        files = recognise(tmp_path / inside)
        assert files.layout == "unified"
        assert names(files.frames) == ["1.PNG"]
        assert names(files.references) == ["1.png"]
        assert files.spikes == tmp_path / "Spike.DAT"


def test_clips_are_found_in_either_unicode_form(tmp_path: Path) -> None:
    one, other = (unicodedata.normalize(form, "clé") for form in ("NFC", "NFD"))
    touch(tmp_path, f"GOPRO_Large/test_GT_blurred/{one}/1.png", f"GOPRO_Large/test_GT/{other}/1.png")
    touch(tmp_path, f"GOPRO_Large_spike_seq/test/{other}/spike/1.dat")
    files = recognise(tmp_path / f"GOPRO_Large/test_GT_blurred/{one}")
    assert names(files.references) == ["1.png"]
    assert files.spikes == tmp_path / f"GOPRO_Large_spike_seq/test/{other}/spike"
    touch(tmp_path, f"{one}.mp4", f"{other}.dat", "else.mp4", f"{other}_alignment.csv")
    files = recognise(tmp_path / f"{one}.mp4")
    assert files.spikes == tmp_path / f"{other}.dat"
    assert files.alignment == tmp_path / f"{other}_alignment.csv"


# ------------------------------------------------------------------ a video and its recording


@pytest.mark.parametrize("recording", ["spike.dat", "spikes.npz", "run 7.DAT", "spike/run 7.dat"])
def test_one_video_and_one_recording_are_a_sequence_of_both(tmp_path: Path, recording: str) -> None:
    touch(tmp_path, "clip.mov", recording)
    for path in (tmp_path, tmp_path / "clip.mov"):
        files = recognise(path)
        assert (files.layout, files.video) == ("loose", tmp_path / "clip.mov")
        assert files.spikes in (tmp_path / recording, (tmp_path / recording).parent)
        assert files.spikes != tmp_path
    assert recognise(tmp_path / "clip.mov").name == "clip"


def test_a_video_s_recording_of_another_name_is_said(tmp_path: Path) -> None:
    assert found(recognise(touch(tmp_path, "clip.mp4", "run 7.dat")), "run 7.dat is taken for the spikes")


def test_several_videos_have_the_recordings_of_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4", "a.dat", "b.dat")
    assert recognise(tmp_path / "a.mp4").spikes == tmp_path / "a.dat"
    assert recognise(tmp_path / "b.mp4").findings == ()
    with pytest.raises(SequenceError, match="several"):
        recognise(tmp_path)
    (tmp_path / "b.dat").unlink()
    with pytest.raises(SequenceError, match="several"):
        recognise(tmp_path)
    assert recognise(tmp_path / "b.mp4").spikes is None


def test_the_only_video_among_several_recordings_names_those_it_does_not_use(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "clip.mp4", "left.dat", "right.dat"))
    assert files.spikes is None
    assert found(files, "left.dat, right.dat", "Name the recording")


def test_pictures_win_over_a_video_and_say_so(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "1.png", "2.png", "clip.mp4", "camera.dat"))
    assert names(files.frames) == ["1.png", "2.png"]
    assert found(files, "clip.mp4", "not used")


@pytest.mark.parametrize("video", ["blur.mp4", "Blur.MKV", "blur/anything.avi", "blur_gamma.mov"])
def test_a_video_may_stand_in_the_place_of_the_frames(tmp_path: Path, video: str) -> None:
    files = recognise(touch(tmp_path, video, "spike.dat", "sharp/0001.png", "config.yaml"))
    assert (files.layout, files.video) == ("unified", tmp_path / video)
    assert files.spikes == tmp_path / "spike.dat"
    assert names(files.references) == ["0001.png"]
    assert files.gamma == (2.2 if "gamma" in video else None)
    assert files.findings == ()


def test_a_sharp_video_is_the_reference_of_a_blurry_one(tmp_path: Path) -> None:
    files = recognise(touch(tmp_path, "blur.mp4", "sharp.mp4", "spike.dat"))
    assert (files.video, files.references) == (tmp_path / "blur.mp4", (tmp_path / "sharp.mp4",))
