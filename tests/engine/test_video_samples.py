"""Values of video frames: matrix, range, depth, grey, alpha, interlacing, and what a finding says of them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.errors import FrameError
from engine.geometry import Size
from engine.video import VideoFrames
from tests.engine.videos import encode, numbered, textured

WEIGHTS = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Red and blue in luma: BT.709, BT.601, BT.2020, by their numbers in ITU-T H.273."""
LIMITED, FULL = 1, 2
LEVELS = (0, 60, 128, 200, 255)
COLOURS = np.array([[red, green, blue] for red in LEVELS for green in LEVELS for blue in LEVELS])
PATCH = 16


def as_ycbcr(rgb: np.ndarray, matrix: int, colour_range: int, bits: int = 8) -> np.ndarray:
    """ITU-R BT.709-6, 3.2 to 3.4: rgb in [0, 1] to rounded luma and chroma."""
    red, blue = WEIGHTS[matrix]
    luma = red * rgb[:, 0] + (1 - red - blue) * rgb[:, 1] + blue * rgb[:, 2]
    chroma = [(rgb[:, 2] - luma) / (2 - 2 * blue), (rgb[:, 0] - luma) / (2 - 2 * red)]
    scale = 2 ** (bits - 8)
    if colour_range == FULL:
        peak = 2**bits - 1
        planes = [luma * peak, *(part * peak + 128 * scale for part in chroma)]
    else:
        planes = [(luma * 219 + 16) * scale, *((part * 224 + 128) * scale for part in chroma)]
    return np.clip(np.round(planes), 0, 2**bits - 1)


