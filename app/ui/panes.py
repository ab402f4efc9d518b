"""Two pictures side by side that pan and zoom together."""

import math

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget
from superqt import QElidingLabel

from app.display import DisplayPicture
from app.ui.picture_item import PictureItem
from app.ui.theme import Theme
from engine.geometry import Region, Size

LARGEST_PIXEL_PX = 64
"""How large one pixel of a picture can be zoomed to."""
SMALLEST_VIEW_SHARE = 0.1
"""How small a picture can be zoomed to, as a share of the pane."""


class Pane(QFrame):
    """One picture under a line that says what it is."""

    pixel_hovered = Signal(object)
    """(x, y) of the pixel under the mouse, or None."""
    moved = Signal()
    """The user panned or zoomed."""
    resized = Signal()

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme = theme
        self.title = QElidingLabel(title)
        self.title.setProperty("role", "title")
        self.title.setMinimumWidth(40)
        self.score = QLabel()
        self.score.setProperty("role", "score")
        self.item = PictureItem()
        self.box = pg.ViewBox(lockAspect=1.0, invertY=True, enableMenu=False, defaultPadding=0.0)
        self.box.addItem(self.item, ignoreBounds=True)
        self.box.disableAutoRange()
        self.box.sigRangeChangedManually.connect(lambda _: self.moved.emit())
        self.box.sigResized.connect(lambda _: self.resized.emit())
        self.canvas = pg.GraphicsView(background=None)
        self.canvas.setCentralItem(self.box)
        self.canvas.setMinimumSize(120, 130)
        self.canvas.scene().sigMouseMoved.connect(self._on_mouse)
        self.hint = PaneHint(self.canvas)
        header = QHBoxLayout()
        header.setContentsMargins(10, 5, 10, 5)
        header.addWidget(self.title, 1)
        header.addWidget(self.score)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self.canvas, 1)
        theme.changed.connect(self._on_theme)
        self._on_theme()

    def show_picture(self, picture: DisplayPicture | None) -> None:
        self.item.show_picture(picture)

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

    def _on_mouse(self, at: QPointF) -> None:
        point = self.box.mapSceneToView(at)
        inside = self.item.boundingRect().contains(point) and self.box.sceneBoundingRect().contains(at)
        self.pixel_hovered.emit((int(point.x()), int(point.y())) if inside else None)

    def leaveEvent(self, _: QEvent) -> None:
        self.pixel_hovered.emit(None)


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


class PanePair(QSplitter):
    """Blurry on the left, restored on the right; both look at the same place."""

    pixel_hovered = Signal(object)
    scale_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.blurry = Pane("Blurry", theme)
        self.restored = Pane("Restored", theme)
        self.panes = (self.blurry, self.restored)
        self._size: Size | None = None
        self._fitted = True
        self._wanted: tuple[QPointF, float] | None = None
        """What a restored view looks at, until the user looks elsewhere."""
        self.setHandleWidth(6)
        self.setChildrenCollapsible(False)
        for pane, other in (self.panes, self.panes[::-1]):
            self.addWidget(pane)
            pane.moved.connect(lambda pane=pane, other=other: self._follow(pane, other))
            pane.resized.connect(lambda pane=pane, other=other: self._on_resize(pane, other))
            pane.pixel_hovered.connect(self._on_hover)
        self.setSizes([1000, 1000])

    @property
    def px_per_pixel(self) -> float:
        return self.blurry.px_per_pixel

    def show_size(self, size: Size) -> None:
        """Prepare for pictures of this size; another size than before is shown whole."""
        if size != self._size:
            self._size = size
            for pane in self.panes:
                pane.set_limits(size)
            self.fit()

    def fit(self) -> None:
        """Show the whole picture, and keep doing so when the window changes its size."""
        self._fitted, self._wanted = True, None
        if self._size is None:
            return
        centre = QPointF(self._size.width / 2, self._size.height / 2)
        fits = [
            min(pane.box.width() / self._size.width, pane.box.height() / self._size.height)
            for pane in self.panes
        ]
        if min(fits) > 0:
            for pane in self.panes:
                pane.look_at(centre, min(fits))
        self.scale_changed.emit()

    def zoom_to(self, px_per_pixel: float) -> None:
        """Show every pixel of the pictures as so many logical pixels, around the middle of the view."""
        self._fitted, self._wanted = False, None
        centre = self.blurry.centre
        for pane in self.panes:
            pane.look_at(centre, min(px_per_pixel, LARGEST_PIXEL_PX))
        self.scale_changed.emit()

    def zoom_by(self, factor: float) -> None:
        self.zoom_to(self.px_per_pixel * factor)

    def actual_size(self) -> None:
        """Show every pixel as one pixel of the screen."""
        self.zoom_to(1.0 / self.devicePixelRatioF())

    def view_state(self) -> dict[str, object]:
        """Return where the panes look, as plain values; nothing where the whole picture is shown."""
        if self._fitted or self._size is None:
            return {}
        centre = self.blurry.centre
        return {"x": centre.x(), "y": centre.y(), "px_per_pixel": self.px_per_pixel}

    def restore_view(self, view: dict[str, object]) -> None:
        """Look where `view_state` said, also after the panes have got their size."""
        x, y, px_per_pixel = (_number(view.get(name)) for name in ("x", "y", "px_per_pixel"))
        if x is None or y is None or px_per_pixel is None or px_per_pixel <= 0:
            return
        self._fitted = False
        self._wanted = (QPointF(x, y), min(px_per_pixel, LARGEST_PIXEL_PX))
        for pane in self.panes:
            pane.look_at(*self._wanted)
        self.scale_changed.emit()

    def visible_region(self) -> Region | None:
        """Return the part of the picture that is in sight; None where there is none."""
        if self._size is None:
            return None
        rect = self.blurry.box.viewRect()
        top, left = max(0, math.floor(rect.top())), max(0, math.floor(rect.left()))
        bottom = min(self._size.height, math.ceil(rect.bottom()))
        right = min(self._size.width, math.ceil(rect.right()))
        return Region(top, left, bottom, right) if top < bottom and left < right else None

    def set_smooth(self, smooth: bool) -> None:
        for pane in self.panes:
            pane.item.set_smooth(smooth)

    def _follow(self, pane: Pane, other: Pane) -> None:
        self._fitted, self._wanted = False, None
        other.look_at(pane.centre, pane.px_per_pixel)
        self.scale_changed.emit()

    def _on_resize(self, pane: Pane, other: Pane) -> None:
        if self._fitted:
            self.fit()
        elif self._wanted is not None:
            pane.look_at(*self._wanted)
        elif pane is self.restored:
            pane.look_at(other.centre, other.px_per_pixel)

    def _on_hover(self, pixel: tuple[int, int] | None) -> None:
        for pane in self.panes:
            pane.item.show_probe(pixel)
        self.pixel_hovered.emit(pixel)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
