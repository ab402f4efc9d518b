"""How a job looks in the queue: an icon for its state, two lines, and a bar while it is not over."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.state.jobs.job import JobState, JobStatus
from app.ui.jobs.queue_model import STATUS, AnyIndex, details, title
from app.ui.parts.icons import icon
from app.ui.parts.theme import Colours, Theme, mixed

ICONS = {
    JobState.QUEUED: "waiting",
    JobState.STARTING: "running",
    JobState.RUNNING: "running",
    JobState.PAUSED: "pause",
    JobState.CANCELLING: "cancel",
    JobState.FINISHED: "done",
    JobState.CANCELLED: "cancel",
    JobState.FAILED: "error",
}
ICON_PX = 18
PAD_PX = 8
BAR_PX = 3


class QueueDelegate(QStyledItemDelegate):
    """Paints rows of a `QueueModel`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, _: AnyIndex) -> QSize:
        line = QFontMetrics(option.font).height()
        return QSize(160, 2 * line + BAR_PX + 2 * PAD_PX + 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        status = index.data(STATUS)
        colours = self._theme.colours
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(mixed(colours.panel, colours.accent, 0.28))
            painter.drawRoundedRect(QRectF(rect.adjusted(3, 1, -3, -1)), 6, 6)
        self._paint_row(painter, rect.adjusted(PAD_PX + 2, PAD_PX, -PAD_PX - 2, -PAD_PX), status, colours)
        painter.restore()

    def _paint_row(self, painter: QPainter, rect: QRect, status: JobStatus, colours: Colours) -> None:
        line = painter.fontMetrics().height()
        colour = _colour(status.state, colours)
        icon(ICONS[status.state], colour, colour).paint(
            painter, QRect(rect.left(), rect.top(), ICON_PX, line)
        )
        text = rect.adjusted(ICON_PX + 7, 0, 0, 0)
        over = status.state.is_over and status.state is not JobState.FAILED
        painter.setPen(QColor(colours.muted if over else colours.text))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(title(status), Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(text.left(), text.top() + metrics.ascent(), shown)
        painter.setPen(QColor(_details_colour(status, colours)))
        shown = metrics.elidedText(details(status), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text.left(), text.top() + line + metrics.ascent() + 1, shown)
        if not status.state.is_over:
            bar = QRectF(text.left(), rect.bottom() - BAR_PX + 1, text.width(), BAR_PX)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.border))
            painter.drawRoundedRect(bar, BAR_PX / 2, BAR_PX / 2)
            bar.setWidth(bar.width() * status.fraction)
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(bar, BAR_PX / 2, BAR_PX / 2)


def _details_colour(status: JobStatus, colours: Colours) -> str:
    if status.state is JobState.FAILED:
        return colours.error
    return colours.warning if status.unchanged else colours.muted


def _colour(state: JobState, colours: Colours) -> str:
    match state:
        case JobState.FAILED:
            return colours.error
        case JobState.FINISHED:
            return colours.restored
        case JobState.PAUSED | JobState.CANCELLING:
            return colours.warning
        case JobState.STARTING | JobState.RUNNING:
            return colours.accent
        case JobState.QUEUED | JobState.CANCELLED:
            return colours.muted
