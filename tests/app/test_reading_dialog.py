"""The dialog for units and white level, with real clicks and keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox

from app.settings import Settings
from app.state.opening.remembered import RememberedReadings
from app.ui.dialogs.reading_dialog import ReadingDialog
from engine.source import SequenceSource


@pytest.fixture
def make(qtbot):
    def make(path="/data/clip", **said):
        dialog = ReadingDialog(SequenceSource(path, gamma=2.2, **said))
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def accept(dialog):
    button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_what_is_said_stands_there_and_saying_nothing_finds_out(make):
    dialog = make(time_unit="ms", white=4095)
    assert (dialog.unit.currentText(), dialog.white.currentText()) == ("Milliseconds", "4095")
    dialog.unit.setCurrentIndex(0)
    dialog.white.setCurrentText("")
    assert dialog.source() == SequenceSource("/data/clip", gamma=2.2)


def test_keys_choose_a_unit_and_type_a_white_level(make, qtbot):
    dialog = make()
    dialog.unit.setFocus()
    QTest.keyClicks(dialog.unit, "Mic")
    dialog.white.setFocus()
    QTest.keyClicks(dialog.white.lineEdit(), "3000x")
    with qtbot.waitSignal(dialog.chosen) as chosen:
        accept(dialog)
    assert chosen.args == [SequenceSource("/data/clip", gamma=2.2, time_unit="us", white=3000)]


def test_a_long_path_does_not_widen_the_dialog(make):
    assert make("/data/" + "a long name of a folder/" * 12).width() == make().width()


def test_units_are_remembered_for_the_folder_beside_what_was_said_about_its_recordings():
    readings = RememberedReadings(Settings())
    source = SequenceSource("/data/clip", height=250, width=400)
    readings.keep(source, None)
    readings.keep_units(SequenceSource("/data/clip", time_unit="us", white=1023))
    kept = readings.recall(source)
    assert (kept.height, kept.width, kept.time_unit, kept.white) == (250, 400, "us", 1023)
    completed = kept.complete(SequenceSource("/data/clip"))
    assert (completed.time_unit, completed.white) == ("us", 1023)
