"""What a TIFF page's samples mean: photometric interpretations, colour maps and extra samples.

Alpha is dropped. Colours stored multiplied by it (associated alpha) are divided by it again, so that a
picture has the same values whichever alpha its file uses.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameError
from engine.pictures.stored import StoredPicture

MINISWHITE, MINISBLACK, RGB, PALETTE = range(4)
SEPARATED, YCBCR = 5, 6
"""TIFF 6.0, tag 262: what a sample of zero means."""
_COLOURS = {MINISWHITE: 1, MINISBLACK: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3}
_CMYK_INKS = 1
_INK_SET, _COEFFICIENTS, _REFERENCE = 332, 529, 532
_ASSOCIATED_ALPHA = 1
_JPEGS = frozenset({6, 7})
_IMAGE_CODECS = frozenset({33003, 33004, 33005, 34712, 34933, 50001, 50002, 52546})
_REC_601 = (0.299, 0.587, 0.114)
_AS_RGB = "Save it as RGB or grey"


def channels(page: Any) -> int:
    """Return the samples of a pixel, alpha included, colour maps and inks counted as their colours."""
    extra = int(page.samplesperpixel) - _COLOURS.get(int(page.photometric), int(page.samplesperpixel))
    if page.photometric in (PALETTE, SEPARATED):
        return 3 + max(0, extra)
    return int(page.samplesperpixel)


def refuse_unknown(page: Any, path: Path) -> None:
    """Raise FrameError where the samples have a meaning that is not known here."""
    photometric, samples = int(page.photometric), int(page.samplesperpixel)
    name = getattr(page.photometric, "name", str(photometric))
    if photometric not in _COLOURS:
        raise FrameError(
            "a photometric interpretation that is not read",
            path=path,
            found=name,
            expected="grey, RGB, palette, CMYK or YCbCr",
            advice=_AS_RGB,
        )
    if samples < _COLOURS[photometric]:
        raise ValueError(f"{samples} samples a pixel in a picture of {name}")
    extras = samples - _COLOURS[photometric]
    if photometric in (MINISWHITE, MINISBLACK) and (extras > 1 or page.extrasamples[:1] == (0,)):
        raise FrameError(
            "the picture has several channels and no colours",
            path=path,
            found=f"{samples} channels",
            expected="one grey channel, or RGB",
            advice=_AS_RGB,
        )
    if photometric == SEPARATED and page.tags.valueof(_INK_SET, _CMYK_INKS) != _CMYK_INKS:
        raise FrameError("inks that are not CMYK", path=path, advice=_AS_RGB)
    if (
        photometric == YCBCR
        and page.compression not in _JPEGS
        and (page.is_subsampled or page.bitspersample != 8 or page.compression in _IMAGE_CODECS)
    ):
        raise FrameError(
            "YCbCr of this kind is not read",
            path=path,
            found=f"{page.bitspersample} bits, chroma subsampling {page.subsampling or 'unknown'}",
            expected="8 bits without subsampling, or JPEG",
            advice=_AS_RGB,
        )


def to_picture(page: Any, samples: NDArray[np.generic], path: Path) -> StoredPicture:
    """Return a page's samples, as tifffile gives them, as grey or RGB."""
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    elif samples.ndim == 2:
        samples = samples[:, :, None]
    photometric = int(page.photometric)
    maximum = _maximum(page, samples.dtype)
    if samples.dtype == np.bool_:
        samples = samples.view(np.uint8)
    count = _COLOURS[photometric]
    if photometric == PALETTE:
        return _from_colour_map(page, samples[:, :, 0])
    colours = samples[:, :, :count]
    if page.extrasamples[:1] == (_ASSOCIATED_ALPHA,) and samples.shape[2] > count:
        colours = _divided_by_alpha(colours, samples[:, :, count : count + 1], maximum)
    if photometric == SEPARATED:
        return _from_inks(colours, maximum, path)
    if photometric == YCBCR and page.compression not in _JPEGS:
        return StoredPicture(_from_ycbcr(page, colours), maximum)
    return StoredPicture(
        colours,
        maximum,
        is_inverted=photometric == MINISWHITE,
        holds_sensor_values=colours.dtype.kind == "u" and maximum > 255,
    )


def _maximum(page: Any, dtype: np.dtype[Any]) -> int:
    return 1 if dtype.kind == "f" else 2 ** int(page.bitspersample) - 1


def _from_colour_map(page: Any, indices: NDArray[np.generic]) -> StoredPicture:
    table = np.asarray(page.colormap, np.uint16)
    largest = int(indices.max())
    if largest >= table.shape[1]:
        raise ValueError(f"colour {largest} of a colour map of {table.shape[1]}")
    # The map has 16 bits. Old programs wrote 8 bits into it, at its lower or its upper end.
    if table.max() <= 255:
        table, maximum = table.astype(np.uint8), 255
    elif not (table & 255).any():
        table, maximum = (table >> 8).astype(np.uint8), 255
    elif not (table % 257).any():
        table, maximum = (table // 257).astype(np.uint8), 255
    else:
        maximum = 65535
    return StoredPicture(np.moveaxis(table[:, indices], 0, -1), maximum)


def _divided_by_alpha(
    colours: NDArray[np.generic], alpha: NDArray[np.generic], maximum: int
) -> NDArray[np.generic]:
    if bool((alpha == maximum).all()):
        return colours
    opacity = np.maximum(alpha, 1 if alpha.dtype.kind == "u" else np.finfo(np.float32).tiny)
    divided = colours.astype(np.float64) * maximum / opacity
    if colours.dtype.kind == "u":
        divided = np.rint(divided)
    return np.clip(divided, 0, maximum).astype(colours.dtype)


def _from_inks(inks: NDArray[np.generic], maximum: int, path: Path) -> StoredPicture:
    if inks.dtype.kind != "u" or inks.dtype.itemsize > 2:
        raise FrameError("inks of an unknown kind", path=path, found=str(inks.dtype), advice=_AS_RGB)
    light = maximum - inks.astype(np.int64)
    colours = np.rint(light[:, :, :3] * light[:, :, 3:] / maximum)
    return StoredPicture(colours.astype(inks.dtype), maximum)


def _from_ycbcr(page: Any, samples: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Convert 8-bit YCbCr after TIFF 6.0, section 21, by the coefficients and range that the page states."""
    ycbcr = samples.astype(np.float64)
    red, green, blue = _fractions(page.tags.valueof(_COEFFICIENTS), _REC_601)
    low_y, high_y, low_b, high_b, low_r, high_r = _fractions(
        page.tags.valueof(_REFERENCE), (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
    )
    y = (ycbcr[:, :, 0] - low_y) * (255 / (high_y - low_y))
    b = (ycbcr[:, :, 1] - low_b) * (127 / (high_b - low_b))
    r = (ycbcr[:, :, 2] - low_r) * (127 / (high_r - low_r))
    out_r = y + r * (2 - 2 * red)
    out_b = y + b * (2 - 2 * blue)
    out_g = (y - red * out_r - blue * out_b) / green
    return np.clip(np.rint(np.stack([out_r, out_g, out_b], axis=-1)), 0, 255).astype(np.uint8)


def _fractions(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    """Rationals as tifffile gives them: numerators and denominators in turn."""
    if value is None:
        return default
    if len(value) == 2 * len(default):
        return tuple(n / d for n, d in zip(value[::2], value[1::2], strict=True))
    return tuple(float(number) for number in value)
