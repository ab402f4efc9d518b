"""The status bar: the frame, its window, and the pixel under the mouse in both panes."""

import numpy as np
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget
from superqt import QElidingLabel

from app.state.compare.pictures import FrameView
from app.state.compare.probe import SpikesOfPixel
from app.ui.timeline.plane_scale import format_planes, format_time
from engine.alignment import AlignmentWindow
from engine.geometry import Size


class StatusLine(QStatusBar):
    """Facts on the left, the pixel probe on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setContentsMargins(8, 0, 8, 0)
        self.facts = QElidingLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setMinimumWidth(80)
        self.probe = QLabel()
        self.probe.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.spikes = QLabel()
        self.spikes.setFont(self.probe.font())
        self.addWidget(self.facts, 1)
        self.addPermanentWidget(self.spikes)
        self.addPermanentWidget(self.probe)

    def show_facts(
        self,
        size: Size | None,
        window: AlignmentWindow | None,
        rate_hz: float | None,
        scale: float | None,
        bit_depth: int,
        results_bytes: int,
    ) -> None:
        """Show what is on screen; None leaves a part out."""
        parts = []
        if window is not None:
            text = self.tr("exposed in planes {span}").format(span=format_planes(window.start, window.stop))
            if rate_hz:
                times = self.tr("{start} to {stop}").format(
                    start=format_time(window.start, rate_hz), stop=format_time(window.stop, rate_hz)
                )
                text += f" ({times})"
            parts.append(text)
        if size is not None:
            parts.append(self.tr("{size} px, {bits} bit").format(size=size, bits=bit_depth))
        if scale is not None:
            parts.append(f"{scale:.0%}")
        if results_bytes:
            parts.append(self.tr("results {size} MiB").format(size=f"{results_bytes / 2**20:.0f}"))
        self.facts.setText("  ·  ".join(parts))

    def show_spikes(
        self, pixel: SpikesOfPixel | None, rate_hz: float | None, gain: float | None = None
    ) -> None:
        """Show what the spike camera saw at the pixel under the mouse during the exposure.

        `gain` is that of the pixel in the sensor's pattern, None where it is not known.
        """
        if pixel is None:
            self.spikes.setText("")
            return
        text = self.tr("{spikes} spikes in {planes} planes").format(spikes=pixel.spikes, planes=pixel.planes)
        if pixel.interval_planes is not None:
            text += self.tr(", every {planes}").format(planes=f"{pixel.interval_planes:.1f}")
            if rate_hz:
                text += f" ({pixel.interval_planes / rate_hz * 1000:.2f} ms)"
        if gain is not None:
            text += self.tr(", gain {gain}").format(gain=f"{gain:.3f}")
        self.spikes.setText(text)
        self.spikes.setToolTip(self.tr("Pixel ({x}, {y}) of the spike camera").format(x=pixel.x, y=pixel.y))

    def show_probe(self, pixel: tuple[int, int] | None, view: FrameView | None, bit_depth: int) -> None:
        """Show the values of one pixel (x, y) in both pictures, in steps of the input's bit depth."""
        if pixel is None or view is None:
            self.probe.setText("")
            return
        x, y = pixel
        height, width = view.blurry_values.shape[:2]
        if not (0 <= x < width and 0 <= y < height):
            self.probe.setText("")
            return
        text = f"({x}, {y})  {_values(view.blurry_values[y, x], bit_depth)}"
        if view.result is not None:
            text += f"  →  {_values(view.result.picture[y, x], bit_depth)}"
        self.probe.setText(text)


def _values(rgb: np.ndarray, bit_depth: int) -> str:
    top = 2**bit_depth - 1
    digits = len(str(top))
    steps = np.floor(np.clip(np.nan_to_num(rgb), 0, 1) * top + 0.5).astype(int)
    return " ".join(f"{step:>{digits}d}" for step in steps)
