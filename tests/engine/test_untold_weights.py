"""Weights whose file does not say how they are used: known, said, or refused; never guessed in silence."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
import yaml
from PIL import Image
from safetensors import safe_open

import training
from engine.cli import main
from engine.errors import CheckpointError
from engine.geometry import Size
from engine.model import ModelCard, VRTConfig, VRTSpikeConfig, build, load_model, save_model
from engine.model.checkpoint import locate, read_weights
from engine.model.config import PRESETS, config_to_dict
from engine.model.names import are_published
from engine.model.untold import PRESET_VOXELS
from engine.model_files import METADATA_KEY, describe_model
from engine.recording import write_packed
from engine.voxels import VoxelSpec

SPEC = VoxelSpec(bins=4)
CONFIG = VRTSpikeConfig(
    vrt=VRTConfig(
        window_size=(2, 4, 4),
        depths=(4,) * 7 + (1,),
        indep_reconsts=(),
        embed_dims=(8,) * 8,
        num_heads=(2,) * 8,
        deformable_groups=2,
    ),
    spike_bins=4,
    channels_per_scale=(8, 8, 8, 8),
)
BUNDLED = "vrt-spike-small"

TO_PUBLISHED = (
    ("spikes.encoder.entry.", "spike_encoder.in_proj."),
    ("spikes.encoder.scales.0.", "spike_encoder.res0."),
    ("spikes.encoder.scales.1.", "spike_encoder.residuals.0."),
    ("spikes.encoder.scales.2.", "spike_encoder.residuals.1."),
    ("spikes.encoder.scales.3.", "spike_encoder.residuals.2."),
    ("spikes.encoder.downs.", "spike_encoder.downs."),
)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return dict(build(CONFIG).state_dict())


def published(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights under the names of VRT+spike training, as far as an inverse of a few rules goes."""
    renamed: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        inner = name.removeprefix("vrt.")
        if name.startswith("spikes.encoder."):
            for ours, theirs in TO_PUBLISHED:
                if name.startswith(ours):
                    name = theirs + name.removeprefix(ours)
            name = name.replace(".first.", ".conv1.").replace(".second.", ".conv2.")
        elif name.startswith("spikes.attention."):
            name = _attention(name.replace("spikes.attention.", "spike_temporal_sa.blocks."))
        elif name.startswith("fusion."):
            name = _fusion(name.replace("fusion.", "cross_attn_fuse.fuse_blocks.", 1))
        else:
            name = "vrt." + _vrt(inner)
        renamed[name] = value
    for name in [name for name in renamed if ".query." in name]:
        both = (renamed.pop(name), renamed.pop(name.replace(".query.", ".key_value.")))
        renamed[name.replace(".query.", ".attn.attn.in_proj_")] = torch.cat(both)
    return renamed


def _attention(name: str) -> str:
    name = name.replace(".attention_norm.", ".ln1.").replace(".mlp_norm.", ".ln2.").replace(".mlp.", ".ffn.")
    return name.replace(".qkv.", ".attn.in_proj_").replace(".projection.", ".attn.out_proj.")


def _fusion(name: str) -> str:
    name = name.replace(".query_norm.", ".ln_q.").replace(".spike_norm.", ".ln_kv.")
    name = name.replace(".mlp_norm.", ".ln_ffn.").replace(".mlp.", ".ffn.")
    return name.replace(".projection.", ".attn.attn.out_proj.")


def _vrt(name: str) -> str:
    first, _, rest = name.partition(".")
    if first == "flow":
        _, level, place, part = rest.split(".")
        return f"spynet.basic_module.{level}.basic_module.{place}.{part}"
    if first in ("first_convolution", "last_convolution", "narrow"):
        theirs = {"first": "conv_first", "last": "conv_last", "narrow": "conv_after_body"}
        return f"{theirs[first.partition('_')[0]]}.{rest}"
    if first == "widen":
        return f"stage8.0.{int(rest[0]) + 1}{rest[1:]}"
    if first not in ("stages", "reconstruction"):
        return name
    place, _, rest = rest.partition(".")
    for ours, theirs in (
        (".attention_norm.", ".norm1."),
        (".mlp_norm.", ".norm2."),
        (".attention.bias_table", ".attn.relative_position_bias_table"),
        (".attention.qkv.", ".attn.qkv_self."),
        (".attention.mutual_qkv.", ".attn.qkv_mut."),
        (".attention.projection.", ".attn.proj."),
        (".gate.", ".fc11."),
        (".value.", ".fc12."),
        (".output.", ".fc2."),
    ):
        rest = rest.replace(ours, theirs)
    if first == "reconstruction":
        return f"stage8.{int(place) + 1}." + (
            rest if rest.startswith("linear.") else f"residual_group.{rest}"
        )
    for ours, theirs in (
        ("rescale.norm.", "reshape.1."),
        ("rescale.linear.", "reshape.2."),
        ("mutual.linear.", "linear1."),
        ("attention.linear.", "linear2."),
        ("mutual.", "residual_group1."),
        ("attention.", "residual_group2."),
        ("warping.deformable.offset_head.", "pa_deform.conv_offset.6."),
        ("warping.deformable.offset_trunk.", "pa_deform.conv_offset."),
        ("warping.deformable.", "pa_deform."),
        ("warping.fusion.", "pa_fuse."),
    ):
        if rest.startswith(ours):
            return f"stage{int(place) + 1}." + theirs + rest.removeprefix(ours)
    return f"stage{int(place) + 1}.{rest}"


