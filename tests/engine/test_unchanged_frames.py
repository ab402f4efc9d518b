"""A frame of which nothing could be known comes back as it was, and everything that reports it says so."""

import csv
import io
import json
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from engine.alignment import AlignmentWindow
from engine.cli import main
from engine.geometry import Region, Size, Span
from engine.recording import write_packed
from engine.restoration import evidence
from engine.restoration.evidence import describe_unchanged, missing_evidence
from engine.restoration.methods import Method
from engine.restoration.restoration import Restoration, restored
from engine.restoration.spike_ratio import SpikeRatio
from engine.sequence import open_sequence

SIZE = Size(48, 64)
FRAMES, EXPOSURE = 5, 24
RATE_HZ = 1000


def light_of(frames=FRAMES, *, moves=True):
    """Return the scene, (planes, H, W) in [0, 1]: a textured wall that moves to the right, or stands."""
    planes = frames * EXPOSURE
    columns = np.arange(SIZE.width)[None] - (np.arange(planes)[:, None] * 0.25 if moves else 0.0)
    wave = 0.5 + 0.25 * np.sin(columns * 0.5) + 0.15 * np.sin(columns * 0.23 + 1)
    slope = np.linspace(0.7, 1.0, SIZE.height)
    return wave[:, None, :] * slope[:, None] * np.ones((planes, 1, 1))


def spikes_of(light):
    charge = np.cumsum(light * 0.6, axis=0) + np.random.default_rng(2).random(light.shape[1:])
    return np.diff(np.floor(charge), axis=0, prepend=0).astype(np.uint8)


