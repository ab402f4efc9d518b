"""One to four pictures side by side that pan and zoom together."""

import math

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from app.state.compare.comparing import MOST_PANES
from app.ui.panes.pane import Pane
from app.ui.parts.theme import Theme
from engine.geometry import Region, Size

LARGEST_PIXEL_PX = 64
"""How large one pixel of a picture can be zoomed to."""


class PaneGrid(QSplitter):
    """Up to three panes in a row, four in two rows; all look at the same place."""

    pixel_hovered = Signal(object)
    """(x, y) of the pixel under the mouse, or None."""
    region_drawn = Signal(object)
    pane_entered = Signal(int)
    scale_changed = Signal()
    pane_added = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._theme = theme
        self._all: list[Pane] = []
        self._count = 0
        self._size: Size | None = None
        self._smooth = True
        self._fitted = True
        self._wanted: tuple[QPointF, float] | None = None
        """What a restored view looks at, until the user looks elsewhere."""
        self.rows = (QSplitter(Qt.Orientation.Horizontal), QSplitter(Qt.Orientation.Horizontal))
        for splitter in (self, *self.rows):
            splitter.setHandleWidth(6)
            splitter.setChildrenCollapsible(False)
        for row in self.rows:
            self.addWidget(row)
        self.arrange(2)

    @property
    def panes(self) -> tuple[Pane, ...]:
        """Those that are shown."""
        return tuple(self._all[: self._count])

    @property
    def first(self) -> Pane:
        return self._all[0]

    @property
    def second(self) -> Pane:
        """The one beside the first, which may be hidden."""
        return self._all[1]

    @property
    def px_per_pixel(self) -> float:
        return self.first.px_per_pixel

    def arrange(self, count: int) -> None:
        """Show so many panes of one size, 1 to 4."""
        if count == self._count:
            return
        while len(self._all) < count:
            self._add_pane()
        in_first_row = 2 if count == MOST_PANES else count
        for number, pane in enumerate(self._all):
            row = self.rows[0 if number < in_first_row else 1]
            if pane.parentWidget() is not row:
                row.addWidget(pane)
            pane.setVisible(number < count)
        self.rows[1].setVisible(count > in_first_row)
        self._count = count
        for splitter in (self, *self.rows):
            splitter.setSizes([10_000] * splitter.count())
        if self._size is not None and not self._fitted:
            looked = (self.first.centre, self.px_per_pixel)
            self._wanted = looked
            for pane in self.panes:
                pane.look_at(*looked)

    def show_size(self, size: Size) -> None:
        """Prepare for pictures of this size; another size than before is shown whole."""
        if size != self._size:
            self._size = size
            for pane in self._all:
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
        centre = self.first.centre
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
        centre = self.first.centre
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
        rect = self.first.box.viewRect()
        top, left = max(0, math.floor(rect.top())), max(0, math.floor(rect.left()))
        bottom = min(self._size.height, math.ceil(rect.bottom()))
        right = min(self._size.width, math.ceil(rect.right()))
        return Region(top, left, bottom, right) if top < bottom and left < right else None

    def set_smooth(self, smooth: bool) -> None:
        self._smooth = smooth
        for pane in self._all:
            pane.item.set_smooth(smooth)
            pane.other.set_smooth(smooth)

    def show_region(self, region: Region | None) -> None:
        """Frame a region in all panes, or none."""
        for pane in self._all:
            pane.item.show_region(region)
            pane.other.show_region(region)

    def _add_pane(self) -> None:
        number, pane = len(self._all), Pane(self._theme)
        self._all.append(pane)
        if self._size is not None:
            pane.set_limits(self._size)
        pane.item.set_smooth(self._smooth)
        pane.other.set_smooth(self._smooth)
        pane.moved.connect(lambda: self._follow(pane))
        pane.resized.connect(lambda: self._on_resize(pane))
        pane.pixel_hovered.connect(self._on_hover)
        pane.region_drawn.connect(self.region_drawn)
        pane.entered.connect(lambda: self.pane_entered.emit(number))
        self.pane_added.emit(number)

    def _follow(self, moved: Pane) -> None:
        self._fitted, self._wanted = False, None
        for pane in self.panes:
            if pane is not moved:
                pane.look_at(moved.centre, moved.px_per_pixel)
        self.scale_changed.emit()

    def _on_resize(self, pane: Pane) -> None:
        if self._fitted:
            self.fit()
        elif self._wanted is not None:
            pane.look_at(*self._wanted)
        elif pane is not self.first:
            pane.look_at(self.first.centre, self.first.px_per_pixel)

    def _on_hover(self, pixel: tuple[int, int] | None) -> None:
        for pane in self._all:
            pane.item.show_probe(pixel)
            pane.other.show_probe(pixel)
        self.pixel_hovered.emit(pixel)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
