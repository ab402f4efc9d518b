"""Every action of the window as Qt knows it, made from the table; the menus are filled from here."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.translation import ACTIONS as ACTIONS_CONTEXT
from app.translation import MENUS as MENUS_CONTEXT
from app.translation import TIPS as TIPS_CONTEXT
from app.ui.parts.icons import icon
from app.ui.parts.theme import Theme
from app.ui.window.action_table import ACTIONS, MENUS, ActionSpec


class StudioActions(QObject):
    """The QActions by key, in the window's menus."""

    def __init__(self, window: QMainWindow, theme: Theme) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._actions: dict[str, QAction] = {}
        self._icons = {spec.key: spec.icon for spec in ACTIONS if spec.icon}
        groups: dict[str, QActionGroup] = {}
        bar = window.menuBar()
        menus = {name: bar.addMenu(f"&{QCoreApplication.translate(MENUS_CONTEXT, name)}") for name in MENUS}
        self.menus: dict[str, QMenu] = menus
        for spec in ACTIONS:
            action = QAction(QCoreApplication.translate(ACTIONS_CONTEXT, spec.text), window)
            action.setCheckable(spec.checkable)
            action.setStatusTip("")
            if spec.group:
                groups.setdefault(spec.group, QActionGroup(self)).addAction(action)
            menu = menus[spec.menu]
            if spec.section:
                menu.addSeparator()
            menu.addAction(action)
            self._actions[spec.key] = action
        self._specs = {spec.key: spec for spec in ACTIONS}
        self.use_shortcuts({})
        theme.changed.connect(self._tint)
        self._tint()

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    @property
    def by_key(self) -> dict[str, QAction]:
        return dict(self._actions)

    def of_menu(self, menu: str) -> list[tuple[str, QAction]]:
        """Return the actions of a menu with their keys, in its order."""
        return [(key, self._actions[key]) for key, spec in self._specs.items() if spec.menu == menu]

    def menu_of(self, key: str) -> str:
        """Return the title of the menu an action stands in."""
        return self.menus[self._specs[key].menu].title().replace("&", "")

    def keys_of(self, key: str) -> str:
        """Return an action's keys as this desktop writes them; empty for none."""
        return self._actions[key].shortcut().toString(QKeySequence.SequenceFormat.NativeText)

    def usual_keys(self, key: str) -> str:
        """Return the keys that an action has unless the user changes them."""
        usual = QKeySequence(self._specs[key].shortcut)
        return usual.toString(QKeySequence.SequenceFormat.PortableText)

    def with_keys(self, keys: QKeySequence, *, besides: str) -> str | None:
        """Return another action that has these keys, None where there is none."""
        if keys.isEmpty():
            return None
        return next(
            (key for key, one in self._actions.items() if key != besides and one.shortcut() == keys), None
        )

    def use_shortcuts(self, changed: dict[str, str]) -> None:
        """Give every action its usual keys, or those in `changed`; keys that are none count as none."""
        self._changed = changed
        for key, spec in self._specs.items():
            action = self._actions[key]
            action.setShortcut(QKeySequence(changed.get(key, spec.shortcut)))
            keys = self.keys_of(key)
            tip = QCoreApplication.translate(TIPS_CONTEXT, spec.tip)
            action.setToolTip(f"{tip}  ({keys})" if keys else tip)

    def connect_all(self, handlers: dict[str, Callable[[], object]]) -> None:
        """Connect every action to its handler; a key without one, or the reverse, is a mistake."""
        if handlers.keys() != self._actions.keys():
            raise ValueError(f"actions and handlers differ: {handlers.keys() ^ self._actions.keys()}")
        for key, handler in handlers.items():
            self._actions[key].triggered.connect(lambda _=False, handler=handler: handler())

    def add(self, spec: ActionSpec, handler: Callable[[], object], *, after: str) -> QAction:
        """Add an action that is known only while the window is open, behind another of its menu and group."""
        action = QAction(spec.text.replace("&", "&&"), self._window)
        action.setCheckable(spec.checkable)
        action.setStatusTip("")
        beside, menu = self._actions[after], self.menus[spec.menu]
        group = beside.actionGroup()
        if group is not None and spec.group == self._specs[after].group:
            group.addAction(action)
        listed = menu.actions()
        behind = listed[listed.index(beside) + 1 :]
        menu.insertAction(behind[0], action) if behind else menu.addAction(action)
        self._actions[spec.key], self._specs[spec.key] = action, spec
        self.use_shortcuts(self._changed)
        action.triggered.connect(lambda _=False: handler())
        return action

    def enable(self, abilities: dict[str, bool]) -> None:
        for key, able in abilities.items():
            self._actions[key].setEnabled(able)

    def show_as(self, key: str, name: str) -> None:
        """Give an action another icon."""
        self._icons[key] = name
        colours = self._theme.colours
        self._actions[key].setIcon(icon(name, colours.text, colours.border))

    def _tint(self) -> None:
        for key, name in self._icons.items():
            self.show_as(key, name)
