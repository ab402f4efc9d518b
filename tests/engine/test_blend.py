"""Blending gives back what it was given, for every layout of tiles."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.geometry import Region, Size, Span
from engine.restoration.blend import Blend, axis_weights
from engine.restoration.plan import cut_evenly
from tests.engine.planning import make_plan


@given(total=st.integers(1, 2000), length=st.integers(1, 400), overlap=st.integers(0, 399))
def test_weights_along_an_axis_add_up_to_one_everywhere(total: int, length: int, overlap: int) -> None:
    spans = cut_evenly(Span(0, total), length, min(overlap, length - 1))
    summed = np.zeros(total)
    for span, weights in zip(spans, axis_weights(spans), strict=True):
        assert (weights >= 0).all()
        summed[span.start : span.stop] += weights
    np.testing.assert_allclose(summed, 1.0, atol=1e-12)


def test_weights_between_two_tiles_are_a_raised_cosine_inside_what_they_share() -> None:
    first, second = axis_weights((Span(0, 14), Span(6, 20)))
    ramp = [0.5 * (1 + np.cos(np.pi * (k + 0.5) / 4)) for k in range(4)]
    np.testing.assert_allclose(first, [1.0] * 8 + ramp + [0.0] * 2, atol=1e-15)
    np.testing.assert_allclose(second, [0.0] * 2 + ramp[::-1] + [1.0] * 8, atol=1e-15)


def test_the_borders_of_the_picture_count_in_full() -> None:
    first, second = axis_weights((Span(0, 14), Span(6, 20)))
    assert first[0] == second[-1] == 1.0


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    tile_px=st.integers(17, 64),
    overlap_px=st.integers(0, 16),
    multiple_px=st.sampled_from([1, 4, 8]),
    frames=st.integers(1, 9),
    clip_frames=st.integers(1, 5),
    clip_overlap=st.integers(0, 4),
    seed=st.integers(0, 2**31),
)
def test_an_identity_method_gives_its_input_back(
    height: int,
    width: int,
    tile_px: int,
    overlap_px: int,
    multiple_px: int,
    frames: int,
    clip_frames: int,
    clip_overlap: int,
    seed: int,
) -> None:
    method = SimpleNamespace(
        name="identity",
        overlap_px=min(overlap_px, tile_px // multiple_px * multiple_px - multiple_px),
        multiple_px=multiple_px,
        clip_frames=clip_frames,
        clip_overlap=min(clip_overlap, clip_frames - 1),
        default_tile_px=tile_px,
    )
    plan = make_plan(Size(height, width), Span(2, 2 + frames), method)
    random = np.random.default_rng(seed)
    truth = random.random((frames, height, width, 3), np.float32)
    blurry = random.random((frames, height, width, 3), np.float32)
    result = lay_all(plan, truth, blurry)
    np.testing.assert_allclose(result, truth, atol=1e-6)


def lay_all(plan, truth: NDArray[np.float32], blurry: NDArray[np.float32]) -> NDArray[np.float32]:
    blend = Blend(plan)
    pictures = blurry.copy()
    for clip in plan.clips:
        for tile in plan.tiles:
            weights = blend.weights(tile, clip)
            for offset, frame in enumerate(range(clip.start, clip.stop)):
                index = frame - plan.frames.start
                restored = truth[(index, *tile.slices)]
                blend.lay(pictures[index], blurry[index], restored, tile, weights[offset])
    return pictures


def test_a_single_tile_is_taken_to_the_last_bit() -> None:
    method = SimpleNamespace(
        name="identity", overlap_px=0, multiple_px=1, clip_frames=1, clip_overlap=0, default_tile_px=None
    )
    plan = make_plan(Size(31, 47), Span(0, 1), method)
    random = np.random.default_rng(5)
    truth = random.random((1, 31, 47, 3), np.float32)
    assert np.array_equal(lay_all(plan, truth, random.random((1, 31, 47, 3), np.float32)), truth)


def test_context_around_a_region_is_not_shown() -> None:
    method = SimpleNamespace(
        name="identity", overlap_px=6, multiple_px=1, clip_frames=1, clip_overlap=0, default_tile_px=20
    )
    region = Region(10, 12, 40, 30)
    plan = make_plan(Size(60, 60), Span(0, 1), method, region=region)
    truth = np.ones((1, 60, 60, 3), np.float32)
    result = lay_all(plan, truth, np.zeros_like(truth))[0]
    expected = np.zeros_like(result)
    expected[10:40, 12:30] = 1.0
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_frames_near_the_end_of_a_clip_are_trusted_less() -> None:
    method = SimpleNamespace(
        name="identity", overlap_px=0, multiple_px=1, clip_frames=6, clip_overlap=3, default_tile_px=None
    )
    plan = make_plan(Size(4, 4), Span(0, 9), method)
    first, second = plan.clips
    blend = Blend(plan)
    trust = blend.weights(plan.tiles[0], first)[:, 0, 0]
    assert list(trust[:3]) == pytest.approx([1.0, 1.0, 1.0])
    assert trust[3] > trust[4] > trust[5] > 0
    np.testing.assert_allclose(trust[3:] + blend.weights(plan.tiles[0], second)[:3, 0, 0], 1.0, atol=1e-6)
