"""Sequences whose spike camera looks another way than the frames: what is restored, measured and refused."""

import dataclasses
import json
import pickle
import shutil
from collections.abc import Sequence as SequenceOf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.alignment_window import AlignmentWindow
from engine.commands.frame_range import FrameRange
from engine.commands.method_choice import MethodChoice
from engine.commands.restore import RestoreOptions, restore_to_folder
from engine.errors import ExportError, RegistrationError, SequenceError
from engine.geometry import Region, Size, Span
from engine.model import VRTSpike
from engine.moment import Moment, centres
from engine.registration import Registration, homography_of
from engine.restoration.methods import Method
from engine.restoration.network_method import NetworkMethod
from engine.restoration.restoration import Restoration
from engine.restoration.restoration import restored as restored_by
from engine.restoration.result_cache import result_key
from engine.restoration.spike_ratio import SpikeRatio
from engine.sequence import Sequence, open_sequence, open_source
from engine.source import SequenceSource
from engine.voxels import VoxelSpec, voxelize
from tests.engine.planning import make_plan
from tests.engine.registered import (
    FRAME,
    PLANES,
    SCALE,
    SPIKES,
    Numbers,
    shifted,
    turned,
    write_registered,
)
from tests.engine.test_network_method import TINY

INNER_PX = 10
TILTED = np.array([[1, 0.02, 1], [-0.015, 1, 0.5], [2e-4, -1e-4, 1]]) @ turned(2) @ SCALE
WHOLE_PIXELS = shifted(30, 4) @ SCALE
"""30 spike pixels to the right: the right 60 pixels of frames, and the 8 lowest rows, have no spikes."""


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_registered(tmp_path_factory.mktemp("aligned"))


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_registered(tmp_path_factory.mktemp("beside"), WHOLE_PIXELS)


def restored(sequence: Sequence) -> NDArray[np.float32]:
    return next(restored_by(Restoration.of_frames(sequence, Span(1, 2), SpikeRatio()))).picture


