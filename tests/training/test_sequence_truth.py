"""What `simulate` writes of the truth, read back as annotation and registration would."""

import csv
from pathlib import Path

import av
import numpy as np
import pytest
import yaml
from PIL import Image

from engine.geometry import Size
from engine.recording import open_recording
from engine.sequence import open_sequence
from training.__main__ import build_parser, main
from training.scene import Renderer
from training.simulate_options import settings_from
from training.simulated_sequence import build_scene
from training.textures import PATTERNS

TINY = [
    *("--frames", "3", "--height", "32", "--width", "48"),
    *("--exposure-planes", "10", "--stride-planes", "14", "--rate", "1000", "--motion-px", "3"),
]


def run(out: Path, *options: str) -> None:
    assert main(["simulate", "--out", str(out), *TINY, *options]) == 0


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def pictures(folder: Path, count: int = 4) -> Path:
    folder.mkdir()
    for number in range(count):
        picture = PATTERNS["leaves"](np.random.default_rng(number), Size(80, 120))
        Image.fromarray((picture * 255).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize("choice", ["even", "random"])
def test_sharp_pictures_inside_exposures_are_listed_with_their_moments(tmp_path: Path, choice: str) -> None:
    options = ("--scene", "polygons", "--latents", "3", "--moments", choice)
    run(tmp_path / "clip", *options)
    rows = rows_of(tmp_path / "clip/latents.csv")
    assert [int(row["frame"]) for row in rows] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    scene = build_scene(settings_from(build_parser().parse_args(["simulate", "--out", "x", *TINY, *options])))
    renderer = Renderer(scene)
    for row in rows:
        frame, at, plane = int(row["frame"]), float(row["at"]), float(row["plane"])
        assert 0 <= at <= 1
        # Frames are exposed during planes [14 f, 14 f + 10).
        assert plane == pytest.approx(14 * frame + 10 * at)
        with Image.open(tmp_path / "clip" / row["file"]) as file:
            stored = np.asarray(file) / 255
        assert np.abs(stored - renderer.picture(plane)[..., :3]).max() < 0.51 / 255
    ats = [float(row["at"]) for row in rows]
    if choice == "even":
        assert ats[:3] == [0.1667, 0.5, 0.8333]
        middle = next(row["file"] for row in rows if row["at"] == "0.5000")
        files = files_of(tmp_path / "clip")
        assert files[middle] == files["sharp/0001.png"]
    else:
        assert len(set(ats)) == 9
    with open_sequence(tmp_path / "clip") as sequence:
        assert len(sequence) == 3
        assert not sequence.findings


def test_latents_and_truth_change_nothing_of_what_is_simulated(tmp_path: Path) -> None:
    run(tmp_path / "plain/clip", "--scene", "text", "--shot-noise", "0.1")
    run(tmp_path / "told/clip", "--scene", "text", "--shot-noise", "0.1", "--latents", "2", "--truth")
    plain, told = files_of(tmp_path / "plain/clip"), files_of(tmp_path / "told/clip")
    for name in plain:
        if name not in ("config.yaml", "objects.csv"):
            assert plain[name] == told[name]


def test_boxes_hold_the_object_and_follow_it(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures")
    options = ("--scene", "street", "--pictures", str(folder), "--object-motion-px", "4", "--latents", "2")
    run(tmp_path / "clip", *options, "--motion-px", "0")
    rows = rows_of(tmp_path / "clip/objects.csv")
    assert {(row["object"], row["kind"]) for row in rows} == {("1", "van")}
    assert [(row["frame"], row["at"]) for row in rows] == [
        (str(frame), at) for frame in range(3) for at in ("0.2500", "0.5000", "0.7500")
    ]
    for row in rows:
        # Four pixels to the left in an exposure of ten planes, and where the design has it halfway through.
        assert (float(row["vx"]), float(row["vy"])) == pytest.approx((-4.0, 0.0), abs=0.2)
        middle = 23.5 + 20 * 32 / 480 - 0.4 * (float(row["plane"]) - 19)
        assert (float(row["x0"]) + float(row["x1"])) / 2 == pytest.approx(middle + 0.5, abs=1.0)
        assert float(row["visible"]) == pytest.approx(1.0, abs=0.05)


def test_a_van_of_changing_speed_keeps_its_average(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures")
    options = ("--scene", "street", "--pictures", str(folder), "--object-motion-px", "4")
    run(tmp_path / "clip", *options, "--motion-px", "0", "--frames", "6", "--speed-change", "0.5")
    speeds = [float(row["vx"]) for row in rows_of(tmp_path / "clip/objects.csv")]
    # Speed is -4 (1 + 0.5 cos(2π plane / 40)) at planes 5, 19, 33, 47, 61, 75.
    planes = 14 * np.arange(6) + 5
    np.testing.assert_allclose(speeds, -4 * (1 + 0.5 * np.cos(2 * np.pi * planes / 40)), atol=0.15)


def test_the_motion_of_every_pixel_is_written_in_pixels_an_exposure(tmp_path: Path) -> None:
    run(tmp_path / "clip", "--scene", "flyers", "--truth", "--object-motion-px", "7")
    flows = [np.load(tmp_path / f"clip/motion/{frame:04d}.npy") for frame in (1, 2, 3)]
    assert all(flow.shape == (32, 48, 2) and flow.dtype == np.float16 for flow in flows)
    scene = build_scene(
        settings_from(
            build_parser().parse_args(
                [
                    *("simulate", "--out", "x", *TINY, "--scene", "flyers", "--truth"),
                    *("--object-motion-px", "7"),
                ]
            )
        )
    )
    # The corner at the top left shows the ground, which moves as the camera does.
    corner = np.array([-23.5, -15.5, 1])
    for frame, flow in enumerate(flows):
        centre = 14 * frame + 5
        before, at, after = (scene.camera.matrix(centre + shift) for shift in (-0.5, 0.0, 0.5))
        moves = (after - before) @ np.linalg.inv(at) @ corner
        np.testing.assert_allclose(flow[0, 0], 10 * moves[:2], atol=0.05)


def test_what_is_wrong_with_the_cameras_is_written_down(tmp_path: Path) -> None:
    faults = [
        *("--row-delay", "0.2", "--misregistration-px", "1.5", "--sensor-seed", "3", "--defects", "0.01"),
        *("--defect-lines", "1", "--lost-planes", "0.1", "--response-spread", "0.037"),
    ]
    run(tmp_path / "clip", "--scene", "leaves", *faults)
    run(tmp_path / "other", "--scene", "text", *faults, "--seed", "9")
    told = yaml.safe_load((tmp_path / "clip/config.yaml").read_text())["simulator"]
    assert told["row_delay_planes"] == 0.2
    assert np.array(told["frame_to_spike"]).shape == (3, 3)
    defects = np.load(tmp_path / "clip/sensor/defects.npy")
    assert defects.shape == (16, 24)
    assert (told["dead_pixels"], told["hot_pixels"]) == ((defects == 1).sum(), (defects == 2).sum())
    # 31 rows later, and 38 planes to the end of the first row's last exposure.
    assert (tmp_path / "clip/spike.dat").stat().st_size == (38 + 7) * 48
    lost = {plane for start, stop in told["lost"] for plane in range(start, stop)}
    with open_recording(tmp_path / "clip/spike.dat", height=16, width=24, flip=True) as recording:
        planes = recording.read(0, 45)
    kept = np.array([plane not in lost for plane in range(45)])
    assert len(lost) == 4
    assert not planes[~kept].any()
    assert not planes[kept][:, defects == 1].any()
    assert planes[kept][:, defects == 2].all()
    for name in ("response", "dark", "defects"):
        first, other = (np.load(tmp_path / clip / f"sensor/{name}.npy") for clip in ("clip", "other"))
        assert np.array_equal(first, other)
    with open_sequence(tmp_path / "clip") as sequence:
        assert [(window.start, window.stop) for window in sequence.windows] == [(0, 10), (14, 24), (28, 38)]


def test_the_pattern_written_with_the_truth_is_that_of_the_spikes(tmp_path: Path) -> None:
    flat = tmp_path / "flat.png"
    Image.fromarray(np.full((64, 96, 3), 128, np.uint8)).save(flat)
    options = ("--textures", str(flat), "--objects", "0", "--response-spread", "0.1", "--truth")
    run(tmp_path / "clip", *options, "--exposure-planes", "600", "--frames", "1")
    with open_recording(tmp_path / "clip/spike.dat", height=16, width=24, flip=True) as recording:
        rate = recording.read(0, 600).mean(axis=0)
    response = np.load(tmp_path / "clip/sensor/response.npy")
    assert np.corrcoef(rate.ravel(), response.ravel())[0, 1] > 0.99


def test_truth_is_replaced_with_the_sequence_and_what_people_add_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "clip"
    options = ("--scene", "text", "--overwrite")
    run(out, *options, "--latents", "2", "--truth", "--defects", "0.01")
    run(out, *options, "--latents", "1")
    assert not (out / "sensor").exists()
    assert len(list((out / "latents").iterdir())) == 3
    (out / "latents/notes.png").write_text("mine")
    assert main(["simulate", "--out", str(out), *TINY, *options]) == 1
    assert "not a former result" in capsys.readouterr().err
    assert (out / "latents/notes.png").read_text() == "mine"


def test_pictures_may_be_folders_in_folders_and_videos(tmp_path: Path) -> None:
    pictures(tmp_path / "deep", 1).rename(tmp_path / "inner")
    (tmp_path / "deep").mkdir()
    (tmp_path / "inner").rename(tmp_path / "deep/inner")
    with av.open(str(tmp_path / "deep/clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for level in (40, 200):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    for name in ("one", "two"):
        run(tmp_path / name / "clip", "--pictures", str(tmp_path / "deep"))
    told = yaml.safe_load((tmp_path / "one/clip/config.yaml").read_text())["simulator"]
    assert (told["scene"], told["pictures"]) == ("photographs", ["deep"])
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    run(tmp_path / "video", "--pictures", str(tmp_path / "deep/clip.mp4"), "--objects", "0")
    with Image.open(tmp_path / "video/sharp/0001.png") as file:
        levels = np.asarray(file).astype(int)
    assert levels.std() < 3
    assert min(abs(levels.mean() - 40), abs(levels.mean() - 200)) < 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--latents", "-1"], "latents must lie between 0"),
        (["--row-delay", "-0.5"], "row_delay_planes must lie"),
        (["--misregistration-px", "nan"], "misregistration_px must lie"),
        (["--defects", "0.9"], "defects must lie"),
        (["--defect-lines", "-2"], "defect_lines must lie"),
        (["--lost-planes", "1"], "lost_planes must lie"),
        (["--sensor-seed", "-2"], "sensor_seed must be 0 or more"),
        (["--speed-change", "1.5"], "speed_change must lie"),
        (["--row-delay", "1e300"], "row_delay_planes must lie"),
    ],
)
def test_faults_out_of_range_are_usage_errors_in_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--out", str(tmp_path / "clip"), *TINY, *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "scene", ["world", "depth", "handheld", "cloth", "limbs", "turning", "flyers", "highlights"]
)
def test_every_world_becomes_a_sequence(scene: str, tmp_path: Path) -> None:
    run(tmp_path / "clip", "--scene", scene, "--objects", "2", "--gamma", "2.2", "--density", "0.2")
    with open_sequence(tmp_path / "clip") as sequence:
        assert len(sequence) == 3
        assert sequence.has_reference
        assert not sequence.findings
    for row in rows_of(tmp_path / "clip/objects.csv"):
        box = [float(row[edge]) for edge in ("x0", "y0", "x1", "y1")]
        assert 0 <= box[0] < box[2] <= 48
        assert 0 <= box[1] < box[3] <= 32
        assert 0 <= float(row["visible"]) <= 1
