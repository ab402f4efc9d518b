"""A sequence of every layout gives the right frames, references, windows and spikes."""

import gc
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image

from engine.alignment import AlignmentWindow
from engine.errors import AlignmentError, EngineError, FrameError, RecordingError, SequenceError
from engine.geometry import Size, Span
from engine.recording.packed import PackedRecording
from engine.restoration.methods import make_method
from engine.restoration.restoration import Restoration, restored
from engine.sequence import Sequence, find_sequences, open_sequence, open_source
from engine.source import SequenceSource
from tests.engine.videos import encode

SPIKES = Size(24, 32)
FRAMES = Size(48, 64)
FOUR_EXPOSURES = "frame_idx,t0,t1\n0,0,0.01\n1,0.01,0.02\n2,0.02,0.03\n3,0.03,0.04\n"


def planes(count: int, seed: int = 0, size: Size = SPIKES, density: float = 0.3) -> np.ndarray:
    """Random planes, uint8 0/1 (count, H, W), top row first."""
    return (np.random.default_rng(seed).random((count, size.height, size.width)) < density).astype(np.uint8)


def write_dat(path: Path, bits: np.ndarray, *, bottom_first: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = bits[:, ::-1] if bottom_first else bits
    np.packbits(rows.reshape(len(bits), -1), axis=1, bitorder="little").tofile(path)


def write_png(path: Path, value: int, size: Size = FRAMES) -> np.ndarray:
    """A picture with one colour and a mark in a corner; returns what should be read."""
    samples = np.zeros((size.height, size.width, 3), np.uint8)
    samples[:] = (value, 255 - value, value // 2)
    samples[:2, :5] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(samples).save(path)
    return samples.astype(np.float64) / 255


def write_config(path: Path, **values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"spike_h": SPIKES.height, "spike_w": SPIKES.width} | values))


def naive_voxels(bits: np.ndarray, start: float, stop: float, bins: int) -> np.ndarray:
    counts = np.zeros((bins, *bits.shape[1:]))
    for p, plane in enumerate(bits):
        if start <= p < stop:
            counts[min(bins - 1, int(np.floor((p - start) / (stop - start) * bins)))] += plane
    return counts


def spans(sequence: Sequence) -> list[tuple[float, float]]:
    return [(window.start, window.stop) for window in sequence.windows]


@dataclass
class Clip:
    path: Path
    frames: list[np.ndarray]
    sharp: list[np.ndarray]
    bits: np.ndarray


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """Unified layout: four frames, one recording of 40 planes."""
    path = tmp_path / "clip one 序列"
    frames = [write_png(path / f"blur/{n:04d}.png", 20 * n) for n in range(1, 5)]
    sharp = [write_png(path / f"sharp/{n:04d}.png", 20 * n + 5) for n in range(1, 5)]
    bits = planes(40)
    write_dat(path / "spike.dat", bits)
    write_config(path / "config.yaml", spike_rate_hz=1000, gamma=2.2)
    return Clip(path, frames, sharp, bits)


# ------------------------------------------------------------------ unified


def test_frames_references_and_facts(clip: Clip) -> None:
    with open_sequence(clip.path) as sequence:
        assert (len(sequence), sequence.name, sequence.layout) == (4, "clip one 序列", "unified")
        assert (sequence.frame_size, sequence.bit_depth) == (FRAMES, 8)
        assert (sequence.gamma, sequence.gamma_known) == (2.2, True)
        assert sequence.has_reference
        assert not sequence.is_virtual
        assert [sequence.frame_name(i) for i in range(4)] == ["0001", "0002", "0003", "0004"]
        for i in range(4):
            frame, reference = sequence.frame(i), sequence.reference(i)
            assert reference is not None
            assert frame.dtype == np.float32
            np.testing.assert_allclose(frame, clip.frames[i], atol=1e-6)
            np.testing.assert_allclose(reference, clip.sharp[i], atol=1e-6)
        assert sequence.recording is not None
        assert sequence.recording.info.rate_hz == 1000
        assert sequence.recording.info.size == SPIKES


@pytest.mark.parametrize("inside", ["", "blur", "sharp"])
def test_without_a_log_the_windows_are_an_even_guess(clip: Clip, inside: str) -> None:
    with open_sequence(clip.path / inside) as sequence:
        assert spans(sequence) == [(0, 10), (10, 20), (20, 30), (30, 40)]
        assert sequence.windows_source == "guess"
        assert any("guess" in finding for finding in sequence.findings)
    with open_sequence(clip.path, exposure_planes=4) as sequence:
        assert spans(sequence) == [(3, 7), (13, 17), (23, 27), (33, 37)]


def test_the_log_decides(clip: Clip) -> None:
    (clip.path / "alignment.csv").write_text(
        "seq,t1,t0,frame_idx\n"
        + "".join(f"c,{0.009 + i / 100:.6f},{0.002 + i / 100:.6f},{i}\n" for i in range(4))
    )
    with open_sequence(clip.path) as sequence:
        assert spans(sequence) == [(2, 9), (12, 19), (22, 29), (32, 39)]
        assert sequence.windows_source == "log"
        assert sequence.findings == ()


def test_a_given_log_counts_more_than_the_one_that_is_there(clip: Clip, tmp_path: Path) -> None:
    (clip.path / "alignment.csv").write_text("no log at all\n")
    other = tmp_path / "mine.csv"
    other.write_text("t0,t1\n" + "".join(f"{i / 100},{i / 100 + 0.001}\n" for i in range(4)))
    with open_sequence(clip.path, alignment=other) as sequence:
        assert spans(sequence) == [(0, 1), (10, 11), (20, 21), (30, 31)]
    with pytest.raises(AlignmentError, match=r"alignment\.csv"):
        open_sequence(clip.path)


