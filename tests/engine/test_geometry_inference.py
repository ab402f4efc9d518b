"""Height and width out of the bits: recordings that nobody here made, and a spike camera of twenty lines."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from engine.errors import GeometryError
from engine.geometry import Size
from engine.recording import guess_geometry, open_recording
from engine.recording.inference import infer_geometry, usual_candidates

KODAK = ("kodim01", "kodim05", "kodim13", "kodim19", "kodim23")


def smooth_noise(height, width, seed):
    """A procedural scene: noise of several scales and a few hard edges, between 0 and 1."""
    random = np.random.default_rng(seed)
    scene = np.zeros((height, width))
    for scale in (4, 16, 64):
        coarse = random.random((height // scale + 2, width // scale + 2))
        rows, columns = np.arange(height) / scale, np.arange(width) / scale
        y, x = rows.astype(int), columns.astype(int)
        fy, fx = (rows - y)[:, None], (columns - x)[None, :]
        top = coarse[y][:, x] * (1 - fx) + coarse[y][:, x + 1] * fx
        bottom = coarse[y + 1][:, x] * (1 - fx) + coarse[y + 1][:, x + 1] * fx
        scene += scale * (top * (1 - fy) + bottom * fy)
    for _ in range(12):
        top, left = random.integers(0, height), random.integers(0, width)
        scene[top : top + height // 5, left : left + width // 5] *= random.random() + 0.3
    return scene / scene.max()


def fire(scene, size, planes, density, motion=(0.3, 0.5), seed=0, in_step=False):
    """Integrate a panned scene and fire with residue: packed bytes, bottom row first."""
    random = np.random.default_rng(seed)
    charge = np.zeros((size.height, size.width)) if in_step else random.random((size.height, size.width))
    gain = density / scene.mean()
    packed = []
    for plane in range(planes):
        top, left = int(plane * motion[0]), int(plane * motion[1])
        charge += gain * scene[top : top + size.height, left : left + size.width]
        spikes = charge >= 1
        charge[spikes] -= 1
        packed.append(np.packbits(spikes[::-1].reshape(-1), bitorder="little"))
    return np.concatenate(packed)


def procedural(size, planes, density, seed=0, **options):
    scene = smooth_noise(size.height + planes, size.width + planes, seed)
    return fire(scene, size, planes, density, seed=seed, **options)


@pytest.fixture(scope="session")
def photograph(shared_data):
    def load(name, height, width):
        with Image.open(shared_data / "textures" / f"{name}.png") as picture:
            picture = picture.convert("L")
            scale = max(height / picture.height, width / picture.width)
            fitted = picture.resize((int(picture.width * scale) + 1, int(picture.height * scale) + 1))
        return np.asarray(fitted, float) / 255 + 0.01

    return load


def best_size(packed, **options):
    best = infer_geometry(packed, **options).best
    return None if best is None else best.size


# ------------------------------------------------------------------ real and realistic recordings


@pytest.mark.shared
@pytest.mark.parametrize("name", ["203_part2_key_id151.dat", "203_part3_key_id151.dat"])
def test_the_spike_zoo_recordings_are_250_by_400(shared_data, name):
    with open_recording(shared_data / "spikezoo" / name) as recording:
        assert recording.info.size == Size(250, 400)
        assert recording.info.planes == 301
        assert recording.info.remainder_bytes == 0
        assert recording.info.known_by["height"] == recording.info.known_by["width"] == "bytes"
        assert recording.info.warnings == ()


@pytest.mark.shared
@pytest.mark.parametrize("cut", [1, 5000, 12_345])
def test_a_truncated_spike_zoo_recording_is_still_250_by_400(shared_data, tmp_path, cut):
    content = (shared_data / "spikezoo/203_part2_key_id151.dat").read_bytes()[:-cut]
    (tmp_path / "cut.dat").write_bytes(content)
    with open_recording(tmp_path / "cut.dat") as recording:
        assert recording.info.size == Size(250, 400)
        assert recording.info.remainder_bytes == len(content) % 12_500
        assert any("truncated" in warning for warning in recording.info.warnings)


@pytest.mark.shared
def test_a_real_camera_s_dark_recording_is_not_misread(shared_data):
    planes = np.load(shared_data / "spikezoo/uhsr.npz")["spk"]
    guess = infer_geometry(np.packbits(planes.reshape(200, -1), axis=1, bitorder="little").reshape(-1))
    assert guess.candidates[0].size == Size(250, 250)
    assert guess.best in (None, guess.candidates[0])


@pytest.mark.shared
@pytest.mark.parametrize("name", KODAK)
@pytest.mark.parametrize(("planes", "total"), [(88, 2_534_400), (56, 1_612_800)])
def test_gopro_like_files_are_360_by_640_and_nothing_else(photograph, name, planes, total):
    scene = photograph(name, 360 + planes, 640 + planes)
    for density in (0.07, 0.35):
        packed = fire(scene, Size(360, 640), planes, density)
        assert len(packed) == total
        guess = infer_geometry(packed)
        assert guess.best is not None
        assert guess.best.size == Size(360, 640)
        assert guess.best.planes == planes
        wrong = {Size(396, 640), Size(252, 640)}
        assert not wrong & {candidate.size for candidate in guess.candidates}


# ------------------------------------------------------------------ any size, any light


@pytest.mark.parametrize(
    ("size", "planes"),
    [
        (Size(250, 400), 40),
        (Size(360, 640), 88),
        (Size(180, 320), 137),
        (Size(384, 384), 33),
        (Size(256, 256), 65),
        (Size(1000, 1000), 12),
        (Size(240, 320), 40),
        (Size(300, 480), 40),
        (Size(200, 346), 50),
        (Size(100, 333), 60),
        (Size(64, 96), 60),
    ],
    ids=str,
)
@pytest.mark.parametrize("density", [0.07, 0.3, 0.75])
def test_sizes_known_and_unknown_are_found(size, planes, density):
    assert best_size(procedural(size, planes, density)) == size


@pytest.mark.parametrize("motion", [(0, 0), (0, 0.9), (0.9, 0), (0.8, 0.8)])
def test_motion_in_the_scene_moves_nothing(motion):
    assert best_size(procedural(Size(240, 320), 80, 0.15, motion=motion)) == Size(240, 320)


@pytest.mark.parametrize("size", [Size(250, 400), Size(360, 640), Size(200, 346)], ids=str)
@pytest.mark.parametrize("density", [0.07, 0.4])
def test_truncated_files_show_their_size_and_what_is_left_over(size, density):
    packed = procedural(size, 40, density)
    plane = len(packed) // 40
    guess = infer_geometry(packed[: -plane // 3])
    assert guess.best is not None
    assert (guess.best.size, guess.best.planes) == (size, 39)
    assert guess.best.remainder_bytes == plane - plane // 3 - (1 if plane % 3 else 0)


@pytest.mark.parametrize("density", [0.1, 0.3, 0.6])
def test_pixels_that_start_in_step_are_no_trap(density):
    assert best_size(procedural(Size(240, 320), 60, density, in_step=True)) == Size(240, 320)


def test_raw_lines_of_a_camera_are_told_from_a_picture():
    random = np.random.default_rng(5)
    lines = np.unpackbits(
        procedural(Size(250, 416), 40, 0.2).reshape(40, -1), axis=1, bitorder="little"
    ).reshape(40, 250, 416)
    lines[:, :, 400:] = random.integers(0, 2, (40, 250, 16))
    best = infer_geometry(np.packbits(lines.reshape(40, -1), axis=1, bitorder="little").reshape(-1)).best
    assert best is not None
    assert (best.size, best.head_columns, best.planes) == (Size(250, 400), 16, 40)


def test_a_known_side_leaves_only_candidates_that_agree():
    packed = procedural(Size(240, 320), 40, 0.2)
    for known in ({"height": 240}, {"width": 320}):
        guess = infer_geometry(packed, **known)
        assert guess.best is not None
        assert guess.best.size == Size(240, 320)
    wrong = infer_geometry(packed, width=300)
    assert {candidate.size.width for candidate in wrong.candidates} <= {300}
    assert wrong.best is None


def test_candidates_come_best_first():
    scores = [c.score for c in infer_geometry(procedural(Size(240, 320), 40, 0.2)).candidates]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > 1


# ------------------------------------------------------------------ when the bits say nothing


def nothing_to_see():
    random = np.random.default_rng(3)
    stripes = np.zeros((60, 240, 320), np.uint8)
    stripes[::3, ::2] = 1
    return {
        "dark": np.zeros(600_000, np.uint8),
        "saturated": np.full(600_000, 255, np.uint8),
        "noise": random.integers(0, 256, 600_000, dtype=np.uint8),
        "sparse noise": np.packbits(random.random(4_800_000) < 0.05),
        "short": random.integers(0, 256, 50, dtype=np.uint8),
        "one byte": np.array([7], np.uint8),
        "one byte again and again": np.full(5907, 0x35, np.uint8),
        "some bytes again and again": np.tile(random.integers(0, 256, 219, dtype=np.uint8), 66),
        "stripes": np.packbits(stripes.reshape(60, -1), axis=1, bitorder="little").reshape(-1),
    }


@pytest.mark.parametrize("name", nothing_to_see())
def test_what_is_no_picture_is_never_given_a_size(name):
    assert infer_geometry(nothing_to_see()[name]).best is None


@pytest.mark.parametrize("density", [0.07, 0.3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_spikes_without_memory_are_read_right_or_not_at_all(density, seed):
    scene = smooth_noise(120, 160, seed)
    random = np.random.default_rng(seed)
    planes = random.random((60, 120, 160)) < scene * density / scene.mean()
    packed = np.packbits(planes.reshape(60, -1), axis=1, bitorder="little").reshape(-1)
    assert best_size(packed) in (None, Size(120, 160))
    assert best_size(packed[:-3333]) is None


def test_the_error_lists_readings_and_asks_for_the_size(tmp_path):
    (tmp_path / "dark.dat").write_bytes(bytes(100_000))
    with pytest.raises(GeometryError, match=r"100000 bytes.*250 × 400.*--height and --width") as caught:
        open_recording(tmp_path / "dark.dat")
    assert caught.value.candidates == usual_candidates(100_000)
    assert Size(250, 400) in {candidate.size for candidate in caught.value.candidates}


def test_guess_geometry_ranks_the_readings_of_a_file(tmp_path):
    procedural(Size(240, 320), 40, 0.2).tofile(tmp_path / "a.dat")
    candidates = guess_geometry(tmp_path / "a.dat")
    assert (candidates[0].size, candidates[0].planes, candidates[0].remainder_bytes) == (
        Size(240, 320),
        40,
        0,
    )
    assert guess_geometry(tmp_path / "a.dat", height=240)[0].size == Size(240, 320)


def test_a_long_recording_is_understood_wherever_its_spikes_are(tmp_path):
    """A sparse file of 2 GB that is dark but for its middle; reading all of it would take gigabytes."""
    packed = procedural(Size(240, 320), 40, 0.2)
    planes = 200_000
    with (tmp_path / "long.dat").open("wb") as file:
        file.truncate(planes * 9600)
        file.seek(planes // 2 * 9600)
        for _ in range(60):
            file.write(packed.data)
    stored = np.memmap(tmp_path / "long.dat", np.uint8, "r")
    tracemalloc.start()
    best = infer_geometry(stored).best
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert best is not None
    assert (best.size, best.planes) == (Size(240, 320), planes)
    assert peak < 100_000_000
