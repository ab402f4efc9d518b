"""Play button and what it plays like."""

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QDoubleSpinBox,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from app.state.session.playback import SPEEDS, Playback
from app.ui.window.actions import StudioActions

TEXT_MARGINS_PX = (40, 3, 26, 3)
"""Around the texts of a menu, as the style sheet has them: left, top, right, bottom."""


class PlayControls(QWidget):
    """Bound to a `Playback`."""

    def __init__(self, playback: Playback, actions: StudioActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playback = playback
        self.play = QToolButton()
        self.play.setDefaultAction(actions["play"])
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.speed = QToolButton()
        self.speed.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.speed.setProperty("chooser", True)
        self.speed.setAccessibleName(self.tr("Speed"))
        self.speed.setMinimumWidth(self.fontMetrics().horizontalAdvance("0.25 ×") + 26)
        menu = QMenu(self.speed)
        group = QActionGroup(menu)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self._speeds: dict[float, QAction] = {}
        for speed in SPEEDS:
            action = menu.addAction(f"{speed:g} ×")
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _=False, speed=speed: playback.set_speed(speed))
            self._speeds[speed] = action
        self.any_speed = _speed_box(playback)
        typed = QWidgetAction(menu)
        typed.setDefaultWidget(_beside_the_ticks(self.any_speed))
        menu.addAction(typed)
        self.any_speed.lineEdit().returnPressed.connect(menu.close)
        menu.addSeparator()
        menu.addAction(actions["play_loop"])
        menu.addAction(actions["play_every_frame"])
        self.speed.setMenu(menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.play)
        layout.addWidget(self.speed)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        playback.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is in force."""
        playback = self._playback
        self.speed.setText(f"{playback.speed:g} ×")
        self.speed.setToolTip(
            self.tr("Speed: {speed} × the recording's own, {fps} frames a second").format(
                speed=f"{playback.speed:g}", fps=f"{playback.fps:.4g}"
            )
        )
        for speed, action in self._speeds.items():
            action.setChecked(speed == playback.speed)
        with QSignalBlocker(self.any_speed):
            self.any_speed.setValue(playback.speed)


def _beside_the_ticks(widget: QWidget) -> QWidget:
    """Put a widget where the texts of a menu begin."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(*TEXT_MARGINS_PX)
    layout.addWidget(widget)
    row.setFocusProxy(widget)
    return row


def _speed_box(playback: Playback) -> QDoubleSpinBox:
    """Make what any speed between the ends is typed into."""
    box = QDoubleSpinBox()
    box.setRange(SPEEDS[0], SPEEDS[-1])
    box.setSingleStep(0.1)
    box.setSuffix(" ×")
    box.setKeyboardTracking(False)
    box.setAccessibleName(QCoreApplication.translate("PlayControls", "Any other speed"))
    box.setToolTip(
        QCoreApplication.translate("PlayControls", "Any other speed, 0.1 to 8 times the recording's")
    )
    box.valueChanged.connect(playback.set_speed)
    return box


class LeaveSpaceToButtons(QObject):
    """Lets a button or list that has the keyboard use the space bar, though the window has it as a shortcut.

    Installed on the window: what the focused widget does not claim comes here.
    """

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Space
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
            and isinstance(QApplication.focusWidget(), QAbstractButton | QAbstractItemView)
        ):
            event.accept()
            return True
        return False
