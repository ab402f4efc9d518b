"""Restorations that were stopped go on, and give the very same files."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import engine.commands.method_choice as method_choice
import engine.commands.restore as restore_command
from engine.cli import main
from engine.errors import ExportError
from engine.export import write_picture
from engine.model import ModelCard, VRTConfig, VRTSpikeConfig, build, save_model
from engine.recording import write_packed
from engine.restoration.methods import Method
from engine.voxels import VoxelSpec

FRAMES = 9
SAMPLE = Path(__file__).resolve().parents[2] / "resources" / "samples" / "city"
TINY = VRTSpikeConfig(
    vrt=VRTConfig(
        window_size=(4, 4, 4),
        depths=(2,) * 7 + (1,),
        indep_reconsts=(),
        embed_dims=(8,) * 8,
        num_heads=(2,) * 8,
        deformable_groups=2,
        flow_widths=(4, 4, 4, 4),
    ),
    spike_bins=4,
    channels_per_scale=(8, 8, 8, 8),
)


class PowerCut(BaseException):
    """Nothing that the program catches."""


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_model(path, build(TINY).eval(), VoxelSpec(bins=4), ModelCard(name="tiny"))
    return path


@pytest.fixture
def clip(tmp_path):
    make_clip(tmp_path / "clip")
    return tmp_path / "clip"


def make_clip(folder: Path, seed: int = 8) -> None:
    random = np.random.default_rng(seed)
    (folder / "blur").mkdir(parents=True)
    (folder / "sharp").mkdir()
    for index in range(FRAMES):
        for kind in ("blur", "sharp"):
            levels = random.integers(0, 256, (32, 48, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / kind / f"{index:04d}.png")
    write_packed(folder / "spike.dat", (random.random((FRAMES * 12, 16, 24)) < 0.3).astype(np.uint8))
    (folder / "config.yaml").write_text("spike_h: 16\nspike_w: 24\nspike_rate_hz: 1000\n")


def restore(clip, out, *options) -> int:
    words = [str(option) for option in options]
    method = () if "--method" in words else ("--method", "spike-ratio")
    return main(["restore", str(clip), "--out", str(out), *words, *method])


def network(model_file):
    return "--method", "network", "--model", model_file


def written(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.png"))}


def cut_power_after(monkeypatch, frames: int) -> None:
    done = []

    def write(path, picture, bit_depth):
        if len(done) == frames:
            raise PowerCut
        done.append(path)
        return write_picture(path, picture, bit_depth)

    monkeypatch.setattr(restore_command, "write_picture", write)


@pytest.mark.parametrize("frames_before", [1, 4])
def test_a_network_goes_on_to_the_very_same_files(clip, model_file, tmp_path, monkeypatch, frames_before):
    assert restore(clip, tmp_path / "at once", *network(model_file)) == 0
    with monkeypatch.context() as patch:
        cut_power_after(patch, frames_before)
        with pytest.raises(PowerCut):
            restore(clip, tmp_path / "cut", *network(model_file))
    assert len(written(tmp_path / "cut")) == frames_before

    assert restore(clip, tmp_path / "cut", *network(model_file), "--resume") == 0

    assert written(tmp_path / "cut") == written(tmp_path / "at once")
    report = json.loads((tmp_path / "cut" / "restore.json").read_text())
    assert report["complete"]
    assert [row["index"] for row in report["frames"]] == list(range(FRAMES))
    assert not (tmp_path / "cut" / "restore.jsonl").exists()


def test_a_process_killed_at_any_moment_goes_on(tmp_path):
    command = [sys.executable, "-m", "engine", "restore", str(SAMPLE), "--method", "spike-ratio", "--out"]
    subprocess.run([*command, str(tmp_path / "at once")], check=True, capture_output=True, timeout=120)
    log = tmp_path / "killed" / "restore.jsonl"
    process = subprocess.Popen([*command, str(tmp_path / "killed")], stdout=subprocess.DEVNULL)
    try:
        stop = time.monotonic() + 60
        while time.monotonic() < stop and not (log.exists() and log.read_bytes().count(b"\n") >= 3):
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait(30)
    assert 3 <= len(written(tmp_path / "killed")) < 12

    again = [*command, str(tmp_path / "killed"), "--resume"]
    subprocess.run(again, check=True, capture_output=True, timeout=120)

    assert written(tmp_path / "killed") == written(tmp_path / "at once")


def test_failures_before_the_cut_change_nothing(clip, model_file, tmp_path, monkeypatch):
    (clip / "blur" / "0003.png").write_bytes(b"broken")
    assert restore(clip, tmp_path / "at once", *network(model_file)) == 1
    with monkeypatch.context() as patch:
        cut_power_after(patch, 5)
        with pytest.raises(PowerCut):
            restore(clip, tmp_path / "cut", *network(model_file))

    assert restore(clip, tmp_path / "cut", *network(model_file), "--resume") == 1

    assert written(tmp_path / "cut") == written(tmp_path / "at once")
    assert len(written(tmp_path / "cut")) == FRAMES - 1
    report = json.loads((tmp_path / "cut" / "restore.json").read_text())
    assert [row["name"] for row in report["failed"]] == ["0003"]


def test_a_picture_that_is_gone_or_cut_short_is_made_again(clip, tmp_path):
    assert restore(clip, tmp_path / "out") == 0
    before = written(tmp_path / "out")
    (tmp_path / "out" / "0002.png").unlink()
    (tmp_path / "out" / "0005.png").write_bytes(b"half")

    assert restore(clip, tmp_path / "out", "--resume") == 0

    assert written(tmp_path / "out") == before


def test_a_line_that_was_cut_short_is_no_frame(clip, tmp_path, monkeypatch):
    assert restore(clip, tmp_path / "at once") == 0
    with monkeypatch.context() as patch:
        cut_power_after(patch, 4)
        with pytest.raises(PowerCut):
            restore(clip, tmp_path / "cut")
    log = tmp_path / "cut" / "restore.jsonl"
    log.write_bytes(log.read_bytes()[:-20])

    assert restore(clip, tmp_path / "cut", "--resume") == 0

    assert written(tmp_path / "cut") == written(tmp_path / "at once")


def test_nothing_is_done_twice(clip, tmp_path, capsys, monkeypatch):
    assert restore(clip, tmp_path / "out") == 0
    capsys.readouterr()
    monkeypatch.setattr(restore_command, "write_picture", None)

    assert restore(clip, tmp_path / "out", "--resume") == 0

    assert "restored before" in capsys.readouterr().out


def test_without_an_earlier_run_it_begins(clip, tmp_path):
    assert restore(clip, tmp_path / "out", "--resume") == 0
    assert len(written(tmp_path / "out")) == FRAMES


@pytest.mark.parametrize("change", ["frame", "spikes", "option", "model", "new file"])
def test_other_input_is_refused_by_name(clip, model_file, tmp_path, capsys, monkeypatch, change):
    options = list(network(model_file))
    with monkeypatch.context() as patch:
        cut_power_after(patch, 3)
        with pytest.raises(PowerCut):
            restore(clip, tmp_path / "out", *options)
    before = written(tmp_path / "out")
    expected = change
    if change == "frame":
        Image.new("RGB", (48, 32)).save(clip / "blur" / "0006.png")
        expected = "0006.png has changed"
    elif change == "spikes":
        write_packed(clip / "spike.dat", np.ones((FRAMES * 12, 16, 24), np.uint8))
        expected = "spike.dat has changed"
    elif change == "option":
        options += ["--tile", "32"]
        expected = "tile was null, is [32, 32]"
    elif change == "model":
        torch.manual_seed(4)
        save_model(model_file, build(TINY).eval(), VoxelSpec(bins=4), ModelCard(name="tiny"))
        expected = "model_sha256"
    else:
        shutil.copy(clip / "blur" / "0008.png", clip / "blur" / "0009.png")
        expected = "0009.png is new"
    capsys.readouterr()

    assert restore(clip, tmp_path / "out", *options, "--resume") == 1

    error = capsys.readouterr().err
    assert expected in error
    assert "--overwrite" in error
    assert written(tmp_path / "out") == before


def test_a_report_of_something_else_is_refused(clip, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    for content in ("not json", "[]", '{"frames": []}'):
        (tmp_path / "out" / "restore.json").write_text(content)
        assert restore(clip, tmp_path / "out", "--resume") == 1
        assert "restore.json" in capsys.readouterr().err


def test_a_process_killed_before_its_first_word_leaves_nothing_in_the_way(clip, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "restore.json").touch()
    (out / f".{'0a' * 8}.part").write_bytes(b"half a picture")
    (out / ".mine.part").write_bytes(b"of the user")

    assert restore(clip, out, "--resume") == 0

    assert len(written(out)) == FRAMES
    assert [path.name for path in out.glob(".*")] == [".mine.part"]


def test_numbers_that_are_none_cost_only_the_frame_that_has_them(clip, tmp_path, capsys, monkeypatch):
    assert restore(clip, tmp_path / "at once") == 0
    monkeypatch.setattr(method_choice, "make_method", lambda *_: OneFrameIsNoNumber())

    assert restore(clip, tmp_path / "out") == 1

    error = capsys.readouterr().err
    assert "1 of 9 frames failed (0005)" in error
    assert sorted(written(tmp_path / "out")) == [f"{at:04d}.png" for at in range(FRAMES) if at != 5]


class OneFrameIsNoNumber(Method):
    """Gives its clips of four back as they are, but one frame without values."""

    name, clip_frames, clip_overlap = "spike-ratio", 4, 0
    overlap_px, multiple_px, default_tile_px = 0, 1, None

    def prepare(self, sequence, clip, wanted):
        return [sequence.frame(one.frame) * (np.nan if one.frame == 5 else 1) for one in wanted]

    def restore(self, prepared, region):
        return np.stack([picture[region.slices] for picture in prepared])


def test_a_full_disk_ends_with_a_summary_and_goes_on_when_there_is_space(clip, tmp_path, capsys, monkeypatch):
    assert restore(clip, tmp_path / "at once") == 0

    def fail(path, *_):
        raise ExportError("cannot be written", path=path, found="No space left on device")

    def write(path, picture, bit_depth):
        if path.name > "0002.png":
            monkeypatch.setattr(restore_command, "write_text_atomically", fail)
            fail(path)
        return write_picture(path, picture, bit_depth)

    with monkeypatch.context() as patch:
        patch.setattr(restore_command, "write_picture", write)
        assert restore(clip, tmp_path / "out") == 1
    monkeypatch.undo()
    printed = capsys.readouterr()
    assert "3 of 9 frames restored" in printed.out
    assert "3 of 9 frames failed (0003, 0004, 0005)" in printed.err
    assert "No space left" in printed.err
    assert "3 frames after them were not tried" in printed.err

    assert restore(clip, tmp_path / "out", "--resume") == 0

    assert written(tmp_path / "out") == written(tmp_path / "at once")


def test_a_frame_that_cannot_be_written_is_named_and_made_later(clip, tmp_path, capsys, monkeypatch):
    assert restore(clip, tmp_path / "at once") == 0

    def write(path, picture, bit_depth):
        if path.name == "0004.png":
            raise ExportError("cannot be written", path=path, found="No space left on device")
        return write_picture(path, picture, bit_depth)

    with monkeypatch.context() as patch:
        patch.setattr(restore_command, "write_picture", write)
        assert restore(clip, tmp_path / "out") == 1
    assert "0004" in capsys.readouterr().err
    assert len(written(tmp_path / "out")) == FRAMES - 1

    assert restore(clip, tmp_path / "out", "--resume") == 0

    assert written(tmp_path / "out") == written(tmp_path / "at once")
