"""Unpacked planes and event lists in `.npy` and `.npz`."""

import contextlib
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError, GeometryError, RecordingError
from engine.geometry import Size
from engine.recording import open_recording


@pytest.fixture
def planes():
    return (np.random.default_rng(0).random((30, 11, 18)) < 0.2).astype(np.uint8)


TAKEN_FOR = {"seconds": "s", "microseconds": "us", "planes": "planes"}


def write(path, array, **others):
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        np.savez_compressed(path, **(others or {"arr_0": array}))
    return path


# ------------------------------------------------------------------ unpacked planes


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int64, np.float32])
def test_planes_of_any_number_type_are_read_and_packed(tmp_path, planes, suffix, dtype):
    path = write(tmp_path / f"相机 1{suffix}", planes.astype(dtype))
    with open_recording(path) as recording:
        info = recording.info
        assert (info.format, info.size, info.planes, info.flip) == ("unpacked", Size(11, 18), 30, False)
        assert info.known_by["height"] == info.known_by["planes"] == "file"
        np.testing.assert_array_equal(recording.read(3, 30), planes[3:])
        assert recording.read(0, 2).dtype == np.uint8
        packed = np.packbits(planes[4:9].reshape(5, -1), axis=1, bitorder="little")
        np.testing.assert_array_equal(recording.packed(4, 9), packed)
        assert recording.parts() == (0,)
        with pytest.raises(RecordingError, match=r"\[0, 31\)"):
            recording.read(0, 31)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_planes_are_turned_over_where_asked(tmp_path, planes, suffix):
    path = write(tmp_path / f"a{suffix}", planes)
    with open_recording(path, flip=True) as recording:
        np.testing.assert_array_equal(recording.read(0, 30), planes[:, ::-1])
        np.testing.assert_array_equal(
            recording.packed(0, 30), np.packbits(planes.reshape(30, -1), axis=1, bitorder="little")
        )


@pytest.mark.shared
def test_a_real_camera_s_array_is_found_beside_its_label(shared_data):
    with np.load(shared_data / "spikezoo/uhsr.npz") as archive:
        expected = archive["spk"]
    with open_recording(shared_data / "spikezoo/uhsr.npz") as recording:
        assert (recording.info.size, recording.info.planes) == (Size(250, 250), 200)
        np.testing.assert_array_equal(recording.read(0, 200), expected)


def test_the_array_named_spk_is_taken_among_several(tmp_path, planes):
    path = write(tmp_path / "a.npz", None, other=planes[:3], spk=planes)
    assert open_recording(path).info.planes == 30
    path = write(tmp_path / "b.npz", None, one=planes, two=planes)
    with pytest.raises(RecordingError, match=r"one \(30, 11, 18\) uint8, two .*spk"):
        open_recording(path)


@pytest.mark.parametrize("shape", [(30, 1, 11, 18), (30, 11, 18, 1)])
def test_a_single_channel_is_no_hindrance(tmp_path, planes, shape):
    path = write(tmp_path / "a.npy", planes.reshape(shape))
    np.testing.assert_array_equal(open_recording(path).read(0, 30), planes)


def test_planes_in_column_order_and_of_0_and_255_are_read(tmp_path, planes):
    path = write(tmp_path / "a.npy", np.asfortranarray(planes * 255))
    np.testing.assert_array_equal(open_recording(path).read(0, 30), planes)


def test_a_npy_array_is_mapped_not_read(tmp_path):
    path = tmp_path / "a.npy"
    array = np.lib.format.open_memmap(path, "w+", np.uint8, (4000, 1000, 1000))
    array[3999, 5, 7] = 1
    del array
    with open_recording(path) as recording:
        assert recording.info.planes == 4000
        assert np.argwhere(recording.read(3998, 4000)).tolist() == [[1, 5, 7]]


