"""One picture has one set of values in TIFF, whatever its compression, byte order, layout and meaning."""

import itertools
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import FrameError
from engine.frames import PictureFrames
from engine.geometry import Size
from engine.pictures import StoredPicture, picture_info, read_picture, read_samples

LOSSLESS = (
    None,
    "lzw",
    "zlib",
    "adobe_deflate",
    "packbits",
    "zstd",
    "lzma",
    "lerc",
    "jpeg2000",
    "png",
    "jpegxl",
)
WITH_PREDICTOR = ("lzw", "zlib", "zstd", "lzma")
OWN_ORDER = ("lerc", "jpeg2000", "png", "jpegxl")
"""Codecs whose content has a byte order of its own; tifffile writes none of them from swapped samples."""
RNG = np.random.default_rng(11)
SMOOTH = np.add.outer(np.arange(40) * 3, np.arange(56) * 2)
RGB8 = np.stack([SMOOTH, 255 - SMOOTH, SMOOTH // 2], axis=-1).clip(0, 255).astype(np.uint8)
RGB8 ^= RNG.integers(0, 8, RGB8.shape, dtype=np.uint8)
RGB16 = RGB8.astype(np.uint16) * 257 ^ RNG.integers(0, 64, RGB8.shape, dtype=np.uint16)


def directory(
    entries: Sequence[tuple[int, int, Sequence[int]]], data: Sequence[bytes], order: str = "<"
) -> bytes:
    """A TIFF of one page written by hand: tags as (code, type, values), then its strips in order.

    Tag 273 (offsets) and 279 (lengths) are filled in here.
    """
    letters = {1: "B", 2: "B", 3: "H", 4: "I"}
    tags = [*entries, (273, 4, [0] * len(data)), (279, 4, [len(strip) for strip in data])]
    tags.sort()
    at = 8 + 2 + 12 * len(tags) + 4
    start = at + sum(
        len(v) * struct.calcsize(letters[t]) for _, t, v in tags if len(v) * struct.calcsize(letters[t]) > 4
    )
    offsets = [start + sum(map(len, data[:i])) for i in range(len(data))]
    head, tail = b"", b""
    for code, kind, values in tags:
        packed = struct.pack(f"{order}{len(values)}{letters[kind]}", *(offsets if code == 273 else values))
        if len(packed) > 4:
            head += struct.pack(f"{order}HHII", code, kind, len(values), at + len(tail))
            tail += packed
        else:
            head += struct.pack(f"{order}HHI", code, kind, len(values)) + packed.ljust(4, b"\0")
    mark = b"II" if order == "<" else b"MM"
    return (
        mark
        + struct.pack(f"{order}HIH", 42, 8, len(tags))
        + head
        + struct.pack(f"{order}I", 0)
        + tail
        + b"".join(data)
    )


def by_hand(
    samples: np.ndarray,
    photometric: int,
    *,
    bits: int = 8,
    order: str = "<",
    extra: Sequence[tuple[int, int, Sequence[int]]] = (),
    rows_per_strip: int | None = None,
) -> bytes:
    """Uncompressed chunky samples (H, W, C) of any depth."""
    height, width, count = samples.shape
    rows = rows_per_strip or height
    entries = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [bits] * count),
        (259, 3, [1]),
        (262, 3, [photometric]),
        (277, 3, [count]),
        (278, 4, [rows]),
        *extra,
    ]
    lines = []
    for line in samples.reshape(height, -1):
        if bits in (8, 16):
            lines.append(line.astype(f"{order}u{bits // 8}").tobytes())
        else:
            ones = (line[:, None] >> np.arange(bits - 1, -1, -1)) & 1
            lines.append(np.packbits(ones.astype(np.uint8).ravel()).tobytes())
    strips = [b"".join(lines[at : at + rows]) for at in range(0, height, rows)]
    return directory(entries, strips, order)


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# ------------------------------------------------------------------ the same values everywhere


