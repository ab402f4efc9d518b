"""Moving through the frames: buttons, a slider, and where we are in words."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget
from superqt import QElidingLabel

from app.state.session.position import Position

ROOM_FOR_NAME_PX = 540
ROOM_FOR_RANGE_PX = 470


class Transport(QWidget):
    """A row bound to a `Position`."""

    def __init__(
        self,
        position: Position,
        before: tuple[QAction, ...],
        after: tuple[QAction, ...],
        parent: QWidget | None = None,
        *,
        play: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._position = position
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrow keys go through the menu
        self.slider.setAccessibleName(self.tr("Frame"))
        self.slider.setToolTip(self.tr("Frame on screen. Arrow keys step, Home and End go to the ends"))
        self.slider.setMinimumWidth(80)
        self.counter = QLabel()
        self.counter.setProperty("role", "title")
        self.counter.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.name = QElidingLabel()
        self.name.setProperty("role", "muted")
        self.name.setMinimumWidth(48)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(4)
        for action in before:
            layout.addWidget(_button(action))
        if play is not None:
            layout.addWidget(play)
        layout.addWidget(self.slider, 1)
        self._range_buttons = [_button(action) for action in after[-2:]]
        for button in [*map(_button, after[:-2]), *self._range_buttons]:
            layout.addWidget(button)
        layout.addSpacing(6)
        layout.addWidget(self.counter)
        layout.addSpacing(4)
        layout.addWidget(self.name)
        self.slider.valueChanged.connect(position.go)
        position.count_changed.connect(self._on_count)
        position.changed.connect(self._on_index)
        self._on_count(position.count)
        self._on_index(position.index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what can be done without where there is little room."""
        super().resizeEvent(event)
        width = self.width()
        self.name.setVisible(width >= ROOM_FOR_NAME_PX)
        for button in self._range_buttons:
            button.setVisible(width >= ROOM_FOR_RANGE_PX)

    def show_name(self, name: str) -> None:
        """Show the name of the frame's file."""
        self.name.setText(name)
        self.name.setToolTip(name)
        metrics = self.name.fontMetrics()
        self.name.setFixedWidth(min(180, max(48, metrics.horizontalAdvance(name) + 12)))

    def _on_count(self, count: int) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(0, count - 1))
        self.slider.setEnabled(count > 1)
        widest = f"{count} / {count}"
        self.counter.setMinimumWidth(self.counter.fontMetrics().horizontalAdvance(widest) + 8)

    def _on_index(self, index: int) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(index)
        count = self._position.count
        self.counter.setText(f"{index + 1} / {count}" if count else "–")


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
