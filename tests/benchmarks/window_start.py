"""How long the studio takes from process start to its first paint, and to the sample on screen.

Beside it, in turns: a bare QMainWindow that holds an empty pyqtgraph view.

    python tests/benchmarks/window_start.py
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from screen import screen

PROJECT_ROOT = Path(__file__).resolve().parents[2]
RUNS = 7
BUDGET_SECONDS = 2.0

BARE = """
import os, time
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Window(QMainWindow):
    def event(self, event):
        result = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest:
            print("painted", time.monotonic(), flush=True)
            os._exit(0)
        return result

application = QApplication([])
window = Window()
window.setCentralWidget(pg.GraphicsLayoutWidget())
window.resize(1280, 800)
window.show()
application.exec()
"""

STUDIO = """
import os, time
from app import __main__ as program
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow

make = MainWindow.__init__

def watched(window, studio, settings):
    make(window, studio, settings)
    window.painted.connect(lambda: print("painted", time.monotonic(), flush=True))
    seen = set()

    def see(what):
        seen.add(what)
        if seen == {"workspace", "frame"}:
            window.repaint()
            print("sample", time.monotonic(), flush=True)
            os._exit(0)

    window.ready.connect(lambda: see("workspace"))
    studio.pictures.changed.connect(lambda: studio.pictures.view and see("frame"))

MainWindow.__init__ = watched
program.main([])
"""


def measure(program: str) -> dict[str, float]:
    """Run a program once; return the seconds after its start at which it told of what."""
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told = (line.split() for line in ended.stdout.splitlines())
    return {what: float(when) - started for what, when in told}


def main() -> None:
    with screen(), tempfile.TemporaryDirectory() as home:
        for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = home
        measure(BARE), measure(STUDIO)  # fills the disk cache and writes the byte code
        bare, studio = [], []
        for _ in range(RUNS):
            bare.append(measure(BARE))
            studio.append(measure(STUDIO))
    rows = {
        "bare window with pyqtgraph, first paint": [one["painted"] for one in bare],
        "studio, first paint": [one["painted"] for one in studio],
        "studio, sample on screen": [one["sample"] for one in studio],
    }
    print(f"seconds after process start, {RUNS} runs in turns, load {os.getloadavg()[0]:.1f}")
    for name, seconds in rows.items():
        print(f"{name:42s} median {statistics.median(seconds):.2f}  best {min(seconds):.2f}")
    median = statistics.median(rows["studio, first paint"])
    print(f"budget {BUDGET_SECONDS:.1f} s: {'kept' if median <= BUDGET_SECONDS else 'missed'}")


if __name__ == "__main__":
    main()
