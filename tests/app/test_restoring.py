"""Choosing what deblurs and how, regions, and the view that the worker follows."""

import json
import pickle
import zipfile

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.settings import Settings
from app.state.compare.patches import MOST_FRAMES, Patches
from app.state.jobs.restoring import Restoring
from engine.errors import CheckpointError
from engine.geometry import Region, Size
from engine.model.config import VRTConfig, VRTSpikeConfig, config_to_dict
from engine.model_description import ModelDescription
from engine.model_files import bundled_models, describe_model
from engine.moment import Moment
from engine.restoration.options import ComputeOptions
from engine.source import SequenceSource
from engine.voxels import VoxelSpec
from engine.worker.messages import Accepted, Finished, FrameDone


@pytest.fixture
def restoring():
    return Restoring(Settings())


def test_there_is_the_ratio_and_every_bundled_network(restoring):
    methods = [one.method for one in restoring.restorers]
    assert methods == ["spike-ratio"] + ["network"] * len(bundled_models())
    ratio, network = restoring.restorers[:2]
    assert restoring.chosen == network
    assert any("Licence" in line for line in network.card)
    restoring.choose(ratio)
    assert restoring.chosen == ratio


def test_a_network_from_a_file_is_added_chosen_and_removed(restoring, tmp_path):
    copy = tmp_path / "my network 网络.safetensors"
    copy.write_bytes(bundled_models()[0].read_bytes())
    restoring.add_model(copy)
    restoring.add_model(copy)
    assert restoring.chosen.model == str(copy)
    assert len(restoring.restorers) == 2 + len(bundled_models())
    restoring.forget_model(str(copy))
    assert restoring.chosen.model is None
    assert copy.exists()


