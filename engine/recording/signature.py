"""Tell a spike recording from a file that is none, by its first bytes."""

from pathlib import Path

from engine.errors import RecordingError

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"

FOREIGN_MAGICS = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"%PDF-", "a PDF document"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x1a\x45\xdf\xa3", "a Matroska video"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (b"#!AER-DAT", "an AEDAT event file"),
)
PROBE_BYTES = 512


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
    what = _foreign(path, head)
    if what is not None:
        raise RecordingError(
            f"this is {what}, not a spike recording",
            path=path,
            found=f"first bytes {quote(head)}",
            expected="packed planes (.dat), or an array of planes or events (.npy, .npz)",
            advice="Choose the file with the spikes.",
        )


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


def _foreign(path: Path, head: bytes) -> str | None:
    for magic, what in FOREIGN_MAGICS:
        if head.startswith(magic):
            return what
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WEBP", b"WAVE"):
        return f"a RIFF file ({head[8:12].decode().strip()})"
    if head[4:8] == b"ftyp":
        return "an MP4 or QuickTime video"
    # Two letters alone turn up by chance: a bitmap also states its own length.
    if head[:2] == b"BM" and int.from_bytes(head[2:6], "little") == path.stat().st_size:
        return "a BMP picture"
    return "text" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    if len(head) < 16:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\r\n\t\f" for character in text)
