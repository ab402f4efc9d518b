"""Rolling shutters, registration, defects and losses: against exposures and projections made by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.geometry import Size, Span
from training.exposure import Pixels, expose
from training.motion import Motion, Pose
from training.rig import Faults, Rig, draw_defects, draw_faults, draw_losses
from training.scene import Layer, Renderer, Scene
from training.scenes import random_scene
from training.simulate import Exposures, FrameCamera, simulate, simulate_clip
from training.spike_camera import DEAD, HOT, FixedPattern, SpikeCamera

SIZE = Size(24, 32)
QUIET = SpikeCamera(threshold=1.5, random_phase=False)
SEED = np.random.SeedSequence(3)


def moving(exposures: Exposures) -> Scene:
    return random_scene(np.random.default_rng(1), SIZE, exposures, kind="leaves", motion_px=6.0)


@pytest.mark.parametrize("stride", [6, 10, 17])
def test_each_row_of_a_rolling_shutter_is_the_mean_of_its_own_planes(stride: int) -> None:
    exposures = Exposures(3, 10, stride)
    scene = moving(exposures)
    faults = Faults(row_delay_planes=0.5)
    ticks = list(simulate(scene, exposures, FrameCamera(), QUIET, max_step_px=0, faults=faults))
    # 23 rows after the first one, the last is exposed 11.5 planes later.
    assert len(ticks) == exposures.planes + 12
    renderer = Renderer(scene)
    pictures = np.array([renderer.picture(plane + 0.5)[..., :3] for plane in range(len(ticks))], np.float64)
    frames = [exposure for tick in ticks for exposure in tick.exposures]
    assert [frame.frame for frame in frames] == [0, 1, 2]
    for frame in frames:
        for row in (0, 7, 23):
            begins = frame.frame * stride + 0.5 * row
            shares = [
                max(0.0, min(plane + 1, begins + 10) - max(plane, begins)) for plane in range(len(ticks))
            ]
            expected = np.average(pictures[:, row], axis=0, weights=shares)
            np.testing.assert_allclose(frame.blurry[row], expected, atol=1e-5)
        # References are whole.
        centre = renderer.picture(frame.frame * stride + 5.0)[..., :3]
        np.testing.assert_allclose(frame.reference, centre, atol=1e-6)


def test_planes_between_renderings_change_a_rolling_frame_little() -> None:
    exposures = Exposures(2, 80, 70)
    scene = moving(exposures)
    coarse, exact = (
        [
            exposure.blurry
            for tick in simulate(
                scene,
                exposures,
                FrameCamera(),
                QUIET,
                max_step_px=step,
                faults=Faults(row_delay_planes=1.3),
            )
            for exposure in tick.exposures
        ]
        for step in (0.25, 0.0)
    )
    for first, second in zip(coarse, exact, strict=True):
        assert np.abs(first - second).max() < 1 / 255


def test_the_fast_exposure_rolls_and_is_registered_as_the_simulation_plane_by_plane() -> None:
    exposures = Exposures(1, 30, 30)
    scene = moving(exposures)
    faults = draw_faults(
        Rig(row_delay_planes=0.7, misregistration_px=2.0), QUIET, SIZE, Size(12, 16), 30, SEED
    )
    clip = simulate_clip(scene, exposures, FrameCamera(), QUIET, faults=faults)
    generator = np.random.default_rng(1)
    blurry, counts = expose(
        Renderer(scene, 1.0, faults.margin_px),
        Pixels(QUIET, Size(12, 16), generator),
        start=0,
        planes=30,
        bins=10,
        gamma=1.0,
        generator=generator,
        step_px=0,
        faults=faults,
    )
    np.testing.assert_allclose(blurry, clip.blurry[0], atol=2e-3)
    expected = clip.planes[:30].reshape(10, 3, 12, 16).sum(axis=1)
    assert np.mean(counts != expected) < 5e-3


@pytest.mark.parametrize("spike_scale", [1.0, 2.0])
def test_a_point_of_the_frame_lies_in_the_spikes_where_the_homography_says(spike_scale: float) -> None:
    spikes = Size(round(24 / spike_scale), round(32 / spike_scale))
    faults = draw_faults(Rig(misregistration_px=3.0), QUIET, SIZE, spikes, 10, SEED)
    homography = faults.frame_to_spike(SIZE, spikes)
    y, x = np.mgrid[:15, :15] - 7
    cover = np.exp(-(x**2 + y**2) / 8).astype(np.float32)
    for place in (Pose(-6.5, 3.5), Pose(7.5, -2.5)):
        scene = Scene(
            SIZE,
            (
                Layer(np.zeros((40, 50, 3), np.float32)),
                Layer(np.ones((15, 15, 3), np.float32), cover, Motion(place)),
            ),
        )
        # As many spikes as light: a threshold of a plane's charge and many planes.
        exposures = Exposures(1, 300, 300)
        counts = simulate_clip(
            scene, exposures, FrameCamera(), QUIET, spike_scale=spike_scale, faults=faults
        ).planes.sum(axis=0)
        rows, columns = np.mgrid[: spikes.height, : spikes.width]
        found = np.array([(counts * columns).sum(), (counts * rows).sum()]) / counts.sum()
        expected = homography @ [place.x_px + 15.5, place.y_px + 11.5, 1]
        np.testing.assert_allclose(found, expected[:2] / expected[2], atol=0.06)
        plain = [(place.x_px + 16) / spike_scale - 0.5, (place.y_px + 12) / spike_scale - 0.5]
        assert np.linalg.norm(found - plain) > 0.5 / spike_scale


def test_registration_errors_are_as_large_as_asked_at_a_corner() -> None:
    faults = draw_faults(Rig(misregistration_px=1.5), QUIET, SIZE, SIZE, 10, SEED)
    corners = np.array([[0, 31, 31, 0], [0, 0, 23, 23], [1, 1, 1, 1]], float)
    assert faults.registration is not None
    seen = faults.registration @ corners
    away = np.linalg.norm(seen[:2] / seen[2] - corners[:2], axis=0)
    assert away.max() == pytest.approx(1.5, abs=1e-4)
    plain = Faults().frame_to_spike(SIZE, Size(12, 16))
    np.testing.assert_allclose(plain @ [0, 0, 1], [-0.25, -0.25, 1])


def test_dead_pixels_never_fire_hot_ones_always_and_the_others_as_before() -> None:
    exposures = Exposures(1, 20, 20)
    scene = moving(exposures)
    camera = SpikeCamera(1.5, response_spread=0.04, dark_current=0.02, dark_spread=0.3)
    faults = draw_faults(Rig(defects=0.05, sensor_seed=4), camera, SIZE, Size(12, 16), 20, SEED)
    assert faults.pattern is not None
    defects = faults.pattern.defects
    assert defects is not None
    assert (defects == DEAD).sum() == 5
    assert (defects == HOT).sum() == 5
    sound = replace(faults, pattern=replace(faults.pattern, defects=None))
    broken, whole = (
        simulate_clip(scene, exposures, FrameCamera(), camera, faults=one).planes for one in (faults, sound)
    )
    assert not broken[:, defects == DEAD].any()
    assert broken[:, defects == HOT].all()
    assert np.array_equal(broken[:, defects == 0], whole[:, defects == 0])


def test_defects_of_binned_spikes_are_those_of_planes() -> None:
    defects = draw_defects(np.random.default_rng(1), Size(12, 16), 0.1)
    generator = np.random.default_rng(1)
    scene = moving(Exposures(1, 10, 10))
    pixels = Pixels(QUIET, Size(12, 16), generator, defects)
    _, counts = expose(Renderer(scene), pixels, start=0, planes=10, bins=4, gamma=1.0, generator=generator)
    assert not counts[:, defects == DEAD].any()
    # Planes 0 to 9 in four bins: floor(plane · 4 / 10).
    assert (counts[:, defects == HOT] == np.array([[3], [2], [3], [2]])).all()


def test_a_sensor_keeps_its_pattern_and_defects_over_recordings() -> None:
    camera = SpikeCamera(response_spread=0.037, dark_current=0.01, dark_spread=0.3)
    size = Size(60, 80)

    def pattern(sensor_seed: int | None, seed: int) -> FixedPattern:
        rig = Rig(sensor_seed=sensor_seed, defects=0.002)
        faults = draw_faults(rig, camera, Size(120, 160), size, 10, np.random.SeedSequence(seed))
        assert faults.pattern is not None
        return faults.pattern

    first, again, other, without = pattern(1, 5), pattern(1, 6), pattern(2, 5), pattern(None, 5)
    for name in ("response", "dark", "defects"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))
        assert not np.array_equal(getattr(first, name), getattr(without, name))
    assert first.response.std() == pytest.approx(0.037, rel=0.05)
    assert (first.defects != 0).mean() == pytest.approx(0.002, rel=0.1)


def test_whole_rows_and_columns_may_be_broken() -> None:
    defects = draw_defects(np.random.default_rng(2), Size(20, 30), 0.0, lines=4)
    rows, columns = (defects != 0).all(axis=1).sum(), (defects != 0).all(axis=0).sum()
    assert 1 <= rows + columns <= 4
    assert (defects != 0).sum() == rows * 30 + columns * 20 - rows * columns


def test_lost_planes_are_zeros_and_the_others_as_before() -> None:
    exposures = Exposures(2, 40, 40)
    scene = moving(exposures)
    faults = draw_faults(Rig(lost_planes=0.2), QUIET, SIZE, Size(12, 16), 80, SEED)
    lost = np.zeros(80, bool)
    for span in faults.lost:
        lost[span.start : span.stop] = True
    assert lost.sum() == 16
    torn, whole = (
        simulate_clip(scene, exposures, FrameCamera(), QUIET, faults=one) for one in (faults, Faults())
    )
    assert not torn.planes[lost].any()
    assert np.array_equal(torn.planes[~lost], whole.planes[~lost])
    assert np.array_equal(torn.blurry, whole.blurry)
    assert draw_losses(np.random.default_rng(0), 10, 0.0) == ()
    assert all(isinstance(span, Span) for span in faults.lost)


def test_moments_show_the_scene_between_start_and_stop() -> None:
    exposures = Exposures(2, 10, 15)
    scene = moving(exposures)
    moments = np.array([[0.0, 0.25, 1.0], [0.1, 0.5, 0.9]])
    frames = [
        exposure
        for tick in simulate(scene, exposures, FrameCamera(2.2), QUIET, moments=moments)
        for exposure in tick.exposures
    ]
    renderer = Renderer(scene, 2.2)
    for frame, planes in zip(frames, ([0.0, 2.5, 10.0], [16.0, 20.0, 24.0]), strict=True):
        for latent, plane in zip(frame.latents, planes, strict=True):
            light = renderer.picture(plane)[..., :3].astype(np.float64)
            np.testing.assert_allclose(latent, light ** (1 / 2.2), atol=1e-5)
    assert np.array_equal(frames[1].latents[1], frames[1].reference)


def test_lights_saturate_the_frame_and_the_spikes() -> None:
    scene = Scene(SIZE, (Layer(np.full((40, 50, 3), 4.0, np.float32)),))
    clip = simulate_clip(scene, Exposures(1, 6, 6), FrameCamera(), QUIET)
    assert (clip.blurry == 1).all()
    assert (clip.reference == 1).all()
    assert clip.planes.all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("row_delay_planes", -1.0),
        ("row_delay_planes", math.nan),
        ("misregistration_px", 65.0),
        ("defects", 0.6),
        ("defect_lines", -1),
        ("lost_planes", 1.0),
        ("sensor_seed", -1),
    ],
)
def test_an_impossible_rig_is_refused_by_the_name_of_what_is_wrong(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must"):
        Rig(**{name: value})  # type: ignore[arg-type]
