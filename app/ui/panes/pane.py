"""One picture, or two on either side of a line, under a line that says what it is."""

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QColor, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from app.display import DisplayPicture
from app.ui.panes.picture_item import PictureItem
from app.ui.parts.theme import Theme
from engine.geometry import Region, Size

SMALLEST_VIEW_SHARE = 0.1
"""How small a picture can be zoomed to, as a share of the pane."""
GRIP_PX = 14
"""Width of what takes hold of the line between two pictures."""
READOUT_MARGIN_PX = 6


class Pane(QFrame):
    """Pans, zooms, and says where the mouse is."""

    pixel_hovered = Signal(object)
    """(x, y) of the pixel under the mouse, or None."""
    region_drawn = Signal(object)
    """`Region` that the user drew with Shift held, or None for a click."""
    moved = Signal()
    """The user panned or zoomed."""
    resized = Signal()
    entered = Signal()
    """The mouse came in, or pressed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme = theme
        self.chooser = QToolButton()
        self.chooser.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.chooser.setArrowType(Qt.ArrowType.DownArrow)
        self.chooser.setProperty("chooser", True)
        self.chooser.setToolTip(self.tr("Choose what this pane shows (keys 0 to 9 and P)"))
        self.chooser.setAccessibleName(self.tr("What this pane shows"))
        self.chooser.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.menu = QMenu(self.chooser)
        self.chooser.setMenu(self.menu)
        self.title = QElidingLabel()
        self.title.setProperty("role", "title")
        self.title.setMinimumWidth(40)
        self.score = QLabel()
        self.score.setProperty("role", "score")
        self.item = PictureItem()
        self.other = PictureItem()
        """What is seen to the right of the line."""
        self.other.hide()
        self.box = PaneBox()
        self.box.addItem(self.item, ignoreBounds=True)
        self.box.addItem(self.other, ignoreBounds=True)
        self.canvas = pg.GraphicsView(background=None)
        self.canvas.setCentralItem(self.box)
        self.canvas.setMinimumSize(120, 100)
        self.canvas.scene().sigMouseMoved.connect(self._on_mouse)
        self.hint = PaneHint(self.canvas)
        self.readout = QLabel(self.canvas)
        self.readout.setProperty("role", "readout")
        self.readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.readout.hide()
        self.grip = WipeGrip(self.canvas, self._on_grip)
        self._split = 0.5
        """Where the line stands, as a share of the pane's width."""
        self.box.sigRangeChangedManually.connect(lambda _: self.moved.emit())
        self.box.sigRangeChanged.connect(lambda *_: self._place_line())
        self.box.sigResized.connect(lambda _: self._on_resize())
        self.box.region_drawn.connect(self._on_region)
        header = QHBoxLayout()
        header.setContentsMargins(4, 4, 10, 4)
        header.setSpacing(4)
        header.addWidget(self.chooser)
        header.addWidget(self.title, 1)
        header.addWidget(self.score)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self.canvas, 1)
        theme.changed.connect(self._on_theme)
        self._on_theme()

    def show_picture(self, picture: DisplayPicture | None, size: Size | None = None) -> None:
        """Show a picture over the whole pane, spread over `size` where it has fewer pixels."""
        self.item.show_picture(picture, size)

    def show_other(self, picture: DisplayPicture | None, size: Size | None = None) -> None:
        """Show a second picture to the right of the line."""
        self.other.show_picture(picture, size)

    def set_wiping(self, wiping: bool) -> None:
        """Part the pane by a line that can be dragged, or show one picture."""
        self.other.setVisible(wiping)
        self.grip.setVisible(wiping)
        if not wiping:
            self.item.clip(None)
            self.other.clip(None)
        self._place_line()

    def show_readout(self, text: str) -> None:
        """Show the values of the pixel under the mouse at the pane's lower edge."""
        self.readout.setText(text)
        self.readout.setVisible(bool(text))
        self._place_readout()

    def set_active(self, active: bool) -> None:
        """Mark the pane that keys speak to."""
        if self.property("active") != active:
            self.setProperty("active", active)
            self.style().unpolish(self)
            self.style().polish(self)

    def set_limits(self, size: Size) -> None:
        """Keep the view from losing a picture of this size."""
        longest = max(size.height, size.width) / SMALLEST_VIEW_SHARE
        self.box.setLimits(
            xMin=-longest,
            xMax=longest,
            yMin=-longest,
            yMax=longest,
            minXRange=2,
            minYRange=2,
            maxXRange=longest,
            maxYRange=longest,
        )

    @property
    def px_per_pixel(self) -> float:
        """Size of one pixel of the picture on the screen, in logical pixels."""
        return 1.0 / max(1e-9, float(self.box.viewPixelSize()[0]))

    @property
    def centre(self) -> QPointF:
        return self.box.viewRect().center()

    def look_at(self, centre: QPointF, px_per_pixel: float) -> None:
        """Put a point of the picture into the middle, at a scale."""
        width, height = self.box.width() / px_per_pixel, self.box.height() / px_per_pixel
        if width > 0 and height > 0:
            rect = QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)
            self.box.setRange(rect, padding=0.0)

    def _on_theme(self) -> None:
        self.canvas.setBackground(QColor(self._theme.colours.canvas))

    def _on_resize(self) -> None:
        self._place_line()
        self._place_readout()
        self.resized.emit()

    def _on_mouse(self, at: QPointF) -> None:
        point = self.box.mapSceneToView(at)
        inside = self.item.boundingRect().contains(point) and self.box.sceneBoundingRect().contains(at)
        self.entered.emit()
        self.pixel_hovered.emit((int(point.x()), int(point.y())) if inside else None)

    def leaveEvent(self, _: QEvent) -> None:
        self.pixel_hovered.emit(None)

    def _on_region(self, rect: QRectF) -> None:
        extent = self.item.boundingRect()
        rect = rect.intersected(extent)
        left, top = int(rect.left()), int(rect.top())
        right, bottom = int(rect.right()), int(rect.bottom())
        whole = right - left >= 2 and bottom - top >= 2
        self.region_drawn.emit(Region(top, left, bottom, right) if whole else None)

    def _on_grip(self, x: float) -> None:
        self._split = min(max(x / max(1, self.canvas.width()), 0.0), 1.0)
        self._place_line()

    def _place_line(self) -> None:
        if self.grip.isHidden():
            return
        x = self._split * self.canvas.width()
        self.grip.setGeometry(int(x) - GRIP_PX // 2, 0, GRIP_PX, self.canvas.height())
        column = self.box.mapSceneToView(self.canvas.mapToScene(QPoint(int(x), 0))).x()
        far = 1e7
        self.item.clip(-far, column)
        self.other.clip(column, far)

    def _place_readout(self) -> None:
        most = max(1, self.canvas.width() - 2 * READOUT_MARGIN_PX)
        self.readout.setWordWrap(False)
        if self.readout.sizeHint().width() > most:
            self.readout.setWordWrap(True)
            self.readout.resize(most, self.readout.heightForWidth(most))
        else:
            self.readout.adjustSize()
        bottom = self.canvas.height() - self.readout.height() - READOUT_MARGIN_PX
        self.readout.move(READOUT_MARGIN_PX, bottom)


class PaneBox(pg.ViewBox):
    """Pans with the mouse and zooms with the wheel; with Shift held a drag draws a region."""

    region_drawn = Signal(QRectF)

    def __init__(self) -> None:
        super().__init__(lockAspect=1.0, invertY=True, enableMenu=False, defaultPadding=0.0)
        self.disableAutoRange()

    def mouseDragEvent(
        self, event: "pg.GraphicsScene.mouseEvents.MouseDragEvent", axis: int | None = None
    ) -> None:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() != Qt.MouseButton.LeftButton or not shift:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        first = self.mapSceneToView(event.buttonDownScenePos())
        second = self.mapSceneToView(event.scenePos())
        self.region_drawn.emit(QRectF(first, second).normalized())

    def mouseClickEvent(self, event: "pg.GraphicsScene.mouseEvents.MouseClickEvent") -> None:
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            event.accept()
            self.region_drawn.emit(QRectF())
        else:
            super().mouseClickEvent(event)


class WipeGrip(QWidget):
    """The line between two pictures, with something to take hold of."""

    def __init__(self, canvas: QWidget, moved: Callable[[float], None]) -> None:
        super().__init__(canvas)
        self._moved = moved
        self.setCursor(Qt.CursorShape.SplitHCursor)
        line = QFrame(self)
        line.setProperty("role", "wipe")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(line, 0, Qt.AlignmentFlag.AlignHCenter)
        line.setFixedWidth(2)
        self.setToolTip(self.tr("Drag the line to compare both pictures"))
        self.hide()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._moved(self.mapToParent(event.position().toPoint()).x())


class PaneHint(QWidget):
    """A text, and perhaps a button, in the middle of an empty pane."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._action: QAction | None = None
        self.label = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.label.setWordWrap(True)
        self.label.setProperty("role", "muted")
        self.button = QPushButton()
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._trigger)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch(1)
        layout.addWidget(self.label)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        canvas.installEventFilter(self)
        self.hide()

    def say(self, text: str, action: QAction | None = None) -> None:
        """Show a text, or hide where it is empty; an action that can be done now becomes a button."""
        self._action = action
        self.label.setText(text)
        self.button.setVisible(action is not None and action.isEnabled())
        if action is not None:
            self.button.setText(action.text().replace("&", ""))
        self.setVisible(bool(text))
        self.setGeometry(self._canvas.rect())

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
        return False

    def _trigger(self) -> None:
        if self._action is not None:
            self._action.trigger()
