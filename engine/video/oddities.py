"""What is odd about a video, and what to do about it."""

from fractions import Fraction
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc

from engine.findings import Finding
from engine.video.container import OpenedVideo
from engine.video.index import PacketIndex
from engine.video.samples import MOST_SD_ROWS, Colours

_LIMITED_BY_DEFAULT = frozenset({"h264", "hevc"})
"""Standards by which grey without a stated range is limited, though most programs write full."""
SLOWEST, FASTEST = Fraction(1, 100_000), Fraction(1_000_000)
"""Frames a second: about one a day, and what no camera is beyond that writes videos."""
COPY_AGAIN = "Copy it again where frames are missing"


def about_count(name: str, claimed: int, count: int, index: PacketIndex, leading: int) -> tuple[Finding, ...]:
    """Compare what a container claims, 0 where it claims nothing, with the frames that there are."""
    findings = []
    hidden = len(index.not_shown)
    # AVI counts frames that were left out, too: its clock ticks once a frame.
    possible = {count, count + hidden} if index.knows_presentation else {count, count + hidden, index.ticks}
    if claimed > 0 and claimed not in possible:
        findings.append(Finding(f"{name} claims {claimed} frames and holds {count}", COPY_AGAIN))
    elif index.partial_last:
        findings.append(Finding(f"{name} ends within a frame, which is left out", COPY_AGAIN))
    elif index.ends_early:
        findings.append(Finding(f"{name} is cut off after {count} frames", COPY_AGAIN))
    if leading:
        findings.append(
            Finding(
                f"the first {leading} frames of {name} need data from before its beginning, and are left out",
                "Cut the video at a key frame to have them",
            )
        )
    if index.restarts:
        findings.append(
            Finding(
                f"the time stamps of {name} go backwards: they are not used",
                "Convert it again from its parts where times matter",
            )
        )
    if index.loses_times:
        findings.append(
            Finding(
                f"{name} leaves frames out, and does not say which: its times are not used",
                "Give an alignment log where times matter",
            )
        )
    return tuple(findings)


def about_streams(opened: OpenedVideo) -> tuple[Finding, ...]:
    """Say which of several streams is read, and which shape its pixels are said to have."""
    findings = []
    if opened.streams > 1:
        findings.append(
            Finding(
                f"the file holds {opened.streams} videos; the largest is read, stream {opened.stream.index}",
                "Put the one that is meant into a file of its own",
            )
        )
    aspect = opened.stream.sample_aspect_ratio
    if aspect and aspect != 1:
        findings.append(
            Finding(
                f"the video says its pixels are {aspect.numerator}:{aspect.denominator} wide: "
                "they are taken as they are stored",
                "Nothing is to be done where the spikes have the same shape",
            )
        )
    return tuple(findings)


def about_rate(name: str, rate: Fraction | None) -> tuple[Finding, ...]:
    """Say that a rate which a file names is none."""
    if rate is None or SLOWEST <= rate <= FASTEST:
        return ()
    return (
        Finding(
            f"{name} says that it has {float(rate):.6g} frames a second: its times are not used",
            "Write the rate into it where times matter, or give an alignment log",
        ),
    )


def about_frame(frame: VideoFrame, colours: Colours, codec: str) -> tuple[Finding, ...]:
    """Say what the first frame shows about all of them."""
    findings = []
    if frame.interlaced_frame:
        findings.append(
            Finding(
                "interlaced: moving objects show combs; each field was exposed at its own time",
                "Record progressive video, or separate the fields into frames of half the height",
            )
        )
    turn = _turn(frame)
    if turn:
        findings.append(
            Finding(
                f"the video says that a player should {turn}: the pixels are taken as the sensor gave them",
                "Turn the spikes the same way where they do not fit",
            )
        )
    transfer = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG", ColorTrc.LOG: "logarithmic"}.get(
        frame.color_trc  # type: ignore[call-overload]
    )
    if transfer:
        findings.append(
            Finding(
                f"the video has {transfer} values (HDR), which are taken as they are stored",
                "Convert it to a standard range, or to linear light with gamma 1",
            )
        )
    if any(part.is_alpha for part in frame.format.components):
        findings.append(
            Finding("the video's alpha channel is dropped", "Save it without alpha where it carries meaning")
        )
    if frame.format.name.startswith("bayer"):
        findings.append(
            Finding(
                "the video holds a Bayer pattern: two of three colours are interpolated",
                "Expect less detail in red and blue",
            )
        )
    if colours.kind == "grey" and not colours.range_stated and codec in _LIMITED_BY_DEFAULT:
        findings.append(
            Finding(
                "the video does not say the range of its grey: full is taken, from 0 on",
                "Write the range into the file where it is limited",
            )
        )
    if colours.kind == "YCbCr" and not colours.matrix_stated and frame.height > MOST_SD_ROWS:
        findings.append(
            Finding(
                "the video does not say its colour matrix: BT.709 is taken, by its height",
                "Write the matrix into the file where it is another",
            )
        )
    return tuple(findings)


def _turn(frame: VideoFrame) -> str:
    side_data: Any = frame.side_data
    try:
        matrix = side_data[SideDataType.DISPLAYMATRIX]
    except KeyError:
        return ""
    values = np.frombuffer(memoryview(matrix), np.int32)
    if int(values[0]) * int(values[4]) < int(values[1]) * int(values[3]):
        return "mirror its pictures"
    return f"turn its pictures by {abs(frame.rotation)}°" if frame.rotation else ""
