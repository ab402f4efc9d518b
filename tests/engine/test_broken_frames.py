"""One frame that cannot be read, prepared or computed costs that frame, whatever was raised."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

import engine.commands.batch as batch_command
import engine.commands.restore as restore_command
from engine.cli import main
from engine.errors import FrameError, UnexpectedError
from engine.geometry import Size, Span
from engine.moment import centres
from engine.recording import write_packed
from engine.restoration.events import FrameFailed, FrameRestored
from engine.restoration.frame_run import Earlier, FrameRun
from engine.restoration.methods import Method
from engine.restoration.options import ComputeOptions
from engine.restoration.settings import settle
from engine.sequence import Sequence, open_sequence

SIZE = Size(8, 12)
ANYTHING = [
    ImportError("no module named compression.zstd"),
    KeyError("273"),
    RecursionError("maximum recursion depth exceeded"),
    AttributeError("'NoneType' object has no attribute 'pages'"),
    OSError(5, "Input/output error"),
    FrameError("not a picture", path="0002.png"),
]


class Frames:
    """Frames of one value each; some raise when they are read."""

    frame_size, recording, bit_depth = SIZE, None, 8

    def __init__(self, count, broken=None):
        self.count = count
        self.broken = broken or {}

    def __len__(self):
        return self.count

    def frame(self, index):
        if index in self.broken:
            raise self.broken[index]
        return np.full((SIZE.height, SIZE.width, 3), index / 1000, np.float32)

    def frame_name(self, index):
        return f"{index:04d}"

    def forget_spikes(self, frames):
        pass


@dataclass
class Clips(Method):
    """Adds to every frame a tenth for each frame in its clip; may raise for some."""

    name: str = "clips"
    clip_frames: int = 3
    clip_overlap: int = 1
    raises: dict = field(default_factory=dict)
    clips: list = field(default_factory=list)

    def prepare(self, sequence, clip, wanted):
        frames = {index: sequence.frame(index) for index in range(clip.start, clip.stop)}
        return clip, np.stack([frames[moment.frame] for moment in wanted])

    def restore(self, prepared, region):
        clip, frames = prepared
        self.clips.append(clip)
        for frame, error in self.raises.items():
            if frame in clip:
                raise error
        return frames[(slice(None), *region.slices)] + np.float32(0.1 * len(clip))


def run_of(sequence, method, frames=None, **options):
    frames = frames or Span(0, len(sequence))
    layout = settle(sequence.frame_size, len(sequence), method, ComputeOptions())
    return FrameRun(sequence, centres(frames), method, layout, **options)


def outcome(run):
    steps = [step for step in run.steps(lambda: False) if isinstance(step, FrameRestored | FrameFailed)]
    return (
        [step.frame for step in steps if isinstance(step, FrameRestored)],
        [step for step in steps if isinstance(step, FrameFailed)],
    )


@pytest.mark.parametrize("error", ANYTHING, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", [0, 4, 8])
def test_whatever_reading_raises_costs_one_frame_of_a_clip(error, place):
    sequence = Frames(9, {place: error})
    done, failures = outcome(run_of(sequence, Clips()))
    assert done == [index for index in range(9) if index != place]
    assert [failure.frame for failure in failures] == [place]
    told = str(failures[0].error)
    assert str(error) in told or "273" in told
    assert told.startswith("unexpected: ") == (not isinstance(error, FrameError))


def test_no_clip_reaches_across_a_frame_that_failed():
    sequence, method = Frames(9, {4: KeyError("x")}), Clips()
    outcome(run_of(sequence, method))
    assert all(4 not in clip for clip in method.clips)


def test_more_broken_files_at_the_start_than_a_run_gives_up_after_stop_nothing():
    sequence = Frames(40, {index: FrameError("not a picture") for index in range(12)})
    done, failures = outcome(run_of(sequence, Clips()))
    assert done == list(range(12, 40))
    assert [failure.frame for failure in failures] == list(range(12))


def test_a_neighbour_that_is_broken_costs_nothing_that_was_asked_for():
    sequence = Frames(9, {5: FrameError("not a picture")})
    run = run_of(sequence, Clips(), Span(4, 5))
    done, failures = outcome(run)
    assert done == [4]
    assert [(failure.frame, failure.is_beside) for failure in failures] == [(5, True)]


def test_a_run_that_goes_on_behind_a_broken_neighbour_plans_as_before():
    sequence = Frames(12, {7: FrameError("not a picture")})
    first = Clips()
    _, failures = outcome(run_of(sequence, first, Span(3, 7)))
    again = Clips()
    earlier = Earlier(frozenset(centres([3, 4])), tuple(failures))
    done, _ = outcome(run_of(sequence, again, Span(3, 7), earlier=earlier))
    assert done == [5, 6]
    assert set(again.clips) <= set(first.clips)


def test_a_mistake_of_the_program_is_not_told_for_every_frame():
    sequence, method = Frames(100), Clips(clip_frames=1, clip_overlap=0)
    method.raises = {index: ZeroDivisionError("float division") for index in range(2, 100)}
    run = run_of(sequence, method)
    done, failures = outcome(run)
    assert done == [0, 1]
    assert [failure.frame for failure in failures] == [2, 3, 4]
    assert run.has_given_up


def test_where_nothing_works_the_first_reason_is_raised():
    method = Clips(raises=dict.fromkeys(range(50), ValueError("no")))
    with pytest.raises(UnexpectedError, match="unexpected: ValueError: no"):
        outcome(run_of(Frames(50), method))
    with pytest.raises(FrameError, match="not a picture"):
        outcome(run_of(Frames(6, dict.fromkeys(range(6), FrameError("not a picture"))), Clips()))


def test_shortage_of_memory_is_no_broken_frame():
    with pytest.raises(MemoryError):
        outcome(run_of(Frames(4, {1: MemoryError()}), Clips()))


# ------------------------------------------------------------------ the commands


FRAMES = 4


def make_clip(folder, seed=1):
    random = np.random.default_rng(seed)
    for kind in ("blur", "sharp"):
        (folder / kind).mkdir(parents=True)
        for index in range(FRAMES):
            levels = random.integers(0, 256, (32, 48, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / kind / f"{index:04d}.png")
    write_packed(folder / "spike.dat", (random.random((FRAMES * 12, 16, 24)) < 0.3).astype(np.uint8))
    (folder / "config.yaml").write_text("spike_h: 16\nspike_w: 24\nspike_rate_hz: 1000\n")
    return folder


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "root" / "a")


def broken(monkeypatch, error, index=1, what="frame"):
    """Let reading one picture of every sequence raise."""
    read = getattr(Sequence, what)

    def frame(self, at):
        if at == index:
            raise error
        return read(self, at)

    monkeypatch.setattr(Sequence, what, frame)


@pytest.mark.parametrize("error", ANYTHING, ids=lambda error: type(error).__name__)
def test_restore_names_the_frame_and_writes_the_others(clip, tmp_path, monkeypatch, capsys, error):
    broken(monkeypatch, error)
    out = tmp_path / "out"
    assert main(["restore", str(clip), "--out", str(out), "--method", "spike-ratio"]) == 1
    assert sorted(path.name for path in out.glob("*.png")) == ["0000.png", "0002.png", "0003.png"]
    printed = capsys.readouterr()
    assert "1 of 4 frames failed (0001)" in printed.err
    assert printed.err.count("\n") == 1
    report = json.loads((out / "restore.json").read_text())
    assert [row["name"] for row in report["failed"]] == ["0001"]
    assert report["complete"]


@pytest.mark.parametrize("what", ["frame", "reference"])
def test_evaluate_names_the_frame_and_scores_the_others(clip, monkeypatch, capsys, what):
    broken(monkeypatch, KeyError("273"), what=what)
    assert main(["evaluate", str(clip), "--method", "spike-ratio", "--json"]) == 1
    printed = capsys.readouterr()
    facts = json.loads(printed.out)
    assert [row["name"] for row in facts["frames"]] == ["0000", "0002", "0003"]
    assert [row["message"] for row in facts["failed"]] == ["unexpected: KeyError: '273'"]
    assert "1 of 4 frames failed (0001)" in printed.err


@pytest.mark.parametrize(
    "error",
    [KeyError("273"), RecursionError("too deep"), OSError(5, "Input/output error"), MemoryError()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("place", ["open_source", "Restoration", "make_folder", "write_text_atomically"])
def test_a_batch_survives_whatever_one_sequence_raises(tmp_path, monkeypatch, capsys, error, place):
    root, out = tmp_path / "root", tmp_path / "out"
    for name in "abc":
        make_clip(root / name)
    step = getattr(restore_command, place)
    calls = []

    def raising(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 1:
            raise error
        return step(*arguments, **options)

    monkeypatch.setattr(restore_command, place, raising)
    status = main(["batch", str(root), "--out", str(out), "--method", "spike-ratio"])
    rows = json.loads((out / "batch.json").read_text())
    assert status == 1
    assert rows["complete"]
    assert [row["name"] for row in rows["sequences"]] == ["a", "b", "c"]
    assert rows["sequences"][0]["error"]
    assert [row["error"] for row in rows["sequences"][1:]] == [None, None]
    assert "1 of 3 sequences have failures (a)" in capsys.readouterr().err


def test_a_batch_survives_a_row_that_cannot_be_summed_up(tmp_path, monkeypatch, capsys):
    root, out = tmp_path / "root", tmp_path / "out"
    for name in "ab":
        make_clip(root / name)
    mean, calls = batch_command._mean, []

    def failing_once(result, score):
        calls.append(score)
        return 1 / 0 if len(calls) == 1 else mean(result, score)

    monkeypatch.setattr(batch_command, "_mean", failing_once)
    assert main(["batch", str(root), "--out", str(out), "--method", "spike-ratio"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert json.loads((out / "batch.json").read_text())["complete"]


@pytest.mark.parametrize("error", [FrameError("damaged"), UnexpectedError(KeyError("273"))])
def test_frames_that_cannot_be_asked_about_defects_are_passed_over(clip, monkeypatch, error):
    with open_sequence(clip) as sequence:
        kept = [frame.copy() for frame in sequence._frames_to_ask()]
        broken(monkeypatch, error, index=0)
        asked = list(sequence._frames_to_ask())
    assert len(asked) == len(kept) - 1
    assert all(np.array_equal(one, other) for one, other in zip(asked, kept[1:], strict=True))
