"""`generate`: what a folder of clips holds after runs of any length, and after runs that were killed."""

import errno
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.errors import EngineError, ExportError
from training.__main__ import main
from training.example import Example
from training.packed_clips import Generation, PackedClips, generate, write_shard
from training.simulated_data import Recipe, make_example

QUICK = Recipe(frames=2, frame_px=24, bins=8, exposure_planes=(10, 40), spike_scales=(1.0,))
QUICK_OPTIONS = [
    *("--frames", "2", "--frame-px", "24", "--bins", "8"),
    *("--exposure-planes", "10", "40", "--spike-scales", "1"),
]
PATIENCE_SECONDS = 60


def until(condition: Callable[[], object], process: psutil.Popen) -> None:
    """Wait for a condition while a process runs, and fail where it ends before."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        with pytest.raises(psutil.TimeoutExpired):
            process.wait(timeout=0.02)


def has_ended(process: psutil.Process) -> bool:
    """Say whether a process that is not our child computes no more, also where nobody buries it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def generate_quick(out: Path, clips: int) -> int:
    return generate(out, Generation(QUICK, (), 9, clips), workers=1)


def test_a_longer_run_completes_the_last_shard_of_a_shorter_one(tmp_path: Path) -> None:
    generate_quick(tmp_path, 2)

    told = generate_quick(tmp_path, 34)

    packed = PackedClips(tmp_path)
    assert told == len(packed) == 34
    for number in (0, 1, 2, 31, 33):
        np.testing.assert_array_equal(
            packed.example(number, 0).blurry, make_example(QUICK, (), 9, number).blurry
        )


def test_a_shorter_run_leaves_what_is_there_and_tells_how_many(tmp_path: Path) -> None:
    generate_quick(tmp_path, 34)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    told = generate_quick(tmp_path, 2)

    assert told == 34
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_progress_counts_the_clips_that_were_asked_for(tmp_path: Path) -> None:
    generate_quick(tmp_path, 34)
    reports: list[tuple[int, int]] = []

    for clips in (3, 40):
        generation = Generation(QUICK, (), 9, clips)
        generate(tmp_path, generation, workers=1, progress=lambda *report: reports.append(report))

    assert reports == [(3, 3), (32, 40), (40, 40)]


def test_the_command_tells_what_the_folder_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", "--out", str(tmp_path), "--workers", "1", *QUICK_OPTIONS]
    for clips in (2, 5, 3):
        assert main([*arguments, "--clips", str(clips)]) == 0

    first, longer, shorter = capsys.readouterr().out.splitlines()
    assert ": 2 clips in 1 files" in first
    assert ": 5 clips in 1 files" in longer
    assert ": 5 clips in 1 files" in shorter
    assert "3 were asked for" in shorter


def test_moments_are_kept_unless_the_centre_is_asked_for(tmp_path: Path) -> None:
    arguments = ["generate", "--workers", "1", "--clips", "2", *QUICK_OPTIONS]
    for name, options in (("both", []), ("centre", ["--moments", "centre"])):
        assert main([*arguments, "--out", str(tmp_path / name), *options]) == 0

    both, centre = (PackedClips(tmp_path / name).example(1, 0) for name in ("both", "centre"))

    assert both.moments is not None
    assert both.moments.shape == (2, 1)
    assert centre.moments is None
    np.testing.assert_array_equal(both.reference, centre.reference)


def test_a_shard_that_cannot_be_read_is_named_before_anything_is_simulated(tmp_path: Path) -> None:
    generate_quick(tmp_path, 2)
    (tmp_path / "clips-00000.npz").write_bytes(b"no archive")

    with pytest.raises(EngineError, match="clips-00000"):
        generate_quick(tmp_path, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_simulates_on_when_the_program_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "training", "generate", "--out", str(tmp_path), *QUICK_OPTIONS]
    process = psutil.Popen([*command, "--clips", "100000", "--workers", "2"], cwd=Path(__file__).parents[2])
    children: list[psutil.Process] = []
    try:
        until(lambda: len(list(tmp_path.glob(".clips-*.part"))) == 2, process)
        children = process.children(recursive=True)
        process.send_signal(how)
        assert process.wait(PATIENCE_SECONDS) == -how

        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(has_ended(child) for child in children):
            assert time.monotonic() < deadline, "a process simulates on"
            psutil.wait_procs(children, timeout=0.05)
    finally:
        for left in (process, *children):
            if left.is_running():
                left.kill()
    assert len(children) >= 2
    assert not list(tmp_path.glob(".clips-*"))


def test_an_interrupted_shard_leaves_no_file(tmp_path: Path) -> None:
    def examples() -> Iterator[Example]:
        yield make_example(QUICK, (), 1, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(tmp_path / "clips-00000.npz", examples())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "x"])
def test_a_file_in_the_place_of_the_folder_is_told_in_one_line(
    tmp_path: Path, below: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "FILE" / below
    (tmp_path / "FILE").write_text("mine", "utf-8")

    status = main(["generate", "--out", str(out), "--clips", "1", "--workers", "1", *QUICK_OPTIONS])

    (line,) = capsys.readouterr().err.splitlines()
    assert status == 1
    assert line.startswith(f"{out}: cannot be written")
    assert "choose another folder" in line
    assert (tmp_path / "FILE").read_text("utf-8") == "mine"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder that nobody can write to")
def test_a_folder_that_cannot_be_made_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["generate", "--out", "/proc/x", "--clips", "1", "--workers", "1", *QUICK_OPTIONS])

    (line,) = capsys.readouterr().err.splitlines()
    assert status == 1
    assert line.startswith("/proc/x: cannot be written")


def test_the_note_about_a_folder_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: Path, _target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(ExportError, match="No space left"):
        generate_quick(tmp_path, 1)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given",
    [
        "--exposure-planes 0 10",
        "--exposure-planes 30 10",
        "--density 0 0.5",
        "--density nan 0.5",
        "--motion-px 10 5",
        "--motion-px -3 5",
        "--linear-share 7",
        "--linear-share nan",
        "--world-share 7",
        "--rolling-share -1",
        "--spike-scales 0",
        "--frame-px -24",
        "--bins 5000",
        "--workers -2",
        "--clips 0",
    ],
)
def test_an_impossible_option_is_named_with_its_value_and_makes_no_folder(
    tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    usual = ["--workers", "1", "--clips", "1", *QUICK_OPTIONS]
    status = main(["generate", "--out", str(out), *usual, *given.split()])

    option, *values = given.split()
    (line,) = capsys.readouterr().err.splitlines()
    assert status == 1
    assert line.startswith(f"{option} must be ")
    assert f"got {' '.join(values)}" in line.replace("7.0", "7")
    assert not out.exists()
