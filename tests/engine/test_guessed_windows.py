"""Guessed windows follow what there is: frame numbers over gaps, lost frames, a video's time stamps."""

import itertools
import json
import unicodedata
from collections.abc import Sequence as SequenceOf
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.cli import main
from engine.exposures import guessed_exposures
from engine.sequence import Sequence, open_sequence
from engine.slots import Slots, even_slots, names_beside, slots_of_names, slots_of_times

PLANES = 120
HEIGHT, WIDTH = 8, 12


def windows_of(slots: Slots, planes: int = PLANES) -> list[tuple[float, float]]:
    windows = guessed_exposures(slots, planes, None).windows
    return [(round(window.start, 6), round(window.stop, 6)) for window in windows]


def said(slots: Slots, planes: int = PLANES) -> str:
    (finding,) = guessed_exposures(slots, planes, None).findings
    assert finding.startswith("nothing says when the frames were exposed: ")
    assert finding.endswith("a guess") or "a guess: " in finding
    return str(finding)


def in_slots(numbers: SequenceOf[float], first: float, last: float, step: float) -> list[tuple[float, float]]:
    """Windows of frames that fill one slot of `step` each, the recording covering [first, last + step)."""
    scale = PLANES / (last + step - first)
    return [
        (round((number - first) * scale, 6), round((number - first + step) * scale, 6)) for number in numbers
    ]


# ------------------------------------------------------------------ numbers


def test_a_missing_number_leaves_its_slot_empty() -> None:
    numbers = [n for n in range(1, 13) if n != 7]
    slots = slots_of_names([str(n) for n in numbers])
    assert windows_of(slots) == in_slots(numbers, 1, 12, 1)
    assert windows_of(slots)[5:7] == [(50, 60), (70, 80)]
    assert "an even spread over frame numbers 1 to 12 (7 missing), a guess" in said(slots)


@given(st.integers(1, 40), st.integers(0, 10**12), st.sets(st.integers(1, 19), max_size=8))
def test_any_gaps_at_any_step_keep_the_grid(step: int, first: int, gaps: set[int]) -> None:
    # Neighbours enough to say what the step is.
    places = [place for place in range(40) if place not in gaps]
    slots = slots_of_names([f"frame_{first + place * step:05d}" for place in places])
    wanted = in_slots(places, places[0], 39, 1)
    np.testing.assert_allclose(windows_of(slots), wanted, atol=1e-5)


def test_whole_series_and_names_without_numbers_are_spread_evenly() -> None:
    even = windows_of(even_slots(4))
    assert even == [(0, 30), (30, 60), (60, 90), (90, 120)]
    for names in (
        ["1", "2", "3", "4"],
        ["f5", "f10", "f15", "f20"],
        ["a", "b", "c", "d"],
        ["a1", "b2", "c4", "d5"],
        ["0.5", "0.52", "0.6", "0.9"],
        ["1", "01", "2", "5"],
        ["t0.5", "t0.6", "t0.52", "t0.54"],
    ):
        assert windows_of(slots_of_names(names)) == even
        assert said(slots_of_names(names)).endswith("their windows are an even spread, a guess")
    assert windows_of(slots_of_names(["7"])) == [(0, 120)]


def test_frames_that_are_known_to_be_lost_keep_their_slots() -> None:
    slots = slots_of_names(["1", "2", "3", "4"], ["5", "poster", "0007 copy"])
    assert windows_of(slots) == in_slots([1, 2, 3, 4], 1, 5, 1)
    assert "1 to 5 (5 missing)" in said(slots)
    assert windows_of(slots_of_names(["2", "4"], ["1", "3"])) == in_slots([2, 4], 1, 4, 1)


def test_references_tell_of_frames_only_where_both_are_numbered_alike() -> None:
    assert names_beside(["2", "3", "5"], ["1", "2", "3", "4", "5", "6"]) == ("1", "4", "6")
    assert names_beside(["1", "9", "17"], [str(n) for n in range(1, 18)]) == ()
    assert names_beside(["2", "3", "7"], ["1", "2", "3"]) == ()
    assert names_beside(["a", "b"], ["a", "b", "c"]) == ()


def test_time_stamps_as_names_are_followed_with_their_jitter() -> None:
    stamps = [1_690_000_000_000 + t for t in (0, 33_100, 66_500, 100_200, 199_800, 233_300)]
    starts = [start for start, _stop in windows_of(slots_of_names([f"cam_{t}" for t in stamps]))]
    wanted = np.array(stamps) - stamps[0]
    # One exposure follows the last stamp: the mean step, 233 300 over 7.
    np.testing.assert_allclose(starts, wanted / (233_300 + 233_300 / 7) * PLANES, atol=1e-4)


