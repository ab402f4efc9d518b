"""The folder that `python -m training simulate` writes, and how it answers to what it cannot do."""

import filecmp
import os
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image

from engine.alignment import read_alignment_log
from engine.errors import ExportError
from engine.geometry import Size
from engine.pictures import picture_info, read_picture
from engine.recording import open_recording
from engine.sequence import open_sequence
from training.__main__ import build_parser, main, settings_from
from training.simulate import Exposures, FrameCamera, simulate_clip
from training.simulated_sequence import SimulationSettings, build_scene, write_sequence
from training.spike_camera import SpikeCamera

PROJECT_ROOT = Path(__file__).resolve().parents[2]
TINY = [
    *("--frames", "3", "--height", "32", "--width", "48"),
    *("--exposure-planes", "10", "--stride-planes", "7", "--rate", "1000", "--motion-px", "3"),
]


def run(out: Path, *options: str) -> int:
    return main(["simulate", "--out", str(out), *TINY, *options])


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def documented_options() -> list[str]:
    readme = (PROJECT_ROOT / "resources/samples/README.md").read_text("utf-8")
    command = re.search(r"```sh\n(.+?)```", readme, re.DOTALL)
    assert command is not None
    words = shlex.split(command[1].replace("\\\n", " "))
    assert words[:3] == ["python", "-m", "training"]
    return words[3:]


def texture(path: Path) -> Path:
    levels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    path.write_bytes(cv2.imencode(".png", cv2.GaussianBlur(levels, (0, 0), 1))[1].tobytes())
    return path


def test_the_folder_is_a_sequence_in_the_unified_layout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "街 景 one"
    assert run(out, "--scene", "polygons", "--gamma", "2.2") == 0
    assert str(out) in capsys.readouterr().out
    assert sorted(files_of(out)) == sorted(
        ["alignment.csv", "config.yaml", "objects.csv", "spike.dat"]
        + [f"{part}/{frame:04d}.png" for part in ("blur", "sharp") for frame in (1, 2, 3)]
    )
    with open_sequence(out) as sequence:
        assert sequence.layout == "unified"
        assert len(sequence) == 3
        assert sequence.frame_size == Size(32, 48)
        assert sequence.gamma == 2.2
        assert sequence.gamma_known
        assert sequence.windows_source == "log"
        assert [(window.start, window.stop) for window in sequence.windows] == [(0, 10), (7, 17), (14, 24)]
        assert sequence.has_reference
        assert sequence.recording is not None
        info = sequence.recording.info
        assert (info.height, info.width, info.planes, info.rate_hz) == (16, 24, 24, 1000)
        assert info.remainder_bytes == 0
        assert info.flip


def test_files_hold_what_was_simulated(tmp_path: Path) -> None:
    settings = SimulationSettings(
        size=Size(32, 44),
        exposures=Exposures(2, 12, 20),
        spike_camera=SpikeCamera(1.2, shot_noise=0.1),
        spike_scale=2,
        scene="gratings",
        seed=6,
    )
    scene = build_scene(settings)
    summary = write_sequence(tmp_path / "clip", scene, settings)
    # The second stream of the seed belongs to the cameras.
    seed = np.random.SeedSequence(6, spawn_key=(1,))
    clip = simulate_clip(scene, settings.exposures, FrameCamera(), settings.spike_camera, seed=seed)
    with open_recording(tmp_path / "clip/spike.dat", height=16, width=22) as recording:
        assert np.array_equal(recording.read(0, 32), clip.planes)
    for frame in range(2):
        for part, pictures in (("blur", clip.blurry), ("sharp", clip.reference)):
            with Image.open(tmp_path / f"clip/{part}/{frame + 1:04d}.png") as file:
                stored = np.asarray(file) / 255
            assert np.abs(stored - pictures[frame]).max() <= 0.5 / 255 + 1e-6
    rows = read_alignment_log(tmp_path / "clip/alignment.csv", settings.rate_hz)
    assert [(row.window.start, row.window.stop) for row in rows] == [(0, 12), (20, 32)]
    assert [row.event_count for row in rows] == [clip.planes[:12].sum(), clip.planes[20:].sum()]
    assert summary.density == pytest.approx(clip.planes.mean())
    assert summary.bytes == sum(len(content) for content in files_of(tmp_path / "clip").values())