def make_clip(folder, light, spikes):
    """Write a unified clip with a sharp picture of every frame's middle."""
    for name in ("blur", "sharp"):
        (folder / name).mkdir(parents=True)
    for index, exposure in enumerate(light.reshape(-1, EXPOSURE, SIZE.height, SIZE.width)):
        for name, picture in (("blur", exposure.mean(axis=0)), ("sharp", exposure[EXPOSURE // 2])):
            levels = np.repeat(np.round(picture * 255).astype(np.uint8)[:, :, None], 3, axis=2)
            Image.fromarray(levels).save(folder / name / f"{index + 1:04d}.png")
    write_packed(folder / "spike.dat", spikes)
    facts = f"spike_h: {SIZE.height}\nspike_w: {SIZE.width}\nspike_rate_hz: {RATE_HZ}\ngamma: 1\n"
    (folder / "config.yaml").write_text(facts)
    return folder


@pytest.fixture
def clip(tmp_path):
    light = light_of()
    return make_clip(tmp_path / "clip", light, spikes_of(light))


@pytest.fixture
def run(capsys):
    def call(*arguments):
        status = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


RATIO = ("--method", "spike-ratio")


def report_of(out):
    return json.loads((out / "restore.json").read_text(encoding="utf-8"))


def levels(path):
    return np.asarray(Image.open(path))


def same_as_blurry(clip, out):
    return [
        path.stem
        for path in sorted(out.glob("*.png"))
        if np.array_equal(levels(path), levels(clip / "blur" / path.name))
    ]


def cut_to(clip, planes):
    (clip / "spike.dat").write_bytes(
        (clip / "spike.dat").read_bytes()[: planes * SIZE.height * SIZE.width // 8]
    )


def logged(clip, *, keep=FRAMES, planes=0):
    """Say in a log when the frames were exposed, and keep the planes of the first few and some more."""
    edges = [index * EXPOSURE / RATE_HZ for index in range(FRAMES + 1)]
    rows = [f"{index},{a},{b}" for index, (a, b) in enumerate(pairwise(edges))]
    (clip / "alignment.csv").write_text("\n".join(["frame_idx,t0,t1", *rows]) + "\n")
    cut_to(clip, keep * EXPOSURE + planes)


def test_frames_beyond_the_end_of_the_recording_are_counted_named_and_left_alone(run, clip, tmp_path):
    logged(clip, keep=2)
    out = tmp_path / "out"

    status, text, error = run("restore", clip, "--out", out, *RATIO)

    assert (status, error) == (0, "")
    assert "2 of 5 frames restored" in text
    assert "3 of 5 frames unchanged: 0003, 0004, 0005 (their windows hold no planes)" in text
    report = report_of(out)
    assert [row["unchanged"] for row in report["frames"]] == [None, None, *[evidence.NO_PLANES] * 3]
    assert report["unchanged"] == [
        {"index": index, "name": f"{index + 1:04d}", "reason": "its window holds no planes"}
        for index in (2, 3, 4)
    ]
    assert same_as_blurry(clip, out) == ["0003", "0004", "0005"]


def test_a_resumed_run_still_knows_what_came_back_unchanged(run, clip, tmp_path):
    logged(clip, keep=2)
    out = tmp_path / "out"
    first = run("restore", clip, "--out", out, *RATIO)[1]
    before = report_of(out)
    (out / "0004.png").unlink()

    status, text, _ = run("restore", clip, "--out", out, *RATIO, "--resume")

    assert status == 0
    line = next(line for line in first.splitlines() if "unchanged" in line)
    assert line in text
    assert report_of(out)["unchanged"] == before["unchanged"]
    again = run("restore", clip, "--out", out, *RATIO, "--resume")
    assert again[0] == 0
    assert "2 of 5 frames were restored before" in again[1]
    assert line in again[1]


@pytest.mark.parametrize("planes", [1, 2, 3])
def test_windows_of_too_few_planes_say_how_many(run, clip, tmp_path, planes):
    logged(clip, keep=4, planes=planes)
    out = tmp_path / "out"

    status, text, _ = run("restore", clip, "--out", out, *RATIO)

    assert status == 0
    kind = "plane" if planes == 1 else "planes"
    assert f"1 of 5 frames unchanged: 0005 (its window holds {planes} {kind} only)" in text
    assert same_as_blurry(clip, out) == ["0005"]


def test_one_missing_recording_among_many_is_named(run, clip, tmp_path):
    planes = spikes_of(light_of()).reshape(FRAMES, EXPOSURE, SIZE.height, SIZE.width)
    (clip / "spike.dat").unlink()
    (clip / "spike").mkdir()
    for index, part in enumerate(planes):
        if index != 2:
            write_packed(clip / "spike" / f"{index + 1:04d}.dat", part)
    out = tmp_path / "out"

    status, text, error = run("restore", clip, "--out", out, *RATIO)

    assert (status, error) == (0, "")
    assert "1 of 5 frames unchanged: 0003 (its spikes are missing)" in text
    assert same_as_blurry(clip, out) == ["0003"]


def test_a_dark_stretch_without_a_spike_is_named(run, clip, tmp_path):
    spikes = spikes_of(light_of())
    spikes[EXPOSURE : 2 * EXPOSURE] = 0
    write_packed(clip / "spike.dat", spikes)
    status, text, _ = run("restore", clip, "--out", tmp_path / "out", *RATIO)
    assert status == 0
    assert "1 of 5 frames unchanged: 0002 (its window holds no spikes)" in text


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("hot", ["one pixel", "a row"])
def test_hot_pixels_are_no_evidence_in_a_dark_stretch(run, clip, tmp_path, hot, flip):
    spikes = spikes_of(light_of())
    spikes[EXPOSURE : 2 * EXPOSURE] = 0
    spikes[:, 7, 21 if hot == "one pixel" else slice(None)] = 1
    write_packed(clip / "spike.dat", spikes, flip=flip)
    with (clip / "config.yaml").open("a") as config:
        config.write(f"spike_flip: {str(flip).lower()}\n")
    with open_sequence(clip) as sequence:
        assert sequence.defects.hot[7, 21]
        told = [missing_evidence(sequence, index) for index in range(FRAMES)]
        sound = sequence.sound_planes(0, FRAMES * EXPOSURE)
    assert told == ["", evidence.NO_SPIKES, "", "", ""]
    spikes[:, 7, 21 if hot == "one pixel" else slice(None)] = 0
    assert np.array_equal(np.bitwise_count(sound).sum(axis=1), spikes.sum(axis=(1, 2)))

    status, text, _ = run("restore", clip, "--out", tmp_path / "out", *RATIO)

    assert status == 0
    assert "1 of 5 frames unchanged: 0002 (its window holds no spikes)" in text
    assert same_as_blurry(clip, tmp_path / "out") == ["0002"]


def test_a_still_scene_is_right_as_it_is(run, tmp_path):
    light = light_of(moves=False)
    clip = make_clip(tmp_path / "still", light, spikes_of(light))

    status, text, error = run("restore", clip, "--out", tmp_path / "out", *RATIO)

    assert (status, error) == (0, "")
    assert "5 of 5 frames restored, 5 of them unchanged, in" in text
    assert "5 of 5 frames unchanged" in text
    assert "their spikes show no motion, so there is nothing to deblur" in text


def test_what_is_counted_as_unchanged_is_what_the_pictures_show(run, tmp_path):
    """A scene that moves, then stands, then is dark: the counts of all reports are those of the pictures."""
    stands, moves = light_of(moves=False), light_of()
    light = np.concatenate([moves[: 2 * EXPOSURE], stands[: 3 * EXPOSURE]])
    spikes = spikes_of(light)
    spikes[4 * EXPOSURE :] = 0
    clip = make_clip(tmp_path / "root" / "clip", light, spikes)

    status, text, error = run("restore", clip, "--out", tmp_path / "out", *RATIO)
    same = same_as_blurry(clip, tmp_path / "out")
    batch = run("batch", tmp_path / "root", "--out", tmp_path / "all", *RATIO)
    row = json.loads((tmp_path / "all" / "batch.json").read_text())["sequences"][0]

    assert (status, error, batch[0], row["error"]) == (0, "", 0, None)
    assert {"0004", "0005"} <= set(same)
    assert len(same) < FRAMES
    done, of_them = re.search(r"^(\d) of 5 frames restored, (\d) of them unchanged, in", text).groups()
    assert int(done) - int(of_them) == FRAMES - len(same)
    assert f"{len(same)} of 5 frames unchanged" in text
    assert (row["restored"], row["unchanged"]) == (int(done), len(same))


@pytest.mark.parametrize("kind", ["no spikes", "no planes"])
def test_nothing_is_written_where_nothing_could_be_restored(run, clip, tmp_path, kind):
    if kind == "no spikes":
        write_packed(clip / "spike.dat", np.zeros((FRAMES * EXPOSURE, SIZE.height, SIZE.width), np.uint8))
    else:
        logged(clip, keep=1)
    frames = () if kind == "no spikes" else ("--frames", "1:")
    out = tmp_path / "out"

    status, text, error = run("restore", clip, "--out", out, *RATIO, *frames)

    assert (status, text) == (1, "")
    assert error.count("\n") == 1
    assert "no frame can be restored: " in error
    assert kind in error
    assert not out.exists()


def test_a_region_of_a_frame_without_planes_is_unchanged_too(run, clip, tmp_path):
    logged(clip, keep=4)
    out = tmp_path / "out"
    status, text, _ = run("restore", clip, "--out", out, *RATIO, "--region", "8,8,32,24")
    assert status == 0
    assert "1 of 5 frames unchanged: 0005 (its window holds no planes)" in text
    assert same_as_blurry(clip, out) == ["0005"]


def test_evaluate_scores_unchanged_frames_and_names_them(run, clip, tmp_path):
    logged(clip, keep=3)
    table = tmp_path / "scores.csv"

    status, text, _ = run("evaluate", clip, *RATIO, "--csv", table)
    facts = json.loads(run("evaluate", clip, *RATIO, "--json")[1])

    assert status == 0
    assert "2 of 5 frames unchanged: 0004, 0005 (their windows hold no planes)" in text
    assert [row["name"] for row in facts["unchanged"]] == ["0004", "0005"]
    assert [row["unchanged"] for row in facts["frames"]] == [None] * 3 + ["its window holds no planes"] * 2
    assert facts["frames"][4]["blurry"] == facts["frames"][4]["restored"]
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    said = {(row["version"], row["frame"]): row["unchanged"] for row in rows}
    assert said["spike-ratio", "0004"] == "its window holds no planes"
    assert said["spike-ratio", "0001"] == said["blurry", "0004"] == ""


def test_a_batch_counts_them_and_names_them(run, clip, tmp_path):
    logged(clip, keep=2)
    light = light_of()
    root = tmp_path / "root"
    make_clip(root / "whole", light, spikes_of(light))
    clip.rename(root / "cut")
    dark = np.zeros((FRAMES * EXPOSURE, SIZE.height, SIZE.width), np.uint8)
    make_clip(root / "dark", light, dark)
    out = tmp_path / "out"

    status, text, error = run("batch", root, "--out", out, *RATIO)

    rows = {row["name"]: row for row in json.loads((out / "batch.json").read_text())["sequences"]}
    counts = ("restored", "failed", "unchanged")
    assert [rows["cut"][key] for key in counts] == [2, 0, 3]
    assert [rows["whole"][key] for key in counts] == [5, 0, 0]
    assert [rows["dark"][key] for key in counts] == [0, None, None]
    assert "no frame can be restored" in rows["dark"]["error"]
    assert status == 1
    assert "1 of 3 sequences have failures (dark)" in error
    assert "cut: 3 of 5 frames unchanged: 0003, 0004, 0005 (their windows hold no planes)" in text
    with (out / "batch.csv").open(newline="", encoding="utf-8") as file:
        assert [row["unchanged"] for row in csv.DictReader(file)] == ["3", "", "0"]


@dataclass
class Whiten(Method):
    """Makes everything white, whatever is known, or gives back what it gets."""

    name: str = "whiten"
    clip_frames: int = 2
    clip_overlap: int = 1
    overlap_px: int = 4
    default_tile_px: int | None = 32
    changes: bool = True
    fewest_planes: int = 1

    def prepare(self, sequence, clip, wanted):
        return np.stack([sequence.frame(moment.frame) for moment in wanted])

    def restore(self, prepared, region):
        cut = prepared[(slice(None), *region.slices)]
        return np.ones_like(cut) if self.changes else cut + np.float32(1e-4)


def results(sequence, method):
    request = Restoration.of_frames(sequence, Span(0, len(sequence)), method)
    return {step.frame: step for step in restored(request)}


def test_no_method_gets_to_invent_a_frame_without_planes(clip):
    logged(clip, keep=3)
    with open_sequence(clip) as sequence:
        frames = results(sequence, Whiten())
        assert [frames[index].unchanged for index in range(5)] == ["", "", "", *[evidence.NO_PLANES] * 2]
        for index in range(3):
            np.testing.assert_allclose(frames[index].picture, 1, atol=1e-6)
        for index in (3, 4):
            np.testing.assert_array_equal(frames[index].picture, sequence.frame(index))
        needs_none = results(sequence, Whiten(fewest_planes=0))
        assert not any(result.unchanged for result in needs_none.values())


def test_a_method_that_changes_less_than_a_file_can_hold_is_found_out(clip):
    with open_sequence(clip) as sequence:
        frames = results(sequence, Whiten(changes=False))
    assert {result.unchanged for result in frames.values()} == {evidence.NOTHING_CHANGED}


def test_a_sequence_without_a_recording_is_refused(run, clip, tmp_path):
    (clip / "spike.dat").unlink()
    status, _, error = run("restore", clip, "--out", tmp_path / "out", *RATIO)
    assert status == 1
    assert "this method needs spikes, and the sequence has none" in error


def test_a_window_is_judged_by_what_was_recorded_within_it(clip):
    """Against a plain count of the planes that lie in the window, for windows at every offset."""
    logged(clip, keep=2)
    recorded = 2 * EXPOSURE
    with open_sequence(clip) as sequence:
        for start in np.arange(-30, recorded + 5, 3.5):
            window = AlignmentWindow(float(start), float(start + 6.25))
            moved = sequence.with_windows([window] * FRAMES)
            inside = sum(start <= plane < start + 6.25 for plane in range(recorded))
            expected = {0: evidence.NO_PLANES, 1: "its window holds 1 plane only"}.get(
                inside, f"its window holds {inside} planes only" if inside < 4 else ""
            )
            assert missing_evidence(moved, 0, 4) == expected
            assert missing_evidence(moved, 0, 0) == ""


def test_reasons_are_grouped_and_long_lists_shortened():
    unchanged = [(str(n), evidence.NO_PLANES) for n in range(8)] + [("a", evidence.STILL)]
    assert describe_unchanged(unchanged, 20) == (
        "9 of 20 frames unchanged: 0, 1, 2, 3, 4 and 3 more (their windows hold no planes); "
        "a (its spikes show no motion, so there is nothing to deblur)"
    )
    assert describe_unchanged([], 3) == ""


def test_the_bundled_network_leaves_frames_without_planes_alone_and_says_so(run, clip, tmp_path):
    logged(clip, keep=3, planes=2)
    out = tmp_path / "out"

    status, text, error = run("restore", clip, "--out", out, "--method", "network")

    assert (status, error) == (0, "")
    assert "3 of 5 frames restored" in text
    assert "2 of 5 frames unchanged: 0004 (its window holds 2 planes only); 0005" in text
    assert same_as_blurry(clip, out) == ["0004", "0005"]


def test_remarks_in_the_report_end_with_what_to_do(run, clip, tmp_path, monkeypatch):
    restore = SpikeRatio.restore

    def run_out(method, prepared, region):
        if region == Region.whole(SIZE):
            raise MemoryError
        return restore(method, prepared, region)

    monkeypatch.setattr(SpikeRatio, "restore", run_out)

    status, text, _ = run("restore", clip, "--out", tmp_path / "out", *RATIO)

    (remark,) = report_of(tmp_path / "out")["remarks"]
    assert status == 0
    assert remark.endswith(". Close other programs to have larger pieces")
    assert f"Finding: {remark}" in text
