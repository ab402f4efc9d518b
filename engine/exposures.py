"""Decide which planes belong to which frame.

The alignment log decides where there is one; else the layout (names, or one recording a frame); else
the exposures are spread over the recording, by frame numbers and time stamps where they tell, which is a
guess and marked as one.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.alignment import AlignmentWindow, even_windows
from engine.errors import SequenceError
from engine.findings import Finding, option
from engine.geometry import Span
from engine.layouts.listing import shorten
from engine.slots import Slots, even_slots

_SHORTER = option("exposure_planes", words="a shorter exposure")
WindowsSource = Literal["log", "layout", "guess", "given"]

LONGEST_SINGLE_EXPOSURE_PLANES = 1000
"""A longer recording without frames is not one exposure: 1/20 s at 20 kHz."""
DEFAULT_EXPOSURE_PLANES = 400.0
"""1/50 s at 20 kHz, for recordings longer than that."""
MAX_VIRTUAL_FRAMES = 100_000


@dataclass(frozen=True)
class Exposures:
    """One window a frame, and the part of the recording that each lies in."""

    windows: tuple[AlignmentWindow, ...]
    limits: tuple[Span, ...]
    """Planes recorded in one go around each window; empty where the frame has no spikes."""
    source: WindowsSource
    findings: tuple[Finding, ...] = ()


def part_spans(starts: Sequence[int], planes: int) -> tuple[Span, ...]:
    """Return the span of every part from the first planes of the parts."""
    return tuple(Span(a, b) for a, b in zip(starts, (*starts[1:], planes), strict=True))


def per_part_exposures(
    names: Sequence[str],
    parts: Sequence[Span | None],
    planes: int,
    exposure_planes: float | None,
) -> Exposures:
    """Expose every frame during the whole of its part, or the central `exposure_planes` of it.

    A frame without a part gets a window after the end of the recording, where nothing is counted.
    """
    windows, limits, short, without = [], [], [], []
    for name, part in zip(names, parts, strict=True):
        if part is None or not len(part):
            without.append(name)
            windows.append(AlignmentWindow(planes, planes + (exposure_planes or 1.0)))
            limits.append(Span(planes, planes))
            continue
        window = AlignmentWindow(part.start, part.stop)
        if exposure_planes is not None and exposure_planes <= len(part):
            window = window.central(exposure_planes)
        elif exposure_planes is not None:
            short.append(f"{name} ({len(part)})")
        windows.append(window)
        limits.append(part)
    findings = []
    if without:
        findings.append(
            Finding(
                f"frames without spikes: {shorten(without)}",
                "Copy their recordings; they come back unchanged",
            )
        )
    if short:
        findings.append(
            Finding(
                f"recordings shorter than {exposure_planes:g} planes, used whole: {shorten(short)}",
                f"Copy them again, or give {_SHORTER}",
            )
        )
    return Exposures(tuple(windows), tuple(limits), "layout", tuple(findings))


def guessed_exposures(slots: Slots, planes: int, exposure_planes: float | None) -> Exposures:
    """Spread exposures over a recording of `planes` as the frames' slots lie, each filling its slot.

    Where slots would be shorter than a plane the recording is not of all that time: they are spread evenly.
    """
    frames = len(slots.starts)
    if not slots.is_even and statistics.median(slots.lengths) * planes < slots.steps:
        but = f": {slots.steps:.0f} frames, counted with those missing, are more than the recording's planes"
        slots = even_slots(frames, but)
    if slots.is_even:
        windows = even_windows(frames, planes, exposure_planes)
    else:
        windows = tuple(
            AlignmentWindow(start * planes / slots.steps, (start + length) * planes / slots.steps)
            for start, length in zip(slots.starts, slots.lengths, strict=True)
        )
        if exposure_planes is not None:
            windows = tuple(window.central(exposure_planes) for window in windows)
    finding = Finding(
        f"nothing says when the frames were exposed: their windows are {slots.how}",
        f"Give {option('alignment')}, or shift the windows until frames and spikes agree",
    )
    return Exposures(windows, (Span(0, planes),) * frames, "guess", (finding,))


def virtual_exposures(
    parts: Sequence[Span],
    *,
    exposure_planes: float | None,
    stride_planes: float | None,
    layout_exposure_planes: float | None,
) -> tuple[Exposures, tuple[int, ...]]:
    """Cut recordings without frames into exposures; return also the part of every exposure.

    Without any length a part is one exposure, its central part where the layout says so, unless it is
    longer than LONGEST_SINGLE_EXPOSURE_PLANES. With a length the exposures follow each other by the
    stride, the first at the start of the part; a single one lies in its middle. Only whole exposures
    count, and none crosses from one part into the next.

    Raises SequenceError when a length is not positive or nothing fits.
    """
    for label, value in (("exposure", exposure_planes), ("stride", stride_planes)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise SequenceError(
                f"the {label} of virtual frames must be positive", found=f"{value:g} planes", expected="> 0"
            )
    if exposure_planes is not None and exposure_planes < 1:
        raise SequenceError(
            "the exposure of virtual frames is shorter than one plane",
            found=f"{exposure_planes:g} planes",
            expected="1 or more",
            advice=f"Give {option('exposure_planes', words='a longer exposure')}",
        )
    windows: list[AlignmentWindow] = []
    part_of: list[int] = []
    findings: list[Finding] = []
    for at, part in enumerate(parts):
        length, stride = exposure_planes or layout_exposure_planes, stride_planes
        if length is None and len(part) > LONGEST_SINGLE_EXPOSURE_PLANES:
            length = DEFAULT_EXPOSURE_PLANES
            findings = [
                Finding(
                    f"no exposure length is given: cut into exposures of {length:g} planes",
                    f"Give {option('exposure_planes')}",
                )
            ]
        if length is None:
            length = float(len(part))
        several = len(parts) == 1 and (exposure_planes is not None or bool(findings))
        starts = _starts(len(part), length, stride or (length if several else math.inf))
        windows += [AlignmentWindow(part.start + s, part.start + s + length) for s in starts]
        part_of += [at] * len(starts)
    if not windows:
        longest = max((len(part) for part in parts), default=0)
        raise SequenceError(
            "the exposure is longer than the recording",
            found=f"{exposure_planes or 0:g} planes",
            expected=f"at most {longest}",
            advice=f"Give {_SHORTER}",
        )
    if stride_planes is not None and len(windows) == len(parts):
        findings.append(
            Finding(
                "stride_planes makes no difference: every recording holds one exposure only",
                f"Leave it out, or give {_SHORTER}",
            )
        )
    source: WindowsSource = "layout" if exposure_planes is None and stride_planes is None else "given"
    limits = tuple(parts[at] for at in part_of)
    return Exposures(tuple(windows), limits, source, tuple(findings)), tuple(part_of)


def _starts(planes: int, length: float, stride: float) -> list[float]:
    spare = planes - length
    if spare < 0:
        return []
    count = 1 + int(spare / stride + 1e-9)
    if count > MAX_VIRTUAL_FRAMES:
        raise SequenceError(
            "far too many virtual frames",
            found=str(count),
            expected=f"at most {MAX_VIRTUAL_FRAMES}",
            advice=f"Give {option('stride_planes', words='a longer distance')}",
        )
    return [spare / 2] if count == 1 else [i * stride for i in range(count)]


def windows_outside(names: Sequence[str], exposures: Exposures) -> tuple[Finding, ...]:
    """Say which windows reach beyond the planes that were recorded around them."""
    outside = [
        name
        for name, window, limits in zip(names, exposures.windows, exposures.limits, strict=True)
        if len(limits) and (window.start < limits.start or window.stop > limits.stop)
    ]
    if not outside:
        return ()
    remedy = "Check the alignment log, the rate and its unit of time, or whether the recording is whole"
    return (Finding(f"windows outside the recording: {shorten(outside)}", remedy),)
