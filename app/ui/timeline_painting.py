"""How the timeline looks: pure functions from what is shown to strokes of a painter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontInfo, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from app.state.spike_rate import RateCurve
from app.ui.curve_picture import curve_pixels
from app.ui.plane_scale import PlaneScale, format_time, lanes
from app.ui.theme import Colours, faded, mixed
from engine.geometry import Span

GUTTER_PX = 10
BAR_PX = (16, 13, 12)
"""Height of a bar where there are so many lanes."""
BAR_GAP_PX = 3
THIN_PX = 4.0
"""Bars less wide than this are plain and painted all at once: a step to another frame paints thousands."""
TICK_GAP_PX = 78
DARK_INK = "#1b1f24"
"""On the current window, which is bright in both themes."""


@dataclass
class TimelineContent:
    """Everything the timeline shows."""

    windows: NDArray[np.float64]
    """(frames, 2): first plane and plane after the last of every frame."""
    lanes: NDArray[np.int64]
    name_of: Callable[[int], str] = str
    planes: int = 0
    parts: tuple[int, ...] = ()
    rate_hz: float | None = None
    guess: bool = False
    curve: RateCurve | None = None
    progress: float | None = None
    current: int = 0
    range: Span | None = None
    restored: frozenset[int] = frozenset()
    stale: frozenset[int] = frozenset()
    bin: tuple[float, float] | None = None
    edited: frozenset[int] = frozenset()
    can_edit: bool = False
    bins: int = 32
    """Voxel bins of a window."""

    @classmethod
    def of_windows(cls, windows: list[tuple[float, float]]) -> "TimelineContent":
        return cls(np.array(windows, np.float64).reshape(-1, 2), np.array(lanes(windows), np.int64))

    def take_windows(self, windows: list[tuple[float, float]]) -> None:
        """Show other windows of the same frames."""
        self.windows = np.array(windows, np.float64).reshape(-1, 2)
        self.lanes = np.array(lanes(windows), np.int64)

    @property
    def bounds(self) -> tuple[float, float]:
        """First and last plane there is anything to show at."""
        low = min(0.0, float(self.windows[:, 0].min(initial=0.0)))
        return low, max(float(max(self.planes, 1)), float(self.windows[:, 1].max(initial=0.0)))

    @property
    def current_window(self) -> tuple[float, float] | None:
        if self.current >= len(self.windows):
            return None
        start, stop = self.windows[self.current]
        return float(start), float(stop)


@dataclass(frozen=True)
class _Rows:
    """Heights of the timeline's parts, top to bottom."""

    line: float
    curve: QRectF
    bars_y: float
    bar_px: float
    axis_y: float


def _rows(content: TimelineContent, line: float, width: float, height: float) -> _Rows:
    lane_count = int(content.lanes.max(initial=0)) + 1
    bar_px = float(BAR_PX[lane_count - 1])
    axis_y = height - line * (2 if content.rate_hz else 1) - 7
    top = line + 8
    room = axis_y - top - 9
    bar_px = max(2.0, min(bar_px, 0.75 * room / lane_count - BAR_GAP_PX))
    bars_px = (bar_px + BAR_GAP_PX) * lane_count
    curve = QRectF(GUTTER_PX, top, width - 2 * GUTTER_PX, max(0.0, axis_y - bars_px - top - 9))
    return _Rows(line, curve, curve.bottom() + 6, bar_px, axis_y)


def paint_timeline(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, size: tuple[int, int]
) -> None:
    """Paint the whole timeline into `size` (width, height) with the painter's font."""
    width, height = size
    rows = _rows(content, QFontMetricsF(painter.font()).height(), width, height)
    _paint_bands(painter, content, scale, colours, rows)
    _paint_axis(painter, content, scale, colours, rows, width)
    _paint_curve(painter, content, scale, colours, rows)
    _paint_bars(painter, content, scale, colours, rows)
    _paint_joints(painter, content, scale, colours, rows)
    _paint_bins(painter, content, scale, rows)
    _paint_playhead(painter, content, scale, colours, rows)
    _paint_header(painter, content, colours, QRectF(GUTTER_PX, 3, width - 2 * GUTTER_PX, rows.line + 3))


def bar_box(
    content: TimelineContent, scale: PlaneScale, line: float, size: tuple[int, int], frame: int
) -> QRectF:
    """Return where the bar of a frame's window is painted; `line` is the height of a line of text."""
    return _bar_place(content, scale, _rows(content, line, *size), frame)


def _bar_place(content: TimelineContent, scale: PlaneScale, rows: _Rows, frame: int) -> QRectF:
    left, right = scale.x(content.windows[frame, 0]), scale.x(content.windows[frame, 1])
    top = rows.bars_y + content.lanes[frame] * (rows.bar_px + BAR_GAP_PX)
    return QRectF(left, top, right - left, rows.bar_px)