def test_a_log_without_a_rate_is_a_clear_error(clip: Clip) -> None:
    (clip.path / "alignment.csv").write_text("t0,t1\n" + "0,0.001\n" * 4)
    write_config(clip.path / "config.yaml")
    with pytest.raises(AlignmentError, match="rate_hz"):
        open_sequence(clip.path)
    with open_sequence(clip.path, rate_hz=2000) as sequence:
        assert spans(sequence) == [(0, 2)] * 4


def test_windows_outside_the_recording_are_reported_and_count_nothing(clip: Clip) -> None:
    (clip.path / "alignment.csv").write_text(
        "t0,t1\n0,0.010\n0.010,0.020\n0.030,0.050\n0.100,0.110\n", encoding="utf-8"
    )
    with open_sequence(clip.path) as sequence:
        assert sequence.findings == ("windows outside the recording: 0003, 0004",)
        np.testing.assert_array_equal(sequence.voxels(2, 8), naive_voxels(clip.bits, 30, 50, 8))
        assert sequence.voxels(2, 8).outside_planes == pytest.approx(10)
        assert sequence.voxels(3).sum() == 0


def test_a_frame_exposed_outside_the_recording_comes_back_from_the_spike_ratio_as_it_is(clip: Clip) -> None:
    (clip.path / "alignment.csv").write_text(
        "t0,t1\n0,0.010\n-0.3,-0.2\n0.030,0.050\n0.100,0.110\n", encoding="utf-8"
    )
    with open_sequence(clip.path) as sequence:
        method = make_method("spike-ratio")
        request = Restoration.of_frames(sequence, Span(0, 4), method)
        pictures = [step.picture for step in restored(request)]
        for index in (1, 3):
            np.testing.assert_allclose(pictures[index], sequence.frame(index), atol=1e-6)


def test_only_the_memory_behind_the_frames_that_are_done_is_let_go(clip: Clip, monkeypatch) -> None:
    let_go = []
    monkeypatch.setattr(PackedRecording, "forget", lambda _, start, stop: let_go.append((start, stop)))
    with open_sequence(clip.path) as sequence:
        sequence.forget_spikes(Span(1, 3))
        far = sequence.with_windows([window.shifted(100) for window in sequence.windows])
        far.forget_spikes(Span(0, 4))
    assert let_go == [(10, 30)]


def test_voxels_match_a_naive_count(clip: Clip) -> None:
    with open_sequence(clip.path) as sequence:
        for bins in (1, 5, 32):
            grid = sequence.voxels(1, bins)
            assert grid.dtype == np.float32
            np.testing.assert_array_equal(grid, naive_voxels(clip.bits, 10, 20, bins))
        assert sequence.spike_limits(1) == Span(0, 40)


def test_moved_windows_leave_the_sequence_as_it_was(clip: Clip) -> None:
    with open_sequence(clip.path) as sequence:
        moved = sequence.with_windows([window.shifted(1.5) for window in sequence.windows])
        assert spans(moved)[0] == (1.5, 11.5)
        assert moved.windows_source == "given"
        assert spans(sequence)[0] == (0, 10)
        np.testing.assert_array_equal(moved.voxels(1, 4), naive_voxels(clip.bits, 11.5, 21.5, 4))
        np.testing.assert_array_equal(moved.frame(1), sequence.frame(1))
        with pytest.raises(SequenceError, match="2 windows"):
            sequence.with_windows(sequence.windows[:2])


def test_the_source_opens_the_same_sequence_again(clip: Clip) -> None:
    with open_sequence(clip.path, exposure_planes=4, gamma=1.8) as sequence:
        assert Path(sequence.source.path).is_absolute()
        with open_source(sequence.source) as again:
            assert again.source == sequence.source
            assert again.windows == sequence.windows
            assert again.gamma == 1.8


def test_no_spikes_no_windows(clip: Clip) -> None:
    (clip.path / "spike.dat").unlink()
    with open_sequence(clip.path) as sequence:
        assert sequence.recording is None
        assert sequence.windows == ()
        assert sequence.spike_limits(0) == Span(0, 0)
        np.testing.assert_allclose(sequence.frame(0), clip.frames[0], atol=1e-6)
        for ask in (sequence.window, sequence.voxels):
            with pytest.raises(SequenceError, match="no spikes"):
                ask(0)


def test_no_reference(clip: Clip) -> None:
    for picture in (clip.path / "sharp").iterdir():
        picture.unlink()
    with open_sequence(clip.path) as sequence:
        assert not sequence.has_reference
        assert sequence.reference(0) is None


@pytest.mark.parametrize("stored_bottom_first", [True, False])
def test_the_sidecar_says_whether_rows_are_stored_bottom_first(clip: Clip, stored_bottom_first: bool) -> None:
    write_dat(clip.path / "spike.dat", clip.bits, bottom_first=stored_bottom_first)
    write_config(clip.path / "config.yaml", spike_flip=stored_bottom_first)
    with open_sequence(clip.path) as sequence:
        np.testing.assert_array_equal(sequence.voxels(0, 2), naive_voxels(clip.bits, 0, 10, 2))
    with open_sequence(clip.path, flip=not stored_bottom_first) as sequence:
        np.testing.assert_array_equal(sequence.voxels(0, 2)[:, ::-1], naive_voxels(clip.bits, 0, 10, 2))


