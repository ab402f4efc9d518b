"""Metrics against hand-computed and naive oracles."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from engine.errors import MethodError
from engine.metrics import compare, correlation, psnr, ssim


def picture(seed: int, height: int = 20, width: int = 17) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def grey(value: float, height: int = 16, width: int = 16) -> NDArray[np.float32]:
    return np.full((height, width, 3), value, np.float32)


def test_psnr_of_a_difference_of_ten_levels_is_as_computed_by_hand() -> None:
    # 10 · log10(255² / 10²) = 28.1308
    assert psnr(grey(100 / 255), grey(110 / 255)) == pytest.approx(28.130804, abs=1e-5)


def test_psnr_counts_all_channels_alike() -> None:
    a, b = grey(0.4), grey(0.4)
    b[0, 0, 1] += 51 / 255
    # One of 768 values is off by 51 levels: 10 · log10(255² · 768 / 51²) = 42.8330
    assert psnr(a, b) == pytest.approx(42.8330, abs=1e-4)


def test_psnr_is_what_the_written_8_bit_file_scores() -> None:
    a, b = picture(1), picture(2)
    rounded_a = np.floor(a.astype(np.float64) * 255 + 0.5) / 255
    rounded_b = np.floor(b.astype(np.float64) * 255 + 0.5) / 255
    assert psnr(a, b) == pytest.approx(-10 * np.log10(np.mean((rounded_a - rounded_b) ** 2)), abs=1e-4)


def test_values_outside_the_range_count_as_clipped() -> None:
    assert psnr(grey(1.7), grey(1.0)) == float("inf")


def naive_ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Wang et al. 2004, one window at a time."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for channel in range(3):
        for row in range(a.shape[0] - 10):
            for column in range(a.shape[1] - 10):
                x = a[row : row + 11, column : column + 11, channel]
                y = b[row : row + 11, column : column + 11, channel]
                mx, my = (window * x).sum(), (window * y).sum()
                vx, vy = (window * x * x).sum() - mx * mx, (window * y * y).sum() - my * my
                cov = (window * x * y).sum() - mx * my
                values.append(
                    (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
                )
    return float(np.mean(values))


def test_ssim_agrees_with_an_explicit_gaussian_loop() -> None:
    a = np.floor(picture(3) * 255 + 0.5)
    b = np.floor(np.clip(picture(3) + 0.2 * picture(4), 0, 1) * 255 + 0.5)
    expected = naive_ssim(a.astype(np.float64), b.astype(np.float64))
    assert ssim((a / 255).astype(np.float32), (b / 255).astype(np.float32)) == pytest.approx(
        expected, abs=1e-6
    )


def test_ssim_of_a_picture_with_itself_is_one() -> None:
    assert ssim(picture(5), picture(5)) == pytest.approx(1.0)


def test_ssim_of_a_picture_smaller_than_the_window_is_not_a_number() -> None:
    assert np.isnan(ssim(picture(5, 10, 40), picture(6, 10, 40)))


def test_correlation_agrees_with_numpy_and_ignores_gain_and_offset() -> None:
    a, b = picture(7), picture(8)
    assert correlation(a, b) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-6)
    assert correlation(a, 0.3 * a + 0.2) == pytest.approx(1.0, abs=1e-6)


def test_correlation_with_a_constant_picture_is_zero() -> None:
    assert correlation(grey(0.5), picture(1, 16, 16)) == 0.0


@pytest.mark.parametrize("metric", [psnr, ssim, correlation])
def test_different_shapes_are_refused_with_both_of_them(metric) -> None:
    with pytest.raises(MethodError, match=r"\(20, 17, 3\) and \(20, 18, 3\)"):
        metric(picture(1), picture(1, 20, 18))


def sequence(reference: NDArray[np.float32] | None, *, is_virtual: bool) -> SimpleNamespace:
    return SimpleNamespace(
        reference=lambda _: reference, is_virtual=is_virtual, frame_name=lambda index: f"{index:04d}"
    )


def test_pictures_made_of_spikes_alone_are_brought_to_the_references_brightness() -> None:
    reference = picture(9) * 0.8
    scores = compare(sequence(reference, is_virtual=True), 0, 0.25 * reference)
    assert scores.gain_matched
    assert scores.psnr > 50
    assert scores.correlation == pytest.approx(1.0)


def test_pictures_with_frames_of_their_own_are_compared_as_they_are() -> None:
    reference = picture(9)
    scores = compare(sequence(reference, is_virtual=False), 0, 0.5 * reference)
    assert not scores.gain_matched
    assert scores.psnr == psnr(0.5 * reference, reference)
    assert scores.ssim == ssim(0.5 * reference, reference)


def test_a_frame_without_reference_is_named() -> None:
    with pytest.raises(MethodError, match="0007"):
        compare(sequence(None, is_virtual=False), 7, picture(1))


@pytest.mark.parametrize("height", [11, 12, 74, 75, 139, 150])
def test_pictures_of_any_height_score_as_scikit_image_scores_them_whole(height: int) -> None:
    first, second = picture(1, height, 23), picture(2, height, 23)
    levels, reference = (np.floor(one * 255 + 0.5).astype(np.uint8) for one in (first, second))
    whole = structural_similarity(
        reference,
        levels,
        data_range=255,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(first, second) == pytest.approx(whole, abs=1e-12)
    expected = peak_signal_noise_ratio(reference, levels, data_range=255)
    assert psnr(first, second) == pytest.approx(expected, abs=1e-9)
    together = np.corrcoef(first.astype(np.float64).ravel(), second.astype(np.float64).ravel())[0, 1]
    assert correlation(first, second) == pytest.approx(together, abs=1e-12)
