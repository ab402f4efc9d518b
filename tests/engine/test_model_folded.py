"""Networks that work at a part of the frames' scale, and let the spikes in at the start."""

from pathlib import Path

import pytest
import torch

from engine.errors import ModelError
from engine.model import VRTConfig, VRTSpike, VRTSpikeConfig, load_model
from engine.model.checkpoint import ModelCard, save_model
from engine.voxels import VoxelSpec


def config(fold: int = 2, at_entry: bool = True) -> VRTSpikeConfig:
    return VRTSpikeConfig(
        vrt=VRTConfig(
            window_size=(2, 4, 4),
            depths=(1,) * 8,
            indep_reconsts=(7,),
            embed_dims=(8,) * 8,
            num_heads=(2,) * 8,
            deformable_groups=2,
            fold=fold,
            flow_widths=(4, 4, 4, 4),
            drop_path=0.0,
        ),
        spike_bins=3,
        channels_per_scale=(8, 8, 8, 8),
        spikes_at_entry=at_entry,
    )


def network(**options: int | bool) -> VRTSpike:
    torch.manual_seed(0)
    return VRTSpike(config(**options)).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fold", "frames", "spikes"),
    [
        (1, (2, 24, 24), (16, 16)),
        (2, (3, 40, 33), (20, 16)),
        (2, (1, 7, 50), (7, 50)),
        (3, (2, 48, 48), (24, 24)),
    ],
)
def test_any_size_comes_back(fold: int, frames: tuple[int, int, int], spikes: tuple[int, int]) -> None:
    count, height, width = frames
    blurry, voxels = torch.rand(1, count, 3, height, width), torch.rand(1, count, 3, *spikes)

    with torch.inference_mode():
        restored = network(fold=fold)(blurry, voxels)

    assert restored.shape == blurry.shape
    assert restored.isfinite().all()


@pytest.mark.parametrize("fold", [1, 2])
def test_without_a_residual_every_pixel_stays_in_its_place(fold: int) -> None:
    model = network(fold=fold)
    torch.nn.init.zeros_(model.vrt.last_convolution.weight)
    torch.nn.init.zeros_(model.vrt.last_convolution.bias)
    blurry = torch.rand(1, 2, 3, 36, 44)

    with torch.inference_mode():
        restored = model(blurry, torch.rand(1, 2, 3, 18, 22))

    torch.testing.assert_close(restored, blurry)


def test_spikes_at_the_entry_act_on_their_own_frame() -> None:
    model = network()
    for fusion in model.fusion:
        torch.nn.init.zeros_(fusion.projection.weight)
        torch.nn.init.zeros_(fusion.projection.bias)
    blurry, voxels = torch.rand(1, 2, 3, 32, 32), torch.rand(1, 2, 3, 16, 16)

    with torch.inference_mode():
        before = model(blurry, voxels)
        voxels[:, 1, :, 4:8, 4:8] += 1
        change = (model(blurry, voxels) - before).abs().mean(dim=(0, 2))

    assert change[1, 8:16, 8:16].mean() > 3 * change[1, 24:, 24:].mean()
    assert change[1].mean() > change[0].mean()


def test_fresh_weights_find_no_motion() -> None:
    flows = network().vrt.flow(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))

    assert all(not flow.any() for flow in flows)


def test_a_folded_network_is_the_same_after_saving(tmp_path: Path) -> None:
    model = network()
    spec = VoxelSpec(bins=3)
    save_model(tmp_path / "folded.safetensors", model, spec, ModelCard(name="folded"))

    loaded = load_model(tmp_path / "folded.safetensors")

    blurry, voxels = torch.rand(1, 2, 3, 32, 32), torch.rand(1, 2, 3, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(loaded.model(blurry, voxels), model(blurry, voxels), rtol=0, atol=0)


def test_an_impossible_fold_is_refused() -> None:
    with pytest.raises(ModelError, match="fold"):
        config(fold=0)


def test_a_network_that_has_restored_can_still_learn() -> None:
    model = network()
    blurry, voxels = torch.rand(1, 2, 3, 80, 48), torch.rand(1, 2, 3, 40, 24)
    with torch.inference_mode():
        model(blurry, voxels)

    model(blurry, voxels).sum().backward()

    assert all(parameter.grad is not None for parameter in model.fusion.parameters())