def write(path: Path, state: Mapping[str, torch.Tensor]) -> Path:
    """Write weights and nothing else."""
    if path.suffix == ".safetensors":
        safetensors.torch.save_file({name: value.contiguous() for name, value in state.items()}, path)
    else:
        torch.save({"params": dict(state)}, path)
    return path


SUFFIXES = pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])


@SUFFIXES
def test_the_bundled_networks_weights_are_known_whatever_holds_them(suffix: str, tmp_path: Path) -> None:
    bundled = load_model(BUNDLED)

    loaded = load_model(write(tmp_path / f"any{suffix}", bundled.model.state_dict()))

    assert loaded.voxel_spec == bundled.voxel_spec
    assert loaded.model.config == bundled.model.config
    assert loaded.findings == ()


@SUFFIXES
def test_weights_of_a_presets_sizes_are_read_as_it_is_and_that_is_said(suffix: str, tmp_path: Path) -> None:
    state = dict(load_model(BUNDLED).model.state_dict())
    state["vrt.last_convolution.bias"] = state["vrt.last_convolution.bias"] + 0.01

    loaded = load_model(write(tmp_path / f"mine{suffix}", state))

    assert loaded.voxel_spec == VoxelSpec(bins=32, transform="relative", mean=0.5, std=0.55)
    (finding,) = loaded.findings
    assert f"mine{suffix} does not say how its network reads spikes" in finding
    assert "vrt-spike-small" in finding
    assert "32 bins, relative, mean 0.5 and std 0.55" in finding
    assert "best.ckpt" in finding.remedy


def test_presets_read_spikes_as_their_training_does() -> None:
    configs = Path(training.__file__).parent / "configs"
    for name, spec in PRESET_VOXELS.items():
        told = yaml.safe_load((configs / f"{name}.yaml").read_text())["model"]["voxels"]
        assert spec == VoxelSpec(**told)
        config = PRESETS[name]
        assert isinstance(config, VRTSpikeConfig)
        assert config.voxel_channels == spec.channels
    assert {name for name, config in PRESETS.items() if isinstance(config, VRTSpikeConfig)} == set(
        PRESET_VOXELS
    )
    with safe_open(locate(BUNDLED), "numpy") as file:
        assert VoxelSpec(**json.loads(file.metadata()[METADATA_KEY])["voxel_spec"]) == PRESET_VOXELS[BUNDLED]


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_published_names_take_the_reference_transform_and_that_is_said(
    state: dict[str, torch.Tensor], prefix: str, suffix: str, tmp_path: Path
) -> None:
    theirs = {prefix + name: value for name, value in published(state).items()}
    assert are_published(theirs)

    loaded = load_model(write(tmp_path / f"published{suffix}", theirs))

    assert all(torch.equal(value, state[name]) for name, value in loaded.model.state_dict().items())
    assert loaded.voxel_spec == SPEC
    (finding,) = loaded.findings
    assert "names of a published network" in finding
    assert "4 bins, log1p, mean 0 and std 1" in finding


@SUFFIXES
def test_all_others_are_refused_in_one_line_that_says_what_to_do(
    state: dict[str, torch.Tensor], suffix: str, tmp_path: Path
) -> None:
    path = write(tmp_path / f"bare{suffix}", state)

    with pytest.raises(
        CheckpointError, match=r"does not say of which network.*training export.*best\.ckpt"
    ) as told:
        load_model(path)

    assert str(told.value).startswith(f"{path}: ")
    assert "\n" not in str(told.value)
    assert set(read_weights(path)) == set(state)  # a start for training: that says how spikes are read


def test_a_plain_network_of_ours_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not say"):
        load_model(write(tmp_path / "vrt.pth", build(CONFIG.vrt).state_dict()))


