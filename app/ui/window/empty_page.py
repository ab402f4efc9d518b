"""What the window shows without a sequence: what to do, and buttons that do it."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.state.opening.recent import name_of, place_of
from app.ui.parts.elided_label import ElidedLabel
from app.ui.parts.icons import icon
from app.ui.parts.theme import Theme
from engine.source import SequenceSource

FRAME_PX = 18
MARGIN_PX = 22
RECENT_PX = 560
MOST_RECENT = 6
OTHERS_PX = 330
"""Height of everything on the page but the recent sources."""


class RecentRow(QPushButton):
    """One source: its name, and where it lies."""

    HEIGHT_PX = 28

    def __init__(self, source: SequenceSource, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "row")
        self.setFixedHeight(self.HEIGHT_PX)
        self.setToolTip(source.path)
        self.setAccessibleName(self.tr("Open {path}").format(path=source.path))
        name = ElidedLabel(name_of(source))
        place = ElidedLabel(place_of(source), mode=Qt.TextElideMode.ElideMiddle)
        place.setProperty("role", "muted")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(16)
        layout.addWidget(name, 2)
        layout.addWidget(place, 3)
        for label in (name, place):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class EmptyPage(QWidget):
    """A place to drop things on. While something is being opened it says so."""

    recent_chosen = Signal(object)
    """A SequenceSource that was open before."""

    def __init__(self, theme: Theme, actions: tuple[QAction, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.heading = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.heading.setProperty("role", "heading")
        self.heading.setWordWrap(True)
        self.text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.text.setProperty("role", "muted")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setRange(0, 0)
        self.progress.setFixedWidth(240)
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setSpacing(10)
        row.addStretch(1)
        for number, action in enumerate(actions):
            button = QPushButton(action.text())
            button.setProperty("primary", number == 0)
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
            row.addWidget(button)
        row.addStretch(1)
        self._recent = QWidget()
        self._recent_column = QVBoxLayout(self._recent)
        self._recent_column.setContentsMargins(0, 0, 0, 0)
        self._recent_column.setSpacing(1)
        self._recent_rows: list[RecentRow] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(FRAME_PX + MARGIN_PX, 30, FRAME_PX + MARGIN_PX, 30)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self._picture)
        layout.addWidget(self.heading)
        layout.addWidget(self.text)
        layout.addSpacing(6)
        layout.addWidget(self._buttons)
        layout.addWidget(self.progress, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(8)
        layout.addWidget(self._recent, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        theme.changed.connect(self._on_theme)
        self._on_theme()
        self.show_opening(None)

    def show_opening(self, name: str | None) -> None:
        """Say that `name` is being opened, or with None what can be opened."""
        self.progress.setVisible(name is not None)
        self._buttons.setVisible(name is None)
        self._recent.setVisible(name is None)
        if name is not None:
            self.heading.setText(self.tr("Opening …"))
            self.text.setText(name)
            return
        self.heading.setText(self.tr("Drop a blurry sequence and its spikes here"))
        self.text.setText(
            self.tr(
                "A folder of frames with its spike recording, a video, "
                "or a recording alone (.dat, .npz, .npy)."
            )
        )

    def show_recent(self, sources: Sequence[SequenceSource]) -> None:
        """Offer what was open before, as much of it as there is room for."""
        for row in self._recent_rows:
            self._recent_column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._recent_rows = []
        for source in sources[:MOST_RECENT]:
            row = RecentRow(source, self._recent)
            row.clicked.connect(lambda _=False, source=source: self.recent_chosen.emit(source))
            self._recent_column.addWidget(row)
            self._recent_rows.append(row)
        self._show_what_fits()

    def resizeEvent(self, _: QResizeEvent) -> None:
        self._show_what_fits()

    def _show_what_fits(self) -> None:
        self._recent.setFixedWidth(min(RECENT_PX, self.width() - 2 * (FRAME_PX + MARGIN_PX)))
        room = (self.height() - OTHERS_PX) // (RecentRow.HEIGHT_PX + 1)
        for number, row in enumerate(self._recent_rows):
            row.setVisible(number < room)

    def _on_theme(self) -> None:
        colours = self._theme.colours
        self._picture.setPixmap(icon("spikes", colours.rate, colours.rate).pixmap(QSize(64, 64)))
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.colours.border), 2, Qt.PenStyle.DashLine))
        frame = self.rect().adjusted(FRAME_PX, FRAME_PX, -FRAME_PX, -FRAME_PX)
        painter.drawRoundedRect(frame, 12, 12)
