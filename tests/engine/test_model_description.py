"""What is known of a network before it is loaded: from every kind of file, without torch."""

import dataclasses
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.cli import main
from engine.errors import CheckpointError
from engine.model import VRTConfig, VRTSpike, VRTSpikeConfig, load_model
from engine.model.checkpoint import ModelCard, build, save_model
from engine.model.config import config_to_dict
from engine.model.plain_pickle import read_entry
from engine.model_description import ModelDescription, looked_at
from engine.model_files import bundled_models, describe_model
from engine.recording import write_packed
from engine.restoration.methods import make_method
from engine.restoration.network_method import NetworkMethod
from engine.restoration.plan import plan
from engine.voxels import VoxelSpec

SIZES = VRTConfig(
    window_size=(4, 4, 4),
    depths=(2,) * 7 + (1,) * 2,
    indep_reconsts=(8,),
    embed_dims=(16,) * 7 + (24,) * 2,
    num_heads=(2,) * 9,
    deformable_groups=4,
)
SPEC = VoxelSpec(bins=4, mean=0.25, std=0.75)
CONFIG = VRTSpikeConfig(vrt=SIZES, spike_bins=4, channels_per_scale=(8, 8, 8, 8))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(2)
    return build(CONFIG).eval()


def told(**changes):
    """Return what a run's checkpoint says, as `training.task` writes it."""
    voxels = {"bins": 4, "transform": "log1p", "mean": 0.25, "std": 0.75}
    entry = {"network": json.loads(json.dumps(config_to_dict(CONFIG))), "voxels": voxels}
    return {**entry, "skipped_steps": 0, "scores": {"val/psnr": 20.5}, **changes}


def run_checkpoint(network, path, **changes):
    """Write a checkpoint as Lightning does: with an optimiser's state and much else around it."""
    weights = {f"network.{name}": value for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters())
    network.zero_grad()
    sum(value.sum() for value in network.parameters()).backward()
    optimiser.step()
    for name, value in network.state_dict().items():
        value.copy_(weights[f"network.{name}"])
    content = {
        "epoch": 3,
        "global_step": 120,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": weights,
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 4}}}},
        "callbacks": {"x": torch.tensor(1.5), "y": (1, None, True, -(2**40), "z" * 300)},
        "optimizer_states": [optimiser.state_dict()],
        "spike_deblur": told(**changes),
    }
    torch.save(content, path)
    return path


# ------------------------------------------------------------------ every kind of file


def test_a_description_says_what_the_loaded_network_does(network, tmp_path):
    save_model(tmp_path / "mine.safetensors", network, SPEC, ModelCard(name="mine", licence="MIT"))
    run_checkpoint(network, tmp_path / "best.ckpt")
    for name, title in (("mine.safetensors", "mine"), ("best.ckpt", "best")):
        described = describe_model(tmp_path / name)
        method = NetworkMethod.load(str(tmp_path / name))
        assert (described.title, described.voxels, described.is_complete) == (title, SPEC, True)
        assert described.voxels == load_model(tmp_path / name).voxel_spec
        assert (described.clip_frames, described.clip_overlap, described.fewest_planes) == (4, 2, 1)
        for fact in ("clip_frames", "clip_overlap", "multiple_px", "overlap_px", "default_tile_px"):
            assert getattr(described, fact) == getattr(method, fact) == getattr(method.description, fact)


def test_the_bundled_network_and_the_ratio_are_described_as_they_are_made():
    described = describe_model(bundled_models()[0])
    made = make_method("network").description
    assert described == made
    assert described.needs_spikes
    ratio = make_method("spike-ratio")
    assert (ratio.description.reach(), ratio.fewest_planes, ratio.description.voxels) == (0, 4, None)


def test_a_network_without_spikes_needs_none(tmp_path):
    save_model(tmp_path / "vrt.safetensors", build(SIZES), None, ModelCard(name="plain"))
    described = describe_model(tmp_path / "vrt.safetensors")
    assert (described.voxels, described.fewest_planes, described.needs_spikes) == (None, 0, False)


def test_weights_alone_say_nothing_until_they_are_loaded(network, tmp_path):
    torch.save({"params": network.state_dict()}, tmp_path / "weights.pth")
    described = describe_model(tmp_path / "weights.pth")
    assert (described.is_complete, described.voxels) == (False, None)


@pytest.mark.parametrize("entry", [5, [], {}, {"network": {}}, told(voxels=None), told(voxels={"std": 0})])
def test_what_loading_would_refuse_is_refused_before(entry, network, tmp_path):
    weights = {f"network.{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": weights, "spike_deblur": entry}, tmp_path / "best.ckpt")
    for read in (describe_model, load_model):
        with pytest.raises(CheckpointError, match=r"best\.ckpt"):
            read(tmp_path / "best.ckpt")


def test_voxels_that_do_not_fit_are_refused_before(network, tmp_path):
    run_checkpoint(network, tmp_path / "best.ckpt", voxels=dataclasses.asdict(VoxelSpec(bins=5)))
    with pytest.raises(CheckpointError, match=r"best\.ckpt: .*5 channels of voxels for a network of 4"):
        describe_model(tmp_path / "best.ckpt")


WITHOUT_TORCH = """
import sys
from pathlib import Path
from engine.model_files import describe_model
from engine.restoration.own_methods import NETWORK_METHOD
for path in sys.argv[1:]:
    print(describe_model(Path(path)).voxels)
print(NETWORK_METHOD.describe(None).title, [one for one in ("torch", "cv2") if one in sys.modules])
"""


