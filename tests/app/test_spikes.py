import numpy as np
import pytest

from app.state.reading.lease import Lease
from app.state.spikes.spike_views import SpikeViews
from engine.geometry import Size
from engine.source import SequenceSource


@pytest.fixture
def spikes(pool):
    return SpikeViews(pool)


@pytest.fixture
def lease(files):
    return Lease(files.open(SequenceSource("clip")))


def test_the_rate_is_spikes_per_pixel_of_every_plane(spikes, lease, qtbot):
    spikes.count(lease)
    assert spikes.rate_progress == 0.0
    qtbot.waitUntil(lambda: spikes.rate is not None)
    expected = np.array([plane % 7 for plane in range(200)]) / (30 * 40)
    np.testing.assert_allclose(spikes.rate.values, expected, rtol=1e-6)
    assert spikes.rate_progress is None


def test_the_voxel_pictures_know_their_planes_and_spikes(spikes, lease, qtbot):
    with qtbot.waitSignal(spikes.voxels_changed):
        spikes.show(lease, 3)
    voxels = spikes.voxels
    assert voxels.index == 3
    assert len(voxels.pictures) == spikes.bins == 32
    assert voxels.spans[0] == (60.0, 60.5)
    assert voxels.spans[-1][1] == 76.0
    assert voxels.spikes[0] == 4 * 30 * 40
    assert (voxels.pictures[0] == 255).all()


def test_counting_stops_when_another_sequence_opens(spikes, lease, files, qtbot):
    class Endless(type(lease.sequence.recording)):
        def packed(self, start, stop):
            return np.zeros((stop - start, 1 << 20), np.uint8)

    lease.sequence.recording = Endless(planes=10**6, size=Size(1 << 12, 1 << 11))
    failures = []
    spikes.failed.connect(failures.append)
    spikes.count(lease)
    spikes.clear()
    other = Lease(files.open(SequenceSource("other")))
    spikes.count(other)
    qtbot.waitUntil(lambda: spikes.rate is not None)
    assert failures == []
    lease.retire()
    assert lease.sequence.closed
