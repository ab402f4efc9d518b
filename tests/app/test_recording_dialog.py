import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox

from app.ui.recording_dialog import RecordingDialog
from engine.geometry import Size
from engine.recording.recording import GeometryCandidate
from engine.source import SequenceSource

CANDIDATES = (
    GeometryCandidate(Size(250, 400), 80, 0, 0.91),
    GeometryCandidate(Size(360, 640), 34, 21_000, 0.4),
)
SOURCE = SequenceSource("folder/雪 1.dat", gamma=2.2)


@pytest.fixture
def dialog(qtbot):
    dialog = RecordingDialog(SOURCE, CANDIDATES, "Nothing says the size.")
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def press(dialog, which):
    button = dialog.findChild(QDialogButtonBox).button(which)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_likeliest_size_is_filled_in(dialog, qtbot):
    with qtbot.waitSignal(dialog.chosen) as chosen:
        press(dialog, QDialogButtonBox.StandardButton.Open)
    assert chosen.args[0] == SequenceSource("folder/雪 1.dat", gamma=2.2, height=250, width=400)


def test_another_candidate_fills_in_its_size(dialog):
    dialog.candidates.setCurrentIndex(1)
    assert (dialog.source().height, dialog.source().width) == (360, 640)
    assert "21000 bytes left over" in dialog.candidates.currentText()


def test_what_is_typed_is_what_is_opened(dialog):
    dialog.height_px.setValue(123)
    dialog.width_px.setValue(456)
    dialog.rate.setValue(20000)
    dialog.rows.setCurrentIndex(2)
    dialog.exposure.setValue(301)
    dialog.stride.setValue(150.5)
    source = dialog.source()
    assert (source.height, source.width, source.rate_hz, source.flip) == (123, 456, 20000.0, False)
    assert (source.exposure_planes, source.stride_planes) == (301.0, 150.5)


def test_one_edge_alone_cannot_be_opened(dialog):
    dialog.width_px.setValue(0)
    assert not dialog._open.isEnabled()
    dialog.height_px.setValue(0)
    assert dialog._open.isEnabled()
    assert dialog.source().height is None


def test_cancelling_opens_nothing(dialog, qtbot):
    with qtbot.assertNotEmitted(dialog.chosen):
        press(dialog, QDialogButtonBox.StandardButton.Cancel)


def test_without_candidates_the_size_is_asked_for(qtbot):
    dialog = RecordingDialog(SequenceSource("a.dat"), (), "Nothing says the size.")
    qtbot.addWidget(dialog)
    assert dialog.source().height is None
