"""The fused alignment against the plain one; on a CPU through Triton's interpreter, in its own process."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from engine.model.deformable import deformable_convolution
from engine.model.deformable_fused import available, fused_convolution

SHAPES = [  # pictures, channels, groups, outputs, height, width, kernel
    (1, 12, 2, 12, 5, 7, 3),
    (3, 96, 16, 96, 9, 8, 3),
    (2, 40, 4, 24, 1, 13, 3),
    (2, 8, 8, 130, 11, 3, 1),
]
INTERPRET = """
import sys; sys.path.insert(0, sys.argv[1])
import test_deformable_fused as t
for shape in t.SHAPES:
    t.check_same(shape, "cpu"); t.check_gradients(shape[:4] + (4, 5, shape[6]), "cpu")
t.check_far_points("cpu")
"""


def inputs(shape: tuple[int, ...], device: str) -> list[torch.Tensor]:
    pictures, channels, groups, outputs, height, width, kernel = shape
    torch.manual_seed(sum(shape))
    points = torch.rand(pictures, groups, kernel**2, height, width, 2)
    points = points * torch.tensor((width + 6.0, height + 6.0)) - 3
    points[..., :2, :] = points[..., :2, :].round()  # on pixels, where the neighbours' shares are 0 and 1
    tensors = [
        torch.randn(pictures, channels, height, width),
        points,
        torch.rand(points.shape[:-1]),
        torch.randn(outputs, channels, kernel, kernel),
        torch.randn(outputs),
    ]
    return [each.to(device) for each in tensors]


def check_same(shape: tuple[int, ...], device: str) -> None:
    given = inputs(shape, device)
    assert available(given[0])
    with torch.inference_mode():
        found = fused_convolution(*given, plain=refuse)
        # in double precision: the one that is wrong shows
        expected = deformable_convolution(*(each.double() for each in given))
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-3)


def check_gradients(shape: tuple[int, ...], device: str) -> None:
    one = [each.requires_grad_() for each in inputs(shape, device)]
    other = [each.detach().clone().requires_grad_() for each in one]
    fused_convolution(*one, plain=deformable_convolution).square().mean().backward()
    deformable_convolution(*other).square().mean().backward()
    for found, expected in zip(one, other, strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-3, atol=1e-4)


def check_far_points(device: str) -> None:
    x, points, mask, weight, bias = inputs((1, 16, 2, 16, 4, 4, 3), device)
    points = torch.full_like(points, 1e12) * torch.where(points > 0, 1, -1)
    with torch.inference_mode():
        found = fused_convolution(x, points, mask, weight, bias, plain=refuse)
    torch.testing.assert_close(found, bias.expand_as(found))


def refuse(*_: torch.Tensor) -> torch.Tensor:
    raise AssertionError("the plain way was taken")


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed: pip install triton")
def test_the_interpreted_kernel_gives_what_the_plain_way_gives() -> None:
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    command = [sys.executable, "-c", INTERPRET, str(Path(__file__).parent)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernel_gives_what_the_plain_way_gives(shape: tuple[int, ...]) -> None:
    check_same(shape, "cuda")
    check_gradients(shape, "cuda")
    check_far_points("cuda")


def test_a_kernel_that_cannot_be_built_is_told_once_and_passed_over(monkeypatch, caplog) -> None:
    import engine.model.deformable_fused as fused

    def fail(*_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(fused, "_launch", fail)
    monkeypatch.setattr(fused, "INTERPRETED", False)
    monkeypatch.setattr(fused.available, "failed", False)
    given = inputs(SHAPES[0], "cpu")
    found = fused_convolution(*given, plain=deformable_convolution)
    torch.testing.assert_close(found, deformable_convolution(*given))
    assert fused.available.failed
    assert "no compiler" in caplog.text
    assert not available(given[0])
