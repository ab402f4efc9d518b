"""Depth, cloth, limbs and truth: against projections, rotations and renderings made another way."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.signal import welch
from scipy.spatial.transform import Rotation

from engine.geometry import Size
from training.deformation import Waving, seen_at
from training.motion import Motion, Pose, Wave
from training.paths import Chain, Turning, handheld_motion, passing
from training.scene import Layer, Renderer, Scene
from training.scenes import random_scene
from training.simulate import Exposures
from training.truth import flow_at, things_at
from training.worlds import WORLD_KINDS, random_world

SIZE = Size(40, 56)
GROUND = Layer(np.zeros((60, 80, 3), np.float32))


def square(side: int = 9, level: float = 1.0, **of: object) -> Layer:
    """A square with a border of two free pixels."""
    cover = np.zeros((side + 4, side + 4), np.float32)
    cover[2:-2, 2:-2] = 1.0
    return Layer(np.full((side + 4, side + 4, 3), level, np.float32), cover, **of)  # type: ignore[arg-type]


def blob(**of: object) -> Layer:
    """A soft spot, whose middle is found to a hundredth of a pixel."""
    away = np.hypot(*(np.mgrid[:17, :17] - 8))
    cover = np.exp(-(away**2) / 8).astype(np.float32)
    return Layer(np.ones((17, 17, 3), np.float32), cover, **of)  # type: ignore[arg-type]


def centroid(picture: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return np.array([(picture * columns).sum(), (picture * rows).sum()]) / picture.sum()


@pytest.mark.parametrize("nearness", [0.5, 1.0, 2.0])
def test_what_is_near_moves_as_a_pinhole_camera_sees_it(nearness: float) -> None:
    # The backdrop is 100 away and so is the picture plane; the camera goes (-3, 1) aside and 10 forward.
    at_px, distance = np.array([4.0, -3.0]), 100 / nearness
    point = at_px * distance / 100
    moved = (point + np.array([3.0, -1.0])) / (distance - 10) * 100
    scene = Scene(
        SIZE,
        (GROUND, blob(motion=Motion(Pose(*at_px)), nearness=nearness)),
        dolly=Motion(Pose(3.0, -1.0, log_zoom=-math.log(0.9))),
    )
    found = centroid(Renderer(scene).picture(0.0)[..., 0])
    np.testing.assert_allclose(found - [27.5, 19.5], moved, atol=0.02)


def test_a_card_turns_in_depth_as_a_rotated_plane_is_projected() -> None:
    yaw, pitch, distance = 0.7, -0.4, 50.0
    turning = Turning(distance, Motion(Pose(turn_rad=yaw)), Motion(Pose(turn_rad=pitch)))
    points = np.array([[3.0, -7.0, 0.0], [-10.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    turned = Rotation.from_euler("XY", [pitch, yaw]).apply(points)
    expected = turned[:, :2] * (distance / (distance + turned[:, 2:]))
    flat = turning.matrix(0.0) @ np.vstack([points[:, :2].T, np.ones(3)])
    np.testing.assert_allclose((flat[:2] / flat[2]).T, expected, atol=1e-9)


def test_a_limb_hangs_on_the_joint_of_the_one_above() -> None:
    body = Motion(Pose(5.0, 2.0), drift=Pose(0.5))
    arm = Chain((body, Motion(Pose(y_px=4.0)), Motion(Pose(turn_rad=math.pi / 2)), Motion(Pose(y_px=10.0))))
    # A quarter turn takes "down" to "left".
    np.testing.assert_allclose(arm.matrix(2.0) @ [0, 0, 1], [5 + 1 - 10, 2 + 4, 1], atol=1e-9)


CLOTH = Waving(30.0, 24.0, 40.0, 0.3, 1.2, -1.0)


def test_cloth_is_drawn_where_its_wave_takes_it() -> None:
    ramp = np.tile(np.linspace(0, 1, 34, dtype=np.float32)[None, :, None], (24, 1, 3))
    cover = np.zeros((24, 34), np.float32)
    cover[2:-2, 2:-2] = 1.0
    layer = Layer(ramp, cover, Motion(Pose(2.0, 1.0)), deformation=CLOTH)
    picture = Renderer(Scene(SIZE, (GROUND, layer))).picture(7.0)
    rows, columns = np.mgrid[12:28, 20:40].astype(float)
    x, y = columns - 27.5 - 2.0, rows - 19.5 - 1.0
    wave = np.clip(x / 30 + 0.5, 0, 1) * np.sin(2 * math.pi * (x / 24 - 7 / 40) + 0.3)
    expected = map_coordinates(
        (ramp[..., 0] * cover).astype(float), [y - wave + 11.5, x + 1.2 * wave + 16.5], order=1
    )
    np.testing.assert_allclose(picture[12:28, 20:40, 0], expected, atol=2e-3)


def test_where_cloth_is_seen_inverts_its_displacement() -> None:
    points = np.random.default_rng(1).uniform(-15, 15, (2, 50))
    places = seen_at(CLOTH, points, 11.0)
    np.testing.assert_allclose(places + CLOTH.displacement(places, 11.0), points, atol=1e-3)
    with pytest.raises(ValueError, match="folds over itself"):
        replace(CLOTH, across_px=9.0)


def test_a_hand_shakes_with_a_falling_spectrum_and_a_peak_of_a_few_hertz() -> None:
    rate_hz, seconds = 200.0, 240
    planes = int(rate_hz * seconds)
    powers = []
    for seed in range(4):
        motion = handheld_motion(
            np.random.default_rng(seed),
            size=SIZE,
            motion_px=2.0,
            exposure_planes=20,
            planes=planes,
            rate_hz=rate_hz,
        )
        path = np.array([motion.matrix(plane)[:2, 2] for plane in range(planes)])
        for axis in (0, 1):
            hertz, power = welch(path[:, axis], rate_hz, nperseg=4096)
            powers.append(power)
    power = np.mean(powers, axis=0)

    def mean(low: float, high: float) -> float:
        """Of power · f², which is level for a random walk."""
        band = (hertz >= low) & (hertz < high)
        return float((power * hertz**2)[band].mean())

    assert mean(0.4, 1.2) == pytest.approx(mean(14, 19), rel=1.0)
    assert mean(2, 5) > 2 * mean(0.4, 1.2)
    assert mean(8, 12) > 1.2 * mean(14, 19)
    assert power[hertz > 25].max() < 1e-3 * power[(hertz > 0.5) & (hertz < 5)].max()


def test_the_camera_of_a_hand_travels_as_far_as_asked() -> None:
    exposures = Exposures(4, 40, 40)
    motion = handheld_motion(
        np.random.default_rng(3),
        size=SIZE,
        motion_px=9.0,
        exposure_planes=40,
        planes=exposures.planes,
        rate_hz=2000,
    )
    path = np.array([(motion.matrix(plane / 4) @ [0, 0, 1])[:2] for plane in range(4 * exposures.planes + 1)])
    # Roll moves the corners beside.
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() / 4 == pytest.approx(9.0, rel=0.1)


def test_what_flies_past_is_out_of_sight_where_one_crossing_follows_another() -> None:
    path = passing(np.random.default_rng(2), size=SIZE, radius_px=2.0, step_px=1.7, planes=2000)
    places = np.array([(path.matrix(float(plane)) @ [0, 0, 1])[:2] for plane in range(2000)])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    jumps = np.flatnonzero(np.abs(steps - 1.7) > 1e-6)
    assert len(jumps) >= 5
    seen = (np.abs(places[:, 0]) < 28 + 2) & (np.abs(places[:, 1]) < 20 + 2)
    assert not seen[jumps].any()
    assert not seen[jumps + 1].any()
    # It crosses the whole frame in less than an exposure of 80 planes, several times.
    entries = np.flatnonzero(np.diff(seen.astype(int)) == 1)
    exits = np.flatnonzero(np.diff(seen.astype(int)) == -1)
    assert len(entries) >= 5
    assert (exits[exits > entries[0]][: len(entries)] - entries[: len(exits)]).max() < 80


@pytest.mark.parametrize("kind", WORLD_KINDS)
def test_every_world_moves_as_long_as_it_is_asked_to(kind: str) -> None:
    size, exposures = Size(48, 64), Exposures(2, 20, 20)
    for motion_px in (0.0, 8.0):
        scene = random_world(np.random.default_rng(5), size, exposures, kind=kind, motion_px=motion_px)
        first, last = (Renderer(scene).picture(plane)[..., :3] for plane in (0.5, 39.5))
        assert first.min() >= -1e-6
        assert np.array_equal(first, last) == (motion_px == 0)
        assert sum(layer.thing > 0 for layer in scene.layers) >= 2


def test_lights_are_brighter_than_white_and_flyers_stand_out_from_their_ground() -> None:
    size, exposures = Size(96, 128), Exposures(2, 20, 20)
    lit = random_world(np.random.default_rng(1), size, exposures, kind="highlights", objects=0)
    assert Renderer(lit).picture(10.0).max() > 1.2
    for seed in range(4):
        scene = random_world(np.random.default_rng(seed), size, exposures, kind="flyers", objects=3)
        ground = scene.layers[0].colour
        levels = [layer.colour.mean() for layer in scene.layers[1:]]
        bright = ground.mean() > 0.5
        assert (ground > 0.5).mean() >= 0.5 if bright else (ground < 0.4).all()
        assert any((level < 0.1) == bright for level in levels)


def test_a_scene_of_planes_lists_its_objects() -> None:
    scene = random_scene(np.random.default_rng(1), SIZE, Exposures(1, 8, 8), kind="text", objects=3)
    assert [layer.thing for layer in scene.layers] == [0, 1, 2, 3]


def test_boxes_and_visible_shares_are_those_counted_by_hand() -> None:
    # Squares of 9 px: one half behind the other, and one two thirds outside at the right.
    scene = Scene(
        SIZE,
        (
            replace(GROUND),
            square(motion=Motion(Pose(0.5, 0.5), Pose(0.25, -0.125)), thing=1, kind="behind"),
            square(motion=Motion(Pose(5.5, 0.5)), thing=2, kind="before"),
            square(motion=Motion(Pose(29.5, 0.5)), thing=3, kind="leaving"),
            square(motion=Motion(Pose(90.5, 0.5)), thing=4, kind="away"),
        ),
    )
    # The origin is at (27.5, 19.5): a middle of (0.5, 0.5) covers columns 24 to 32 and rows 16 to 24.
    behind, before, leaving = things_at(scene, 0.0)
    assert (behind.thing, behind.kind) == (1, "behind")
    assert (behind.x0, behind.y0, behind.x1, behind.y1) == (24, 16, 33, 25)
    assert behind.visible == pytest.approx(5 / 9)
    assert behind.velocity_px == pytest.approx((0.25, -0.125))
    assert (before.x0, before.visible, before.velocity_px) == (29, 1.0, (0.0, 0.0))
    assert (leaving.x0, leaving.x1) == (53, 56)
    assert leaving.visible == pytest.approx(3 / 9)


def test_parts_of_a_thing_are_one_box_and_do_not_hide_each_other() -> None:
    scene = Scene(
        SIZE,
        (
            replace(GROUND),
            square(motion=Motion(Pose(0.5, 0.5)), thing=1, kind="van"),
            square(5, motion=Motion(Pose(8.5, 4.5)), thing=1, kind="van"),
        ),
    )
    (view,) = things_at(scene, 0.0)
    assert (view.x0, view.y0, view.x1, view.y1) == (24, 16, 39, 27)
    assert view.visible == pytest.approx(1.0)


def test_motion_is_that_of_a_turning_camera_and_of_what_lies_in_front() -> None:
    camera = Motion(drift=Pose(0.2, 0.0, 0.01))
    scene = Scene(SIZE, (replace(GROUND), square(motion=Motion(drift=Pose(0.3, 0.1)))), camera)
    flow = flow_at(scene, 0.0)
    rows, columns = np.mgrid[:40, :56].astype(float)
    x, y = columns - 27.5, rows - 19.5
    expected = np.stack([0.2 - 0.01 * y, 0.01 * x], axis=2)
    # A middle between pixels: rows 16 to 23 are covered by half and more.
    expected[15:24, 23:32] += [0.3, 0.1]
    covered = np.zeros(SIZE.pixels, bool).reshape(40, 56)
    covered[14:25, 22:33] = True
    np.testing.assert_allclose(flow[~covered], expected[~covered], atol=1e-4)
    np.testing.assert_allclose(flow[17:23, 25:30], expected[17:23, 25:30], atol=1e-4)


@pytest.mark.parametrize("what", ["cloth", "card", "limb"])
def test_motion_follows_what_is_drawn(what: str) -> None:
    """A layer painted with its own coordinates shows the same ones further along its motion."""
    y, x = np.mgrid[:30, :34].astype(np.float32)
    colour = np.stack([x / 34, y / 30, np.ones_like(x)], axis=2)
    cover = np.zeros((30, 34), np.float32)
    cover[2:-2, 2:-2] = 1.0
    waves = (Wave(60.0, 0.4, Pose(turn_rad=0.5)),)
    swing = (Wave(60.0, -1.0, Pose(turn_rad=0.5)),)
    path = {
        "cloth": Motion(drift=Pose(0.1, 0.05, 0.01)),
        "card": Chain((Motion(drift=Pose(0.1)), Turning(80.0, Motion(waves=waves), Motion(waves=waves)))),
        "limb": Chain((Motion(Pose(y_px=-8.0)), Motion(waves=swing), Motion(Pose(y_px=8.0)))),
    }[what]
    layer = Layer(colour, cover, path, nearness=1.5, deformation=CLOTH if what == "cloth" else None)
    scene = Scene(
        SIZE,
        (replace(GROUND), layer),
        Motion(drift=Pose(turn_rad=0.003)),
        Motion(drift=Pose(0.1, 0.0, 0, 0.002)),
    )
    renderer, at, later = Renderer(scene), 9.0, 1.5
    flow = flow_at(scene, at + later / 2)
    # Where a pixel was and will be, half of the time before and after.
    rows, columns = np.mgrid[14:26, 20:36].astype(float)
    before, after = (
        np.stack(
            [
                map_coordinates(
                    renderer.picture(at + share * later)[..., channel].astype(float),
                    [
                        rows + (share - 0.5) * later * flow[14:26, 20:36, 1],
                        columns + (share - 0.5) * later * flow[14:26, 20:36, 0],
                    ],
                    order=1,
                )
                for channel in (0, 1)
            ]
        )
        for share in (0.0, 1.0)
    )
    still = [renderer.picture(at + share * later)[14:26, 20:36, :2] for share in (0.0, 1.0)]
    assert np.abs(still[1] - still[0]).max() * 34 > 0.3
    # Within a hundredth of a pixel of the drawing.
    assert np.abs(after - before).max() * 34 < 0.03
