"""Small windows of text: notes on the sequence, about."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

LIBRARIES = ("PySide6-Essentials", "pyqtgraph", "numpy", "opencv-python")


class Page(QDialog):
    """A window with scrolling text and a Close button."""

    def __init__(self, title: str, body: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        area = QScrollArea()
        area.setWidget(body)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.addWidget(area)
        layout.addWidget(buttons)
        hint = body.sizeHint()
        self.resize(min(640, hint.width() + 70), min(560, hint.height() + 90))


def findings_page(parent: QWidget, name: str, facts: Sequence[str], findings: Sequence[str]) -> Page:
    """Say what is known about a sequence and what is odd about its files."""
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setSpacing(6)
    layout.addWidget(_line(name, "title"))
    for fact in facts:
        layout.addWidget(_line(fact, ""))
    layout.addSpacing(8)
    layout.addWidget(_line("Worth knowing", "title"))
    for finding in findings or ("Nothing odd was found in its files.",):
        layout.addWidget(_line(f"• {finding}" if findings else finding, ""))
    layout.addStretch(1)
    page = Page("Notes on this sequence", body, parent)
    page.resize(560, 360)
    return page


def about_page(parent: QWidget) -> Page:
    """Name the program, its version, licence and libraries."""
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setSpacing(6)
    layout.addWidget(_line(f"Spike Deblur Studio {_version('spike-deblur-studio')}", "title"))
    layout.addWidget(
        _line(
            "Shows what a spike camera saw inside every blurry exposure, and deblurs the video with it.", ""
        )
    )
    layout.addWidget(_line("Apache License 2.0", ""))
    layout.addSpacing(8)
    libraries = [f"{name} {_version(name)}" for name in LIBRARIES]
    layout.addWidget(_line(f"Python {platform.python_version()} · Qt {qVersion()}", "muted"))
    layout.addWidget(_line(" · ".join(libraries), "muted"))
    layout.addStretch(1)
    page = Page("About Spike Deblur Studio", body, parent)
    page.resize(460, 240)
    return page


def _line(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setProperty("role", role)
    return label


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