def test_planes_that_do_not_fill_whole_bytes_are_padded(tmp_path: Path) -> None:
    assert run(tmp_path / "odd", "--scene", "text", "--height", "34", "--width", "42") == 0
    # 17 × 21 pixels take 45 bytes.
    assert (tmp_path / "odd/spike.dat").stat().st_size == 24 * 45
    with open_sequence(tmp_path / "odd") as sequence:
        assert sequence.recording is not None
        assert sequence.recording.info.size == Size(17, 21)


def test_sixteen_bits_and_jpeg(tmp_path: Path) -> None:
    assert run(tmp_path / "deep", "--scene", "polygons", "--bit-depth", "16") == 0
    assert picture_info(tmp_path / "deep/blur/0001.png").bit_depth == 16
    options = ("--frame-format", "jpg", "--reference-format", "jpg", "--jpeg-quality", "100")
    assert run(tmp_path / "small", "--scene", "polygons", *options) == 0
    deep, small = (read_picture(tmp_path / name) for name in ("deep/sharp/0002.png", "small/sharp/0002.jpg"))
    assert np.abs(deep - small).mean() < 1 / 255


def test_the_density_asked_for_is_reached_and_the_threshold_written_down(tmp_path: Path) -> None:
    assert run(tmp_path / "clip", "--density", "0.25", "--dark-current", "0.02") == 0
    config = yaml.safe_load((tmp_path / "clip/config.yaml").read_text("utf-8"))
    simulator = config["simulator"]
    assert simulator["density"] == pytest.approx(0.25, rel=0.05)
    options = ("--threshold", str(simulator["threshold"]), "--dark-current", "0.02")
    assert run(tmp_path / "again", *options) == 0
    assert files_of(tmp_path / "clip")["spike.dat"] == files_of(tmp_path / "again")["spike.dat"]


def test_the_same_options_write_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    texture(tmp_path / "a.png")
    options = ("--scene", "mixed", "--textures", str(tmp_path), "--shot-noise", "0.1", "--read-noise", "0.01")
    for name, seed in (("one/clip", "3"), ("two/clip", "3"), ("three/clip", "4")):
        assert run(tmp_path / name, *options, "--seed", seed) == 0
    first, same, other = (files_of(tmp_path / name / "clip") for name in ("one", "two", "three"))
    assert first == same
    assert not {name for name in first if "." in name and first[name] == other[name]} & {
        "spike.dat",
        "blur/0001.png",
        "sharp/0001.png",
    }


def test_the_documented_command_of_the_bundled_sequence_is_understood(sample_path: Path) -> None:
    settings = settings_from(build_parser().parse_args(documented_options()))
    config = yaml.safe_load((sample_path / "config.yaml").read_text("utf-8"))
    simulator = config["simulator"]
    assert (settings.size.height, settings.size.width) == (simulator["height"], simulator["width"])
    assert settings.seed == simulator["seed"]
    assert settings.exposures == Exposures(
        simulator["frames"], simulator["exposure_planes"], simulator["stride_planes"]
    )
    assert [path.name for path in settings.textures] == simulator["textures"]
    assert settings.density == simulator["density_asked"]
    assert settings.rate_hz == config["spike_rate_hz"]


