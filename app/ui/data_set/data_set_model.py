"""The tree of a data set as Qt's views want it: numbered nodes, so that no index points at an object."""

from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import (
    QAbstractItemModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from app.state.opening.data_set import Branch, DataSet, tree_of
from app.state.opening.sequence_facts import SequenceFacts
from app.ui.parts.wording import format_count

translate = QCoreApplication.translate

PATH = Qt.ItemDataRole.UserRole + 1
ROOT = 0

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass
class _Node:
    name: str
    path: Path | None
    parent: int
    row: int
    below: list[int] = field(default_factory=list)


class DataSetModel(QAbstractItemModel):
    """The sequences of a `DataSet` whose place in its folder holds the filter's text."""

    def __init__(self, data_set: DataSet, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._data_set = data_set
        self._filter = ""
        self._nodes = [_Node("", None, ROOT, 0)]
        self._node_of: dict[Path, int] = {}
        data_set.listed.connect(lambda: self.filter(""))
        data_set.looked_at.connect(self._on_looked_at)
        self.filter("")

    @property
    def count(self) -> int:
        """How many sequences are shown."""
        return len(self._node_of)

    def filter(self, text: str) -> None:
        """Show the sequences whose path below the root holds `text`, in any case."""
        self.beginResetModel()
        self._nodes, self._node_of = [_Node("", None, ROOT, 0)], {}
        root = self._data_set.root
        if root is not None:
            wanted = text.casefold()
            paths = [path for path in self._data_set.paths if wanted in _below(root, path).casefold()]
            for branch in tree_of(root, paths):
                self._add(branch, ROOT)
        self.endResetModel()

    def index_of(self, path: Path) -> QModelIndex:
        """Return where a sequence stands; an invalid index where it is not shown."""
        number = self._node_of.get(path)
        return QModelIndex() if number is None else self.createIndex(self._nodes[number].row, 0, number)

    def _add(self, branch: Branch, parent: int) -> None:
        number = len(self._nodes)
        self._nodes.append(_Node(branch.name, branch.path, parent, len(self._nodes[parent].below)))
        self._nodes[parent].below.append(number)
        if branch.path is not None:
            self._node_of[branch.path] = number
        for below in branch.branches:
            self._add(below, number)

    def _on_looked_at(self, path: Path) -> None:
        index = self.index_of(path)
        if index.isValid():
            self.dataChanged.emit(index, index)

    # ------------------------------------------------------------------ what views ask

    def index(self, row: int, column: int, parent: AnyIndex | None = None) -> QModelIndex:
        below = self._nodes[_number(parent)].below
        if column != 0 or not 0 <= row < len(below):
            return QModelIndex()
        return self.createIndex(row, 0, below[row])

    def parent(self, index: AnyIndex | None = None) -> QModelIndex:  # type: ignore[override]
        number = self._nodes[_number(index)].parent
        return QModelIndex() if number == ROOT else self.createIndex(self._nodes[number].row, 0, number)

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return len(self._nodes[_number(parent)].below)

    def columnCount(self, _: AnyIndex | None = None) -> int:
        return 1

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        node = self._nodes[_number(index)]
        if role == PATH:
            return node.path
        if role == Qt.ItemDataRole.DisplayRole:
            return node.name
        facts = None if node.path is None else self._data_set.facts(node.path)
        lines = () if facts is None else (*describe(facts), planes_of(facts))
        if role == Qt.ItemDataRole.ToolTipRole and node.path is not None:
            return "\n".join(line for line in (str(node.path), *lines) if line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(line for line in (node.name, *lines) if line)
        return None


def describe(facts: SequenceFacts) -> tuple[str, str]:
    """Return what a sequence has, and what it lacks; or what is wrong with it, and what to do."""
    if facts.problem and facts.needs_geometry:
        return translate("DataSet", "size not known"), translate(
            "DataSet", "Open it to choose among pictures"
        )
    if facts.problem:
        return facts.problem, ""
    if facts.frames == 1:
        frames = translate("DataSet", "1 frame")
    else:
        frames = translate("DataSet", "{count} frames").format(count=format_count(facts.frames))
    has = f"{frames} · {facts.size}"
    several = translate("DataSet", "{count} notes").format(count=facts.notes)
    notes = {0: (), 1: (translate("DataSet", "1 note"),)}.get(facts.notes, (several,))
    names = {
        "no spikes": translate("DataSet", "no spikes"),
        "no frames": translate("DataSet", "no frames"),
        "no reference": translate("DataSet", "no reference"),
        "no alignment": translate("DataSet", "no alignment"),
    }
    return has, " · ".join((*(names[lack] for lack in facts.lacks), *notes))


def planes_of(facts: SequenceFacts) -> str:
    """Return how many planes a sequence's recording has, in words."""
    if not facts.planes:
        return ""
    return translate("DataSet", "{count} planes").format(count=format_count(facts.planes))


def _number(index: AnyIndex | None) -> int:
    return ROOT if index is None or not index.isValid() else index.internalId()


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
