"""Playing the frames: every one, or at the recording's own pace; nothing queues up."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.settings import Settings
from app.state.compare.pictures import Pictures
from app.state.session.position import Position

if TYPE_CHECKING:
    from engine.sequence import Sequence

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
USUAL_FPS = 25.0
"""Frames a second where nobody knows how far they are apart."""
TICK_MS = 5
SMALLEST_FPS, LARGEST_FPS = 0.5, 240.0


class Playback(QObject):
    """Moves a `Position` through its range until the end, or round and round."""

    changed = Signal()
    """It plays or not, or plays otherwise."""

    def __init__(
        self,
        position: Position,
        pictures: Pictures,
        settings: Settings,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._position = position
        self._pictures = pictures
        self._settings = settings
        self._clock = clock
        self._fps: float | None = None
        self._began = 0.0
        self._first = 0
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._stepping = False
        position.count_changed.connect(lambda _: self.stop())
        position.changed.connect(self._on_position)
        position.range_changed.connect(self._set_clock)

    # ------------------------------------------------------------------ how it plays

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    @property
    def speed(self) -> float:
        """1 is the pace of the recording."""
        return self._settings.play_speed

    @property
    def loops(self) -> bool:
        return self._settings.play_loop

    @property
    def every_frame(self) -> bool:
        """No frame is left out, however long that takes; else frames are left out to keep the pace."""
        return self._settings.play_every_frame

    @property
    def fps(self) -> float:
        """Frames a second at this speed."""
        return min(max((self._fps or USUAL_FPS) * self.speed, SMALLEST_FPS), LARGEST_FPS)

    def set_own_fps(self, fps: float | None) -> None:
        """Say how many frames a second the recording has; None where that is not known."""
        self._fps = fps
        self.changed.emit()

    def set_speed(self, speed: float) -> None:
        self._settings.play_speed = speed
        self._start_anew()

    def faster(self, steps: int) -> None:
        """Go to the next speed, or with a negative number to the one before."""
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self.speed))
        self.set_speed(SPEEDS[min(max(at + steps, 0), len(SPEEDS) - 1)])

    def set_loops(self, loops: bool) -> None:
        self._settings.play_loop = loops
        self.changed.emit()

    def set_every_frame(self, every: bool) -> None:
        self._settings.play_every_frame = every
        self._start_anew()

    # ------------------------------------------------------------------ what the user does

    def toggle(self) -> None:
        if self.playing:
            self.stop()
        else:
            self.play()

    def play(self) -> None:
        """Go on from the current frame; from the start of the range where that is its end or outside."""
        frames = self._position.range
        if len(frames) < 2:
            return
        if not frames.start <= self._position.index < frames.stop - 1:
            self._position.go(frames.start)
        self._timer.start()
        self._start_anew()

    def stop(self) -> None:
        if self.playing:
            self._timer.stop()
            self.changed.emit()

    def tick(self) -> None:
        """Go to the frame that is due, once the one asked for before is on screen."""
        position, frames = self._position, self._position.range
        if len(frames) < 2:
            self.stop()
            return
        view = self._pictures.view
        if view is None or view.index != position.index:
            failed = self._pictures.problem and self._pictures.failed_index == position.index
            if failed:  # a frame that cannot be read holds nobody up
                self._go(position.index + 1)
            return
        due = self._first + int((self._clock() - self._began) * self.fps)
        if due > position.index:
            self._go(position.index + 1 if self.every_frame else due)

    def _go(self, index: int) -> None:
        frames = self._position.range
        if index < frames.stop:
            self._step_to(max(index, frames.start))
            if self.every_frame and self._lags(index):
                self._set_clock()
        elif self.loops:
            self._step_to(frames.start)
            self._set_clock()
        else:
            self._step_to(frames.stop - 1)
            self.stop()

    def _step_to(self, index: int) -> None:
        self._stepping = True
        self._position.go(index)
        self._stepping = False

    def _on_position(self, _: int) -> None:
        if not self._stepping:  # somebody went elsewhere: it plays on from there, at the same pace
            self._set_clock()

    def _lags(self, index: int) -> bool:
        """Whether more than a frame is owed: it is forgiven, so that no burst follows a slow frame."""
        return (self._clock() - self._began) * self.fps > index - self._first + 1

    def _set_clock(self) -> None:
        """Let the current frame begin now."""
        self._began, self._first = self._clock(), self._position.index

    def _start_anew(self) -> None:
        self._set_clock()
        self.changed.emit()


def frames_a_second(sequence: "Sequence") -> float | None:
    """Return how many exposures usually begin in a second, None where that is not known.

    Clips that follow each other in one recording may be far apart: the median does not mind.
    """
    recording, windows = sequence.recording, sequence.windows
    if recording is None or not recording.info.rate_hz or len(windows) < 2:
        return None
    apart = np.diff([window.start for window in windows])
    planes = float(np.median(apart[apart > 0])) if (apart > 0).any() else 0.0
    return recording.info.rate_hz / planes if planes > 0 else None
