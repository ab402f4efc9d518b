"""The raster panel: when the pixels under the mouse fired, and the intervals between their spikes."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.state.spikes.raster import REACHES, Raster, bin_span, spikes_in_bin
from app.state.studio import Studio
from app.ui.parts.segments import Segments
from app.ui.parts.theme import Theme, faded
from app.ui.timeline.plane_scale import format_time

REDRAW_MS = 80
"""The plots are drawn no oftener: they cost as much as a frame, and nobody reads them while it plays."""
MARK_HALF = 0.4
"""Of a row's height, how far a spike's mark reaches from the middle."""
AXIS_PX = 52
"""Room for the numbers at the left: the same in both plots, so that their planes stand above each other."""


class RasterPanel(QWidget):
    """Shows the pixel of the sequence in front that the mouse was over last."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio: Studio | None = None
        self._theme = theme
        self._seen = False
        self._redraw = QTimer(self, interval=REDRAW_MS, singleShot=True)
        self._redraw.timeout.connect(self.refresh)
        self.heading = QLabel()
        self.heading.setProperty("role", "title")
        self.facts = QLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setWordWrap(True)
        self.reach = Segments(
            self.tr("Pixels"),
            [
                (
                    f"{2 * reach + 1} × {2 * reach + 1}",
                    reach,
                    self.tr("Show so many pixels, the one under the mouse in the middle"),
                )
                for reach in REACHES
            ],
        )
        self.reach.changed.connect(lambda: self._studio and self._studio.set_raster_reach(self.reach.value))
        self.raster = _plot(
            self.tr(
                "Every mark is a spike, every line a pixel, row by row; the one under the mouse is bright"
            )
        )
        self.raster.invertY(True)  # the pixels as they stand in the picture
        self.others = pg.PlotCurveItem(connect="pairs")
        self.middle = pg.PlotCurveItem(connect="pairs")
        self.intervals = _plot(self.tr("Planes since the spike before, of the pixel under the mouse"))
        self.intervals.setLabel("left", self.tr("interval / planes"))
        self.intervals.setLabel("bottom", self.tr("plane"))
        self.points = pg.PlotDataItem(symbol="o", symbolSize=5, symbolPen=None)
        self.bands = []
        for plot, items in ((self.raster, (self.others, self.middle)), (self.intervals, (self.points,))):
            band = pg.LinearRegionItem(movable=False)
            band.setZValue(-10)
            plot.addItem(band)
            self.bands.append(band)
            for item in items:
                plot.addItem(item)
        self.bin = pg.LinearRegionItem(movable=False)
        self.bin.setZValue(-9)
        self.bin.hide()
        self.raster.addItem(self.bin)
        self.intervals.setXLink(self.raster)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(6)
        layout.addWidget(self.heading)
        layout.addWidget(self.facts)
        layout.addWidget(self.reach)
        layout.addWidget(self.raster, 3)
        layout.addWidget(self.intervals, 2)
        layout.addStretch(0)  # takes the room of the plots while there are none
        theme.changed.connect(self._on_theme)
        self._on_theme()
        self.refresh()

    def show_studio(self, studio: Studio | None) -> None:
        """Show the pixel of another sequence."""
        if self._studio is not None:
            self._studio.rasters.changed.disconnect(self._on_raster)
            self._studio.session.opened.disconnect(self.refresh)
            self._studio.comparison.bin_changed.disconnect(self._on_raster)
            self._studio.rasters.watch(False)
        self._studio = studio
        if studio is not None:
            studio.rasters.changed.connect(self._on_raster)
            studio.session.opened.connect(self.refresh)
            studio.comparison.bin_changed.connect(self._on_raster)
            studio.rasters.watch(self._seen)
            self.reach.choose(studio.rasters.reach if studio.rasters.reach in REACHES else REACHES[0])
        self.refresh()

    def set_seen(self, seen: bool) -> None:
        """Read spikes while somebody sees them."""
        self._seen = seen
        if self._studio is not None:
            self._studio.rasters.watch(seen)
        self.refresh()

    def _on_raster(self) -> None:
        if self._seen and not self._redraw.isActive():
            self._redraw.start()

    def refresh(self) -> None:
        """Show what has been read, or what to do."""
        studio = self._studio
        raster = None if studio is None else studio.rasters.current
        for plot in (self.raster, self.intervals):
            plot.setVisible(raster is not None)
        self.reach.setVisible(raster is not None)
        if studio is None or raster is None:
            self.heading.setText(self.tr("Spikes of a pixel"))
            self.facts.setText(self._what_to_do())
            return
        sequence = studio.session.sequence
        recording = None if sequence is None else sequence.recording
        rate_hz = None if recording is None else recording.info.rate_hz
        self.heading.setText(self.tr("Pixel ({x}, {y}) of the spike camera").format(x=raster.x, y=raster.y))
        self.facts.setText(self._facts(raster, rate_hz, studio.comparison.bin, studio.spikes.bins))
        self.raster.getAxis("left").setTicks([_row_names(raster)])
        others = raster.rows != raster.middle_row
        _draw(self.others, raster.planes[others], raster.rows[others])
        _draw(self.middle, raster.planes[~others], raster.rows[~others])
        self.points.setData(*(part.astype(float) for part in raster.intervals))
        for band in self.bands:
            band.setRegion((raster.window.start, raster.window.stop))
        self.raster.setRange(QRectF(raster.span.start, -0.6, len(raster.span), raster.row_count))
        span = bin_span(raster.window, studio.comparison.bin, studio.spikes.bins)
        self.bin.setVisible(span is not None)
        if span is not None:
            self.bin.setRegion(span)
        longest = float(raster.intervals[1].max(initial=1))
        self.intervals.setYRange(0, longest * 1.1)

    def _what_to_do(self) -> str:
        sequence = None if self._studio is None else self._studio.session.sequence
        if sequence is None:
            return self.tr("Open a sequence with spikes, then move the mouse over one of its pictures.")
        if sequence.recording is None:
            return self.tr(
                "This sequence has no spikes. Add them with File ▸ Add spikes, "
                "then move the mouse over a picture."
            )
        return self.tr("Move the mouse over a picture to see when the pixels under it fired.")

    def _facts(self, raster: Raster, rate_hz: float | None, selected: int | None, bins: int) -> str:
        fired, window = raster.of_middle, raster.window
        inside = fired[(fired >= window.start) & (fired < window.stop)]
        text = self.tr("{count} spikes during the exposure").format(count=len(inside))
        if len(inside) > 1:
            gaps = np.diff(inside)
            text += self.tr(", {mean} planes apart on average ({least} to {most})").format(
                mean=f"{gaps.mean():.2f}", least=f"{gaps.min():g}", most=f"{gaps.max():g}"
            )
            if rate_hz:
                text += f", {format_time(float(gaps.mean()), rate_hz)}"
        if selected is not None:
            text += self.tr(" · {count} in bin {number}").format(
                count=spikes_in_bin(inside, window, selected, bins), number=selected + 1
            )
        if not raster.complete:
            text += self.tr(" · only the beginning of this long exposure is shown")
        return text

    def _on_theme(self) -> None:
        colours = self._theme.colours
        self.others.setPen(pg.mkPen(faded(colours.muted, 0.7), width=1))
        self.middle.setPen(pg.mkPen(colours.current, width=1.5))
        self.points.setPen(pg.mkPen(faded(colours.rate, 0.5), width=1))
        self.points.setSymbolBrush(colours.rate)
        self.bin.setBrush(faded(colours.current, 0.4))
        for line in self.bin.lines:
            line.setPen(pg.mkPen(None))
        for band in self.bands:
            band.setBrush(faded(colours.current, 0.12))
            for line in band.lines:
                line.setPen(pg.mkPen(faded(colours.current, 0.5)))
        for plot in (self.raster, self.intervals):
            plot.setBackground(colours.panel)
            for side in ("bottom", "left"):
                plot.getAxis(side).setPen(colours.border)
                plot.getAxis(side).setTextPen(colours.muted)


def _plot(tip: str) -> pg.PlotWidget:
    plot = pg.PlotWidget()
    plot.setMinimumSize(160, 90)
    plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
    plot.setMouseEnabled(x=True, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setToolTip(tip)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.getAxis("left").setWidth(AXIS_PX)
    return plot


def _row_names(raster: Raster) -> list[tuple[float, str]]:
    """Name the picture's line that every row of pixels is in, at its first pixel."""
    first = {y: at for at, (_, y) in reversed(list(enumerate(raster.pixels)))}
    return [(float(at), f"y {y}") for y, at in sorted(first.items())]


def _draw(curve: pg.PlotCurveItem, planes: np.ndarray, rows: np.ndarray) -> None:
    """Draw a short upright line for every spike, in the middle of its plane."""
    x = np.repeat(planes + 0.5, 2)
    y = np.repeat(rows.astype(float), 2)
    y[0::2] -= MARK_HALF
    y[1::2] += MARK_HALF
    curve.setData(x, y)