def scene(size: Size, seed: int = 4) -> np.ndarray:
    """A smooth picture in [0.05, 0.95] that looks different upside down."""
    coarse = np.random.default_rng(seed).random((5, 7)).astype(np.float32)
    return 0.05 + 0.9 * cv2.resize(coarse, (size.width, size.height), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize("stored_bottom_first", [True, False])
@pytest.mark.parametrize("shown", ["blurry frames", "reference alone"])
def test_a_picture_tells_whether_rows_are_stored_bottom_first(
    tmp_path: Path, stored_bottom_first: bool, shown: str
) -> None:
    size = Size(60, 80)
    light = scene(size)
    bits = (np.random.default_rng(1).random((40, 60, 80)) < 0.4 * light).astype(np.uint8)
    picture = Image.fromarray((255 * cv2.resize(light, (160, 120))).astype(np.uint8))
    if shown == "blurry frames":
        path = tmp_path
        write_dat(tmp_path / "spike.dat", bits, bottom_first=stored_bottom_first)
        (tmp_path / "blur").mkdir()
        Image.new("L", (160, 120)).save(tmp_path / "blur/1.png")
        picture.save(tmp_path / "blur/2.png")
    else:
        path = tmp_path / "alone.dat"
        write_dat(path, bits, bottom_first=stored_bottom_first)
        picture.resize((80, 60)).save(tmp_path / "alone.png")
    with open_sequence(path, height=60, width=80) as sequence:
        assert sequence.recording is not None
        assert sequence.recording.info.flip is stored_bottom_first
        assert sequence.recording.info.known_by["flip"] == "bytes"
        start, stop = spans(sequence)[-1]
        counted = sequence.voxels(len(sequence) - 1, 1)[0]
        np.testing.assert_array_equal(counted, bits[int(start) : int(stop)].sum(0))
    with open_sequence(path, height=60, width=80, flip=not stored_bottom_first) as sequence:
        assert sequence.recording is not None
        assert sequence.recording.info.known_by["flip"] == "given"


def test_gamma_given_then_config_then_layout_then_unknown(clip: Clip) -> None:
    def gamma(**options: float) -> tuple[float, bool]:
        with open_sequence(clip.path, **options) as sequence:  # type: ignore[arg-type]
            return sequence.gamma, sequence.gamma_known

    assert gamma(gamma=1.5) == (1.5, True)
    assert gamma() == (2.2, True)
    write_config(clip.path / "config.yaml")
    assert gamma() == (1.0, False)
    (clip.path / "blur").rename(clip.path / "blur_gamma")
    assert gamma() == (2.2, True)


# ------------------------------------------------------------------ one recording a frame


def test_each_frame_has_the_planes_of_its_own_file(tmp_path: Path) -> None:
    bits = [planes(9, seed) for seed in range(3)]
    for n in (1, 2, 3):
        write_png(tmp_path / f"blur/{n:04d}.png", 10 * n)
        write_dat(tmp_path / f"spike/{n:04d}.dat", bits[n - 1])
    write_config(tmp_path / "config.yaml")
    with open_sequence(tmp_path) as sequence:
        assert spans(sequence) == [(0, 9), (9, 18), (18, 27)]
        assert sequence.windows_source == "layout"
        assert sequence.spike_limits(2) == Span(18, 27)
        for i in range(3):
            np.testing.assert_array_equal(sequence.voxels(i, 3), naive_voxels(bits[i], 0, 9, 3))
        wide = sequence.with_windows([AlignmentWindow(w.start - 3, w.stop + 3) for w in sequence.windows])
        np.testing.assert_array_equal(wide.voxels(1, 5), naive_voxels(bits[1], -3, 12, 5))
        assert (wide.voxels(1, 5).start, wide.voxels(1, 5).stop) == (6, 21)
    with open_sequence(tmp_path / "blur", exposure_planes=5) as sequence:
        assert spans(sequence) == [(2, 7), (11, 16), (20, 25)]


def test_frames_without_spikes_and_spikes_without_frames_are_named_once(tmp_path: Path) -> None:
    for n in (1, 2, 3):
        write_png(tmp_path / f"blur/{n:04d}.png", 10 * n)
    for n in (1, 3, 4):
        write_dat(tmp_path / f"spike/{n:04d}.dat", planes(8, n))
    write_config(tmp_path / "config.yaml")
    with open_sequence(tmp_path) as sequence:
        assert [f for f in sequence.findings if "0002" in f] == ["frames without spikes: 0002"]
        assert [f for f in sequence.findings if "0004" in f] == ["recordings without a frame: 0004"]
        assert spans(sequence)[::2] == [(0, 8), (8, 16)]
        assert len(sequence.spike_limits(1)) == 0
        assert sequence.voxels(1).sum() == 0
        np.testing.assert_array_equal(sequence.voxels(2, 4), naive_voxels(planes(8, 3), 0, 8, 4))


def test_no_recording_has_the_name_of_a_frame(tmp_path: Path) -> None:
    for n in (1, 2):
        write_png(tmp_path / f"blur/{n:04d}.png", n)
        write_dat(tmp_path / f"spike/x{n}a.dat", planes(8))
    write_config(tmp_path / "config.yaml")
    with pytest.raises(SequenceError, match=r"x1a, x2a.*0001, 0002"):
        open_sequence(tmp_path)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_folder_with_one_recording_serves_all_frames(tmp_path: Path, frames: int) -> None:
    for n in range(frames):
        write_png(tmp_path / f"blur/{n:04d}.png", n)
    write_dat(tmp_path / "spike/whole.dat", planes(10))
    write_config(tmp_path / "config.yaml")
    with open_sequence(tmp_path) as sequence:
        assert spans(sequence) == [(10 / frames * i, 10 / frames * (i + 1)) for i in range(frames)]
        assert sequence.windows_source == "guess"


def test_one_recording_left_of_several_keeps_its_frame(tmp_path: Path) -> None:
    for n in (1, 2, 3):
        write_png(tmp_path / f"blur/{n:04d}.png", n)
    write_dat(tmp_path / "spike/0002.dat", planes(10))
    write_config(tmp_path / "config.yaml")
    with open_sequence(tmp_path) as sequence:
        assert [len(sequence.spike_limits(i)) for i in range(3)] == [0, 10, 0]
        assert "frames without spikes: 0001, 0003" in sequence.findings


# ------------------------------------------------------------------ GoPro-spike, X4K-spike, spike set


def test_gopro_believes_its_bytes_not_its_sidecar(tmp_path: Path) -> None:
    size = Size(360, 640)
    ramp = np.add.outer(np.linspace(0.05, 0.4, 360), np.linspace(0, 0.4, 640))
    charge = np.random.default_rng(5).random((360, 640))
    bits = []
    for _ in range(56):
        charge += ramp
        bits.append((charge >= 1).astype(np.uint8))
        charge -= bits[-1]
    for n in (1, 2):
        write_png(tmp_path / f"GOPRO_Large/train_GT_blurred/A/{n:06d}.png", n, Size(720, 1280))
        write_png(tmp_path / f"GOPRO_Large/train_GT/A/{n:06d}.png", n, Size(720, 1280))
        write_dat(tmp_path / f"GOPRO_Large_spike_seq/train/A/spike/{n:06d}.dat", np.array(bits))
    (tmp_path / "GOPRO_Large_spike_seq/config.yaml").write_text("spike_h: 250\nspike_w: 400\n")
    with open_sequence(tmp_path / "GOPRO_Large/train_GT_blurred/A") as sequence:
        assert sequence.recording is not None
        info = sequence.recording.info
        assert (info.size, info.rate_hz, info.planes) == (size, 1920, 112)
        assert spans(sequence) == [(0, 56), (56, 112)]
        assert any("250" in finding and "360" in finding for finding in sequence.findings)
        assert (sequence.gamma, sequence.gamma_known) == (1.0, True)
        assert sequence.has_reference


def test_x4k_counts_its_windows_in_the_planes_of_the_clip(tmp_path: Path) -> None:
    write_png(tmp_path / "train_blurry_33/002/occ/0004_001.png", 9)
    write_png(tmp_path / "train_blurry_33/002/occ/0008.png", 11)
    for n in range(9):
        write_png(tmp_path / f"train_fullRGB/002/occ/{n:04d}.png", 20 * n)
    write_png(tmp_path / "train_fullRGB/002/occ/0004_001.png", 99)
    bits = planes(65)
    write_dat(tmp_path / "train_spike_2xds/002/occ/spike.dat", bits)
    with open_sequence(
        tmp_path / "train_blurry_33/002/occ", height=SPIKES.height, width=SPIKES.width
    ) as sequence:
        assert spans(sequence) == [(16, 49), (2, 35)][::-1]
        assert sequence.windows_source == "layout"
        first = sequence.reference(0)
        assert first is not None
        assert first[10, 10, 0] == pytest.approx(99 / 255)
        assert sequence.findings == ()
        np.testing.assert_array_equal(sequence.voxels(0), naive_voxels(bits, 2, 35, 32))
        assert sequence.recording is not None
        assert sequence.recording.info.rate_hz == 4000


def test_a_spike_set_is_one_virtual_frame_a_recording(tmp_path: Path) -> None:
    bits = {name: planes(21, seed) for seed, name in enumerate("ab")}
    for name in "ab":
        write_dat(tmp_path / f"spike/{name}.dat", bits[name])
    gt = write_png(tmp_path / "gt/b.png", 50, SPIKES)
    write_config(tmp_path / "config.yaml")
    with open_sequence(tmp_path) as sequence:
        assert (sequence.layout, sequence.is_virtual, len(sequence)) == ("spike set", True, 2)
        assert [sequence.frame_name(i) for i in range(2)] == ["a", "b"]
        assert spans(sequence) == [(0, 21), (21, 42)]
        assert sequence.reference(0) is None
        np.testing.assert_allclose(sequence.reference(1), gt, atol=1e-6)  # type: ignore[arg-type]
        assert sequence.findings == ("recordings without a reference: a",)
        mean = bits["b"].mean(0)
        shown = sequence.frame(1)[:, :, 0]
        unclipped = shown < 1
        scale = shown[unclipped].sum() / mean[unclipped].sum()
        np.testing.assert_allclose(shown[unclipped], mean[unclipped] * scale, atol=1e-5)
    with open_sequence(tmp_path, exposure_planes=11) as sequence:
        assert spans(sequence) == [(5, 16), (26, 37)]


def test_recordings_of_137_planes_expose_the_central_97(tmp_path: Path) -> None:
    size = Size(180, 320)
    write_dat(tmp_path / "spike/one.dat", planes(137, size=size))
    write_png(tmp_path / "gt/one.png", 8, size)
    with open_sequence(tmp_path / "spike/one.dat", height=180, width=320) as sequence:
        assert spans(sequence) == [(20, 117)]
        assert sequence.has_reference


# ------------------------------------------------------------------ spikes only


@pytest.fixture
def lonely(tmp_path: Path) -> tuple[Path, np.ndarray]:
    bits = planes(60)
    write_dat(tmp_path / "walk.dat", bits)
    write_config(tmp_path / "config.yaml")
    return tmp_path / "walk.dat", bits


def test_one_exposure_over_everything(lonely: tuple[Path, np.ndarray]) -> None:
    path, _ = lonely
    with open_sequence(path) as sequence:
        assert (sequence.layout, sequence.is_virtual, len(sequence)) == ("spikes only", True, 1)
        assert spans(sequence) == [(0, 60)]
        assert sequence.frame_name(0) == "walk"
        assert sequence.frame_size == SPIKES
        assert (sequence.gamma, sequence.gamma_known) == (1.0, True)


@pytest.mark.parametrize(
    ("exposure", "stride", "wanted"),
    [
        (20, None, [(0, 20), (20, 40), (40, 60)]),
        (20, 10, [(0, 20), (10, 30), (20, 40), (30, 50), (40, 60)]),
        (16, 30, [(0, 16), (30, 46)]),
        (50, None, [(5, 55)]),
        (12.5, 25.25, [(0, 12.5), (25.25, 37.75)]),
        (60, 1, [(0, 60)]),
    ],
)
def test_virtual_exposures(
    lonely: tuple[Path, np.ndarray], exposure: float, stride: float | None, wanted: list[tuple[float, float]]
) -> None:
    with open_sequence(lonely[0], exposure_planes=exposure, stride_planes=stride) as sequence:
        assert spans(sequence) == wanted
        assert sequence.windows_source == "given"
        assert len({sequence.frame_name(i) for i in range(len(sequence))}) == len(wanted)


def test_virtual_frames_share_one_white_level(lonely: tuple[Path, np.ndarray]) -> None:
    path, bits = lonely
    with open_sequence(path, exposure_planes=20) as sequence:
        scales = []
        for i in range(3):
            frame = sequence.frame(i)
            assert frame.shape == (24, 32, 3)
            assert 0 <= frame.min() <= frame.max() <= 1
            np.testing.assert_array_equal(frame[:, :, 0], frame[:, :, 2])
            mean = bits[20 * i : 20 * i + 20].mean(0)
            inside = (frame[:, :, 0] > 0) & (frame[:, :, 0] < 1)
            scales.append(np.median(frame[:, :, 0][inside] / mean[inside]))
        assert max(scales) - min(scales) < 1e-5
    with (
        open_sequence(path, exposure_planes=20, gamma=2.0) as encoded,
        open_sequence(path, exposure_planes=20) as linear,
    ):
        np.testing.assert_allclose(encoded.frame(1) ** 2, linear.frame(1), atol=1e-5)


def test_a_recording_without_spikes_is_black(tmp_path: Path) -> None:
    write_dat(tmp_path / "dark.dat", np.zeros((20, 24, 32), np.uint8))
    with open_sequence(tmp_path / "dark.dat", height=24, width=32) as sequence:
        assert sequence.frame(0).max() == 0


def test_virtual_frames_follow_moved_windows(lonely: tuple[Path, np.ndarray]) -> None:
    with open_sequence(lonely[0], exposure_planes=20) as sequence:
        before = sequence.frame(0).copy()
        moved = sequence.with_windows([window.shifted(7) for window in sequence.windows])
        assert np.abs(moved.frame(0) - before).max() > 0.05
        np.testing.assert_array_equal(sequence.frame(0), before)


def test_the_picture_belongs_to_the_frame_around_the_middle(lonely: tuple[Path, np.ndarray]) -> None:
    path, _ = lonely
    write_png(path.with_suffix(".png"), 70, SPIKES)
    with open_sequence(path, exposure_planes=12, stride_planes=6) as sequence:
        has = [sequence.reference(i) is not None for i in range(len(sequence))]
        assert has == [window == AlignmentWindow(24, 36) for window in sequence.windows]
        assert sequence.findings == ()


def test_the_picture_belongs_to_the_plane_in_its_name(lonely: tuple[Path, np.ndarray]) -> None:
    path, _ = lonely
    key = path.rename(path.with_name("walk_key_id5.dat"))
    write_png(key.with_suffix(".png"), 70, SPIKES)
    with open_sequence(key, exposure_planes=20) as sequence:
        assert [sequence.reference(i) is not None for i in range(3)] == [True, False, False]


def test_a_log_beside_a_recording_makes_its_exposures(lonely: tuple[Path, np.ndarray]) -> None:
    path, _ = lonely
    (path.parent / "alignment.csv").write_text("t0,t1\n0.001,0.011\n0.021,0.031\n")
    with open_sequence(path, rate_hz=1000) as sequence:
        assert spans(sequence) == [(1, 11), (21, 31)]
        assert sequence.windows_source == "log"
    with open_sequence(path, exposure_planes=30) as sequence:
        assert len(sequence) == 2


def test_long_recordings_are_cut_without_being_asked(tmp_path: Path) -> None:
    write_dat(tmp_path / "long.dat", planes(1300, size=Size(16, 16)))
    with open_sequence(tmp_path / "long.dat", height=16, width=16) as sequence:
        assert spans(sequence) == [(0, 400), (400, 800), (800, 1200)]
        assert any(
            "the exposure's length (--exposure-planes)" in finding.remedy for finding in sequence.findings
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"exposure_planes": 61}, "61 planes"),
        ({"exposure_planes": 0}, "exposure_planes must be positive"),
        ({"exposure_planes": float("nan")}, "exposure_planes must be positive"),
        ({"exposure_planes": 2, "stride_planes": -1}, "stride_planes must be positive"),
        ({"exposure_planes": 1, "stride_planes": 1e-6}, "too many"),
        ({"exposure_planes": 0.5}, "shorter than one plane"),
        ({"rate_hz": 0}, "rate_hz must be positive"),
        ({"rate_hz": 1e300}, "rate_hz is out of all bounds"),
        ({"gamma": 220}, "gamma is out of all bounds"),
        ({"gamma": -2.2}, "gamma must be positive"),
    ],
)
def test_numbers_that_make_no_sense_are_errors(
    lonely: tuple[Path, np.ndarray], options: dict[str, float], said: str
) -> None:
    with pytest.raises(SequenceError, match=said):
        open_sequence(lonely[0], **options)  # type: ignore[arg-type]