def test_the_file_s_own_size_is_believed_and_others_are_told(tmp_path, planes):
    path = write(tmp_path / "a.npy", planes)
    (tmp_path / "config.yaml").write_text("spike_h: 250\nspike_w: 400\nrate_hz: 2000\n")
    with open_recording(path, layout_size=Size(5, 5), layout_planes=7) as recording:
        assert recording.info.size == Size(11, 18)
        assert (recording.info.rate_hz, recording.info.known_by["rate_hz"]) == (2000, "sidecar")
        warnings = " ".join(recording.info.warnings)
        assert "250 × 400" in warnings
        assert "5 × 5" in warnings
        assert "7 planes" in warnings
    with pytest.raises(GeometryError, match=r"another height.*found height 11.*expected height 12"):
        open_recording(path, height=12)


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.arange(60, dtype=np.uint8).reshape(3, 4, 5), "not binary.*values 0 and 1 to"),
        (np.full((3, 4, 5), np.nan), "not binary.*nan"),
        (np.array([{}, None], object), "Python objects"),
        (np.zeros((4, 5), np.uint8), r"neither planes nor events.*\(4, 5\)"),
        (np.zeros((3, 0, 5), np.uint8), "neither planes nor events"),
        (np.array(["a", "b"]), "neither planes nor events"),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_that_are_no_spikes_are_refused(tmp_path, array, what, suffix):
    path = tmp_path / f"a{suffix}"
    np.save(path, array, allow_pickle=True) if suffix == ".npy" else np.savez(path, array)
    with pytest.raises(RecordingError, match=what):
        open_recording(path)


def test_values_that_turn_up_later_are_refused_when_they_are_read(tmp_path):
    array = np.zeros((1000, 4, 5), np.uint8)
    array[501] = np.arange(20).reshape(4, 5)
    recording = open_recording(write(tmp_path / "a.npy", array))
    assert not recording.read(0, 500).any()
    with pytest.raises(RecordingError, match="not binary"):
        recording.read(500, 510)


@pytest.mark.parametrize("kept", [5, 60, 1000])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_truncated_arrays_are_refused(tmp_path, planes, suffix, kept):
    path = write(tmp_path / f"a{suffix}", planes)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RecordingError, match=r"cannot be read|is no \.np|cut short"):
        open_recording(path)


@settings(deadline=None, max_examples=300)
@given(
    which=st.sampled_from(["planes.npy", "planes.npz", "events.npz", "table.npy"]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    kept=st.none() | st.integers(1, 3000),
)
def test_damage_never_raises_anything_but_an_engine_error(tmp_path_factory, which, changes, kept):
    """Whatever is left can be read, or the error says what is wrong."""
    path = tmp_path_factory.mktemp("damaged") / which
    planes = (np.random.default_rng(0).random((10, 5, 14)) < 0.2).astype(np.uint8)
    t, y, x = np.nonzero(planes)
    if which == "events.npz":
        np.savez(path, t=t / 1000, x=x, y=y)
    elif which == "table.npy":
        np.save(path, np.stack([t, x, y], axis=1))
    else:
        write(path, planes)
    content = bytearray(path.read_bytes()[:kept])
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(content)
    with contextlib.suppress(EngineError), open_recording(path) as recording:
        recording.read(0, min(3, recording.info.planes))
        recording.packed(0, min(3, recording.info.planes))


def test_a_header_that_promises_more_than_is_there_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("spk.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 1000, 1000)}
        )
        member.write(bytes(100))
    with pytest.raises(RecordingError, match=r"cut short.*1000000000000000 bytes"):
        open_recording(tmp_path / "a.npz")


def test_a_damaged_archive_is_refused(tmp_path, planes):
    path = write(tmp_path / "a.npz", planes)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="cannot be read"):
        open_recording(path)


def test_an_archive_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("report.json", json.dumps({}))
    with pytest.raises(RecordingError, match="no arrays"):
        open_recording(tmp_path / "a.npz")


def test_an_array_s_name_does_not_matter_but_its_bytes_do(tmp_path, planes):
    np.save(tmp_path / "a.npy", planes)
    (tmp_path / "a.npy").rename(tmp_path / "a.dat")
    assert open_recording(tmp_path / "a.dat").info.format == "unpacked"
    (tmp_path / "b.npy").write_bytes(bytes(range(200)))
    with pytest.raises(RecordingError, match=r"no \.npy file \(found first bytes 00 01 02"):
        open_recording(tmp_path / "b.npy")


# ------------------------------------------------------------------ event lists


@pytest.fixture
def events(planes):
    t, y, x = np.nonzero(planes)
    return t, y, x


def structured(t, y, x):
    table = np.zeros(len(t), [("x", "u2"), ("y", "u2"), ("t", "f8"), ("p", "i1")])
    table["t"], table["y"], table["x"], table["p"] = t, y, x, 1
    return table


