from PySide6.QtWidgets import QLabel

from app.ui.parts.elided_label import ElidedLabel


def test_a_text_that_does_not_fit_is_cut_and_told_whole_in_the_tip(qtbot):
    label = ElidedLabel("a rather long name of a recording")
    qtbot.addWidget(label)
    label.resize(80, 20)
    label.show()
    assert label.text() == "a rather long name of a recording"
    assert QLabel.text(label).endswith("…")
    assert label.toolTip() == label.text()
    label.resize(label.sizeHint())
    assert QLabel.text(label) == label.text()
    assert label.toolTip() == ""


def test_it_never_makes_its_window_wide(qtbot):
    label = ElidedLabel("x" * 500)
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() < 50
