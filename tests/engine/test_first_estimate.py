"""What a network that corrects the spike ratio is given."""

import numpy as np
import pytest

from engine.geometry import Size
from engine.light.spike_signal import LUMINANCE
from engine.metrics import psnr
from engine.restoration.exposure import Exposure
from engine.restoration.first_estimate import (
    CHANGE_SCALE,
    CHANGE_SOFTENING,
    CONCERNED_PX,
    first_estimate,
    start_from_ratio,
    unconcerned,
)
from engine.restoration.spike_ratio import restore_frame
from engine.sequence import open_sequence
from engine.voxels import VoxelGrid
from training.scenes import random_scene
from training.simulate import Exposures, FrameCamera, simulate_clip
from training.spike_camera import SpikeCamera

BINS = 32
SIZE = Size(96, 128)


def exposed(seed, motion_px):
    """One exposure of 64 planes; spikes at half the frame's size."""
    exposures = Exposures(1, 64, 64)
    generator = np.random.default_rng(seed)
    scene = random_scene(generator, SIZE, exposures, kind="mixed", objects=2, motion_px=motion_px)
    return simulate_clip(
        scene, exposures, FrameCamera(1.0), SpikeCamera(threshold=1.2), spike_scale=2.0, seed=3
    )


@pytest.fixture(scope="module")
def clip():
    return exposed(3, 14.0)


@pytest.fixture(scope="module")
def counts(clip):
    return binned(clip)


def binned(clip):
    counts = clip.planes.reshape(BINS, -1, *clip.planes.shape[1:]).sum(axis=1, dtype=np.float32)
    return VoxelGrid.of(counts, 0.0, float(len(clip.planes)), 0.0)


def still(shape, spikes):
    return VoxelGrid.of(np.full(shape, spikes, np.float32), 0.0, 64.0, 0.0)


def estimate_of(blurry, voxels, gamma=1.0):
    return first_estimate(blurry, Exposure.of_voxels(voxels), Size(*voxels.shape[1:]), gamma)


@pytest.mark.parametrize("seed", [4, 5, 6])
@pytest.mark.parametrize(("motion_px", "share"), [(6.0, 0.98), (14.0, 1.06)])
def test_its_luminance_is_nearer_to_the_scene_than_that_of_the_ratio(seed, motion_px, share):
    # where motion is strong, the blurry frame has little to add and may do a little harm
    clip = exposed(seed, motion_px)
    counts = binned(clip)
    blurry, sharp = (frames[0].astype(np.float32) for frames in (clip.blurry, clip.reference))
    ratio = restore_frame(blurry, Exposure.of_voxels(counts), 1.0)

    picture = estimate_of(blurry, counts).picture

    def error(estimate):
        return np.mean((estimate @ LUMINANCE - sharp @ LUMINANCE) ** 2)

    assert error(picture) < share * error(ratio) < share * error(blurry)


def test_its_colours_are_nearer_to_the_scene_than_those_of_the_ratio(clip, counts):
    blurry, sharp = (frames[0].astype(np.float32) for frames in (clip.blurry, clip.reference))
    ratio = restore_frame(blurry, Exposure.of_voxels(counts), 1.0)

    picture = estimate_of(blurry, counts).picture

    def error(colours):
        chroma = [each - (each @ LUMINANCE)[:, :, None] for each in (colours, sharp)]
        return np.mean((chroma[0] - chroma[1]) ** 2)

    assert error(picture) < 0.9 * error(ratio)


def test_a_grey_frame_stays_grey(clip, counts):
    grey = np.repeat((clip.blurry[0].astype(np.float32) @ LUMINANCE)[:, :, None], 3, axis=2)

    picture = estimate_of(grey, counts).picture

    np.testing.assert_allclose(picture, picture[:, :, :1].repeat(3, axis=2), atol=2e-5)


