"""What the actions about the sensor's pattern do, and the questions they ask."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.state.opening.sources import RECORDING_SUFFIXES
from app.state.pattern.kept_patterns import SUFFIX
from app.state.studio import Studio
from app.ui.dialogs.prompts import FilePrompts

if TYPE_CHECKING:
    from engine.fixed_pattern import FixedPattern

translate = QCoreApplication.translate

FLAT_SUFFIXES = tuple(dict.fromkeys((*RECORDING_SUFFIXES, SUFFIX, ".npy")))


def pattern_handlers(studio: Studio, prompts: FilePrompts) -> dict[str, Callable[[], object]]:
    """Return what the actions do to a sequence."""

    def ask(pattern: "FixedPattern | None") -> None:
        sequence = studio.session.sequence
        if pattern is None or sequence is None:
            studio.pattern_use.tell_unknown()
            return
        prompts.save_file(
            translate("Pattern", "Keep this sensor's pattern"),
            translate("Pattern", "Patterns of sensors"),
            SUFFIX,
            f"{sequence.name}_sensor",
            lambda path: studio.sensor.save(pattern, path),
        )

    return {
        "keep_pattern": lambda: studio.sensor.when_known(ask),
        "use_pattern": studio.pattern_use.keep,
    }


def ask_for_flat(prompts: FilePrompts, answer: Callable[[Path], object]) -> None:
    """Ask for a recording of an even surface, its counts, or a pattern that was kept."""
    prompts.one_file(
        translate("Pattern", "Flat field or kept pattern"),
        translate("Pattern", "Flat fields and kept patterns"),
        FLAT_SUFFIXES,
        answer,
    )
