"""Simulated clips: the fast exposure against the slow one, ranges, and packing."""

import dataclasses
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EngineError
from engine.geometry import Size
from engine.recording import open_recording, write_packed
from engine.voxels import voxelize
from training.clip_batches import ShorterClips
from training.exposure import Pixels, expose
from training.packed_clips import Generation, PackedClips, generate, write_shard
from training.picture_shelf import PictureShelf
from training.scene import Layer, Renderer, Scene
from training.scenes import random_scene
from training.simulate import Exposures, FrameCamera, simulate_clip
from training.simulated_data import LATER_FIELDS, PLANAR, Recipe, SimulatedClips, make_example
from training.spike_camera import SpikeCamera

QUICK = Recipe(frames=2, frame_px=24, bins=8, exposure_planes=(10, 40), spike_scales=(1.0, 2.0))
SMALL = Size(16, 16)


def grey_scene(level: float, size: Size = SMALL) -> Scene:
    return Scene(size, (Layer(np.full((size.height, size.width, 3), level, np.float32)),))


@pytest.mark.parametrize(
    ("planes", "bins", "gamma", "scale"), [(64, 32, 1.0, 1.0), (50, 32, 2.2, 2.0), (7, 8, 2.2, 1.0)]
)
def test_an_exposure_equals_the_simulation_plane_by_plane(
    tmp_path: Path, planes: int, bins: int, gamma: float, scale: float
) -> None:
    generator = np.random.default_rng(1)
    exposures = Exposures(1, planes, planes)
    scene = random_scene(generator, Size(24, 32), exposures, kind="leaves", motion_px=8)
    camera = SpikeCamera(threshold=1.3, dark_current=0.02, random_phase=False)
    clip = simulate_clip(scene, exposures, FrameCamera(gamma), camera, spike_scale=scale)
    size = Size(*clip.planes.shape[1:])
    write_packed(tmp_path / "spike.dat", clip.planes)

    blurry, counts = expose(
        Renderer(scene, gamma),
        Pixels(camera, size, generator),
        start=0,
        planes=planes,
        bins=bins,
        gamma=gamma,
        generator=generator,
        step_px=0,
    )

    with open_recording(tmp_path / "spike.dat", height=size.height, width=size.width) as recording:
        expected = voxelize(recording, 0, planes, bins)
    # A charge that rounding leaves at either side of the threshold fires one plane earlier or later.
    assert np.mean(counts != expected) < 2e-3
    assert abs(counts.sum() - expected.sum()) <= 2
    np.testing.assert_allclose(blurry, clip.blurry[0], atol=2e-3)


def test_skipping_renderings_hardly_changes_the_blur() -> None:
    generator = np.random.default_rng(2)
    scene = random_scene(generator, Size(48, 48), Exposures(1, 200, 200), kind="mixed", motion_px=12)
    pixels = Pixels(SpikeCamera(), Size(48, 48), generator)

    def blurry(step_px: float) -> np.ndarray:
        rendered = Renderer(scene, 1.0)
        return expose(
            rendered, pixels, start=0, planes=200, bins=8, gamma=1.0, generator=generator, step_px=step_px
        )[0]

    assert np.abs(blurry(1.0) - blurry(0)).max() < 1.5 / 255


@pytest.mark.parametrize("shot_noise", [0.0, 0.2])
def test_the_rate_is_gain_times_light_over_threshold(shot_noise: float) -> None:
    camera = SpikeCamera(threshold=1.7, gain=0.8, dark_current=0.05, shot_noise=shot_noise)
    generator = np.random.default_rng(3)

    _, counts = expose(
        Renderer(grey_scene(0.4)),
        Pixels(camera, Size(16, 16), generator),
        start=0,
        planes=400,
        bins=32,
        gamma=1.0,
        generator=generator,
    )

    rate = counts.sum() / (400 * 256)
    assert rate == pytest.approx(0.8 * (0.4 + 0.05) / 1.7, rel=0.01)