def test_the_change_takes_the_blurry_frame_to_the_estimate(clip, counts):
    blurry = clip.blurry[0].astype(np.float32)
    estimate = estimate_of(blurry, counts)
    weights = np.array([0.299, 0.587, 0.114])

    by_hand = np.log((estimate.picture @ weights + CHANGE_SOFTENING) / (blurry @ weights + CHANGE_SOFTENING))
    in_pairs = by_hand.reshape(SIZE.height // 2, 2, SIZE.width // 2, 2).mean(axis=(1, 3))

    assert estimate.change.shape == counts.shape[1:]
    np.testing.assert_allclose(estimate.change, CHANGE_SCALE * in_pairs, atol=1e-4)


def test_without_spikes_the_frame_stays_and_nothing_changed():
    blurry = np.random.default_rng(0).random((24, 32, 3), np.float32)

    estimate = estimate_of(blurry, still((BINS, 12, 16), 0), None)

    np.testing.assert_array_equal(estimate.picture, blurry)
    assert not estimate.change.any()


def test_spikes_of_any_size_get_a_change_of_theirs():
    blurry = np.random.default_rng(0).random((24, 32, 3), np.float32)
    for height, width in ((24, 32), (7, 9), (48, 64)):
        estimate = estimate_of(blurry, still((BINS, height, width), 1), None)
        assert estimate.change.shape == (height, width)
        assert np.isfinite(estimate.change).all()


def test_a_clip_gets_one_more_channel(clip, counts):
    frames = np.stack([clip.blurry[0].astype(np.float32)] * 2)
    spikes = np.zeros((2, 5, *counts.shape[1:]), np.float32)

    entering, channels = start_from_ratio(frames, spikes, [counts, still(counts.shape, 0)], 1.0)

    assert channels.shape == (2, 6, *counts.shape[1:])
    np.testing.assert_array_equal(channels[:, :5], spikes)
    np.testing.assert_array_equal(entering[1], frames[1])
    np.testing.assert_array_equal(channels[0, 5], estimate_of(frames[0], counts).change)


def test_planes_give_a_better_estimate_than_bins_of_many():
    exposures = Exposures(1, 400, 400)
    scene = random_scene(np.random.default_rng(8), SIZE, exposures, kind="text", objects=1, motion_px=30.0)
    clip = simulate_clip(
        scene, exposures, FrameCamera(1.0), SpikeCamera(threshold=1.2), spike_scale=2.0, seed=8
    )
    blurry, sharp = (frames[0].astype(np.float32) for frames in (clip.blurry, clip.reference))
    planes = clip.planes.astype(np.float32)
    eight = planes.reshape(8, -1, *planes.shape[1:]).sum(axis=1)
    size = Size(*planes.shape[1:])

    of_bins, of_planes = (
        first_estimate(
            blurry, Exposure.of_voxels(VoxelGrid.of(counts, 0.0, float(len(planes)), 0.0)), size, 1.0
        )
        for counts in (eight, planes)
    )

    assert psnr(of_planes.picture, sharp) > psnr(of_bins.picture, sharp)


def test_a_sequence_is_read_plane_by_plane(sample_path):
    with open_sequence(sample_path, flat="none") as sequence:
        window = sequence.window(2)
        exposure = Exposure.of_frame(sequence, 2)

        assert exposure.centre == window.centre
        assert exposure.length == window.stop - window.start
        assert window.start <= exposure.recorded.start < exposure.recorded.stop <= window.stop
        counted = exposure.count(exposure.recorded.start, exposure.recorded.stop)
        assert counted.sum() == exposure.spikes.sum()


def test_of_a_scene_at_rest_only_what_is_contradicted_is_drawn_anew():
    blurry = np.random.default_rng(1).random((40, 60, 3), np.float32)
    picture = blurry.copy()
    picture[20, 30] += 0.1
    kept = unconcerned(blurry, picture, moves=False)
    expected = np.ones((40, 60), bool)
    reach = slice(20 - CONCERNED_PX, 21 + CONCERNED_PX), slice(30 - CONCERNED_PX, 31 + CONCERNED_PX)
    expected[reach] = False
    np.testing.assert_array_equal(kept, expected)
    assert not unconcerned(blurry, picture, moves=True).any()
    assert unconcerned(blurry, blurry, moves=True).all()