def test_numbers_that_are_rounded_lie_on_the_grid() -> None:
    # Every 10/3 of a number.
    numbers = [0, 3, 7, 10, 13, 17, 20, 27, 30]
    assert windows_of(slots_of_names([str(n) for n in numbers])) == in_slots(
        [0, 1, 2, 3, 4, 5, 6, 8, 9], 0, 9, 1
    )


def test_numbers_that_cannot_be_times_are_not_followed_and_said() -> None:
    slots = slots_of_names(["f1", "f2", "f3", "f1690000000123"])
    assert windows_of(slots) == windows_of(even_slots(4))
    assert "leap by 1 to 1.69e+12 and are not followed" in said(slots)


def test_a_recording_too_short_for_the_numbers_is_spread_evenly() -> None:
    slots = slots_of_names(["1", "2", "3", "400"])
    assert windows_of(slots) == windows_of(even_slots(4))
    assert "400 frames, counted with those missing, are more than the recording's planes" in said(slots)
    assert windows_of(slots, 800)[-1] == (798, 800)


def test_a_known_exposure_lies_in_the_middle_of_its_slot() -> None:
    windows = guessed_exposures(slots_of_names(["1", "2", "4"]), 40, 4).windows
    assert [(window.start, window.stop) for window in windows] == [(3, 7), (13, 17), (33, 37)]


# ------------------------------------------------------------------ time stamps


def test_frames_that_a_video_left_out_keep_their_slots() -> None:
    slots = slots_of_times(np.array([0, 40, 80, 240, 280, 320, 360]) / 1000)
    assert windows_of(slots, 400) == [
        (0, 40),
        (40, 80),
        (80, 120),
        (240, 280),
        (280, 320),
        (320, 360),
        (360, 400),
    ]
    assert "the video's time stamps (25 frames a second, 3 of them left out)" in said(slots, 400)


@pytest.mark.parametrize("rate", [24, Fraction(30000, 1001), 60, 240])
def test_even_time_stamps_rounded_to_milliseconds_are_an_even_spread(rate: float) -> None:
    times = np.round(np.arange(50) / float(rate), 3) + 1.5
    slots = slots_of_times(times)
    assert windows_of(slots, 5000) == windows_of(even_slots(50), 5000)
    assert said(slots).endswith("an even spread, a guess")


def test_uneven_time_stamps_are_followed_as_they_are() -> None:
    times = np.array([0.0, 0.040, 0.080, 0.105, 0.130, 0.155, 0.195])
    starts = [start for start, _stop in windows_of(slots_of_times(times))]
    np.testing.assert_allclose(starts, times / (0.195 + 0.025) * PLANES, atol=1e-4)
    assert "which are not even" in said(slots_of_times(times))


def test_no_window_reaches_into_the_next_frame_s_time() -> None:
    windows = windows_of(slots_of_times(np.array([0, 0.033, 0.066, 0.067, 0.1, 0.133])), 4000)
    assert all(a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(windows))


# ------------------------------------------------------------------ whole sequences


def write_png(path: Path, height: int = HEIGHT, width: int = WIDTH) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), 100, np.uint8)).save(path)


def write_spikes(path: Path, planes: int = PLANES, height: int = HEIGHT, width: int = WIDTH) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bits = (np.random.default_rng(0).random((planes, height * width)) < 0.3).astype(np.uint8)
    np.packbits(bits, axis=1, bitorder="little").tofile(path)
    (path.parent / "config.yaml").write_text(f"spike_h: {height}\nspike_w: {width}\nspike_flip: true\n")


def spans(sequence: Sequence) -> list[tuple[float, float]]:
    return [(window.start, window.stop) for window in sequence.windows]


def test_a_sequence_with_a_frame_missing_and_one_that_is_a_broken_link(tmp_path: Path) -> None:
    for n in (1, 2, 3, 5):
        write_png(tmp_path / f"blur/{n:04d}.png")
    (tmp_path / "blur/0006.png").symlink_to("/nowhere/0006.png")
    write_spikes(tmp_path / "spike.dat")
    with open_sequence(tmp_path) as sequence:
        assert spans(sequence) == [(0, 20), (20, 40), (40, 60), (80, 100)]
        assert sequence.windows_source == "guess"
        assert any("frame numbers 1 to 6 (4, 6 missing)" in finding for finding in sequence.findings)
        assert any("0006.png" in finding for finding in sequence.findings)


