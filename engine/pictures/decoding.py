"""The border to the decoders: whatever one of them raises becomes the error of the file it was given."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from engine.errors import EngineError, FrameError

KINDS = "a whole PNG, JPEG, BMP or TIFF file"


class NotAPictureError(ValueError):
    """The content is of no kind that is read."""


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn every exception inside into a FrameError about `path`, so that it fails this picture alone.

    Decoders fail in as many ways as there are broken files: their own classes, struct and zlib errors,
    assertions, modules that are missing where a compression asks for them.
    """
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise _frame_error(path, error) from error


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
