"""A file of weights is what its bytes are, holds what it claims, and says all that its weights do not."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from engine.errors import CheckpointError
from engine.model import load_model
from engine.model.checkpoint import ModelCard, build, load_weights, read_weights, save_model
from engine.model.config import VRTConfig, VRTSpikeConfig, config_to_dict
from engine.model_files import METADATA_KEY
from engine.voxels import VoxelSpec

CONFIG = VRTSpikeConfig(
    vrt=VRTConfig(
        window_size=(2, 4, 4),
        depths=(2,) * 8,
        indep_reconsts=(),
        embed_dims=(8,) * 8,
        num_heads=(2,) * 8,
        deformable_groups=2,
        mutual_share=0.5,
        forward_flow=True,
        flow_widths=(4, 4, 4, 4),
    ),
    spike_bins=4,
    channels_per_scale=(4, 4, 4, 4),
)
VOXELS = {"bins": 4, "transform": "log1p", "mean": 0.25, "std": 0.75}


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(2)
    return dict(build(CONFIG).state_dict())


def about(**changes: Any) -> dict[str, Any]:
    config = json.loads(json.dumps(config_to_dict(CONFIG)))
    return {
        "format_version": 1,
        "config": config,
        "voxel_spec": dict(VOXELS),
        "card": {"name": "x"},
        **changes,
    }


def write(path: Path, state: dict[str, Tensor], told: dict[str, Any]) -> Path:
    safetensors.torch.save_file(state, path, {METADATA_KEY: json.dumps(told)})
    return path


@pytest.mark.parametrize("name", ["m.pth", "m.ckpt", "m", "m.SAFETENSORS", "m.pt"])
def test_safetensors_are_read_under_every_name(name: str, state: dict[str, Tensor], tmp_path: Path) -> None:
    path = write(tmp_path / name, state, about())
    loaded = load_model(path)
    assert loaded.voxel_spec == VoxelSpec(**VOXELS)
    assert loaded.findings == ()
    assert set(read_weights(path)) == set(loaded.model.state_dict())


def test_a_pickle_is_read_under_the_name_of_the_other_kind(state: dict[str, Tensor], tmp_path: Path) -> None:
    told = {"network": config_to_dict(CONFIG), "voxels": VOXELS, "scores": {}}
    path = tmp_path / "m.safetensors"
    torch.save({"spike_deblur": told, "state_dict": state}, path)
    assert load_model(path).voxel_spec == VoxelSpec(**VOXELS)


def test_what_is_neither_is_said_without_advice_to_trust_it(tmp_path: Path) -> None:
    (tmp_path / "t.pth").write_text("these are not the weights")
    with pytest.raises(CheckpointError) as told:
        load_model(tmp_path / "t.pth")
    assert "nothing that PyTorch wrote" in str(told.value)

    class Stranger:
        pass

    for content in ({"a": Path("x")}, {"a": Stranger}):
        try:
            torch.save(content, tmp_path / "o.pth")
        except (AttributeError, RuntimeError):  # a local class has no place to be found again
            continue
        with pytest.raises(CheckpointError) as told:
            load_model(tmp_path / "o.pth")
        assert "weights_only" not in str(told.value)
        assert "a Python object" in str(told.value)


def test_an_archive_that_unpacks_to_more_than_it_is_is_refused(
    tmp_path: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a megabyte may unpack to a thousand, before anybody looks at what is in it."""
    torch.save(dict(state), tmp_path / "plain.pth")
    with (
        zipfile.ZipFile(tmp_path / "plain.pth") as source,
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.infolist():
            zeros = bytes(member.file_size) if "/data/" in member.filename else source.read(member)
            target.writestr(member.filename, zeros)

    def loads(*_: object, **__: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(torch, "load", loads)
    with pytest.raises(CheckpointError, match=r"bomb\.pth: the file claims more than it holds"):
        load_model(tmp_path / "bomb.pth")


def test_weights_that_wrap_themselves_are_no_weights(tmp_path: Path) -> None:
    round_and_round: dict[str, Any] = {}
    round_and_round["params"] = round_and_round
    torch.save(round_and_round, tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match="there are no weights in it"):
        load_model(tmp_path / "m.pth")


@pytest.mark.parametrize("dtype", [torch.int32, torch.bool, torch.complex64, torch.uint8])
def test_weights_that_are_no_real_numbers_are_refused_by_name(
    dtype: torch.dtype, state: dict[str, Tensor], tmp_path: Path
) -> None:
    path = write(
        tmp_path / "m.safetensors", {name: value.to(dtype) for name, value in state.items()}, about()
    )
    with pytest.raises(CheckpointError, match=rf"number type .*{str(dtype).removeprefix('torch.')}"):
        load_model(path)
    fresh = build(CONFIG)
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    with pytest.raises(CheckpointError, match="number type"):
        load_weights(fresh, {name: value.to(dtype) for name, value in state.items()})
    assert all(torch.equal(value, before[name]) for name, value in fresh.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_precisions_are_taken(
    dtype: torch.dtype, state: dict[str, Tensor], tmp_path: Path
) -> None:
    path = write(
        tmp_path / "m.safetensors", {name: value.to(dtype) for name, value in state.items()}, about()
    )
    loaded = load_model(path).model.state_dict()
    for name, value in state.items():
        torch.testing.assert_close(loaded[name], value, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", VOXELS)
@pytest.mark.parametrize("kind", ["safetensors", "run"])
def test_a_description_that_lacks_how_spikes_are_read_is_refused(
    kind: str, name: str, state: dict[str, Tensor], tmp_path: Path
) -> None:
    """What would be taken instead fits the weights, and gives pictures that are worse by decibels."""
    voxels = {key: value for key, value in VOXELS.items() if key != name}
    path = tmp_path / "m.safetensors"
    if kind == "safetensors":
        write(path, state, about(voxel_spec=voxels))
    else:
        path = tmp_path / "m.ckpt"
        told = {"network": config_to_dict(CONFIG), "voxels": voxels, "scores": {}}
        torch.save({"spike_deblur": told, "state_dict": state}, path)
    with pytest.raises(CheckpointError, match=rf"m\.\w+: what the file says .*lacks {name}"):
        load_model(path)


SIZES: dict[str, Callable[[dict[str, Any]], object]] = {
    "forward_flow": lambda config: config["vrt"].pop("forward_flow"),
    "max_residue_px": lambda config: config["vrt"].pop("max_residue_px"),
    "temporal_stride": lambda config: config.pop("temporal_stride"),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_size_that_leaves_no_trace_in_the_weights_is_said_to_be_taken(
    name: str, state: dict[str, Tensor], tmp_path: Path
) -> None:
    """Files of earlier versions know less sizes."""
    told = about()
    SIZES[name](told["config"])
    path = tmp_path / "m.safetensors"
    if name == "forward_flow":  # its default is another network's
        told["config"]["vrt"]["forward_flow"] = True
        del told["config"]["vrt"]["drop_path"]
        name = "drop_path"
    loaded = load_model(write(path, state, told))
    (finding,) = loaded.findings
    assert f"{name} " in finding
    assert "m.safetensors" in finding
    save_model(path, loaded.model, loaded.voxel_spec, ModelCard(name="x"))
    assert load_model(path).findings == ()
