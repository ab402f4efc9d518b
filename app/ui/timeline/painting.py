"""How the timeline looks: pure functions from what is shown to strokes of a painter."""

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPixmap, QPolygonF

from app.ui.parts.theme import Colours, faded, mixed
from app.ui.timeline.bars import paint_bars, paint_bins, paint_current_bar, paint_joints
from app.ui.timeline.content import GUTTER_PX, Rows, TimelineContent, rows_of
from app.ui.timeline.curve_picture import curve_pixels
from app.ui.timeline.plane_scale import PlaneScale, format_time

TICK_GAP_PX = 78


class StillLayer:
    """What stays as it is from frame to frame: axis, curve and bars, painted once until they change."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._picture = QPixmap()

    def paint(
        self,
        painter: QPainter,
        content: TimelineContent,
        scale: PlaneScale,
        colours: Colours,
        size: tuple[int, int],
        rows: Rows,
    ) -> None:
        ratio = painter.device().devicePixelRatioF()
        marks = (content.restored, content.stale, content.edited, content.guess, content.rate_hz)
        alike = (scale, size, ratio, rows, painter.font(), *marks)
        same = (content.windows, content.lanes, content.curve, colours)
        key = (*same, *alike)
        if not self._is(key, len(same)):
            self._picture = QPixmap(round(size[0] * ratio), round(size[1] * ratio))
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            inner = QPainter(self._picture)
            inner.setRenderHints(painter.renderHints())
            inner.setFont(painter.font())
            _paint_axis(inner, content, scale, colours, rows, size[0])
            _paint_curve(inner, content, scale, colours, rows)
            paint_bars(inner, content, scale, colours, rows)
            paint_joints(inner, content, scale, colours, rows)
            inner.end()
            self._key = key
        painter.drawPixmap(0, 0, self._picture)

    def _is(self, key: tuple[object, ...], same: int) -> bool:
        """Whether this was painted: its first parts must be the very same objects, the others alike."""
        if len(key) != len(self._key):
            return False
        identical = all(one is other for one, other in zip(key[:same], self._key[:same], strict=True))
        return identical and key[same:] == self._key[same:]


def paint_timeline(
    painter: QPainter,
    content: TimelineContent,
    scale: PlaneScale,
    colours: Colours,
    size: tuple[int, int],
    still: StillLayer,
) -> None:
    """Paint the whole timeline into `size` (width, height) with the painter's font."""
    width, height = size
    rows = rows_of(content, QFontMetricsF(painter.font()).height(), width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # smooth edges of a tint take long
    _paint_bands(painter, content, scale, colours, rows)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    still.paint(painter, content, scale, colours, size, rows)
    paint_current_bar(painter, content, scale, colours, rows)
    paint_bins(painter, content, scale, rows)
    _paint_playhead(painter, content, scale, colours, rows)
    _paint_header(painter, content, colours, QRectF(GUTTER_PX, 3, width - 2 * GUTTER_PX, rows.line + 3))


def _paint_bands(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: Rows
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
    if (window := content.current_window) is not None:
        band(window.start, window.stop, faded(colours.current, 0.16))
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
    rows: Rows,
    width: int,
) -> None:
    """Label round plane numbers, and below them the time where the rate is known."""
    line_pen = QPen(QColor(colours.border), 1)
    painter.setPen(line_pen)
    painter.drawLine(QPointF(GUTTER_PX, rows.axis_y), QPointF(width - GUTTER_PX, rows.axis_y))
    unit = QCoreApplication.translate("Timeline", " planes")
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
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: Rows
) -> None:
    ratio = painter.device().devicePixelRatioF()
    columns, height = round(rows.curve.width() * ratio), round(rows.curve.height() * ratio)
    if content.curve is None or columns < 2 or height < 8 * ratio:
        return
    pixels = curve_pixels(content.curve, (scale.start, scale.stop), columns, height, ratio, colours.rate)
    image = QImage(pixels.data, columns, height, columns * 4, QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(rows.curve, image)


def _paint_playhead(
    painter: QPainter, content: TimelineContent, scale: PlaneScale, colours: Colours, rows: Rows
) -> None:
    window = content.current_window
    if window is None:
        return
    x = scale.x(window.centre)
    painter.setPen(QPen(QColor(colours.current), 1.4))
    painter.drawLine(QPointF(x, 0), QPointF(x, rows.bars_y - 2))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.current))
    painter.drawPolygon(QPolygonF([QPointF(x - 5, 0), QPointF(x + 5, 0), QPointF(x, 7)]))


def _paint_header(painter: QPainter, content: TimelineContent, colours: Colours, area: QRectF) -> None:
    """Say what the curve is, and that windows are guessed where they are."""
    text = QCoreApplication.translate("Timeline", "Spike rate")
    if content.planes == 0:
        text = QCoreApplication.translate("Timeline", "No spikes: the windows come from the alignment log")
    elif content.progress is not None:
        text = QCoreApplication.translate("Timeline", "Counting spikes … {share}").format(
            share=f"{content.progress:.0%}"
        )
    elif content.curve is not None:
        text = QCoreApplication.translate("Timeline", "Spike rate · peak {peak} a pixel and plane").format(
            peak=f"{content.curve.peak:.3f}"
        )
        if content.curve.peak <= 0:
            text = QCoreApplication.translate("Timeline", "Not one spike in this recording")
    metrics = QFontMetricsF(painter.font())
    ground = QRectF(area.left() - 2, area.top(), metrics.horizontalAdvance(text) + 6, area.height())
    painter.fillRect(ground, QColor(colours.panel))
    painter.setPen(QColor(colours.muted))
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    if content.guess:
        text = QCoreApplication.translate("Timeline", "Windows are a guess")
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
    text = QCoreApplication.translate(
        "Timeline", "This sequence has no spikes. File ▸ Add spikes… takes its recording."
    )
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
