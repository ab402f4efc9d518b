"""The keys of every action, to be looked up and changed."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.window.action_table import MENUS
from app.ui.window.actions import StudioActions

KEY = Qt.ItemDataRole.UserRole


class ShortcutEditor(QDialog):
    """A tree of actions by menu; changes are in force at once and kept in the settings."""

    def __init__(
        self, actions: StudioActions, changed: dict[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._changed = changed
        """Keys that differ from the usual ones, by action: the settings' own."""
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.resize(620, 640)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search by name or keys"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels([self.tr("Action"), self.tr("Keys")])
        self.tree.setColumnWidth(0, 400)
        self.tree.setRootIsDecorated(False)
        self.tree.setAccessibleName(self.tr("Actions and their keys"))
        self._items: dict[str, QTreeWidgetItem] = {}
        self._menus: list[QTreeWidgetItem] = []
        for menu in MENUS:
            parent_item = QTreeWidgetItem([actions.menus[menu].title().replace("&", ""), ""])
            parent_item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.tree.addTopLevelItem(parent_item)
            self._menus.append(parent_item)
            for key, action in actions.of_menu(menu):
                item = QTreeWidgetItem([action.text().replace("&", ""), ""])
                item.setData(0, KEY, key)
                item.setToolTip(0, action.toolTip())
                parent_item.addChild(item)
                self._items[key] = item
            parent_item.setExpanded(True)
        self.tree.currentItemChanged.connect(lambda *_: self._show_current())
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName(self.tr("New keys"))
        self.edit.keySequenceChanged.connect(lambda _: self._check())
        self.apply = QPushButton(self.tr("Set"))
        self.apply.setMinimumWidth(self.fontMetrics().horizontalAdvance(self.tr("Take them")) + 48)
        self.apply.clicked.connect(self._set)
        self.usual = QPushButton(self.tr("Usual keys"))
        self.usual.clicked.connect(self._reset)
        self.all_usual = QPushButton(self.tr("Usual keys for all"))
        self.all_usual.clicked.connect(self._reset_all)
        self.message = QLabel()
        self.message.setProperty("role", "muted")
        self.message.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.edit, 1)
        row.addWidget(self.apply)
        row.addWidget(self.usual)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.all_usual, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addLayout(row)
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        self._refresh()
        self._show_current()

    @property
    def current(self) -> str | None:
        """Key of the action that is selected."""
        item = self.tree.currentItem()
        return None if item is None else item.data(0, KEY)

    def choose(self, key: str) -> None:
        """Select an action."""
        self.tree.setCurrentItem(self._items[key])

    def _refresh(self) -> None:
        for key, item in self._items.items():
            item.setText(1, self._actions.keys_of(key))
            font = item.font(1)
            font.setBold(key in self._changed)
            item.setFont(1, font)

    def _show_current(self) -> None:
        key = self.current
        for widget in (self.edit, self.usual):
            widget.setEnabled(key is not None)
        self.edit.setKeySequence(QKeySequence() if key is None else self._actions[key].shortcut())
        self._check()

    def _check(self) -> None:
        """Say who has the new keys already."""
        key, keys = self.current, self.edit.keySequence()
        other = None if key is None else self._actions.with_keys(keys, besides=key)
        self.apply.setEnabled(key is not None and keys != self._actions[key].shortcut())
        self.apply.setText(self.tr("Set") if other is None else self.tr("Take them"))
        text = ""
        if other is not None:
            name = self._actions[other].text().replace("&", "")
            text = self.tr("These keys belong to “{name}”, which would have none then.").format(name=name)
        self.message.setText(text)

    def _set(self) -> None:
        key, keys = self.current, self.edit.keySequence()
        if key is None:
            return
        other = self._actions.with_keys(keys, besides=key)
        if other is not None:
            self._change(other, QKeySequence())
        self._change(key, keys)
        self._refresh()
        self._check()

    def _change(self, key: str, keys: QKeySequence) -> None:
        text = keys.toString(QKeySequence.SequenceFormat.PortableText)
        self._changed[key] = text
        if text == self._actions.usual_keys(key):
            del self._changed[key]
        self._actions.use_shortcuts(self._changed)

    def _reset(self) -> None:
        key = self.current
        if key is None:
            return
        usual = QKeySequence(self._actions.usual_keys(key))
        other = self._actions.with_keys(usual, besides=key)
        if other is not None:
            self._change(other, QKeySequence())
        self._change(key, usual)
        self._refresh()
        self._show_current()

    def _reset_all(self) -> None:
        self._changed.clear()
        self._actions.use_shortcuts(self._changed)
        self._refresh()
        self._show_current()

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for item in self._items.values():
            name = f"{item.text(0)} {item.text(1)}".casefold()
            item.setHidden(not all(word in name for word in words))
        for menu in self._menus:
            own = (item for item in self._items.values() if item.parent() is menu)
            menu.setHidden(all(item.isHidden() for item in own))
