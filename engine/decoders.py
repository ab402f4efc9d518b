"""The border to the decoders of pictures and videos, which fail in as many ways as there are broken files."""

import contextlib
from collections.abc import Callable, Iterator

from engine.errors import EngineError

DECODER_ERRORS: tuple[type[Exception], ...] = (Exception,)
"""Classes of their own (cv2.error, av.FFmpegError, TiffFileError), struct and zlib errors, assertions,
modules that are missing where a compression asks for them: no shorter list holds them all."""
MAX_PIXELS = 2**28
"""Of one picture or frame; what claims to have more is not decoded."""


@contextlib.contextmanager
def failing_as(named: Callable[[Exception], EngineError]) -> Iterator[None]:
    """Raise what decoders raise inside as the error that `named` makes of it; EngineErrors pass."""
    try:
        yield
    except EngineError:
        raise
    except DECODER_ERRORS as error:
        raise named(error) from error
