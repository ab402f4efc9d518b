"""Every action by its name: type some of it, Enter does it."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.ui.window.actions import StudioActions

WIDTH_PX, HEIGHT_PX, ROW_PX = 560, 420, 28
MOST_RECENT = 8
LEFT_OUT = {"palette"}


def score(words: Sequence[str], text: str, tip: str) -> float:
    """Return how well an action fits what was typed; 0 where a word is nowhere in it.

    Beginnings of words of its name count most, other places in its name less, its tip least.
    """
    name, about = text.casefold(), tip.casefold()
    beginnings = name.split()
    total = 0.0
    for word in words:
        if any(one.startswith(word) for one in beginnings):
            total += 3.0
        elif word in name:
            total += 2.0
        elif word in about:
            total += 1.0
        else:
            return 0.0
    return total - 0.001 * len(name)


class CommandPalette(QDialog):
    """A line to type in over a list of actions; what was done last comes first."""

    def __init__(self, actions: StudioActions, recent: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._actions = actions
        self._recent = recent
        blank = QPixmap(20, 20)
        blank.fill(Qt.GlobalColor.transparent)
        self._no_icon = QIcon(blank)
        self.setObjectName("palette")
        self.resize(WIDTH_PX, HEIGHT_PX)
        self.line = QLineEdit()
        self.line.setPlaceholderText(self.tr("What do you want to do?"))
        self.line.setAccessibleName(self.tr("Command"))
        self.line.installEventFilter(self)
        self.line.textChanged.connect(self.refresh)
        self.line.returnPressed.connect(self._do)
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda _: self._do())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.refresh()
        if parent is not None:
            corner = parent.mapToGlobal(parent.rect().topLeft())
            self.move(corner.x() + (parent.width() - WIDTH_PX) // 2, corner.y() + 80)
        self.line.setFocus()

    def refresh(self) -> None:
        """List what fits what is typed."""
        words = self.line.text().casefold().split()
        found = []
        for order, (key, action) in enumerate(self._actions.by_key.items()):
            text = action.text().replace("&", "")
            fits = score(words, f"{self._actions.menu_of(key)} {text}", action.toolTip()) if words else 1.0
            if key in LEFT_OUT or fits <= 0:
                continue
            last_used = self._recent.index(key) if key in self._recent else MOST_RECENT
            found.append((not action.isEnabled(), -round(fits, 3) if words else 0, last_used, order, key))
        self.list.clear()
        for off, *_, key in sorted(found):
            action = self._actions[key]
            keys = self._actions.keys_of(key)
            menu = self._actions.menu_of(key)
            text = f"{menu} ▸ {action.text().replace('&', '')}" + (f"    {keys}" if keys else "")
            picture = action.icon() if not action.icon().isNull() else self._no_icon
            item = QListWidgetItem(picture, text)
            item.setSizeHint(QSize(0, ROW_PX))
            item.setData(Qt.ItemDataRole.UserRole, key)
            item.setToolTip(action.toolTip())
            if off:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8, Qt.Key.Key_PageDown: 8}
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = moves.get(Qt.Key(event.key()))
            if step is not None and self.list.count():
                self.list.setCurrentRow(min(max(self.list.currentRow() + step, 0), self.list.count() - 1))
                return True
        return False

    def _do(self) -> None:
        item = self.list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        key = item.data(Qt.ItemDataRole.UserRole)
        if key in self._recent:
            self._recent.remove(key)
        self._recent.insert(0, key)
        del self._recent[MOST_RECENT:]
        self.accept()
        self._actions[key].trigger()
