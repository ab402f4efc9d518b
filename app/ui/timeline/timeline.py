"""The timeline: spike rate over the planes, every frame's alignment window, and where we are."""

import itertools
import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.state.spikes.spike_rate import RateCurve
from app.ui.parts.theme import Theme
from app.ui.timeline.bars import bar_box
from app.ui.timeline.content import GUTTER_PX, TimelineContent
from app.ui.timeline.painting import StillLayer, paint_nothing, paint_timeline
from app.ui.timeline.plane_scale import PlaneScale, format_planes, format_time, frame_at, panned, zoomed
from app.ui.timeline.window_grips import (
    MOST_REACHED_PX,
    Drag,
    Grip,
    frames_with_edge_near,
    neighbours_edges,
    part_at,
)
from engine.alignment_window import AlignmentWindow
from engine.geometry import Span

ZOOM_PER_NOTCH = 1.25
PAN_PER_NOTCH = 0.1
"""Share of the view."""


class Timeline(QWidget):
    """Shows planes left to right. Click goes to a frame, the wheel zooms around the cursor, a drag with
    the middle button or the wheel turned sideways moves, a double click shows everything again. Windows are
    dragged by their edges, the current one by its bar too; they snap to whole planes and to their neighbours,
    or with Alt do the contrary."""

    frame_chosen = Signal(int)
    window_dragged = Signal(int, object, str)
    """Frame, its window (start, stop), and the name of the drag."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.content = TimelineContent.of_windows([])
        self._view = (0.0, 1.0)
        self._pan_from: QPointF | None = None
        self._drag: Drag | None = None
        self._snaps = True
        self._pressed_at = QPointF()
        self._is_dragging = False
        self._still = StillLayer()
        self._drags = itertools.count(1)
        self.setMouseTracking(True)
        self.setMinimumHeight(92)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Timeline"))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(600, 150)

    # ------------------------------------------------------------------ what is shown

    def show_sequence(
        self,
        windows: Sequence[AlignmentWindow],
        name_of: Callable[[int], str],
        *,
        planes: int,
        parts: tuple[int, ...],
        rate_hz: float | None,
        guess: bool,
    ) -> None:
        """Show another sequence: windows in planes, one a frame, over a recording of `planes` planes."""
        self.content = TimelineContent.of_windows(windows)
        self.content.name_of, self.content.planes, self.content.parts = name_of, planes, parts
        self.content.rate_hz, self.content.guess = rate_hz, guess
        self._view = self.content.bounds
        self.update()

    def show_windows(
        self, windows: Sequence[AlignmentWindow], edited: frozenset[int], *, can_edit: bool
    ) -> None:
        """Show the windows as they are edited; the view stays."""
        if len(windows) == len(self.content.windows):
            self.content.take_windows(windows)
        self.content.edited, self.content.can_edit = edited, can_edit
        self.update()

    def show_rate(self, curve: RateCurve | None, progress: float | None) -> None:
        self.content.curve, self.content.progress = curve, progress
        self.update()

    def show_current(self, index: int) -> None:
        """Highlight a frame, and bring its window into view; not while one is held, it would slip away."""
        self.content.current, self.content.bin = index, None
        window = self.content.current_window
        if (
            window is not None
            and self._drag is None
            and not (self._view[0] <= window.start and window.stop <= self._view[1])
        ):
            by = window.centre - sum(self._view) / 2
            self._view = panned(*self._view, by, self.content.bounds)
        self.update()

    def show_range(self, frames: Span | None) -> None:
        self.content.range = frames
        self.update()

    def show_restored(self, restored: frozenset[int], stale: frozenset[int]) -> None:
        """Mark frames that have a result; `stale` ones were made with other settings."""
        self.content.restored, self.content.stale = restored, stale
        self.update()

    def show_bin(self, span: tuple[float, float] | None) -> None:
        """Mark one voxel bin inside the current window."""
        self.content.bin = span
        self.update()

    def show_bins(self, bins: int) -> None:
        """Cut the current window into so many voxel bins."""
        if bins != self.content.bins:
            self.content.bins = bins
            self.update()

    def set_snap(self, snaps: bool) -> None:
        """Let dragged windows snap, or not."""
        self._snaps = snaps

    @property
    def scale(self) -> PlaneScale:
        width = max(1.0, self.width() - 2.0 * GUTTER_PX)
        return PlaneScale(*self._view, float(GUTTER_PX), width)

    # ------------------------------------------------------------------ mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = event.position()
        elif event.button() == Qt.MouseButton.LeftButton:
            grip = self.grip_at(event.position())
            if grip is None:
                self._choose(event.position())
            else:
                self._take_hold(grip, event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            planes = (self._pan_from.x() - event.position().x()) / self.scale.px_per_plane
            self._view = panned(*self._view, planes, self.content.bounds)
            self._pan_from = event.position()
            self.update()
        elif self._drag is not None:
            contrary = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self._lead(event.position(), snap=self._snaps != contrary)
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event.position())
        else:
            self._show_cursor(self.grip_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = None
        elif event.button() == Qt.MouseButton.LeftButton:
            self._drag, self._is_dragging = None, False
            self._show_cursor(self.grip_at(event.position()))

    def mouseDoubleClickEvent(self, _: QMouseEvent) -> None:
        self._view = self.content.bounds
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        notches, sideways = turned.y() / 120, turned.x() / 120
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            notches, sideways = 0.0, sideways or notches
        if sideways and abs(sideways) > abs(notches):
            by = -sideways * PAN_PER_NOTCH * (self._view[1] - self._view[0])
            self._view = panned(*self._view, by, self.content.bounds)
            self.update()
        elif notches and len(self.content.windows):
            around = self.scale.plane(event.position().x())
            self._view = zoomed(*self._view, ZOOM_PER_NOTCH**-notches, around, self.content.bounds)
            self.update()
        event.accept()

    # ------------------------------------------------------------------ dragging windows

    def grip_at(self, at: QPointF) -> Grip | None:
        """Return what can be dragged at a point: the current window first, then edges of others."""
        content = self.content
        if not content.can_edit or content.current >= len(content.windows):
            return None
        part = part_at(self.bar(content.current), at)
        if part is not None:
            return Grip(content.current, part)
        for frame in frames_with_edge_near(content.windows, self.scale.plane(at.x()), self.scale):
            part = part_at(self.bar(frame), at)
            if part in ("start", "stop"):
                return Grip(frame, part)
        return None

    def bar(self, frame: int) -> QRectF:
        """Return where the bar of a frame is."""
        line = QFontMetricsF(self._small_font()).height()
        return bar_box(self.content, self.scale, line, (self.width(), self.height()), frame)

    def _take_hold(self, grip: Grip, at: QPointF) -> None:
        window = AlignmentWindow(*self.content.windows[grip.frame].tolist())
        name = f"drag {next(self._drags)}"
        self._drag = Drag(grip.frame, grip.part, window, self.scale.plane(at.x()), name)
        self._pressed_at, self._is_dragging = at, False
        if grip.part == "bar":
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        if grip.frame != self.content.current:
            self.frame_chosen.emit(grip.frame)

    def _lead(self, at: QPointF, *, snap: bool) -> None:
        drag = self._drag
        assert drag is not None
        self._is_dragging |= abs(at.x() - self._pressed_at.x()) >= MOST_REACHED_PX
        if not self._is_dragging:
            return
        others = neighbours_edges(self.content.windows, drag.frame)
        window = drag.lead(self.scale.plane(at.x()), self.scale, others, snap=snap)
        self.window_dragged.emit(drag.frame, window, drag.name)

    def _show_cursor(self, grip: Grip | None) -> None:
        if grip is None:
            self.unsetCursor()
        elif grip.part == "bar":
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.setCursor(Qt.CursorShape.SizeHorCursor)

    def _choose(self, at: QPointF) -> None:
        frame = frame_at(self.content.windows, self.scale.plane(at.x()))
        if frame is not None:
            self.frame_chosen.emit(frame)

    # ------------------------------------------------------------------ tooltip, painting

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event.pos(), event.globalPos())
            return True
        return super().event(event)

    def _show_tip(self, at: QPoint, on_screen: QPoint) -> None:
        QToolTip.showText(on_screen, "\n".join(self.tip_lines(self.scale.plane(at.x()))), self)

    def tip_lines(self, plane: float) -> list[str]:
        """Say what lies at a plane."""
        content = self.content
        lines = [self.tr("Plane {plane}").format(plane=math.floor(plane))]
        if content.rate_hz:
            lines[0] += f" · {format_time(plane, content.rate_hz)}"
        if content.curve is not None and 0 <= plane < len(content.curve.values):
            value = float(content.curve.values[int(plane)])
            lines.append(self.tr("{rate} spikes per pixel in this plane").format(rate=f"{value:.4f}"))
        frame = frame_at(content.windows, plane)
        if frame is None or not content.windows[frame, 0] <= plane < content.windows[frame, 1]:
            return lines
        start, stop = content.windows[frame]
        lines.append(self.tr("Frame {frame} · {name}").format(frame=frame + 1, name=content.name_of(frame)))
        lines.append(self.tr("exposed in planes {span}").format(span=format_planes(start, stop)))
        if content.rate_hz:
            lines[-1] += f" ({format_time(stop - start, content.rate_hz)})"
        if content.guess:
            lines.append(self.tr("This window is a guess: no log or layout says it"))
        if frame in content.restored:
            stale = self.tr("Restored with another gamma or window")
            lines.append(stale if frame in content.stale else self.tr("Restored"))
        if frame in content.edited:
            lines.append(self.tr("Edited: not as in the files"))
        return lines

    def _small_font(self) -> QFont:
        small = QFont(self.font())
        small.setPointSizeF(max(7.0, self.font().pointSizeF() * 0.86))
        return small

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._theme.colours
        painter.fillRect(self.rect(), QColor(colours.panel))
        painter.setFont(self._small_font())
        if len(self.content.windows) == 0 and self.content.planes == 0:
            paint_nothing(painter, colours, QRectF(self.rect()))
        else:
            size = (self.width(), self.height())
            paint_timeline(painter, self.content, self.scale, colours, size, self._still)
