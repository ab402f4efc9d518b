"""Numbers and names as people read them."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.state.pattern.kept_patterns import KeptPattern
from engine.moment import Moment
from engine.restoration import evidence

if TYPE_CHECKING:
    from engine.fixed_pattern import FixedPattern

FRAMES_NAMED = 12


def format_seconds(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 0.095:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 90:
        return f"{rest} s" if minutes == 0 else f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"


def format_bytes(count: float) -> str:
    """Return an amount of memory in binary units, three digits at most."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1000 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"


def format_count(count: int) -> str:
    """Return a whole number with a narrow space after every thousand."""
    return f"{count:,}".replace(",", "\u202f")


def method_title(method: str) -> str:
    """Return what a way to deblur is called; one that is not known keeps its name."""
    titles = {
        "spike-ratio": QCoreApplication.translate("Methods", "spike ratio"),
        "network": QCoreApplication.translate("Methods", "network"),
    }
    return titles.get(method, method)


def unchanged_reason(reason: str) -> str:
    """Return why a frame came back as it was, in the language of the window; what is not known stays."""
    translate = QCoreApplication.translate
    few = re.fullmatch(r"its window holds (\d+) planes? only", reason)
    if few is not None:
        if few[1] == "1":
            return translate("Unchanged", "its window holds 1 plane only")
        return translate("Unchanged", "its window holds {count} planes only").format(count=few[1])
    return {
        evidence.NO_PLANES: translate("Unchanged", "its window holds no planes"),
        evidence.SPIKES_MISSING: translate("Unchanged", "its spikes are missing"),
        evidence.NO_SPIKES: translate("Unchanged", "its window holds no spikes"),
        evidence.FEW_SPIKES: translate("Unchanged", "its window holds too few spikes"),
        evidence.TOO_LITTLE_RECORDED: translate("Unchanged", "its window lies too far outside the recording"),
        evidence.STILL: translate("Unchanged", "its spikes show no motion, so there is nothing to deblur"),
        evidence.DISAGREE: translate("Unchanged", "its spikes do not agree with it"),
        evidence.NOTHING_CHANGED: translate("Unchanged", "the method found nothing to change"),
    }.get(reason, reason)


def unchanged_groups(unchanged: Iterable[tuple[Moment, str]]) -> list[str]:
    """Return a line for every reason why frames came back as they were, with the frames' numbers from 1."""
    groups: dict[str, list[int]] = {}
    for moment, reason in unchanged:
        groups.setdefault(reason, []).append(moment.frame + 1)
    line = QCoreApplication.translate("Unchanged", "Unchanged frame {numbers}: {reason}")
    return [
        line.format(numbers=_some_numbers(numbers), reason=unchanged_reason(reason))
        for reason, numbers in groups.items()
    ]


def unchanged_count(unchanged: int, count: int) -> str:
    """Return how many of `count` frames came back as they were."""
    text = QCoreApplication.translate("Unchanged", "{unchanged} of {count} frames unchanged")
    return text.format(unchanged=unchanged, count=count)


def pattern_facts(pattern: "FixedPattern") -> str:
    """Return how large a sensor's pattern is, where it is known, and by what."""
    translate = QCoreApplication.translate
    one = pattern.windows == 1
    if pattern.file is not None:
        kept = KeptPattern.of(Path(pattern.file))
        kept_of = translate("Pattern", "kept of {name}").format(name=kept.name)
        origin = kept.name if kept.size is None else kept_of
    elif pattern.origin == "frames":
        text = (
            translate("Pattern", "measured by 1 frame")
            if one
            else translate("Pattern", "measured by {count} frames")
        )
        origin = text.format(count=pattern.windows)
    else:
        text = (
            translate("Pattern", "measured on 1 window of this recording")
            if one
            else translate("Pattern", "measured on {count} windows of this recording")
        )
        origin = text.format(count=pattern.windows)
    share = 100 * pattern.known_share
    return translate("Pattern", "spread {spread} %, known in {share} % of the pixels, {origin}").format(
        spread=f"{100 * pattern.spread:.2g}",
        share=f"{share:.0f}" if share >= 10 else f"{share:.1f}",
        origin=origin,
    )


def _some_numbers(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:FRAMES_NAMED])
    return shown + (" …" if len(numbers) > FRAMES_NAMED else "")
