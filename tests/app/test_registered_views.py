"""What the window shows of spikes whose camera looks another way than the frames."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.state.compare.comparing import TFP
from app.state.compare.pane_sources import made_from, pattern_on_frame, read_source, read_voxel_bin
from app.state.compare.probe import SpikeProbe
from app.state.compare.results import spikes_of
from app.state.pattern.pattern_picture import pattern_picture
from app.state.reading.lease import Lease
from app.state.session.source_values import source_of, values_of
from app.state.spikes.raster import Rasters
from app.state.spikes.voxel_look import VoxelLook
from engine.fixed_pattern import FixedPattern
from engine.geometry import Size
from engine.recording import write_packed
from engine.registration import Registration
from engine.sequence import open_sequence
from engine.source import SequenceSource
from tests.engine.registered import SPIKES

MOVED = [[0.5, 0.0, 9.75], [0.0, 0.5, 3.75], [0.0, 0.0, 1.0]]
"""The scale, then 10 spike pixels to the right and 4 down."""


@pytest.fixture
def sequence(tmp_path: Path):
    """One frame of 160 × 224 and spikes of 80 × 112 that look past its left and upper edges."""
    import cv2

    (tmp_path / "blur").mkdir()
    frame = np.random.default_rng(1).integers(0, 255, (160, 224, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "blur" / "0001.png"), frame)
    planes = (np.random.default_rng(2).random((40, *SPIKES)) < 0.3).astype(np.uint8)
    write_packed(tmp_path / "spike.dat", planes)
    (tmp_path / "config.yaml").write_text("spike_h: 80\nspike_w: 112\nspike_flip: true\ngamma: 1\n")
    with open_sequence(tmp_path, registration=MOVED) as opened:
        yield opened


def shown_where_they_lie(picture: np.ndarray, of_sensor: np.ndarray) -> None:
    assert picture.shape == of_sensor.shape
    np.testing.assert_allclose(picture[:76, :102], of_sensor[4:, 10:], atol=1e-6)


def test_texture_from_playback_lies_on_the_frame(sequence):
    picture = read_source(sequence, 0, TFP, ())
    rate = sequence.tfp(0)
    grey = np.clip(rate / np.percentile(rate, 99.5), 0, 1)
    shown_where_they_lie(picture, np.repeat(grey[..., None], 3, axis=2))
    assert not picture[77:].any()
    assert not picture[:, 103:].any()


def test_a_voxel_bin_lies_on_the_frame_and_its_counts_stay_whole(sequence):
    _, counts = read_voxel_bin(sequence, 0, 2, VoxelLook())
    shown_where_they_lie(counts, np.asarray(sequence.voxels(0, 32))[2][..., None])
    np.testing.assert_array_equal(counts, np.rint(counts))


def test_a_pattern_lies_on_the_frame_and_is_not_known_beyond_the_sensor(sequence):
    gain = 1 + 0.05 * np.random.default_rng(3).standard_normal(SPIKES).astype(np.float32)
    pattern = FixedPattern(gain, np.ones(SPIKES, np.float32), np.zeros(SPIKES, np.float32), "flat field")
    picture = pattern_picture(pattern)
    moved = pattern_on_frame(sequence, picture)
    shown_where_they_lie(moved.gain, picture.gain)
    assert np.isnan(moved.gain[77:]).all()
    plain = sequence.with_registration(Registration(sequence.frame_size, Size(*SPIKES)))
    assert pattern_on_frame(plain, picture) is picture


def test_the_probe_and_the_raster_are_of_the_spike_pixel_under_the_mouse(sequence, pool, qtbot):
    lease = Lease(sequence)
    probe, rasters = SpikeProbe(pool), Rasters(pool)
    rasters.watch(True)
    probe.ask(lease, 0, (100, 60))  # 100 / 2 + 10, 60 / 2 + 4
    rasters.ask(lease, 0, (100, 60))
    qtbot.waitUntil(lambda: probe.pixel is not None and rasters.current is not None)
    assert (probe.pixel.x, probe.pixel.y) == (rasters.current.x, rasters.current.y) == (60, 34)
    assert probe.pixel.spikes == len(sequence.spikes_at((60, 34), 0)) == len(rasters.current.of_middle)
    probe.ask(lease, 0, (220, 60))  # 120 of 112 pixels
    rasters.ask(lease, 0, (220, 60))
    qtbot.waitUntil(lambda: probe.pixel is None and rasters.current is None)


def test_another_registration_makes_what_is_made_of_spikes_anew(sequence):
    other = sequence.with_registration(Registration(sequence.frame_size, Size(*SPIKES)))
    assert made_from(sequence, 0) != made_from(other, 0)
    assert spikes_of(sequence.source) != spikes_of(other.source)
    assert made_from(sequence, 0) == made_from(sequence.with_registration(sequence.registration), 0)


def test_a_session_keeps_the_registration_of_its_sources():
    source = SequenceSource("a", registration=((0.5, 0.0, 9.75), (0.0, 0.5, 3.75), (0.0, 0.0, 1.0)))
    values = json.loads(json.dumps(values_of(source)))
    assert source_of(values) == source
    values["registration"][0][0] = "half"
    assert source_of(values) == SequenceSource("a")
