"""Messages in place: the newest notice over the pictures, the others one click away.

The banner lies over what is below it and takes no room, so that a message never moves the pictures.
"""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.state.notices import Notice, Notices
from app.ui.parts.icons import icon
from app.ui.parts.theme import Theme, mixed

INFORMATION_MS = 8000
"""Good news leaves by itself."""
MARGIN_PX = 8


class Banner(QFrame):
    """Shows one notice at a time: what, where, what to do, and buttons to see the others and to dismiss."""

    def __init__(self, notices: Notices, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("banner")
        self._over = over
        self._notices = notices
        self._theme = theme
        self._shown: Notice | None = None
        self._icon = QLabel()
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setProperty("role", "title")
        self.text = QLabel()
        self.text.setWordWrap(True)
        for label in (self.title, self.text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.act = QPushButton()
        self.act.clicked.connect(self._do)
        self.others = QPushButton()
        self.others.clicked.connect(self._show_next)
        self.dismiss = QToolButton()
        self.dismiss.setToolTip(self.tr("Dismiss this message"))
        self.dismiss.setAccessibleName(self.tr("Dismiss this message"))
        self.dismiss.clicked.connect(self._dismiss)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(self.title)
        lines.addWidget(self.text)
        self._row = layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(lines, 1)
        layout.addWidget(self.act, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.others, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self._leave = QTimer(self, interval=INFORMATION_MS, singleShot=True)
        self._leave.timeout.connect(self._dismiss)
        over.installEventFilter(self)
        notices.changed.connect(self._on_change)
        theme.changed.connect(self._paint)
        self._on_change()

    def _on_change(self) -> None:
        known = list(self._notices)
        self._show(known[-1] if known else None)

    def _show(self, notice: Notice | None) -> None:
        self._shown = notice
        self._leave.stop()
        self.setVisible(notice is not None)
        if notice is None:
            return
        if notice.severity == "information" and not notice.stays:
            self._leave.start()
        times = f"  (× {notice.count})" if notice.count > 1 else ""
        self.title.setText(notice.title + times)
        text = "\n".join(part for part in (notice.where, notice.facts, notice.advice) if part)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.setToolTip(notice.details[-1500:])
        self.act.setText(notice.action)
        self.act.setVisible(bool(notice.action))
        self.others.setVisible(len(self._notices) > 1)
        self.others.setText(self.tr("{count} more").format(count=len(self._notices) - 1))
        self._paint()
        self._place()

    def _place(self) -> None:
        """Lie along the top of the widget below, as high as the text needs."""
        width = self._over.width() - 2 * MARGIN_PX
        self.setGeometry(MARGIN_PX, MARGIN_PX, width, self._row.totalHeightForWidth(width))
        self.raise_()

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded):
            self._place()
        return False

    def _show_next(self) -> None:
        known = list(self._notices)
        if self._shown in known and len(known) > 1:
            self._show(known[known.index(self._shown) - 1])

    def _do(self) -> None:
        shown = self._shown
        if shown is not None and shown.act is not None:
            self._notices.dismiss(shown.number)
            shown.act()

    def _dismiss(self) -> None:
        if self._shown is not None:
            self._notices.dismiss(self._shown.number)

    def _paint(self) -> None:
        if self._shown is None:
            return
        colours = self._theme.colours
        colour = getattr(colours, self._shown.severity)
        ground = mixed(colour, colours.panel, 0.86).name()
        self.setStyleSheet(
            f"#banner {{ background: {ground}; border: 1px solid {colour}; border-radius: 8px; }}"
        )
        self._icon.setPixmap(icon(self._shown.severity, colour, colour).pixmap(QSize(20, 20)))
        self.dismiss.setIcon(icon("close", colours.text, colours.muted))
        self.dismiss.setIconSize(QSize(14, 14))
        self.text.setStyleSheet(f"color: {QColor(colours.text).name()};")
