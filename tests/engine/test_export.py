"""Files are written whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from engine import export
from engine.errors import ExportError
from engine.export import make_folder, write_picture, write_side_by_side, write_text_atomically


def ramp() -> NDArray[np.float32]:
    values = np.linspace(0, 1, 24 * 40, dtype=np.float32).reshape(24, 40)
    return np.stack([values, values[::-1], values[:, ::-1]], axis=2)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_8_bit_png_holds_rounded_rgb_levels_without_alpha(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", ramp())
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        written = np.asarray(image)
    expected = [[[int(value * 255 + 0.5) for value in pixel] for pixel in row] for row in ramp().tolist()]
    assert written.tolist() == expected


def test_halves_round_up(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", np.full((4, 4, 3), 0.5, np.float32))  # 127.5
    with Image.open(tmp_path / "a.png") as image:
        assert np.unique(np.asarray(image)).tolist() == [128]


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".TIF"])
@pytest.mark.parametrize(("bit_depth", "kind", "peak"), [(8, np.uint8, 255), (16, np.uint16, 65535)])
def test_tiff_round_trips_through_another_reader(
    tmp_path: Path, suffix: str, bit_depth: int, kind: type, peak: int
) -> None:
    path = tmp_path / f"a{suffix}"
    write_picture(path, ramp(), bit_depth)
    written = tifffile.imread(path)
    assert written.dtype == kind
    np.testing.assert_allclose(written / peak, ramp(), atol=0.51 / peak)


def test_a_16_bit_png_keeps_16_bits_in_rgb_order(tmp_path: Path) -> None:
    from imageio.v3 import imread

    write_picture(tmp_path / "a.png", ramp(), 16)
    header = (tmp_path / "a.png").read_bytes()[24:26]
    assert list(header) == [16, 2]  # bit depth 16, colour type 2: RGB without alpha (PNG specification, IHDR)
    written = imread(tmp_path / "a.png")
    if written.dtype == np.uint16:
        np.testing.assert_allclose(written / 65535, ramp(), atol=0.51 / 65535)
    else:
        np.testing.assert_allclose(written / 255, ramp(), atol=1.01 / 255)


def test_values_outside_the_range_are_clipped(tmp_path: Path) -> None:
    picture = ramp() * 3 - 1
    write_picture(tmp_path / "a.tif", picture)
    written = tifffile.imread(tmp_path / "a.tif")
    assert (written[picture <= 0] == 0).all()
    assert (written[picture >= 1] == 255).all()


def test_names_with_spaces_and_chinese_characters(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "结果 one" / "清晰")
    for name in ("帧 0001.png", "帧 0001.tif"):
        write_picture(folder / name, ramp())
    assert files_in(folder) == {"帧 0001.png", "帧 0001.tif"}


def test_a_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    name = "n" * 251 + ".png"
    write_picture(tmp_path / name, ramp())
    assert files_in(tmp_path) == {name}


def test_writing_again_replaces_the_file_whole(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", np.zeros((600, 600, 3), np.float32))
    write_picture(tmp_path / "a.png", ramp())
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (40, 24)


@pytest.mark.skipif(os.name != "posix", reason="permissions are a POSIX matter")
def test_a_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "ours.txt", "x")
    (tmp_path / "plain.txt").write_text("x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours.txt", "plain.txt")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("name", ["a", "a.jpg", "a.png.bak"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match=r"\.png.*\.tif") as caught:
        write_picture(tmp_path / name, ramp())
    assert caught.value.advice
    assert files_in(tmp_path) == set()


def test_a_picture_with_a_nan_is_refused(tmp_path: Path) -> None:
    picture = ramp()
    picture[3, 4, 1] = np.nan
    with pytest.raises(ExportError, match="not numbers"):
        write_picture(tmp_path / "a.png", picture)
    assert files_in(tmp_path) == set()


@pytest.mark.parametrize("shape", [(24, 40), (24, 40, 4), (1, 24, 40, 3)])
def test_what_is_no_colour_picture_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ExportError, match="shape"):
        write_picture(tmp_path / "a.png", np.zeros(shape, np.float32))


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ExportError, match="folder of this name") as caught:
        write_picture(tmp_path / "a.png", ramp())
    assert caught.value.advice
    assert files_in(tmp_path) == {"a.png"}


def test_a_missing_folder_is_named_with_advice(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Make the folder first") as caught:
        write_picture(tmp_path / "none" / "a.png", ramp())
    assert caught.value.path == tmp_path / "none" / "a.png"


def test_a_file_where_a_folder_is_needed_is_named_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for action in (
        lambda: write_picture(tmp_path / "file" / "a.png", ramp()),
        lambda: make_folder(tmp_path / "file"),
        lambda: make_folder(tmp_path / "file" / "b"),
    ):
        with pytest.raises(ExportError) as caught:
            action()
        assert caught.value.advice
    assert files_in(tmp_path) == {"file"}


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EACCES, "you may write to"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Choose another"),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str, step: str
) -> None:
    target = tmp_path / "a.png"
    write_picture(target, np.zeros((8, 8, 3), np.float32))
    before = target.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    if step == "fsync":
        monkeypatch.setattr(export.os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ExportError, match=advice) as caught:
        write_picture(target, ramp())
    assert caught.value.found == os.strerror(number)
    assert target.read_bytes() == before
    assert files_in(tmp_path) == {"a.png"}


def test_an_interrupt_in_the_middle_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text_atomically(tmp_path / "a.txt", "text")
    assert files_in(tmp_path) == set()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ExportError, match="you may write to"):
            write_picture(tmp_path / "a.png", ramp())
    finally:
        tmp_path.chmod(0o700)


def test_text_is_written_as_utf_8_with_its_own_line_ends(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "a.csv", "é\n二\r\n")
    assert (tmp_path / "a.csv").read_bytes() == "é\n二\r\n".encode()


def test_side_by_side_holds_both_pictures_exactly_below_their_labels(tmp_path: Path) -> None:
    left = np.full((100, 200, 3), (1.0, 0.0, 0.0), np.float32)
    right = np.full((80, 120, 3), (0.0, 0.0, 1.0), np.float32)
    write_side_by_side(tmp_path / "both.png", left, right)
    with Image.open(tmp_path / "both.png") as image:
        sheet = np.asarray(image)
    assert (sheet == (255, 0, 0)).all(axis=2).sum() == 100 * 200
    assert (sheet == (0, 0, 255)).all(axis=2).sum() == 80 * 120
    columns_of_red = np.flatnonzero((sheet == (255, 0, 0)).all(axis=2).any(axis=0))
    columns_of_blue = np.flatnonzero((sheet == (0, 0, 255)).all(axis=2).any(axis=0))
    assert columns_of_red.max() < columns_of_blue.min()
    first_red_row = int(np.flatnonzero((sheet == (255, 0, 0)).all(axis=2).any(axis=1))[0])
    assert sheet[:first_red_row, :200].max() > 200  # the label's ink
