"""Open a recording: see what the path is, settle its geometry, rate and orientation, and read it."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from engine.errors import GeometryError, RecordingError
from engine.findings import Finding
from engine.geometry import Size
from engine.recording.claims import Claim, Settled, settle_geometry
from engine.recording.folder import FolderRecording
from engine.recording.inference import infer_geometry
from engine.recording.packed import PackedRecording, map_file
from engine.recording.planes import plane_bytes
from engine.recording.recording import Recording, RecordingInfo, Source
from engine.recording.sidecar import Sidecar, find_sidecar
from engine.recording.signature import checked_head
from engine.time_units import TimeUnit

_SHOWN_NAMES = 3
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
    msb_first: bool | None = None

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
        _claims(sidecar, given),
        msb_first=bool(given.msb_first),
    )
    return PackedRecording(_packed_info(path, len(stored), settled, sidecar, given), mapped)


def open_packed_folder(folder: Path, paths: tuple[Path, ...], given: Given) -> FolderRecording:
    """Open `.dat` files as the parts of one recording.

    Raises GeometryError where they do not share one geometry.
    """
    sidecar = find_sidecar(folder)
    sizes = []
    for path in paths:
        checked_head(path)
        sizes.append(path.stat().st_size)
    usual = max(sizes, key=sizes.count)
    settled = _settle_parts(
        [p for p, size in zip(paths, sizes, strict=True) if size == usual], sidecar, given
    )
    first = _packed_info(folder, sum(sizes), settled, sidecar, given)
    planes, warnings = _count_parts(paths, sizes, usual, first)
    info = dataclasses.replace(
        first, format="folder", planes=sum(planes), warnings=first.warnings + warnings, remainder_bytes=0
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


def _claims(sidecar: Sidecar, given: Given) -> list[Claim]:
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
    warnings = sidecar.warnings + settled.warnings
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
                _claims(sidecar, given),
                msb_first=bool(given.msb_first),
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
        more = f" and {len(odd) - _SHOWN_NAMES} more" if len(odd) > _SHOWN_NAMES else ""
        warnings += (
            Finding(
                f"most parts have {usual_planes} planes, but not {', '.join(odd[:_SHOWN_NAMES])}{more}",
                "Copy those again where they should be longer",
            ),
        )
    return counts, warnings
