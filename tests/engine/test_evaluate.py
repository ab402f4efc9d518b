"""Scores of several versions, whole and inside regions."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

import engine.commands.method_choice as method_choice
from engine.cli import main
from engine.recording import write_packed
from engine.restoration.methods import Method

FRAMES = 3
REGION = "8,4,24,16"


@pytest.fixture
def clip(tmp_path):
    """Frames with a reference, and a folder of results that are 10 levels off."""
    random = np.random.default_rng(5)
    folder = tmp_path / "clip"
    for kind in ("blur", "sharp"):
        (folder / kind).mkdir(parents=True)
    (tmp_path / "others").mkdir()
    for index in range(FRAMES):
        sharp = random.integers(20, 200, (32, 48, 3), dtype=np.uint8)
        Image.fromarray(sharp).save(folder / "sharp" / f"{index:04d}.png")
        blurry = sharp.copy()
        blurry[4:20, 8:32] += 30
        Image.fromarray(blurry).save(folder / "blur" / f"{index:04d}.png")
        Image.fromarray(sharp + 10).save(tmp_path / "others" / f"{index:04d}.png")
    write_packed(folder / "spike.dat", (random.random((FRAMES * 12, 16, 24)) < 0.3).astype(np.uint8))
    (folder / "config.yaml").write_text("spike_h: 16\nspike_w: 24\nspike_rate_hz: 1000\n")
    return folder


@pytest.fixture
def evaluate(clip, capsys):
    def call(*options):
        words = [str(option) for option in options]
        method = () if "--method" in words else ("--method", "spike-ratio")
        status = main(["evaluate", str(clip), *words, *method])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_regions_are_scored_by_themselves(evaluate, clip):
    status, out, _error = evaluate("--json", "--region", REGION, "--region", "40,24,8,8")

    assert status == 0
    facts = json.loads(out)
    inside, outside = facts["regions"]
    assert (inside["x"], inside["y"], inside["width"], inside["height"]) == (8, 4, 24, 16)
    assert inside["mean"]["blurry"]["psnr"] == pytest.approx(20 * np.log10(255 / 30))
    assert outside["mean"]["blurry"]["psnr"] is None  # the same picture
    whole = [np.asarray(Image.open(clip / kind / "0000.png")) for kind in ("sharp", "blur")]
    assert facts["frames"][0]["blurry"]["psnr"] == pytest.approx(peak_signal_noise_ratio(*whole))
    assert len(facts["frames"][0]["regions"]) == 2


def test_folders_and_methods_stand_in_one_table(evaluate, tmp_path):
    others = tmp_path / "others"

    status, out, _error = evaluate("--json", "--compare", others, "--compare", "spike-ratio")

    assert status == 0
    facts = json.loads(out)
    assert [version["name"] for version in facts["compared"]] == [str(others), "spike-ratio"]
    assert facts["compared"][0]["mean"]["restored"]["psnr"] == pytest.approx(20 * np.log10(255 / 10))
    assert facts["compared"][1]["mean"] == facts["mean"]
    text = evaluate("--compare", others)[1]
    assert "version" in text
    assert f"{20 * np.log10(255 / 10):7.2f}" in text


def test_the_table_has_a_row_for_all(evaluate, tmp_path):
    table = tmp_path / "scores 表.csv"

    assert evaluate("--compare", tmp_path / "others", "--region", REGION, "--csv", table)[0] == 0

    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * FRAMES * 2
    chosen = [row for row in rows if row["version"] == "blurry" and row["region"] == REGION]
    assert [row["frame"] for row in chosen] == ["0000", "0001", "0002"]
    assert float(chosen[0]["psnr"]) == pytest.approx(20 * np.log10(255 / 30))


def test_a_table_replaces_the_input_never_and_others_only_when_asked(evaluate, clip, tmp_path):
    spikes = (clip / "spike.dat").read_bytes()
    table = tmp_path / "table.csv"
    table.write_text("of the user")

    for target, said in ((clip / "spike.dat", "replace the input"), (table, "--overwrite"), (clip, "folder")):
        status, out, error = evaluate("--csv", target)
        assert (status, out) == (1, "")
        assert said in error
    assert evaluate("--csv", clip / "spike.dat", "--overwrite")[0] == 1
    assert evaluate("--csv", tmp_path / "missing" / "table.csv")[0] == 1
    assert (clip / "spike.dat").read_bytes() == spikes
    assert table.read_text() == "of the user"

    assert evaluate("--csv", table, "--overwrite")[0] == 0
    assert table.read_text().startswith("version,frame,region,psnr")


def test_results_are_scored_where_the_method_itself_cannot_run(evaluate, clip, tmp_path):
    (clip / "spike.dat").unlink()

    status, out, error = evaluate("--json", "--compare", tmp_path / "others")

    assert status == 1
    assert "spike-ratio: " in error
    facts = json.loads(out)
    assert facts["mean"] is None
    assert facts["compared"][0]["mean"]["restored"]["psnr"] == pytest.approx(20 * np.log10(255 / 10))
    text = evaluate("--compare", tmp_path / "others")[1]
    assert "no frame could be scored" in text


def test_a_frame_missing_from_the_results_is_named(evaluate, tmp_path):
    (tmp_path / "others" / "0001.png").unlink()

    status, out, error = evaluate("--json", "--compare", tmp_path / "others")

    assert status == 1
    assert "0001" in error
    assert [row["index"] for row in json.loads(out)["compared"][0]["frames"]] == [0, 2]


@pytest.mark.parametrize("region", ["0,0,49,10", "40,30,8,3"])
def test_a_region_outside_the_frames_is_refused(evaluate, region):
    status, _out, error = evaluate("--region", region)
    assert status == 1
    assert region in error


@pytest.mark.parametrize("region", ["", "1,2,3", "a,b,c,d", "0,0,0,5", "-1,0,5,5"])
def test_what_is_no_region_is_wrong_usage(evaluate, region):
    status, _out, error = evaluate(f"--region={region}")
    assert status == 2
    assert "X,Y,WIDTH,HEIGHT" in error


def test_two_networks_are_told_apart(evaluate, monkeypatch):
    monkeypatch.setattr(method_choice, "make_method", lambda name, *_: Unchanged(name))

    status, out, _error = evaluate("--method", "network", "--model", "first.pth", "--compare", "second.pth")

    assert status == 0
    rows = [line.split()[0] for line in out.splitlines() if " whole " in line]
    assert rows == ["blurry", "first.pth", "second.pth"]


class Unchanged(Method):
    """Gives every frame back as it is."""

    clip_frames, clip_overlap, overlap_px, multiple_px, default_tile_px = 1, 0, 0, 1, None

    def __init__(self, name):
        self.name = name

    def prepare(self, sequence, clip, wanted):
        return sequence.frame(clip.start)

    def restore(self, prepared, region):
        return prepared[region.slices][None]


def test_what_is_nothing_to_compare_is_refused(evaluate):
    status, _out, error = evaluate("--compare", "no such thing")
    assert status == 1
    assert "no such thing" in error
