"""Whatever a decoder raises becomes the error of the picture that it was given."""

import contextlib
from pathlib import Path

from engine.decoders import failing_as
from engine.errors import FrameError

KINDS = "a whole PNG, JPEG, BMP or TIFF file"


class NotAPictureError(ValueError):
    """The content is of no kind that is read."""


def decoding(path: Path) -> contextlib.AbstractContextManager[None]:
    """Turn every exception inside into a FrameError about `path`, so that it fails this picture alone."""
    return failing_as(lambda error: _frame_error(path, error))


def _frame_error(path: Path, error: Exception) -> FrameError:
    if isinstance(error, OSError) and error.errno is not None:
        return FrameError(f"the picture cannot be read ({error.strerror})", path=path)
    found = " ".join(str(error).split())[:160] or type(error).__name__
    if isinstance(error, ImportError) or "imagecodecs" in found:
        return FrameError(
            "the picture needs a decoder that is not installed",
            path=path,
            found=found,
            advice="Save it with another compression, such as LZW or none",
        )
    if isinstance(error, MemoryError):
        return FrameError("the picture does not fit into memory", path=path, advice="Close other programs")
    if isinstance(error, NotAPictureError):
        with contextlib.suppress(OSError), path.open("rb") as file:
            found = f"a file that starts with {file.read(8)!r}"
    return FrameError(
        "the picture is broken or of an unknown kind",
        path=path,
        found=found,
        expected=KINDS,
        advice="Copy it again from where it is whole, or save it anew from a program that shows it right",
    )
