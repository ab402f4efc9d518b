"""Exposures in which hardly a pixel fired."""

import numpy as np
import pytest

from engine.geometry import Span
from engine.restoration.evidence import FEW_SPIKES
from engine.restoration.exposure import Exposure
from engine.restoration.spike_ratio import estimate_frame

PLANES, HEIGHT, WIDTH = 40, 64, 96


def moving(spikes_a_pixel, seed):
    """Return a blurry frame of waves that move, its sharp middle, and spikes that fall by chance."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    light = np.stack(
        [0.5 + 0.4 * np.sin(rows / 5) * np.sin((columns - 0.1 * plane) / 4) for plane in range(PLANES)]
    )
    fired = random.random(light.shape) < light / light.mean() * spikes_a_pixel / PLANES
    grey = np.round(light.mean(axis=0) * 255) / 255
    return (
        np.repeat(grey[:, :, None], 3, axis=2).astype(np.float32),
        light[PLANES // 2],
        fired.astype(np.uint8),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spikes_a_pixel", [0.005, 0.01, 0.02, 0.04, 0.1, 0.4, 2.0])
def test_few_spikes_never_cost_more_than_a_fifth_of_a_decibel(spikes_a_pixel, seed):
    frame, sharp, fired = moving(spikes_a_pixel, seed)
    exposure = Exposure(
        lambda start, stop: fired[start:stop].sum(axis=0, dtype=np.float32),
        Span(0, PLANES),
        PLANES / 2,
        PLANES,
        fired.sum(axis=(1, 2)),
    )
    estimate = estimate_frame(frame, exposure, 1.0)
    before, after = (
        -10 * np.log10(np.square(picture[:, :, 1] - sharp).mean()) for picture in (frame, estimate.picture)
    )
    assert after > before - 0.2
    if spikes_a_pixel < 0.05:
        assert estimate.unchanged == FEW_SPIKES
