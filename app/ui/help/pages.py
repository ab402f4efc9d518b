"""Small windows of text: notes on the sequence, about."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.findings import Finding

if TYPE_CHECKING:
    from engine.sequence import Sequence as SequenceType

translate = QCoreApplication.translate

FINDINGS_WIDTH_PX = 600
MOST_HEIGHT_PX = 560
LINE_GAP_PX = 6
REMEDY_GAP_PX = 2
FINDING_GAP_PX = 12
"""A remedy stands nearer to its finding than to the next one."""
LIBRARIES = ("PySide6-Essentials", "pyqtgraph", "numpy", "opencv-python")


class Page(QDialog):
    """A window with scrolling text and a Close button."""

    def __init__(self, title: str, body: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._body = body
        self._area = area = QScrollArea()
        area.setWidget(body)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self._rows = layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.addWidget(area)
        layout.addWidget(buttons)
        hint = body.sizeHint()
        self.resize(min(640, hint.width() + 70), min(MOST_HEIGHT_PX, hint.height() + 90))

    def fit(self, width_px: int) -> None:
        """Take a width, and the height that shows all of the text as far as that is not too high."""
        margins = self._rows.contentsMargins()
        beside = margins.left() + margins.right() + self._area.verticalScrollBar().sizeHint().width()
        above_and_below = self.sizeHint().height() - self._area.sizeHint().height()
        self._body.ensurePolished()
        height = self._body.heightForWidth(width_px - beside) + above_and_below
        self.resize(width_px, min(MOST_HEIGHT_PX, height))


def findings_page(parent: QWidget, name: str, facts: Sequence[str], findings: Sequence[Finding]) -> Page:
    """Say what is known about a sequence and what is odd about its files."""
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setSpacing(LINE_GAP_PX)
    layout.addWidget(_line(name, "title"))
    for fact in facts:
        layout.addWidget(_line(fact, ""))
    layout.addSpacing(8)
    layout.addWidget(_line(translate("Pages", "Worth knowing"), "title"))
    if findings:
        layout.addLayout(_all_findings(findings))
    else:
        layout.addWidget(_line(translate("Pages", "Nothing odd was found in its files."), ""))
    layout.addStretch(1)
    page = Page(translate("Pages", "Notes on this sequence"), body, parent)
    page.fit(FINDINGS_WIDTH_PX)
    return page


def _all_findings(findings: Sequence[Finding]) -> QVBoxLayout:
    """Every finding with its remedy below it."""
    layout = QVBoxLayout()
    layout.setSpacing(FINDING_GAP_PX)
    for finding in findings:
        pair = QVBoxLayout()
        pair.setSpacing(REMEDY_GAP_PX)
        pair.addWidget(_line(f"{finding}.", ""))
        pair.addWidget(_line(f"{finding.remedy}.", "muted"))
        layout.addLayout(pair)
    return layout


def facts_of_sequence(sequence: "SequenceType") -> list[str]:
    """Return what is known about an open sequence, a line each."""
    if len(sequence) == 1:
        frames = translate("Pages", "1 frame of {size} px, {bits} bit, layout: {layout}")
    else:
        frames = translate("Pages", "{count} frames of {size} px, {bits} bit, layout: {layout}")
    facts = [
        sequence.source.path,
        frames.format(
            count=len(sequence),
            size=sequence.frame_size,
            bits=sequence.bit_depth,
            layout=sequence.layout,
        ),
    ]
    if sequence.recording is not None:
        info = sequence.recording.info
        rate = f"{info.rate_hz:g} Hz" if info.rate_hz else translate("Pages", "rate not known")
        facts.append(
            translate("Pages", "Spikes: {planes} planes of {size} px, {rate}, {format}").format(
                planes=info.planes, size=info.size, rate=rate, format=info.format
            )
        )
        known = {
            "log": translate("Pages", "Alignment windows come from the alignment log"),
            "layout": translate("Pages", "Alignment windows come from the data set"),
            "given": translate("Pages", "Alignment windows come from the user"),
        }
        guess = translate("Pages", "Alignment windows are a guess")
        facts.append(known.get(sequence.windows_source, guess))
    return facts


def about_page(parent: QWidget) -> Page:
    """Name the program, its version, licence and libraries."""
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setSpacing(6)
    layout.addWidget(_line(f"Spike Deblur Studio {_version('spike-deblur-studio')}", "title"))
    layout.addWidget(
        _line(
            translate(
                "Pages",
                "Shows what a spike camera saw inside every blurry exposure, and deblurs the video with it.",
            ),
            "",
        )
    )
    layout.addWidget(_line("Apache License 2.0", ""))
    layout.addSpacing(8)
    libraries = [f"{name} {_version(name)}" for name in LIBRARIES]
    layout.addWidget(_line(f"Python {platform.python_version()} · Qt {qVersion()}", "muted"))
    layout.addWidget(_line(" · ".join(libraries), "muted"))
    layout.addStretch(1)
    page = Page(translate("Pages", "About Spike Deblur Studio"), body, parent)
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
        return translate("Pages", "(not installed)")
