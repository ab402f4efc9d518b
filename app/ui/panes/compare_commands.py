"""What the actions of the Compare menu do, and when they can."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from app.display import NEUTRAL
from app.state.compare.comparing import BLURRY, PATTERN, REFERENCE, SOURCES, Comparison
from app.ui.window.actions import StudioActions

if TYPE_CHECKING:
    from app.state.studio import Studio

ARRANGEMENTS = ("panes_1", "panes_2", "panes_3", "panes_4", "wipe")
SOURCE_ACTIONS = {f"show_{source}": source for source in SOURCES}
"""Keys of actions, and the sources they show."""


def compare_handlers(
    studio: "Studio", actions: StudioActions, panel: Callable[[], None]
) -> dict[str, Callable[[], object]]:
    """Return what the actions do to a sequence's panes; `panel` shows or hides the panel about pictures."""
    comparison = studio.comparison

    def count(panes: int) -> Callable[[], None]:
        return lambda: comparison.arrange(panes)

    def source(name: str) -> Callable[[], None]:
        return lambda: comparison.choose_source(name)

    return {
        **{f"panes_{panes}": count(panes) for panes in range(1, 5)},
        "wipe": comparison.wipe,
        "flip": lambda: FlipWhileHeld(comparison),
        "blink": lambda: comparison.blink(actions["blink"].isChecked()),
        **{key: source(name) for key, name in SOURCE_ACTIONS.items()},
        "next_result": lambda: comparison.next_result(studio.results.makers),
        "minus_reference": lambda: comparison.subtract(REFERENCE),
        "minus_blurry": lambda: comparison.subtract(BLURRY),
        "clear_region": lambda: comparison.set_region(None),
        "auto_contrast": lambda: auto_contrast(studio),
        "reset_contrast": lambda: comparison.set_look(NEUTRAL),
        "picture_panel": panel,
    }


def compare_abilities(studio: "Studio") -> dict[str, bool]:
    """Return which of the actions can be done."""
    is_open = studio.session.sequence is not None
    keys = (*ARRANGEMENTS, "flip", "blink", *SOURCE_ACTIONS, "minus_reference", "minus_blurry")
    return {
        **dict.fromkeys((*keys, "auto_contrast", "reset_contrast"), is_open),
        "next_result": len(studio.results) > 0,
        "clear_region": studio.comparison.region is not None,
    }


def check_arrangement(actions: StudioActions, comparison: Comparison) -> None:
    """Tick what is in force."""
    key = "wipe" if comparison.wiping else f"panes_{comparison.count}"
    actions[key].setChecked(True)
    actions["blink"].setChecked(comparison.blinking)


def auto_contrast(studio: "Studio") -> None:
    """Spread the values of what the active pane shows over black to white."""
    view, comparison = studio.pictures.view, studio.comparison
    if view is None:
        return
    source = comparison.choice(comparison.active).source
    values = None if source == PATTERN else view.values(source)  # which has a scale of its own
    comparison.fit_look(view.blurry_values if values is None else values)


class FlipWhileHeld(QObject):
    """Flips the panes, and back when the key is let go."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(comparison)
        self._comparison = comparison
        if comparison.flipped:  # the key repeats, or the panes blink
            self.deleteLater()
            return
        comparison.flip(True)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        released = (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyRelease
            and not event.isAutoRepeat()
        )
        if released or event.type() == QEvent.Type.ApplicationDeactivate:
            self._comparison.flip(False)
            application = QApplication.instance()
            assert application is not None
            application.removeEventFilter(self)
            self.deleteLater()
        return False
