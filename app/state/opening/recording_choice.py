"""How a recording could be read: candidates with pictures, what the user says, and what follows from it.

Strategy: one lane looks at the file, one paints a picture of every candidate, the likeliest first, and one
paints what the user types. A change of what the pictures depend on starts them anew; answers that come for
what was wanted before are dropped.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.state.opening.recording_pictures import Painted, look, paint
from app.state.reading.lane import Lane, Ticket
from engine.errors import EngineError, OperationCancelled
from engine.geometry import Size
from engine.recording.recording import RecordingInfo, Source

if TYPE_CHECKING:
    from engine.recording.readings import Look

log = logging.getLogger(__name__)

Looker = Callable[[Path, bool | None], "Look"]
Painter = Callable[[Path, Size | None, bool | None, float], Painted]


@dataclass(frozen=True)
class Card:
    """One candidate."""

    size: Size
    planes: int
    remainder_bytes: int
    score: float
    reason: str
    """One of the engine's reasons, or "typed"."""
    painted: Painted | None = None
    problem: str = ""
    """Why there is no picture, in one sentence."""


class RecordingChoice(QObject):
    """What is known and what was chosen about one recording."""

    looked = Signal()
    """`look` or `problem` is there, and `cards`."""
    card_changed = Signal(int)
    chosen_changed = Signal()
    """Another card, another way to read it, or news of it."""

    _card_painted = Signal(int, object, object)

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        path: Path,
        parent: QObject | None = None,
        *,
        size: Size | None = None,
        flip: bool | None = None,
        msb_first: bool | None = None,
        found: RecordingInfo | None = None,
        looker: Looker | None = None,
        painter: Painter | None = None,
    ) -> None:
        super().__init__(parent)
        self.path = path
        self.look: Look | None = None
        self.problem: Exception | None = None
        """Why the file is no recording at all."""
        self.cards: list[Card] = []
        self.chosen: int | None = None
        """Row of the chosen card."""
        self.found = found
        """How it is read in the open sequence, whose frames and data set tell more than the file."""
        self.flip = flip
        self.msb_first = msb_first
        self.at = 0.5
        """Where in the recording the pictures are from, 0 to 1."""
        self._wanted_size = size
        self._looker = looker or look
        self._painter = painter or paint
        self._look_lane = self._lane(pool, self._on_look, self._on_look_failure)
        self._paint_lane = self._lane(pool, lambda *_: None, self._on_paint_failure)
        self._typed_lane = self._lane(pool, self._on_typed, self._on_typed_failure)
        self._round = 0
        self._card_painted.connect(self._on_card)
        self._look_lane.request("look", lambda _: self._looker(self.path, self.msb_first))

    @property
    def busy(self) -> bool:
        """Nobody knows yet what the file is."""
        return self.look is None and self.problem is None

    @property
    def card(self) -> Card | None:
        return None if self.chosen is None else self.cards[self.chosen]

    @property
    def can_open(self) -> bool:
        card = self.card
        return card is not None and not card.problem

    @property
    def shown_flip(self) -> bool:
        """Whether pictures are turned over: what was said, else what the file says, else what is usual."""
        if self.flip is not None:
            return self.flip
        info = self._teller_of_flip
        return True if info is None else info.flip

    @property
    def flip_known_by(self) -> Source:
        """Who tells which way up the recording is."""
        if self.flip is not None:
            return "given"
        info = self._teller_of_flip
        return "unknown" if info is None else info.known_by.get("flip", "unknown")

    @property
    def rate_hz(self) -> float | None:
        """The rate that is known without being said."""
        infos = (self.found, None if self.look is None else self.look.info)
        return next((info.rate_hz for info in infos if info is not None and info.rate_hz), None)

    @property
    def _teller_of_flip(self) -> RecordingInfo | None:
        if self.found is not None and self.found.known_by.get("flip") not in (None, "given", "unknown"):
            return self.found
        return None if self.look is None else self.look.info

    @property
    def shown_msb_first(self) -> bool:
        """The order of bits that the pictures are read in."""
        if self.msb_first is not None:
            return self.msb_first
        return bool(self.look is not None and self.look.msb_first)

    @property
    def said_size(self) -> Size | None:
        """The size of the chosen card; None where the file is read so without a word."""
        card, info = self.card, None if self.look is None else self.look.info
        if card is None:
            return None
        unasked = info is not None and (info.size, info.msb_first) == (card.size, self.shown_msb_first)
        return None if unasked else card.size

    @property
    def said_msb_first(self) -> bool | None:
        """The order of bits to say; None where it is the usual one."""
        return True if self.shown_msb_first else self.msb_first

    @property
    def shown_by_bits(self) -> Size | None:
        """The size that the file is read with unasked."""
        return None if self.look is None or self.look.info is None else self.look.info.size

    def choose(self, row: int) -> None:
        """Choose a card."""
        if 0 <= row < len(self.cards) and row != self.chosen:
            self.chosen = row
            self.chosen_changed.emit()

    def type_size(self, size: Size | None) -> None:
        """Read as planes of `size`, which becomes a card where it is none; None is not a size yet."""
        if size is None or (self.card is not None and self.card.size == size):
            return
        row = next((row for row, card in enumerate(self.cards) if card.size == size), None)
        if row is not None and self.cards[row].reason != "typed":
            self.choose(row)
            return
        self._put_typed(Card(size, 0, 0, 0.0, "typed"))
        self._paint_typed()

    def say_flip(self, flip: bool | None) -> None:
        """Say whether the bottom row is stored first; None is to be found out."""
        self.flip = flip
        self.chosen_changed.emit()

    def say_bits(self, msb_first: bool | None) -> None:
        """Say which bit of a byte comes first; None is to be found out."""
        before, self.msb_first = self.shown_msb_first, msb_first
        if self.shown_msb_first != before:
            self._paint_all()
        self.chosen_changed.emit()

    def go(self, at: float) -> None:
        """Show planes of another part of the recording."""
        if at != self.at:
            self.at = at
            self._paint_all()

    def close(self) -> None:
        """Wait for no more answers."""
        self._round += 1
        for lane in (self._look_lane, self._paint_lane, self._typed_lane):
            lane.clear()

    # ------------------------------------------------------------------ looking

    def _lane(
        self,
        pool: ThreadPoolExecutor,
        answered: Callable[[Any, Any], None],
        failed: Callable[[Any, Exception], None],
    ) -> Lane:
        lane = Lane(pool, self)
        lane.answered.connect(answered)
        lane.failed.connect(failed)
        return lane

    def _on_look(self, _: object, look: "Look") -> None:
        self.look = look
        self.cards = [
            Card(
                reading.geometry.size,
                reading.geometry.planes,
                reading.geometry.remainder_bytes,
                reading.geometry.score,
                reading.reason,
            )
            for reading in look.readings
        ]
        wanted = self._wanted_size or (None if look.info is None else look.info.size)
        rows = [row for row, card in enumerate(self.cards) if card.size == wanted]
        self.chosen = rows[0] if rows else (0 if self.cards else None)
        self.looked.emit()
        if wanted is not None and not rows:
            self.type_size(wanted)
        self.chosen_changed.emit()
        self._paint_all()

    def _on_look_failure(self, _: object, error: Exception) -> None:
        log.info("%s is no recording: %s", self.path, error)
        self.problem = error
        self.looked.emit()
        self.chosen_changed.emit()

    # ------------------------------------------------------------------ painting

    def _paint_all(self) -> None:
        """Paint every candidate anew."""
        if self.look is None:
            return
        self._round += 1
        number, at, order = self._round, self.at, self.shown_msb_first
        first = self.chosen or 0
        rows = sorted(range(len(self.cards)), key=lambda row: row != first)
        sizes = [self.cards[row].size for row in rows if self.cards[row].reason != "typed"]

        def work(ticket: Ticket) -> None:
            for size in sizes:
                if ticket.superseded():
                    raise OperationCancelled("other pictures are wanted")
                self._announce(number, size, self._try_painting(size, order, at))

        self._paint_lane.request(number, work)
        self._paint_typed()

    def _paint_typed(self) -> None:
        row = self._typed_row
        if row is not None:
            size, order, at = self.cards[row].size, self.shown_msb_first, self.at
            self._typed_lane.request(size, lambda _: self._try_painting(size, order, at))

    def _try_painting(self, size: Size, msb_first: bool, at: float) -> Painted | EngineError:
        look = self.look
        stated = look is not None and not look.is_packed
        try:
            return self._painter(self.path, None if stated else size, msb_first or None, at)
        except EngineError as error:
            return error

    def _announce(self, number: int, size: Size, answer: object) -> None:
        try:
            self._card_painted.emit(number, size, answer)
        except RuntimeError:
            log.debug("A picture came after its window was gone")

    def _on_card(self, number: int, size: Size, answer: Painted | EngineError) -> None:
        if number == self._round:
            for row, card in enumerate(self.cards):
                if card.size == size and card.reason != "typed":
                    self._take(row, answer)

    def _take(self, row: int, answer: Painted | EngineError) -> None:
        card = self.cards[row]
        if isinstance(answer, Painted):
            card = replace(
                card,
                painted=answer,
                planes=answer.planes,
                remainder_bytes=answer.remainder_bytes,
                problem="",
            )
        else:
            card = replace(card, painted=None, problem=_sentence(answer))
        self.cards[row] = card
        self.card_changed.emit(row)
        if row == self.chosen:
            self.chosen_changed.emit()

    def _on_paint_failure(self, _: object, error: Exception) -> None:
        if not isinstance(error, OperationCancelled):
            log.error("A candidate could not be shown", exc_info=error)
            self.problem = error
            self.chosen_changed.emit()

    # ------------------------------------------------------------------ what is typed

    @property
    def _typed_row(self) -> int | None:
        return next((row for row, card in enumerate(self.cards) if card.reason == "typed"), None)

    def _put_typed(self, card: Card) -> None:
        if self._typed_row is None:
            self.cards.insert(0, card)
        else:
            self.cards[0] = card
        self.chosen = 0
        self.looked.emit()
        self.chosen_changed.emit()

    def _on_typed(self, size: Size, answer: Painted | EngineError) -> None:
        row = self._typed_row
        if row is not None and self.cards[row].size == size:
            self._take(row, answer)

    def _on_typed_failure(self, _: object, error: Exception) -> None:
        self._on_paint_failure(None, error)


def _sentence(error: EngineError) -> str:
    facts = [
        f"{label} {value}"
        for label, value in (("found", error.found), ("expected", error.expected))
        if value is not None
    ]
    text = error.problem[:1].upper() + error.problem[1:]
    return f"{text} ({', '.join(facts)})" if facts else text
