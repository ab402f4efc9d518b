import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from app.settings import Settings
from app.ui.dialogs.prompts import FilePrompts


@pytest.fixture
def place(qtbot):
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, True)
    place = QWidget()
    qtbot.addWidget(place)
    place.show()
    yield place
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


@pytest.fixture
def settings(tmp_path):
    return Settings(last_folder=str(tmp_path))


@pytest.fixture
def prompts(place, settings):
    return FilePrompts(place, settings)


def shown(place):
    (dialog,) = [child for child in place.findChildren(QFileDialog) if child.isVisible()]
    return dialog


@pytest.mark.parametrize(
    ("kind", "typed", "expected", "bit_depth"),
    [
        ("PNG, 8 bit (*.png)", "a", "a.png", 8),
        ("PNG, 16 bit (*.png)", "a", "a.png", 16),
        ("TIFF, 16 bit (*.tif)", "a", "a.tif", 16),
        ("TIFF, 8 bit (*.tif)", "雪 b.tiff", "雪 b.tiff", 8),
        ("PNG, 8 bit (*.png)", "a.jpg", "a.jpg.png", 8),
    ],
)
def test_the_kind_of_file_gives_suffix_and_bit_depth(
    prompts, place, tmp_path, kind, typed, expected, bit_depth
):
    answers = []
    prompts.export_file("0005_restored", lambda *answer: answers.append(answer))
    dialog = shown(place)
    dialog.selectNameFilter(kind)
    dialog.filterSelected.emit(kind)
    dialog.selectFile(str(tmp_path / typed))
    dialog.accept()
    assert answers == [(tmp_path / expected, bit_depth)]


def test_the_folder_is_remembered(prompts, place, settings, tmp_path):
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "a.dat").touch()
    answers = []
    prompts.open_file(answers.append)
    dialog = shown(place)
    dialog.setDirectory(str(folder))
    dialog.selectFile(str(folder / "a.dat"))
    dialog.accept()
    assert answers == [[folder / "a.dat"]]
    assert settings.last_folder == str(folder)


def test_a_remembered_folder_that_is_gone_does_not_matter(place):
    prompts = FilePrompts(place, Settings(last_folder="/gone/away"))
    prompts.open_folder(lambda _: None)
    assert shown(place).directory().exists()


def test_cancelling_asks_for_nothing_else(prompts, place):
    answers = []
    prompts.one_file("Add spikes", "Spike recordings", (".dat",), answers.append)
    shown(place).reject()
    assert answers == []
