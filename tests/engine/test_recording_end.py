"""Planes of zeros at a recording's end: allocated and never written, or dark."""

import dataclasses

import numpy as np
import pytest

from engine.geometry import Size
from engine.recording import open_recording, write_packed, written_end
from engine.recording.written_end import find_written_end, last_lit_byte
from engine.sequence import open_sequence

HEIGHT, WIDTH = 40, 56
SIZE = {"height": HEIGHT, "width": WIDTH}


def fire(planes, brightness=None, seed=0, gain=0.3):
    """Integrate a picture that moves and fire, `brightness` (planes,) scaling its light."""
    random = np.random.default_rng(seed)
    coarse = random.random((HEIGHT // 4 + 1, (WIDTH + planes // 4) // 4 + 2))
    scene = 0.2 + 0.8 * coarse.repeat(4, axis=0).repeat(4, axis=1)
    charge = random.random((HEIGHT, WIDTH))
    fired = np.zeros((planes, HEIGHT, WIDTH), np.uint8)
    for at, plane in enumerate(fired):
        light = 1.0 if brightness is None else brightness[at]
        charge += gain * light * scene[:HEIGHT, at // 4 : at // 4 + WIDTH]
        plane[:] = charge >= 1
        charge -= plane
    return fired


def then_zeros(planes, count):
    return np.concatenate([planes, np.zeros((count, *planes.shape[1:]), planes.dtype)])


@pytest.fixture(scope="module")
def planes():
    return fire(200)


def save(path, planes):
    if path.suffix == ".dat":
        write_packed(path, planes)
    elif path.suffix == ".npy":
        np.save(path, planes)
    else:
        np.savez(path, spk=planes)
    return path


@pytest.mark.parametrize("suffix", [".dat", ".npy", ".npz"])
def test_planes_that_were_never_written_do_not_count(tmp_path, planes, suffix):
    path = save(tmp_path / f"a{suffix}", then_zeros(planes, 100))
    with open_recording(path, **SIZE) as recording:
        info = recording.info
        assert (info.planes, info.unwritten_planes) == (200, 100)
        assert info.known_by["planes"] == "bytes"
        (about,) = [w for w in info.warnings if "never written" in w]
        assert "the last 100 of 300 planes hold no spike" in about
        assert about.remedy.startswith("Copy the recording again")
        np.testing.assert_array_equal(recording.read(0, 200), planes)


@pytest.mark.parametrize("suffix", [".dat", ".npy", ".npz"])
def test_a_recording_written_to_its_end_is_whole(tmp_path, planes, suffix):
    with open_recording(save(tmp_path / f"a{suffix}", planes), **SIZE) as recording:
        assert (recording.info.planes, recording.info.unwritten_planes) == (200, 0)
        assert recording.info.known_by["planes"] == "file"
        assert not [w for w in recording.info.warnings if "spike" in w]


def test_a_plane_that_was_written_in_part_does_not_count_either(tmp_path, planes):
    path = save(tmp_path / "a.dat", then_zeros(planes, 100))
    stored = bytearray(path.read_bytes())
    size = HEIGHT * WIDTH // 8
    stored[199 * size + size // 3 : 200 * size] = bytes(size - size // 3)
    path.write_bytes(stored)
    with open_recording(path, **SIZE) as recording:
        assert (recording.info.planes, recording.info.unwritten_planes) == (199, 101)


def test_an_end_that_grows_dark_is_recorded(tmp_path):
    fading = fire(300, np.clip(1.0 - np.arange(300) / 180, 0, 1))
    assert not fading[240:].any()
    with open_recording(save(tmp_path / "a.dat", fading), **SIZE) as recording:
        assert (recording.info.planes, recording.info.unwritten_planes) == (300, 0)


def test_a_dark_recording_ends_with_planes_without_a_spike_now_and_then(tmp_path):
    dark = np.zeros((300, HEIGHT, WIDTH), np.uint8)
    dark[np.random.default_rng(0).integers(0, 280, 60), 3, np.arange(60) % WIDTH] = 1
    with open_recording(save(tmp_path / "a.dat", dark), **SIZE) as recording:
        assert recording.info.planes == 300


@pytest.mark.parametrize("every", [2, 7, 40])
def test_pixels_that_all_fire_at_once_pause_and_are_recorded_to_the_end(tmp_path, every):
    flashing = np.zeros((300, HEIGHT, WIDTH), np.uint8)
    flashing[::every] = 1
    with open_recording(save(tmp_path / "a.dat", flashing), **SIZE) as recording:
        assert recording.info.planes == 300


def test_a_lost_stretch_in_the_middle_is_no_end(tmp_path, planes):
    torn = planes.copy()
    torn[60:120] = 0
    with open_recording(save(tmp_path / "a.dat", torn), **SIZE) as recording:
        assert recording.info.planes == 200


def test_a_recording_without_any_spike_says_so_and_is_read(tmp_path):
    for suffix in (".dat", ".npy", ".npz"):
        path = save(tmp_path / f"a{suffix}", np.zeros((30, HEIGHT, WIDTH), np.uint8))
        with open_recording(path, **SIZE) as recording:
            assert (recording.info.planes, recording.info.unwritten_planes) == (30, 0)
            assert any("no spike was found in its 30 planes" in w for w in recording.info.warnings)


@pytest.mark.parametrize("suffix", [".dat", ".npy", ".npz"])
def test_every_part_of_a_folder_has_its_end(tmp_path, planes, suffix):
    parts = [planes[:60], then_zeros(planes[60:100], 20), planes[100:160], planes[:60] * 0]
    for at, part in enumerate(parts):
        save(tmp_path / f"{at:04d}{suffix}", part)
    with open_recording(tmp_path, **SIZE) as recording:
        assert recording.parts() == (0, 60, 100, 160)
        assert (recording.info.planes, recording.info.unwritten_planes) == (220, 20)
        about = " ".join(recording.info.warnings)
        assert f"0001{suffix} (40 of 60 planes)" in about
        assert f"parts without a single spike: 0003{suffix}" in about
        np.testing.assert_array_equal(recording.read(0, 160), planes[:160])


def test_guessed_windows_are_spread_over_what_was_recorded(tmp_path, planes):
    from PIL import Image

    found = []
    for name, stored in (("whole", planes), ("allocated", then_zeros(planes, 100))):
        folder = tmp_path / name
        (folder / "blur").mkdir(parents=True)
        for at in range(5):
            light = planes[at * 40 : at * 40 + 40].mean(axis=0)
            Image.fromarray((255 * light / light.max()).astype(np.uint8)).save(folder / f"blur/{at:04d}.png")
        write_packed(folder / "spike.dat", stored)
        with open_sequence(folder, height=HEIGHT, width=WIDTH, flip=True) as sequence:
            voxels = [np.asarray(sequence.voxels(at)) for at in range(5)]
            found.append((sequence.windows, voxels))
            assert any("never written" in f for f in sequence.findings) == (name == "allocated")
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


# ------------------------------------------------------------------ the last byte


@pytest.mark.parametrize("at", [None, 0, 5, 4095, 70_000, 1_300_000, 2_999_999])
@pytest.mark.parametrize("sparse", [True, False])
def test_the_last_byte_that_is_not_zero_is_found(tmp_path, at, sparse):
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.truncate(3_000_000) if sparse else file.write(bytes(3_000_000))
        if at is not None:
            file.seek(at)
            file.write(b"\x10")
    assert last_lit_byte(path, 0, 3_000_000) == at
    assert last_lit_byte(path, 100, 3_000_000) == (None if at is not None and at < 100 else at)
    assert last_lit_byte(path, 0, 2_999_999) == (None if at == 2_999_999 else at)


@pytest.mark.parametrize("end", [300_000, 1_000_000, 1_048_577, 2_500_000])
def test_a_long_end_of_zeros_is_sampled_and_its_beginning_found_exactly(tmp_path, monkeypatch, end):
    monkeypatch.setattr(written_end, "FULLY_READ_BYTES", 500_000)
    content = np.random.default_rng(0).integers(1, 256, end, dtype=np.uint8).tobytes()
    (tmp_path / "a").write_bytes(content + bytes(3_000_000))
    assert last_lit_byte(tmp_path / "a", 0, end + 3_000_000) == end - 1


def test_a_recording_of_gigabytes_with_an_end_in_a_hole_is_read_in_no_time(tmp_path, planes):
    """5.6 GB of which nothing but the beginning is on the disk."""
    path = save(tmp_path / "a.dat", planes)
    size = HEIGHT * WIDTH // 8
    with path.open("r+b") as file:
        file.truncate(20_000_000 * size)
    with open_recording(path, **SIZE) as recording:
        assert (recording.info.planes, recording.info.unwritten_planes) == (200, 20_000_000 - 200)


def test_few_planes_of_zeros_or_few_spikes_are_let_be():
    spikes = np.full((20, 100), 1, np.uint8)

    def end(planes, last_lit, scale=1):
        return find_written_end(planes, last_lit, lambda start, stop: spikes[start:stop, : 100 // scale])

    assert end(23, 19).planes == 23
    assert end(24, 19).planes == 20
    assert end(24, 19, scale=20).planes == 24
    assert end(30, 19, scale=20).planes == 20


# ------------------------------------------------------------------ rates that cannot be


@pytest.mark.parametrize(("rate_hz", "doubted"), [(20, True), (150.0, True), (200, False), (2000, False)])
@pytest.mark.parametrize("suffix", [".dat", ".npy"])
def test_a_rate_of_frames_is_doubted_aloud(tmp_path, planes, rate_hz, doubted, suffix):
    path = save(tmp_path / f"a{suffix}", planes)
    said = dataclasses.replace(open_recording(path, rate_hz=rate_hz, **SIZE).info).warnings
    (tmp_path / "config.yaml").write_text(f"spike_h: {HEIGHT}\nspike_w: {WIDTH}\nrate_hz: {rate_hz}\n")
    stated = open_recording(path, **SIZE).info
    assert stated.size == Size(HEIGHT, WIDTH)
    for warnings, who in ((said, "as given"), (stated.warnings, "config.yaml")):
        about = [w for w in warnings if "planes a second" in w]
        assert len(about) == doubted
        assert all(
            f"{rate_hz:g} planes a second" in w and who in w and "the rate (--rate)" in w.remedy
            for w in about
        )
        assert all(("kHz" in w) == (rate_hz == 20) for w in about)