def test_a_description_without_voxels_is_refused(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    about = {"format_version": 1, "config": config_to_dict(CONFIG), "voxel_spec": None, "card": {"name": "x"}}
    safetensors.torch.save_file(state, tmp_path / "x.safetensors", {METADATA_KEY: json.dumps(about)})
    with pytest.raises(CheckpointError, match=r"x\.safetensors.*voxel_spec is missing"):
        load_model(tmp_path / "x.safetensors")


# ------------------------------------------------------------------ checkpoints of runs


def told(**changes: Any) -> dict[str, Any]:
    voxels = {"bins": 4, "transform": "log1p", "mean": 0.25, "std": 0.75}
    return {
        "network": json.loads(json.dumps(config_to_dict(CONFIG))),
        "voxels": voxels,
        "scores": {},
        **changes,
    }


def test_a_runs_checkpoint_is_used_as_it_says_itself(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    weights = {f"network.{name}": value for name, value in state.items()}
    weights["loss.perceptual.features.0.weight"] = torch.zeros(3)
    torch.save({"spike_deblur": told(), "state_dict": weights}, tmp_path / "best.ckpt")

    loaded = load_model(tmp_path / "best.ckpt")

    assert loaded.voxel_spec == VoxelSpec(bins=4, mean=0.25, std=0.75)
    assert loaded.model.config == CONFIG
    assert loaded.findings == ()


@pytest.mark.parametrize(
    "entry", [5, None, [], {}, {"network": {}}, told(voxels=None), told(voxels={"std": 0})]
)
def test_a_checkpoint_that_says_it_wrongly_is_not_guessed_at(
    entry: object, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    torch.save({"spike_deblur": entry, "state_dict": state}, tmp_path / "best.ckpt")
    with pytest.raises(CheckpointError, match=r"best\.ckpt"):
        load_model(tmp_path / "best.ckpt")


# ------------------------------------------------------------------ where it is said


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    random = np.random.default_rng(8)
    for folder in ("blur", "sharp"):
        (tmp_path / "clip" / folder).mkdir(parents=True)
        for index in range(2):
            levels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(levels).save(tmp_path / "clip" / folder / f"{index:04d}.png")
    write_packed(tmp_path / "clip" / "spike.dat", (random.random((40, 16, 16)) < 0.3).astype(np.uint8))
    (tmp_path / "clip" / "config.yaml").write_text("spike_h: 16\nspike_w: 16\nspike_rate_hz: 1000\n")
    return tmp_path / "clip"


SAID = "does not say how its network reads spikes"


def test_the_command_line_and_its_reports_say_it(
    clip: Path, state: dict[str, torch.Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path / "published.pth", published(state)))

    assert main(["restore", str(clip), "--model", path, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert [SAID in line for line in printed.err.strip().splitlines()] == [True]
    report = json.loads((tmp_path / "out" / "restore.json").read_text())
    assert [SAID in line for line in report["remarks"]] == [True]

    assert main(["evaluate", str(clip), "--model", path, "--json"]) == 0
    printed = capsys.readouterr()
    assert SAID in printed.err
    assert any(SAID in finding for finding in json.loads(printed.out)["findings"])

    assert main(["evaluate", str(clip), "--method", "spike-ratio", "--compare", path]) == 0
    assert SAID in capsys.readouterr().err

    assert main(["batch", str(clip.parent), "--model", path, "--out", str(tmp_path.parent / "all")]) in (0, 1)
    assert SAID in capsys.readouterr().err


def test_the_worker_says_it_with_the_end_of_the_job(
    clip: Path, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    from engine.moment import centres
    from engine.source import SequenceSource
    from engine.worker.blocks import FrameBlock
    from engine.worker.messages import Accepted, Finished, RestoreRequest, SlotReleased
    from engine.worker.process import Inbox, serve
    from engine.worker.protocol import JobRecord
    from engine.worker.restorer import SequenceRestorer

    block = FrameBlock.create(2, Size(32, 32))
    try:
        path = str(write(tmp_path / "published.pth", published(state)))
        request = RestoreRequest(
            1, SequenceSource(str(clip)), centres([0, 1]), "network", block.shared, model=path
        )
        inbox = Inbox()
        sent: list[object] = []

        def send(message: object) -> None:
            sent.append(message)
            slot = getattr(message, "slot", -1)
            if type(message).__name__ == "FrameDone":
                inbox.put(SlotReleased(1, slot))

        end = serve(JobRecord(request), SequenceRestorer(), inbox, send)
    finally:
        block.close()
    assert isinstance(end, Finished)
    assert [SAID in remark for remark in end.remarks] == [True]
    (accepted,) = (message for message in sent if isinstance(message, Accepted))
    assert accepted.description is not None
    assert accepted.description.is_complete
    assert accepted.description.voxels == VoxelSpec(bins=CONFIG.spike_bins)
    assert not describe_model(Path(path)).is_complete


def test_described_models_have_nothing_to_say(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(tmp_path / "tiny.safetensors", build(CONFIG).eval(), SPEC, ModelCard(name="tiny"))
    arguments = ["--model", str(tmp_path / "tiny.safetensors"), "--out", str(tmp_path / "out")]
    assert main(["restore", str(clip), *arguments]) == 0
    assert capsys.readouterr().err == ""
    assert json.loads((tmp_path / "out" / "restore.json").read_text())["remarks"] == []
