"""Both cameras against averages taken independently, and the geometry of motion against points."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import SequenceError
from engine.geometry import Size
from training.motion import STILL, Motion, Pose, Wave, mean_speed_px, random_motion
from training.scene import Layer, Renderer, Scene, speeds_px
from training.scenes import SCENE_KINDS, random_scene
from training.simulate import (
    Exposures,
    FrameCamera,
    mean_light,
    planes_between_renderings,
    simulate,
    simulate_clip,
    spike_light,
    spike_size,
    threshold_for_density,
)
from training.spike_camera import SpikeCamera
from training.street import street

SIZE = Size(40, 56)
QUIET = SpikeCamera(threshold=1.5)


def scene_of(motion_px: float = 6.0, exposures: Exposures | None = None, seed: int = 1) -> Scene:
    return random_scene(
        np.random.default_rng(seed),
        SIZE,
        exposures or Exposures(3, 12, 8),
        kind="polygons",
        motion_px=motion_px,
        objects=2,
    )


def constant_scene(level: float) -> Scene:
    return Scene(SIZE, (Layer(np.full((60, 80, 3), level, np.float32)),))


@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("stride", [5, 12, 17])
def test_a_blurry_frame_is_the_mean_of_its_planes_and_the_reference_their_centre(
    gamma: float, stride: int
) -> None:
    exposures = Exposures(3, 12, stride)
    scene = scene_of(exposures=exposures)
    ticks = list(simulate(scene, exposures, FrameCamera(gamma), QUIET, max_step_px=0))
    assert [tick.plane for tick in ticks] == list(range(exposures.planes))
    code_renderer, light_renderer = Renderer(scene), Renderer(scene, gamma)
    frames = [exposure for tick in ticks for exposure in tick.exposures]
    assert [frame.frame for frame in frames] == [0, 1, 2]
    for frame in frames:
        first = frame.frame * stride
        light = [light_renderer.picture(plane + 0.5)[..., :3] for plane in range(first, first + 12)]
        expected = np.mean(light, axis=0, dtype=np.float64) ** (1 / gamma)
        np.testing.assert_allclose(frame.blurry, expected, atol=1e-5)
        centre = light_renderer.picture(first + 6.0)[..., :3].astype(np.float64) ** (1 / gamma)
        np.testing.assert_allclose(frame.reference, centre, atol=1e-5)
        # Decoding before or after drawing differs at edges alone.
        assert np.abs(frame.reference - code_renderer.picture(first + 6.0)[..., :3]).mean() < 0.02


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_a_constant_scene_stays_itself_and_its_spikes_follow_the_ratio_model(gamma: float) -> None:
    level = 0.5
    light = level**gamma
    threshold = light / 0.25
    clip = simulate_clip(
        constant_scene(level),
        Exposures(2, 40, 40),
        FrameCamera(gamma),
        SpikeCamera(threshold, random_phase=False),
    )
    np.testing.assert_allclose(clip.blurry, level, atol=1e-6)
    np.testing.assert_allclose(clip.reference, level, atol=1e-6)
    np.testing.assert_allclose(clip.planes.sum(axis=0), 20, atol=1)
    exposure, short = clip.planes[:40].mean(axis=0), clip.planes[16:24].mean(axis=0)
    np.testing.assert_allclose(short, exposure, atol=1 / 8)


def test_mean_spikes_follow_the_mean_light_of_a_moving_scene() -> None:
    exposures = Exposures(1, 400, 400)
    scene = scene_of(8.0, exposures)
    clip = simulate_clip(scene, exposures, FrameCamera(), SpikeCamera(threshold=1.25), spike_scale=2)
    renderer = Renderer(scene)
    light = np.mean(
        [spike_light(renderer.picture(plane + 0.5), Size(20, 28)) for plane in range(400)], axis=0
    )
    # Within a spike of what the light comes to, everywhere, because the residue is kept.
    assert np.abs(clip.planes.sum(axis=0) - 400 * light / 1.25).max() < 1 + 400 * 2e-3


def test_rendering_every_few_planes_changes_little() -> None:
    exposures = Exposures(2, 160, 130)
    scene = scene_of(5.0, exposures)
    assert planes_between_renderings(scene, exposures, 0.25) > 1
    coarse, exact = (
        [
            exposure
            for tick in simulate(scene, exposures, FrameCamera(), QUIET, max_step_px=step)
            for exposure in tick.exposures
        ]
        for step in (0.25, 0.0)
    )
    for first, second in zip(coarse, exact, strict=True):
        assert np.abs(first.blurry - second.blurry).max() < 0.5 / 255
        assert np.array_equal(first.reference, second.reference)


def test_planes_between_renderings_obey_the_longest_step() -> None:
    exposures = Exposures(1, 400, 400)
    moving = Scene(SIZE, scene_of().layers[:1], Motion(drift=Pose(x_px=0.06)))
    assert planes_between_renderings(moving, exposures, 0.25) == 4
    assert planes_between_renderings(moving, exposures, 0.0) == 1
    assert planes_between_renderings(replace(moving, camera=STILL), exposures, 0.25) == 50


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_spikes() -> None:
    exposures = Exposures(2, 12, 8)
    camera = SpikeCamera(1.5, response_spread=0.05, shot_noise=0.1)
    first, same, other = (
        simulate_clip(scene_of(), exposures, FrameCamera(read_noise=0.01), camera, seed=seed)
        for seed in (4, 4, 5)
    )
    for name in ("blurry", "reference", "planes"):
        assert np.array_equal(getattr(first, name), getattr(same, name))
    assert not np.array_equal(first.planes, other.planes)
    assert not np.array_equal(first.blurry, other.blurry)
    assert np.array_equal(first.reference, other.reference)


def test_a_seed_sequence_may_be_used_twice() -> None:
    seeds = np.random.SeedSequence(9)
    first, second = (
        simulate_clip(scene_of(), Exposures(1, 8, 8), FrameCamera(), QUIET, seed=seeds) for _ in range(2)
    )
    assert np.array_equal(first.planes, second.planes)


def test_read_noise_is_added_to_the_blurry_frame_alone() -> None:
    clip = simulate_clip(constant_scene(0.5), Exposures(1, 4, 4), FrameCamera(read_noise=0.02), QUIET)
    assert clip.blurry.std() == pytest.approx(0.02, rel=0.05)
    assert clip.reference.std() < 1e-6


def test_the_threshold_for_a_density_gives_it() -> None:
    exposures = Exposures(2, 60, 60)
    scene = scene_of(exposures=exposures)
    threshold = threshold_for_density(0.2, scene, exposures, 1.0, gain=1.4, dark_current=0.03)
    clip = simulate_clip(scene, exposures, FrameCamera(), SpikeCamera(threshold, 1.4, 0.03))
    assert clip.planes.mean() == pytest.approx(0.2, rel=0.02)
    with pytest.raises(SequenceError, match="black"):
        threshold_for_density(0.2, constant_scene(0.0), exposures, 1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        threshold_for_density(1.5, scene, exposures, 1.0, 1.0, 0.0)
    assert mean_light(constant_scene(0.25), exposures, 2.0) == pytest.approx(0.0625)


def test_spikes_see_luminance_averaged_over_their_pixels() -> None:
    picture = np.random.default_rng(2).random((8, 12, 4)).astype(np.float32)
    expected = (picture[..., :3] @ [0.299, 0.587, 0.114]).reshape(4, 2, 6, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(spike_light(picture, Size(4, 6)), expected, atol=1e-6)
    assert spike_size(Size(481, 641), 2) == Size(240, 320)
    assert spike_size(Size(300, 450), 1.5) == Size(200, 300)
    with pytest.raises(ValueError, match="between 1 and 8"):
        spike_size(SIZE, 0.5)


def test_memory_holds_the_open_exposures_and_not_the_recording() -> None:
    exposures = Exposures(60, 8, 4)
    scene = scene_of()
    picture_bytes = SIZE.pixels * 4 * 4
    for _ in simulate(scene, exposures, FrameCamera(), QUIET):
        pass
    tracemalloc.start()
    for _ in simulate(scene, exposures, FrameCamera(), QUIET):
        pass
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 20 * picture_bytes


@pytest.mark.parametrize("name", ["frames", "exposure_planes", "stride_planes"])
def test_impossible_exposures_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, got 0"):
        replace(Exposures(1, 1, 1), **{name: 0})


def test_rendering_is_exact_below_a_pixel() -> None:
    ramp = np.tile(np.linspace(0, 1, 101, dtype=np.float32)[None, :, None], (61, 1, 3))
    for shift in (0.0, 0.013, 0.25, 0.5, 0.831, -3.4):
        scene = Scene(SIZE, (Layer(ramp),), Motion(Pose(x_px=shift)))
        row = Renderer(scene).picture(0.0)[20, :, 0]
        # Frame column c shows the ramp's column c + (101 - 56) / 2 - shift.
        np.testing.assert_allclose(row, (np.arange(56) + 22.5 - shift) / 100, atol=2e-6)


def test_a_disc_lands_where_its_path_and_the_camera_take_it() -> None:
    y, x = np.mgrid[:21, :21]
    cover = np.clip(8.5 - np.hypot(x - 10, y - 10), 0, 1).astype(np.float32)
    own = Motion(Pose(9.3, -4.1, 0.2, 0.1), drift=Pose(x_px=-0.25))
    camera = Motion(Pose(2.0, 1.0, 0.3, -0.05), waves=(Wave(40.0, 0.3, Pose(y_px=3.0)),))
    scene = Scene(
        SIZE,
        (Layer(np.zeros((50, 60, 3), np.float32)), Layer(np.ones((21, 21, 3), np.float32), cover, own)),
        camera,
    )
    at = 11.0
    picture = Renderer(scene).picture(at)[..., 0]
    rows, columns = np.mgrid[: SIZE.height, : SIZE.width]
    found = np.array([(picture * columns).sum(), (picture * rows).sum()]) / picture.sum()
    zoom, turn = math.exp(-0.05), 0.3
    disc_x, disc_y = 9.3 - 0.25 * at, -4.1
    shift_y = 1.0 + 3.0 * math.sin(2 * math.pi * at / 40 + 0.3)
    expected = (
        27.5 + 2.0 + zoom * (math.cos(turn) * disc_x - math.sin(turn) * disc_y),
        19.5 + shift_y + zoom * (math.sin(turn) * disc_x + math.cos(turn) * disc_y),
    )
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert picture.sum() == pytest.approx(math.pi * 8**2 * math.exp(2 * (0.1 - 0.05)), rel=0.02)


def test_an_object_hides_what_lies_behind_and_soft_edges_mix() -> None:
    cover = np.zeros((10, 10), np.float32)
    cover[2:8, 2:5], cover[2:8, 5:8] = 1.0, 0.25
    layers = (
        Layer(np.full((60, 80, 3), 0.8, np.float32)),
        Layer(np.full((10, 10, 3), 0.2, np.float32), cover),
    )
    picture = Renderer(Scene(SIZE, layers)).picture(0.0)[..., 0]
    top, left = (40 - 10) // 2, (56 - 10) // 2
    np.testing.assert_allclose(picture[top + 2 : top + 8, left + 2 : left + 5], 0.2, atol=1e-6)
    np.testing.assert_allclose(picture[top + 2 : top + 8, left + 5 : left + 8], 0.65, atol=1e-6)
    np.testing.assert_allclose(picture[: top + 2], 0.8, atol=1e-6)


def test_an_object_outside_the_frame_changes_nothing() -> None:
    backdrop = Layer(np.random.default_rng(0).random((60, 80, 3), np.float32))
    sprite = Layer(np.ones((9, 9, 3), np.float32), np.ones((9, 9), np.float32))
    alone = Renderer(Scene(SIZE, (backdrop,))).picture(0.0)
    for place in (Pose(x_px=400.0), Pose(x_px=-400.0), Pose(y_px=300.0), Pose(y_px=-300.0)):
        with_it = Renderer(Scene(SIZE, (backdrop, replace(sprite, motion=Motion(place))))).picture(0.0)
        assert np.array_equal(alone, with_it)


@pytest.mark.parametrize("motion_px", [0.0, 0.5, 12.0, 40.0])
def test_random_motion_travels_as_far_as_asked(motion_px: float) -> None:
    motion = random_motion(
        np.random.default_rng(8), size=Size(480, 640), motion_px=motion_px, exposure_planes=80, planes=400
    )
    corners = np.array([[-300, 300, -300, 300, 0], [-200, -200, 200, 200, 0], [1, 1, 1, 1, 1]])
    times = np.linspace(0, 400, 4001)
    places = np.stack([(motion.pose(time).matrix() @ corners)[:2] for time in times.tolist()])
    travelled = np.linalg.norm(np.diff(places, axis=0), axis=1).sum(axis=0).mean() / 5
    assert travelled == pytest.approx(motion_px, rel=0.05, abs=1e-9)
    assert mean_speed_px(motion, Size(480, 640), 400) * 80 == pytest.approx(motion_px, rel=1e-3, abs=1e-9)


def test_the_same_draw_with_other_motion_is_the_same_path_larger() -> None:
    slow, fast = (
        random_motion(
            np.random.default_rng(8), size=SIZE, motion_px=motion_px, exposure_planes=80, planes=400
        ).pose(33.0)
        for motion_px in (1.0, 2.0)
    )
    # Turning and zooming bend a path, so that twice as large is not exactly twice as far.
    assert fast.x_px == pytest.approx(2 * slow.x_px, rel=0.05)


def test_layer_speeds_are_those_of_its_points() -> None:
    scene = Scene(
        SIZE,
        (
            Layer(np.zeros((50, 60, 3), np.float32)),
            Layer(
                np.zeros((9, 9, 3), np.float32), np.zeros((9, 9), np.float32), Motion(drift=Pose(0.3, 0.4))
            ),
        ),
        Motion(drift=Pose(0.0, 0.2)),
    )
    np.testing.assert_allclose(speeds_px(scene, [0.0, 7.0], 0), 0.2, atol=1e-9)
    np.testing.assert_allclose(speeds_px(scene, [0.0, 7.0], 1), math.hypot(0.3, 0.6), atol=1e-9)


@pytest.mark.parametrize("kind", SCENE_KINDS)
def test_every_kind_of_scene_is_full_of_texture_and_decided_by_its_seed(kind: str) -> None:
    pictures = [np.random.default_rng(0).random((70, 90, 3), np.float32)]

    def picture(seed: int) -> np.ndarray:
        scene = random_scene(
            np.random.default_rng(seed),
            Size(96, 128),
            Exposures(2, 20, 20),
            kind=kind,  # type: ignore[arg-type]
            pictures=pictures,
            motion_px=10,
        )
        return Renderer(scene).picture(20.0)

    first = picture(3)
    assert first.dtype == np.float32
    assert first.min() >= -1e-6
    # Only lights are brighter than white.
    assert first.max() <= 1 + 1e-5 or kind in ("world", "highlights")
    assert first[..., :3].std() > 0.05
    assert np.array_equal(first, picture(3))
    assert not np.array_equal(first, picture(4))


def test_a_still_scene_stands_still() -> None:
    renderer = Renderer(scene_of(0.0))
    assert np.array_equal(renderer.picture(0.5), renderer.picture(20.0))


def test_scenes_refuse_what_they_cannot_draw() -> None:
    exposures = Exposures(1, 8, 8)
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="photographs needs one picture"):
        random_scene(generator, SIZE, exposures, kind="photographs")
    with pytest.raises(ValueError, match="0 to 64 objects, got 99"):
        random_scene(generator, SIZE, exposures, kind="text", objects=99)
    with pytest.raises(ValueError, match="between 0 and 500 px"):
        random_scene(generator, SIZE, exposures, kind="text", motion_px=math.nan)
    with pytest.raises(ValueError, match="needs 4 pictures"):
        street(generator, SIZE, exposures, pictures=[], motion_px=1, object_motion_px=1)
    with pytest.raises(ValueError, match="no cover"):
        Scene(SIZE, ())
