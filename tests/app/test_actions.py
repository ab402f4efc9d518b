"""Every action stands in a menu, has a shortcut of its own, a tip, and something to do."""

from collections import Counter

from PySide6.QtGui import QKeySequence

from app.ui.parts.icons import icon, icons_folder
from app.ui.window.action_table import ACTIONS, MENUS


def test_every_action_has_a_shortcut_that_is_its_own():
    keys = Counter(
        QKeySequence(spec.shortcut).toString(QKeySequence.SequenceFormat.PortableText) for spec in ACTIONS
    )
    assert "" not in keys
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_action_stands_in_the_menu_it_names(window):
    shown = {}
    for entry in window.menuBar().actions():
        shown[entry.text().replace("&", "")] = {action.text() for action in entry.menu().actions()}
    assert tuple(shown) == MENUS
    for spec in ACTIONS:
        assert spec.text in shown[spec.menu]


def test_every_tip_is_a_sentence_with_the_keys(window):
    for spec in ACTIONS:
        action = window.actions_by_key[spec.key]
        assert action.toolTip().startswith(spec.tip)
        assert action.toolTip().endswith(")")
        assert action.receivers("2triggered(bool)") > 0


def test_every_icon_is_drawn_in_the_colour_asked_for():
    names = {path.stem for path in icons_folder().glob("*.svg")}
    assert {spec.icon for spec in ACTIONS if spec.icon} <= names
    for name in names - {"studio"}:
        picture = icon(name, "#ff0000", "#00ff00").pixmap(32, 32).toImage()
        colours = {
            picture.pixelColor(x, y).name()
            for x in range(picture.width())
            for y in range(picture.height())
            if picture.pixelColor(x, y).alpha() > 250
        }
        assert colours <= {"#ff0000", "#fe0000"}
        assert colours, name
