"""While files are dragged over the window: a frame that says they can be dropped here."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.parts.theme import Theme, faded

FRAME_PX = 10


class DropHint(QWidget):
    """Lies over a part of a window and listens to what is dragged over the whole of it."""

    def __init__(self, window: QWidget, over: QWidget, theme: Theme) -> None:
        super().__init__(over)
        self._window = window
        self._over = over
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window:
            match event.type():
                case QEvent.Type.DragEnter if isinstance(event, QDragEnterEvent):
                    if any(url.isLocalFile() for url in event.mimeData().urls()):
                        self.setGeometry(self._over.rect())
                        self.raise_()
                        self.show()
                case QEvent.Type.DragLeave | QEvent.Type.Drop:
                    self.hide()
        return False

    def paintEvent(self, _: QPaintEvent) -> None:
        colours = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), faded(colours.window, 0.7))
        frame = QRectF(self.rect()).adjusted(FRAME_PX, FRAME_PX, -FRAME_PX, -FRAME_PX)
        painter.setPen(QPen(QColor(colours.accent), 3))
        painter.setBrush(faded(colours.accent, 0.1))
        painter.drawRoundedRect(frame, 12, 12)
        font = painter.font()
        font.setPointSizeF(17)
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, self.tr("Drop to open"))