# ------------------------------------------------------------------ loose


def test_pictures_spikes_and_reference_from_three_places(tmp_path: Path) -> None:
    for n in range(1, 4):
        write_png(tmp_path / f"shots/IMG_{n}.png", n)
        write_png(tmp_path / f"truth/gt_{n:03d}.png", 100 + n)
    bits = planes(30)
    write_dat(tmp_path / "camera/run 7.dat", bits)
    with open_sequence(
        tmp_path / "shots",
        spikes=tmp_path / "camera/run 7.dat",
        reference=tmp_path / "truth",
        height=24,
        width=32,
    ) as sequence:
        assert sequence.layout == "loose"
        assert sequence.windows_source == "guess"
        for i in range(3):
            reference = sequence.reference(i)
            assert reference is not None
            assert reference[20, 20, 0] == pytest.approx((101 + i) / 255)
        np.testing.assert_array_equal(sequence.voxels(2, 2), naive_voxels(bits, 20, 30, 2))


def test_references_that_share_no_name_are_taken_in_order(tmp_path: Path) -> None:
    for n, name in enumerate(["a", "b"]):
        write_png(tmp_path / f"shots/{name}.png", n)
    for n, name in enumerate(["x", "y"]):
        write_png(tmp_path / f"truth/{name}.png", 100 + n)
    with open_sequence(tmp_path / "shots", reference=tmp_path / "truth") as sequence:
        assert sequence.findings == ("no reference has the name of a frame: they are taken in order",)
        assert sequence.reference(1)[20, 20, 0] == pytest.approx(101 / 255)  # type: ignore[index]


