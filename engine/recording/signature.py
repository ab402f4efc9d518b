"""Tell a spike recording from a file that is none, by its first bytes.

Strategy: packed planes are any bits at all, dark ones mostly zeros, so a kind is told only by what planes
cannot show by chance. Fixed bytes fix at least 24 bits of which several are set: about one in 2²⁴ random
planes would begin like one of a hundred kinds of 32 bits, and fewer dark or bright ones. Shorter marks,
and those with many zeros, count only where more fits: a length that the file has, a checksum, marks that
repeat. What a file's name says counts last, where its bytes are of no kind known here.
"""

from pathlib import Path

from engine.errors import RecordingError
from engine.recording.foreign_kinds import (
    EMPTY_ZIP_MAGIC,
    MAGICS,
    NPY_MAGIC,
    ZIP_MAGIC,
    ForeignKind,
    Probe,
    kind_by_suffix,
)
from engine.recording.foreign_structures import STRUCTURES

_MAGICS_BY_FIRST_BYTE = {
    first: tuple((magic, kind) for magic, kind in MAGICS if magic[0] == first)
    for first in {magic[0] for magic, _ in MAGICS}
}
PROBE_BYTES = 8192
"""Two pages hold what tells a kind: 20 packets of a transport stream, the first page of a database."""


def checked_head(path: Path) -> bytes:
    """Return the first bytes of a file that may be a recording.

    Raises RecordingError where it is missing, no file, empty, unreadable or of another kind.
    """
    head = read_head(path)
    refuse_foreign(path, head)
    return head


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises RecordingError where it is missing, no file, empty or unreadable.
    """
    try:
        with path.open("rb") as file:
            head = file.read(PROBE_BYTES)
    except FileNotFoundError:
        raise RecordingError(
            "there is no such recording", path=path, advice="Check the path; it may have been moved."
        ) from None
    except OSError as error:
        raise RecordingError(
            f"the recording cannot be read ({error.strerror or error})",
            path=path,
            advice="Check that it is a file and that you may read it.",
        ) from error
    if not head:
        raise RecordingError(
            "the recording is empty", path=path, found="0 bytes", advice="Copy or record it again."
        )
    return head


def refuse_foreign(path: Path, head: bytes) -> None:
    """Raise RecordingError, quoting the bytes found, where `head` belongs to something else."""
    kind = foreign_kind(path, head)
    if kind is not None:
        raise RecordingError(
            f"this is {kind.what}, not a spike recording",
            path=path,
            found=f"first bytes {quote(head)}",
            expected="packed planes (.dat), or an array of planes or events (.npy, .npz)",
            advice=kind.advice,
        )


def foreign_kind(path: Path, head: bytes) -> ForeignKind | None:
    """Return what a file with the first bytes `head` is, None where it may be a recording."""
    for magic, kind in _MAGICS_BY_FIRST_BYTE.get(head[0], ()):
        if head.startswith(magic):
            return kind
    if head.startswith(NPY_MAGIC):  # an array of letters is an array, not text
        return None
    probe = Probe(path, head)
    for look in STRUCTURES:
        found = look(probe)
        if found is not None:
            return found
    return None if head.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)) else kind_by_suffix(path)


def is_array(path: Path, head: bytes) -> bool:
    """Return whether a file is a `.npy` or `.npz`, whatever its name.

    Raises RecordingError where its name says so and its bytes do not.
    """
    if head.startswith((NPY_MAGIC, ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
        return True
    if path.suffix.lower() in (".npy", ".npz"):
        raise RecordingError(
            f"this is no {path.suffix.lower()} file",
            path=path,
            found=f"first bytes {quote(head)}",
            expected=f"{quote(NPY_MAGIC if path.suffix.lower() == '.npy' else ZIP_MAGIC)}",
            advice="Rename it to .dat if its planes are packed; else copy it again.",
        )
    return False


def quote(head: bytes) -> str:
    """Write the first bytes so that a person recognises them."""
    first = head[:8]
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in first)
    return f"{first.hex(' ')} ({text!r})"
