"""Few spikes never make a frame worse, in pictures of any size: the frame is asked, too."""

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.geometry import Size, Span
from engine.light.trajectories import Trajectories
from engine.restoration.borne_out import borne_out
from engine.restoration.exposure import Exposure
from engine.restoration.motion_blur import Blur
from engine.restoration.spike_ratio import restore_frame

PLANES = 24
MEAN_LIGHT = 0.4
WORSE_DB = 0.2

Light = NDArray[np.float64]


def scene(size: Size, motion_px: float, seed: int) -> Light:
    """Light (PLANES, H, W) of a texture that moves evenly to the left."""
    way = math.ceil(motion_px) + 2
    noise = np.random.default_rng(seed).random((size.height, size.width + way))
    layers = [cv2.GaussianBlur(noise, (0, 0), px) for px in (1.5, 5.0)]
    texture = np.clip(MEAN_LIGHT + 0.084 * sum((one - one.mean()) / one.std() for one in layers), 0, 1)
    light = np.empty((PLANES, size.height, size.width))
    for plane in range(PLANES):
        whole, part = divmod(motion_px * plane / PLANES, 1)
        first = int(whole)
        light[plane] = (1 - part) * texture[:, first : first + size.width]
        light[plane] += part * texture[:, first + 1 : first + 1 + size.width]
    return light


def spikes_of(light: Light, spikes_an_exposure: float, seed: int) -> NDArray[np.uint8]:
    gain = spikes_an_exposure / (PLANES * MEAN_LIGHT)
    charge = np.random.default_rng(seed).random(light.shape[1:])
    spikes = np.zeros(light.shape, np.uint8)
    for plane, lit in enumerate(light):
        charge += gain * lit
        spikes[plane] = charge >= 1
        charge -= spikes[plane]
    return spikes


def gain_db(size: Size, motion_px: float, spikes_an_exposure: float, seed: int) -> float:
    light = scene(size, motion_px, seed)
    spikes = spikes_of(light, spikes_an_exposure, seed + 100)
    exposure = Exposure(
        lambda start, stop: spikes[start:stop].sum(axis=0).astype(np.float32),
        Span(0, PLANES),
        PLANES / 2,
        float(PLANES),
        spikes.reshape(PLANES, -1).sum(axis=1).astype(np.int64),
    )
    frame = np.round(255 * light.mean(axis=0)).astype(np.float32) / 255
    blurry = np.repeat(frame[:, :, None], 3, axis=2)
    restored = restore_frame(blurry, exposure, 1.0)
    sharp = light[PLANES // 2]
    before, after = (float(np.square(one - sharp).mean()) for one in (frame, restored[:, :, 0]))
    return 10 * math.log10(before / after)


@pytest.mark.parametrize("size", [Size(24, 32), Size(48, 64), Size(96, 128)], ids=str)
@pytest.mark.parametrize("motion_px", [2.0, 5.0, 12.0])
@pytest.mark.parametrize("spikes_an_exposure", [0.25, 0.6, 1.0, 1.5])
def test_few_spikes_leave_a_frame_no_worse(size: Size, motion_px: float, spikes_an_exposure: float) -> None:
    """They once cost up to 28 dB where the picture was small."""
    gains = [gain_db(size, motion_px, spikes_an_exposure, seed) for seed in range(3)]
    assert min(gains) > -WORSE_DB


def test_enough_spikes_gain_in_small_pictures_too() -> None:
    assert gain_db(Size(48, 64), 12.0, 8.0, 1) > 5
    assert gain_db(Size(24, 32), 12.0, 8.0, 1) > 2


# ------------------------------------------------------------------ what the frame bears out


def moved_evenly(size: Size, px: float) -> Trajectories:
    velocity = np.zeros((size.height, size.width, 2), np.float32)
    velocity[:, :, 0] = px
    return Trajectories.steady(velocity)


def sharp_and_blurry(size: Size, motion: Trajectories) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    noise = np.random.default_rng(4).random((size.height, size.width))
    sharp = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.float32)
    sharp = 0.4 + 0.1 * (sharp - sharp.mean()) / sharp.std()
    return sharp, Blur.along(motion).blurry(np.repeat(sharp[:, :, None], 2, axis=2))[:, :, 0]


def test_the_true_change_is_borne_out_and_noise_is_not() -> None:
    size = Size(96, 128)
    motion = moved_evenly(size, 9)
    sharp, blurry = sharp_and_blurry(size, motion)
    few = np.full((48, 64), 0.5, np.float32)
    noise = cv2.GaussianBlur(np.random.default_rng(8).normal(size=sharp.shape), (0, 0), 1.5)
    noise = (noise * np.std(sharp - blurry) / noise.std()).astype(np.float32)
    assert borne_out(sharp - blurry, blurry, motion, few).mean() > 0.9
    assert borne_out(noise, blurry, motion, few).mean() < 0.05
    assert borne_out(blurry - sharp, blurry, motion, few).max() < 0.05


def test_where_there_are_spikes_enough_the_frame_is_not_asked() -> None:
    size = Size(96, 128)
    motion = moved_evenly(size, 9)
    _, blurry = sharp_and_blurry(size, motion)
    noise = np.random.default_rng(8).normal(size=blurry.shape).astype(np.float32)
    many = np.full((48, 64), 6.0, np.float32)
    np.testing.assert_array_equal(borne_out(noise, blurry, motion, many), 1)
    many[:, :32] = 0.2
    share = borne_out(noise, blurry, motion, many)
    assert share[:, :32].max() < 0.1
    np.testing.assert_array_equal(share[:, 100:], 1)