def test_references_say_that_the_first_and_the_last_frame_are_missing(tmp_path: Path) -> None:
    for n in range(1, 7):
        write_png(tmp_path / f"sharp/{n}.png")
        if n not in (1, 6):
            write_png(tmp_path / f"blur/{n}.png")
    write_spikes(tmp_path / "spike.dat")
    with open_sequence(tmp_path) as sequence:
        assert spans(sequence) == [(20, 40), (40, 60), (60, 80), (80, 100)]
    # A folder that somebody points at may be of more than this sequence.
    with open_sequence(tmp_path / "blur", reference=tmp_path / "sharp") as sequence:
        assert spans(sequence) == [(0, 30), (30, 60), (60, 90), (90, 120)]


def test_frames_named_by_decimal_times_come_in_order_and_share_the_recording(tmp_path: Path) -> None:
    stems = ["0.5", "0.52", "0.54", "0.6", "0.65"]
    for at, stem in enumerate(stems):
        write_png(tmp_path / f"blur/{stem}.png")
        write_png(tmp_path / f"sharp/{stem}0.png", HEIGHT, WIDTH)
        Image.fromarray(np.full((HEIGHT, WIDTH, 3), 10 * at, np.uint8)).save(tmp_path / f"sharp/{stem}0.png")
    write_spikes(tmp_path / "spike.dat")
    with open_sequence(tmp_path) as sequence:
        assert [sequence.frame_name(i) for i in range(5)] == stems
        assert spans(sequence) == [(24 * i, 24 * i + 24) for i in range(5)]
        assert [round(255 * float(np.max(sequence.reference(i)))) for i in range(5)] == [0, 10, 20, 30, 40]
        assert [finding for finding in sequence.findings if "guess" not in finding] == []


def test_names_in_two_unicode_forms_belong_together(tmp_path: Path) -> None:
    for form, folder in (("NFC", "blur"), ("NFD", "sharp")):
        for letter in "äéô":
            write_png(tmp_path / folder / f"{unicodedata.normalize(form, letter)}.png")
    for letter in "äéô":
        write_spikes(tmp_path / f"spike/{unicodedata.normalize('NFD', letter)}.dat", 10)
    with open_sequence(tmp_path) as sequence:
        assert all(sequence.has_reference_for(i) for i in range(3))
        assert sequence.windows_source == "layout"
        assert sequence.findings == ()


def test_case_and_double_dots_of_names_stay(tmp_path: Path) -> None:
    for name in ("a..b.PNG", "Frame.0001.png", "frame.0001.PNG"):
        write_png(tmp_path / "blur" / name)
    with open_sequence(tmp_path) as sequence:
        assert {sequence.frame_name(i) for i in range(3)} == {"a..b", "Frame.0001", "frame.0001"}


