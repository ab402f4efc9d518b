"""Open a recording: see what the path is, settle its geometry, rate and orientation, and read it."""

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import GeometryError, RecordingError
from engine.findings import Finding, option, shorten
from engine.geometry import Size
from engine.recording.claims import Claim, Settled, settle_geometry
from engine.recording.event_origin import Origin
from engine.recording.folder import FolderRecording
from engine.recording.inference import infer_geometry
from engine.recording.packed import PackedRecording, map_file
from engine.recording.planes import plane_bytes
from engine.recording.recording import SLOWEST_RATE_HZ, Recording, RecordingInfo, Source
from engine.recording.sidecar import SIDECAR_NAME, Sidecar, find_sidecar
from engine.recording.signature import checked_head
from engine.recording.written_end import WrittenEnd, find_written_end, last_lit_byte
from engine.time_units import TimeUnit

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Given:
    """What the caller says about a recording; None means "find out"."""

    height: int | None = None
    width: int | None = None
    rate_hz: float | None = None
    flip: bool | None = None
    layout_size: Size | None = None
    layout_planes: int | None = None
    time_unit: TimeUnit | None = None
    flip_source: Source = "given"
    lying: bool = False
    """A frame showed that rows of an array are its columns."""
    msb_first: bool | None = None
    frame_size: Size | None = None
    event_origin: Origin | None = None

    def check(self, path: Path) -> None:
        if self.rate_hz is not None and not (math.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise RecordingError(
                "no recording has this rate", path=path, found=f"{self.rate_hz} Hz", expected="more than 0 Hz"
            )


def open_packed(path: Path, given: Given) -> PackedRecording:
    """Open one `.dat` file."""
    sidecar = find_sidecar(path)
    mapped = map_file(path)
    stored = np.frombuffer(mapped, np.uint8)
    settled = settle_geometry(
        path,
        stored,
        given.height,
        given.width,
        claims_of(sidecar, given),
        msb_first=bool(given.msb_first),
        frames=given.frame_size,
    )
    info = _packed_info(path, len(stored), settled, sidecar, given)
    end = _packed_end(path, info.planes, info)
    return PackedRecording(with_end(info, end), mapped)


def with_end(info: RecordingInfo, end: WrittenEnd) -> RecordingInfo:
    """Return the facts of a recording of which only the beginning was written."""
    if end.unwritten_planes == 0:
        return dataclasses.replace(info, warnings=info.warnings + end.findings)
    return dataclasses.replace(
        info,
        planes=end.planes,
        unwritten_planes=end.unwritten_planes,
        known_by=info.known_by | {"planes": "bytes"},
        warnings=info.warnings + end.findings,
    )


def _packed_end(path: Path, planes: int, info: RecordingInfo) -> WrittenEnd:
    """Find the end of what was written in a file of so many planes."""
    size = plane_bytes(info.stored_size)
    lit = last_lit_byte(path, 0, planes * size)

    def spikes(start: int, stop: int) -> NDArray[np.uint8]:
        stored = np.frombuffer(map_file(path), np.uint8, (stop - start) * size, start * size)
        return np.bitwise_count(stored).reshape(stop - start, size)

    return find_written_end(planes, None if lit is None else lit // size, spikes)


def open_packed_folder(folder: Path, paths: tuple[Path, ...], given: Given) -> FolderRecording:
    """Open `.dat` files as the parts of one recording.

    Raises GeometryError where they do not share one geometry.
    """
    sidecar = find_sidecar(folder)
    sizes = []
    for path in paths:
        checked_head(path)
        sizes.append(path.stat().st_size)
    usual = Counter(sizes).most_common(1)[0][0]
    settled = _settle_parts(
        [p for p, size in zip(paths, sizes, strict=True) if size == usual], sidecar, given
    )
    first = _packed_info(folder, sum(sizes), settled, sidecar, given)
    stored_planes, warnings = _count_parts(paths, sizes, usual, first)
    ends = [_packed_end(path, count, first) for path, count in zip(paths, stored_planes, strict=True)]
    planes = tuple(end.planes for end in ends)
    info = with_part_ends(
        dataclasses.replace(
            first, format="folder", planes=sum(planes), warnings=first.warnings + warnings, remainder_bytes=0
        ),
        paths,
        ends,
    )

    def open_part(path: Path, planes: int) -> Recording:
        mapped = map_file(path)
        if mapped.size() < planes * plane_bytes(info.stored_size):
            raise RecordingError(
                "the recording was cut short while it was open",
                path=path,
                found=f"{mapped.size()} bytes",
                advice="Open it again.",
            )
        part = dataclasses.replace(info, path=path, format="packed", planes=planes, bytes=mapped.size())
        return PackedRecording(part, mapped)

    return FolderRecording(info, paths, planes, open_part)


def with_part_ends(info: RecordingInfo, paths: Sequence[Path], ends: Sequence[WrittenEnd]) -> RecordingInfo:
    """Return the facts of a folder of which some parts end in planes that were never written."""
    unwritten = sum(end.unwritten_planes for end in ends)
    cut = [
        f"{path.name} ({end.planes} of {end.planes + end.unwritten_planes} planes)"
        for path, end in zip(paths, ends, strict=True)
        if end.unwritten_planes
    ]
    empty = [path.name for path, end in zip(paths, ends, strict=True) if end.is_empty]
    warnings = info.warnings
    if cut:
        warnings += (
            Finding(
                f"parts end in planes without any spike, which were allocated and never written and do not "
                f"count as recording: {shorten(cut)} hold spikes",
                "Copy those parts again where they should be longer",
            ),
        )
    if empty:
        warnings += (
            Finding(
                f"parts without a single spike: {shorten(empty)}",
                "Copy or record them again: nothing can be known from them",
            ),
        )
    known_by = info.known_by | ({"planes": "bytes"} if unwritten else {})
    return dataclasses.replace(info, unwritten_planes=unwritten, known_by=known_by, warnings=warnings)


def doubt_rate(rate_hz: float | None, source: Source) -> tuple[Finding, ...]:
    """Say aloud that a rate is lower than any spike camera's."""
    if rate_hz is None or rate_hz >= SLOWEST_RATE_HZ:
        return ()
    who = {"given": "as given", "sidecar": f"says {SIDECAR_NAME}", "file": "says the file"}.get(
        source, "found"
    )
    meant = f"{rate_hz:g} kHz, which is {1000 * rate_hz:g}" if rate_hz <= 100 else "something else"
    return (
        Finding(
            f"{rate_hz:g} planes a second ({who}) is less than any spike camera records (1000 to 40000 are "
            f"usual): perhaps {meant}, or it is the rate of the frames",
            f"Give {option('rate_hz')} in planes per second where it is another",
        ),
    )


def claims_of(sidecar: Sidecar, given: Given) -> list[Claim]:
    """Return what others than the caller say about the size."""
    claims = []
    if sidecar.size is not None:
        claims.append(Claim(sidecar.size, "sidecar", str(sidecar.path)))
    if given.layout_size is not None:
        claims.append(Claim(given.layout_size, "layout", "the data set's layout"))
    return claims


def _packed_info(
    path: Path, total_bytes: int, settled: Settled, sidecar: Sidecar, given: Given
) -> RecordingInfo:
    rate_hz, rate_source = first_answer((given.rate_hz, "given"), (sidecar.rate_hz, "sidecar"))
    flip, flip_source = first_answer((given.flip, given.flip_source), (sidecar.flip, "sidecar"))
    warnings = sidecar.warnings + settled.warnings + doubt_rate(rate_hz, rate_source)
    if given.layout_planes not in (None, settled.planes):
        warnings += (
            Finding(
                f"the data set's layout says {given.layout_planes} planes, but there are {settled.planes}",
                "Copy the recording again where it should be longer",
            ),
        )
    return RecordingInfo(
        path=path,
        format="packed",
        height=settled.size.height,
        width=settled.size.width,
        planes=settled.planes,
        bytes=total_bytes,
        rate_hz=rate_hz,
        remainder_bytes=settled.remainder_bytes,
        head_columns=settled.head_columns,
        flip=True if flip is None else flip,
        msb_first=bool(given.msb_first),
        known_by={**settled.sources, "rate_hz": rate_source, "flip": flip_source},
        warnings=warnings,
        candidates=settled.candidates,
    )


def first_answer(*answers: tuple[T | None, Source]) -> tuple[T | None, Source]:
    """Return the first answer there is, with its source."""
    return next(((value, source) for value, source in answers if value is not None), (None, "unknown"))


def _settle_parts(paths: Sequence[Path], sidecar: Sidecar, given: Given) -> Settled:
    """Settle the geometry of alike parts by the first whose bits show it: some may be dark."""
    settled: list[Settled] = []
    failure: GeometryError | None = None
    for path in dict.fromkeys((paths[0], paths[len(paths) // 2], paths[-1])):
        stored = np.frombuffer(map_file(path), np.uint8)
        try:
            answer = settle_geometry(
                path,
                stored,
                given.height,
                given.width,
                claims_of(sidecar, given),
                msb_first=bool(given.msb_first),
                frames=given.frame_size,
            )
        except GeometryError as error:
            failure = failure or error
            continue
        if answer.is_checked:
            return answer
        settled.append(answer)
    if settled:
        return settled[0]
    assert failure is not None
    raise failure


def _count_parts(
    paths: tuple[Path, ...], sizes: list[int], usual: int, info: RecordingInfo
) -> tuple[tuple[int, ...], tuple[Finding, ...]]:
    """Return the planes of every part, and warnings about parts unlike the others."""
    size = plane_bytes(info.stored_size)
    counts = tuple(total // size for total in sizes)
    warnings: tuple[Finding, ...] = ()
    for unlike in sorted(set(sizes) - {usual}):
        path = paths[sizes.index(unlike)]
        remainder = unlike % size
        stored = np.frombuffer(map_file(path), np.uint8)
        best = infer_geometry(stored, thorough=remainder > 0, msb_first=info.msb_first).best
        if (best is not None and best.size != info.size) or unlike < size or (remainder and unlike > usual):
            raise GeometryError(
                "the recordings of this folder are not of one geometry",
                path=path,
                found=f"{unlike} bytes" + (f" that look like {best.size}" if best else ""),
                expected=f"planes of {info.size}, {size} bytes each, as in most others",
                advice="Keep recordings of one size in a folder, or copy a truncated one again.",
            )
        if remainder:
            warnings += (
                Finding(
                    f"{path.name} is truncated: {unlike} bytes are {unlike // size} planes of {size} bytes "
                    f"and {remainder} bytes more, most others have {usual} bytes",
                    "Copy it again",
                ),
            )
    usual_planes = usual // size
    odd = [
        f"{path.name} ({count})" for path, count in zip(paths, counts, strict=True) if count != usual_planes
    ]
    if odd:
        warnings += (
            Finding(
                f"most parts have {usual_planes} planes, but not {shorten(odd)}",
                "Copy those again where they should be longer",
            ),
        )
    return counts, warnings
