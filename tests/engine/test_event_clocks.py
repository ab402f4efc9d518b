"""Clocks of event lists: counters that run over, times that go back, spans without events, units."""

import numpy as np
import pytest

from engine.errors import RecordingError
from engine.recording import open_recording
from engine.sequence import open_sequence

RATE_HZ = 20_000
TICK_US = 50
SIZE = {"height": 11, "width": 18}


@pytest.fixture
def planes():
    return (np.random.default_rng(0).random((200, 11, 18)) < 0.2).astype(np.uint8)


def save(path, t, y, x, **others):
    np.savez(path, t=t, x=x.astype(np.uint16), y=y.astype(np.uint16), **others)
    return path


def said(recording, words):
    return [finding for finding in recording.info.warnings if words in finding]


# ------------------------------------------------------------------ counters that run over


def wrapped(microseconds, bits, start, signed):
    """A counter of `bits` that stood at `start` when the recording began, kept as Python keeps it."""
    range_ = 2**bits
    counted = [(int(us) + start) % range_ for us in microseconds]
    return [us - range_ if signed and us >= range_ // 2 else us for us in counted]


COUNTERS = [
    (32, False, np.uint32),
    (32, False, np.int64),
    (32, False, np.float64),
    (32, False, np.uint64),
    (32, True, np.int32),
    (32, True, np.int64),
    (32, True, np.float64),
    (31, False, np.int32),
    (24, False, np.uint32),
    (24, False, np.float64),
    (16, False, np.uint16),
    (16, True, np.int16),
]


@pytest.mark.parametrize(
    ("bits", "signed", "dtype", "order"),
    [
        (*counter, order)
        for counter in COUNTERS
        for order in ("time", "pixel", "mixed", "jitter")
        # 10 of its 65 ms are too long a part of a counter of 16 bits to be known without an order.
        if counter[0] > 16 or order in ("time", "jitter")
    ],
)
def test_a_counter_that_ran_over_gives_the_planes_it_saw(tmp_path, planes, bits, signed, dtype, order):
    t, y, x = np.nonzero(planes)
    random = np.random.default_rng(1)
    arrangement = {
        "time": np.arange(len(t)),
        "pixel": np.lexsort((t, x, y)),
        "mixed": random.permutation(len(t)),
        "jitter": np.argsort(t + random.random(len(t)) * 3),
    }[order]
    start = (2**bits - 5000 if not signed else 2 ** (bits - 1) - 5000) % 2**bits
    stored = np.array(wrapped(t * TICK_US, bits, start, signed), dtype)
    t, y, x, stored = t[arrangement], y[arrangement], x[arrangement], stored[arrangement]
    with open_recording(save(tmp_path / "a.npz", stored, y, x), **SIZE) as recording:
        assert (recording.info.planes, recording.info.rate_hz) == (200, RATE_HZ)
        np.testing.assert_array_equal(recording.read(0, 200), planes)
        assert said(recording, f"{bits} bits")


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_a_counter_is_known_in_other_units_too(tmp_path, planes, unit):
    t, y, x = np.nonzero(planes)
    scale = {"s": 1e-6, "ms": 1e-3}[unit]
    stored = np.array(wrapped(t * TICK_US, 32, 2**32 - 5000, False)) * scale
    with open_recording(save(tmp_path / "a.npz", stored, y, x), **SIZE) as recording:
        assert recording.info.planes == 200
        np.testing.assert_array_equal(recording.read(0, 200), planes)
        assert said(recording, "32 bits")


def test_a_counter_may_run_over_many_times(tmp_path):
    """300 000 µs are five times the range of 16 bits."""
    t = np.repeat(np.arange(6000), 3)
    y, x = np.arange(len(t)) % 7, np.arange(len(t)) * 5 % 13
    stored = np.array(wrapped(t * TICK_US, 16, 60_000, False), np.uint16)
    with open_recording(save(tmp_path / "a.npz", stored, y, x)) as recording:
        assert recording.info.planes == 6000
        np.testing.assert_array_equal(np.floor(recording.spikes(0, 6000).times).astype(int), t)
        assert said(recording, "5 times")


def test_a_table_with_the_time_last_is_known_by_a_counter_that_ran_over(tmp_path, planes):
    t, y, x = np.nonzero(planes)
    stored = np.array(wrapped(t * TICK_US, 32, 2**32 - 5000, False))
    np.save(tmp_path / "a.npy", np.stack([x, y, stored], axis=1))
    with open_recording(tmp_path / "a.npy", **SIZE) as recording:
        np.testing.assert_array_equal(recording.read(0, 200), planes)


def test_a_sequence_has_the_windows_that_it_has_without_the_wrap(tmp_path, planes):
    import cv2

    t, y, x = np.nonzero(planes)
    windows = []
    for name, start in (("as it was", 0), ("run over", 2**32 - 5000)):
        (tmp_path / name / "blur").mkdir(parents=True)
        for index in range(4):
            cv2.imwrite(str(tmp_path / name / f"blur/{index}.png"), np.full((11, 18, 3), 90, np.uint8))
        stored = np.array(wrapped(t * TICK_US, 32, start, False), np.uint32)
        save(tmp_path / name / "spike.npz", stored, y, x)
        with open_sequence(tmp_path / name) as sequence:
            windows.append(sequence.windows)
    assert windows[0] == windows[1]


# ------------------------------------------------------------------ other reasons for times to go back


@pytest.mark.parametrize(
    "keys",
    [("t", "x", "y"), ("t", "y"), ("t", "x"), ("t", "p")],
    ids=["by pixel", "by row", "by column", "by polarity"],
)
@pytest.mark.parametrize("factor", [1, 50, 300])
def test_lists_in_the_order_of_places_are_sorted(tmp_path, planes, keys, factor):
    t, y, x = np.nonzero(planes)
    columns = {"t": t, "y": y, "x": x, "p": np.where((y + x) % 2, 1, -1)}
    order = np.lexsort([columns[key] for key in keys])
    path = save(tmp_path / "a.npz", t[order] * factor, y[order], x[order], p=columns["p"][order])
    with open_recording(path, **SIZE, time_unit="planes") as recording:
        assert recording.info.planes == 199 * factor + 1
        np.testing.assert_array_equal(
            recording.spikes(0, recording.info.planes).times, np.sort(t * float(factor))
        )
        assert said(recording, "order")
        assert not said(recording, "bits")


def test_events_without_any_order_are_sorted_and_it_is_said(tmp_path, planes):
    t, y, x = np.nonzero(planes)
    mixed = np.random.default_rng(1).permutation(len(t))
    with open_recording(
        save(tmp_path / "a.npz", t[mixed], y[mixed], x[mixed]), **SIZE, time_unit="planes"
    ) as recording:
        np.testing.assert_array_equal(recording.read(0, 200), planes)
        assert said(recording, "in no order")


def test_a_little_disorder_is_sorted_and_its_size_said(tmp_path, planes):
    t, y, x = np.nonzero(planes)
    order = np.argsort(t * TICK_US + np.random.default_rng(2).integers(0, 220, len(t)), kind="stable")
    stored = t[order] * TICK_US
    late = int((np.maximum.accumulate(stored) - stored).max())
    with open_recording(save(tmp_path / "a.npz", stored, y[order], x[order]), **SIZE) as recording:
        np.testing.assert_array_equal(recording.read(0, 200), planes)
        assert said(recording, f"by at most {late}:")


@pytest.mark.parametrize("second", [0, 3000, 9000])
@pytest.mark.parametrize("jitter", [0, 120])
def test_a_clock_that_was_set_back_is_refused_with_the_place(tmp_path, planes, second, jitter):
    """Two recordings one after the other: nobody knows what lies between them."""
    t, y, x = np.nonzero(planes)
    us = t * TICK_US + (np.random.default_rng(3).integers(0, jitter, len(t)) if jitter else 0)
    both = np.concatenate([us, us + second]) if second < 9000 else np.concatenate([us, us + 5000])
    path = save(tmp_path / "a.npz", both, np.tile(y, 2), np.tile(x, 2))
    with pytest.raises(RecordingError, match=r"go back") as caught:
        open_recording(path, **SIZE)
    at = len(us)
    assert f"event {at} at {both[at]} after {both[at - 1]}" in str(caught.value)
    assert "Cut the file there" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_short_step_back_of_a_long_recording_is_refused_too(tmp_path):
    """A clock corrected by 10 ms after 2 s: pixels fire before what they fired before."""
    t = np.repeat(np.arange(60_000), 3)
    us = t * TICK_US - np.where(t >= 40_000, 10_000, 0)
    with pytest.raises(RecordingError, match="event 120000 at 1990000 after 1999950"):
        open_recording(save(tmp_path / "a.npz", us, np.arange(len(t)) % 5, np.arange(len(t)) % 7))


def test_rows_that_were_never_written_do_not_count(tmp_path, planes):
    t, y, x = (np.concatenate([column, np.zeros(500, int)]) for column in np.nonzero(planes))
    with open_recording(save(tmp_path / "a.npz", t * TICK_US, y, x), **SIZE) as recording:
        np.testing.assert_array_equal(recording.read(0, 200), planes)
        assert said(recording, "the last 500 events are all zeros")


# ------------------------------------------------------------------ spans without events


@pytest.mark.parametrize("unit", ["us", "s", "planes", None])
def test_a_span_far_beyond_the_events_is_refused(tmp_path, unit):
    """A counter that ran over and was sorted by its values afterwards looks like this."""
    t = np.concatenate([np.arange(0, 5000, 50), 2**32 - 5000 + np.arange(0, 5000, 50)]).astype(np.int64)
    path = save(tmp_path / "a.npz", t if unit != "s" else t / 1e6, np.arange(200) % 7, np.arange(200) % 5)
    with pytest.raises(RecordingError, match=r"200 events over 4.*planes.*10000000") as caught:
        open_recording(path, rate_hz=RATE_HZ, time_unit=unit)
    assert "--time-unit" in str(caught.value)


def test_units_are_offered_where_the_span_of_a_guessed_one_is_refused(tmp_path):
    t = np.sort(np.random.default_rng(0).integers(0, 10**10, 3000))
    with pytest.raises(RecordingError, match=r"1\.999e\+08 planes.*2e\+05 as ns"):
        open_recording(save(tmp_path / "a.npz", t, np.arange(3000) % 7, np.arange(3000) % 5), rate_hz=RATE_HZ)


def test_long_recordings_with_an_event_a_plane_are_opened(tmp_path):
    """11 minutes at 20 kHz."""
    t = np.arange(13_000_000, dtype=np.int32)
    zeros = np.zeros(len(t), np.uint8)
    path = save(tmp_path / "a.npz", t, zeros, zeros)
    with open_recording(path, time_unit="planes", rate_hz=RATE_HZ) as recording:
        assert recording.info.planes == 13_000_000
        assert recording.read(12_999_990, 13_000_000).sum() == 10


def test_times_beyond_any_clock_are_refused(tmp_path):
    for t in ([0, 1e300], [-1.7e308, 1.7e308], [0.0, 1e31]):
        path = save(tmp_path / "a.npz", np.array(t), np.arange(2), np.arange(2))
        with pytest.raises(RecordingError, match="beyond any clock"):
            open_recording(path)


@pytest.mark.parametrize("t", [[-(2**63), 2**63 - 1], [0, 2**63 - 1]])
def test_whole_numbers_at_the_ends_of_their_type_are_refused_in_a_line(tmp_path, t):
    path = save(tmp_path / "a.npz", np.array(t, np.int64), np.arange(2), np.arange(2))
    with pytest.raises(RecordingError, match="planes"):
        open_recording(path)


# ------------------------------------------------------------------ units


IN_UNIT = {"s": 1e-6, "ms": 1e-3, "us": 1, "ns": 1000}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("tick_us", [1000, 50, 25])
@pytest.mark.parametrize("start_us", [0, 1_700_000_000_123_456])
@pytest.mark.parametrize("gives_rate", [False, True])
def test_units_are_known_by_the_ticks_of_a_camera(tmp_path, planes, unit, tick_us, start_us, gives_rate):
    t, y, x = np.nonzero(planes)
    us = t.astype(np.int64) * tick_us + start_us
    stored = us * 1000 if unit == "ns" else us if unit == "us" else us * IN_UNIT[unit]
    # Nothing tells whole ms at 1000 Hz from planes.
    are_planes = (unit, tick_us, start_us) == ("ms", 1000, 0)
    path = save(tmp_path / "a.npz", stored, y, x)
    options = {"rate_hz": 1e6 / tick_us} if gives_rate else {}
    with open_recording(path, **SIZE, **options) as recording:
        if gives_rate or not are_planes:
            assert recording.info.rate_hz == pytest.approx(1e6 / tick_us, rel=1e-4)
        assert recording.info.planes == 200
        np.testing.assert_array_equal(recording.read(0, 200), planes)
        assert said(recording, f"taken for {'planes' if are_planes else unit},")
        assert bool(said(recording, "counted as plane 0")) == (start_us > 0)


@pytest.mark.parametrize("flashes", [2, 3, 20])
@pytest.mark.parametrize("pause", [400, 403, 2000])
@pytest.mark.parametrize("unit", ["us", "ms", "s"])
def test_the_pauses_of_a_flashing_light_are_no_ticks(tmp_path, planes, flashes, pause, unit):
    """Taken for ns, the planes of a flash lie closer than any camera's, and only the pauses are left."""
    t, y, x = np.nonzero(np.concatenate([planes] * flashes))
    t = t + t // 200 * pause
    path = save(tmp_path / "a.npz", t * TICK_US * IN_UNIT[unit] if unit != "us" else t * TICK_US, y, x)
    with open_recording(path, **SIZE) as recording:
        assert recording.info.rate_hz == pytest.approx(RATE_HZ, rel=1e-4)
        assert recording.info.planes == (flashes - 1) * (200 + pause) + 200
        last = recording.info.planes - 200
        np.testing.assert_array_equal(recording.read(last, last + 200), planes)
        assert said(recording, f"taken for {unit},")


def test_nanoseconds_since_1970_lose_nothing(tmp_path):
    """A float64 of this size counts in steps of 256 ns."""
    t = 1_700_000_000_000_000_000 + np.array([0, 50, 110, 50_000], np.int64)
    path = save(tmp_path / "a.npz", t, np.arange(4), np.arange(4))
    with open_recording(path, time_unit="ns", rate_hz=1e7) as recording:
        np.testing.assert_allclose(recording.spikes(0, 1000).times, [0, 0.5, 1.1, 500], atol=1e-12)
        assert not said(recording, "stored in steps")


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 1e3), ("us", 1e6)])
def test_dates_without_ticks_are_known_by_their_size(tmp_path, unit, scale):
    random = np.random.default_rng(0)
    t = (1.7e9 + np.sort(random.random(400)) * 0.01) * scale
    path = save(tmp_path / "a.npz", t, random.integers(0, 9, 400), random.integers(0, 9, 400))
    with open_recording(path, rate_hz=RATE_HZ) as recording:
        assert said(recording, f"taken for {unit},")
        assert recording.info.planes in (199, 200, 201)