def psnr_within(sequence: Sequence, picture: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    sharp = sequence.reference(1)
    assert sharp is not None
    return float(-10 * np.log10(((picture - sharp)[where] ** 2).mean()))


def inner(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Away from where the spikes end and from the frame's border."""
    padded = np.pad(covered, INNER_PX)
    for axis in (0, 1):
        padded = np.logical_and.reduce(
            [np.roll(padded, step, axis) for step in range(-INNER_PX, INNER_PX + 1)]
        )
    return padded[INNER_PX:-INNER_PX, INNER_PX:-INNER_PX]


# ------------------------------------------------------------------ restoring


@pytest.mark.parametrize(
    "homography",
    [shifted(3.3, -2.6) @ SCALE, turned(4) @ SCALE, WHOLE_PIXELS],
    ids=["shifted", "turned", "a part"],
)
def test_with_the_true_registration_a_frame_is_restored_as_well_as_with_aligned_spikes(
    aligned: Path, tmp_path: Path, homography: Numbers
) -> None:
    path = write_registered(tmp_path, homography)
    with open_sequence(path, registration=homography.tolist()) as sequence, open_sequence(aligned) as other:
        where = inner(sequence.registration.covered_frame())
        found = psnr_within(sequence, restored(sequence), where)
        best = psnr_within(other, restored(other), where)
        untold = psnr_within(other, restored(sequence.with_registration(Registration(*sizes(other)))), where)
    assert best > 28
    assert found > best - 0.3
    assert untold < best - 8


def test_perspective_costs_no_more_than_the_spikes_that_it_makes_larger(
    aligned: Path, tmp_path: Path
) -> None:
    with open_sequence(write_registered(tmp_path, TILTED), registration=TILTED.tolist()) as sequence:
        where = inner(sequence.registration.covered_frame())
        with open_sequence(aligned) as other:
            best = psnr_within(other, restored(other), where)
        assert psnr_within(sequence, restored(sequence), where) > best - 0.5


def sizes(sequence: Sequence) -> tuple[Size, Size]:
    assert sequence.recording is not None
    return sequence.frame_size, sequence.recording.info.size


class White(Method):
    """A method that knows nothing of registrations."""

    name = "white"
    default_tile_px = 64
    overlap_px = 16

    def prepare(self, sequence: Sequence, clip: Span, wanted: SequenceOf[Moment]) -> Any:
        return sequence.frame_size, len(wanted)

    def restore(self, prepared: Any, region: Region) -> NDArray[np.float32]:
        return np.ones((prepared[1], region.size.height, region.size.width, 3), np.float32)


@pytest.mark.parametrize("method", [SpikeRatio(), White()], ids=["spike ratio", "any other"])
def test_where_there_are_no_spikes_a_frame_stays_as_it_is(beside: Path, method: Method) -> None:
    with open_sequence(beside, registration=WHOLE_PIXELS.tolist()) as sequence:
        result = next(restored_by(Restoration.of_frames(sequence, Span(1, 2), method)))
        blurry = sequence.frame(1)
    np.testing.assert_array_equal(result.picture[:, 164:], blurry[:, 164:])
    np.testing.assert_array_equal(result.picture[152:], blurry[152:])
    changed = np.abs(result.picture - blurry)[10:140, 10:150]
    assert (changed > 1e-4).mean() > 0.5
    assert not result.unchanged


def test_the_whole_picture_of_another_method_is_taken_inside(beside: Path) -> None:
    with open_sequence(beside, registration=WHOLE_PIXELS.tolist()) as sequence:
        picture = next(restored_by(Restoration.of_frames(sequence, Span(1, 2), White()))).picture
    np.testing.assert_allclose(picture[:140, :150], 1, atol=1e-6)


def test_a_network_sees_spikes_where_they_lie_on_the_frame(beside: Path) -> None:
    """By whole spike pixels, so that it sees in a tile the very counts that aligned spikes have there."""
    bins = TINY.spike_bins
    method = NetworkMethod(VRTSpike(TINY), VoxelSpec(bins=bins))
    region = Region(32, 32, 64, 64)
    with open_sequence(beside, registration=WHOLE_PIXELS.tolist()) as sequence:
        prepared = method.prepare(sequence, Span(0, 2), centres([0, 1]))
        seen = method._spikes_of(prepared, region)
        counts = voxelize(sequence.recording, 0, PLANES, bins)  # type: ignore[arg-type]
    np.testing.assert_allclose(seen[0], np.log1p(counts[:, 20:36, 46:62]), atol=1e-5)


# ------------------------------------------------------------------ spikes on the frame


def test_without_a_registration_spikes_lie_on_the_frame_as_they_are(aligned: Path) -> None:
    region = Region(3, 5, 40, 61)
    with open_sequence(aligned) as sequence:
        assert sequence.registration == Registration(*sizes(sequence))
        for cut in (None, region):
            ours = sequence.voxels_on_frame(1, 8, cut)
            np.testing.assert_array_equal(ours, sequence.filled_voxels(1, 8, cut))
            assert (ours.start, ours.stop) == (PLANES, 2 * PLANES)
        np.testing.assert_array_equal(sequence.counts_on_frame(9, 80), sequence.levelled_counts(9, 80))
        assert sequence.share_of_spikes is None
        assert sequence.sound_on_frame is sequence.filling
        saying_so = sequence.with_registration(Registration(*sizes(sequence), homography_of(SCALE)))
        np.testing.assert_array_equal(restored(saying_so), restored(sequence))


def test_spikes_of_whole_pixels_are_moved_and_not_touched(beside: Path) -> None:
    with open_sequence(beside, registration=WHOLE_PIXELS.tolist()) as sequence:
        raw = np.asarray(sequence.voxels(1, 8))
        np.testing.assert_array_equal(raw, voxelize(sequence.recording, PLANES, 2 * PLANES, 8))  # type: ignore[arg-type]
        grid = sequence.voxels_on_frame(1, 8, filled=False)
        assert grid.shape == raw.shape
        assert (grid.start, grid.stop, grid.outside_planes) == (PLANES, 2 * PLANES, 0)
        np.testing.assert_allclose(grid[:, :76, :82], raw[:, 4:, 30:], atol=1e-5)
        for region in (Region(0, 0, 20, 30), Region(60, 70, 80, 112)):
            part = sequence.voxels_on_frame(1, 8, region, filled=False)
            np.testing.assert_allclose(part, grid[(slice(None), *region.slices)], atol=1e-5)
        assert sequence.seen_region == Region(0, 0, 152, 164)
        seen = sequence.counts_on_frame(PLANES, 2 * PLANES)
        assert seen.shape == (76, 82)
        np.testing.assert_allclose(seen, raw.sum(axis=0)[4:, 30:], atol=1e-4)


def test_a_dead_row_of_the_sensor_is_where_it_lies_on_the_frame(tmp_path: Path) -> None:
    response = np.ones(SPIKES)
    response[40:46] = 0
    path = write_registered(tmp_path, WHOLE_PIXELS, response=response)
    with open_sequence(path, registration=WHOLE_PIXELS.tolist()) as sequence:
        assert sequence.defects.dead[40:46].all()
        assert sequence.defects.dead.sum() == 6 * SPIKES[1]
        sound = sequence.sound_on_frame
        assert sound is not None
        assert not sound.sound[36:42].any()
        assert sound.sound[:34].all()
        assert sound.sound[44:].all()


def test_the_sensors_pattern_is_found_where_frames_show_it(tmp_path: Path) -> None:
    homography = turned(6, 1.05) @ SCALE
    gain = 1 + 0.04 * np.random.default_rng(2).standard_normal(SPIKES)
    path = write_registered(tmp_path, homography, frames=7, response=gain, motion_px=9)
    with open_sequence(path, registration=homography.tolist()) as sequence:
        pattern, shown = sequence.fixed_pattern, sequence.registration.covered_spikes()
        unregistered = sequence.with_registration(Registration(*sizes(sequence))).fixed_pattern
    assert pattern.origin == "frames"
    assert not pattern.known[~shown].any()
    where = pattern.known > 0
    assert where[shown].mean() > 0.95
    remains = (gain / pattern.gain)[where]
    assert (remains / remains.mean()).var() < 0.1 * gain[where].var()
    assert unregistered.origin != "frames"


# ------------------------------------------------------------------ what a result was made from


def test_the_registration_is_part_of_the_key_of_a_result(beside: Path) -> None:
    with open_sequence(beside) as sequence:
        moved = sequence.with_registration(Registration(*sizes(sequence), homography_of(WHOLE_PIXELS)))
        plan = make_plan(sequence.frame_size, Span(0, 3), White())
        keys = {result_key("method", one, plan, Moment(1)) for one in (sequence, moved)}
        assert len(keys) == 2
        again = moved.with_registration(sequence.registration)
        assert result_key("method", again, plan, Moment(1)) in keys
        assert moved.source.registration == homography_of(WHOLE_PIXELS)
        assert again.source == sequence.source
        windows = [AlignmentWindow(5, 50)] * 3
        assert moved.with_windows(windows).registration == moved.registration


def test_a_source_takes_its_registration_to_another_process_and_through_json(beside: Path) -> None:
    source = SequenceSource(str(beside), registration=homography_of(WHOLE_PIXELS))
    assert pickle.loads(pickle.dumps(source)) == source
    read = SequenceSource(**json.loads(json.dumps(dataclasses.asdict(source))))
    assert read == source
    assert hash(read) == hash(source)
    with open_source(read) as sequence:
        assert sequence.registration.homography == source.registration


def test_the_report_holds_the_registration_and_a_resumed_run_must_have_the_same(
    beside: Path, tmp_path: Path
) -> None:
    plain = SequenceSource(str(beside))
    moved = dataclasses.replace(plain, registration=homography_of(WHOLE_PIXELS))
    for source, expected in ((plain, None), (moved, WHOLE_PIXELS.tolist())):
        out = tmp_path / str(expected is None)
        options = RestoreOptions(out, MethodChoice("spike-ratio"), FrameRange(1, 2))
        restore_to_folder(source, options)
        report = json.loads((out / "restore.json").read_text(encoding="utf-8"))
        assert report["sequence"]["registration"] == expected
    resumed = dataclasses.replace(options, resume=True)
    assert restore_to_folder(moved, resumed).was_complete
    with pytest.raises(ExportError, match="source was"):
        restore_to_folder(plain, resumed)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[0.5, 0, 0], [0.5, 0, 0], [0, 0, 1]], "singular"),
        ([[0.5, 0], [0, 0.5]], "3 rows of 3 numbers"),
        ([[0.5, 0, float("nan")], [0, 0.5, 0], [0, 0, 1]], "not finite"),
        ([[0.5, 0, 4000], [0, 0.5, 0], [0, 0, 1]], "no pixel of the frame"),
    ],
)
def test_a_source_with_a_registration_that_cannot_be_is_refused(
    aligned: Path, rows: list[list[float]], said: str
) -> None:
    ways = (
        lambda: open_sequence(aligned, registration=rows),
        lambda: open_source(SequenceSource(str(aligned), registration=rows)),  # type: ignore[arg-type]
    )
    for way in ways:
        with pytest.raises(RegistrationError, match=said) as refused:
            way()
        assert str(refused.value).startswith(str(aligned))
        assert "\n" not in str(refused.value)


def test_a_registration_of_other_cameras_is_refused(aligned: Path) -> None:
    with open_sequence(aligned) as sequence:
        with pytest.raises(RegistrationError, match="of other cameras"):
            sequence.with_registration(Registration(Size(160, 225), Size(*SPIKES)))
        other = Registration(Size(*FRAME), Size(250, 400))
    with pytest.raises(RegistrationError, match="of other cameras"):
        open_sequence(aligned, registration=other)


def test_frames_made_of_the_spikes_need_no_registration(aligned: Path) -> None:
    with pytest.raises(RegistrationError, match="no second camera"):
        open_sequence(aligned / "spike.dat", exposure_planes=PLANES, registration=turned(3).tolist())


def test_frames_alone_have_no_registration(aligned: Path, tmp_path: Path) -> None:
    shutil.copytree(aligned / "blur", tmp_path / "frames")
    with open_sequence(tmp_path / "frames", registration=turned(3).tolist()) as sequence:
        assert any("the registration is not used" in str(finding) for finding in sequence.findings)
        assert sequence.share_of_spikes is None
        with pytest.raises(SequenceError, match="no spikes"):
            _ = sequence.registration
