"""Where clips come from and what happens to them on the way to a network."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from engine.errors import EngineError
from engine.export import write_picture
from engine.geometry import Size
from engine.model import VRTSpikeConfig
from engine.recording import write_packed
from engine.sequence import open_sequence
from engine.voxels import VoxelSpec
from training.augmentation import crop, crop_grid, vary
from training.clip_batches import ClipLoader, ForkingLoader, TrainingClips, prepare_worker
from training.clip_set import ClipShape
from training.data import ClipData
from training.data_index import read_exclusions, read_index, scan, without, write_index
from training.example import Example, Sample, sample_of
from training.sampling import ClipOrder, Ticket
from training.sequence_clips import SequenceClips

SPEC = VoxelSpec(bins=8, transform="relative")
FRAME, SPIKES = Size(24, 32), Size(12, 16)


def write_clip(folder: Path, *, frames: int = 4, size: Size = FRAME, spikes: Size = SPIKES) -> Path:
    """A sequence in the unified layout, 16 planes an exposure, every pixel of every frame random."""
    generator = np.random.default_rng(len(folder.name) + frames)
    for kind in ("blur", "sharp"):
        (folder / kind).mkdir(parents=True)
        for frame in range(frames):
            picture = generator.random((size.height, size.width, 3), np.float32)
            write_picture(folder / kind / f"{frame:04d}.png", picture)
    planes = generator.integers(0, 2, (16 * frames, spikes.height, spikes.width), np.uint8)
    write_packed(folder / "spike.dat", planes)
    rows = [f"{i},{16 * i / 2000:.6f},{16 * (i + 1) / 2000:.6f},0,{folder.name}" for i in range(frames)]
    (folder / "alignment.csv").write_text("\n".join(["frame_idx,t0,t1,event_count,seq", *rows]), "utf-8")
    (folder / "config.yaml").write_text(
        f"spike_h: {spikes.height}\nspike_w: {spikes.width}\nspike_rate_hz: 2000\ngamma: 2.2\n", "utf-8"
    )
    return folder


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    for name in ("one", "two 二", "three"):
        write_clip(tmp_path / "set" / name)
    return tmp_path / "set"


def position_coded(shape: ClipShape, frames: int = 3, bins: int = 4) -> Sample:
    """A sample whose values are the positions they lie at, in units of frames and frame pixels."""

    def plane(size: Size, channels: int) -> np.ndarray:
        scale_y, scale_x = shape.frames.height / size.height, shape.frames.width / size.width
        y, x = np.mgrid[: size.height, : size.width]
        place = (y + 0.5) * scale_y * 1000 + (x + 0.5) * scale_x
        return np.stack([place] * channels).astype(np.float32)

    times = 1e6 * (np.arange(frames, dtype=np.float32) + 0.5)[:, None, None, None]
    blurry = np.moveaxis(plane(shape.frames, 3)[None] + times, 1, 3)
    spikes = plane(shape.spikes, SPEC.channels)[None] + times
    spikes[:, :bins] += 1e6 * ((np.arange(bins) + 0.5) / bins - 0.5)[:, None, None].astype(np.float32)
    return Sample(blurry, blurry.copy(), spikes.astype(np.float32))


def averaged(frames: np.ndarray, size: Size) -> np.ndarray:
    """(T, H, W) → (T, h, w), the mean over whole blocks."""
    down, across = frames.shape[1] // size.height, frames.shape[2] // size.width
    return frames.reshape(len(frames), size.height, down, size.width, across).mean(axis=(2, 4))


# ------------------------------------------------------------------ variations


@pytest.mark.parametrize("seed", range(12))
def test_frames_reference_and_spikes_vary_alike(seed: int) -> None:
    sample = position_coded(ClipShape(Size(16, 16), Size(8, 8)))
    generator = np.random.default_rng(seed)

    varied = vary(crop(sample, crop_grid(ClipShape(Size(16, 16), Size(8, 8))), 8, generator), 4, generator)

    assert varied.blurry.shape == (3, 8, 8, 3)
    np.testing.assert_array_equal(varied.reference, varied.blurry)
    np.testing.assert_allclose(varied.spikes[:, -1], averaged(varied.blurry[..., 0], Size(4, 4)), rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_bins_stay_in_the_order_of_time(seed: int) -> None:
    sample = position_coded(ClipShape(Size(8, 8), Size(8, 8)))

    varied = vary(sample, 4, np.random.default_rng(seed))

    when = varied.spikes[:, :4, 0, 0].ravel()
    assert (np.diff(when) > 0).all() or (np.diff(when) < 0).all()


def test_every_variation_happens() -> None:
    sample = position_coded(ClipShape(Size(4, 4), Size(4, 4)), frames=2)

    seen = {vary(sample, 4, np.random.default_rng(seed)).blurry.tobytes() for seed in range(200)}

    assert len(seen) == 16


def test_oblong_clips_are_not_turned() -> None:
    sample = position_coded(ClipShape(Size(4, 8), Size(4, 8)))

    shapes = {vary(sample, 4, np.random.default_rng(seed)).blurry.shape for seed in range(20)}

    assert shapes == {(3, 4, 8, 3)}


@pytest.mark.parametrize(
    ("frames", "spikes", "wanted"),
    [
        (Size(128, 128), Size(96, 96), ClipShape(Size(96, 96), Size(72, 72))),
        (Size(720, 1280), Size(360, 640), ClipShape(Size(96, 96), Size(48, 48))),
        (Size(100, 60), Size(50, 30), ClipShape(Size(96, 60), Size(48, 30))),
        (Size(250, 400), Size(250, 400), ClipShape(Size(96, 96), Size(96, 96))),
    ],
)
def test_crops_hold_whole_pixels_of_both_cameras(frames: Size, spikes: Size, wanted: ClipShape) -> None:
    assert crop_grid(ClipShape(frames, spikes)).crop_shape(96) == wanted


def test_spikes_without_a_simple_ratio_are_resized() -> None:
    shape = ClipShape(Size(101, 103), Size(50, 47))
    grid = crop_grid(shape)
    columns = (np.arange(47, dtype=np.float32) + 0.5) * 103 / 47
    sample = Sample(
        np.broadcast_to(np.arange(103, dtype=np.float32)[:, None] + 0.5, (1, 101, 103, 3)),
        np.zeros((1, 101, 103, 3), np.float32),
        np.broadcast_to(columns, (1, 9, 50, 47)),
    )

    cut = crop(sample, grid, 32, np.random.default_rng(0))

    assert grid.resize_spikes
    assert cut.spikes.shape == (1, 9, 16, 16)
    expected = averaged(cut.blurry[..., 0], Size(16, 16))
    assert np.abs(cut.spikes[:, 0] - expected).max() < 1.0


# ------------------------------------------------------------------ order


def test_a_pass_takes_every_clip_once() -> None:
    order = ClipOrder(["a"] * 12, batch_size=4, batches=6, seed=3)

    taken = [[ticket.index for batch in range(3) for ticket in order.at(at + batch)] for at in (0, 3)]

    assert [sorted(indices) for indices in taken] == [list(range(12))] * 2
    assert taken[0] != taken[1]


def test_a_batch_has_one_shape() -> None:
    shapes = ["a", "b"] * 10 + ["c"]

    batches = list(ClipOrder(shapes, batch_size=4, batches=40))

    assert all(len({shapes[ticket.index] for ticket in batch}) == 1 for batch in batches)
    assert {shapes[batch[0].index] for batch in batches} == {"a", "b", "c"}
    assert all(len(batch) == 4 for batch in batches)


def test_the_order_goes_on_where_it_stopped() -> None:
    whole = list(ClipOrder(["a"] * 10, batch_size=3, batches=20, seed=1))
    rest = ClipOrder(["a"] * 10, batch_size=3, batches=20, seed=1)
    rest.first = 7

    assert list(rest) == whole[7:]


def test_two_processes_take_what_one_takes_with_double_batches() -> None:
    def order(**options: int) -> ClipOrder:
        return ClipOrder(["a", "b"] * 10, batches=9, seed=5, **options)

    alone = order(batch_size=4)
    together = [order(batch_size=2, rank=rank, world_size=2) for rank in range(2)]

    for at in range(9):
        both = sorted((ticket for part in together for ticket in part.at(at)), key=lambda t: t.draw)
        assert both == alone.at(at)


def test_no_ticket_is_drawn_twice() -> None:
    draws = [ticket.draw for batch in ClipOrder(["a"] * 5, batch_size=2, batches=50) for ticket in batch]

    assert len(set(draws)) == 100


# ------------------------------------------------------------------ data sets on disk


def test_clips_of_a_sequence_are_what_the_engine_reads(data_set: Path) -> None:
    clips = SequenceClips(scan(data_set), frames=3, bins=8, cache_bytes=10**6)

    example = clips.example(1, 0)

    assert len(clips) == 6
    with open_sequence(data_set / "one") as sequence:
        for offset in range(3):
            np.testing.assert_allclose(
                example.blurry[offset] / np.float32(255), sequence.frame(1 + offset), atol=1e-6
            )
            np.testing.assert_array_equal(example.counts[offset], sequence.voxels(1 + offset, 8))
        assert example.windows.tolist() == [[16, 32], [32, 48], [48, 64]]
        expected = SPEC.apply(sequence.voxels(1, 8))
    np.testing.assert_allclose(sample_of(example, SPEC).spikes[0], expected, atol=1e-6)
    assert example.gamma == 2.2


def test_excluded_frames_are_in_no_clip(data_set: Path) -> None:
    listed = data_set.parent / "excluded.csv"
    listed.write_text("seq,frame\none,0001\nthree,*\nfour,*\n", "utf-8")

    index = scan(data_set, read_exclusions(listed))
    clips = SequenceClips(index, frames=2, bins=8, cache_bytes=0)

    assert sorted(clips.example(at, 0).name for at in range(len(clips))) == [
        "one 0002",
        "two 二 0000",
        "two 二 0001",
        "two 二 0002",
    ]
    assert any("three is left out" in finding for finding in index.findings)
    assert any("four" in finding for finding in index.findings)


def test_a_list_of_exclusions_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("name\nx\n", "utf-8")

    with pytest.raises(EngineError, match="seq,frame"):
        read_exclusions(tmp_path / "bad.csv")


def test_broken_sequences_are_named_and_left_out(data_set: Path) -> None:
    (data_set / "three" / "spike.dat").write_bytes(b"")

    index = scan(data_set)

    assert [entry.name for entry in index.entries] == ["one", "two 二"]
    assert "three" in index.findings[0]


def test_an_index_says_the_same_after_reading(data_set: Path, tmp_path: Path) -> None:
    index = scan(data_set)
    write_index(tmp_path / "index.json", index)

    assert read_index(tmp_path / "index.json") == index


def test_a_data_set_without_sequences_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(EngineError):
        scan(tmp_path / "empty")


def test_the_cache_keeps_to_its_bytes(data_set: Path) -> None:
    frame_bytes = 2 * 24 * 32 * 3 + 8 * 12 * 16
    clips = SequenceClips(scan(data_set), frames=2, bins=8, cache_bytes=3 * frame_bytes)

    for at in range(len(clips)):
        clips.example(at, 0)

    assert clips._cache.currsize == 3 * frame_bytes


def test_cached_frames_equal_fresh_ones(data_set: Path) -> None:
    clips = SequenceClips(scan(data_set), frames=2, bins=8, cache_bytes=10**7)

    first, again = clips.example(2, 0), clips.example(2, 1)

    for name in ("blurry", "reference", "counts", "windows"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


# ------------------------------------------------------------------ loading


def loader(data_set: Path, workers: int) -> ClipLoader:
    clips = TrainingClips(
        SequenceClips(scan(data_set), frames=2, bins=8, cache_bytes=10**6), SPEC, 16, seed=4
    )
    return ClipLoader(clips, clips.order(batch_size=2, batches=6, seed=4), num_workers=workers)


def test_workers_load_what_one_process_loads(data_set: Path) -> None:
    for alone, shared in zip(loader(data_set, 0), loader(data_set, 2), strict=True):
        assert alone["blurry"].shape == (2, 2, 3, 16, 16)
        assert alone["spikes"].shape == (2, 2, SPEC.channels, 8, 8)
        for name, value in alone.items():
            assert torch.equal(value, shared[name])  # type: ignore[literal-required]


def test_a_loader_goes_on_where_another_stopped(data_set: Path) -> None:
    whole = list(loader(data_set, 0))
    stopped, resumed = loader(data_set, 0), loader(data_set, 0)
    batches = iter(stopped)
    for _ in range(4):
        next(batches)

    resumed.load_state_dict(stopped.state_dict())

    for expected, got in zip(whole[4:], resumed, strict=True):
        assert torch.equal(expected["spikes"], got["spikes"])


def attached(data: ClipData, spec: VoxelSpec = SPEC) -> ClipData:
    trainer: Any = SimpleNamespace(
        max_steps=2,
        accumulate_grad_batches=2,
        global_rank=0,
        world_size=1,
        lightning_module=SimpleNamespace(voxels=spec, config=VRTSpikeConfig()),
    )
    data.trainer = trainer
    data.setup("fit")
    return data


def test_a_data_set_serves_training_and_validation(data_set: Path) -> None:
    data = attached(ClipData(root=data_set, frames=2, crop_px=16, batch_size=2, workers=0))

    batches, spans = list(data.train_dataloader()), list(data.val_dataloader())

    assert len(batches) == 4
    assert [(span.name, span.start, span.stop) for span in spans] == [("two 二", 0, 2), ("two 二", 2, 4)]


def test_mixed_sizes_train_together_and_are_reported(data_set: Path) -> None:
    write_clip(data_set / "large", size=Size(48, 48), spikes=Size(48, 48))
    write_clip(data_set / "small", size=Size(8, 8), spikes=Size(4, 4))

    data = attached(ClipData(root=data_set, val_root=data_set, frames=2, crop_px=16, batch_size=2, workers=0))

    assert {batch["blurry"].shape[-1] for batch in data.train_dataloader()} <= {8, 16}
    assert any("3 sizes" in finding for finding in data.findings)
    assert any("8 × 8" in finding for finding in data.findings)


def test_one_sequence_cannot_serve_both(tmp_path: Path) -> None:
    write_clip(tmp_path / "set" / "only")

    with pytest.raises(EngineError, match="val_root"):
        attached(ClipData(root=tmp_path / "set", frames=2, workers=0))


def test_an_example_of_other_bins_is_refused() -> None:
    frames = np.zeros((1, 4, 4, 3), np.uint8)
    example = Example(frames, frames, np.zeros((1, 16, 4, 4), np.uint8), np.array([[0.0, 16.0]]))

    with pytest.raises(ValueError, match="16 bins"):
        sample_of(example, SPEC)


def test_a_ticket_decides_crop_and_variation(data_set: Path) -> None:
    clips = TrainingClips(SequenceClips(scan(data_set), frames=2, bins=8, cache_bytes=0), SPEC, 16, seed=4)

    first, again, other = clips[Ticket(0, 7)], clips[Ticket(0, 7)], clips[Ticket(0, 8)]

    assert torch.equal(first["blurry"], again["blurry"])
    assert not torch.equal(first["blurry"], other["blurry"])


def test_exclusions_survive_any_line_ending(tmp_path: Path) -> None:
    path = tmp_path / "excluded.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([("seq", "frame"), ("a b", "0001")])

    assert read_exclusions(path) == {("a b", "0001")}


# ------------------------------------------------------------------ processes that load


class Numbers(torch.utils.data.Dataset[int]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        return index


def test_workers_start_after_opencv_has_computed_on_many_threads() -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        for _ in range(3):  # so that the pool has its threads
            cv2.GaussianBlur(np.zeros((2000, 2000), np.float32), (0, 0), 5)
        loader = ForkingLoader(Numbers(), num_workers=2, worker_init_fn=prepare_worker, timeout=60)

        assert sorted(int(number) for batch in loader for number in batch) == [0, 1, 2, 3]
        assert cv2.getNumThreads() == 4
    finally:
        cv2.setNumThreads(threads)


def test_excluded_frames_are_left_out_of_an_index_too(data_set: Path, tmp_path: Path) -> None:
    excluded = frozenset({("one", "0001"), ("three", "*"), ("nowhere", "0000")})
    whole = scan(data_set)
    write_index(tmp_path / "index.json", whole)

    left = without(read_index(tmp_path / "index.json"), excluded)

    assert [(e.name, e.usable) for e in left.entries] == [
        (e.name, e.usable) for e in scan(data_set, excluded).entries
    ]
    assert any("nowhere,0000" in finding for finding in left.findings)
    with pytest.raises(EngineError, match="nothing to train on"):
        without(whole, frozenset((name, "*") for name in ("one", "two 二", "three")))


def test_an_index_of_another_data_set_is_refused(data_set: Path, tmp_path: Path) -> None:
    write_index(tmp_path / "index.json", scan(data_set))
    data = ClipData(root=tmp_path, index=tmp_path / "index.json")

    with pytest.raises(EngineError, match="of another data set"):
        data._index()
