"""What must be known of an exposure before a frame can be restored from its spikes, and how a lack is told.

A frame about which nothing is known comes back as it was, by whatever method, and with a reason: a short
statement about the one frame, such as "its window holds no planes".
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import MethodError
from engine.layouts.listing import shorten
from engine.model_description import ModelDescription

if TYPE_CHECKING:
    from engine.sequence import Sequence

NO_PLANES = "its window holds no planes"
SPIKES_MISSING = "its spikes are missing"
NO_SPIKES = "its window holds no spikes"
FEW_SPIKES = "its window holds too few spikes"
TOO_LITTLE_RECORDED = "its window lies too far outside the recording"
STILL = "its spikes show no motion, so there is nothing to deblur"
DISAGREE = "its spikes do not agree with it"
NOTHING_CHANGED = "the method found nothing to change"
PLANES_AT_A_TIME = 64
_PLURALS = (
    ("its window holds", "their windows hold"),
    ("its window lies", "their windows lie"),
    ("its spikes", "their spikes"),
    ("agree with it", "agree with them"),
)


def require_spikes(sequence: "Sequence") -> None:
    """Raise MethodError where a sequence has no recording at all."""
    if sequence.recording is None:
        raise MethodError(
            "this method needs spikes, and the sequence has none",
            path=sequence.source.path,
            advice="Name the recording with --spikes, or choose a network without a spike branch",
        )


def check_needs(sequence: "Sequence", method: ModelDescription) -> None:
    """Raise MethodError where a sequence as a whole lacks what a method says that it needs."""
    if method.needs_spikes:
        require_spikes(sequence)
    if method.needs_log and sequence.windows_source not in ("log", "given"):
        raise MethodError(
            "this method needs to be told when the frames were exposed, and the windows are a guess",
            path=sequence.source.path,
            advice="Name the alignment log with --alignment, or choose another method",
        )


def missing_evidence(sequence: "Sequence", index: int, fewest_planes: int = 1) -> str:
    """Return why nothing can be known of frame `index` from its spikes; empty where something can.

    `fewest_planes` must be recorded within its window; with 0 of them a method needs no spikes. A window of
    which a part is recorded will do, and spikes of hot pixels do not count. Reads planes until one with a
    spike is found. Raises RecordingError.
    """
    if fewest_planes <= 0 or sequence.recording is None:
        return ""
    window, limits = sequence.window(index), sequence.spike_limits(index)
    if len(limits) == 0:
        return SPIKES_MISSING
    start, stop = max(math.ceil(window.start), limits.start), min(math.ceil(window.stop), limits.stop)
    if stop <= start:
        return NO_PLANES
    if stop - start < fewest_planes:
        return too_few_planes(stop - start)
    for first in range(start, stop, PLANES_AT_A_TIME):
        if np.any(sequence.sound_planes(first, min(first + PLANES_AT_A_TIME, stop))):
            return ""
    return NO_SPIKES


def too_few_planes(planes: int) -> str:
    """Return the reason of a window in which so few planes are recorded."""
    if planes == 0:
        return NO_PLANES
    return f"its window holds {planes} {'plane' if planes == 1 else 'planes'} only"


def is_restored(unchanged: str | None) -> bool:
    """Whether a frame counts as restored, by why it came back as it was: not where too little is known of it.

    One that was looked at and had nothing to change counts, and is named as unchanged.
    """
    return not unchanged or not is_want_of_evidence(unchanged)


def is_want_of_evidence(reason: str) -> bool:
    """Whether a frame came back as it was because too little is known of it, not because that is right."""
    return reason.startswith("its window") or reason == SPIKES_MISSING


def check_any_evidence(sequence: "Sequence", frames: Iterable[int], fewest_planes: int) -> None:
    """Raise MethodError where nothing is known of any of these frames, so that nothing can be restored.

    Spikes that cannot be read are left to whoever restores the frame.
    """
    unchanged: list[tuple[str, str]] = []
    for frame in frames:
        try:
            reason = missing_evidence(sequence, frame, fewest_planes)
        except Exception:  # noqa: BLE001 (whatever it is, it is told when the frame is restored)
            return
        if not reason:
            return
        unchanged.append((sequence.frame_name(frame), reason))
    if unchanged:
        raise MethodError(
            f"no frame can be restored: {name_groups(unchanged)}",
            path=sequence.source.path,
            advice="Check the alignment log, the rate and its unit of time, and if the recording is whole",
        )


def describe_unchanged(unchanged: Iterable[tuple[str, str]], total: int) -> str:
    """Return "3 of 5 frames unchanged: …" of (name, reason) of frames; empty where there are none."""
    listed = list(unchanged)
    if not listed:
        return ""
    frames = "frame" if total == 1 else "frames"
    return f"{len(listed)} of {total} {frames} unchanged: {name_groups(listed)}"


def name_groups(unchanged: Iterable[tuple[str, str]]) -> str:
    """Return names of frames grouped by their reasons: "0002, 0003 (their windows hold no planes); …"."""
    groups: dict[str, list[str]] = {}
    for name, reason in unchanged:
        groups.setdefault(reason, []).append(name)
    return "; ".join(
        f"{shorten(names)} ({reason if len(names) == 1 else _of_several(reason)})"
        for reason, names in groups.items()
    )


def _of_several(reason: str) -> str:
    for one, several in _PLURALS:
        reason = reason.replace(one, several)
    return reason
