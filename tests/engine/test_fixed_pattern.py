"""What differs from pixel to pixel of a sensor is found and divided out, and never the scene."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.cli import main
from engine.errors import EngineError, ExportError, RecordingError
from engine.fixed_pattern import FixedPattern
from engine.fixed_pattern.kept import read_pattern, write_pattern
from engine.fixed_pattern.matching import match_pattern
from engine.geometry import Region, Span
from engine.moment import centres
from engine.restoration.exposure import Exposure
from engine.restoration.spike_ratio import SpikeRatio
from engine.sequence import open_sequence

HEIGHT, WIDTH = 96, 128
EXPOSURE = 48
SPREAD = 0.037

Picture = NDArray[np.float64]
Mask = NDArray[np.bool_]
Scene = Callable[[int], Picture]
"""Light (H, W) of a plane, in spikes a plane."""


def texture(seed: int, height: int, width: int) -> Picture:
    """Blobs of several sizes in [0.15, 0.85]."""
    noise = np.random.default_rng(seed).random((height, width))
    layers = [cv2.GaussianBlur(noise, (0, 0), px) for px in (1.5, 3.0, 7.0)]
    mixed = sum((layer - layer.mean()) / layer.std() for layer in layers)
    return np.clip(0.5 + 0.12 * mixed, 0.15, 0.85)


@cache
def wide_texture(seed: int) -> Picture:
    return texture(seed, HEIGHT + 8, 1200)


def moved(picture: Picture, right: float) -> Picture:
    """The part of a wide picture that a camera sees which has turned by so many pixels."""
    first = int(right)
    part = right - first
    seen = picture[4 : 4 + HEIGHT, first : first + WIDTH + 1]
    return (1 - part) * seen[:, :-1] + part * seen[:, 1:]


def pan(plane: int) -> Picture:
    return 0.5 * moved(wide_texture(1), 0.25 * plane)


def still(_plane: int) -> Picture:
    return 0.5 * moved(wide_texture(1), 30)


def with_object(plane: int) -> Picture:
    """A textured square that goes to and fro over still ground, in the middle rows."""
    light = still(0).copy()
    left = round(abs((0.6 * plane) % 160 - 80))
    light[30:70, left : left + 40] = 0.5 * texture(5, 40, 40)
    return light


def integrated(scene: Scene, planes: int, gain: Picture, seed: int = 0) -> NDArray[np.uint8]:
    """Spikes (planes, H, W) of pixels that integrate light and keep the residue."""
    charge = np.random.default_rng(seed).random((HEIGHT, WIDTH))
    spikes = np.zeros((planes, HEIGHT, WIDTH), np.uint8)
    for plane in range(planes):
        charge += gain * scene(plane)
        spikes[plane] = charge >= 1
        charge -= spikes[plane]
    return spikes


@dataclass(frozen=True)
class Sensor:
    gain: Picture

    @classmethod
    def drawn(cls, seed: int = 3, spread: float = SPREAD) -> "Sensor":
        return cls(1 + spread * np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH)))

    def left_by(self, pattern: FixedPattern, where: Mask | None = None) -> float:
        """The part of the pattern's variance that dividing by `pattern` leaves."""
        where = np.ones((HEIGHT, WIDTH), bool) if where is None else where
        remains = (self.gain / pattern.gain)[where]
        return float((remains / remains.mean()).var() / (self.gain[where] / self.gain[where].mean()).var())