def test_a_small_version_of_the_bundled_sequence_is_reproducible(tmp_path: Path, shared_data: Path) -> None:
    options = documented_options()
    at = options.index("--textures") + 1
    options[at : at + 4] = [
        str(shared_data / "textures" / Path(option).name) for option in options[at : at + 4]
    ]
    shrunk = [
        "--height",
        "96",
        "--width",
        "128",
        "--exposure-planes",
        "8",
        "--stride-planes",
        "4",
        "--frames",
        "2",
    ]
    for name in ("one", "two"):
        out = tmp_path / name / "city"
        assert main([*options, *shrunk, "--out", str(out)]) == 0
    same, different, odd = filecmp.cmpfiles(
        tmp_path / "one/city", tmp_path / "two/city", files_of(tmp_path / "one/city"), shallow=False
    )
    assert len(same) == 8
    assert not different
    assert not odd


def test_the_bundled_sequence_is_small_and_complete(sample_path: Path) -> None:
    assert sum(len(content) for content in files_of(sample_path).values()) <= 8_000_000
    with open_sequence(sample_path) as sequence:
        assert len(sequence) >= 12
        assert sequence.frame_size == Size(480, 640)
        assert sequence.recording is not None
        assert sequence.recording.info.size == Size(240, 320)
        assert sequence.has_reference
        assert sequence.windows_source == "log"
        assert all(window.length_planes >= 80 for window in sequence.windows)
        assert not sequence.findings


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--frames", "0"], "frames must be 1 or more, got 0"),
        (["--stride-planes", "-3"], "stride_planes must be 1 or more, got -3"),
        (["--frames", "999999999999"], "at most"),
        (["--exposure-planes", "99999999999"], "at most"),
        (["--height", "0"], "at least one pixel"),
        (["--height", "8"], "16 pixels each way"),
        (["--threshold", "0"], "threshold must lie"),
        (["--density", "1.2"], "density must lie between 0 and 1"),
        (["--gain", "nan"], "gain must lie"),
        (["--gamma", "0.5"], "gamma must lie"),
        (["--read-noise", "7"], "read_noise must lie"),
        (["--spike-scale", "0.5"], "spike scale must lie"),
        (["--rate", "0"], "rate must lie"),
        (["--motion-px", "-1"], "motion must lie"),
        (["--object-motion-px", "1e9"], "motion must lie"),
        (["--objects", "-1"], "0 to 64 objects"),
        (["--scene", "photographs"], "needs textures"),
        (["--scene", "street"], "needs textures"),
        (["--seed", "-1"], "seed must be 0 or more"),
        (["--jpeg-quality", "0"], "JPEG quality"),
        (["--bit-depth", "16", "--reference-format", "jpg"], "must be PNG"),
    ],
)
def test_numbers_out_of_range_are_usage_errors_in_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "clip", *options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "clip").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--frames", "many"],
        ["--scene", "moon"],
        ["--bit-depth", "12"],
        ["--threshold", "2", "--density", "0.2"],
        ["--nonsense"],
        ["--textures", ""],
        ["--out", ""],
        ["--out", "a\0b"],
    ],
)
def test_arguments_that_make_no_sense_are_usage_errors_in_one_line(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "clip", *options)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_street_needs_four_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = texture(tmp_path / "a.png")
    assert run(tmp_path / "clip", "--scene", "street", "--textures", str(path)) == 2
    assert "needs 4 pictures" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["missing", "empty", "text"])