def test_a_video_with_its_recording_and_a_video_as_reference(tmp_path: Path) -> None:
    for name, offset in (("clip.avi", 0), ("sharp.avi", 100)):
        pictures = [np.full((48, 64, 3), (20 * n + offset, 0, 0), np.uint8) for n in range(6)]
        encode(tmp_path / name, pictures, "mjpeg", "yuvj420p")
    bits = planes(30)
    write_dat(tmp_path / "clip.dat", bits)
    with open_sequence(
        tmp_path / "clip.avi", reference=tmp_path / "sharp.avi", height=24, width=32
    ) as sequence:
        assert (len(sequence), sequence.frame_size, sequence.bit_depth) == (6, FRAMES, 8)
        assert sequence.frame_name(4) == "clip_0005"
        assert sequence.frame(4)[10, 10] == pytest.approx([80 / 255, 0, 0], abs=0.03)
        assert sequence.reference(1)[10, 10] == pytest.approx([120 / 255, 0, 0], abs=0.03)  # type: ignore[index]
        assert spans(sequence)[5] == (25, 30)
        np.testing.assert_array_equal(sequence.voxels(5, 5), naive_voxels(bits, 25, 30, 5))


# ------------------------------------------------------------------ oddities


def test_oddities_are_reported_once_each_with_names(clip: Clip) -> None:
    (clip.path / "blur/0002.png").unlink()
    (clip.path / "sharp/0003.png").unlink()
    write_png(clip.path / "blur/0004.png", 80, Size(40, 64))
    write_png(clip.path / "blur/0005.png", 80)
    Image.fromarray(np.zeros((48, 64, 4), np.uint8)).save(clip.path / "blur/0006.png")
    (clip.path / "blur/0007.png").write_bytes(b"not a picture")
    with open_sequence(clip.path) as sequence:
        text = "\n".join(sequence.findings)
        assert text.count("another size than 48 × 64: 0004.png (40 × 64)") == 1
        assert text.count("alpha channel is dropped: 0006.png") == 1
        assert text.count("cannot be read: 0007.png") == 1
        assert text.count("frames whose number is missing: 2") == 1
        assert text.count("frames without a reference: 0003, 0005, 0006, 0007") == 1
        assert text.count("references without a frame: 0002") == 1
        assert sequence.frame_size == FRAMES
        with pytest.raises(FrameError, match=r"0004\.png.*40 × 64.*48 × 64"):
            sequence.frame(2)
        with pytest.raises(FrameError, match=r"0007\.png"):
            sequence.frame(5)
        assert sequence.frame(3).shape == (48, 64, 3)