def patches(matrix: int, colour_range: int, pixel_format: str, bits: int) -> av.VideoFrame:
    """Every colour as a patch, 25 in a row; samples are put into the planes directly."""
    grid = as_ycbcr(COLOURS / 255, matrix, colour_range, bits).reshape(3, 5, 25)
    frame = av.VideoFrame(25 * PATCH, 5 * PATCH, pixel_format)
    for plane, values in zip(frame.planes, grid, strict=True):
        dtype = np.uint8 if bits == 8 else np.uint16
        rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
        repeated = np.repeat(values, plane.height // 5, 0)
        rows[:, : plane.width] = np.repeat(repeated, plane.width // 25, 1)
    frame.colorspace, frame.color_range = matrix, colour_range
    return frame


def written(path: Path, frame: av.VideoFrame, codec: str, options: dict[str, str]) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
        stream.codec_context.colorspace = frame.colorspace
        stream.codec_context.color_range = frame.color_range
        for at in range(2):
            frame.pts = at
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def middles(picture: np.ndarray) -> np.ndarray:
    """The inner part of every patch, (125, pixels, 3)."""
    inner = picture.reshape(5, PATCH, 25, PATCH, 3)[:, 6:10, :, 6:10]
    return inner.transpose(0, 2, 1, 3, 4).reshape(125, -1, 3)


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
@pytest.mark.parametrize(
    ("codec", "options", "pixel_format", "bits"),
    [
        ("libx264", {"qp": "0"}, "yuv420p", 8),
        ("libx264", {"crf": "0"}, "yuv422p10le", 10),
        ("ffv1", {}, "yuv420p", 8),
        ("ffv1", {}, "yuv444p", 8),
        ("ffv1", {}, "yuv420p16le", 16),
    ],
)
def test_colours_come_back_by_matrix_and_range(
    matrix: int,
    colour_range: int,
    codec: str,
    options: dict[str, str],
    pixel_format: str,
    bits: int,
    tmp_path: Path,
) -> None:
    path = written(
        tmp_path / "colours.mkv", patches(matrix, colour_range, pixel_format, bits), codec, options
    )
    frames = VideoFrames(path)
    picture = frames.read(0)
    assert frames.findings == ()
    frames.close()
    levels = picture.astype(float) * (1 if bits == 8 else 255)
    wrong = np.abs(middles(levels) - COLOURS[:, None])
    # A rounded chroma sample of 8 bits alone moves blue by up to 1.1 levels.
    assert wrong.max() <= {8: 2, 10: 1, 16: 0.1}[bits]
    assert abs((middles(levels) - COLOURS[:, None]).mean()) < 0.1


@pytest.mark.parametrize(("rows", "matrix"), [(576, 6), (578, 1)])
def test_a_matrix_that_is_not_stated_goes_by_the_height(rows: int, matrix: int, tmp_path: Path) -> None:
    luma, cb, cr = as_ycbcr(np.array([[200, 40, 90]]) / 255, matrix, LIMITED)[:, 0]
    planes = np.full((rows * 3 // 2, 64), luma, np.uint8)
    planes[rows : rows + rows // 4] = cb
    planes[rows + rows // 4 :] = cr
    frames = VideoFrames(encode(tmp_path / "v.mkv", [planes], "ffv1"))
    np.testing.assert_allclose(frames.read(0)[rows // 2, 32], [200, 40, 90], atol=2)
    assert any("does not say its colour matrix" in finding for finding in frames.findings) == (rows > 576)
    frames.close()


def test_a_matrix_that_cannot_be_undone_is_refused(tmp_path: Path) -> None:
    frame = patches(1, LIMITED, "yuv420p", 8)
    frame.colorspace = 10
    with pytest.raises(FrameError, match="colour matrix 10"):
        VideoFrames(written(tmp_path / "v.mp4", frame, "libx264", {}))


@pytest.mark.parametrize(
    ("pixel_format", "peak"), [("gray10le", 1023), ("gray12le", 4095), ("gray16le", 65535), ("gray", 255)]
)
def test_grey_is_scaled_by_its_own_white(pixel_format: str, peak: int, tmp_path: Path) -> None:
    dtype = np.uint8 if peak == 255 else np.uint16
    ramp = np.linspace(0, peak, 64).round().astype(dtype)
    grey = np.repeat(ramp[None], 32, 0)
    frames = VideoFrames(encode(tmp_path / "v.mkv", [grey], "ffv1", pixel_format))
    picture = frames.read(0)
    assert frames.bit_depth == (8 if peak == 255 else 16)
    assert picture.dtype == (np.uint8 if peak == 255 else np.float32)
    values = picture / 255 if peak == 255 else picture
    np.testing.assert_allclose(values, np.repeat(grey[:, :, None], 3, 2) / peak, atol=1e-6)
    frames.close()


@pytest.mark.parametrize(
    ("pixel_format", "peak"), [("gbrp10le", 1023), ("gbrp12le", 4095), ("gbrp16le", 65535)]
)
def test_rgb_of_more_bits_keeps_them(pixel_format: str, peak: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    levels = rng.integers(0, peak + 1, (32, 48, 3)).astype(np.uint16)
    levels[0, :2] = [[peak] * 3, [0] * 3]
    frames = VideoFrames(encode_planar(tmp_path / "v.mkv", levels, pixel_format))
    np.testing.assert_allclose(frames.read(0), levels / peak, atol=1e-6)
    assert frames.bit_depth == 16
    frames.close()


def encode_planar(path: Path, levels: np.ndarray, pixel_format: str) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.height, stream.width = levels.shape[:2]
        stream.pix_fmt = pixel_format
        frame = av.VideoFrame(stream.width, stream.height, pixel_format)
        for plane, at in zip(frame.planes, (1, 2, 0), strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, -1)
            rows[:, : plane.width] = levels[:, :, at]
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("codec", "pixel_format"), [("ffv1", "bgra"), ("qtrle", "argb")])
def test_alpha_is_dropped_not_multiplied_in(codec: str, pixel_format: str, tmp_path: Path) -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (32, 48, 4)).astype(np.uint8)
    path = tmp_path / "v.mov" if codec == "qtrle" else tmp_path / "v.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, pixel_format
        frame = av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format=pixel_format)
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    frames = VideoFrames(path)
    np.testing.assert_array_equal(frames.read(0), rgba[:, :, :3])
    assert any("alpha" in finding for finding in frames.findings)
    frames.close()


@pytest.mark.parametrize("size", [Size(33, 47), Size(35, 33), Size(47, 50)])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv411p", "yuv410p", "yuv440p", "yuv444p"])
def test_odd_sizes_stay(size: Size, pixel_format: str, tmp_path: Path) -> None:
    frame = av.VideoFrame(size.width, size.height, pixel_format)
    colour = as_ycbcr(np.array([[180, 90, 30]]) / 255, 6, LIMITED)[:, 0]
    for plane, value in zip(frame.planes, colour, strict=True):
        np.frombuffer(memoryview(plane), np.uint8)[:] = int(value)
    frame.colorspace, frame.color_range = 6, LIMITED
    frames = VideoFrames(written(tmp_path / "v.mkv", frame, "ffv1", {"slices": "1"}))
    assert frames.size == size
    picture = frames.read(1)
    assert picture.shape == (size.height, size.width, 3)
    np.testing.assert_allclose(picture, np.broadcast_to([180, 90, 30], picture.shape), atol=2)
    frames.close()


def test_chroma_lies_beside_each_second_pixel(tmp_path: Path) -> None:
    """A ramp of chroma comes back as the ramp, not shifted."""
    planes = np.full((32 * 3 // 2, 64), 128, np.uint8)
    chroma = np.linspace(60, 184, 32).round()
    planes.reshape(-1)[32 * 64 : 32 * 64 + 16 * 32] = np.tile(chroma, 16)
    frames = VideoFrames(encode(tmp_path / "v.mkv", [planes], "ffv1"))
    blue = frames.read(0)[16, :, 2].astype(float)
    expected = (128 - 16) * 255 / 219 + 1.772 * 255 / 224 * (
        np.interp(np.arange(64) / 2, np.arange(32), chroma) - 128
    )
    np.testing.assert_allclose(blue, np.clip(expected, 0, 255), atol=1.6)
    frames.close()


INTERLACED = {"flags": "+ildct+ilme"}


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {**INTERLACED, "x264-params": "tff=1", "crf": "1"}),
        ("mpeg2video", {**INTERLACED, "q:v": "1"}),
    ],
)
def test_interlaced_frames_are_both_fields_woven(codec: str, options: dict[str, str], tmp_path: Path) -> None:
    """Two fields of one colour each: neither their luma nor their chroma may mix."""
    fields = np.zeros((64, 96, 3), np.uint8)
    fields[0::2], fields[1::2] = (200, 80, 60), (40, 90, 190)
    colours = as_ycbcr(fields[:2, 0] / 255, 6, LIMITED)
    planes = np.zeros((96, 96), np.uint8)
    planes[0:64:2], planes[1:64:2] = colours[0]
    for at, plane in (
        (1, planes.reshape(-1)[64 * 96 :][: 32 * 48]),
        (2, planes.reshape(-1)[64 * 96 + 32 * 48 :]),
    ):
        rows = plane.reshape(32, 48)
        rows[0::2], rows[1::2] = colours[at]
    path = encode(tmp_path / "v.ts", [planes] * 5, codec, options=options)
    frames = VideoFrames(path)
    assert len(frames) == 5
    np.testing.assert_allclose(frames.read(3)[4:-4, 8:-8], fields[4:-4, 8:-8], atol=6)
    assert any(
        finding.startswith("interlaced: moving objects show combs; each field was exposed at its own time")
        for finding in frames.findings
    )
    frames.close()


def test_progressive_and_interlaced_parts_are_both_read(tmp_path: Path) -> None:
    parts = []
    for name, options, greys in (("p", {}, (20, 60, 100)), ("i", INTERLACED, (140, 180, 220))):
        pictures = [np.full((96, 128, 3), grey, np.uint8) for grey in greys]
        part = encode(tmp_path / f"{name}.ts", pictures, options={"crf": "1", "bf": "0", **options})
        parts.append(part.read_bytes())
    path = tmp_path / "mixed.ts"
    path.write_bytes(b"".join(parts))
    frames = VideoFrames(path)
    means = [frames.read(index).mean() for index in range(6)]
    np.testing.assert_allclose(means, [20, 60, 100, 140, 180, 220], atol=1.5)
    frames.close()


def test_what_a_player_would_turn_or_stretch_stays_and_is_said(tmp_path: Path) -> None:
    def setup(stream: av.VideoStream) -> None:
        stream.set_display_rotation(90)
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    picture = textured(3)
    path = encode(tmp_path / "v.mov", [picture, picture], "qtrle", "rgb24", setup=setup)
    frames = VideoFrames(path)
    np.testing.assert_array_equal(frames.read(1), picture)
    text = "\n".join(frames.findings)
    assert "turn its pictures by 90°: the pixels are taken as the sensor gave them" in text
    assert "pixels are 4:3 wide" in text
    frames.close()


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_said(transfer: int, name: str, tmp_path: Path) -> None:
    def setup(stream: av.VideoStream) -> None:
        stream.codec_context.color_trc = transfer

    path = encode(tmp_path / "v.mp4", [textured(1)] * 2, "libx264", "yuv420p10le", setup=setup)
    frames = VideoFrames(path)
    assert any(f"{name} values (HDR)" in finding for finding in frames.findings)
    assert frames.bit_depth == 16
    frames.close()


def test_frames_of_another_size_fail_by_their_names(tmp_path: Path) -> None:
    parts = [
        encode(tmp_path / "a.ts", [numbered(n) for n in range(5)], options={"crf": "5"}),
        encode(
            tmp_path / "b.ts",
            [np.full((64, 64, 3), 40 * n, np.uint8) for n in range(5)],
            options={"crf": "5"},
        ),
    ]
    path = tmp_path / "sizes.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = VideoFrames(path)
    assert frames.read(4).shape == (48, 128, 3)
    with pytest.raises(FrameError, match=r"sizes_0008 .* another size .*64 × 64.*48 × 128"):
        frames.read(7)
    assert frames.read(2).shape == (48, 128, 3)
    frames.close()
