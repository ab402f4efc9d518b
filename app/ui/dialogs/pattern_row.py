"""The row of a dialog that asks what a sensor's pattern is known by."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from app.state.pattern.kept_patterns import KeptPattern
from engine.geometry import Size
from engine.source import NO_FLAT

FEWEST_CHARACTERS = 24


class PatternRow(QWidget):
    """The recording itself, a kept pattern, a file, or nothing; and a menu to forget what is kept.

    `forget_wanted` asks for a kept pattern to be forgotten; `drop` then takes it off the lists.
    """

    file_wanted = Signal()
    """Somebody has to be asked for a file: answer with `choose`."""
    forget_wanted = Signal(object)
    """A `KeptPattern`."""

    def __init__(
        self,
        flat: str | None,
        kept: tuple[KeptPattern, ...] = (),
        size: Size | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`flat` as in a source; of `kept` those of a recording's `size` are offered."""
        super().__init__(parent)
        self._kept = kept
        self.what = QComboBox()
        self.what.setAccessibleName(self.tr("Sensor's pattern"))
        self.what.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.what.setMinimumContentsLength(FEWEST_CHARACTERS)
        self.what.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.what.addItem(self.tr("This recording, where enough moves"), None)
        self.what.addItem(self.tr("Nothing: it is not corrected"), NO_FLAT)
        for one in kept:
            if one.size in (None, size) or size is None:
                self._offer(str(one.path), self.tr("Kept: {name}").format(name=named(one)))
        self.choose_file = QPushButton(self.tr("File…"))
        self.choose_file.setToolTip(
            self.tr("A recording of an even surface, or a kept pattern; files can be dropped here as well")
        )
        self.choose_file.clicked.connect(self.file_wanted)
        self.forget = QPushButton(self.tr("Forget"))
        self.forget.setToolTip(self.tr("Delete a pattern that was kept for a sensor"))
        self._menu = QMenu(self.forget)
        self.forget.setMenu(self._menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.what, 1)
        layout.addWidget(self.choose_file)
        layout.addWidget(self.forget)
        self.setFocusProxy(self.what)
        self._fill_menu()
        self.choose(flat)

    @property
    def flat(self) -> str | None:
        """What was chosen, as in a source."""
        chosen = self.what.currentData()
        return chosen if isinstance(chosen, str) else None

    def choose(self, flat: str | None) -> None:
        """Choose what a source says; a file that is not on the list joins it."""
        row = self.what.findData(flat) if flat is not None else 0
        if row < 0:
            assert flat is not None
            row = self._offer(flat, Path(flat).name)
        self.what.setCurrentIndex(row)

    def drop(self, path: Path) -> None:
        """Take a kept pattern off; where it was chosen, the recording's own is."""
        row = self.what.findData(str(path))
        if row >= 0:
            if row == self.what.currentIndex():
                self.what.setCurrentIndex(0)
            self.what.removeItem(row)
        self._kept = tuple(one for one in self._kept if one.path != path)
        self._fill_menu()

    def _offer(self, file: str, text: str) -> int:
        row = self.what.count()
        self.what.addItem(text, file)
        self.what.setItemData(row, file, Qt.ItemDataRole.ToolTipRole)
        return row

    def _fill_menu(self) -> None:
        self._menu.clear()
        for one in self._kept:
            action = self._menu.addAction(named(one))
            action.setToolTip(str(one.path))
            action.triggered.connect(partial(self._ask_to_forget, one))
        self.forget.setVisible(bool(self._kept))

    def _ask_to_forget(self, kept: KeptPattern, _: bool = False) -> None:
        self.forget_wanted.emit(kept)


def named(kept: KeptPattern) -> str:
    """Return what a kept pattern is called: its recording, and its size, as far as they are known."""
    return kept.name if kept.size is None else f"{kept.name} · {kept.size.height} × {kept.size.width}"