def event_files(tmp_path, t, y, x):
    """The same list in every way it is stored."""
    np.savez(tmp_path / "keys.npz", t=t, x=x, y=y)
    np.savez(tmp_path / "polarity.npz", ts=t, xs=x, ys=y, p=np.ones(len(t)))
    np.savez(tmp_path / "table.npz", events=np.stack([t, x, y, np.ones(len(t))], axis=1))
    np.save(tmp_path / "three.npy", np.stack([t, x, y], axis=1))
    np.save(tmp_path / "fields.npy", structured(t, y, x))
    return sorted(path for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("unit", "rate_hz"),
    [("seconds", 2000), ("seconds", 20_000), ("microseconds", 1000), ("microseconds", 1920)],
)
def test_events_in_every_form_and_unit_are_the_planes_they_came_from(tmp_path, planes, events, unit, rate_hz):
    t, y, x = events
    times = t / rate_hz if unit == "seconds" else np.rint(t / rate_hz * 1e6).astype(np.int64)
    for path in event_files(tmp_path, times, y, x):
        for options in ({"rate_hz": rate_hz}, {"rate_hz": rate_hz, "time_unit": unit}, {}):
            with open_recording(path, height=11, width=18, **options) as recording:
                assert recording.info.format == "events"
                assert recording.info.rate_hz == pytest.approx(rate_hz, rel=1e-4)
                assert recording.info.known_by["rate_hz"] == ("given" if options else "bytes")
                assert recording.info.planes == 30
                np.testing.assert_array_equal(recording.read(0, 30), planes)
                packed = np.packbits(planes[5:9].reshape(4, -1), axis=1, bitorder="little")
                np.testing.assert_array_equal(recording.packed(5, 9), packed)
                guessed = [
                    w for w in recording.info.warnings if "the unit of times (--time-unit)" in w.remedy
                ]
                assert bool(guessed) == ("time_unit" not in options)
                assert all(f" {TAKEN_FOR[unit]}," in warning for warning in guessed)


def test_events_in_planes_are_taken_as_they_are(tmp_path, planes, events):
    t, y, x = events
    for path in event_files(tmp_path, t, y, x):
        with open_recording(path, height=11, width=18) as recording:
            assert recording.info.rate_hz is None
            np.testing.assert_array_equal(recording.read(0, 30), planes)
            assert any("taken for planes" in warning for warning in recording.info.warnings)


def test_events_keep_their_own_times(tmp_path):
    np.savez(tmp_path / "a.npz", t=[0.25, 3.5, 3.75, 9.0], x=[1, 2, 2, 0], y=[0, 1, 1, 2])
    with open_recording(tmp_path / "a.npz", time_unit="planes") as recording:
        found = recording.spikes(0.25, 9.0)
        assert (found.times.tolist(), found.rows.tolist(), found.columns.tolist()) == (
            [0.25, 3.5, 3.75],
            [0, 1, 1],
            [1, 2, 2],
        )
        assert recording.info.planes == 10
        assert recording.read(3, 4).sum() == 1
        assert len(recording.spikes(4, 3)) == 0


def test_events_out_of_order_are_sorted(tmp_path, planes, events):
    t, y, x = events
    mixed = np.random.default_rng(1).permutation(len(t))
    np.savez(tmp_path / "a.npz", t=t[mixed], y=y[mixed], x=x[mixed])
    with open_recording(tmp_path / "a.npz", height=11, width=18, time_unit="planes") as recording:
        np.testing.assert_array_equal(recording.read(0, 30), planes)
        assert (np.diff(recording.spikes(0, 30).times) >= 0).all()


def test_events_can_be_turned_over(tmp_path, planes, events):
    t, y, x = events
    np.savez(tmp_path / "a.npz", t=t, y=y, x=x)
    with open_recording(tmp_path / "a.npz", height=11, width=18, flip=True, time_unit="planes") as recording:
        np.testing.assert_array_equal(recording.read(0, 30), planes[:, ::-1])
        np.testing.assert_array_equal(
            recording.packed(0, 30), np.packbits(planes.reshape(30, -1), axis=1, bitorder="little")
        )


