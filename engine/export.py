"""Write results to disk, whole or not at all.

Strategy: encode in memory, write to a temporary file in the target's own folder, flush it to the disk,
then rename it over the target. Whatever goes wrong before the rename leaves the old file as it was and
no temporary file behind.
"""

import contextlib
import errno
import io
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import ExportError

BitDepth = Literal[8, 16]

PNG_SUFFIXES = (".png",)
TIFF_SUFFIXES = (".tif", ".tiff")

_UNFINISHED_NAME = re.compile(r"\.[0-9a-f]{16}\.part")
_PANE_GAP_PX = 8
_BACKGROUND = 24
_INK = 235


def write_picture(path: str | Path, picture: NDArray[np.floating], bit_depth: BitDepth = 8) -> None:
    """Write a float (H, W, 3) RGB picture in [0, 1] as PNG or TIFF without alpha.

    Values outside [0, 1] are clipped, halves round up. Raises ExportError when the suffix is unknown,
    the picture holds values that are not finite, or the file cannot be written.
    """
    path = Path(path)
    _write_atomically(path, _encode(path, to_levels(picture, bit_depth, path)))


def write_side_by_side(
    path: str | Path,
    left: NDArray[np.floating],
    right: NDArray[np.floating],
    *,
    labels: tuple[str, str] = ("blurry", "restored"),
) -> None:
    """Write two pictures beside each other as one 8-bit PNG or TIFF, each below its label.

    Pictures of different heights are aligned at the top. Errors as in `write_picture`.
    """
    path = Path(path)
    panes = [
        _with_label(to_levels(picture, 8, path), label)
        for picture, label in zip((left, right), labels, strict=True)
    ]
    height = max(pane.shape[0] for pane in panes)
    width = sum(pane.shape[1] for pane in panes) + _PANE_GAP_PX
    sheet = np.full((height, width, 3), _BACKGROUND, np.uint8)
    at_column = 0
    for pane in panes:
        sheet[: pane.shape[0], at_column : at_column + pane.shape[1]] = pane
        at_column += pane.shape[1] + _PANE_GAP_PX
    _write_atomically(path, _encode(path, sheet))


def write_text_atomically(path: str | Path, text: str) -> None:
    """Write UTF-8 text with the line ends it has. Raises ExportError when the file cannot be written.

    Bytes of a file name that are no text are written as Python escapes them.
    """
    _write_atomically(Path(path), text.encode("utf-8", "backslashreplace"))


def write_bytes_atomically(path: str | Path, content: bytes) -> None:
    """Write bytes. Raises ExportError when the file cannot be written."""
    _write_atomically(Path(path), content)


def claim_file(path: str | Path) -> None:
    """Make an empty file, so that no other process takes the name. Raises ExportError where it is taken."""
    path = Path(path)
    try:
        path.open("xb").close()
    except FileExistsError as error:
        raise ExportError(
            "another process has just begun to write here", path=path, advice="Choose another folder"
        ) from error
    except OSError as error:
        raise _as_export_error(path, error) from error


def make_folder(path: str | Path) -> Path:
    """Make a folder and those above it where they are missing, and return it.

    Raises ExportError when that is not possible.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _as_export_error(path, error) from error
    return path


def to_levels(picture: NDArray[np.floating], bit_depth: BitDepth, path: Path) -> NDArray[np.unsignedinteger]:
    """Round a float (H, W, 3) picture in [0, 1] to the levels of a file: uint8 or uint16 (H, W, 3)."""
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise ExportError(
            "not a colour picture", path=path, found=f"shape {picture.shape}", expected="shape (H, W, 3)"
        )
    if bit_depth not in (8, 16):
        raise ExportError("unknown bit depth", path=path, found=str(bit_depth), expected="8 or 16")
    if not np.isfinite(picture).all():
        raise ExportError(
            "the picture holds values that are not numbers",
            path=path,
            advice="Restore the frame again and report the sequence if it stays so",
        )
    peak = 2**bit_depth - 1
    levels = np.floor(np.clip(picture, 0.0, 1.0).astype(np.float32) * np.float32(peak) + np.float32(0.5))
    return levels.astype(np.uint8 if bit_depth == 8 else np.uint16)


def _encode(path: Path, levels: NDArray[np.unsignedinteger]) -> bytes:
    suffix = path.suffix.lower()
    if suffix in PNG_SUFFIXES:
        import cv2  # Pillow has no 16-bit colour PNG

        done, encoded = cv2.imencode(".png", levels[:, :, ::-1])
        if not done:
            raise ExportError("the picture could not be encoded as PNG", path=path)
        return encoded.tobytes()
    if suffix in TIFF_SUFFIXES:
        import tifffile

        buffer = io.BytesIO()
        tifffile.imwrite(buffer, levels, photometric="rgb", compression="zlib", predictor=True)
        return buffer.getvalue()
    raise ExportError(
        "no known picture format",
        path=path,
        found=f"suffix '{path.suffix}'",
        expected=", ".join((*PNG_SUFFIXES, *TIFF_SUFFIXES)),
        advice="Give the file a name that ends in .png or .tif",
    )


def _with_label(levels: NDArray[np.unsignedinteger], label: str) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    height, width = levels.shape[:2]
    text_px = max(10, min(28, width // 16))
    bar_px = 2 * text_px
    pane = np.full((bar_px + height, width, 3), _BACKGROUND, np.uint8)
    bar = Image.fromarray(pane[:bar_px])
    ImageDraw.Draw(bar).text(
        (text_px // 2, bar_px // 2),
        label,
        fill=(_INK, _INK, _INK),
        font=ImageFont.load_default(text_px),
        anchor="lm",
    )
    pane[:bar_px] = np.asarray(bar)
    pane[bar_px:] = levels
    return pane


def _write_atomically(path: Path, content: bytes) -> None:
    with written_whole(path) as file:
        file.write(content)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that takes the name `path` when all is written, and vanishes when something fails.

    Raises ExportError when it cannot be written.
    """
    if path.is_dir():
        raise ExportError(
            "a folder of this name is in the way", path=path, advice="Choose another name for the file"
        )
    # A short name of its own: the target's may already be as long as the file system allows.
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _as_export_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    _flush_folder(path.parent)


def remove_unfinished(folder: Path) -> int:
    """Remove what writers of whole files left in a folder when they were killed; return how many files.

    For a folder that no other process writes to at the time.
    """
    removed = 0
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if _UNFINISHED_NAME.fullmatch(file.name):
                file.unlink()
                removed += 1
    return removed


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; not every system can, and the file is whole either way."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_ADVICE = {
    errno.ENOSPC: "Free some space on that disk or choose another folder",
    errno.EDQUOT: "Free some of your quota or choose another folder",
    errno.EACCES: "Choose a folder you may write to",
    errno.EPERM: "Choose a folder you may write to",
    errno.EROFS: "The disk is read-only; choose another folder",
    errno.ENOENT: "Make the folder first or choose another",
    errno.ENOTDIR: "A file stands where a folder is needed; choose another folder",
    errno.EEXIST: "A file stands where a folder is needed; choose another folder",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ELOOP: "The link leads to itself; choose another folder",
}


def _as_export_error(path: Path, error: OSError) -> ExportError:
    return ExportError(
        "cannot be written",
        path=path,
        found=error.strerror or type(error).__name__,
        advice=_ADVICE.get(error.errno or 0, "Choose another folder or name"),
    )
