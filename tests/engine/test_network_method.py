"""Restoring sequences with a network, from the method up to the command line."""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.cli import main
from engine.errors import MethodError
from engine.geometry import Region, Size, Span
from engine.model import ModelCard, VRTConfig, VRTSpikeConfig, build, save_model
from engine.moment import centres
from engine.recording import write_packed
from engine.restoration import network_method
from engine.restoration.methods import make_method
from engine.restoration.network_method import NetworkMethod, cut_spikes
from engine.restoration.options import ComputeOptions
from engine.restoration.restoration import Restoration, restored
from engine.sequence import open_sequence
from engine.voxels import VoxelSpec
from training.__main__ import main as simulate

FRAME = Size(48, 64)
FRAMES = 3
EXPOSURE_PLANES = 12
SPEC = VoxelSpec(bins=4)
TINY = VRTSpikeConfig(
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
def network():
    torch.manual_seed(3)
    return build(TINY).eval()


@pytest.fixture(scope="module")
def model_file(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny 网络.safetensors"
    save_model(path, network, SPEC, ModelCard(name="tiny"))
    return path


@pytest.fixture
def clip(tmp_path):
    """A unified sequence with spikes at half the frames' size."""
    random = np.random.default_rng(8)
    (tmp_path / "clip" / "blur").mkdir(parents=True)
    for index in range(FRAMES):
        levels = random.integers(0, 256, (FRAME.height, FRAME.width, 3), dtype=np.uint8)
        Image.fromarray(levels).save(tmp_path / "clip" / "blur" / f"{index:04d}.png")
    planes = random.random((FRAMES * EXPOSURE_PLANES, FRAME.height // 2, FRAME.width // 2)) < 0.3
    write_packed(tmp_path / "clip" / "spike.dat", planes.astype(np.uint8))
    sidecar = f"spike_h: {FRAME.height // 2}\nspike_w: {FRAME.width // 2}\nspike_rate_hz: 1000\n"
    (tmp_path / "clip" / "config.yaml").write_text(sidecar)
    return tmp_path / "clip"


def pictures(sequence, method, **options):
    request = Restoration.of_frames(sequence, Span(0, len(sequence)), method, ComputeOptions(**options))
    return {step.frame: step.picture for step in restored(request)}


def test_one_tile_of_one_clip_is_what_the_bare_network_says(clip, network):
    with open_sequence(clip) as sequence:
        method = NetworkMethod(network, SPEC)
        method.clip_frames = FRAMES
        restored = pictures(sequence, method)
        frames = np.stack([sequence.frame(index) for index in range(FRAMES)])
        voxels = np.stack([np.log1p(np.asarray(sequence.voxels(index, 4))) for index in range(FRAMES)])
    with torch.inference_mode():
        expected = network(
            torch.from_numpy(frames).permute(0, 3, 1, 2)[None], torch.from_numpy(voxels)[None]
        )[0].clamp(0, 1)

    for index in range(FRAMES):
        np.testing.assert_allclose(
            restored[index], expected[index].permute(1, 2, 0).numpy(), rtol=0, atol=1e-5
        )


def test_tiles_and_clips_cover_every_frame(clip, network):
    with open_sequence(clip) as sequence:
        method = NetworkMethod(network, SPEC)
        restored = pictures(sequence, method, tile=Size(40, 40))

    assert sorted(restored) == list(range(FRAMES))
    assert all(picture.shape == (FRAME.height, FRAME.width, 3) for picture in restored.values())
    assert all(np.isfinite(picture).all() for picture in restored.values())


def test_a_network_with_a_spike_branch_refuses_frames_alone(clip, network):
    (clip / "spike.dat").unlink()
    with open_sequence(clip) as sequence, pytest.raises(MethodError, match="spikes"):
        NetworkMethod(network, SPEC).prepare(sequence, Span(0, 1), centres([0]))


def test_a_cut_between_spike_pixels_is_a_plain_cut():
    spikes = torch.rand(2, 3, 12, 16)

    cut = cut_spikes(spikes, Region(4, 8, 20, 30), Size(24, 32))

    assert torch.equal(cut, spikes[..., 2:10, 4:15])


def test_a_cut_through_spike_pixels_stays_in_place():
    """Spikes that grow linearly have a known value at every place of the frame."""
    frame, height, width = Size(30, 50), 20, 25
    rows = (torch.arange(height) + 0.5) / height  # position in the frame, 0 at its top and 1 at its bottom
    spikes = rows[None, None, :, None].expand(1, 1, height, width)
    region = Region(7, 11, 22, 38)

    cut = cut_spikes(spikes, region, frame)

    count = cut.shape[-2]
    expected = (region.top + (torch.arange(count) + 0.5) * 15 / count) / frame.height
    assert count == 10
    torch.testing.assert_close(cut[0, 0, :, 3], expected)


def test_the_command_line_restores_with_the_network_of_a_file(clip, model_file, tmp_path, capsys):
    out = tmp_path / "out"

    status = main(
        ["restore", str(clip), "--out", str(out), "--method", "network", "--model", str(model_file)]
    )

    assert status == 0, capsys.readouterr().err
    report = json.loads((out / "restore.json").read_text())
    assert report["method"] == "network"
    assert report["model"] == str(model_file)
    with open_sequence(clip) as sequence:
        expected = pictures(sequence, make_method("network", str(model_file)))
    for index, picture in expected.items():
        levels = np.asarray(Image.open(out / f"{index:04d}.png"), np.float32)
        np.testing.assert_allclose(levels, picture * 255, atol=0.51)


def test_the_command_line_takes_the_bundled_network_where_nobody_chooses(clip, tmp_path):
    out = tmp_path / "out"

    assert main(["restore", str(clip), "--out", str(out), "--frames", "0"]) == 0

    report = json.loads((out / "restore.json").read_text())
    assert (report["method"], report["model"]) == ("network", None)


def test_a_missing_network_offers_the_way_on_and_falls_back_only_when_asked(clip, tmp_path, capsys):
    command = [
        "restore",
        str(clip),
        "--out",
        str(tmp_path / "out"),
        "--method",
        "network",
        "--model",
        "no.pth",
    ]

    assert main(command) == 1
    refused = capsys.readouterr().err
    assert "no.pth" in refused
    assert "--fallback" in refused
    assert not (tmp_path / "out").exists()

    assert main([*command, "--fallback"]) == 0
    assert "instead of the network" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "restore.json").read_text())
    assert (report["method"], report["model"]) == ("spike-ratio", None)


def test_a_model_for_a_method_without_one_is_refused(clip, tmp_path, capsys):
    by_ratio = ("--method", "spike-ratio", "--model", "x.pth")
    status = main(["restore", str(clip), "--out", str(tmp_path / "out"), *by_ratio])

    assert status == 1
    assert "--method network" in capsys.readouterr().err


def test_half_scale_networks_take_larger_tiles():
    folded = replace(TINY, vrt=replace(TINY.vrt, fold=2))

    plain, half = (NetworkMethod(build(config), SPEC) for config in (TINY, folded))

    assert half.default_tile_px == 2 * plain.default_tile_px
    assert half.multiple_px == 2 * plain.multiple_px


def test_no_pickle_runs_code(clip, tmp_path, capsys):
    """A file that would create another file when unpickled is refused, and creates nothing."""
    witness = tmp_path / "witness"
    bad = tmp_path / "bad.pth"
    torch.save({"params": _Payload(witness)}, bad)

    status = main(
        ["restore", str(clip), "--out", str(tmp_path / "o"), "--method", "network", "--model", str(bad)]
    )

    assert status == 1
    assert "bad.pth" in capsys.readouterr().err
    assert not witness.exists()


class _Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_frame_alone_is_restored_as_among_its_neighbours(clip, network):
    with open_sequence(clip) as sequence:
        method = NetworkMethod(network, SPEC)
        method.clip_frames = FRAMES
        among_all = pictures(sequence, method)
        alone = list(restored(Restoration.of_frames(sequence, Span(1, 2), method)))
    assert [step.frame for step in alone] == [1]
    np.testing.assert_array_equal(alone[0].picture, among_all[1])


def test_the_bundled_network_leaves_a_frame_whose_spikes_show_no_motion_as_it_is(tmp_path):
    for name, motion in (("still", "0"), ("moving", "14")):
        size = ["--height", "64", "--width", "96", "--frames", "2", "--objects", "0", "--motion-px", motion]
        assert simulate(["simulate", "--out", str(tmp_path / name), *size, "--seed", "5"]) == 0
    method = make_method("network")
    with open_sequence(tmp_path / "still") as sequence:
        for frame, picture in pictures(sequence, method).items():
            np.testing.assert_allclose(picture, sequence.frame(frame), atol=1e-6)
    with open_sequence(tmp_path / "moving") as sequence:
        restored = pictures(sequence, method)
        assert np.abs(restored[1] - sequence.frame(1)).mean() > 0.01


def test_kept_pixels_come_back_to_the_bit_and_the_others_are_the_networks(tmp_path, monkeypatch):
    size = ["--height", "64", "--width", "96", "--frames", "2", "--objects", "0", "--motion-px", "14"]
    assert simulate(["simulate", "--out", str(tmp_path / "moving"), *size, "--seed", "5"]) == 0
    estimate = network_method.first_estimate
    left = np.zeros((64, 96), bool)
    left[:, :40] = True

    def keeping_the_left(blurry, *how):
        made = estimate(blurry, *how)
        picture = np.where(left[..., None], blurry, made.picture)
        return dataclasses.replace(made, picture=picture, kept=left)

    monkeypatch.setattr(network_method, "first_estimate", keeping_the_left)
    with open_sequence(tmp_path / "moving") as sequence:
        for frame, picture in pictures(sequence, make_method("network"), tile=Size(64, 64)).items():
            blurry = sequence.frame(frame)
            np.testing.assert_array_equal(picture[:, :40], blurry[:, :40])
            assert np.abs(picture[:, 40:] - blurry[:, 40:]).mean() > 0.005