def test_columns_in_the_order_x_y_t_are_recognised(tmp_path, planes, events):
    t, y, x = events
    np.save(tmp_path / "a.npy", np.stack([x, y, t], axis=1))
    with open_recording(tmp_path / "a.npy", height=11, width=18) as recording:
        np.testing.assert_array_equal(recording.read(0, 30), planes)
        assert any("x, y, t" in warning for warning in recording.info.warnings)


def test_the_size_of_an_event_list_comes_from_whoever_knows(tmp_path):
    np.savez(tmp_path / "a.npz", t=[0, 1], x=[3, 17], y=[10, 2])
    with open_recording(tmp_path / "a.npz") as recording:
        assert recording.info.size == Size(11, 18)
        assert recording.info.known_by["height"] == "bytes"
        assert any("11 × 18 just holds all events" in warning for warning in recording.info.warnings)
    assert open_recording(tmp_path / "a.npz", layout_size=Size(20, 30)).info.size == Size(20, 30)
    (tmp_path / "config.yaml").write_text("spike_h: 40\nspike_w: 50\n")
    assert open_recording(tmp_path / "a.npz").info.size == Size(40, 50)
    np.savez(tmp_path / "b.npz", t=[0, 1], x=[3, 17], y=[10, 2], height=60, width=70, rate_hz=500.0)
    with open_recording(tmp_path / "b.npz") as recording:
        assert (recording.info.size, recording.info.rate_hz) == (Size(60, 70), 500)
        assert recording.info.known_by["height"] == recording.info.known_by["rate_hz"] == "file"
    with pytest.raises(GeometryError, match=r"outside the given width.*up to 17.*below 5"):
        open_recording(tmp_path / "a.npz", height=20, width=5)


def test_a_clock_that_starts_far_away_starts_at_plane_0(tmp_path):
    np.savez(tmp_path / "a.npz", t=1.7e9 + np.array([0.0, 0.5, 1.0]), x=[0, 1, 2], y=[0, 0, 0])
    with open_recording(tmp_path / "a.npz", rate_hz=1000, time_unit="seconds") as recording:
        assert recording.info.planes == 1001
        assert any("1700000000000" in warning for warning in recording.info.warnings)


def test_times_on_no_ticks_get_a_nominal_rate_and_say_so(tmp_path):
    t = np.sort(np.random.default_rng(0).random(500)) * 0.01
    np.savez(tmp_path / "a.npz", t=t, x=np.arange(500) % 7, y=np.arange(500) % 5)
    with open_recording(tmp_path / "a.npz") as recording:
        assert recording.info.rate_hz == 20_000
        assert recording.info.known_by["rate_hz"] == "unknown"
        assert any("nothing says the rate" in warning for warning in recording.info.warnings)


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"t": [0.0, np.nan], "x": [1, 2], "y": [1, 2]}, "times .* not numbers.*1 NaN"),
        ({"t": [0, 1], "x": [1, 2, 3], "y": [1, 2]}, "differ in length"),
        ({"t": [0, 1], "x": [-1, 2], "y": [1, 2]}, "x of the event list are not pixels.*-1 to 2"),
        ({"t": [0, 1], "x": [1, 2], "y": [0.5, 2]}, "y of the event list are not pixels"),
        ({"t": [], "x": [], "y": []}, "empty"),
    ],
)
def test_event_lists_that_make_no_sense_are_refused(tmp_path, columns, what):
    np.savez(tmp_path / "a.npz", **columns)
    with pytest.raises(RecordingError, match=what):
        open_recording(tmp_path / "a.npz")


def test_an_unknown_unit_of_time_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", t=[0, 1], x=[1, 2], y=[1, 2])
    with pytest.raises(RecordingError, match=r"no such unit of time.*'minutes'.*s, ms, us, ns, planes"):
        open_recording(tmp_path / "a.npz", time_unit="minutes")


def test_closed_recordings_refuse_to_be_read(tmp_path, planes, events):
    t, y, x = events
    np.savez(tmp_path / "events.npz", t=t, y=y, x=x)
    for path in (
        tmp_path / "events.npz",
        write(tmp_path / "a.npy", planes),
        write(tmp_path / "b.npz", planes),
    ):
        recording = open_recording(path)
        recording.close()
        for method in (recording.read, recording.packed):
            with pytest.raises(RecordingError, match="closed"):
                method(0, 1)
