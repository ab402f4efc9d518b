"""A row of joined buttons of which one is down: a choice whose answers are all to be seen."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget


class Segments(QWidget):
    """Answers with their values and tips; the arrow keys go from one to the next."""

    changed = Signal()
    """The user has chosen."""

    def __init__(
        self, name: str, answers: Sequence[tuple[str, object, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._values = [value for _, value, _ in answers]
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number, (text, _, tip) in enumerate(answers):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setProperty("segment", True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(f"{name}: {text}")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._group.addButton(button, number)
            row.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda _: self.changed.emit())

    @property
    def value(self) -> Any:
        return self._values[self._group.checkedId()]

    def choose(self, value: object) -> None:
        """Put the button of `value` down, without a signal."""
        self._group.button(self._values.index(value)).setChecked(True)

    def button(self, value: object) -> QToolButton:
        """Return the button of `value`."""
        button = self._group.button(self._values.index(value))
        assert isinstance(button, QToolButton)
        return button