def test_shot_noise_has_the_variance_of_its_electrons() -> None:
    # A threshold as small as the charge of a plane turns the charge itself into spikes: what a pixel collects
    # in 200 planes of n electrons each varies by √(200 n) electrons.
    camera = SpikeCamera(threshold=50.0, shot_noise=0.2, random_phase=False)
    generator = np.random.default_rng(4)
    size = Size(64, 64)

    _, counts = expose(
        Renderer(grey_scene(0.5, size)),
        Pixels(camera, size, generator),
        start=0,
        planes=20000,
        bins=1,
        gamma=1.0,
        generator=generator,
    )

    # Charge 10000 in units of white planes; one electron is 0.04.
    expected = np.sqrt(20000 * 0.5 * 0.04) / 50
    assert counts.mean() == pytest.approx(200, rel=0.005)
    # Rounding down to whole spikes adds the variance of a uniform number.
    assert counts.std() == pytest.approx(np.hypot(expected, np.sqrt(1 / 12)), rel=0.15)


def test_an_example_is_decided_by_its_number() -> None:
    first, again, other = (make_example(QUICK, (), 5, number) for number in (3, 3, 4))

    for field in ("blurry", "reference", "counts", "windows"):
        np.testing.assert_array_equal(getattr(first, field), getattr(again, field))
    assert not np.array_equal(first.blurry, other.blurry)


def test_examples_keep_to_the_recipe() -> None:
    recipe = dataclasses.replace(QUICK, density=(0.1, 0.3), spikes_an_exposure=(1.0, 100.0), linear_share=0.0)

    examples = [make_example(recipe, (), 1, number) for number in range(12)]

    for example in examples:
        lengths = example.windows[:, 1] - example.windows[:, 0]
        density = example.counts.sum() / (lengths.sum() * example.counts[0, 0].size)
        assert 10 <= lengths[0] <= 40
        assert 0.07 < density < 0.4
        assert example.gamma == 1
    assert {example.spike_size for example in examples} == {Size(24, 24), Size(12, 12)}


def test_without_motion_only_noise_blurs() -> None:
    recipe = dataclasses.replace(QUICK, still_share=1.0, read_noise=(0.0, 0.0))

    example = make_example(recipe, (), 1, 1)

    assert np.abs(example.blurry.astype(int) - example.reference).max() <= 1


def test_simulated_clips_differ_at_every_draw_and_keep_their_shape() -> None:
    clips = SimulatedClips(QUICK, (), seed=1, clips=4)

    for index in range(4):
        first, again = clips.example(index, index), clips.example(index, index + 4)
        assert first.spike_size == again.spike_size == clips.shape(index).spikes
        assert not np.array_equal(first.blurry, again.blurry)


def test_a_spike_scale_that_leaves_part_of_a_pixel_is_refused() -> None:
    with pytest.raises(ValueError, match="divide evenly"):
        Recipe(frame_px=100, spike_scales=(1.5,))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frames", 0),
        ("frame_px", 0),
        ("exposure_planes", (0, 10)),
        ("exposure_planes", (30, 10)),
        ("density", (0.0, 0.5)),
        ("density", (0.1, 1.5)),
        ("density", (math.nan, 0.5)),
        ("motion_px", (10.0, 5.0)),
        ("motion_px", (-1.0, 5.0)),
        ("motion_px", (0.0, math.inf)),
        ("linear_share", 7.0),
        ("linear_share", math.nan),
        ("still_share", -0.1),
        ("world_share", 1.1),
        ("rolling_share", math.nan),
        ("moments", -1),
        ("defects", (0.0, 0.6)),
        ("rate_hz", (0.0, 2000.0)),
        ("gap_share", 1.1),
        ("objects", (-1, 2)),
        ("gamma", (0.0, 2.0)),
        ("read_noise", (0.2, 0.1)),
        ("spike_scales", ()),
        ("spike_scales", (0.0,)),
        ("spike_scales", (-1.0,)),
        ("spike_scales", (math.nan,)),
    ],
)
def test_a_recipe_that_cannot_be_simulated_is_refused_by_the_name_of_its_field(
    field: str, value: object
) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be .*, got "):
        dataclasses.replace(QUICK, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("exposure_planes", (1, 1)), ("density", (1.0, 1.0)), ("motion_px", (0.0, 0.0)), ("frame_px", 2)],
)
def test_the_limits_of_a_recipe_can_be_simulated(field: str, value: object) -> None:
    example = make_example(dataclasses.replace(QUICK, **{field: value}), (), 1, 1)

    assert len(example.blurry) == 2


