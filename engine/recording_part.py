"""One part of a recording, seen as a recording of its own."""

import dataclasses
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.geometry import Span
from engine.recording import Recording, RecordingInfo


class RecordingPart:
    """Planes [span.start, span.stop) of a recording, counted from 0. Closing it closes nothing."""

    def __init__(self, whole: Recording, span: Span) -> None:
        self._whole = whole
        self._span = span
        self.info: RecordingInfo = dataclasses.replace(whole.info, planes=len(span))

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        return self._whole.read(*self._shifted(start, stop))

    def packed(self, start: int, stop: int) -> NDArray[np.uint8]:
        return self._whole.packed(*self._shifted(start, stop))

    def parts(self) -> tuple[int, ...]:
        return (0,)

    def close(self) -> None:
        """Leave the whole recording open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _shifted(self, start: int, stop: int) -> tuple[int, int]:
        if not 0 <= start <= stop <= len(self._span):
            raise RecordingError(
                "planes outside the part of the recording",
                path=self.info.path,
                found=f"[{start}, {stop})",
                expected=f"inside [0, {len(self._span)})",
            )
        return self._span.start + start, self._span.start + stop