def _paint_joints(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: _Rows
) -> None:
    """Mark below the bars where the exposures of neighbours overlap, and where nothing was exposed."""
    starts, stops = content.windows[1:, 0], content.windows[:-1, 1]
    left, right = np.minimum(starts, stops), np.maximum(starts, stops)
    seen = np.flatnonzero((right > scale.start) & (left < scale.stop) & (right - left > 1e-6))
    wide = (right[seen] - left[seen]) * scale.px_per_plane >= 0.75
    y = rows.axis_y - 3
    for index in seen[wide][: 2 * round(scale.width_px)].tolist():
        overlaps = stops[index] > starts[index]
        colour = QColor(colours.warning) if overlaps else faded(colours.muted, 0.45)
        x = scale.x(float(left[index]))
        painter.fillRect(QRectF(x, y, max(1.0, scale.x(float(right[index])) - x), 3), colour)


def _paint_bins(painter: QPainter, content: TimelineContent, scale: PlaneScale, rows: _Rows) -> None:
    """Mark the voxel bins inside the current window, where there is room."""
    if content.current_window is None or content.planes == 0:
        return
    box = _bar_place(content, scale, rows, content.current)
    step = box.width() / content.bins
    if step < 3:
        return
    painter.setPen(QPen(faded(DARK_INK, 0.35), 1))
    for index in range(1, content.bins):
        x = box.left() + index * step
        if scale.left_px <= x <= scale.left_px + scale.width_px:
            painter.drawLine(QPointF(x, box.top() + 1), QPointF(x, box.bottom() - 1))


def _paint_bands(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: _Rows
) -> None:
    """Tint the chosen range, the current window and the voxel bin under the mouse."""

    def band(start: float, stop: float, colour: QColor, at_least_px: float = 0.0) -> QRectF:
        left = scale.x(start)
        box = QRectF(left, 0, max(at_least_px, scale.x(stop) - left), rows.axis_y)
        painter.fillRect(box, colour)
        return box

    frames = content.range
    if frames is not None and len(frames) and frames.stop <= len(content.windows):
        start, stop = content.windows[frames.start, 0], content.windows[frames.stop - 1, 1]
        box = band(start, stop, faded(colours.accent, 0.13))
        painter.setPen(QPen(QColor(colours.accent), 1.5))
        painter.drawLine(box.topLeft(), box.bottomLeft())
        painter.drawLine(box.topRight(), box.bottomRight())
    if content.current_window is not None:
        band(*content.current_window, faded(colours.current, 0.16))
    if content.bin is not None:
        band(*content.bin, faded(colours.current, 0.55), 1.5)
    painter.setPen(QPen(QColor(colours.border), 1, Qt.PenStyle.DotLine))
    for plane in content.parts[1:]:
        if scale.start < plane < scale.stop:
            painter.drawLine(QPointF(scale.x(plane), 0), QPointF(scale.x(plane), rows.axis_y))


def _paint_axis(
    painter: QPainter,
    content: TimelineContent,
    scale: PlaneScale,
    colours: Colours,
    rows: _Rows,
    width: int,
) -> None:
    """Label round plane numbers, and below them the time where the rate is known."""
    line_pen = QPen(QColor(colours.border), 1)
    painter.setPen(line_pen)
    painter.drawLine(QPointF(GUTTER_PX, rows.axis_y), QPointF(width - GUTTER_PX, rows.axis_y))
    unit = " planes"
    for plane in scale.ticks(TICK_GAP_PX):
        x = scale.x(plane)
        painter.setPen(line_pen)
        painter.drawLine(QPointF(x, rows.axis_y), QPointF(x, rows.axis_y + 4))
        box = QRectF(x - 60, rows.axis_y + 4, 120, rows.line)
        side = Qt.AlignmentFlag.AlignHCenter
        if x < 40:
            box.moveLeft(x - 2)
            side = Qt.AlignmentFlag.AlignLeft
        elif x > width - 40:
            box.moveRight(x + 2)
            side = Qt.AlignmentFlag.AlignRight
        painter.setPen(QColor(colours.text))
        painter.drawText(box, side, f"{plane:g}{unit}" if plane < 1e6 else f"{plane:,.0f}{unit}")
        if content.rate_hz:
            painter.setPen(QColor(colours.muted))
            painter.drawText(box.translated(0, rows.line), side, format_time(plane, content.rate_hz))
        unit = ""


