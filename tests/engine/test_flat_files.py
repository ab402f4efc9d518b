"""What is wrong with a file of a sensor's pattern is said in one line, and what is right in it is taken."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.cli import main
from engine.errors import RecordingError
from engine.fixed_pattern import FixedPattern
from engine.fixed_pattern.kept import read_pattern, write_pattern
from engine.sequence import open_sequence

HEIGHT, WIDTH = 24, 32
RATE = 0.3

Planes = NDArray[np.uint8]
GAIN = (1 + 0.04 * np.random.default_rng(3).standard_normal((HEIGHT, WIDTH))).astype(np.float32)
COUNTS = np.round(200 * GAIN).astype(np.float32)


def of_even_light(planes: int, rate: float = RATE) -> Planes:
    charge = np.random.default_rng(0).random((HEIGHT, WIDTH))
    spikes = np.zeros((planes, HEIGHT, WIDTH), np.uint8)
    for plane in range(planes):
        charge += rate * GAIN
        spikes[plane] = charge >= 1
        charge -= spikes[plane]
    return spikes


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.npy"
    np.save(path, of_even_light(96))
    return path


def kept(path: Path, **changed: NDArray[np.generic]) -> Path:
    write_pattern(FixedPattern(GAIN, np.ones_like(GAIN), None, "flat field", 1), path)
    arrays = {**np.load(path), **changed}
    np.savez(path, **arrays)
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "unexpected" not in error
    return error


@pytest.mark.parametrize("scale", [1e300, 1e36])
def test_counts_beyond_all_sensors_are_refused(recording: Path, tmp_path: Path, scale: float) -> None:
    np.save(tmp_path / "f.npy", COUNTS.astype(np.float64 if scale > 1e38 else np.float32) * scale)
    with pytest.raises(RecordingError, match=r"no counts of spikes .*1e\+15 at most"):
        open_sequence(recording, exposure_planes=32, flat=tmp_path / "f.npy")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, np.int64, ">u2"])
def test_counts_of_every_number_type_are_taken(recording: Path, tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "f.npy", np.minimum(COUNTS, 255).astype(dtype))
    with open_sequence(recording, exposure_planes=32, flat=tmp_path / "f.npy") as sequence:
        assert sequence.fixed_pattern.origin == "flat field"


def test_rates_next_to_nothing_show_no_light(recording: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", GAIN * np.float32(1e-9))
    with pytest.raises(RecordingError, match="shows no light"):
        open_sequence(recording, exposure_planes=32, flat=tmp_path / "f.npy")


def test_no_pictures_are_said_to_be_none(recording: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", np.zeros((0, HEIGHT, WIDTH), np.float32))
    with pytest.raises(RecordingError, match=f"it holds no picture .*0 × {HEIGHT} × {WIDTH}"):
        open_sequence(recording, exposure_planes=32, flat=tmp_path / "f.npy")


@pytest.mark.parametrize("windows", ["-5", "Infinity", "NaN", "1.5", '"3"', "true", "null", "[1]"])
def test_a_pattern_of_no_number_of_windows_is_damaged(recording: Path, tmp_path: Path, windows: str) -> None:
    facts = np.array(f'{{"version": 1, "origin": "flat field", "windows": {windows}}}')
    path = kept(tmp_path / "k.npz", fixed_pattern=facts)
    with pytest.raises(RecordingError, match="no kept pattern of a sensor, or a damaged one"):
        open_sequence(recording, exposure_planes=32, flat=path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, 0.0, -1.0])
def test_a_pattern_with_a_gain_that_is_none_is_damaged(recording: Path, tmp_path: Path, value: float) -> None:
    gain = GAIN.astype(np.float64)
    gain[5, 6] = value
    path = kept(tmp_path / "k.npz", gain=gain)
    with pytest.raises(RecordingError, match="no kept pattern of a sensor, or a damaged one"):
        open_sequence(recording, exposure_planes=32, flat=path)


def test_more_spikes_in_the_dark_than_at_all_are_no_pattern_of_this_sensor(
    recording: Path, tmp_path: Path
) -> None:
    dark = kept(tmp_path / "some.npz", offset=np.full_like(GAIN, 0.05))
    with open_sequence(recording, exposure_planes=32, flat=dark) as sequence:
        assert sequence.fixed_pattern.offset is not None
    darker = kept(tmp_path / "more.npz", offset=np.full_like(GAIN, 0.5))
    with pytest.raises(RecordingError, match=r"in the dark .*found 0.5 a plane, expected less than 0\.\d"):
        open_sequence(recording, exposure_planes=32, flat=darker)


def test_pictures_one_behind_the_other_in_every_pixel_are_taken_where_the_size_is_known(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = of_even_light(800).reshape(4, 200, HEIGHT, WIDTH).sum(axis=1, dtype=np.uint16)
    np.save(tmp_path / "f.npy", np.moveaxis(parts, 0, -1))
    with open_sequence(recording, exposure_planes=32, flat=tmp_path / "f.npy") as sequence:
        shown = sequence.fixed_pattern.gain
        assert np.corrcoef(shown.ravel(), GAIN.ravel())[0, 1] > 0.95
    out = tmp_path / "k.npz"
    assert "--height and --width" in said(capsys, "flat", tmp_path / "f.npy", "--out", out)
    assert not out.exists()
    size = ["--height", str(HEIGHT), "--width", str(WIDTH)]
    assert main(["flat", str(tmp_path / "f.npy"), "--out", str(out), *size]) == 0
    np.testing.assert_array_equal(read_pattern(out).gain, shown)


@pytest.mark.parametrize("what", ["counts", "kept"])
def test_the_flat_command_keeps_to_the_size_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    path = kept(tmp_path / "f.npz") if what == "kept" else tmp_path / "f.npy"
    if what == "counts":
        np.save(path, COUNTS)
    error = said(capsys, "flat", path, "--out", tmp_path / "k.npz", "--height", WIDTH, "--width", HEIGHT)
    assert "not of the size" in error
    assert not (tmp_path / "k.npz").exists()


@pytest.mark.parametrize(
    ("rate", "planes", "reason"),
    [(RATE, 20, "too few spikes"), (2.0, 100, "saturated"), (0.0, 50, "no light")],
)
def test_the_flat_command_says_why_an_even_surface_shows_no_pattern(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rate: float, planes: int, reason: str
) -> None:
    np.save(tmp_path / "r.npy", of_even_light(planes, rate))
    error = said(capsys, "flat", tmp_path / "r.npy", "--out", tmp_path / "k.npz")
    assert reason in error
    assert not (tmp_path / "k.npz").exists()


def test_the_flat_command_says_that_all_pixels_count_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "f.npy", np.full((HEIGHT, WIDTH), 100.0))
    error = said(capsys, "flat", tmp_path / "f.npy", "--out", tmp_path / "k.npz")
    assert "differ by no more than chance" in error


def test_the_flat_command_replaces_no_link_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "f.npy", COUNTS)
    out = tmp_path / "k.npz"
    out.symlink_to(tmp_path / "a disk that is not mounted" / "k.npz")
    assert "already there" in said(capsys, "flat", tmp_path / "f.npy", "--out", out)
    assert out.is_symlink()
    assert main(["flat", str(tmp_path / "f.npy"), "--out", str(out), "--overwrite"]) == 0
    assert json.loads(str(np.load(out)["fixed_pattern"]))["origin"] == "flat field"