def write_video(path: Path, times_ms: SequenceOf[int]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at, time in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * at, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_video_of_variable_rate_with_its_recording(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mkv", [0, 40, 80, 240, 280, 320, 360])
    write_spikes(tmp_path / "camera.dat", 400, 24, 32)
    with open_sequence(tmp_path) as sequence:
        assert spans(sequence) == [
            (0, 40),
            (40, 80),
            (80, 120),
            (240, 280),
            (280, 320),
            (320, 360),
            (360, 400),
        ]
        assert any("camera.dat is taken for the spikes" in finding for finding in sequence.findings)
        assert any("time stamps" in finding for finding in sequence.findings)


# ------------------------------------------------------------------ what is pointed at


def test_a_recording_that_is_named_makes_what_was_said_about_the_choice_void(tmp_path: Path) -> None:
    write_png(tmp_path / "blur/1.png")
    write_spikes(tmp_path / "events.bin")
    with open_sequence(tmp_path) as sequence:
        assert any("events.bin" in finding for finding in sequence.findings)
    with open_sequence(tmp_path, spikes=tmp_path / "events.bin") as sequence:
        assert sequence.recording is not None
        assert not any("may be spikes" in finding for finding in sequence.findings)


# ------------------------------------------------------------------ shapes


@pytest.mark.parametrize(
    ("frames", "spikes", "texts"),
    [
        ((20, 32), (10, 16), None),
        ((20, 32), (20, 33), None),
        ((24, 32), (9, 16), ("24 × 32 (1.33 : 1)", "9 × 16 (1.78 : 1)", "one field of view")),
        ((20, 32), (16, 10), ("height and width are exchanged",)),
    ],
)
def test_frames_and_spikes_whose_shapes_differ_are_named(
    tmp_path: Path, frames: tuple[int, int], spikes: tuple[int, int], texts: tuple[str, ...] | None
) -> None:
    write_png(tmp_path / "blur/1.png", *frames)
    write_spikes(tmp_path / "spike.dat", 80, *spikes)
    with open_sequence(tmp_path) as sequence:
        about = [finding for finding in sequence.findings if "field of view" in finding]
        assert len(about) == (0 if texts is None else 1)
        if texts is not None:
            assert all(text in about[0] for text in texts)
            assert "height" in about[0].remedy


# ------------------------------------------------------------------ commands


def make_clip(folder: Path, stems: SequenceOf[str] = "12") -> Path:
    for stem in stems:
        for kind in ("blur", "sharp"):
            write_png(folder / kind / f"{stem}.png", 48, 64)
    write_spikes(folder / "spike.dat", 40, 24, 32)
    return folder


def test_a_batch_names_the_sequence_whose_frames_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        make_clip(tmp_path / "set" / name)
    for picture in (tmp_path / "set/b/blur").iterdir():
        picture.rename(picture.with_suffix(".webp"))
    out = tmp_path / "out"
    assert main(["batch", str(tmp_path / "set"), "--out", str(out), "--method", "spike-ratio"]) == 1
    rows = {row["name"]: row for row in json.loads((out / "batch.json").read_text())["sequences"]}
    assert {name: row["restored"] for name, row in rows.items()} == {"a": 2, "b": 0, "c": 2}
    assert "1.webp, 2.webp" in rows["b"]["error"]
    assert "(b)" in capsys.readouterr().err


def test_results_are_compared_in_either_unicode_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip", [unicodedata.normalize("NFC", letter) for letter in "äé"])
    for picture in (clip / "sharp").iterdir():
        name = unicodedata.normalize("NFD", picture.name)
        write_png(tmp_path / "results" / name, 48, 64)
    asked = [
        "evaluate",
        str(clip),
        "--method",
        "spike-ratio",
        "--json",
        "--compare",
        str(tmp_path / "results"),
    ]
    assert main(asked) == 0
    (compared,) = json.loads(capsys.readouterr().out)["compared"]
    assert compared["failed"] == []
    assert len(compared["frames"]) == 2


def test_restored_pictures_keep_the_names_of_their_frames(tmp_path: Path) -> None:
    stems = ["a..b", "A..c", "Frame.0001", unicodedata.normalize("NFD", "é")]
    clip = make_clip(tmp_path / "clip", stems)
    out = tmp_path / "out"
    assert main(["restore", str(clip), "--out", str(out), "--method", "spike-ratio"]) == 0
    assert {path.stem for path in out.glob("*.png")} == set(stems)


def test_a_log_names_its_sequence_in_either_unicode_form(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / unicodedata.normalize("NFC", "clé"))
    rows = "".join(f"{n},{n / 100},{(n + 1) / 100},{unicodedata.normalize('NFD', 'clé')}\n" for n in range(2))
    rows += "".join(f"{n},{n / 10},{(n + 1) / 10},else\n" for n in range(2))
    (clip / "alignment.csv").write_text("frame_idx,t0,t1,seq\n" + rows, encoding="utf-8")
    with open_sequence(clip, rate_hz=1000) as sequence:
        assert spans(sequence) == [(0, 10), (10, 20)]


def test_recordings_named_by_decimal_times_come_in_order(tmp_path: Path) -> None:
    for stem in ("0.5", "0.52", "0.6"):
        write_spikes(tmp_path / f"spike/{stem}.dat", 10)
    with open_sequence(tmp_path) as sequence:
        assert [sequence.frame_name(i) for i in range(3)] == ["0.5", "0.52", "0.6"]


def test_a_broken_link_among_loose_pictures_keeps_its_slot(tmp_path: Path) -> None:
    for n in (1, 2, 3):
        write_png(tmp_path / f"{n}.png")
    (tmp_path / "4.png").symlink_to("/nowhere/4.png")
    write_spikes(tmp_path / "camera.dat")
    with open_sequence(tmp_path) as sequence:
        assert spans(sequence) == [(0, 30), (30, 60), (60, 90)]
        assert any("4.png" in finding for finding in sequence.findings)