def test_textures_that_cannot_be_read_are_named(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{kind}.png"
    if kind == "empty":
        path = tmp_path / "folder"
        path.mkdir()
    elif kind == "text":
        path.write_text("no picture")
    assert run(tmp_path / "clip", "--textures", str(path)) == 1
    error = capsys.readouterr().err
    assert str(path) in error
    assert error.count("\n") == 1
    assert not (tmp_path / "clip").exists()


def test_a_black_scene_with_a_density_fails_clearly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "black.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((40, 60, 3), np.uint8))[1].tobytes())
    assert run(tmp_path / "clip", "--textures", str(path), "--density", "0.2") == 1
    assert "black" in capsys.readouterr().err


def test_an_occupied_folder_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "clip"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    assert run(out) == 1
    assert "not empty" in capsys.readouterr().err
    assert run(out, "--overwrite") == 1
    assert "not a former result" in capsys.readouterr().err
    assert files_of(out) == {"thesis.txt": b"mine"}
    (tmp_path / "file").write_text("mine")
    assert run(tmp_path / "file", "--overwrite") == 1
    assert "in the way" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip", "file"]


def test_overwrite_replaces_a_former_simulation(tmp_path: Path) -> None:
    out = tmp_path / "deep/clip"
    assert run(out, "--frames", "4", "--scene", "text") == 0
    assert run(out, "--scene", "text") == 1
    assert run(out, "--scene", "text", "--overwrite") == 0
    assert not (out / "blur/0004.png").exists()
    assert [path.name for path in out.parent.iterdir()] == ["clip"]


@pytest.mark.parametrize("mine", ["notes.txt", "restored/0001.png", "blur/mask.png", "sharp/0001.tif"])
def test_what_people_put_beside_a_simulation_is_never_replaced(
    mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "clip"
    assert run(out, "--scene", "text") == 0
    (out / mine).parent.mkdir(exist_ok=True)
    (out / mine).write_text("mine")
    before = files_of(out)
    assert run(out, "--scene", "text", "--seed", "5", "--overwrite") == 1
    assert "not a former result" in capsys.readouterr().err
    assert files_of(out) == before


def test_what_somebody_else_finished_meanwhile_is_kept(tmp_path: Path) -> None:
    settings = SimulationSettings(size=Size(32, 48), exposures=Exposures(2, 6, 6), scene="text")
    scene = build_scene(settings)
    out = tmp_path / "clip"
    other = replace(settings, seed=2)

    def overtake(done: int, _total: int) -> None:
        if done == 9:
            write_sequence(out, scene, other)

    with pytest.raises(ExportError, match="not empty"):
        write_sequence(out, scene, settings, progress=overtake)
    assert yaml.safe_load((out / "config.yaml").read_text())["simulator"]["seed"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_names_that_are_no_text_and_links_to_themselves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert run(tmp_path / "loop/clip") == 1
    assert capsys.readouterr().err.count("\n") == 1
    if os.name == "posix" and sys.platform != "darwin":
        out = tmp_path / "b\udcff"
        options = build_parser().parse_args(["simulate", "--out", str(out), *TINY, "--scene", "text"])
        settings = settings_from(options)
        write_sequence(out, build_scene(settings), settings)
        with open_sequence(out) as sequence:
            assert sequence.windows_source == "log"


def test_a_density_that_no_threshold_gives_fails_clearly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "clip", "--scene", "text", "--density", "1e-300") == 1
    assert "no threshold" in capsys.readouterr().err


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    out = tmp_path / "clip"
    out.mkdir()
    assert run(out, "--scene", "text") == 0
    assert (out / "spike.dat").exists()


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_breaks_half_way_leaves_nothing_new_and_nothing_lost(
    failure: BaseException, tmp_path: Path
) -> None:
    settings = SimulationSettings(
        size=Size(32, 48), exposures=Exposures(2, 6, 6), scene="text", spike_camera=SpikeCamera(1.5)
    )
    scene = build_scene(settings)
    out = tmp_path / "clip"
    write_sequence(out, scene, settings)
    before = files_of(out)

    def fail(done: int, _total: int) -> None:
        if done == 9:
            raise failure

    with pytest.raises(KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else ExportError):
        write_sequence(out, scene, replace(settings, seed=2), overwrite=True, progress=fail)
    assert files_of(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_progress_counts_every_plane(tmp_path: Path) -> None:
    settings = SimulationSettings(size=Size(32, 48), exposures=Exposures(2, 6, 9), scene="text")
    told: list[tuple[int, int]] = []
    write_sequence(
        tmp_path / "clip",
        build_scene(settings),
        settings,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(plane + 1, 15) for plane in range(15)]


def test_a_target_that_cannot_be_written_is_a_failure_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert run(tmp_path / "file" / "clip", "--scene", "text") == 1
    error = capsys.readouterr().err
    assert "cannot be" in error
    assert error.count("\n") == 1
