"""Where a sequence's pictures come from: files, the pages of a TIFF stack or a video, read one at a time."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameError
from engine.file_names import missing_numbers
from engine.findings import Finding
from engine.frame_times import FrameTimes
from engine.geometry import Size, Span
from engine.layouts.listing import shorten
from engine.pictures import (
    PictureInfo,
    StoredPicture,
    TiffStack,
    decoding,
    is_stack,
    picture_info,
    read_samples,
    read_stored,
)
from engine.samples import Samples

if TYPE_CHECKING:
    from engine.video.sound import Sound

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

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames a second, exactly, as the file says it; None where it does not."""
        ...

    @property
    def frame_times(self) -> FrameTimes | None:
        """The same times, exactly, as far as they are a video's."""
        ...

    @property
    def sound_tracks(self) -> int: ...

    def sound_of(self, frames: Span) -> "Sound | None":
        """Return the sound of a video's frames; None where there is none."""
        ...

    def read(self, index: int) -> Samples:
        """Return one picture, (H, W, 3) RGB, as it is stored. Raises FrameError."""
        ...

    def close(self) -> None: ...


class PictureFrames:
    """Picture files, or the pages of a lone TIFF stack, named after it as a video's frames are.

    All have the size that most of them have; reading another one raises FrameError. So does a stack among
    other files, whose pages could be frames or not. Raises FrameError when none of them can be read.
    """

    times_seconds: NDArray[np.float64] | None = None
    frame_rate: Fraction | None = None
    frame_times: FrameTimes | None = None
    sound_tracks = 0

    def __init__(
        self,
        paths: Sequence[Path],
        what: str = "frames",
        *,
        is_series: bool = True,
        white: int | None = None,
        may_be_stack: bool = True,
    ) -> None:
        """Read the headers; `is_series` says that a gap in the numbers means a missing picture.

        `white` is the sample that is white where a file has more than 8 bits, `may_be_stack` that a lone
        file of several pictures stands for all of them.
        """
        self._paths = tuple(paths)
        self._white, self._white_found_in = white, ""
        self._stack = _lone_stack(self._paths) if may_be_stack else None
        infos: dict[str, PictureInfo]
        broken: list[FrameError] = []
        if self._stack is None:
            self.names = tuple(path.stem for path in self._paths)
            infos, broken = _survey(self._paths)
        else:
            self.names = _page_names(self._paths[0].stem, len(self._stack))
            infos = dict(zip(self.names, self._stack.infos, strict=True))
        sizes = Counter(info.size for info in infos.values())
        self.size = sizes.most_common(1)[0][0]
        self.bit_depth = 16 if any(info.bit_depth > 8 for info in infos.values()) else 8
        self.findings = (
            *_findings_about_stack(self._stack, self._paths[0]),
            *_findings_about_headers(infos, broken, self.size, what),
            *_findings_about_names(self.names, what, is_series and self._stack is None),
            *_findings_about_white(white, self.bit_depth, what),
        )

    def __len__(self) -> int:
        return len(self.names)

    def take_for_white(self, level: int, found_in: str) -> None:
        """Read with a white level that nobody gave; `found_in` says what it follows from, as "3 frames"."""
        self._white, self._white_found_in = level, found_in

    def path(self, index: int) -> Path:
        """Return the file that holds a picture."""
        return self._paths[0 if self._stack is not None else index]

    def read(self, index: int) -> Samples:
        if self._stack is None and self._white is None:
            picture = read_samples(self._paths[index])
        else:
            with decoding(self.path(index)):
                picture = self.read_stored(index).samples(
                    self._white, self.path(index), found_in=self._white_found_in
                )
        size = Size(*picture.shape[:2])
        if size != self.size:
            raise FrameError(
                "the picture has another size than the rest",
                path=self.path(index),
                found=str(size),
                expected=str(self.size),
                advice="Leave it out, or open its folder without the others",
            )
        return picture

    def read_stored(self, index: int) -> StoredPicture:
        """Return a picture's samples as its file has them. Raises FrameError."""
        return read_stored(self._paths[index]) if self._stack is None else self._stack.read(index)

    def sound_of(self, frames: Span) -> None:
        """Return None."""

    def close(self) -> None:
        """Let go of a stack; of single files nothing is held open between two pictures."""
        if self._stack is not None:
            self._stack.close()


def _lone_stack(paths: tuple[Path, ...]) -> TiffStack | None:
    if len(paths) != 1 or not is_stack(paths[0]):
        return None
    return TiffStack(paths[0])


def _page_names(stem: str, count: int) -> tuple[str, ...]:
    digits = max(4, len(str(count)))
    return tuple(f"{stem}_{number:0{digits}d}" for number in range(1, count + 1))


def _survey(paths: tuple[Path, ...]) -> tuple[dict[str, PictureInfo], list[FrameError]]:
    """Headers of the files, or of an even choice of them, and the errors of those that have none."""
    chosen = range(len(paths))
    if len(paths) > SURVEYED_HEADERS:
        places = np.linspace(0, len(paths) - 1, SURVEYED_HEADERS)
        chosen = sorted({round(float(place)) for place in places})  # type: ignore[assignment]
    infos: dict[str, PictureInfo] = {}
    broken: list[FrameError] = []
    for at in chosen:
        try:
            infos[paths[at].name] = picture_info(paths[at])
        except FrameError as error:
            broken.append(error)
    if not infos:
        raise broken[0]
    return infos, broken


def _findings_about_stack(stack: TiffStack | None, path: Path) -> list[Finding]:
    if stack is None or stack.axis != "channels":
        return []
    return [
        Finding(
            f"{path.name} calls its {len(stack)} pictures channels; they are taken for frames in order",
            "Save one RGB picture a frame where they are colours",
        )
    ]


def _findings_about_white(white: int | None, bit_depth: int, what: str) -> list[Finding]:
    if white is None or bit_depth > 8:
        return []
    return [
        Finding(
            f"the white level {white} is not used for the {what}: they have 8 bits, and 255 is white",
            "Leave it out where no other picture has more bits",
        )
    ]


def _findings_about_headers(
    infos: dict[str, PictureInfo], broken: list[FrameError], size: Size, what: str
) -> list[Finding]:
    findings = []
    if broken:
        findings += _findings_about_broken(broken, what)
    odd = [f"{name} ({info.size})" for name, info in infos.items() if info.size != size]
    if odd:
        findings.append(
            Finding(
                f"{what} of another size than {size}: {shorten(odd)}",
                "Leave them out: they cannot be restored",
            )
        )
    alpha = [name for name, info in infos.items() if info.has_alpha]
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
        names = shorten([name for name, info in infos.items() if info.bit_depth == rare])
        findings.append(
            Finding(f"{what} of mixed bit depths; {rare} bits: {names}", "Save all of them with one depth")
        )
    return findings


def _findings_about_broken(broken: list[FrameError], what: str) -> list[Finding]:
    """One finding for each way of being broken, in the words that reading such a picture fails with."""
    by_problem: dict[str, list[FrameError]] = {}
    for error in broken:
        by_problem.setdefault(error.problem, []).append(error)
    return [
        Finding(
            f"{what} that cannot be read: {shorten([error.path.name for error in errors if error.path])}: "
            f"{problem}",
            errors[0].advice or "Copy them again, or leave them out",
        )
        for problem, errors in by_problem.items()
    ]


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