@pytest.mark.parametrize("samples", [RGB8, RGB16], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("compression", LOSSLESS)
def test_every_compression_order_and_layout_gives_the_same_values(
    tmp_path: Path, compression: str | None, samples: np.ndarray
) -> None:
    wanted = samples / np.float32(np.iinfo(samples.dtype).max)
    path = tmp_path / "a.tif"
    for order, planar, tile, big, predictor in itertools.product(
        "<>", ("contig", "separate"), (None, (16, 32)), (False, True), (False, True)
    ):
        if predictor and compression not in WITH_PREDICTOR:
            continue
        if order == ">" and compression in OWN_ORDER and samples.itemsize > 1:
            continue
        stored = samples if planar == "contig" else np.moveaxis(samples, -1, 0)
        tifffile.imwrite(
            path,
            np.ascontiguousarray(stored),
            photometric="rgb",
            planarconfig=planar,
            compression=compression,
            byteorder=order,
            bigtiff=big,
            predictor=predictor,
            rowsperstrip=None if tile else 7,
            tile=tile,
            metadata=None,
        )
        np.testing.assert_allclose(read_picture(path), wanted, atol=1e-6, err_msg=f"{order} {planar} {tile}")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "tiff_deflate"])
def test_what_libtiff_writes_reads_the_same(tmp_path: Path, compression: str) -> None:
    Image.fromarray(RGB8).save(tmp_path / "a.tif", compression=compression)
    assert np.array_equal(read_samples(tmp_path / "a.tif"), RGB8)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "raw", "packbits"])
