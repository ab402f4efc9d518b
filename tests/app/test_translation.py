"""Every text is translated, with the same placeholders, and the window speaks the language that is chosen."""

import re
import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QAction, QFontDatabase, QFontInfo
from PySide6.QtWidgets import QWidget

from app.settings import Settings
from app.state.notices import describe
from app.state.studio import Studio
from app.translation import ACTIONS, TIPS, fit_font, language_of, translate, translations_folder
from app.ui.help.help_window import HelpWindow, help_pages
from app.ui.window.action_table import ACTIONS as TABLE
from app.ui.window.main_window import MainWindow
from engine.errors import SequenceError
from engine.source import SequenceSource

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


def test_errors_of_the_engine_are_told_in_the_language(qapp):
    error = SequenceError("nothing is there", path="a b.dat", found="3", advice="Check the spelling")
    loaded = translate(qapp, "zh_CN")
    try:
        notice = describe(error)
    finally:
        for translator in loaded:
            qapp.removeTranslator(translator)
    assert notice.title == "此处没有任何内容"
    assert notice.advice == "请检查拼写"
    assert notice.facts == "实际为 3"
    assert describe(error).title == "Nothing is there"


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


def test_nothing_on_the_screen_is_left_in_english(qapp, client, files, qtbot):
    from app.ui.dialogs.export_dialog import ExportDialog

    loaded = translate(qapp, "zh_CN")
    studio = Studio(Settings(language="zh_CN"), make_client=lambda: client, opener=files.open)
    try:
        window = MainWindow(studio, studio.settings)
        with qtbot.waitSignal(window.ready, timeout=30_000):
            window.show()
        for key in ("alignment_panel", "restore_panel", "queue_panel", "picture_panel", "raster_panel"):
            window.docks.show(key)
        studio.open_source(SequenceSource("clip"))
        qtbot.waitUntil(lambda: studio.pictures.view is not None and studio.spikes.voxels is not None)
        studio.deblur_frame()
        dialog = ExportDialog(studio, studio.settings, window.theme, window)
        of_its_makers = window.restore_panel.card.text()  # a network's card is in the words of who trained it
        english = sorted({text for text in texts_in(window) if ENGLISH.search(text)} - {of_its_makers})
        assert not english, "\n".join(english)
        dialog.deleteLater()
        window.hide()
        window.deleteLater()
    finally:
        studio.close()
        for translator in loaded:
            qapp.removeTranslator(translator)


ENGLISH = re.compile(r"\b[a-z]{3,} [a-z]{2,}", re.IGNORECASE)
"""Two words; names such as TFP or a file's may stand alone."""


def texts_in(window):
    """Return everything that the window's widgets and actions say."""
    for widget in (window, *window.findChildren(QWidget)):
        for name in ("text", "title", "windowTitle", "toolTip", "placeholderText", "accessibleName"):
            read = getattr(widget, name, None)
            if callable(read):
                yield str(read()).replace("Spike Deblur Studio", "")
    for action in window.findChildren(QAction):
        yield action.text().replace("Spike Deblur Studio", "")
        yield action.toolTip().replace("Spike Deblur Studio", "")


def test_a_font_with_the_characters_is_taken(qapp):
    before = qapp.font()
    families = QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese)
    try:
        fit_font(qapp, "en")
        assert qapp.font() == before
        fit_font(qapp, "zh_CN")
        assert not families or QFontInfo(qapp.font()).family() in families
        assert qapp.font().pointSizeF() == before.pointSizeF()
    finally:
        qapp.setFont(before)


def test_every_help_page_is_there_in_chinese():
    english, chinese = help_pages(), help_pages("zh_CN")
    assert english.keys() == chinese.keys()
    assert all(english[name] != chinese[name] for name in english)


def test_another_language_is_remembered_and_told(opened_window):
    opened_window.actions_by_key["language_zh_CN"].trigger()
    assert opened_window.settings.language == "zh_CN"
    assert len(opened_window.studio.notices) == 1
