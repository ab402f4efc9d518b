"""How long the window's event loop keeps anybody waiting while it opens, steps, scrubs and deblurs.

A timer asks to be called every millisecond; what lies between two calls is a wait. Beside the wait stands the
time the window's thread itself computed in it, which a busy machine does not change. Baseline: the same timer
in an empty window that does nothing.

    python tests/benchmarks/window_stalls.py
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
from screen import screen

from app.__main__ import SWITCH_SECONDS
from app.environment import spare_collector
from app.settings import Settings
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow

BUDGET_MS = 50


class Waits:
    """Collects the waits between the calls of a timer."""

    def __init__(self) -> None:
        self._last = (time.perf_counter(), time.thread_time())
        self._ms: list[tuple[float, float]] = []
        self._timer = QTimer(interval=1)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self._ms.append(((now[0] - self._last[0]) * 1e3, (now[1] - self._last[1]) * 1e3))
        self._last = now

    def report(self, name: str) -> None:
        waits, computed = np.array(self._ms[1:]).T
        self._ms.clear()
        late = int((waits > BUDGET_MS).sum())
        quantiles = np.quantile(waits, [0.5, 0.99, 0.999])
        print(
            f"{name:12s} {len(waits):6d} waits  median {quantiles[0]:5.1f}  99 % {quantiles[1]:5.1f}  "
            f"99.9 % {quantiles[2]:5.1f}  longest {waits.max():6.1f} ms  over {BUDGET_MS} ms: {late:3d}  "
            f"computed at most {computed.max():5.1f} ms"
        )


def main() -> None:
    sys.setswitchinterval(SWITCH_SECONDS)  # as the program does
    application = QApplication([])
    application.setStyle("fusion")
    studio = Studio(Settings(theme="dark", method="spike-ratio"))
    window = MainWindow(studio, studio.settings)

    def run(until: Callable[[], object], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    print(f"load {os.getloadavg()[0]:.1f}")
    empty = QMainWindow()
    empty.show()
    waits = Waits()
    end = time.monotonic() + 2
    run(lambda: time.monotonic() > end)
    waits.report("empty window")
    empty.close()
    window.painted.connect(studio.open_sample)
    window.ready.connect(spare_collector)
    window.show()
    run(lambda: studio.pictures.view and studio.spikes.voxels and studio.spikes.rate and window.workspace)
    waits.report("opening")
    count = studio.position.count
    for index in range(60):
        studio.position.go(index % count)
        run(lambda: studio.pictures.view.index == studio.position.index)
    waits.report("stepping")
    end = time.monotonic() + 5
    while time.monotonic() < end:
        studio.position.go(random.randrange(count))
        application.processEvents()
    waits.report("scrubbing")
    studio.deblur_all()
    run(lambda: not studio.jobs.is_running)
    waits.report("deblurring")
    studio.deblur_all()
    while studio.jobs.is_running:
        studio.position.go(random.randrange(count))
        application.processEvents()
    waits.report("both")
    window.close()


if __name__ == "__main__":
    with screen(), tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = home
        main()
