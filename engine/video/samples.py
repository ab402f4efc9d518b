"""Decoded frames as RGB.

Strategy: the file's matrix and range decide. Where a file states no matrix, BT.601 holds up to 576 rows and
BT.709 above, as players have it; where it states no range, YCbCr is limited, and grey and RGB are full.
swscale only rearranges samples, since its conversion to RGB is up to three levels too dark. The matrix is
applied here, to chroma interpolated linearly from where it was sampled: beside each second pixel of a row, in
JPEG between two. Interlaced pictures have their chroma interpolated within each field.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from engine.samples import Samples

Plane = NDArray[Any]
"""(H, W) uint8 or uint16."""
MOST_SD_ROWS = 576
_UNSPECIFIED = 2
_MATRICES = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Weights of red and blue in luma, by ITU-T H.273, table 4."""
_RGB_MATRIX = 0
_PLANAR = re.compile(r"yuv(j?)a?(410|411|420|422|440|444)p(\d*)(le|be)?")
_REARRANGED = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "nv42": "yuv444p",
    "nv20le": "yuv422p10le",
    "yuyv422": "yuv422p",
    "yvyu422": "yuv422p",
    "uyvy422": "yuv422p",
    "uyyvyy411": "yuv411p",
    "p010le": "yuv420p10le",
    "p012le": "yuv420p12le",
    "p016le": "yuv420p16le",
    "p210le": "yuv422p10le",
    "p212le": "yuv422p12le",
    "p216le": "yuv422p16le",
    "p410le": "yuv444p10le",
    "p412le": "yuv444p12le",
    "p416le": "yuv444p16le",
    "y210le": "yuv422p10le",
    "y212le": "yuv422p12le",
    "y216le": "yuv422p16le",
    "xv30le": "yuv444p10le",
    "xv36le": "yuv444p12le",
    "xv48le": "yuv444p16le",
    "ayuv64le": "yuva444p16le",
    "ayuv64be": "yuva444p16le",
    "vuya": "yuva444p",
    "vuyx": "yuv444p",
    "ayuv": "yuva444p",
    "uyva": "yuva444p",
    "vyu444": "yuv444p",
    "ya8": "gray",
    "ya16le": "gray16le",
    "ya16be": "gray16le",
    "gray10be": "gray10le",
    "gray12be": "gray12le",
    "gray14be": "gray14le",
    "gray16be": "gray16le",
    "gray9be": "gray9le",
    "x2rgb10le": "gbrp10le",
    "x2bgr10le": "gbrp10le",
}
_GREY = re.compile(r"gray(9|10|12|14|16)?(le)?")
_PLANAR_RGB = re.compile(r"gbra?p(9|10|12|14|16)(le|be)")


class UnknownColoursError(ValueError):
    """The matrix of a frame is none that can be undone; its text says which."""


@dataclass(frozen=True)
class Colours:
    """How a frame's samples are to be read."""

    kind: Literal["YCbCr", "grey", "RGB"]
    bits: int
    """Of a sample, as it is stored."""
    matrix_stated: bool
    range_stated: bool
    limited: bool
    weights: tuple[float, float]
    chroma_between: bool
    """Chroma was sampled between two pixels of a row, not at each second one."""


def colours_of(frame: VideoFrame) -> Colours:
    """Say how the samples of a frame are to be read. Raises UnknownColoursError."""
    name = frame.format.name
    stated = frame.color_range in (ColorRange.MPEG, ColorRange.JPEG)
    limited = frame.color_range == ColorRange.MPEG
    bits = max((part.bits for part in frame.format.components), default=8)
    rgb = frame.format.is_rgb or name.startswith(("pal8", "bayer", "gbr", "xyz"))
    if rgb:
        return Colours("RGB", bits, True, True, False, (0, 0), False)
    if sum(not part.is_alpha for part in frame.format.components) == 1:
        return Colours("grey", bits, True, stated or bits == 1, limited, (0, 0), False)
    matrix = frame.colorspace
    known = matrix != _UNSPECIFIED
    if not known:
        matrix = 5 if frame.height <= MOST_SD_ROWS else 1
    if matrix not in _MATRICES:
        raise UnknownColoursError(f"colour matrix {int(matrix)} of ITU-T H.273")
    full = frame.color_range == ColorRange.JPEG or name.startswith("yuvj")
    between = name.startswith("yuvj") or (full and matrix == 5)
    return Colours("YCbCr", bits, known, stated, not full, _MATRICES[matrix], between)


