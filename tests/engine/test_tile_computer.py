"""Going on with smaller pieces when memory runs out, at a size that the test chooses."""

import numpy as np
import pytest

from engine.errors import MethodError
from engine.geometry import Size, Span
from engine.restoration.events import FrameRestored
from engine.restoration.memory import GIB
from engine.restoration.methods import Method
from engine.restoration.options import ComputeOptions
from engine.restoration.plan import plan
from engine.restoration.run import ClipError, run_clips
from engine.restoration.settings import settle
from engine.restoration.tile_computer import TileComputer

SIZE = Size(72, 120)
FRAMES = 5


class Frames:
    """Frames of noise, the same every time."""

    frame_size = SIZE
    recording = None
    bit_depth = 8

    def __len__(self):
        return FRAMES

    def frame(self, index):
        return np.random.default_rng(index).random((SIZE.height, SIZE.width, 3), np.float32)

    def frame_name(self, index):
        return f"{index:04d}"

    def forget_spikes(self, frames):
        pass


class Identity(Method):
    """Gives back what it gets, while that is small enough."""

    name = "identity"
    clip_frames, clip_overlap, overlap_px, multiple_px = 5, 1, 8, 4

    def __init__(self, most_pixels, error=MemoryError):
        self.most_pixels = most_pixels
        self.error = error
        self.tried = []
        self.freed = 0

    def prepare(self, sequence, clip, wanted):
        return np.stack([sequence.frame(index) for index in range(clip.start, clip.stop)])

    def part(self, prepared, frames):
        return prepared[frames.start : frames.stop]

    def restore(self, prepared, region):
        self.tried.append((region.size, len(prepared)))
        if region.size.pixels * len(prepared) > self.most_pixels:
            raise self.error("CUDA out of memory")
        return prepared[(slice(None), *region.slices)].copy()

    def free_memory(self):
        self.freed += 1


def restored(method, settings=ComputeOptions()):  # noqa: B008
    layout = settle(SIZE, FRAMES, method, settings)
    computer = TileComputer(method, SIZE, layout)
    work = plan(
        SIZE,
        Span(0, FRAMES),
        layout.tile,
        layout.overlap_px,
        layout.clip_frames,
        layout.clip_overlap,
        multiple=method.multiple_px,
    )
    try:
        steps = list(run_clips(Frames(), work, method, computer=computer))
    except ClipError as error:
        raise error.cause from None
    return {step.frame: step.picture for step in steps if isinstance(step, FrameRestored)}, computer


@pytest.mark.parametrize("error", [MemoryError, RuntimeError])
@pytest.mark.parametrize(
    "most_pixels", [72 * 120 * 5, 60 * 60 * 5, 30 * 30 * 5, 12 * 12 * 5, 12 * 12 * 2, 12 * 12]
)
def test_everything_comes_out_however_little_fits(most_pixels, error):
    method = Identity(most_pixels, error)

    pictures, computer = restored(method)

    assert sorted(pictures) == list(range(FRAMES))
    for index, picture in pictures.items():
        np.testing.assert_allclose(picture, Frames().frame(index), atol=1e-6)
    assert bool(computer.remarks) == (most_pixels < 72 * 120 * 5)
    assert method.freed == len(computer.remarks)


def test_tiles_are_halved_before_frames_are():
    method = Identity(12 * 12 * 2)

    restored(method)

    frames_tried = [frames for _, frames in method.tried]
    assert frames_tried.index(3) > [size.height for size, _ in method.tried].index(12)


def test_what_does_not_fit_at_all_is_an_error_that_says_so():
    with pytest.raises(MethodError, match="one frame at a time"):
        restored(Identity(100))


def test_a_tile_that_was_asked_for_is_never_made_smaller():
    method = Identity(30 * 30 * 5)

    with pytest.raises(MethodError, match="do not fit the memory"):
        restored(method, ComputeOptions(tile=Size(64, 64)))

    assert len(method.tried) == 1


def test_several_tiles_go_together_and_are_parted_when_that_is_too_much():
    batches = []

    class Batched(Identity):
        def restore_batch(self, prepared, regions):
            batches.append(len(regions))
            if len(regions) > 2:
                raise MemoryError
            return super().restore_batch(prepared, regions)

    method = Batched(1 << 40)
    settings = ComputeOptions(at_most_px=40, batch_tiles=6)

    pictures, computer = restored(method, settings)

    assert batches[0] == 6
    assert set(batches[2:]) <= {1, 2, 3}
    assert computer.limits.tiles <= 2
    for index, picture in pictures.items():
        np.testing.assert_allclose(picture, Frames().frame(index), atol=1e-6)


def test_other_errors_stay_what_they_are():
    class Broken(Identity):
        def restore(self, _prepared, _region):
            raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        restored(Broken(1))


def test_the_first_tile_is_measured_and_later_ones_kept_within_the_budget():
    class Greedy(Identity):
        """Says that it takes little, and takes a hundred megabytes for a large tile."""

        def memory_bytes(self, _tile, _frames):
            return 1

        def restore(self, prepared, region):
            taken = np.ones(round(100e6 / 8 * region.size.pixels / SIZE.pixels))
            assert taken[-1] == 1
            return super().restore(prepared, region)

    method = Greedy(1 << 40)

    pictures, computer = restored(method, ComputeOptions(memory_gb=60e6 / GIB, clip_frames=2))

    assert len(pictures) == FRAMES
    assert any("a tile took" in remark for remark in computer.remarks)
    assert computer.limits.tile.pixels < SIZE.pixels