def write_spikes(path: Path, spikes: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = np.packbits(spikes[:, ::-1].reshape(len(spikes), -1), axis=1, bitorder="little")
    path.write_bytes(packed.tobytes())
    (path.parent / "config.yaml").write_text(
        f"spike_h: {HEIGHT}\nspike_w: {WIDTH}\nspike_flip: true\ngamma: 1\n"
    )
    return path


def write_sequence(folder: Path, scene: Scene, frames: int, gain: Picture) -> Path:
    """Frames of a perfect camera beside the spikes of a sensor."""
    write_spikes(folder / "spike.dat", integrated(scene, EXPOSURE * frames, gain))
    for kind in ("blur", "sharp"):
        (folder / kind).mkdir(exist_ok=True)
    for frame in range(frames):
        exposed = np.mean([scene(EXPOSURE * frame + plane) for plane in range(EXPOSURE)], axis=0)
        for kind, picture in (("blur", exposed), ("sharp", scene(EXPOSURE * frame + EXPOSURE // 2))):
            levels = np.round(255 * 1.9 * picture).astype(np.uint8)
            cv2.imwrite(str(folder / kind / f"{frame:04d}.png"), np.repeat(levels[:, :, None], 3, 2))
    return folder


SENSOR = Sensor.drawn()


@pytest.fixture(scope="module")
def panned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sequence(tmp_path_factory.mktemp("pan"), pan, 12, SENSOR.gain)


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sequence(tmp_path_factory.mktemp("still"), still, 6, SENSOR.gain)


@pytest.fixture(scope="module")
def flat_field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wall that gets darker towards the corners."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = 0.35 * (1 - 0.3 * (x**2 + y**2) + 0.1 * x)
    folder = tmp_path_factory.mktemp("flat")
    return write_spikes(folder / "flat.dat", integrated(lambda _plane: light, 1200, SENSOR.gain, seed=9))


# ------------------------------------------------------------------ of the recording itself


def test_frames_show_the_pattern_of_a_scene_that_pans(panned: Path) -> None:
    with open_sequence(panned) as sequence:
        pattern = sequence.fixed_pattern
        assert pattern.origin == "frames"
        assert pattern.known_share > 0.9
        assert SENSOR.left_by(pattern) < 0.2
        assert pattern.spread == pytest.approx(SPREAD, rel=0.15)


def test_spikes_alone_show_the_pattern_of_a_scene_that_pans(panned: Path) -> None:
    with open_sequence(panned / "spike.dat", exposure_planes=EXPOSURE) as sequence:
        pattern = sequence.fixed_pattern
        assert pattern.origin == "recording"
        assert SENSOR.left_by(pattern, pattern.known > 0.5) < 0.35


def test_a_still_scene_is_no_pattern(at_rest: Path) -> None:
    for path in (at_rest, at_rest / "spike.dat"):
        with open_sequence(path, exposure_planes=EXPOSURE) as sequence:
            pattern = sequence.fixed_pattern
            assert not pattern
            assert pattern.known_share == 0
            np.testing.assert_array_equal(pattern.gain, 1)


def test_a_still_scene_is_restored_byte_for_byte_as_without_correction(at_rest: Path) -> None:
    restored = []
    for flat in (None, "none"):
        with open_sequence(at_rest, flat=flat) as sequence:
            prepared = SpikeRatio().prepare(sequence, Span(0, 2), centres([0, 1]))
            restored.append(SpikeRatio().restore(prepared, Region.whole(sequence.frame_size)))
    np.testing.assert_array_equal(*restored)


def test_only_what_an_object_passed_over_is_known(tmp_path: Path) -> None:
    with open_sequence(write_sequence(tmp_path, with_object, 12, SENSOR.gain)) as sequence:
        pattern = sequence.fixed_pattern
        passed = np.zeros((HEIGHT, WIDTH), bool)
        passed[32:68, 4:116] = True
        away = np.ones((HEIGHT, WIDTH), bool)
        away[20:80] = False
        assert (pattern.known[passed] > 0).mean() > 0.7
        assert not pattern.known[away].any()
        np.testing.assert_array_equal(pattern.gain[away], 1)
        assert SENSOR.left_by(pattern, passed & (pattern.known > 0)) < 0.2


@pytest.mark.parametrize("with_frames", [True, False])
def test_a_fence_before_a_moving_scene_is_no_pattern(tmp_path: Path, with_frames: bool) -> None:
    def behind_bars(plane: int) -> Picture:
        light = pan(plane).copy()
        light[:, 10::16] = 0.12
        light[:, 11::16] = 0.2
        return light

    folder = write_sequence(tmp_path, behind_bars, 10, np.ones((HEIGHT, WIDTH)))
    path = folder if with_frames else folder / "spike.dat"
    with open_sequence(path, exposure_planes=EXPOSURE) as sequence:
        assert np.abs(sequence.fixed_pattern.gain - 1).max() < 0.06


def test_a_texture_that_moves_by_its_own_period_is_no_pattern(tmp_path: Path) -> None:
    """Every window shows the same picture, though all of it moves."""

    def stripes(plane: int) -> Picture:
        x = np.arange(WIDTH)[None, :] + np.zeros((HEIGHT, 1))
        step = 12 * (plane // EXPOSURE)  # a whole period between the exposures
        return 0.25 + 0.1 * np.sin(2 * np.pi * (x - step) / 12)

    folder = write_sequence(tmp_path, stripes, 6, np.ones((HEIGHT, WIDTH)))
    for path in (folder, folder / "spike.dat"):
        with open_sequence(path, exposure_planes=EXPOSURE) as sequence:
            assert not sequence.fixed_pattern


def test_a_sensor_without_pattern_is_left_as_it_is(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, pan, 8, np.ones((HEIGHT, WIDTH)))
    for path in (folder, folder / "spike.dat"):
        with open_sequence(path, exposure_planes=EXPOSURE) as sequence:
            assert float(sequence.fixed_pattern.gain.std()) < 0.1 * SPREAD


def test_light_that_flickers_over_a_still_scene_is_no_motion(tmp_path: Path) -> None:
    def flickering(plane: int) -> Picture:
        return still(0) * (1 + 0.3 * np.sin(2 * np.pi * plane / 77))

    with open_sequence(write_sequence(tmp_path, flickering, 8, SENSOR.gain)) as sequence:
        assert not sequence.fixed_pattern


def test_the_same_files_give_the_same_pattern(panned: Path) -> None:
    digests = set()
    for first_asked in (0, 7):
        with open_sequence(panned) as sequence:
            sequence.frame(first_asked)
            Exposure.of_frame(sequence, first_asked).count(0, 20)
            digests.add(sequence.fixed_pattern.digest)
    assert len(digests) == 1


# ------------------------------------------------------------------ divided out


def test_methods_take_levelled_counts_and_all_else_the_exact_ones(panned: Path, flat_field: Path) -> None:
    with (
        open_sequence(panned, flat=flat_field) as levelled,
        open_sequence(panned, flat="none") as plain,
    ):
        gain = levelled.fixed_pattern.gain
        for bins in (1, 5):
            np.testing.assert_array_equal(levelled.voxels(2, bins), plain.voxels(2, bins))
            np.testing.assert_allclose(
                np.asarray(levelled.filled_voxels(2, bins)),
                np.asarray(plain.voxels(2, bins)) / gain,
                rtol=1e-6,
            )
        region = Region(10, 20, 50, 90)
        np.testing.assert_array_equal(
            levelled.filled_voxels(2, 4, region), levelled.filled_voxels(2, 4)[(..., *region.slices)]
        )
        exact = Exposure.of_frame(plain, 2).count(100, 130)
        np.testing.assert_array_equal(exact, np.round(exact))
        np.testing.assert_allclose(Exposure.of_frame(levelled, 2).count(100, 130), exact / gain, rtol=1e-6)


def test_virtual_frames_show_levelled_rates(panned: Path, flat_field: Path) -> None:
    shown = []
    for flat in ("none", flat_field):
        with open_sequence(panned / "spike.dat", exposure_planes=EXPOSURE, flat=flat) as sequence:
            shown.append(sequence.frame(3)[:, :, 0].astype(np.float64))
            gain = sequence.fixed_pattern.gain
    below = (shown[0] < 0.99) & (shown[0] / gain < 0.99)
    np.testing.assert_allclose(shown[1][below], (shown[0] / gain)[below], rtol=1e-5)


def test_defects_are_filled_from_levelled_neighbours(tmp_path: Path, flat_field: Path) -> None:
    spikes = integrated(pan, 4 * EXPOSURE, SENSOR.gain)
    spikes[:, 40, 60] = 0
    path = write_spikes(tmp_path / "spike.dat", spikes)
    with open_sequence(path, exposure_planes=EXPOSURE, flat=flat_field) as sequence:
        assert sequence.defects.dead[40, 60]
        gain = sequence.fixed_pattern.gain
        counts = sequence.voxels(1, 1)[0] / gain
        around = [counts[39, 60], counts[41, 60], counts[40, 59], counts[40, 61]]
        assert sequence.filled_voxels(1, 1)[0, 40, 60] == pytest.approx(np.mean(around), rel=1e-5)


def test_the_dark_rate_is_taken_off_before_the_gain() -> None:
    gain, dark = np.full((2, 3), 1.25, np.float32), np.full((2, 3), 0.1, np.float32)
    pattern = FixedPattern(gain, np.ones((2, 3), np.float32), dark, "flat field")
    counts = np.array([[[10.0, 0.0, 2.0]] * 2, [[5.0, 1.0, 3.0]] * 2], np.float32)
    levelled = pattern.level(counts, np.array([10, 20]))
    np.testing.assert_allclose(levelled[0, 0], [(10 - 1) / 1.25, 0, (2 - 1) / 1.25], rtol=1e-6)
    np.testing.assert_allclose(levelled[1, 1], [(5 - 2) / 1.25, 0, (3 - 2) / 1.25], rtol=1e-6)


# ------------------------------------------------------------------ of a flat field


def test_a_flat_field_with_dark_corners_shows_the_pattern(panned: Path, flat_field: Path) -> None:
    with open_sequence(panned, flat=flat_field) as sequence:
        pattern = sequence.fixed_pattern
        assert pattern.origin == "flat field"
        assert pattern.file == str(flat_field)
        assert SENSOR.left_by(pattern) < 0.1


def test_two_hundred_planes_of_a_flat_field_will_do(panned: Path, tmp_path: Path) -> None:
    spikes = integrated(lambda _plane: np.full((HEIGHT, WIDTH), 0.3), 200, SENSOR.gain, seed=9)
    with open_sequence(panned, flat=write_spikes(tmp_path / "flat.dat", spikes)) as sequence:
        assert SENSOR.left_by(sequence.fixed_pattern) < 0.1


def test_dust_and_scratches_are_divided_out_of_a_still_scene(tmp_path: Path) -> None:
    """A blob of 6 px that takes 20 % of the light, and a line that takes 15 %."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    gain = SENSOR.gain.copy()
    blob = (y - 40) ** 2 + (x - 80) ** 2 <= 9
    scratch = np.abs(y - 0.5 * x - 10) < 0.6
    gain[blob] *= 0.8
    gain[scratch] *= 0.85
    flat = write_spikes(
        tmp_path / "flat" / "flat.dat", integrated(lambda _plane: np.full_like(gain, 0.3), 1200, gain)
    )
    sensor = Sensor(gain)
    with open_sequence(write_sequence(tmp_path / "s", still, 3, gain), flat=flat) as sequence:
        pattern = sequence.fixed_pattern
        for what in (blob, scratch):
            remains = (gain / pattern.gain)[what]
            assert abs(remains.mean() - 1) < 0.03
        assert sensor.left_by(pattern) < 0.1


@pytest.mark.parametrize("kind", ["summed", "in parts", "rates", "archive"])
def test_counts_are_a_flat_field_as_well(panned: Path, tmp_path: Path, kind: str) -> None:
    spikes = integrated(lambda _plane: np.full((HEIGHT, WIDTH), 0.3), 800, SENSOR.gain)
    summed = spikes.reshape(4, 200, HEIGHT, WIDTH).sum(axis=1, dtype=np.uint16)
    path = tmp_path / ("flat.npz" if kind == "archive" else "flat.npy")
    if kind == "archive":
        np.savez(path, counts=summed, planes=np.int64(200))
    else:
        shown = {"summed": summed.sum(axis=0), "in parts": summed, "rates": spikes.mean(axis=0)}
        np.save(path, shown[kind])
    with open_sequence(panned, flat=path) as sequence:
        assert SENSOR.left_by(sequence.fixed_pattern) < 0.1


def test_the_options_of_the_sequence_tell_how_the_flat_field_is_read(tmp_path: Path) -> None:
    """Both without a sidecar, top row first and the other order of bits."""
    files = {}
    flat_scene: Scene = lambda _plane: np.full((HEIGHT, WIDTH), 0.3)  # noqa: E731
    for name, scene, planes in (("clip", pan, 4 * EXPOSURE), ("flat", flat_scene, 800)):
        spikes = integrated(scene, planes, SENSOR.gain)
        files[name] = tmp_path / name / "r.dat"
        files[name].parent.mkdir()
        files[name].write_bytes(np.packbits(spikes.reshape(planes, -1), axis=1).tobytes())
    with open_sequence(
        files["clip"], height=HEIGHT, width=WIDTH, flip=False, msb_first=True, flat=files["flat"]
    ) as sequence:
        assert SENSOR.left_by(sequence.fixed_pattern) < 0.1


def write_array(path: Path, values: NDArray[np.generic]) -> Path:
    np.save(path, values)
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "another size": (
        lambda folder: write_array(folder / "f.npy", np.full((HEIGHT, WIDTH + 1), 500.0)),
        "not of the size",
    ),
    "another size of a recording": (
        lambda folder: write_array(
            folder / "f.npy", (np.random.default_rng(0).random((64, 50, 60)) < 0.3).astype(np.uint8)
        ),
        "not of the size",
    ),
    "a scene": (
        lambda folder: write_spikes(folder / "f.dat", integrated(still, 600, SENSOR.gain)),
        "shows a scene",
    ),
    "no numbers": (
        lambda folder: write_array(folder / "f.npy", np.full((HEIGHT, WIDTH), np.nan)),
        "no counts of spikes",
    ),
    "less than nothing": (
        lambda folder: write_array(folder / "f.npy", np.full((HEIGHT, WIDTH), -3.0)),
        "no counts of spikes",
    ),
    "nothing": (lambda folder: write_array(folder / "f.npy", np.zeros((HEIGHT, WIDTH))), "no light"),
    "too few spikes": (
        lambda folder: write_array(folder / "f.npy", np.full((HEIGHT, WIDTH), 3, np.uint16)),
        "too few spikes",
    ),
    "too much light": (
        lambda folder: write_spikes(folder / "f.dat", np.ones((200, HEIGHT, WIDTH), np.uint8)),
        "saturated",
    ),
    "no file": (lambda folder: folder / "f.npy", "no such recording"),
    "another kind of file": (
        lambda folder: (folder / "f.npz").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64)) and folder / "f.npz",
        "this is no .npz file",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_flat_field_is_refused_by_name(panned: Path, tmp_path: Path, kind: str) -> None:
    make, said = REFUSED[kind]
    path = make(tmp_path)
    with pytest.raises(EngineError, match=said) as refused:
        open_sequence(panned, flat=path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_flat_field_of_another_sensor_is_refused(panned: Path, tmp_path: Path) -> None:
    other = Sensor.drawn(seed=44)
    flat = write_spikes(
        tmp_path / "f.dat", integrated(lambda _plane: np.full((HEIGHT, WIDTH), 0.3), 1200, other.gain)
    )
    with pytest.raises(RecordingError, match="another sensor"):
        open_sequence(panned, flat=flat)


# ------------------------------------------------------------------ kept


def test_a_kept_pattern_is_the_same_again(panned: Path, at_rest: Path, tmp_path: Path) -> None:
    kept = tmp_path / "sensor.npz"
    with open_sequence(panned) as sequence:
        write_pattern(sequence.fixed_pattern, kept)
        measured = sequence.fixed_pattern
    with open_sequence(at_rest, flat=kept) as sequence:
        pattern = sequence.fixed_pattern
        np.testing.assert_array_equal(pattern.gain, measured.gain)
        np.testing.assert_array_equal(pattern.known, measured.known)
        assert pattern.digest == measured.digest
        assert (pattern.origin, pattern.windows, pattern.file) == ("frames", measured.windows, str(kept))
        match = match_pattern(pattern, sequence.recording)
        assert match.is_same
        assert not match.is_other
        assert match.share == pytest.approx(1, abs=0.25)


def test_a_pattern_does_not_match_another_sensor(panned: Path, tmp_path: Path) -> None:
    other = write_spikes(tmp_path / "spike.dat", integrated(still, 400, Sensor.drawn(seed=44).gain))
    with open_sequence(panned) as sequence, open_sequence(other, flat="none") as another:
        match = match_pattern(sequence.fixed_pattern, another.recording)
        assert match.is_other
        assert not match.is_same


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("gain", np.full((HEIGHT, WIDTH), np.nan, np.float32)),
        ("gain", np.zeros((HEIGHT, WIDTH), np.float32)),
        ("known", np.full((HEIGHT, WIDTH), 7, np.float32)),
        ("known", np.zeros((HEIGHT, 3), np.float32)),
        ("fixed_pattern", np.array("{}")),
        ("fixed_pattern", np.array('{"version": 99, "origin": "frames", "windows": 3}')),
        ("fixed_pattern", np.array('{"version": 1, "origin": "guess", "windows": 3}')),
    ],
)
def test_a_damaged_pattern_is_refused(tmp_path: Path, name: str, values: NDArray[np.generic]) -> None:
    path = tmp_path / "sensor.npz"
    ones = np.ones((HEIGHT, WIDTH), np.float32)
    write_pattern(FixedPattern(SENSOR.gain.astype(np.float32), ones, None, "frames"), path)
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays[name] = values
    np.savez(path, **arrays)
    with pytest.raises(RecordingError, match=r"sensor\.npz: no kept pattern"):
        read_pattern(path)


def test_a_pattern_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    pattern = FixedPattern(np.ones((4, 4), np.float32), np.ones((4, 4), np.float32))
    with pytest.raises(ExportError):
        write_pattern(pattern, tmp_path / "missing" / "sensor.npz")
    write_pattern(pattern, tmp_path / "sensor.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["sensor.npz"]


# ------------------------------------------------------------------ commands


def test_the_flat_command_keeps_what_flat_takes(
    panned: Path, at_rest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "sensor.npz"
    assert main(["flat", str(panned), "--out", str(kept)]) == 0
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    for said in (str(kept), "spread", "known in", "12 windows", "by the frames"):
        assert said in line
    assert main(["info", str(at_rest), "--flat", str(kept), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["pattern"]
    assert facts["origin"] == "frames"
    assert facts["file"] == str(kept)
    assert facts["spread"] == pytest.approx(SPREAD, rel=0.15)
    assert facts["known"] > 0.9
    assert main(["flat", str(panned), "--out", str(kept)]) == 1
    assert "already there" in capsys.readouterr().err
    assert main(["flat", str(panned), "--out", str(kept), "--overwrite"]) == 0


def test_the_flat_command_keeps_a_flat_field(
    flat_field: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flat", str(flat_field), "--out", str(tmp_path / "sensor.npz")]) == 0
    assert "of an even surface" in capsys.readouterr().out
    assert SENSOR.left_by(read_pattern(tmp_path / "sensor.npz")) < 0.1


def test_the_flat_command_keeps_nothing_of_a_still_scene(
    at_rest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flat", str(at_rest), "--out", str(tmp_path / "sensor.npz")]) == 1
    assert "too little that moves" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_flat_command_never_replaces_its_input(
    flat_field: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = np.full((HEIGHT, WIDTH), 400.0)
    np.savez(tmp_path / "c.npz", counts=counts)
    before = (tmp_path / "c.npz").read_bytes()
    given = [str(tmp_path / "c.npz"), "--out", str(tmp_path / "c.npz"), "--overwrite"]
    assert main(["flat", *given]) == 1
    assert "replace the input" in capsys.readouterr().err
    assert (tmp_path / "c.npz").read_bytes() == before
    assert main(["flat", str(flat_field), "--out", str(tmp_path / "sensor.png")]) == 1


def test_info_says_that_nothing_is_known(at_rest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(at_rest)]) == 0
    assert "Pattern    not known: nothing is corrected" in capsys.readouterr().out


def restore(panned: Path, out: Path, *options: str) -> int:
    return main(
        ["restore", str(panned), "--out", str(out), "--method", "spike-ratio", "--frames", "4:7", *options]
    )


def test_a_resumed_run_takes_the_same_pattern_or_says_what_has_changed(
    panned: Path, flat_field: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert restore(panned, out) == 0
    report = json.loads((out / "restore.json").read_text())
    assert report["sequence"]["pattern"]["origin"] == "frames"
    assert report["source"]["flat"] is None
    with open_sequence(panned) as sequence:
        assert report["sequence"]["pattern"]["sha256"] == sequence.fixed_pattern.digest
    pictures = {path.name: path.read_bytes() for path in out.glob("*.png")}
    victim = sorted(out.glob("*.png"))[1]
    victim.unlink()
    assert restore(panned, out, "--resume") == 0
    assert {path.name: path.read_bytes() for path in out.glob("*.png")} == pictures
    capsys.readouterr()
    assert restore(panned, out, "--resume", "--flat", str(flat_field)) == 1
    assert "made from something else" in capsys.readouterr().err
    assert restore(panned, out, "--overwrite", "--flat", str(flat_field)) == 0
    inputs = json.loads((out / "restore.json").read_text())["made_from"]["inputs"]
    assert str(flat_field) in [row[0] for row in inputs]


def test_restoring_gets_better_by_the_pattern(panned: Path) -> None:
    def error(flat: str | None) -> float:
        with open_sequence(panned / "spike.dat", exposure_planes=EXPOSURE, flat=flat) as sequence:
            prepared = SpikeRatio().prepare(sequence, Span(5, 6), centres([5]))
            picture = SpikeRatio().restore(prepared, Region.whole(sequence.frame_size))[0, :, :, 0]
        sharp = pan(5 * EXPOSURE + EXPOSURE // 2)
        scale = (picture * sharp).sum() / np.square(picture).sum()
        return float(np.square(scale * picture - sharp).mean())

    assert error(None) < error("none")


def test_a_flat_field_without_spikes_is_said_to_be_unused(
    panned: Path, flat_field: Path, tmp_path: Path
) -> None:
    shutil.copytree(panned / "blur", tmp_path / "frames")
    with open_sequence(tmp_path / "frames", flat=flat_field) as sequence:
        assert sequence.recording is None
        assert any("is not used" in finding and str(flat_field) in finding for finding in sequence.findings)
