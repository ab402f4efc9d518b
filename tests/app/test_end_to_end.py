"""The studio as a user meets it: a real X server, keys and clicks, the real worker, the bundled sample."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox

from app.settings import Settings
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow
from engine.moment import Moment
from engine.sequence import open_sequence

PATIENCE_MS = 60_000


@pytest.fixture
def x_server():
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs a real X server; Xvfb is not installed")


@pytest.fixture
def dialogs_of_qt():
    """A desktop's own file dialog would not take the test's keys."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, True)
    yield
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


@pytest.fixture
def window(request, qtbot, sample_path):
    for needed in ("x_server", "dialogs_of_qt"):
        request.getfixturevalue(needed)
    if not sample_path.is_dir():
        pytest.skip(f"the bundled sequence is not at {sample_path}")
    studio = Studio(Settings(method="spike-ratio"))
    window = MainWindow(studio, studio.settings)
    window.resize(1280, 800)
    with qtbot.waitSignal(window.ready, timeout=PATIENCE_MS):
        window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    yield window
    window.close()


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window, key, modifier)


def click(widget, at=None):
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or widget.rect().center())


def open_sample(window, qtbot):
    studio = window.studio
    click(window.tool_bar.widgetForAction(window.tool_bar.actions()[1]))
    qtbot.waitUntil(
        lambda: (
            studio.pictures.view is not None
            and studio.spikes.voxels is not None
            and studio.spikes.rate is not None
        ),
        timeout=PATIENCE_MS,
    )


def shown_frame(window):
    view = window.studio.pictures.view
    return None if view is None else view.index


def press_return(dialog, field):
    """Press Return where it would go: a list of completions takes the first one."""
    for _ in range(2):
        if dialog.isVisible():
            # no release, which would find the dialog gone
            QTest.keyPress(QApplication.activePopupWidget() or field, Qt.Key.Key_Return)


def worker_of(process):
    """Return the children of a process that run our worker."""
    found = []
    for child in process.children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def test_open_step_deblur_export_and_compare(window, qtbot, sample_path, tmp_path):
    studio = window.studio
    open_sample(window, qtbot)
    panes = window.workspace.panes

    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        press(window, key)
    qtbot.waitUntil(lambda: shown_frame(window) == 2)
    press(window, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: shown_frame(window) == studio.position.count - 1)
    press(window, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: shown_frame(window) == 0)
    timeline = window.workspace.timeline
    start, stop = timeline.content.windows[4]
    click(timeline, QPoint(round(timeline.scale.x((start + stop) / 2)), timeline.height() // 2))
    qtbot.waitUntil(lambda: shown_frame(window) == 4)

    with open_sequence(sample_path) as sequence:
        blurry = sequence.frame(4)
        name = sequence.frame_name(4)
    assert (panes.first.item.picture.rgb == np.floor(blurry * 255 + 0.5).astype(np.uint8)).all()
    assert panes.second.item.picture is None

    with qtbot.waitSignal(studio.jobs.ended, timeout=PATIENCE_MS):
        click(window.tool_bar.deblur, QPoint(30, window.tool_bar.deblur.height() // 2))
    qtbot.waitUntil(lambda: studio.pictures.view.result is not None)
    restored = panes.second.item.picture.rgb
    assert np.abs(restored.astype(int) - panes.first.item.picture.rgb).mean() > 1
    qtbot.waitUntil(lambda: "dB" in panes.second.score.text(), timeout=PATIENCE_MS)
    assert studio.metrics.scores.restored.psnr > studio.metrics.scores.blurry.psnr

    target = tmp_path / "my results" / "my frame.png"
    target.parent.mkdir()
    press(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = [child for child in window.findChildren(QFileDialog) if child.isVisible()]
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    assert field.text().startswith(name)
    field.selectAll()
    QTest.keyClicks(field, str(target))
    with qtbot.waitSignal(studio.exports.finished, timeout=PATIENCE_MS):
        press_return(dialog, field)
    assert (np.asarray(Image.open(target)) == restored).all()


def test_deblurring_everything_can_be_watched_cancelled_and_done_again(window, qtbot):
    studio = window.studio
    open_sample(window, qtbot)
    press(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(studio.results) >= 1, timeout=PATIENCE_MS)
    with qtbot.waitSignal(studio.jobs.ended, timeout=PATIENCE_MS):
        press(window, Qt.Key.Key_Escape)
    assert studio.jobs.status.state.is_over
    press(window, Qt.Key.Key_I)
    press(window, Qt.Key.Key_Right)
    press(window, Qt.Key.Key_O)
    with qtbot.waitSignal(studio.jobs.ended, timeout=PATIENCE_MS):
        press(window, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert {Moment(0), Moment(1)} <= set(studio.results.moments)
    assert len(studio.notices) == 0


def test_a_killed_worker_is_a_message_and_the_next_job_works(window, qtbot):
    studio = window.studio
    open_sample(window, qtbot)
    press(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(studio.results) >= 1, timeout=PATIENCE_MS)
    (worker,) = worker_of(psutil.Process())
    with qtbot.waitSignal(studio.jobs.ended, timeout=PATIENCE_MS):
        worker.send_signal(signal.SIGKILL)
    assert len(studio.notices) == 1
    assert window.banner.isVisible()
    press(window, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: Moment(0) in studio.results and not studio.jobs.is_running, timeout=PATIENCE_MS)
    assert len(studio.notices) == 1


def test_closing_in_the_middle_of_a_job_ends_the_worker(window, qtbot):
    studio = window.studio
    open_sample(window, qtbot)
    press(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: studio.jobs.status.tiles_done > 0, timeout=PATIENCE_MS)
    workers = worker_of(psutil.Process())
    assert workers
    press(window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    question = window.findChild(QMessageBox)
    leave = next(
        one for one in question.buttons() if question.buttonRole(one) is QMessageBox.ButtonRole.AcceptRole
    )
    QTest.mouseClick(leave, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert (len(gone), alive) == (len(workers), [])


def until(condition, process, seconds=60.0):
    """Wait for a condition on another process, which must not end meanwhile."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        with pytest.raises(psutil.TimeoutExpired):
            process.wait(timeout=0.05)


@pytest.mark.usefixtures("x_server")
@pytest.mark.parametrize(("how", "names_path"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_the_program_runs_without_torch_and_leaves_no_process_behind(how, names_path, sample_path, tmp_path):
    if not sample_path.is_dir():
        pytest.skip(f"the bundled sequence is not at {sample_path}")
    log = tmp_path / "output.txt"
    with log.open("wb") as output:
        process = psutil.Popen(
            [sys.executable, "-m", "app", *([str(sample_path)] if names_path else [])],
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"QT_QPA_PLATFORM": "xcb"},
        )
    try:
        # the worker starts when the sample is on screen
        until(lambda: worker_of(process), process)
        loaded = {Path(part.path).name for part in process.memory_maps()}
        children = process.children(recursive=True)
        process.send_signal(how)
        assert process.wait(timeout=20) == 0
    finally:
        if process.is_running():
            process.kill()
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert log.read_text() == ""
    assert any("Qt6Widgets" in name for name in loaded)
    assert not [name for name in loaded if "torch" in name]