@pytest.mark.parametrize(("scale", "decimals", "unit"), [(1e6, 0, "us"), (1, 6, "s"), (1e6, 1, "us")])
def test_the_digits_of_times_are_no_ticks(tmp_path, scale, decimals, unit):
    random = np.random.default_rng(0)
    t = np.round(np.sort(random.random(3000)) * 10 * scale, decimals)
    path = save(tmp_path / "a.npz", t, random.integers(0, 9, 3000), random.integers(0, 9, 3000))
    with open_recording(path, rate_hz=RATE_HZ) as recording:
        assert said(recording, f"taken for {unit},")


def test_coarse_numbers_are_said(tmp_path):
    t = 1.7e9 + np.arange(200) * 1e-4
    with open_recording(
        save(tmp_path / "a.npz", t, np.arange(200) % 7, np.arange(200) % 5), time_unit="s", rate_hz=1e5
    ) as recording:
        assert said(recording, "stored in steps of 2.4e-07 s, which are 0.024 planes")


@pytest.mark.parametrize("name", ["t_ms", "time_ms", "timestamp [ms]", "ts (ms)", "t_milliseconds"])
def test_the_name_of_the_times_says_their_unit(tmp_path, name):
    columns = {name: np.arange(0, 10), "x": np.arange(10) % 4, "y": np.arange(10) % 3}
    np.savez(tmp_path / "a.npz", **columns)
    with open_recording(tmp_path / "a.npz", rate_hz=RATE_HZ) as recording:
        assert recording.info.planes == 181
        assert said(recording, "taken for ms, because their name")
    with open_recording(tmp_path / "a.npz", rate_hz=RATE_HZ, time_unit="planes") as recording:
        assert recording.info.planes == 10


def test_a_clock_that_ran_long_before_the_recording_starts_it_at_plane_0(tmp_path, planes):
    t, y, x = np.nonzero(planes)
    with open_recording(save(tmp_path / "a.npz", 5 + t / RATE_HZ, y, x), **SIZE) as recording:
        assert (recording.info.planes, recording.info.clock_start) == (200, pytest.approx(5 * RATE_HZ))
        np.testing.assert_array_equal(recording.read(0, 200), planes)
        assert said(recording, "plane 100000 of their clock")
