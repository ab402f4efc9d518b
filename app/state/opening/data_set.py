"""A folder of sequences: what is in it at once, and about each what its files say once somebody looks there.

Strategy: sequences are looked at one after another in a thread, those on screen first; scrolling on changes
whose turn is next. Only so many are remembered, so that the largest data set does not fill the memory.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.state.opening.remembered import RememberedReading, open_remembering
from app.state.opening.sequence_facts import SequenceFacts, facts_of
from app.state.reading.lane import Lane
from engine.source import SequenceSource

if TYPE_CHECKING:
    from engine.sequence import Sequence as OpenSequence

MOST_KNOWN = 1000

Opener = Callable[[SequenceSource], "OpenSequence"]


@dataclass(frozen=True)
class Branch:
    """A folder with what is in it, or a sequence, which has a path."""

    name: str
    path: Path | None = None
    branches: "tuple[Branch, ...]" = field(default=())


def tree_of(root: Path, paths: Sequence[Path]) -> tuple[Branch, ...]:
    """Arrange sequences by their folders. Folders with one folder in them are one branch, `a/b`."""
    folders: dict[str, object] = {}
    for path in paths:
        parts = path.relative_to(root).parts if path.is_relative_to(root) else path.parts[-3:]
        place = folders
        for part in parts[:-1]:
            inside = place.setdefault(part, {})
            place = inside if isinstance(inside, dict) else place
        place[parts[-1] if parts else path.name] = path
    return _branches(folders)


def _branches(folders: dict[str, object]) -> tuple[Branch, ...]:
    branches = []
    for name, inside in folders.items():
        if isinstance(inside, Path):
            branches.append(Branch(name, inside))
        elif isinstance(inside, dict):
            below = _branches(inside)
            if len(below) == 1 and below[0].path is None:
                branches.append(Branch(f"{name}/{below[0].name}", None, below[0].branches))
            else:
                branches.append(Branch(name, None, below))
    return tuple(branches)


class DataSet(QObject):
    """The sequences of one folder, and what is known about each."""

    listed = Signal()
    """`root` and `paths` are others than before."""
    looked_at = Signal(object)
    """The path of a sequence whose facts are there now."""
    failed = Signal(object)
    """The exception that kept the folder from being listed again."""
    busy_changed = Signal(bool)

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        opener: Opener,
        recall: Callable[[SequenceSource], RememberedReading | None],
        parent: QObject | None = None,
        *,
        lister: "Callable[[Path], Sequence[Path]] | None" = None,
    ) -> None:
        super().__init__(parent)
        self._opener = opener
        self._recall = recall
        self._lister = lister or _list
        self.root: Path | None = None
        self.paths: tuple[Path, ...] = ()
        self._facts: OrderedDict[Path, SequenceFacts] = OrderedDict()
        self._wanted: list[Path] = []
        self._closed = False
        self._list_lane = Lane(pool, self)
        self._list_lane.answered.connect(lambda root, paths: self.show(root, paths))
        self._list_lane.failed.connect(lambda _, error: self.failed.emit(error))
        self._list_lane.busy_changed.connect(self.busy_changed)
        self._look_lane = Lane(pool, self)
        self._look_lane.answered.connect(self._on_facts)
        self._look_lane.failed.connect(self._on_failure)

    def show(self, root: Path, paths: Iterable[Path]) -> None:
        """Show the sequences that were found in a folder."""
        self._look_lane.clear()
        self.root, self.paths = root, tuple(paths)
        self._facts.clear()
        self._wanted = []
        self.listed.emit()

    def open(self, root: Path) -> None:
        """List a folder's sequences, in a thread; `listed` or `failed` follows."""
        self._list_lane.request(root, lambda _: self._lister(root))

    def reload(self) -> None:
        """List the folder again and forget what is known."""
        if self.root is not None:
            self.open(self.root)

    def close(self) -> None:
        """Wait for no more answers."""
        self._closed = True
        self._list_lane.clear()
        self._look_lane.clear()

    def facts(self, path: Path) -> SequenceFacts | None:
        """Return what is known about a sequence; None where nobody has looked yet."""
        return self._facts.get(path)

    def want(self, paths: Iterable[Path]) -> None:
        """Look at these next, in this order; what was wanted before can wait until it is wanted again."""
        self._wanted = [path for path in paths if path not in self._facts]
        self._look()

    def _look(self) -> None:
        if self._closed or self._look_lane.busy or not self._wanted:
            return
        path = self._wanted.pop(0)
        source = SequenceSource(str(path))
        remembered = self._recall(source)

        def opener(source: SequenceSource) -> "OpenSequence":
            return open_remembering(self._opener, source, remembered)

        self._look_lane.request((self.root, path), lambda _: facts_of(opener, source))

    def _on_facts(self, key: tuple[Path, Path], facts: SequenceFacts) -> None:
        root, path = key
        if root == self.root:
            self._facts[path] = facts
            while len(self._facts) > MOST_KNOWN:
                self._facts.popitem(last=False)
            self.looked_at.emit(path)
        self._look()

    def _on_failure(self, key: tuple[Path, Path], error: Exception) -> None:
        self._on_facts(key, SequenceFacts(problem=f"{type(error).__name__}: {error}"))


def _list(root: Path) -> list[Path]:
    from engine.sequence import find_sequences  # what the window's first paint need not wait for

    return [Path(source.path) for source in find_sequences(root)]
