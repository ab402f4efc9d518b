"""The dialog over real files, with real clicks and keys."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox

from app.state.opening.recording_choice import RecordingChoice
from app.state.opening.recording_pictures import Painted
from app.ui.dialogs.recording_dialog import RecordingDialog
from engine.geometry import Size
from engine.recording.recording import RecordingInfo
from engine.source import SequenceSource

DARK_BYTES = 6 * 256 * 256 // 8


@pytest.fixture
def make(pool, theme, qtbot, tmp_path):
    """A dialog about a dark file: nothing tells its size, 256 × 256 fits."""

    def make(content=bytes(DARK_BYTES), name="雪 1.dat", found=None, **said):
        path = tmp_path / name
        path.write_bytes(content)

        def painter(_path, size, _msb_first, _at):
            rows = np.repeat(np.arange(8, dtype=np.uint8) * 30, 8).reshape(8, 8)
            return Painted(rows, 6, len(content) % (size.pixels // 8), size)

        choice = RecordingChoice(pool, path, painter=painter, found=found)
        source = SequenceSource(str(path), gamma=2.2, **said)
        dialog = RecordingDialog(source, choice, theme)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: not choice.busy)
        qtbot.waitUntil(lambda: all(card.painted for card in choice.cards))
        return dialog

    return make


def info_of(**facts):
    """What the open sequence says about its recording."""
    return RecordingInfo(Path("x.dat"), "packed", 256, 256, 6, DARK_BYTES, **facts)


def press(dialog, which):
    button = dialog.findChild(QDialogButtonBox).button(which)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_likeliest_size_is_chosen_and_the_answers_stand_on_top(make, qtbot):
    dialog = make()
    geometry, way_up, planes = (answer.answer.text() for answer in dialog.answers)
    assert (geometry, way_up, planes) == ("256 × 256 px", "Bottom row first", "6")
    assert "usual" in dialog.answers[0].reason.text()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        press(dialog, QDialogButtonBox.StandardButton.Open)
    assert chosen.args[0] == SequenceSource(str(dialog.choice.path), gamma=2.2, height=256, width=256)


def test_a_click_on_a_card_takes_its_size(make):
    dialog = make()
    index = dialog.cards.model().index(1, 0)
    point = dialog.cards.visualRect(index).center()
    QTest.mouseClick(dialog.cards.viewport(), Qt.MouseButton.LeftButton, pos=point)
    size = dialog.choice.cards[1].size
    assert size != Size(256, 256)
    assert (dialog.source().height, dialog.source().width) == (size.height, size.width)
    assert (dialog.height_px.value(), dialog.width_px.value()) == (size.height, size.width)
    assert "left over" in dialog.message.text()
    assert "left over" in dialog.answers[2].reason.text()


def test_arrow_keys_go_from_card_to_card(make):
    dialog = make()
    dialog.cards.setFocus()
    QTest.keyClick(dialog.cards, Qt.Key.Key_Right)
    assert dialog.choice.chosen == 1


def test_what_is_typed_is_what_is_opened(make, qtbot):
    dialog = make()
    dialog.height_px.setFocus()
    dialog.height_px.selectAll()
    QTest.keyClicks(dialog.height_px, "123")
    dialog.width_px.selectAll()
    QTest.keyClicks(dialog.width_px, "56")
    dialog.rate.setValue(20000)
    dialog.exposure.setValue(301)
    dialog.stride.setValue(150.5)
    QTest.mouseClick(dialog.rows.button(False), Qt.MouseButton.LeftButton)
    QTest.mouseClick(dialog.bits.button(True), Qt.MouseButton.LeftButton)
    source = dialog.source()
    assert (source.height, source.width, source.rate_hz, source.flip) == (123, 56, 20000.0, False)
    assert (source.exposure_planes, source.stride_planes, source.msb_first) == (301.0, 150.5, True)
    assert dialog.answers[0].answer.text() == "123 × 56 px"
    assert dialog.answers[1].answer.text() == "Top row first"
    assert "highest bit first" in dialog.answers[1].reason.text()
    qtbot.waitUntil(lambda: "at 20000 Hz" in dialog.answers[2].reason.text())


def test_the_pictures_are_turned_over_with_the_switch(make):
    dialog = make()
    rect = dialog.cards.visualRect(dialog.cards.model().index(0, 0))

    def brightness(share):
        picture = dialog.cards.viewport().grab(rect).toImage()
        return picture.pixelColor(picture.width() // 2, round(8 + 124 * share)).lightness()

    assert brightness(0.1) < brightness(0.9)
    QTest.mouseClick(dialog.rows.button(False), Qt.MouseButton.LeftButton)
    assert brightness(0.1) > brightness(0.9)


def test_a_rate_that_is_known_is_shown_and_not_said_again(make):
    dialog = make(found=info_of(rate_hz=40000.0))
    assert "40000 Hz, as found" in dialog.rate.text()
    assert dialog.source().rate_hz is None


def test_what_the_frames_show_counts_until_something_is_said(make):
    dialog = make(found=info_of(flip=False, known_by={"flip": "bytes"}))
    _, way_up, _ = dialog.answers
    assert way_up.answer.text() == "Top row first"
    assert "as the frames show" in way_up.reason.text()
    assert dialog.source().flip is None
    QTest.mouseClick(dialog.rows.button(True), Qt.MouseButton.LeftButton)
    assert (way_up.answer.text(), dialog.source().flip) == ("Bottom row first", True)
    assert "as you say" in way_up.reason.text()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(900)])
def test_a_wrong_file_is_a_message_in_place(make, content):
    dialog = make(content)
    assert dialog.message.isVisible()
    assert len(dialog.message.text()) > 20
    assert not dialog.open_button.isEnabled()
    assert dialog.answers[0].answer.text() == "—"


def test_a_file_that_fits_nothing_asks_for_a_size(make, qtbot):
    dialog = make(bytes(100))
    assert "Type its height and width" in dialog.message.text()
    assert not dialog.open_button.isEnabled()
    dialog.height_px.setValue(10)
    dialog.width_px.setValue(16)
    qtbot.waitUntil(dialog.open_button.isEnabled)


def test_cancelling_opens_nothing(make, qtbot):
    dialog = make()
    with qtbot.assertNotEmitted(dialog.chosen):
        press(dialog, QDialogButtonBox.StandardButton.Cancel)


def test_an_array_of_planes_states_its_size(pool, theme, qtbot, tmp_path):
    np.save(tmp_path / "a.npy", np.eye(20, 30, dtype=np.uint8)[None].repeat(5, axis=0))
    choice = RecordingChoice(pool, tmp_path / "a.npy")
    dialog = RecordingDialog(SequenceSource(str(choice.path)), choice, theme)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: choice.card is not None and choice.card.painted is not None)
    assert dialog.answers[0].reason.text() == "the file says so"
    assert not dialog.height_px.isEnabled()
    assert dialog.source() == SequenceSource(str(choice.path))
