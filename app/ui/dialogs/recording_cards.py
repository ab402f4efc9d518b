"""Candidates of a recording side by side: a picture each, its size, and what is left over."""

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.state.opening.recording_choice import Card, RecordingChoice
from app.ui.parts.theme import Theme, mixed
from app.ui.parts.wording import format_count

translate = QCoreApplication.translate

CARD = Qt.ItemDataRole.UserRole + 1
PICTURE_PX = QSize(190, 124)
PAD_PX = 8
GAP_PX = 8

AnyIndex = QModelIndex | QPersistentModelIndex


class CardModel(QAbstractListModel):
    """The cards of a `RecordingChoice`."""

    def __init__(self, choice: RecordingChoice) -> None:
        super().__init__(choice)
        self._choice = choice
        choice.looked.connect(self._reset)
        choice.card_changed.connect(lambda row: self.dataChanged.emit(self.index(row), self.index(row)))

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._choice.cards)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._choice.cards):
            return None
        card = self._choice.cards[index.row()]
        match role:
            case r if r == CARD:
                return card
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return f"{card.size}, {describe(card)}"
            case Qt.ItemDataRole.ToolTipRole:
                return card.problem or tip(card)
        return None

    def _reset(self) -> None:
        self.beginResetModel()
        self.endResetModel()


class CardDelegate(QStyledItemDelegate):
    """Paints a card; its picture stands as the recording is said to stand."""

    def __init__(self, choice: RecordingChoice, theme: Theme) -> None:
        super().__init__(choice)
        self._choice = choice
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, _: AnyIndex) -> QSize:
        lines = 3 * QFontMetrics(option.font).height()
        return QSize(PICTURE_PX.width() + 2 * PAD_PX, PICTURE_PX.height() + lines + 3 * PAD_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        card: Card = index.data(CARD)
        colours = self._theme.colours
        rect: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        fill = mixed(colours.panel, colours.accent, 0.2 if selected else 0.08 if hovered else 0.0)
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(colours.accent if selected else colours.border), 2 if selected else 1))
        painter.drawRoundedRect(QRectF(rect).adjusted(1.5, 1.5, -1.5, -1.5), 8, 8)
        place = QRect(rect.topLeft(), PICTURE_PX).translated(PAD_PX, PAD_PX)
        self._paint_picture(painter, place, card)
        self._paint_lines(painter, rect.adjusted(PAD_PX, PICTURE_PX.height() + 2 * PAD_PX, -PAD_PX, 0), card)
        painter.restore()

    def _paint_picture(self, painter: QPainter, place: QRect, card: Card) -> None:
        colours = self._theme.colours
        path = QPainterPath()
        path.addRoundedRect(QRectF(place), 4, 4)
        painter.fillPath(path, QColor(colours.canvas))
        if card.painted is None:
            painter.setPen(QColor(colours.error if card.problem else colours.muted))
            text = card.problem or "…"
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(place.adjusted(6, 4, -6, -4), int(flags), text)
            return
        grey = card.painted.picture
        height, width = grey.shape
        image = QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8)
        if not self._choice.shown_flip:
            image = image.flipped(Qt.Orientation.Vertical) if hasattr(image, "flipped") else image.mirrored()
        scale = min(place.width() / width, place.height() / height)
        shown = QRectF(0, 0, width * scale, height * scale)
        shown.moveCenter(QRectF(place).center())
        painter.setClipPath(path)
        painter.drawImage(shown, image)
        painter.setClipping(False)

    def _paint_lines(self, painter: QPainter, place: QRect, card: Card) -> None:
        colours = self._theme.colours
        metrics = painter.fontMetrics()
        bold = painter.font()
        bold.setWeight(bold.Weight.DemiBold)
        plain = painter.font()
        rest = bool(card.remainder_bytes)
        lines = (
            (f"{card.size}", bold, colours.text),
            (describe(card), plain, colours.warning if rest else colours.muted),
            (reason_of(card) + _score(card), plain, colours.muted),
        )
        for number, (text, font, colour) in enumerate(lines):
            painter.setFont(font)
            painter.setPen(QColor(colour))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place.left(), place.top() + metrics.ascent() + number * metrics.height(), shown)


class CardList(QListView):
    """The cards, as many in a row as there is room for. Click or arrow keys choose."""

    def __init__(self, choice: RecordingChoice, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self.setModel(CardModel(choice))
        self.setItemDelegate(CardDelegate(choice, theme))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSpacing(GAP_PX // 2)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Ways to read the recording"))
        self.selectionModel().currentChanged.connect(self._on_current)
        choice.chosen_changed.connect(self._show_chosen)
        choice.looked.connect(self._show_chosen)

    def _on_current(self, index: QModelIndex, _: QModelIndex) -> None:
        if index.isValid():
            self._choice.choose(index.row())

    def _show_chosen(self) -> None:
        row = self._choice.chosen
        if row is not None and row != self.currentIndex().row():
            with QSignalBlocker(self.selectionModel()):
                index = self.model().index(row, 0)
                self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(self.model().index(row, 0))
        self.viewport().update()


def reason_of(card: Card) -> str:
    """Say why a size is among the candidates."""
    return {
        "file": translate("Recording", "the file says so"),
        "bits": translate("Recording", "as the bits look"),
        "usual": translate("Recording", "a usual size"),
        "usual-cut": translate("Recording", "a usual size, cut"),
        "typed": translate("Recording", "as typed"),
    }[card.reason]


def describe(card: Card) -> str:
    """Say how many planes a card has and what is left over."""
    if card.planes == 0:
        return translate("Recording", "no whole plane") if card.problem else "…"
    if card.planes == 1:
        text = translate("Recording", "1 plane")
    else:
        text = translate("Recording", "{count} planes").format(count=format_count(card.planes))
    return f"{text} + {format_count(card.remainder_bytes)} B" if card.remainder_bytes else text


def tip(card: Card) -> str:
    """Explain a card."""
    rows = translate("Recording", "{height} rows of {width} pixels, {planes}")
    lines = [rows.format(height=card.size.height, width=card.size.width, planes=describe(card))]
    if card.remainder_bytes:
        lines.append(
            translate("Recording", "Bytes are left over: the file is cut short, or this is not its size")
        )
    if card.score > 0:
        lines.append(
            translate("Recording", "The score is about 1 where rows are as alike as neighbouring pixels are")
        )
    return "\n".join(lines)


def _score(card: Card) -> str:
    return (
        translate("Recording", " · score {score}").format(score=f"{card.score:.2f}") if card.score > 0 else ""
    )
