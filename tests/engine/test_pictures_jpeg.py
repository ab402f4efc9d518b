"""Whole JPEG files have libjpeg's values; those that lost data are errors, whatever libjpeg makes of them."""

import io
import re
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from engine.errors import FrameError
from engine.pictures import picture_info, read_picture, read_samples

RNG = np.random.default_rng(5)
COARSE = Image.fromarray(RNG.integers(0, 256, (17, 23, 3), dtype=np.uint8))
SCENE = np.asarray(COARSE.resize((184, 136), Image.Resampling.BICUBIC), int)
SCENE = np.clip(SCENE + RNG.integers(-6, 7, SCENE.shape), 0, 255).astype(np.uint8)
KINDS: dict[str, dict[str, object]] = {
    "4:4:4": {"quality": 95, "subsampling": 0},
    "4:2:2": {"quality": 85, "subsampling": 1},
    "4:2:0": {"quality": 80, "subsampling": 2},
    "progressive": {"quality": 90, "progressive": True},
    "restarts": {"quality": 90, "restart_marker_blocks": 5},
    "own tables": {"quality": 75, "optimize": True},
    "stored as RGB": {"quality": 90, "keep_rgb": True},
}


def encoded(picture: np.ndarray | Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, "JPEG", **options)
    return file.getvalue()


def shown_by_pillow(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def error_of(path: Path) -> str:
    """What reading a file fails with; empty where it does not."""
    try:
        read_samples(path)
    except FrameError as error:
        return str(error) if error.path == path else ""
    return ""


def scan_start(content: bytes) -> int:
    return content.rindex(b"\xff\xda") if b"\xff\xc2" not in content else content.index(b"\xff\xda")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(136, 184), (1, 1), (8, 16), (17, 33), (100, 3)])
def test_whole_files_have_the_values_that_another_reader_gives(
    tmp_path: Path, kind: str, size: tuple[int, int]
) -> None:
    picture = np.resize(SCENE, (*size, 3)) if size != (136, 184) else SCENE
    content = encoded(picture, **KINDS[kind])
    (tmp_path / "a.jpg").write_bytes(content)
    assert np.array_equal(read_samples(tmp_path / "a.jpg"), shown_by_pillow(content))
    assert (picture_info(tmp_path / "a.jpg").size.height, picture_info(tmp_path / "a.jpg").channels) == (
        size[0],
        3,
    )


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_grey_and_four_inks(tmp_path: Path, mode: str, progressive: bool) -> None:
    content = encoded(Image.fromarray(SCENE).convert(mode), progressive=progressive)
    (tmp_path / "a.jpg").write_bytes(content)
    assert np.array_equal(read_samples(tmp_path / "a.jpg"), shown_by_pillow(content))


def test_pictures_that_are_not_damaged_however_odd(tmp_path: Path) -> None:
    whole = encoded(SCENE, quality=90)
    exif = Image.Exif()
    exif[274] = 6
    turned = encoded(SCENE, quality=90, exif=exif)
    thumbnail = encoded(SCENE[:32, :32])
    inside = b"Exif\0\0" + thumbnail
    app1 = b"\xff\xe1" + (len(inside) + 2).to_bytes(2, "big") + inside
    odd = {
        "another picture after it": (whole + thumbnail, whole),
        "a video after it": (whole + b"\0\0\0\x18ftypmp42" + bytes(5000), whole),
        "turned by its tag": (turned, turned),
        "a thumbnail inside": (whole[:2] + app1 + whole[2:], whole),
        "fill bytes before the end": (whole[:-2] + b"\xff\xff\xff\xd9", whole),
    }
    for name, (content, same_as) in odd.items():
        (tmp_path / "a.jpg").write_bytes(content)
        assert np.array_equal(read_samples(tmp_path / "a.jpg"), shown_by_pillow(same_as)), name


