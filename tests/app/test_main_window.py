"""The whole window over files and a worker in memory."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox

from app.__main__ import main, read_arguments
from app.ui.dialogs.recording_dialog import RecordingDialog
from app.ui.help.pages import Page
from engine.errors import GeometryError, SequenceError
from engine.findings import Finding
from engine.moment import Moment
from engine.source import SequenceSource
from engine.worker.messages import Accepted, Finished, FrameDone


def shown(window, kind):
    """Return the open dialogs of a kind."""
    return [child for child in window.findChildren(kind) if child.isVisible()]


def restore(window, client, qtbot, value=0.5):
    """Restore the current frame."""
    job, index = len(client.submitted) + 1, window.studio.position.index
    client.pictures[job, 0] = np.full((60, 80, 3), value, np.float32)
    window.actions_by_key["deblur_frame"].trigger()
    client.answers = [Accepted(job, 1, 1), FrameDone(job, Moment(index), 0, 0.1), Finished(job, 0.1)]
    view = window.studio.pictures
    qtbot.waitUntil(lambda: view.view.result is not None and not window.studio.jobs.is_running)


def drop(window, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), action, mime, button, keys)
    window.dragEnterEvent(enter)
    if enter.isAccepted():
        window.dropEvent(QDropEvent(QPointF(5, 5), action, mime, button, keys))
    return enter.isAccepted()


def test_the_empty_window_says_what_to_do(window):
    assert window.stack.currentWidget() is window.empty
    assert "Drop" in window.empty.heading.text()
    assert not window.actions_by_key["deblur_frame"].isEnabled()
    assert window.actions_by_key["open"].isEnabled()


def test_opening_says_so_and_then_shows_the_sequence(window, files, qtbot):
    files.gate.clear()
    window.studio.open_source(SequenceSource("/data/clip"))
    assert window.empty.text.text() == "clip"
    assert window.empty.progress.isVisible()
    files.gate.set()
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.workspace)
    assert window.windowTitle().startswith("fake")
    window.actions_by_key["close"].trigger()
    assert window.stack.currentWidget() is window.empty
    assert not window.empty.progress.isVisible()


def test_what_fails_to_open_is_a_banner_over_what_was_open(opened_window, files, qtbot):
    files.contents["bad"] = SequenceError("nothing is there", path="bad", advice="look elsewhere")
    opened_window.studio.open_source(SequenceSource("bad"))
    qtbot.waitUntil(opened_window.banner.isVisible)
    assert opened_window.banner.title.text() == "Nothing is there"
    assert opened_window.stack.currentWidget() is opened_window.workspace


def test_slider_counter_and_name_follow_the_frame(opened_window, qtbot):
    transport = opened_window.workspace.transport
    transport.slider.setValue(6)
    qtbot.waitUntil(lambda: opened_window.studio.pictures.view.index == 6)
    assert transport.counter.text() == "7 / 10"
    assert transport.name.text() == "0007"
    opened_window.actions_by_key["last"].trigger()
    assert transport.slider.value() == 9
    opened_window.actions_by_key["back"].trigger()
    assert opened_window.studio.position.index == 0


def test_the_panes_show_the_frame_and_its_result(opened_window, client, qtbot):
    panes = opened_window.workspace.panes
    assert panes.second.item.picture is None
    assert panes.second.hint.isVisible()
    restore(opened_window, client, qtbot, value=0.25)
    assert (panes.second.item.picture.rgb == 64).all()
    assert not panes.second.hint.isVisible()
    assert "network" in panes.second.title.text()
    qtbot.waitUntil(lambda: "dB" in panes.second.score.text())


def test_the_button_in_the_empty_pane_deblurs(opened_window, client):
    QTest.mouseClick(opened_window.workspace.panes.second.hint.button, Qt.MouseButton.LeftButton)
    assert client.submitted[0][1] == [0]


def test_the_range_is_what_lies_between_its_points(opened_window, client):
    actions, position = opened_window.actions_by_key, opened_window.studio.position
    assert not actions["deblur_range"].isEnabled()
    position.go(2)
    actions["set_in"].trigger()
    position.go(5)
    actions["set_out"].trigger()
    actions["deblur_range"].trigger()
    assert client.submitted[0][1] == [2, 3, 4, 5]
    actions["cancel"].trigger()
    assert client.cancelled == [1]


def test_a_frame_that_cannot_be_read_says_so_in_its_pane(window, files, qtbot):
    files.contents["clip"] = {"broken": frozenset({0})}
    window.studio.open_source(SequenceSource("clip"))
    hint = window.workspace.panes.first.hint
    qtbot.waitUntil(hint.isVisible)
    assert "0001.png" in hint.label.text()
    assert window.banner.isVisible()


def test_without_spikes_the_window_offers_to_add_them(window, files, qtbot):
    files.contents["clip"] = {"recording": None}
    window.studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: window.studio.pictures.view is not None)
    assert not window.workspace.voxels.isVisible()
    assert window.workspace.panes.second.hint.button.text() == "Add spikes…"
    assert not window.actions_by_key["deblur_all"].isEnabled()
    QTest.mouseClick(window.workspace.panes.second.hint.button, Qt.MouseButton.LeftButton)
    (dialog,) = shown(window, QFileDialog)
    dialog.reject()


def test_an_unknown_geometry_is_asked_for_once_and_remembered_for_the_folder(window, files, qtbot, tmp_path):
    path = tmp_path / "a.dat"
    path.write_bytes(bytes(30 * 40 // 8 * 7))
    files.contents[str(path)] = GeometryError("nothing says how large a plane is", path=path)
    window.studio.open_source(SequenceSource(str(path)))
    qtbot.waitUntil(lambda: len(shown(window, RecordingDialog)) == 1)
    (dialog,) = shown(window, RecordingDialog)
    qtbot.waitUntil(lambda: not dialog.choice.busy)
    dialog.height_px.setValue(30)
    dialog.width_px.setValue(40)
    qtbot.waitUntil(dialog.open_button.isEnabled)
    files.contents.clear()
    with qtbot.waitSignal(window.studio.session.opened):
        dialog.accept()
    assert (window.studio.session.source.height, window.studio.session.source.width) == (30, 40)
    assert window.settings.recordings == {str(tmp_path): {"height": 30, "width": 40}}


def test_a_recording_is_looked_at_before_it_is_opened_and_its_settings_later(window, qtbot, tmp_path):
    path = tmp_path / "a.dat"
    path.write_bytes(bytes(250 * 400 // 8 * 7))
    window.commands.ask_recording(path)
    (dialog,) = shown(window, RecordingDialog)
    qtbot.waitUntil(dialog.open_button.isEnabled)
    dialog.rate.setValue(20000.0)
    with qtbot.waitSignal(window.studio.session.opened):
        dialog.accept()
    assert window.studio.session.source.rate_hz == 20000.0
    window.actions_by_key["recording"].trigger()
    dialog = shown(window, RecordingDialog)[-1]
    qtbot.waitUntil(lambda: not dialog.choice.busy)
    dialog.reject()


def test_dropped_files_are_opened(window, tmp_path, qtbot):
    folder = tmp_path / "データ folder"
    folder.mkdir()
    with qtbot.waitSignal(window.studio.session.opened):
        assert drop(window, folder)
    assert window.studio.session.source.path == str(folder)


def test_dropped_text_is_not_taken(window):
    mime = QMimeData()
    mime.setText("hello")
    event = QDragEnterEvent(
        QPoint(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    event.setAccepted(False)
    window.dragEnterEvent(event)
    assert not event.isAccepted()


def test_gamma_is_chosen_in_the_bar_or_the_menu(opened_window, qtbot):
    bar = opened_window.workspace.job_bar
    assert "assumed" in bar.gamma.currentText()
    with qtbot.waitSignal(opened_window.studio.session.opened):
        opened_window.actions_by_key["linear_light"].trigger()
    assert bar.gamma.currentText() == "linear light (γ 2.2)"
    with qtbot.waitSignal(opened_window.studio.session.opened):
        bar.gamma.activated.emit(0)
    assert opened_window.actions_by_key["code_values"].isChecked()


def test_the_method_is_chosen_in_the_menu_and_kept(opened_window, client, qtbot):
    assert opened_window.actions_by_key["by_network"].isChecked()
    opened_window.actions_by_key["by_ratio"].trigger()
    assert not opened_window.actions_by_key["by_network"].isChecked()
    opened_window.actions_by_key["deblur_frame"].trigger()
    qtbot.waitUntil(lambda: len(client.submitted) == 1)
    assert client.submitted[0][2] == "spike-ratio"
    assert opened_window.settings.method == "spike-ratio"


def test_the_status_line_tells_the_window_and_the_pixel_in_both_pictures(opened_window, client, qtbot):
    status = opened_window.statusBar()
    assert "planes 0–16 (0 ms to 8 ms)" in status.facts.text()
    restore(opened_window, client, qtbot, value=1.0)
    opened_window.workspace.panes.pixel_hovered.emit((3, 4))
    assert status.probe.text() == "(3, 4)    0   0   0  →  255 255 255"
    opened_window.workspace.panes.pixel_hovered.emit((80, 4))
    assert status.probe.text() == ""


def test_exporting_all_asks_before_it_replaces_files(opened_window, client, tmp_path, qtbot):
    restore(opened_window, client, qtbot)
    (tmp_path / "0001.png").write_text("mine")
    opened_window.commands._export_all(tmp_path)
    (box,) = shown(opened_window, QMessageBox)
    box.reject()
    assert (tmp_path / "0001.png").read_text() == "mine"
    opened_window.commands._export_all(tmp_path)
    box = shown(opened_window, QMessageBox)[-1]
    with qtbot.waitSignal(opened_window.studio.exports.finished):
        box.buttons()[0].click()
    assert (tmp_path / "0001.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_odd_about_the_files_is_counted_and_told_when_asked(window, files, qtbot):
    files.contents["clip"] = {
        "findings": (
            Finding("frame 3 has no reference", "Copy it"),
            Finding("one recording is longer", "Copy the others again"),
        )
    }
    window.studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: window.tool_bar.notes.text() == "2 notes")
    assert len(window.studio.notices) == 0
    window.actions_by_key["findings"].trigger()
    (page,) = shown(window, Page)
    said = [label.text() for label in page.findChildren(QLabel)]
    assert said[-4:] == [
        "frame 3 has no reference.",
        "Copy it.",
        "one recording is longer.",
        "Copy the others again.",
    ]
    page.reject()


def test_the_page_about_the_program_opens_and_closes(window):
    window.actions_by_key["about"].trigger()
    (page,) = shown(window, Page)
    page.reject()


@pytest.mark.parametrize("choice", ["light", "dark", "system"])
def test_the_theme_changes_everything_at_once_and_is_remembered(opened_window, choice):
    opened_window.actions_by_key[f"theme_{choice}"].trigger()
    assert opened_window.settings.theme == choice
    opened_window.grab()


def test_hiding_the_voxel_bins_is_remembered(opened_window):
    assert opened_window.workspace.voxels.isVisible()
    opened_window.actions_by_key["voxels"].trigger()
    assert not opened_window.workspace.voxels.isVisible()
    assert opened_window.settings.show_voxels is False


@pytest.mark.parametrize("size", [(800, 500), (1280, 800), (2400, 1300)])
def test_nothing_makes_the_window_larger_than_the_user_made_it(opened_window, files, qtbot, size):
    opened_window.resize(*size)
    files.contents["bad"] = SequenceError("x " * 200, path="/very/long" * 20)
    opened_window.studio.open_source(SequenceSource("bad"))
    qtbot.waitUntil(opened_window.banner.isVisible)
    assert (opened_window.width(), opened_window.height()) == size


def test_the_command_line_names_what_to_open(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_arguments([]) == (None, True)
    assert read_arguments(["--empty"]) == (None, False)
    assert read_arguments(["a.dat", "--flat", "none"])[0].flat == "none"
    assert read_arguments(["a.dat", "--flat", "flat.dat"])[0].flat == str(Path("flat.dat").absolute())
    source, sample = read_arguments(["a b.dat", "--height", "250", "--width", "400", "--rate", "20000"])
    assert not sample
    assert source == SequenceSource(str(tmp_path / "a b.dat"), height=250, width=400, rate_hz=20000.0)


def test_without_a_display_it_says_so_instead_of_crashing(monkeypatch, capsys):
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 1
    assert "no display" in capsys.readouterr().err


def test_quitting_asks_while_work_goes_on(opened_window, client, qtbot):
    opened_window.studio.deblur_all()
    opened_window.actions_by_key["quit"].trigger()
    box = opened_window.findChild(QMessageBox)
    assert "A job is not finished" in box.text()
    with qtbot.waitSignal(box.finished):
        QTest.mouseClick(box.button(QMessageBox.StandardButton.Cancel), Qt.MouseButton.LeftButton)
    assert opened_window.isVisible()
    assert not client.closed
    qtbot.waitUntil(lambda: opened_window.findChild(QMessageBox) is None)
    opened_window.actions_by_key["quit"].trigger()
    box = opened_window.findChild(QMessageBox)
    leave = next(one for one in box.buttons() if box.standardButton(one) != QMessageBox.StandardButton.Cancel)
    QTest.mouseClick(leave, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: client.closed)
    assert not opened_window.isVisible()


def test_quitting_without_work_asks_nothing(opened_window, client):
    opened_window.actions_by_key["quit"].trigger()
    assert not opened_window.isVisible()
    assert client.closed


def test_a_window_clicked_away_asks_too(opened_window):
    class Clicked(QCloseEvent):
        def spontaneous(self):
            return True

    opened_window.studio.exports._busy = True
    event = Clicked()
    opened_window.closeEvent(event)
    assert not event.isAccepted()
    assert "export" in opened_window.findChild(QMessageBox).text()
    opened_window.findChild(QMessageBox).close()
    opened_window.studio.exports._busy = False
