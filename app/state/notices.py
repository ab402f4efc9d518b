"""What went wrong or is worth knowing, kept until the user has read it.

The same message a second time raises a count instead of adding a line, so a loop of errors stays one notice.
"""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from PySide6.QtCore import QCoreApplication, QObject, Signal

from app.translation import ERRORS
from engine.errors import EngineError

Severity = Literal["error", "warning", "information"]

KEPT_NOTICES = 50


@dataclass(frozen=True)
class Notice:
    """One message: what is wrong, where, what to do."""

    number: int
    severity: Severity
    title: str
    where: str = ""
    """File or folder."""
    facts: str = ""
    """What was found and what was expected."""
    advice: str = ""
    details: str = ""
    """For the log and the tooltip: a traceback."""
    count: int = 1
    action: str = ""
    """What can be done about it, on a button."""
    act: Callable[[], object] | None = field(default=None, compare=False)
    stays: bool = False
    """Good news too waits until it is dismissed."""

    @property
    def same_as(self) -> tuple[str, ...]:
        return (self.severity, self.title, self.where, self.facts, self.advice)

    @property
    def line(self) -> str:
        """The whole message in one line."""
        parts = [f"{self.where}: {self.title}" if self.where else self.title]
        if self.facts:
            parts[0] += f" ({self.facts})"
        if self.advice:
            parts.append(self.advice)
        return ". ".join(part.rstrip(".") for part in parts)


def describe(error: BaseException, doing: str = "") -> Notice:
    """Turn an exception into a notice with number 0. `doing` says what was tried, as an infinitive."""
    if isinstance(error, EngineError):
        facts = [
            f"{label} {value}"
            for label, value in (
                (QCoreApplication.translate("Notices", "found"), error.found),
                (QCoreApplication.translate("Notices", "expected"), error.expected),
            )
            if value is not None
        ]
        return Notice(
            0,
            "error",
            _sentence(QCoreApplication.translate(ERRORS, error.problem)),
            where="" if error.path is None else str(error.path),
            facts=", ".join(facts),
            advice=_sentence(QCoreApplication.translate(ERRORS, error.advice or "")),
        )
    if doing:
        title = QCoreApplication.translate("Notices", "Could not {doing}").format(doing=doing)
    else:
        title = QCoreApplication.translate("Notices", "Something went wrong inside the studio")
    text = str(error).strip()
    return Notice(
        0,
        "error",
        title,
        facts=f"{type(error).__name__}: {text}" if text else type(error).__name__,
        advice=QCoreApplication.translate(
            "Notices", "Your files are untouched. Help ▸ Show log has the details"
        ),
        details="".join(traceback.format_exception(error)),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


class Notices(QObject):
    """All notices that nobody dismissed yet, oldest first."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices: list[Notice] = []
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._notices)

    def __iter__(self) -> Iterator[Notice]:
        return iter(self._notices)

    def add(self, notice: Notice) -> int:
        """Add a notice, or count it where the same one is there already; it becomes the newest.

        Return its number.
        """
        self._last_number += 1
        known = next((other for other in self._notices if other.same_as == notice.same_as), None)
        if known is not None:
            self._notices.remove(known)
            notice = replace(notice, count=known.count + 1)
        self._notices.append(replace(notice, number=self._last_number))
        del self._notices[:-KEPT_NOTICES]
        self.changed.emit()
        return self._last_number

    def error(self, error: BaseException, doing: str = "") -> None:
        self.add(describe(error, doing))

    def warn(self, title: str, *, where: str = "", advice: str = "") -> None:
        self.add(Notice(0, "warning", title, where=where, advice=advice))

    def inform(self, title: str, *, where: str = "", advice: str = "") -> None:
        self.add(Notice(0, "information", title, where=where, advice=advice))

    def dismiss(self, number: int) -> None:
        self._notices = [notice for notice in self._notices if notice.number != number]
        self.changed.emit()

    def dismiss_all(self) -> None:
        self._notices.clear()
        self.changed.emit()
