"""Opening as a user does it: a real X server, keys and clicks, real files, and the next start."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit

from app.settings import load_settings, settings_path
from app.state.session.last_session import session_path
from app.state.studio import Studio
from app.ui.dialogs.recording_dialog import RecordingDialog
from app.ui.window.main_window import MainWindow
from engine.recording import write_packed
from engine.recording.bit_order import reverse_bits

PATIENCE_MS = 60_000
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def dialogs_of_qt():
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs a real X server; Xvfb is not installed")
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, True)
    yield
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


@pytest.fixture
def start(request, qtbot):
    """Start the window as the program does, with what the last one left in the user's folders."""
    request.getfixturevalue("dialogs_of_qt")
    windows = []

    def start():
        settings, problems = load_settings(settings_path())
        assert problems == []
        window = MainWindow(Studio(settings), settings, session_path())
        window.resize(1280, 800)
        with qtbot.waitSignal(window.ready, timeout=PATIENCE_MS):
            window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        windows.append(window)
        return window

    yield start
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def planes():
    """A camera of 250 × 400 pixels over bumps and a dark rectangle."""
    rows, columns = np.mgrid[:250, :400]
    light = 0.5 + (np.sin(rows / 17) + np.cos(columns / 23) + np.sin((rows + 2 * columns) / 41)) / 8
    light[20:90, 60:140] *= 0.3
    charge = np.random.default_rng(3).random(light.shape)
    result = np.zeros((60, *light.shape), np.uint8)
    for plane in result:
        charge += 0.3 * light
        plane[:] = charge >= 1
        charge -= plane
    return result


def visible(window, kind):
    return [child for child in window.findChildren(kind) if child.isVisible()]


def answer_file_dialog(window, qtbot, path):
    qtbot.waitUntil(lambda: bool(visible(window, QFileDialog)))
    (dialog,) = visible(window, QFileDialog)
    line = dialog.findChild(QLineEdit, "fileNameEdit")
    line.setText(str(path))
    QTest.keyPress(line, Qt.Key.Key_Return)  # no release, which would find the dialog gone


def shown(window):
    return lambda: window.studio.pictures.view is not None


def test_a_recording_is_chosen_among_pictures_and_the_next_of_its_folder_needs_no_question(
    start, qtbot, tmp_path, planes
):
    folder = tmp_path / "雪 recordings"
    folder.mkdir()
    write_packed(folder / "one.dat", planes)
    usual = np.fromfile(folder / "one.dat", np.uint8)
    (folder / "one.dat").write_bytes(reverse_bits(usual).tobytes())
    (folder / "two.dat").write_bytes(reverse_bits(usual[: 40 * 12500]).tobytes())
    window = start()
    QTest.keyClick(window, Qt.Key.Key_O, CTRL | ALT)
    answer_file_dialog(window, qtbot, folder / "one.dat")
    qtbot.waitUntil(lambda: bool(visible(window, RecordingDialog)))
    (dialog,) = visible(window, RecordingDialog)
    qtbot.waitUntil(lambda: dialog.choice.card is not None and dialog.choice.card.painted is not None)
    assert [answer.answer.text() for answer in dialog.answers] == ["250 × 400 px", "Bottom row first", "60"]
    assert "highest bit first" in dialog.answers[1].reason.text()
    second = dialog.cards.visualRect(dialog.cards.model().index(1, 0)).center()
    QTest.mouseClick(dialog.cards.viewport(), Qt.MouseButton.LeftButton, pos=second)
    assert dialog.answers[0].answer.text() != "250 × 400 px"
    first = dialog.cards.visualRect(dialog.cards.model().index(0, 0)).center()
    QTest.mouseClick(dialog.cards.viewport(), Qt.MouseButton.LeftButton, pos=first)
    QTest.mouseClick(dialog.rows.button(False), Qt.MouseButton.LeftButton)
    dialog.rate.setValue(20000)
    button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(shown(window), timeout=PATIENCE_MS)
    info = window.studio.session.sequence.recording.info
    assert (info.size.height, info.size.width, info.flip, info.msb_first, info.rate_hz) == (
        *(250, 400, False, True),
        20000,
    )
    np.testing.assert_array_equal(window.studio.session.sequence.recording.read(5, 6)[0], planes[5, ::-1])
    window.close()

    window = start()  # the next day
    QTest.keyClick(window, Qt.Key.Key_O, CTRL)
    answer_file_dialog(window, qtbot, folder / "two.dat")
    qtbot.waitUntil(shown(window), timeout=PATIENCE_MS)
    assert visible(window, RecordingDialog) == []
    info = window.studio.session.sequence.recording.info
    assert (info.planes, info.flip, info.msb_first, info.rate_hz) == (40, False, True, 20000)


def test_a_data_set_is_browsed_left_and_found_again(start, qtbot, tmp_path):
    root = tmp_path / "set"
    for clip, size in (("train/a", (64, 48)), ("train/b", (64, 48)), ("test/c", None)):
        folder = root / clip / "blur"
        folder.mkdir(parents=True)
        for number in range(6):
            path = folder / f"{number:04d}.png"
            if size is None:
                path.write_bytes(b"broken")
            else:
                Image.effect_noise(size, 40 + number).convert("RGB").save(path)
    window = start()
    QTest.keyClick(window, Qt.Key.Key_O, CTRL | Qt.KeyboardModifier.ShiftModifier)
    answer_file_dialog(window, qtbot, root)
    panel = window.docks["data_set_panel"].widget()
    qtbot.waitUntil(panel.isVisible, timeout=PATIENCE_MS)
    data_set = window.data_set
    qtbot.waitUntil(lambda: all(data_set.facts(path) for path in data_set.paths), timeout=PATIENCE_MS)
    facts = {path.name: data_set.facts(path) for path in data_set.paths}
    assert facts["c"].problem
    assert (facts["a"].frames, facts["a"].lacks) == (6, ("no spikes", "no reference"))
    for clip in ("a", "b"):
        point = panel.tree.visualRect(panel.model.index_of(root / "train" / clip)).center()
        QTest.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=point)
        QTest.mouseDClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=point)
        qtbot.waitUntil(lambda clip=clip: window.windowTitle().startswith(clip), timeout=PATIENCE_MS)
    qtbot.waitUntil(shown(window), timeout=PATIENCE_MS)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_I):
        QTest.keyClick(window, key)
    window.close()

    window = start()
    assert window.keeper.begin()
    qtbot.waitUntil(shown(window), timeout=PATIENCE_MS)
    assert window.windowTitle().startswith("b")
    assert (window.studio.position.index, window.studio.position.range.start) == (3, 3)
    assert [window.tabs.title(row) for row in range(2)] == ["a", "b"]
    qtbot.waitUntil(lambda: window.data_set.root == root)
    QTest.keyClick(window, Qt.Key.Key_Tab, CTRL)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("a"), timeout=PATIENCE_MS)
    assert len(window.studio.notices) == 0