def test_flat_pictures_hold_long_zeros_and_are_whole(tmp_path: Path) -> None:
    """Tables made for a black picture give the end of a block the code 0."""
    black = np.zeros((512, 512, 3), np.uint8)
    for options in ({"optimize": True}, {}, {"progressive": True}):
        content = encoded(black, **options)
        (tmp_path / "a.jpg").write_bytes(content)
        assert not read_samples(tmp_path / "a.jpg").any()
    assert bytes(64) in encoded(black, optimize=True)


@pytest.mark.parametrize("kind", KINDS)
def test_lost_data_are_an_error_that_names_the_file(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = encoded(SCENE, **KINDS[kind])
    start = scan_start(whole)
    length = len(whole)
    middle = (start + length) // 2
    late = start + (length - start) * 6 // 10
    damaged = {
        "truncated": whole[:late],
        "without its end": whole[:-2],
        "an early end": whole[:late] + b"\xff\xd9",
        "zeros and an end": whole[:late] + bytes(length - late - 2) + b"\xff\xd9",
        "an end inside": whole[:middle] + b"\xff\xd9" + whole[middle:],
        "garbage before the end": whole[:-2] + bytes(40) + b"\xff\xd9",
    }
    if kind != "progressive":
        damaged["a zeroed sector"] = whole[: middle - 256] + bytes(512) + whole[middle + 256 :]
    if kind == "restarts":
        marks = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", whole)]
        damaged["a wrong restart mark"] = whole[: marks[4] + 1] + b"\xd1" + whole[marks[4] + 2 :]
        damaged["a missing interval"] = whole[: marks[4]] + whole[marks[8] + 3 :]
    for name, content in damaged.items():
        (tmp_path / "bad.jpg").write_bytes(content)
        assert error_of(tmp_path / "bad.jpg"), name
    assert capfd.readouterr().err == ""


def test_every_scan_of_a_progressive_picture_must_come(tmp_path: Path) -> None:
    whole = encoded(SCENE, progressive=True, quality=90)
    scans = [found.start() for found in re.finditer(rb"\xff\xda", whole)]
    assert len(scans) > 5
    for at in scans[1:]:
        (tmp_path / "bad.jpg").write_bytes(whole[:at] + b"\xff\xd9")
        with pytest.raises(FrameError, match="last scans"):
            read_samples(tmp_path / "bad.jpg")


@pytest.mark.parametrize("seed", range(20))
def test_a_sector_zeroed_anywhere_in_the_usual_tables_is_noticed(tmp_path: Path, seed: int) -> None:
    whole = encoded(SCENE, quality=88)
    at = int(np.random.default_rng(seed).integers(whole.rindex(b"\xff\xda") + 14, len(whole) - 514))
    (tmp_path / "bad.jpg").write_bytes(whole[:at] + bytes(512) + whole[at + 512 :])
    with pytest.raises(FrameError, match="JPEG data are lost"):
        read_samples(tmp_path / "bad.jpg")


@pytest.mark.parametrize("length", [b"", b"\xff", b"\x00\x00", b"\x00\x01"])
def test_a_marker_whose_length_leads_nowhere_ends_the_search(tmp_path: Path, length: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xe1" + length)
    for read in (picture_info, read_samples):
        with pytest.raises(FrameError, match=r"a\.jpg"):
            read(path)


def test_lossless_pictures_must_say_their_colours(tmp_path: Path) -> None:
    expected = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    content = imagecodecs.jpeg8_encode(expected, lossless=True)
    adobe = content.index(b"\xff\xee")
    assert content[adobe + 4 : adobe + 9] == b"Adobe"
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_picture(path), expected / np.float32(255))
    length = int.from_bytes(content[adobe + 2 : adobe + 4], "big")
    path.write_bytes(content[:adobe] + content[adobe + 2 + length :])
    with pytest.raises(FrameError, match="lossless JPEG that does not say its colours"):
        read_picture(path)
