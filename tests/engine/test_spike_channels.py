"""What a network is told about an exposure's spikes, against plain loops and against other cameras."""

from pathlib import Path

import numpy as np
import pytest

from engine.recording import open_recording, write_packed
from engine.spike_channels import planes_per_bin, relative_channels, reverse_time
from engine.voxels import VoxelGrid, VoxelSpec, voxelize


@pytest.fixture
def counts() -> np.ndarray:
    return np.random.default_rng(1).poisson(2.0, (32, 12, 16)).astype(np.float32)


@pytest.mark.parametrize(("start", "stop", "bins"), [(3, 67, 32), (0.4, 30.9, 32), (5, 405, 32), (2, 9.5, 4)])
def test_planes_per_bin_counts_what_voxelize_counts(
    tmp_path: Path, start: float, stop: float, bins: int
) -> None:
    write_packed(tmp_path / "all.dat", np.ones((410, 1, 8), np.uint8))
    with open_recording(tmp_path / "all.dat", height=1, width=8) as recording:
        expected = voxelize(recording, start, stop, bins)[:, 0, 0]

    assert planes_per_bin(start, stop, bins).tolist() == expected.tolist()


def test_bins_are_relative_to_the_mean_density(counts: np.ndarray) -> None:
    channels = relative_channels(counts)

    assert channels.shape == (39, 12, 16)
    np.testing.assert_allclose(channels[:32], np.log1p(counts / counts.mean()), rtol=1e-5)


def test_an_uneven_number_of_planes_in_the_bins_does_not_show() -> None:
    planes = np.tile(np.array([1, 2], np.float32), 16)
    even = np.full((32, 12, 16), 3.0, np.float32)

    channels = relative_channels(even * planes[:, None, None], planes)

    np.testing.assert_allclose(channels[:32], np.log(2), rtol=1e-5)


def test_a_brighter_camera_changes_nothing_but_the_density_maps() -> None:
    dim = np.random.default_rng(2).integers(50, 200, (32, 8, 8)).astype(np.float32)

    once, thrice = relative_channels(dim), relative_channels(3 * dim)

    np.testing.assert_allclose(thrice[:32], once[:32], rtol=1e-5)
    np.testing.assert_allclose(thrice[32:37], once[32:37], atol=0.02)
    assert thrice[37, 0, 0] == pytest.approx(once[37, 0, 0] + np.log(3) / 3, rel=1e-3)


def test_ratio_maps_are_the_softened_spike_ratio(counts: np.ndarray) -> None:
    channels = relative_channels(counts)

    for place, width in enumerate((2, 4, 8, 16)):
        middle = counts[16 - width // 2 : 16 + width // 2].sum(axis=0)
        expected = np.log((middle + 1) / (counts.sum(axis=0) * width / 32 + 1))
        np.testing.assert_allclose(channels[32 + place], expected, atol=1e-5)


def test_a_bin_that_saw_no_plane_takes_its_neighbours_values(counts: np.ndarray) -> None:
    counts[7] = 0

    channels = relative_channels(counts)

    assert np.array_equal(channels[7], channels[6])


def test_an_exposure_without_spikes_gives_zeros() -> None:
    assert not relative_channels(np.zeros((32, 4, 4), np.float32)).any()


@pytest.mark.parametrize("bins", [1, 2, 5, 16, 33])
def test_any_number_of_bins_works(bins: int) -> None:
    counts = np.random.default_rng(3).poisson(4, (bins, 4, 4)).astype(np.float32)

    channels = VoxelSpec(bins=bins, transform="relative").apply(counts)

    assert channels.shape == (VoxelSpec(bins=bins, transform="relative").channels, 4, 4)
    assert np.isfinite(channels).all()


def test_time_reversal_of_the_channels_is_time_reversal_of_the_counts(counts: np.ndarray) -> None:
    backwards = relative_channels(counts[::-1].copy())

    np.testing.assert_allclose(reverse_time(relative_channels(counts), 32), backwards, atol=1e-5)


def test_the_spec_knows_the_planes_of_a_voxel_grid(counts: np.ndarray) -> None:
    grid = VoxelGrid.of(counts, 0.0, 48.0, 0.0)

    applied = VoxelSpec(transform="relative", mean=0.5, std=2.0).apply(grid)

    expected = relative_channels(counts, planes_per_bin(0.0, 48.0, 32))
    np.testing.assert_allclose(applied[:32], (expected[:32] - 0.5) / 2.0, atol=1e-6)
    np.testing.assert_array_equal(applied[32:], expected[32:])


def test_the_reference_transform_is_untouched(counts: np.ndarray) -> None:
    spec = VoxelSpec(mean=0.2, std=0.5)

    assert spec.channels == 32
    np.testing.assert_allclose(spec.apply(counts), (np.log1p(counts) - 0.2) / 0.5, rtol=1e-5)