def _paint_curve(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: _Rows
) -> None:
    ratio = painter.device().devicePixelRatioF()
    columns, height = round(rows.curve.width() * ratio), round(rows.curve.height() * ratio)
    if content.curve is None or columns < 2 or height < 8 * ratio:
        return
    pixels = curve_pixels(content.curve, (scale.start, scale.stop), columns, height, ratio, colours.rate)
    image = QImage(pixels.data, columns, height, columns * 4, QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(rows.curve, image)


def _paint_bars(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: _Rows
) -> None:
    """Draw the windows in view; where they are narrower than a pixel, only one a pixel."""
    starts, stops = content.windows[:, 0], content.windows[:, 1]
    seen = np.flatnonzero((stops > scale.start) & (starts < scale.stop))
    if len(seen) > 2 * scale.width_px:
        columns = np.floor((starts[seen] - scale.start) * scale.px_per_plane)
        keep = np.unique(columns, return_index=True)[1]
        seen = np.union1d(seen[keep], np.intersect1d(seen, [content.current]))
    font = QFont(painter.font())
    font.setPixelSize(max(6, min(round(rows.bar_px) - 3, QFontInfo(font).pixelSize())))
    painter.save()
    painter.setFont(font)
    thin = ((stops - starts)[seen] * scale.px_per_plane < THIN_PX) & (seen != content.current)
    _paint_thin_bars(painter, content, scale, colours, rows, seen[thin])
    for frame in seen[~thin].tolist():
        _paint_bar(painter, content, colours, _bar_place(content, scale, rows, frame), frame)
    painter.restore()


def _paint_thin_bars(
    painter: QPainter,
    content: TimelineContent,
    scale: PlaneScale,
    colours: Colours,
    rows: _Rows,
    frames: NDArray[np.int64],
) -> None:
    """Draw bars that have no room for anything but their colours."""
    boxes = {frame: _bar_place(content, scale, rows, frame) for frame in frames.tolist()}
    for box in boxes.values():
        box.setWidth(max(1.0, box.width()))
    fill = QColor(colours.bar)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(faded(fill.name(), 0.4) if content.guess else fill)
    painter.drawRects(list(boxes.values()))
    bottom = rows.bar_px - 1
    for marked, brush, below_top in (
        (content.edited, QBrush(QColor(colours.accent)), 0.0),
        (content.restored - content.stale, QBrush(QColor(colours.restored)), bottom),
        (content.restored & content.stale, _stale_brush(colours), bottom),
    ):
        painter.setBrush(brush)
        painter.drawRects(
            [
                QRectF(box.left(), box.top() + below_top, box.width(), 2.5)
                for frame, box in boxes.items()
                if frame in marked
            ]
        )


def _stale_brush(colours: Colours) -> QBrush:
    return QBrush(QColor(colours.stale), Qt.BrushStyle.Dense4Pattern)


def _paint_bar(
    painter: QPainter, content: TimelineContent, colours: Colours, place: QRectF, frame: int
) -> None:
    is_current = frame == content.current
    fill = QColor(colours.current if is_current else colours.bar)
    box = place.adjusted(0.5, 0, -0.5, 0) if place.width() > 3 else place
    box.setWidth(max(1.0, box.width()))
    radius = min(3.0, box.width() / 2)
    if content.guess:
        painter.setBrush(faded(fill.name(), 0.18))
        painter.setPen(QPen(fill, 1.2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(box, radius, radius)
        painter.setBrush(QBrush(faded(fill.name(), 0.55), Qt.BrushStyle.BDiagPattern))
    else:
        painter.setBrush(fill)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(box, radius, radius)
    metrics = QFontMetricsF(painter.font())
    number = str(frame + 1)
    if box.width() > metrics.horizontalAdvance(number) + 8 and box.height() >= metrics.capHeight() + 3:
        on_bright = is_current and not content.guess
        painter.setPen(QColor(DARK_INK if on_bright else colours.text))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip
        painter.drawText(box.adjusted(0, -1, 0, -1), flags, number)
    if frame in content.edited:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent))
        painter.drawRect(QRectF(box.left(), box.top(), max(2.0, box.width()), 2.0))
    if frame in content.restored:
        stale = frame in content.stale
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_stale_brush(colours) if stale else QBrush(QColor(colours.restored)))
        painter.drawRect(QRectF(box.left(), box.bottom() - 1, max(2.0, box.width()), 2.5))


def _paint_playhead(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: _Rows
) -> None:
    window = content.current_window
    if window is None:
        return
    x = scale.x(sum(window) / 2)
    painter.setPen(QPen(QColor(colours.current), 1.4))
    painter.drawLine(QPointF(x, 0), QPointF(x, rows.bars_y - 2))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.current))
    painter.drawPolygon(QPolygonF([QPointF(x - 5, 0), QPointF(x + 5, 0), QPointF(x, 7)]))


def _paint_header(painter: QPainter, content: TimelineContent, colours: Colours, area: QRectF) -> None:
    """Say what the curve is, and that windows are guessed where they are."""
    text = "Spike rate"
    if content.planes == 0:
        text = "No spikes: the windows come from the alignment log"
    elif content.progress is not None:
        text = f"Counting spikes … {content.progress:.0%}"
    elif content.curve is not None:
        text = f"Spike rate · peak {content.curve.peak:.3f} a pixel and plane"
        if content.curve.peak <= 0:
            text = "Not one spike in this recording"
    metrics = QFontMetricsF(painter.font())
    ground = QRectF(area.left() - 2, area.top(), metrics.horizontalAdvance(text) + 6, area.height())
    painter.fillRect(ground, QColor(colours.panel))
    painter.setPen(QColor(colours.muted))
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    if content.guess:
        text = "Windows are a guess"
        width = metrics.horizontalAdvance(text) + 16
        box = QRectF(area.right() - width, area.top(), width, area.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(colours.warning, colours.panel, 0.8))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(colours.warning))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_nothing(painter: QPainter, colours: Colours, area: QRectF) -> None:
    """Say what is missing."""
    painter.setPen(QColor(colours.muted))
    text = "This sequence has no spikes. File ▸ Add spikes… takes its recording."
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
