"""What the window shows without a sequence: what to do, and buttons that do it."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme

FRAME_PX = 18


class EmptyPage(QWidget):
    """A place to drop things on. While something is being opened it says so."""

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 30, 40, 30)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self._picture)
        layout.addWidget(self.heading)
        layout.addWidget(self.text)
        layout.addSpacing(6)
        layout.addWidget(self._buttons)
        layout.addWidget(self.progress, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        theme.changed.connect(self._on_theme)
        self._on_theme()
        self.show_opening(None)

    def show_opening(self, name: str | None) -> None:
        """Say that `name` is being opened, or with None what can be opened."""
        self.progress.setVisible(name is not None)
        self._buttons.setVisible(name is None)
        if name is not None:
            self.heading.setText("Opening …")
            self.text.setText(name)
            return
        self.heading.setText("Drop a blurry sequence and its spikes here")
        self.text.setText(
            "A folder of frames with its spike recording, a video, or a recording alone (.dat, .npz, .npy)."
        )

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
