"""Names of files sort, count and match as people mean them, in every Unicode form."""

import unicodedata
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.file_names import (
    decimals,
    frame_number,
    frame_numbers,
    in_order,
    match_names,
    missing_numbers,
    series_numbers,
)


def ordered(*stems: str) -> list[str]:
    return [path.stem for path in in_order(Path(f"{stem}.png") for stem in stems)]


def test_runs_of_digits_sort_as_numbers() -> None:
    assert ordered("blur_10", "blur_2", "blur_1") == ["blur_1", "blur_2", "blur_10"]
    assert ordered("1.2.10", "1.2.9", "1.10.1") == ["1.2.9", "1.2.10", "1.10.1"]
    assert ordered("v1.10", "v1.9") == ["v1.9", "v1.10"]


def test_decimal_numbers_sort_by_their_value() -> None:
    assert ordered("0.5", "0.6", "0.52", "0.54", "0.65") == ["0.5", "0.52", "0.54", "0.6", "0.65"]
    assert ordered("10.25", "-0.5", "0.75", "2", "1e-05", "-1.5") == [
        "-1.5",
        "-0.5",
        "1e-05",
        "0.75",
        "2",
        "10.25",
    ]
    assert ordered("0,52", "0,6", "0,5") == ["0,5", "0,52", "0,6"]


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=30, unique=True))
def test_names_that_are_str_of_a_time_come_in_the_order_of_the_times(times: list[float]) -> None:
    stems = ordered(*(str(time + 0.0) for time in times))
    assert [float(stem) for stem in stems] == sorted(times)


def test_sections_and_versions_are_no_decimals() -> None:
    sections = [f"1.{n}" for n in range(1, 13)]
    assert ordered(*reversed(sections)) == sections
    assert decimals(sections) is None
    assert decimals(["1.2.3", "1.2.4"]) is None
    assert decimals(["1", "2"]) is None
    assert decimals(["0.5", "blur"]) is None
    assert decimals(["0.5", "0.25"]) == [Decimal("0.5"), Decimal("0.25")]


def test_decimal_numbers_are_no_frame_numbers_with_gaps() -> None:
    stems = ["0.5", "0.52", "0.54", "0.6", "0.65"]
    assert missing_numbers(stems) == ()
    assert series_numbers(stems) is None
    assert frame_numbers(stems) == [None] * 5
    assert frame_numbers(["a1", "b"]) == [1, None]
    # Hundredths and tenths behind a word are no count either.
    assert missing_numbers(["t0.5", "t0.6", "t0.52"]) == ()
    assert missing_numbers(["t0.50", "t0.52", "t0.54", "t0.58"]) == (56,)


def test_digits_of_other_scripts_are_digits() -> None:
    assert [frame_number(stem) for stem in ("frame１２", "٣٤", "x²")] == [12, 34, None]
    assert ordered("f１０", "f９") == ["f９", "f１０"]


def test_a_frame_number_is_the_trailing_digits() -> None:
    assert [frame_number(s) for s in ("0012", "blur_007", "a1b2", "a1b", "")] == [12, 7, 2, None, None]


def test_names_match_by_stem_then_by_number() -> None:
    assert match_names(["a", "b"], ["b", "a"]) == ((1, 0), ())
    assert match_names(["blur_1", "blur_2"], ["sharp_2", "sharp_1"]) == ((1, 0), ())
    assert match_names(["0001", "0001_002"], ["0001", "0001_002", "0002"]) == ((0, 1), (2,))
    assert match_names(["x_1", "y_1"], ["s_1"]) == ((None, None), (0,))
    assert match_names(["a"], []) == ((None,), ())


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30, unique=True), st.data())
def test_matching_by_number_finds_exactly_what_is_there(numbers: list[int], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(numbers), unique=True))
    partners, left = match_names([f"blur_{n}" for n in numbers], [f"sharp_{n:05d}" for n in kept])
    assert [None if at is None else kept[at] for at in partners] == [
        n if n in kept else None for n in numbers
    ]
    assert left == ()


def test_missing_numbers_are_measured_by_the_common_step() -> None:
    assert missing_numbers(["f1", "f2", "f4", "f5", "f8"]) == (3, 6, 7)
    assert missing_numbers(["0", "10", "20", "40"]) == (30,)
    assert missing_numbers(["a1", "b3", "a5", "a9"]) == ()
    assert missing_numbers(["one", "two", "three"]) == ()
    assert missing_numbers(["0004", "0012"]) == ()


def test_decimal_names_match_by_value_and_never_by_their_last_digits() -> None:
    assert match_names(["0.5", "0.25"], ["0.50", "0.25"]) == ((0, 1), ())
    assert match_names(["0.5", "1.0"], ["0.05", "1.0"]) == ((None, 1), (0,))
    assert match_names(["0.5", "0.52"], ["sharp_0.52", "sharp_0.5"]) == ((1, 0), ())
    assert match_names(["0.5", "0.52"], ["gt-0.52", "gt-0.5"]) == ((1, 0), ())


@given(st.lists(st.text(st.sampled_from("äéôüÅñ한글a1_"), min_size=1, max_size=6), unique=True, max_size=12))
def test_names_match_and_sort_alike_in_either_unicode_form(stems: list[str]) -> None:
    composed = [unicodedata.normalize("NFC", stem) for stem in stems]
    taken_apart = [unicodedata.normalize("NFD", stem) for stem in stems]
    everything = (tuple(range(len(stems))), ())
    assert match_names(composed, taken_apart) == match_names(taken_apart, composed) == everything
    assert ordered(*taken_apart) == [unicodedata.normalize("NFD", stem) for stem in ordered(*composed)]


def test_the_same_bytes_win_over_another_unicode_form() -> None:
    both = [unicodedata.normalize(form, "é") for form in ("NFD", "NFC")]
    assert match_names(list(reversed(both)), both) == ((1, 0), ())


def test_names_that_differ_in_case_are_two() -> None:
    assert match_names(["A", "a"], ["a", "A"]) == ((1, 0), ())
    assert match_names(["A"], ["a"]) == ((None,), (0,))