def test_no_file_needs_torch_to_be_described(network, tmp_path):
    run_checkpoint(network, tmp_path / "best.ckpt")
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    files = [str(tmp_path / name) for name in ("best.ckpt", "weights.pth")]
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *files], capture_output=True, text=True, timeout=120, check=True
    )
    assert ended.stdout.splitlines() == [str(SPEC), "None", "vrt-spike-small []"]


# ------------------------------------------------------------------ nothing is unpickled


class Harmful:
    def __reduce__(self):
        return (Path.touch, (Path("harm"),))


def write_pickle(path, pickled, name="archive/data.pkl"):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, pickled)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_are_read_whatever_lies_beside_them(protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {"a": [1, -5, 2**70, 1.5, None, True], "b": {"c": ("x", "ü" * 300)}, "d": []}
    content = {"harm": Harmful(), "key": values, "after": {1: Harmful(), "set": b"x"}}
    path = write_pickle(tmp_path / "x.ckpt", pickle.dumps(content, protocol))
    found = read_entry(path, "key")
    assert found in (values, None) if protocol < 2 else found == values
    assert read_entry(path, "harm") is None
    assert read_entry(path, "nothing") is None
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02}",
        b"not a pickle",
        pickle.dumps([1, 2]),
        pickle.dumps({"key": {1: 2}}),
        pickle.dumps({"key": Harmful}),
        b"\x80\x02]" + b"q\x00h\x00a" * 5 + b".",
        b"\x80\x02}X\x03\x00\x00\x00key]q\x00h\x00as.",
        b"\x80\x02}X\x03\x00\x00\x00key" + b"]" * 5000 + b"a" * 4999 + b"s.",
        b"\x80\x02}r\xff\xff\xff\xff.",
        b"\x80\x02X\xff\xff\xff\xff.",
    ],
    ids=lambda one: repr(one[:20]),
)
def test_what_is_no_plain_entry_is_nothing(pickled, tmp_path):
    assert read_entry(write_pickle(tmp_path / "x.ckpt", pickled), "key") is None


def test_files_of_other_kinds_are_nothing(tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"PK\x03\x04 no zip")
    assert read_entry(tmp_path / "x.ckpt", "key") is None
    write_pickle(tmp_path / "y.ckpt", pickle.dumps({"key": 1}), "elsewhere.txt")
    assert read_entry(tmp_path / "y.ckpt", "key") is None
    torch.save({"key": 1}, tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    assert read_entry(tmp_path / "old.ckpt", "key") is None
    assert read_entry(tmp_path / "gone.ckpt", "key") is None


# ------------------------------------------------------------------ on what a result depends


@pytest.mark.parametrize(
    ("frames", "clip", "overlap", "margin"), [(40, 16, 2, 0), (7, 5, 2, 0), (12, 1, 0, 0), (30, 6, 3, 2)]
)
def test_a_result_depends_on_no_frame_beyond_the_reach(frames, clip, overlap, margin):
    from engine.geometry import Size, Span

    about = ModelDescription(
        kind="x", title="x", clip_frames=clip, clip_overlap=overlap, margin_frames=margin
    )
    clips = plan(Size(8, 8), Span(0, frames), 8, 0, clip, overlap).clips
    for frame in range(frames):
        seen = {
            one for span in looked_at(clips, frame, frames, margin) for one in range(span.start, span.stop)
        }
        expected = {
            other
            for span in clips
            if span.start <= frame < span.stop
            for other in range(span.start - margin, span.stop + margin)
            if 0 <= other < frames
        }
        assert seen == expected
        assert max(abs(other - frame) for other in seen) <= about.reach()
    assert about.reach(24) == 23 + margin


# ------------------------------------------------------------------ used


def test_restore_uses_a_runs_best_checkpoint_as_it_says_itself(network, tmp_path, capsys):
    """The same network in our own file, with the same description, gives the same pictures."""
    clip = tmp_path / "clip"
    random = np.random.default_rng(8)
    (clip / "blur").mkdir(parents=True)
    for index in range(3):
        levels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(levels).save(clip / "blur" / f"{index:04d}.png")
    write_packed(clip / "spike.dat", (random.random((60, 16, 16)) < 0.3).astype(np.uint8))
    (clip / "config.yaml").write_text("spike_h: 16\nspike_w: 16\nspike_rate_hz: 1000\n")
    assert isinstance(network, VRTSpike)
    run_checkpoint(network, tmp_path / "best.ckpt")
    save_model(tmp_path / "same.safetensors", network, SPEC, ModelCard(name="same"))
    save_model(tmp_path / "other.safetensors", network, VoxelSpec(bins=4), ModelCard(name="other"))

    pictures = {}
    for name in ("best.ckpt", "same.safetensors", "other.safetensors"):
        out = tmp_path / f"out {name}"
        assert main(["restore", str(clip), "--model", str(tmp_path / name), "--out", str(out)]) == 0
        pictures[name] = np.stack([np.asarray(Image.open(path)) for path in sorted(out.glob("*.png"))])
        assert capsys.readouterr().err == ""

    np.testing.assert_array_equal(pictures["best.ckpt"], pictures["same.safetensors"])
    assert (pictures["best.ckpt"] != pictures["other.safetensors"]).any()
