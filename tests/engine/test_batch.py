"""Every sequence below a folder, with one summary."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

import engine.commands.restore as restore_command
from engine.cli import main
from engine.export import write_picture
from engine.metrics import psnr
from engine.recording import write_packed

FRAMES = 3


def make_clip(folder, seed, *, sharp=True):
    random = np.random.default_rng(seed)
    for kind in ("blur", "sharp") if sharp else ("blur",):
        (folder / kind).mkdir(parents=True)
        for index in range(FRAMES):
            levels = random.integers(0, 256, (32, 48, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / kind / f"{index:04d}.png")
    write_packed(folder / "spike.dat", (random.random((FRAMES * 12, 16, 24)) < 0.3).astype(np.uint8))
    (folder / "config.yaml").write_text("spike_h: 16\nspike_w: 24\nspike_rate_hz: 1000\n")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "数据 set"
    make_clip(root / "a", 1)
    make_clip(root / "b", 2, sharp=False)
    make_clip(root / "c", 3)
    (root / "b" / "blur" / "0000.png").write_bytes(b"broken")
    (root / "c" / "spike.dat").write_bytes(b"")
    return root


def batch(root, out, *options):
    method = () if "--method" in options else ("--method", "spike-ratio")
    return main(["batch", str(root), "--out", str(out), *options, *method])


def summary(out):
    return json.loads((out / "batch.json").read_text())


def test_all_are_restored_and_what_is_broken_is_named(root, tmp_path, capsys):
    out = tmp_path / "out"

    assert batch(root, out) == 1

    rows = {row["name"]: row for row in summary(out)["sequences"]}
    assert list(rows) == ["a", "b", "c"]
    assert summary(out)["complete"]
    assert (rows["a"]["restored"], rows["a"]["failed"], rows["a"]["error"]) == (FRAMES, 0, None)
    assert rows["b"]["psnr"] is None
    assert "0000" in rows["b"]["error"]
    assert rows["b"]["restored"] == FRAMES - 1
    assert rows["c"]["restored"] == 0
    assert "spike.dat" in rows["c"]["error"]
    with (out / "batch.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["name"] for row in table] == ["a", "b", "c"]
    assert float(table[0]["psnr"]) == pytest.approx(rows["a"]["psnr"])
    printed = capsys.readouterr()
    assert "2 of 3 sequences have failures (b, c)" in printed.err
    by_hand = [
        psnr(
            *(np.asarray(Image.open(path)) / 255 for path in (out / "a" / name, root / "a" / "sharp" / name))
        )
        for name in ("0000.png", "0001.png", "0002.png")
    ]
    assert rows["a"]["psnr"] == pytest.approx(np.mean(by_hand))


def test_a_reference_that_cannot_be_read_costs_the_scores_of_its_frame_and_is_named(root, tmp_path, capsys):
    out = tmp_path / "out"
    (root / "a" / "sharp" / "0001.png").write_bytes(b"broken")

    batch(root, out)

    printed = capsys.readouterr().out
    frames = {row["name"]: row for row in json.loads((out / "a" / "restore.json").read_text())["frames"]}
    assert "0001.png" in frames["0001"]["unscored"]
    assert "psnr" not in frames["0001"]
    assert all("psnr" in frames[name] and "unscored" not in frames[name] for name in ("0000", "0002"))
    assert "a: 1 of 3 frames not scored (0001), the first because " in printed
    row = next(row for row in summary(out)["sequences"] if row["name"] == "a")
    assert row["psnr"] == pytest.approx(np.mean([frames[name]["psnr"] for name in ("0000", "0002")]))


def test_a_second_run_does_only_what_is_left(root, tmp_path, monkeypatch):
    out = tmp_path / "out"
    batch(root, out)
    first = summary(out)
    (out / "a" / "0001.png").unlink()
    made = []

    def write(path, picture, bit_depth):
        made.append(path.name)
        return write_picture(path, picture, bit_depth)

    monkeypatch.setattr(restore_command, "write_picture", write)
    batch(root, out)

    assert made == ["0001.png"]
    keys = ("name", "restored", "failed", "psnr", "ssim")
    assert [[row[key] for key in keys] for row in summary(out)["sequences"]] == [
        [row[key] for key in keys] for row in first["sequences"]
    ]


def test_results_among_the_sequences_are_refused(root, capsys):
    assert batch(root, root / "out") == 1
    assert "--out" in capsys.readouterr().err
    assert not (root / "out").exists()


def test_a_summary_of_other_sequences_is_not_replaced(root, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    table = out / "batch.csv"
    table.write_text("of the user")
    assert batch(root, out) == 1
    assert "batch.csv" in capsys.readouterr().err
    assert table.read_text() == "of the user"
    table.unlink()
    make_clip(tmp_path / "elsewhere" / "a", 5)
    assert batch(tmp_path / "elsewhere", out) == 0
    before = (out / "batch.json").read_bytes()
    capsys.readouterr()
    assert batch(root, out) == 1
    assert "elsewhere" in capsys.readouterr().err
    assert (out / "batch.json").read_bytes() == before


def test_a_folder_without_sequences_is_an_error(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert batch(tmp_path / "empty", tmp_path / "out") == 1
    assert "empty" in capsys.readouterr().err


def test_a_missing_network_is_one_error(root, tmp_path, capsys):
    assert batch(root, tmp_path / "out", "--method", "network", "--model", "nowhere.safetensors") == 1
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
