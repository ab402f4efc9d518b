"""Help pages, the command palette and the shortcut editor, with real events."""

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from app.settings import Settings, load_settings, save_settings
from app.ui.help.command_palette import CommandPalette, score
from app.ui.help.help_window import PAGE_OF_PANEL, SHORTCUTS_PAGE, HelpWindow, help_pages, title_of
from app.ui.help.shortcut_editor import ShortcutEditor
from app.ui.window.action_table import ACTIONS


@pytest.fixture
def active(opened_window, qtbot):
    opened_window.activateWindow()
    qtbot.waitUntil(opened_window.isActiveWindow)
    return opened_window


# ------------------------------------------------------------------ help


def test_every_page_has_a_title_and_every_panel_a_page():
    pages = help_pages()
    assert len(pages) == 9
    assert all(title_of(text) for text in pages.values())
    assert set(PAGE_OF_PANEL.values()) <= pages.keys()


def test_the_keys_that_help_names_are_those_of_the_actions():
    known = {QKeySequence(spec.shortcut).toString() for spec in ACTIONS}
    for name, text in help_pages().items():
        for keys in re.findall(r"`((?:Ctrl|Alt|Shift)\+[A-Z0-9a-z+]+|F\d+)`", text):
            assert QKeySequence(keys).toString() in known, f"{name}: {keys}"


def test_the_help_key_opens_the_page_of_the_panel_with_the_keyboard(active, qtbot):
    QTest.keyClick(active, Qt.Key.Key_F1)
    shown = active.findChild(HelpWindow)
    assert "Getting started" in shown.page.toPlainText()
    shown.close()
    qtbot.waitUntil(lambda: active.findChild(HelpWindow) is None)
    active.docks.show("alignment_panel")
    active.alignment_panel.start.setFocus()
    active.actions_by_key["help"].trigger()
    assert "The timeline" in active.findChild(HelpWindow).page.toPlainText()


def test_search_leaves_the_pages_that_have_the_words(active):
    shown = HelpWindow(active.actions_by_key, active)
    QTest.keyClicks(shown.search, "template")
    visible = [
        shown.contents.item(row).text()
        for row in range(shown.contents.count())
        if not shown.contents.item(row).isHidden()
    ]
    assert visible == ["Exporting"]
    assert shown.page.textCursor().selectedText() == "template"
    shown.open_page(SHORTCUTS_PAGE)
    assert "Deblur frame" in shown.page.toPlainText()


# ------------------------------------------------------------------ palette


def test_beginnings_of_words_count_most():
    typed = ["ex"]
    by_name = score(typed, "File Export frame", "")
    assert by_name > score(typed, "View Next tab", "") > score(typed, "Fit", "the next") > 0
    assert score(["ex", "nothing"], "File Export frame", "") == 0


def test_a_command_is_found_and_done(active, qtbot):
    QTest.keyClick(
        active, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    palette = active.findChild(CommandPalette)
    qtbot.waitUntil(palette.isVisible)
    QTest.keyClicks(palette.line, "four pan")
    assert palette.list.item(0).text().startswith("Compare ▸ Four panes")
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert active.studio.comparison.count == 4
    assert active.settings.recent_commands == ["panes_4"]
    again = CommandPalette(active.actions_by_key, active.settings.recent_commands, active)
    assert again.list.item(0).data(Qt.ItemDataRole.UserRole) == "panes_4"


def test_what_cannot_be_done_is_listed_last_and_not_done(active):
    palette = CommandPalette(active.actions_by_key, [], active)
    QTest.keyClicks(palette.line, "cancel")
    assert palette.list.count() >= 2
    assert not any(
        palette.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled
        for row in range(palette.list.count())
        if palette.list.item(row).data(Qt.ItemDataRole.UserRole) == "cancel"
    )
    QTest.keyClick(palette.line, Qt.Key.Key_Down)
    QTest.keyClicks(palette.line, " zzz")
    QTest.keyClick(palette.line, Qt.Key.Key_Return)


# ------------------------------------------------------------------ shortcuts


def test_keys_are_changed_taken_and_given_back(active):
    actions, changed = active.actions_by_key, active.settings.shortcuts
    editor = ShortcutEditor(actions, changed, active)
    editor.choose("fit")
    editor.edit.setKeySequence(QKeySequence("Ctrl+Alt+F"))
    QTest.mouseClick(editor.apply, Qt.MouseButton.LeftButton)
    assert actions["fit"].shortcut() == QKeySequence("Ctrl+Alt+F")
    assert actions["fit"].toolTip().endswith("(Ctrl+Alt+F)")
    assert changed == {"fit": "Ctrl+Alt+F"}
    editor.edit.setKeySequence(QKeySequence("D"))
    assert "Deblur frame" in editor.message.text()
    assert editor.apply.text() == "Take them"
    QTest.mouseClick(editor.apply, Qt.MouseButton.LeftButton)
    assert actions["deblur_frame"].shortcut().isEmpty()
    assert changed == {"fit": "D", "deblur_frame": ""}
    QTest.mouseClick(editor.usual, Qt.MouseButton.LeftButton)
    assert actions["fit"].shortcut() == QKeySequence("F")
    QTest.mouseClick(editor.all_usual, Qt.MouseButton.LeftButton)
    assert actions["deblur_frame"].shortcut() == QKeySequence("D")
    assert changed == {}


def test_changed_keys_come_back_with_the_next_start(tmp_path):
    settings = Settings(shortcuts={"fit": "Ctrl+Alt+F"})
    save_settings(settings, tmp_path / "settings.json")
    assert load_settings(tmp_path / "settings.json")[0].shortcuts == {"fit": "Ctrl+Alt+F"}
    (tmp_path / "settings.json").write_text('{"shortcuts": {"fit": 5}}')
    again, problems = load_settings(tmp_path / "settings.json")
    assert again.shortcuts == {}
    assert len(problems) == 1


def test_search_finds_names_and_keys(active):
    editor = ShortcutEditor(active.actions_by_key, {}, active)
    QTest.keyClicks(editor.search, "Ctrl+Shift+P")
    visible = [key for key, item in editor._items.items() if not item.isHidden()]
    assert visible == ["palette"]
    editor.search.clear()
    assert not any(item.isHidden() for item in editor._items.values())
