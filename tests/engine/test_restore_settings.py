"""Which tile is chosen for the memory there is."""

import pytest

from engine.errors import MethodError
from engine.geometry import Size, Span
from engine.restoration import settings as restore_settings
from engine.restoration.memory import GIB, Budget, find_budget, is_out_of_memory
from engine.restoration.methods import Method
from engine.restoration.options import ComputeOptions
from engine.restoration.plan import plan
from engine.restoration.settings import best_tile, settle
from tests.engine.planning import make_plan

HD = Size(720, 1280)
BYTES_PER_PIXEL = 1000


class Costly(Method):
    """Takes a known number of bytes for every pixel and frame."""

    name = "costly"
    clip_frames, clip_overlap, overlap_px, multiple_px = 6, 2, 32, 8

    def __init__(self, device="cpu"):
        self.device = device

    def memory_bytes(self, tile, frames):
        return tile.pixels * frames * BYTES_PER_PIXEL

    def prepare(self, sequence, clip, wanted):
        raise NotImplementedError

    def restore(self, prepared, region):
        raise NotImplementedError


def memory_for(tile, frames=6):
    return tile * tile * frames * BYTES_PER_PIXEL / GIB


def planned(layout):
    return plan(
        HD, Span(0, 6), layout.tile, layout.overlap_px, layout.clip_frames, layout.clip_overlap, multiple=8
    )


def test_the_chosen_tile_fits_and_costs_little():
    layout = settle(HD, 6, Costly(), ComputeOptions(memory_gb=memory_for(384)))

    assert layout.needs_bytes <= layout.budget.bytes
    assert planned(layout).overlap_cost < 1.25 < plan(HD, Span(0, 6), 256, 32, 6, 2).overlap_cost


@pytest.mark.parametrize("tile", [64, 100, 200, 256, 384, 600, 2000])
def test_no_square_tile_that_fits_is_cheaper(tile):
    memory = memory_for(tile)
    layout = settle(HD, 6, Costly(), ComputeOptions(memory_gb=memory))
    squares = [
        plan(HD, Span(0, 6), edge, 32, 6, 2, multiple=8).overlap_cost for edge in range(40, tile + 1, 8)
    ]
    assert planned(layout).overlap_cost <= min(squares) + 1e-9


def test_with_plenty_of_memory_the_picture_is_one_tile():
    layout = settle(HD, 6, Costly(), ComputeOptions(memory_gb=1000))

    assert planned(layout).tiles_total == 1
    assert layout.needs_bytes == Costly().memory_bytes(HD, 6)


def test_where_no_tile_fits_clips_get_shorter():
    too_little = memory_for(40) * 0.9

    layout = settle(HD, 6, Costly(), ComputeOptions(memory_gb=too_little))

    assert layout.clip_frames == 3
    assert layout.clip_overlap == 2
    assert layout.needs_bytes <= layout.budget.bytes


def test_a_tile_that_was_asked_for_is_taken_or_refused_with_the_size_that_fits():
    asked = ComputeOptions(tile=Size(512, 512), memory_gb=memory_for(512))
    assert settle(HD, 6, Costly(), asked).tile == Size(512, 512)

    with pytest.raises(MethodError) as refusal:
        settle(HD, 6, Costly(), ComputeOptions(tile=Size(512, 512), memory_gb=memory_for(300)))

    advice = str(refusal.value)
    height, width = (int(part) for part in advice.split("tile of ")[1].split(",")[0].split("x"))
    assert Costly().memory_bytes(Size(height, width), 6) <= memory_for(300) * GIB
    assert "auto" in advice


def test_a_bound_keeps_tiles_small():
    layout = settle(HD, 6, Costly(), ComputeOptions(memory_gb=1000, at_most_px=256))

    assert max(layout.tile.height, layout.tile.width) <= 256


def test_gpus_get_several_tiles_at_once(monkeypatch):
    monkeypatch.setattr(
        restore_settings, "find_budget", lambda *_, **__: Budget(round(memory_for(256) * 3 * GIB))
    )
    settings = ComputeOptions(at_most_px=256)

    assert settle(HD, 6, Costly("cuda:0"), settings).batch_tiles >= 3
    assert settle(HD, 6, Costly("cpu"), settings).batch_tiles == 1


def test_best_tile_says_when_nothing_fits():
    assert best_tile(HD, 32, 6, Costly(), 1000) is None


def test_the_budget_is_what_was_said_or_a_share_of_what_is_free():
    assert find_budget("cpu", 1.5) == Budget(round(1.5 * GIB), "cpu")
    assert 0 < find_budget("cpu").bytes < 1 << 50


@pytest.mark.parametrize("value", [{"clip_frames": 0}, {"overlap_px": -1}, {"memory_gb": 0.0}])
def test_settings_that_mean_nothing_are_refused(value):
    with pytest.raises(MethodError, match="positive"):
        ComputeOptions(**value)


def test_a_clip_must_be_longer_than_what_clips_share():
    with pytest.raises(MethodError, match="clips"):
        plan(HD, Span(0, 6), 256, 32, 2, 2)


def test_a_methods_plan_is_the_plan_of_its_numbers():
    method = Costly()
    assert make_plan(HD, Span(0, 9), method, 256) == plan(HD, Span(0, 9), 256, 32, 6, 2, multiple=8)


def test_which_errors_mean_that_memory_ran_out():
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(KeyError("memory"))
