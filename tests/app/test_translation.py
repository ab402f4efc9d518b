"""Every text is translated, with the same placeholders, and the window speaks the language that is chosen."""

import re
import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QLocale

from app.settings import Settings
from app.state.studio import Studio
from app.translation import ACTIONS, TIPS, language_of, translate, translations_folder
from app.ui.action_table import ACTIONS as TABLE
from app.ui.help_window import HelpWindow, help_pages
from app.ui.main_window import MainWindow

FILES = sorted(translations_folder().glob("*.ts"))


def messages(path):
    for context in ET.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            yield context.findtext("name"), message.findtext("source"), message.find("translation")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_text_is_translated(path):
    unfinished = [
        source for _, source, translation in messages(path) if not translation.text or translation.get("type")
    ]
    assert unfinished == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_placeholders_are_the_same_in_both(path):
    for _, source, translation in messages(path):
        assert set(re.findall(r"{(\w*)}", source)) == set(re.findall(r"{(\w*)}", translation.text)), source


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_action_is_among_them(path):
    known = {(context, source) for context, source, _ in messages(path)}
    assert {(ACTIONS, spec.text) for spec in TABLE} <= known
    assert {(TIPS, spec.tip) for spec in TABLE} <= known


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_compiled_file_is_as_new_as_its_text(path, qapp):
    loaded = translate(qapp, path.stem.removeprefix("studio_"))
    try:
        translator = loaded[0]
        for context, source, translation in messages(path):
            assert translator.translate(context, source) == translation.text
    finally:
        for translator in loaded:
            qapp.removeTranslator(translator)


def test_the_desktop_decides_unless_the_user_does(monkeypatch):
    assert language_of("en") == "en"
    monkeypatch.setattr(QLocale, "system", lambda: QLocale("zh_CN"))
    assert language_of("system") == "zh_CN"
    monkeypatch.setattr(QLocale, "system", lambda: QLocale("de_DE"))
    assert language_of("system") == "en"


def test_the_window_speaks_chinese(qapp, client, files, qtbot):
    loaded = translate(qapp, "zh_CN")
    studio = Studio(Settings(language="zh_CN"), make_client=lambda: client, opener=files.open)
    try:
        window = MainWindow(studio, studio.settings)
        with qtbot.waitSignal(window.ready, timeout=30_000):
            window.show()
        titles = [action.text() for action in window.menuBar().actions()]
        assert titles[0] == "&文件"
        assert window.actions_by_key["deblur_frame"].text() == "对当前帧去模糊"
        assert "复原当前帧" in window.actions_by_key["deblur_frame"].toolTip()
        assert window.actions_by_key["language_zh_CN"].isChecked()
        shown = HelpWindow(window.actions_by_key, window, "zh_CN")
        assert "入门" in shown.page.toPlainText()
        window.hide()
        window.deleteLater()
    finally:
        studio.close()
        for translator in loaded:
            qapp.removeTranslator(translator)


def test_pages_that_are_not_translated_stay_english():
    english, chinese = help_pages(), help_pages("zh_CN")
    assert english.keys() == chinese.keys()
    assert english["1-getting-started"] != chinese["1-getting-started"]


def test_another_language_is_remembered_and_told(opened_window):
    opened_window.actions_by_key["language_zh_CN"].trigger()
    assert opened_window.settings.language == "zh_CN"
    assert len(opened_window.studio.notices) == 1
