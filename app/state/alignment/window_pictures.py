"""What the spikes saw during the current frame's window, as a picture beside the blurry frame."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.display import DisplayPicture, display_picture
from app.state.reading.lane import Lane
from app.state.reading.lease import Lease
from engine.alignment_window import AlignmentWindow
from engine.errors import OperationCancelled

WHITE_PERCENTILE = 99.5


@dataclass(frozen=True, eq=False)
class WindowPicture:
    """Texture from playback of one window."""

    index: int
    window: AlignmentWindow
    picture: DisplayPicture


class WindowPictures(QObject):
    """Makes the picture of the newest window that was asked for."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, pool: ThreadPoolExecutor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.current: WindowPicture | None = None
        self._lane = Lane(pool, self)
        self._lane.answered.connect(self._on_picture)
        self._lane.failed.connect(self._on_failure)

    def show(self, lease: Lease, index: int) -> None:
        """Make the picture of frame `index`'s window; the newest call wins."""
        sequence = lease.sequence
        if sequence.recording is None:
            return
        self._lane.request((index, sequence.window(index)), lambda _: _picture(lease, index))

    def clear(self) -> None:
        self._lane.clear()
        self.current = None
        self.changed.emit()

    def _on_picture(self, _: object, picture: WindowPicture) -> None:
        self.current = picture
        self.changed.emit()

    def _on_failure(self, _: object, error: Exception) -> None:
        if not isinstance(error, OperationCancelled):
            self.failed.emit(error)


def _picture(lease: Lease, index: int) -> WindowPicture:
    with lease.reading() as sequence:
        grey = sequence.registration.on_grid(shown_rate(sequence.tfp(index), sequence.gamma))
        window = sequence.window(index)
    return WindowPicture(index, window, display_picture(grey))


def shown_rate(rate: NDArray[np.float32], gamma: float) -> NDArray[np.float32]:
    """Turn spikes a plane (H, W) into a grey picture (H, W, 3) that a person can compare with a frame."""
    white = float(np.percentile(rate, WHITE_PERCENTILE)) or 1.0
    grey = np.clip(rate / np.float32(white), 0.0, 1.0) ** np.float32(1 / gamma)
    return np.repeat(grey[:, :, None], 3, axis=2)