def test_black_and_white_in_every_fax_compression(tmp_path: Path, compression: str) -> None:
    bits = SMOOTH % 37 < 20
    Image.fromarray(bits).save(tmp_path / "fax.tif", compression=compression)
    picture = read_samples(tmp_path / "fax.tif")
    assert picture.dtype == np.uint8
    assert np.array_equal(picture[:, :, 1], bits * np.uint8(255))


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("photometric", [0, 1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_depth_is_scaled_by_its_own_maximum(
    tmp_path: Path, bits: int, photometric: int, order: str
) -> None:
    """Packed samples are most significant bit first in either byte order (TIFF 6.0, FillOrder 1)."""
    white = 2**bits - 1
    samples = np.random.default_rng(bits).integers(0, white + 1, (9, 13, 3 if photometric == 2 else 1))
    samples[0, 0], samples[0, 1] = white, 0
    content = by_hand(samples, photometric, bits=bits, order=order, rows_per_strip=4)
    path = saved(tmp_path / "a.tif", content)
    values = (white - samples if photometric == 0 else samples) / white
    np.testing.assert_allclose(read_picture(path), np.broadcast_to(values, (9, 13, 3)), atol=1e-6)
    assert picture_info(path).bit_depth == (8 if bits <= 8 else 16)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_ignored(tmp_path: Path, orientation: int) -> None:
    path = saved(tmp_path / "a.tif", by_hand(RGB8, 2, extra=[(274, 3, [orientation])]))
    assert np.array_equal(read_samples(path), RGB8)
    Image.fromarray(RGB8).save(tmp_path / "lzw.tif", compression="tiff_lzw", tiffinfo={274: orientation})
    assert np.array_equal(read_samples(tmp_path / "lzw.tif"), RGB8)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_zero_is_white_where_the_file_says_so(tmp_path: Path, compression: str | None, dtype: type) -> None:
    grey = RGB16[:, :, 0] if dtype == np.uint16 else RGB8[:, :, 0]
    stored = (grey / 255).astype(np.float32) if dtype == np.float32 else grey
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite", compression=compression)
    values = read_picture(tmp_path / "a.tif")[:, :, 0]
    np.testing.assert_allclose(values, 1 - stored.astype(np.float64) / white, atol=1e-6)


@pytest.mark.parametrize("predictor", [1, 3])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floating_point_with_every_predictor(tmp_path: Path, predictor: int, kind: type) -> None:
    stored = (RGB16 / 65535).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", compression="zlib", predictor=predictor)
    np.testing.assert_allclose(read_picture(tmp_path / "a.tif"), stored.astype(np.float32), atol=1e-7)


# ------------------------------------------------------------------ alpha, inks, maps


@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
def test_alpha_is_dropped_and_associated_alpha_divided_out(tmp_path: Path, compression: str | None) -> None:
    alpha = np.random.default_rng(3).integers(128, 65536, (*RGB16.shape[:2], 1)).astype(np.uint16)
    wanted = RGB16 / 65535
    apart = np.concatenate([RGB16, alpha], axis=2)
    tifffile.imwrite(tmp_path / "a.tif", apart, photometric="rgb", extrasamples=[2], compression=compression)
    np.testing.assert_allclose(read_picture(tmp_path / "a.tif"), wanted, atol=1e-6)
    assert picture_info(tmp_path / "a.tif").has_alpha
    multiplied = np.rint(RGB16 * (alpha / 65535)).astype(np.uint16)
    together = np.concatenate([multiplied, alpha], axis=2)
    tifffile.imwrite(
        tmp_path / "b.tif", together, photometric="rgb", extrasamples=[1], compression=compression
    )
    # Half a level of the product is half a level divided by the alpha.
    assert np.all(np.abs(read_picture(tmp_path / "b.tif") - wanted) <= 0.51 / alpha + 0.51 / 65535)


def test_opaque_associated_alpha_changes_nothing(tmp_path: Path) -> None:
    opaque = np.concatenate([RGB8, np.full((*RGB8.shape[:2], 1), 255, np.uint8)], axis=2)
    tifffile.imwrite(tmp_path / "a.tif", opaque, photometric="rgb", extrasamples=[1])
    assert np.array_equal(read_samples(tmp_path / "a.tif"), RGB8)


def test_grey_with_alpha_and_colour_with_more_samples(tmp_path: Path) -> None:
    grey = np.dstack([RGB8[:, :, 0], RGB8[:, :, 1]])
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="minisblack", extrasamples=[2])
    assert np.array_equal(read_samples(tmp_path / "a.tif")[:, :, 2], grey[:, :, 0])
    more = np.dstack([RGB8, RGB8[:, :, :2]])
    tifffile.imwrite(tmp_path / "b.tif", more, photometric="rgb", extrasamples=[2, 0])
    assert np.array_equal(read_samples(tmp_path / "b.tif"), RGB8)
    assert picture_info(tmp_path / "b.tif").has_alpha


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("entries", ["times 257", "8 bits", "upper 8 bits"])
def test_colour_maps_of_8_bits(tmp_path: Path, bits: int, entries: str) -> None:
    rng = np.random.default_rng(bits)
    indices = rng.integers(0, 2**bits, (9, 13, 1))
    table = rng.integers(0, 256, (2**bits, 3))
    table[0] = 255
    stored = table * {"times 257": 257, "8 bits": 1, "upper 8 bits": 256}[entries]
    content = by_hand(indices, 3, bits=bits, extra=[(320, 3, stored.T.ravel().tolist())])
    path = saved(tmp_path / "a.tif", content)
    assert np.array_equal(read_samples(path), table[indices[:, :, 0]])
    info = picture_info(path)
    assert (info.size, info.bit_depth, info.channels) == (Size(9, 13), 8, 3)


def test_colour_maps_of_16_bits_keep_them(tmp_path: Path) -> None:
    table = np.random.default_rng(2).integers(0, 65536, (256, 3))
    indices = RGB8[:, :, :1].astype(int)
    path = saved(tmp_path / "a.tif", by_hand(indices, 3, extra=[(320, 3, table.T.ravel().tolist())]))
    np.testing.assert_allclose(read_picture(path), table[indices[:, :, 0]] / 65535, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_four_inks_are_light_times_light(tmp_path: Path, dtype: type, compression: str | None) -> None:
    white = np.iinfo(dtype).max
    inks = np.random.default_rng(4).integers(0, white + 1, (12, 14, 4)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated", compression=compression)
    light = 1 - inks / white
    wanted = light[:, :, :3] * light[:, :, 3:]
    assert np.abs(read_picture(tmp_path / "a.tif") - wanted).max() <= 0.51 / white
    if dtype == np.uint8:
        other = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB"), int)
        assert np.abs(read_samples(tmp_path / "a.tif").astype(int) - other).max() <= 1


def test_luminance_and_chrominance_without_jpeg(tmp_path: Path) -> None:
    ycc = np.asarray(Image.fromarray(RGB8).convert("YCbCr"))
    extra = [(530, 3, [1, 1])]
    path = saved(tmp_path / "a.tif", by_hand(ycc.astype(int), 6, extra=extra))
    other = np.asarray(Image.fromarray(ycc, "YCbCr").convert("RGB"), int)
    assert np.abs(read_samples(path).astype(int) - other).max() <= 1


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
def test_jpeg_inside_reads_as_another_reader_shows_it(tmp_path: Path, subsampling: tuple[int, int]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, RGB8, photometric="ycbcr", compression="jpeg", subsampling=subsampling, rowsperstrip=16
    )
    with Image.open(path) as image:
        other = np.asarray(image.convert("RGB"), int)
    assert np.abs(read_samples(path).astype(int) - other).max() <= 1
    Image.fromarray(RGB8).save(tmp_path / "b.tif", compression="jpeg", quality=95)
    with Image.open(tmp_path / "b.tif") as image:
        other = np.asarray(image.convert("RGB"), int)
    assert np.abs(read_samples(tmp_path / "b.tif").astype(int) - other).max() <= 1


def test_webp_inside(tmp_path: Path) -> None:
    exact = {"lossless": True}
    tifffile.imwrite(tmp_path / "a.tif", RGB8, photometric="rgb", compression="webp", compressionargs=exact)
    assert np.array_equal(read_samples(tmp_path / "a.tif"), RGB8)


# ------------------------------------------------------------------ refused by name


def test_meanings_that_are_not_read_are_named(tmp_path: Path) -> None:
    three = RGB8[:9, :13].astype(int)
    cases = {
        "CIELAB": by_hand(three, 8),
        "CFA": by_hand(three[:, :, :1], 32803),
        "several channels": by_hand(three, 1, extra=[(338, 3, [0, 0])]),
        "not CMYK": by_hand(np.dstack([three, three[:, :, :1]]), 5, extra=[(332, 3, [2])]),
        "YCbCr of this kind": by_hand(three, 6),
        "different depths": by_hand(three, 2).replace(
            struct.pack("<3H", 8, 8, 8), struct.pack("<3H", 5, 6, 5)
        ),
    }
    for words, content in cases.items():
        with pytest.raises(FrameError, match=words):
            read_picture(saved(tmp_path / "a.tif", content))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint32, np.int32, np.complex64])
def test_samples_of_other_kinds_are_named(tmp_path: Path, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), dtype), photometric="minisblack")
    with pytest.raises(FrameError, match=f"found {np.dtype(dtype)}"):
        read_picture(tmp_path / "a.tif")


