"""A TIFF file of several pictures is the sequence of its pages, read one page at a time."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import FrameError, SequenceError
from engine.frames import PictureFrames
from engine.pictures import TiffStack, is_stack, picture_info, read_picture
from engine.sequence import open_sequence

PAGES = np.random.default_rng(1).integers(0, 256, (5, 18, 26), dtype=np.uint8)
DEEP = PAGES.astype(np.uint16) * 255 + 7
WRITERS: dict[str, dict[str, object]] = {
    "pages": {"photometric": "minisblack", "metadata": None},
    "pages of LZW": {"photometric": "minisblack", "metadata": None, "compression": "lzw"},
    "ImageJ": {"imagej": True},
    "ImageJ, one directory": {"imagej": True, "truncate": True},
    "ImageJ over time": {"imagej": True, "metadata": {"axes": "TYX"}},
    "tifffile, one directory": {"photometric": "minisblack", "truncate": True},
    "OME over time": {"ome": True, "photometric": "minisblack", "metadata": {"axes": "TYX"}},
    "BigTIFF, big-endian": {"photometric": "minisblack", "bigtiff": True, "byteorder": ">"},
}


def three_channels(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[:, :, None], 3, axis=2)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("pages", [PAGES, DEEP], ids=["8 bits", "16 bits"])
def test_every_kind_of_stack_is_the_sequence_of_its_pages(
    tmp_path: Path, writer: str, pages: np.ndarray
) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, pages, **WRITERS[writer])
    assert is_stack(path)
    frames = PictureFrames((path,))
    assert frames.names == tuple(f"stack_{number:04d}" for number in range(1, 6))
    assert (frames.size, frames.bit_depth) == ((frames.size), 8 * pages.itemsize)
    for index in (4, 0, 2):
        picture = frames.read(index)
        values = picture / 255 if picture.dtype == np.uint8 else picture
        np.testing.assert_allclose(
            values, three_channels(pages[index]) / np.iinfo(pages.dtype).max, atol=1e-6
        )
    frames.close()
    with pytest.raises(FrameError, match="closed"):
        frames.read(0)


def test_colour_pages(tmp_path: Path) -> None:
    pages = np.random.default_rng(2).integers(0, 256, (3, 9, 7, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb", imagej=True)
    frames = PictureFrames((tmp_path / "a.tif",))
    assert len(frames) == 3
    assert np.array_equal(frames.read(2), pages[2])
    frames.close()


def test_thumbnails_and_masks_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for page in PAGES[:2]:
            writer.write(page, photometric="minisblack", metadata=None)
            writer.write(page[::4, ::4].copy(), photometric="minisblack", subfiletype=1, metadata=None)
    frames = PictureFrames((path,))
    assert len(frames) == 2
    assert np.array_equal(frames.read(1), three_channels(PAGES[1]))
    frames.close()
    with tifffile.TiffWriter(path) as writer:
        writer.write(PAGES[0], photometric="minisblack", metadata=None)
        writer.write(PAGES[0, ::2, ::2].copy(), photometric="minisblack", subfiletype=1, metadata=None)
    assert not is_stack(path)
    assert picture_info(path).size.height == 18


def test_a_description_of_pictures_that_are_not_there_is_not_believed(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", PAGES[0], description="ImageJ=1.53\nimages=40\nframes=40\n", metadata=None
    )
    assert not is_stack(tmp_path / "a.tif")
    np.testing.assert_allclose(read_picture(tmp_path / "a.tif"), three_channels(PAGES[0]) / 255, atol=1e-6)


def test_other_axes_than_time_are_named(tmp_path: Path) -> None:
    hyper = np.zeros((3, 2, 9, 7), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", hyper, imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(FrameError, match="2 channels × 3 frames"):
        TiffStack(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", hyper, ome=True, metadata={"axes": "TZYX"}, photometric="minisblack")
    with pytest.raises(FrameError, match=r"2 slices × 3 frames|3 frames × 2 slices"):
        TiffStack(tmp_path / "b.tif")
    composite = {"axes": "CYX", "mode": "composite"}
    tifffile.imwrite(tmp_path / "c.tif", hyper[:, 0], imagej=True, metadata=composite)
    with pytest.raises(FrameError, match="3 channels"):
        TiffStack(tmp_path / "c.tif")


def test_pictures_called_channels_are_taken_for_frames_aloud(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PAGES, imagej=True)
    frames = PictureFrames((tmp_path / "a.tif",))
    assert any("calls its 5 pictures channels" in finding for finding in frames.findings)
    frames.close()


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("writer", ["pages", "ImageJ, one directory"])
def test_a_truncated_stack_is_an_error_or_its_missing_pages_are(
    tmp_path: Path, writer: str, kept: float
) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, PAGES, **WRITERS[writer])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    try:
        frames = PictureFrames((path,))
    except FrameError:
        return
    for index, page in enumerate(PAGES[: len(frames)]):
        try:
            picture = frames.read(index)
        except FrameError:
            continue
        assert np.array_equal(picture, three_channels(page))
    with pytest.raises(FrameError, match="truncated"):
        frames.read(len(frames) - 1)
    frames.close()


def test_pages_that_follow_each_other_in_a_ring_end(tmp_path: Path) -> None:
    """The third page says that the second one comes next."""
    path = tmp_path / "ring.tif"
    tifffile.imwrite(path, PAGES, photometric="minisblack", metadata=None, compression="lzw")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        second, third = tiff.pages[1].offset, tiff.pages[2].offset
        tags = len(tiff.pages[2].tags)
    struct.pack_into("<I", content, third + 2 + 12 * tags, second)
    path.write_bytes(content)
    with pytest.raises(FrameError, match="chain of pages"):
        PictureFrames((path,))


def stack_sequence(folder: Path, pages: np.ndarray = PAGES) -> Path:
    """A stack in `blur/`, its sharp pictures as single files, and unpacked spikes of ten planes a frame."""
    (folder / "blur").mkdir(parents=True)
    (folder / "sharp").mkdir()
    tifffile.imwrite(folder / "blur" / "take.tif", pages, photometric="minisblack", metadata=None)
    for number, page in enumerate(pages, 1):
        Image.fromarray(page).save(folder / "sharp" / f"{number:04d}.png")
    spikes = np.random.default_rng(3).random((50, *pages.shape[1:])) < 0.3
    np.save(folder / "spike.npy", spikes.astype(np.uint8))
    return folder


def test_a_lone_stack_opens_as_a_sequence_wherever_it_is_named(tmp_path: Path) -> None:
    folder = stack_sequence(tmp_path / "seq")
    loose = tmp_path / "loose"
    loose.mkdir()
    tifffile.imwrite(loose / "take.tif", PAGES, imagej=True)
    np.save(loose / "take.npy", np.zeros((50, 18, 26), np.uint8) | (PAGES.repeat(10, axis=0) > 128))
    for path in (folder, folder / "blur", loose, loose / "take.tif"):
        with open_sequence(path) as sequence:
            assert [sequence.frame_name(i) for i in range(len(sequence))] == [
                f"take_000{i}" for i in range(1, 6)
            ]
            np.testing.assert_allclose(sequence.frame(3), three_channels(PAGES[3]) / 255, atol=1e-6)
            assert sequence.recording is not None
            assert len(sequence.windows) == 5
    with open_sequence(folder) as sequence:
        assert sequence.has_reference_for(4)


def test_a_stack_of_sharp_pictures_is_matched_by_number(tmp_path: Path) -> None:
    (tmp_path / "blur").mkdir()
    for number, page in enumerate(PAGES, 1):
        Image.fromarray(page).save(tmp_path / "blur" / f"{number:04d}.png")
    tifffile.imwrite(tmp_path / "truth.tif", 255 - PAGES, photometric="minisblack", metadata=None)
    with open_sequence(tmp_path, reference=tmp_path / "truth.tif") as sequence:
        reference = sequence.reference(2)
        assert reference is not None
        np.testing.assert_allclose(reference, three_channels(255 - PAGES[2]) / 255, atol=1e-6)


def test_a_stack_among_other_pictures_is_refused_in_the_same_words(tmp_path: Path) -> None:
    folder = stack_sequence(tmp_path / "seq")
    Image.fromarray(PAGES[0]).save(folder / "blur" / "0001.png")
    with open_sequence(folder) as sequence:
        words = "the file is a stack of pictures"
        assert any("take.tif" in finding and words in finding for finding in sequence.findings)
        at = [sequence.frame_name(i) for i in range(len(sequence))].index("take")
        with pytest.raises(FrameError, match=words):
            sequence.frame(at)
        sequence.frame(1 - at)


def test_a_single_picture_is_no_sequence_and_the_error_says_what_is(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PAGES[0])
    with pytest.raises(SequenceError, match=r"a stack of pictures \(\.tif \.tiff\)"):
        open_sequence(tmp_path / "a.tif")
