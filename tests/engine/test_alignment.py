"""Alignment windows, and the log that carries them between programs."""

import csv
import itertools
import math
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alignment import (
    AlignmentRow,
    AlignmentWindow,
    even_windows,
    read_alignment_log,
    windows_for_frames,
    write_alignment_log,
)
from engine.errors import AlignmentError, ExportError
from engine.geometry import Span


def log(tmp_path: Path, text: str, name: str = "alignment.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------ windows


def test_a_window_counts_the_planes_that_start_inside_it() -> None:
    for start, stop in [(0, 5), (0.5, 5.5), (2.25, 2.75), (3, 3.5), (-2.5, 1.5)]:
        naive = [p for p in range(-10, 10) if start <= p < stop]
        span = AlignmentWindow(start, stop).planes()
        assert list(range(span.start, span.stop)) == naive


def test_planes_stay_inside_the_recording() -> None:
    assert AlignmentWindow(-3.5, 4.5).planes(3) == Span(0, 3)
    assert len(AlignmentWindow(5, 9).planes(3)) == 0


def test_centre_shift_and_central_part() -> None:
    window = AlignmentWindow(10, 30)
    assert window.centre == 20
    assert window.length_planes == 20
    assert window.shifted(2.5) == AlignmentWindow(12.5, 32.5)
    assert window.central(5) == AlignmentWindow(17.5, 22.5)


@pytest.mark.parametrize(("start", "stop"), [(3, 3), (4, 3), (math.nan, 1), (0, math.inf)])
def test_a_window_without_length_is_refused(start: float, stop: float) -> None:
    with pytest.raises(ValueError, match="start < stop"):
        AlignmentWindow(start, stop)


def test_an_even_spread_covers_the_recording_without_gaps() -> None:
    windows = even_windows(7, 100, None)
    assert windows[0].start == 0
    assert windows[-1].stop == 100
    for before, after in itertools.pairwise(windows):
        assert before.stop == after.start
    assert {round(w.length_planes, 9) for w in windows} == {round(100 / 7, 9)}
    short = even_windows(7, 100, 5)
    for whole, part in zip(windows, short, strict=True):
        assert part.length_planes == pytest.approx(5)
        assert part.centre == pytest.approx(whole.centre)


# ------------------------------------------------------------------ writing


def test_the_log_is_written_exactly(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    windows = [AlignmentWindow(0, 97), AlignmentWindow(100.5, 197.5)]
    write_alignment_log(path, windows, rate_hz=20_000, event_counts=[12, 3456], name="clip 一")
    assert path.read_bytes().decode() == (
        "frame_idx,t0,t1,event_count,seq\n0,0.000000,0.004850,12,clip 一\n1,0.005025,0.009875,3456,clip 一\n"
    )
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_with_a_comma_survives(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    write_alignment_log(path, [AlignmentWindow(0, 10)], rate_hz=1000, name='a, "b"')
    with path.open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["seq"] == 'a, "b"'
    assert read_alignment_log(path, 1000)[0].seq == 'a, "b"'


def test_a_folder_that_is_not_there_is_an_export_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError):
        write_alignment_log(tmp_path / "no" / "log.csv", [AlignmentWindow(0, 1)], rate_hz=1000)


@given(
    rate_hz=st.sampled_from([240.0, 1000.0, 1920.0, 4000.0, 20_000.0, 40_000.0]),
    edges=st.lists(st.integers(0, 2_000_000), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_whole_planes_survive_the_six_decimals(
    tmp_path_factory: pytest.TempPathFactory, rate_hz: float, edges: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.csv"
    windows = [AlignmentWindow(a, b) for a, b in itertools.pairwise(edges)]
    write_alignment_log(path, windows, rate_hz=rate_hz)
    with path.open(newline="") as file:
        for row, window in zip(csv.DictReader(file), windows, strict=True):
            assert re.fullmatch(r"\d+\.\d{6}", row["t0"])
            exact = Fraction(window.start) / Fraction(rate_hz)
            assert abs(Fraction(row["t0"]) - exact) <= Fraction(1, 2_000_000)
    assert [row.window for row in read_alignment_log(path, rate_hz)] == windows


def test_real_positions_survive_within_the_decimals(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    window = AlignmentWindow(10.3, 107.8125)
    write_alignment_log(path, [window], rate_hz=20_000)
    read = read_alignment_log(path, 20_000)[0].window
    assert read.start == pytest.approx(window.start, abs=0.0101)
    assert read.stop == pytest.approx(window.stop, abs=0.0101)


# ------------------------------------------------------------------ reading


def test_columns_in_any_order_and_unknown_ones_kept(tmp_path: Path) -> None:
    path = log(tmp_path, "seq, T1,camera ,t0,frame_idx\nclip,0.2,left,0.1,5\nclip,0.3,right,0.2,6\n")
    rows = read_alignment_log(path, 1000)
    assert rows[0] == AlignmentRow(5, AlignmentWindow(100, 200), None, "clip", {"camera": "left"})
    assert rows[1].others == {"camera": "right"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_other_separators_line_ends_comments_and_a_byte_order_mark(
    tmp_path: Path, separator: str, end: str
) -> None:
    lines = [
        "# made by hand",
        separator.join(["frame_idx", "t0", "t1"]),
        "",
        separator.join(["0", "0.5", "1.0"]),
    ]
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbf" + end.join(lines).encode())
    assert [row.window for row in read_alignment_log(path, 10)] == [AlignmentWindow(5, 10)]


def test_exponents_and_missing_optional_columns(tmp_path: Path) -> None:
    path = log(tmp_path, "t0,t1\n1e-3,2.5e-3\n0.0030,0.0045\n")
    rows = read_alignment_log(path, 20_000)
    assert [row.frame_idx for row in rows] == [0, 1]
    assert [row.window for row in rows] == [AlignmentWindow(20, 50), AlignmentWindow(60, 90)]


def test_times_off_a_plane_by_more_than_their_rounding_stay_off(tmp_path: Path) -> None:
    path = log(tmp_path, "t0,t1\n0.000520833,0.00106\n")
    window = read_alignment_log(path, 1920)[0].window
    assert window.start == 1.0
    assert window.stop == pytest.approx(2.0352)


def test_few_decimals_are_taken_as_they_are(tmp_path: Path) -> None:
    window = read_alignment_log(log(tmp_path, "t0,t1\n0.1,0.2\n"), 1005)[0].window
    assert (window.start, window.stop) == (pytest.approx(100.5), 201)


def test_without_a_rate_the_error_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(AlignmentError, match=r"alignment\.csv.*rate_hz"):
        read_alignment_log(log(tmp_path, "t0,t1\n0,1\n"), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("t0,t1\n", "no frames"),
        ("a,b,c\n1,2,3\n", "lacks t0 or t1"),
        ("t0,t1\n0.1,0.2\n0.3,0.2\n", "row 2"),
        ("t0,t1\n0.1,nan\n", "row 1"),
        ("t0,t1\n0.1,\n", "row 1"),
        ("t0,t1\n0.1,soon\n", "soon"),
        ("t0,t1\n0.1\n", "row 1"),
        ("frame_idx,t0,t1\ntwo,0.1,0.2\n", "row 1"),
        ("frame_idx,t0,t1\ninf,0.1,0.2\n", "row 1"),
    ],
)
def test_what_is_no_log_is_an_error_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AlignmentError, match=r"alignment\.csv") as caught:
        read_alignment_log(log(tmp_path, text), 1000)
    assert said in str(caught.value)


def test_bytes_folders_and_missing_files_are_errors(tmp_path: Path) -> None:
    binary = tmp_path / "picture.csv"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    for path in (binary, tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(AlignmentError):
            read_alignment_log(path, 1000)


# ------------------------------------------------------------------ rows and frames


def rows_for(indices: list[int], seq: str = "") -> list[AlignmentRow]:
    return [AlignmentRow(i, AlignmentWindow(10 * i, 10 * i + 5), seq=seq) for i in indices]


def starts(rows: list[AlignmentRow], numbers: list[int | None], name: str = "clip") -> list[float]:
    windows, _ = windows_for_frames(rows, numbers, path=Path("a.csv"), name=name)
    return [window.start / 10 for window in windows]


def test_rows_count_in_the_order_of_the_frames() -> None:
    assert starts(rows_for([2, 0, 1]), [None, None, None]) == [0, 1, 2]
    assert starts(rows_for([0, 1, 2]), [1, 2, 3]) == [0, 1, 2]


def test_rows_may_carry_the_frames_own_numbers() -> None:
    assert starts(rows_for([47, 48, 49]), [47, 48, 49]) == [47, 48, 49]
    assert starts(rows_for([1, 2, 3]), [1, 2, 3]) == [1, 2, 3]


def test_a_missing_frame_does_not_shift_the_rest() -> None:
    assert starts(rows_for([0, 1, 2, 3, 4]), [1, 2, 4, 5]) == [0, 1, 3, 4]
    assert starts(rows_for([1, 2, 3, 4, 5]), [1, 2, 4, 5]) == [1, 2, 4, 5]
    _, findings = windows_for_frames(rows_for([0, 1, 2, 3, 4]), [1, 2, 4, 5], path=Path("a.csv"), name="")
    assert "1 more row" in findings[0]


def test_only_the_rows_of_the_sequence_count() -> None:
    mixed = [
        *rows_for([0, 1], "other"),
        *(AlignmentRow(i, AlignmentWindow(7, 8), seq="clip") for i in (0, 1)),
    ]
    assert starts(mixed, [None, None]) == [0.7, 0.7]


def test_a_repeated_row_is_reported_and_the_first_counts() -> None:
    rows = [*rows_for([0, 1]), AlignmentRow(1, AlignmentWindow(90, 95))]
    windows, findings = windows_for_frames(rows, [None, None], path=Path("a.csv"), name="")
    assert windows[1].start == 10
    assert "repeat" in findings[0]


def test_a_frame_without_a_row_is_an_error() -> None:
    with pytest.raises(AlignmentError, match=r"2 rows.*3 frames"):
        windows_for_frames(rows_for([0, 1]), [1, 2, 3], path=Path("a.csv"), name="")


# ------------------------------------------------------------------ logs as other programs leave them

ROWS = "frame_idx,t0,t1,event_count,seq\n0,0.000000,0.016000,9,clip\n1,0.016000,0.032000,9,clip\n"


@pytest.mark.parametrize(
    "content",
    [
        ROWS.encode("utf-16"),
        ROWS.replace(",", "\t").encode("utf-16"),
        ROWS.replace(",", ";").replace(".", ",").encode(),
        ROWS.replace(",9,", ",n/a,").encode(),
        ROWS.replace(",9,", ",nan,").encode(),
        ROWS.replace("\n0,", "\n0.0,").encode(),
    ],
    ids=["utf-16", "utf-16 tabs", "decimal commas", "count n/a", "count nan", "index 0.0"],
)
def test_spreadsheets_and_data_frames_write_logs_too(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "alignment.csv"
    path.write_bytes(content)
    windows = [(row.window.start, row.window.stop) for row in read_alignment_log(path, 2000)]
    assert windows == [(0, 32), (32, 64)]


def test_half_a_frame_is_no_frame(tmp_path: Path) -> None:
    with pytest.raises(AlignmentError, match="whole number"):
        read_alignment_log(log(tmp_path, ROWS.replace("\n0,", "\n0.7,")), 2000)


def test_a_log_of_several_other_sequences_is_refused(tmp_path: Path) -> None:
    path = log(tmp_path, ROWS + "0,0.5,0.6,9,other\n1,0.6,0.7,9,other\n")
    rows = read_alignment_log(path, 2000)
    own, findings = windows_for_frames(rows, [1, 2], path=path, name="other")
    assert (own[0].start, findings) == (1000, ())
    with pytest.raises(AlignmentError, match=r"several sequences.*'clip', 'other'.*'street'"):
        windows_for_frames(rows, [1, 2], path=path, name="street")


def test_parts_of_one_sequence_may_have_names_of_their_own(tmp_path: Path) -> None:
    path = log(tmp_path, ROWS.replace("32000,9,clip", "32000,9,clip b"))
    windows, findings = windows_for_frames(
        read_alignment_log(path, 2000), [1, 2], path=path, name="something else"
    )
    assert [window.start for window in windows] == [0, 32]
    assert findings == ()
