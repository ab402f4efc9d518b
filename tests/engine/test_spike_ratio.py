"""The spike-ratio method: what it gains, and that it loses nowhere."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import MethodError
from engine.geometry import Region, Size, Span
from engine.light.spike_signal import settle_gamma
from engine.metrics import compare, correlation, psnr
from engine.moment import centres
from engine.recording import write_packed
from engine.restoration.exposure import Exposure
from engine.restoration.methods import make_method
from engine.restoration.options import ComputeOptions
from engine.restoration.restoration import Restoration, restored
from engine.restoration.spike_ratio import SpikeRatio, restore_frame
from engine.sequence import Sequence, open_sequence
from training.scenes import random_scene
from training.simulate import Clip, Exposures, FrameCamera, simulate_clip, threshold_for_density
from training.spike_camera import SpikeCamera

SIZE = Size(192, 256)
NEVER_MORE_THAN_DB = 0.2


@dataclass(frozen=True)
class Regime:
    planes: int = 64
    density: float = 0.28
    motion_px: float = 14.0
    gamma: float = 1.0
    spike_scale: float = 2.0
    shot_noise: float = 0.0
    dark_current: float = 0.0
    response_spread: float = 0.0
    objects: int = 2


def simulated(regime: Regime, seed: int = 11) -> Clip:
    """One exposure of patterns in motion."""
    exposures = Exposures(1, regime.planes, regime.planes)
    scene = random_scene(
        np.random.default_rng(seed),
        SIZE,
        exposures,
        kind="mixed",
        objects=regime.objects,
        motion_px=regime.motion_px,
    )
    threshold = threshold_for_density(
        regime.density, scene, exposures, regime.gamma, 1.0, regime.dark_current
    )
    camera = SpikeCamera(
        threshold=threshold,
        shot_noise=regime.shot_noise * threshold,
        dark_current=regime.dark_current * threshold,
        response_spread=regime.response_spread,
    )
    return simulate_clip(
        scene, exposures, FrameCamera(regime.gamma), camera, spike_scale=regime.spike_scale, seed=seed
    )


def exposure_of(planes: NDArray[np.integer], *, length: float | None = None) -> Exposure:
    total = len(planes)
    return Exposure(
        lambda start, stop: planes[start:stop].sum(axis=0, dtype=np.float32),
        Span(0, total),
        total / 2,
        total if length is None else length,
        planes.sum(axis=(1, 2)),
    )


def levels(picture: NDArray[np.floating]) -> NDArray[np.float32]:
    """A picture as an 8-bit file holds it."""
    return (np.floor(picture * 255 + 0.5) / 255).astype(np.float32)


def plain_formula(
    blurry: NDArray[np.float32], planes: NDArray[np.integer], gamma: float
) -> NDArray[np.float32]:
    """blurry · TFP(an eighth of the exposure) / TFP(exposure), nearest pixels, 1 where nothing fired."""
    short = len(planes) // 8
    start = (len(planes) - short) // 2
    ratio = planes[start : start + short].mean(axis=0) / np.maximum(planes.mean(axis=0), 1e-9)
    ratio[planes.sum(axis=0) == 0] = 1.0
    scale = blurry.shape[0] // ratio.shape[0]
    ratio = np.kron(ratio, np.ones((scale, scale)))[:, :, None]
    return (np.clip(blurry**gamma * ratio, 0, 1) ** (1 / gamma)).astype(np.float32)


REGIMES = {
    "dense": (Regime(), 2.0),
    "noisy": (Regime(shot_noise=0.3, dark_current=0.004, response_spread=0.05), 0.4),
    "sparse": (Regime(density=0.07), -NEVER_MORE_THAN_DB),
    "sparse and noisy": (Regime(density=0.07, shot_noise=1.0), -NEVER_MORE_THAN_DB),
    "twice the threshold": (Regime(density=0.14), 1.0),
    "four times the threshold": (Regime(density=0.035), -NEVER_MORE_THAN_DB),
    "linear light": (Regime(planes=200, density=0.2, gamma=2.2), 2.0),
    "spikes of full size": (Regime(spike_scale=1.0, density=0.14, shot_noise=0.3), 1.0),
    "spikes of a quarter": (Regime(spike_scale=4.0), 0.0),
    "saturated spikes": (Regime(density=0.9), -NEVER_MORE_THAN_DB),
    "strong dark current": (Regime(dark_current=0.1), 0.5),
    "strong response spread": (Regime(response_spread=0.15), 1.0),
    "slow": (Regime(motion_px=2.0, shot_noise=0.3, response_spread=0.05), -NEVER_MORE_THAN_DB),
    "fast": (Regime(motion_px=40.0), 0.5),
    "eight planes": (Regime(planes=8, shot_noise=0.3), -NEVER_MORE_THAN_DB),
    "four planes": (Regime(planes=4, shot_noise=0.3), -NEVER_MORE_THAN_DB),
}


@pytest.mark.parametrize("name", REGIMES)
def test_it_gains_where_spikes_allow_and_never_loses(name: str) -> None:
    regime, least_gain = REGIMES[name]
    clip = simulated(regime)
    blurry, reference = levels(clip.blurry[0]), clip.reference[0]
    restored = restore_frame(blurry, exposure_of(clip.planes), regime.gamma)
    assert psnr(restored, reference) - psnr(blurry, reference) >= least_gain
    if regime.planes >= 8:
        plain = plain_formula(blurry, clip.planes, regime.gamma)
        assert psnr(restored, reference) > psnr(plain, reference)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("density", [0.07, 0.28])
@pytest.mark.parametrize("shot_noise", [0.0, 1.0])
def test_a_scene_at_rest_comes_back_to_the_last_bit(seed: int, density: float, shot_noise: float) -> None:
    regime = Regime(motion_px=0.0, density=density, shot_noise=shot_noise, response_spread=0.05)
    clip = simulated(regime, seed)
    blurry = levels(clip.blurry[0])
    assert np.array_equal(restore_frame(blurry, exposure_of(clip.planes), 1.0), blurry)


@pytest.mark.parametrize("given", [None, 1.0, 1.8, 2.2])
def test_a_wrong_or_unknown_gamma_is_found_in_the_exposure(given: float | None) -> None:
    clip = simulated(Regime(gamma=2.2, density=0.2, planes=100))
    blurry = levels(clip.blurry[0])
    rate = clip.planes.mean(axis=0, dtype=np.float32)
    assert settle_gamma(blurry, rate, given) == 2.2
    restored = restore_frame(blurry, exposure_of(clip.planes), given)
    assert psnr(restored, clip.reference[0]) > psnr(blurry, clip.reference[0]) + 1.0


def test_a_given_gamma_stands_unless_it_is_contradicted() -> None:
    clip = simulated(Regime(density=0.2, shot_noise=0.5))
    blurry = levels(clip.blurry[0])
    rate = clip.planes.mean(axis=0, dtype=np.float32)
    assert settle_gamma(blurry, rate, None) == 1.0
    assert settle_gamma(blurry, rate, 1.05) == 1.05
    assert settle_gamma(blurry, np.zeros_like(rate), 1.7) == 1.7
    assert settle_gamma(np.ones_like(blurry), rate, 1.7) == 1.7  # all clipped: nothing to learn from


@pytest.mark.parametrize("wrong", ["flipped", "mirrored", "of another scene"])
def test_spikes_that_are_not_of_the_frame_change_nothing(wrong: str) -> None:
    clip = simulated(Regime())
    planes = {
        "flipped": clip.planes[:, ::-1],
        "mirrored": clip.planes[:, :, ::-1],
        "of another scene": simulated(Regime(), seed=12).planes,
    }[wrong]
    blurry = levels(clip.blurry[0])
    np.testing.assert_array_equal(restore_frame(blurry, exposure_of(planes), 1.0), blurry)


def test_planes_lost_on_the_way_cost_little() -> None:
    clip = simulated(Regime(shot_noise=0.3))
    blurry, reference = levels(clip.blurry[0]), clip.reference[0]
    damaged = clip.planes.copy()
    damaged[30:34] = 0
    damaged[::9] = 0
    whole, torn = (
        psnr(restore_frame(blurry, exposure_of(planes), 1.0), reference) for planes in (clip.planes, damaged)
    )
    assert torn > whole - 0.6


def test_an_overexposed_frame_stays_white_where_the_scene_is() -> None:
    clip = simulated(Regime())
    blurry, reference = (levels(np.clip(2.0 * picture[0], 0, 1)) for picture in (clip.blurry, clip.reference))
    restored = restore_frame(blurry, exposure_of(clip.planes), 1.0)
    assert psnr(restored, reference) > psnr(blurry, reference)


def test_black_and_white_frames_stay_what_they_are() -> None:
    clip = simulated(Regime())
    for value in (0.0, 1.0):
        frame = np.full(clip.blurry[0].shape, value, np.float32)
        np.testing.assert_allclose(restore_frame(frame, exposure_of(clip.planes), None), value, atol=1e-3)


@pytest.mark.parametrize(
    ("planes", "length"), [(0, 64), (1, 1), (3, 3), (16, 200)], ids=["none", "one", "three", "a part"]
)
def test_too_few_planes_give_the_blurry_frame(planes: int, length: float) -> None:
    frame = np.random.default_rng(0).random((20, 30, 3), np.float32)
    spikes = np.ones((planes, 10, 15), np.uint8)
    exposure = exposure_of(spikes, length=length)
    if planes == 16:  # recorded is only the beginning of the exposure
        exposure = Exposure(exposure.count, exposure.recorded, 100.0, 200.0)
    assert np.array_equal(restore_frame(frame, exposure), frame)


@pytest.mark.parametrize("kind", ["no", "all", "random", "moving"])
@pytest.mark.parametrize(
    ("frame", "spikes", "planes"),
    [
        ((1, 1), (1, 1), 64),
        ((5, 7), (3, 4), 64),
        ((24, 400), (12, 200), 64),
        ((33, 65), (17, 31), 41),
        ((64, 64), (256, 256), 16),
        ((200, 300), (50, 75), 64),
        ((100, 160), (100, 80), 7),
        ((60, 80), (30, 40), 5),
    ],
)
def test_every_size_and_any_spikes_give_a_proper_picture(
    kind: str, frame: tuple[int, int], spikes: tuple[int, int], planes: int
) -> None:
    random = np.random.default_rng(0)
    blurry = random.random((*frame, 3), np.float32)
    ramp = np.tile(np.linspace(0.02, 0.9, spikes[1]), (spikes[0], 1))
    stack = {
        "no": lambda: np.zeros((planes, *spikes), np.uint8),
        "all": lambda: np.ones((planes, *spikes), np.uint8),
        "random": lambda: (random.random((planes, *spikes)) < 0.3).astype(np.uint8),
        "moving": lambda: np.stack(
            [np.roll(random.random(spikes) < ramp, plane // 2, axis=1) for plane in range(planes)]
        ).astype(np.uint8),
    }[kind]()
    restored = restore_frame(blurry, exposure_of(stack))
    assert restored.dtype == np.float32
    assert restored.shape == blurry.shape
    assert np.isfinite(restored).all()
    assert restored.min() >= 0
    assert restored.max() <= 1
    if kind in ("no", "all"):
        np.testing.assert_array_equal(restored, blurry)


@pytest.fixture
def sequence(tmp_path: Path) -> Sequence:
    """A recording without frames of its own: 3 virtual exposures of 64 planes."""
    exposures = Exposures(1, 192, 192)
    scene = random_scene(np.random.default_rng(3), SIZE, exposures, kind="mixed", motion_px=40.0)
    clip = simulate_clip(scene, exposures, FrameCamera(), SpikeCamera(threshold=1.5), spike_scale=2.0, seed=3)
    write_packed(tmp_path / "spike.dat", clip.planes)
    return open_sequence(
        tmp_path / "spike.dat", height=96, width=128, exposure_planes=64, stride_planes=64, flip=True
    )


def test_tiles_of_any_size_give_the_same_bits(sequence: Sequence) -> None:
    method = make_method("spike-ratio")
    whole, tiled = (
        next(restored(Restoration.of_frames(sequence, Span(1, 2), method, options))).picture
        for options in (ComputeOptions(at_most_px=1000), ComputeOptions(at_most_px=24))
    )
    assert np.array_equal(whole, tiled)
    assert not np.array_equal(whole, sequence.frame(1))


def test_a_region_is_cut_from_the_whole_frame(sequence: Sequence) -> None:
    method = SpikeRatio()
    prepared = method.prepare(sequence, Span(1, 2), centres([1]))
    region = Region(10, 20, 50, 90)
    whole = method.restore(prepared, Region.whole(sequence.frame_size))
    np.testing.assert_array_equal(method.restore(prepared, region), whole[:, 10:50, 20:90])


def test_the_same_frame_restored_twice_is_the_same(sequence: Sequence) -> None:
    method = SpikeRatio()
    first, second = (method.prepare(sequence, Span(2, 3), centres([2])).pictures for _ in range(2))
    assert np.array_equal(first, second)


def test_a_sequence_without_spikes_is_refused_with_advice() -> None:
    sequence = SimpleNamespace(recording=None, source=SimpleNamespace(path="clip"))
    with pytest.raises(MethodError, match="spikes") as caught:
        SpikeRatio().prepare(sequence, Span(0, 1), centres([0]))
    assert caught.value.advice


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "blurry_reaches", "best_window_reaches"),
    [("203_part2_key_id151", 0.775, 0.975), ("203_part3_key_id151", 0.793, 0.953)],
)
def test_recordings_made_by_others_come_out_better_than_any_bare_window(
    shared_data: Path, name: str, blurry_reaches: float, best_window_reaches: float
) -> None:
    recording = shared_data / "spikezoo" / f"{name}.dat"
    with open_sequence(recording, reference=recording.with_suffix(".png"), exposure_planes=301) as sequence:
        reference = sequence.reference(0)
        assert reference is not None
        assert correlation(sequence.frame(0), reference) == pytest.approx(blurry_reaches, abs=0.002)
        request = Restoration.of_frames(sequence, Span(0, 1), make_method("spike-ratio"))
        assert correlation(next(restored(request)).picture, reference) > best_window_reaches + 0.005


def test_the_bundled_sample_gains_three_decibels(sample_path: Path) -> None:
    with open_sequence(sample_path) as sequence:
        request = Restoration.of_frames(sequence, Span(3, 6), make_method("spike-ratio"))
        gains = [
            compare(sequence, step.frame, step.picture).psnr
            - compare(sequence, step.frame, sequence.frame(step.frame)).psnr
            for step in restored(request)
        ]
    assert len(gains) == 3
    assert min(gains) > 3.0
