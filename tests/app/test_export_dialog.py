"""The export dialog in the whole window, its files read back."""

import csv
import dataclasses
import errno
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.state.compare.comparing import BLURRY, REFERENCE
from app.state.compare.results import Restored
from app.state.export import export_tasks
from app.state.export.export_tasks import VideoPlan, side_by_side, wipe, with_labels
from app.ui.dialogs.export_dialog import PICTURES, REPLACE, SCORES, SKIP, VIDEO, ExportDialog
from engine.errors import ExportError
from engine.moment import Moment
from engine.video import VideoFrames


def restored(value):
    return Restored(np.full((60, 80, 3), value, np.float32), "network", 1.0, 0.1)


@pytest.fixture
def dialog(opened_window, tmp_path, qtbot):
    studio = opened_window.studio
    for index in (0, 1, 4):
        studio.results.put(Moment(index), restored(0.1 + 0.2 * index))
    opened_window.actions_by_key["export"].trigger()
    dialog = opened_window.findChild(ExportDialog)
    qtbot.waitUntil(dialog.isVisible)
    dialog.folder.setText(str(tmp_path / "新 out"))
    return dialog


def pixels(path):
    """Return a picture file as it is, (H, W, 3) RGB."""
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)[:, :, ::-1]


def choose(segments, value):
    QTest.mouseClick(segments.button(value), Qt.MouseButton.LeftButton)


def export(dialog, qtbot):
    with qtbot.waitSignal(dialog._studio.exports.ended) as ended:
        QTest.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    return ended.args[0]


def test_all_restored_frames_under_names_of_choice(dialog, tmp_path, qtbot):
    dialog.template.clear()
    QTest.keyClicks(dialog.template, "{method}_{number:03d}")
    assert dialog.preview.text().startswith("3 files: network_001.png, network_002.png …")
    assert "7 frames are not restored" in dialog.preview.text()
    dialog.format.setCurrentText("PNG, 16 bit")
    done = export(dialog, qtbot)
    assert [path.name for path in done.written] == ["network_001.png", "network_002.png", "network_005.png"]
    written = pixels(tmp_path / "新 out/network_005.png")
    assert written.dtype == np.uint16
    assert (written == round(0.9 * 65535)).all()
    assert not dialog.isVisible()
    assert dialog._settings.export_template == "{method}_{number:03d}"


def test_what_is_exported_is_what_is_shown(dialog, tmp_path, qtbot):
    choose(dialog.frames, "frame")
    export(dialog, qtbot)
    studio = dialog._studio
    studio._show_frame(0)
    qtbot.waitUntil(lambda: studio.pictures.view.restored is not None)
    assert (pixels(tmp_path / "新 out/0001.png") == studio.pictures.view.restored.rgb).all()


def test_files_that_are_there_stay_or_are_replaced(dialog, tmp_path, qtbot):
    (tmp_path / "新 out").mkdir()
    (tmp_path / "新 out/0001.png").write_bytes(b"mine")
    dialog.refresh()
    assert "1 are there already and stay" in dialog.preview.text()
    done = export(dialog, qtbot)
    assert (tmp_path / "新 out/0001.png").read_bytes() == b"mine"
    assert len(done.written) == 2


def test_replacing_is_asked_for(dialog, tmp_path, qtbot):
    (tmp_path / "新 out").mkdir()
    (tmp_path / "新 out/0001.png").write_bytes(b"mine")
    choose(dialog.existing, REPLACE)
    assert "1 are there already and are replaced" in dialog.preview.text()
    assert len(export(dialog, qtbot).written) == 3
    assert pixels(tmp_path / "新 out/0001.png").shape == (60, 80, 3)
    choose(dialog.existing, SKIP)
    dialog.refresh()
    assert dialog.preview.text() == "All of these files are there already."
    assert not dialog.export.isEnabled()


def test_a_template_without_names_says_so_in_place(dialog):
    dialog.template.setText("same")
    assert "would both be same.png" in dialog.preview.text()
    assert not dialog.export.isEnabled()
    dialog.template.setText("{nonsense}")
    assert "There is no {nonsense}" in dialog.preview.text()


