"""Weights under every name that they come by, and files that hold none."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor

from engine.errors import CheckpointError
from engine.model import (
    VRT,
    ModelCard,
    VRTConfig,
    VRTSpike,
    VRTSpikeConfig,
    build,
    load_model,
    load_weights,
    save_model,
)
from engine.model.checkpoint import read_weights
from engine.model_files import METADATA_KEY
from engine.voxels import VoxelSpec

SPEC = VoxelSpec(bins=4, transform="log1p", mean=0.25, std=0.75)
CONFIG = VRTSpikeConfig(
    vrt=VRTConfig(
        window_size=(2, 4, 4),
        depths=(2,) * 7 + (1,),
        indep_reconsts=(),
        embed_dims=(8,) * 8,
        num_heads=(2,) * 8,
        deformable_groups=2,
        flow_widths=(4, 4, 4, 4),
    ),
    spike_bins=SPEC.channels,
    channels_per_scale=(8, 8, 8, 8),
)


@pytest.fixture(scope="module")
def network() -> VRTSpike:
    torch.manual_seed(0)
    made = build(CONFIG).eval()
    assert isinstance(made, VRTSpike)
    return made


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("prefix", ["", "module.", "model.module.", "_orig_mod."])
@pytest.mark.parametrize("wrapped", [(), ("params",), ("state_dict",), ("params_ema",)])
def test_wrapped_weights_are_unwrapped(network, prefix, wrapped) -> None:
    state: dict[str, object] = {prefix + name: value for name, value in network.state_dict().items()}
    for key in wrapped:
        state = {key: state, "epoch": 3}
    fresh = build(CONFIG)

    load_weights(fresh, state)

    assert same(fresh, network)


def test_tensors_beside_the_weights_are_no_weights(network) -> None:
    state = {"state_dict": dict(network.state_dict()), "step": 3, "best_psnr": torch.tensor(30.0)}
    fresh = build(CONFIG)

    load_weights(fresh, state)

    assert same(fresh, network)


def test_wrapped_parts_are_unwrapped(network) -> None:
    state = {name.replace("vrt.", "vrt.module.", 1): value for name, value in network.state_dict().items()}
    fresh = build(CONFIG)

    load_weights(fresh, state)

    assert same(fresh, network)


def test_a_weight_under_two_names_is_refused(network) -> None:
    state = dict(network.state_dict())
    state["vrt.conv_first.bias"] = torch.zeros(8)

    with pytest.raises(CheckpointError, match=r"twice.*first_convolution|twice.*conv_first"):
        load_weights(build(CONFIG), state)


def test_unknown_names_are_not_taken_for_what_published_files_store(network) -> None:
    state = {**network.state_dict(), "something.position_bias": torch.zeros(3)}

    with pytest.raises(CheckpointError, match=r"unexpected: something\.position_bias"):
        load_weights(build(CONFIG), state)


def test_all_names_can_be_read_where_there_are_many(network) -> None:
    with pytest.raises(CheckpointError) as told:
        load_weights(build(CONFIG), {"a": torch.zeros(1)})

    notes = " ".join(told.value.__notes__)
    assert all(name in notes for name in network.state_dict())


def test_bare_weights_of_the_bundled_network_are_known(tmp_path) -> None:
    bundled = load_model("vrt-spike-small")
    torch.save(bundled.model.state_dict(), tmp_path / "bare.pth")

    loaded = load_model(tmp_path / "bare.pth")

    assert same(loaded.model, bundled.model)
    assert loaded.model.config == bundled.model.config


def test_bare_weights_of_another_network_with_an_entry_say_what_to_do(tmp_path) -> None:
    other = build(replace(CONFIG, spikes_at_entry=True))
    torch.save(other.state_dict(), tmp_path / "bare.pth")

    with pytest.raises(CheckpointError, match=r"bare\.pth.*safetensors"):
        load_model(tmp_path / "bare.pth")


def broken(network: VRTSpike, how: str) -> tuple[dict[str, Tensor], str]:
    state = dict(network.state_dict())
    name = "vrt.stages.3.rescale.linear.weight"
    if how == "missing":
        del state[name]
    elif how == "unexpected":
        state["something.else"] = torch.zeros(2)
        name = "something.else"
    else:
        state[name] = torch.zeros(3, 5)
    return state, name


@pytest.mark.parametrize("how", ["missing", "unexpected", "misshapen"])
def test_what_does_not_fit_is_named_and_nothing_is_copied(network, how) -> None:
    state, name = broken(network, how)
    fresh = build(CONFIG)
    before = {key: value.clone() for key, value in fresh.state_dict().items()}

    with pytest.raises(CheckpointError, match=how) as told:
        load_weights(fresh, state)

    assert name in str(told.value)
    assert how != "misshapen" or "(3, 5)" in str(told.value)
    assert all(torch.equal(value, before[key]) for key, value in fresh.state_dict().items())


def test_a_model_file_says_all_about_itself(network, tmp_path) -> None:
    path = tmp_path / "my 网络.safetensors"
    save_model(path, network, SPEC, ModelCard(name="mine", origin="here", scores={"psnr": 30.5}))

    loaded = load_model(path)

    assert same(loaded.model, network)
    assert (loaded.model.config, loaded.voxel_spec) == (CONFIG, SPEC)
    assert (loaded.card.name, loaded.card.origin, loaded.card.scores) == ("mine", "here", {"psnr": 30.5})
    with safe_open(path, "pt") as file:  # any reader of the format finds the same
        assert set(file.keys()) == set(network.state_dict())
        assert any("config" in json.loads(value) for value in file.metadata().values())


@pytest.mark.parametrize("suffix", [".pth", ".pt"])
def test_pickled_weights_are_read(network, tmp_path, suffix) -> None:
    path = tmp_path / f"weights{suffix}"
    torch.save({"params": {f"module.{name}": value for name, value in network.state_dict().items()}}, path)
    fresh = build(CONFIG)

    load_weights(fresh, read_weights(path))

    assert same(fresh, network)


@pytest.mark.shared
def test_published_names_become_a_model(shared_golden: Path, tmp_path) -> None:
    import importlib.util
    import sys

    spec = importlib.util.spec_from_file_location("golden_names", shared_golden / "vectors.py")
    assert spec is not None
    assert spec.loader is not None
    vectors = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = vectors
    spec.loader.exec_module(vectors)
    vector = vectors.load_vector(shared_golden / "vrt_gopro.npz")
    path = tmp_path / "published.pth"
    torch.save({"params": {f"module.{name}": value for name, value in vector.state().items()}}, path)

    loaded = load_model(path)

    assert isinstance(loaded.model, VRT)
    assert loaded.voxel_spec is None
    with torch.inference_mode():
        output = loaded.model(vector.frames())
    expected = torch.from_numpy(vector.results["output"])
    assert (output - expected).norm() / expected.norm() < 1e-4


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/harm",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.safetensors", b""),
        ("empty.pth", b""),
        ("text.pth", b"these are not the weights"),
        ("text.safetensors", b"these are not the weights"),
        ("picture.pt", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("weights.zip", b"PK\x03\x04"),
    ],
)
def test_files_without_weights_are_refused_by_name(tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError) as told:
        load_model(tmp_path / name)
    assert name in str(told.value)


@pytest.mark.parametrize(
    "content",
    [
        {1: torch.zeros(2)},
        {"conv_first.weight": torch.tensor(1.0), "stage1.x": torch.zeros(3)},
        {"vrt.first_convolution.bias": torch.zeros(3), "spikes.encoder.entry.weight": torch.zeros(3)},
        {"cross_attn_fuse.fuse_blocks.0.attn.attn.in_proj_weight": torch.tensor(1.0)},
        {"state_dict": {}, "best": torch.zeros(2)},
        [torch.zeros(2)],
    ],
)
def test_pickles_of_other_things_are_refused_by_name(tmp_path, content) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth"):
        load_model(tmp_path / "other.pth")


ABOUT = {"format_version": 1, "config": {"network": "vrt"}, "voxel_spec": None, "card": {"name": "x"}}


@pytest.mark.parametrize(
    "told",
    [
        [],
        None,
        {"format_version": 1},
        {**ABOUT, "config": []},
        *(
            {**ABOUT, "config": config}
            for config in (
                {"network": "vrt-spike", "vrt": [1]},
                {"network": "vrt-spike", "vrt": None},
                {"network": "vrt-spike", "spike_heads": 0},
                {"network": "vrt-spike", "fusion_heads": 0},
                {"network": "vrt-spike", "temporal_stride": 1.5},
                {"network": "vrt", "mlp_ratio": -1},
                {"network": "vrt", "max_residue_px": float("nan")},
            )
        ),
    ],
)
def test_what_a_file_says_wrongly_of_itself_is_refused_by_name(tmp_path, told) -> None:
    path = tmp_path / "told.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {METADATA_KEY: json.dumps(told)})
    with pytest.raises(CheckpointError, match=r"told\.safetensors"):
        load_model(path)


def test_a_truncated_model_is_refused(network, tmp_path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, network, SPEC, ModelCard(name="mine"))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        load_model(path)


def test_a_file_that_would_run_code_is_refused(tmp_path) -> None:
    torch.save({"params": Harmful()}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=r"bad\.pth"):
        load_model(tmp_path / "bad.pth")
    assert not Path("/tmp/harm").exists()


def test_a_missing_model_lists_what_there_is(tmp_path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere.*safetensors"):
        load_model(tmp_path / "nowhere.safetensors")
    with pytest.raises(CheckpointError, match="no-such-name"):
        load_model("no-such-name")
