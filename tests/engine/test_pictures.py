"""Pictures are read as they are stored, whatever wrote them, and broken ones are named."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import FrameError
from engine.geometry import Size
from engine.pictures import PictureInfo, picture_info, read_picture

RNG = np.random.default_rng(7)
GREY8 = RNG.integers(0, 256, (18, 26), dtype=np.uint8)
RGB8 = RNG.integers(0, 256, (18, 26, 3), dtype=np.uint8)
RGBA8 = RNG.integers(0, 256, (18, 26, 4), dtype=np.uint8)
RGB16 = RNG.integers(0, 65536, (18, 26, 3), dtype=np.uint16)
SIZE = Size(18, 26)


def png16(samples: np.ndarray) -> bytes:
    """A 16-bit PNG written by hand, after the specification: no filter, one IDAT."""
    height, width = samples.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[1 if samples.ndim == 2 else samples.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def expect(path: Path, samples: np.ndarray, largest: float, info: PictureInfo) -> None:
    wanted = (samples.astype(np.float64) / largest).astype(np.float32)
    if wanted.ndim == 2:
        wanted = np.stack([wanted] * 3, axis=-1)
    picture = read_picture(path)
    assert picture.dtype == np.float32
    assert picture.shape == wanted.shape
    np.testing.assert_allclose(picture, wanted, atol=1e-7)
    assert picture_info(path) == info


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".PNG"])
def test_eight_bit_colour_is_read_exactly(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frame{suffix}"
    Image.fromarray(RGB8).save(path)
    expect(path, RGB8, 255, PictureInfo(SIZE, 8, 3))


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.fromarray(GREY8).save(path)
    expect(path, GREY8, 255, PictureInfo(SIZE, 8, 1))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png_keeps_every_bit(tmp_path: Path, channels: int) -> None:
    samples = RNG.integers(0, 65536, (18, 26, channels), dtype=np.uint16)
    path = tmp_path / "deep.png"
    path.write_bytes(png16(samples))
    colours = samples[:, :, :3] if channels >= 3 else samples[:, :, 0]
    expect(path, colours, 65535, PictureInfo(SIZE, 16, channels))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}])
def test_sixteen_bit_tiff_keeps_every_bit(tmp_path: Path, options: dict[str, object]) -> None:
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, RGB16, photometric="rgb", **options)
    expect(path, RGB16, 65535, PictureInfo(SIZE, 16, 3))


def test_tiff_with_a_compression_that_tifffile_lacks(tmp_path: Path) -> None:
    path = tmp_path / "lzw.tiff"
    Image.fromarray(RGB8).save(path, compression="tiff_lzw")
    expect(path, RGB8, 255, PictureInfo(SIZE, 8, 3))


def test_tiff_with_planes_apart_and_with_inverted_grey(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "apart.tif", np.moveaxis(RGB16, -1, 0), photometric="rgb", planarconfig="separate"
    )
    expect(tmp_path / "apart.tif", RGB16, 65535, PictureInfo(SIZE, 16, 3))
    tifffile.imwrite(tmp_path / "inverted.tif", GREY8, photometric="miniswhite")
    expect(tmp_path / "inverted.tif", 255 - GREY8, 255, PictureInfo(SIZE, 8, 1))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floating_point_tiff(tmp_path: Path, kind: type) -> None:
    samples = (RGB16 / 65535).astype(kind)
    path = tmp_path / "float.tif"
    tifffile.imwrite(path, samples, photometric="rgb")
    np.testing.assert_allclose(read_picture(path), samples.astype(np.float32), atol=1e-7)
    assert picture_info(path).bit_depth == 32


def test_alpha_is_dropped_not_composited(tmp_path: Path) -> None:
    path = tmp_path / "alpha.png"
    Image.fromarray(RGBA8).save(path)
    expect(path, RGBA8[:, :, :3], 255, PictureInfo(SIZE, 8, 4))
    assert picture_info(path).has_alpha


@pytest.mark.parametrize("transparent", [False, True])
def test_a_palette_counts_as_its_colours(tmp_path: Path, transparent: bool) -> None:
    indices = RNG.integers(0, 4, (18, 26), dtype=np.uint8)
    colours = np.array([[10, 20, 30], [250, 0, 5], [7, 99, 200], [0, 0, 0]], np.uint8)
    image = Image.frombytes("P", (26, 18), indices.tobytes())
    image.putpalette(colours.tobytes())
    path = tmp_path / "palette.png"
    image.save(path, **({"transparency": bytes([255, 0, 128, 255])} if transparent else {}))
    expect(path, colours[indices], 255, PictureInfo(SIZE, 8, 4 if transparent else 3))


def test_jpeg_is_close(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    path = tmp_path / "frame.jpg"
    Image.fromarray(np.stack([ramp, 255 - ramp, ramp // 2], axis=-1)).save(path, quality=98, subsampling=0)
    assert np.abs(read_picture(path)[:, :, 0] - ramp / 255).max() < 0.03
    assert picture_info(path) == PictureInfo(Size(64, 64), 8, 3)


def test_the_content_decides_not_the_suffix(tmp_path: Path) -> None:
    Image.fromarray(RGB8).save(tmp_path / "a.bmp")
    (tmp_path / "a.bmp").rename(tmp_path / "a.png")
    expect(tmp_path / "a.png", RGB8, 255, PictureInfo(SIZE, 8, 3))


def test_names_with_spaces_and_chinese_characters(tmp_path: Path) -> None:
    folder = tmp_path / "模糊 序列"
    folder.mkdir()
    for name, content in (("第 一 帧.png", None), ("深.png", png16(RGB16))):
        path = folder / name
        if content is None:
            Image.fromarray(RGB8).save(path)
        else:
            path.write_bytes(content)
        assert read_picture(path).shape == (18, 26, 3)


def save_whole(path: Path) -> None:
    if path.stem == "deep" and path.suffix == ".png":
        path.write_bytes(png16(RGB16))
    elif path.suffix == ".tif":
        tifffile.imwrite(path, RGB16, photometric="rgb", compression="zlib")
    else:
        Image.fromarray(RGB8).save(path)


@pytest.mark.parametrize("name", ["a.png", "deep.png", "a.jpg", "a.bmp", "a.tif"])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_truncated_picture_is_an_error_that_names_it(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    save_whole(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(FrameError, match=name):
        read_picture(path)


def test_a_flipped_bit_in_a_sixteen_bit_png_is_noticed(tmp_path: Path) -> None:
    content = bytearray(png16(RGB16))
    content[len(content) // 2] ^= 4
    path = tmp_path / "bit.png"
    path.write_bytes(content)
    with pytest.raises(FrameError, match="checksum"):
        read_picture(path)


@pytest.mark.parametrize("content", [b"", b"t0,t1\n", b"\x89PNG\r\n\x1a\n", b"II*\0\xff\xff\xff\xff"])
def test_what_is_no_picture_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no picture.png"
    path.write_bytes(content)
    for read in (read_picture, picture_info):
        with pytest.raises(FrameError, match=r"no picture\.png"):
            read(path)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.png", tmp_path):
        with pytest.raises(FrameError):
            read_picture(path)
        with pytest.raises(FrameError):
            picture_info(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers_are_an_error(tmp_path: Path, value: float) -> None:
    samples = np.full((8, 8), 0.5, np.float32)
    samples[3, 4] = value
    path = tmp_path / "bad.tif"
    tifffile.imwrite(path, samples)
    with pytest.raises(FrameError, match=r"bad\.tif.*1 NaN or infinite"):
        read_picture(path)


def test_a_floating_point_picture_outside_its_range_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bytes.tif"
    tifffile.imwrite(path, GREY8.astype(np.float32))
    with pytest.raises(FrameError, match="0 to 255"):
        read_picture(path)


def test_a_stack_and_an_unknown_kind_of_sample_are_errors(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((4, 8, 8), np.uint8), photometric="minisblack")
    with pytest.raises(FrameError, match="4 pictures"):
        read_picture(tmp_path / "stack.tif")
    tifffile.imwrite(tmp_path / "int.tif", np.zeros((8, 8), np.int32))
    with pytest.raises(FrameError, match="int32"):
        read_picture(tmp_path / "int.tif")


def test_an_absurd_size_in_the_header_is_an_error(tmp_path: Path) -> None:
    content = bytearray(png16(RGB16))
    content[16:24] = struct.pack(">II", 2**30, 2**30)
    path = tmp_path / "huge.png"
    path.write_bytes(content)
    with pytest.raises(FrameError, match="too large"):
        read_picture(path)


def test_a_page_that_follows_itself_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One directory at byte 8 with one tag (a width of 5), whose next directory is at byte 8."""
    path = tmp_path / "loop.tif"
    path.write_bytes(b"II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHIHHI", 256, 3, 1, 5, 0, 8))
    with pytest.raises(FrameError, match=r"loop\.tif"):
        read_picture(path)
    assert capfd.readouterr().err == ""


def test_four_inks_are_not_colour_and_alpha(tmp_path: Path) -> None:
    path = tmp_path / "ink.tif"
    Image.fromarray(RGB8).convert("CMYK").save(path)
    assert picture_info(path) == PictureInfo(SIZE, 8, 3)
    np.testing.assert_allclose(read_picture(path), RGB8 / np.float32(255), atol=0.01)
