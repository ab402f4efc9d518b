"""Losses against values worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import EngineError
from training.losses import (
    VGG_CONVOLUTIONS,
    DeblurLoss,
    LossWeights,
    VggFeatures,
    charbonnier,
    edge,
    load_vgg,
    perceptual,
    spectrum,
)


def torchvision_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights under torchvision's names, those of layers behind relu3_3 included."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for place, inside, out in (*VGG_CONVOLUTIONS, (17, 256, 512)):
        state[f"features.{place}.weight"] = torch.randn(out, inside, 3, 3, generator=generator) * 0.05
        state[f"features.{place}.bias"] = torch.randn(out, generator=generator) * 0.1
    state["classifier.0.weight"] = torch.zeros(4, 4)
    return state


@pytest.fixture
def vgg_file(tmp_path: Path) -> Path:
    torch.save(torchvision_state(), tmp_path / "vgg16-397923af.pth")
    return tmp_path / "vgg16-397923af.pth"


def test_charbonnier_is_the_mean_of_smoothed_distances() -> None:
    restored, reference = torch.tensor([0.3, 0.0]), torch.tensor([0.0, 0.0])

    got = charbonnier(restored, reference, delta=0.4)

    assert got.item() == pytest.approx((math.sqrt(0.09 + 0.16) + 0.4) / 2)


def test_charbonnier_of_equal_pictures_is_delta() -> None:
    picture = torch.rand(2, 3, 4, 4)

    assert charbonnier(picture, picture).item() == pytest.approx(1e-3)


def test_edges_are_differences_of_neighbours() -> None:
    restored = torch.tensor([[[[0.0, 3.0], [4.0, 0.0]]]])

    got = edge(restored, torch.zeros_like(restored), delta=1e-6)

    # Down: 4 and −3. Across: 3 and −4.
    assert got.item() == pytest.approx((3.5 + 3.5) / 2, rel=1e-5)


def test_a_shift_in_brightness_has_no_edges() -> None:
    picture = torch.rand(1, 3, 8, 8)

    assert edge(picture + 0.2, picture, delta=1e-3).item() == pytest.approx(1e-3, rel=1e-3)


def test_the_spectrum_is_that_of_a_plain_fourier_sum() -> None:
    difference = np.random.default_rng(1).random((4, 6))
    y, x = np.mgrid[:4, :6]
    total = 0.0
    for row in range(4):
        for column in range(4):
            wave = np.exp(-2j * np.pi * (row * y / 4 + column * x / 6))
            value = (difference * wave).sum() / math.sqrt(24)
            total += abs(value.real) + abs(value.imag)

    got = spectrum(torch.from_numpy(difference)[None, None], torch.zeros(1, 1, 4, 6, dtype=torch.float64))

    assert got.item() == pytest.approx(total / 16)


def naive_relu3_3(state: dict[str, torch.Tensor], picture: np.ndarray) -> np.ndarray:
    """(3, H, W) in [0, 1] → (256, H/4, W/4), with loops over kernel positions in float64."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x = (picture - mean[:, None, None]) / std[:, None, None]
    for place, _, _ in VGG_CONVOLUTIONS:
        if place in (5, 10):
            x = np.maximum.reduce([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)])
        weight = state[f"features.{place}.weight"].double().numpy()
        bias = state[f"features.{place}.bias"].double().numpy()
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        height, width = x.shape[1:]
        result = np.zeros((len(weight), height, width)) + bias[:, None, None]
        for i in range(3):
            for j in range(3):
                window = padded[:, i : i + height, j : j + width]
                result += np.einsum("oc,chw->ohw", weight[:, :, i, j], window)
        x = np.maximum(result, 0)
    return x


def test_perceptual_is_the_distance_at_relu3_3(vgg_file: Path) -> None:
    generator = np.random.default_rng(2)
    first, second = generator.random((2, 3, 8, 8))
    state = torchvision_state()
    expected = np.abs(naive_relu3_3(state, first) - naive_relu3_3(state, second)).mean()

    pictures = [torch.from_numpy(picture).float()[None, None] for picture in (first, second)]
    got = perceptual(load_vgg(vgg_file), *pictures)

    assert got.item() == pytest.approx(expected, rel=1e-4)


def test_vgg_never_learns(vgg_file: Path) -> None:
    vgg = load_vgg(vgg_file)
    restored = torch.rand(1, 3, 8, 8, requires_grad=True)

    perceptual(vgg, restored, torch.rand(1, 3, 8, 8)).backward()

    assert restored.grad is not None
    assert restored.grad.any()
    assert all(parameter.grad is None for parameter in vgg.parameters())


@pytest.mark.parametrize("path", [None, Path("nowhere/vgg16-397923af.pth")])
def test_without_weights_the_error_offers_to_do_without(path: Path | None) -> None:
    with pytest.raises(EngineError, match="perceptual 0"):
        DeblurLoss(LossWeights(vgg=path))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")

    with pytest.raises(EngineError, match="not the weights of VGG-16"):
        load_vgg(tmp_path / "other.pth")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vgg.pth").write_bytes(b"<html>not found</html>")

    with pytest.raises(EngineError, match="not the weights of VGG-16"):
        load_vgg(tmp_path / "vgg.pth")


def test_the_total_is_the_weighted_sum(vgg_file: Path) -> None:
    loss = DeblurLoss(LossWeights(charbonnier=2.0, perceptual=0.5, vgg=vgg_file, edge=0.25, spectrum=0.125))

    parts = loss(torch.rand(1, 2, 3, 8, 8), torch.rand(1, 2, 3, 8, 8))

    assert parts["total"].item() == pytest.approx(
        sum(
            weight * parts[name].item()
            for name, weight in (("charbonnier", 2), ("perceptual", 0.5), ("edge", 0.25), ("spectrum", 0.125))
        )
    )


def test_losses_are_computed_in_float32_under_autocast() -> None:
    loss = DeblurLoss(LossWeights(perceptual=0.0))
    restored = torch.full((1, 3, 4, 4), 0.5, dtype=torch.bfloat16)

    with torch.autocast("cpu", torch.bfloat16):
        total = loss(restored, torch.full((1, 3, 4, 4), 0.5001))["total"]

    assert total.dtype == torch.float32
    assert total.item() == pytest.approx(math.hypot(1e-4, 1e-3), rel=1e-3)


@pytest.mark.parametrize(
    "weights", [{"charbonnier": -1.0}, {"charbonnier": 0.0, "perceptual": 0.0}, {"charbonnier_delta": 0.0}]
)
def test_impossible_weights_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"weights|delta"):
        LossWeights(**weights)  # type: ignore[arg-type]


def test_features_have_a_quarter_of_the_size() -> None:
    assert VggFeatures()(torch.rand(1, 3, 16, 24)).shape == (1, 256, 4, 6)