def test_a_compression_that_nobody_reads_is_named(tmp_path: Path) -> None:
    content = by_hand(RGB8.astype(int), 2).replace(
        struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, 34661)
    )
    with pytest.raises(FrameError, match="34661"):
        read_picture(saved(tmp_path / "a.tif", content))


def test_a_missing_decoder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB8, photometric="rgb", compression="zstd")

    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'compression'", name="compression")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", missing)
    with pytest.raises(FrameError, match=r"a\.tif: the picture needs a decoder.*compression"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "error", [ImportError, AttributeError, AssertionError, RecursionError, MemoryError, struct.error]
)
def test_whatever_a_decoder_raises_is_an_error_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB8, photometric="rgb")

    def fails(*_: object, **__: object) -> None:
        raise error("as decoders do")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", fails)
    with pytest.raises(FrameError, match=r"a\.tif"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("white", [None, 4095])
def test_no_memory_for_the_values_of_a_picture_fails_that_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, white: int | None
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB8, photometric="rgb")
    frames = PictureFrames([tmp_path / "a.tif"], white=white)

    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(StoredPicture, "samples", fails)
    with pytest.raises(FrameError, match=r"a\.tif: the picture does not fit into memory"):
        frames.read(0)


# ------------------------------------------------------------------ damage


