"""Arrays whose first axis is not time, or whose rows are columns."""

import itertools
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from engine.errors import GeometryError, RecordingError
from engine.geometry import Size
from engine.recording import guess_lying, open_recording, unpacked
from engine.recording.axes import axes_of, time_axis
from engine.recording.unpacked import three_axes
from engine.sequence import open_sequence

ORDERS = ("THW", "HWT", "TWH", "WHT", "HTW", "WTH")
HEIGHT, WIDTH, PLANES = 44, 58, 90


def picture(height, width, seed=0):
    """Noise of two scales and some edges, between 0 and 1."""
    random = np.random.default_rng(seed)
    scene = np.zeros((height, width))
    for scale in (4, 16):
        coarse = random.random((height // scale + 1, width // scale + 1))
        scene += scale * coarse.repeat(scale, axis=0).repeat(scale, axis=1)[:height, :width]
    scene[height // 5 : height // 2, width // 2 : width // 2 + width // 4] *= 0.3
    return scene / scene.max()


def fire(shape, density=0.2, motion=(0.0, 0.3), seed=0, memory=True):
    """Integrate a picture that moves and fire, (T, H, W); or fire by chance at the same rate."""
    planes, height, width = shape
    random = np.random.default_rng(seed)
    reach = [int(abs(speed) * planes) + 1 for speed in motion]
    scene = picture(height + reach[0], width + reach[1], seed)
    scene *= density / scene.mean()
    charge = random.random((height, width))
    fired = np.zeros(shape, np.uint8)
    for at, plane in enumerate(fired):
        top, left = int(at * motion[0]), int(at * motion[1])
        light = scene[top : top + height, left : left + width]
        if memory:
            charge += light
            plane[:] = charge >= 1
            charge -= plane
        else:
            plane[:] = random.random((height, width)) < light
    return fired


def stored_as(planes, order):
    """Put (T, H, W) into another order of axes."""
    return planes.transpose(["THW".index(letter) for letter in order])


def save(path, array, fortran=False):
    array = np.asfortranarray(array) if fortran else np.ascontiguousarray(array)
    np.save(path, array) if path.suffix == ".npy" else np.savez_compressed(path, spk=array)
    return path


@pytest.fixture(scope="module")
def planes():
    return fire((PLANES, HEIGHT, WIDTH))


# ------------------------------------------------------------------ by values


@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("order", ["THW", "HWT", "HTW"])
def test_time_is_found_along_whichever_axis_it_is(tmp_path, planes, order, suffix, fortran):
    path = save(tmp_path / f"a{suffix}", stored_as(planes, order), fortran)
    with open_recording(path) as recording:
        info = recording.info
        assert (info.size, info.planes, info.axes) == (Size(HEIGHT, WIDTH), PLANES, order)
        np.testing.assert_array_equal(recording.read(0, PLANES), planes)
        np.testing.assert_array_equal(recording.read(17, 23), planes[17:23])
        packed = np.packbits(planes[5:80].reshape(75, -1), axis=1, bitorder="little")
        np.testing.assert_array_equal(recording.packed(5, 80), packed)
        assert info.known_by["height"] == info.known_by["planes"] == ("file" if order == "THW" else "bytes")
        said = [w for w in info.warnings if "is read as" in w]
        assert len(said) == (order != "THW")
        for finding in said:
            shape = stored_as(planes, order).shape
            assert f"the array {shape} is read as ({', '.join(order)}), 90 planes of 44 × 58" in finding
            assert "Give height and width (--height and --width)" in finding.remedy


@pytest.mark.parametrize("order", ["TWH", "WHT", "WTH"])
def test_rows_for_columns_cannot_be_told_by_values_and_time_still_is(tmp_path, planes, order):
    with open_recording(save(tmp_path / "a.npy", stored_as(planes, order))) as recording:
        assert (recording.info.planes, recording.info.size) == (PLANES, Size(WIDTH, HEIGHT))
        np.testing.assert_array_equal(recording.read(0, PLANES), planes.transpose(0, 2, 1))
        assert recording.info.may_lie


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("shape", "density", "motion"),
    [
        ((200, 64, 80), 0.03, (0, 0)),
        ((200, 64, 80), 0.1, (1.0, 1.0)),
        ((60, 64, 80), 0.3, (0.5, 0)),
        ((60, 64, 80), 0.6, (0, 0)),
        ((20, 96, 96), 0.2, (0, 0.3)),
        ((96, 96, 96), 0.15, (0.2, 0.2)),
        ((40, 16, 16), 0.3, (0, 0)),
        ((1500, 24, 20), 0.02, (0, 0)),
    ],
)
def test_dark_bright_still_moving_square_and_small_arrays_tell_time(order, shape, density, motion):
    array = np.ascontiguousarray(stored_as(fire(shape, density, motion), order))
    assert time_axis(array.shape, lambda box: array[box] > 0) == order.index("T")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("density", "planes"), [(0.2, 200), (0.3, 100), (0.6, 60)])
def test_spikes_without_memory_tell_time_where_the_scene_stands_still(order, density, planes):
    array = stored_as(fire((planes, 96, 80), density, (0, 0), memory=False), order)
    assert time_axis(array.shape, lambda box: array[box] > 0) == order.index("T")


@pytest.mark.parametrize("seed", range(40))
def test_chance_is_never_taken_for_time(seed):
    random = np.random.default_rng(seed)
    array = random.random(tuple(random.integers(2, 70, 3))) < random.choice([0.01, 0.1, 0.2, 0.5, 0.8])
    assert time_axis(array.shape, lambda box: array[box]) is None


@pytest.mark.parametrize("seed", range(6))
def test_a_fast_scene_without_memory_is_never_misread(seed):
    array = fire((200, 96, 80), 0.3, (1.0, 0.7), seed=seed, memory=False)
    for order in ORDERS:
        turned = stored_as(array, order)
        assert time_axis(turned.shape, lambda box, turned=turned: turned[box] > 0) in (None, order.index("T"))


def test_patterns_are_read_as_they_usually_lie(tmp_path):
    """Made by hand: still pictures, bars, a bar that moves. Nothing in them fires at a pace."""
    still = np.repeat((picture(30, 40) > 0.5)[None], 25, axis=0)
    bars = np.zeros((25, 30, 40), bool)
    bars[:, :, ::2] = True
    moving = np.zeros((25, 30, 40), bool)
    for at in range(25):
        moving[at, :, at : at + 3] = True
    for name, array in (("still", still), ("bars", bars), ("moving", moving), ("dark", bars & False)):
        with open_recording(save(tmp_path / f"{name}.npy", array)) as recording:
            assert recording.info.planes == 25, name
            assert not [w for w in recording.info.warnings if "is read as" in w]


def test_real_doubt_is_said(tmp_path):
    chance = np.random.default_rng(0).random((250, 400, 40)) < 0.002
    with open_recording(save(tmp_path / "a.npy", chance)) as recording:
        assert (recording.info.planes, recording.info.known_by["axes"]) == (250, "unknown")
        (doubt,) = recording.info.warnings
        assert "250 planes of 400 × 40, although it may be 40 planes of 250 × 400" in doubt


def test_a_known_camera_lying_on_its_side_is_said(tmp_path):
    array = fire((30, 250, 400)).transpose(0, 2, 1)
    with open_recording(save(tmp_path / "a.npy", array)) as recording:
        assert recording.info.size == Size(400, 250)
        (doubt,) = recording.info.warnings
        assert "a camera of 250 × 400 lying on its side" in doubt
        assert "height 250 and width 400" in doubt.remedy


@pytest.mark.shared
@pytest.mark.parametrize("order", ["THW", "HWT", "HTW"])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_real_camera_s_array_is_read_alike_in_every_order(shared_data, tmp_path, order, suffix):
    with np.load(shared_data / "spikezoo/uhsr.npz") as archive:
        planes = archive["spk"]
    for fortran in (False, True):
        path = save(tmp_path / f"a{suffix}", stored_as(planes, order), fortran)
        with open_recording(path) as recording:
            assert (recording.info.axes, recording.info.planes) == (order, 200)
            np.testing.assert_array_equal(recording.read(0, 200), planes)


@pytest.mark.shared
def test_counts_are_no_planes(shared_data):
    with pytest.raises(RecordingError, match="not binary"):
        open_recording(shared_data / "real/rig/spike_counts.npz")


# ------------------------------------------------------------------ by what is said


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("who", ["given", "sidecar", "layout"])
def test_a_size_that_is_said_tells_rows_from_columns(tmp_path, planes, order, suffix, who):
    path = save(tmp_path / f"a{suffix}", stored_as(planes, order))
    options = {}
    if who == "given":
        options = {"height": HEIGHT, "width": WIDTH}
    elif who == "layout":
        options = {"layout_size": Size(HEIGHT, WIDTH)}
    else:
        (tmp_path / "config.yaml").write_text(f"spike_h: {HEIGHT}\nspike_w: {WIDTH}\n")
    with open_recording(path, **options) as recording:
        assert (recording.info.axes, recording.info.known_by["axes"]) == (order, who)
        assert not recording.info.may_lie
        np.testing.assert_array_equal(recording.read(0, PLANES), planes)
        assert [w for w in recording.info.warnings if "is read as" in w] == list(recording.info.warnings)


def test_what_is_given_overrules_values_and_all_others(tmp_path, planes):
    path = save(tmp_path / "a.npy", stored_as(planes, "HWT"))
    (tmp_path / "config.yaml").write_text(f"spike_h: {HEIGHT}\nspike_w: {WIDTH}\n")
    with open_recording(path, height=WIDTH, width=PLANES) as recording:
        assert (recording.info.axes, recording.info.planes) == ("THW", HEIGHT)
        np.testing.assert_array_equal(recording.read(0, HEIGHT), stored_as(planes, "HWT"))


def test_one_side_is_enough_where_it_is_one_axis_alone(tmp_path, planes):
    path = save(tmp_path / "a.npy", stored_as(planes, "WHT"))
    with open_recording(path, width=WIDTH) as recording:
        np.testing.assert_array_equal(recording.read(0, PLANES), planes)


def test_where_two_axes_have_the_size_that_was_said_values_decide(tmp_path):
    cube = fire((58, 44, 58))
    path = save(tmp_path / "a.npy", stored_as(cube, "HWT"))
    with open_recording(path, height=44, width=58) as recording:
        np.testing.assert_array_equal(recording.read(0, 58), cube)


def test_a_size_that_no_axes_have_is_refused(tmp_path, planes):
    path = save(tmp_path / "a.npy", stored_as(planes, "HWT"))
    with pytest.raises(GeometryError, match=r"another height.*shape \(44, 58, 90\).*expected height 45"):
        open_recording(path, height=45, width=58)


# ------------------------------------------------------------------ by a frame


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("flip", [False, True])
def test_a_frame_tells_rows_from_columns_and_which_way_up(tmp_path, order, flip):
    planes = fire((PLANES, HEIGHT, WIDTH), motion=(0, 0))
    stored = planes[:, ::-1] if flip else planes
    path = save(tmp_path / "a.npy", stored_as(stored, order))
    frame = picture(HEIGHT + 1, WIDTH + 1)[:HEIGHT, :WIDTH].repeat(2, axis=0).repeat(2, axis=1)
    with open_recording(path, frame=frame, frame_window=(0, PLANES)) as recording:
        assert (recording.info.axes, recording.info.flip) == (order, flip)
        np.testing.assert_array_equal(recording.read(0, PLANES), planes)


def test_a_frame_of_something_else_tells_by_its_shape_or_not_at_all(tmp_path, planes):
    path = save(tmp_path / "a.npy", planes.transpose(0, 2, 1))
    noise = np.random.default_rng(0).random
    with open_recording(path) as recording:
        assert guess_lying(recording, noise((2 * HEIGHT, 2 * WIDTH))) is True
        assert guess_lying(recording, noise((2 * WIDTH, 2 * HEIGHT))) is False
        assert guess_lying(recording, noise((70, 70))) is None


@pytest.mark.parametrize("order", ["THW", "HWT", "TWH", "WHT"])
def test_a_sequence_of_frames_and_an_array_of_any_order_is_one(tmp_path, order):
    planes = fire((200, 64, 96), 0.4, (0, 0.1))
    (tmp_path / "blur").mkdir()
    for at in range(5):
        light = planes[40 * at : 40 * at + 40].mean(axis=0)
        Image.fromarray(np.round(255 * light / light.max()).astype(np.uint8)).save(
            tmp_path / f"blur/{at:04d}.png"
        )
    path = save(tmp_path / "spikes.npy", stored_as(planes, order))
    with open_sequence(tmp_path, spikes=path) as sequence:
        assert sequence.recording.info.size == Size(64, 96)
        np.testing.assert_array_equal(sequence.recording.read(0, 200), planes)
        assert [(w.start, w.stop) for w in sequence.windows] == [(40 * at, 40 * at + 40) for at in range(5)]
        assert any("is read as" in finding for finding in sequence.findings) == (order != "THW")


# ------------------------------------------------------------------ shapes, folders, ends


@pytest.mark.parametrize(
    ("shape", "left"),
    [
        ((9, 1, 5, 7), (9, 5, 7)),
        ((9, 5, 7, 1), (9, 5, 7)),
        ((5, 7, 1, 9), (5, 7, 9)),
        ((1, 9, 5, 7), (9, 5, 7)),
        ((1, 9, 1, 5, 7), (9, 5, 7)),
        ((1, 1, 5, 7), (1, 5, 7)),
        ((9, 3, 5, 7), None),
        ((9, 0, 5), None),
        ((5, 7), None),
    ],
)
def test_axes_of_one_channel_or_one_batch_are_left_out(shape, left):
    assert three_axes(shape) == left


@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_matlab_video_of_one_channel_is_read(tmp_path, planes, suffix, fortran):
    path = save(tmp_path / f"a{suffix}", stored_as(planes, "HWT")[:, :, None], fortran)
    np.testing.assert_array_equal(open_recording(path).read(0, PLANES), planes)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_parts_of_a_folder_have_the_same_axes(tmp_path, planes, suffix):
    parts = [planes[:30] * 0, planes[:50], planes[50:]]
    for at, part in enumerate(parts):
        save(tmp_path / f"{at}{suffix}", stored_as(part, "HWT"))
    with open_recording(tmp_path) as recording:
        assert recording.parts() == (0, 30, 80)
        assert (recording.info.axes, recording.info.size) == ("HWT", Size(HEIGHT, WIDTH))
        np.testing.assert_array_equal(recording.read(0, 120), np.concatenate(parts))


@pytest.mark.parametrize("order", ["HWT", "HTW", "WHT"])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_planes_that_were_never_written_do_not_count_in_any_order(tmp_path, order, suffix):
    planes = fire((200, HEIGHT, WIDTH), 0.3)
    allocated = np.concatenate([planes, np.zeros((100, HEIGHT, WIDTH), np.uint8)])
    path = save(tmp_path / f"a{suffix}", stored_as(allocated, order))
    with open_recording(path, height=HEIGHT, width=WIDTH) as recording:
        assert (recording.info.planes, recording.info.unwritten_planes) == (200, 100)
        np.testing.assert_array_equal(recording.read(0, 200), planes)


# ------------------------------------------------------------------ planes scattered over a file


@pytest.mark.parametrize("order", ["HWT", "WHT"])
@pytest.mark.parametrize(("height", "width"), [(11, 13), (16, 24), (1, 7)])
def test_planes_are_gathered_in_blocks(tmp_path, monkeypatch, order, height, width):
    monkeypatch.setattr(unpacked, "_GATHERED_BYTES", 1)
    monkeypatch.setattr(unpacked, "_CHUNK_BYTES", 1)
    planes = (np.random.default_rng(0).random((50, height, width)) < 0.3).astype(np.uint8)
    path = save(tmp_path / "a.npy", stored_as(planes, order))
    with open_recording(path, height=height, width=width, flip=False) as recording:
        for start, stop in itertools.combinations((0, 3, 8, 9, 16, 49, 50), 2):
            np.testing.assert_array_equal(recording.read(start, stop), planes[start:stop])
        assert recording.read(50, 50).shape == (0, height, width)
        assert recording.packed(7, 7).shape == (0, (height * width + 7) // 8)
        recording.forget(0, 50)
        np.testing.assert_array_equal(recording.read(0, 50), planes)
    with pytest.raises(RecordingError, match="closed"):
        recording.read(0, 1)
    with open_recording(path, height=height, width=width, flip=True) as recording:
        np.testing.assert_array_equal(recording.read(4, 30), planes[4:30, ::-1])


@pytest.mark.parametrize("order", ["HWT", "HTW", "WHT"])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_counts_in_any_order_are_refused(tmp_path, order, suffix):
    counts = np.random.default_rng(0).integers(0, 4, (40, 24, 32)).astype(np.uint8)
    path = save(tmp_path / f"a{suffix}", stored_as(counts, order))
    with pytest.raises(RecordingError, match="not binary"):
        open_recording(path, height=24, width=32)


def test_a_long_array_that_ends_in_time_is_opened_and_read_in_little_memory(tmp_path):
    """1 GB in which a pixel's spikes follow one another; those of one plane lie all over the file."""
    planes = fire((64, 100, 160), 0.3)
    array = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (100, 160, 60_000))
    array[:, :, 20_000:20_064] = planes.transpose(1, 2, 0)
    array[50, 80, 59_999] = 1
    del array
    tracemalloc.start()
    with open_recording(tmp_path / "a.npy", height=100, width=160) as recording:
        assert recording.info.planes == 60_000
        np.testing.assert_array_equal(recording.read(20_010, 20_030), planes[10:30])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120_000_000


def test_orders_name_the_axes():
    for order in ORDERS:
        shape = tuple({"T": 7, "H": 4, "W": 5}[letter] for letter in order)
        assert tuple(shape[axis] for axis in axes_of(order)) == (7, 4, 5)
