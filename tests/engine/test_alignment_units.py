"""Alignment logs whose times are not seconds from the recording's start."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.alignment import (
    AlignmentLog,
    AlignmentWindow,
    RecordedSpan,
    load_alignment_log,
    read_alignment_log,
    write_alignment_log,
)
from engine.errors import AlignmentError
from engine.sequence import open_sequence

PER_SECOND = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}
DIGITS = {"s": 6, "ms": 3, "us": 0, "ns": 0, "planes": 0}
EPOCH_S = 1_700_000_000
UNITS = ("s", "ms", "us", "ns", "planes")


def written(plane: int, unit: str, rate_hz: int, start_s: int = 0) -> str:
    """The time of a plane, exactly, in the digits that such a unit is written with."""
    if unit == "planes":
        return str(plane)
    time = (Fraction(plane, rate_hz) + start_s) * PER_SECOND[unit]
    return f"{Decimal(time.numerator) / Decimal(time.denominator):.{DIGITS[unit]}f}"


def save(
    tmp_path: Path,
    windows: list[tuple[int, int]],
    unit: str,
    rate_hz: int,
    *,
    header: str = "frame_idx,t0,t1,event_count,seq",
    start_s: int = 0,
) -> Path:
    rows = [
        f"{at},{written(start, unit, rate_hz, start_s)},{written(stop, unit, rate_hz, start_s)},,"
        for at, (start, stop) in enumerate(windows)
    ]
    path = tmp_path / "alignment.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def windows_of(log: AlignmentLog) -> list[tuple[float, float]]:
    return [(row.window.start, row.window.stop) for row in log.rows]


def exposures(count: int, first: int = 0) -> list[tuple[int, int]]:
    """Frames of 40 planes, every 50."""
    return [(first + 50 * at, first + 50 * at + 40) for at in range(count)]


# ------------------------------------------------------------------ the unit is found


@pytest.mark.parametrize("rate_hz", [1000, 20_000, 40_000])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("frames", "first"), [(20, 0), (13, 0), (13, 300), (12, 390), (30, 0)])
def test_the_unit_is_the_one_whose_windows_cover_the_recording(
    tmp_path: Path, unit: str, rate_hz: int, frames: int, first: int
) -> None:
    """All of it, over half of it from its start, later, up to its end; and a log that goes on for longer."""
    windows = exposures(frames, first)
    log = load_alignment_log(save(tmp_path, windows, unit, rate_hz), RecordedSpan(rate_hz, 1000))
    assert windows_of(log) == windows
    if unit == "s":
        assert log.findings == ()
    elif not (unit == "planes" and rate_hz == 1000):
        assert log.time_unit == unit
        assert f"taken for {unit}, because windows have 40 planes" in log.findings[0]
        assert "--time-unit" in log.findings[0].remedy


@pytest.mark.parametrize("rate_hz", [1000, 20_000, 40_000])
@pytest.mark.parametrize("unit", PER_SECOND)
@pytest.mark.parametrize("frames", [20, 13])
def test_dates_count_from_the_first_and_it_is_said(
    tmp_path: Path, unit: str, rate_hz: int, frames: int
) -> None:
    path = save(tmp_path, exposures(frames, 7), unit, rate_hz, start_s=EPOCH_S)
    log = load_alignment_log(path, RecordedSpan(rate_hz, 1000))
    assert windows_of(log) == exposures(frames)
    assert log.time_unit == unit
    assert any("dates" in finding for finding in log.findings)


@pytest.mark.parametrize("unit", PER_SECOND)
def test_dates_of_the_recording_s_own_clock_are_exact(tmp_path: Path, unit: str) -> None:
    path = save(tmp_path, exposures(19, 7), unit, 20_000, start_s=EPOCH_S)
    log = load_alignment_log(path, RecordedSpan(20_000, 1000, float(EPOCH_S * 20_000)))
    assert windows_of(log) == exposures(19, 7)
    assert not any("dates" in finding for finding in log.findings)


@pytest.mark.parametrize("rate_hz", [1000, 20_000, 40_000])
@pytest.mark.parametrize("unit", UNITS)
def test_short_exposures_far_apart_are_found_too(tmp_path: Path, unit: str, rate_hz: int) -> None:
    """600 exposures of 20 planes cover a fiftieth of the recording and reach over all of it."""
    windows = [(at * 1000, at * 1000 + 20) for at in range(600)]
    log = load_alignment_log(save(tmp_path, windows, unit, rate_hz), RecordedSpan(rate_hz, 600_000))
    assert windows_of(log) == windows


@pytest.mark.parametrize("rate_hz", [1000, 20_000, 40_000])
def test_a_short_log_of_a_long_recording_stays_in_seconds(tmp_path: Path, rate_hz: int) -> None:
    windows = exposures(3, 2 * rate_hz)
    log = load_alignment_log(save(tmp_path, windows, "s", rate_hz), RecordedSpan(rate_hz, 600 * rate_hz))
    assert (windows_of(log), log.findings) == (windows, ())


@pytest.mark.parametrize("rate_hz", [20_000, 40_000])
@pytest.mark.parametrize("unit", ["ms", "us", "ns", "planes"])
@pytest.mark.parametrize(("frames", "first"), [(5, 0), (5, 600), (20, 5000), (9, 0)])
def test_where_no_unit_covers_half_the_error_shows_them_all(
    tmp_path: Path, unit: str, rate_hz: int, frames: int, first: int
) -> None:
    path = save(tmp_path, exposures(frames, first), unit, rate_hz)
    with pytest.raises(AlignmentError, match=r"no unit of time.*--time-unit") as caught:
        load_alignment_log(path, RecordedSpan(rate_hz, 1000))
    for other in UNITS:
        assert f"as {other} windows have" in str(caught.value)
    assert f"as {unit} windows have 40 planes" in str(caught.value)
    assert "\n" not in str(caught.value)
    log = load_alignment_log(path, RecordedSpan(rate_hz, 1000), time_unit=unit)  # type: ignore[arg-type]
    assert windows_of(log) == exposures(frames, first)


def test_milliseconds_and_planes_at_rates_alike_are_told_apart_by_fractions_or_asked_for(
    tmp_path: Path,
) -> None:
    """1280 planes at 1280 Hz are 1000 ms: over half of the recording either way."""
    windows = [(16 * at, 16 * at + 16) for at in range(80)]
    log = load_alignment_log(save(tmp_path, windows, "ms", 1280), RecordedSpan(1280, 1280))
    assert (windows_of(log)[-1], log.time_unit) == ((1264, 1280), "ms")
    windows = [(32 * at, 32 * at + 32) for at in range(40)]
    path = save(tmp_path, windows, "planes", 1280)
    with pytest.raises(AlignmentError, match="several units") as caught:
        load_alignment_log(path, RecordedSpan(1280, 1280))
    assert "as ms" in str(caught.value)
    log = load_alignment_log(path, RecordedSpan(1280, 1280), time_unit="planes")
    assert windows_of(log) == windows


@pytest.mark.parametrize("rate_hz", [240, 1000, 1920, 20_000, 40_000])
def test_our_own_logs_are_seconds_whatever_they_cover(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "alignment.csv"
    for windows in ([(0, 40)], [(960, 1000)], [(0, 1)], exposures(20), [(-30, 10), (10, 50)]):
        write_alignment_log(path, [AlignmentWindow(*window) for window in windows], rate_hz=rate_hz)
        log = load_alignment_log(path, RecordedSpan(rate_hz, 1000))
        assert (windows_of(log), log.time_unit, log.findings) == (windows, "s", ())


def test_a_recording_cut_short_keeps_its_seconds(tmp_path: Path) -> None:
    """100 frames logged, planes of the first 10 copied."""
    for windows in (exposures(100), [(2500 * at, 2500 * at + 2000) for at in range(100)]):
        path = save(tmp_path, windows, "s", 20_000)
        log = load_alignment_log(path, RecordedSpan(20_000, windows[10][0]))
        assert (windows_of(log), log.findings) == (windows, ())


# ------------------------------------------------------------------ the unit is said


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("frame_idx,t0_us,t1_us", "us"),
        ("frame_idx,t0 [ms],t1 [ms]", "ms"),
        ("frame_idx,T0 (µs),T1 (µs)", "us"),
        ("frame_idx,t0_ns,t1_ns", "ns"),
        ("frame_idx,t0_s,t1_s", "s"),
        ("frame_idx,t0_seconds,t1_seconds", "s"),
        ("frame_idx,t0 planes,t1 planes", "planes"),
        ("frame_idx,t0.ms,t1", "ms"),
    ],
)
def test_the_header_may_say_the_unit(tmp_path: Path, header: str, unit: str) -> None:
    """Also where the windows cover a fraction of the recording, or there is none."""
    path = save(tmp_path, exposures(3), unit, 20_000, header=header)
    for recorded in (RecordedSpan(20_000, 12_000), RecordedSpan(20_000)):
        log = load_alignment_log(path, recorded)
        assert (windows_of(log), log.time_unit) == (exposures(3), unit)
        assert [str(finding) for finding in log.findings] == (
            [] if unit == "s" else [f"alignment.csv: times are in {unit}, as its header says"]
        )


def test_a_header_that_cannot_be_so_gives_way_to_the_unit_that_fits(tmp_path: Path) -> None:
    path = save(tmp_path, exposures(20), "us", 20_000, header="frame_idx,t0_s,t1_s")
    log = load_alignment_log(path, RecordedSpan(20_000, 1000))
    assert (windows_of(log), log.time_unit) == (exposures(20), "us")
    assert "as s windows have 4e+07 planes" in log.findings[0]


def test_two_units_in_a_header_are_an_error(tmp_path: Path) -> None:
    path = save(tmp_path, exposures(3), "us", 20_000, header="frame_idx,t0_us,t1_ms")
    with pytest.raises(AlignmentError, match="different units"):
        load_alignment_log(path, RecordedSpan(20_000, 1000))


def test_the_caller_is_obeyed_and_windows_under_a_plane_are_doubted(tmp_path: Path) -> None:
    path = save(tmp_path, exposures(20), "s", 20_000)
    log = load_alignment_log(path, RecordedSpan(20_000, 1000), time_unit="ms")
    assert log.rows[1].window.start == pytest.approx(0.05)
    assert log.rows[1].window.stop == pytest.approx(0.09)
    (finding,) = log.findings
    assert str(finding) == (
        "20 of 20 windows of alignment.csv are shorter than one plane, "
        "the shortest has 0.04 planes (times in ms at 20000 Hz)"
    )


def test_planes_need_no_rate(tmp_path: Path) -> None:
    path = save(tmp_path, exposures(20), "planes", 1)
    assert windows_of(load_alignment_log(path, RecordedSpan(), time_unit="planes")) == exposures(20)
    log = load_alignment_log(path, RecordedSpan(None, 1000))
    assert windows_of(log) == exposures(20)
    assert "nothing says the rate" in log.findings[0]
    for other in ("s", "us"):
        with pytest.raises(AlignmentError, match="rate_hz"):
            load_alignment_log(path, RecordedSpan(None, 1000), time_unit=other)
    with pytest.raises(AlignmentError, match="rate_hz"):
        load_alignment_log(path, RecordedSpan(None, 100_000))


def test_rows_of_other_sequences_do_not_decide(tmp_path: Path) -> None:
    path = tmp_path / "alignment.csv"
    own = [f"{at},{50 * at * 50},{(50 * at + 40) * 50},,clip" for at in range(20)]
    others = [f"{at},{10**9 + at},{10**9 + at + 1},,other" for at in range(90)]
    path.write_text("\n".join(["frame_idx,t0,t1,event_count,seq", *others, *own]))
    log = load_alignment_log(path, RecordedSpan(20_000, 1000), name="clip")
    assert log.time_unit == "us"
    assert windows_of(log)[90:] == exposures(20)


def test_rows_alone_are_what_the_window_reads(tmp_path: Path) -> None:
    path = save(tmp_path, exposures(20), "us", 20_000)
    rows = read_alignment_log(path, 20_000, planes=1000)
    assert [row.window.start for row in rows] == [start for start, _ in exposures(20)]
    assert read_alignment_log(path, 20_000, time_unit="us") == rows


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e31", "1e999999999"])
def test_times_beyond_any_clock_are_no_windows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "alignment.csv"
    path.write_text(f"t0,t1\n0,{text}\n")
    with pytest.raises(AlignmentError, match="row 1"):
        load_alignment_log(path, RecordedSpan(20_000, 1000))


# ------------------------------------------------------------------ in a sequence


def sequence(tmp_path: Path, frames: int = 5, *, events_us: int | None = None) -> Path:
    """Frames beside 1000 planes at 20 kHz, packed, or as events of a µs clock that starts at `events_us`."""
    import cv2

    folder = tmp_path / "clip"
    (folder / "blur").mkdir(parents=True)
    for at in range(frames):
        cv2.imwrite(str(folder / f"blur/{at:04d}.png"), np.full((16, 24, 3), 100, np.uint8))
    planes = (np.random.default_rng(0).random((1000, 16, 24)) < 0.3).astype(np.uint8)
    rates = "" if events_us is not None else "spike_rate_hz: 20000\n"
    (folder / "config.yaml").write_text(f"spike_h: 16\nspike_w: 24\n{rates}")
    if events_us is None:
        packed = np.packbits(planes.reshape(1000, -1), axis=1, bitorder="little")
        (folder / "spike.dat").write_bytes(packed.tobytes())
    else:
        t, y, x = np.nonzero(planes)
        np.savez(folder / "spike.npz", t=t * 50 + events_us, y=y, x=x)
    return folder


@pytest.mark.parametrize("unit", UNITS)
def test_a_sequence_reads_a_log_in_any_unit(tmp_path: Path, unit: str) -> None:
    folder = sequence(tmp_path)
    windows = [(200 * at, 200 * at + 100) for at in range(5)]
    save(folder, windows, unit, 20_000)
    for given in (None, unit):
        with open_sequence(folder, time_unit=given) as opened:  # type: ignore[arg-type]
            assert [(window.start, window.stop) for window in opened.windows] == windows
            assert opened.windows_source == "log"
            said = [finding for finding in opened.findings if "taken for" in finding]
            assert len(said) == (given is None and unit != "s")


def test_virtual_frames_have_the_windows_of_a_log_in_any_unit(tmp_path: Path) -> None:
    folder = sequence(tmp_path)
    for picture in (folder / "blur").iterdir():
        picture.unlink()
    (folder / "blur").rmdir()
    windows = [(200 * at, 200 * at + 100) for at in range(5)]
    log = save(folder, windows, "us", 20_000)
    with open_sequence(folder / "spike.dat", alignment=log) as opened:
        assert [(window.start, window.stop) for window in opened.windows] == windows
        assert any("taken for us" in finding for finding in opened.findings)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("start_us", [0, 5_000_000, EPOCH_S * 10**6])
def test_events_and_log_may_share_a_clock(tmp_path: Path, unit: str, start_us: int) -> None:
    folder = sequence(tmp_path, events_us=start_us)
    windows = [(200 * at + 13, 200 * at + 113) for at in range(5)]
    save(folder, windows, unit, 20_000, start_s=start_us // 10**6)
    with open_sequence(folder) as opened:
        assert [(window.start, window.stop) for window in opened.windows] == windows


def test_the_unit_of_the_events_is_not_forced_upon_a_log_in_seconds(tmp_path: Path) -> None:
    folder = sequence(tmp_path, events_us=0)
    windows = [(200 * at + 13, 200 * at + 113) for at in range(5)]
    save(folder, windows, "s", 20_000)
    with open_sequence(folder, time_unit="us") as opened:
        assert [(window.start, window.stop) for window in opened.windows] == windows
        assert any("us was given for the events" in finding for finding in opened.findings)
