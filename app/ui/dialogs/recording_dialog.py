"""The dialog for what a recording's bytes do not say: its size, which way up it is, how many planes it has.

The three answers stand on top, what they follow from below: candidates with pictures, and fields.
"""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.state.notices import describe as describe_error
from app.state.opening.recording_choice import RecordingChoice
from app.ui.dialogs.recording_cards import CardList
from app.ui.parts.elided_label import ElidedLabel
from app.ui.parts.segments import Segments
from app.ui.parts.theme import Theme
from app.ui.parts.wording import format_count, format_seconds
from engine.geometry import Size
from engine.source import SequenceSource

translate = QCoreApplication.translate

LARGEST_EDGE_PX = 16384
FIELD_PX = 28
FORM_PX = 288
DEFAULT_SIZE = QSize(1010, 660)
MARGINS = QSize(20, 50)
"""Left of the screen for the frame of the dialog's window."""
TYPING_MS = 300
"""How long after a key the typed size is read: 250 is not 2, 25 and 250."""
SLIDER_STEPS = 200


class RecordingDialog(QDialog):
    """Asks how to read a recording; `chosen` carries the completed source."""

    chosen = Signal(object)

    def __init__(
        self,
        source: SequenceSource,
        choice: RecordingChoice,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Recording"))
        self._source = source
        self._theme = theme
        self.choice = choice
        choice.setParent(self)
        name = ElidedLabel(choice.path.name)
        name.setProperty("role", "title")
        self.where = ElidedLabel(str(choice.path.parent), mode=Qt.TextElideMode.ElideMiddle)
        self.where.setProperty("role", "muted")
        self.answers = tuple(
            _Answer(question)
            for question in (self.tr("Geometry"), self.tr("Which way up"), self.tr("Planes"))
        )
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.cards = CardList(choice, theme)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER_STEPS)
        self.slider.setValue(SLIDER_STEPS // 2)
        self.slider.setToolTip(
            self.tr("Which planes the pictures are the mean of, from the first to the last")
        )
        self.slider.setAccessibleName(self.tr("Planes that the pictures show"))
        self.slider.valueChanged.connect(lambda step: choice.go(step / SLIDER_STEPS))
        self._make_fields(source)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.open_button = buttons.button(QDialogButtonBox.StandardButton.Open)
        self._lay_out(name, buttons)
        self._typing = QTimer(self, interval=TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self._take_typed)
        for edge in (self.height_px, self.width_px):
            edge.valueChanged.connect(lambda _: self._typing.start())
        choice.looked.connect(self._show)
        choice.chosen_changed.connect(self._show)
        theme.changed.connect(self._show)
        self.accepted.connect(lambda: self.chosen.emit(self.source()))
        self.finished.connect(lambda _: choice.close())
        room = self.screen().availableSize() - MARGINS
        self.resize(DEFAULT_SIZE.boundedTo(room))
        self._show()

    def source(self) -> SequenceSource:
        """Return the source completed by what was chosen and entered."""
        self._take_typed()
        size = self.choice.said_size
        return replace(
            self._source,
            height=None if size is None else size.height,
            width=None if size is None else size.width,
            rate_hz=self.rate.value() or None,
            flip=self.rows.value,
            msb_first=self.choice.said_msb_first,
            exposure_planes=self.exposure.value() or None,
            stride_planes=self.stride.value() or None,
        )

    # ------------------------------------------------------------------ making it

    def _make_fields(self, source: SequenceSource) -> None:
        self.height_px = _edge(self.tr("Rows of the spike camera, in pixels"))
        self.width_px = _edge(self.tr("Columns of the spike camera, in pixels"))
        self.rate = QDoubleSpinBox(decimals=1, minimum=0.0, maximum=1e7, suffix=" Hz")
        self.rate.setToolTip(self.tr("Planes per second; Vidar cameras record 20 000 or 40 000"))
        self.rate.setValue(source.rate_hz or 0.0)
        self.rate.valueChanged.connect(lambda _: self._show())
        self.rows = Segments(
            self.tr("Rows"),
            (
                (
                    self.tr("Find out"),
                    None,
                    self.tr("As a config.yaml or the frames show it; else bottom row first, as is usual"),
                ),
                (self.tr("Bottom first"), True, self.tr("The bottom row of a plane is stored first")),
                (self.tr("Top first"), False, self.tr("The top row of a plane is stored first")),
            ),
        )
        self.rows.choose(source.flip)
        self.rows.changed.connect(lambda: self.choice.say_flip(self.rows.value))
        self.bits = Segments(
            self.tr("Bits"),
            (
                (
                    self.tr("Find out"),
                    None,
                    self.tr("As the bits look; else lowest bit first, as is usual"),
                ),
                (
                    self.tr("Lowest first"),
                    False,
                    self.tr("The least significant bit of a byte is the first of its eight pixels"),
                ),
                (
                    self.tr("Highest first"),
                    True,
                    self.tr("The most significant bit of a byte is the first of its eight pixels"),
                ),
            ),
        )
        self.bits.choose(source.msb_first)
        self.bits.changed.connect(lambda: self.choice.say_bits(self.bits.value))
        self.exposure = _planes(source.exposure_planes, self.tr("Length of one exposure, in planes"))
        self.stride = _planes(
            source.stride_planes, self.tr("From the start of one exposure to the next, in planes")
        )
        for field in (self.height_px, self.width_px, self.rate, self.exposure, self.stride):
            field.setMinimumHeight(FIELD_PX)

    def _lay_out(self, name: QWidget, buttons: QDialogButtonBox) -> None:
        answers = QHBoxLayout()
        answers.setSpacing(24)
        for answer in self.answers:
            answers.addWidget(answer, 1)
        scrub = QHBoxLayout()
        scrub.addWidget(_muted(self.tr("Pictures from")))
        scrub.addWidget(self.slider, 1)
        left = QVBoxLayout()
        left.addWidget(self.cards, 1)
        left.addLayout(scrub)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addLayout(left, 1)
        middle.addWidget(self._form())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.setSpacing(8)
        layout.addWidget(name)
        layout.addWidget(self.where)
        layout.addLayout(answers)
        layout.addWidget(self.message)
        layout.addLayout(middle, 1)
        layout.addWidget(buttons)

    def _form(self) -> QWidget:
        whole = QWidget()
        whole.setFixedWidth(FORM_PX)
        form = QFormLayout(whole)
        form.setContentsMargins(0, 4, 0, 0)
        form.setVerticalSpacing(6)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        size = QHBoxLayout()
        size.addWidget(self.height_px, 1)
        size.addWidget(QLabel("×"))
        size.addWidget(self.width_px, 1)
        form.addRow(_muted(self.tr("Height × width")), size)
        form.addRow(_muted(self.tr("Rows are stored")), self.rows)
        form.addRow(_muted(self.tr("Bits of a byte are stored")), self.bits)
        form.addRow(_muted(self.tr("Rate")), self.rate)
        planes = QHBoxLayout()
        planes.addWidget(self.exposure, 1)
        planes.addWidget(self.stride, 1)
        form.addRow(_muted(self.tr("Exposure and stride of its frames")), planes)
        return whole

    # ------------------------------------------------------------------ state → widgets

    def _take_typed(self) -> None:
        """Read with the size in the fields; one edge alone says nothing."""
        self._typing.stop()
        height, width = self.height_px.value(), self.width_px.value()
        if height and width and not self.choice.busy:
            self.choice.type_size(Size(height, width))

    def _show(self) -> None:
        choice, card = self.choice, self.choice.card
        stated = choice.look is not None and not choice.look.is_packed
        if card is not None and not self._typing.isActive():
            for edge, value in ((self.height_px, card.size.height), (self.width_px, card.size.width)):
                with QSignalBlocker(edge):
                    edge.setValue(value)
        for field in (self.height_px, self.width_px, self.bits):
            field.setEnabled(not stated and choice.problem is None)
        found = choice.rate_hz
        self.rate.setSpecialValueText(
            self.tr("{rate} Hz, as found").format(rate=f"{found:g}") if found else _unsaid()
        )
        self._show_answers(self.rate.value() or found or 0.0)
        self._show_message()
        self.open_button.setEnabled(choice.can_open)
        self.slider.setEnabled(card is not None)

    def _show_answers(self, rate_hz: float) -> None:
        geometry, way_up, planes = self.answers
        card, choice = self.choice.card, self.choice
        if card is None:
            waiting = "…" if choice.busy else "—"
            for answer in self.answers:
                answer.say(waiting, "")
            return
        rows = self.tr("Bottom row first") if choice.shown_flip else self.tr("Top row first")
        geometry.say(f"{card.size} px", _why_size(choice))
        way_up.say(rows, f"{_why_flip(choice)} · {_order_of_bits(choice)}")
        if card.planes == 0:
            planes.say("—", card.problem)
            return
        lasting, rest = self.tr("rate not known"), ""
        if rate_hz:
            lasting = self.tr("{time} at {rate} Hz").format(
                time=format_seconds(card.planes / rate_hz), rate=f"{rate_hz:g}"
            )
        if card.remainder_bytes:
            rest = self.tr(" · {count} bytes left over").format(count=format_count(card.remainder_bytes))
        planes.say(format_count(card.planes), lasting + rest, warn=bool(rest), theme=self._theme)

    def _show_message(self) -> None:
        choice, colours = self.choice, self._theme.colours
        text, colour = "", colours.muted
        if choice.busy:
            text = self.tr("Looking at the file …")
        elif choice.problem is not None:
            notice = describe_error(choice.problem, self.tr("read the recording"))
            facts = notice.facts[:1].upper() + notice.facts[1:]
            text, colour = _joined(notice.title, facts, notice.advice), colours.error
        elif choice.card is None:
            assert choice.look is not None
            text = self.tr(
                "The file has {count} bytes, which no usual size fits. Type its height and width."
            ).format(count=format_count(choice.look.total_bytes))
            colour = colours.warning
        elif choice.card.problem:
            text, colour = choice.card.problem, colours.error
        elif choice.card.remainder_bytes:
            text = self.tr(
                "{count} bytes are left over after the last whole plane: the file is cut short, or this is "
                "not its size."
            ).format(count=format_count(choice.card.remainder_bytes))
            colour = colours.warning
        elif choice.look is not None and choice.look.problem is not None and choice.card.reason != "typed":
            text = self.tr(
                "Nothing says how large a plane is. Choose the picture that is neither sheared nor torn."
            )
        self.message.setText(text)
        self.message.setStyleSheet(f"color: {colour}")
        self.message.setVisible(bool(text))


class _Answer(QWidget):
    """A question in small, its answer in large, and where the answer comes from."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.answer = ElidedLabel()
        self.answer.setProperty("role", "answer")
        self.reason = ElidedLabel()
        self.reason.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(_muted(question))
        layout.addWidget(self.answer)
        layout.addWidget(self.reason)

    def say(self, answer: str, reason: str, *, warn: bool = False, theme: Theme | None = None) -> None:
        self.answer.setText(answer)
        self.reason.setText(reason)
        self.reason.setStyleSheet(f"color: {theme.colours.warning}" if warn and theme else "")


def _why_size(choice: RecordingChoice) -> str:
    card = choice.card
    assert card is not None
    match card.reason:
        case "file":
            return translate("Recording", "the file says so")
        case "typed":
            return translate("Recording", "as typed")
        case "bits" if choice.said_size is None:
            return translate("Recording", "clear from the bits, score {score}").format(
                score=f"{card.score:.2f}"
            )
        case "bits":
            return translate("Recording", "likely from the bits, score {score}").format(
                score=f"{card.score:.2f}"
            )
    if choice.said_size is not None:
        return translate("Recording", "a usual size")
    return translate("Recording", "as found")


def _why_flip(choice: RecordingChoice) -> str:
    known = {
        "given": translate("Recording", "as you say"),
        "sidecar": translate("Recording", "config.yaml says so"),
        "file": translate("Recording", "the file says so"),
        "bytes": translate("Recording", "as the frames show"),
    }
    return known.get(choice.flip_known_by, translate("Recording", "as is usual"))


def _order_of_bits(choice: RecordingChoice) -> str:
    if choice.look is None or not choice.look.is_packed:
        return translate("Recording", "no packed bits")
    if choice.shown_msb_first:
        return translate("Recording", "highest bit first")
    return translate("Recording", "lowest bit first")


def _joined(*parts: str) -> str:
    return " ".join(part.rstrip(".") + "." for part in parts if part)


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label


def _unsaid() -> str:
    return translate("Recording", "not said")


def _edge(tip: str) -> QSpinBox:
    box = QSpinBox(minimum=0, maximum=LARGEST_EDGE_PX, suffix=" px")
    box.setSpecialValueText(_unsaid())
    box.setToolTip(tip)
    return box


def _planes(value: float | None, tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox(decimals=1, minimum=0.0, maximum=1e9, suffix=translate("AlignmentPanel", " planes"))
    box.setSpecialValueText(_unsaid())
    box.setToolTip(tip)
    box.setValue(value or 0.0)
    return box


def recording_of(source: SequenceSource, found: Path | None) -> Path:
    """Return the file or folder to ask about: the one that was found, else what the source names."""
    return found or Path(source.spikes or source.path)
