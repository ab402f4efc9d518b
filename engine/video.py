"""Frames of a video file, counted rather than believed.

Strategy: containers state frame counts that are estimates, and seeking lands near the frame asked for.
So one pass at opening decodes every frame and notes its timestamp; that gives the true count. A seek is
then checked against the timestamps: it starts early and walks forward to the frame, and where the
timestamps are no help, it walks from the start.
"""

import os
import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameError
from engine.findings import Finding
from engine.geometry import Size

WALK_FRAMES = 32
"""Frames worth decoding on the way rather than seeking: about two distances between key frames."""


class VideoFrames:
    """Frames of a video as RGB bytes, in any order. Safe to read from several threads.

    Raises FrameError when the file is no video or holds no frame.
    """

    bit_depth = 8

    def __init__(self, path: str | Path) -> None:
        # FFmpeg would print a line for every broken macroblock; what matters is raised instead.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        self._path = Path(path)
        self._lock = threading.Lock()
        self._capture: cv2.VideoCapture | None = self._open()
        claimed = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        done, first = self._capture.read()
        if not done or first is None:
            self.close()
            raise self._unreadable()
        self.size = Size(*first.shape[:2])
        times = [self._time(self._capture)]
        while self._capture.grab():
            times.append(self._time(self._capture))
        self._times_ms = np.array(times)
        self._seekable = bool(np.all(np.diff(self._times_ms) > 0))
        self.times_seconds: NDArray[np.float64] | None = self._times_ms / 1000 if self._seekable else None
        self._next = len(times)
        self.names = _names(self._path.stem, len(times))
        self.findings: tuple[Finding, ...] = ()
        # Containers without a count give a negative number.
        if claimed > 0 and claimed != len(times):
            self.findings = (
                Finding(
                    f"{self._path.name} claims {claimed} frames and holds {len(times)}",
                    "Copy it again where frames are missing",
                ),
            )

    def __len__(self) -> int:
        return len(self.names)

    def read(self, index: int) -> NDArray[np.uint8]:
        """Return frame `index` as bytes (H, W, 3) RGB. Raises FrameError."""
        with self._lock:
            if self._capture is None:
                raise FrameError("the video is closed", path=self._path)
            if not 0 <= index - self._next <= WALK_FRAMES:
                self._seek_before(index)
            while self._next < index:
                if not self._capture.grab():
                    raise self._broken(index)
                self._next += 1
            done, frame = self._capture.read()
            if not done or frame is None:
                raise self._broken(index)
            self._next += 1
        if frame.ndim == 2:
            frame = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
        return np.ascontiguousarray(frame[:, :, ::-1], np.uint8)

    def close(self) -> None:
        with self._lock:
            if self._capture is not None:
                self._capture.release()
                self._capture = None

    def _seek_before(self, index: int) -> None:
        """Put the next frame at `index` or before it."""
        assert self._capture is not None
        margin = 1
        while self._seekable and margin <= index:
            # Only a decoded frame tells, by its timestamp, where the seek has led.
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, index - margin)
            if not self._capture.grab():
                break
            landed = int(np.argmin(np.abs(self._times_ms - self._time(self._capture))))
            if landed < index and self._times_ms[landed] == self._time(self._capture):
                self._next = landed + 1
                return
            margin *= 8
        self._capture.release()
        self._capture = self._open()
        self._next = 0

    def _open(self) -> cv2.VideoCapture:
        if not self._path.is_file():
            raise FrameError("the video is not there", path=self._path)
        capture = cv2.VideoCapture()
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            # OpenCV's other readers print about broken files, and take `%03d` in a name for a pattern.
            ffmpeg = cv2.CAP_FFMPEG in cv2.videoio_registry.getStreamBackends()
            capture.open(str(self._path), cv2.CAP_FFMPEG if ffmpeg else cv2.CAP_ANY)
        except cv2.error as error:
            raise self._unreadable() from error
        finally:
            cv2.utils.logging.setLogLevel(level)
        if not capture.isOpened():
            raise self._unreadable()
        # Spikes match the pixels as the sensor gave them, not as a player would turn them.
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        return capture

    @staticmethod
    def _time(capture: cv2.VideoCapture) -> float:
        return float(capture.get(cv2.CAP_PROP_POS_MSEC))

    def _unreadable(self) -> FrameError:
        return FrameError(
            "the video cannot be decoded",
            path=self._path,
            advice="Convert it to MP4 (H.264), or to a folder of PNG files",
        )

    def _broken(self, index: int) -> FrameError:
        return FrameError(f"frame {index} of the video cannot be decoded", path=self._path)


def _names(stem: str, count: int) -> tuple[str, ...]:
    digits = max(4, len(str(count)))
    return tuple(f"{stem}_{number:0{digits}d}" for number in range(1, count + 1))