def test_a_folder_that_cannot_be_written_is_told_in_place(dialog, tmp_path, qtbot):
    (tmp_path / "file").write_text("in the way")
    dialog.folder.setText(str(tmp_path / "file"))
    done = export(dialog, qtbot)
    assert done.failed == 3
    assert dialog.isVisible()
    assert "0 files were written" in dialog.preview.text()
    assert "file" in dialog.preview.text()
    dialog.reject()


def test_scores_as_a_table(dialog, tmp_path, qtbot):
    choose(dialog.what, SCORES)
    assert dialog.file.text() == "fake_scores.csv"
    export(dialog, qtbot)
    table = (tmp_path / "新 out/fake_scores.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["name"] for row in rows] == [f"{n:04d}" for n in range(1, 11)]
    assert float(rows[0]["blurry_psnr"]) == pytest.approx(-20 * np.log10(26 / 255), abs=1e-3)
    assert rows[0]["method"] == "network"
    assert rows[0]["restored_psnr"] == "inf"
    assert rows[2]["restored_psnr"] == ""


def frames_of(path):
    frames = VideoFrames(path)
    pictures = [frames.read(index) for index in range(len(frames))]
    frames.close()
    return pictures


@pytest.mark.parametrize(
    ("quality", "suffix", "off"), [("small", ".mp4", 4), ("good", ".mp4", 2), ("lossless", ".mkv", 0.51)]
)
def test_a_video_of_two_pictures(dialog, tmp_path, qtbot, quality, suffix, off):
    choose(dialog.what, VIDEO)
    dialog.left.setCurrentIndex(dialog.left.findData(BLURRY))
    dialog.right.setCurrentIndex(dialog.right.findData(REFERENCE))
    dialog.quality.setCurrentIndex(dialog.quality.findData(quality))
    assert dialog.file.text() == f"fake_comparison{suffix}"
    export(dialog, qtbot)
    path = tmp_path / f"新 out/fake_comparison{suffix}"
    frames = frames_of(path)
    assert len(frames) == 10
    assert frames[0].shape == (60, 168, 3)
    for index, frame in enumerate(frames):
        assert abs(float(frame[:, 10:70].mean()) - index / 100 * 255) < off
        assert abs(float(frame[:, 98:158].mean()) - (index / 100 + 0.1) * 255) < off
    assert [one.name for one in (tmp_path / "新 out").iterdir()] == [path.name]


def test_a_name_of_choice_keeps_to_the_format(dialog):
    choose(dialog.what, VIDEO)
    dialog.file.setText("mine.MP4")
    dialog.quality.setCurrentIndex(dialog.quality.findData("lossless"))
    assert dialog.file.text() == "mine.mkv"
    dialog.file.setText("mine")
    dialog.quality.setCurrentIndex(dialog.quality.findData("best"))
    assert dialog.target.name == "mine.mp4"


def test_names_are_drawn_into_pictures_that_have_room(dialog):
    large = np.zeros((150, 200, 3), np.uint8)
    plan = VideoPlan(Path("x.mp4"), (0,), BLURRY, REFERENCE, "wipe", 10, labels=("Blurry", "Reference"))
    left, right = with_labels(plan, large, large)
    assert left[:40, :100].any()
    assert not left[:, 100:].any()
    assert right[:40, 100:].any()
    assert not right[:, :100].any()
    assert with_labels(dataclasses.replace(plan, labels=None), large, large)[0] is large
    assert dialog.labels.isChecked()


def test_the_same_picture_twice_is_no_comparison(dialog):
    choose(dialog.what, VIDEO)
    dialog.right.setCurrentIndex(dialog.right.findData(BLURRY))
    dialog.left.setCurrentIndex(dialog.left.findData(BLURRY))
    assert "two different pictures" in dialog.preview.text()
    choose(dialog.what, PICTURES)
    assert dialog.export.isEnabled()


def test_video_frames_have_even_sides_and_a_wipe_has_both_halves():
    left, right = np.zeros((5, 7, 3), np.uint8), np.full((5, 7, 3), 200, np.uint8)
    assert side_by_side(left, right).shape == (6, 22, 3)
    half = wipe(left, right, 0.5)
    assert half.shape == (6, 8, 3)
    assert (half[:5, 0] == 0).all()
    assert (half[:5, 6] == 200).all()
    with pytest.raises(ExportError, match="two sizes"):
        wipe(left, right[:4], 0.5)


def test_the_panes_go_to_the_clipboard_as_they_are_shown(opened_window):
    opened_window.actions_by_key["copy_panes"].trigger()
    picture = QApplication.clipboard().pixmap()
    assert picture.size() == opened_window.workspace.panes.grab().size()


def test_the_panes_are_saved_as_they_are_shown(opened_window, tmp_path):
    panes = opened_window.workspace.panes
    opened_window.commands._write_pixmap(panes.grab(), tmp_path / "panes 图.png")
    ratio = panes.devicePixelRatioF()
    assert pixels(tmp_path / "panes 图.png").shape[:2] == (
        round(panes.height() * ratio),
        round(panes.width() * ratio),
    )


def test_a_picture_of_the_panes_that_cannot_be_written_is_told(opened_window, tmp_path):
    told = []
    opened_window.studio.notices.changed.connect(lambda: told.append(True))
    opened_window.commands._write_pixmap(
        opened_window.workspace.panes.grab(), tmp_path / "missing" / "panes.png"
    )
    assert told


def test_a_name_of_choice_for_a_table_gets_its_suffix(dialog, qtbot):
    choose(dialog.what, SCORES)
    dialog.file.selectAll()
    QTest.keyClicks(dialog.file, "mine")
    assert dialog.file.text() == "mine"
    assert [path.name for path in export(dialog, qtbot).written] == ["mine.csv"]


def test_a_video_says_both_what_is_left_out_and_what_is_replaced(dialog, tmp_path):
    choose(dialog.what, VIDEO)
    (tmp_path / "新 out").mkdir()
    dialog.target.write_bytes(b"old")
    dialog.refresh()
    assert "is replaced" in dialog.preview.text()
    assert "7 frames are not restored" in dialog.preview.text()


def test_what_cannot_be_a_file_is_said(dialog, tmp_path):
    (tmp_path / "新 out").mkdir()
    choose(dialog.what, SCORES)
    dialog.file.setText("n" * 300)
    assert "cannot be a file" in dialog.preview.text()
    assert not dialog.export.isEnabled()
    dialog.file.setText("")
    assert not dialog.export.isEnabled()


def test_a_field_of_a_million_digits_is_refused(dialog):
    dialog.template.setText("{number:9999999d}")
    assert "too long" in dialog.preview.text()


def test_a_broken_video_never_replaces_a_good_one(dialog, tmp_path, qtbot, monkeypatch):
    choose(dialog.what, VIDEO)
    (tmp_path / "新 out").mkdir()
    target = dialog.target
    target.write_bytes(b"good")

    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.video.writing._frame", no_room)
    ended = export(dialog, qtbot)
    assert isinstance(ended.problem, ExportError)
    assert target.read_bytes() == b"good"
    assert [one.name for one in (tmp_path / "新 out").iterdir()] == [target.name]
    assert "No space left" in dialog.preview.text()


def test_a_video_that_is_stopped_leaves_nothing(dialog, tmp_path, qtbot, monkeypatch):
    choose(dialog.what, VIDEO)
    drawn = export_tasks._frame_of_video

    def draw_and_stop(*args):
        dialog._studio.exports.stop()
        return drawn(*args)

    monkeypatch.setattr(export_tasks, "_frame_of_video", draw_and_stop)
    ended = export(dialog, qtbot)
    assert ended.stopped
    assert ended.written == ()
    assert not list((tmp_path / "新 out").iterdir())


def test_another_export_is_not_taken_for_the_dialogs_own(dialog, qtbot):

    go_on = threading.Event()
    dialog._studio.exports.run(lambda _: go_on.wait(10))
    QTest.mouseClick(dialog.close_button, Qt.MouseButton.LeftButton)
    assert not dialog._studio.exports._stop.is_set()
    go_on.set()
    qtbot.waitUntil(lambda: not dialog._studio.exports.busy)
