"""Every kind of PNG the specification allows, made with zlib and struct alone, has the values it states."""

import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from engine.errors import FrameError
from engine.geometry import Size
from engine.pictures import picture_info, read_picture, read_samples

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    RGB_ALPHA: (8, 16),
}
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
KINDS = [
    (colour, bits, interlaced, transparent)
    for colour, depths in DEPTHS.items()
    for bits, interlaced, transparent in itertools.product(depths, (False, True), (False, True))
    if not (transparent and colour in (GREY_ALPHA, RGB_ALPHA))
]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def rows_of(samples: np.ndarray, bits: int, filters: np.random.Generator) -> bytes:
    """Scan lines (H, W, C) packed and filtered, a filter of none, sub or up at random."""
    packed = []
    for line in samples.reshape(len(samples), -1):
        if bits == 16:
            packed.append(np.frombuffer(line.astype(">u2").tobytes(), np.uint8))
        else:
            ones = (line[:, None] >> np.arange(bits - 1, -1, -1)) & 1
            packed.append(np.packbits(ones.astype(np.uint8).ravel()))
    step = max(1, samples.shape[2] * bits // 8)
    out = b""
    above = np.zeros_like(packed[0])
    for line in packed:
        kind = int(filters.integers(0, 3))
        before = np.concatenate([np.zeros(step, np.uint8), line])[: len(line)]
        out += bytes([kind]) + (line - (0, before, above)[kind]).astype(np.uint8).tobytes()
        above = line
    return out


def png(
    samples: np.ndarray,
    colour: int,
    bits: int,
    *,
    interlaced: bool = False,
    extra: bytes = b"",
    seed: int = 0,
) -> bytes:
    height, width = samples.shape[:2]
    filters = np.random.default_rng(seed)
    passes = (
        [samples[y::dy, x::dx] for y, x, dy, dx in ADAM7 if samples[y::dy, x::dx].size]
        if interlaced
        else [samples]
    )
    data = zlib.compress(b"".join(rows_of(part, bits, filters) for part in passes))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    half = len(data) // 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", data[:half])
        + chunk(b"IDAT", data[half:])
        + chunk(b"IEND", b"")
    )


def made(colour: int, bits: int, transparent: bool, seed: int = 5) -> tuple[np.ndarray, bytes, np.ndarray]:
    """Samples of a kind, its other chunks, and the values in [0, 1] that it shows, alpha left out."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, 2**bits, (11, 13, CHANNELS[colour]))
    if colour == PALETTE:
        table = rng.integers(0, 256, (2**bits, 3), dtype=np.uint8)
        extra = chunk(b"PLTE", table.tobytes())
        if transparent:
            extra += chunk(b"tRNS", rng.integers(0, 256, 2**bits, dtype=np.uint8).tobytes())
        return samples, extra, table[samples[:, :, 0]] / 255
    extra = b""
    if transparent:
        extra = chunk(b"tRNS", b"".join(struct.pack(">H", int(s)) for s in samples[3, 4]))
    colours = samples[:, :, :3] if CHANNELS[colour] >= 3 else np.repeat(samples[:, :, :1], 3, axis=2)
    return samples, extra, colours / (2**bits - 1)


@pytest.mark.parametrize(("colour", "bits", "interlaced", "transparent"), KINDS)
def test_every_kind_has_the_values_it_states(
    tmp_path: Path, colour: int, bits: int, interlaced: bool, transparent: bool
) -> None:
    samples, extra, values = made(colour, bits, transparent)
    path = tmp_path / "kind.png"
    path.write_bytes(png(samples, colour, bits, interlaced=interlaced, extra=extra))
    np.testing.assert_allclose(read_picture(path), values, atol=1e-7)
    assert read_samples(path).dtype == (np.float32 if bits == 16 else np.uint8)
    info = picture_info(path)
    assert (info.size, info.bit_depth) == (Size(11, 13), 16 if bits == 16 else 8)


def test_significant_bits_gamma_and_profiles_change_no_value(tmp_path: Path) -> None:
    samples, _, values = made(RGB, 16, False)
    extra = chunk(b"sBIT", bytes([12, 12, 12])) + chunk(b"gAMA", struct.pack(">I", 45455))
    (tmp_path / "a.png").write_bytes(png(samples, RGB, 16, extra=extra))
    np.testing.assert_allclose(read_picture(tmp_path / "a.png"), values, atol=1e-7)


@pytest.mark.parametrize("bits", [8, 16])
def test_what_follows_the_end_is_no_damage(tmp_path: Path, bits: int) -> None:
    samples, _, values = made(RGB, bits, False)
    (tmp_path / "a.png").write_bytes(png(samples, RGB, bits) + b"camera's own notes" * 9)
    np.testing.assert_allclose(read_picture(tmp_path / "a.png"), values, atol=1e-7)


def damaged(kind: str, bits: int) -> bytes:
    samples, _, _ = made(RGB, bits, False)
    content = png(samples, RGB, bits)
    if kind == "no end":
        return content[:-12]
    if kind == "a flipped bit":
        spoilt = bytearray(content)
        spoilt[content.index(b"IDAT") + 90] ^= 4
        return bytes(spoilt)
    if kind == "rows missing, checksums right":
        data = zlib.compress(rows_of(samples[:7], bits, np.random.default_rng(0)))
        header = content[: 8 + 25]
        return header + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    if kind == "data cut, checksums right":
        data = zlib.compress(rows_of(samples, bits, np.random.default_rng(0)))
        return content[: 8 + 25] + chunk(b"IDAT", data[: len(data) * 2 // 3]) + chunk(b"IEND", b"")
    if kind == "data flipped, checksums of chunks right":
        data = bytearray(zlib.compress(rows_of(samples, bits, np.random.default_rng(0)), 0))
        data[len(data) // 2] ^= 4
        return content[: 8 + 25] + chunk(b"IDAT", bytes(data)) + chunk(b"IEND", b"")
    assert kind == "no data"
    return content[: 8 + 25] + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "kind",
    [
        "no end",
        "a flipped bit",
        "rows missing, checksums right",
        "data cut, checksums right",
        "data flipped, checksums of chunks right",
        "no data",
    ],
)
def test_damage_is_an_error_that_names_the_file(tmp_path: Path, kind: str, bits: int) -> None:
    path = tmp_path / "damaged.png"
    path.write_bytes(damaged(kind, bits))
    with pytest.raises(FrameError, match=r"damaged\.png"):
        read_picture(path)
