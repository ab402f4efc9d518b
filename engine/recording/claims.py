"""Whose word counts about the size of a headerless recording.

What the caller gives is obeyed; a sidecar's and a layout's claims are checked against the bits, and
the bits win, unless the frames beside them have the shape that is claimed and not the one that the bits show:
two accounts that know nothing of each other. Every disagreement becomes a warning that names both answers.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import GeometryError
from engine.findings import Finding, option
from engine.geometry import Size
from engine.recording.inference import HEAD_COLUMNS, GeometryGuess, infer_geometry, usual_candidates
from engine.recording.planes import plane_bytes
from engine.recording.recording import GeometryCandidate, Source

LARGEST_SIDE_PX = 1 << 16
SAME_SHAPE = 0.01
"""Relative difference between the sides of two pictures of one view."""
_SHOWN_CANDIDATES = 3


@dataclass(frozen=True)
class Claim:
    """A size, and who says so."""

    size: Size
    source: Source
    by: str
    """The claimant in words, such as the path of a sidecar."""


@dataclass(frozen=True)
class Settled:
    """The size that a recording is read with."""

    size: Size
    head_columns: int
    planes: int
    remainder_bytes: int
    sources: dict[str, Source]
    """Source of height, width and planes."""
    warnings: tuple[Finding, ...]
    candidates: tuple[GeometryCandidate, ...]
    is_checked: bool
    """The bits show this size, or the caller gave it."""


def check_side(value: int | None, name: str, path: Path) -> int | None:
    """Return a height or width that the caller gave, or raise GeometryError where none can be so."""
    if value is None:
        return None
    if isinstance(value, bool) or int(value) != value or not 1 <= value <= LARGEST_SIDE_PX:
        raise GeometryError(
            f"no plane has this {name}",
            path=path,
            found=f"{name} {value}",
            expected=f"a whole number from 1 to {LARGEST_SIDE_PX}",
        )
    return int(value)


def settle_geometry(
    path: Path,
    stored: NDArray[np.uint8],
    height: int | None,
    width: int | None,
    claims: list[Claim],
    *,
    msb_first: bool = False,
    frames: Size | None = None,
) -> Settled:
    """Decide the size of the packed planes in `stored`, the whole file as uint8 (bytes,).

    `frames` is the size of the pictures that were taken beside it, where there are some.

    Raises GeometryError where the size is impossible, or nothing says it and the bits do not show it.
    """
    height, width = check_side(height, "height", path), check_side(width, "width", path)
    if height is not None and width is not None:
        return _obey(path, stored, Size(height, width), msb_first)
    given: dict[str, Source] = {}
    if height is not None or width is not None:
        given["height" if height is not None else "width"] = "given"
        claims = [c for c in claims if height in (None, c.size.height) and width in (None, c.size.width)]
    guess = infer_geometry(stored, height=height, width=width, msb_first=msb_first)
    if guess.best is not None:
        best = guess.best.size
        shaped = [
            claim
            for claim in claims
            if frames is not None
            and _alike(claim.size, frames)
            and not _alike(best, frames)
            and len(stored) % plane_bytes(claim.size) == 0
        ]
        if shaped:
            return _believe_frames(stored, guess, guess.best, shaped[0], claims, given)
        return _believe_bits(stored, guess, guess.best, claims, given)
    return _believe_claims(path, stored, guess, claims, given)


def _obey(path: Path, stored: NDArray[np.uint8], size: Size, msb_first: bool) -> Settled:
    guess = infer_geometry(stored, thorough=False, msb_first=msb_first)
    sources: dict[str, Source] = {"height": "given", "width": "given", "planes": "file"}
    head = 0
    if guess.best is not None and guess.best.size == size:
        head = guess.best.head_columns
    elif len(stored) % plane_bytes(size):
        raw = [s for s, columns in HEAD_COLUMNS.items() if Size(s.height, s.width - columns) == size]
        if any(len(stored) % plane_bytes(line) == 0 for line in raw):
            head = HEAD_COLUMNS[raw[0]]
    planes, remainder = _planes(path, len(stored), size, head)
    warnings = _about_rest(len(stored), size, head, planes, remainder) + _about_head(size, head)
    if guess.best is not None and guess.best.size != size:
        warnings += (
            Finding(
                f"read as {size} as asked, although the bits look like {_describe(guess.best)}",
                f"Check {option('height', 'width')} if the picture is sheared or torn",
            ),
        )
    return Settled(size, head, planes, remainder, sources, warnings, guess.candidates, is_checked=True)


def _believe_bits(
    stored: NDArray[np.uint8],
    guess: GeometryGuess,
    best: GeometryCandidate,
    claims: list[Claim],
    given: dict[str, Source],
) -> Settled:
    agreeing = [claim for claim in claims if claim.size == best.size]
    source = agreeing[0].source if agreeing else "bytes"
    warnings = tuple(
        Finding(
            f"{claim.by} says {claim.size}, but the bits show {_describe(best)}; the bits were believed",
            f"Give {option('height', 'width')} where the bits are wrong",
        )
        for claim in claims
        if claim.size != best.size
    )
    warnings += _about_rest(len(stored), best.size, best.head_columns, best.planes, best.remainder_bytes)
    warnings += _about_head(best.size, best.head_columns)
    sources: dict[str, Source] = {"height": source, "width": source, "planes": "file"}
    return Settled(
        best.size,
        best.head_columns,
        best.planes,
        best.remainder_bytes,
        sources | given,
        warnings,
        guess.candidates,
        is_checked=True,
    )


def _alike(size: Size, frames: Size) -> bool:
    """Whether two pictures have one shape."""
    expected = size.height * frames.width / frames.height
    return abs(size.width - expected) <= SAME_SHAPE * expected


def _believe_frames(
    stored: NDArray[np.uint8],
    guess: GeometryGuess,
    best: GeometryCandidate,
    chosen: Claim,
    claims: list[Claim],
    given: dict[str, Source],
) -> Settled:
    """Take a claim that the frames confirm by their shape, and say what the bits look like."""
    warnings = tuple(
        Finding(
            f"{other} {said}, but {chosen.by} says {chosen.size}, which is of the shape of the frames",
            f"Give {option('height', 'width')} where it is wrong",
        )
        for other, said in (
            ("the bits look like", _describe(best)),
            *((claim.by, f"says {claim.size}") for claim in claims if claim.size != chosen.size),
        )
    )
    planes = len(stored) // plane_bytes(chosen.size)
    sources: dict[str, Source] = {"height": chosen.source, "width": chosen.source, "planes": "file"}
    return Settled(chosen.size, 0, planes, 0, sources | given, warnings, guess.candidates, is_checked=True)


def _believe_claims(
    path: Path,
    stored: NDArray[np.uint8],
    guess: GeometryGuess,
    claims: list[Claim],
    given: dict[str, Source],
) -> Settled:
    possible = [claim for claim in claims if plane_bytes(claim.size) <= len(stored)]
    whole = [claim for claim in possible if len(stored) % plane_bytes(claim.size) == 0]
    if not possible:
        raise _ask(path, len(stored), guess, claims)
    chosen = (whole or possible)[0]
    warnings = tuple(
        Finding(
            f"{claim.by} says {claim.size}, but {chosen.by} says {chosen.size}, which fits the "
            f"{len(stored)} bytes better; the bits show neither",
            f"Give {option('height', 'width')}",
        )
        for claim in claims
        if claim.size != chosen.size
    )
    planes, remainder = divmod(len(stored), plane_bytes(chosen.size))
    warnings += _about_rest(len(stored), chosen.size, 0, planes, remainder)
    sources: dict[str, Source] = {"height": chosen.source, "width": chosen.source, "planes": "file"}
    return Settled(
        chosen.size, 0, planes, remainder, sources | given, warnings, guess.candidates, is_checked=False
    )


def _planes(path: Path, total_bytes: int, size: Size, head_columns: int) -> tuple[int, int]:
    stored_bytes = plane_bytes(Size(size.height, size.width + head_columns))
    planes, remainder = divmod(total_bytes, stored_bytes)
    if planes == 0:
        raise GeometryError(
            "the recording is shorter than one plane",
            path=path,
            found=f"{total_bytes} bytes",
            expected=f"at least {stored_bytes} bytes for {size}",
            advice=f"Copy it again where it is truncated, or give other {option('height', 'width')}.",
        )
    return planes, remainder


def _about_rest(
    total_bytes: int, size: Size, head_columns: int, planes: int, remainder: int
) -> tuple[Finding, ...]:
    if remainder == 0:
        return ()
    plane = plane_bytes(Size(size.height, size.width + head_columns))
    return (
        Finding(
            f"{total_bytes} bytes are {planes} planes of {plane} bytes ({size}) and {remainder} bytes more: "
            f"the recording is truncated ({(planes + 1) * plane} bytes would be whole) or its size is wrong",
            f"Copy it again, or give {option('height', 'width')}",
        ),
    )


def _about_head(size: Size, head_columns: int) -> tuple[Finding, ...]:
    if head_columns == 0:
        return ()
    return (
        Finding(
            f"rows are raw camera lines of {size.width + head_columns} pixels; "
            f"their last {head_columns} columns are not picture and are left out",
            f"Give {option('width', words=f'a width of {size.width + head_columns}')} where they are picture",
        ),
    )


def _describe(candidate: GeometryCandidate) -> str:
    return f"{candidate.size} ({candidate.planes} planes, score {candidate.score:.2f})"


def _ask(path: Path, total_bytes: int, guess: GeometryGuess, claims: list[Claim]) -> GeometryError:
    best = [_describe(candidate) for candidate in guess.candidates[:_SHOWN_CANDIDATES]]
    usual = usual_candidates(total_bytes)
    found = f"{total_bytes} bytes"
    if claims:
        found += "; too short for " + ", ".join(f"{claim.size} ({claim.by})" for claim in claims)
    if best:
        found += "; best readings " + ", ".join(best)
    elif usual:
        found += "; of the usual sizes these fit: " + ", ".join(str(each.size) for each in usual)
    error = GeometryError(
        "nothing says the height and width of a plane, and the bits do not show them clearly",
        path=path,
        found=found,
        advice=f"Give {option('height', 'width')}.",
    )
    error.candidates = guess.candidates or usual
    return error
