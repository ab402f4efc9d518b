"""How a sequence looks in the tree of a data set: a thumbnail, its name, what it has and what it lacks."""

from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.state.opening.data_set import DataSet
from app.state.opening.sequence_facts import SequenceFacts
from app.ui.data_set.data_set_model import PATH, AnyIndex, describe, planes_of
from app.ui.parts.icons import icon
from app.ui.parts.theme import Theme, mixed

THUMBNAIL = QSize(80, 50)
PAD_PX = 6


class DataSetDelegate(QStyledItemDelegate):
    """Paints folders as one line and sequences as three."""

    def __init__(self, data_set: DataSet, theme: Theme) -> None:
        super().__init__(data_set)
        self._data_set = data_set
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        line = QFontMetrics(option.font).height()
        if index.data(PATH) is None:
            return QSize(120, line + 10)
        return QSize(120, max(3 * line, THUMBNAIL.height()) + 2 * PAD_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        path: Path | None = index.data(PATH)
        rect: QRect = option.rect
        colours = self._theme.colours
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            chosen = bool(option.state & QStyle.StateFlag.State_Selected)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(mixed(colours.panel, colours.accent, 0.28 if chosen else 0.1))
            painter.drawRoundedRect(QRectF(rect.adjusted(0, 1, -4, -1)), 6, 6)
        if path is None:
            painter.setPen(QColor(colours.text))
            metrics = painter.fontMetrics()
            shown = metrics.elidedText(
                str(index.data()), Qt.TextElideMode.ElideMiddle, rect.width() - 2 * PAD_PX
            )
            painter.drawText(rect.adjusted(PAD_PX, 0, -PAD_PX, 0), int(Qt.AlignmentFlag.AlignVCenter), shown)
        else:
            self._paint_sequence(
                painter,
                rect.adjusted(PAD_PX, PAD_PX, -PAD_PX - 4, -PAD_PX),
                str(index.data()),
                self._data_set.facts(path),
            )
        painter.restore()

    def _paint_sequence(self, painter: QPainter, rect: QRect, name: str, facts: SequenceFacts | None) -> None:
        colours = self._theme.colours
        place = QRect(rect.topLeft(), THUMBNAIL)
        place.moveTop(rect.top() + (rect.height() - THUMBNAIL.height()) // 2)
        self._paint_thumbnail(painter, place, facts)
        text = rect.adjusted(THUMBNAIL.width() + PAD_PX + 2, 0, 0, 0)
        metrics = painter.fontMetrics()
        has, lacks = ("…", "") if facts is None else describe(facts)
        if facts is not None and facts.problem and not facts.needs_geometry:
            self._paint_problem(painter, text, name, facts.problem)
            return
        planes = "" if facts is None else planes_of(facts)
        third = (lacks, colours.warning) if lacks else (planes, colours.muted)
        lines = [(name, colours.text), (has, colours.muted), third]
        top = text.top() + (text.height() - (3 if third[0] else 2) * metrics.height()) // 2
        for number, (line, colour) in enumerate(lines):
            painter.setPen(QColor(colour))
            mode = Qt.TextElideMode.ElideMiddle if number == 0 else Qt.TextElideMode.ElideRight
            shown = metrics.elidedText(line, mode, text.width())
            painter.drawText(text.left(), top + metrics.ascent() + number * metrics.height(), shown)

    def _paint_problem(self, painter: QPainter, place: QRect, name: str, problem: str) -> None:
        """Two lines say what is wrong; the tip has the rest."""
        colours, metrics = self._theme.colours, painter.fontMetrics()
        line = metrics.height()
        painter.setPen(QColor(colours.text))
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, place.width())
        painter.drawText(place.left(), place.top() + metrics.ascent(), shown)
        painter.setPen(QColor(colours.error))
        shown = metrics.elidedText(problem, Qt.TextElideMode.ElideRight, int(1.7 * place.width()))
        below = QRect(place.left(), place.top() + line, place.width(), 2 * line + 2)
        painter.drawText(below, int(Qt.TextFlag.TextWordWrap), shown)

    def _paint_thumbnail(self, painter: QPainter, place: QRect, facts: SequenceFacts | None) -> None:
        colours = self._theme.colours
        path = QPainterPath()
        path.addRoundedRect(QRectF(place), 3, 3)
        painter.fillPath(path, QColor(colours.canvas))
        if facts is None or facts.thumbnail is None:
            if facts is not None and facts.problem:
                colour = colours.warning if facts.needs_geometry else colours.error
                sign = QRect(0, 0, 22, 22)
                sign.moveCenter(place.center())
                icon("warning" if facts.needs_geometry else "error", colour, colour).paint(painter, sign)
            return
        height, width = facts.thumbnail.shape[:2]
        image = QImage(facts.thumbnail.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        scale = min(place.width() / width, place.height() / height)
        shown = QRectF(0, 0, width * scale, height * scale)
        shown.moveCenter(QRectF(place).center())
        painter.setClipPath(path)
        painter.drawImage(shown, image)
        painter.setClipping(False)
