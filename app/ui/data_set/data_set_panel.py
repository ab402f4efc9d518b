"""The panel of a data set: its sequences by folder, each with a picture and what it lacks."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QModelIndex, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.state.opening.data_set import DataSet
from app.ui.data_set.data_set_delegate import DataSetDelegate
from app.ui.data_set.data_set_model import PATH, DataSetModel
from app.ui.parts.elided_label import ElidedLabel
from app.ui.parts.theme import Theme
from engine.source import SequenceSource

if TYPE_CHECKING:
    from app.ui.window.main_window import MainWindow

translate = QCoreApplication.translate

SETTLING_MS = 60
"""How long the view must rest before what is on screen is looked at."""
MOST_EXPANDED = 200
"""A data set with more sequences than this shows its folders closed."""


class DataSetPanel(QWidget):
    """Bound to a `DataSet`; a double click or Enter opens a sequence."""

    sequence_chosen = Signal(object)
    """The path of a sequence to open."""

    def __init__(
        self, data_set: DataSet, theme: Theme, open_folder: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._data_set = data_set
        self.title = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.title.setProperty("role", "title")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter by name"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(self.tr("Filter sequences by name"))
        self.model = DataSetModel(data_set, self)
        self.tree = _tree(self.model, DataSetDelegate(data_set, theme))
        self.hint = QLabel(
            self.tr("A folder with several sequences appears here, with what each of them lacks.")
        )
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.button = QPushButton(open_folder.text())
        self.button.setToolTip(open_folder.toolTip())
        self.button.clicked.connect(open_folder.trigger)
        self._lay_out()
        self._settling = QTimer(self, interval=SETTLING_MS, singleShot=True)
        self._settling.timeout.connect(self._look_at_what_is_shown)
        self.filter.textChanged.connect(self._on_filter)
        self.tree.activated.connect(self._on_activated)
        for changed in (self.tree.expanded, self.tree.collapsed, self.tree.verticalScrollBar().valueChanged):
            changed.connect(lambda _: self._settling.start())
        data_set.listed.connect(self._list)
        self._list()

    def _lay_out(self) -> None:
        self._empty = QWidget()
        empty = QVBoxLayout(self._empty)
        empty.setContentsMargins(12, 10, 12, 10)
        empty.addWidget(self.hint)
        empty.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        empty.addStretch(1)
        self._filled = QWidget()
        filled = QVBoxLayout(self._filled)
        filled.setContentsMargins(0, 0, 0, 0)
        filled.setSpacing(0)
        header = QVBoxLayout()
        header.setContentsMargins(10, 8, 10, 6)
        header.setSpacing(6)
        header.addWidget(self.title)
        header.addWidget(self.filter)
        filled.addLayout(header)
        filled.addWidget(self.tree, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._empty)
        layout.addWidget(self._filled)
        self.setMinimumWidth(200)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(290, 400)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._settling.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settling.start()

    # ------------------------------------------------------------------ state → widgets

    def _list(self) -> None:
        root, paths = self._data_set.root, self._data_set.paths
        self._filled.setVisible(root is not None)
        self._empty.setVisible(root is None)
        with QSignalBlocker(self.filter):
            self.filter.clear()
        if root is None:
            return
        if len(paths) == 1:
            count = self.tr("1 sequence")
        else:
            count = self.tr("{count} sequences").format(count=len(paths))
        self.title.setText(f"{root.name or root} · {count}")
        self._expand()

    def _expand(self) -> None:
        if self.model.count <= MOST_EXPANDED:
            self.tree.expandAll()
        self._settling.start()

    def _look_at_what_is_shown(self) -> None:
        if not self.tree.isVisible():
            return
        index, bottom = (
            self.tree.indexAt(self.tree.viewport().rect().topLeft()),
            self.tree.viewport().height(),
        )
        wanted = []
        while index.isValid() and self.tree.visualRect(index).top() < bottom:
            path = index.data(PATH)
            if path is not None:
                wanted.append(path)
            index = self.tree.indexBelow(index)
        self._data_set.want(wanted)

    # ------------------------------------------------------------------ user → state

    def _on_filter(self, text: str) -> None:
        self.model.filter(text)
        self._expand()

    def _on_activated(self, index: QModelIndex) -> None:
        path = index.data(PATH)
        if path is not None:
            self.sequence_chosen.emit(path)


def add_data_set(window: "MainWindow") -> DataSet:
    """Give a window a data set and the panel that shows it."""
    tabs, notices = window.tabs, window.tabs.desk.notices
    data_set = DataSet(tabs.desk.pool, window.studio.opener, tabs.desk.readings.recall, window)
    panel = DataSetPanel(data_set, window.theme, window.actions_by_key["open_folder"])
    window.docks.add("data_set_panel", translate("DataSet", "Data set"), panel, "left", shown=False)

    def show(root: Path, paths: tuple[Path, ...]) -> None:
        data_set.show(root, paths)
        window.docks.show("data_set_panel")
        tabs.desk.recent.add(SequenceSource(str(root)))

    tabs.data_set_found.connect(show)
    tabs.desk.closing.connect(data_set.close)
    panel.sequence_chosen.connect(lambda path: tabs.open_source(SequenceSource(str(path))))
    data_set.failed.connect(lambda error: notices.error(error, translate("DataSet", "list the data set")))
    return data_set


def _tree(model: DataSetModel, delegate: DataSetDelegate) -> QTreeView:
    tree = QTreeView()
    tree.setModel(model)
    tree.setItemDelegate(delegate)
    tree.setHeaderHidden(True)
    tree.setFrameShape(QFrame.Shape.NoFrame)
    tree.setIndentation(14)
    tree.setAnimated(False)
    tree.setExpandsOnDoubleClick(True)
    tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    tree.setAccessibleName(translate("DataSet", "Sequences of the data set"))
    return tree
