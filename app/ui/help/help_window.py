"""The help pages: Markdown files of `resources/help`, with contents and search."""

import re
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

import resources
from app.ui.window.action_table import MENUS
from app.ui.window.actions import StudioActions

PAGE_OF_PANEL = {
    "data_set_panel": "2-opening",
    "alignment_panel": "3-timeline",
    "restore_panel": "4-deblurring",
    "queue_panel": "4-deblurring",
    "picture_panel": "5-comparing",
    "raster_panel": "6-spikes",
}
"""Which page is opened where a panel has the keyboard."""
FIRST_PAGE = "1-getting-started"
SHORTCUTS_PAGE = "shortcuts"


def help_folder() -> Path:
    return Path(resources.__file__).parent / "help"


def help_pages(language: str = "") -> dict[str, str]:
    """Return the Markdown of every page by its name, in their order; in `language` where there is one."""
    pages = {path.stem: path for path in sorted(help_folder().glob("*.md"))}
    for path in sorted((help_folder() / language).glob("*.md")) if language else ():
        pages[path.stem] = path
    return {name: path.read_text(encoding="utf-8") for name, path in pages.items()}


def shortcuts_markdown(actions: StudioActions, title: str) -> str:
    """Return a page of all actions with their keys as they are now."""
    lines = [f"# {title}"]
    for menu in MENUS:
        lines += ["", f"**{actions.menus[menu].title().replace('&', '')}**", ""]
        for key, action in actions.of_menu(menu):
            keys = actions.keys_of(key)
            text = action.text().replace("&", "").replace("…", "")
            lines.append(f"- {text}" + (f" — `{keys}`" if keys else ""))
    return "\n".join(lines)


class HelpWindow(QDialog):
    """A list of pages beside the page."""

    def __init__(self, actions: StudioActions, parent: QWidget | None = None, language: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Help"))
        self.resize(880, 620)
        self._pages = help_pages(language)
        self._pages[SHORTCUTS_PAGE] = shortcuts_markdown(actions, self.tr("Keyboard shortcuts"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._find_next)
        self.contents = QListWidget()
        self.contents.setAccessibleName(self.tr("Contents"))
        for name, text in self._pages.items():
            item = QListWidgetItem(title_of(text))
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.contents.addItem(item)
        self.contents.currentItemChanged.connect(lambda *_: self._show())
        self.page = QTextBrowser()
        self.page.setOpenExternalLinks(False)
        self.page.document().setDocumentMargin(18)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self.contents)
        splitter = QSplitter()
        splitter.addWidget(left)
        splitter.addWidget(self.page)
        splitter.setSizes([240, 640])
        layout = QHBoxLayout(self)
        layout.addWidget(splitter)
        self.open_page(FIRST_PAGE)

    def open_page(self, name: str) -> None:
        """Show a page."""
        for row in range(self.contents.count()):
            if self.contents.item(row).data(Qt.ItemDataRole.UserRole) == name:
                self.contents.setCurrentRow(row)

    def _show(self) -> None:
        item = self.contents.currentItem()
        if item is not None:
            self.page.setMarkdown(self._pages[item.data(Qt.ItemDataRole.UserRole)])

    def _filter(self, text: str) -> None:
        """Leave the pages that have every word, and mark the first one found."""
        words = text.casefold().split()
        first = None
        for row in range(self.contents.count()):
            item = self.contents.item(row)
            page = self._pages[item.data(Qt.ItemDataRole.UserRole)].casefold()
            found = all(word in page for word in words)
            item.setHidden(not found)
            if found and first is None:
                first = row
        current = self.contents.currentItem()
        if first is not None and (current is None or current.isHidden()):
            self.contents.setCurrentRow(first)
        self._find_next()

    def _find_next(self) -> None:
        text = self.search.text().strip()
        if text and not self.page.find(text):
            self.page.moveCursor(self.page.textCursor().MoveOperation.Start)
            self.page.find(text, QTextDocument.FindFlag(0))


def title_of(markdown: str) -> str:
    """Return the first heading of a page."""
    found = re.search(r"^# (.+)$", markdown, re.MULTILINE)
    return found.group(1) if found else ""
