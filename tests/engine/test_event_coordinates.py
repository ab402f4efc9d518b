"""Rows and columns of event lists: counted from 0, or from 1 where something shows it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import GeometryError
from engine.geometry import Size
from engine.recording import open_recording
from engine.sequence import open_sequence

H, W, PLANES = 40, 56, 120


def scene(speed=(0.0, 0.08), seed=0, scale=1):
    """Planes (T, H, W) of a moving picture, pixels firing when their light adds up, and that light."""
    random = np.random.default_rng(seed)
    base = random.random((H // 3 + 8, W // 3 + 12)).astype(np.float32)
    large = cv2.resize(base, (3 * base.shape[1], 3 * base.shape[0]), interpolation=cv2.INTER_CUBIC)
    large = np.clip(large, 0.05, 1)
    charge = random.random((H, W))
    planes = np.zeros((PLANES, H, W), np.uint8)
    light = np.zeros((PLANES, H * scale, W * scale), np.float32)
    for at in range(PLANES):
        dy, dx = at * speed[0], at * speed[1]
        # Pixel centres at half pixels of either grid.
        for array, times in ((None, 1), (light, scale)):
            rows = (np.arange(H * times) + 0.5) / times - 0.5 + dy + 2
            columns = (np.arange(W * times) + 0.5) / times - 0.5 + dx + 2
            maps = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
            seen = cv2.remap(large, *maps, cv2.INTER_LINEAR)
            if array is None:
                charge += 0.4 * seen
            else:
                array[at] = seen
        fired = charge >= 1
        planes[at] = fired
        charge -= fired
    return planes, light


def save(path: Path, planes, origin=(0, 0), **others):
    t, y, x = np.nonzero(planes)
    np.savez(path, t=t, y=(y + origin[0]).astype(np.uint16), x=(x + origin[1]).astype(np.uint16), **others)
    return path


def about_origin(findings):
    return [finding for finding in findings if "counted from 1: none" in finding]


def folder_of(tmp_path, planes, light, origin, *, frames=3, config="", flip=False, **others):
    folder = tmp_path / "clip"
    (folder / "blur").mkdir(parents=True)
    length = PLANES // frames
    for at in range(frames):
        mean = light[at * length : (at + 1) * length].mean(0)
        cv2.imwrite(str(folder / f"blur/{at:04d}.png"), np.rint(mean * 255).astype(np.uint8))
    (folder / "config.yaml").write_text(f"spike_rate_hz: 20000\n{config}")
    save(folder / "spike.npz", planes[:, ::-1] if flip else planes, origin, **others)
    return folder


# ------------------------------------------------------------------ sizes


@pytest.fixture
def dense():
    return (np.random.default_rng(0).random((30, 11, 18)) < 0.2).astype(np.uint8)


@pytest.mark.parametrize("source", ["given", "file", "sidecar", "layout"])
@pytest.mark.parametrize("flip", [False, True])
def test_a_known_size_shows_that_coordinates_begin_at_1(tmp_path, dense, source, flip):
    stated = {"height": 11, "width": 18} if source == "file" else {}
    options = {
        "given": {"height": 11, "width": 18},
        "layout": {"layout_size": Size(11, 18)},
    }.get(source, {})
    if source == "sidecar":
        (tmp_path / "config.yaml").write_text("spike_h: 11\nspike_w: 18\n")
    path = save(tmp_path / "a.npz", dense, (1, 1), **stated)
    with open_recording(path, flip=flip, **options) as recording:
        assert recording.info.size == Size(11, 18)
        assert recording.info.known_by["height"] == source
        np.testing.assert_array_equal(recording.read(0, 30), dense[:, ::-1] if flip else dense)
        (finding,) = about_origin(recording.info.warnings)
        assert f"row 11 lies outside the height of 11 ({source})" in finding
        assert finding.remedy
    path = save(tmp_path / "a.npz", dense, (0, 0), **stated)
    with open_recording(path, flip=flip, **options) as recording:
        np.testing.assert_array_equal(recording.read(0, 30), dense[:, ::-1] if flip else dense)
        assert not about_origin(recording.info.warnings)


def test_what_is_known_of_one_axis_holds_for_the_other(tmp_path, dense):
    """The last column is dark, so that columns would fit either way."""
    dense[:, :, -1] = 0
    with open_recording(save(tmp_path / "a.npz", dense, (1, 1)), height=11, width=18) as recording:
        np.testing.assert_array_equal(recording.read(0, 30), dense)
    with open_recording(save(tmp_path / "a.npz", dense, (1, 1)), height=11) as recording:
        np.testing.assert_array_equal(recording.read(0, 30), dense[:, :, :-1])


def test_an_axis_with_events_in_its_first_line_begins_at_0(tmp_path, dense):
    with open_recording(save(tmp_path / "a.npz", dense, (1, 0)), height=11, width=18) as recording:
        np.testing.assert_array_equal(recording.read(0, 30), dense)
        (finding,) = about_origin(recording.info.warnings)
        assert finding.startswith("rows of the events are counted from 1: none is in row 0, and row 11")


@pytest.mark.parametrize("origin", [(2, 2), (3, 0)])
def test_events_farther_outside_are_refused(tmp_path, dense, origin):
    with pytest.raises(GeometryError, match="outside the given height"):
        open_recording(save(tmp_path / "a.npz", dense, origin), height=11, width=18)


def test_events_in_row_0_leave_the_size_wrong(tmp_path, dense):
    with pytest.raises(GeometryError, match="outside the given height"):
        open_recording(save(tmp_path / "a.npz", dense), height=10, width=17)


def test_without_any_size_the_doubt_is_said(tmp_path, dense):
    with open_recording(save(tmp_path / "a.npz", dense, (1, 1))) as recording:
        assert recording.info.size == Size(12, 19)
        assert any("they may be counted from 1" in finding for finding in recording.info.warnings)
    with open_recording(save(tmp_path / "a.npz", dense)) as recording:
        assert not any("may be counted from 1" in finding for finding in recording.info.warnings)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_frames_of_a_whole_multiple_show_it(tmp_path, dense, times):
    frame_size = Size(11 * times, 18 * times)
    with open_recording(save(tmp_path / "a.npz", dense, (1, 1)), frame_size=frame_size) as recording:
        assert recording.info.size == Size(11, 18)
        np.testing.assert_array_equal(recording.read(0, 30), dense)
        assert about_origin(recording.info.warnings)
        known_by = recording.info.known_by
        assert (known_by["height"], known_by["width"]) == ("frames", "frames")
        assert not any("nothing says height" in finding for finding in recording.info.warnings)
    for other in (Size(12 * times, 19 * times), Size(23 * times, 18 * times)):
        with open_recording(tmp_path / "a.npz", frame_size=other) as recording:
            assert recording.info.size == Size(12, 19)


@pytest.mark.parametrize("origin", [(1, 0), (0, 1)])
@pytest.mark.parametrize("times", [1, 2])
def test_frames_show_it_of_one_axis_alone(tmp_path, dense, origin, times):
    frame_size = Size(11 * times, 18 * times)
    with open_recording(save(tmp_path / "a.npz", dense, origin), frame_size=frame_size) as recording:
        assert recording.info.size == Size(11, 18)
        np.testing.assert_array_equal(recording.read(0, 30), dense)
        assert about_origin(recording.info.warnings)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("times", [1, 2])
def test_a_size_that_is_the_last_row_and_column_is_one_too_large(tmp_path, dense, flip, times):
    """What a program writes that takes the largest coordinate, counted from 1, and adds 1 to it."""
    path = save(tmp_path / "a.npz", dense[:, ::-1] if flip else dense, (1, 1), height=12, width=19)
    with open_recording(path, flip=flip, frame_size=Size(11 * times, 18 * times)) as recording:
        assert recording.info.size == Size(11, 18)
        assert recording.info.known_by["height"] == "file"
        np.testing.assert_array_equal(recording.read(0, 30), dense)
        (finding,) = about_origin(recording.info.warnings)
        assert "the size of 12 × 19 (file)" in finding
    with open_recording(path, flip=flip, frame_size=Size(12 * times, 19 * times)) as recording:
        assert recording.info.size == Size(12, 19)
        assert not about_origin(recording.info.warnings)


@pytest.mark.parametrize("config", ["", "spike_h: 11\nspike_w: 18\n"])
def test_damaged_coordinates_far_away_are_refused_before_memory_is_taken(tmp_path, dense, config):
    (tmp_path / "config.yaml").write_text(config)
    t, y, x = np.nonzero(dense)
    y[7], x[9] = 60_000, 50_000
    np.savez(tmp_path / "a.npz", t=t, x=x.astype(np.uint16), y=y.astype(np.uint16))
    with pytest.raises(GeometryError, match=r"row 60000 and column 50000.*Remove the events"):
        open_recording(tmp_path / "a.npz")


def test_events_outside_a_stated_size_are_counted(tmp_path, dense):
    t, y, x = np.nonzero(dense)
    x[[7, 9]] = 40
    np.savez(tmp_path / "a.npz", t=t, x=x, y=y, height=11, width=18)
    with open_recording(tmp_path / "a.npz") as recording:
        assert recording.info.size == Size(11, 41)
        said = [str(finding) for finding in recording.info.warnings]
        assert any(f"2 of {len(t)} events lie outside the size of 11 × 18 (file)" in text for text in said)
        assert not any("nothing says height" in text for text in said)


# ------------------------------------------------------------------ pictures


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("config", ["", f"spike_h: {H}\nspike_w: {W}\n"])
def test_a_sequence_from_1_is_the_sequence_from_0(tmp_path, scale, flip, config):
    planes, light = scene(scale=scale)
    folder = folder_of(tmp_path, planes, light, (1, 1), config=config, flip=flip)
    with open_sequence(folder) as sequence:
        assert about_origin(sequence.findings)
        assert sequence.recording is not None
        np.testing.assert_array_equal(sequence.recording.read(0, PLANES), planes)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("config", ["", f"spike_h: {H}\nspike_w: {W}\n"])
def test_where_sizes_leave_it_open_the_frames_decide(tmp_path, scale, flip, seed, config):
    """The last row and column never fire, so that coordinates from 1 are inside."""
    planes, light = scene((0.03, 0.08), seed, scale)
    planes[:, -1] = 0
    planes[:, :, -1] = 0
    if flip:
        planes[:, 0] = 0  # the last one of the file
    folder = folder_of(tmp_path, planes, light, (1, 1), config=config, flip=flip)
    with open_sequence(folder) as sequence:
        assert sequence.recording is not None
        assert sequence.recording.info.size == Size(H, W)
        np.testing.assert_array_equal(sequence.recording.read(0, PLANES), planes)
        assert "a frame agrees" in about_origin(sequence.findings)[0]
        known_by = sequence.recording.info.known_by
        assert {known_by["height"], known_by["width"]} == {"sidecar" if config else "frames"}
        assert not any("nothing says height" in finding for finding in sequence.findings)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("lag", [0, 8, 16])
def test_a_first_row_and_column_that_are_dead_move_nothing(tmp_path, scale, flip, seed, lag):
    """Also where frames lag behind the spikes by a pixel of motion."""
    planes, light = scene((0.03, 0.08), seed, scale)
    planes[:, -1 if flip else 0] = 0
    planes[:, :, 0] = 0
    light = np.roll(light, lag, axis=0)
    config = f"spike_h: {H}\nspike_w: {W}\nspike_flip: {str(flip).lower()}\n"
    folder = folder_of(tmp_path, planes, light, (0, 0), config=config, flip=flip)
    with open_sequence(folder) as sequence:
        assert sequence.recording is not None
        np.testing.assert_array_equal(sequence.recording.read(0, PLANES), planes)
        assert not about_origin(sequence.findings)


def test_the_side_that_frames_tell_and_the_one_that_is_said_are_told_apart(tmp_path):
    planes, light = scene((0.03, 0.08), 0, 1)
    planes[:, -1] = 0
    planes[:, :, -1] = 0
    folder = folder_of(tmp_path, planes, light, (1, 1))
    with open_sequence(folder, height=H, flip=False) as sequence:
        assert sequence.recording is not None
        known_by = sequence.recording.info.known_by
        assert sequence.recording.info.size == Size(H, W)
        assert (known_by["height"], known_by["width"]) == ("given", "frames")
        np.testing.assert_array_equal(sequence.recording.read(0, PLANES), planes)


def test_pictures_of_something_else_decide_nothing(tmp_path):
    planes, _ = scene(seed=0)
    _, light = scene(seed=5)
    planes[:, -1] = 0
    planes[:, :, -1] = 0
    config = f"spike_h: {H}\nspike_w: {W}\nspike_flip: false\n"
    with open_sequence(folder_of(tmp_path, planes, light, (1, 1), config=config)) as sequence:
        assert not about_origin(sequence.findings)