def test_sixteen_bit_frames_are_noticed_and_mixtures_reported(clip: Clip) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (48, 64, 3), dtype=np.uint16)
    cv2.imwrite(str(clip.path.parent / "deep.png"), deep)
    (clip.path.parent / "deep.png").rename(clip.path / "blur/0001.png")
    with open_sequence(clip.path) as sequence:
        assert sequence.bit_depth == 16
        np.testing.assert_allclose(sequence.frame(0), deep[:, :, ::-1] / 65535, atol=1e-6)
        assert any("mixed bit depths; 16 bits: 0001.png" in finding for finding in sequence.findings)


def test_a_reference_of_another_size_is_reported(tmp_path: Path) -> None:
    write_png(tmp_path / "blur/1.png", 1)
    write_png(tmp_path / "sharp/1.png", 1, Size(96, 128))
    with open_sequence(tmp_path) as sequence:
        assert sequence.findings == ("the reference is 96 × 128 and the frames are 48 × 64",)


def test_an_unreadable_folder_of_frames_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "blur").mkdir()
    (tmp_path / "blur/1.png").write_bytes(b"text")
    with pytest.raises(FrameError, match=r"1\.png"):
        open_sequence(tmp_path)


def test_what_cannot_be_opened_is_an_engine_error(clip: Clip, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("spikes, many of them\n" * 100)
    (tmp_path / "empty").mkdir()
    attempts: list[dict[str, object]] = [
        {"path": tmp_path / "missing"},
        {"path": tmp_path / "empty"},
        {"path": notes},
        {"path": "bad\0name"},
        {"path": "x" * 5000},
        {"path": clip.path, "spikes": tmp_path / "missing.dat"},
        {"path": clip.path, "spikes": tmp_path / "empty"},
        {"path": clip.path, "reference": tmp_path / "empty"},
        {"path": clip.path, "reference": tmp_path / "missing"},
        {"path": clip.path, "reference": notes},
        {"path": clip.path, "alignment": tmp_path / "missing.csv"},
    ]
    for attempt in attempts:
        with pytest.raises(EngineError) as caught:
            open_sequence(**attempt)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_a_rate_and_a_flip_beside_the_frames_serve_a_recording_elsewhere(clip: Clip, tmp_path: Path) -> None:
    write_config(clip.path / "config.yaml", spike_rate_hz=500, spike_flip=False)
    elsewhere = tmp_path / "elsewhere/run.dat"
    write_dat(elsewhere, clip.bits, bottom_first=False)
    with open_sequence(clip.path, spikes=elsewhere) as sequence:
        assert sequence.recording is not None
        assert (sequence.recording.info.size, sequence.recording.info.rate_hz) == (SPIKES, 500)
        np.testing.assert_array_equal(sequence.voxels(0, 2), naive_voxels(clip.bits, 0, 10, 2))


def test_what_a_sidecar_says_wrongly_is_reported_once(clip: Clip) -> None:
    write_config(clip.path / "config.yaml", gamma="strong", spike_rate_hz=-5)
    with open_sequence(clip.path) as sequence:
        assert sum("gamma" in finding for finding in sequence.findings) == 1
        assert sum("spike_rate_hz" in finding for finding in sequence.findings) == 1


def test_a_sidecar_without_a_usable_rate_is_named_where_the_log_needs_one(clip: Clip) -> None:
    write_config(clip.path / "config.yaml", spike_rate_hz="fast")
    (clip.path / "alignment.csv").write_text(FOUR_EXPOSURES)
    with pytest.raises(AlignmentError, match=r"config\.yaml says spike_rate_hz: 'fast'"):
        open_sequence(clip.path)


@pytest.mark.parametrize("gamma", ["0", "-2", ".nan", ".inf", "1000", "9" * 400, "yes", "[2.2]"])
def test_a_gamma_that_cannot_be_is_reported_and_ignored(clip: Clip, gamma: str) -> None:
    with (clip.path / "config.yaml").open("a") as file:
        file.write(f"\ngamma: {gamma}\n")
    with open_sequence(clip.path) as sequence:
        assert (sequence.gamma, sequence.gamma_known) == (1.0, False)
        assert sum("gamma" in finding for finding in sequence.findings) == 1


def test_options_that_make_no_difference_are_reported(clip: Clip, lonely: tuple[Path, np.ndarray]) -> None:
    (clip.path / "alignment.csv").write_text(FOUR_EXPOSURES)
    with open_sequence(clip.path, exposure_planes=5, stride_planes=5) as sequence:
        assert sequence.windows_source == "log"
        assert sum("is not used" in finding for finding in sequence.findings) == 2
    with open_sequence(lonely[0], stride_planes=5) as sequence:
        assert len(sequence) == 1
        assert any("makes no difference" in finding for finding in sequence.findings)


def test_a_closed_folder_is_named_and_hides_no_neighbours(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "lost+found"
    closed.mkdir()
    listed = Path.iterdir

    def iterdir(path: Path) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert str(clip.path) in {source.path for source in find_sequences(tmp_path)}
    with pytest.raises(SequenceError, match=r"lost\+found"):
        open_sequence(closed)


def test_a_text_file_is_no_recording(clip: Clip, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("spikes, many of them\n" * 1000)
    with pytest.raises(RecordingError, match=r"notes\.txt"):
        open_sequence(clip.path, spikes=notes)


@pytest.mark.parametrize("index", [-1, 4, 100])
def test_a_frame_that_is_not_there(clip: Clip, index: int) -> None:
    with open_sequence(clip.path) as sequence:
        for ask in (
            sequence.frame,
            sequence.reference,
            sequence.window,
            sequence.voxels,
            sequence.frame_name,
        ):
            with pytest.raises(SequenceError, match="0 to 3"):
                ask(index)


# ------------------------------------------------------------------ memory, threads, closing


def test_the_cache_keeps_to_its_bytes(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine import frames

    read: list[str] = []
    original = frames.read_samples
    monkeypatch.setattr(frames, "read_samples", lambda path: (read.append(path.name), original(path))[1])
    one = FRAMES.pixels * 3
    with open_sequence(clip.path, flip=True, cache_bytes=2 * one) as sequence:
        assert read == []
        for index in (0, 1, 0, 1, 2, 1, 0):
            sequence.frame(index)
        assert read == ["0001.png", "0002.png", "0003.png", "0001.png"]
    read.clear()
    with open_sequence(clip.path, flip=True, cache_bytes=one - 1) as sequence:
        sequence.frame(0)
        sequence.frame(0)
        assert read == ["0001.png", "0001.png"]


def test_pictures_are_read_only(clip: Clip) -> None:
    with open_sequence(clip.path) as sequence:
        frame = sequence.frame(0)
        with pytest.raises(ValueError, match="read-only"):
            frame[0, 0, 0] = 0.5


def test_several_threads_read_at_once(clip: Clip) -> None:
    wrong: list[int] = []
    with open_sequence(clip.path, cache_bytes=3 * FRAMES.pixels * 12) as sequence:

        def read(seed: int) -> None:
            for i in np.random.default_rng(seed).integers(0, 4, 40):
                index = int(i)
                right = np.allclose(sequence.frame(index), clip.frames[index], atol=1e-6)
                counted = naive_voxels(clip.bits, 10 * index, 10 * index + 10, 2)
                if not right or (sequence.voxels(index, 2) != counted).any():
                    wrong.append(index)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_closed_sequence_says_so(clip: Clip) -> None:
    sequence = open_sequence(clip.path)
    sequence.frame(0)
    sequence.close()
    sequence.close()
    for ask in (sequence.frame, sequence.reference, sequence.voxels):
        with pytest.raises(EngineError, match="closed"):
            ask(0)


def test_nothing_stays_open_after_a_failure(clip: Clip) -> None:
    (clip.path / "alignment.csv").write_text("t0,t1\n0,1\n")
    with pytest.raises(AlignmentError):
        open_sequence(clip.path)
    gc.collect()
    maps = Path("/proc/self/maps")
    if maps.exists():
        assert str(clip.path) not in maps.read_text(encoding="utf-8", errors="replace")


def test_ten_thousand_frames_open_by_a_sample_of_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine import frames

    write_png(tmp_path / "blur/00000.png", 1, Size(8, 8))
    content = (tmp_path / "blur/00000.png").read_bytes()
    for n in range(1, 3000):
        (tmp_path / f"blur/{n:05d}.png").write_bytes(content)
    asked: list[str] = []
    original = frames.picture_info
    monkeypatch.setattr(frames, "picture_info", lambda path: (asked.append(path.name), original(path))[1])
    with open_sequence(tmp_path) as sequence:
        assert len(sequence) == 3000
        assert sequence.findings == ()
    assert len(asked) <= frames.SURVEYED_HEADERS
    assert {asked[0], asked[-1]} == {"00000.png", "02999.png"}


# ------------------------------------------------------------------ finding, and what nobody here made


def test_finding_sequences(clip: Clip, tmp_path: Path) -> None:
    assert find_sequences(clip.path) == [SequenceSource(str(clip.path))]
    assert find_sequences(tmp_path) == [SequenceSource(str(clip.path))]
    (tmp_path / "empty").mkdir()
    assert find_sequences(tmp_path / "empty") == []
    with pytest.raises(SequenceError):
        find_sequences(tmp_path / "missing")


@pytest.mark.shared
@pytest.mark.parametrize(("part", "blurred"), [("part2", 0.775), ("part3", 0.793)])
def test_a_spikezoo_recording_opens_with_nothing_said(shared_data: Path, part: str, blurred: float) -> None:
    with open_sequence(shared_data / f"spikezoo/203_{part}_key_id151.dat") as sequence:
        assert spans(sequence) == [(0, 301)]
        assert sequence.frame_size == Size(250, 400)
        frame, reference = sequence.frame(0), sequence.reference(0)
        assert reference is not None
        found = np.corrcoef(frame[:, :, 0].ravel(), reference[:, :, 0].ravel())[0, 1]
        assert found == pytest.approx(blurred, abs=0.001)
    with open_sequence(
        shared_data / f"spikezoo/203_{part}_key_id151.dat", exposure_planes=64, stride_planes=32
    ) as sequence:
        has = [sequence.reference(i) is not None for i in range(len(sequence))]
        assert has.count(True) == 1
        assert sequence.windows[has.index(True)] == AlignmentWindow(128, 192)


@pytest.mark.shared
def test_the_spikezoo_folder_lists_what_to_open(shared_data: Path) -> None:
    with pytest.raises(SequenceError, match=r"203_part2_key_id151\.dat, 203_part3_key_id151\.dat"):
        open_sequence(shared_data / "spikezoo")
    names = [Path(source.path).name for source in find_sequences(shared_data / "spikezoo")]
    assert names == ["203_part2_key_id151.dat", "203_part3_key_id151.dat", "uhsr.npz"]


@pytest.mark.shared
def test_a_real_camera_s_unpacked_recording_opens(shared_data: Path) -> None:
    with open_sequence(shared_data / "spikezoo/uhsr.npz") as sequence:
        assert (sequence.frame_size, spans(sequence)) == (Size(250, 250), [(0, 200)])
        assert not sequence.has_reference
        assert sequence.frame(0).max() == 1
