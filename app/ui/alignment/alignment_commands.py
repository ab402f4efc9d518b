"""What the actions of the Alignment menu do, and when they can."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.state.alignment.alignment import Alignment
from app.state.alignment.windows import Edge, changed_frames
from app.state.opening.sources import ALIGNMENT_SUFFIXES
from app.state.studio import Studio
from app.ui.dialogs.prompts import FilePrompts
from app.ui.window.actions import StudioActions
from engine.errors import EngineError

translate = QCoreApplication.translate

_KEYS: tuple[tuple[str, Edge | None, int], ...] = (
    ("earlier", None, -1),
    ("later", None, 1),
    ("start_earlier", "start", -1),
    ("start_later", "start", 1),
    ("stop_earlier", "stop", -1),
    ("stop_later", "stop", 1),
)
NUDGES: dict[str, tuple[Edge | None, int]] = {
    f"{name}{suffix}": (edge, sign * planes)
    for planes, suffix in ((1, ""), (10, "_10"))
    for name, edge, sign in _KEYS
}
"""By action: the edge of the current window that moves (None for all of it), and by how many planes."""


def alignment_handlers(studio: Studio, prompts: FilePrompts) -> dict[str, Callable[[], object]]:
    """Return what the actions do to a sequence."""
    alignment = studio.alignment
    edits = alignment.edits

    def walk(step: Callable[[], None]) -> None:
        """Undo or redo, and go where it can be seen."""
        before = edits.windows
        step()
        moved = changed_frames(before, edits.windows)
        if len(moved) == 1:
            studio.position.go(min(moved))

    def nudge(key: str) -> None:
        edge, planes = NUDGES[key]
        if alignment.can_edit:
            edits.nudge(studio.position.index, planes, edge)

    def read(path: Path) -> None:
        try:
            findings = alignment.read_log(path)
        except EngineError as error:
            studio.notices.error(error, translate("Alignment", "read the alignment log"))
        else:
            for finding in dict.fromkeys(findings):
                studio.notices.warn(str(finding), advice=finding.remedy)

    def write(path: Path) -> None:
        try:
            alignment.write_log(path)
        except EngineError as error:
            studio.notices.error(error, translate("Alignment", "write the alignment log"))
        else:
            studio.notices.inform(translate("Alignment", "Alignment log written"), where=str(path))

    return {
        "undo": lambda: walk(edits.stack.undo),
        "redo": lambda: walk(edits.stack.redo),
        "reset_windows": edits.reset,
        "import_log": lambda: prompts.one_file(
            translate("Alignment", "Import log"),
            translate("Alignment", "Alignment logs"),
            ALIGNMENT_SUFFIXES,
            read,
        ),
        "export_log": lambda: prompts.save_file(
            translate("Alignment", "Export log"),
            translate("Alignment", "Alignment logs"),
            ".csv",
            "alignment",
            write,
        ),
        **{key: partial(nudge, key) for key in NUDGES},
    }


def name_steps(actions: StudioActions, alignment: Alignment) -> None:
    """Say in the menu what would be undone and redone."""
    stack = alignment.edits.stack
    for key, verb, step in (
        ("undo", translate("Alignment", "Undo"), stack.undoText()),
        ("redo", translate("Alignment", "Redo"), stack.redoText()),
    ):
        actions[key].setText(f"{verb}: {step}" if step else verb)


def alignment_abilities(alignment: Alignment) -> dict[str, bool]:
    """Return which of the actions can be done now."""
    stack = alignment.edits.stack
    return {
        "undo": stack.canUndo(),
        "redo": stack.canRedo(),
        "reset_windows": alignment.can_edit and alignment.edits.is_edited,
        "import_log": alignment.can_edit,
        "export_log": alignment.can_edit and alignment.rate_hz is not None,
        **dict.fromkeys(NUDGES, alignment.can_edit),
    }
