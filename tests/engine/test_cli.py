"""The command line: what it writes, what it prints, and how it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from engine.cli import main
from engine.commands import info as info_command
from engine.commands import restore as restore_command
from engine.commands.frame_range import FrameRange
from engine.errors import SequenceError
from engine.recording import write_packed

HEIGHT, WIDTH, FRAMES, EXPOSURE_PLANES = 24, 40, 4, 20
GEOMETRY = ("--height", str(HEIGHT), "--width", str(WIDTH), "--rate", "1000")


@pytest.fixture
def planes():
    """Spikes of a still picture, (planes, H, W)."""
    random = np.random.default_rng(11)
    brightness = random.random((HEIGHT, WIDTH)) * 0.5
    return (random.random((FRAMES * EXPOSURE_PLANES, HEIGHT, WIDTH)) < brightness).astype(np.uint8)


@pytest.fixture
def clip(tmp_path, planes):
    """A clip in the unified layout; its name is as people name folders."""
    return make_clip(tmp_path / "my clip 序列", planes)


def make_clip(folder, planes, frames=FRAMES):
    random = np.random.default_rng(3)
    for name in ("blur", "sharp"):
        (folder / name).mkdir(parents=True)
        for index in range(frames):
            levels = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / name / f"{index + 7:04d}.png")
    write_packed(folder / "spike.dat", planes)
    return folder


def quickly(arguments):
    """Restore by the ratio, in an instant, where no method is asked for: the same is written where."""
    words = [str(argument) for argument in arguments]
    if words and words[0] in ("restore", "evaluate") and "--method" not in words:
        return [*words, "--method", "spike-ratio"]
    return words


@pytest.fixture
def run(capsys):
    """Run a command in this process; return its status, standard output and standard error."""

    def call(*arguments):
        status = main(quickly(arguments))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def assert_refused(outcome, *words, status=1):
    """One line on standard error, nothing on standard output, no trace of Python."""
    found, out, error = outcome
    assert found == status
    assert out == ""
    assert error.count("\n") == 1
    assert error.startswith("spike-deblur")
    assert "unexpected" not in error
    assert "Traceback" not in error
    for word in words:
        assert str(word) in error


# ------------------------------------------------------------------ info


def test_info_says_what_is_there_as_text_and_as_json(run, clip, planes):
    status, out, error = run("info", clip, *GEOMETRY)
    assert (status, error) == (0, "")
    assert "4 frames of 24 × 40, 8 bit, with a reference" in out
    status, out, error = run("info", clip, *GEOMETRY, "--json", "--gamma", "2.2")
    assert (status, error) == (0, "")
    facts = json.loads(out)
    assert facts["layout"] == "unified"
    assert facts["frames"] == {
        "count": FRAMES,
        "height": HEIGHT,
        "width": WIDTH,
        "bit_depth": 8,
        "gamma": 2.2,
        "gamma_known": True,
        "virtual": False,
        "reference": True,
    }
    recording = facts["recording"]
    assert [recording[key] for key in ("height", "width", "planes", "rate_hz")] == [24, 40, 80, 1000.0]
    assert recording["remainder_bytes"] == 0
    assert recording["density_planes"] == 80
    assert recording["density"] == pytest.approx(planes.mean())
    assert len(facts["windows"]["planes"]) == FRAMES


def test_the_order_of_bits_can_be_said(run, tmp_path, planes):
    recording = tmp_path / "other.dat"
    recording.write_bytes(np.packbits(planes[:, ::-1], bitorder="big").tobytes())
    status, out, error = run("info", recording, *GEOMETRY, "--json", "--msb-first")
    assert (status, error) == (0, "")
    facts = json.loads(out)["recording"]
    assert facts["msb_first"] is True
    assert "most significant bit first" in run("info", recording, *GEOMETRY, "--msb-first")[1]
    assert "most significant" not in run("info", recording, *GEOMETRY, "--no-msb-first")[1]


def test_the_density_of_a_long_recording_comes_from_a_sample_of_all_of_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr(info_command, "DENSITY_WINDOWS", 4)
    monkeypatch.setattr(info_command, "DENSITY_WINDOW_PLANES", 2)
    planes = np.zeros((300, 8, 8), np.uint8)
    planes[150:] = 1
    write_packed(tmp_path / "long.dat", planes)
    status, out, _ = run("info", tmp_path / "long.dat", "--height", "8", "--width", "8", "--json")
    assert status == 0
    recording = json.loads(out)["recording"]
    assert recording["density_planes"] == 8
    assert recording["density"] == 0.5


# ------------------------------------------------------------------ restore


def test_restore_writes_frames_under_their_own_names_and_a_report(run, clip, tmp_path):
    out = tmp_path / "new" / "wieder hergestellt"
    status, text, error = run("restore", clip, *GEOMETRY, "--out", out, "--frames", "1:3")
    assert (status, error) == (0, "")
    assert "2 of 2 frames" in text
    assert sorted(path.name for path in out.iterdir()) == ["0008.png", "0009.png", "restore.json"]
    restored = np.asarray(Image.open(out / "0008.png"))
    assert (restored.shape, restored.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    report = json.loads((out / "restore.json").read_text(encoding="utf-8"))
    assert report["complete"] is True
    assert report["method"] == "spike-ratio"
    assert report["source"]["path"] == str(clip)
    assert report["source"]["rate_hz"] == 1000.0
    assert report["sequence"]["name"] == "my clip 序列"
    assert [frame["file"] for frame in report["frames"]] == ["0008.png", "0009.png"]
    assert [frame["index"] for frame in report["frames"]] == [1, 2]
    assert report["frames"][0]["window"] == [20.0, 40.0]
    assert report["frames"][0]["seconds"] > 0
    assert report["failed"] == []
    assert "序列" in (out / "restore.json").read_text(encoding="utf-8")


def test_frames_of_16_bits_stay_so(run, clip, tmp_path):
    random = np.random.default_rng(1)
    for path in (clip / "blur").iterdir():
        cv2.imwrite(str(path), random.integers(0, 65536, (HEIGHT, WIDTH, 3), dtype=np.uint16))
    assert run("restore", clip, *GEOMETRY, "--out", tmp_path / "out", "--frames", "0")[0] == 0
    restored = cv2.imread(str(tmp_path / "out" / "0007.png"), cv2.IMREAD_UNCHANGED)
    assert restored.dtype == np.uint16
    assert np.unique(restored % 257).size > 1, "8-bit levels were stretched to 16"


def test_side_by_side_shows_the_first_frame_twice(run, clip, tmp_path):
    sheet = tmp_path / "out" / "sheet.png"
    status, *_ = run(
        "restore", clip, *GEOMETRY, "--out", tmp_path / "out", "--frames", "2:", "--side-by-side", sheet
    )
    assert status == 0
    picture = np.asarray(Image.open(sheet))
    assert picture.shape[1] >= 2 * WIDTH
    blurry = np.asarray(Image.open(clip / "blur" / "0009.png"))
    np.testing.assert_array_equal(picture[-HEIGHT:, :WIDTH], blurry)
    restored = np.asarray(Image.open(tmp_path / "out" / "0009.png"))
    np.testing.assert_array_equal(picture[-HEIGHT:, -WIDTH:], restored)


def test_a_recording_alone_is_restored_in_virtual_exposures(run, clip, tmp_path):
    options = ("--exposure-planes", "20", "--stride-planes", "30")
    assert run("restore", clip / "spike.dat", *GEOMETRY, *options, "--out", tmp_path / "out")[0] == 0
    report = json.loads((tmp_path / "out" / "restore.json").read_text(encoding="utf-8"))
    assert [frame["window"] for frame in report["frames"]] == [[0, 20], [30, 50], [60, 80]]


def test_results_are_replaced_only_when_asked_and_the_input_never(run, clip, tmp_path):
    out = tmp_path / "out"
    command = ("restore", clip, *GEOMETRY, "--out", out, "--frames")
    assert run(*command, "0")[0] == 0
    before = (out / "0007.png").read_bytes()
    assert_refused(run(*command, "0:2"), out, "0007.png", "--overwrite")
    assert not (out / "0008.png").exists()
    (out / "0007.png").write_bytes(b"something of the user's")
    assert run(*command, "0:2", "--overwrite")[0] == 0
    assert (out / "0007.png").read_bytes() == before

    frames = {path: path.read_bytes() for path in clip.rglob("*.*") if path.is_file()}
    into = ("restore", clip, *GEOMETRY, "--overwrite", "--out")
    assert_refused(run(*into, clip / "blur"), "among the input frames")
    assert_refused(run(*into, clip / "sharp"), "replace the input", "0007.png")
    sheet = ("--side-by-side", clip / "spike.dat")
    assert_refused(run(*into, tmp_path / "other", *sheet), "replace the input", "spike.dat")
    (tmp_path / "link.png").hardlink_to(clip / "blur" / "0007.png")
    sheet = ("--side-by-side", tmp_path / "link.png")
    assert_refused(run(*into, tmp_path / "other", *sheet), "replace the input", "link.png")
    assert {path: path.read_bytes() for path in frames} == frames
    assert run(*into, clip / "restored")[0] == 0
    assert run(*into, clip / "restored")[0] == 0


def test_a_folder_that_cannot_be_written_is_named(run, clip, tmp_path):
    (tmp_path / "a file").write_text("here", encoding="utf-8")
    assert_refused(run("restore", clip, *GEOMETRY, "--out", tmp_path / "a file"), tmp_path / "a file")
    assert_refused(run("restore", clip, *GEOMETRY, "--out", tmp_path / "a file" / "out"), "a file")
    assert (tmp_path / "a file").read_text(encoding="utf-8") == "here"
    out = tmp_path / "out"
    sheet = ("--side-by-side", tmp_path / "missing" / "sheet.png")
    assert_refused(run("restore", clip, *GEOMETRY, "--out", out, *sheet), tmp_path / "missing")


def test_a_broken_frame_is_named_and_the_others_are_written(run, clip, tmp_path):
    whole = (clip / "blur" / "0008.png").read_bytes()
    (clip / "blur" / "0008.png").write_bytes(whole[: len(whole) // 2])
    status, out, error = run("restore", clip, *GEOMETRY, "--out", tmp_path / "out")
    assert status == 1
    assert error.count("\n") == 1
    assert "1 of 4 frames failed (0008)" in error
    assert "3 of 4 frames restored" in out
    assert sorted(path.stem for path in (tmp_path / "out").glob("*.png")) == ["0007", "0009", "0010"]
    report = json.loads((tmp_path / "out" / "restore.json").read_text(encoding="utf-8"))
    assert [failure["name"] for failure in report["failed"]] == ["0008"]
    assert [frame["name"] for frame in report["frames"]] == ["0007", "0009", "0010"]


def test_when_no_frame_can_be_restored_the_first_reason_is_the_answer(run, clip, tmp_path):
    for path in list((clip / "blur").iterdir())[:3]:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    readable = next(at for at in range(FRAMES) if (clip / "blur" / f"{at + 7:04d}.png").stat().st_size > 2000)
    frames = f"0:{readable}" if readable else "1:"
    assert_refused(run("restore", clip, *GEOMETRY, "--out", tmp_path / "out", "--frames", frames), ".png")


def test_ctrl_c_keeps_the_finished_frames(run, clip, tmp_path, monkeypatch):
    written = []

    def write_one_then_interrupt(path, picture, bit_depth):
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write_picture(path, picture, bit_depth)

    write_picture = restore_command.write_picture
    monkeypatch.setattr(restore_command, "write_picture", write_one_then_interrupt)
    out = tmp_path / "out"
    assert_refused(run("restore", clip, *GEOMETRY, "--out", out), "stopped", "1 of 4 frames", out)
    report = json.loads((out / "restore.json").read_text(encoding="utf-8"))
    assert report["complete"] is False
    assert [frame["name"] for frame in report["frames"]] == ["0007"]


# ------------------------------------------------------------------ evaluate


def test_evaluate_scores_blurry_and_restored_against_the_reference(run, clip, tmp_path):
    status, out, error = run("evaluate", clip, *GEOMETRY, "--json")
    assert (status, error) == (0, "")
    facts = json.loads(out)
    assert facts["gain_matched"] is False
    assert facts["without_reference"] == 0
    assert [frame["name"] for frame in facts["frames"]] == ["0007", "0008", "0009", "0010"]
    assert run("restore", clip, *GEOMETRY, "--out", tmp_path / "out")[0] == 0
    for kind, folder in (("blurry", clip / "blur"), ("restored", tmp_path / "out")):
        expected = [
            peak_signal_noise_ratio(
                np.asarray(Image.open(clip / "sharp" / f"{frame['name']}.png")),
                np.asarray(Image.open(folder / f"{frame['name']}.png")),
            )
            for frame in facts["frames"]
        ]
        assert [frame[kind]["psnr"] for frame in facts["frames"]] == pytest.approx(expected)
        assert facts["mean"][kind]["psnr"] == pytest.approx(np.mean(expected))
        assert 0 <= facts["mean"][kind]["ssim"] <= 1
    status, out, _ = run("evaluate", clip, *GEOMETRY, "--frames", "1:2")
    assert status == 0
    assert f"{facts['frames'][1]['blurry']['psnr']:.2f}" in out


def test_frames_without_a_reference_are_left_out_and_counted(run, clip):
    (clip / "sharp" / "0008.png").unlink()
    (clip / "sharp" / "0010.png").unlink()
    status, out, _ = run("evaluate", clip, *GEOMETRY, "--json")
    facts = json.loads(out)
    assert status == 0
    assert facts["without_reference"] == 2
    assert [frame["name"] for frame in facts["frames"]] == ["0007", "0009"]
    assert_refused(run("evaluate", clip, *GEOMETRY, "--frames", "1"), "reference", "--reference")
    for path in (clip / "sharp").iterdir():
        path.unlink()
    assert_refused(run("evaluate", clip, *GEOMETRY), "reference", "--reference")


def test_a_picture_that_equals_its_reference_is_null_in_json(run, clip):
    for path in (clip / "blur").iterdir():
        (clip / "sharp" / path.name).write_bytes(path.read_bytes())
    _, out, _ = run("evaluate", clip, *GEOMETRY, "--json", "--frames", "0")
    facts = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert facts["frames"][0]["blurry"]["psnr"] is None
    assert facts["frames"][0]["blurry"]["ssim"] == pytest.approx(1)


def test_virtual_frames_are_matched_in_brightness_and_it_says_so(run, clip):
    command = ("evaluate", clip / "spike.dat", *GEOMETRY, "--exposure-planes", "80")
    command = (*command, "--reference", clip / "sharp" / "0007.png")
    status, out, _ = run(*command, "--json")
    assert status == 0
    assert json.loads(out)["gain_matched"] is True
    assert "brightness of its reference" in run(*command)[1]


def test_a_broken_reference_is_named_and_the_others_are_scored(run, clip):
    whole = (clip / "sharp" / "0008.png").read_bytes()
    (clip / "sharp" / "0008.png").write_bytes(whole[: len(whole) // 2])
    status, out, error = run("evaluate", clip, *GEOMETRY, "--json")
    assert status == 1
    assert error.count("\n") == 1
    assert "0008" in error
    assert [failure["name"] for failure in json.loads(out)["failed"]] == ["0008"]
    assert len(json.loads(out)["frames"]) == 3


# ------------------------------------------------------------------ ranges of frames


@given(
    frames=st.integers(1, 12),
    start=st.none() | st.integers(-12, 12),
    stop=st.none() | st.integers(-12, 12),
)
def test_a_range_means_what_it_means_in_python(frames, start, stop):
    text = f"{'' if start is None else start}:{'' if stop is None else stop}"
    bounds = [bound for bound in (start, stop) if bound is not None]
    expected = list(range(frames))[start:stop]
    if not expected or not all(-frames <= bound <= frames for bound in bounds):
        with pytest.raises(SequenceError, match=f"0:{frames}"):
            FrameRange.parse(text).resolve(frames, "clip")
    else:
        span = FrameRange.parse(text).resolve(frames, "clip")
        assert list(range(span.start, span.stop)) == expected


@pytest.mark.parametrize(("text", "expected"), [("3", (3, 4)), ("-1", (9, 10)), ("-2", (8, 9))])
def test_one_number_is_that_frame_alone(text, expected):
    span = FrameRange.parse(text).resolve(10, "clip")
    assert (span.start, span.stop) == expected


@pytest.mark.parametrize("text", ["", "a", "1:2:3", "1.5", "1-3", "--1", "1 3"])
def test_what_is_no_range_is_wrong_usage(run, text):
    with pytest.raises(ValueError, match="A:B"):
        FrameRange.parse(text)
    assert_refused(run("restore", "clip", "--out", "out", f"--frames={text}"), "A:B", status=2)


def test_frames_that_are_not_there_are_refused_with_the_number_there_is(run, clip, tmp_path):
    for text in ("4", "2:9", "3:3", "-5"):
        outcome = run("restore", clip, *GEOMETRY, "--out", tmp_path / "out", f"--frames={text}")
        assert_refused(outcome, "0:4", "--frames")
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------ refusing


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("deblur", "x"),
        ("info",),
        ("info", ""),
        ("info", "a\0b"),
        ("info", "x", "--heigth", "4"),
        ("info", "x", "--height", "-4"),
        ("info", "x", "--rate", "nan"),
        ("info", "x", "--gamma", "two"),
        ("restore", "x"),
        ("restore", "x", "--out", "y", "--tile", "0"),
    ],
)
def test_wrong_arguments_are_wrong_usage(run, arguments):
    assert_refused(run(*arguments), "--help", status=2)


def test_help_and_version_are_no_failures(run):
    for arguments in (("--help",), ("restore", "--help"), ("--version",)):
        status, out, error = run(*arguments)
        assert (status, error) == (0, "")
        assert out


def bad_inputs(folder):
    (folder / "empty folder").mkdir()
    (folder / "empty.dat").touch()
    (folder / "short.dat").write_bytes(b"\x01\x80\x23")
    (folder / "notes.dat").write_text("these are no spikes\n" * 200, encoding="utf-8")
    Image.new("RGB", (40, 24)).save(folder / "picture.png")
    (folder / "picture.dat").write_bytes((folder / "picture.png").read_bytes() * 20)
    (folder / "list.npz").write_bytes(b"PK\x03\x04 no archive")
    (folder / "film.mp4").write_bytes(b"no film")
    (folder / "unknown.xyz").write_bytes(b"?")
    (folder / "broken frames").mkdir()
    (folder / "broken frames" / "0001.png").write_bytes(b"no picture")
    return ["not there", *sorted(path.name for path in folder.iterdir())]


@pytest.mark.parametrize("geometry", [(), GEOMETRY])
def test_bad_input_is_refused_by_name_in_one_line(run, tmp_path, geometry):
    folder = tmp_path / "böse 输入"
    folder.mkdir()
    for name in bad_inputs(folder):
        for command in (("info",), ("evaluate",), ("restore", "--out", tmp_path / "out")):
            assert_refused(run(*command, folder / name, *geometry), name)
    assert not (tmp_path / "out").exists()


def test_an_unknown_method_is_refused_with_those_there_are(run, clip, tmp_path):
    outcome = run("restore", clip, *GEOMETRY, "--out", tmp_path / "out", "--method", "magic")
    assert_refused(outcome, "magic", "spike-ratio")


def test_what_nobody_foresaw_is_one_line_too(run, monkeypatch):
    def fall(_):
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(info_command, "open_source", fall)
    status, out, error = run("info", "clip")
    assert (status, out) == (1, "")
    assert error.count("\n") == 1
    assert "unexpected: ZeroDivisionError: two lines" in error
    assert "Traceback" in run("info", "clip", "--traceback")[2]


# ------------------------------------------------------------------ as a process

PATIENCE_SECONDS = 60


def command(*arguments):
    return [sys.executable, "-m", "engine", *quickly(arguments)]


def test_the_process_says_the_same_as_the_function(clip, tmp_path):
    out = tmp_path / "out"
    ended = subprocess.run(
        command("restore", clip, *GEOMETRY, "--out", out),
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(list(out.glob("*.png"))) == FRAMES
    ended = subprocess.run(
        command("info", tmp_path / "不在"),
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert ended.returncode == 1
    assert ended.stderr.count(b"\n") == 1
    assert b"Traceback" not in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
def test_nobody_reading_is_no_failure_and_a_full_disk_is_one(clip):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        ended = subprocess.run(
            command("info", clip, *GEOMETRY, "--json"),
            stdout=nobody,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, b"")
    if not Path("/dev/full").exists():
        return
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            command("--help"), stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.count(b"\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_ctrl_c_stops_with_one_line_and_whole_files(tmp_path, planes, number):
    clip = make_clip(tmp_path / "long", np.tile(planes, (30, 1, 1)), frames=30 * FRAMES)
    out = tmp_path / "out"
    process = subprocess.Popen(
        command("restore", clip, *GEOMETRY, "--out", out),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # a shell has its background jobs ignore Ctrl-C, and so would what they start
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (out / "0007.png").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(number)
    text, error = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, text) == (1, b"")
    assert error.count(b"\n") == 1
    assert b"stopped" in error
    report = json.loads((out / "restore.json").read_text(encoding="utf-8"))
    assert report["complete"] is False
    assert 1 <= len(report["frames"]) < 120
    assert {frame["file"] for frame in report["frames"]} == {path.name for path in out.glob("*.png")}
    for path in out.glob("*.png"):
        Image.open(path).load()
    assert not list(out.glob(".*"))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals there")
def test_a_terminal_sees_a_progress_bar(clip, tmp_path):
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        command("restore", clip, *GEOMETRY, "--out", tmp_path / "out"),
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert b"Restoring" in seen


# ------------------------------------------------------------------ hostile targets


def test_results_never_become_the_reference_of_a_recording(run, tmp_path, planes):
    folder = tmp_path / "lonely"
    folder.mkdir()
    write_packed(folder / "walk.dat", planes)
    for out in (folder, tmp_path / "gt", tmp_path / "sharp", folder / "blur"):
        outcome = run("restore", folder / "walk.dat", *GEOMETRY, "--out", out)
        assert_refused(outcome, "would be taken for pictures", out)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["lonely", "walk.dat"]


def test_results_do_not_go_among_references_of_other_names(run, clip):
    for picture in (clip / "sharp").iterdir():
        picture.rename(picture.with_name(f"gt_{picture.name}"))
    before = sorted(clip.rglob("*"))
    assert_refused(run("restore", clip, *GEOMETRY, "--out", clip / "sharp"), "would be taken for pictures")
    assert sorted(clip.rglob("*")) == before


@pytest.mark.parametrize("name", ["x" * 300, "loop", "loop/deeper"])
def test_targets_that_cannot_be_are_refused(run, clip, tmp_path, name):
    (tmp_path / "loop").symlink_to("loop")
    assert_refused(run("restore", clip, *GEOMETRY, "--out", tmp_path / name), "cannot be written", "--out")


def test_what_stands_in_the_way_is_found_before_any_work(run, clip, tmp_path):
    out = tmp_path / "out"
    (out / "0010.png").mkdir(parents=True)
    assert_refused(run("restore", clip, *GEOMETRY, "--out", out, "--overwrite"), "in the way", "0010.png")
    (out / "0010.png").rmdir()
    (out / "0010.png").symlink_to("nowhere")
    assert_refused(run("restore", clip, *GEOMETRY, "--out", out), "already there", "0010.png")
    for sheet, said in (("sheet.jpg", "no known picture format"), ("missing/sheet.png", "no folder")):
        asked = ("--out", tmp_path / "other", "--side-by-side", tmp_path / sheet)
        assert_refused(run("restore", clip, *GEOMETRY, *asked), said)
    twice = ("--out", out, "--side-by-side", tmp_path / "sub" / ".." / "out" / "0008.png", "--overwrite")
    assert_refused(run("restore", clip, *GEOMETRY, *twice), "same name", "0008.png")
    assert [path.name for path in out.iterdir()] == ["0010.png"]


def test_the_second_of_two_processes_finds_the_folder_taken(run, clip, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()

    def lose_the_race(*_, **__):
        (out / "restore.json").write_text("{}")

    monkeypatch.setattr(restore_command, "check_targets", lose_the_race)
    assert_refused(run("restore", clip, *GEOMETRY, "--out", out), "another process", out / "restore.json")
    assert (out / "restore.json").read_text() == "{}"


def test_a_tilde_that_the_shell_left_alone_is_the_home_folder(run, clip, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert run("restore", clip, *GEOMETRY, "--frames", "0", "--out=~/results")[0] == 0
    assert (tmp_path / "results" / "0007.png").is_file()


def test_what_is_odd_about_the_files_is_printed_with_the_results(run, clip, tmp_path):
    status, out, error = run("restore", clip, *GEOMETRY, "--out", tmp_path / "out")
    assert (status, error) == (0, "")
    assert "an even spread, a guess" in out
    status, out, _ = run("evaluate", clip, *GEOMETRY)
    assert "an even spread, a guess" in out
    facts = json.loads(run("evaluate", clip, *GEOMETRY, "--json")[1])
    assert any("an even spread, a guess" in finding for finding in facts["findings"])


def test_a_reference_of_another_size_is_named(run, clip):
    for picture in (clip / "sharp").iterdir():
        Image.open(picture).resize((WIDTH // 2, HEIGHT // 2)).save(picture)
    assert_refused(run("evaluate", clip, *GEOMETRY), clip, "12 × 20", "24 × 40", "--reference")
