"""Correcting an alignment as a user does it: a real X server, mouse and keys, the real worker, real files."""

import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from app.settings import Settings
from app.state.alignment.unsaved_edits import edits_folder
from app.state.opening.sources import sample_path
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow
from engine.alignment import AlignmentWindow, read_alignment_log
from engine.geometry import Span
from engine.moment import Moment
from engine.restoration.methods import make_method
from engine.restoration.restoration import Restoration, restored
from engine.sequence import open_sequence

PATIENCE_MS = 60_000
CTRL, ALT, SHIFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
)

EDIT_AND_DIE = """
import os, signal
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.settings import Settings
from app.state.studio import Studio
from app.state.alignment.unsaved_edits import edits_folder

application = QApplication([])
studio = Studio(Settings(), edits_folder=edits_folder())

def edit():
    studio.alignment.edits.nudge(3, 7.5)
    watch = QTimer(studio, interval=20)
    watch.timeout.connect(lambda: any(edits_folder().glob("*.json")) and os.kill(os.getpid(), signal.SIGKILL))
    watch.start()

studio.session.opened.connect(edit)
studio.open_sample()
QTimer.singleShot(30_000, application.quit)
application.exec()
"""


@pytest.fixture
def start(qtbot):
    """Start the window on the bundled sequence, with what the last one left in the user's folders."""
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs a real X server; Xvfb is not installed")
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, True)
    windows = []

    def start():
        studio = Studio(Settings(method="spike-ratio"), edits_folder=edits_folder())
        window = MainWindow(studio, studio.settings)
        window.resize(1400, 900)
        with qtbot.waitSignal(window.ready, timeout=PATIENCE_MS):
            window.show()
        studio.open_sample()
        qtbot.waitUntil(
            lambda: studio.pictures.view is not None and studio.spikes.voxels is not None, timeout=PATIENCE_MS
        )
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        windows.append(window)
        return window

    yield start
    for window in windows:
        window.close()
        window.deleteLater()
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


def drag(widget, start, by_px):
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.2, 0.6, 1.0):
        at = QPointF(start + QPoint(round(by_px * share), 0))
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            at,
            widget.mapToGlobal(at),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(widget, event)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=start + QPoint(by_px, 0))


def file_dialog(window, qtbot):
    def visible():
        return [one for one in window.findChildren(QFileDialog) if one.isVisible()]

    qtbot.waitUntil(lambda: bool(visible()))
    return visible()[0]


def answer(window, qtbot, path):
    line = file_dialog(window, qtbot).findChild(QLineEdit, "fileNameEdit")
    line.setText(str(path))
    QTest.keyPress(line, Qt.Key.Key_Return)  # no release, which would find the dialog gone


def restored_by_engine(windows, frame):
    """Restore a frame in this process, without anything of the window."""
    with open_sequence(sample_path()) as sequence:
        edited = sequence.with_windows(windows)
        method = make_method("spike-ratio")
        return next(restored(Restoration.of_frames(edited, Span(frame, frame + 1), method))).picture


def edges_of(windows):
    return [(window.start, window.stop) for window in windows]


def test_drag_see_restore_undo_and_take_the_log_along(start, qtbot, tmp_path):
    window = start()
    studio, timeline = window.studio, window.workspace.timeline
    edits, title = studio.alignment.edits, window.workspace.panes.second.title
    files = edits.windows
    window.docks.show("alignment_panel")
    qtbot.waitUntil(lambda: studio.alignment.pictures.current is not None)
    before = studio.alignment.pictures.current

    bar = timeline.bar(4)  # not the current frame: taking hold of its edge goes there
    drag(timeline, QPoint(round(bar.right()), round(bar.center().y())), -60)
    assert studio.position.index == 4
    start_plane, stop_plane = edits.windows[4].start, edits.windows[4].stop
    assert start_plane == files[4].start
    assert stop_plane == pytest.approx(files[4].stop - 60 / timeline.scale.px_per_plane, abs=1.5)
    qtbot.waitUntil(
        lambda: (
            studio.alignment.pictures.current is not None
            and studio.alignment.pictures.current.window == edits.windows[4]
        )
    )
    assert studio.alignment.pictures.current is not before
    qtbot.waitUntil(lambda: studio.spikes.voxels.spans[-1][1] == pytest.approx(stop_plane))
    assert studio.spikes.voxels.spans[0][0] == pytest.approx(start_plane)

    studio.deblur_frame()
    qtbot.waitUntil(lambda: Moment(4) in studio.results, timeout=PATIENCE_MS)
    edited = restored_by_engine(edits.windows, 4)
    np.testing.assert_array_equal(studio.results.peek(Moment(4)).picture, edited)
    assert not np.array_equal(edited, restored_by_engine(files, 4))
    qtbot.waitUntil(lambda: "spike ratio" in title.text())
    assert "stale" not in title.text()

    QTest.keyClick(window, Qt.Key.Key_Right, ALT | SHIFT)
    assert edits.windows[4] == AlignmentWindow(start_plane + 10, stop_plane + 10)
    assert "stale" in title.text()
    log = tmp_path / "日志 log.csv"
    QTest.keyClick(window, Qt.Key.Key_E, CTRL | ALT)
    answer(window, qtbot, log)
    qtbot.waitUntil(log.exists)
    rate_hz = studio.alignment.rate_hz
    exported = [(row.window.start, row.window.stop) for row in read_alignment_log(log, rate_hz)]
    np.testing.assert_allclose(exported, edges_of(edits.windows), atol=1e-6 * rate_hz)

    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    assert "stale" not in title.text()
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    assert edits.windows == files
    assert "stale" in title.text()
    QTest.keyClick(window, Qt.Key.Key_I, CTRL | ALT)
    answer(window, qtbot, log)
    qtbot.waitUntil(lambda: edits.is_edited)
    np.testing.assert_allclose(edges_of(edits.windows), exported)


def test_edits_of_a_studio_that_died_are_there_at_the_next_start(start):
    died = subprocess.run(
        [sys.executable, "-c", EDIT_AND_DIE], capture_output=True, text=True, timeout=60, check=False
    )
    assert died.returncode == -9, died.stderr
    window = start()
    edits = window.studio.alignment.edits
    assert edits.edited_frames == {3}
    assert edits.windows[3].start == edits.base[3].start + 7.5
    assert any("as you had edited it" in notice.title for notice in window.studio.notices)
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    assert not edits.is_edited