def test_moments_are_random_and_lie_on_the_way_of_the_reference() -> None:
    recipe = dataclasses.replace(QUICK, moments=3, motion_px=(10.0, 10.0), still_share=0.0, frames=4)
    ats = []
    for number in range(4):
        example = make_example(recipe, (), 1, number)
        assert example.moments is not None
        assert example.latents is not None
        assert example.moments.shape == (4, 3)
        assert example.latents.shape == (4, 3, 24, 24, 3)
        ats.extend(example.moments.ravel().tolist())
        away = np.abs(example.latents.astype(float) - example.reference[:, None]).mean(axis=(2, 3, 4))
        # The nearer in time, the more alike.
        assert np.corrcoef(away.ravel(), np.abs(example.moments - 0.5).ravel())[0, 1] > 0.3
    assert min(ats) < 0.25
    assert max(ats) > 0.75


def test_moments_worlds_and_faults_come_beside_what_was_drawn_before() -> None:
    base = dataclasses.replace(
        PLANAR, frames=2, frame_px=24, bins=8, exposure_planes=(10, 40), spike_scales=(1.0,)
    )
    for number in range(3):
        plain, told, torn = (
            make_example(recipe, (), 5, number)
            for recipe in (
                base,
                dataclasses.replace(base, moments=2),
                dataclasses.replace(base, defective_share=1.0, defects=(0.02, 0.02)),
            )
        )
        assert plain.latents is None
        for field in ("blurry", "reference", "counts", "windows"):
            np.testing.assert_array_equal(getattr(plain, field), getattr(told, field))
        np.testing.assert_array_equal(plain.blurry, torn.blurry)
        changed = (plain.counts != torn.counts).any(axis=(0, 1))
        assert 6 <= changed.sum() <= 12


def test_a_rolling_shutter_and_registration_errors_change_what_they_should() -> None:
    base = dataclasses.replace(
        PLANAR,
        frames=2,
        frame_px=24,
        bins=8,
        exposure_planes=(20, 40),
        spike_scales=(1.0,),
        motion_px=(9.0, 9.0),
    )
    plain, rolling, apart = (
        make_example(recipe, (), 5, 1)
        for recipe in (
            base,
            dataclasses.replace(base, rolling_share=1.0, readout=(0.5, 0.5)),
            dataclasses.replace(base, misregistered_share=1.0, misregistration_px=(2.0, 2.0)),
        )
    )
    top, bottom = (
        np.abs(rolling.blurry[:, rows].astype(float) - plain.blurry[:, rows]).mean()
        for rows in (slice(0, 3), slice(-3, None))
    )
    assert bottom > 2 * top
    np.testing.assert_array_equal(rolling.reference, plain.reference)
    assert np.abs(apart.blurry.astype(int) - plain.blurry).max() <= 1
    assert (apart.counts != plain.counts).mean() > 0.05


def test_clips_packed_before_there_were_moments_are_read(tmp_path: Path) -> None:
    example = make_example(dataclasses.replace(QUICK, moments=0), (), 1, 1)
    arrays = {f"0.{name}": getattr(example, name) for name in ("blurry", "reference", "counts", "windows")}
    path = tmp_path / "clips-00000.npz"
    np.savez(path, **arrays)
    about = {
        "format": 1,
        "clips": [
            {
                "frame_size": [24, 24],
                "spike_size": list(example.counts.shape[2:]),
                "frames": 2,
                "bins": 8,
                "gamma": example.gamma,
                "name": "old",
            }
        ],
    }
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("about.json", json.dumps(about))

    got = PackedClips(tmp_path).example(0, 0)

    assert got.moments is None
    assert got.latents is None
    np.testing.assert_array_equal(got.reference, example.reference)


def test_clips_of_a_later_format_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "clips-00000.npz", "w") as archive:
        archive.writestr("about.json", json.dumps({"format": 3, "clips": []}))

    with pytest.raises(EngineError, match="another format"):
        PackedClips(tmp_path)


