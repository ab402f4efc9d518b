"""Time to draw the timeline's spike rate while the view moves, beside drawing from every plane in view.

Baselines, of the same views: the raw rate summarised anew for every picture, and the raw rate as a line with
a point for every plane.

    python tests/benchmarks/spike_rate_curve.py [--planes 20000000]
"""

import argparse
import os
import sys
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPolygonF

from app.state.spikes.spike_rate import RateCurve
from app.ui.timeline.curve_picture import curve_pixels

COLUMNS, HEIGHT = 1600, 80
VIEWS = 40
SHARES = (1.0, 0.1, 0.001)
MOST_POINTS = 1_000_000
"""Lines of more points are left out: one takes seconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planes", type=int, default=20_000_000)
    most = parser.parse_args().planes
    application = QGuiApplication([])
    print(f"load {os.getloadavg()[0]:.1f}; {COLUMNS} × {HEIGHT} px, {VIEWS} views a little apart\n")
    print(f"{'planes':>11} {'in view':>11}   {'':24}{'median ms':>10}{'longest ms':>12}")
    for planes in (10_000, 800_000, most):
        counts = np.random.default_rng(0).integers(0, 30_000, planes)
        start = time.perf_counter()
        curve = RateCurve.of_counts(counts, 100_000)
        made = (time.perf_counter() - start) * 1e3
        only_planes = RateCurve(curve.values, curve.peak, curve.mean, curve.levels[:1])
        print(f"{planes:11,} {'':11}   {'summarised once':24}{made:10.1f}")
        for share in SHARES:
            length = planes * share
            report(planes, length, "from the summary", lambda a, b, it=curve: draw(it, a, b))
            report(planes, length, "from every plane", lambda a, b, it=only_planes: draw(it, a, b))
            if length <= MOST_POINTS:
                report(planes, length, "a line of all planes", lambda a, b, it=curve: draw_line(it, a, b))
    del application


def report(planes: int, length: float, name: str, draw_view: Callable[[float, float], None]) -> None:
    """Draw a view again and again, each time somewhat later, and print how long that took."""
    views = VIEWS if "line" not in name else 3
    step = min(length / 200, (planes - length) / views + length / 1000)
    taken = []
    for at in range(views):
        start = time.perf_counter()
        draw_view(at * step, at * step + length)
        taken.append((time.perf_counter() - start) * 1e3)
    print(f"{planes:11,} {length:11,.0f}   {name:24}{np.median(taken):10.2f}{max(taken):12.2f}")


def draw(curve: RateCurve, start: float, stop: float) -> None:
    curve_pixels(curve, (start, stop), COLUMNS, HEIGHT, 1.0, "#4fb0e8")


def draw_line(curve: RateCurve, start: float, stop: float) -> None:
    first, last = max(0, int(start)), min(len(curve.values), int(stop) + 1)
    x = (np.arange(first, last) - start) * (COLUMNS / (stop - start))
    y = HEIGHT - curve.values[first:last] * (HEIGHT / curve.peak)
    image = QImage(COLUMNS, HEIGHT, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawPolyline(QPolygonF([QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]))
    painter.end()


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.exit(main())
