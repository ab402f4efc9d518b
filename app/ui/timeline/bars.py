"""How the exposures look on the timeline: bars, voxel bins, and where neighbours overlap or are apart."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontInfo, QFontMetricsF, QPainter, QPen

from app.ui.parts.theme import Colours, faded
from app.ui.timeline.content import BAR_GAP_PX, Rows, TimelineContent, rows_of
from app.ui.timeline.plane_scale import PlaneScale

THIN_PX = 4.0
"""Bars less wide than this are plain and painted all at once: a step to another frame paints thousands."""
ROUNDED_PX = 10.0
"""Round corners of bars less wide than this cannot be seen, and cost most of their painting."""
DARK_INK = "#1b1f24"
"""On the current window, which is bright in both themes."""


def bar_box(
    content: TimelineContent, scale: PlaneScale, line: float, size: tuple[int, int], frame: int
) -> QRectF:
    """Return where the bar of a frame's window is painted; `line` is the height of a line of text."""
    return _bar_place(content, scale, rows_of(content, line, *size), frame)


def _bar_place(content: TimelineContent, scale: PlaneScale, rows: Rows, frame: int) -> QRectF:
    left, right = scale.x(content.windows[frame, 0]), scale.x(content.windows[frame, 1])
    top = rows.bars_y + content.lanes[frame] * (rows.bar_px + BAR_GAP_PX)
    return QRectF(left, top, right - left, rows.bar_px)


def paint_bars(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: Rows
) -> None:
    """Draw the windows in view as if none were current; those narrower than a pixel only one a pixel."""
    starts, stops = content.windows[:, 0], content.windows[:, 1]
    seen = np.flatnonzero((stops > scale.start) & (starts < scale.stop))
    if len(seen) > 2 * scale.width_px:
        columns = np.floor((starts[seen] - scale.start) * scale.px_per_plane)
        seen = seen[np.unique(columns, return_index=True)[1]]
    painter.save()
    painter.setFont(_bar_font(painter, rows))
    thin = (stops - starts)[seen] * scale.px_per_plane < THIN_PX
    _paint_thin_bars(painter, content, scale, colours, rows, seen[thin])
    metrics = QFontMetricsF(painter.font())
    for frame in seen[~thin].tolist():
        place = _bar_place(content, scale, rows, frame)
        _paint_bar(painter, content, colours, place, frame, metrics, is_current=False)
    painter.restore()


def paint_current_bar(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: Rows
) -> None:
    """Draw the current frame's window over the one that is there."""
    window = content.current_window
    if window is None or window.stop <= scale.start or window.start >= scale.stop:
        return
    painter.save()
    painter.setFont(_bar_font(painter, rows))
    place = _bar_place(content, scale, rows, content.current)
    if content.guess:  # what is drawn over another must not show it through
        painter.fillRect(place.adjusted(-1, -1, 1, 1), QColor(colours.panel))
    metrics = QFontMetricsF(painter.font())
    _paint_bar(painter, content, colours, place, content.current, metrics, is_current=True)
    painter.restore()


def _bar_font(painter: QPainter, rows: Rows) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(max(6, min(round(rows.bar_px) - 3, QFontInfo(font).pixelSize())))
    return font


def _paint_thin_bars(
    painter: QPainter,
    content: TimelineContent,
    scale: PlaneScale,
    colours: Colours,
    rows: Rows,
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


def _paint_bar(
    painter: QPainter,
    content: TimelineContent,
    colours: Colours,
    place: QRectF,
    frame: int,
    metrics: QFontMetricsF,
    *,
    is_current: bool,
) -> None:
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
    if box.width() < ROUNDED_PX:
        painter.drawRect(box)
    else:
        painter.drawRoundedRect(box, radius, radius)
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


def _stale_brush(colours: Colours) -> QBrush:
    return QBrush(QColor(colours.stale), Qt.BrushStyle.Dense4Pattern)


def paint_joints(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: Rows
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


def paint_bins(painter: QPainter, content: TimelineContent, scale: PlaneScale, rows: Rows) -> None:
    """Mark the voxel bins inside the current window, where there is room."""
    if content.current_window is None or content.planes == 0:
        return
    box = _bar_place(content, scale, rows, content.current)
    step = box.width() / content.bins
    if step < 3:
        return
    number_px = QFontMetricsF(painter.font()).horizontalAdvance(str(content.current + 1))
    painter.setPen(QPen(faded(DARK_INK, 0.35), 1))
    for index in range(1, content.bins):
        x = box.left() + index * step
        is_free = abs(x - box.center().x()) > number_px / 2 + 2
        if is_free and scale.left_px <= x <= scale.left_px + scale.width_px:
            painter.drawLine(QPointF(x, box.top() + 1), QPointF(x, box.bottom() - 1))
