"""Dead and hot pixels are found where they are, and nowhere else."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import SequenceError
from engine.geometry import Size
from engine.recording import Recording, open_recording, write_packed
from engine.recording.defects import Defects, find_defects
from engine.recording.plane_sample import sample_counts
from engine.sequence import open_sequence
from engine.spike_filling import Filling

Light = NDArray[np.float64]
Spikes = NDArray[np.uint8]
SIZE = Size(64, 96)


def texture(seed: int, height: int = SIZE.height, width: int = SIZE.width, smooth_px: float = 2.0) -> Light:
    """A picture as a lens makes one, from 0 to 1."""
    noise = np.random.default_rng(seed).random((height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), smooth_px)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


def spikes_of(
    light: Light, planes: int, seed: int = 0, *, chance: bool = False, speed: float = 0.0
) -> Spikes:
    """What pixels that integrate `light` fire, or that fire by chance; the light moves to the left."""
    random = np.random.default_rng(seed)
    charge = random.random(light.shape)
    spikes = np.zeros((planes, *light.shape), np.uint8)
    for plane in range(planes):
        seen = np.roll(light, -int(plane * speed), axis=1)
        if chance:
            spikes[plane] = random.random(light.shape) < seen
            continue
        charge += seen
        spikes[plane] = charge >= 1
        charge -= spikes[plane]
    return spikes


def recorded(folder: Path, spikes: Spikes, *, flip: bool = True) -> Recording:
    path = folder / "spikes.dat"
    stored = spikes[:, ::-1] if flip else spikes
    path.write_bytes(np.packbits(stored.reshape(len(spikes), -1), axis=1, bitorder="little").tobytes())
    return open_recording(path, height=spikes.shape[1], width=spikes.shape[2], flip=flip)


def places(*, rows: list[int] = [], columns: list[int] = [], pixels: list[tuple[int, int]] = []) -> NDArray:  # noqa: B006
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[rows] = True
    mask[:, columns] = True
    for row, column in pixels:
        mask[row, column] = True
    return mask


def part_of_column() -> NDArray:
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[:30, 41] = True
    return mask


NOWHERE = places()
BROKEN = {
    "a dead row": (places(rows=[30]), NOWHERE),
    "two dead rows": (places(rows=[30, 31]), NOWHERE),
    "the first row": (places(rows=[0]), NOWHERE),
    "the last row": (places(rows=[63]), NOWHERE),
    "eight dead rows": (places(rows=list(range(28, 36))), NOWHERE),
    "a dead column": (places(columns=[50]), NOWHERE),
    "the first column": (places(columns=[0]), NOWHERE),
    "the upper part of a column": (part_of_column(), NOWHERE),
    "the lower part of a column": (part_of_column()[::-1], NOWHERE),
    "a dead pixel": (places(pixels=[(12, 40)]), NOWHERE),
    "a hot row": (NOWHERE, places(rows=[20])),
    "a hot column": (NOWHERE, places(columns=[33, 34])),
    "hot pixels": (NOWHERE, places(pixels=[(5, 6), (40, 80), (63, 95)])),
    "many at once": (
        places(rows=[10], columns=[70], pixels=[(40, 20), (50, 5)]),
        places(rows=[55], pixels=[(30, 30), (3, 90)]),
    ),
}


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_exactly(name: str, flip: bool, tmp_path: Path) -> None:
    dead, hot = BROKEN[name]
    spikes = spikes_of(0.1 + 0.4 * texture(3), 300, speed=0.1)
    spikes[:, dead] = 0
    spikes[:, hot] = 1
    with recorded(tmp_path, spikes, flip=flip) as recording:
        found = find_defects(recording)
    np.testing.assert_array_equal(found.dead, dead & ~hot)
    np.testing.assert_array_equal(found.hot, hot)


def letterbox(light: Light) -> Light:
    light[:9] = light[-9:] = 0
    return light


def black_discs(light: Light) -> Light:
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
    for row, column, radius in ((20, 30, 3), (40, 70, 8), (50, 12, 5), (0, 60, 9)):
        light[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 0
    return light


def lamps(light: Light) -> Light:
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
    for row, column, radius in ((20, 30, 3), (40, 70, 8), (50, 12, 2)):
        light[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 1
    return light


def stars(light: Light) -> Light:
    points = np.zeros_like(light)
    points[[7, 20, 33, 50], [9, 60, 35, 80]] = 12
    return np.minimum(0.1 * light + cv2.GaussianBlur(points, (0, 0), 0.8), 1.0)


SOUND = {
    "a texture": lambda light: light,
    "sharp to the pixel": lambda light: np.random.default_rng(8).random(light.shape),
    "few spikes": lambda light: 0.02 * light,
    "next to no spikes": lambda light: 0.001 * light,
    "a letterbox": letterbox,
    "black bars at the sides": lambda light: np.ascontiguousarray(letterbox(light.T.copy()).T),
    "black discs": black_discs,
    "lamps": lamps,
    "stars": stars,
    "strong contrast": lambda light: light**6,
    "saturated": lambda light: np.minimum(4 * light, 1.0),
    "no light": np.zeros_like,
    "white": np.ones_like,
}


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("chance", [False, True])
@pytest.mark.parametrize("scene", SOUND)
def test_a_sound_camera_is_never_accused(scene: str, chance: bool, moving: bool, tmp_path: Path) -> None:
    for seed, planes in enumerate((24, 60, 200, 200, 500)):
        light = SOUND[scene](0.5 * texture(seed, smooth_px=(1.0, 2.0, 4.0)[seed % 3]))
        along_columns = scene == "black bars at the sides" and moving
        spikes = spikes_of(light, planes, seed, chance=chance, speed=0.2 * moving * (not along_columns))
        with recorded(tmp_path, spikes) as recording:
            found = find_defects(recording)
        assert not found, (seed, found.finding)


def folder_of(tmp_path: Path, spikes: Spikes, light: Light, *, scale: int = 1, frames: bool = True) -> Path:
    """A sequence whose frames show `light` as it is."""
    folder = tmp_path / "sequence"
    (folder / "blur").mkdir(parents=True)
    if frames:
        grey = np.round(255 * np.kron(light, np.ones((scale, scale)))).astype(np.uint8)
        for number in range(2):
            cv2.imwrite(str(folder / "blur" / f"{number:04d}.png"), grey)
    write = np.packbits(spikes[:, ::-1].reshape(len(spikes), -1), axis=1, bitorder="little")
    (folder / "spike.dat").write_bytes(write.tobytes())
    height, width = light.shape
    (folder / "config.yaml").write_text(f"spike_h: {height}\nspike_w: {width}\nspike_flip: true\n")
    return folder


@pytest.mark.parametrize("scale", [1, 2])
def test_what_the_frames_show_black_is_not_dead(tmp_path: Path, scale: int) -> None:
    light = 0.2 + 0.6 * texture(5)
    light[30] = light[:, 0] = 0  # a cable, and a black border
    light[12, 40] = 0
    spikes = spikes_of(light * 0.5, 200)
    with recorded(tmp_path, spikes) as alone:
        assert find_defects(alone), "nothing but the frames tells"
    with open_sequence(folder_of(tmp_path, spikes, light, scale=scale)) as sequence:
        assert not sequence.defects
        assert not [finding for finding in sequence.findings if "defects" in finding]


def test_a_spot_that_the_frames_show_white_is_not_hot(tmp_path: Path) -> None:
    light = 0.1 + 0.3 * texture(5)
    light[12, 40] = light[50, 7] = 1
    spikes = spikes_of(light, 200)
    with open_sequence(folder_of(tmp_path, spikes, light)) as sequence:
        assert not sequence.defects


def test_a_block_is_dead_where_the_frames_show_light(tmp_path: Path) -> None:
    light = 0.1 + 0.6 * texture(6)
    spikes = spikes_of(light * 0.5, 200)
    block = np.zeros(light.shape, bool)
    block[20:36, 40:60] = block[:5, :] = True
    spikes[:, block] = 0
    with open_sequence(folder_of(tmp_path, spikes, light)) as sequence:
        np.testing.assert_array_equal(sequence.defects.dead, block)
        assert not sequence.defects.hot.any()


def test_black_parts_beside_dead_rows_stay_black(tmp_path: Path) -> None:
    light = 0.1 + 0.6 * texture(6)
    light[:12] = 0
    light[40:60, 70:90] = 0
    spikes = spikes_of(light * 0.5, 200)
    spikes[:, [30, 45]] = 0
    with open_sequence(folder_of(tmp_path, spikes, light)) as sequence:
        outside = np.ones(light.shape, bool)
        outside[[30, 45]] = False
        assert sequence.defects.dead[30].all()
        assert sequence.defects.dead[45, :60].all()
        assert not (sequence.defects.dead & outside).any()


def test_the_finding_names_places_as_shown(tmp_path: Path) -> None:
    light = 0.2 + 0.6 * texture(7)
    spikes = spikes_of(light * 0.5, 200)
    spikes[:, 30] = 0
    spikes[:, :, 12] = 0
    spikes[:, 5, 40] = spikes[:, 50, 3] = 1
    with open_sequence(folder_of(tmp_path, spikes, light)) as sequence:
        (finding,) = [finding for finding in sequence.findings if "defects" in finding]
    assert finding == (
        "defects of the spike camera: row 30, column 12 never fire (dead); "
        "2 pixels at (row, column) (5, 40), (50, 3) fire at every plane (hot)"
    )
    assert "filled from their neighbours" in finding.remedy


def test_many_places_are_named_in_short() -> None:
    dead = np.zeros((64, 96), bool)
    dead[28:36] = dead[0] = True
    dead[40:60, 7] = True
    dead[50:, 20:80:4] = np.eye(14, 15, dtype=bool)
    finding = Defects(dead, np.zeros_like(dead)).finding
    assert finding is not None
    assert "rows 0, 28 to 35, column 7 (rows 40 to 59), 14 pixels at (row, column) (50, 20), " in finding
    assert len(finding) < 300
    assert Defects.none(SIZE).finding is None


@pytest.mark.parametrize("kind", ["unpacked", "events", "folder"])
def test_every_kind_of_recording_is_asked(kind: str, tmp_path: Path) -> None:
    spikes = spikes_of(0.1 + 0.4 * texture(3), 240, speed=0.1)
    spikes[:, 30] = 0
    spikes[:, 12, 40] = 0
    spikes[:, 50, 60] = 1
    path = tmp_path / "spikes.npy"
    if kind == "unpacked":
        np.save(path, spikes)
    elif kind == "events":
        path = tmp_path / "spikes.npz"
        t, y, x = np.nonzero(spikes)
        np.savez(path, t=t, x=x, y=y)
    else:
        path = tmp_path / "parts"
        path.mkdir()
        for number in range(4):
            write_packed(path / f"{number}.dat", spikes[60 * number : 60 * (number + 1)])
    unit = "planes" if kind == "events" else None
    with open_recording(path, height=64, width=96, time_unit=unit) as recording:
        found = find_defects(recording)
        assert sample_counts(recording).planes == 240
    flipped = found.dead[::-1] if recording.info.flip and kind != "folder" else found.dead
    assert flipped[30].all()
    assert flipped.sum() == 97
    assert found.hot.sum() == 1


def test_a_folder_with_a_broken_part_is_asked_for_the_rest(tmp_path: Path) -> None:
    spikes = spikes_of(0.1 + 0.4 * texture(3), 240, speed=0.1)
    spikes[:, 30] = 0
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in range(30):
        write_packed(
            folder / f"{number:02d}.dat", np.repeat(spikes, 4, axis=0)[32 * number : 32 * (number + 1)]
        )
    with open_recording(folder, height=64, width=96) as recording:
        (folder / "04.dat").unlink()
        assert np.flatnonzero(find_defects(recording).dead.all(axis=1)).tolist() == [30]


def test_planes_that_were_never_written_hide_nothing(tmp_path: Path) -> None:
    spikes = spikes_of(0.1 + 0.4 * texture(3), 400, speed=0.1)
    spikes[:, 30] = 0
    spikes[:, 20, 20] = 1
    spikes[250:] = 0
    with recorded(tmp_path, spikes) as recording:
        assert sample_counts(recording).planes == 250
        found = find_defects(recording)
    assert found.dead[30].all()
    assert found.dead.sum() == 96
    assert np.argwhere(found.hot).tolist() == [[20, 20]]


def test_of_a_long_recording_a_part_is_counted(tmp_path: Path) -> None:
    spikes = np.tile(spikes_of(0.1 + 0.4 * texture(3), 500, speed=0.1), (20, 1, 1))
    spikes[:, 30] = 0
    spikes[7000, 30, 4] = 1  # noise of the readout
    with recorded(tmp_path, spikes) as recording:
        sample = sample_counts(recording)
        assert sample.planes == 2048
        assert find_defects(recording).dead[30].all()
    runs = np.concatenate([np.arange(128) + int(start) for start in np.linspace(0, 10_000 - 128, 16)])
    np.testing.assert_array_equal(sample.counts, spikes[runs].sum(axis=0))


def test_defects_are_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    light = 0.2 + 0.6 * texture(7)
    spikes = spikes_of(light * 0.5, 80)
    searched = []

    def search(*arguments: object) -> Defects:
        searched.append(arguments)
        return find_defects(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.sequence.find_defects", search)
    with open_sequence(folder_of(tmp_path, spikes, light)) as sequence:
        assert searched == [], "opening costs nothing"
        assert sequence.findings == sequence.findings
        assert sequence.with_windows(sequence.windows).defects is sequence.defects
        assert sequence.filling is None
    assert len(searched) == 1


def test_a_sequence_without_spikes_has_no_defects_to_look_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, spikes_of(texture(1), 8), texture(1))
    (folder / "spike.dat").unlink()
    with open_sequence(folder) as sequence:
        assert not [finding for finding in sequence.findings if "defects" in finding]
        with pytest.raises(SequenceError, match="no spikes"):
            _ = sequence.defects


def test_voxels_stay_exact_and_filled_ones_are_the_means_of_neighbours(tmp_path: Path) -> None:
    light = 0.2 + 0.6 * texture(7)
    spikes = spikes_of(light * 0.5, 200)
    spikes[:, 30] = 0
    spikes[:, 12, 40] = 1
    with open_sequence(folder_of(tmp_path, spikes, light)) as sequence:
        exact = sequence.voxels(0, 4)
        filled = sequence.filled_voxels(0, 4)
    bins = spikes[:100].reshape(4, 25, 64, 96).sum(axis=1)
    np.testing.assert_array_equal(exact, bins)
    np.testing.assert_allclose(filled[:, 30], (bins[:, 29] + bins[:, 31]) / 2)
    cross = bins[:, [11, 13, 12, 12], [40, 40, 39, 41]]
    np.testing.assert_allclose(filled[:, 12, 40], cross.mean(axis=1))
    sound = np.ones(light.shape, bool)
    sound[30] = sound[12, 40] = False
    np.testing.assert_array_equal(filled[:, sound], bins[:, sound])
    assert (filled.start, filled.stop) == (exact.start, exact.stop)


def test_a_region_is_filled_as_the_whole_is(tmp_path: Path) -> None:
    from engine.geometry import Region

    light = 0.2 + 0.6 * texture(7)
    spikes = spikes_of(light * 0.5, 200)
    spikes[:, 28:36] = 0
    spikes[:, :, 0] = 0
    with open_sequence(folder_of(tmp_path, spikes, light)) as sequence:
        whole = sequence.filled_voxels(0, 4)
        for region in (
            Region(30, 10, 33, 40),
            Region(0, 0, 5, 5),
            Region(40, 50, 64, 96),
            Region(30, 0, 31, 1),
        ):
            part = sequence.filled_voxels(0, 4, region)
            np.testing.assert_allclose(part, whole[(..., *region.slices)], rtol=1e-6)


def test_a_wide_gap_is_filled_from_both_sides_and_not_trusted() -> None:
    dead = np.zeros((64, 96), bool)
    dead[28:36] = dead[50] = True
    filling = Filling.of(Defects(dead, np.zeros_like(dead)))
    assert filling is not None
    rows = np.broadcast_to(np.arange(64, dtype=np.float32)[:, None], (64, 96))
    np.testing.assert_allclose(filling.fill(np.where(dead, np.float32(0), rows)), rows, rtol=1e-6)
    untrusted = np.zeros(64, bool)
    untrusted[26:38] = True
    np.testing.assert_array_equal(filling.trust[:, 5] == 0, untrusted)


def test_a_camera_without_a_sound_pixel_is_left_as_it_is() -> None:
    dead = np.ones((4, 4), bool)
    filling = Filling.of(Defects(dead, np.zeros_like(dead)))
    assert filling is not None
    np.testing.assert_array_equal(filling.fill(np.ones((2, 4, 4), np.float32)), np.zeros((2, 4, 4)))


def test_virtual_frames_show_no_defects(tmp_path: Path) -> None:
    light = 0.2 + 0.6 * texture(7)
    spikes = spikes_of(light * 0.5, 200)
    broken = spikes.copy()
    broken[:, 30] = 0
    broken[:, :, [9, 80]] = 1
    pictures = []
    for number, planes in enumerate((spikes, broken)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with recorded(folder, planes):
            pass
        with open_sequence(folder / "spikes.dat", height=64, width=96, flip=True) as sequence:
            pictures.append(sequence.frame(0))
    sound = np.ones(light.shape, bool)
    sound[30] = sound[:, [9, 80]] = False
    np.testing.assert_allclose(pictures[1][sound], pictures[0][sound], atol=0.01)
    assert np.abs(pictures[1][~sound] - pictures[0][~sound]).mean() < 0.05


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "size"),
    [
        ("real/car.dat", (250, 400)),
        ("real/000226.dat", (360, 640)),
        ("spikezoo/uhsr.npz", (None, None)),
        ("spikezoo/203_part2_key_id151.dat", (250, 400)),
        ("spikezoo/203_part3_key_id151.dat", (250, 400)),
    ],
)
def test_recordings_of_others_have_few_defects(
    shared_data: Path, file: str, size: tuple[int | None, int | None]
) -> None:
    with open_recording(shared_data / file, height=size[0], width=size[1]) as recording:
        assert find_defects(recording).mask.sum() <= 4
