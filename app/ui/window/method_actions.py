"""The actions that choose a method: those of the program, and one for each that a package offers."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence

from app.ui.window.action_table import ActionSpec
from engine.restoration.method_names import NETWORK, SPIKE_RATIO

if TYPE_CHECKING:
    from app.state.jobs.found_methods import FoundMethod
    from app.ui.window.actions import StudioActions
    from app.ui.window.main_window import MainWindow

_OWN = {SPIKE_RATIO: "by_ratio", NETWORK: "by_network"}
MOST_KEYS = 9
"""Methods of packages that have keys of their own from the start, Ctrl+Alt+1 to Ctrl+Alt+9."""


def action_of(method: str) -> str:
    """Return the key of the action that chooses a method."""
    return _OWN.get(method, f"by_method_{method}")


def list_methods(window: "MainWindow") -> None:
    """Give every method of a package that was found an action: in the menu, the tool bar, among the keys."""
    actions = window.actions_by_key
    after = action_of(NETWORK)
    for method in window.tabs.desk.restoring.found:
        key = action_of(method.name)
        if key not in actions.by_key:
            spec = _spec(key, method, _free_keys(actions))
            action = actions.add(spec, partial(window.choose_method, method.name), after=after)
            window.tool_bar.add_method(action)
        after = key


def _free_keys(actions: "StudioActions") -> str:
    """Return the first keys for a method that no action has, "" where all are taken."""
    all_keys = (f"Ctrl+Alt+{number}" for number in range(1, MOST_KEYS + 1))
    return next((keys for keys in all_keys if actions.with_keys(QKeySequence(keys), besides="") is None), "")


def _spec(key: str, method: "FoundMethod", keys: str) -> ActionSpec:
    text = QCoreApplication.translate("MethodActions", "By {method}").format(method=method.title)
    summary = "" if method.description is None else method.description.summary
    return ActionSpec(
        key, text, "Deblur", keys, f"{summary} ({method.package})", checkable=True, group="method"
    )
