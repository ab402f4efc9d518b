"""What an export writes beside single pictures: tables of scores, and videos that compare two pictures."""

import csv
import io
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from app.display import to_bytes
from app.state.compare.comparing import BLURRY, REFERENCE, RESTORED
from app.state.compare.results import Restored
from app.state.export.exporting import Work
from app.state.reading.lease import Lease
from engine.errors import ExportError
from engine.frame_times import about_average, about_rounding
from engine.geometry import Span

if TYPE_CHECKING:
    from engine.findings import Finding
    from engine.sequence import Sequence as FrameSequence
    from engine.video.sound import Sound
    from engine.video.writing import Quality

Layout = Literal["side by side", "wipe"]
GAP_PX = 8
LINE_PX = 2
HEADER = ("index", "name", "method", "blurry_psnr", "blurry_ssim", "blurry_correlation")
HEADER_RESTORED = ("restored_psnr", "restored_ssim", "restored_correlation")


def write_scores(
    work: Work, lease: Lease, frames: Sequence[int], results: Mapping[int, Restored], path: Path
) -> None:
    """Write PSNR, SSIM and correlation of the blurry and the restored frames that have a reference.

    Numbers there are none of stay empty. Raises ExportError, also where no frame has a reference.
    """
    from engine.export import make_folder, write_text_atomically
    from engine.metrics import compare

    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow((*HEADER, *HEADER_RESTORED))
    measured = 0
    with lease.reading() as sequence:
        for done, index in enumerate(frames, start=1):
            if work.stopped:
                return
            work.progress(done, len(frames))
            if sequence.reference(index) is None:
                continue
            measured += 1
            blurry = compare(sequence, index, sequence.frame(index))
            row = [index, sequence.frame_name(index), "", *_numbers(blurry)]
            result = results.get(index)
            if result is None:
                row += [""] * len(HEADER_RESTORED)
            else:
                row[2] = result.made_by
                row += _numbers(compare(sequence, index, result.picture))
            writer.writerow(row)
        if not measured:
            raise ExportError(
                "none of these frames has a reference to compare with",
                path=sequence.source.path,
                advice="File ▸ Add reference names the folder of sharp pictures",
            )
    make_folder(path.parent)
    write_text_atomically(path, table.getvalue())
    work.written.append(path)


def _numbers(scores: object) -> list[str]:
    values = (getattr(scores, name) for name in ("psnr", "ssim", "correlation"))
    return ["" if math.isnan(value) else f"{value:.6g}" for value in values]


@dataclass(frozen=True)
class VideoPlan:
    """A comparison as a video."""

    path: Path
    frames: tuple[int, ...]
    left: str
    """`BLURRY`, `RESTORED` or `REFERENCE`, as `right`."""
    right: str
    layout: Layout
    fps: float | Fraction
    hold: int = 1
    """How often every frame is shown."""
    quality: "Quality" = "good"
    labels: tuple[str, str] | None = None
    """Names drawn into the left and the right picture."""
    at_own_times: bool = False
    """`fps` is the source's own: frames are shown when the source shows them, also where it is not even or
    some are left out."""
    sound: bool = False
    """The sound of the source goes with them; only at the source's own times."""


class _StoppedError(Exception):
    """The user wants no video any more."""


def write_video(work: Work, lease: Lease, plan: VideoPlan, results: Mapping[int, Restored]) -> None:
    """Write a video, whole or not at all. Raises ExportError where that is not possible.

    A frame without one of the two pictures is left out. With a wipe, the line goes across and back once.
    """
    from engine.video.writing import write_video as write_pictures_as_video

    with lease.reading() as sequence:
        plan = replace(plan, frames=_with_both(sequence, plan, results))
        timing = _timing(sequence, plan)
    pictures = _pictures_of_video(work, lease, plan, results)
    try:
        first = next(pictures, None)
        if first is None:
            raise ExportError(
                "no frame has both pictures",
                path=plan.path,
                advice="Deblur the frames first, or choose other pictures",
            )
        write_pictures_as_video(
            plan.path,
            itertools.chain([first], pictures),
            plan.fps,
            plan.quality,
            times=timing.times,
            sound=timing.sound,
        )
    except _StoppedError:
        return
    work.written.append(plan.path)
    work.findings += [*timing.findings, *(timing.sound.findings if timing.sound else ())]


@dataclass(frozen=True)
class _Timing:
    """When the frames of a video are shown, and what is heard."""

    times: tuple[Fraction, ...] | None = None
    """Of every frame, and of the end of the last; None where each lasts as long as any other."""
    sound: "Sound | None" = None
    findings: "tuple[Finding, ...]" = ()


