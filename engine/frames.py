"""Where a sequence's pictures come from: a list of files or a video, read one at a time."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameError
from engine.file_names import missing_numbers
from engine.findings import Finding
from engine.geometry import Size
from engine.layouts.listing import shorten
from engine.pictures import PictureInfo, picture_info, read_samples
from engine.samples import Samples

SURVEYED_HEADERS = 1000
"""Headers read when a folder is opened; of longer folders an even choice, so that opening stays quick."""


class FrameSource(Protocol):
    """Pictures in order. Safe to read from several threads."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def size(self) -> Size: ...

    @property
    def bit_depth(self) -> int: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...

    @property
    def times_seconds(self) -> NDArray[np.float64] | None:
        """When each picture was shown, (frames,) ascending from any zero; None where nothing says so."""
        ...

    def read(self, index: int) -> Samples:
        """Return one picture, (H, W, 3) RGB, as it is stored. Raises FrameError."""
        ...

    def close(self) -> None: ...


class PictureFrames:
    """Picture files. All have the size that most of them have; reading another one raises FrameError.

    Raises FrameError when none of them can be read.
    """

    times_seconds: NDArray[np.float64] | None = None

    def __init__(self, paths: Sequence[Path], what: str = "frames", *, is_series: bool = True) -> None:
        """Read the headers; `is_series` says that a gap in the numbers means a missing picture."""
        self._paths = tuple(paths)
        self.names = tuple(path.stem for path in self._paths)
        infos, broken = _survey(self._paths)
        sizes = Counter(info.size for info in infos.values())
        self.size = sizes.most_common(1)[0][0]
        self.bit_depth = 16 if any(info.bit_depth > 8 for info in infos.values()) else 8
        self.findings = (
            *_findings_about_headers(infos, broken, self.size, what),
            *_findings_about_names(self.names, what, is_series),
        )

    def __len__(self) -> int:
        return len(self._paths)

    def path(self, index: int) -> Path:
        return self._paths[index]

    def read(self, index: int) -> Samples:
        picture = read_samples(self._paths[index])
        size = Size(*picture.shape[:2])
        if size != self.size:
            raise FrameError(
                "the picture has another size than the rest",
                path=self._paths[index],
                found=str(size),
                expected=str(self.size),
                advice="Leave it out, or open its folder without the others",
            )
        return picture

    def close(self) -> None:
        """Nothing is held open between two pictures."""


def _survey(paths: tuple[Path, ...]) -> tuple[dict[Path, PictureInfo], list[FrameError]]:
    """Headers of the files, or of an even choice of them, and the errors of those that have none."""
    chosen = range(len(paths))
    if len(paths) > SURVEYED_HEADERS:
        places = np.linspace(0, len(paths) - 1, SURVEYED_HEADERS)
        chosen = sorted({round(float(place)) for place in places})  # type: ignore[assignment]
    infos: dict[Path, PictureInfo] = {}
    broken: list[FrameError] = []
    for at in chosen:
        try:
            infos[paths[at]] = picture_info(paths[at])
        except FrameError as error:
            broken.append(error)
    if not infos:
        raise broken[0]
    return infos, broken


def _findings_about_headers(
    infos: dict[Path, PictureInfo], broken: list[FrameError], size: Size, what: str
) -> list[Finding]:
    findings = []
    if broken:
        names = shorten([error.path.name for error in broken if error.path])
        findings.append(Finding(f"{what} that cannot be read: {names}", "Copy them again, or leave them out"))
    odd = [f"{path.name} ({info.size})" for path, info in infos.items() if info.size != size]
    if odd:
        findings.append(
            Finding(
                f"{what} of another size than {size}: {shorten(odd)}",
                "Leave them out: they cannot be restored",
            )
        )
    alpha = [path.name for path, info in infos.items() if info.has_alpha]
    if alpha:
        findings.append(
            Finding(
                f"{what} whose alpha channel is dropped: {shorten(alpha)}",
                "Save them without alpha where it carries meaning",
            )
        )
    depths = Counter(info.bit_depth for info in infos.values())
    if len(depths) > 1:
        rare = min(depths, key=lambda depth: depths[depth])
        names = shorten([path.name for path, info in infos.items() if info.bit_depth == rare])
        findings.append(
            Finding(f"{what} of mixed bit depths; {rare} bits: {names}", "Save all of them with one depth")
        )
    return findings


def _findings_about_names(names: tuple[str, ...], what: str, is_series: bool) -> list[Finding]:
    findings = []
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        findings.append(
            Finding(
                f"{what} that share a name and differ in the suffix only: {shorten(twice)}",
                "Move one of each away",
            )
        )
    missing = missing_numbers(names) if is_series else ()
    if missing:
        numbers = shorten([str(number) for number in missing])
        findings.append(Finding(f"{what} whose number is missing: {numbers}", "Copy them, where they exist"))
    return findings