class Conversion:
    """Makes RGB of frames, and keeps what swscale needs for it. For one thread at a time."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def samples(self, frame: VideoFrame) -> Samples:
        """Return a frame as bytes (H, W, 3) RGB, or as float32 where it has more than 8 bits.

        Raises UnknownColoursError, and what libav raises.
        """
        colours = colours_of(frame)
        if colours.kind == "RGB":
            return self._rgb(frame, colours)
        frame = self._as(frame, _REARRANGED.get(frame.format.name, frame.format.name))
        if colours.kind == "grey":
            return self._grey(frame, colours)
        name = frame.format.name
        match = _PLANAR.fullmatch(name)
        if match is None:
            name = "yuv444p16le" if colours.bits > 8 else "yuv444p"
            frame, match = self._as(frame, name), _PLANAR.fullmatch(name)
        elif match[4] == "be":
            frame = self._as(frame, name.removesuffix("be") + "le")
        assert match is not None
        bits = int(match[3] or 8)
        luma, *chroma = _planes(frame, 3, bits)
        upsampled = [_spread(plane, luma.shape, frame.interlaced_frame, colours) for plane in chroma]
        return _through_matrix(np.asarray(cv2.merge([luma, *upsampled])), colours, bits)

    def _rgb(self, frame: VideoFrame, colours: Colours) -> Samples:
        frame = self._as(frame, _REARRANGED.get(frame.format.name, frame.format.name))
        match = _PLANAR_RGB.fullmatch(frame.format.name)
        if match:
            if match[2] == "be":
                frame = self._as(frame, frame.format.name.removesuffix("be") + "le")
            green, blue, red = _planes(frame, 3, 16)
            levels = np.dstack([red, green, blue])
            return np.multiply(levels, np.float32(1 / (2 ** int(match[1]) - 1)), dtype=np.float32)
        if colours.bits <= 8:
            return np.asarray(self._as(frame, "rgb24").to_ndarray(), np.uint8)
        deep = self._as(frame, "rgb48le").to_ndarray()
        return np.multiply(deep, np.float32(1 / 65535), dtype=np.float32)

    def _grey(self, frame: VideoFrame, colours: Colours) -> Samples:
        match = _GREY.fullmatch(frame.format.name)
        if match is None:
            frame = self._as(frame, "gray16le" if colours.bits > 8 else "gray")
            match = _GREY.fullmatch(frame.format.name)
            assert match is not None
        bits = int(match[1] or 8)
        (plane,) = _planes(frame, 1, bits)
        if bits == 8 and not colours.limited:
            return np.repeat(plane[:, :, None], 3, axis=2)
        least, span = _limits(bits, colours.limited)
        values = np.clip((plane.astype(np.float32) - np.float32(least)) * np.float32(1 / span), 0, 1)
        if bits == 8:
            values = np.round(values * 255).astype(np.uint8)
        return np.repeat(values[:, :, None], 3, axis=2)

    def _as(self, frame: VideoFrame, name: str) -> VideoFrame:
        """Rearrange samples as another format has them, without a change of range or matrix."""
        if frame.format.name == name:
            return frame
        return self._reformatter.reformat(
            frame,
            format=name,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG if name.startswith("yuv") else ColorRange.JPEG,
            interpolation="BICUBIC",
            threads=1,
        )


def _planes(frame: VideoFrame, count: int, bits: int) -> list[Plane]:
    dtype = np.uint8 if bits <= 8 else np.uint16
    planes: list[Plane] = []
    for plane in frame.planes[:count]:
        if plane.line_size < 0:
            raise ValueError("rows are stored from the lowest up")
        rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
        planes.append(rows[:, : plane.width])
    return planes


def _limits(bits: int, limited: bool) -> tuple[float, float]:
    """The sample of black, and how many lie from it to white."""
    return (16.0 * 2 ** (bits - 8), 219.0 * 2 ** (bits - 8)) if limited else (0.0, 2.0**bits - 1)


def _through_matrix(samples: Plane, colours: Colours, bits: int) -> Samples:
    """Turn (H, W, 3) luma and chroma into RGB."""
    red, blue = colours.weights
    green = 1 - red - blue
    black, luma_span = _limits(bits, colours.limited)
    chroma_span = 224.0 * 2 ** (bits - 8) if colours.limited else luma_span
    white = 255.0 if bits == 8 else 1.0
    to_rgb = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 2 * (1 - blue), 0],
        ]
    )
    to_rgb *= white / np.array([luma_span, chroma_span, chroma_span])
    offset = -to_rgb @ np.array([black, 2.0 ** (bits - 1), 2.0 ** (bits - 1)])
    matrix = np.column_stack([to_rgb, offset])
    if bits == 8:
        return np.asarray(cv2.transform(samples, matrix), np.uint8)
    values = np.asarray(cv2.transform(samples.astype(np.float32), matrix), np.float32)
    return np.clip(values, 0, 1, out=values)


def _spread(chroma: Plane, shape: tuple[int, ...], interlaced: bool, colours: Colours) -> Plane:
    """Interpolate chroma at every pixel of luma."""
    height, width = shape
    if chroma.shape[0] < height:
        if interlaced and height > 3:
            whole = np.empty((height, chroma.shape[1]), chroma.dtype)
            for field in range(2):
                rows = whole[field::2].shape[0]
                # Rows of a field's chroma lie at a quarter and at three quarters between rows of its luma.
                whole[field::2] = _between_rows(chroma[field::2], rows, 0.125 + 0.25 * field)
            chroma = whole
        else:
            factor = _factor(height, chroma.shape[0])
            chroma = np.asarray(cv2.resize(chroma, (chroma.shape[1], chroma.shape[0] * factor)))[:height]
    if chroma.shape[1] == width:
        return chroma
    factor = _factor(width, chroma.shape[1])
    if colours.chroma_between or factor != 2 or chroma.shape[1] < 2:
        return np.ascontiguousarray(
            cv2.resize(chroma, (chroma.shape[1] * factor, chroma.shape[0]))[:, :width]
        )
    wide = np.empty((chroma.shape[0], 2 * chroma.shape[1]), chroma.dtype)
    wide[:, ::2] = chroma
    wide[:, 1:-1:2] = cv2.addWeighted(chroma[:, :-1], 0.5, chroma[:, 1:], 0.5, 0)
    wide[:, -1] = chroma[:, -1]
    return np.ascontiguousarray(wide[:, :width])


def _between_rows(chroma: Plane, rows: int, shift: float) -> Plane:
    """Interpolate rows at r / 2 - shift of `chroma`."""
    places = np.clip(np.arange(rows) / 2 - shift, 0, chroma.shape[0] - 1)
    above = places.astype(int)
    below = np.minimum(above + 1, chroma.shape[0] - 1)
    share = (places - above).astype(np.float32)[:, None]
    mixed = chroma[above] * (1 - share) + chroma[below] * share
    return np.round(mixed).astype(chroma.dtype)


def _factor(luma: int, chroma: int) -> int:
    """How many pixels a chroma sample stands for, a power of two."""
    return 4 if chroma * 2 < luma else 2