def _with_both(
    sequence: "FrameSequence", plan: VideoPlan, results: Mapping[int, Restored]
) -> tuple[int, ...]:
    """Return the frames that have both pictures, without reading any."""

    def has(index: int, source: str) -> bool:
        if source == RESTORED:
            return index in results
        return source == BLURRY or sequence.has_reference_for(index)

    return tuple(index for index in plan.frames if has(index, plan.left) and has(index, plan.right))


def _timing(sequence: "FrameSequence", plan: VideoPlan) -> _Timing:
    """Return the source's own times where these are wanted, and its sound for as long."""
    if not plan.frames or not plan.at_own_times or plan.hold != 1:
        return _Timing()
    rate = sequence.frame_rate
    findings = () if rate is None else about_average(rate, sequence.name, sequence.frame_times is not None)
    shown = Span(plan.frames[0], plan.frames[-1] + 1)
    sound = sequence.sound_of(shown) if plan.sound else None
    own = sequence.frame_times
    if own is None:
        return _Timing(None, sound, findings)
    start = own.at(shown.start)
    times = tuple(own.at(index) - start for index in (*plan.frames, shown.stop))
    findings += about_rounding(times, own.rate, sequence.name, in_ms=plan.quality == "lossless")
    return _Timing(times, sound, findings)


def _pictures_of_video(
    work: Work, lease: Lease, plan: VideoPlan, results: Mapping[int, Restored]
) -> Iterator[NDArray[np.uint8]]:
    """The pictures one after another. Raises _StoppedError as soon as the work is to stop."""
    shown = 0
    for done, index in enumerate(plan.frames, start=1):
        if work.stopped:
            raise _StoppedError
        with lease.reading() as sequence:
            left = _picture(sequence, index, plan.left, results)
            right = _picture(sequence, index, plan.right, results)
        work.progress(done, len(plan.frames))
        if left is None or right is None:
            continue
        left, right = with_labels(plan, left, right)
        for _ in range(plan.hold):
            across = shown / max(1, plan.hold * len(plan.frames))
            yield _frame_of_video(plan.layout, left, right, across)
            shown += 1
    if work.stopped:
        raise _StoppedError


def with_labels(
    plan: VideoPlan, left: NDArray[np.uint8], right: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return both pictures with their names: in outer corners where they are wiped, so that both are seen."""
    from engine.video.labels import with_label

    if plan.labels is None:
        return left, right
    beside = plan.layout == "side by side"
    return with_label(left, plan.labels[0]), with_label(right, plan.labels[1], "left" if beside else "right")


def _frame_of_video(
    layout: Layout, left: NDArray[np.uint8], right: NDArray[np.uint8], across: float
) -> NDArray[np.uint8]:
    if layout == "side by side":
        return side_by_side(left, right)
    return wipe(left, right, 0.5 - 0.5 * math.cos(2 * math.pi * across))


def _picture(
    sequence: "FrameSequence", index: int, source: str, results: Mapping[int, Restored]
) -> NDArray[np.uint8] | None:
    if source == RESTORED:
        result = results.get(index)
        return None if result is None else to_bytes(result.picture)
    picture = sequence.frame(index) if source == BLURRY else sequence.reference(index)
    assert source in (BLURRY, REFERENCE)
    return None if picture is None else to_bytes(picture)


def side_by_side(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return both pictures beside each other, with even sides as videos need them."""
    height = max(left.shape[0], right.shape[0])
    sheet = np.zeros((height, left.shape[1] + GAP_PX + right.shape[1], 3), np.uint8)
    sheet[: left.shape[0], : left.shape[1]] = left
    sheet[: right.shape[0], left.shape[1] + GAP_PX :] = right
    return _even(sheet)


def wipe(left: NDArray[np.uint8], right: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return the left picture up to a line `share` of the way across, and the right one behind it."""
    sheet = right.copy()
    if left.shape != right.shape:
        raise ExportError(
            "pictures of two sizes cannot be wiped",
            found=f"{left.shape[:2]} and {right.shape[:2]}",
            advice="Choose side by side",
        )
    line = round(share * (sheet.shape[1] - LINE_PX))
    sheet[:, :line] = left[:, :line]
    sheet[:, line : line + LINE_PX] = 255
    return _even(sheet)


def _even(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = sheet.shape[:2]
    return np.pad(sheet, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