def test_shorter_clips_keep_the_moments_of_their_frames() -> None:
    clips = SimulatedClips(dataclasses.replace(QUICK, frames=3), (), seed=1, clips=2)

    whole, part = clips.example(0, 1), ShorterClips(clips, 2).example(0, 1)

    assert whole.moments is not None
    np.testing.assert_array_equal(part.moments, whole.moments[1:])
    np.testing.assert_array_equal(part.latents, whole.latents[1:])  # type: ignore[index]


def test_a_folder_begun_before_there_were_worlds_goes_on_without_them(tmp_path: Path) -> None:
    recipe = dataclasses.replace(
        PLANAR, frames=2, frame_px=24, bins=8, exposure_planes=(10, 40), spike_scales=(1.0,)
    )
    generate(tmp_path, Generation(recipe, (), 2, 2), workers=1)
    note = json.loads((tmp_path / "generation.json").read_text())
    for field in LATER_FIELDS:
        del note["recipe"][field]
    (tmp_path / "generation.json").write_text(json.dumps(note))

    assert generate(tmp_path, Generation(recipe, (), 2, 3), workers=1) == 3
    with pytest.raises(EngineError, match="another recipe"):
        generate(tmp_path, Generation(dataclasses.replace(recipe, world_share=0.5), (), 2, 3), workers=1)


def test_packed_clips_are_the_simulated_ones(tmp_path: Path) -> None:
    generate(tmp_path, Generation(QUICK, (), 9, 34), workers=1)

    packed = PackedClips(tmp_path)

    assert len(packed) == 34
    for number in (0, 33):
        got, expected = packed.example(number, 0), make_example(QUICK, (), 9, number)
        for field in ("blurry", "reference", "counts", "windows", "moments", "latents"):
            np.testing.assert_array_equal(getattr(got, field), getattr(expected, field))
        assert got.gamma == expected.gamma
        assert packed.shape(number).spikes == expected.spike_size


def test_processes_pack_what_one_process_packs(tmp_path: Path) -> None:
    generation = Generation(QUICK, (), 2, 40)
    generate(tmp_path / "alone", generation, workers=1)

    generate(tmp_path / "shared", generation, workers=2)

    for path in sorted((tmp_path / "alone").glob("*.npz")):
        alone, shared = (zipfile.ZipFile(folder / path.name) for folder in (path.parent, tmp_path / "shared"))
        with alone, shared:
            assert alone.namelist() == shared.namelist()
            assert all(alone.read(name) == shared.read(name) for name in alone.namelist())


def test_a_stopped_generation_continues(tmp_path: Path) -> None:
    generation = Generation(QUICK, (), 2, 40)
    generate(tmp_path, generation, workers=1)
    kept = (tmp_path / "clips-00000.npz").stat().st_mtime_ns
    (tmp_path / "clips-00001.npz").unlink()

    reports: list[tuple[int, int]] = []
    generate(tmp_path, generation, workers=1, progress=lambda done, total: reports.append((done, total)))

    assert reports == [(32, 40), (40, 40)]
    assert (tmp_path / "clips-00000.npz").stat().st_mtime_ns == kept


def test_a_folder_of_another_recipe_is_refused(tmp_path: Path) -> None:
    generate(tmp_path, Generation(QUICK, (), 2, 2), workers=1)

    with pytest.raises(EngineError, match="another recipe"):
        generate(tmp_path, Generation(QUICK, (), 3, 2), workers=1)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing", b"no archive at all" * 100])
def test_a_broken_shard_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clips-00000.npz").write_bytes(content)

    with pytest.raises(EngineError, match="clips-00000"):
        PackedClips(tmp_path)


def test_a_folder_without_shards_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="generate"):
        PackedClips(tmp_path)


def test_a_shard_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        write_shard(tmp_path / "missing" / "clips-0.npz", [make_example(QUICK, (), 1, 1)])

    assert list(tmp_path.iterdir()) == []


def test_the_shelf_finds_pictures_in_subfolders_and_frames_of_videos(
    shared_data: Path, sample_path: Path
) -> None:
    shelf = PictureShelf([shared_data / "textures", sample_path])

    assert len(shelf) >= 12 + 2
    assert shelf[0].dtype == np.float32
    assert shelf[0].shape[2] == 3


def test_an_empty_shelf_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="neither pictures nor videos"):
        PictureShelf([tmp_path])
