"""What training minimises: Charbonnier, VGG-16 perceptual, edge and spectrum losses.

All work on (N, 3, H, W) or (B, T, 3, H, W) float tensors in [0, 1] and return the mean over everything.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import EngineError
from engine.model.checkpoint import check_numbers

VGG_FILE = "vgg16-397923af.pth"
VGG_CONVOLUTIONS = (
    (0, 3, 64),
    (2, 64, 64),
    (5, 64, 128),
    (7, 128, 128),
    (10, 128, 256),
    (12, 256, 256),
    (14, 256, 256),
)
"""(place in torchvision's `features`, channels in, channels out) up to relu3_3."""
VGG_POOLS_BEFORE = (5, 10)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss; one of weight 0 is not computed."""

    charbonnier: float = 1.0
    charbonnier_delta: float = 1e-3
    perceptual: float = 0.1
    """L1 between VGG-16 relu3_3 features; needs `vgg`."""
    vgg: Path | None = None
    """torchvision's vgg16-397923af.pth."""
    edge: float = 0.0
    """Charbonnier of differences between neighbouring pixels."""
    spectrum: float = 0.0
    """L1 of the two-dimensional Fourier transform."""

    def __post_init__(self) -> None:
        weights = (self.charbonnier, self.perceptual, self.edge, self.spectrum)
        if min(weights) < 0 or not any(weights):
            raise ValueError(f"loss weights must not be negative and one must be positive, got {weights}")
        if not self.charbonnier_delta > 0:
            raise ValueError(f"charbonnier_delta must be positive, got {self.charbonnier_delta}")


class DeblurLoss:
    """The weighted sum of losses, with its parts.

    Raises EngineError when the perceptual loss is asked for and its weights are not there: random features
    would look as if they worked.
    """

    def __init__(self, weights: LossWeights) -> None:
        self.weights = weights
        self._vgg = load_vgg(weights.vgg) if weights.perceptual > 0 else None

    def __call__(self, restored: Tensor, reference: Tensor) -> dict[str, Tensor]:
        """Return the parts, unweighted, and their weighted sum as `total`; in float32 whatever comes in."""
        weights = self.weights
        # Squares of small differences vanish in half precision.
        with torch.autocast(restored.device.type, enabled=False):
            restored, reference = restored.float(), reference.float()
            parts: dict[str, tuple[float, Tensor]] = {}
            if weights.charbonnier:
                value = charbonnier(restored, reference, weights.charbonnier_delta)
                parts["charbonnier"] = weights.charbonnier, value
            if self._vgg is not None:
                self._vgg.to(restored.device)
                parts["perceptual"] = weights.perceptual, perceptual(self._vgg, restored, reference)
            if weights.edge:
                parts["edge"] = weights.edge, edge(restored, reference, weights.charbonnier_delta)
            if weights.spectrum:
                parts["spectrum"] = weights.spectrum, spectrum(restored, reference)
            total = torch.stack([weight * value for weight, value in parts.values()]).sum()
        return {"total": total, **{name: value for name, (_, value) in parts.items()}}


def charbonnier(restored: Tensor, reference: Tensor, delta: float = 1e-3) -> Tensor:
    """Return mean(√((x − y)² + δ²))."""
    return torch.sqrt((restored - reference).square() + delta**2).mean()


def edge(restored: Tensor, reference: Tensor, delta: float = 1e-3) -> Tensor:
    """Return the Charbonnier loss of the differences to the right and to the lower neighbour, averaged."""
    difference = restored - reference
    down = difference.diff(dim=-2)
    across = difference.diff(dim=-1)
    zero = torch.zeros((), device=difference.device)
    return (charbonnier(down, zero, delta) + charbonnier(across, zero, delta)) / 2


def spectrum(restored: Tensor, reference: Tensor) -> Tensor:
    """Return the mean |real| + |imaginary| of the orthonormal Fourier transform of the difference."""
    transformed = torch.fft.rfft2(restored - reference, norm="ortho")
    return torch.view_as_real(transformed).abs().sum(dim=-1).mean()


def perceptual(vgg: "VggFeatures", restored: Tensor, reference: Tensor) -> Tensor:
    """Return the mean |difference| of the features of two sets of pictures."""
    with torch.no_grad():
        wanted = vgg(reference.flatten(0, -4))
    return (vgg(restored.flatten(0, -4)) - wanted).abs().mean()


class VggFeatures(nn.Module):
    """VGG-16 up to relu3_3 (Simonyan and Zisserman 2015), for RGB pictures in [0, 1]."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {str(place): nn.Conv2d(inside, out, 3, padding=1) for place, inside, out in VGG_CONVOLUTIONS}
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, 256, H // 4, W // 4)"""
        x = (pictures - self.mean) / self.std
        for place, _, _ in VGG_CONVOLUTIONS:
            if place in VGG_POOLS_BEFORE:
                x = functional.max_pool2d(x, 2)
            x = functional.relu(self.features[str(place)](x))
        return x


def load_vgg(path: Path | None) -> VggFeatures:
    """Load torchvision's weights into frozen features. Raises EngineError."""
    advice = (
        f"Give torchvision's {VGG_FILE} (--model.loss.vgg FILE), or train without the perceptual loss "
        "(--model.loss.perceptual 0)"
    )
    if path is None or not path.is_file():
        raise EngineError(
            "the perceptual loss needs the weights of VGG-16",
            path=path,
            found="no such file" if path is not None else "no file",
            advice=advice,
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        wanted = VggFeatures()
        chosen = {name: state[name] for name in wanted.state_dict()}
        check_numbers(chosen)
        wanted.load_state_dict(chosen)
    except Exception as error:
        raise EngineError(
            f"these are not the weights of VGG-16: {' '.join(str(error).split())[:200]}",
            path=path,
            expected="features.<i>.weight and .bias as torchvision names them",
            advice=advice,
        ) from error
    return wanted.eval().requires_grad_(False)
