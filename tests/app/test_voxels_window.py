"""Voxel bins and the raster in the whole window, with real events."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from safetensors import safe_open
from safetensors.numpy import save_file

from app.display import Look
from app.state.compare.comparing import VOXEL, Choice
from app.state.compare.pictures import VOXEL_VALUES
from app.state.spikes.network_input import network_values
from app.state.spikes.raster import raster_of, spikes_in_bin
from app.state.spikes.voxel_look import COLOURS, VoxelLook, colour_table
from app.ui.spikes.voxel_commands import BinPlayer, fill_look_menu
from app.ui.spikes.voxel_strip import qt_colours
from engine.alignment import AlignmentWindow
from engine.geometry import Span
from engine.model.config import VRTSpikeConfig, config_to_dict
from engine.model_description import ModelDescription
from engine.model_files import bundled_models
from engine.recording import write_packed
from engine.sequence import open_sequence
from engine.voxels import VoxelSpec


@pytest.fixture
def shown(opened_window, qtbot):
    opened_window.activateWindow()
    qtbot.waitUntil(opened_window.isActiveWindow)
    return opened_window


def test_a_click_selects_a_bin_and_marks_it_on_the_timeline(shown):
    strip, studio = shown.workspace.voxels, shown.studio
    at = strip._boxes()[5].center().toPoint()
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=at)
    assert studio.comparison.bin == 5
    strip.leaveEvent(None)
    start, stop = shown.workspace.timeline.content.bin
    assert (start, stop) == pytest.approx((16 / 32 * 5, 16 / 32 * 6))
    QTest.keyClick(shown, Qt.Key.Key_Period)
    assert studio.comparison.bin == 6
    QTest.keyClick(shown, Qt.Key.Key_Comma)
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=at)
    assert studio.comparison.bin is None


def test_the_mark_moves_with_the_frame(shown, qtbot):
    shown.studio.comparison.select_bin(3)
    shown.studio.position.go(2)
    qtbot.waitUntil(lambda: shown.workspace.timeline.content.bin is not None)
    assert shown.workspace.timeline.content.bin[0] == pytest.approx(40 + 16 / 32 * 3)


def test_a_double_click_shows_the_bin_large(shown, qtbot):
    strip, studio = shown.workspace.voxels, shown.studio
    QTest.mouseDClick(strip, Qt.MouseButton.LeftButton, pos=strip._boxes()[7].center().toPoint())
    assert studio.comparison.shown[1] == Choice(VOXEL)
    pane = shown.workspace.panes.second
    qtbot.waitUntil(lambda: pane.item.picture is not None)
    assert "bin 8 of 32" in pane.title.text()
    first = studio.pictures.view.values(VOXEL)
    studio.comparison.select_bin(9)
    qtbot.waitUntil(lambda: studio.pictures.view.bin == 9)
    assert studio.pictures.view.values(VOXEL) is not first


def test_bins_are_played_round_and_round(shown, qtbot):
    player = BinPlayer(shown)
    player._timer.setInterval(1)
    shown.studio.comparison.select_bin(30)
    seen = []
    shown.studio.comparison.bin_changed.connect(lambda: seen.append(shown.studio.comparison.bin))
    player.play(shown.studio)
    qtbot.waitUntil(lambda: len(seen) >= 4)
    player.play(None)
    assert seen[:3] == [31, 0, 1]


def test_playing_bins_ends_with_the_sequence(shown, qtbot):
    action = shown.actions_by_key["play_bins"]
    shown.studio.playback.set_speed(8.0)
    action.trigger()
    qtbot.waitUntil(lambda: shown.studio.comparison.bin is not None)
    assert action.isChecked()
    shown.actions_by_key["close"].trigger()
    qtbot.waitUntil(lambda: not action.isChecked())


def network_file(path, **voxels):
    """Write a file that says of itself that it holds a small network; its weights are never looked at."""
    spec = VoxelSpec(**voxels)
    config = VRTSpikeConfig(spike_bins=spec.channels)
    about = {
        "format_version": 1,
        "config": config_to_dict(config),
        "voxel_spec": asdict(spec),
        "card": {"name": "other"},
    }
    save_file({"x": np.zeros(1, np.float32)}, path, {"spike_deblur_studio": json.dumps(about)})
    return path


def test_network_values_are_those_of_the_network_that_is_chosen(shown, qtbot, tmp_path):
    studio = shown.studio
    counts = studio.session.sequence.voxels(0)
    bundled = VoxelSpec(**json.loads(_metadata(bundled_models()[0])["spike_deblur_studio"])["voxel_spec"])
    assert studio.spikes.look.takes == bundled
    np.testing.assert_array_equal(network_values(counts, bundled), bundled.apply(counts)[:32])
    assert abs(bundled.apply(counts)[:32] - VoxelSpec(transform="relative").apply(counts)[:32]).max() > 0.1
    other = VoxelSpec(32, "log1p", 1.0, 2.0)
    np.testing.assert_allclose(network_values(counts, other), (np.log1p(counts) - 1) / 2, rtol=1e-6)
    studio.set_voxel_look(VoxelLook(values="network"))
    studio.desk.restoring.add_model(network_file(tmp_path / "other.safetensors", mean=1.0, std=2.0))
    qtbot.waitUntil(lambda: studio.spikes.voxels.look.takes == other)


def test_the_strip_has_the_bins_of_the_network_that_is_chosen(shown, qtbot, tmp_path):
    studio = shown.studio
    studio.desk.restoring.add_model(network_file(tmp_path / "other.safetensors", bins=8))
    qtbot.waitUntil(lambda: len(studio.spikes.voxels.pictures) == 8)
    assert shown.workspace.timeline.content.bins == 8
    window = studio.session.sequence.window(studio.position.index)
    for _ in range(9):
        shown.actions_by_key["next_bin"].trigger()
    assert studio.comparison.bin == 0
    length = (window.stop - window.start) / 8
    assert shown.workspace.timeline.content.bin == (window.start, window.start + length)
    shown.actions_by_key["show_voxel"].trigger()
    qtbot.waitUntil(lambda: VOXEL_VALUES in studio.pictures.view.others)
    assert (
        studio.pictures.view.others[VOXEL_VALUES][..., 0] == studio.session.sequence.voxels(0, 8)[0]
    ).all()


def test_the_readout_of_a_bin_says_spikes_and_not_colours(shown, qtbot):
    studio, panes = shown.studio, shown.workspace.panes
    studio.comparison.select_bin(3)
    studio.comparison.choose(1, Choice(VOXEL))
    qtbot.waitUntil(lambda: studio.pictures.view.picture(Choice(VOXEL)) is not None)
    expected = studio.session.sequence.voxels(studio.position.index)[3]
    panes.pixel_hovered.emit((0, 0))
    assert panes.second.readout.text() == f"{expected[0, 0]:.4g}"
    studio.comparison.set_look(Look(white=0.5))  # only redrawn, not read again
    qtbot.waitUntil(lambda: studio.pictures.view.look == Look(white=0.5))
    assert panes.second.readout.text() == f"{expected[0, 0]:.4g}"


def test_how_a_network_takes_voxels_is_not_guessed_at(shown, qtbot, tmp_path):
    studio = shown.studio
    published = tmp_path / "published.pth"
    published.write_bytes(b"weights alone")
    studio.set_voxel_look(VoxelLook(values="network"))
    qtbot.waitUntil(lambda: studio.spikes.voxels.look.shown == "network")

    studio.desk.restoring.add_model(published)
    qtbot.waitUntil(lambda: studio.spikes.voxels.look.takes is None)

    voxels = studio.spikes.voxels
    assert (len(voxels.pictures), voxels.look.shown) == (32, "counts")
    assert "is not known" in shown.workspace.voxels._title(voxels)
    assert "does not say" in shown.restore_panel.card.text()

    told = VoxelSpec(8, "log1p", 1.0, 2.0)
    about = ModelDescription(kind="network", title="published", voxels=told, clip_frames=6)
    studio.desk.restoring.learn("network", str(published), about)
    qtbot.waitUntil(lambda: studio.spikes.voxels.look.takes == told)
    assert len(studio.spikes.voxels.pictures) == 8
    assert "8 bins" in shown.restore_panel.card.text()

    published.write_bytes(b"other weights now")
    studio.desk.restoring.changed.emit()
    assert studio.spikes.look.takes is None


def _metadata(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()


def test_the_strip_shows_network_values_in_colours(shown, qtbot):
    studio, strip = shown.studio, shown.workspace.voxels
    fill_look_menu(strip.menu, studio, shown.actions_by_key)
    texts = {action.text(): action for action in strip.menu.actions()}
    texts["As the network takes them"].trigger()
    qtbot.waitUntil(lambda: studio.spikes.voxels.look.values == "network")
    fill_look_menu(strip.menu, studio, shown.actions_by_key)
    next(action for action in strip.menu.actions() if action.text() == "Viridis").trigger()
    qtbot.waitUntil(lambda: studio.spikes.voxels.look.colours == "viridis")
    assert (studio.settings.voxel_values, studio.settings.voxel_colours) == ("network", "viridis")
    assert "network values" in strip._title(studio.spikes.voxels)
    strip.grab()


def test_one_scale_or_one_for_every_bin():
    bins = np.stack([np.full((8, 8), value, np.float32) for value in (1.0, 4.0)])
    common, low, high = VoxelLook().levels(bins)
    assert (common[0].max(), common[1].max(), low, high) == (127, 255, 0.0, 4.0)
    own, _, _ = VoxelLook(own_scale=True).levels(bins)
    assert (own[0].max(), own[1].max()) == (255, 255)


@pytest.mark.parametrize(
    "look", [VoxelLook(), VoxelLook("network", takes=VoxelSpec()), VoxelLook(own_scale=True)]
)
def test_one_bin_alone_looks_as_among_the_others(look):
    bins = np.random.default_rng(4).gamma(2.0, 1.5, (32, 40, 50)).astype(np.float32)
    levels, _, _ = look.levels(bins)
    np.testing.assert_array_equal(look.levels_of(bins, 11), levels[11])


@pytest.mark.parametrize("name", COLOURS)
def test_colour_tables(name):
    table = colour_table(name)
    assert table.shape == (256, 3)
    assert len(np.unique(table, axis=0)) > 200
    colours = qt_colours(name)
    assert (colours is None) == (name == "grey")
    red, green, blue = (int(part) for part in table[77])
    assert colours is None or colours[77] == 0xFF << 24 | red << 16 | green << 8 | blue


def test_the_large_bin_looks_as_in_the_strip(shown, qtbot):
    studio = shown.studio
    QTest.mouseDClick(
        shown.workspace.voxels,
        Qt.MouseButton.LeftButton,
        pos=shown.workspace.voxels._boxes()[7].center().toPoint(),
    )
    qtbot.waitUntil(lambda: studio.pictures.view.values(VOXEL) is not None)
    assert (studio.pictures.view.values(VOXEL) == 1.0).all()  # every count is the brightest
    studio.set_voxel_look(VoxelLook(colours="viridis"))
    qtbot.waitUntil(lambda: studio.pictures.view.voxel_look.colours == "viridis")
    yellow = studio.pictures.view.values(VOXEL)[3, 3] * 255
    np.testing.assert_allclose(yellow, colour_table("viridis")[255], atol=0.5)
    studio.set_voxel_look(VoxelLook(values="network"))
    qtbot.waitUntil(lambda: studio.pictures.view.voxel_look.values == "network")
    takes = studio.spikes.look.takes
    look = VoxelLook(values="network", takes=takes)
    expected = look.levels(network_values(studio.session.sequence.voxels(0), takes))[0]
    got = studio.pictures.view.values(VOXEL)[..., 0] * 255
    np.testing.assert_allclose(got, expected[7], atol=0.5)


def test_the_arrow_keys_go_through_the_bins_while_the_strip_has_the_keyboard(shown):
    strip, studio = shown.workspace.voxels, shown.studio
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip._boxes()[0].center().toPoint())
    assert strip.hasFocus()
    QTest.keyClick(strip, Qt.Key.Key_Right)
    QTest.keyClick(strip, Qt.Key.Key_Right)
    assert studio.comparison.bin == 2
    QTest.keyClick(strip, Qt.Key.Key_Left)
    QTest.keyClick(strip, Qt.Key.Key_Up)  # there is none above
    assert studio.comparison.bin == 1
    columns = sum(box.top() == strip._boxes()[0].top() for box in strip._boxes())
    QTest.keyClick(strip, Qt.Key.Key_Down)
    assert studio.comparison.bin == (1 + columns if columns < 32 else 1)
    QTest.keyClick(strip, Qt.Key.Key_End)
    QTest.keyClick(strip, Qt.Key.Key_Right)
    assert studio.comparison.bin == 0
    assert studio.position.index == 0  # no frame was stepped to
    QTest.keyClick(strip, Qt.Key.Key_Return)
    assert studio.comparison.shown[-1] == Choice(VOXEL)
    shown.workspace.panes.setFocus()
    shown.workspace.setFocus()
    QTest.keyClick(shown.workspace, Qt.Key.Key_Right)
    assert studio.position.index == 1


def test_the_strip_says_when_a_bin_was(shown):
    strip, studio = shown.workspace.voxels, shown.studio
    assert strip._about(studio.spikes.voxels, 5) == "Bin 6 · planes 2.5–3 · 1.25–1.5 ms · 1,200 spikes"


def test_the_raster_holds_the_spikes_of_the_neighbourhood(tmp_path):
    random = np.random.default_rng(8)
    planes = (random.random((60, 10, 16)) < 0.3).astype(np.uint8)
    write_packed(tmp_path / "spikes.dat", planes)
    with open_sequence(tmp_path / "spikes.dat", height=10, width=16) as opened:
        sequence = opened.with_windows([AlignmentWindow(10, 40)])
        raster = raster_of(sequence, 0, (7, 4))
        assert raster.span == Span(2, 48)  # a quarter of the window on both sides
        np.testing.assert_array_equal(raster.of_middle, 2 + np.flatnonzero(planes[2:48, 4, 7]))
        assert raster.row_count == 25
        assert len(raster.planes) == planes[2:48, 2:7, 5:10].sum()
        times, gaps = raster.intervals
        np.testing.assert_array_equal(gaps, np.diff(raster.of_middle))
        assert len(times) == len(gaps)
        assert raster_of(sequence, 0, (0, 0)).row_count == 9
        assert raster_of(sequence, 0, (0, 0), reach=0).middle_row == 0


def test_the_raster_holds_no_spikes_of_another_frames_recording(tmp_path):
    random = np.random.default_rng(8)
    planes = (random.random((2, 20, 10, 16)) < 0.3).astype(np.uint8)
    for folder in ("blur", "spike"):
        (tmp_path / folder).mkdir()
    for index, part in enumerate(planes):
        Image.new("RGB", (32, 20)).save(tmp_path / "blur" / f"{index}.png")
        write_packed(tmp_path / "spike" / f"{index}.dat", part)
    with open_sequence(tmp_path, height=10, width=16) as sequence:
        raster = raster_of(sequence, 1, (7, 4), reach=0)
    assert raster.span == Span(20, 40)
    assert raster.complete
    np.testing.assert_array_equal(raster.of_middle, 20 + np.flatnonzero(planes[1, :, 4, 7]))


def test_the_raster_panel_follows_the_mouse(shown, qtbot):
    panel, studio = shown.raster_panel, shown.studio
    assert "Move the mouse" in panel.facts.text()
    shown.actions_by_key["raster_panel"].trigger()
    qtbot.waitUntil(lambda: studio.rasters.watched)
    shown.workspace.panes.pixel_hovered.emit((1, 1))
    qtbot.waitUntil(lambda: "Pixel" in panel.heading.text())
    assert "spikes during the exposure" in panel.facts.text()
    assert panel.raster.isVisible()


def test_nothing_is_read_for_a_raster_that_nobody_sees(shown):
    shown.workspace.panes.pixel_hovered.emit((1, 1))
    assert not shown.studio.rasters._lane.busy


def test_the_raster_stays_at_its_pixel_and_follows_the_frame_and_its_window(shown, qtbot):
    studio = shown.studio
    shown.workspace.panes.pixel_hovered.emit((3, 5))  # before anybody looks
    shown.actions_by_key["raster_panel"].trigger()
    qtbot.waitUntil(lambda: studio.rasters.current is not None)
    shown.workspace.panes.pixel_hovered.emit(None)
    first = studio.rasters.current
    studio.position.go(4)
    qtbot.waitUntil(lambda: studio.rasters.current.window == AlignmentWindow(80, 96))
    assert (studio.rasters.current.x, studio.rasters.current.y) == (first.x, first.y) == (1, 2)
    studio.alignment.edits.set_window(4, AlignmentWindow(81.0, 99.0))
    qtbot.waitUntil(lambda: studio.rasters.current.window == AlignmentWindow(81, 99))


def test_the_size_of_the_neighbourhood_is_chosen_and_kept(shown, qtbot):
    studio, panel = shown.studio, shown.raster_panel
    shown.actions_by_key["raster_panel"].trigger()
    shown.workspace.panes.pixel_hovered.emit((30, 30))
    qtbot.waitUntil(lambda: studio.rasters.current is not None)
    assert studio.rasters.current.row_count == 25
    QTest.mouseClick(panel.reach.button(0), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: studio.rasters.current.row_count == 1)
    assert studio.settings.raster_reach == 0
    qtbot.waitUntil(lambda: panel.raster.getAxis("left")._tickLevels == [[(0.0, "y 15")]])


def test_every_line_of_the_neighbourhood_is_named_where_it_begins(shown, qtbot):
    panel = shown.raster_panel
    shown.actions_by_key["raster_panel"].trigger()
    shown.workspace.panes.pixel_hovered.emit((0, 30))
    qtbot.waitUntil(panel.raster.isVisible)
    names = panel.raster.getAxis("left")._tickLevels[0]
    assert names == [(0.0, "y 13"), (3.0, "y 14"), (6.0, "y 15"), (9.0, "y 16"), (12.0, "y 17")]


def test_both_plots_show_the_same_planes_above_each_other(shown, qtbot):
    panel, studio = shown.raster_panel, shown.studio
    shown.actions_by_key["raster_panel"].trigger()
    studio.position.go(3)
    shown.workspace.panes.pixel_hovered.emit((30, 30))
    qtbot.waitUntil(panel.raster.isVisible)
    qtbot.wait(50)
    ranges = [plot.getViewBox().viewRange()[0] for plot in (panel.raster, panel.intervals)]
    assert ranges[0] == pytest.approx(ranges[1], abs=0.5)
    assert ranges[0][0] <= studio.rasters.current.span.start


def test_the_raster_shows_the_selected_bin_and_counts_as_the_voxels_do(shown, qtbot, tmp_path):
    random = np.random.default_rng(3)
    planes = (random.random((90, 10, 16)) < 0.4).astype(np.uint8)
    write_packed(tmp_path / "spikes.dat", planes)
    window = AlignmentWindow(7.3, 80.9)
    with open_sequence(tmp_path / "spikes.dat", height=10, width=16) as opened:
        sequence = opened.with_windows([window])
        raster = raster_of(sequence, 0, (7, 4))
        counts = sequence.voxels(0)[:, 4, 7]
    inside = raster.of_middle[(raster.of_middle >= window.start) & (raster.of_middle < window.stop)]
    assert [spikes_in_bin(inside, window, number, 32) for number in range(32)] == counts.tolist()
    panel, studio = shown.raster_panel, shown.studio
    shown.actions_by_key["raster_panel"].trigger()
    shown.workspace.panes.pixel_hovered.emit((30, 30))
    studio.comparison.select_bin(4)
    qtbot.waitUntil(lambda: "in bin 5" in panel.facts.text())
    assert panel.bin.getRegion() == pytest.approx((2.0, 2.5))
    studio.comparison.select_bin(None)
    qtbot.waitUntil(lambda: not panel.bin.isVisible())


def test_the_plots_are_drawn_no_oftener_than_somebody_can_read_them(shown, qtbot):
    panel, studio = shown.raster_panel, shown.studio
    shown.actions_by_key["raster_panel"].trigger()
    shown.workspace.panes.pixel_hovered.emit((30, 30))
    qtbot.waitUntil(panel.raster.isVisible)
    drawn = []
    panel.raster.sigRangeChanged.connect(lambda *_: drawn.append(studio.position.index))
    for index in range(1, 8):
        studio.position.go(index)
        qtbot.waitUntil(lambda index=index: studio.rasters.current.window.start == 20.0 * index)
    qtbot.waitUntil(lambda: not panel._redraw.isActive())
    assert drawn[-1] == 7
    assert len(set(drawn)) < 7