def run_checkpoint(path, entry):
    """Write what `torch.save` writes for a dictionary, as far as anybody reads it who has no torch."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("best/data.pkl", pickle.dumps({"state_dict": {}, "spike_deblur": entry}, 2))
    return path


def test_a_runs_best_checkpoint_is_described_as_it_says_itself(restoring, tmp_path):
    config = VRTSpikeConfig(vrt=VRTConfig(window_size=(4, 8, 8)), spike_bins=15)
    voxels = {"bins": 8, "transform": "relative", "mean": 0.25, "std": 0.75}
    entry = {"network": json.loads(json.dumps(config_to_dict(config))), "voxels": voxels, "scores": {}}
    restoring.add_model(run_checkpoint(tmp_path / "best.ckpt", entry))
    chosen = restoring.chosen
    assert (chosen.title, chosen.problem) == ("Network best (best.ckpt)", "")
    assert restoring.takes == VoxelSpec(8, "relative", 0.25, 0.75)
    assert chosen.card[0] == "Takes 4 frames at a time, and their spikes in 8 bins (relative)"
    with pytest.raises(CheckpointError, match=r"worse\.ckpt"):
        restoring.add_model(run_checkpoint(tmp_path / "worse.ckpt", {**entry, "voxels": {"bins": 0}}))
    assert restoring.chosen == chosen


def test_what_the_worker_finds_out_about_weights_is_shown(studio, client, tmp_path, qtbot):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"weights alone")
    restoring = studio.desk.restoring
    restoring.add_model(weights)
    assert restoring.takes is None
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    studio.deblur_frame()
    takes = VoxelSpec(16, mean=0.5)
    about = ModelDescription(kind="network", title="weights", voxels=takes, clip_frames=6)
    client.answers = [Accepted(1, 1, 1, "", about)]
    qtbot.waitUntil(lambda: restoring.takes == takes)
    assert studio.spikes.look.takes == takes
    assert "16 bins" in restoring.chosen.card[0]
    qtbot.waitUntil(lambda: len(studio.spikes.voxels.pictures) == 16)


@pytest.mark.parametrize("content", [b"", b"no network at all", b"\xff" * 64])
def test_what_is_no_network_is_refused_and_one_that_breaks_says_so(restoring, tmp_path, content):
    file = tmp_path / "bad.safetensors"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"bad\.safetensors"):
        restoring.add_model(file)
    with pytest.raises(CheckpointError):
        describe_model(tmp_path / "picture.png")
    with pytest.raises(CheckpointError):
        describe_model(tmp_path / "gone.safetensors")
    file.write_bytes(bundled_models()[0].read_bytes())
    restoring.add_model(file)
    file.unlink()
    assert "Cannot be read" in restoring.chosen.problem


def test_options_reach_the_worker(restoring):
    assert restoring.options == ComputeOptions()
    restoring.set_options(device="cuda:1", precision="bf16", tile_px=256, clip_frames=6, memory_gb=2.5)
    assert restoring.options == ComputeOptions("cuda:1", "bf16", Size(256, 256), None, 6, None, 2.5)


def test_patches_of_a_frame_are_laid_together_and_few_frames_kept():
    patches = Patches()
    first, second = Region(0, 0, 2, 4), Region(2, 0, 4, 4)
    patches.add(0, first, np.full((4, 4, 3), 0.1, np.float32))
    patch = patches.add(0, second, np.full((4, 4, 3), 0.2, np.float32))
    assert patch.finished == (first, second)
    assert patch.picture[0, 0, 0] == np.float32(0.1)
    assert patch.picture[3, 0, 0] == np.float32(0.2)
    for index in range(1, MOST_FRAMES + 1):
        patches.add(index, first, patch.picture)
    assert patches.get(0) is None
    assert patches.get(MOST_FRAMES) is not None


# ------------------------------------------------------------------ in the window


@pytest.fixture
def shown(opened_window, qtbot):
    opened_window.activateWindow()
    qtbot.waitUntil(opened_window.isActiveWindow)
    return opened_window


def test_a_key_restores_what_is_visible_and_shows_it_over_the_rest(shown, client, qtbot):
    shown.workspace.panes.zoom_to(40)
    visible = shown.workspace.panes.visible_region()
    assert visible.size.pixels < 60 * 80

    QTest.keyClick(shown, Qt.Key.Key_R)

    region = client.asked[-1][3]
    assert region == (visible.top, visible.left, visible.bottom, visible.right)
    client.pictures[1, 0] = np.full((60, 80, 3), 0.75, np.float32)
    client.answers = [Accepted(1, 2, 1, "tiles of 64"), FrameDone(1, Moment(0), 0, 0.1), Finished(1, 0.1)]
    view = shown.studio.pictures
    qtbot.waitUntil(lambda: view.view.restored is not None)
    qtbot.waitUntil(lambda: not shown.studio.jobs.is_running)
    qtbot.wait(100)
    picture = view.view.restored.rgb
    assert view.view.is_partial
    assert picture[visible.top + 1, visible.left + 1, 0] == round(0.75 * 255)
    assert picture[0, 0, 0] != round(0.75 * 255)
    assert Moment(0) not in shown.studio.results
    shown.studio.position.go(1)
    qtbot.waitUntil(lambda: view.view.index == 1)
    shown.studio.position.go(0)
    qtbot.waitUntil(lambda: view.view.index == 0 and view.view.restored is not None)


def test_a_running_job_hears_where_the_user_looks(shown, client, qtbot):
    shown.studio.deblur_all()
    client.answers = [Accepted(1, 20, 10, "tiles of 64, about 0.1 GiB")]
    qtbot.waitUntil(lambda: len(client.looked_at) == 1)
    shown.studio.position.go(7)
    qtbot.waitUntil(lambda: client.looked_at[-1][1] == 7)
    shown.workspace.panes.zoom_to(30)
    qtbot.waitUntil(lambda: client.looked_at[-1][2] != client.looked_at[0][2])
    shown.workspace.panes.pixel_hovered.emit((12, 34))
    qtbot.waitUntil(lambda: client.looked_at[-1][3] == (34.0, 12.0))
    assert "0.1 GiB" in shown.restore_panel.worker.text()


def test_the_panel_chooses(shown):
    panel, settings = shown.restore_panel, shown.settings
    shown.docks.show("restore_panel")
    panel.method.setCurrentIndex(0)
    panel.method.activated.emit(0)
    assert settings.method == "spike-ratio"
    assert not panel.device.isEnabled()
    panel.method.setCurrentIndex(1)
    panel.method.activated.emit(1)
    assert settings.method == "network"
    assert shown.actions_by_key["by_network"].isChecked()
    assert panel.device.isEnabled()
    assert "Licence" in panel.card.text()
    panel.tile.setValue(256)
    panel.memory.setValue(1.5)
    panel.device.setCurrentText("cuda:0")
    panel.device.lineEdit().editingFinished.emit()
    assert (settings.tile_px, settings.memory_gb, settings.device) == (256, 1.5, "cuda:0")
    shown.actions_by_key["by_ratio"].trigger()
    assert panel.method.currentIndex() == 0


def test_a_network_that_cannot_be_read_is_told(shown, tmp_path):
    bad = tmp_path / "bad.pt2"
    bad.write_bytes(b"")
    shown.restore_panel.add_model(bad)
    notice = list(shown.studio.notices)[-1]
    assert "bad.pt2" in notice.title + notice.where
