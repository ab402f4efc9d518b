"""Learning from sequences whose spike camera looks another way than the frames."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine.geometry import Size
from engine.sequence import open_source
from engine.voxels import VoxelSpec
from tests.engine.registered import SCALE, SPIKES, shifted, turned, write_registered
from training.data_index import DataIndex, read_index, scan, write_index
from training.example import sample_of
from training.prepare import cache_voxels
from training.sequence_clips import SequenceClips

TURNED = shifted(2.0, -1.0) @ turned(5) @ SCALE
BINS = 8


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DataIndex:
    """As a sidecar, or whoever measures registrations, would have it."""
    root = tmp_path_factory.mktemp("set")
    write_registered(root / "clip", TURNED)
    found = scan(root)
    rows = tuple(tuple(row) for row in TURNED.tolist())
    entries = []
    for entry in found.entries:
        source = dataclasses.replace(entry.source, registration=rows)
        with open_source(source) as sequence:
            size = sequence.registration.grid_size
        entries.append(dataclasses.replace(entry, source=source, spike_size=size))
    return dataclasses.replace(found, entries=tuple(entries))


def test_examples_hold_the_spikes_as_they_lie_on_the_frame(index: DataIndex) -> None:
    assert index.entries[0].spike_size == Size(*SPIKES)
    clips = SequenceClips(index, frames=2, bins=BINS, cache_bytes=1 << 24)
    example = clips.example(0, 0)
    assert example.counts.dtype == np.float32
    with open_source(index.entries[0].source) as sequence:
        for number in (0, 1):
            expected = sequence.voxels_on_frame(number, BINS, filled=False)
            np.testing.assert_array_equal(example.counts[number], expected)
            assert not np.array_equal(expected, sequence.voxels(number, BINS))
    sample = sample_of(example, VoxelSpec(bins=BINS))
    np.testing.assert_allclose(sample.spikes, np.log1p(example.counts), atol=1e-6)


def test_the_index_and_cached_voxels_keep_the_registration(index: DataIndex, tmp_path: Path) -> None:
    cached = cache_voxels(index, tmp_path, BINS)
    write_index(tmp_path / "index.json", cached)
    read = read_index(tmp_path / "index.json")
    assert read.entries[0].source == index.entries[0].source
    from_cache = SequenceClips(read, frames=2, bins=BINS, cache_bytes=0).example(0, 0)
    direct = SequenceClips(index, frames=2, bins=BINS, cache_bytes=0).example(0, 0)
    np.testing.assert_array_equal(from_cache.counts, direct.counts)