def error_of(path: Path) -> str:
    """What reading a file fails with; empty where it does not."""
    try:
        read_samples(path)
    except FrameError as error:
        return str(error) if error.path == path else ""
    return ""


def strips(path: Path) -> tuple[list[int], list[int], int]:
    """Offsets and lengths of a file's strips, and where the lengths are stored."""
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        return list(page.dataoffsets), list(page.databytecounts), page.tags[279].valueoffset


@pytest.mark.parametrize(
    "compression",
    [None, "lzw", "zlib", "packbits", "zstd", "lzma", "lerc", "jpeg", "webp", "jpeg2000", "png"],
)
def test_damage_is_never_shown_as_zeros(
    tmp_path: Path, compression: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tif"
    photometric = "ycbcr" if compression == "jpeg" else "rgb"
    tifffile.imwrite(
        path, RGB8, photometric=photometric, compression=compression, rowsperstrip=8, metadata=None
    )
    whole = path.read_bytes()
    offsets, lengths, lengths_at = strips(path)

    def with_length(index: int, length: int) -> bytes:
        spoilt = bytearray(whole)
        with tifffile.TiffFile(path) as tiff:
            kind = {3: "<H", 4: "<I"}[int(tiff.pages[0].tags[279].dtype)]
        struct.pack_into(kind, spoilt, lengths_at + index * struct.calcsize(kind), length)
        return bytes(spoilt)

    last = offsets[-1] + lengths[-1]
    damaged = {
        "cut in the last strip": whole[: last - lengths[-1] // 2],
        "cut in the middle": whole[: offsets[2] + 3],
        "a length of zero": with_length(1, 0),
        "half a length": with_length(1, lengths[1] // 2),
        "a length beyond the file": with_length(len(lengths) - 1, 60000) if compression else whole[:-1],
    }
    for name, content in damaged.items():
        assert error_of(saved(tmp_path / "bad.tif", content)), name
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["zlib", "lzma", "lerc", "png"])
def test_a_flipped_bit_is_noticed_where_there_are_checksums(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB8, photometric="rgb", compression=compression, rowsperstrip=8, metadata=None)
    offsets, lengths, _ = strips(path)
    content = bytearray(path.read_bytes())
    content[offsets[2] + lengths[2] // 2] ^= 8
    with pytest.raises(FrameError, match=r"bad\.tif"):
        read_picture(saved(tmp_path / "bad.tif", bytes(content)))


def test_jpeg_inside_that_ends_early_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB8, photometric="ycbcr", compression="jpeg", rowsperstrip=40, metadata=None)
    offsets, lengths, _ = strips(path)
    content = bytearray(path.read_bytes())
    end = offsets[0] + lengths[0]
    content[offsets[0] + lengths[0] * 2 // 3 : end - 2] = bytes(lengths[0] - lengths[0] * 2 // 3 - 2)
    with pytest.raises(FrameError, match="JPEG data are lost"):
        read_picture(saved(tmp_path / "bad.tif", bytes(content)))


def test_a_damaged_tag_that_matters_is_an_error_and_another_is_none(tmp_path: Path) -> None:
    content = bytearray(by_hand(RGB8.astype(int), 2, extra=[(700, 1, list(range(40)))]))
    at = content.index(struct.pack("<HHI", 700, 1, 40))
    struct.pack_into("<I", content, at + 8, 2**31)
    assert np.array_equal(read_samples(saved(tmp_path / "a.tif", bytes(content))), RGB8)
    at = content.index(struct.pack("<HHI", 258, 3, 3))
    struct.pack_into("<I", content, at + 8, 2**31)
    with pytest.raises(FrameError, match=r"a\.tif"):
        read_picture(saved(tmp_path / "a.tif", bytes(content)))
